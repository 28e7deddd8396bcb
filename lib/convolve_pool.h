/*
 * A convolution that keeps the maximum of each window of 2x2 of its outputs
 * alone: struct mx_convolve's `pool`. The outputs exist in scratch memory
 * only, some windows at a time.
 *
 * Results are the same bits as those of a Pooling layer behind it. Only of
 * windows that hold NaN another element may win: with NEON, whose vectors and
 * single floats differ in that.
 */
#ifndef MX_LIB_CONVOLVE_POOL_H
#define MX_LIB_CONVOLVE_POOL_H

#include <stddef.h>

struct mx_attrs;
struct mx_convolve;
struct mx_err;
struct mx_simd;

/* The attribute's name; its value is 0 or POOL_SIDE. */
#define MX_ATTR_POOL "pool"

/* A window, and its distance from the next, on both axes. */
#define MX_POOL_SIDE ((size_t)2)
#define MX_POOL_CORNERS (MX_POOL_SIDE * MX_POOL_SIDE)
/* A part's outputs in scratch memory, where all are there before they are
 * pooled: beside all else it has to fit a second-level cache. */
#define MX_POOL_BYTES ((size_t)320 << 10)

/* Decode the attribute. Returns 0 or -EBADMSG. */
int mx_convolve_pool_bind(struct mx_convolve *conv,
			  const struct mx_attrs *attrs, struct mx_err *err);

/*
 * Check that @conv, whose direction, input and out_dim are known, can pool.
 * Returns 0, also if it is not to, or -EBADMSG.
 */
int mx_convolve_pool_check(const struct mx_convolve *conv, struct mx_err *err);

/* y[r] = the maximum of a window, for each of @rows; @x is its first corner,
 * with pixels @rows elements and lines @line_step elements apart. */
void mx_convolve_pool_window(const struct mx_simd *simd, const float *x,
			     size_t line_step, size_t rows, float *y);

#endif
