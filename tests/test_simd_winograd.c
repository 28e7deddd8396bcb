#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/simd.h"
#include "lib/simd_winograd.h"

#define IN MX_WINOGRAD_IN
#define OUT MX_WINOGRAD_OUT
#define POINTS MX_WINOGRAD_POINTS
#define PIXELS MX_WINOGRAD_PIXELS
#define ROWS MX_WINOGRAD_ROWS
#define WINDOW 9
#define CHANNELS_MAX 40
#define LANES_MAX 48
#define TILES_MAX 31
#define PANELS 2

/* One case: all of the steps on one tile after the other. */
struct steps {
	size_t channels;
	size_t rows;
	size_t tiles;
	float x[TILES_MAX][POINTS][CHANNELS_MAX];
	float w[PANELS][WINDOW * CHANNELS_MAX * ROWS]; /* [9][channel][row] */
	float bias[PANELS * ROWS];
	float v[POINTS][TILES_MAX][LANES_MAX];
	float u[MX_WINOGRAD_STAGE_POINTS][PANELS][CHANNELS_MAX * ROWS];
	float m[POINTS][TILES_MAX][PANELS * ROWS];
	float y[TILES_MAX][PIXELS][PANELS * ROWS];
};

static float next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static size_t width_of(const struct steps *s, size_t panel)
{
	const size_t left = s->rows - panel * ROWS;

	return left < ROWS ? left : ROWS;
}

static size_t panel_count(const struct steps *s)
{
	return (s->rows + ROWS - 1) / ROWS;
}

static struct steps *steps_new(size_t tiles, size_t channels, size_t rows)
{
	struct steps *s = calloc(1, sizeof(*s));
	uint32_t state = 7;
	size_t i, j, k;

	assert_non_null(s);
	s->tiles = tiles;
	s->channels = channels;
	s->rows = rows;
	for (i = 0; i < tiles; i++)
		for (j = 0; j < POINTS; j++)
			for (k = 0; k < channels; k++)
				s->x[i][j][k] = next_random(&state);
	for (i = 0; i < panel_count(s); i++)
		for (j = 0; j < WINDOW * channels * width_of(s, i); j++)
			s->w[i][j] = next_random(&state);
	for (i = 0; i < rows; i++)
		s->bias[i] = next_random(&state);
	return s;
}

static void run_inputs(struct steps *s, const struct mx_simd_winograd *simd)
{
	const float *x[POINTS];
	size_t i, j;

	for (i = 0; i < s->tiles; i++) {
		for (j = 0; j < POINTS; j++)
			x[j] = s->x[i][j];
		simd->input(x, x, s->channels, s->v[0][i],
			    sizeof(s->v[0]) / sizeof(float));
	}
}

/* Products of @per_call tiles and @channels channels at once. */
static void run_products(struct steps *s, const struct mx_simd_winograd *simd,
			 size_t per_call, size_t channels)
{
	struct mx_winograd_weights weights = {.u_point = sizeof(s->u[0]) /
							 sizeof(float)};
	struct mx_winograd_product product = {
		.panels = panel_count(s),
		.v_point = sizeof(s->v[0]) / sizeof(float),
		.v_tile = LANES_MAX,
		.u = s->u[0][0],
		.u_point = sizeof(s->u[0]) / sizeof(float),
		.u_panel = sizeof(s->u[0][0]) / sizeof(float),
		.m_point = sizeof(s->m[0]) / sizeof(float),
		.m_tile = PANELS * ROWS,
	};
	size_t first, stage, i;

	for (first = 0; first < s->channels; first += channels)
		for (stage = 0; stage < MX_WINOGRAD_STAGES; stage++) {
			weights.channels = s->channels - first < channels
						   ? s->channels - first
						   : channels;
			weights.stage = stage;
			for (i = 0; i < panel_count(s); i++) {
				weights.width = width_of(s, i);
				weights.panel = s->w[i] + first * weights.width;
				weights.position_step =
					s->channels * weights.width;
				weights.u = s->u[0][i];
				simd->weights(&weights);
			}
			product.stage = stage;
			product.channels = weights.channels;
			product.is_first = first == 0;
			for (i = 0; i < s->tiles; i += product.tiles) {
				product.tiles = s->tiles - i < per_call
							? s->tiles - i
							: per_call;
				product.v = s->v[0][i] + first;
				product.m = s->m[0][i];
				simd->product(&product);
			}
		}
}

static void run_outputs(struct steps *s, const struct mx_simd_winograd *simd,
			float low, float high)
{
	struct mx_winograd_output output = {
		.m_point = sizeof(s->m[0]) / sizeof(float),
		.rows = s->rows,
		.bias = s->bias,
		.low = low,
		.high = high,
	};
	size_t i, j;

	for (i = 0; i < s->tiles; i++) {
		output.m = s->m[0][i];
		for (j = 0; j < PIXELS; j++)
			output.y[j] = s->y[i][j];
		simd->output(&output);
	}
}

/* Pixel @pixel of tile @tile by the definition. */
static double expected(const struct steps *s, size_t tile, size_t pixel,
		       size_t row)
{
	const size_t panel = row / ROWS, width = width_of(s, panel);
	double sum = (double)s->bias[row];
	size_t p, c;

	for (p = 0; p < WINDOW; p++) {
		const size_t at =
			(pixel / OUT + p / 3) * IN + pixel % OUT + p % 3;

		for (c = 0; c < s->channels; c++)
			sum += (double)s->x[tile][at][c] *
			       (double)s->w[panel]
					   [(p * s->channels + c) * width +
					    row % ROWS];
	}
	return sum;
}

static void expect_steps(const struct steps *s, double low, double high)
{
	size_t i, j, r;

	for (i = 0; i < s->tiles; i++)
		for (j = 0; j < PIXELS; j++) {
			for (r = 0; r < s->rows; r++)
				assert_true(fabs((double)s->y[i][j][r] -
						 fmin(fmax(expected(s, i, j, r),
							   low),
						      high)) < 1e-4);
			for (; r < PANELS * ROWS; r++)
				assert_true(s->y[i][j][r] == 0);
		}
}

static void steps_together_are_the_convolution(void **state)
{
	static const struct {
		size_t tiles, channels, rows;
	} cases[] = {
		{1, 1, 1}, {2, 16, 16}, {3, 5, 7}, {15, 33, 32}, {31, 40, 27}};
	const struct mx_simd *simd;
	size_t c, i;

	(void)state;
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
			struct steps *s =
				steps_new(cases[c].tiles, cases[c].channels,
					  cases[c].rows);

			run_inputs(s, simd->winograd);
			run_products(s, simd->winograd, s->tiles, s->channels);
			run_outputs(s, simd->winograd, -INFINITY, INFINITY);
			expect_steps(s, -INFINITY, INFINITY);
			run_outputs(s, simd->winograd, -0.5f, 1);
			expect_steps(s, -0.5, 1);
			free(s);
		}
}

static void the_cut_into_calls_changes_no_bit(void **state)
{
	const struct mx_simd *simd;
	size_t i, per_call;

	(void)state;
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		struct steps *s = steps_new(TILES_MAX, 37, 32);
		float(*first)[TILES_MAX][PANELS * ROWS] = malloc(sizeof(s->m));

		assert_non_null(first);
		run_inputs(s, simd->winograd);
		run_products(s, simd->winograd, TILES_MAX, 16);
		memcpy(first, s->m, sizeof(s->m));
		for (per_call = 1; per_call < TILES_MAX; per_call++) {
			memset(s->m, 0xa5, sizeof(s->m));
			run_products(s, simd->winograd, per_call, 16);
			assert_memory_equal(first, s->m, sizeof(s->m));
		}
		free(first);
		free(s);
	}
}

static void missing_pixels_and_rows_are_not_written(void **state)
{
	const struct mx_simd *simd;
	float m[POINTS][ROWS], y[PIXELS][ROWS], bias[ROWS];
	size_t i, j, r;

	(void)state;
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		struct mx_winograd_output work = {.m = m[0],
						  .m_point = ROWS,
						  .rows = 5,
						  .bias = bias,
						  .low = -INFINITY,
						  .high = INFINITY};

		memset(m, 0, sizeof(m));
		for (r = 0; r < ROWS; r++)
			bias[r] = (float)r;
		for (j = 0; j < PIXELS; j++) {
			work.y[j] = j % 3 ? y[j] : NULL;
			for (r = 0; r < ROWS; r++)
				y[j][r] = -1;
		}
		simd->winograd->output(&work);
		for (j = 0; j < PIXELS; j++)
			for (r = 0; r < ROWS; r++)
				assert_true(y[j][r] ==
					    (j % 3 && r < 5 ? (float)r : -1));
	}
}

static void nan_stays_through_the_clamp(void **state)
{
	const struct mx_simd *simd;
	float m[POINTS][ROWS], y[PIXELS][ROWS], bias[ROWS];
	size_t i, j;

	(void)state;
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		struct mx_winograd_output work = {.m = m[0],
						  .m_point = ROWS,
						  .rows = ROWS,
						  .bias = bias,
						  .low = 0,
						  .high = 1};

		memset(m, 0, sizeof(m));
		memset(bias, 0, sizeof(bias));
		bias[3] = NAN;
		bias[4] = INFINITY;
		for (j = 0; j < PIXELS; j++)
			work.y[j] = y[j];
		simd->winograd->output(&work);
		for (j = 0; j < PIXELS; j++) {
			assert_true(isnan(y[j][3]));
			assert_true(y[j][4] == 1);
			assert_true(y[j][5] == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_together_are_the_convolution),
		cmocka_unit_test(the_cut_into_calls_changes_no_bit),
		cmocka_unit_test(missing_pixels_and_rows_are_not_written),
		cmocka_unit_test(nan_stays_through_the_clamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
