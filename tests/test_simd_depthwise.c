#include "lib/simd_depthwise.h"

#include "lib/simd.h"
#include "tests/op_fixture.h"

#define SIDE 3
#define CHANNELS_MAX 70
#define PIXELS_MAX 19
#define PITCH (CHANNELS_MAX + 2)
#define ROW ((PIXELS_MAX + SIDE) * 2 * PITCH)
#define MARK 12345.0f

struct fixture {
	struct op_run run; /* owns what is random */
	const float *x; /* [SIDE][ROW] */
	const float *weights; /* [SIDE * SIDE][CHANNELS_MAX] */
	const float *bias;
	float out[PIXELS_MAX + 1][PITCH];
	struct mx_depthwise line;
};

static int set_up(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	assert_non_null(fx);
	fx->x = op_random(&fx->run, SIDE * ROW, 1, -1, 1);
	fx->weights = op_random(&fx->run, SIDE * SIDE * CHANNELS_MAX, 2, -1, 1);
	fx->bias = op_random(&fx->run, CHANNELS_MAX, 3, -1, 1);
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

static void begin(struct fixture *fx, size_t pixels, size_t channels,
		  size_t stride)
{
	size_t pixel, c;

	for (pixel = 0; pixel <= PIXELS_MAX; pixel++)
		for (c = 0; c < PITCH; c++)
			fx->out[pixel][c] = MARK;
	fx->line = (struct mx_depthwise){
		.pixels = pixels,
		.channels = channels,
		.rows = SIDE,
		.columns = SIDE,
		.x = fx->x,
		.x_row = ROW,
		.x_column = PITCH,
		.x_step = stride * PITCH,
		.weights = fx->weights,
		.w_row = SIDE * CHANNELS_MAX,
		.w_column = CHANNELS_MAX,
		.bias = fx->bias,
		.out = fx->out[0],
		.out_step = PITCH,
		.low = -1,
		.high = 1,
	};
}

static double want_at(const struct fixture *fx, size_t pixel, size_t c)
{
	const struct mx_depthwise *line = &fx->line;
	double sum = (double)fx->bias[c];
	size_t row, column;

	for (row = 0; row < line->rows; row++)
		for (column = 0; column < line->columns; column++)
			sum += (double)line->x[row * line->x_row +
					       column * line->x_column +
					       pixel * line->x_step + c] *
			       (double)line
				       ->weights[row * line->w_row +
						 column * line->w_column + c];
	return fmin(fmax(sum, (double)line->low), (double)line->high);
}

static void expect(const struct fixture *fx)
{
	size_t pixel, c;

	for (pixel = 0; pixel <= PIXELS_MAX; pixel++)
		for (c = 0; c < PITCH; c++) {
			const float got = fx->out[pixel][c];

			if (pixel >= fx->line.pixels || c >= fx->line.channels)
				assert_true(got == MARK);
			else if (!(fabs((double)got - want_at(fx, pixel, c)) <=
				   2e-6))
				fail_msg("pixel %zu, channel %zu: %g", pixel, c,
					 (double)got);
		}
}

static void lines_of_any_size_write_what_they_should(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	size_t i, pixels, channels, stride;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (stride = 1; stride <= 2; stride++)
			for (pixels = 1; pixels <= PIXELS_MAX; pixels++)
				for (channels = 1; channels <= CHANNELS_MAX;
				     channels++) {
					begin(fx, pixels, channels, stride);
					simd->depthwise->line(&fx->line);
					expect(fx);
				}
}

static void part_of_a_window_is_enough(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	size_t i, rows, columns;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (rows = 0; rows <= SIDE; rows++)
			for (columns = 0; columns <= SIDE; columns++) {
				begin(fx, 7, 37, 1);
				fx->line.rows = rows;
				fx->line.columns = columns;
				simd->depthwise->line(&fx->line);
				expect(fx);
			}
}

static void what_goes_together_changes_no_bit(void **state)
{
	struct fixture *fx = *state;
	float whole[PIXELS_MAX][PITCH];
	const struct mx_simd *simd;
	size_t i, pixel, stride;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (stride = 1; stride <= 2; stride++) {
			begin(fx, PIXELS_MAX, CHANNELS_MAX, stride);
			simd->depthwise->line(&fx->line);
			memcpy(whole, fx->out, sizeof(whole));
			begin(fx, 1, CHANNELS_MAX, stride);
			for (pixel = 0; pixel < PIXELS_MAX; pixel++) {
				fx->line.x = fx->x + pixel * fx->line.x_step;
				fx->line.out = fx->out[pixel];
				simd->depthwise->line(&fx->line);
			}
			assert_memory_equal(whole, fx->out, sizeof(whole));
		}
}

static void gather_takes_some_channels_of_each_pixel(void **state)
{
	struct fixture *fx = *state;
	const struct mx_simd *simd;
	float got[PIXELS_MAX * CHANNELS_MAX + 1];
	size_t i, channels, k;

	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (channels = 1; channels <= CHANNELS_MAX; channels++) {
			const size_t count = PIXELS_MAX * channels;

			got[count] = MARK;
			simd->depthwise->gather(got, fx->x, PITCH, channels,
						PIXELS_MAX);
			for (k = 0; k < count; k++)
				assert_true(got[k] ==
					    fx->x[k / channels * PITCH +
						  k % channels]);
			assert_true(got[count] == MARK);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			gather_takes_some_channels_of_each_pixel, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			lines_of_any_size_write_what_they_should, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(part_of_a_window_is_enough,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_goes_together_changes_no_bit, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
