/* Operators that take parts of a tensor or repeat it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* out[i] = x[start + i * step], i < size, along each axis. */
struct cut {
	uint32_t rank;
	int64_t start[MX_RANK_MAX];
	int64_t step[MX_RANK_MAX];
	int64_t size[MX_RANK_MAX];
};

static void cut_whole(const struct mx_shape *x, struct cut *cut)
{
	uint32_t d;

	cut->rank = x->rank;
	for (d = 0; d < x->rank; d++) {
		cut->start[d] = 0;
		cut->step[d] = 1;
		cut->size[d] = (int64_t)x->dim[d];
	}
}

static int is_whole(const struct cut *cut, const struct mx_shape *x)
{
	uint32_t d;

	for (d = 0; d < x->rank; d++)
		if (cut->start[d] || cut->step[d] != 1 ||
		    cut->size[d] != (int64_t)x->dim[d])
			return 0;
	return 1;
}

/* Cut a constant: without moving it, unless it runs backwards. */
static int cut_constant(struct mx_onnx *onnx, const struct mx_onnx_value *x,
			const struct cut *cut, struct mx_const *out)
{
	struct mx_onnx_pick pick = {.in = &x->constant, .type = x->type};
	int rc = 0, backwards = 0;
	int64_t i;
	uint32_t d;

	*out = x->constant;
	for (d = 0; d < cut->rank; d++) {
		out->shape.dim[d] = (size_t)cut->size[d];
		if (cut->size[d] == 0)
			continue;
		backwards |= cut->step[d] < 0;
		out->offset += (size_t)cut->start[d] * out->stride[d];
		out->stride[d] *= (size_t)cut->step[d];
	}
	if (!backwards)
		return 0;
	pick.shape = out->shape;
	for (d = 0; d < cut->rank && !rc; d++) {
		if ((size_t)cut->size[d] > MX_ONNX_EVAL_ELEMS_MAX) {
			rc = -ENOSYS;
			break;
		}
		pick.table[d] = calloc((size_t)cut->size[d] + 1,
				       sizeof(*pick.table[d]));
		if (!pick.table[d])
			rc = -ENOMEM;
		for (i = 0; !rc && i < cut->size[d]; i++)
			pick.table[d][i] = cut->start[d] + i * cut->step[d];
	}
	if (!rc)
		rc = mx_onnx_const_pick(onnx, &pick, out);
	for (d = 0; d < cut->rank; d++)
		free(pick.table[d]);
	return rc;
}

static int emit_cut(struct mx_onnx *onnx, const char *name,
		    const char *out_name, uint32_t in, const struct cut *cut,
		    uint32_t *out)
{
	struct mx_attrs attrs = {0};
	int rc;

	rc = mx_attrs_set_ints(&attrs, "start", cut->start, cut->rank);
	if (!rc)
		rc = mx_attrs_set_ints(&attrs, "step", cut->step, cut->rank);
	if (!rc)
		rc = mx_attrs_set_ints(&attrs, "size", cut->size, cut->rank);
	if (!rc)
		rc = mx_graph_simple(onnx->graph, "Slice", name, &in, 1, &attrs,
				     out_name, out, onnx->err);
	mx_attrs_fini(&attrs);
	return rc;
}

/* Output @k is a part of input 0. */
static int cut_to(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		  const struct cut *cut)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_const part;
	uint32_t in, out, d;
	char *name;
	int rc;

	if (x->kind == MX_ONNX_CONST) {
		rc = cut_constant(onnx, x, cut, &part);
		if (rc != -ENOSYS)
			return rc ? rc
				  : mx_onnx_result_const(onnx, node, k, &part,
							 x->type);
	}
	for (d = 0; d < cut->rank; d++)
		if (cut->size[d] == 0)
			return mx_onnx_refuse(onnx, node, "an empty result");
	if (is_whole(cut, &x->shape) && node->out_count == 1)
		return mx_onnx_identity(onnx, node);
	if (!mx_onnx_wants(node, k))
		return 0;
	if (node->out_count == 1) {
		name = strdup(node->name);
	} else if (asprintf(&name, "%s/%zu", node->name, k) < 0) {
		name = NULL;
	}
	if (!name)
		return -ENOMEM;
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = emit_cut(onnx, name, node->proto->output[k], in, cut,
			      &out);
	free(name);
	return rc ? rc : mx_onnx_result(onnx, node, k, out, x->type);
}

/* --- Slice ------------------------------------------------------------ */

static void cut_axis(struct cut *cut, uint32_t axis, int64_t dim, int64_t start,
		     int64_t end, int64_t step)
{
	const int64_t low = step > 0 ? 0 : -1;
	const int64_t high = step > 0 ? dim : dim - 1;
	int64_t span, stride = step > 0 ? step : -step;

	start += start < 0 ? dim : 0;
	end += end < 0 ? dim : 0;
	if (start < 0)
		start = 0;
	if (start > high)
		start = high;
	end = end < low ? low : end > high ? high : end;
	span = step > 0 ? end - start : start - end;
	cut->start[axis] = start < 0 ? 0 : start;
	cut->step[axis] = step;
	cut->size[axis] = span <= 0 ? 0 : (span - 1) / stride + 1;
}

int mx_onnx_slice(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	int64_t start[MX_ONNX_LIST_MAX], end[MX_ONNX_LIST_MAX];
	int64_t axes[MX_ONNX_LIST_MAX], steps[MX_ONNX_LIST_MAX];
	size_t count, end_count, axis_count, step_count, i;
	struct cut cut;
	uint32_t axis;
	int rc;

	rc = mx_onnx_list(onnx, node, "starts", 1, start, &count);
	if (!rc)
		rc = mx_onnx_list(onnx, node, "ends", 2, end, &end_count);
	if (!rc)
		rc = mx_onnx_list(onnx, node, "axes", 3, axes, &axis_count);
	if (!rc)
		rc = mx_onnx_in_ints(onnx, node, 4, steps, &step_count);
	if (rc)
		return rc;
	if (end_count != count || (axis_count && axis_count != count) ||
	    (step_count && step_count != count) || count > x->rank)
		return mx_onnx_bad(onnx, node,
				   "%zu starts, %zu ends, %zu axes, %zu steps",
				   count, end_count, axis_count, step_count);
	cut_whole(x, &cut);
	for (i = 0; i < count; i++) {
		int64_t step = step_count ? steps[i] : 1;

		rc = mx_onnx_axis(onnx, node, axis_count ? axes[i] : (int64_t)i,
				  x->rank, &axis);
		if (rc)
			return rc;
		if (step == 0 || step == INT64_MIN)
			return mx_onnx_bad(onnx, node, "a step is %lld",
					   (long long)step);
		cut_axis(&cut, axis, (int64_t)x->dim[axis], start[i], end[i],
			 step);
	}
	return cut_to(onnx, node, 0, &cut);
}

/* --- Split ------------------------------------------------------------ */

int mx_onnx_split(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, "split");
	const struct mx_const *given = NULL;
	struct cut cut;
	int64_t dim, part, size, at = 0;
	size_t count = 0, k, parts;
	uint32_t axis;
	int rc;

	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", 0),
			  x->shape.rank, &axis);
	if (!rc && !attr && mx_onnx_in(node, 1))
		rc = mx_onnx_const(onnx, node, 1, &given);
	if (rc)
		return rc;
	if (attr)
		count = attr->proto->n_ints;
	else if (given)
		count = mx_shape_elems(&given->shape);
	dim = (int64_t)x->shape.dim[axis];
	parts = count ? count
		      : (size_t)mx_onnx_int(node, "num_outputs",
					    (int64_t)node->out_count);
	if (parts != node->out_count || !parts)
		return mx_onnx_bad(onnx, node, "%zu parts for %zu outputs",
				   parts, node->out_count);
	/* The last part may be smaller. */
	part = (dim + (int64_t)parts - 1) / (int64_t)parts;
	cut_whole(&x->shape, &cut);
	for (k = 0; k < node->out_count; k++) {
		size = part < dim - at ? part : dim - at;
		if (attr)
			size = attr->proto->ints[k];
		else if (count)
			mx_const_read_i64(given, k, 1, &size);
		if (size < 0 || size > dim - at)
			return mx_onnx_bad(onnx, node,
					   "part %zu is outside of the "
					   "dimension",
					   k);
		cut.start[axis] = at;
		cut.size[axis] = size;
		rc = cut_to(onnx, node, k, &cut);
		if (rc)
			return rc;
		at += size;
	}
	if (at != dim)
		return mx_onnx_bad(onnx, node, "its parts are not the whole");
	return 0;
}

/* --- Expand, Tile ----------------------------------------------------- */

/* x, its rank raised to that of @shape, repeated to @shape. */
static int repeat_to(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const struct mx_shape *shape)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_shape raised = {.rank = shape->rank};
	struct mx_attrs attrs = {0};
	uint32_t in, out, lead = shape->rank - x->shape.rank, d;
	size_t count;
	int rc;

	for (d = 0; d < shape->rank; d++)
		raised.dim[d] = d < lead ? 1 : x->shape.dim[d - lead];
	if (mx_shape_count(shape, &count))
		return mx_onnx_bad(onnx, node, "its result is too large");
	if (count == 0)
		return mx_onnx_refuse(onnx, node, "an empty result");
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc && lead)
		rc = mx_onnx_emit_reshape(onnx, node, "raise", in, &raised,
					  &in);
	if (!rc)
		rc = mx_onnx_set_sizes(&attrs, "shape", shape->dim,
				       shape->rank);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Tile", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}

int mx_onnx_expand(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	int64_t list[MX_ONNX_LIST_MAX];
	struct mx_shape wanted = {0}, shape;
	struct mx_const expanded;
	size_t count, i;
	int rc;

	rc = mx_onnx_in_ints(onnx, node, 1, list, &count);
	if (rc)
		return rc;
	if (count > MX_RANK_MAX)
		return mx_onnx_refuse(onnx, node, "rank %zu", count);
	wanted.rank = (uint32_t)count;
	for (i = 0; i < count; i++) {
		if (list[i] < 0)
			return mx_onnx_bad(onnx, node,
					   "dimension %zu is negative", i);
		wanted.dim[i] = (size_t)list[i];
	}
	if (mx_shape_broadcast(&x->shape, &wanted, &shape) ||
	    mx_shape_count(&shape, &count))
		return mx_onnx_bad(onnx, node, "its shape does not fit");
	if (x->kind == MX_ONNX_CONST) {
		mx_onnx_const_expand(&x->constant, &shape, &expanded);
		return mx_onnx_result_const(onnx, node, 0, &expanded, x->type);
	}
	if (mx_shape_equal(&shape, &x->shape))
		return mx_onnx_identity(onnx, node);
	return repeat_to(onnx, node, &shape);
}

/* table[d][i] for Tile and Pad on constants. */
static int pick_axes(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     struct mx_onnx_pick *pick, const int64_t *begin,
		     const char *mode)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_const out;
	size_t count, i;
	uint32_t d;
	int rc = 0;

	pick->in = &x->constant;
	pick->type = x->type;
	pick->shape.rank = x->shape.rank;
	if (mx_shape_count(&pick->shape, &count) ||
	    count > MX_ONNX_EVAL_ELEMS_MAX)
		return -ENOSYS;
	for (d = 0; d < x->shape.rank && count && !rc; d++) {
		const int64_t dim = (int64_t)x->shape.dim[d];

		pick->table[d] =
			calloc(pick->shape.dim[d] + 1, sizeof(*pick->table[d]));
		if (!pick->table[d])
			rc = -ENOMEM;
		for (i = 0; !rc && i < pick->shape.dim[d]; i++) {
			int64_t at = (int64_t)i - begin[d];

			if (strcmp(mode, "wrap") == 0 && dim)
				at = (at % dim + dim) % dim;
			else if (strcmp(mode, "edge") == 0)
				at = at < 0 ? 0 : at >= dim ? dim - 1 : at;
			else if (at < 0 || at >= dim)
				at = -1;
			pick->table[d][i] = at;
		}
	}
	if (!rc)
		rc = mx_onnx_const_pick(onnx, pick, &out);
	for (d = 0; d < x->shape.rank; d++)
		free(pick->table[d]);
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, x->type);
}

int mx_onnx_tile(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	static const int64_t none[MX_RANK_MAX] = {0};
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_onnx_pick pick = {0};
	int64_t list[MX_ONNX_LIST_MAX];
	struct mx_shape shape = x->shape;
	size_t count, i;
	int rc;

	if (onnx->opset < 6)
		return mx_onnx_refuse(onnx, node, "operator set %lld",
				      (long long)onnx->opset);
	rc = mx_onnx_in_ints(onnx, node, 1, list, &count);
	if (rc)
		return rc;
	if (count != x->shape.rank)
		return mx_onnx_bad(onnx, node, "%zu repeats for rank %u", count,
				   x->shape.rank);
	for (i = 0; i < count; i++)
		if (list[i] < 0 ||
		    mx_size_mul(shape.dim[i], (size_t)list[i], &shape.dim[i]))
			return mx_onnx_bad(onnx, node, "repeats %lld times",
					   (long long)list[i]);
	if (x->kind == MX_ONNX_CONST) {
		pick.shape = shape;
		rc = pick_axes(onnx, node, &pick, none, "wrap");
		if (rc != -ENOSYS)
			return rc;
	}
	if (mx_shape_equal(&shape, &x->shape))
		return mx_onnx_identity(onnx, node);
	return repeat_to(onnx, node, &shape);
}

/* --- Pad -------------------------------------------------------------- */

struct pads {
	const char *mode;
	float value;
	int64_t begin[MX_RANK_MAX];
	int64_t end[MX_RANK_MAX];
};

static int pads_init(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     struct pads *pads)
{
	const uint32_t rank = mx_onnx_in(node, 0)->shape.rank;
	int64_t list[MX_ONNX_LIST_MAX], axes[MX_ONNX_LIST_MAX];
	const struct mx_const *value;
	size_t count, axis_count, i;
	uint32_t axis;
	int rc;

	pads->mode = mx_onnx_string(node, "mode", "constant");
	pads->value = mx_onnx_float(node, "value", 0);
	rc = mx_onnx_list(onnx, node,
			  mx_onnx_attr(node, "paddings") ? "paddings" : "pads",
			  1, list, &count);
	if (!rc)
		rc = mx_onnx_in_ints(onnx, node, 3, axes, &axis_count);
	if (!rc && mx_onnx_in(node, 2)) {
		rc = mx_onnx_const(onnx, node, 2, &value);
		if (!rc && mx_shape_elems(&value->shape))
			mx_const_read_f32(value, 0, 1, &pads->value);
	}
	if (rc)
		return rc;
	if (!mx_onnx_in(node, 3))
		axis_count = rank;
	if (count != 2 * axis_count)
		return mx_onnx_bad(onnx, node, "%zu pads for %zu axes", count,
				   axis_count);
	for (i = 0; i < axis_count; i++) {
		rc = mx_onnx_axis(onnx, node,
				  mx_onnx_in(node, 3) ? axes[i] : (int64_t)i,
				  rank, &axis);
		if (rc)
			return rc;
		pads->begin[axis] = list[i];
		pads->end[axis] = list[axis_count + i];
	}
	return 0;
}

/* The result's shape; every pad is then of a size that cannot overflow. */
static int padded_shape(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const struct pads *pads, struct mx_shape *shape)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	size_t count;
	uint32_t d;

	*shape = *x;
	for (d = 0; d < x->rank; d++) {
		const int64_t max = (int64_t)MX_ELEMS_MAX;
		int64_t size;

		if (pads->begin[d] > max || pads->begin[d] < -max ||
		    pads->end[d] > max || pads->end[d] < -max)
			return mx_onnx_bad(onnx, node, "a pad is too large");
		size = (int64_t)x->dim[d] + pads->begin[d] + pads->end[d];
		if (size < 0)
			return mx_onnx_bad(onnx, node,
					   "dimension %u becomes %lld", d,
					   (long long)size);
		shape->dim[d] = (size_t)size;
	}
	if (mx_shape_count(shape, &count))
		return mx_onnx_bad(onnx, node, "its result is too large");
	return 0;
}

static int emit_part(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		     const char *suffix, uint32_t in, const struct cut *cut,
		     uint32_t *out)
{
	char *name;
	int rc;

	if (asprintf(&name, "%s/%s", node->name, suffix) < 0)
		return -ENOMEM;
	rc = emit_cut(onnx, name, name, in, cut, out);
	free(name);
	return rc;
}

/* wrap: the end of the axis before it, its begin behind it. */
static int wrap_axis(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const struct pads *pads, uint32_t axis, uint32_t *value)
{
	const struct mx_shape x = *mx_onnx_graph_shape(onnx, *value);
	const int64_t dim = (int64_t)x.dim[axis];
	struct mx_attrs attrs = {0};
	uint32_t parts[3], count = 0;
	struct cut cut;
	int rc = 0;

	if (!pads->begin[axis] && !pads->end[axis])
		return 0;
	if (pads->begin[axis] < 0 || pads->begin[axis] > dim ||
	    pads->end[axis] < 0 || pads->end[axis] > dim)
		return mx_onnx_refuse(
			onnx, node, "mode=wrap by %lld and %lld of %lld",
			(long long)pads->begin[axis],
			(long long)pads->end[axis], (long long)dim);
	cut_whole(&x, &cut);
	if (pads->begin[axis]) {
		cut.start[axis] = dim - pads->begin[axis];
		cut.size[axis] = pads->begin[axis];
		rc = emit_part(onnx, node, "before", *value, &cut,
			       &parts[count++]);
	}
	parts[count++] = *value;
	if (!rc && pads->end[axis]) {
		cut.start[axis] = 0;
		cut.size[axis] = pads->end[axis];
		rc = emit_part(onnx, node, "behind", *value, &cut,
			       &parts[count++]);
	}
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "axis", axis);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Concat", parts, count,
				  &attrs, value);
	mx_attrs_fini(&attrs);
	return rc;
}

static int emit_pad(struct mx_onnx *onnx, struct mx_onnx_node *node,
		    const struct pads *pads, int64_t mode, uint32_t in,
		    uint32_t *out)
{
	const uint32_t rank = mx_onnx_in(node, 0)->shape.rank;
	struct mx_attrs attrs = {0};
	int rc;

	rc = mx_attrs_set_ints(&attrs, "begin", pads->begin, rank);
	if (!rc)
		rc = mx_attrs_set_ints(&attrs, "end", pads->end, rank);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "mode", mode);
	if (!rc)
		rc = mx_attrs_set_float(&attrs, "value", pads->value);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Pad", &in, 1, &attrs, out);
	mx_attrs_fini(&attrs);
	return rc;
}

int mx_onnx_pad(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	/* In the order of the device's numbers. */
	static const char *const modes[] = {"constant", "reflect", "edge",
					    "wrap"};
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_onnx_pick pick = {0};
	struct pads pads = {.value = 0};
	uint32_t in, out, d;
	int64_t mode = 0;
	int rc;

	rc = pads_init(onnx, node, &pads);
	if (!rc)
		rc = padded_shape(onnx, node, &pads, &pick.shape);
	if (rc)
		return rc;
	while (mode < 4 && strcmp(modes[mode], pads.mode) != 0)
		mode++;
	if (mode == 4)
		return mx_onnx_refuse(onnx, node, "mode=%.40s", pads.mode);
	if (x->kind == MX_ONNX_CONST && mode != 1) {
		pick.fill = (double)pads.value;
		rc = pick_axes(onnx, node, &pick, pads.begin, pads.mode);
		if (rc != -ENOSYS)
			return rc;
	}
	if (mx_shape_elems(&pick.shape) == 0)
		return mx_onnx_refuse(onnx, node, "an empty result");
	rc = mx_onnx_use(onnx, node, 0, &in);
	out = in;
	if (mode < 3 && !rc)
		rc = emit_pad(onnx, node, &pads, mode, in, &out);
	for (d = 0; mode == 3 && d < x->shape.rank && !rc; d++)
		rc = wrap_axis(onnx, node, &pads, d, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}
