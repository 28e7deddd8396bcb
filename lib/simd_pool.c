/*
 * (1) Channels are independent. Which loop computes one (vectors or the
 *     remainder, which may round differently) depends on its index alone, so
 *     callers cut by shape alone. What does not fill a vector is computed with
 *     channels before it, twice: outputs are not read.
 * (2) A line's sum is kept in FOLD_LANES accumulators that are merged in one
 *     fixed order, so it depends on the line's length alone.
 */
#include "lib/simd_pool.h"

#include <string.h>

#include "lib/simd.h"
#include "lib/simd_math.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
typedef __m512 vec;
#define VEC_MAX(a, b) _mm512_max_ps(a, b)
#elif defined(__AVX2__)
typedef __m256 vec;
#define VEC_MAX(a, b) _mm256_max_ps(a, b)
#elif defined(__x86_64__)
typedef __m128 vec;
#define VEC_MAX(a, b) _mm_max_ps(a, b)
#elif defined(__aarch64__)
typedef float32x4_t vec;
#define VEC_MAX(a, b) vmaxq_f32(a, b)
#else
typedef float vec;
#define VEC_MAX(a, b) ((a) > (b) ? (a) : (b))
#endif

#define LANES (sizeof(vec) / sizeof(float))
/* Vectors of channels that stay in registers while the window passes. */
#define WIDE 4

/* A sum of more neighbours than this is cut, so that its rounding error grows
 * with the number of cuts and not with the number of neighbours. */
#define SUM_RUN 32

#define FOLD_LANES 16
/* Elements of a line between two passes over it, held in the L1 cache. */
#define EXP_CHUNK 256

extern const struct mx_simd_pool MX_SIMD_TABLE(pool);

/*
 * The loops over a window from channel @x on: TAP(p) for each element,
 * ROW_BEGIN and ROW_END around each run of neighbours.
 */
#define WINDOW_LOOPS(window, x, ROW_BEGIN, TAP, ROW_END)                       \
	for (size_t a = 0; a < (window)->count[0]; a++)                        \
		for (size_t b = 0; b < (window)->count[1]; b++) {              \
			const float *tap = (x) + a * (window)->stride[0] +     \
					   b * (window)->stride[1];            \
			size_t left = (window)->count[2];                      \
			while (left) {                                         \
				size_t run = left < SUM_RUN ? left : SUM_RUN;  \
				left -= run;                                   \
				ROW_BEGIN;                                     \
				for (; run; run--) {                           \
					TAP(tap);                              \
					tap += (window)->stride[2];            \
				}                                              \
				ROW_END;                                       \
			}                                                      \
		}

#define NOTHING ((void)0)

static inline vec load(const float *x)
{
	vec v;

	memcpy(&v, x, sizeof(v));
	return v;
}

static inline void store(float *y, vec v)
{
	memcpy(y, &v, sizeof(v));
}

static inline vec splat(float x)
{
#if defined(__AVX512F__)
	return _mm512_set1_ps(x);
#elif defined(__AVX2__)
	return _mm256_set1_ps(x);
#elif defined(__x86_64__)
	return _mm_set1_ps(x);
#elif defined(__aarch64__)
	return vdupq_n_f32(x);
#else
	return x;
#endif
}

static inline void max_wide(const struct mx_pool_window *window, const float *x,
			    float *y)
{
	vec m0 = load(x), m1 = load(x + LANES);
	vec m2 = load(x + 2 * LANES), m3 = load(x + 3 * LANES);

#define TAP(p)                                                                 \
	m0 = VEC_MAX(m0, load(p));                                             \
	m1 = VEC_MAX(m1, load((p) + LANES));                                   \
	m2 = VEC_MAX(m2, load((p) + 2 * LANES));                               \
	m3 = VEC_MAX(m3, load((p) + 3 * LANES))
	WINDOW_LOOPS(window, x, NOTHING, TAP, NOTHING)
#undef TAP
	store(y, m0);
	store(y + LANES, m1);
	store(y + 2 * LANES, m2);
	store(y + 3 * LANES, m3);
}

static inline void max_narrow(const struct mx_pool_window *window,
			      const float *x, float *y)
{
	vec m = load(x);

#define TAP(p) m = VEC_MAX(m, load(p))
	WINDOW_LOOPS(window, x, NOTHING, TAP, NOTHING)
#undef TAP
	store(y, m);
}

static inline void max_one(const struct mx_pool_window *window, const float *x,
			   float *y)
{
	float m = *x;

#define TAP(p) m = m > *(p) ? m : *(p)
	WINDOW_LOOPS(window, x, NOTHING, TAP, NOTHING)
#undef TAP
	*y = m;
}

static void window_max(const struct mx_pool_window *window, size_t channels,
		       float *y)
{
	const float *x = window->x;
	size_t c = 0;

	for (; c + WIDE * LANES <= channels; c += WIDE * LANES)
		max_wide(window, x + c, y + c);
	for (; c + LANES <= channels; c += LANES)
		max_narrow(window, x + c, y + c);
	/* The rest, with channels before it that come out the same again. */
	if (c < channels && channels >= LANES) {
		max_narrow(window, x + channels - LANES, y + channels - LANES);
		return;
	}
	for (; c < channels; c++)
		max_one(window, x + c, y + c);
}

static inline void sum_wide(const struct mx_pool_window *window, const float *x,
			    float scale, float *y)
{
	const vec zero = splat(0.0f);
	vec s0 = zero, s1 = zero, s2 = zero, s3 = zero;
	vec r0, r1, r2, r3;

#define TAP(p)                                                                 \
	r0 += load(p);                                                         \
	r1 += load((p) + LANES);                                               \
	r2 += load((p) + 2 * LANES);                                           \
	r3 += load((p) + 3 * LANES)
	WINDOW_LOOPS(window, x, r0 = r1 = r2 = r3 = zero, TAP,
		     (s0 += r0, s1 += r1, s2 += r2, s3 += r3))
#undef TAP
	store(y, s0 * splat(scale));
	store(y + LANES, s1 * splat(scale));
	store(y + 2 * LANES, s2 * splat(scale));
	store(y + 3 * LANES, s3 * splat(scale));
}

static inline void sum_narrow(const struct mx_pool_window *window,
			      const float *x, float scale, float *y)
{
	vec s = splat(0.0f);
	vec r;

#define TAP(p) r += load(p)
	WINDOW_LOOPS(window, x, r = splat(0.0f), TAP, s += r)
#undef TAP
	store(y, s * splat(scale));
}

static inline void sum_one(const struct mx_pool_window *window, const float *x,
			   float scale, float *y)
{
	float s = 0.0f;
	float r;

#define TAP(p) r += *(p)
	WINDOW_LOOPS(window, x, r = 0.0f, TAP, s += r)
#undef TAP
	*y = s * scale;
}

static void window_sum(const struct mx_pool_window *window, size_t channels,
		       float scale, float *y)
{
	const float *x = window->x;
	size_t c = 0;

	for (; c + WIDE * LANES <= channels; c += WIDE * LANES)
		sum_wide(window, x + c, scale, y + c);
	for (; c + LANES <= channels; c += LANES)
		sum_narrow(window, x + c, scale, y + c);
	if (c < channels && channels >= LANES) {
		sum_narrow(window, x + channels - LANES, scale,
			   y + channels - LANES);
		return;
	}
	for (; c < channels; c++)
		sum_one(window, x + c, scale, y + c);
}

static void window_squares(const struct mx_pool_window *window, size_t channels,
			   float scale, float *y)
{
	size_t c;

	memset(y, 0, channels * sizeof(*y));
	for (size_t a = 0; a < window->count[0]; a++)
		for (size_t b = 0; b < window->count[1]; b++)
			for (size_t d = 0; d < window->count[2]; d++) {
				const float *tap = window->x +
						   a * window->stride[0] +
						   b * window->stride[1] +
						   d * window->stride[2];

				for (c = 0; c < channels; c++)
					y[c] += tap[c] * tap[c];
			}
	for (c = 0; c < channels; c++)
		y[c] *= scale;
}

/* Four lines at once stay in registers; the order of the sum is that of t. */
static void combine(const float *const *x, const float *weight, size_t taps,
		    size_t n, float *y)
{
	size_t t = 0;
	size_t i;

	if (taps >= 4) {
		const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
		const float w0 = weight[0], w1 = weight[1];
		const float w2 = weight[2], w3 = weight[3];

		MX_MATH_LOOP
		for (i = 0; i < n; i++)
			y[i] = w0 * x0[i] + w1 * x1[i] + w2 * x2[i] +
			       w3 * x3[i];
		t = 4;
	} else {
		const float *x0 = x[0];
		const float w0 = weight[0];

		MX_MATH_LOOP
		for (i = 0; i < n; i++)
			y[i] = w0 * x0[i];
		t = 1;
	}
	for (; t < taps; t++) {
		const float *xt = x[t];
		const float wt = weight[t];

		MX_MATH_LOOP
		for (i = 0; i < n; i++)
			y[i] += wt * xt[i];
	}
}

static double merge_lanes(enum mx_pool_fold kind, const double *lane)
{
	double half[FOLD_LANES];
	size_t width, i;

	memcpy(half, lane, sizeof(half));
	for (width = FOLD_LANES / 2; width; width /= 2)
		for (i = 0; i < width; i++)
			half[i] = mx_pool_fold_merge(kind, half[i],
						     half[i + width]);
	return half[0];
}

/* @kind is a constant in every call, so that the switch inside goes. */
static inline __attribute__((always_inline)) void row_of_kind(
	enum mx_pool_fold kind, const float *x, size_t n, double centre,
	double *acc)
{
	double lane[FOLD_LANES];
	size_t i, j;

	for (j = 0; j < FOLD_LANES; j++)
		lane[j] = mx_pool_fold_start(kind);
	for (i = 0; i + FOLD_LANES <= n; i += FOLD_LANES)
		for (j = 0; j < FOLD_LANES; j++)
			lane[j] = mx_pool_fold_one(kind, lane[j],
						   (double)x[i + j], centre);
	for (j = 0; i < n; i++, j++)
		lane[j] = mx_pool_fold_one(kind, lane[j], (double)x[i], centre);
	*acc = mx_pool_fold_merge(kind, *acc, merge_lanes(kind, lane));
}

static inline __attribute__((always_inline)) void columns_of_kind(
	enum mx_pool_fold kind, const float *x, size_t lanes, size_t n,
	size_t stride, const double *centre, double *acc)
{
	size_t row, i;

	for (row = 0; row < n; row++, x += stride) {
		MX_MATH_LOOP
		for (i = 0; i < lanes; i++)
			acc[i] = mx_pool_fold_one(
				kind, acc[i], (double)x[i],
				kind == MX_POOL_FOLD_SQUARE ? centre[i] : 0.0);
	}
}

static void fold_row(enum mx_pool_fold kind, const float *x, size_t n,
		     double centre, double *acc)
{
#define CASE(kind)                                                             \
	case kind:                                                             \
		row_of_kind(kind, x, n, centre, acc);                          \
		break
	switch (kind) {
		CASE(MX_POOL_FOLD_SUM);
		CASE(MX_POOL_FOLD_ABS);
		CASE(MX_POOL_FOLD_SQUARE);
		CASE(MX_POOL_FOLD_MAX);
		CASE(MX_POOL_FOLD_MIN);
		CASE(MX_POOL_FOLD_PRODUCT);
	}
#undef CASE
}

static void fold_columns(enum mx_pool_fold kind, const float *x, size_t lanes,
			 size_t n, size_t stride, const double *centre,
			 double *acc)
{
#define CASE(kind)                                                             \
	case kind:                                                             \
		columns_of_kind(kind, x, lanes, n, stride, centre, acc);       \
		break
	switch (kind) {
		CASE(MX_POOL_FOLD_SUM);
		CASE(MX_POOL_FOLD_ABS);
		CASE(MX_POOL_FOLD_SQUARE);
		CASE(MX_POOL_FOLD_MAX);
		CASE(MX_POOL_FOLD_MIN);
		CASE(MX_POOL_FOLD_PRODUCT);
	}
#undef CASE
}

static void apply_row(const float *x, size_t n, double sub, double mul,
		      float *y)
{
	size_t i;

	MX_MATH_LOOP
	for (i = 0; i < n; i++)
		y[i] = (float)(((double)x[i] - sub) * mul);
}

static void apply_columns(const float *x, size_t lanes, const double *sub,
			  const double *mul, float *y)
{
	size_t i;

	MX_MATH_LOOP
	for (i = 0; i < lanes; i++)
		y[i] = (float)(((double)x[i] - sub[i]) * mul[i]);
}

static float line_max(const float *x, size_t n)
{
	double top = mx_pool_fold_start(MX_POOL_FOLD_MAX);

	fold_row(MX_POOL_FOLD_MAX, x, n, 0.0, &top);
	return (float)top;
}

static void exp_below(const float *x, size_t n, float top, float *y)
{
	size_t i;

	MX_MATH_LOOP
	for (i = 0; i < n; i++)
		y[i] = mx_math_exp(x[i] - top);
}

static void softmax(const float *x, size_t n, float *y)
{
	const float top = line_max(x, n);
	double sum = 0.0;
	size_t i, run;

	for (i = 0; i < n; i += run) {
		run = n - i < EXP_CHUNK ? n - i : EXP_CHUNK;
		exp_below(x + i, run, top, y + i);
		fold_row(MX_POOL_FOLD_SUM, y + i, run, 0.0, &sum);
	}
	apply_row(y, n, 0.0, 1.0 / sum, y);
}

static void softmax_short(const float *x, size_t n, size_t rows, float *y)
{
	const size_t most = EXP_CHUNK / n;
	float chunk[EXP_CHUNK];
	size_t count, row, i;

	for (; rows; rows -= count, x += count * n, y += count * n) {
		count = rows < most ? rows : most;
		for (row = 0; row < count; row++) {
			const float *from = x + row * n;
			float top = from[0];

			for (i = 1; i < n; i++)
				top = from[i] > top ? from[i] : top;
			for (i = 0; i < n; i++)
				chunk[row * n + i] = from[i] - top;
		}
		exp_below(chunk, count * n, 0.0f, chunk);
		for (row = 0; row < count; row++) {
			const float *from = chunk + row * n;
			double sum = 0.0;

			for (i = 0; i < n; i++)
				sum += (double)from[i];
			for (i = 0; i < n; i++)
				y[row * n + i] = (float)((double)from[i] / sum);
		}
	}
}

static void log_softmax(const float *x, size_t n, float *y)
{
	const float top = line_max(x, n);
	float chunk[EXP_CHUNK];
	double sum = 0.0;
	size_t i, run;

	for (i = 0; i < n; i += run) {
		run = n - i < EXP_CHUNK ? n - i : EXP_CHUNK;
		exp_below(x + i, run, top, chunk);
		fold_row(MX_POOL_FOLD_SUM, chunk, run, 0.0, &sum);
	}
	apply_row(x, n, (double)top + log(sum), 1.0, y);
}

/* y = x / base^beta; the base is in y. */
static void lrn_divide(const struct mx_pool_lrn *lrn, const float *x, size_t n,
		       float *y)
{
	const float k = lrn->k, beta = lrn->beta;
	size_t i;

	/* Nearly every network's exponent, and half the work. */
	if (beta == 0.75f) {
		MX_MATH_LOOP
		for (i = 0; i < n; i++) {
			const float root = sqrtf(k + y[i]);

			y[i] = x[i] / (root * sqrtf(root));
		}
		return;
	}
	MX_MATH_LOOP
	for (i = 0; i < n; i++)
		y[i] = x[i] * mx_math_exp(-beta * mx_math_log(k + y[i]));
}

static void lrn_pixel(const struct mx_pool_lrn *lrn, const float *x, size_t n,
		      float *squares, float *y)
{
	const size_t window = lrn->before + lrn->after + 1;
	const float alpha = lrn->alpha;
	float *middle = squares + lrn->before;
	float sums[EXP_CHUNK];
	size_t first, i, j, run;

	memset(squares, 0, lrn->before * sizeof(*squares));
	memset(middle + n, 0, lrn->after * sizeof(*squares));
	for (i = 0; i < n; i++)
		middle[i] = alpha * x[i] * x[i];
	for (first = 0; first < n; first += run) {
		const float *from = squares + first;

		run = n - first < EXP_CHUNK ? n - first : EXP_CHUNK;
		memcpy(sums, from, run * sizeof(*sums));
		for (j = 1; j < window; j++)
			for (i = 0; i < run; i++)
				sums[i] += from[i + j];
		lrn_divide(lrn, x + first, run, sums);
		memcpy(y + first, sums, run * sizeof(*sums));
	}
}

const struct mx_simd_pool MX_SIMD_TABLE(pool) = {
	.window_max = window_max,
	.window_sum = window_sum,
	.window_squares = window_squares,
	.combine = combine,
	.softmax = softmax,
	.log_softmax = log_softmax,
	.softmax_short = softmax_short,
	.lrn = lrn_pixel,
	.lrn_divide = lrn_divide,
	.fold_row = fold_row,
	.fold_columns = fold_columns,
	.apply_row = apply_row,
	.apply_columns = apply_columns,
};
