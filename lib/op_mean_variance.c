/*
 * Mean and variance normalisation over any dimensions: instance, layer and
 * Caffe's MVN. Two passes for the statistics, in double precision, since the
 * difference of two large sums would lose a small variance.
 */
#include <errno.h>
#include <math.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/groups.h"
#include "lib/lines.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/simd_pool.h"

struct params {
	unsigned axes; /* a bit for each */
	unsigned axis_end; /* past the last */
	int has_variance;
	int is_eps_inside;
	double eps;
};

static int mean_variance_bind(void *params, const struct mx_attrs *attrs,
			      struct mx_err *err)
{
	struct params *p = params;
	int64_t axes[MX_RANK_MAX];
	int64_t variance, inside;
	size_t count, i;
	int rc;

	if ((rc = mx_attrs_ints_in(attrs, "axes", 0, MX_RANK_MAX - 1, axes,
				   MX_RANK_MAX, &count, err)) ||
	    (rc = mx_attrs_int_in(attrs, "variance", 1, 0, 1, &variance,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "eps_inside", 1, 0, 1, &inside, err)))
		return rc;
	for (i = 0; i < count; i++) {
		p->axes |= 1u << axes[i];
		if (p->axis_end <= (unsigned)axes[i])
			p->axis_end = (unsigned)axes[i] + 1;
	}
	p->has_variance = (int)variance;
	p->is_eps_inside = (int)inside;
	p->eps = (double)mx_attrs_float(attrs, "eps", 0.0f);
	return 0;
}

static int mean_variance_infer(const struct mx_layer *layer,
			       const struct mx_shape *in, struct mx_shape *out,
			       struct mx_err *err)
{
	const struct params *p = layer->params;

	if (p->axis_end > in->rank)
		return mx_fail(err, EBADMSG, "axis %u of an input of rank %u",
			       p->axis_end - 1, in->rank);
	*out = *in;
	return 0;
}

static size_t mean_variance_tiles(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	const struct mx_shape *in = layer->in_shape;
	size_t groups = 1;
	uint32_t i;

	for (i = 0; i < in->rank; i++)
		if (!(p->axes & 1u << i))
			groups *= in->dim[i];
	return mx_groups_tiles(mx_shape_elems(in), groups);
}

static double scale_of(const struct params *p, double variance)
{
	if (!p->has_variance)
		return 1.0;
	if (p->is_eps_inside)
		return 1.0 / sqrt(variance + p->eps);
	return 1.0 / (sqrt(variance) + p->eps);
}

static void mean_variance_run(const struct mx_op_args *args,
			      struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const struct mx_simd_pool *pool = args->simd->pool;
	const float *x = args->in[0].data;
	double mean[MX_GROUPS_LANES], scale[MX_GROUPS_LANES];
	struct mx_groups groups;
	struct mx_range units;
	size_t i;

	mx_groups_init(&groups, &args->in[0], args->out[0].stride, p->axes,
		       MX_GROUPS_SIDE_BY_SIDE);
	units = mx_lines_of_parts(groups.units, args->layer->tile_count, parts);
	for (; units.begin < units.end; units.begin++) {
		const struct mx_groups_unit unit =
			mx_groups_at(&groups, units.begin);

		mx_groups_fold(&groups, pool, &unit, MX_POOL_FOLD_SUM, x, NULL,
			       mean);
		for (i = 0; i < unit.lanes; i++)
			mean[i] /= (double)groups.size;
		mx_groups_fold(&groups, pool, &unit, MX_POOL_FOLD_SQUARE, x,
			       mean, scale);
		for (i = 0; i < unit.lanes; i++)
			scale[i] = scale_of(p, scale[i] / (double)groups.size);
		mx_groups_apply(&groups, pool, &unit, x, mean, scale,
				args->out[0].data);
	}
}

const struct mx_op mx_op_mean_variance = {
	.name = "MeanVariance",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = mean_variance_bind,
	.infer = mean_variance_infer,
	.tiles = mean_variance_tiles,
	.run = mean_variance_run,
};
