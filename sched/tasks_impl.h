/*
 * The layer tasks' own members, for tasks*.c.
 */
#ifndef MX_SCHED_TASKS_IMPL_H
#define MX_SCHED_TASKS_IMPL_H

#include <stdint.h>

#include "sched/minima.h"
#include "sched/task_heap.h"
#include "sched/tasks.h"

struct mx_residency;

/* task_jobs are made so many at a time. */
#define MX_TASKS_CHUNK 64

#define MX_TASK_KINDS 2 /* that wait in heaps: MX_TASK_EXEC, MX_TASK_LOAD */

/* A unit: the EXEC that needs it next. */
struct mx_task_note {
	uint64_t guard;
	uint64_t guard_round; /* guard is good in this round */
};

struct mx_task_units {
	uint32_t begin;
	uint32_t end;
};

struct mx_task_net {
	const struct mx_board_net *net;
	uint64_t key;
	uint32_t split;
	struct mx_task_units *layers;
	struct mx_task_note *notes;
};

struct mx_task_job {
	struct mx_board_job *job;
	const struct mx_task_net *net;
	int prepared;
	uint32_t next_load[MX_TASKS_PARTS]; /* to be taken */
	uint32_t load_end[MX_TASKS_PARTS];
	uint32_t execs_taken;
	uint32_t execs_done;
	struct mx_task_node nodes[MX_TASK_KINDS][MX_TASKS_PARTS];
	struct mx_task_job *next_free;
};

struct mx_task_chunk {
	struct mx_task_chunk *next;
	struct mx_task_job jobs[MX_TASKS_CHUNK];
};

struct mx_task_slot {
	struct mx_task task;
	uint64_t number; /* of all that were taken, from 1 */
	/* LOAD */
	uint32_t begin;
	uint32_t ask;
	uint32_t end;
	uint32_t pending; /* units being read that it waits for */
	unsigned char *waits; /* from begin on: it is one of these */
	uint64_t unread_bytes; /* of units from ask on */
};

struct mx_tasks {
	const struct mx_tasks_rules *rules;
	void *own;
	const struct mx_board *board;
	struct mx_residency *residency; /* the board's */

	struct mx_task_net *nets;
	uint32_t net_count;
	struct mx_task_units *layers; /* of all networks */
	struct mx_task_note *notes; /* of all networks */
	uint64_t guard_round;

	struct mx_task_slot *slots;
	unsigned char *waits; /* of all slots */
	uint32_t count;
	uint32_t workers;
	uint64_t taken_count;
	int dirty; /* something has happened since nothing could be taken */

	struct mx_task_heap heaps[MX_TASK_KINDS][MX_TASKS_PARTS];
	struct mx_minima waiting;
	struct mx_board_job *placeless; /* INIT taken, not yet admitted */
	uint32_t live_count; /* jobs with a tag */
	struct mx_task_chunk *chunks;
	uint32_t chunk_count;
	struct mx_task_job *free_jobs;
};

/* Room for MX_TASKS_CHUNK jobs more. Returns 0 or -ENOMEM. */
int mx_tasks_grow(struct mx_tasks *tasks);

enum mx_tasks_part mx_task_part(const struct mx_task_net *net, uint32_t layer);

/* Which of the job's tasks can be taken has changed. */
void mx_task_job_update(struct mx_tasks *tasks, struct mx_task_job *tj);

#endif
