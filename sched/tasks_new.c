/*
 * Layer tasks: their beginning and end.
 */
#include "sched/tasks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "sched/policy.h"
#include "sched/tasks_impl.h"

int mx_tasks_grow(struct mx_tasks *tasks)
{
	const uint32_t room = (tasks->chunk_count + 1) * MX_TASKS_CHUNK;
	struct mx_task_chunk *chunk;
	int kind, part, i;

	for (kind = 0; kind < MX_TASK_KINDS; kind++)
		for (part = 0; part < MX_TASKS_PARTS; part++)
			if (mx_task_heap_reserve(&tasks->heaps[kind][part],
						 room))
				return -ENOMEM;
	chunk = calloc(1, sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	for (i = MX_TASKS_CHUNK - 1; i >= 0; i--) {
		chunk->jobs[i].next_free = tasks->free_jobs;
		tasks->free_jobs = &chunk->jobs[i];
	}
	chunk->next = tasks->chunks;
	tasks->chunks = chunk;
	tasks->chunk_count++;
	return 0;
}

/* The units of each layer: their indices rise with its steps. */
static void list_units(const struct mx_board_net *net,
		       struct mx_task_units *layers)
{
	const struct mx_board_step *step;
	struct mx_task_units *units;
	uint32_t s;

	for (s = 0; s < net->step_count; s++) {
		step = &net->steps[s];
		if (step->unit == MX_STEP_NONE)
			continue;
		units = &layers[step->layer];
		if (units->begin == units->end)
			units->begin = step->unit;
		if (units->end <= step->unit)
			units->end = step->unit + 1;
	}
}

static int make_nets(struct mx_tasks *tasks, const struct mx_board_opts *opts)
{
	const struct mx_tasks_rules *rules = tasks->rules;
	size_t layer_count = 0, unit_count = 0;
	const struct mx_board_net *from;
	struct mx_task_net *net;
	uint32_t i;

	for (i = 0; i < opts->net_count; i++) {
		layer_count += opts->nets[i].layer_count;
		unit_count += opts->nets[i].unit_count;
	}
	tasks->nets = calloc((size_t)opts->net_count + 1, sizeof(*tasks->nets));
	tasks->layers = calloc(layer_count + 1, sizeof(*tasks->layers));
	tasks->notes = calloc(unit_count + 1, sizeof(*tasks->notes));
	if (!tasks->nets || !tasks->layers || !tasks->notes)
		return -ENOMEM;
	tasks->net_count = opts->net_count;
	layer_count = 0;
	unit_count = 0;
	for (i = 0; i < opts->net_count; i++) {
		from = &opts->nets[i];
		net = &tasks->nets[i];
		net->net = from;
		net->key = rules->key ? rules->key(from) : 0;
		net->split =
			rules->split ? rules->split(from) : from->layer_count;
		net->layers = tasks->layers + layer_count;
		net->notes = tasks->notes + unit_count;
		list_units(from, net->layers);
		layer_count += from->layer_count;
		unit_count += from->unit_count;
	}
	return mx_minima_init(&tasks->waiting, opts->net_count);
}

/* Room for each slot to wait for all units of a layer. */
static int make_slots(struct mx_tasks *tasks, const struct mx_board_opts *opts)
{
	uint32_t widest = 1;
	uint32_t i, k, count;

	for (i = 0; i < opts->net_count; i++) {
		for (k = 0; k < opts->nets[i].layer_count; k++) {
			count = tasks->nets[i].layers[k].end -
				tasks->nets[i].layers[k].begin;
			widest = count > widest ? count : widest;
		}
	}
	tasks->slots = calloc(tasks->workers, sizeof(*tasks->slots));
	tasks->waits = calloc(tasks->workers, widest);
	if (!tasks->slots || !tasks->waits)
		return -ENOMEM;
	for (i = 0; i < tasks->workers; i++)
		tasks->slots[i].waits = tasks->waits + (size_t)i * widest;
	return 0;
}

int mx_tasks_new(void **out, const struct mx_tasks_rules *rules,
		 const struct mx_board *board, struct mx_err *err)
{
	const struct mx_board_opts *opts = mx_board_opts_of(board);
	struct mx_tasks *tasks;

	tasks = calloc(1, sizeof(*tasks));
	if (!tasks)
		return mx_fail(err, ENOMEM, "policy %s", opts->policy->name);
	tasks->rules = rules;
	tasks->board = board;
	tasks->residency = mx_board_residency(board);
	tasks->guard_round = 1; /* no note is of it */
	tasks->workers = rules->workers	 ? rules->workers
			 : opts->workers ? opts->workers
					 : opts->policy->workers;
	assert(tasks->workers > 0);
	tasks->own = calloc(1, rules->own_bytes + 1);
	if (!tasks->own || make_nets(tasks, opts) || make_slots(tasks, opts) ||
	    mx_tasks_grow(tasks))
		goto fail;
	if (rules->init && rules->init(tasks->own, board))
		goto fail;
	*out = tasks;
	return 0;

fail:
	mx_tasks_free(tasks);
	return mx_fail(err, ENOMEM, "policy %s", opts->policy->name);
}

void mx_tasks_free(void *state)
{
	struct mx_tasks *tasks = state;
	struct mx_task_chunk *chunk;
	int kind, part;

	if (!tasks)
		return;
	if (tasks->own && tasks->rules->fini)
		tasks->rules->fini(tasks->own);
	while ((chunk = tasks->chunks)) {
		tasks->chunks = chunk->next;
		free(chunk);
	}
	for (kind = 0; kind < MX_TASK_KINDS; kind++)
		for (part = 0; part < MX_TASKS_PARTS; part++)
			mx_task_heap_fini(&tasks->heaps[kind][part]);
	mx_minima_fini(&tasks->waiting);
	free(tasks->notes);
	free(tasks->layers);
	free(tasks->nets);
	free(tasks->waits);
	free(tasks->slots);
	free(tasks->own);
	free(tasks);
}
