/* wrap: calloc */
#include "sched/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/faults.h"
#include "tests/instance_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

#define SEEDS 60

static const uint32_t two_nets[] = {2, 1};
static const uint64_t releases[] = {5, 3};
static const struct mx_instance_layer three_layers[] = {
	{.load_ns = 2,
	 .exec_ns = 3,
	 .weight_bytes = 10,
	 .run_bytes = 4,
	 .keep_bytes = 2},
	{.exec_ns = 7, .run_bytes = 6},
	{.load_ns = 1, .exec_ns = 1, .weight_bytes = 8, .run_bytes = 1},
};

static void a_layer_without_weights_is_one_task(void **state)
{
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 100, 1, 2, two_nets, releases, three_layers);
	assert_int_equal(mx_instance_layer_count(&instance), 3);
	assert_int_equal(mx_instance_task_count(&instance), 5);
	mx_instance_fini(&instance);
}

static void the_minimum_is_the_largest_arena_and_the_largest_weights(
	void **state)
{
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 100, 1, 2, two_nets, releases, three_layers);
	assert_int_equal(mx_instance_arena_bytes(&instance.nets[0], 0), 6);
	assert_int_equal(mx_instance_arena_bytes(&instance.nets[1], 0), 1);
	assert_int_equal(mx_instance_minimum_bytes(&instance), 16);
	mx_instance_fini(&instance);
}

static void a_response_is_the_last_end_less_the_release(void **state)
{
	const struct mx_schedule_layer when[] = {{5, 7}, {0, 12}, {3, 4}};
	struct mx_schedule schedule;
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 100, 1, 2, two_nets, releases, three_layers);
	assert_int_equal(mx_schedule_init(&schedule, &instance, NULL), 0);
	memcpy(schedule.layers, when, sizeof(when));
	assert_int_equal(mx_schedule_response_ns(&schedule, &instance),
			 (12 + 7 - 5) + (4 + 1 - 3));
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

static void too_large_is_refused(void **state)
{
	const uint32_t counts[MX_INSTANCE_NETS_MAX + 1] = {
		1, MX_INSTANCE_LAYERS_MAX + 1};
	const uint32_t empty[] = {1, 0};
	struct mx_instance instance;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_instance_init(&instance, 2, counts, &err), -EINVAL);
	assert_string_equal(
		err.text, "instance: network 1 has 33 layers, can be 1 to 32");
	assert_int_equal(mx_instance_init(&instance, 2, empty, &err), -EINVAL);
	assert_int_equal(mx_instance_init(&instance, 9, counts, &err), -EINVAL);
	assert_string_equal(err.text, "instance: 9 networks, can be 1 to 8");
	assert_int_equal(mx_instance_init(&instance, 0, counts, &err), -EINVAL);
}

static void random_instances_are_within_what_was_asked_for(void **state)
{
	uint32_t seen_nets = 0, seen_layers = 0, i, k;
	struct mx_instance_random how;
	struct mx_instance instance;
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < SEEDS; seed++) {
		how = instance_random(seed, 2);
		assert_int_equal(mx_instance_init_random(&instance, &how, NULL),
				 0);
		assert_int_equal(instance.processors, 2);
		assert_true(instance.budget_bytes >=
			    mx_instance_minimum_bytes(&instance));
		assert_in_range(instance.net_count, 2, 4);
		seen_nets |= 1u << instance.net_count;
		for (i = 0; i < instance.net_count; i++) {
			const struct mx_instance_net *net = &instance.nets[i];

			assert_in_range(net->layer_count, 3, 6);
			seen_layers |= 1u << net->layer_count;
			for (k = 0; k < net->layer_count; k++) {
				const struct mx_instance_layer *layer =
					&net->layers[k];

				assert_true(layer->load_ns > 0);
				assert_true(layer->exec_ns > 0);
				assert_true(layer->weight_bytes > 0);
				assert_true(layer->keep_bytes <=
					    layer->run_bytes);
				if (k)
					assert_true(layer[-1].keep_bytes <=
						    layer->run_bytes);
			}
			assert_int_equal(
				net->layers[net->layer_count - 1].keep_bytes,
				0);
		}
		mx_instance_fini(&instance);
	}
	assert_int_equal(seen_nets, 7 << 2);
	assert_int_equal(seen_layers, 15 << 3);
}

static void equal_seeds_give_equal_instances(void **state)
{
	const struct mx_instance_random how = instance_random(7, 2);
	const struct mx_instance_random other = instance_random(8, 2);
	struct mx_instance a, b, c;

	(void)state;
	assert_int_equal(mx_instance_init_random(&a, &how, NULL), 0);
	assert_int_equal(mx_instance_init_random(&b, &how, NULL), 0);
	assert_int_equal(mx_instance_init_random(&c, &other, NULL), 0);
	assert_int_equal(a.budget_bytes, b.budget_bytes);
	assert_int_equal(a.nets[0].layer_count, b.nets[0].layer_count);
	assert_memory_equal(a.nets[0].layers, b.nets[0].layers,
			    a.nets[0].layer_count * sizeof(*a.nets[0].layers));
	assert_true(memcmp(a.nets[0].layers, c.nets[0].layers,
			   sizeof(*a.nets[0].layers)) != 0);
	mx_instance_fini(&a);
	mx_instance_fini(&b);
	mx_instance_fini(&c);
}

static void every_allocation_may_fail(void **state)
{
	const struct mx_instance_random how = instance_random(1, 2);
	struct mx_schedule schedule;
	struct mx_instance instance;
	struct mx_err err;
	long nth;
	int rc;

	(void)state;
	for (nth = 0;; nth++) {
		faults_arm(nth);
		rc = mx_instance_init_random(&instance, &how, &err);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_string_equal(err.text, "instance: no memory");
	}
	assert_int_equal(rc, 0);
	assert_true(nth > 2);
	faults_arm(0);
	assert_int_equal(mx_schedule_init(&schedule, &instance, &err), -ENOMEM);
	assert_int_equal(faults_disarm(), ENOMEM);
	mx_instance_fini(&instance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layer_without_weights_is_one_task),
		cmocka_unit_test(
			the_minimum_is_the_largest_arena_and_the_largest_weights),
		cmocka_unit_test(a_response_is_the_last_end_less_the_release),
		cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(
			random_instances_are_within_what_was_asked_for),
		cmocka_unit_test(equal_seeds_give_equal_instances),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
