/*
 * The engine's own structs, shared by engine.c (life), engine_start.c (memory),
 * engine_reads.c (the pager's side), worker.c (threads) and job.c, submit.c (a
 * job's way).
 *
 * The engine is the real-time driver of a board (sched/board.h): the board and
 * its policy say what to compute and what to read; the engine has the threads,
 * the frames, the parts within a step, the times and the errors.
 */
#ifndef MX_SCHED_ENGINE_IMPL_H
#define MX_SCHED_ENGINE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "pager/pager.h"
#include "pager/slab.h"
#include "sched/board.h"
#include "sched/memexec.h"
#include "sched/plan.h"
#include "sched/read_rate.h"

/* Frames that are kept for a network's next jobs, without a budget. */
#define MX_SPARES_MAX 4

/* A network that the engine knows. */
struct mx_engine_net {
	const struct mx_network *net;
	struct mx_arena arena;
	uint64_t weight_bytes; /* of all slices */
	/* guarded by engine lock */
	struct mx_frame *spares[MX_SPARES_MAX];
	uint32_t spare_count;
	int was_run;
};

/* A step of which parts are left to compute. */
struct mx_open_step {
	uint32_t step; /* MX_STEP_NONE: this place is free */
	size_t left; /* parts not yet computed */
};

/* All but the constants: guarded by the engine's lock. */
struct mx_job {
	struct mx_engine *engine; /* constant */
	struct mx_engine_net *home; /* constant */
	void *user; /* constant */
	struct mx_board_job *board; /* the board's side of it */
	struct mx_job *next; /* in the engine's list of those that have ended */
	struct mx_job *prev;
	int is_listed;
	float **inputs; /* copies, until the frame has them; NULL: pattern */
	int borrows; /* constant until released: inputs are the caller's */
	float **outputs; /* once prepared; copies, from the end on */
	struct mx_frame *frame; /* while it is RUNNING */
	void *frame_memory; /* in the slab; NULL: the frame's own */

	int begun; /* parts of the next step have been taken: those before */
	size_t next_part; /* this one; */
	size_t end_part; /* and the step has these */
	struct mx_open_step *open; /* worker_count + 1 */
	uint32_t running; /* workers on it */
	int ended;
	int status; /* set: it is ending */
	struct mx_err err; /* why */

	struct mx_job_times times;
	uint64_t *layer_ns;
	uint64_t compute_since_ns; /* while running > 0 */
	/* While what it needs next is not there and nobody is on it; else 0. */
	uint64_t stall_since_ns;
};

/* Some parts of one step of a job. */
struct mx_chunk {
	struct mx_job *job;
	struct mx_open_step *open;
	uint32_t net;
	uint32_t layer;
	size_t first_block; /* that @weights begins with */
	struct mx_range parts; /* of the layer; none: nothing to compute */
	const unsigned char *weights; /* NULL without */
	int prepares; /* instead: make the job's frame */
};

struct mx_worker {
	pthread_t thread;
	struct mx_engine *engine;
	uint32_t index;
	uint32_t of; /* workers there are to be */
	void *scratch; /* the worker's own */
	size_t scratch_bytes;
	atomic_uint_fast64_t major_faults; /* relaxed: a statistic */
};

/*
 * Lock order: engine lock, then the pager's. Neither is held while anything is
 * computed or read.
 */
struct mx_engine {
	const struct mx_blas *blas;
	const struct mx_simd *simd;
	const struct mx_log *log;
	struct mx_engine_opts opts;
	const struct mx_policy *policy;
	uint64_t opened_ns;
	uint64_t opened_read_bytes;
	uint32_t worker_count;
	struct mx_worker *workers;

	/* Once started: constant but for what is in the board, and the nets'
	 * read times. */
	struct mx_plan plan;
	struct mx_slab slab; /* weights and activations, under a budget */
	struct mx_pager *pager;
	struct mx_board_net *maps; /* the networks, as the board knows them */
	uint32_t map_count;
	struct mx_board *board;

	pthread_mutex_t lock;
	pthread_cond_t work; /* there may be something to do */
	pthread_cond_t done; /* a job has ended; on the monotonic clock */
	/* Bumped (release) whenever there may be something to do; idle workers
	 * read it (acquire) in a short spin before they sleep. */
	atomic_uint_fast64_t epoch;

	/* guarded by lock, as the board is */
	uint64_t now_ns; /* as the clock was last read for whoever has it */
	struct mx_engine_net **nets;
	uint32_t net_count;
	size_t scratch_bytes; /* the most that any layer wants */
	int starting; /* somebody is in mx_engine_start() */
	int started;
	int has_news; /* the board has changed: workers may find work */
	int pager_waits; /* it was told that there is nothing to read */
	int has_read; /* a read that a worker has found for it: */
	struct mx_unit_ref read;
	struct mx_read_rate rate;
	struct mx_job *ending; /* the board has ended them just now */
	struct mx_job *ended; /* in this order, until told of or freed */
	struct mx_job *ended_last;
	uint32_t job_count; /* not yet freed */
	uint32_t live_count; /* of these, not yet ended */
	uint32_t idle_count; /* workers that sleep */
	int stopping;
};

/*
 * What a free worker shall do, as the policy wants it. The engine's lock is
 * held. Returns 1 with *@chunk, or 0 when there is nothing to do.
 */
int mx_job_take(struct mx_engine *engine, struct mx_chunk *chunk);

/* More parts of the step that *@chunk was of, which has just been given back:
 * a step that was begun is gone on with. Returns 1, or 0 when none is left. */
int mx_job_take_more(struct mx_chunk *chunk);

/* Could another worker find something too, now that *@chunk has been taken?
 * Lock held. */
int mx_job_leaves_work(const struct mx_chunk *chunk);

/*
 * The chunk is done (or failed with @status and @err). The lock is held, but
 * not while outputs are copied. The board goes on.
 */
void mx_job_give_back(const struct mx_chunk *chunk, int status,
		      const struct mx_err *err);

/* End a job before its time, because of @status and @err. Lock held. */
void mx_job_end(struct mx_job *job, int status, const struct mx_err *err);

/* Make the frame of a job that was taken with `prepares`: no lock held.
 * Returns 0 or -ENOMEM. */
int mx_job_prepare(struct mx_job *job, struct mx_err *err);

/* Whether it waits for its next unit may have changed. Lock held. */
void mx_job_note_stall(struct mx_job *job);

/* The board's observer. */
void mx_job_hear(void *user, const struct mx_board_event *event);

/* Take the lock, and read the clock for now_ns. */
void mx_engine_lock(struct mx_engine *engine);
/* The same with a time that has just been read: the engine's clock. */
void mx_engine_lock_at(struct mx_engine *engine, uint64_t now_ns);

/* After the board was told anything: jobs that have ended are told of, a read
 * that has become possible goes to the pager. Lock held. */
void mx_engine_note(struct mx_engine *engine);
/* The same, and workers wake if there may be something for them. */
void mx_engine_settle(struct mx_engine *engine);

/* Take a job out of the list of ended ones. Lock held. */
void mx_engine_unlist(struct mx_job *job);

/* Callbacks of the pager. */
int mx_engine_next_read(void *engine, struct mx_pager_read *out);
void mx_engine_read_done(void *engine, struct mx_unit_ref ref, int status,
			 uint64_t size_bytes);
/* A read for the pager, if it waits and there is one. Lock held. */
void mx_engine_find_read(struct mx_engine *engine);

/* Undo mx_engine_start(), or what there is of it. */
void mx_engine_unstart(struct mx_engine *engine);

/* Wake workers, lock held. */
void mx_engine_wake(struct mx_engine *engine);

/* The body of a worker's thread. */
void *mx_worker_main(void *worker);

#endif
