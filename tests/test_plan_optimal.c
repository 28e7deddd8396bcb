#include "cli/plan_optimal.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "tests/picture_fixture.h"

static void the_best_is_found_and_the_policy_compared(void **state)
{
	struct mx_plan_optimal optimal;
	struct picture_fixture fx;

	(void)state;
	picture_fixture_fill(&fx);
	/* Best: 1 reads 0-300, computes 300-370; 0 reads 300-500-600, computes
	 * 500-550, 600-660-700. Or 0 first: 0 ends at 400, 1 reads 300-600 and
	 * ends at 670. */
	assert_int_equal(
		mx_plan_optimal_find(&optimal, &fx.board, "linear", NULL), 0);
	assert_int_equal(optimal.task_count, 7);
	assert_int_equal(optimal.response_ns, (370 + 700) / 2);
	assert_int_equal(optimal.bound_ns, optimal.response_ns);
	/* One after the other, each piece read and computed: 450 and 820. */
	assert_int_equal(optimal.policy_ns, (450 + 820) / 2);
	assert_true(optimal.state_count > 7);
}

static void too_many_networks_are_refused(void **state)
{
	struct mx_plan_optimal optimal;
	struct mx_board_net nets[9];
	struct picture_fixture fx;
	struct mx_err err;
	size_t i;

	(void)state;
	picture_fixture_fill(&fx);
	for (i = 0; i < 9; i++)
		nets[i] = fx.board_nets[0];
	fx.board.nets = nets;
	fx.board.net_count = 9;
	assert_int_equal(
		mx_plan_optimal_find(&optimal, &fx.board, "linear", &err),
		-EINVAL);
	assert_string_equal(err.text, "the optimum is for at most 8 networks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_is_found_and_the_policy_compared),
		cmocka_unit_test(too_many_networks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
