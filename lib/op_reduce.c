/*
 * Reductions over any dimensions, accumulated in double precision.
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
#include "lib/size.h"

enum kind {
	KIND_SUM,
	KIND_MEAN,
	KIND_MAX,
	KIND_MIN,
	KIND_ABS,
	KIND_SQUARE,
	KIND_L2,
	KIND_LP,
	KIND_PRODUCT,
	KIND_COUNT
};

static const enum mx_pool_fold fold_of[KIND_COUNT] = {
	[KIND_SUM] = MX_POOL_FOLD_SUM,
	[KIND_MEAN] = MX_POOL_FOLD_SUM,
	[KIND_MAX] = MX_POOL_FOLD_MAX,
	[KIND_MIN] = MX_POOL_FOLD_MIN,
	[KIND_ABS] = MX_POOL_FOLD_ABS,
	[KIND_SQUARE] = MX_POOL_FOLD_SQUARE,
	[KIND_L2] = MX_POOL_FOLD_SQUARE,
	[KIND_LP] = MX_POOL_FOLD_SUM, /* of powers, by a loop of its own */
	[KIND_PRODUCT] = MX_POOL_FOLD_PRODUCT,
};

struct params {
	enum kind kind;
	unsigned axes; /* a bit for each */
	unsigned axis_end; /* past the last */
	int keep;
	double coeff;
	double p;
};

static int reduce_bind(void *params, const struct mx_attrs *attrs,
		       struct mx_err *err)
{
	struct params *p = params;
	int64_t axes[MX_RANK_MAX];
	int64_t kind, keep;
	size_t count, i;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "kind", KIND_SUM, 0, KIND_COUNT - 1,
				  &kind, err)) ||
	    (rc = mx_attrs_int_in(attrs, "keep", 1, 0, 1, &keep, err)) ||
	    (rc = mx_attrs_ints_in(attrs, "axes", 0, MX_RANK_MAX - 1, axes,
				   MX_RANK_MAX, &count, err)))
		return rc;
	p->kind = (enum kind)kind;
	p->keep = (int)keep;
	for (i = 0; i < count; i++) {
		p->axes |= 1u << axes[i];
		if (p->axis_end <= (unsigned)axes[i])
			p->axis_end = (unsigned)axes[i] + 1;
	}
	p->coeff = (double)mx_attrs_float(attrs, "coeff", 1.0f);
	p->p = (double)mx_attrs_float(attrs, "p", 2.0f);
	if (p->kind == KIND_LP && !(p->p > 0.0))
		return mx_fail(err, EBADMSG, "attribute p is not positive");
	return 0;
}

static int reduce_infer(const struct mx_layer *layer, const struct mx_shape *in,
			struct mx_shape *out, struct mx_err *err)
{
	const struct params *p = layer->params;
	uint32_t i;

	if (p->axis_end > in->rank)
		return mx_fail(err, EBADMSG, "axis %u of an input of rank %u",
			       p->axis_end - 1, in->rank);
	*out = (struct mx_shape){0};
	for (i = 0; i < in->rank; i++) {
		if (!(p->axes & 1u << i))
			out->dim[out->rank++] = in->dim[i];
		else if (p->keep)
			out->dim[out->rank++] = 1;
	}
	return 0;
}

static size_t reduce_tiles(const struct mx_layer *layer)
{
	return mx_groups_tiles(mx_shape_elems(layer->in_shape),
			       mx_shape_elems(layer->out_shape));
}

static uint64_t reduce_macs(const struct mx_layer *layer)
{
	return (uint64_t)mx_shape_elems(layer->in_shape);
}

/* The output's strides for the input's dimensions. */
static void spread_strides(const struct params *p, const struct mx_view *in,
			   const struct mx_view *out,
			   size_t stride[MX_RANK_MAX])
{
	uint32_t to = 0;
	uint32_t i;

	for (i = 0; i < in->shape.rank; i++) {
		const int is_member = (p->axes & 1u << i) != 0;

		stride[i] = is_member ? 0 : out->stride[to];
		if (p->keep || !is_member)
			to++;
	}
}

static void fold_powers(const struct mx_groups *groups,
			const struct mx_groups_unit *unit, double power,
			const float *x, double *acc)
{
	struct mx_groups_walk walk;
	size_t m, i;

	for (i = 0; i < unit->lanes; i++)
		acc[i] = 0.0;
	mx_groups_begin(groups, unit, &walk);
	while (mx_groups_next(groups, &walk))
		for (m = 0; m < groups->line; m++)
			for (i = 0; i < unit->lanes; i++)
				acc[i] += pow(
					fabs((double)x[walk.x +
						       m * groups->line_x + i]),
					power);
}

static double finish(const struct params *p, double acc, size_t size)
{
	switch (p->kind) {
	case KIND_MEAN:
		acc /= (double)size;
		break;
	case KIND_L2:
		acc = sqrt(acc);
		break;
	case KIND_LP:
		acc = pow(acc, 1.0 / p->p);
		break;
	default:
		break;
	}
	return acc * p->coeff;
}

static void reduce_run(const struct mx_op_args *args, struct mx_range parts)
{
	static const double centre[MX_GROUPS_LANES];
	const struct params *p = args->layer->params;
	const float *x = args->in[0].data;
	double acc[MX_GROUPS_LANES];
	size_t stride[MX_RANK_MAX];
	struct mx_groups groups;
	struct mx_range units;
	size_t i;

	spread_strides(p, &args->in[0], &args->out[0], stride);
	mx_groups_init(&groups, &args->in[0], stride, p->axes,
		       MX_GROUPS_SIDE_BY_SIDE);
	units = mx_lines_of_parts(groups.units, args->layer->tile_count, parts);
	for (; units.begin < units.end; units.begin++) {
		const struct mx_groups_unit unit =
			mx_groups_at(&groups, units.begin);
		float *y = args->out[0].data + unit.y;

		if (p->kind == KIND_LP)
			fold_powers(&groups, &unit, p->p, x, acc);
		else
			mx_groups_fold(&groups, args->simd->pool, &unit,
				       fold_of[p->kind], x, centre, acc);
		for (i = 0; i < unit.lanes; i++)
			y[i * groups.lane_y] =
				(float)finish(p, acc[i], groups.size);
	}
}

const struct mx_op mx_op_reduce = {
	.name = "Reduce",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = reduce_bind,
	.infer = reduce_infer,
	.tiles = reduce_tiles,
	.macs = reduce_macs,
	.run = reduce_run,
};
