/*
 * Division by the L1 or L2 norm along one dimension. What has no length stays
 * as it is.
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
	unsigned axis;
	enum mx_pool_fold fold;
};

static int lp_normalize_bind(void *params, const struct mx_attrs *attrs,
			     struct mx_err *err)
{
	struct params *p = params;
	int64_t axis, power;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "axis", 0, 0, MX_RANK_MAX - 1, &axis,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "p", 2, 1, 2, &power, err)))
		return rc;
	p->axis = (unsigned)axis;
	p->fold = power == 1 ? MX_POOL_FOLD_ABS : MX_POOL_FOLD_SQUARE;
	return 0;
}

static int lp_normalize_infer(const struct mx_layer *layer,
			      const struct mx_shape *in, struct mx_shape *out,
			      struct mx_err *err)
{
	const struct params *p = layer->params;

	if (p->axis >= in->rank)
		return mx_fail(err, EBADMSG, "axis %u of an input of rank %u",
			       p->axis, in->rank);
	*out = *in;
	return 0;
}

static size_t lp_normalize_tiles(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	const size_t elems = mx_shape_elems(layer->in_shape);

	return mx_groups_tiles(
		elems, elems ? elems / layer->in_shape->dim[p->axis] : 1);
}

static void lp_normalize_run(const struct mx_op_args *args,
			     struct mx_range parts)
{
	static const double zero[MX_GROUPS_LANES];
	const struct params *p = args->layer->params;
	double norm[MX_GROUPS_LANES];
	struct mx_groups groups;
	struct mx_range units;
	size_t i;

	mx_groups_init(&groups, &args->in[0], args->out[0].stride,
		       1u << p->axis, MX_GROUPS_SIDE_BY_SIDE);
	units = mx_lines_of_parts(groups.units, args->layer->tile_count, parts);
	for (; units.begin < units.end; units.begin++) {
		const struct mx_groups_unit unit =
			mx_groups_at(&groups, units.begin);

		mx_groups_fold(&groups, args->simd->pool, &unit, p->fold,
			       args->in[0].data, zero, norm);
		for (i = 0; i < unit.lanes; i++) {
			if (p->fold == MX_POOL_FOLD_SQUARE)
				norm[i] = sqrt(norm[i]);
			norm[i] = norm[i] == 0.0 ? 1.0 : 1.0 / norm[i];
		}
		mx_groups_apply(&groups, args->simd->pool, &unit,
				args->in[0].data, zero, norm,
				args->out[0].data);
	}
}

const struct mx_op mx_op_lp_normalize = {
	.name = "LpNormalize",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = lp_normalize_bind,
	.infer = lp_normalize_infer,
	.tiles = lp_normalize_tiles,
	.run = lp_normalize_run,
};
