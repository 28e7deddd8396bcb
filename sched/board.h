/*
 * The board: one state machine for jobs, units and memory, with two drivers:
 * the engine (real time) and the simulator (virtual time). It keeps the rules
 * (what may be computed, what is in memory, who has room); a policy
 * (sched/policy.h) makes the choices. Neither knows which driver runs it.
 *
 * A job's states:
 *
 *   HELD --release--> WAITING --admitted--> RUNNING --last step--> FINISHED
 *     '------------------'--------------------'------cancel------> CANCELLED
 *                                             '------failed------> FAILED
 *
 * A network is a chain of steps: a slice of a layer, or a layer without
 * weights. A step needs its unit RESIDENT while it is computed. Steps of one
 * layer may be computed side by side; the next layer begins when all are done.
 *
 * Memory: a job's activations are one arena, set aside when it is admitted,
 * which only shrinks, from below, as it goes on; units come and go around it.
 *
 * Deadlock: a job is admitted only when its arena fits, and arenas leave room
 * for the largest unit. What is read ahead is not held and can be evicted, and
 * a step that is being computed ends without waiting for anything. So the job
 * that the policy wants most can always load its next unit, and goes on; a job
 * that ends gives its arena to those that wait.
 *
 * Threads: none; the driver locks. Pointers are stable until a job is
 * forgotten.
 */
#ifndef MX_SCHED_BOARD_H
#define MX_SCHED_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "pager/residency.h"

struct mx_err;
struct mx_policy;

#define MX_STEP_NONE UINT32_MAX
#define MX_TIME_NEVER UINT64_MAX

/* ---- what the state machine knows of a network: plain data ---- */

struct mx_board_unit {
	uint64_t size_bytes;
	uint64_t read_ns; /* it occupies its storage */
};

struct mx_board_step {
	uint64_t ns; /* with all workers on it, weights in memory */
	uint32_t layer;
	uint32_t unit; /* MX_STEP_NONE: no weights */
	int last_of_unit; /* no later step needs the unit */
};

struct mx_board_layer {
	uint32_t first_step;
	uint32_t step_count; /* at least 1 */
	uint64_t ns; /* of its steps */
	uint64_t read_ns; /* of the units that begin in it */
	uint64_t weight_bytes; /* of the units that begin in it */
	/* The activations that the job needs from this layer on: never more
	 * than those of the layer before. */
	uint64_t arena_bytes;
	int dense; /* fully connected (the operator's trait) */
};

struct mx_board_net {
	const char *name;
	struct mx_board_unit *units; /* in order of first use */
	uint32_t unit_count;
	struct mx_board_step *steps; /* in order */
	uint32_t step_count;
	struct mx_board_layer *layers;
	uint32_t layer_count; /* at least 1 */
	uint64_t compute_ns; /* of all steps */
	uint64_t read_ns; /* of all units */
	uint64_t weight_bytes; /* of all units */
	uint64_t arena_bytes; /* of the first layer: what admission takes */
	uint64_t latency_ns; /* of a read of its storage */
	/* What one job takes for the papers' policies: weights + activations +
	 * scratch, and its mean time; for masa (sched/policy_masa.c). */
	uint64_t masa_peak_bytes;
	uint64_t masa_key_ns;
	const unsigned char *pinned; /* a byte for each unit; NULL: none */
};

/* What masa goes by, where it is not what is measured here. */
struct mx_masa_profile {
	uint64_t peak_bytes;
	uint64_t key_ns;
};

/* ---- jobs ---- */

enum mx_job_state {
	MX_JOB_HELD,
	MX_JOB_WAITING,
	MX_JOB_RUNNING,
	MX_JOB_FINISHED,
	MX_JOB_CANCELLED,
	MX_JOB_FAILED,
};

struct mx_board_job {
	/* Policies read these and write none but `tag`. */
	uint64_t id; /* rising in the order of arrival */
	uint32_t net;
	uint32_t arrival; /* the arrival it came with: jobs of one share it */
	enum mx_job_state state;
	int prepared; /* its inputs are in its arena */
	uint64_t arrival_ns;
	uint64_t admitted_ns;
	uint64_t finish_ns;
	/* The first step of which something is left to take; step_count: none.
	 */
	uint32_t next_step;
	uint32_t layer; /* that is being computed */
	uint32_t steps_left; /* of that layer: not yet done */
	uint32_t busy_steps; /* taken and not yet done */
	float chance; /* HELD: how likely it will be released, 0 to 1 */
	void *tag; /* the policy's own */
	void *user; /* the driver's own */
	/* Its arena now: only the begin moves, up, as it goes on. */
	uint64_t arena_offset;
	uint64_t arena_bytes; /* 0: not admitted */
	/* Why it is to end before its time, or has: 0 while it is not. A
	 * RUNNING job with a status ends when what is being done for it is
	 * done. */
	int status;
	uint32_t failed_unit; /* whose read failed it; MX_STEP_NONE: none did */
	/* Lists: of all WAITING jobs of the network by arrival, or of all
	 * RUNNING jobs by admission. */
	struct mx_board_job *next;
	struct mx_board_job *prev;
};

/* ---- events, for the policy and for whoever keeps a trace ---- */

enum mx_event_kind {
	MX_EVENT_ARRIVED, /* job: HELD or WAITING */
	MX_EVENT_RELEASED, /* job: HELD -> WAITING */
	MX_EVENT_ADMITTED, /* job */
	MX_EVENT_PREPARED, /* job */
	MX_EVENT_LOAD, /* unit: a read begins */
	MX_EVENT_LOADED, /* unit, status */
	MX_EVENT_DROPPED, /* unit: RESIDENT or FAILED -> ABSENT */
	MX_EVENT_STEP_TAKEN, /* job, step: computing it begins */
	MX_EVENT_STEP_DONE, /* job, step */
	MX_EVENT_LAYER_DONE, /* job, layer */
	MX_EVENT_ENDED, /* job, status: FINISHED, CANCELLED or FAILED */
};

struct mx_board_event {
	enum mx_event_kind kind;
	uint64_t now_ns;
	struct mx_board_job *job; /* NULL for units */
	struct mx_unit_ref unit;
	uint32_t step;
	uint32_t layer;
	int status;
	/* In use now, for observers: units (with the places of pinned ones),
	 * and activations. */
	uint64_t weight_bytes;
	uint64_t activation_bytes;
	uint64_t moved_bytes; /* for observers: of all units moved so far */
};

typedef void mx_board_observer_fn(void *user,
				  const struct mx_board_event *event);

/* ---- the board ---- */

struct mx_board_opts {
	const struct mx_policy *policy;
	/* Layer tasks at once for policies that count them; 0: the policy's
	 * own number. */
	uint32_t workers;
	uint32_t processors; /* jobs whose steps the driver computes side by
				side, all workers being one: 0 is 1 */
	uint64_t budget_bytes; /* what masa counts with; 0: memory_bytes */
	/* For weights and activations together, or MX_RESIDENCY_UNLIMITED. */
	uint64_t memory_bytes;
	const struct mx_board_net *nets; /* live as long as the board */
	uint32_t net_count;
	/* Policies that pin use the networks' `pinned`. */
	uint32_t steps_at_once; /* of one job; 0: any number */
	uint32_t jobs_at_once; /* RUNNING, of one network; 0: any number */
	/* As in struct mx_residency_opts: both drivers set it, so that they
	 * place alike. NULL: nothing is ever moved. */
	mx_moved_fn *moved;
	void *moved_user;
	mx_board_observer_fn *observer; /* may be NULL */
	void *observer_user;
};

struct mx_board; /* the members are in sched/board_impl.h: policies' tests */

/* Returns 0; -EDQUOT if memory_bytes does not hold the largest arena and unit;
 * -ENOMEM. */
int mx_board_new(struct mx_board **out, const struct mx_board_opts *opts,
		 struct mx_err *err);
void mx_board_free(struct mx_board *board);

/* -- the driver's side -- */

struct mx_board_arrival {
	uint32_t net;
	uint32_t arrival; /* any number; jobs of one arrival share it */
	uint64_t arrival_ns;
	int held;
	float chance;
	void *user;
};
/* A job comes. The board owns it until mx_board_forget(). NULL: no memory. */
struct mx_board_job *mx_board_arrive(struct mx_board *board,
				     const struct mx_board_arrival *arrival,
				     uint64_t now_ns);
/* HELD -> WAITING. */
void mx_board_release(struct mx_board *board, struct mx_board_job *job,
		      uint64_t now_ns);
/* End a job before its time; a status other than 0 makes it FAILED. Steps that
 * are being computed (or its inputs, while it is prepared) go on: it ends
 * (event ENDED) when the last is done. Nothing happens to one that has ended.
 */
void mx_board_cancel(struct mx_board *board, struct mx_board_job *job,
		     int status, uint64_t now_ns);
/* An ended job's memory goes back. */
void mx_board_forget(struct mx_board *board, struct mx_board_job *job);

enum mx_work_kind {
	MX_WORK_NONE, /* nothing can be done now */
	MX_WORK_PREPARE, /* the job has been admitted: load its inputs */
	MX_WORK_STEP, /* (a part of) job->next_step can be computed */
};
struct mx_work {
	enum mx_work_kind kind;
	struct mx_board_job *job;
};
/*
 * What a free worker shall do. For MX_WORK_PREPARE the job is RUNNING now, and
 * the driver says mx_board_prepared() when it is. For MX_WORK_STEP the driver
 * calls mx_board_begin() when it takes the first part of the step,
 * mx_board_taken() when no part of it is left to take, mx_board_done() when
 * all parts have been computed.
 */
struct mx_work mx_board_work(struct mx_board *board, uint64_t now_ns);
void mx_board_prepared(struct mx_board *board, struct mx_board_job *job,
		       uint64_t now_ns);
/* Step job->next_step is begun: its unit is held. */
void mx_board_begin(struct mx_board *board, struct mx_board_job *job,
		    uint64_t now_ns);
/* ... and has nothing left to take: next_step advances (where that is in the
 * next layer, it is ready only when the last step of this one is done). */
void mx_board_taken(struct mx_board *board, struct mx_board_job *job);
/* ... and is done. The job may have ended by this (job->state says). */
void mx_board_done(struct mx_board *board, struct mx_board_job *job,
		   uint32_t step, uint64_t now_ns);

/* The unit to read now: it is LOADING, its room is its own. Returns 1, or 0
 * when nothing is to be read, or has no room, now. */
int mx_board_load(struct mx_board *board, uint64_t now_ns,
		  struct mx_unit_ref *out);
/* The read is over. A @status other than 0 fails the jobs that need the unit
 * when they come to it (job->status, job->failed_unit): now, or in
 * mx_board_prepared(), _taken() or _done(); the observer is told (ENDED). The
 * unit is ABSENT again once no RUNNING job needs it. */
void mx_board_loaded(struct mx_board *board, struct mx_unit_ref ref, int status,
		     uint64_t now_ns);
/* An ABSENT unit is there already, before anything else happens. Returns 0,
 * or -EAGAIN if it has no room. */
int mx_board_preload(struct mx_board *board, struct mx_unit_ref ref);

/* -- the policy's view: nothing here changes anything -- */

const struct mx_board_opts *mx_board_opts_of(const struct mx_board *board);
struct mx_residency *mx_board_residency(const struct mx_board *board);
uint64_t mx_board_now(const struct mx_board *board);
/* RUNNING jobs, by admission; the first of the WAITING jobs of a network. */
struct mx_board_job *mx_board_running(const struct mx_board *board);
struct mx_board_job *mx_board_waiting(const struct mx_board *board,
				      uint32_t net);
uint32_t mx_board_running_count(const struct mx_board *board);
uint64_t mx_board_waiting_count(const struct mx_board *board, uint32_t net);
/* RUNNING jobs that have not done with the unit. */
uint32_t mx_board_users(const struct mx_board *board, struct mx_unit_ref ref);
/* Is there room now for the ABSENT unit, were it needed at @use (on the
 * policy's scale)? */
int mx_board_has_room(const struct mx_board *board, struct mx_unit_ref ref,
		      uint64_t use);
/* Could the WAITING job be admitted now: fewer than jobs_at_once of its network
 * run, its arena has a place, were all units evicted that can be, and none of
 * that size has just been looked for in vain? */
int mx_board_fits(const struct mx_board *board, const struct mx_board_job *job);
/* Is something of the job there to be computed: it is RUNNING and prepared, is
 * not to end, has a next step, which is in the layer being computed, and whose
 * unit is RESIDENT (and fewer than steps_at_once are computed)? */
int mx_board_is_ready(const struct mx_board *board,
		      const struct mx_board_job *job);
/* Its next step's unit if that is not RESIDENT: 1 with *@out; else 0. */
int mx_board_is_missing(const struct mx_board *board,
			const struct mx_board_job *job,
			struct mx_unit_ref *out);

#endif
