#include "sched/task_heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int mx_task_heap_reserve(struct mx_task_heap *heap, uint32_t room)
{
	struct mx_task_node **nodes;

	if (room <= heap->room)
		return 0;
	nodes = realloc(heap->nodes, ((size_t)room + 1) * sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	heap->nodes = nodes;
	heap->room = room;
	return 0;
}

void mx_task_heap_fini(struct mx_task_heap *heap)
{
	free(heap->nodes);
	*heap = (struct mx_task_heap){0};
}

static int is_before(const struct mx_task_node *a, const struct mx_task_node *b)
{
	return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static void put(struct mx_task_heap *heap, uint32_t place,
		struct mx_task_node *node)
{
	heap->nodes[place] = node;
	node->place = place;
}

static void rise(struct mx_task_heap *heap, uint32_t place,
		 struct mx_task_node *node)
{
	while (place > 1 && is_before(node, heap->nodes[place / 2])) {
		put(heap, place, heap->nodes[place / 2]);
		place /= 2;
	}
	put(heap, place, node);
}

static void sink(struct mx_task_heap *heap, uint32_t place,
		 struct mx_task_node *node)
{
	uint32_t child;

	while ((child = place * 2) <= heap->count) {
		if (child < heap->count &&
		    is_before(heap->nodes[child + 1], heap->nodes[child]))
			child++;
		if (!is_before(heap->nodes[child], node))
			break;
		put(heap, place, heap->nodes[child]);
		place = child;
	}
	put(heap, place, node);
}

void mx_task_heap_add(struct mx_task_heap *heap, struct mx_task_node *node)
{
	assert(node->place == 0 && heap->count < heap->room);
	rise(heap, ++heap->count, node);
}

void mx_task_heap_remove(struct mx_task_heap *heap, struct mx_task_node *node)
{
	const uint32_t place = node->place;
	struct mx_task_node *last;

	assert(place > 0 && heap->nodes[place] == node);
	node->place = 0;
	last = heap->nodes[heap->count--];
	if (last == node)
		return;
	if (place > 1 && is_before(last, heap->nodes[place / 2]))
		rise(heap, place, last);
	else
		sink(heap, place, last);
}

void *mx_task_heap_first(const struct mx_task_heap *heap)
{
	return heap->count > 0 ? heap->nodes[1]->owner : NULL;
}
