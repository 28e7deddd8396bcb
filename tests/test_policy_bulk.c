#include "sched/policy.h"

#include "tests/check.h"
#include "tests/policy_fixture.h"

/* A: three layers, reading 10 and computing 7 each; B: two of 20 and 5. */
static void add_two(struct fixture *fx)
{
	(void)add_plain(fx, 3, 10, 7);
	(void)add_plain(fx, 2, 20, 5);
	add_arrival(fx, 0, "AB");
}

static void bulk_loads_a_network_as_a_whole_and_then_computes(void **state)
{
	struct fixture fx;

	(void)state;
	/* More workers find nothing to do. */
	init(&fx, &mx_policy_bulk);
	fx.opts.board.workers = 2;
	add_two(&fx);
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A1L A2L A0E A1E A2E B0L B1L B0E B1E");
	assert_int_equal(fx.sim.jobs[0].start_ns, 30);
	assert_int_equal(fx.sim.jobs[0].finish_ns, 30 + 21);
	assert_int_equal(fx.sim.jobs[1].start_ns, 51 + 40);
	assert_int_equal(fx.sim.makespan_ns, 51 + 40 + 10);
	assert_int_equal(fx.most_tasks, 1);
	/* A whole network at once, given back at its end. */
	assert_int_equal(fx.most_bytes, 3 * PAGE);
	assert_int_equal(fx.bytes, 0);
	fini(&fx);
}

static void bulk_swaps_what_does_not_fit(void **state)
{
	struct fixture fx;

	(void)state;
	/* The activations, and one layer. */
	init(&fx, &mx_policy_bulk);
	fx.opts.board.memory_bytes = 2 * PAGE;
	add_two(&fx);
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A1L A2L A0L A0E A1L A1E A2L A2E "
				    "B0L B1L B0L B0E B1L B1E");
	/* Each layer is read twice, and nothing overlaps. */
	assert_int_equal(fx.sim.makespan_ns, 2 * 30 + 21 + 2 * 40 + 10);
	fini(&fx);
}

static void bulk_reads_a_network_again_for_its_next_job(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_bulk);
	(void)add_plain(&fx, 2, 10, 7);
	add_arrival(&fx, 0, "AA");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A1L A0E A1E A0L A1L A0E A1E");
	assert_int_equal(fx.sim.makespan_ns, 2 * 34);
	fini(&fx);
}

static void bulk_takes_jobs_as_they_came(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_bulk);
	(void)add_plain(&fx, 1, 10, 10);
	(void)add_plain(&fx, 1, 10, 10);
	add_arrival(&fx, 0, "BA");
	add_arrival(&fx, 1, "A");
	add_arrival(&fx, 2, "BA");
	simulate(&fx);
	assert_string_equal(fx.log, "B0L B0E A0L A0E A0L A0E B0L B0E A0L A0E");
	fini(&fx);
}

static void multi_bulk_has_a_network_on_each_worker(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_multi_bulk);
	add_two(&fx);
	simulate(&fx);
	/*
	 * LOADs in turn: A0 to 10, B0 to 30, A1 to 40, B1 to 60, A2 to 70,
	 * each network's next LOAD being asked for when its last is over.
	 */
	assert_string_equal(fx.log, "A0L B0L A1L B1L B0E A2L B1E A0E A1E A2E");
	assert_int_equal(fx.sim.jobs[1].start_ns, 60);
	assert_int_equal(fx.sim.jobs[1].finish_ns, 70);
	assert_int_equal(fx.sim.jobs[0].start_ns, 70);
	assert_int_equal(fx.sim.jobs[0].finish_ns, 91);
	assert_int_equal(fx.most_tasks, 2);
	fini(&fx);
}

static void multi_bulk_keeps_what_another_job_needs(void **state)
{
	struct fixture fx;

	(void)state;
	/* Two jobs of A, side by side: what one has done with the other has
	 * still to do. */
	init(&fx, &mx_policy_multi_bulk);
	(void)add_plain(&fx, 2, 10, 7);
	add_arrival(&fx, 0, "AA");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A1L A0E A0E A1E A1E");
	assert_int_equal(fx.sim.makespan_ns, 20 + 4 * 7);
	assert_int_equal(fx.bytes, 0);
	fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			bulk_loads_a_network_as_a_whole_and_then_computes),
		cmocka_unit_test(bulk_swaps_what_does_not_fit),
		cmocka_unit_test(bulk_reads_a_network_again_for_its_next_job),
		cmocka_unit_test(bulk_takes_jobs_as_they_came),
		cmocka_unit_test(multi_bulk_has_a_network_on_each_worker),
		cmocka_unit_test(multi_bulk_keeps_what_another_job_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
