/*
 * Functions of one float for loops that the compiler vectorises: no calls, no
 * branches, no tables. Relative error about 1e-6 where the result is a normal
 * number. NaN gives NaN; what overflows gives infinity and what underflows
 * gives 0 or a subnormal number, as in libm.
 *
 * For simd_<what>.c only. The compilers turn the selects into blends; any
 * float-to-integer conversion goes through the bits of x + 1.5 * 2^23, since
 * a conversion of NaN is undefined in C.
 *
 * The polynomials are Chebyshev interpolations of the functions named beside
 * them.
 */
#ifndef MX_LIB_SIMD_MATH_H
#define MX_LIB_SIMD_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* In front of a loop whose iterations touch an element of their own each, so
 * that input and output may be the same memory. */
#ifdef __clang__
/* Sanitizers and calls of libm keep some loops scalar, which is no fault. */
#pragma clang diagnostic ignored "-Wpass-failed"
#define MX_MATH_LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define MX_MATH_LOOP _Pragma("GCC ivdep")
#endif

#define MX_MATH_LOG2E 1.44269504f
/* ln 2 in two parts; n times the first is exact for |n| < 2^9. */
#define MX_MATH_LN2_HIGH 0.693359375f
#define MX_MATH_LN2_LOW -2.12194440e-4f
/* Adding it rounds to an integer, which then stands in the low bits. */
#define MX_MATH_ROUNDER 12582912.0f
#define MX_MATH_ONE_BITS 0x3f800000u
#define MX_MATH_MANTISSA_BITS 23

static inline uint32_t mx_math_bits(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static inline float mx_math_of_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* 2^n for n in [-126, 127]; some float for any other. */
static inline float mx_math_pow2(uint32_t n)
{
	return mx_math_of_bits((n << MX_MATH_MANTISSA_BITS) + MX_MATH_ONE_BITS);
}

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2. */
static inline float mx_math_exp_tail(float r)
{
	float q = 1.392625083e-03f;

	q = q * r + 8.363232884e-03f;
	q = q * r + 4.166655421e-02f;
	q = q * r + 1.666657667e-01f;
	return q * r + 0.5f;
}

/*
 * exp(x) is low * high * (1 + fraction), low and high being powers of two:
 * each fits a float also where their product does not.
 */
struct mx_math_exp {
	float low;
	float high;
	float fraction;
};

static inline struct mx_math_exp mx_math_exp_parts(float x)
{
	struct mx_math_exp e;
	float rounded, n, r;
	uint32_t whole, half;

	/* Past these the result is infinity or 0 anyway. NaN passes. */
	x = x > 89.0f ? 89.0f : x;
	x = x < -105.0f ? -105.0f : x;
	rounded = x * MX_MATH_LOG2E + MX_MATH_ROUNDER;
	n = rounded - MX_MATH_ROUNDER;
	r = x - n * MX_MATH_LN2_HIGH;
	r = r - n * MX_MATH_LN2_LOW;
	whole = mx_math_bits(rounded) - mx_math_bits(MX_MATH_ROUNDER);
	/* An arithmetic shift: n is biased to be positive for it. */
	half = ((whole + 512u) >> 1) - 256u;
	e.low = mx_math_pow2(half);
	e.high = mx_math_pow2(whole - half);
	e.fraction = r + r * r * mx_math_exp_tail(r);
	return e;
}

static inline float mx_math_exp(float x)
{
	const struct mx_math_exp e = mx_math_exp_parts(x);

	return (e.fraction + 1.0f) * e.low * e.high;
}

/* exp(x) - 1, accurate near 0 too. */
static inline float mx_math_expm1(float x)
{
	const struct mx_math_exp e = mx_math_exp_parts(x);
	const float scale = e.low * e.high;
	const float near = scale * e.fraction + (scale - 1.0f);
	const float far = (e.fraction + 1.0f) * e.low * e.high;

	/* From 2^127 on `scale` may be infinite; -1 does not count there. */
	return x > 80.0f ? far : near;
}

/* (log(1 + f) - f + f^2 / 2) / f^3 for 1 + f in [sqrt(1/2), sqrt(2)]. */
static inline float mx_math_log_tail(float f)
{
	float p = 6.971611472e-02f;

	p = p * f + -1.147973385e-01f;
	p = p * f + 1.168541992e-01f;
	p = p * f + -1.242568733e-01f;
	p = p * f + 1.424905765e-01f;
	p = p * f + -1.666780232e-01f;
	p = p * f + 2.000071575e-01f;
	p = p * f + -2.499999696e-01f;
	return p * f + 3.333333118e-01f;
}

static inline float mx_math_log(float x)
{
	/* sqrt(1/2): where the mantissa's range begins. */
	const uint32_t low_bits = 0x3f3504f3u;
	const float infinity = mx_math_of_bits(0x7f800000u);
	const float subnormal = x < 1.17549435e-38f ? 8388608.0f : 1.0f;
	const float lift = x < 1.17549435e-38f ? -23.0f : 0.0f;
	const uint32_t bits = mx_math_bits(x * subnormal) - low_bits;
	/* The exponent; biased, so that the shift sees a positive number. */
	const uint32_t exponent = (bits + (128u << MX_MATH_MANTISSA_BITS)) >>
				  MX_MATH_MANTISSA_BITS;
	const float n =
		mx_math_of_bits(mx_math_bits(MX_MATH_ROUNDER) + exponent) -
		MX_MATH_ROUNDER - 128.0f + lift;
	const float f = mx_math_of_bits((bits & 0x007fffffu) + low_bits) - 1.0f;
	const float square = f * f;
	float y;

	y = f * square * mx_math_log_tail(f);
	y = y + n * MX_MATH_LN2_LOW;
	y = y - 0.5f * square;
	y = (f + y) + n * MX_MATH_LN2_HIGH;
	y = x == 0.0f ? -infinity : y;
	y = x == infinity ? infinity : y;
	return x >= 0.0f ? y : infinity - infinity;
}

/* log(1 + x) for x >= 0, accurate near 0 too. */
static inline float mx_math_log1p(float x)
{
	const float sum = 1.0f + x;
	const float rounded = sum - 1.0f;
	/* What the sum lost of x, put back in proportion. */
	const float y = mx_math_log(sum) * (x / rounded);

	return rounded == 0.0f ? x : y;
}

/* 1 + exp(-x): what a sigmoid divides by. Below the normal floats it is
 * infinity a little early, and above them exp(-x) does not count. */
static inline float mx_math_sigmoid_base(float x)
{
	const float low = -89.0f, high = 87.0f;
	float y = low > x ? low : x;
	float rounded, n, r, fraction;

	y = -(high < y ? high : y);
	rounded = y * MX_MATH_LOG2E + MX_MATH_ROUNDER;
	n = rounded - MX_MATH_ROUNDER;
	r = y - n * MX_MATH_LN2_HIGH;
	r = r - n * MX_MATH_LN2_LOW;
	fraction = r + r * r * mx_math_exp_tail(r);
	/* 2^128 comes out as infinity. */
	return 1.0f + (fraction + 1.0f) * mx_math_pow2(mx_math_bits(rounded));
}

static inline float mx_math_sigmoid(float x)
{
	return 1.0f / mx_math_sigmoid_base(x);
}

/* x * sigmoid(x) */
static inline float mx_math_silu(float x)
{
	return x / mx_math_sigmoid_base(x);
}

static inline float mx_math_tanh(float x)
{
	/* tanh is 1 to the last bit from 9.1 on. */
	const float size = fabsf(x);
	const float top = size > 10.0f ? 10.0f : size;
	const float e = mx_math_expm1(-2.0f * top);

	return copysignf(-e / (e + 2.0f), x);
}

/* log(1 + exp(x)) */
static inline float mx_math_softplus(float x)
{
	const float above = x < 0.0f ? 0.0f : x;

	return above + mx_math_log1p(mx_math_exp(-fabsf(x)));
}

/* erf(x) / x for x^2 <= 1, of the square. */
static inline float mx_math_erf_near(float square)
{
	float p = 7.875875062e-05f;

	p = p * square + -8.016864287e-04f;
	p = p * square + 5.189087423e-03f;
	p = p * square + -2.685421201e-02f;
	p = p * square + 1.128359472e-01f;
	p = p * square + -3.761262667e-01f;
	return p * square + 1.128379166e+00f;
}

/* log(1 - erf(x)) for x in [1, 4]. */
static inline float mx_math_erf_far(float x)
{
	float p = -1.327236181e-05f;

	p = p * x + 3.169370225e-04f;
	p = p * x + -3.432351381e-03f;
	p = p * x + 2.260477224e-02f;
	p = p * x + -1.032811176e-01f;
	p = p * x + -6.391412576e-01f;
	p = p * x + -1.125893652e+00f;
	return p * x + -7.658977795e-04f;
}

static inline float mx_math_erf(float x)
{
	const float size = fabsf(x);
	/* erf is 1 to the last bit from 3.9 on. */
	const float top = size > 4.0f ? 4.0f : size;
	const float near = x * mx_math_erf_near(x * x);
	const float far =
		copysignf(1.0f - mx_math_exp(mx_math_erf_far(top)), x);

	return size < 1.0f ? near : far;
}

#endif
