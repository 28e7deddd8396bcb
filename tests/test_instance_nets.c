/* wrap: calloc */
#include "sched/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "pager/residency.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

/* A network of @STEPS steps in two layers; steps 1 and 2 share a unit, step 4
 * has none. */
enum { STEPS = 6, UNITS = 4 };

static struct mx_board_unit units[UNITS] = {
	{10, 100}, {20, 200}, {30, 300}, {40, 400}};
static struct mx_board_step steps[STEPS] = {
	{.ns = 1, .layer = 0, .unit = 0},
	{.ns = 2, .layer = 0, .unit = 1},
	{.ns = 3, .layer = 0, .unit = 1},
	{.ns = 4, .layer = 1, .unit = 2},
	{.ns = 5, .layer = 1, .unit = MX_STEP_NONE},
	{.ns = 6, .layer = 1, .unit = 3},
};
static struct mx_board_layer layers[2] = {
	{.first_step = 0, .step_count = 3, .arena_bytes = 9},
	{.first_step = 3, .step_count = 3, .arena_bytes = 5, .dense = 1},
};
static const struct mx_board_net net = {
	.units = units,
	.unit_count = UNITS,
	.steps = steps,
	.step_count = STEPS,
	.layers = layers,
	.layer_count = 2,
	.weight_bytes = 100,
	.arena_bytes = 9,
};

static void expect(const struct mx_instance_layer *layer, uint64_t load_ns,
		   uint64_t exec_ns, uint64_t weight_bytes, uint64_t run_bytes,
		   uint64_t keep_bytes)
{
	assert_int_equal(layer->load_ns, load_ns);
	assert_int_equal(layer->exec_ns, exec_ns);
	assert_int_equal(layer->weight_bytes, weight_bytes);
	assert_int_equal(layer->run_bytes, run_bytes);
	assert_int_equal(layer->keep_bytes, keep_bytes);
}

static void each_step_is_a_layer_where_there_is_room(void **state)
{
	struct mx_instance instance;
	const struct mx_instance_layer *is;

	(void)state;
	assert_int_equal(mx_instance_init_nets(&instance, &net, 1,
					       MX_RESIDENCY_UNLIMITED, 9, NULL),
			 0);
	assert_int_equal(instance.budget_bytes, 100 + MX_RESIDENCY_PAGE_BYTES);
	assert_int_equal(instance.processors, 1);
	assert_int_equal(instance.nets[0].layer_count, 5);
	is = instance.nets[0].layers;
	expect(&is[0], 100, 1, 10, 9, 9);
	expect(&is[1], 200, 5, 20, 9, 5);
	expect(&is[2], 300, 4, 30, 5, 5);
	expect(&is[3], 0, 5, 0, 5, 5);
	expect(&is[4], 400, 6, 40, 5, 0);
	assert_int_equal(is[1].dense, 0);
	assert_int_equal(is[2].dense, 1);
	mx_instance_fini(&instance);
}

static void the_cheapest_neighbours_are_joined_first(void **state)
{
	struct mx_instance instance;
	const struct mx_instance_layer *is;

	(void)state;
	/* First 0 with 1 (306), then 2 with 3 (309). */
	assert_int_equal(mx_instance_init_nets(&instance, &net, 1,
					       MX_RESIDENCY_UNLIMITED, 6, NULL),
			 0);
	assert_int_equal(instance.nets[0].layer_count, 3);
	is = instance.nets[0].layers;
	expect(&is[0], 300, 6, 30, 9, 5);
	expect(&is[1], 300, 9, 30, 5, 5);
	expect(&is[2], 400, 6, 40, 5, 0);
	mx_instance_fini(&instance);
}

static void what_is_joined_fits_the_memory(void **state)
{
	const struct mx_board_net three[3] = {net, net, net};
	struct mx_instance instance;
	struct mx_err err;

	(void)state;
	/* 50 bytes of weights at once: 10 + 20 and 30, 40 can never be. */
	assert_int_equal(mx_instance_init_nets(&instance, &net, 1, 59, 6, NULL),
			 0);
	assert_int_equal(instance.nets[0].layer_count, 3);
	mx_instance_fini(&instance);
	assert_int_equal(mx_instance_init_nets(&instance, &net, 1, 59, 5, &err),
			 -EINVAL);
	assert_string_equal(err.text,
			    "the optimum is for at most 5 tasks: these "
			    "networks have more, even with their layers joined "
			    "as far as the memory allows");
	assert_int_equal(
		mx_instance_init_nets(&instance, three, 3, 59, 18, NULL), 0);
	assert_int_equal(mx_instance_task_count(&instance), 18);
	mx_instance_fini(&instance);
	assert_int_equal(mx_instance_init_nets(&instance, &net, 1, 8, 9, &err),
			 -EINVAL);
	assert_string_equal(err.text,
			    "the activations alone exceed the memory");
	assert_int_equal(
		mx_instance_init_nets(&instance, three, 9, 59, 9, &err),
		-EINVAL);
	assert_string_equal(err.text, "the optimum is for at most 8 networks");
}

static void every_allocation_may_fail(void **state)
{
	struct mx_instance instance;
	long nth;
	int rc;

	(void)state;
	for (nth = 0;; nth++) {
		faults_arm(nth);
		rc = mx_instance_init_nets(&instance, &net, 1, 109, 9, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(nth, 3);
	mx_instance_fini(&instance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_a_layer_where_there_is_room),
		cmocka_unit_test(the_cheapest_neighbours_are_joined_first),
		cmocka_unit_test(what_is_joined_fits_the_memory),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
