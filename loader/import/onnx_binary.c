/*
 * Operators of two and more operands that broadcast. With a constant operand
 * most become something cheaper, that later passes can fold into a
 * convolution.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* A scalar becomes an Affine (that folds into what is before it) only where
 * that has few rows. */
#define SCALAR_ROWS_MAX 65536

int mx_onnx_one_axis(const struct mx_shape *constant,
		     const struct mx_shape *shape, uint32_t *axis)
{
	uint32_t d, lead, found = 0;

	if (constant->rank > shape->rank)
		return 0;
	lead = shape->rank - constant->rank;
	for (d = 0; d < constant->rank; d++) {
		if (constant->dim[d] == 1)
			continue;
		if (constant->dim[d] != shape->dim[lead + d])
			return 0;
		*axis = lead + d;
		found++;
	}
	return found == 1;
}

struct combination {
	const char *suffix;
	const char *op;
	const struct mx_onnx_operand *x; /* computed */
	const struct mx_const *c;
	int swapped; /* c op x */
};

/* x op c as x * scale + bias with one value; 0 if it is no such thing. */
static int as_linear(const struct combination *com, double value, double *scale,
		     double *bias)
{
	*scale = 1;
	*bias = 0;
	if (strcmp(com->op, "Add") == 0) {
		*bias = value;
	} else if (strcmp(com->op, "Sub") == 0) {
		*scale = com->swapped ? -1 : 1;
		*bias = com->swapped ? value : -value;
	} else if (strcmp(com->op, "Mul") == 0) {
		*scale = value;
	} else if (strcmp(com->op, "Div") == 0 && !com->swapped) {
		*scale = 1 / value;
	} else {
		return 0;
	}
	return isfinite(*scale) && isfinite(*bias);
}

static int emit_affine(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       const struct combination *com, uint32_t axis,
		       uint32_t *out)
{
	size_t count = com->x->shape.dim[axis], i;
	struct mx_shape flat = {1, {count}};
	struct mx_const all;
	double *values, *bias;
	int rc = -ENOSYS;

	if (mx_const_reshape(com->c, &flat, &all)) {
		struct mx_shape one = {1, {1}};

		if (mx_const_reshape(com->c, &one, &all))
			return -ENOSYS;
		mx_onnx_const_expand(&all, &flat, &all);
	}
	bias = malloc((count + 1) * sizeof(*bias));
	values = malloc((count + 1) * sizeof(*values));
	if (!bias || !values) {
		rc = -ENOMEM;
		goto end;
	}
	mx_const_read_f64(&all, 0, count, values);
	for (i = 0; i < count; i++)
		if (!as_linear(com, values[i], &values[i], &bias[i]))
			goto end;
	rc = mx_onnx_emit_affine(onnx, node, com->suffix, com->x->graph, axis,
				 values, bias, out);
end:
	free(values);
	free(bias);
	return rc;
}

/* A scalar constant. -ENOSYS: nothing special. */
static int combine_scalar(struct mx_onnx *onnx, struct mx_onnx_node *node,
			  const struct combination *com, double value,
			  uint32_t *out)
{
	const struct mx_shape *x = &com->x->shape;
	struct mx_onnx_abc what = {"Power", 3, {1, 1, 0}};
	double scale, bias;

	if (as_linear(com, value, &scale, &bias)) {
		if (x->rank >= 2 && x->dim[1] <= SCALAR_ROWS_MAX)
			return emit_affine(onnx, node, com, 1, out);
		what.abc[1] = (float)scale;
		what.abc[2] = (float)bias;
	} else if (strcmp(com->op, "Div") == 0 && com->swapped && value == 1) {
		what = (struct mx_onnx_abc){"Reciprocal", 0, {0}};
	} else if (strcmp(com->op, "Pow") == 0 && !com->swapped) {
		what.abc[0] = (float)value;
	} else if (strcmp(com->op, "Max") == 0 && value == 0) {
		what = (struct mx_onnx_abc){"Relu", 0, {0}};
	} else if (strcmp(com->op, "Max") == 0) {
		what = (struct mx_onnx_abc){
			"Clip", 2, {(float)value, FLT_MAX, 0}};
	} else if (strcmp(com->op, "Min") == 0) {
		what = (struct mx_onnx_abc){
			"Clip", 2, {-FLT_MAX, (float)value, 0}};
	} else {
		return -ENOSYS;
	}
	return mx_onnx_emit_abc(onnx, node, com->suffix, &what, com->x->graph,
				out);
}

/* -ENOSYS: the general way. */
static int combine_constant(struct mx_onnx *onnx, struct mx_onnx_node *node,
			    const struct combination *com, uint32_t *out)
{
	uint32_t axis;
	double value;
	int rc = -ENOSYS;

	/* Otherwise the constant broadens the result. */
	if (com->c->shape.rank > com->x->shape.rank)
		return -ENOSYS;
	if (mx_onnx_const_uniform(com->c, &value) &&
	    mx_shape_elems(&com->c->shape) == 1)
		rc = combine_scalar(onnx, node, com, value, out);
	else if (mx_onnx_one_axis(&com->c->shape, &com->x->shape, &axis))
		rc = emit_affine(onnx, node, com, axis, out);
	return rc;
}

static int operand_value(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 const struct mx_onnx_operand *operand,
			 const char *suffix, uint32_t *out)
{
	int rc;

	*out = operand->graph;
	if (operand->graph != MX_NONE)
		return 0;
	rc = mx_onnx_emit_constant(onnx, node, suffix, operand->constant, out);
	if (!rc && operand->value)
		operand->value->graph = *out;
	return rc;
}

int mx_onnx_combine(struct mx_onnx *onnx, struct mx_onnx_node *node,
		    const char *suffix, const char *op,
		    const struct mx_onnx_operand *x,
		    const struct mx_onnx_operand *y, uint32_t *out)
{
	struct combination com = {.suffix = suffix, .op = op};
	struct mx_shape shape;
	uint32_t a, b;
	int rc;

	if (mx_shape_broadcast(&x->shape, &y->shape, &shape))
		return mx_onnx_bad(onnx, node, "its inputs do not broadcast");
	if (!x->constant != !y->constant) {
		com.swapped = x->constant != NULL;
		com.x = com.swapped ? y : x;
		com.c = com.swapped ? x->constant : y->constant;
		rc = combine_constant(onnx, node, &com, out);
		if (rc != -ENOSYS)
			return rc;
	}
	rc = operand_value(onnx, node, x, "a", &a);
	if (!rc)
		rc = operand_value(onnx, node, y, "b", &b);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, suffix, op, a, b, out);
	return rc;
}

static void operand_init(struct mx_onnx_value *value,
			 struct mx_onnx_operand *out)
{
	memset(out, 0, sizeof(*out));
	out->value = value;
	out->constant = value->kind == MX_ONNX_CONST ? &value->constant : NULL;
	out->graph = value->graph;
	out->shape = value->shape;
}

/*
 * Before opset 7: attribute broadcast lets the second operand stand anywhere
 * in the first one's shape, from `axis` on.
 */
static int old_broadcast(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 const struct mx_onnx_operand *x,
			 struct mx_onnx_operand *y, struct mx_const *moved)
{
	const uint32_t rank = x->shape.rank, y_rank = y->shape.rank;
	struct mx_shape shape = {.rank = rank};
	uint32_t axis, d;
	int rc;

	if (!mx_onnx_int(node, "broadcast", 0) || !mx_onnx_attr(node, "axis") ||
	    y_rank > rank || rank == 0)
		return 0;
	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", 0), rank,
			  &axis);
	if (rc)
		return rc;
	if (axis + y_rank > rank)
		return mx_onnx_bad(onnx, node, "axis %u leaves no room", axis);
	for (d = 0; d < rank; d++)
		shape.dim[d] = d >= axis && d < axis + y_rank
				       ? y->shape.dim[d - axis]
				       : 1;
	if (y->constant) {
		rc = mx_onnx_const_reshape(onnx, y->constant, &shape,
					   MX_DTYPE_F32, moved);
		y->constant = moved;
		y->graph = MX_NONE;
		y->value = NULL;
	} else {
		rc = mx_onnx_emit_reshape(onnx, node, "broadcast", y->graph,
					  &shape, &y->graph);
	}
	y->shape = shape;
	return rc;
}

/* Integers are divided by dividing: a multiplication by the reciprocal may
 * fall just below the whole number that it should be. */
static int divide_integers(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	static const struct mx_onnx_abc trunc_ = {"Trunc", 0, {0}};
	uint32_t a, b, out;
	int rc;

	rc = mx_onnx_use(onnx, node, 0, &a);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 1, &b);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, "quotient", "Div", a, b,
					 &out);
	if (!rc)
		rc = mx_onnx_emit_abc(onnx, node, NULL, &trunc_, out, &out);
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 0)->type);
}

int mx_onnx_binary(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	struct mx_onnx_operand x, y;
	struct mx_const moved;
	enum mx_dtype type;
	uint32_t out;
	int rc;

	if (!mx_onnx_in(node, 1))
		return mx_onnx_bad(onnx, node, "input 1 is missing");
	operand_init(mx_onnx_in(node, 0), &x);
	operand_init(mx_onnx_in(node, 1), &y);
	type = mx_onnx_in(node, 0)->type;
	if (mx_onnx_is_integer(type) && strcmp(node->op, "Div") == 0)
		return divide_integers(onnx, node);
	rc = old_broadcast(onnx, node, &x, &y, &moved);
	if (!rc)
		rc = mx_onnx_combine(onnx, node, NULL, node->op, &x, &y, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, type);
}

/* --- Sum, Mean, Max, Min ---------------------------------------------- */

static const struct {
	const char *op;
	const char *pair;
	int64_t eltwise; /* the kind of the device's Eltwise */
} variadics[] = {
	{"Sum", "Add", 1},
	{"Max", "Max", 2},
	{"Min", "Min", 3},
	{"Mean", "Add", 4},
};

static int emit_eltwise(struct mx_onnx *onnx, struct mx_onnx_node *node,
			int64_t kind, uint32_t *out)
{
	struct mx_attrs attrs = {0};
	uint32_t *in;
	size_t k;
	int rc = 0;

	in = calloc(node->in_count, sizeof(*in));
	if (!in)
		return -ENOMEM;
	for (k = 0; k < node->in_count && !rc; k++)
		rc = mx_onnx_use(onnx, node, k, &in[k]);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "kind", kind);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Eltwise", in,
				  (uint32_t)node->in_count, &attrs, out);
	mx_attrs_fini(&attrs);
	free(in);
	return rc;
}

/* One pair after the other. */
static int emit_chain(struct mx_onnx *onnx, struct mx_onnx_node *node,
		      const char *pair, int mean, uint32_t *out)
{
	struct mx_onnx_abc power = {"Power", 3, {1, 1, 0}};
	struct mx_onnx_operand sum, next;
	size_t k;
	int rc;

	operand_init(mx_onnx_in(node, 0), &sum);
	for (k = 1; k < node->in_count; k++) {
		int last = k + 1 == node->in_count && !mean;

		operand_init(mx_onnx_in(node, k), &next);
		rc = mx_onnx_combine(onnx, node, last ? NULL : "pair", pair,
				     &sum, &next, out);
		if (rc)
			return rc;
		sum.constant = NULL;
		sum.graph = *out;
		sum.shape = *mx_onnx_graph_shape(onnx, *out);
	}
	if (!mean)
		return 0;
	power.abc[1] = 1 / (float)node->in_count;
	return mx_onnx_emit_abc(onnx, node, NULL, &power, *out, out);
}

int mx_onnx_variadic(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *first = mx_onnx_in(node, 0);
	const char *pair = NULL;
	int64_t kind = 0;
	size_t i, k;
	uint32_t out;
	int rc, same = 1;

	for (i = 0; i < sizeof(variadics) / sizeof(variadics[0]); i++) {
		if (strcmp(variadics[i].op, node->op) == 0) {
			pair = variadics[i].pair;
			kind = variadics[i].eltwise;
		}
	}
	for (k = 0; k < node->in_count; k++) {
		if (!mx_onnx_in(node, k))
			return mx_onnx_bad(onnx, node, "input %zu is missing",
					   k);
		same &= mx_shape_equal(&first->shape,
				       &mx_onnx_in(node, k)->shape);
	}
	if (node->in_count == 1)
		return mx_onnx_identity(onnx, node);
	if (same && node->in_count > 2)
		rc = emit_eltwise(onnx, node, kind, &out);
	else
		rc = emit_chain(onnx, node, pair, kind == 4, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, first->type);
}

int mx_onnx_where(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	uint32_t in[3], out, k;
	int rc = 0;

	for (k = 0; k < 3 && !rc; k++)
		rc = mx_onnx_use(onnx, node, k, &in[k]);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Where", in, 3, NULL, &out);
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 1)->type);
}

/* --- PRelu ------------------------------------------------------------ */

/* PRelu with one slope for each place along @axis. */
static int prelu_axis(struct mx_onnx *onnx, struct mx_onnx_node *node,
		      const struct mx_const *slope, uint32_t axis,
		      uint32_t *out)
{
	struct mx_node *made;
	double *values;
	uint32_t in;
	int rc;

	rc = mx_onnx_const_load(slope, &values);
	if (rc)
		return rc;
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_begin(onnx, node, NULL, "PRelu", &in, 1, &made);
	if (!rc)
		rc = mx_attrs_set_int(&made->layer.attrs, "axis", axis);
	if (!rc)
		rc = mx_node_set_vector(made, 0, values,
					mx_shape_elems(&slope->shape));
	if (!rc)
		rc = mx_onnx_end(onnx, node, NULL, out);
	free(values);
	return rc;
}

/* max(x, 0) + slope * min(x, 0) */
static int prelu_parts(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       uint32_t *out)
{
	static const struct mx_onnx_abc relu = {"Relu", 0, {0}};
	static const struct mx_onnx_abc below = {"Clip", 2, {-FLT_MAX, 0, 0}};
	uint32_t in, slope, positive, negative;
	int rc;

	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 1, &slope);
	if (!rc)
		rc = mx_onnx_emit_abc(onnx, node, "positive", &relu, in,
				      &positive);
	if (!rc)
		rc = mx_onnx_emit_abc(onnx, node, "negative", &below, in,
				      &negative);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, "scaled", "Mul", negative,
					 slope, &negative);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, NULL, "Add", positive,
					 negative, out);
	return rc;
}

int mx_onnx_prelu(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	const struct mx_onnx_value *slope = mx_onnx_in(node, 1);
	struct mx_onnx_abc relu = {"Relu", 1, {0}};
	uint32_t axis, in, out;
	size_t count;
	int rc;

	if (!slope)
		return mx_onnx_bad(onnx, node, "input 1 is missing");
	count = mx_shape_elems(&slope->shape);
	if (slope->kind == MX_ONNX_CONST && count == 1 &&
	    slope->shape.rank <= x->shape.rank) {
		mx_const_read_f32(&slope->constant, 0, 1, relu.abc);
		rc = mx_onnx_use(onnx, node, 0, &in);
		if (!rc)
			rc = mx_onnx_emit_abc(onnx, node, NULL, &relu, in,
					      &out);
	} else if (slope->kind == MX_ONNX_CONST && onnx->opset < 7 &&
		   slope->shape.rank == 1 && x->shape.rank >= 2 &&
		   x->shape.dim[1] == count) {
		/* Before opset 7 it was one for each channel. */
		rc = prelu_axis(onnx, node, &slope->constant, 1, &out);
	} else if (slope->kind == MX_ONNX_CONST &&
		   mx_onnx_one_axis(&slope->shape, &x->shape, &axis)) {
		rc = prelu_axis(onnx, node, &slope->constant, axis, &out);
	} else {
		rc = prelu_parts(onnx, node, &out);
	}
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}
