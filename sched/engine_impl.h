/*
 * The engine's own structs, shared by engine.c (life), worker.c (threads),
 * start.c (memory) and job.c, submit.c (a job's way).
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
#include "sched/memexec.h"
#include "sched/plan.h"

/* A network that the engine knows. */
struct mx_engine_net {
	const struct mx_network *net;
	struct mx_arena arena;
	uint32_t pager_index; /* once started */
	uint64_t weight_bytes; /* of all slices */
	/* guarded by engine lock */
	struct mx_frame *spare; /* without a budget: to use again */
	int was_run;
};

/* All but the constants: guarded by the engine's lock. */
struct mx_job {
	struct mx_engine *engine; /* constant */
	struct mx_engine_net *home; /* constant */
	struct mx_job *next; /* in the engine's queue, by arrival */
	float **inputs; /* copies, until the frame has them; NULL: pattern */
	float **outputs; /* copies, from the end on */

	struct mx_frame *frame; /* NULL until there is memory for it */
	void *frame_memory; /* from the engine's activations, or NULL */
	struct mx_pager_run *run; /* with the frame */
	int preparing; /* a worker makes the frame, or has */
	int ready; /* the frame holds the inputs */

	uint32_t layer; /* the one being computed */
	size_t part_count; /* of that layer */
	size_t next_part; /* the first that nobody has taken */
	uint64_t *slice_left; /* parts of each slice not yet computed */
	uint32_t running; /* workers on it */
	int finished;
	int status;
	struct mx_err err; /* why, when status is not 0 */

	struct mx_job_times times;
	uint64_t *layer_ns;
	uint64_t compute_since_ns; /* while running > 0 */
	/* While it waits for a slice and nobody is on it; else 0. */
	uint64_t stall_since_ns;
};

/* Some parts of one layer of a job, all of one slice. */
struct mx_chunk {
	struct mx_job *job;
	uint32_t layer;
	uint32_t slice; /* MX_NONE without weights */
	struct mx_range parts;
	const unsigned char *weights; /* the slice's bytes */
	int prepares; /* instead: make the job's frame */
};

struct mx_worker {
	pthread_t thread;
	struct mx_engine *engine;
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
	struct mx_pager *pager; /* NULL until started */
	struct mx_plan plan; /* once started */
	uint64_t opened_ns;
	uint64_t opened_read_bytes;
	uint32_t worker_count;
	struct mx_worker *workers;

	pthread_mutex_t lock;
	pthread_cond_t work; /* there may be something to do */
	pthread_cond_t done; /* a job has finished */
	/* Bumped (release) whenever there may be something to do; idle workers
	 * read it (acquire) in a short spin before they sleep. */
	atomic_uint_fast64_t epoch;

	/* guarded by lock */
	struct mx_engine_net **nets;
	uint32_t net_count;
	size_t scratch_bytes; /* the most that any layer wants */
	int starting; /* somebody is in mx_engine_start() */
	int started;
	struct mx_slab activations; /* under a budget: all jobs' */
	struct mx_job *queue;
	struct mx_job **queue_tail;
	uint32_t job_count; /* not yet freed */
	uint32_t idle_count; /* workers that sleep */
	int stopping;
};

/*
 * Take the next chunk of the oldest job that has one. The engine's lock is
 * held. Returns 1 with *@chunk, or 0 when there is nothing to take.
 */
int mx_job_take(struct mx_engine *engine, struct mx_chunk *chunk);

/*
 * The chunk is done (or failed with @status and @err): lock held. Advances
 * the job to its next layer or finishes it.
 */
void mx_job_give_back(const struct mx_chunk *chunk, uint64_t busy_ns,
		      int status, const struct mx_err *err);

/* Set up the parts of job->layer; none past the last layer. Lock held, or the
 * job not yet in the queue. */
void mx_job_begin_layer(struct mx_job *job);

/* Make the frame of a job that was taken with `prepares`: no lock held.
 * Returns 0 or -ENOMEM. */
int mx_job_prepare(struct mx_job *job, struct mx_err *err);

/* Wake workers, lock held. */
void mx_engine_wake(struct mx_engine *engine);

/* The body of a worker's thread. */
void *mx_worker_main(void *worker);

#endif
