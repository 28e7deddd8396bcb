/* wrap: realloc */
#include "sched/task_heap.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, realloc, (void *p, size_t bytes), (p, bytes), ENOMEM, NULL)

enum { NODES = 40, CHANGES = 4000 };

static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* The node with the smallest (key, id) of those that are in. */
static struct mx_task_node *naive_first(struct mx_task_node *nodes)
{
	struct mx_task_node *best = NULL;
	int i;

	for (i = 0; i < NODES; i++)
		if (nodes[i].place &&
		    (!best || nodes[i].key < best->key ||
		     (nodes[i].key == best->key && nodes[i].id < best->id)))
			best = &nodes[i];
	return best;
}

static void the_smallest_key_and_then_id_is_first(void **state)
{
	struct mx_task_node nodes[NODES] = {{0}};
	struct mx_task_heap heap = {0};
	uint64_t seed = 1;
	uint32_t i, k, in = 0;

	(void)state;
	assert_int_equal(mx_task_heap_reserve(&heap, NODES), 0);
	for (i = 0; i < NODES; i++)
		nodes[i].owner = &nodes[i];
	for (k = 0; k < CHANGES; k++) {
		assert_int_equal(heap.count, in);
		assert_ptr_equal(mx_task_heap_first(&heap), naive_first(nodes));
		i = draw(&seed) % NODES;
		if (nodes[i].place) {
			mx_task_heap_remove(&heap, &nodes[i]);
			assert_int_equal(nodes[i].place, 0);
			in--;
			continue;
		}
		nodes[i].key = draw(&seed) % 5;
		nodes[i].id = i;
		mx_task_heap_add(&heap, &nodes[i]);
		in++;
	}
	mx_task_heap_fini(&heap);
}

static void without_memory_a_heap_stays_as_it_was(void **state)
{
	struct mx_task_node node = {.owner = &node};
	struct mx_task_heap heap = {0};

	(void)state;
	assert_int_equal(mx_task_heap_reserve(&heap, 1), 0);
	mx_task_heap_add(&heap, &node);
	faults_arm(0);
	assert_int_equal(mx_task_heap_reserve(&heap, 1), 0);
	assert_int_equal(mx_task_heap_reserve(&heap, 2), -ENOMEM);
	assert_int_equal(faults_disarm(), ENOMEM);
	assert_ptr_equal(mx_task_heap_first(&heap), &node);
	assert_int_equal(heap.room, 1);
	mx_task_heap_fini(&heap);
	assert_null(mx_task_heap_first(&heap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_key_and_then_id_is_first),
		cmocka_unit_test(without_memory_a_heap_stays_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
