#include "lib/simd_pool.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/simd.h"

/* Longest line; one more is kept free behind it to see what writes there. */
#define MOST 1100
#define ROWS 9
#define MARK 12345.0f

static const size_t lengths[] = {1,  2,	 3,  4,	 7,  8,	 9,   15,  16,	17,
				 31, 32, 33, 63, 64, 65, 100, 255, 257, MOST};

static const enum mx_pool_fold folds[] = {
	MX_POOL_FOLD_SUM, MX_POOL_FOLD_ABS, MX_POOL_FOLD_SQUARE,
	MX_POOL_FOLD_MAX, MX_POOL_FOLD_MIN, MX_POOL_FOLD_PRODUCT,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
	float x[ROWS * MOST];
	float y[MOST + 1];
	float squares[3 * MOST];
};

static int set_up(void **state)
{
	struct fixture *fx = malloc(sizeof(*fx));
	uint32_t seed = 7;
	size_t i;

	assert_non_null(fx);
	for (i = 0; i < COUNT(fx->x); i++) {
		seed = seed * 1664525u + 1013904223u;
		fx->x[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
	}
	*state = fx;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void expect_close(float got, double want, double tolerance)
{
	if (fabs((double)got - want) > tolerance * fmax(1.0, fabs(want)))
		fail_msg("%.9g, not %.9g", (double)got, want);
}

/* What the window's element @t (of 3 x 2, ROWS - 3 apart at most) is. */
static const float *tap_of(const struct fixture *fx, size_t t)
{
	return fx->x + (t / 2 * 3 + t % 2) * MOST;
}

static void windows_end_with_the_last_channel(void **state)
{
	struct fixture *fx = *state;
	const struct mx_pool_window window = {
		.x = fx->x,
		.count = {1, 3, 2},
		.stride = {0, 3 * MOST, MOST},
	};
	const struct mx_simd *simd;
	size_t s, i, c, t;

	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (i = 0; i < COUNT(lengths); i++) {
			const size_t n = lengths[i];
			float sums[MOST + 1], squares[MOST + 1];

			fx->y[n] = sums[n] = squares[n] = MARK;
			simd->pool->window_max(&window, n, fx->y);
			simd->pool->window_sum(&window, n, 0.5f, sums);
			simd->pool->window_squares(&window, n, 0.25f, squares);
			assert_true(fx->y[n] == MARK && sums[n] == MARK &&
				    squares[n] == MARK);
			for (c = 0; c < n; c++) {
				double top = -9.0, sum = 0.0, square = 0.0;

				for (t = 0; t < 6; t++) {
					const double v =
						(double)tap_of(fx, t)[c];

					top = fmax(top, v);
					sum += v;
					square += v * v;
				}
				assert_true((double)fx->y[c] == top);
				expect_close(sums[c], 0.5 * sum, 1e-6);
				expect_close(squares[c], 0.25 * square, 1e-6);
			}
		}
}

static void lines_are_combined_in_one_call_or_many(void **state)
{
	struct fixture *fx = *state;
	const float *line[ROWS];
	float weight[ROWS];
	const struct mx_simd *simd;
	size_t s, i, taps, t, c;

	for (t = 0; t < ROWS; t++) {
		line[t] = fx->x + t * MOST;
		weight[t] = 0.25f * (float)t - 1.0f;
	}
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (i = 0; i < COUNT(lengths); i++)
			for (taps = 1; taps <= ROWS; taps++) {
				const size_t n = lengths[i];

				fx->y[n] = MARK;
				simd->pool->combine(line, weight, taps, n,
						    fx->y);
				assert_true(fx->y[n] == MARK);
				for (c = 0; c < n; c++) {
					double sum = 0.0;

					for (t = 0; t < taps; t++)
						sum += (double)weight[t] *
						       (double)line[t][c];
					expect_close(fx->y[c], sum, 1e-6);
				}
			}
	/* What stands in the output can be the first line. */
	simd = mx_simd_best();
	memcpy(fx->y, fx->x, MOST * sizeof(float));
	line[0] = fx->y;
	line[1] = fx->x + MOST;
	weight[0] = weight[1] = 1.0f;
	simd->pool->combine(line, weight, 2, MOST, fx->y);
	for (c = 0; c < MOST; c++)
		assert_true(fx->y[c] == fx->x[c] + fx->x[MOST + c]);
}

static void folds_of_rows_and_columns_equal_the_naive_ones(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	size_t s, i, f, k, row;

	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (i = 0; i < COUNT(lengths); i++)
			for (f = 0; f < COUNT(folds); f++) {
				const enum mx_pool_fold kind = folds[f];
				const size_t n = lengths[i];
				double acc[MOST], centre[MOST];
				double want = mx_pool_fold_start(kind);
				double got = want;

				simd->pool->fold_row(kind, fx->x, n, 0.5, &got);
				for (k = 0; k < n; k++)
					want = mx_pool_fold_one(
						kind, want, (double)fx->x[k],
						0.5);
				expect_close((float)got, (double)(float)want,
					     1e-12);
				for (k = 0; k < n; k++) {
					acc[k] = mx_pool_fold_start(kind);
					centre[k] = (double)k;
				}
				simd->pool->fold_columns(kind, fx->x, n, ROWS,
							 MOST, centre, acc);
				for (k = 0; k < n; k++) {
					want = mx_pool_fold_start(kind);
					for (row = 0; row < ROWS; row++)
						want = mx_pool_fold_one(
							kind, want,
							(double)fx
								->x[row * MOST +
								    k],
							centre[k]);
					assert_true(fabs(acc[k] - want) <=
						    1e-12 * fabs(want));
				}
			}
}

static void softmax_of_any_length_sums_to_one(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	size_t s, i, k;

	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (i = 0; i < COUNT(lengths); i++) {
			const size_t n = lengths[i];
			double sum = 0.0;

			for (k = 0; k < n; k++)
				sum += exp((double)fx->x[k]);
			fx->y[n] = MARK;
			simd->pool->softmax(fx->x, n, fx->y);
			for (k = 0; k < n; k++)
				expect_close(fx->y[k] * (float)n,
					     exp((double)fx->x[k]) / sum *
						     (double)n,
					     2e-6);
			simd->pool->log_softmax(fx->x, n, fx->y);
			for (k = 0; k < n; k++)
				expect_close(fx->y[k],
					     (double)fx->x[k] - log(sum), 1e-6);
			assert_true(fx->y[n] == MARK);
		}
}

static void short_lines_are_softmaxed_together(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	float one[MX_POOL_SHORT_LINE];
	size_t s, n, row, k;

	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (n = 1; n <= MX_POOL_SHORT_LINE; n++) {
			const size_t rows = MOST / n;

			fx->y[rows * n] = MARK;
			simd->pool->softmax_short(fx->x, n, rows, fx->y);
			assert_true(fx->y[rows * n] == MARK);
			for (row = 0; row < rows; row++) {
				double sum = 0.0;

				for (k = 0; k < n; k++)
					sum += exp((double)fx->x[row * n + k]);
				for (k = 0; k < n; k++)
					expect_close(fx->y[row * n + k],
						     exp((double)fx->x[row * n +
								       k]) /
							     sum,
						     1e-6);
				/* Whatever stands beside it. */
				simd->pool->softmax_short(fx->x + row * n, n, 1,
							  one);
				assert_memory_equal(one, fx->y + row * n,
						    n * sizeof(*one));
			}
		}
}

static void lrn_of_any_length_equals_the_naive_one(void **state)
{
	struct fixture *fx = *state;
	struct mx_pool_lrn lrn = {
		.before = 2, .after = 3, .k = 2.0f, .alpha = 1.5f};
	const struct mx_simd *simd;
	size_t s, i, k, j;

	for (s = 0; (simd = mx_simd_at(s / 2)) != NULL; s++)
		for (i = 0, lrn.beta = s % 2 ? 0.75f : 0.6f; i < COUNT(lengths);
		     i++) {
			const size_t n = lengths[i];

			fx->y[n] = MARK;
			simd->pool->lrn(&lrn, fx->x, n, fx->squares, fx->y);
			assert_true(fx->y[n] == MARK);
			for (k = 0; k < n; k++) {
				double sum = 0.0;

				for (j = k < 2 ? 0 : k - 2; j < n && j <= k + 3;
				     j++)
					sum += (double)fx->x[j] *
					       (double)fx->x[j];
				expect_close(fx->y[k],
					     (double)fx->x[k] /
						     pow(2.0 + 1.5 * sum,
							 (double)lrn.beta),
					     2e-6);
			}
		}
}

static void apply_subtracts_then_multiplies(void **state)
{
	struct fixture *fx = *state;
	double sub[MOST], mul[MOST];
	const struct mx_simd *simd;
	size_t s, i, k;

	for (k = 0; k < MOST; k++) {
		sub[k] = 0.01 * (double)k;
		mul[k] = 2.0 - 0.001 * (double)k;
	}
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (i = 0; i < COUNT(lengths); i++) {
			const size_t n = lengths[i];

			fx->y[n] = MARK;
			simd->pool->apply_row(fx->x, n, 3.0, -0.5, fx->y);
			for (k = 0; k < n; k++)
				expect_close(fx->y[k],
					     ((double)fx->x[k] - 3.0) * -0.5,
					     1e-7);
			simd->pool->apply_columns(fx->x, n, sub, mul, fx->y);
			for (k = 0; k < n; k++)
				expect_close(fx->y[k],
					     ((double)fx->x[k] - sub[k]) *
						     mul[k],
					     1e-7);
			assert_true(fx->y[n] == MARK);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_end_with_the_last_channel),
		cmocka_unit_test(lines_are_combined_in_one_call_or_many),
		cmocka_unit_test(
			folds_of_rows_and_columns_equal_the_naive_ones),
		cmocka_unit_test(softmax_of_any_length_sums_to_one),
		cmocka_unit_test(short_lines_are_softmaxed_together),
		cmocka_unit_test(lrn_of_any_length_equals_the_naive_one),
		cmocka_unit_test(apply_subtracts_then_multiplies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
