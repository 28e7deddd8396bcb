/*
 * Functions of one value: one macro line each. All have the parameters a, b
 * and c with defaults of their own; simd_map.h computes them.
 */
#include "lib/op.h"

#include <float.h>

#include "lib/elementwise.h"
#include "lib/lines.h"
#include "lib/simd.h"
#include "lib/simd_map.h"

/* ONNX's defaults, in single precision as it states them. */
#define SELU_ALPHA 1.67326319217681884765625f
#define SELU_GAMMA 1.05070102214813232421875f

struct unary {
	enum mx_map_unary_kind kind;
	struct mx_map_params values;
};

static int bind(struct unary *p, const struct mx_attrs *attrs,
		enum mx_map_unary_kind kind, float a, float b, float c)
{
	p->kind = kind;
	p->values.a = mx_attrs_float(attrs, "a", a);
	p->values.b = mx_attrs_float(attrs, "b", b);
	p->values.c = mx_attrs_float(attrs, "c", c);
	return 0;
}

static struct mx_activation activation(const struct mx_layer *layer,
				       enum mx_activation_kind kind)
{
	const struct unary *p = layer->params;
	const struct mx_activation act = {kind, p->values.a, p->values.b};

	return act;
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	(void)layer;
	(void)err;
	out[0] = in[0];
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void do_line(const struct mx_op_args *args,
		    const struct mx_elementwise_line *line)
{
	const struct unary *p = args->layer->params;

	args->simd->map->unary[p->kind](line->out, line->in[0], line->count,
					&p->values);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_elementwise work = {
		.out = &args->out[0],
		.in = {&args->in[0]},
		.in_count = 1,
		.no_repeat = 1,
		.line = do_line,
	};

	mx_elementwise_run(args, &work, parts, args->layer->tile_count);
}

#define OP(id, text, KIND, a, b, c, more_traits, activation_fn)                \
	static int bind_##id(void *params, const struct mx_attrs *attrs,       \
			     struct mx_err *err)                               \
	{                                                                      \
		(void)err;                                                     \
		return bind(params, attrs, MX_MAP_##KIND, a, b, c);            \
	}                                                                      \
                                                                               \
	const struct mx_op mx_op_##id = {                                      \
		.name = text,                                                  \
		.traits = MX_OP_ELEMENTWISE | MX_OP_IN_PLACE | (more_traits),  \
		.activation = activation_fn,                                   \
		.in_min = 1,                                                   \
		.in_max = 1,                                                   \
		.out_max = 1,                                                  \
		.params_bytes = sizeof(struct unary),                          \
		.bind = bind_##id,                                             \
		.infer = infer,                                                \
		.tiles = tiles,                                                \
		.run = run,                                                    \
	};

/* One that other operators can take in. */
#define ACTIVATION(id, text, KIND, a, b, c)                                    \
	static struct mx_activation activation_##id(                           \
		const struct mx_layer *layer)                                  \
	{                                                                      \
		return activation(layer, MX_ACTIVATION_##KIND);                \
	}                                                                      \
	OP(id, text, KIND, a, b, c, 0, activation_##id)

#define FUNCTION(id, text, KIND, a, b, c) OP(id, text, KIND, a, b, c, 0, NULL)

ACTIVATION(relu, "Relu", RELU, 0.0f, 0.0f, 1.0f)
ACTIVATION(clip, "Clip", CLIP, -FLT_MAX, FLT_MAX, 1.0f)
ACTIVATION(sigmoid, "Sigmoid", SIGMOID, 1.0f, 0.0f, 1.0f)
ACTIVATION(tanh, "Tanh", TANH, 1.0f, 0.0f, 1.0f)
ACTIVATION(elu, "Elu", ELU, 1.0f, 0.0f, 1.0f)
ACTIVATION(hard_sigmoid, "HardSigmoid", HARD_SIGMOID, 0.2f, 0.5f, 1.0f)
ACTIVATION(hard_swish, "HardSwish", HARD_SWISH, 1.0f, 0.0f, 1.0f)
ACTIVATION(silu, "Silu", SILU, 1.0f, 0.0f, 1.0f)
FUNCTION(selu, "Selu", SELU, SELU_ALPHA, SELU_GAMMA, 1.0f)
FUNCTION(abs, "Abs", ABS, 1.0f, 0.0f, 1.0f)
FUNCTION(power, "Power", POWER, 1.0f, 1.0f, 0.0f)
FUNCTION(exp, "Exp", EXP, 1.0f, 0.0f, 1.0f)
FUNCTION(log, "Log", LOG, 1.0f, 0.0f, 1.0f)
FUNCTION(softplus, "Softplus", SOFTPLUS, 1.0f, 0.0f, 1.0f)
FUNCTION(softsign, "Softsign", SOFTSIGN, 1.0f, 0.0f, 1.0f)
FUNCTION(erf, "Erf", ERF, 1.0f, 0.0f, 1.0f)
FUNCTION(ceil, "Ceil", CEIL, 1.0f, 0.0f, 1.0f)
FUNCTION(floor, "Floor", FLOOR, 1.0f, 0.0f, 1.0f)
FUNCTION(round, "Round", ROUND, 1.0f, 0.0f, 1.0f)
FUNCTION(trunc, "Trunc", TRUNC, 1.0f, 0.0f, 1.0f)
FUNCTION(neg, "Neg", NEG, 1.0f, 0.0f, 1.0f)
FUNCTION(reciprocal, "Reciprocal", RECIPROCAL, 1.0f, 0.0f, 1.0f)
FUNCTION(sqrt, "Sqrt", SQRT, 1.0f, 0.0f, 1.0f)
FUNCTION(sign, "Sign", SIGN, 1.0f, 0.0f, 1.0f)
FUNCTION(thresholded_relu, "ThresholdedRelu", THRESHOLDED_RELU, 1.0f, 0.0f,
	 1.0f)
OP(identity, "Identity", IDENTITY, 1.0f, 0.0f, 1.0f, MX_OP_IDENTITY, NULL)
