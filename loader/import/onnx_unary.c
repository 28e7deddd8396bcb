#include <float.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* Operators that the device has under some name; attributes become a and b. */
static const struct {
	const char *op;
	const char *device;
	struct {
		const char *name;
		float fallback;
	} attr[2];
} unaries[] = {
	{"Abs", "Abs", {{NULL, 0}}},
	{"Ceil", "Ceil", {{NULL, 0}}},
	{"Elu", "Elu", {{"alpha", 1}}},
	{"Erf", "Erf", {{NULL, 0}}},
	{"Exp", "Exp", {{NULL, 0}}},
	{"Floor", "Floor", {{NULL, 0}}},
	{"HardSigmoid", "HardSigmoid", {{"alpha", 0.2f}, {"beta", 0.5f}}},
	{"HardSwish", "HardSwish", {{NULL, 0}}},
	{"LeakyRelu", "Relu", {{"alpha", 0.01f}}},
	{"Log", "Log", {{NULL, 0}}},
	{"Neg", "Neg", {{NULL, 0}}},
	{"Reciprocal", "Reciprocal", {{NULL, 0}}},
	{"Relu", "Relu", {{NULL, 0}}},
	{"Round", "Round", {{NULL, 0}}},
	{"Selu",
	 "Selu",
	 {{"alpha", 1.67326319217681884765625f},
	  {"gamma", 1.05070102214813232421875f}}},
	{"Sigmoid", "Sigmoid", {{NULL, 0}}},
	{"Sign", "Sign", {{NULL, 0}}},
	{"Softplus", "Softplus", {{NULL, 0}}},
	{"Softsign", "Softsign", {{NULL, 0}}},
	{"Sqrt", "Sqrt", {{NULL, 0}}},
	{"Tanh", "Tanh", {{NULL, 0}}},
	{"ThresholdedRelu", "ThresholdedRelu", {{"alpha", 1}}},
};

int mx_onnx_unary(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	struct mx_onnx_abc what = {NULL, 0, {0, 0, 0}};
	uint32_t in, out;
	size_t i, k;
	int rc;

	for (i = 0; i < sizeof(unaries) / sizeof(unaries[0]); i++) {
		if (strcmp(unaries[i].op, node->op) != 0)
			continue;
		what.op = unaries[i].device;
		for (k = 0; k < 2 && unaries[i].attr[k].name; k++)
			what.abc[what.count++] =
				mx_onnx_float(node, unaries[i].attr[k].name,
					      unaries[i].attr[k].fallback);
	}
	if (!what.op)
		return mx_onnx_refuse(onnx, node, NULL);
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_emit_abc(onnx, node, NULL, &what, in, &out);
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 0)->type);
}

int mx_onnx_eval_only(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	return mx_onnx_refuse(onnx, node, "of computed values");
}

static int is_scalar(const struct mx_onnx_value *value)
{
	return !value || (value->kind == MX_ONNX_CONST &&
			  mx_shape_elems(&value->shape) == 1);
}

/* Limit @k, an attribute or a constant input. */
static float limit_of(const struct mx_onnx_node *node, const char *name,
		      size_t k, float fallback)
{
	const struct mx_onnx_value *value = mx_onnx_in(node, k);

	if (value)
		mx_const_read_f32(&value->constant, 0, 1, &fallback);
	return mx_onnx_float(node, name, fallback);
}

int mx_onnx_clip(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	struct mx_onnx_abc clip = {"Clip", 2, {-FLT_MAX, FLT_MAX, 0}};
	static const char *const ops[] = {"Max", "Min"};
	uint32_t in, limit, out;
	size_t k;
	int rc;

	rc = mx_onnx_use(onnx, node, 0, &in);
	if (rc)
		return rc;
	out = in;
	if (is_scalar(mx_onnx_in(node, 1)) && is_scalar(mx_onnx_in(node, 2))) {
		clip.abc[0] = limit_of(node, "min", 1, -FLT_MAX);
		clip.abc[1] = limit_of(node, "max", 2, FLT_MAX);
		rc = mx_onnx_emit_abc(onnx, node, NULL, &clip, in, &out);
	}
	for (k = 1; k <= 2 && out == in && !rc; k++) {
		if (!mx_onnx_in(node, k))
			continue;
		rc = mx_onnx_use(onnx, node, k, &limit);
		if (!rc)
			rc = mx_onnx_emit_binary(
				onnx, node,
				k == 1 && mx_onnx_in(node, 2) ? "min" : NULL,
				ops[k - 1], in, limit, &out);
		in = k == 1 ? out : in;
	}
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 0)->type);
}

int mx_onnx_cast(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	static const struct mx_onnx_abc abs = {"Abs", 0, {0}};
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct mx_onnx_abc what = {"Identity", 0, {0}};
	int64_t code = mx_onnx_int(node, "to", 0);
	uint32_t in, out;
	enum mx_dtype to;
	int rc;

	/* Before opset 6 the type was a string. */
	if (mx_onnx_dtype(code, &to))
		return mx_onnx_refuse(onnx, node, "to=%lld", (long long)code);
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (to == MX_DTYPE_BOOL && x->type != MX_DTYPE_BOOL) {
		what.op = "Sign";
		if (!rc)
			rc = mx_onnx_emit_abc(onnx, node, "abs", &abs, in, &in);
	} else if (mx_onnx_is_integer(to) && !mx_onnx_is_integer(x->type)) {
		what.op = "Trunc";
	}
	if (!rc)
		rc = mx_onnx_emit_abc(onnx, node, NULL, &what, in, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, to);
}

int mx_onnx_identity(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	static const struct mx_onnx_abc identity = {"Identity", 0, {0}};
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	uint32_t in, out;
	int rc;

	if (x->kind == MX_ONNX_CONST)
		return mx_onnx_result_const(onnx, node, 0, &x->constant,
					    x->type);
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_emit_abc(onnx, node, NULL, &identity, in, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}

int mx_onnx_dropout(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	const struct mx_const *training;
	struct mx_const mask;
	double on = 0;
	int rc;

	if (mx_onnx_in(node, 2)) {
		rc = mx_onnx_const(onnx, node, 2, &training);
		if (rc)
			return rc;
		if (mx_shape_elems(&training->shape))
			mx_const_read_f64(training, 0, 1, &on);
		if (on != 0)
			return mx_onnx_refuse(onnx, node, "training_mode=1");
	}
	mx_onnx_const_fill(&x->shape, MX_DTYPE_BOOL, 1, &mask);
	rc = mx_onnx_result_const(onnx, node, 1, &mask, MX_DTYPE_BOOL);
	return rc ? rc : mx_onnx_identity(onnx, node);
}

int mx_onnx_softmax(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	/* Until opset 12 all dimensions from the axis on count as one. */
	const int old = onnx->opset < 13;
	struct mx_attrs attrs = {0};
	uint32_t axis, in, out;
	int rc;

	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", old ? 1 : -1),
			  x->shape.rank, &axis);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "axis", axis);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "axis_end",
				      old ? x->shape.rank : axis + 1);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "log",
				      strcmp(node->op, "LogSoftmax") == 0);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Softmax", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}
