#include "cli/statistics.h"

#include <math.h>

#include "tests/check.h"

static void one_value_is_everything(void **state)
{
	struct mx_statistics stats;
	uint64_t values[] = {42};

	(void)state;
	mx_statistics_init(&stats, values, 1);
	assert_true(stats.mean == 42 && stats.sd == 0);
	assert_int_equal(stats.min, 42);
	assert_int_equal(stats.max, 42);
	assert_int_equal(stats.p50, 42);
	assert_int_equal(stats.p99, 42);
}

static void percentiles_lie_between_ranks(void **state)
{
	struct mx_statistics stats;
	uint64_t values[] = {40, 10, 30, 20};

	(void)state;
	mx_statistics_init(&stats, values, 4);
	assert_true(stats.mean == 25);
	/* Squares 225 + 25 + 25 + 225 over three. */
	assert_true(fabs(stats.sd - sqrt(500.0 / 3)) < 1e-9);
	assert_int_equal(stats.min, 10);
	assert_int_equal(stats.max, 40);
	assert_int_equal(stats.p50, 25);
	assert_int_equal(stats.p95, 39); /* 30 + 0.85 * 10, rounded */
	assert_int_equal(stats.p99, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_is_everything),
		cmocka_unit_test(percentiles_lie_between_ranks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
