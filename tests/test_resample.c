#include "lib/resample.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"

#define MOST 24

/* The elements that nearest picks. */
struct nearest_case {
	enum mx_resample_coordinates coordinates;
	enum mx_resample_round round;
	struct mx_resample_axis axis;
	size_t want[MOST];
};

static const struct nearest_case nearest_cases[] = {
	{MX_RESAMPLE_ASYMMETRIC,
	 MX_RESAMPLE_FLOOR,
	 {.in = 2, .out = 4},
	 {0, 0, 1, 1}},
	/* A scale in single precision must not put 2 / (4 / 6) below 3. */
	{MX_RESAMPLE_ASYMMETRIC,
	 MX_RESAMPLE_FLOOR,
	 {.in = 6, .out = 4, .scale = (double)(4.0f / 6.0f)},
	 {0, 1, 3, 4}},
	{MX_RESAMPLE_ASYMMETRIC,
	 MX_RESAMPLE_CEIL,
	 {.in = 3, .out = 6},
	 {0, 1, 1, 2, 2, 2}},
	/* 0.5 and 1.5 are as far from one neighbour as from the other. */
	{MX_RESAMPLE_ASYMMETRIC,
	 MX_RESAMPLE_ROUND_PREFER_FLOOR,
	 {.in = 3, .out = 6},
	 {0, 0, 1, 1, 2, 2}},
	{MX_RESAMPLE_ASYMMETRIC,
	 MX_RESAMPLE_ROUND_PREFER_CEIL,
	 {.in = 3, .out = 6},
	 {0, 1, 1, 2, 2, 2}},
	{MX_RESAMPLE_ALIGN_CORNERS,
	 MX_RESAMPLE_FLOOR,
	 {.in = 4, .out = 8},
	 {0, 0, 0, 1, 1, 2, 2, 3}},
	{MX_RESAMPLE_ALIGN_CORNERS,
	 MX_RESAMPLE_FLOOR,
	 {.in = 4, .out = 1},
	 {0}},
	{MX_RESAMPLE_TF_HALF_PIXEL_FOR_NN,
	 MX_RESAMPLE_FLOOR,
	 {.in = 4, .out = 3},
	 {0, 2, 3}},
	{MX_RESAMPLE_PYTORCH_HALF_PIXEL,
	 MX_RESAMPLE_FLOOR,
	 {.in = 5, .out = 1},
	 {0}},
};

static void nearest_picks_what_onnx_picks(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(nearest_cases) / sizeof(nearest_cases[0]); i++) {
		const struct nearest_case *c = &nearest_cases[i];
		const struct mx_resample_rule rule = {
			.mode = MX_RESAMPLE_NEAREST,
			.coordinates = c->coordinates,
			.round = c->round,
		};
		struct mx_resample_table table = {0};

		assert_int_equal(
			mx_resample_init(&table, &rule, &c->axis, NULL), 0);
		assert_int_equal(table.taps, 1);
		for (k = 0; k < c->axis.out; k++) {
			assert_int_equal(table.index[k], c->want[k]);
			assert_true(table.weight[k] == 1.0f);
		}
		assert_null(table.outside);
		mx_resample_fini(&table);
	}
}

static void linear_weighs_two_neighbours(void **state)
{
	const struct mx_resample_rule rule = {.mode = MX_RESAMPLE_LINEAR};
	const struct mx_resample_axis axis = {.in = 2, .out = 4};
	/* sources -0.25, 0.25, 0.75, 1.25 */
	const size_t index[] = {0, 0, 0, 1, 0, 1, 1, 1};
	const float weight[] = {0.25f, 0.75f, 0.75f, 0.25f,
				0.25f, 0.75f, 0.75f, 0.25f};
	struct mx_resample_table table = {0};
	size_t i;

	(void)state;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_int_equal(table.taps, 2);
	for (i = 0; i < 8; i++) {
		assert_int_equal(table.index[i], index[i]);
		assert_true(table.weight[i] == weight[i]);
	}
	mx_resample_fini(&table);
}

static void antialias_widens_the_filter_when_shrinking(void **state)
{
	struct mx_resample_rule rule = {.mode = MX_RESAMPLE_LINEAR,
					.antialias = 1};
	const struct mx_resample_axis axis = {.in = 8, .out = 4};
	/* The source of output 1 is 2.5: triangles 2 wide on either side. */
	const float weight[] = {0.125f, 0.375f, 0.375f, 0.125f};
	struct mx_resample_table table = {0};
	size_t i;

	(void)state;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_int_equal(table.taps, 4);
	for (i = 0; i < 4; i++) {
		assert_int_equal(table.index[4 + i], 1 + i);
		assert_true(table.weight[4 + i] == weight[i]);
	}
	mx_resample_fini(&table);

	rule.mode = MX_RESAMPLE_CUBIC;
	rule.cubic = -0.5;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_int_equal(table.taps, 8);
	mx_resample_fini(&table);
}

static void excluded_neighbours_weigh_nothing(void **state)
{
	const struct mx_resample_rule rule = {
		.mode = MX_RESAMPLE_CUBIC,
		.cubic = -0.5,
		.exclude_outside = 1,
	};
	const struct mx_resample_axis axis = {.in = 4, .out = 8};
	struct mx_resample_table table = {0};
	size_t i, t;

	(void)state;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_int_equal(table.taps, 4);
	/* The source of output 0 is -0.25: taps -2, -1, 0, 1. */
	assert_true(table.weight[0] == 0.0f && table.weight[1] == 0.0f);
	for (i = 0; i < 8; i++) {
		float sum = 0.0f;

		for (t = 0; t < 4; t++)
			sum += table.weight[i * 4 + t];
		assert_true(fabsf(sum - 1.0f) < 1e-6f);
	}
	mx_resample_fini(&table);
}

static void a_crop_marks_what_lies_outside(void **state)
{
	const struct mx_resample_rule rule = {
		.mode = MX_RESAMPLE_LINEAR,
		.coordinates = MX_RESAMPLE_TF_CROP_AND_RESIZE,
	};
	const struct mx_resample_axis axis = {
		.in = 5, .out = 4, .roi_begin = -0.25, .roi_end = 1.25};
	/* sources -1, 1, 3, 5 */
	const unsigned char outside[] = {1, 0, 0, 1};
	struct mx_resample_table table = {0};

	(void)state;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_memory_equal(table.outside, outside, sizeof(outside));
	assert_int_equal(table.index[2], 1);
	assert_true(table.weight[2] == 1.0f);
	mx_resample_fini(&table);
}

static void an_unchanged_dimension_has_no_table(void **state)
{
	const struct mx_resample_axis axis = {.in = 7, .out = 7, .scale = 1.0};
	struct mx_resample_rule rule = {.mode = MX_RESAMPLE_CUBIC};
	struct mx_resample_table table = {0};

	(void)state;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_null(table.index);
	assert_null(table.weight);
	/* This rule shifts by half a pixel. */
	rule.coordinates = MX_RESAMPLE_TF_HALF_PIXEL_FOR_NN;
	assert_int_equal(mx_resample_init(&table, &rule, &axis, NULL), 0);
	assert_non_null(table.index);
	mx_resample_fini(&table);
}

static void an_enormous_table_is_refused(void **state)
{
	const struct mx_resample_rule rule = {.mode = MX_RESAMPLE_LINEAR,
					      .antialias = 1};
	const struct mx_resample_axis large = {.in = 1, .out = 1 << 23};
	const struct mx_resample_axis larger = {.in = 1, .out = (1 << 23) + 1};
	const struct mx_resample_axis tiny = {
		.in = 4, .out = 1, .scale = 1e-30};
	struct mx_resample_table table = {0};
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_resample_init(&table, &rule, &large, &err), 0);
	mx_resample_fini(&table);
	assert_int_equal(mx_resample_init(&table, &rule, &larger, &err),
			 -EBADMSG);
	assert_string_equal(err.text, "1 to 8388609 elements is too much");
	mx_resample_fini(&table);
	assert_int_equal(mx_resample_init(&table, &rule, &tiny, &err),
			 -EBADMSG);
	mx_resample_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_picks_what_onnx_picks),
		cmocka_unit_test(linear_weighs_two_neighbours),
		cmocka_unit_test(antialias_widens_the_filter_when_shrinking),
		cmocka_unit_test(excluded_neighbours_weigh_nothing),
		cmocka_unit_test(a_crop_marks_what_lies_outside),
		cmocka_unit_test(an_unchanged_dimension_has_no_table),
		cmocka_unit_test(an_enormous_table_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
