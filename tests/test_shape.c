#include "lib/shape.h"

#include <errno.h>

#include "tests/check.h"

#define SHAPE(...)                                                             \
	mx_shape_of(sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t),          \
		    (size_t[]){__VA_ARGS__})

static void counts_are_products_with_a_cap(void **state)
{
	struct mx_shape shape = {.rank = 0};
	size_t count = 9;

	(void)state;
	assert_int_equal(mx_shape_count(&shape, &count), 0);
	assert_int_equal(count, 1);
	shape = SHAPE(2, 3, 5);
	assert_int_equal(mx_shape_count(&shape, &count), 0);
	assert_int_equal(count, 30);
	assert_int_equal(mx_shape_span(&shape, 1, 3), 15);
	assert_int_equal(mx_shape_span(&shape, 1, 1), 1);
	shape = SHAPE(MX_ELEMS_MAX);
	assert_int_equal(mx_shape_count(&shape, &count), 0);
	shape = SHAPE(MX_ELEMS_MAX, 2);
	assert_int_equal(mx_shape_count(&shape, &count), -EOVERFLOW);
	shape = SHAPE(SIZE_MAX, SIZE_MAX, 0);
	assert_int_equal(mx_shape_count(&shape, &count), 0);
	assert_int_equal(count, 0);
	shape.rank = MX_RANK_MAX + 1;
	assert_int_equal(mx_shape_count(&shape, &count), -EOVERFLOW);
}

static void shapes_are_equal_in_rank_and_dims(void **state)
{
	const struct mx_shape a = SHAPE(2, 3);
	const struct mx_shape b = SHAPE(2, 3, 1);
	const struct mx_shape c = SHAPE(2, 4);

	(void)state;
	assert_true(mx_shape_equal(&a, &a));
	assert_false(mx_shape_equal(&a, &b));
	assert_false(mx_shape_equal(&a, &c));
}

static void broadcasting_aligns_at_the_end(void **state)
{
	const struct mx_shape a = SHAPE(5, 1, 3);
	const struct mx_shape b = SHAPE(4, 1);
	const struct mx_shape bad = SHAPE(2, 2);
	const struct mx_shape want = SHAPE(5, 4, 3);
	struct mx_shape out;

	(void)state;
	assert_int_equal(mx_shape_broadcast(&a, &b, &out), 0);
	assert_true(mx_shape_equal(&out, &want));
	assert_int_equal(mx_shape_broadcast(&b, &a, &out), 0);
	assert_true(mx_shape_equal(&out, &want));
	assert_int_equal(mx_shape_broadcast(&a, &bad, &out), -EINVAL);
}

static void axes_may_count_from_the_end(void **state)
{
	uint32_t axis = 9;

	(void)state;
	assert_int_equal(mx_shape_axis(4, -1, &axis), 0);
	assert_int_equal(axis, 3);
	assert_int_equal(mx_shape_axis(4, 0, &axis), 0);
	assert_int_equal(axis, 0);
	assert_int_equal(mx_shape_axis(4, 4, &axis), -EINVAL);
	assert_int_equal(mx_shape_axis(4, -5, &axis), -EINVAL);
	assert_int_equal(axis, 0);
}

static void shapes_print_as_people_write_them(void **state)
{
	const struct mx_shape shape = SHAPE(1, 3, 224, 224);
	const struct mx_shape scalar = {.rank = 0};
	char text[MX_SHAPE_TEXT_BYTES];

	(void)state;
	assert_string_equal(mx_shape_text(&shape, text), "1x3x224x224");
	assert_string_equal(mx_shape_text(&scalar, text), "scalar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_products_with_a_cap),
		cmocka_unit_test(shapes_are_equal_in_rank_and_dims),
		cmocka_unit_test(broadcasting_aligns_at_the_end),
		cmocka_unit_test(axes_may_count_from_the_end),
		cmocka_unit_test(shapes_print_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
