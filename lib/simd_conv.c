#include "lib/simd_conv.h"

#include <assert.h>
#include <string.h>

#include "lib/simd.h"

/*
 * VEC floats are a register. PIXELS x PANELS * 16 accumulators, the weights of
 * one step and a broadcast input fill the register file, no more.
 */
#if defined(__AVX512F__)
#define VEC 16
#define PIXELS 14
#define PANELS 2
#elif defined(__AVX2__)
#define VEC 8
#define PIXELS 6
#define PANELS 1
#elif defined(__aarch64__)
#define VEC 4
#define PIXELS 6
#define PANELS 1
#else
#define VEC 4
#define PIXELS 3
#define PANELS 1
#endif

#define ROWS MX_CONV_PANEL_ROWS
#define PANEL_VECS (ROWS / VEC)

/* Pixels and vectors of channels that depthwise works on at once. */
#define DEPTH_PIXELS 4
#define DEPTH_VECS 2

_Static_assert(PIXELS <= MX_CONV_PIXELS_MAX, "a table's pixels fit a call");
_Static_assert(PANELS <= MX_CONV_PANELS_MAX, "a table's panels fit a call");

typedef float vec __attribute__((vector_size(VEC * sizeof(float))));
typedef int mask __attribute__((vector_size(VEC * sizeof(int))));
/* The same anywhere in memory, and allowed to alias floats. */
typedef float loose __attribute__((vector_size(VEC * sizeof(float)),
				   aligned(sizeof(float)), may_alias));

/*
 * Accumulators must be registers, so the loops over them have to vanish, in
 * clang before it decides what is an array in memory.
 */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define unrolled_for(i, count) UNROLL for (i = 0; i < (count); i++)

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *from)
{
	return *(const loose *)from;
}

INLINE void store(float *to, vec value)
{
	*(loose *)to = value;
}

INLINE vec spread(float value)
{
	return (vec){0} + value;
}

INLINE vec choose(mask where, vec yes, vec no)
{
	return (vec)(((mask)yes & where) | ((mask)no & ~where));
}

/* A comparison with NaN is false, so NaN stays. */
INLINE vec clamp(vec value, vec low, vec high)
{
	value = choose((mask)(value < low), low, value);
	return choose((mask)(value > high), high, value);
}

/* @pixels and @panels are constants once inlined; all rows are there. */
INLINE void gemm_tile(const struct mx_conv_work *work, const size_t pixels,
		      const size_t panels)
{
	const size_t vecs = panels * PANEL_VECS;
	const vec low = spread(work->low), high = spread(work->high);
	vec sum[PIXELS][PANELS * PANEL_VECS] = {{{0}}};
	const float *x[PIXELS];
	size_t p, k, i, j;

	for (p = 0; p < work->positions; p++) {
		const float *w0 = work->weights[0] + work->at[p] * ROWS;
		const float *w1 = w0;

		if (panels > 1)
			w1 = work->weights[1] + work->at[p] * ROWS;
		unrolled_for (i, pixels)
			x[i] = work->x[p * pixels + i] + work->x_offset;
		for (k = 0; k < work->run; k++) {
			vec w[PANELS * PANEL_VECS];

			unrolled_for (j, vecs)
				w[j] = load((j < PANEL_VECS ? w0 : w1) +
					    k * ROWS + j % PANEL_VECS * VEC);
			unrolled_for (i, pixels)
				unrolled_for (j, vecs)
					sum[i][j] += x[i][k] * w[j];
		}
	}
	unrolled_for (i, pixels) {
		const float *from = work->bias ? work->bias : work->out[i];

		unrolled_for (j, vecs)
			store(work->out[i] + j * VEC,
			      clamp(load(from + j * VEC) + sum[i][j], low,
				    high));
	}
}

#define TILE(pixels, panels)                                                   \
	static void tile_##pixels##_##panels(const struct mx_conv_work *work)  \
	{                                                                      \
		gemm_tile(work, pixels, panels);                               \
	}

#if PIXELS >= 14
#define FOR_PIXELS(X, panels)                                                  \
	X(1, panels)                                                           \
	X(2, panels)                                                           \
	X(3, panels)                                                           \
	X(4, panels)                                                           \
	X(5, panels)                                                           \
	X(6, panels)                                                           \
	X(7, panels)                                                           \
	X(8, panels)                                                           \
	X(9, panels)                                                           \
	X(10, panels)                                                          \
	X(11, panels)                                                          \
	X(12, panels)                                                          \
	X(13, panels)                                                          \
	X(14, panels)
#elif PIXELS >= 6
#define FOR_PIXELS(X, panels)                                                  \
	X(1, panels)                                                           \
	X(2, panels) X(3, panels) X(4, panels) X(5, panels) X(6, panels)
#else
#define FOR_PIXELS(X, panels) X(1, panels) X(2, panels) X(3, panels)
#endif
#define ENTRY(pixels, panels) tile_##pixels##_##panels,

FOR_PIXELS(TILE, 1)
#if PANELS > 1
FOR_PIXELS(TILE, 2)
#endif

static void (*const tiles[PANELS][PIXELS])(const struct mx_conv_work *) = {
	{FOR_PIXELS(ENTRY, 1)},
#if PANELS > 1
	{FOR_PIXELS(ENTRY, 2)},
#endif
};

/* A last panel with fewer rows computes all 16 beside the output and copies
 * those that exist; the caller has filled its weights up with zeros. */
static void gemm_short(const struct mx_conv_work *work)
{
	float sum[PIXELS][PANELS * ROWS];
	float bias[PANELS * ROWS];
	float *out[PIXELS];
	struct mx_conv_work padded = *work;
	const size_t bytes = work->rows * sizeof(float);
	size_t i;

	memset(bias, 0, sizeof(bias));
	memset(sum, 0, sizeof(sum));
	if (work->bias) {
		memcpy(bias, work->bias, bytes);
		padded.bias = bias;
	}
	for (i = 0; i < work->pixels; i++) {
		out[i] = sum[i];
		if (!work->bias)
			memcpy(sum[i], work->out[i], bytes);
	}
	padded.out = out;
	tiles[work->panels - 1][work->pixels - 1](&padded);
	for (i = 0; i < work->pixels; i++)
		memcpy(work->out[i], sum[i], bytes);
}

static void gemm(const struct mx_conv_work *work)
{
	assert(work->pixels >= 1 && work->pixels <= PIXELS);
	assert(work->panels >= 1 && work->panels <= PANELS);
	assert(work->rows <= work->panels * ROWS);
	if (work->rows < work->panels * ROWS)
		gemm_short(work);
	else
		tiles[work->panels - 1][work->pixels - 1](work);
}

/* @pixels from @first, @vecs vectors of rows from @row. */
INLINE void depth_tile(const struct mx_conv_work *work, const size_t first,
		       const size_t pixels, const size_t row, const size_t vecs)
{
	const vec low = spread(work->low), high = spread(work->high);
	const size_t offset = work->x_offset + row;
	vec sum[DEPTH_PIXELS][DEPTH_VECS] = {{{0}}};
	size_t p, i, j;

	for (p = 0; p < work->positions; p++) {
		const float *const *x = work->x + p * work->pixels + first;
		const float *w = work->weights[0] +
				 work->at[p] * work->weight_step + row;

		unrolled_for (i, pixels)
			unrolled_for (j, vecs)
				sum[i][j] += load(x[i] + offset + j * VEC) *
					     load(w + j * VEC);
	}
	unrolled_for (i, pixels) {
		float *to = work->out[first + i] + row;
		const float *from = work->bias ? work->bias + row : to;

		unrolled_for (j, vecs)
			store(to + j * VEC,
			      clamp(load(from + j * VEC) + sum[i][j], low,
				    high));
	}
}

/* The rows from @row on that fill no vector. */
static void depth_rest(const struct mx_conv_work *work, size_t pixel,
		       size_t row)
{
	size_t p;

	for (; row < work->rows; row++) {
		float *to = work->out[pixel] + row;
		float sum = 0;

		for (p = 0; p < work->positions; p++)
			sum += work->x[p * work->pixels + pixel]
				      [work->x_offset + row] *
			       work->weights[0]
					    [work->at[p] * work->weight_step +
					     row];
		sum += work->bias ? work->bias[row] : *to;
		sum = sum < work->low ? work->low : sum;
		*to = sum > work->high ? work->high : sum;
	}
}

static void depthwise(const struct mx_conv_work *work)
{
	const size_t wide = DEPTH_VECS * VEC;
	size_t first, row, i;

	for (first = 0; first < work->pixels; first += DEPTH_PIXELS) {
		const int whole = work->pixels - first >= DEPTH_PIXELS;
		const size_t end = whole ? first + DEPTH_PIXELS : work->pixels;

		for (row = 0; row + wide <= work->rows; row += wide) {
			if (whole)
				depth_tile(work, first, DEPTH_PIXELS, row,
					   DEPTH_VECS);
			else
				for (i = first; i < end; i++)
					depth_tile(work, i, 1, row, DEPTH_VECS);
		}
		for (; row + VEC <= work->rows; row += VEC) {
			if (whole)
				depth_tile(work, first, DEPTH_PIXELS, row, 1);
			else
				for (i = first; i < end; i++)
					depth_tile(work, i, 1, row, 1);
		}
		for (i = first; i < end; i++)
			depth_rest(work, i, row);
	}
}

extern const struct mx_simd_conv MX_SIMD_TABLE(conv);
const struct mx_simd_conv MX_SIMD_TABLE(conv) = {
	.pixels = PIXELS,
	.panels = PANELS,
	.gemm = gemm,
	.depthwise = depthwise,
};
