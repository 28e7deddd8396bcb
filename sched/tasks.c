/*
 * Invariants, between two events:
 *
 *  (1) slots[0 .. count) are the tasks being done, in the order taken.
 *  (2) A job whose INIT has been taken has its struct task_job as tag until it
 *      has ended; no other has one.
 *  (3) A job's node is in the heap of a kind and a part if and only if the
 *      task next in line there can be taken (or the job is to end).
 *  (4) waiting[] has the id of each network's first WAITING job.
 *  (5) Of a LOAD's units [begin, ask) each has been there since it was taken,
 *      or is LOADING, and then it waits for it. It is over when it has asked
 *      for all and waits for none.
 */
#include "sched/tasks.h"

#include <assert.h>
#include <string.h>

#include "pager/residency.h"
#include "sched/tasks_impl.h"

/*
 * When a unit will be used (mx_next_use_fn): for one that an EXEC needs next
 * the EXEC's number, from 1; for what a LOAD reads MX_TASKS_RECENT_USE;
 * everything else by when it was used last, the latest being kept longest.
 */
#define USE_LAST (MX_USE_NEVER - 1)

/* ---- taking and ending tasks ---- */

static void begin_job(struct mx_tasks *tasks, struct mx_board_job *job)
{
	const struct mx_task_net *net = &tasks->nets[job->net];
	struct mx_task_job *tj = tasks->free_jobs;
	int kind, part;

	assert(tj && !tasks->placeless);
	tasks->free_jobs = tj->next_free;
	*tj = (struct mx_task_job){
		.job = job,
		.net = net,
		.next_load = {0, net->split},
		.load_end = {net->split, net->net->layer_count},
	};
	for (kind = 0; kind < MX_TASK_KINDS; kind++)
		for (part = 0; part < MX_TASKS_PARTS; part++)
			tj->nodes[kind][part] = (struct mx_task_node){
				.key = net->key,
				.id = job->id,
				.owner = tj,
			};
	job->tag = tj;
	tasks->live_count++;
	tasks->placeless = job;
}

static struct mx_unit_ref slot_unit(const struct mx_task_slot *slot,
				    uint32_t unit)
{
	return (struct mx_unit_ref){.net = slot->task.job->net, .unit = unit};
}

/* A LOAD passes what need not be asked for. Is it over? */
static int advance(const struct mx_tasks *tasks, struct mx_task_slot *slot)
{
	const struct mx_board_net *net = tasks->nets[slot->task.job->net].net;
	enum mx_unit_state state;

	for (; slot->ask < slot->end; slot->ask++) {
		state = mx_residency_state(tasks->residency,
					   slot_unit(slot, slot->ask));
		if (state == MX_UNIT_ABSENT)
			return 0;
		if (state == MX_UNIT_LOADING) {
			slot->waits[slot->ask - slot->begin] = 1;
			slot->pending++;
		}
		slot->unread_bytes -= net->units[slot->ask].size_bytes;
	}
	return slot->pending == 0;
}

static void take(struct mx_tasks *tasks, const struct mx_task *task)
{
	struct mx_task_slot *slot = &tasks->slots[tasks->count++];
	const struct mx_task_units *units;
	struct mx_task_job *tj;
	uint32_t i;

	*slot = (struct mx_task_slot){
		.task = *task,
		.number = ++tasks->taken_count,
		.waits = slot->waits,
	};
	if (task->kind == MX_TASK_INIT)
		begin_job(tasks, task->job);
	tj = task->job->tag;
	if (task->kind == MX_TASK_EXEC)
		tj->execs_taken++;
	if (task->kind == MX_TASK_LOAD) {
		tj->next_load[mx_task_part(tj->net, task->layer)]++;
		units = &tj->net->layers[task->layer];
		slot->begin = units->begin;
		slot->ask = units->begin;
		slot->end = units->end;
		memset(slot->waits, 0, units->end - units->begin);
		for (i = units->begin; i < units->end; i++)
			slot->unread_bytes += tj->net->net->units[i].size_bytes;
	}
	if (tasks->rules->taken)
		tasks->rules->taken(tasks->own, task);
	mx_task_job_update(tasks, tj);
}

static void end_slot(struct mx_tasks *tasks, uint32_t index)
{
	unsigned char *waits = tasks->slots[index].waits;
	uint32_t i;

	assert(index < tasks->count);
	tasks->count--;
	for (i = index; i < tasks->count; i++)
		tasks->slots[i] = tasks->slots[i + 1];
	tasks->slots[tasks->count].waits = waits;
}

static void end_task(struct mx_tasks *tasks, enum mx_task_kind kind,
		     const struct mx_board_job *job, uint32_t layer)
{
	const struct mx_task *task;
	uint32_t i;

	for (i = 0; i < tasks->count; i++) {
		task = &tasks->slots[i].task;
		if (task->kind == kind && task->job == job &&
		    task->layer == layer) {
			end_slot(tasks, i);
			return;
		}
	}
}

/* The unit has been read: the LOAD, if it waits for it, does so no more. */
static void pass(struct mx_task_slot *slot, const struct mx_unit_ref *ref)
{
	if (ref->net != slot->task.job->net || ref->unit < slot->begin ||
	    ref->unit >= slot->end || !slot->waits[ref->unit - slot->begin])
		return;
	slot->waits[ref->unit - slot->begin] = 0;
	slot->pending--;
}

/* LOADs that are over end; @ref, unless NULL, has just been read. */
static void end_loads(struct mx_tasks *tasks, const struct mx_unit_ref *ref)
{
	struct mx_task_job *tj;
	struct mx_task_slot *slot;
	uint32_t i = 0;

	while (i < tasks->count) {
		slot = &tasks->slots[i];
		tj = slot->task.job->tag;
		if (slot->task.kind == MX_TASK_LOAD && ref)
			pass(slot, ref);
		if (slot->task.kind != MX_TASK_LOAD || !advance(tasks, slot)) {
			i++;
			continue;
		}
		end_slot(tasks, i);
		mx_task_job_update(tasks, tj);
		tasks->dirty = 1;
	}
}

/* Free workers take what there is. */
static void dispatch(struct mx_tasks *tasks)
{
	struct mx_task task;

	while (tasks->dirty) {
		tasks->dirty = 0;
		while (tasks->count < tasks->workers &&
		       tasks->rules->pick(tasks->own, tasks, &task)) {
			take(tasks, &task);
			if (task.kind == MX_TASK_LOAD)
				end_loads(tasks, NULL);
		}
	}
}

/* ---- events ---- */

static void note_waiting(struct mx_tasks *tasks, uint32_t net)
{
	const struct mx_board_job *job = mx_board_waiting(tasks->board, net);

	mx_minima_set(&tasks->waiting, net, job ? job->id : MX_MINIMA_NONE);
	if (tasks->rules->waiting)
		tasks->rules->waiting(tasks->own, tasks->board, net);
}

static void end_job(struct mx_tasks *tasks, struct mx_board_job *job)
{
	struct mx_task_job *tj = job->tag;
	uint32_t i = 0;

	note_waiting(tasks, job->net);
	if (!tj)
		return;
	tj->prepared = 0;
	mx_task_job_update(tasks, tj);
	while (i < tasks->count)
		if (tasks->slots[i].task.job == job)
			end_slot(tasks, i);
		else
			i++;
	if (tasks->placeless == job)
		tasks->placeless = NULL;
	if (tasks->rules->ended)
		tasks->rules->ended(tasks->own, job);
	job->tag = NULL;
	tj->next_free = tasks->free_jobs;
	tasks->free_jobs = tj;
	tasks->live_count--;
}

void mx_tasks_event(void *state, const struct mx_board *board,
		    const struct mx_board_event *event)
{
	struct mx_tasks *tasks = state;
	struct mx_board_job *job = event->job;
	struct mx_task_job *tj = job ? job->tag : NULL;

	assert(board == tasks->board);
	switch (event->kind) {
	case MX_EVENT_ARRIVED:
	case MX_EVENT_RELEASED:
		note_waiting(tasks, job->net);
		break;
	case MX_EVENT_ADMITTED:
		note_waiting(tasks, job->net);
		assert(tasks->placeless == job);
		tasks->placeless = NULL;
		break;
	case MX_EVENT_PREPARED:
		tj->prepared = 1;
		end_task(tasks, MX_TASK_INIT, job, 0);
		mx_task_job_update(tasks, tj);
		break;
	case MX_EVENT_LOAD:
	case MX_EVENT_STEP_TAKEN:
		return;
	case MX_EVENT_LOADED:
		end_loads(tasks, &event->unit);
		break;
	case MX_EVENT_DROPPED:
	case MX_EVENT_STEP_DONE:
		break;
	case MX_EVENT_LAYER_DONE:
		tj->execs_done++;
		end_task(tasks, MX_TASK_EXEC, job, event->layer);
		mx_task_job_update(tasks, tj);
		break;
	case MX_EVENT_ENDED:
		end_job(tasks, job);
		break;
	}
	tasks->dirty = 1;
}

/* ---- what the board asks ---- */

/* The unit that the EXEC in a slot will compute on next, if any. */
static int needed_unit(const struct mx_tasks *tasks,
		       const struct mx_task_slot *slot, struct mx_unit_ref *out)
{
	const struct mx_board_job *job = slot->task.job;
	const struct mx_board_net *net = tasks->nets[job->net].net;
	const struct mx_board_step *step;

	if (slot->task.kind != MX_TASK_EXEC || job->status != 0 ||
	    job->next_step >= net->step_count)
		return 0;
	step = &net->steps[job->next_step];
	if (step->layer != slot->task.layer || step->unit == MX_STEP_NONE)
		return 0;
	*out = slot_unit(slot, step->unit);
	return 1;
}

/* mx_tasks_next_use() is asked next. */
static void guard(struct mx_tasks *tasks)
{
	struct mx_unit_ref ref;
	struct mx_task_note *note;
	uint32_t i;

	tasks->guard_round++;
	for (i = 0; i < tasks->count; i++) {
		if (!needed_unit(tasks, &tasks->slots[i], &ref))
			continue;
		note = &tasks->nets[ref.net].notes[ref.unit];
		if (note->guard_round == tasks->guard_round)
			continue;
		note->guard_round = tasks->guard_round;
		note->guard = tasks->slots[i].number;
	}
}

struct mx_board_job *mx_tasks_next_help(void *state,
					const struct mx_board *board)
{
	struct mx_tasks *tasks = state;
	struct mx_board_job *job;
	struct mx_task_slot *slot;
	uint32_t i;

	dispatch(tasks);
	for (i = 0; i < tasks->count; i++) {
		slot = &tasks->slots[i];
		job = slot->task.job;
		if (slot->task.kind == MX_TASK_INIT &&
		    job->state == MX_JOB_WAITING && mx_board_fits(board, job)) {
			guard(tasks);
			return job;
		}
		if (slot->task.kind == MX_TASK_EXEC &&
		    mx_board_is_ready(board, job))
			return job;
	}
	return NULL;
}

int mx_tasks_next_load(void *state, const struct mx_board *board,
		       struct mx_unit_ref *out, uint64_t *use)
{
	struct mx_tasks *tasks = state;
	struct mx_task_slot *slot;
	uint32_t i;

	(void)board;
	dispatch(tasks);
	guard(tasks);
	for (i = 0; i < tasks->count; i++) {
		slot = &tasks->slots[i];
		if (!needed_unit(tasks, slot, out) ||
		    mx_residency_state(tasks->residency, *out) !=
			    MX_UNIT_ABSENT)
			continue;
		*use = slot->number;
		return 1;
	}
	for (i = 0; i < tasks->count; i++) {
		slot = &tasks->slots[i];
		if (slot->task.kind != MX_TASK_LOAD ||
		    slot->task.job->status != 0)
			continue;
		(void)advance(tasks, slot);
		if (slot->ask == slot->end)
			continue;
		*out = slot_unit(slot, slot->ask);
		*use = MX_TASKS_RECENT_USE;
		return 1;
	}
	return 0;
}

uint64_t mx_tasks_next_use(void *state, const struct mx_board *board,
			   struct mx_unit_ref ref)
{
	const struct mx_tasks *tasks = state;
	const struct mx_task_note *note = &tasks->nets[ref.net].notes[ref.unit];

	(void)board;
	if (note->guard_round == tasks->guard_round)
		return note->guard;
	return USE_LAST - mx_residency_last_use(tasks->residency, ref);
}
