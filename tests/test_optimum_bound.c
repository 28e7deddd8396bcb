#include <stdlib.h>

#include "sched/optimum.h"
#include "sched/optimum_impl.h"
#include "tests/instance_fixture.h"

#define SEEDS 100
#define TASKS_MAX (2 * MX_INSTANCE_NETS_MAX * MX_INSTANCE_LAYERS_MAX)

struct started {
	struct mx_search_task task;
	uint64_t start_ns;
};

static int compare(const void *a, const void *b)
{
	const struct started *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	/* What is computed at once may make room for what is read. */
	return (int)x->task.is_load - (int)y->task.is_load;
}

/* The best schedule's tasks in the order of their starts. */
static uint32_t best_order(const struct mx_instance *instance,
			   struct started *order, uint64_t *ends_ns)
{
	const struct mx_schedule_layer *when;
	struct mx_optimum optimum;
	uint32_t count = 0, i, k;

	assert_int_equal(mx_optimum_find(&optimum, instance, NULL, NULL), 0);
	*ends_ns = optimum.response_ns;
	when = optimum.schedule.layers;
	for (i = 0; i < instance->net_count; i++) {
		*ends_ns += instance->nets[i].release_ns;
		for (k = 0; k < instance->nets[i].layer_count; k++, when++) {
			order[count++] = (struct started){
				{(uint8_t)i, (uint8_t)k, 1}, when->load_ns};
			order[count++] = (struct started){
				{(uint8_t)i, (uint8_t)k, 0}, when->exec_ns};
		}
	}
	qsort(order, count, sizeof(*order), compare);
	mx_optimum_fini(&optimum);
	return count;
}

static void no_bound_on_the_way_to_the_best_is_above_it(void **state)
{
	struct mx_instance_random how = {
		.nets_min = 2,
		.nets_max = 4,
		.layers_min = 3,
		.layers_max = 5,
	};
	static struct started order[TASKS_MAX];
	struct mx_search_state at;
	struct mx_instance instance;
	uint64_t ends_ns, start_ns, tight = 0;
	uint32_t count, i;

	(void)state;
	for (how.seed = 1; how.seed <= SEEDS; how.seed++) {
		how.budget = (enum mx_instance_budget)(how.seed % 3);
		how.processors = (uint32_t)(1 + how.seed % 2);
		assert_int_equal(mx_instance_init_random(&instance, &how, NULL),
				 0);
		count = best_order(&instance, order, &ends_ns);
		mx_search_begin(&at, &instance);
		for (i = 0; i < count; i++) {
			assert_true(mx_search_bound(&at, &instance) <= ends_ns);
			start_ns =
				mx_search_start(&at, &instance, order[i].task);
			assert_int_equal(start_ns, order[i].start_ns);
			mx_search_append(&at, &instance, order[i].task,
					 start_ns);
		}
		assert_int_equal(mx_search_bound(&at, &instance), ends_ns);
		assert_int_equal(at.done_ns, ends_ns);
		assert_int_equal(at.held_bytes, 0);
		mx_search_begin(&at, &instance);
		tight += mx_search_bound(&at, &instance) >= ends_ns / 10 * 9;
		mx_instance_fini(&instance);
	}
	/* And they are worth something from the beginning. */
	assert_true(tight > SEEDS / 2);
}

static void one_is_dominated_by_what_is_as_far_and_no_later(void **state)
{
	static const struct mx_instance_layer layers[] = {
		{.load_ns = 2, .exec_ns = 3, .weight_bytes = 1},
		{.load_ns = 4, .exec_ns = 1, .weight_bytes = 1},
	};
	static const struct mx_search_task loads[] = {{0, 0, 1}, {1, 0, 1}};
	static const uint32_t counts[] = {1, 1};
	static const uint64_t releases[] = {0, 0};
	struct mx_search_state a, b, late;
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 2, 1, 2, counts, releases, layers);
	mx_search_begin(&a, &instance);
	mx_search_append(&a, &instance, loads[0], 0);
	b = a;
	mx_search_append(&a, &instance, loads[1], 2);
	/* The same the other way round: other weights come last. */
	mx_search_begin(&b, &instance);
	mx_search_append(&b, &instance, loads[1], 0);
	mx_search_append(&b, &instance, loads[0], 4);
	assert_int_equal(a.io_ns, 6);
	assert_int_equal(b.io_ns, 6);
	assert_int_equal(mx_search_dominates(&a, &b, 2), 0);
	assert_int_equal(mx_search_dominates(&b, &a, 2), 0);
	late = a;
	assert_int_equal(mx_search_dominates(&a, &late, 2), 1);
	late.now_ns++;
	assert_int_equal(mx_search_dominates(&a, &late, 2), 1);
	assert_int_equal(mx_search_dominates(&late, &a, 2), 0);
	late = a;
	late.exec_ns[1]++;
	assert_int_equal(mx_search_dominates(&late, &a, 2), 0);
	/* When a's last LOAD is over before b goes on, it matters no more which
	 * it was. */
	b.now_ns = b.io_ns = 6;
	assert_int_equal(mx_search_dominates(&a, &b, 2), 1);
	mx_instance_fini(&instance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_bound_on_the_way_to_the_best_is_above_it),
		cmocka_unit_test(
			one_is_dominated_by_what_is_as_far_and_no_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
