/* Operators that change shapes and move elements about. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* Output 0 is input 0 under @shape. */
static int reshaped(struct mx_onnx *onnx, struct mx_onnx_node *node,
		    const struct mx_shape *shape)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_const moved;
	uint32_t in, out;
	int rc;

	if (x->kind == MX_ONNX_CONST) {
		rc = mx_onnx_const_reshape(onnx, &x->constant, shape, x->type,
					   &moved);
		if (rc != -ENOSYS)
			return rc ? rc
				  : mx_onnx_result_const(onnx, node, 0, &moved,
							 x->type);
	}
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_emit_reshape(onnx, node, NULL, in, shape, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}

/* --- Reshape, Flatten, Squeeze, Unsqueeze ----------------------------- */

/* @list as a shape of @x's elements: 0 copies (unless @allow_zero), -1 is what
 * is left. 0, or -EINVAL if they do not fit. */
static int resolve_shape(const struct mx_shape *x, const int64_t *list,
			 size_t count, int allow_zero, struct mx_shape *out)
{
	size_t elems = mx_shape_elems(x), product = 1, i, open = count;

	memset(out, 0, sizeof(*out));
	out->rank = (uint32_t)count;
	for (i = 0; i < count; i++) {
		if (list[i] == -1 && open == count) {
			open = i;
			continue;
		}
		if (list[i] < 0 ||
		    (list[i] == 0 && !allow_zero && i >= x->rank))
			return -EINVAL;
		out->dim[i] = list[i] == 0 && !allow_zero ? x->dim[i]
							  : (size_t)list[i];
		if (mx_size_mul(product, out->dim[i], &product))
			return -EINVAL;
	}
	if (open < count) {
		if (product == 0 || elems % product)
			return -EINVAL;
		out->dim[open] = elems / product;
		product *= out->dim[open];
	}
	return product == elems ? 0 : -EINVAL;
}

static int reshape_to(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	int allow_zero = mx_onnx_int(node, "allowzero", 0) != 0;
	int64_t list[MX_ONNX_LIST_MAX], first;
	struct mx_shape shape;
	size_t count;
	int rc;

	rc = mx_onnx_list(onnx, node, "shape", 1, list, &count);
	if (rc)
		return rc;
	if (count > MX_RANK_MAX)
		return mx_onnx_refuse(onnx, node, "rank %zu", count);
	first = count ? list[0] : 0;
	/* A batch that the model fixed and the import made another. */
	if (onnx->batch_from && count > 1 && x->kind == MX_ONNX_ACTIVATION &&
	    first == (int64_t)onnx->batch_from) {
		list[0] = (int64_t)onnx->batch_to;
		if (!resolve_shape(&x->shape, list, count, allow_zero, &shape))
			return reshaped(onnx, node, &shape);
		list[0] = first;
	}
	if (!resolve_shape(&x->shape, list, count, allow_zero, &shape))
		return reshaped(onnx, node, &shape);
	if (onnx->batch_from)
		return mx_onnx_refuse(onnx, node,
				      "a batch of %zu in the shape (use "
				      "--keep-batch)",
				      onnx->batch_from);
	return mx_onnx_bad(onnx, node, "its shape does not fit %zu elements",
			   mx_shape_elems(&x->shape));
}

static int flatten(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	int64_t axis = mx_onnx_int(node, "axis", 1);
	struct mx_shape shape = {.rank = 2};
	uint32_t at;
	int rc;

	/* Axis `rank` is allowed: everything is before it. */
	if (axis == (int64_t)x->rank) {
		at = x->rank;
	} else {
		rc = mx_onnx_axis(onnx, node, axis, x->rank, &at);
		if (rc)
			return rc;
	}
	shape.dim[0] = mx_shape_span(x, 0, at);
	shape.dim[1] = mx_shape_span(x, at, x->rank);
	return reshaped(onnx, node, &shape);
}

static int squeeze(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	unsigned char gone[MX_RANK_MAX] = {0};
	int64_t axes[MX_ONNX_LIST_MAX];
	struct mx_shape shape = {0};
	size_t count, i;
	uint32_t axis, d;
	int rc;

	rc = mx_onnx_list(onnx, node, "axes", 1, axes, &count);
	for (i = 0; i < count && !rc; i++) {
		rc = mx_onnx_axis(onnx, node, axes[i], x->rank, &axis);
		if (!rc && x->dim[axis] != 1)
			return mx_onnx_bad(onnx, node,
					   "dimension %u is %zu, not 1", axis,
					   x->dim[axis]);
		if (!rc)
			gone[axis] = 1;
	}
	if (rc)
		return rc;
	for (d = 0; d < x->rank; d++)
		if (count ? !gone[d] : x->dim[d] != 1)
			shape.dim[shape.rank++] = x->dim[d];
	return reshaped(onnx, node, &shape);
}

static int unsqueeze(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	unsigned char made[MX_ONNX_LIST_MAX] = {0};
	int64_t axes[MX_ONNX_LIST_MAX];
	struct mx_shape shape = {0};
	size_t count, i;
	uint32_t axis, d, from = 0;
	int rc;

	rc = mx_onnx_list(onnx, node, "axes", 1, axes, &count);
	if (rc)
		return rc;
	shape.rank = x->rank + (uint32_t)count;
	if (shape.rank > MX_RANK_MAX)
		return mx_onnx_refuse(onnx, node, "rank %u", shape.rank);
	for (i = 0; i < count; i++) {
		rc = mx_onnx_axis(onnx, node, axes[i], shape.rank, &axis);
		if (rc)
			return rc;
		if (made[axis])
			return mx_onnx_bad(onnx, node, "axis %u comes twice",
					   axis);
		made[axis] = 1;
	}
	for (d = 0; d < shape.rank; d++)
		shape.dim[d] = made[d] ? 1 : x->dim[from++];
	return reshaped(onnx, node, &shape);
}

int mx_onnx_reshape(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	if (strcmp(node->op, "Reshape") == 0)
		return reshape_to(onnx, node);
	if (strcmp(node->op, "Flatten") == 0)
		return flatten(onnx, node);
	if (strcmp(node->op, "Squeeze") == 0)
		return squeeze(onnx, node);
	return unsqueeze(onnx, node);
}

/* --- Transpose, DepthToSpace, SpaceToDepth ---------------------------- */

int mx_onnx_transpose(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	const uint32_t rank = x->shape.rank;
	int64_t list[MX_ONNX_LIST_MAX];
	uint32_t perm[MX_RANK_MAX], seen = 0, in, out, d;
	struct mx_const moved;
	size_t count;
	int rc;

	rc = mx_onnx_ints(onnx, node, "perm", list, &count);
	if (rc)
		return rc;
	if (count && count != rank)
		return mx_onnx_bad(onnx, node, "perm has %zu values", count);
	for (d = 0; d < rank; d++) {
		int64_t from = count ? list[d] : (int64_t)(rank - 1 - d);

		if (from < 0 || from >= (int64_t)rank || seen >> from & 1)
			return mx_onnx_bad(onnx, node,
					   "perm is no permutation");
		seen |= 1u << from;
		perm[d] = (uint32_t)from;
	}
	if (x->kind == MX_ONNX_CONST) {
		mx_const_permute(&x->constant, perm, &moved);
		return mx_onnx_result_const(onnx, node, 0, &moved, x->type);
	}
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_emit_transpose(onnx, node, NULL, in, perm, rank,
					    &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}

int mx_onnx_depth_space(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	static const uint32_t dcr[] = {0, 3, 4, 1, 5, 2};
	static const uint32_t crd[] = {0, 1, 4, 2, 5, 3};
	static const uint32_t to_depth[] = {0, 3, 5, 1, 2, 4};
	const struct mx_shape x = mx_onnx_in(node, 0)->shape;
	const int is_depth_to_space = strcmp(node->op, "DepthToSpace") == 0;
	const char *mode = mx_onnx_string(node, "mode", "DCR");
	int64_t block = mx_onnx_int(node, "blocksize", 0);
	const uint32_t *perm = to_depth;
	struct mx_shape split, joined;
	uint32_t in, out;
	size_t b;
	int rc;

	if (x.rank != 4 || block < 1 || block > UINT16_MAX)
		return mx_onnx_bad(onnx, node, "rank %u, blocksize %lld",
				   x.rank, (long long)block);
	b = (size_t)block;
	if (is_depth_to_space ? x.dim[1] % (b * b)
			      : x.dim[2] % b || x.dim[3] % b)
		return mx_onnx_bad(onnx, node,
				   "its input is no multiple of blocksize %zu",
				   b);
	if (is_depth_to_space) {
		const size_t c = x.dim[1] / (b * b);
		const int is_crd = strcmp(mode, "CRD") == 0;

		if (!is_crd && strcmp(mode, "DCR") != 0)
			return mx_onnx_refuse(onnx, node, "mode=%.40s", mode);
		perm = is_crd ? crd : dcr;
		split = mx_shape_of(6,
				    (const size_t[]){x.dim[0], is_crd ? c : b,
						     b, is_crd ? b : c,
						     x.dim[2], x.dim[3]});
		joined = mx_shape_of(4,
				     (const size_t[]){x.dim[0], c, x.dim[2] * b,
						      x.dim[3] * b});
	} else {
		split = mx_shape_of(6, (const size_t[]){x.dim[0], x.dim[1],
							x.dim[2] / b, b,
							x.dim[3] / b, b});
		joined = mx_shape_of(
			4, (const size_t[]){x.dim[0], x.dim[1] * b * b,
					    x.dim[2] / b, x.dim[3] / b});
	}
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_emit_reshape(onnx, node, "split", in, &split,
					  &out);
	if (!rc)
		rc = mx_onnx_emit_transpose(onnx, node, "transpose", out, perm,
					    6, &out);
	if (!rc)
		rc = mx_onnx_emit_reshape(onnx, node, NULL, out, &joined, &out);
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 0)->type);
}

/* --- Concat ----------------------------------------------------------- */

int mx_onnx_concat(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *first = mx_onnx_in(node, 0);
	struct mx_attrs attrs = {0};
	uint32_t *in, axis, out, count = 0;
	size_t k;
	int rc;

	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", 1),
			  first->shape.rank, &axis);
	if (rc)
		return rc;
	in = calloc(node->in_count, sizeof(*in));
	if (!in)
		return -ENOMEM;
	for (k = 0; k < node->in_count && !rc; k++) {
		const struct mx_onnx_value *value = mx_onnx_in(node, k);

		/* Nothing along the axis adds nothing. */
		if (value && value->shape.rank == first->shape.rank &&
		    value->shape.dim[axis] == 0)
			continue;
		rc = mx_onnx_use(onnx, node, k, &in[count++]);
	}
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "axis", axis);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Concat", in, count, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	free(in);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, first->type);
}

/* --- Gather ----------------------------------------------------------- */

static int read_indices(struct mx_onnx *onnx, struct mx_onnx_node *node,
			size_t dim, struct mx_const *out)
{
	const struct mx_onnx_value *index = mx_onnx_in(node, 1);
	size_t count = mx_shape_elems(&index->shape), i;
	struct mx_shape flat = {1, {count}};
	int64_t *values;
	int rc;

	rc = mx_onnx_const_load_ints(&index->constant, &values);
	if (rc)
		return rc;
	for (i = 0; i < count; i++) {
		if (values[i] < 0)
			values[i] += (int64_t)dim;
		if (values[i] < 0 || values[i] >= (int64_t)dim) {
			free(values);
			return mx_onnx_bad(onnx, node,
					   "index %zu is outside of the %zu "
					   "entries",
					   i, dim);
		}
	}
	rc = mx_onnx_const_make(onnx, &flat, NULL, values, out);
	free(values);
	return rc;
}

int mx_onnx_gather(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	const struct mx_onnx_value *index = mx_onnx_in(node, 1);
	const struct mx_const *constant;
	struct mx_const rows;
	struct mx_node *made;
	uint32_t axis, in, out;
	int rc;

	rc = mx_onnx_const(onnx, node, 1, &constant);
	if (!rc)
		rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", 0),
				  x->shape.rank, &axis);
	if (rc)
		return rc;
	if (mx_shape_elems(&index->shape) == 0)
		return mx_onnx_refuse(onnx, node, "an empty result");
	rc = read_indices(onnx, node, x->shape.dim[axis], &rows);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_begin(onnx, node, NULL, "Gather", &in, 1, &made);
	if (rc)
		return rc == -ENOSYS
			       ? mx_onnx_refuse(onnx, node, "very many indices")
			       : rc;
	made->weights.integers = 1;
	rc = mx_attrs_set_int(&made->layer.attrs, "axis", axis);
	if (!rc)
		rc = mx_onnx_set_sizes(&made->layer.attrs, "index_shape",
				       index->shape.dim, index->shape.rank);
	if (!rc)
		rc = mx_node_set_rows(made, &rows);
	if (!rc)
		rc = mx_onnx_end(onnx, node, NULL, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}

/* --- Shape, Size ------------------------------------------------------ */

int mx_onnx_shape_of(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	int64_t rank = x->rank, start, end, values[MX_RANK_MAX];
	struct mx_shape shape = {.rank = 0};
	struct mx_const out;
	int64_t d;
	int rc;

	if (strcmp(node->op, "Size") == 0) {
		values[0] = (int64_t)mx_shape_elems(x);
	} else {
		start = mx_onnx_int(node, "start", 0);
		end = mx_onnx_int(node, "end", rank);
		start = start < -rank ? 0 : start < 0 ? start + rank : start;
		end = end < -rank ? 0 : end < 0 ? end + rank : end;
		shape.rank = 1;
		for (d = start; d < end && d < rank; d++)
			values[shape.dim[0]++] = (int64_t)x->dim[d];
	}
	rc = mx_onnx_const_make(onnx, &shape, NULL, values, &out);
	return rc ? rc
		  : mx_onnx_result_const(onnx, node, 0, &out, MX_DTYPE_I64);
}
