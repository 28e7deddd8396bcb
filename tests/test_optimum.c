/* wrap: calloc realloc */
#include "sched/optimum.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "sched/verify_schedule.h"
#include "tests/faults.h"
#include "tests/instance_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)

#define NO MX_TIME_NEVER

static const uint64_t at_once[MX_INSTANCE_NETS_MAX];

/* The optimum is proven, is what its own schedule says, and keeps to the
 * model. */
static uint64_t optimum_of(const struct mx_instance *instance)
{
	struct mx_optimum optimum;
	uint64_t response_ns;
	struct mx_err err;
	int rc;

	assert_int_equal(mx_optimum_find(&optimum, instance, NULL, &err), 0);
	response_ns = optimum.response_ns;
	assert_int_equal(optimum.bound_ns, response_ns);
	assert_int_equal(mx_schedule_response_ns(&optimum.schedule, instance),
			 response_ns);
	rc = mx_schedule_verify(&optimum.schedule, instance, &err);
	if (rc)
		print_error("%s\n", err.text);
	assert_int_equal(rc, 0);
	mx_optimum_fini(&optimum);
	return response_ns;
}

static void one_network_reads_ahead(void **state)
{
	static const struct mx_instance_layer layers[] = {
		{.load_ns = 4, .exec_ns = 3, .weight_bytes = 5},
		{.load_ns = 2, .exec_ns = 6, .weight_bytes = 5},
		{.load_ns = 5, .exec_ns = 1, .weight_bytes = 5},
	};
	const uint32_t count = 3;
	struct mx_instance instance;

	(void)state;
	/* Reads 0-4, 4-6, 6-11; computes 4-7, 7-13, 13-14. */
	instance_make(&instance, 15, 1, 1, &count, at_once, layers);
	assert_int_equal(optimum_of(&instance), 14);
	/* With room for two the last read waits for the first EXEC: 7-12. */
	instance.budget_bytes = 10;
	assert_int_equal(optimum_of(&instance), 14);
	/* With room for one: each after the other. */
	instance.budget_bytes = 9;
	assert_int_equal(optimum_of(&instance), 21);
	mx_instance_fini(&instance);
}

static void the_shortest_network_is_first(void **state)
{
	static const struct mx_instance_layer layers[] = {
		{.exec_ns = 9}, {.exec_ns = 1}, {.exec_ns = 4}};
	static const uint32_t counts[] = {1, 1, 1};
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 1, 1, 3, counts, at_once, layers);
	assert_int_equal(optimum_of(&instance), 1 + 5 + 14);
	instance.processors = 2;
	assert_int_equal(optimum_of(&instance), 1 + 4 + 10);
	instance.processors = 3;
	assert_int_equal(optimum_of(&instance), 1 + 4 + 9);
	mx_instance_fini(&instance);
}

static void waiting_for_what_comes_can_be_best(void **state)
{
	static const struct mx_instance_layer layers[] = {{.exec_ns = 20},
							  {.exec_ns = 1}};
	static const uint32_t counts[] = {1, 1};
	static const uint64_t releases[] = {0, 2};
	struct mx_instance instance;

	(void)state;
	/* 1 comes at 2, and is over at 3; 0 waits for it. */
	instance_make(&instance, 1, 1, 2, counts, releases, layers);
	assert_int_equal(optimum_of(&instance), 1 + 23);
	mx_instance_fini(&instance);
}

static void loads_may_come_out_of_order(void **state)
{
	/* While the first layer is computed only the third's weights fit. */
	static const struct mx_instance_layer layers[] = {
		{.load_ns = 1, .exec_ns = 9, .weight_bytes = 6},
		{.load_ns = 2, .exec_ns = 1, .weight_bytes = 7},
		{.load_ns = 3, .exec_ns = 1, .weight_bytes = 3},
	};
	const uint32_t count = 3;
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 10, 1, 1, &count, at_once, layers);
	assert_int_equal(optimum_of(&instance), 1 + 9 + 2 + 1 + 1);
	mx_instance_fini(&instance);
}

static void activations_take_room(void **state)
{
	const uint32_t count = 2;
	struct mx_instance instance;
	struct mx_optimum optimum;
	struct mx_err err;

	(void)state;
	instance_make(&instance, 11, 1, 1, &count, at_once, two_layers);
	assert_int_equal(optimum_of(&instance), 7);
	instance.budget_bytes = 10;
	assert_int_equal(optimum_of(&instance), 9);
	instance.budget_bytes = 8;
	assert_int_equal(optimum_of(&instance), 9);
	instance.budget_bytes = 7;
	assert_int_equal(mx_optimum_find(&optimum, &instance, NULL, &err),
			 -EDQUOT);
	assert_string_equal(err.text,
			    "optimum: no schedule in 7 bytes was found");
	mx_instance_fini(&instance);
}

static void computing_early_can_be_worse(void **state)
{
	/* What network 0's first layer leaves keeps network 1 out until all of
	 * 0 is over, at 11: so it waits for 1, which ends at 6. */
	static const struct mx_instance_layer layers[] = {
		{.exec_ns = 1, .run_bytes = 5, .keep_bytes = 5},
		{.load_ns = 10,
		 .exec_ns = 1,
		 .weight_bytes = 1,
		 .run_bytes = 5},
		{.load_ns = 1, .exec_ns = 5, .weight_bytes = 6, .run_bytes = 1},
	};
	static const uint32_t counts[] = {2, 1};
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 11, 2, 2, counts, at_once, layers);
	assert_int_equal(optimum_of(&instance), 6 + 12);
	mx_instance_fini(&instance);
}

/* ---- against all schedules ---- */

struct exhaustive {
	const struct mx_instance *instance;
	struct mx_schedule schedule;
	uint64_t horizon_ns;
	uint64_t best_ns;
};

static void place(struct exhaustive *all, uint32_t net, uint32_t layer,
		  uint32_t row, uint64_t exec_from_ns, uint64_t response_ns);

static void place_next(struct exhaustive *all, uint32_t net, uint32_t layer,
		       uint32_t row, uint64_t end_ns, uint64_t response_ns)
{
	const struct mx_instance_net *nets = all->instance->nets;

	if (layer + 1 < nets[net].layer_count) {
		place(all, net, layer + 1, row + 1, end_ns, response_ns);
		return;
	}
	response_ns += end_ns - nets[net].release_ns;
	if (response_ns >= all->best_ns)
		return;
	if (net + 1 < all->instance->net_count)
		place(all, net + 1, 0, row + 1, nets[net + 1].release_ns,
		      response_ns);
	else if (!mx_schedule_verify(&all->schedule, all->instance, NULL))
		all->best_ns = response_ns;
}

/* Every start there is, of a layer's tasks and of all that follow. */
static void place(struct exhaustive *all, uint32_t net, uint32_t layer,
		  uint32_t row, uint64_t exec_from_ns, uint64_t response_ns)
{
	const struct mx_instance_net *of = &all->instance->nets[net];
	const struct mx_instance_layer *one = &of->layers[layer];
	struct mx_schedule_layer *when = &all->schedule.layers[row];
	uint64_t load_ns = of->release_ns, from_ns;

	do {
		from_ns = load_ns + one->load_ns;
		from_ns = from_ns > exec_from_ns ? from_ns : exec_from_ns;
		when->load_ns = one->weight_bytes ? load_ns : NO;
		for (when->exec_ns = from_ns;
		     when->exec_ns + one->exec_ns <= all->horizon_ns;
		     when->exec_ns++)
			place_next(all, net, layer, row,
				   when->exec_ns + one->exec_ns, response_ns);
	} while (one->weight_bytes && load_ns++ < all->horizon_ns);
}

static uint64_t exhaustive_of(const struct mx_instance *instance)
{
	struct exhaustive all = {.instance = instance, .best_ns = NO};
	uint64_t release_ns = 0;
	uint32_t i, k;

	assert_int_equal(mx_schedule_init(&all.schedule, instance, NULL), 0);
	for (i = 0; i < instance->net_count; i++) {
		const struct mx_instance_net *net = &instance->nets[i];

		if (net->release_ns > release_ns)
			release_ns = net->release_ns;
		for (k = 0; k < net->layer_count; k++)
			all.horizon_ns +=
				net->layers[k].load_ns + net->layers[k].exec_ns;
	}
	all.horizon_ns += release_ns;
	place(&all, 0, 0, 0, instance->nets[0].release_ns, 0);
	mx_schedule_fini(&all.schedule);
	return all.best_ns;
}

static uint32_t draw(uint32_t *state, uint32_t low, uint32_t high)
{
	*state = *state * 1664525 + 1013904223;
	return low + (*state >> 16) % (high - low + 1);
}

#define SMALL_ONES 60

static void it_is_the_best_of_all_schedules(void **state)
{
	static const uint32_t shapes[][3] = {
		{2, 2, 1}, {2, 1, 2}, {3, 1, 1}, {1, 3, 1}};
	static const uint32_t ones[] = {1, 1, 1};
	uint32_t seed = 1, i, k, infeasible = 0;
	struct mx_instance_layer layers[3];
	struct mx_instance instance;
	struct mx_optimum optimum;
	uint64_t releases[3] = {0}, best_ns;

	(void)state;
	for (i = 0; i < SMALL_ONES; i++) {
		const uint32_t *shape = shapes[i % 4];

		for (k = 0; k < 3; k++) {
			const uint32_t weights = draw(&seed, 0, 6);

			releases[k] = draw(&seed, 0, 3);
			layers[k] = (struct mx_instance_layer){
				.load_ns = weights ? draw(&seed, 1, 3) : 0,
				.exec_ns = draw(&seed, 1, 3),
				.weight_bytes = weights,
				.run_bytes = draw(&seed, 1, 3),
				.keep_bytes = 1,
			};
		}
		instance_make(&instance, draw(&seed, 6, 12), 1 + i % 2,
			      shape[0], shape[0] == 3 ? ones : shape + 1,
			      releases, layers);
		for (k = 0; k < instance.net_count; k++) {
			struct mx_instance_net *net = &instance.nets[k];

			net->layers[net->layer_count - 1].keep_bytes = 0;
		}
		best_ns = exhaustive_of(&instance);
		if (best_ns == NO) {
			assert_int_equal(mx_optimum_find(&optimum, &instance,
							 NULL, NULL),
					 -EDQUOT);
			infeasible++;
		} else {
			assert_int_equal(optimum_of(&instance), best_ns);
		}
		mx_instance_fini(&instance);
	}
	assert_in_range(infeasible, 1, SMALL_ONES / 2);
}

/* ---- limits ---- */

static void large_instances_are_solved(void **state)
{
	const struct mx_instance_random how = {
		.seed = 1,
		.nets_min = 4,
		.nets_max = 4,
		.layers_min = 5,
		.layers_max = 5,
		.budget = MX_INSTANCE_MIDDLE,
		.processors = 2,
	};
	struct mx_instance instance;

	(void)state;
	assert_int_equal(mx_instance_init_random(&instance, &how, NULL), 0);
	assert_int_equal(mx_instance_task_count(&instance), 40);
	assert_true(optimum_of(&instance) > 0);
	mx_instance_fini(&instance);
}

static void a_search_cut_short_says_so(void **state)
{
	const struct mx_optimum_opts few = {.state_limit = 400};
	const struct mx_instance_random how = {
		.seed = 36,
		.nets_min = 4,
		.nets_max = 4,
		.layers_min = 6,
		.layers_max = 6,
		.processors = 1,
	};
	struct mx_instance instance;
	struct mx_optimum optimum;
	uint64_t best_ns;

	(void)state;
	assert_int_equal(mx_instance_init_random(&instance, &how, NULL), 0);
	best_ns = optimum_of(&instance);
	assert_int_equal(mx_optimum_find(&optimum, &instance, &few, NULL), 0);
	assert_true(optimum.bound_ns < optimum.response_ns);
	assert_true(optimum.bound_ns <= best_ns);
	assert_true(optimum.response_ns >= best_ns);
	assert_int_equal(mx_schedule_verify(&optimum.schedule, &instance, NULL),
			 0);
	mx_optimum_fini(&optimum);
	mx_instance_fini(&instance);
}

static void what_would_overflow_is_refused(void **state)
{
	struct mx_instance_layer layer = {.exec_ns = (uint64_t)1 << 50};
	const uint32_t one = 1;
	struct mx_instance instance;
	struct mx_optimum optimum;
	struct mx_err err;

	(void)state;
	instance_make(&instance, 1, 1, 1, &one, at_once, &layer);
	assert_int_equal(optimum_of(&instance), (uint64_t)1 << 50);
	instance.nets[0].layers[0].exec_ns++;
	assert_int_equal(mx_optimum_find(&optimum, &instance, NULL, &err),
			 -EINVAL);
	assert_string_equal(
		err.text,
		"optimum: the instance's times or sizes are too large");
	instance.nets[0].layers[0].exec_ns = UINT64_MAX;
	instance.nets[0].release_ns = 1;
	assert_int_equal(mx_optimum_find(&optimum, &instance, NULL, NULL),
			 -EINVAL);
	mx_instance_fini(&instance);
}

static void every_allocation_may_fail(void **state)
{
	const struct mx_instance_random how = {
		.seed = 3,
		.nets_min = 4,
		.nets_max = 4,
		.layers_min = 5,
		.layers_max = 5,
		.processors = 1,
	};
	struct mx_instance instance;
	struct mx_optimum optimum;
	struct mx_err err;
	long nth;
	int rc;

	(void)state;
	assert_int_equal(mx_instance_init_random(&instance, &how, NULL), 0);
	for (nth = 0;; nth++) {
		faults_arm(nth);
		rc = mx_optimum_find(&optimum, &instance, NULL, &err);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_true(nth > 6);
	mx_optimum_fini(&optimum);
	mx_instance_fini(&instance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_network_reads_ahead),
		cmocka_unit_test(the_shortest_network_is_first),
		cmocka_unit_test(waiting_for_what_comes_can_be_best),
		cmocka_unit_test(loads_may_come_out_of_order),
		cmocka_unit_test(activations_take_room),
		cmocka_unit_test(computing_early_can_be_worse),
		cmocka_unit_test(it_is_the_best_of_all_schedules),
		cmocka_unit_test(large_instances_are_solved),
		cmocka_unit_test(a_search_cut_short_says_so),
		cmocka_unit_test(what_would_overflow_is_refused),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
