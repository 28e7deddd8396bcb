#include "lib/size.h"

#include "tests/check.h"

static void products_and_sums_are_checked(void **state)
{
	size_t out = 5;
	uint64_t wide = 5;

	(void)state;
	assert_int_equal(mx_size_mul(SIZE_MAX / 2, 2, &out), 0);
	assert_int_equal(out, SIZE_MAX - 1);
	assert_int_equal(mx_size_mul(SIZE_MAX / 2 + 1, 2, &out), -EOVERFLOW);
	assert_int_equal(out, SIZE_MAX - 1);
	assert_int_equal(mx_size_add(SIZE_MAX, 0, &out), 0);
	assert_int_equal(mx_size_add(SIZE_MAX, 1, &out), -EOVERFLOW);
	assert_int_equal(mx_u64_mul(UINT64_MAX, 1, &wide), 0);
	assert_int_equal(wide, UINT64_MAX);
	assert_int_equal(mx_u64_mul(UINT64_MAX, 2, &wide), -EOVERFLOW);
	assert_int_equal(mx_u64_add(UINT64_MAX, 1, &wide), -EOVERFLOW);
	assert_int_equal(mx_u64_add(UINT64_MAX - 1, 1, &wide), 0);
}

static void rounding_goes_up_to_whole_units(void **state)
{
	(void)state;
	assert_int_equal(mx_size_div_up(0, 4), 0);
	assert_int_equal(mx_size_div_up(4, 4), 1);
	assert_int_equal(mx_size_div_up(5, 4), 2);
	assert_int_equal(mx_size_round_up(5, 4), 8);
	assert_int_equal(mx_size_min(3, 4), 3);
	assert_int_equal(mx_size_max(3, 4), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_and_sums_are_checked),
		cmocka_unit_test(rounding_goes_up_to_whole_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
