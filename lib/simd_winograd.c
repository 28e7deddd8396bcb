#include "lib/simd_winograd.h"

#include <assert.h>
#include <string.h>

#include "lib/simd.h"
#include "lib/simd_each.h"
#include "lib/simd_vec.h"

/*
 * TILES x PANELS * 16 sums, the weights of one
 * channel and a broadcast input fill the register file, no more.
 */
#if defined(__AVX512F__)
#define TILES 14
#define PANELS 2
#elif defined(__AVX2__)
#define TILES 6
#define PANELS 1
#elif defined(__aarch64__)
#define TILES 6
#define PANELS 1
#else
#define TILES 3
#define PANELS 1
#endif

#define ROWS MX_WINOGRAD_ROWS
#define PANEL_VECS (ROWS / MX_VEC)
#define IN MX_WINOGRAD_IN
#define OUT MX_WINOGRAD_OUT
#define KERNEL MX_WINOGRAD_KERNEL
#define POINTS MX_WINOGRAD_POINTS

_Static_assert(MX_WINOGRAD_LANES % MX_VEC == 0, "whole vectors");

/*
 * The transforms are the same on rows and columns. Their first half leaves
 * two of a column's values at a time, which the second half takes on as whole
 * rows: so many fit the registers.
 */

/*
 * Polynomials are evaluated at 0, A, -A, B, -B and infinity. Lavin and Gray
 * take 1 and 2; these two, whose product is 1, keep the constants' range small
 * and leave a third of the error (tests/test_winograd.c).
 */
#define A 0.70710678118654752f /* its square is 1/2 */
#define B 1.41421356237309505f /* its square is 2 */

/* The input's points 1 and 2, 3 and 4, 0 and 5. */
MX_VEC_INLINE void input_12(const mx_vec x[IN], mx_vec *p1, mx_vec *p2)
{
	const mx_vec even = x[4] - x[2] * 2.0f;
	const mx_vec odd = x[3] - x[1] * 2.0f;

	*p1 = even + odd * A;
	*p2 = even - odd * A;
}

MX_VEC_INLINE void input_34(const mx_vec x[IN], mx_vec *p3, mx_vec *p4)
{
	const mx_vec even = x[4] - x[2] * 0.5f;
	const mx_vec odd = x[3] - x[1] * 0.5f;

	*p3 = even + odd * B;
	*p4 = even - odd * B;
}

MX_VEC_INLINE void input_05(const mx_vec x[IN], mx_vec *p0, mx_vec *p5)
{
	*p0 = (x[4] - x[2] * 2.5f) + x[0];
	*p5 = (x[5] - x[3] * 2.5f) + x[1];
}

/* A row of the input's points from what the first half left of it. */
MX_VEC_INLINE void input_row(const mx_vec x[IN], float *v, size_t v_point)
{
	mx_vec p[IN];
	size_t i;

	input_05(x, &p[0], &p[5]);
	input_12(x, &p[1], &p[2]);
	input_34(x, &p[3], &p[4]);
	mx_vec_for (i, IN)
		mx_vec_store(v + i * v_point, p[i]);
}

/* MX_VEC channels at @c. Pixels are read once: where their distance is a power
 * of two they drive each other out of the cache. */
MX_VEC_INLINE void input_vec(const float *const *x, size_t c, float *v,
			     size_t v_point)
{
	mx_vec half[IN][IN], column[IN];
	size_t i, j;

	mx_vec_for (j, IN) {
		mx_vec_for (i, IN)
			column[i] = mx_vec_load(x[i * IN + j] + c);
		input_05(column, &half[0][j], &half[5][j]);
		input_12(column, &half[1][j], &half[2][j]);
		input_34(column, &half[3][j], &half[4][j]);
	}
	mx_vec_for (i, IN)
		input_row(half[i], v + i * IN * v_point, v_point);
}

/* A cache line, for all that one can know. */
#define LINE_FLOATS 16

static void input(const float *const x[POINTS], const float *const next[POINTS],
		  size_t channels, float *v, size_t v_point)
{
	float rest[POINTS][MX_VEC];
	const float *at[POINTS];
	size_t c, i;

	for (c = 0; c + MX_VEC <= channels; c += MX_VEC) {
		if (c % LINE_FLOATS == 0)
			for (i = 0; i < POINTS; i++)
				__builtin_prefetch(next[i] + c);
		input_vec(x, c, v + c, v_point);
	}
	if (c == channels)
		return;
	memset(rest, 0, sizeof(rest));
	for (i = 0; i < POINTS; i++) {
		memcpy(rest[i], x[i] + c, (channels - c) * sizeof(float));
		at[i] = rest[i];
	}
	input_vec(at, 0, v + c, v_point);
}

/* The weights', with the divisors of the interpolation. */
MX_VEC_INLINE void weights_12(const mx_vec w[KERNEL], mx_vec *p1, mx_vec *p2)
{
	const mx_vec even = w[0] * (-1.0f / 1.5f) + w[2] * (-0.5f / 1.5f);
	const mx_vec odd = w[1] * (-A / 1.5f);

	*p1 = even + odd;
	*p2 = even - odd;
}

MX_VEC_INLINE void weights_34(const mx_vec w[KERNEL], mx_vec *p3, mx_vec *p4)
{
	const mx_vec even = w[0] * (1.0f / 6) + w[2] * (2.0f / 6);
	const mx_vec odd = w[1] * (B / 6);

	*p3 = even + odd;
	*p4 = even - odd;
}

MX_VEC_INLINE void weights_05(const mx_vec w[KERNEL], mx_vec *p0, mx_vec *p5)
{
	*p0 = w[0];
	*p5 = w[2];
}

MX_VEC_INLINE void weights_row(const mx_vec w[KERNEL], float *u, size_t u_point)
{
	mx_vec p[IN];
	size_t i;

	weights_05(w, &p[0], &p[5]);
	weights_12(w, &p[1], &p[2]);
	weights_34(w, &p[3], &p[4]);
	mx_vec_for (i, IN)
		mx_vec_store(u + i * u_point, p[i]);
}

/* MX_VEC rows of one channel, for one stage. */
#define WEIGHTS_STAGE(name, half)                                              \
	MX_VEC_INLINE void name(const float *w, size_t step, float *u,         \
				size_t u_point)                                \
	{                                                                      \
		mx_vec a[KERNEL], b[KERNEL], column[KERNEL];                   \
		size_t i, j;                                                   \
                                                                               \
		mx_vec_for (j, KERNEL) {                                       \
			mx_vec_for (i, KERNEL)                                 \
				column[i] = mx_vec_load(w + (i * KERNEL + j) * \
								    step);     \
			half(column, &a[j], &b[j]);                            \
		}                                                              \
		weights_row(a, u, u_point);                                    \
		weights_row(b, u + IN * u_point, u_point);                     \
	}                                                                      \
	static void name##_panel(const float *w, size_t step, size_t channels, \
				 float *u, size_t u_point)                     \
	{                                                                      \
		size_t c;                                                      \
                                                                               \
		for (c = 0; c < channels * ROWS; c += MX_VEC)                  \
			name(w + c, step, u + c, u_point);                     \
	}

WEIGHTS_STAGE(stage_0, weights_05)
WEIGHTS_STAGE(stage_1, weights_12)
WEIGHTS_STAGE(stage_2, weights_34)

/* The rows of MX_WINOGRAD_IN points of each stage. */
static const unsigned char stage_rows[MX_WINOGRAD_STAGES][2] = {
	{0, 5}, {1, 2}, {3, 4}};

static void weights(const struct mx_winograd_weights *work)
{
	static void (*const stages[MX_WINOGRAD_STAGES])(
		const float *, size_t, size_t, float *,
		size_t) = {stage_0_panel, stage_1_panel, stage_2_panel};
	const float *w = work->panel;
	float filled[KERNEL * KERNEL][ROWS];
	size_t c, p;

	if (work->width == ROWS) {
		stages[work->stage](w, work->position_step, work->channels,
				    work->u, work->u_point);
		return;
	}
	memset(filled, 0, sizeof(filled));
	for (c = 0; c < work->channels; c++) {
		for (p = 0; p < KERNEL * KERNEL; p++)
			memcpy(filled[p],
			       w + p * work->position_step + c * work->width,
			       work->width * sizeof(float));
		stages[work->stage](filled[0], ROWS, 1, work->u + c * ROWS,
				    work->u_point);
	}
}

/* @tiles and @panels are constants once inlined. */
MX_VEC_INLINE void product_tile(const float *v, size_t v_tile, const float *u,
				size_t u_panel, size_t channels, float *m,
				size_t m_tile, int is_first, const size_t tiles,
				const size_t panels)
{
	const size_t vecs = panels * PANEL_VECS;
	mx_vec sum[TILES][PANELS * PANEL_VECS] = {{{0}}};
	size_t k, i, j;

	if (!is_first)
		mx_vec_for (i, tiles)
			mx_vec_for (j, vecs)
				sum[i][j] = mx_vec_load(m + i * m_tile +
							j * MX_VEC);
	for (k = 0; k < channels; k++) {
		mx_vec w[PANELS * PANEL_VECS];

		mx_vec_for (j, vecs)
			w[j] = mx_vec_load(u + j / PANEL_VECS * u_panel +
					   k * ROWS + j % PANEL_VECS * MX_VEC);
		mx_vec_for (i, tiles)
			mx_vec_for (j, vecs)
				sum[i][j] += v[i * v_tile + k] * w[j];
	}
	mx_vec_for (i, tiles)
		mx_vec_for (j, vecs)
			mx_vec_store(m + i * m_tile + j * MX_VEC, sum[i][j]);
}

/* One point, @tiles tiles from @v and @m on, panels from @u on. */
#define TILE(tiles, panels)                                                    \
	static void tile_##tiles##_##panels(                                   \
		const struct mx_winograd_product *work, const float *v,        \
		const float *u, float *m)                                      \
	{                                                                      \
		product_tile(v, work->v_tile, u, work->u_panel,                \
			     work->channels, m, work->m_tile, work->is_first,  \
			     tiles, panels);                                   \
	}

#if TILES == 14
#define FOR_TILES MX_SIMD_EACH_14
#elif TILES == 6
#define FOR_TILES MX_SIMD_EACH_6
#else
#define FOR_TILES MX_SIMD_EACH_3
#endif
#define ENTRY(tiles, panels) tile_##tiles##_##panels,

FOR_TILES(TILE, 1)
#if PANELS > 1
FOR_TILES(TILE, 2)
#endif

static void (*const tiles_of[PANELS][TILES])(const struct mx_winograd_product *,
					     const float *, const float *,
					     float *) = {
	{FOR_TILES(ENTRY, 1)},
#if PANELS > 1
	{FOR_TILES(ENTRY, 2)},
#endif
};

/* Point @index of a stage's share of the weights that come next: in each stage
 * a third of their pieces, of which there is one for each panel and position
 * of the kernel; two points fetch a piece. */
static void fetch_ahead(const struct mx_winograd_product *work, size_t index,
			size_t call, size_t calls)
{
	const size_t piece =
		work->stage * (MX_WINOGRAD_STAGE_POINTS / 2) + index / 2;
	const size_t lines = work->channels / 2;
	const size_t begin = lines * (index % 2) + lines * call / calls;
	const size_t end = lines * (index % 2) + lines * (call + 1) / calls;
	const float *from = work->ahead[piece / (KERNEL * KERNEL)];
	size_t i;

	if (!from)
		return;
	from += piece % (KERNEL * KERNEL) * work->ahead_step;
	for (i = begin; i < end; i++)
		__builtin_prefetch(from + i * ROWS, 0, 2);
}

/* Point @index of the stage: calls of about equal size. */
static void product_point(const struct mx_winograd_product *work, size_t index)
{
	const size_t point =
		stage_rows[work->stage][index / IN] * IN + index % IN;
	const size_t calls = (work->tiles + TILES - 1) / TILES;
	const float *v = work->v + point * work->v_point;
	const float *u = work->u + index * work->u_point;
	float *m = work->m + point * work->m_point;
	size_t panel, panels, call;

	for (panel = 0; panel < work->panels; panel += panels) {
		panels = work->panels - panel < PANELS ? work->panels - panel
						       : PANELS;
		for (call = 0; call < calls; call++) {
			const size_t begin = call * work->tiles / calls;
			const size_t end = (call + 1) * work->tiles / calls;

			if (panel == 0)
				fetch_ahead(work, index, call, calls);
			tiles_of[panels - 1][end - begin - 1](
				work, v + begin * work->v_tile,
				u + panel * work->u_panel,
				m + begin * work->m_tile + panel * ROWS);
		}
	}
}

static void product(const struct mx_winograd_product *work)
{
	size_t i;

	assert(work->tiles >= 1 && work->panels >= 1);
	for (i = 0; i < MX_WINOGRAD_STAGE_POINTS; i++)
		product_point(work, i);
}

/* Outputs 0 and 2 need the points' sums, 1 and 3 the differences. */
MX_VEC_INLINE void output_02(const mx_vec m[IN], mx_vec *y0, mx_vec *y2)
{
	const mx_vec near = m[1] + m[2];
	const mx_vec far = m[3] + m[4];

	*y0 = m[0] + near + far;
	*y2 = near * 0.5f + far * 2.0f;
}

MX_VEC_INLINE void output_13(const mx_vec m[IN], mx_vec *y1, mx_vec *y3)
{
	const mx_vec near = (m[1] - m[2]) * A;
	const mx_vec far = (m[3] - m[4]) * B;

	*y1 = near + far;
	*y3 = (m[5] + near * 0.5f) + far * 2.0f;
}

/* A row of the tile's pixels. */
MX_VEC_INLINE void output_row(const mx_vec m[IN], mx_vec y[OUT])
{
	output_02(m, &y[0], &y[2]);
	output_13(m, &y[1], &y[3]);
}

/* MX_VEC rows at @m, which become pixels y[OUT][OUT]. */
MX_VEC_INLINE void output_vec(const float *m, size_t m_point,
			      mx_vec y[OUT][OUT])
{
	mx_vec a[IN], b[IN], column[IN];
	size_t i, j;

#define OUTPUT_ROWS(half, first, last, from, to)                               \
	mx_vec_for (j, IN) {                                                   \
		mx_vec_for (i, IN)                                             \
			if (i + 1 > (from) && i <= (to))                       \
				column[i] = mx_vec_load(m + (i * IN + j) *     \
								    m_point);  \
		half(column, &a[j], &b[j]);                                    \
	}                                                                      \
	output_row(a, y[first]);                                               \
	output_row(b, y[last])

	OUTPUT_ROWS(output_02, 0, 2, 0, 4);
	OUTPUT_ROWS(output_13, 1, 3, 1, 5);
}

static void output(const struct mx_winograd_output *work)
{
	const mx_vec low = mx_vec_spread(work->low),
		     high = mx_vec_spread(work->high);
	size_t r, i;

	for (r = 0; r < work->rows; r += MX_VEC) {
		const size_t left = work->rows - r;
		mx_vec y[OUT][OUT], bias = {0};

		output_vec(work->m + r, work->m_point, y);
		if (left >= MX_VEC)
			bias = mx_vec_load(work->bias + r);
		else
			memcpy(&bias, work->bias + r, left * sizeof(float));
		mx_vec_for (i, OUT * OUT) {
			const mx_vec value = mx_vec_clamp(
				y[i / OUT][i % OUT] + bias, low, high);

			if (!work->y[i])
				continue;
			if (left >= MX_VEC)
				mx_vec_store(work->y[i] + r, value);
			else
				memcpy(work->y[i] + r, &value,
				       left * sizeof(float));
		}
	}
}

extern const struct mx_simd_winograd MX_SIMD_TABLE(winograd);
const struct mx_simd_winograd MX_SIMD_TABLE(winograd) = {
	.input = input,
	.weights = weights,
	.product = product,
	.output = output,
};
