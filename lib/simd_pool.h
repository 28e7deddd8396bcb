/*
 * Inner loops of pooling, normalisation and reduction. In every loop an
 * output's sum has one fixed order that depends on the sizes alone, never on
 * which neighbours are computed in the same call.
 */
#ifndef MX_LIB_SIMD_POOL_H
#define MX_LIB_SIMD_POOL_H

#include <stddef.h>

/* The elements that one output pixel sees, all inside the picture; channels
 * are contiguous. Every count is at least 1. */
struct mx_pool_window {
	const float *x; /* channel 0 of the first element */
	size_t count[3];
	size_t stride[3]; /* elements from one to the next */
};

enum mx_pool_fold {
	MX_POOL_FOLD_SUM,
	MX_POOL_FOLD_ABS, /* sum of absolutes */
	MX_POOL_FOLD_SQUARE, /* sum of (x - centre)^2 */
	MX_POOL_FOLD_MAX,
	MX_POOL_FOLD_MIN,
	MX_POOL_FOLD_PRODUCT,
};

/* Local response normalisation across the channels of one pixel. */
struct mx_pool_lrn {
	size_t before; /* neighbours that count, on either side */
	size_t after;
	float k;
	float alpha; /* already divided by the window's size */
	float beta;
};

/* Lines that are better taken many at a time. */
#define MX_POOL_SHORT_LINE ((size_t)32)

struct mx_simd_pool {
	/* y[c] = the maximum of the window. */
	void (*window_max)(const struct mx_pool_window *window, size_t channels,
			   float *y);

	/* y[c] = scale * the sum of the window (SQUARES: of the squares). */
	void (*window_sum)(const struct mx_pool_window *window, size_t channels,
			   float scale, float *y);
	void (*window_squares)(const struct mx_pool_window *window,
			       size_t channels, float scale, float *y);

	/* y[i] = sum of weight[t] * x[t][i] over @taps >= 1 lines, in order of
	 * t. The first line may be @y itself. */
	void (*combine)(const float *const *x, const float *weight, size_t taps,
			size_t n, float *y);

	/* y = exp(x) / sum(exp(x)) of a line, or its logarithm; n >= 1. @y may
	 * be @x. */
	void (*softmax)(const float *x, size_t n, float *y);
	void (*log_softmax)(const float *x, size_t n, float *y);
	/* softmax() of @rows short lines, one behind the other: n is at most
	 * MX_POOL_SHORT_LINE. Its results may differ in the last bit. */
	void (*softmax_short)(const float *x, size_t n, size_t rows, float *y);

	/* One pixel; @squares has room for n + before + after floats. @y may
	 * be @x. */
	void (*lrn)(const struct mx_pool_lrn *lrn, const float *x, size_t n,
		    float *squares, float *y);
	/* y[i] = x[i] / (k + y[i])^beta: @y brings alpha times the sum. */
	void (*lrn_divide)(const struct mx_pool_lrn *lrn, const float *x,
			   size_t n, float *y);

	/* Fold a line of @n elements into @acc, which the caller has set
	 * (mx_pool_fold_start). */
	void (*fold_row)(enum mx_pool_fold kind, const float *x, size_t n,
			 double centre, double *acc);
	/* The same for @lanes neighbouring columns of @n elements, @stride
	 * from row to row: acc[lane]; @centre[lane] for SQUARE. */
	void (*fold_columns)(enum mx_pool_fold kind, const float *x,
			     size_t lanes, size_t n, size_t stride,
			     const double *centre, double *acc);

	/* y[i] = (x[i] - sub) * mul, for a line, or for a value each lane. */
	void (*apply_row)(const float *x, size_t n, double sub, double mul,
			  float *y);
	void (*apply_columns)(const float *x, size_t lanes, const double *sub,
			      const double *mul, float *y);
};

/* Where a fold begins: the value that changes nothing. */
static inline double mx_pool_fold_start(enum mx_pool_fold kind)
{
	switch (kind) {
	case MX_POOL_FOLD_MAX:
		return -__builtin_inf();
	case MX_POOL_FOLD_MIN:
		return __builtin_inf();
	case MX_POOL_FOLD_PRODUCT:
		return 1.0;
	default:
		return 0.0;
	}
}

/* @acc and one more element, folded. */
static inline double mx_pool_fold_one(enum mx_pool_fold kind, double acc,
				      double x, double centre)
{
	switch (kind) {
	case MX_POOL_FOLD_ABS:
		return acc + __builtin_fabs(x);
	case MX_POOL_FOLD_SQUARE:
		return acc + (x - centre) * (x - centre);
	case MX_POOL_FOLD_MAX:
		return x > acc ? x : acc;
	case MX_POOL_FOLD_MIN:
		return x < acc ? x : acc;
	case MX_POOL_FOLD_PRODUCT:
		return acc * x;
	default:
		return acc + x;
	}
}

/* Two accumulators of one fold, merged. */
static inline double mx_pool_fold_merge(enum mx_pool_fold kind, double a,
					double b)
{
	switch (kind) {
	case MX_POOL_FOLD_MAX:
		return b > a ? b : a;
	case MX_POOL_FOLD_MIN:
		return b < a ? b : a;
	case MX_POOL_FOLD_PRODUCT:
		return a * b;
	default:
		return a + b;
	}
}

#endif
