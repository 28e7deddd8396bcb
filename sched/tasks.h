/*
 * Layer tasks, what the papers' policies choose among. Each job is one INIT
 * (it is admitted and prepared) and for each layer a LOAD (its units are read)
 * and an EXEC (it is computed); this turns a rule over tasks into a policy over
 * units and steps (sched/policy.h).
 *
 * A free worker takes a task and has it until it is over:
 *
 *   INIT       from its choice until the job is prepared
 *   LOAD(l)    until each unit of layer l (those that begin in it and the one
 *              that it may share with the layer before) has been there since
 *   EXEC(l)    until layer l is done
 *
 * "Worker" counts tasks only. Whoever computes helps the EXEC that was taken
 * first and can go on, and reads are made in the order in which LOADs were
 * taken.
 *
 * The papers' systems know no budget below themselves: what has no room is
 * swapped. Here the least recently used unit goes (or, of those of layers being
 * computed, nothing that an older EXEC needs next), and an EXEC whose unit has
 * gone reads it again, before any LOAD: that stands for the swap. An INIT is
 * not taken before the job's activations have a place.
 *
 * No deadlock: an EXEC that was taken, the oldest first, can always have its
 * next unit, since nothing that is not being computed or read is in its way and
 * stays; and it keeps it until it has been computed. So EXECs end. LOADs read
 * each unit once, into any place that no EXEC needs; when there is no such
 * place there is an EXEC. So LOADs end. An INIT waits for what ends by itself.
 */
#ifndef MX_SCHED_TASKS_H
#define MX_SCHED_TASKS_H

#include <stddef.h>
#include <stdint.h>

#include "sched/board.h"

struct mx_err;
struct mx_tasks;

/* In masa's order. */
enum mx_task_kind {
	MX_TASK_EXEC,
	MX_TASK_LOAD,
	MX_TASK_INIT,
};

struct mx_task {
	enum mx_task_kind kind;
	struct mx_board_job *job;
	uint32_t layer; /* INIT: 0 */
};

/* What a task of a network waits for. LOAD(l) is always after INIT and never
 * before LOAD(l - 1) of its part; EXEC(l) after LOAD(l) and EXEC(l - 1). */
enum mx_tasks_order {
	MX_TASKS_FREE, /* nothing more */
	MX_TASKS_BULK, /* a chain: all LOADs, all EXECs */
	MX_TASKS_LINEAR, /* a chain: LOAD(0), EXEC(0), LOAD(1), ... */
	MX_TASKS_SPLIT, /* EXECs of the tail after all LOADs of the tail */
};

/* A network's layers are in two parts, whose LOADs are taken in order each;
 * all are in the head unless the rules have a split. */
enum mx_tasks_part {
	MX_TASKS_HEAD,
	MX_TASKS_TAIL,
	MX_TASKS_PARTS,
};

enum mx_tasks_flags {
	/* An INIT waits until no other job is there. */
	MX_TASKS_ONE_JOB = 1 << 0,
};

/* A policy's own; @own is own_bytes, zeroed. Functions may be NULL but pick. */
struct mx_tasks_rules {
	enum mx_tasks_order order;
	unsigned flags; /* enum mx_tasks_flags */
	uint32_t workers; /* so many, whatever the board's opts say; 0: as
			     they do */
	/* Jobs with a smaller key are first in mx_tasks_first(). */
	uint64_t (*key)(const struct mx_board_net *net);
	/* The first layer of the tail: 0 to layer_count. */
	uint32_t (*split)(const struct mx_board_net *net);
	size_t own_bytes;
	/* Returns 0 or -ENOMEM; fini is called in any case. */
	int (*init)(void *own, const struct mx_board *board);
	void (*fini)(void *own);
	/* The first WAITING job of a network is another now. */
	void (*waiting)(void *own, const struct mx_board *board, uint32_t net);
	/* A task has been taken. */
	void (*taken)(void *own, const struct mx_task *task);
	/* A job whose INIT was taken has ended. */
	void (*ended)(void *own, const struct mx_board_job *job);
	/*
	 * What a free worker shall take, of what mx_tasks_first(),
	 * mx_tasks_next() and mx_tasks_can_init() say can be. Returns 1, or 0:
	 * nothing before the next event.
	 */
	int (*pick)(void *own, struct mx_tasks *tasks, struct mx_task *out);
};

/* -- for a policy's table: its functions, with a struct mx_tasks as state -- */

/* For its `init`, with its rules. Returns 0 or -ENOMEM. */
int mx_tasks_new(void **out, const struct mx_tasks_rules *rules,
		 const struct mx_board *board, struct mx_err *err);
void mx_tasks_free(void *tasks);
void mx_tasks_event(void *tasks, const struct mx_board *board,
		    const struct mx_board_event *event);
struct mx_board_job *mx_tasks_next_help(void *tasks,
					const struct mx_board *board);
int mx_tasks_next_load(void *tasks, const struct mx_board *board,
		       struct mx_unit_ref *out, uint64_t *use);
/* Their recent_use: before it is what an EXEC needs. */
#define MX_TASKS_RECENT_USE ((uint64_t)1 << 62)
uint64_t mx_tasks_next_use(void *tasks, const struct mx_board *board,
			   struct mx_unit_ref ref);

/* -- for `pick` -- */

const struct mx_board *mx_tasks_board(const struct mx_tasks *tasks);

/* The tasks being done, in the order they were taken. */
uint32_t mx_tasks_count(const struct mx_tasks *tasks);
const struct mx_task *mx_tasks_at(const struct mx_tasks *tasks, uint32_t index);
/* Tasks being done in a part; INITs count for the head. */
uint32_t mx_tasks_busy(const struct mx_tasks *tasks, enum mx_tasks_part part);
/* What LOADs being done have still to ask for. */
uint64_t mx_tasks_unread_bytes(const struct mx_tasks *tasks);

/*
 * A task that can be taken: 1 with *@out, or 0. A LOAD or an EXEC: of all jobs
 * the one with the smallest (key, id). An INIT: the one of the job that came
 * first, if mx_tasks_can_init() of it.
 */
int mx_tasks_first(struct mx_tasks *tasks, enum mx_task_kind kind,
		   enum mx_tasks_part part, struct mx_task *out);
/* The same of a RUNNING job, a LOAD or an EXEC. */
int mx_tasks_next(const struct mx_tasks *tasks, const struct mx_board_job *job,
		  enum mx_task_kind kind, enum mx_tasks_part part,
		  struct mx_task *out);
/* Can the INIT of the first WAITING job of a network be taken? One that has
 * been taken, but has not yet got its place, is in the way of all others. */
int mx_tasks_can_init(struct mx_tasks *tasks, const struct mx_board_job *job);

/* A `pick`: the first task in the order of jobs, within one in the order INIT,
 * LOAD(0), EXEC(0), LOAD(1), ... Only for rules without key and split. */
int mx_tasks_pick_oldest(void *own, struct mx_tasks *tasks,
			 struct mx_task *out);

#endif
