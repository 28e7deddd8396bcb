/*
 * A heap of things that are somewhere else: the one with the smallest (key,
 * id) is at hand, any can be taken out.
 *
 * Threads: none; the caller locks.
 */
#ifndef MX_SCHED_TASK_HEAP_H
#define MX_SCHED_TASK_HEAP_H

#include <stdint.h>

/* A member of what is kept in the heap. */
struct mx_task_node {
	uint64_t key;
	uint64_t id; /* orders equal keys */
	uint32_t place; /* in the heap, from 1; 0: in none */
	void *owner; /* what it is a member of */
};

struct mx_task_heap {
	struct mx_task_node **nodes; /* from 1 */
	uint32_t count;
	uint32_t room;
};

/* A zeroed heap is empty; this makes room for @room nodes. Returns 0 or
 * -ENOMEM, with the heap as it was. mx_task_heap_fini() ends it. */
int mx_task_heap_reserve(struct mx_task_heap *heap, uint32_t room);
void mx_task_heap_fini(struct mx_task_heap *heap);

/* @node is in no heap, and there is room. */
void mx_task_heap_add(struct mx_task_heap *heap, struct mx_task_node *node);
/* @node is in this heap. */
void mx_task_heap_remove(struct mx_task_heap *heap, struct mx_task_node *node);
/* What owns the smallest node; NULL: the heap is empty. */
void *mx_task_heap_first(const struct mx_task_heap *heap);

#endif
