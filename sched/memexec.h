/*
 * The engine: runs jobs of several networks at once on a pool of threads,
 * interleaving their layers.
 *
 * Threads: any number may submit and wait; mx_engine_close() is alone.
 */
#ifndef MX_SCHED_MEMEXEC_H
#define MX_SCHED_MEMEXEC_H

#include <stddef.h>
#include <stdint.h>

#include "lib/network.h"
#include "sched/board.h"

struct mx_costs;
struct mx_engine;
struct mx_err;
struct mx_job;
struct mx_log;

/* A worker has computed some parts of a layer; times on the engine's clock. */
struct mx_chunk_event {
	const struct mx_job *job;
	uint64_t id; /* the job's, as in board events */
	uint32_t net;
	uint32_t layer;
	uint32_t worker;
	uint64_t begin_ns;
	uint64_t end_ns;
};
typedef void mx_chunk_observer_fn(void *user,
				  const struct mx_chunk_event *event);

enum mx_engine_flags {
	/* No kernel that saves products by taking sums first: results are as
	 * the definition's but for the order of the sums. */
	MX_ENGINE_EXACT = 1 << 0,
};

struct mx_engine_opts {
	uint32_t threads; /* workers; 0: one for each online CPU */
	/* What the process may be charged for, all in all; 0: no limit, the
	 * weights are mapped and stay. */
	uint64_t budget_bytes;
	const char *io; /* "auto" (NULL), "uring", "threads", "sync" */
	uint32_t passes; /* how often each network will run; 0: once */
	/* Jobs at once that come with inputs of their own (the engine's copy
	 * counts; the caller's arrays are to be there when the plan is made);
	 * 0: fixed patterns, which cost nothing. */
	uint32_t given_inputs;
	/* Jobs that may be there at once, waiting ones too: their bookkeeping
	 * is set aside; 0: about one a network. */
	uint32_t crowd;
	/* How the next load, layer and eviction are picked (sched/policy.h);
	 * NULL: foresight. */
	const char *policy;
	uint32_t workers; /* layer tasks at once for policies that count them;
			     0: the policy's own number */
	unsigned flags; /* enum mx_engine_flags */
	/* What layers and reads take, for the networks in the order in which
	 * they are added; needed until mx_engine_start() returns. NULL:
	 * estimated. */
	const struct mx_costs *costs;
	/* What masa goes by, for the networks in that order, as long; NULL:
	 * costs, weights and activations. */
	const struct mx_masa_profile *masa_profiles;
	/* Called under the engine's lock: quick, and no call back into the
	 * engine. For a board event job->user is the struct mx_job. NULL:
	 * none. */
	mx_board_observer_fn *observer;
	mx_chunk_observer_fn *chunk_observer;
	void *observer_user;
	const struct mx_log *log;
};

/* Open OpenBLAS, start the workers. mx_engine_close() ends it.
 * Returns 0, -ENOSYS (no OpenBLAS), -ENOMEM or -errno. */
int mx_engine_open(struct mx_engine **out, const struct mx_engine_opts *opts,
		   struct mx_err *err);

/* Wait for all jobs, stop the workers, free. NULL is fine. */
void mx_engine_close(struct mx_engine *engine);

/*
 * Make a network known. It must be bound, have its weights mapped, and outlive
 * the engine. Its number goes to *@out. Returns 0 or -ENOMEM.
 */
int mx_engine_add(struct mx_engine *engine, const struct mx_network *net,
		  uint32_t *out, struct mx_err *err);

/*
 * What the budget is spent on, for the networks added so far: see sched/plan.h.
 * mx_plan_fini() ends it. A budget that is too small is not an error here.
 * Returns 0, -ENOMEM or -EOVERFLOW.
 */
struct mx_plan;
int mx_engine_plan(const struct mx_engine *engine, struct mx_plan *plan,
		   struct mx_err *err);

/*
 * All networks have been added: set the memory aside and begin reading when
 * jobs come. The first submit does it if nobody has.
 *
 * Returns 0; -EDQUOT if the budget is too small (the message has the minimum
 * and what sets it; nothing has been read); -ENOSYS if the I/O back end that
 * was named cannot be had; -ENOMEM; -errno.
 */
int mx_engine_start(struct mx_engine *engine, struct mx_err *err);

/*
 * Start a job of network @index. @inputs are the network's inputs in order,
 * each a row-major array of the input's logical shape, copied before return;
 * NULL (or a NULL entry): a fixed pattern. mx_job_free() ends the job.
 * Returns 0, -ENOMEM, or what mx_engine_start() returns.
 */
int mx_engine_submit(struct mx_engine *engine, uint32_t index,
		     const float *const *inputs, struct mx_job **out,
		     struct mx_err *err);

enum mx_submit_flags {
	/* It waits for mx_job_release() or mx_job_cancel(). */
	MX_SUBMIT_HELD = 1 << 0,
	/* The inputs stay as they are until the job has ended: no copy is
	 * made, and nothing is counted for one. */
	MX_SUBMIT_BORROWED = 1 << 1,
};

struct mx_submit_opts {
	const float *const *inputs; /* as for mx_engine_submit() */
	uint32_t arrival; /* jobs of one arrival share this number */
	uint64_t arrival_ns; /* when it came, on the engine's clock; 0: now */
	unsigned flags; /* enum mx_submit_flags */
	float chance; /* HELD: how likely it will be released, 0 to 1 */
	void *user; /* mx_job_user() */
};
/* mx_engine_submit() with all that can be said of a job. */
int mx_engine_submit_with(struct mx_engine *engine, uint32_t index,
			  const struct mx_submit_opts *opts,
			  struct mx_job **out, struct mx_err *err);

/*
 * Let a HELD job go. @inputs, unless NULL, replace those it came with (copied
 * before return). Returns 0 or -ENOMEM (the job then fails).
 */
int mx_job_release(struct mx_job *job, const float *const *inputs,
		   struct mx_err *err);

/*
 * End a job before its time: what it holds, its place and its reads that have
 * not begun are given up at once, parts being computed when they are done. It
 * ends with -ECANCELED. Nothing happens to one that has ended.
 */
void mx_job_cancel(struct mx_job *job);

void *mx_job_user(const struct mx_job *job);

/* Nanoseconds since the engine was opened, on the monotonic clock. */
uint64_t mx_engine_now(const struct mx_engine *engine);

/*
 * The next job that has ended and was not yet told of here. Waits for one, at
 * most until @until_ns on the engine's clock (MX_TIME_NEVER: as long as it
 * takes). Only for jobs that nobody waits for with mx_job_wait().
 *
 * Returns 0 with *@out; -ETIMEDOUT; -ENOENT if there is no job.
 */
int mx_engine_next_ended(struct mx_engine *engine, uint64_t until_ns,
			 struct mx_job **out);

/* What a job took; all in nanoseconds on the monotonic clock. */
struct mx_job_times {
	uint64_t arrival_ns; /* since the engine was opened */
	uint64_t start_ns; /* its first part began */
	uint64_t finish_ns;
	uint64_t compute_ns; /* time with at least one worker on it */
	uint64_t stall_ns; /* time between start and finish with none on it
			      because a slice was not there */
};

/* Wait until the job is done. Returns 0, or why it failed (-EIO, ...), or
 * -ECANCELED. */
int mx_job_wait(struct mx_job *job, struct mx_job_times *times,
		struct mx_err *err);

/* Nanoseconds of worker time spent in each layer (layer_count values), for
 * bench --per-layer. Valid after mx_job_wait(), as long as the job. */
const uint64_t *mx_job_layer_ns(const struct mx_job *job);

/*
 * Copy output @k (row-major, logical shape) to @out, which has room for all of
 * its elements. After mx_job_wait() has returned 0.
 */
void mx_job_output(const struct mx_job *job, uint32_t k, float *out);

/* NULL is fine. The job must be done. */
void mx_job_free(struct mx_job *job);

/* Totals since the engine was opened. */
struct mx_engine_totals {
	uint64_t read_bytes; /* weights brought in from storage: exact under a
				budget; mapped, what the kernel counts for
				this process */
	uint64_t required_read_bytes; /* weights of the networks of which a job
					 has begun, once */
	uint64_t major_faults; /* of the workers */
	/* What the process holds now: between jobs the engine keeps what they
	 * take, so this is their peak too. */
	uint64_t anonymous_bytes;
	uint64_t planned_peak_bytes; /* the ledger's: what was set aside */
	uint64_t planned_memory_bytes; /* of that, weights and activations */
	uint64_t memory_peak_bytes; /* of that, weights and activations: the
				       most in use */
	uint64_t moved_bytes; /* weights moved in memory to make room */
	const char *policy;
	uint64_t budget_bytes; /* 0: none */
	const char *io; /* the back end; lives as long as the engine */
	uint32_t threads;
};
void mx_engine_totals(struct mx_engine *engine,
		      struct mx_engine_totals *totals);

/* The pattern that stands for an input nobody gave: element i of the logical
 * row-major order. Deterministic, in [-1, 1], mean about 0. */
float mx_pattern_value(uint64_t i);

#endif
