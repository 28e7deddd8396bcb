#include "sched/policy.h"

#include "tests/check.h"
#include "tests/policy_fixture.h"

static void layers_are_loaded_while_others_are_computed(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_partial);
	(void)add_plain(&fx, 3, 10, 7);
	(void)add_plain(&fx, 2, 20, 5);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E A1L A1E A2L A2E B0L B0E B1L B1E");
	/* The storage never rests; then the last layer. */
	assert_int_equal(fx.sim.jobs[0].finish_ns, 30 + 7);
	assert_int_equal(fx.sim.makespan_ns, 30 + 40 + 5);
	assert_int_equal(fx.most_tasks, 2);
	fini(&fx);
}

static void one_worker_loads_and_computes_in_turn(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_partial);
	fx.opts.board.workers = 1;
	(void)add_plain(&fx, 3, 10, 7);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E A1L A1E A2L A2E");
	assert_int_equal(fx.sim.makespan_ns, 3 * 17);
	fini(&fx);
}

static void a_job_is_admitted_when_the_first_leaves_a_worker_idle(void **state)
{
	struct fixture fx;

	(void)state;
	/* One worker: of three jobs with 10 pages of activations each one is
	 * there at a time, with a layer of a page. */
	init(&fx, &mx_policy_partial);
	fx.opts.board.workers = 1;
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){.units = 1,
					  .pages = 1,
					  .read_ns = 10,
					  .ns = 10,
					  .arena_pages = 10});
	add_arrival(&fx, 0, "AAA");
	simulate(&fx);
	assert_int_equal(fx.sim.peak_bytes, 11 * PAGE);
	fini(&fx);
}

/* A job whose first layer is computed while all the others could be read. */
static void simulate_long_first(struct fixture *fx)
{
	static const struct fixture_layer first = {
		.units = 1, .pages = 1, .read_ns = 1, .ns = 100};
	static const struct fixture_layer later = {
		.units = 5, .pages = 1, .read_ns = 1, .ns = 1};

	(void)add_net(fx);
	add_layer(fx, 0, &first);
	add_layer(fx, 0, &later);
	add_layer(fx, 0, &later);
	add_arrival(fx, 0, "A");
	simulate(fx);
}

static void loading_ahead_has_no_bound(void **state)
{
	struct fixture fx;

	(void)state;
	/* While layer 0 is computed the second worker loads all others. */
	init(&fx, &mx_policy_partial);
	simulate_long_first(&fx);
	assert_int_equal(fx.most_bytes, 11 * PAGE);
	assert_int_equal(fx.reads, 11);
	assert_int_equal(fx.sim.makespan_ns, 1 + 100 + 10);
	fini(&fx);

	/* So with little memory what was loaded first has gone when it is
	 * needed, and is read again. */
	init(&fx, &mx_policy_partial);
	fx.opts.board.memory_bytes = 5 * PAGE;
	simulate_long_first(&fx);
	assert_true(fx.reads > 15);
	fini(&fx);
}

static void a_later_job_fills_the_gaps_of_the_first(void **state)
{
	struct fixture fx;

	(void)state;
	/* A computes for long: B's layers are loaded meanwhile, and computed on
	 * another processor. */
	init(&fx, &mx_policy_partial);
	fx.opts.processors = 2;
	(void)add_plain(&fx, 1, 10, 100);
	(void)add_plain(&fx, 2, 10, 10);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E B0L B0E B1L B1E");
	assert_int_equal(fx.sim.jobs[0].finish_ns, 110);
	assert_int_equal(fx.sim.jobs[1].finish_ns, 50);
	fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_loaded_while_others_are_computed),
		cmocka_unit_test(one_worker_loads_and_computes_in_turn),
		cmocka_unit_test(
			a_job_is_admitted_when_the_first_leaves_a_worker_idle),
		cmocka_unit_test(loading_ahead_has_no_bound),
		cmocka_unit_test(a_later_job_fills_the_gaps_of_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
