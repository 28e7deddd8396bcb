/*
 * SSD's Normalize: each pixel (or each sample, across_spatial) is divided by
 * its L2 norm, then each channel is multiplied by its weight. All weights are
 * one block: every pixel needs them all.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/groups.h"
#include "lib/lines.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/simd_pool.h"

#define BATCH_AXIS 0
#define CHANNEL_AXIS 1

struct params {
	int across_spatial;
	double eps;
};

static int normalize_bind(void *params, const struct mx_attrs *attrs,
			  struct mx_err *err)
{
	struct params *p = params;
	int64_t across;
	int rc;

	rc = mx_attrs_int_in(attrs, "across_spatial", 0, 0, 1, &across, err);
	if (rc)
		return rc;
	p->across_spatial = (int)across;
	p->eps = (double)mx_attrs_float(attrs, "eps", 0.0f);
	return 0;
}

static int normalize_infer(const struct mx_layer *layer,
			   const struct mx_shape *in, struct mx_shape *out,
			   struct mx_err *err)
{
	(void)layer;
	if (in->rank < 2)
		return mx_fail(err, EBADMSG, "wants rank 2 or more, not %u",
			       in->rank);
	if (mx_shape_elems(in) == 0 || in->dim[CHANNEL_AXIS] > INT32_MAX)
		return mx_fail(err, EBADMSG, "%zu channels",
			       in->dim[CHANNEL_AXIS]);
	*out = *in;
	return 0;
}

static void normalize_weights(const struct mx_layer *layer,
			      struct mx_weight_spec *spec)
{
	const size_t channels = layer->in_shape->dim[CHANNEL_AXIS];

	spec->rows = channels;
	spec->row_elems = 0;
	spec->vectors = 1;
	spec->block_rows = (uint32_t)channels;
	spec->panel_rows = 1;
}

static size_t normalize_tiles(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	const struct mx_shape *in = layer->in_shape;
	const size_t elems = mx_shape_elems(in);

	return mx_groups_tiles(elems, p->across_spatial
					      ? in->dim[BATCH_AXIS]
					      : elems / in->dim[CHANNEL_AXIS]);
}

/* 1 / the norm of one group. */
static double inverse_norm(const struct mx_op_args *args,
			   const struct mx_groups *groups,
			   const struct mx_groups_unit *unit)
{
	const struct params *p = args->layer->params;
	const double zero = 0.0;
	double sum;

	mx_groups_fold(groups, args->simd->pool, unit, MX_POOL_FOLD_SQUARE,
		       args->in[0].data, &zero, &sum);
	return 1.0 / sqrt(sum + p->eps);
}

static void run_pixels(const struct mx_op_args *args, const float *scale,
		       struct mx_range parts)
{
	struct mx_groups groups;
	struct mx_range units;
	size_t c;

	mx_groups_init(&groups, &args->in[0], args->out[0].stride,
		       1u << CHANNEL_AXIS, MX_GROUPS_ONE_BY_ONE);
	units = mx_lines_of_parts(groups.units, args->layer->tile_count, parts);
	for (; units.begin < units.end; units.begin++) {
		const struct mx_groups_unit unit =
			mx_groups_at(&groups, units.begin);
		const float factor = (float)inverse_norm(args, &groups, &unit);
		const float *x = args->in[0].data + unit.x;
		float *y = args->out[0].data + unit.y;

		for (c = 0; c < groups.line; c++)
			y[c * groups.line_y] =
				x[c * groups.line_x] * factor * scale[c];
	}
}

static void run_samples(const struct mx_op_args *args, const float *scale,
			struct mx_range parts)
{
	const size_t channels = args->in[0].shape.dim[CHANNEL_AXIS];
	const unsigned all = (1u << args->in[0].shape.rank) - 1;
	struct mx_groups samples, maps;
	struct mx_range units;
	const double zero = 0.0;
	double factor, inverse;
	size_t c;

	mx_groups_init(&samples, &args->in[0], args->out[0].stride,
		       all & ~(1u << BATCH_AXIS), MX_GROUPS_ONE_BY_ONE);
	/* In either layout the batch lies further out than the channels, so
	 * unit n * channels + c is channel c of sample n. */
	mx_groups_init(&maps, &args->in[0], args->out[0].stride,
		       all & ~(1u << BATCH_AXIS | 1u << CHANNEL_AXIS),
		       MX_GROUPS_ONE_BY_ONE);
	units = mx_lines_of_parts(samples.units, args->layer->tile_count,
				  parts);
	for (; units.begin < units.end; units.begin++) {
		struct mx_groups_unit unit =
			mx_groups_at(&samples, units.begin);

		inverse = inverse_norm(args, &samples, &unit);
		for (c = 0; c < channels; c++) {
			unit = mx_groups_at(&maps, units.begin * channels + c);
			factor = inverse * (double)scale[c];
			mx_groups_apply(&maps, args->simd->pool, &unit,
					args->in[0].data, &zero, &factor,
					args->out[0].data);
		}
	}
}

static void normalize_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const float *scale = (const float *)(const void *)mx_op_block(args, 0);

	if (p->across_spatial)
		run_samples(args, scale, parts);
	else
		run_pixels(args, scale, parts);
}

const struct mx_op mx_op_normalize = {
	.name = "Normalize",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = normalize_bind,
	.infer = normalize_infer,
	.weights = normalize_weights,
	.tiles = normalize_tiles,
	.run = normalize_run,
};
