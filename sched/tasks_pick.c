/*
 * Layer tasks: what can be taken, for `pick`.
 */
#include "sched/tasks.h"

#include <assert.h>

#include "sched/tasks_impl.h"

enum mx_tasks_part mx_task_part(const struct mx_task_net *net, uint32_t layer)
{
	return layer < net->split ? MX_TASKS_HEAD : MX_TASKS_TAIL;
}

/* The job goes on: it is prepared, and is not to end. */
static int is_going(const struct mx_task_job *tj)
{
	return tj->prepared && tj->job->state == MX_JOB_RUNNING &&
	       tj->job->status == 0;
}

/* Has every LOAD of the part been taken, up to @end, and is none being done? */
static int is_loaded(const struct mx_tasks *tasks, const struct mx_task_job *tj,
		     enum mx_tasks_part part, uint32_t begin, uint32_t end)
{
	const struct mx_task_slot *slot;
	uint32_t i;

	if (tj->next_load[part] < end)
		return 0;
	for (i = 0; i < tasks->count; i++) {
		slot = &tasks->slots[i];
		if (slot->task.kind == MX_TASK_LOAD &&
		    slot->task.job == tj->job && slot->task.layer >= begin &&
		    slot->task.layer < end)
			return 0;
	}
	return 1;
}

static int can_load(const struct mx_tasks *tasks, const struct mx_task_job *tj,
		    enum mx_tasks_part part)
{
	const uint32_t layer = tj->next_load[part];

	if (layer == tj->load_end[part])
		return 0;
	switch (tasks->rules->order) {
	case MX_TASKS_BULK:
		return is_loaded(tasks, tj, part, 0, layer);
	case MX_TASKS_LINEAR:
		return tj->execs_done == layer;
	case MX_TASKS_FREE:
	case MX_TASKS_SPLIT:
		break;
	}
	return 1;
}

static int can_exec(const struct mx_tasks *tasks, const struct mx_task_job *tj,
		    enum mx_tasks_part part)
{
	const uint32_t layer = tj->execs_done;
	const uint32_t end = tj->load_end[part];

	if (layer == tj->net->net->layer_count || tj->execs_taken > layer ||
	    mx_task_part(tj->net, layer) != part)
		return 0;
	switch (tasks->rules->order) {
	case MX_TASKS_BULK:
		return is_loaded(tasks, tj, part, 0, end);
	case MX_TASKS_SPLIT:
		if (part == MX_TASKS_TAIL)
			return is_loaded(tasks, tj, part, layer, end);
		break;
	case MX_TASKS_FREE:
	case MX_TASKS_LINEAR:
		break;
	}
	return is_loaded(tasks, tj, part, layer, layer + 1);
}

static void place(struct mx_task_heap *heap, struct mx_task_node *node,
		  int wanted)
{
	if (wanted && !node->place)
		mx_task_heap_add(heap, node);
	else if (!wanted && node->place)
		mx_task_heap_remove(heap, node);
}

void mx_task_job_update(struct mx_tasks *tasks, struct mx_task_job *tj)
{
	enum mx_tasks_part part;
	int can;

	for (part = 0; part < MX_TASKS_PARTS; part++) {
		can = is_going(tj) && can_load(tasks, tj, part);
		place(&tasks->heaps[MX_TASK_LOAD][part],
		      &tj->nodes[MX_TASK_LOAD][part], can);
		can = is_going(tj) && can_exec(tasks, tj, part);
		place(&tasks->heaps[MX_TASK_EXEC][part],
		      &tj->nodes[MX_TASK_EXEC][part], can);
	}
}

static void describe(const struct mx_task_job *tj, enum mx_task_kind kind,
		     enum mx_tasks_part part, struct mx_task *out)
{
	*out = (struct mx_task){
		.kind = kind,
		.job = tj->job,
		.layer = kind == MX_TASK_LOAD ? tj->next_load[part]
					      : tj->execs_done,
	};
}

/* ---- the view of `pick` ---- */

const struct mx_board *mx_tasks_board(const struct mx_tasks *tasks)
{
	return tasks->board;
}

uint32_t mx_tasks_count(const struct mx_tasks *tasks)
{
	return tasks->count;
}

const struct mx_task *mx_tasks_at(const struct mx_tasks *tasks, uint32_t index)
{
	assert(index < tasks->count);
	return &tasks->slots[index].task;
}

uint32_t mx_tasks_busy(const struct mx_tasks *tasks, enum mx_tasks_part part)
{
	const struct mx_task *task;
	uint32_t i, busy = 0;

	for (i = 0; i < tasks->count; i++) {
		task = &tasks->slots[i].task;
		busy += (task->kind == MX_TASK_INIT
				 ? MX_TASKS_HEAD
				 : mx_task_part(&tasks->nets[task->job->net],
						task->layer)) == part;
	}
	return busy;
}

uint64_t mx_tasks_unread_bytes(const struct mx_tasks *tasks)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < tasks->count; i++)
		bytes += tasks->slots[i].unread_bytes;
	return bytes;
}

int mx_tasks_can_init(struct mx_tasks *tasks, const struct mx_board_job *job)
{
	if (tasks->placeless)
		return 0;
	if (tasks->live_count > 0 && tasks->rules->flags & MX_TASKS_ONE_JOB)
		return 0;
	if (!mx_board_fits(tasks->board, job))
		return 0;
	/* Without memory it waits; the first chunk is always there. */
	return tasks->free_jobs || !mx_tasks_grow(tasks);
}

static int first_init(struct mx_tasks *tasks, struct mx_task *out)
{
	const uint32_t net = mx_minima_least(&tasks->waiting);
	struct mx_board_job *job;

	if (net == tasks->net_count)
		return 0;
	job = mx_board_waiting(tasks->board, net);
	if (!mx_tasks_can_init(tasks, job))
		return 0;
	*out = (struct mx_task){.kind = MX_TASK_INIT, .job = job};
	return 1;
}

int mx_tasks_first(struct mx_tasks *tasks, enum mx_task_kind kind,
		   enum mx_tasks_part part, struct mx_task *out)
{
	struct mx_task_job *tj;

	if (kind == MX_TASK_INIT)
		return first_init(tasks, out);
	while ((tj = mx_task_heap_first(&tasks->heaps[kind][part]))) {
		if (is_going(tj)) {
			describe(tj, kind, part, out);
			return 1;
		}
		mx_task_job_update(tasks, tj);
	}
	return 0;
}

int mx_tasks_next(const struct mx_tasks *tasks, const struct mx_board_job *job,
		  enum mx_task_kind kind, enum mx_tasks_part part,
		  struct mx_task *out)
{
	const struct mx_task_job *tj = job->tag;

	(void)tasks;
	assert(kind < MX_TASK_KINDS);
	if (!tj || !tj->nodes[kind][part].place || !is_going(tj))
		return 0;
	describe(tj, kind, part, out);
	return 1;
}

int mx_tasks_pick_oldest(void *own, struct mx_tasks *tasks, struct mx_task *out)
{
	struct mx_task exec, load, init;
	int found = 0;

	(void)own;
	if (mx_tasks_first(tasks, MX_TASK_LOAD, MX_TASKS_HEAD, &load)) {
		*out = load;
		found = 1;
	}
	if (mx_tasks_first(tasks, MX_TASK_EXEC, MX_TASKS_HEAD, &exec) &&
	    (!found || exec.job->id < load.job->id ||
	     (exec.job == load.job && exec.layer < load.layer))) {
		*out = exec;
		found = 1;
	}
	if (mx_tasks_first(tasks, MX_TASK_INIT, MX_TASKS_HEAD, &init) &&
	    (!found || init.job->id < out->job->id)) {
		*out = init;
		found = 1;
	}
	return found;
}
