#include "lib/groups.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/network.h"
#include "lib/simd.h"
#include "lib/view.h"

static struct mx_view view_of(uint32_t rank, const size_t *dim,
			      enum mx_layout layout, size_t pitch)
{
	const struct mx_tensor tensor = {
		.shape = mx_shape_of(rank, dim),
		.layout = layout,
		.pitch = pitch,
	};
	struct mx_view view;

	mx_view_init(&view, &tensor, NULL);
	return view;
}

static void neighbours_of_other_groups_are_lanes(void **state)
{
	const size_t dim[] = {2, 100, 3, 5};
	const struct mx_view x = view_of(4, dim, MX_LAYOUT_CHANNELS_LAST, 110);
	struct mx_groups groups;
	struct mx_groups_unit unit;

	(void)state;
	mx_groups_init(&groups, &x, x.stride, 12u, MX_GROUPS_SIDE_BY_SIDE);
	assert_int_equal(groups.lanes, 100);
	assert_int_equal(groups.lane_y, 1);
	/* Rows and columns are merged into one line. */
	assert_int_equal(groups.size, 15);
	assert_int_equal(groups.line, 15);
	assert_int_equal(groups.line_x, 110);
	assert_int_equal(groups.lines, 1);
	/* Two samples, each of 64 + 36 channels. */
	assert_int_equal(groups.units, 4);
	unit = mx_groups_at(&groups, 3);
	assert_int_equal(unit.lanes, 36);
	assert_int_equal(unit.x, 15 * 110 + 64);
	assert_int_equal(unit.y, 15 * 110 + 64);
}

static void one_by_one_has_no_lanes(void **state)
{
	const size_t dim[] = {2, 100, 3, 5};
	const struct mx_view x = view_of(4, dim, MX_LAYOUT_CHANNELS_LAST, 110);
	struct mx_groups groups;

	(void)state;
	mx_groups_init(&groups, &x, x.stride, 12u, MX_GROUPS_ONE_BY_ONE);
	assert_int_equal(groups.lanes, 0);
	assert_int_equal(groups.units, 200);
	assert_int_equal(mx_groups_at(&groups, 101).x, 15 * 110 + 1);
	assert_int_equal(mx_groups_at(&groups, 101).lanes, 1);
}

static void lines_of_a_group_are_walked_in_memory_order(void **state)
{
	/* Members differ in the first and the last dimension. */
	const size_t dim[] = {3, 2, 4};
	const struct mx_view x = view_of(3, dim, MX_LAYOUT_ROW_MAJOR, 0);
	const size_t y_stride[] = {1, 12, 3};
	struct mx_groups groups;
	struct mx_groups_unit unit;
	struct mx_groups_walk walk;
	size_t i;

	(void)state;
	mx_groups_init(&groups, &x, y_stride, 5u, MX_GROUPS_SIDE_BY_SIDE);
	assert_int_equal(groups.lanes, 0);
	assert_int_equal(groups.units, 2);
	assert_int_equal(groups.size, 12);
	assert_int_equal(groups.line, 4);
	assert_int_equal(groups.line_y, 3);
	unit = mx_groups_at(&groups, 1);
	mx_groups_begin(&groups, &unit, &walk);
	for (i = 0; i < 3; i++) {
		assert_int_equal(mx_groups_next(&groups, &walk), 1);
		assert_int_equal(walk.x, 4 + 8 * i);
		assert_int_equal(walk.y, 12 + i);
	}
	assert_int_equal(mx_groups_next(&groups, &walk), 0);
}

static void empty_tensors_have_no_units_or_no_lines(void **state)
{
	const size_t no_groups[] = {3, 0};
	const size_t no_members[] = {0, 3};
	struct mx_view x = view_of(2, no_groups, MX_LAYOUT_ROW_MAJOR, 0);
	struct mx_groups_unit unit;
	struct mx_groups_walk walk;
	struct mx_groups groups;

	(void)state;
	mx_groups_init(&groups, &x, x.stride, 1u, MX_GROUPS_SIDE_BY_SIDE);
	assert_int_equal(groups.units, 0);
	x = view_of(2, no_members, MX_LAYOUT_ROW_MAJOR, 0);
	mx_groups_init(&groups, &x, x.stride, 1u, MX_GROUPS_SIDE_BY_SIDE);
	assert_int_equal(groups.units, 1);
	unit = mx_groups_at(&groups, 0);
	assert_int_equal(unit.lanes, 3);
	mx_groups_begin(&groups, &unit, &walk);
	assert_int_equal(mx_groups_next(&groups, &walk), 0);
}

static void a_scalar_is_one_group(void **state)
{
	const struct mx_view x = view_of(0, NULL, MX_LAYOUT_ROW_MAJOR, 0);
	const float value = 3.0f;
	struct mx_groups_unit unit;
	struct mx_groups groups;
	double acc;

	(void)state;
	mx_groups_init(&groups, &x, x.stride, 0u, MX_GROUPS_SIDE_BY_SIDE);
	assert_int_equal(groups.units, 1);
	assert_int_equal(groups.size, 1);
	unit = mx_groups_at(&groups, 0);
	mx_groups_fold(&groups, mx_simd_best()->pool, &unit, MX_POOL_FOLD_SUM,
		       &value, NULL, &acc);
	assert_true(acc == 3.0);
}

static void tiles_follow_the_work_and_never_outnumber_the_groups(void **state)
{
	(void)state;
	assert_int_equal(mx_groups_tiles(0, 0), 1);
	assert_int_equal(mx_groups_tiles(16384, 100), 1);
	assert_int_equal(mx_groups_tiles(16385, 100), 2);
	assert_int_equal(mx_groups_tiles((size_t)1 << 30, 100), 100);
	assert_int_equal(mx_groups_tiles((size_t)1 << 30, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_of_other_groups_are_lanes),
		cmocka_unit_test(one_by_one_has_no_lanes),
		cmocka_unit_test(lines_of_a_group_are_walked_in_memory_order),
		cmocka_unit_test(empty_tensors_have_no_units_or_no_lines),
		cmocka_unit_test(a_scalar_is_one_group),
		cmocka_unit_test(
			tiles_follow_the_work_and_never_outnumber_the_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
