#include "loader/import/prior_box.h"

#include <math.h>

#include "tests/check.h"

static struct mx_prior_box box_of(size_t w, size_t h)
{
	return (struct mx_prior_box){
		.min_size = {30},
		.min_count = 1,
		.ratio = {1},
		.ratio_count = 1,
		.variance = {0.1, 0.1, 0.2, 0.2},
		.step_w = 100,
		.step_h = 50,
		.offset = 0.5,
		.image_w = 300,
		.image_h = 200,
		.map_w = w,
		.map_h = h,
	};
}

static void near(float got, double want)
{
	if (fabs((double)got - want) > 1e-6)
		fail_msg("%g, not %g", (double)got, want);
}

static void a_box_stands_around_each_point(void **state)
{
	struct mx_prior_box box = box_of(3, 2);
	float out[2 * 3 * 2 * 4];
	size_t i;

	(void)state;
	assert_int_equal(mx_prior_box_count(&box), 1);
	mx_prior_box_fill(&box, out);
	/* Point (1, 1): centre (150, 75). */
	near(out[16], 135.0 / 300);
	near(out[17], 60.0 / 200);
	near(out[18], 165.0 / 300);
	near(out[19], 90.0 / 200);
	for (i = 0; i < 24; i++)
		near(out[24 + i], box.variance[i % 4]);
}

static void sizes_come_as_minimum_maximum_then_ratios(void **state)
{
	struct mx_prior_box box = box_of(1, 1);
	float out[2 * 8 * 4];

	(void)state;
	box.min_size[1] = 60;
	box.max_size[0] = 120;
	box.max_size[1] = 135;
	box.min_count = box.max_count = 2;
	assert_int_equal(mx_prior_box_ratio(&box, 4, 1), 0);
	assert_int_equal(mx_prior_box_count(&box), 8);
	mx_prior_box_fill(&box, out);
	near(out[2] - out[0], 30.0 / 300); /* minimum */
	near(out[6] - out[4], 60.0 / 300); /* sqrt(30 * 120) */
	near(out[10] - out[8], 60.0 / 300); /* ratio 4: 60 x 15 */
	near(out[11] - out[9], 15.0 / 200);
	near(out[14] - out[12], 15.0 / 300); /* and its inverse */
	near(out[15] - out[13], 60.0 / 200);
	near(out[18] - out[16], 60.0 / 300); /* the second minimum */
	near(out[22] - out[20], 90.0 / 300);
}

static void ratios_are_kept_once_and_counted(void **state)
{
	struct mx_prior_box box = box_of(1, 1);
	int i;

	(void)state;
	assert_int_equal(mx_prior_box_ratio(&box, 1, 1), 0);
	assert_int_equal(box.ratio_count, 1);
	assert_int_equal(mx_prior_box_ratio(&box, 2, 1), 0);
	assert_int_equal(box.ratio_count, 3);
	assert_true(box.ratio[2] == 0.5);
	assert_int_equal(mx_prior_box_ratio(&box, 0.5, 1), 0);
	assert_int_equal(box.ratio_count, 3);
	assert_int_equal(mx_prior_box_ratio(&box, 3, 0), 0);
	assert_int_equal(box.ratio_count, 4);
	for (i = 0; box.ratio_count < MX_PRIOR_RATIOS_MAX; i++)
		assert_int_equal(mx_prior_box_ratio(&box, 10 + i, 0), 0);
	assert_int_equal(mx_prior_box_ratio(&box, 1000, 0), -1);
}

static void sizes_are_whole_and_corners_can_be_clipped(void **state)
{
	struct mx_prior_box box = box_of(1, 1);
	float out[2 * 4];

	(void)state;
	box.min_size[0] = 120.9;
	mx_prior_box_fill(&box, out);
	near(out[0], -10.0 / 300);
	near(out[3], 85.0 / 200);
	box.clip = 1;
	mx_prior_box_fill(&box, out);
	near(out[0], 0);
	near(out[1], 0);
	near(out[2], 110.0 / 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_box_stands_around_each_point),
		cmocka_unit_test(sizes_come_as_minimum_maximum_then_ratios),
		cmocka_unit_test(ratios_are_kept_once_and_counted),
		cmocka_unit_test(sizes_are_whole_and_corners_can_be_clipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
