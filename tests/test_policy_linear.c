#include "sched/policy.h"

#include "tests/check.h"
#include "tests/policy_fixture.h"

static void one_layer_is_in_memory_at_a_time(void **state)
{
	const struct fixture_layer large = {
		.units = 2, .pages = 3, .read_ns = 10, .ns = 7};
	const struct fixture_layer small = {
		.units = 1, .pages = 2, .read_ns = 5, .ns = 9};
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_linear);
	(void)add_net(&fx);
	add_layer(&fx, 0, &small);
	add_layer(&fx, 0, &large);
	(void)add_net(&fx);
	add_layer(&fx, 1, &large);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E A1L A1L A1E A1E B0L B0L B0E B0E");
	assert_int_equal(fx.sim.makespan_ns, 5 + 9 + 2 * (20 + 14));
	assert_int_equal(fx.most_tasks, 1);
	assert_int_equal(fx.most_bytes, 6 * PAGE);
	fini(&fx);
}

static void more_workers_and_memory_change_nothing(void **state)
{
	struct fixture fx;
	uint32_t workers;

	(void)state;
	for (workers = 1; workers <= 3; workers++) {
		init(&fx, &mx_policy_linear);
		fx.opts.board.workers = workers;
		fx.opts.board.memory_bytes = (workers + 1) * PAGE;
		fx.opts.depth = 4;
		fx.opts.processors = 2;
		(void)add_plain(&fx, 3, 10, 7);
		(void)add_plain(&fx, 2, 20, 5);
		add_arrival(&fx, 0, "AB");
		simulate(&fx);
		assert_string_equal(fx.log,
				    "A0L A0E A1L A1E A2L A2E B0L B0E B1L B1E");
		assert_int_equal(fx.sim.makespan_ns, 51 + 50);
		fini(&fx);
	}
}

static void a_layer_larger_than_the_memory_is_read_twice(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_linear);
	simulate_too_large(&fx);
	assert_int_equal(fx.sim.makespan_ns, 30 + 3 * 17);
	fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_layer_is_in_memory_at_a_time),
		cmocka_unit_test(more_workers_and_memory_change_nothing),
		cmocka_unit_test(a_layer_larger_than_the_memory_is_read_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
