#include <errno.h>

#include "tests/context_fixture.h"

static void opportunistic_jobs_start_early_and_are_cancelled(void **state)
{
	static const struct mx_condition one = {
		0, MX_CONDITION_COUNT, MX_CONDITION_EQ, 0, 1, NULL};
	const struct mx_context_stage stages[] = {
		faces,
		{.after = after_0,
		 .after_count = 1,
		 .each = NONE,
		 .conditions = &one,
		 .condition_count = 1,
		 .at_once = 1,
		 .opportunistic = 1},
		of_all,
	};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 3);
	expect(&driver, "s0 s1 h2");
	finish(&driver, 0, 2);
	/* It cascades at once, but is not over before the job has ended. */
	expect(&driver, "c1 d2");
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_SKIPPED);
	assert_int_equal(state_of(&driver, 2), MX_CONTEXT_SKIPPED);
	assert_false(mx_context_is_over(driver.context));
	/* It was too fast to be cancelled: its answer does not count. */
	finish(&driver, 1, 0);
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_SKIPPED);
	expect_over(&driver);
	/* The condition holds: it is left alone. */
	driver_init(&driver, stages, 3);
	finish(&driver, 0, 1);
	expect(&driver, "s0 s1 h2");
	finish(&driver, 1, 0);
	expect(&driver, "r2");
	finish(&driver, 2, 0);
	expect_over(&driver);
	/* It ends first: what comes after it waits all the same. */
	driver_init(&driver, stages, 3);
	finish(&driver, 1, 0);
	expect(&driver, "s0 s1 h2");
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_ANSWERED);
	finish(&driver, 0, 2);
	expect(&driver, "d2");
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_SKIPPED);
	expect_over(&driver);
	driver_init(&driver, stages, 3);
	finish(&driver, 1, 0);
	finish(&driver, 0, 1);
	expect(&driver, "s0 s1 h2 r2");
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_FINISHED);
	finish(&driver, 2, 0);
	expect_over(&driver);
}

static void an_opportunistic_fan_out_waits_for_its_input_alone(void **state)
{
	struct mx_context_stage stages[] = {faces, of_each, of_sixes};
	struct driver driver;

	(void)state;
	stages[2].opportunistic = 1;
	driver_init(&driver, stages, 3);
	expect(&driver, "s0 h1 h2");
	finish(&driver, 0, 2);
	expect(&driver, "r1 s2 r3 s4");
	finish_with_seven(&driver, 1);
	expect(&driver, "c3");
	end(&driver, 3, -ECANCELED);
	finish(&driver, 2, 0);
	finish(&driver, 4, 0);
	assert_int_equal(state_of(&driver, 3), MX_CONTEXT_SKIPPED);
	assert_int_equal(state_of(&driver, 4), MX_CONTEXT_FINISHED);
	expect_over(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			opportunistic_jobs_start_early_and_are_cancelled),
		cmocka_unit_test(
			an_opportunistic_fan_out_waits_for_its_input_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
