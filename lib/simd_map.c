/*
 * Every function is written for one element and put into a loop by a macro;
 * the compiler vectorises the loop. Selects are written in the order in which
 * a machine's min and max return NaN, which makes them one instruction.
 */
#include "lib/simd_map.h"

#include <math.h>
#include <string.h>

#include "lib/simd.h"
#include "lib/simd_math.h"

#define UNARY(name)                                                            \
	static void name##_line(float *out, const float *x, size_t count,      \
				const struct mx_map_params *params)            \
	{                                                                      \
		const struct mx_map_params p = *params;                        \
		size_t i;                                                      \
                                                                               \
		MX_MATH_LOOP                                                   \
		for (i = 0; i < count; i++)                                    \
			out[i] = name(x[i], p);                                \
	}

#define FN(name)                                                               \
	static inline float name(                                              \
		float x, __attribute__((unused)) struct mx_map_params p)

FN(rectified)
{
	return 0.0f > x ? 0.0f : x;
}

FN(leaky)
{
	const float below = p.a * x;

	return x > 0.0f ? x : below;
}

FN(elu)
{
	const float below = p.a * mx_math_expm1(x);

	return x > 0.0f ? x : below;
}

FN(selu)
{
	return p.b * elu(x, p);
}

FN(sigmoid)
{
	return mx_math_sigmoid(x);
}

FN(tangent)
{
	return mx_math_tanh(x);
}

FN(absolute)
{
	return fabsf(x);
}

FN(linear)
{
	return p.c + p.b * x;
}

FN(squared)
{
	const float y = linear(x, p);

	return y * y;
}

FN(powered)
{
	return powf(linear(x, p), p.a);
}

FN(exponential)
{
	return mx_math_exp(p.a * x + p.b);
}

FN(logarithm)
{
	return p.c * mx_math_log(p.a * x + p.b);
}

FN(softplus)
{
	return mx_math_softplus(x);
}

FN(softsign)
{
	return x / (1.0f + fabsf(x));
}

FN(clip)
{
	const float y = p.a > x ? p.a : x;

	return p.b < y ? p.b : y;
}

FN(hard_sigmoid)
{
	const struct mx_map_params unit = {0.0f, 1.0f, 0.0f};

	return clip(p.a * x + p.b, unit);
}

FN(hard_swish)
{
	const struct mx_map_params unit = {0.0f, 1.0f, 0.0f};

	return x * clip(x * (1.0f / 6.0f) + 0.5f, unit);
}

FN(silu)
{
	return mx_math_silu(x);
}

FN(error_function)
{
	return mx_math_erf(x);
}

FN(ceiling)
{
	return ceilf(x);
}

FN(floored)
{
	return floorf(x);
}

FN(rounded)
{
	return rintf(x);
}

FN(truncated)
{
	return truncf(x);
}

FN(negative)
{
	return -x;
}

FN(reciprocal)
{
	return 1.0f / x;
}

FN(square_root)
{
	return sqrtf(x);
}

FN(sign)
{
	const float below = x < 0.0f ? -1.0f : x;

	return x > 0.0f ? 1.0f : below;
}

FN(thresholded)
{
	return x > p.a ? x : 0.0f;
}

UNARY(rectified)
UNARY(leaky)
UNARY(elu)
UNARY(selu)
UNARY(sigmoid)
UNARY(tangent)
UNARY(absolute)
UNARY(linear)
UNARY(squared)
UNARY(powered)
UNARY(exponential)
UNARY(logarithm)
UNARY(softplus)
UNARY(softsign)
UNARY(clip)
UNARY(hard_sigmoid)
UNARY(hard_swish)
UNARY(silu)
UNARY(error_function)
UNARY(ceiling)
UNARY(floored)
UNARY(rounded)
UNARY(truncated)
UNARY(negative)
UNARY(reciprocal)
UNARY(square_root)
UNARY(sign)
UNARY(thresholded)

/* Slope 0 apart: 0 * -infinity would be NaN. */
static void relu_line(float *out, const float *x, size_t count,
		      const struct mx_map_params *params)
{
	if (params->a == 0.0f)
		rectified_line(out, x, count, params);
	else
		leaky_line(out, x, count, params);
}

/* powf() is a call for each element; these two are most of the use. */
static void power_line(float *out, const float *x, size_t count,
		       const struct mx_map_params *params)
{
	if (params->a == 1.0f)
		linear_line(out, x, count, params);
	else if (params->a == 2.0f)
		squared_line(out, x, count, params);
	else
		powered_line(out, x, count, params);
}

static void identity_line(float *out, const float *x, size_t count,
			  const struct mx_map_params *params)
{
	(void)params;
	if (out != x)
		memcpy(out, x, count * sizeof(*x));
}

#define BINARY(name)                                                           \
	static void name##_line(float *out, const float *a, size_t a_step,     \
				const float *b, size_t b_step, size_t count)   \
	{                                                                      \
		size_t i;                                                      \
                                                                               \
		if (a_step && b_step) {                                        \
			MX_MATH_LOOP                                           \
			for (i = 0; i < count; i++)                            \
				out[i] = name(a[i], b[i]);                     \
		} else if (a_step) {                                           \
			const float value = *b;                                \
                                                                               \
			MX_MATH_LOOP                                           \
			for (i = 0; i < count; i++)                            \
				out[i] = name(a[i], value);                    \
		} else if (b_step) {                                           \
			const float value = *a;                                \
                                                                               \
			MX_MATH_LOOP                                           \
			for (i = 0; i < count; i++)                            \
				out[i] = name(value, b[i]);                    \
		} else {                                                       \
			const float value = name(*a, *b);                      \
                                                                               \
			for (i = 0; i < count; i++)                            \
				out[i] = value;                                \
		}                                                              \
	}

static inline float add(float a, float b)
{
	return a + b;
}

static inline float subtract(float a, float b)
{
	return a - b;
}

static inline float multiply(float a, float b)
{
	return a * b;
}

static inline float divide(float a, float b)
{
	return a / b;
}

static inline float maximum(float a, float b)
{
	const float other = b != b ? a : b;

	return a > other ? a : other;
}

static inline float minimum(float a, float b)
{
	const float other = b != b ? a : b;

	return a < other ? a : other;
}

static inline float raised(float a, float b)
{
	return powf(a, b);
}

BINARY(add)
BINARY(subtract)
BINARY(multiply)
BINARY(divide)
BINARY(maximum)
BINARY(minimum)
BINARY(raised)

static void pow_line(float *out, const float *a, size_t a_step, const float *b,
		     size_t b_step, size_t count)
{
	if (b_step == 0 && *b == 2.0f)
		multiply_line(out, a, a_step, a, a_step, count);
	else
		raised_line(out, a, a_step, b, b_step, count);
}

static void affine_line(float *out, const float *x, const float *scale,
			const float *bias, size_t step, size_t count)
{
	size_t i;

	if (step) {
		MX_MATH_LOOP
		for (i = 0; i < count; i++)
			out[i] = x[i] * scale[i] + bias[i];
	} else {
		const float factor = *scale;
		const float shift = *bias;

		MX_MATH_LOOP
		for (i = 0; i < count; i++)
			out[i] = x[i] * factor + shift;
	}
}

static void prelu_line(float *out, const float *x, const float *slope,
		       size_t step, size_t count)
{
	size_t i;

	if (step) {
		MX_MATH_LOOP
		for (i = 0; i < count; i++) {
			const float below = slope[i] * x[i];

			out[i] = x[i] > 0.0f ? x[i] : below;
		}
	} else {
		const struct mx_map_params params = {.a = *slope};

		relu_line(out, x, count, &params);
	}
}

static void select_line(float *out, const float *condition, const float *x,
			const float *y, size_t count)
{
	size_t i;

	MX_MATH_LOOP
	for (i = 0; i < count; i++) {
		const float yes = x[i];
		const float no = y[i];

		out[i] = condition[i] != 0.0f ? yes : no;
	}
}

/* @lines is a constant once inlined. */
static inline __attribute__((always_inline)) void weave(float *restrict out,
							const float *restrict x,
							size_t step,
							const size_t lines,
							size_t count)
{
	size_t i, j;

	MX_MATH_LOOP
	for (i = 0; i < count; i++)
		for (j = 0; j < lines; j++)
			out[i * lines + j] = x[j * step + i];
}

static void interleave_lines(float *out, const float *x, size_t step,
			     size_t lines, size_t count)
{
	size_t i, j;

	switch (lines) {
	case 2:
		weave(out, x, step, 2, count);
		break;
	case 4:
		weave(out, x, step, 4, count);
		break;
	case 8:
		weave(out, x, step, 8, count);
		break;
	default:
		for (j = 0; j < lines; j++)
			for (i = 0; i < count; i++)
				out[i * lines + j] = x[j * step + i];
	}
}

static void accumulate_line(float *acc, const float *x, float factor,
			    size_t count)
{
	size_t i;

	MX_MATH_LOOP
	for (i = 0; i < count; i++)
		acc[i] += factor * x[i];
}

static void activate_line(const struct mx_activation *act, float *x,
			  size_t count, const float *slope)
{
	static mx_map_unary *const lines[MX_ACTIVATION_COUNT] = {
		[MX_ACTIVATION_RELU] = relu_line,
		[MX_ACTIVATION_CLIP] = clip_line,
		[MX_ACTIVATION_SIGMOID] = sigmoid_line,
		[MX_ACTIVATION_TANH] = tangent_line,
		[MX_ACTIVATION_ELU] = elu_line,
		[MX_ACTIVATION_HARD_SIGMOID] = hard_sigmoid_line,
		[MX_ACTIVATION_HARD_SWISH] = hard_swish_line,
		[MX_ACTIVATION_SILU] = silu_line,
	};
	const struct mx_map_params params = {.a = act->a, .b = act->b};

	if (act->kind == MX_ACTIVATION_PRELU)
		prelu_line(x, x, slope, 1, count);
	else if (lines[act->kind])
		lines[act->kind](x, x, count, &params);
}

const struct mx_simd_map MX_SIMD_TABLE(map) = {
	.unary =
		{
			[MX_MAP_RELU] = relu_line,
			[MX_MAP_ELU] = elu_line,
			[MX_MAP_SELU] = selu_line,
			[MX_MAP_SIGMOID] = sigmoid_line,
			[MX_MAP_TANH] = tangent_line,
			[MX_MAP_ABS] = absolute_line,
			[MX_MAP_POWER] = power_line,
			[MX_MAP_EXP] = exponential_line,
			[MX_MAP_LOG] = logarithm_line,
			[MX_MAP_SOFTPLUS] = softplus_line,
			[MX_MAP_SOFTSIGN] = softsign_line,
			[MX_MAP_HARD_SIGMOID] = hard_sigmoid_line,
			[MX_MAP_HARD_SWISH] = hard_swish_line,
			[MX_MAP_SILU] = silu_line,
			[MX_MAP_ERF] = error_function_line,
			[MX_MAP_CEIL] = ceiling_line,
			[MX_MAP_FLOOR] = floored_line,
			[MX_MAP_ROUND] = rounded_line,
			[MX_MAP_TRUNC] = truncated_line,
			[MX_MAP_NEG] = negative_line,
			[MX_MAP_RECIPROCAL] = reciprocal_line,
			[MX_MAP_SQRT] = square_root_line,
			[MX_MAP_SIGN] = sign_line,
			[MX_MAP_CLIP] = clip_line,
			[MX_MAP_THRESHOLDED_RELU] = thresholded_line,
			[MX_MAP_IDENTITY] = identity_line,
		},
	.binary =
		{
			[MX_MAP_ADD] = add_line,
			[MX_MAP_SUB] = subtract_line,
			[MX_MAP_MUL] = multiply_line,
			[MX_MAP_DIV] = divide_line,
			[MX_MAP_MAX] = maximum_line,
			[MX_MAP_MIN] = minimum_line,
			[MX_MAP_POW] = pow_line,
		},
	.affine = affine_line,
	.prelu = prelu_line,
	.select = select_line,
	.interleave = interleave_lines,
	.accumulate = accumulate_line,
	.activate = activate_line,
};
