#include "lib/simd_strip.h"

#include "lib/simd.h"
#include "tests/op_fixture.h"

#define POSITIONS 3
#define RUN 5
#define ELEMS (POSITIONS * RUN)
#define ROWS_MAX 70
#define PANELS ((ROWS_MAX + MX_CONV_PANEL_ROWS - 1) / MX_CONV_PANEL_ROWS)
#define PIXELS_MAX MX_CONV_PIXELS_MAX
#define X_STEP 9
#define OUT_STEP (ROWS_MAX + 3)
#define MARK 12345.0f

struct fixture {
	struct op_run run; /* owns what is random */
	const float *x[POSITIONS];
	const float *weights; /* [row][elem] */
	const float *bias;
	float panels[PANELS][ELEMS][MX_CONV_PANEL_ROWS];
	float out[PIXELS_MAX + 1][OUT_STEP];
	struct mx_strip strip;
};

static int set_up(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	size_t p;

	assert_non_null(fx);
	for (p = 0; p < POSITIONS; p++)
		fx->x[p] = op_random(&fx->run, PIXELS_MAX * X_STEP + RUN,
				     (uint32_t)p + 1, -1, 1);
	fx->weights = op_random(&fx->run, ROWS_MAX * ELEMS, 9, -1, 1);
	fx->bias = op_random(&fx->run, ROWS_MAX, 10, -1, 1);
	*state = fx;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fx = *state;

	op_end(&fx->run);
	free(fx);
	return 0;
}

/* @rows rows, of which the last panel's that are not there are NaN. */
static void begin(struct fixture *fx, size_t rows)
{
	size_t pixel, row, k;

	for (row = 0; row < PANELS * MX_CONV_PANEL_ROWS; row++)
		for (k = 0; k < ELEMS; k++)
			fx->panels[row / MX_CONV_PANEL_ROWS][k]
				  [row % MX_CONV_PANEL_ROWS] =
				row < rows ? fx->weights[row * ELEMS + k] : NAN;
	for (pixel = 0; pixel <= PIXELS_MAX; pixel++)
		for (row = 0; row < OUT_STEP; row++)
			fx->out[pixel][row] = MARK;
	fx->strip = (struct mx_strip){
		.positions = POSITIONS,
		.run = RUN,
		.x = fx->x,
		.x_step = X_STEP,
		.weights = fx->panels[0][0],
		.tail = fx->panels[rows / MX_CONV_PANEL_ROWS][0],
		.rows = rows,
		.bias = fx->bias,
		.out = fx->out[0],
		.out_step = OUT_STEP,
		.low = -INFINITY,
		.high = INFINITY,
	};
}

static double want_at(const struct fixture *fx, size_t pixel, size_t row)
{
	double sum = (double)fx->bias[row];
	size_t p, k;

	for (p = 0; p < POSITIONS; p++)
		for (k = 0; k < RUN; k++)
			sum += (double)fx->x[p][pixel * X_STEP + k] *
			       (double)fx->weights[row * ELEMS + p * RUN + k];
	return sum;
}

static void expect(const struct fixture *fx)
{
	size_t pixel, row;

	for (pixel = 0; pixel <= PIXELS_MAX; pixel++)
		for (row = 0; row < OUT_STEP; row++) {
			const float got = fx->out[pixel][row];

			if (pixel >= fx->strip.pixels || row >= fx->strip.rows)
				assert_true(got == MARK);
			else if (!(fabs((double)got -
					fmin(fmax(want_at(fx, pixel, row),
						  (double)fx->strip.low),
					     (double)fx->strip.high)) <= 3e-6))
				fail_msg("pixel %zu, row %zu: %g", pixel, row,
					 (double)got);
		}
}

static void products_of_any_size_write_what_they_should(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	size_t i, pixels, rows;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (pixels = 1; pixels <= simd->strip->pixels; pixels++)
			for (rows = 1; rows <= ROWS_MAX; rows++) {
				begin(fx, rows);
				fx->strip.pixels = pixels;
				simd->strip->product(&fx->strip);
				expect(fx);
			}
}

/* @rows rows of as many pixels as go together, and the same one pixel and one
 * panel at a time. */
static void compare_cuts(struct fixture *fx, const struct mx_simd *simd,
			 size_t rows)
{
	const size_t pixels = simd->strip->pixels;
	float whole[PIXELS_MAX][OUT_STEP];
	const float *x[POSITIONS];
	size_t pixel, p, row;

	begin(fx, rows);
	fx->strip.pixels = pixels;
	simd->strip->product(&fx->strip);
	memcpy(whole, fx->out, sizeof(whole));
	begin(fx, rows);
	fx->strip.pixels = 1;
	fx->strip.x = x;
	for (pixel = 0; pixel < pixels; pixel++) {
		for (p = 0; p < POSITIONS; p++)
			x[p] = fx->x[p] + pixel * X_STEP;
		for (row = 0; row < rows; row += MX_CONV_PANEL_ROWS) {
			const size_t left = rows - row;

			fx->strip.weights =
				fx->panels[row / MX_CONV_PANEL_ROWS][0];
			fx->strip.bias = fx->bias + row;
			fx->strip.out = &fx->out[pixel][row];
			fx->strip.rows = left < MX_CONV_PANEL_ROWS
						 ? left
						 : MX_CONV_PANEL_ROWS;
			simd->strip->product(&fx->strip);
		}
	}
	assert_memory_equal(whole, fx->out, sizeof(whole));
}

static void how_many_pixels_and_rows_go_together_changes_no_bit(void **state)
{
	/* Whole panels, and last ones of each kind. */
	static const size_t rows[] = {ROWS_MAX, 64, 60, 56, 24, 10, 8, 3};
	const struct mx_simd *simd;
	size_t i, k;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			compare_cuts(*state, simd, rows[k]);
}

static void results_are_clamped_and_nan_stays(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	size_t i, row;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		begin(fx, ROWS_MAX);
		fx->strip.pixels = 1;
		fx->strip.low = -0.25f;
		fx->strip.high = 0.5f;
		simd->strip->product(&fx->strip);
		expect(fx);
		begin(fx, ROWS_MAX);
		fx->strip.pixels = 1;
		fx->strip.low = 0;
		for (row = 0; row < PANELS; row++)
			fx->panels[row][0][3] = NAN;
		simd->strip->product(&fx->strip);
		assert_true(isnan(fx->out[0][3]));
		assert_true(isnan(fx->out[0][19]));
		assert_true(isnan(fx->out[0][67])); /* a short panel */
		assert_true(fx->out[0][4] >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			products_of_any_size_write_what_they_should, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			how_many_pixels_and_rows_go_together_changes_no_bit,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			results_are_clamped_and_nan_stays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
