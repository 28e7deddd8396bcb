/*
 * masa's rule as it is written: both pools, sorted and walked in order.
 */
#ifndef MX_TESTS_MASA_POOLS_H
#define MX_TESTS_MASA_POOLS_H

#include <stdlib.h>

#include "sched/board.h"
#include "sched/tasks.h"
#include "tests/check.h"

enum { POOL_MAX = 512 };

struct pool_task {
	uint64_t key_ns;
	enum mx_task_kind kind;
	uint64_t id;
	uint32_t layer;
	uint64_t required_bytes;
	uint32_t net;
	int fits;
};

struct pools {
	struct pool_task tasks[POOL_MAX]; /* of both */
	size_t count;
	int64_t free_bytes;
	uint32_t active_count;
};

__attribute__((unused)) static void put(struct pools *pools,
					const struct mx_board_net *nets,
					uint32_t net, enum mx_task_kind kind,
					uint64_t id, uint32_t layer)
{
	assert_true(pools->count < POOL_MAX);
	pools->tasks[pools->count++] = (struct pool_task){
		.key_ns = nets[net].masa_key_ns,
		.kind = kind,
		.id = id,
		.layer = layer,
		.required_bytes =
			kind == MX_TASK_INIT ? nets[net].masa_peak_bytes : 0,
		.net = net,
		.fits = 1,
	};
}

static int by_key(const void *a, const void *b)
{
	const struct pool_task *x = a;
	const struct pool_task *y = b;

	if (x->key_ns != y->key_ns)
		return x->key_ns < y->key_ns ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->layer < y->layer ? -1 : x->layer > y->layer;
}

/* NULL: nothing to do. */
__attribute__((unused)) static const struct pool_task *naive_pick(
	struct pools *pools)
{
	const struct pool_task *task;
	size_t i;

	qsort(pools->tasks, pools->count, sizeof(*pools->tasks), by_key);
	for (i = 0; i < pools->count; i++)
		if (pools->tasks[i].kind == MX_TASK_EXEC)
			return &pools->tasks[i];
	for (i = 0; i < pools->count; i++) {
		task = &pools->tasks[i];
		if (!task->fits)
			continue;
		if (pools->active_count == 0 || task->required_bytes == 0 ||
		    (pools->free_bytes >= 0 &&
		     task->required_bytes <= (uint64_t)pools->free_bytes))
			return task;
	}
	return NULL;
}

#endif
