/*
 * Vectors of the instruction set that a file simd_<what>.c is compiled for:
 * MX_VEC floats in a register.
 */
#ifndef MX_LIB_SIMD_VEC_H
#define MX_LIB_SIMD_VEC_H

#include <stddef.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define MX_VEC 16
#elif defined(__AVX2__)
#include <immintrin.h>
#define MX_VEC 8
#elif defined(__aarch64__)
#include <arm_neon.h>
#define MX_VEC 4
#elif defined(__SSE2__)
#include <immintrin.h>
#define MX_VEC 4
#else
#define MX_VEC 4
#endif

typedef float mx_vec __attribute__((vector_size(MX_VEC * sizeof(float))));
typedef int mx_vec_mask __attribute__((vector_size(MX_VEC * sizeof(int))));
/* The same anywhere in memory, and allowed to alias floats. */
typedef float mx_vec_loose __attribute__((vector_size(MX_VEC * sizeof(float)),
					  aligned(sizeof(float)), may_alias));

/*
 * Accumulators must be registers, so the loops over them have to vanish, in
 * clang before it decides what is an array in memory.
 */
#if defined(__clang__)
#define MX_VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define MX_VEC_UNROLL _Pragma("GCC unroll 16")
#endif
#define mx_vec_for(i, count) MX_VEC_UNROLL for (i = 0; i < (count); i++)

#define MX_VEC_INLINE static inline __attribute__((always_inline, unused))

MX_VEC_INLINE mx_vec mx_vec_load(const float *from)
{
	return *(const mx_vec_loose *)from;
}

MX_VEC_INLINE void mx_vec_store(float *to, mx_vec value)
{
	*(mx_vec_loose *)to = value;
}

MX_VEC_INLINE mx_vec mx_vec_spread(float value)
{
	return (mx_vec){0} + value;
}

/* The first @count floats, 1 .. MX_VEC - 1; the others are 0. Nothing behind
 * them is touched. */
MX_VEC_INLINE mx_vec mx_vec_load_some(const float *from, size_t count)
{
#if defined(__AVX512F__)
	return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#else
	mx_vec value = {0};
	size_t i;

	for (i = 0; i < count; i++)
		value[i] = from[i];
	return value;
#endif
}

MX_VEC_INLINE void mx_vec_store_some(float *to, mx_vec value, size_t count)
{
#if defined(__AVX512F__)
	_mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), value);
#else
	size_t i;

	for (i = 0; i < count; i++)
		to[i] = value[i];
#endif
}

/* @value between @low and @high; NaN stays. */
MX_VEC_INLINE mx_vec mx_vec_clamp(mx_vec value, mx_vec low, mx_vec high)
{
	/* x86's min and max return their second operand where one is NaN. */
#if defined(__AVX512F__)
	return _mm512_min_ps(high, _mm512_max_ps(low, value));
#elif defined(__AVX2__)
	return _mm256_min_ps(high, _mm256_max_ps(low, value));
#elif defined(__aarch64__)
	return (mx_vec)vminq_f32(
		vmaxq_f32((float32x4_t)value, (float32x4_t)low),
		(float32x4_t)high);
#elif defined(__SSE2__)
	return _mm_min_ps(high, _mm_max_ps(low, value));
#else
	const mx_vec_mask below = value < low;
	mx_vec_mask above;

	value = (mx_vec)(((mx_vec_mask)low & below) |
			 ((mx_vec_mask)value & ~below));
	above = value > high;
	return (mx_vec)(((mx_vec_mask)high & above) |
			((mx_vec_mask)value & ~above));
#endif
}

#endif
