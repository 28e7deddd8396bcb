#include "sched/policy.h"

#include "tests/check.h"
#include "tests/policy_fixture.h"

static const struct fixture_layer conv = {
	.units = 1, .pages = 1, .read_ns = 10, .ns = 20};
static const struct fixture_layer dense = {
	.units = 1, .pages = 3, .read_ns = 30, .ns = 3, .dense = 1};
/* After a dense layer, whatever it is. */
static const struct fixture_layer tail = {
	.units = 1, .pages = 3, .read_ns = 30, .ns = 3};

/* A: two convolutional layers, two of the tail; B: one of each. */
static void add_two(struct fixture *fx)
{
	(void)add_net(fx);
	add_layer(fx, 0, &conv);
	add_layer(fx, 0, &conv);
	add_layer(fx, 0, &dense);
	add_layer(fx, 0, &tail);
	(void)add_net(fx);
	add_layer(fx, 1, &conv);
	add_layer(fx, 1, &dense);
}

static void one_worker_has_the_convolutions_and_one_the_rest(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_deepeye);
	fx.opts.processors = 2;
	add_two(&fx);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	/*
	 * The reads of both workers share the storage: A2 to 30, A0 to 40, A3
	 * to 70, A1 to 80, B1 to 110, B0 to 120. All convolutions have been
	 * loaded before the first is computed, network by network: A's to 160,
	 * B's to 180. A's tail waits for A's last convolution.
	 */
	assert_string_equal(fx.log,
			    "A2L A0L A3L A1L B1L B0L A0E A1E B0E A2E A3E B1E");
	assert_int_equal(fx.sim.jobs[0].start_ns, 120);
	assert_int_equal(fx.sim.jobs[0].finish_ns, 160 + 3 + 3);
	assert_int_equal(fx.sim.jobs[1].start_ns, 160);
	assert_int_equal(fx.sim.jobs[1].finish_ns, 180 + 3);
	fini(&fx);
}

static void the_tail_is_computed_when_all_of_it_is_loaded(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_deepeye);
	(void)add_net(&fx);
	add_layer(&fx, 0, &conv);
	add_layer(&fx, 0, &dense);
	add_layer(&fx, 0, &tail);
	add_layer(&fx, 0, &tail);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	/* Layer 0 has been computed at 30, layer 3 is there at 100. */
	assert_string_equal(fx.log, "A0L A0E A1L A2L A3L A1E A2E A3E");
	assert_int_equal(fx.sim.makespan_ns, 100 + 9);
	fini(&fx);
}

static void frugal_has_the_tail_of_one_network_at_a_time(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_deepeye_frugal);
	fx.opts.processors = 2;
	add_two(&fx);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	/* B1 is read when A's tail has been computed: A0 from 90, to 136. */
	assert_string_equal(fx.log,
			    "A2L A0L A3L A1L B0L A0E A1E B0E A2E A3E B1L B1E");
	assert_int_equal(fx.sim.jobs[0].finish_ns, 90 + 40 + 6);
	assert_int_equal(fx.sim.jobs[1].finish_ns, 136 + 30 + 3);
	fini(&fx);
}

static void arrivals_follow_one_another_on_each_worker(void **state)
{
	struct fixture fx;

	(void)state;
	/* The second arrival's convolutions are loaded only when those of the
	 * first have been computed. */
	init(&fx, &mx_policy_deepeye);
	fx.opts.processors = 2;
	(void)add_net(&fx);
	add_layer(&fx, 0, &conv);
	add_layer(&fx, 0, &conv);
	(void)add_net(&fx);
	add_layer(&fx, 1, &conv);
	add_arrival(&fx, 0, "A");
	add_arrival(&fx, 1, "B");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A1L A0E A1E B0L B0E");
	assert_int_equal(fx.most_tasks, 1);
	fini(&fx);
}

static void networks_without_dense_layers_are_split_by_cost(void **state)
{
	const struct fixture_layer io_bound = {
		.units = 1, .pages = 1, .read_ns = 20, .ns = 10};
	struct fixture fx;

	(void)state;
	/* Layers 2 and 3 take 10 more each to read than to compute; with layer
	 * 1, which takes 10 less, it would be 10 in all: the tail is 2 and 3,
	 * which are read beside 1. */
	init(&fx, &mx_policy_deepeye);
	(void)add_net(&fx);
	add_layer(&fx, 0, &io_bound);
	add_layer(&fx, 0, &conv);
	add_layer(&fx, 0, &io_bound);
	add_layer(&fx, 0, &io_bound);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A2L A1L A0E A3L A1E A2E A3E");
	fini(&fx);

	/* Bound by computing throughout: the second worker has nothing. */
	init(&fx, &mx_policy_deepeye);
	(void)add_plain(&fx, 3, 10, 11);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_int_equal(fx.most_tasks, 1);
	assert_string_equal(fx.log, "A0L A1L A2L A0E A1E A2E");
	fini(&fx);
}

static void it_has_two_workers_whatever_is_asked_for(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_deepeye);
	fx.opts.board.workers = 1;
	fx.opts.depth = 4;
	add_two(&fx);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	assert_int_equal(fx.most_tasks, 2);
	fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_worker_has_the_convolutions_and_one_the_rest),
		cmocka_unit_test(the_tail_is_computed_when_all_of_it_is_loaded),
		cmocka_unit_test(frugal_has_the_tail_of_one_network_at_a_time),
		cmocka_unit_test(arrivals_follow_one_another_on_each_worker),
		cmocka_unit_test(
			networks_without_dense_layers_are_split_by_cost),
		cmocka_unit_test(it_has_two_workers_whatever_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
