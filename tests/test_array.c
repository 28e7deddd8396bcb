#include "cli/array.h"

#include <math.h>

#include "tests/check.h"

static void the_worst_difference_is_found_and_judged(void **state)
{
	static const float want[] = {1, 100, -10, 0};
	static const float got[] = {1.0005f, 100.05f, -10.2f, 0.00005f};
	struct mx_array_difference difference;

	(void)state;
	mx_array_compare(got, want, 4, 1e-3, 1e-4, &difference);
	assert_int_equal(difference.bad_count, 1);
	assert_int_equal(difference.worst_index, 2);
	assert_true(difference.got == -10.2f && difference.want == -10);
	assert_true(fabs(difference.worst - 0.2) < 1e-6);
	mx_array_compare(got, want, 4, 0, 0, &difference);
	assert_int_equal(difference.bad_count, 4);
	mx_array_compare(got, want, 4, 0, 0.3, &difference);
	assert_int_equal(difference.bad_count, 0);
	mx_array_compare(got, want, 0, 0, 0, &difference);
	assert_int_equal(difference.bad_count, 0);
	assert_true(difference.worst == 0);
}

static void nan_and_infinity_equal_themselves_alone(void **state)
{
	const float values[] = {NAN, INFINITY, -INFINITY, 1};
	struct mx_array_difference difference;
	size_t i, k;

	(void)state;
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++) {
			mx_array_compare(&values[i], &values[k], 1, 0.1, 0.1,
					 &difference);
			assert_int_equal(difference.bad_count, i != k);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_difference_is_found_and_judged),
		cmocka_unit_test(nan_and_infinity_equal_themselves_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
