/* Operators that move or reduce constants, computed at import. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"
#include "loader/import/onnx_reduce.h"

/* Copy @in's elements to where it stands in the concatenation. */
static int concat_copy(const struct mx_const *in, uint32_t axis, size_t before,
		       const struct mx_shape *shape, double *floats,
		       int64_t *ints)
{
	const size_t row = mx_shape_span(&in->shape, axis, in->shape.rank);
	const size_t to_row = mx_shape_span(shape, axis, shape->rank);
	const size_t skip =
		before * mx_shape_span(shape, axis + 1, shape->rank);
	const size_t rows = mx_shape_span(&in->shape, 0, axis);
	size_t r;

	for (r = 0; r < rows; r++) {
		if (ints)
			mx_const_read_i64(in, r * row, row,
					  ints + r * to_row + skip);
		else
			mx_const_read_f64(in, r * row, row,
					  floats + r * to_row + skip);
	}
	return 0;
}

int mx_onnx_eval_concat(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *first = mx_onnx_in(node, 0);
	const int integer = mx_onnx_is_integer(first->type);
	struct mx_shape shape = first->shape;
	struct mx_const out;
	double *floats = NULL;
	int64_t *ints = NULL;
	size_t count, before = 0, k;
	uint32_t axis;
	int rc;

	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", 1), shape.rank,
			  &axis);
	if (rc)
		return rc;
	for (k = 0; k < node->in_count; k++) {
		struct mx_shape other;

		if (!mx_onnx_in(node, k))
			return mx_onnx_bad(onnx, node, "input %zu is missing",
					   k);
		other = mx_onnx_in(node, k)->shape;
		if (other.rank != shape.rank)
			return mx_onnx_bad(onnx, node,
					   "input %zu has another rank", k);
		before += other.dim[axis];
		other.dim[axis] = shape.dim[axis];
		if (!mx_shape_equal(&other, &shape))
			return mx_onnx_bad(onnx, node,
					   "input %zu has other dimensions", k);
	}
	shape.dim[axis] = before;
	if (mx_shape_count(&shape, &count) || count > MX_ONNX_EVAL_ELEMS_MAX)
		return -ENOSYS;
	if (integer)
		ints = malloc((count + 1) * sizeof(*ints));
	else
		floats = malloc((count + 1) * sizeof(*floats));
	if (!ints && !floats)
		return -ENOMEM;
	before = 0;
	for (k = 0; k < node->in_count; k++) {
		const struct mx_onnx_value *in = mx_onnx_in(node, k);

		concat_copy(&in->constant, axis, before, &shape, floats, ints);
		before += in->shape.dim[axis];
	}
	rc = mx_onnx_const_make(onnx, &shape, floats, ints, &out);
	free(floats);
	free(ints);
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, first->type);
}

/* Negative indices count from the end. */
static int gather_indices(struct mx_onnx *onnx, struct mx_onnx_node *node,
			  size_t dim, int64_t **out, size_t *count)
{
	const struct mx_onnx_value *value = mx_onnx_in(node, 1);
	int64_t *index;
	size_t i;
	int rc;

	rc = mx_onnx_const_load_ints(&value->constant, &index);
	if (rc)
		return rc;
	*count = mx_shape_elems(&value->shape);
	for (i = 0; i < *count; i++) {
		if (index[i] < 0)
			index[i] += (int64_t)dim;
		if (index[i] < 0 || index[i] >= (int64_t)dim) {
			free(index);
			return mx_onnx_bad(onnx, node,
					   "index %zu is outside of the %zu "
					   "entries",
					   i, dim);
		}
	}
	*out = index;
	return 0;
}

/* The source's shape with @axis replaced by the indices' shape. */
static int gather_shape(const struct mx_shape *x, uint32_t axis,
			const struct mx_shape *index, struct mx_shape *out)
{
	uint32_t d, rank = 0;

	if (x->rank + index->rank > MX_RANK_MAX + 1)
		return -EINVAL;
	for (d = 0; d < axis; d++)
		out->dim[rank++] = x->dim[d];
	for (d = 0; d < index->rank; d++)
		out->dim[rank++] = index->dim[d];
	for (d = axis + 1; d < x->rank; d++)
		out->dim[rank++] = x->dim[d];
	out->rank = rank;
	return 0;
}

/* 0, 1, 2, ... */
static int64_t *counting(size_t count)
{
	int64_t *table = malloc((count + 1) * sizeof(*table));
	size_t i;

	for (i = 0; table && i < count; i++)
		table[i] = (int64_t)i;
	return table;
}

int mx_onnx_eval_gather(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	const struct mx_onnx_value *index = mx_onnx_in(node, 1);
	struct mx_onnx_pick pick = {0};
	struct mx_const out;
	struct mx_shape shape = {0};
	uint32_t axis, d;
	size_t count;
	int rc;

	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", 0),
			  x->shape.rank, &axis);
	if (rc)
		return rc;
	if (gather_shape(&x->shape, axis, &index->shape, &shape))
		return mx_onnx_refuse(onnx, node, "a result of rank %u",
				      x->shape.rank + index->shape.rank - 1);
	pick.in = &x->constant;
	pick.type = x->type;
	pick.shape = x->shape;
	rc = gather_indices(onnx, node, x->shape.dim[axis], &pick.table[axis],
			    &count);
	if (rc)
		return rc;
	pick.shape.dim[axis] = count;
	for (d = 0; d < x->shape.rank && !rc; d++) {
		if (d == axis)
			continue;
		if (x->shape.dim[d] > MX_ONNX_EVAL_ELEMS_MAX) {
			rc = -ENOSYS;
			break;
		}
		pick.table[d] = counting(x->shape.dim[d]);
		if (!pick.table[d])
			rc = -ENOMEM;
	}
	if (!rc)
		rc = mx_onnx_const_pick(onnx, &pick, &out);
	if (!rc)
		rc = mx_onnx_const_reshape(onnx, &out, &shape, x->type, &out);
	for (d = 0; d < x->shape.rank; d++)
		free(pick.table[d]);
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, x->type);
}

int mx_onnx_eval_range(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *start = mx_onnx_in(node, 0);
	struct mx_shape shape = {1, {0}};
	struct mx_const out;
	double from, limit, step, count, *values;
	int64_t *ints = NULL;
	size_t i;
	int rc;

	for (i = 0; i < 3; i++)
		if (!mx_onnx_in(node, i) ||
		    mx_shape_elems(&mx_onnx_in(node, i)->shape) != 1)
			return mx_onnx_bad(onnx, node, "input %zu is no scalar",
					   i);
	mx_const_read_f64(&start->constant, 0, 1, &from);
	mx_const_read_f64(&mx_onnx_in(node, 1)->constant, 0, 1, &limit);
	mx_const_read_f64(&mx_onnx_in(node, 2)->constant, 0, 1, &step);
	count = ceil((limit - from) / step);
	if (!(count > 0))
		count = 0;
	if (count > (double)MX_ONNX_EVAL_ELEMS_MAX)
		return mx_onnx_refuse(onnx, node, "%.0f values", count);
	shape.dim[0] = (size_t)count;
	values = malloc((shape.dim[0] + 1) * sizeof(*values));
	ints = malloc((shape.dim[0] + 1) * sizeof(*ints));
	rc = values && ints ? 0 : -ENOMEM;
	for (i = 0; !rc && i < shape.dim[0]; i++) {
		values[i] = from + (double)i * step;
		ints[i] = (int64_t)values[i];
	}
	if (!rc)
		rc = mx_onnx_const_make(
			onnx, &shape, values,
			mx_onnx_is_integer(start->type) ? ints : NULL, &out);
	free(values);
	free(ints);
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, start->type);
}

int mx_onnx_eval_where(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	struct mx_const in[3], out;
	struct mx_shape shape = {0};
	double *values[3] = {NULL};
	int64_t *ints[3] = {NULL};
	enum mx_dtype type;
	size_t k, i, count = 0;
	int rc = 0;

	for (k = 0; k < 3; k++)
		if (!mx_onnx_in(node, k) ||
		    mx_shape_broadcast(&shape, &mx_onnx_in(node, k)->shape,
				       &shape))
			return mx_onnx_bad(onnx, node,
					   "input %zu does not broadcast", k);
	type = mx_onnx_in(node, 1)->type;
	for (k = 0; k < 3 && !rc; k++) {
		mx_onnx_const_expand(&mx_onnx_in(node, k)->constant, &shape,
				     &in[k]);
		rc = mx_onnx_is_integer(type)
			     ? mx_onnx_const_load_ints(&in[k], &ints[k])
			     : mx_onnx_const_load(&in[k], &values[k]);
	}
	if (!rc)
		count = mx_shape_elems(&shape);
	for (i = 0; i < count; i++) {
		if (ints[0])
			ints[1][i] = ints[0][i] ? ints[1][i] : ints[2][i];
		else
			values[1][i] =
				values[0][i] != 0 ? values[1][i] : values[2][i];
	}
	if (!rc)
		rc = mx_onnx_const_make(onnx, &shape, values[1], ints[1], &out);
	for (k = 0; k < 3; k++) {
		free(values[k]);
		free(ints[k]);
	}
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, type);
}

/* Where element @i of @shape goes when the axes marked are summed up. */
static size_t reduced_index(const struct mx_shape *shape,
			    const unsigned char *reduced, size_t i)
{
	size_t index = 0, scale = 1;
	uint32_t d = shape->rank;

	while (d-- > 0) {
		if (!reduced[d]) {
			index += i % shape->dim[d] * scale;
			scale *= shape->dim[d];
		}
		i /= shape->dim[d];
	}
	return index;
}

static double reduce_step(enum mx_onnx_reduce_kind kind, double sum, double x)
{
	switch (kind) {
	case MX_ONNX_REDUCE_SUM:
	case MX_ONNX_REDUCE_MEAN:
		return sum + x;
	case MX_ONNX_REDUCE_MAX:
		return x > sum ? x : sum;
	case MX_ONNX_REDUCE_MIN:
		return x < sum ? x : sum;
	case MX_ONNX_REDUCE_L1:
		return sum + fabs(x);
	case MX_ONNX_REDUCE_SQUARES:
	case MX_ONNX_REDUCE_L2:
		return sum + x * x;
	default:
		return sum * x;
	}
}

static double reduce_begin(enum mx_onnx_reduce_kind kind)
{
	switch (kind) {
	case MX_ONNX_REDUCE_MAX:
		return -INFINITY;
	case MX_ONNX_REDUCE_MIN:
		return INFINITY;
	case MX_ONNX_REDUCE_PROD:
		return 1;
	default:
		return 0;
	}
}

static double reduce_end(enum mx_onnx_reduce_kind kind, double sum, size_t n)
{
	if (kind == MX_ONNX_REDUCE_MEAN)
		return n ? sum / (double)n : 0;
	return kind == MX_ONNX_REDUCE_L2 ? sqrt(sum) : sum;
}

int mx_onnx_eval_reduce(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_onnx_reduction red;
	struct mx_const out;
	double *values = NULL, *sums = NULL;
	int64_t *ints = NULL;
	size_t in_count = mx_shape_elems(&x->shape), count, i;
	int rc;

	rc = mx_onnx_reduction(onnx, node, &red);
	if (rc)
		return rc;
	if (red.noop)
		return mx_onnx_result_const(onnx, node, 0, &x->constant,
					    x->type);
	count = mx_shape_elems(&red.shape);
	if (count > MX_ONNX_EVAL_ELEMS_MAX)
		return -ENOSYS;
	/* Integers go through doubles: exact to 2^53, enough for shapes. */
	rc = mx_onnx_const_load(&x->constant, &values);
	sums = malloc((count + 1) * sizeof(*sums));
	ints = malloc((count + 1) * sizeof(*ints));
	if (!rc && (!sums || !ints))
		rc = -ENOMEM;
	for (i = 0; !rc && i < count; i++)
		sums[i] = reduce_begin(red.kind);
	for (i = 0; !rc && i < in_count; i++) {
		size_t to = reduced_index(&x->shape, red.reduced, i);

		sums[to] = reduce_step(red.kind, sums[to], values[i]);
	}
	for (i = 0; !rc && i < count; i++) {
		sums[i] = reduce_end(red.kind, sums[i], in_count / count);
		ints[i] = fabs(sums[i]) < 0x1p63 ? (int64_t)sums[i] : 0;
	}
	if (!rc)
		rc = mx_onnx_const_make(
			onnx, &red.shape, sums,
			mx_onnx_is_integer(x->type) ? ints : NULL, &out);
	free(values);
	free(sums);
	free(ints);
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, x->type);
}
