#include "sched/policy.h"

#include "tests/check.h"
#include "tests/policy_fixture.h"

static void the_exec_that_frees_most_comes_first(void **state)
{
	struct fixture fx;

	(void)state;
	/* C computes until 1010; A and B have been loaded at the same moment,
	 * A first, but B frees two pages. */
	init(&fx, &mx_policy_mema);
	fx.opts.board.workers = 3;
	fx.opts.depth = 2;
	(void)add_plain(&fx, 1, 10, 7);
	(void)add_net(&fx);
	add_layer(&fx, 1,
		  &(struct fixture_layer){.units = 1, .pages = 2, .ns = 7});
	(void)add_plain(&fx, 1, 10, 1000);
	add_arrival(&fx, 0, "CAB");
	simulate(&fx);
	assert_string_equal(fx.log, "C0L A0L C0E B0L B0E A0E");
	fini(&fx);
}

static void activations_count_as_freed(void **state)
{
	struct fixture fx;
	uint32_t pages;

	(void)state;
	/* As above; A is let go with 1 or 3 pages of activations, B with a
	 * page of weights more. */
	for (pages = 1; pages <= 3; pages += 2) {
		init(&fx, &mx_policy_mema);
		fx.opts.board.workers = 3;
		fx.opts.depth = 2;
		(void)add_net(&fx);
		add_layer(&fx, 0,
			  &(struct fixture_layer){.units = 1,
						  .pages = 1,
						  .read_ns = 10,
						  .ns = 7,
						  .arena_pages = pages});
		(void)add_net(&fx);
		add_layer(&fx, 1,
			  &(struct fixture_layer){
				  .units = 1, .pages = 2, .ns = 7});
		(void)add_plain(&fx, 1, 10, 1000);
		add_arrival(&fx, 0, "CAB");
		simulate(&fx);
		assert_string_equal(fx.log,
				    pages == 1 ? "C0L A0L C0E B0L B0E A0E"
					       : "C0L A0L C0E B0L A0E B0E");
		fini(&fx);
	}
}

static void a_load_begins_when_its_layer_fits(void **state)
{
	const struct fixture_layer first = {
		.units = 2, .pages = 1, .read_ns = 10, .ns = 50};
	const struct fixture_layer second = {
		.units = 3, .pages = 1, .read_ns = 10, .ns = 5};
	struct fixture fx;

	(void)state;
	/* Activations, layer 0, the largest unit's room, and 2 pages: too few
	 * for layer 1 until half of layer 0 has been computed ... */
	init(&fx, &mx_policy_mema);
	fx.opts.board.memory_bytes = (1 + 2 + 1 + 2) * PAGE;
	(void)add_net(&fx);
	add_layer(&fx, 0, &first);
	add_layer(&fx, 0, &second);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0L A0E A0E A1L A1L A1L A1E A1E A1E");
	assert_int_equal(fx.sim.makespan_ns, 20 + 100 + 15);
	fini(&fx);

	/* ... and with one more at once. */
	init(&fx, &mx_policy_mema);
	fx.opts.board.memory_bytes = (1 + 2 + 1 + 3) * PAGE;
	(void)add_net(&fx);
	add_layer(&fx, 0, &first);
	add_layer(&fx, 0, &second);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0L A0E A1L A1L A1L A0E A1E A1E A1E");
	fini(&fx);
}

static void what_has_been_read_is_counted_once(void **state)
{
	struct fixture fx;

	(void)state;
	/*
	 * When B comes, at 25, two of A's units are there, and two are being
	 * read: with A's activations and room for B's unit, the largest, 7
	 * pages of 10. B needs the other 3, for its unit and activations, and
	 * is read behind A.
	 */
	init(&fx, &mx_policy_mema);
	fx.opts.board.memory_bytes = 10 * PAGE;
	fx.opts.board.workers = 3;
	fx.opts.depth = 2;
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 4, .pages = 1, .read_ns = 10, .ns = 10});
	(void)add_net(&fx);
	add_layer(&fx, 1,
		  &(struct fixture_layer){
			  .units = 1, .pages = 2, .read_ns = 10, .ns = 10});
	add_arrival(&fx, 0, "A");
	add_arrival(&fx, 25, "B");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0L A0L A0L B0L A0E A0E A0E A0E B0E");
	fini(&fx);
}

static void the_load_most_bound_by_io_goes_with_an_exec(void **state)
{
	struct fixture fx;

	(void)state;
	/* While A's layer 0 is computed: B's layer 1 before A's. */
	init(&fx, &mx_policy_mema);
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 100});
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 30});
	(void)add_net(&fx);
	add_layer(&fx, 1,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 20});
	add_layer(&fx, 1,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 30, .ns = 5});
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E B0L B1L A1L B0E A1E B1E");
	fini(&fx);
}

static void a_network_larger_than_the_memory_is_swapped(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_mema);
	simulate_too_large(&fx);
	fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exec_that_frees_most_comes_first),
		cmocka_unit_test(activations_count_as_freed),
		cmocka_unit_test(a_load_begins_when_its_layer_fits),
		cmocka_unit_test(what_has_been_read_is_counted_once),
		cmocka_unit_test(the_load_most_bound_by_io_goes_with_an_exec),
		cmocka_unit_test(a_network_larger_than_the_memory_is_swapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
