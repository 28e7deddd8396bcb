/*
 * Softmax over some neighbouring dimensions together. Where their elements lie
 * side by side (one dimension, innermost) a group is computed in place; else
 * it is gathered into scratch.
 */
#include <errno.h>

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
	unsigned axis_end;
	int is_log;
};

static int softmax_bind(void *params, const struct mx_attrs *attrs,
			struct mx_err *err)
{
	struct params *p = params;
	int64_t axis, axis_end, is_log;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "axis", 1, 0, MX_RANK_MAX - 1, &axis,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "axis_end", axis + 1, axis + 1,
				  MX_RANK_MAX, &axis_end, err)) ||
	    (rc = mx_attrs_int_in(attrs, "log", 0, 0, 1, &is_log, err)))
		return rc;
	p->axis = (unsigned)axis;
	p->axis_end = (unsigned)axis_end;
	p->is_log = (int)is_log;
	return 0;
}

static int softmax_infer(const struct mx_layer *layer,
			 const struct mx_shape *in, struct mx_shape *out,
			 struct mx_err *err)
{
	const struct params *p = layer->params;

	if (p->axis_end > in->rank)
		return mx_fail(err, EBADMSG,
			       "axes %u to %u of an input of rank %u", p->axis,
			       p->axis_end, in->rank);
	*out = *in;
	return 0;
}

static size_t group_size(const struct mx_layer *layer)
{
	const struct params *p = layer->params;

	return mx_shape_span(layer->in_shape, p->axis, p->axis_end);
}

static size_t softmax_tiles(const struct mx_layer *layer)
{
	const size_t elems = mx_shape_elems(layer->in_shape);

	return mx_groups_tiles(elems, elems ? elems / group_size(layer) : 1);
}

static size_t softmax_scratch_bytes(const struct mx_layer *layer)
{
	return group_size(layer) * sizeof(float);
}

static void gather(const struct mx_groups *groups,
		   const struct mx_groups_unit *unit, const float *x,
		   float *scratch)
{
	struct mx_groups_walk walk;
	size_t i;

	mx_groups_begin(groups, unit, &walk);
	while (mx_groups_next(groups, &walk))
		for (i = 0; i < groups->line; i++)
			*scratch++ = x[walk.x + i * groups->line_x];
}

static void scatter(const struct mx_groups *groups,
		    const struct mx_groups_unit *unit, const float *scratch,
		    float *y)
{
	struct mx_groups_walk walk;
	size_t i;

	mx_groups_begin(groups, unit, &walk);
	while (mx_groups_next(groups, &walk))
		for (i = 0; i < groups->line; i++)
			y[walk.y + i * groups->line_y] = *scratch++;
}

/* Dense groups lie one behind the other and are short. */
static int are_short_rows(const struct mx_groups *groups)
{
	const struct mx_groups_dims *kept = &groups->kept;

	return groups->line <= MX_POOL_SHORT_LINE && kept->rank == 1 &&
	       kept->x[0] == groups->line && kept->y[0] == groups->line;
}

static void softmax_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const struct mx_simd_pool *pool = args->simd->pool;
	const float *x = args->in[0].data;
	float *y = args->out[0].data;
	float *scratch = args->scratch;
	void (*compute)(const float *from, size_t n, float *to);
	struct mx_groups groups;
	struct mx_range units;
	int is_dense;

	compute = p->is_log ? pool->log_softmax : pool->softmax;
	mx_groups_init(&groups, &args->in[0], args->out[0].stride,
		       (1u << p->axis_end) - (1u << p->axis),
		       MX_GROUPS_ONE_BY_ONE);
	if (groups.size == 0)
		return;
	is_dense = groups.lines == 1 && groups.line_x == 1 &&
		   (groups.line_y == 1 || groups.line == 1);
	units = mx_lines_of_parts(groups.units, args->layer->tile_count, parts);
	if (is_dense && !p->is_log && are_short_rows(&groups)) {
		pool->softmax_short(x + units.begin * groups.line, groups.line,
				    units.end - units.begin,
				    y + units.begin * groups.line);
		return;
	}
	for (; units.begin < units.end; units.begin++) {
		const struct mx_groups_unit unit =
			mx_groups_at(&groups, units.begin);

		if (is_dense) {
			compute(x + unit.x, groups.line, y + unit.y);
			continue;
		}
		gather(&groups, &unit, x, scratch);
		compute(scratch, groups.size, scratch);
		scatter(&groups, &unit, scratch, y);
	}
}

const struct mx_op mx_op_softmax = {
	.name = "Softmax",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = softmax_bind,
	.infer = softmax_infer,
	.tiles = softmax_tiles,
	.scratch_bytes = softmax_scratch_bytes,
	.run = softmax_run,
};
