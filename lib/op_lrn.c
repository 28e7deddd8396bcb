/*
 * Local response normalisation. Across channels a unit of work is a pixel with
 * all its channels; within a channel it is an output row.
 */
#include <errno.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/groups.h"
#include "lib/lines.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/simd_pool.h"
#include "lib/size.h"

#define CHANNEL_AXIS 1

enum kind { KIND_ACROSS, KIND_WITHIN, KIND_COUNT };

struct params {
	enum kind kind;
	size_t size;
	struct mx_pool_lrn lrn; /* `before` and `after`: from infer() */
};

static int lrn_bind(void *params, const struct mx_attrs *attrs,
		    struct mx_err *err)
{
	struct params *p = params;
	int64_t kind, size;
	float window;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "kind", KIND_ACROSS, 0, KIND_COUNT - 1,
				  &kind, err)) ||
	    (rc = mx_attrs_int_in(attrs, "size", 1, 1, INT16_MAX, &size, err)))
		return rc;
	p->kind = (enum kind)kind;
	p->size = (size_t)size;
	window = (float)(kind == KIND_WITHIN ? size * size : size);
	p->lrn.k = mx_attrs_float(attrs, "k", 1.0f);
	p->lrn.alpha = mx_attrs_float(attrs, "alpha", 1.0f) / window;
	p->lrn.beta = mx_attrs_float(attrs, "beta", 0.75f);
	return 0;
}

static int lrn_infer(const struct mx_layer *layer, const struct mx_shape *in,
		     struct mx_shape *out, struct mx_err *err)
{
	struct params *p = layer->params;
	size_t most;

	if (p->kind == KIND_WITHIN && in->rank != 4)
		return mx_fail(err, EBADMSG,
			       "within channels wants rank 4, not %u",
			       in->rank);
	if (in->rank < 2)
		return mx_fail(err, EBADMSG, "wants rank 2 or more, not %u",
			       in->rank);
	p->lrn.before = (p->size - 1) / 2;
	p->lrn.after = p->size - 1 - p->lrn.before;
	if (p->kind == KIND_ACROSS) {
		/* Beyond the channels there are zeros only. */
		most = mx_size_max(in->dim[CHANNEL_AXIS], 1) - 1;
		p->lrn.before = mx_size_min(p->lrn.before, most);
		p->lrn.after = mx_size_min(p->lrn.after, most);
	}
	*out = *in;
	return 0;
}

static size_t lrn_tiles(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	const struct mx_shape *in = layer->in_shape;
	const size_t elems = mx_shape_elems(in);

	if (elems == 0)
		return 1;
	return mx_groups_tiles(elems * mx_size_min(p->size, UINT8_MAX),
			       p->kind == KIND_WITHIN
				       ? in->dim[0] * in->dim[2]
				       : elems / in->dim[CHANNEL_AXIS]);
}

/* A gathered pixel, then its squares. */
static size_t lrn_scratch_bytes(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	const size_t channels = layer->in_shape->dim[CHANNEL_AXIS];

	if (p->kind == KIND_WITHIN)
		return 0;
	return (2 * channels + p->lrn.before + p->lrn.after) * sizeof(float);
}

static void run_across(const struct mx_op_args *args, struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const struct mx_simd_pool *pool = args->simd->pool;
	const size_t channels = args->in[0].shape.dim[CHANNEL_AXIS];
	float *pixel = args->scratch;
	struct mx_groups groups;
	struct mx_range units;
	size_t c;

	mx_groups_init(&groups, &args->in[0], args->out[0].stride,
		       1u << CHANNEL_AXIS, MX_GROUPS_ONE_BY_ONE);
	units = mx_lines_of_parts(groups.units, args->layer->tile_count, parts);
	for (; units.begin < units.end; units.begin++) {
		const struct mx_groups_unit unit =
			mx_groups_at(&groups, units.begin);
		const float *x = args->in[0].data + unit.x;
		float *y = args->out[0].data + unit.y;

		if (groups.line_x == 1 && groups.line_y == 1) {
			pool->lrn(&p->lrn, x, channels, pixel + channels, y);
			continue;
		}
		for (c = 0; c < channels; c++)
			pixel[c] = x[c * groups.line_x];
		pool->lrn(&p->lrn, pixel, channels, pixel + channels, pixel);
		for (c = 0; c < channels; c++)
			y[c * groups.line_y] = pixel[c];
	}
}

/* The neighbours of @index in a dimension of @dim elements. */
static struct mx_range neighbours(const struct mx_pool_lrn *lrn, size_t index,
				  size_t dim)
{
	struct mx_range range;

	range.begin = index - mx_size_min(index, lrn->before);
	range.end = mx_size_min(index + lrn->after + 1, dim);
	return range;
}

static void run_within_row(const struct mx_op_args *args, size_t n, size_t h)
{
	const struct params *p = args->layer->params;
	const struct mx_simd_pool *pool = args->simd->pool;
	const struct mx_view *in = &args->in[0];
	const struct mx_view *out = &args->out[0];
	const struct mx_range rows = neighbours(&p->lrn, h, in->shape.dim[2]);
	const size_t channels = in->shape.dim[CHANNEL_AXIS];
	size_t step = channels;
	size_t c, w;

	/* A map whose channels lie apart is taken channel by channel. */
	if (in->stride[CHANNEL_AXIS] != 1 || out->stride[CHANNEL_AXIS] != 1)
		step = 1;
	for (w = 0; w < in->shape.dim[3]; w++) {
		const struct mx_range columns =
			neighbours(&p->lrn, w, in->shape.dim[3]);
		const struct mx_pool_window shape = {
			.count = {1, rows.end - rows.begin,
				  columns.end - columns.begin},
			.stride = {0, in->stride[2], in->stride[3]},
		};

		for (c = 0; c < channels; c += step) {
			struct mx_pool_window window = shape;
			const float *x = in->data + n * in->stride[0] +
					 c * in->stride[CHANNEL_AXIS];
			float *y = out->data + n * out->stride[0] +
				   c * out->stride[CHANNEL_AXIS] +
				   h * out->stride[2] + w * out->stride[3];

			window.x = x + rows.begin * in->stride[2] +
				   columns.begin * in->stride[3];
			pool->window_squares(&window, step, p->lrn.alpha, y);
			pool->lrn_divide(&p->lrn,
					 x + h * in->stride[2] +
						 w * in->stride[3],
					 step, y);
		}
	}
}

static void lrn_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const struct mx_shape *shape = &args->in[0].shape;
	struct mx_range rows;

	if (mx_shape_elems(shape) == 0)
		return;
	if (p->kind == KIND_ACROSS) {
		run_across(args, parts);
		return;
	}
	rows = mx_lines_of_parts(shape->dim[0] * shape->dim[2],
				 args->layer->tile_count, parts);
	for (; rows.begin < rows.end; rows.begin++)
		run_within_row(args, rows.begin / shape->dim[2],
			       rows.begin % shape->dim[2]);
}

const struct mx_op mx_op_lrn = {
	.name = "Lrn",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = lrn_bind,
	.infer = lrn_infer,
	.tiles = lrn_tiles,
	.scratch_bytes = lrn_scratch_bytes,
	.run = lrn_run,
};
