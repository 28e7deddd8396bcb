/*
 * Elementwise functions over lines of memory, compiled once for each
 * instruction set (simd.h).
 *
 * Each output element depends on the inputs' elements at its index alone, so
 * that an output may be the same memory as an input (but not overlap it in
 * any other way). An input with a `step` is contiguous if that is 1 and one
 * value for the whole line if it is 0; no other step is allowed.
 */
#ifndef MX_LIB_SIMD_MAP_H
#define MX_LIB_SIMD_MAP_H

#include <stddef.h>

#include "lib/activation.h"

/* As the operators of these names (docs/operators.md), parameters a, b, c. */
enum mx_map_unary_kind {
	MX_MAP_RELU,
	MX_MAP_ELU,
	MX_MAP_SELU,
	MX_MAP_SIGMOID,
	MX_MAP_TANH,
	MX_MAP_ABS,
	MX_MAP_POWER,
	MX_MAP_EXP,
	MX_MAP_LOG,
	MX_MAP_SOFTPLUS,
	MX_MAP_SOFTSIGN,
	MX_MAP_HARD_SIGMOID,
	MX_MAP_HARD_SWISH,
	MX_MAP_SILU,
	MX_MAP_ERF,
	MX_MAP_CEIL,
	MX_MAP_FLOOR,
	MX_MAP_ROUND,
	MX_MAP_TRUNC,
	MX_MAP_NEG,
	MX_MAP_RECIPROCAL,
	MX_MAP_SQRT,
	MX_MAP_SIGN,
	MX_MAP_CLIP,
	MX_MAP_THRESHOLDED_RELU,
	MX_MAP_IDENTITY,
	MX_MAP_UNARY_COUNT
};

enum mx_map_binary_kind {
	MX_MAP_ADD,
	MX_MAP_SUB,
	MX_MAP_MUL,
	MX_MAP_DIV,
	MX_MAP_MAX, /* as fmaxf and fminf: a NaN gives way to a number */
	MX_MAP_MIN,
	MX_MAP_POW,
	MX_MAP_BINARY_COUNT
};

struct mx_map_params {
	float a;
	float b;
	float c;
};

typedef void mx_map_unary(float *out, const float *x, size_t count,
			  const struct mx_map_params *params);
typedef void mx_map_binary(float *out, const float *a, size_t a_step,
			   const float *b, size_t b_step, size_t count);

struct mx_simd_map {
	mx_map_unary *unary[MX_MAP_UNARY_COUNT];
	mx_map_binary *binary[MX_MAP_BINARY_COUNT];

	/* out = x * scale + bias; `step` is both vectors'. */
	void (*affine)(float *out, const float *x, const float *scale,
		       const float *bias, size_t step, size_t count);

	/* out = x > 0 ? x : slope * x; `step` is the slope's. */
	void (*prelu)(float *out, const float *x, const float *slope,
		      size_t step, size_t count);

	/* out = condition != 0 ? x : y */
	void (*select)(float *out, const float *condition, const float *x,
		       const float *y, size_t count);

	/* out[i * lines + j] = x[j * step + i] for i < count, j < lines */
	void (*interleave)(float *out, const float *x, size_t step,
			   size_t lines, size_t count);

	/* acc += factor * x */
	void (*accumulate)(float *acc, const float *x, float factor,
			   size_t count);

	/*
	 * Apply @act to @x in place. @slope has one value for each element for
	 * MX_ACTIVATION_PRELU; else it is NULL. NONE does nothing.
	 */
	void (*activate)(const struct mx_activation *act, float *x,
			 size_t count, const float *slope);
};

extern const struct mx_simd_map mx_simd_map_generic;
extern const struct mx_simd_map mx_simd_map_avx2;
extern const struct mx_simd_map mx_simd_map_avx512;
extern const struct mx_simd_map mx_simd_map_neon;

#endif
