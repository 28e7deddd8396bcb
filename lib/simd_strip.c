#include "lib/simd_strip.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/simd.h"
#include "lib/simd_each.h"
#include "lib/simd_vec.h"

/*
 * PIXELS x WIDE_PANELS * 16 accumulators, the weights of one step and a
 * broadcast input fill the register file, no more; so do NARROW x PANELS.
 */
#if defined(__AVX512F__)
#define PIXELS 14
#define WIDE_PANELS 2
#define NARROW 6
#define PANELS 4
#elif defined(__AVX2__) || defined(__aarch64__)
#define PIXELS 6
#define WIDE_PANELS 1
#define NARROW 6
#define PANELS 1
#else
#define PIXELS 3
#define WIDE_PANELS 1
#define NARROW 3
#define PANELS 1
#endif

#define ROWS MX_CONV_PANEL_ROWS
#define PANEL_VECS (ROWS / MX_VEC)
/* A last panel with few rows is computed by half. */
#define HALF_ROWS (ROWS / 2)
#define HALVES (2 * PANELS)
/* What is left of a half panel where vectors are whole ones. */
#define HAS_HALF_VEC (MX_VEC > HALF_ROWS)

#if HAS_HALF_VEC
typedef float half_vec __attribute__((vector_size(HALF_ROWS * sizeof(float))));
typedef float half_vec_loose
	__attribute__((vector_size(HALF_ROWS * sizeof(float)),
		       aligned(sizeof(float)), may_alias));
#endif

/* What a tile needs beside the strip: panels from row @row on. */
struct place {
	const float *panel[PANELS];
	size_t row;
	size_t rows; /* that exist, at most the panels' */
};

/* The first @left of a vector's floats, or all of them. */
MX_VEC_INLINE mx_vec load_rows(const float *from, size_t left)
{
	if (left >= MX_VEC)
		return mx_vec_load(from);
	return left ? mx_vec_load_some(from, left) : (mx_vec){0};
}

MX_VEC_INLINE void store_rows(float *to, mx_vec value, size_t left)
{
	if (left >= MX_VEC)
		mx_vec_store(to, value);
	else if (left)
		mx_vec_store_some(to, value, left);
}

/* Is anything to be clamped? */
MX_VEC_INLINE int clamps(const struct mx_strip *strip)
{
	return strip->low > -INFINITY || strip->high < INFINITY;
}

/* Store one vector of every pixel. */
MX_VEC_INLINE void finish(const struct mx_strip *strip, float *out,
			  mx_vec sum[PIXELS][PANELS * PANEL_VECS],
			  const size_t j, const size_t pixels, size_t left)
{
	const mx_vec low = mx_vec_spread(strip->low);
	const mx_vec high = mx_vec_spread(strip->high);
	size_t i;

	if (clamps(strip))
		mx_vec_for (i, pixels)
			sum[i][j] = mx_vec_clamp(sum[i][j], low, high);
	if (left >= MX_VEC)
		mx_vec_for (i, pixels)
			mx_vec_store(out + i * strip->out_step, sum[i][j]);
	else
		mx_vec_for (i, pixels)
			store_rows(out + i * strip->out_step, sum[i][j], left);
}

#if HAS_HALF_VEC
MX_VEC_INLINE half_vec half_load(const float *from)
{
	return *(const half_vec_loose *)from;
}

MX_VEC_INLINE half_vec half_bias(const float *from, size_t left)
{
	return _mm256_maskz_loadu_ps((__mmask8)((1u << left) - 1), from);
}

/* Store the half vectors, of which @left floats exist. */
MX_VEC_INLINE void half_finish(const struct mx_strip *strip, float *out,
			       half_vec sum[PIXELS], const size_t pixels,
			       size_t left)
{
	const half_vec low = _mm256_set1_ps(strip->low);
	const half_vec high = _mm256_set1_ps(strip->high);
	const __mmask8 mask = (__mmask8)((1u << left) - 1);
	size_t i;

	if (clamps(strip))
		mx_vec_for (i, pixels)
			sum[i] =
				_mm256_min_ps(high, _mm256_max_ps(low, sum[i]));
	mx_vec_for (i, pixels)
		_mm256_mask_storeu_ps(out + i * strip->out_step, mask, sum[i]);
}
#endif

/*
 * Begin to fetch LINE_FLOATS elements from @k on of the strip behind this one,
 * whose pixels lie too far apart for the processor to guess. (They may lie
 * behind the input, too: fetching faults nowhere.)
 */
#define LINE_FLOATS ((size_t)16)
MX_VEC_INLINE void fetch_next(const struct mx_strip *strip, size_t k)
{
	const float *next = strip->x[0] + strip->pixels * strip->x_step + k;
	size_t i;

	for (i = 0; i < strip->pixels; i++)
		__builtin_prefetch(next + i * strip->x_step);
}

/* @pixels and @halves (of panels) are constants once inlined. */
MX_VEC_INLINE void tile(const struct mx_strip *strip, const struct place *place,
			const size_t pixels, const size_t halves)
{
	const size_t vecs = halves * HALF_ROWS / MX_VEC;
	const size_t step = strip->x_step;
	mx_vec sum[PIXELS][PANELS * PANEL_VECS];
	size_t left[PANELS * PANEL_VECS];
	const int is_first = place->row == 0 && strip->positions == 1;
	size_t p, k, first, end, i, j;
#if HAS_HALF_VEC
	const int has_half = halves % 2;
	const size_t half_at = place->row + vecs * MX_VEC;
	const size_t half_left = place->rows - vecs * MX_VEC;
	half_vec half[PIXELS];

	if (has_half) {
		half[0] = half_bias(strip->bias + half_at, half_left);
		mx_vec_for (i, pixels)
			half[i] = half[0];
	}
#endif

	mx_vec_for (i, pixels)
		mx_vec_for (j, (halves + 1) / 2)
			__builtin_prefetch(strip->out + i * strip->out_step +
						   place->row + j * ROWS,
					   1);
	mx_vec_for (j, vecs) {
		const size_t at = j * MX_VEC;
		mx_vec bias;

		left[j] = place->rows > at ? place->rows - at : 0;
		bias = load_rows(strip->bias + place->row + at, left[j]);
		mx_vec_for (i, pixels)
			sum[i][j] = bias;
	}
	for (p = 0; p < strip->positions; p++) {
		const float *x = strip->x[p];
		const float *w[PANELS];

		mx_vec_for (j, (halves + 1) / 2)
			w[j] = place->panel[j] + p * strip->run * ROWS;
		for (first = 0; first < strip->run; first = end) {
			end = strip->run - first < LINE_FLOATS
				      ? strip->run
				      : first + LINE_FLOATS;
			if (is_first)
				fetch_next(strip, first);
			for (k = first; k < end; k++, x++) {
				mx_vec v[PANELS * PANEL_VECS];

				mx_vec_for (j, vecs)
					v[j] = mx_vec_load(
						w[j / PANEL_VECS] + k * ROWS +
						j % PANEL_VECS * MX_VEC);
				mx_vec_for (i, pixels)
					mx_vec_for (j, vecs)
						sum[i][j] += x[i * step] * v[j];
#if HAS_HALF_VEC
				if (has_half) {
					const half_vec h = half_load(
						w[halves / 2] + k * ROWS);

					mx_vec_for (i, pixels)
						half[i] += x[i * step] * h;
				}
#endif
			}
		}
	}
	mx_vec_for (j, vecs)
		finish(strip, strip->out + place->row + j * MX_VEC, sum, j,
		       pixels, left[j]);
#if HAS_HALF_VEC
	if (has_half)
		half_finish(strip, strip->out + half_at, half, pixels,
			    half_left);
#endif
}

#define TILE(pixels, halves)                                                   \
	static void tile_##pixels##_##halves(const struct mx_strip *strip,     \
					     const struct place *place)        \
	{                                                                      \
		tile(strip, place, pixels, halves);                            \
	}

#define ENTRY(pixels, halves) tile_##pixels##_##halves,

/* Of more than two panels there are only whole ones. */
#if PIXELS == 14
MX_SIMD_EACH_14(TILE, 1)
MX_SIMD_EACH_14(TILE, 2)
MX_SIMD_EACH_14(TILE, 3)
MX_SIMD_EACH_14(TILE, 4)
MX_SIMD_EACH_6(TILE, 6)
MX_SIMD_EACH_6(TILE, 8)
#elif PIXELS == 6
MX_SIMD_EACH_6(TILE, 1)
MX_SIMD_EACH_6(TILE, 2)
#else
MX_SIMD_EACH_3(TILE, 1)
MX_SIMD_EACH_3(TILE, 2)
#endif

static void (*const tiles[HALVES][PIXELS])(const struct mx_strip *,
					   const struct place *) = {
#if PIXELS == 14
	{MX_SIMD_EACH_14(ENTRY, 1)}, {MX_SIMD_EACH_14(ENTRY, 2)},
	{MX_SIMD_EACH_14(ENTRY, 3)}, {MX_SIMD_EACH_14(ENTRY, 4)},
	{MX_SIMD_EACH_6(ENTRY, 6)},  {MX_SIMD_EACH_6(ENTRY, 6)},
	{MX_SIMD_EACH_6(ENTRY, 8)},  {MX_SIMD_EACH_6(ENTRY, 8)},
#elif PIXELS == 6
	{MX_SIMD_EACH_6(ENTRY, 1)},
	{MX_SIMD_EACH_6(ENTRY, 2)},
#else
	{MX_SIMD_EACH_3(ENTRY, 1)},
	{MX_SIMD_EACH_3(ENTRY, 2)},
#endif
};

static void product(const struct mx_strip *strip)
{
	const size_t panel_elems = strip->positions * strip->run * ROWS;
	const size_t most = strip->pixels > NARROW ? WIDE_PANELS : PANELS;
	struct place place;

	assert(strip->pixels >= 1 && strip->pixels <= PIXELS);
	for (place.row = 0; place.row < strip->rows; place.row += place.rows) {
		size_t left = strip->rows - place.row;
		size_t panels = 0;

		place.rows = left < most * ROWS ? left : most * ROWS;
		for (; panels < most && left > 0; panels++) {
			place.panel[panels] =
				left < ROWS
					? strip->tail
					: strip->weights +
						  (place.row / ROWS + panels) *
							  panel_elems;
			left -= left < ROWS ? left : ROWS;
		}
		tiles[(place.rows - 1) / HALF_ROWS][strip->pixels - 1](strip,
								       &place);
	}
}

extern const struct mx_simd_strip MX_SIMD_TABLE(strip);
const struct mx_simd_strip MX_SIMD_TABLE(strip) = {
	.pixels = PIXELS,
	.narrow = NARROW,
	.product = product,
};
