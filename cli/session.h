/*
 * A session: the networks on the command line, an engine under a budget, and a
 * job for each input; run and verify are sessions.
 *
 * open, then start, then run as often as wanted, then close.
 */
#ifndef MX_CLI_SESSION_H
#define MX_CLI_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "cli/feed.h"
#include "cli/result.h"
#include "sched/cost.h"
#include "sched/memexec.h"

struct mx_err;
struct mx_log;
struct mx_model;
struct mx_trace;
struct mx_wall;

/* One DIR=INPUT. */
struct mx_task {
	char *directory;
	char *input; /* NULL: the pattern */
	char *name; /* the directory's name without .mx */
	struct mx_model *model;
	/* An earlier task of the same directory, whose model this is. */
	const struct mx_task *sharer;
	uint32_t index; /* in the engine */
	struct mx_feed feed;
	struct mx_result result; /* of the last run */
	char *fault; /* why the last run failed; NULL: it did not */
};

enum mx_session_flags {
	MX_SESSION_COLD = 1 << 0, /* weights leave the page cache first */
	/* Jobs use the tasks' own inputs (MX_SUBMIT_BORROWED): none is copied.
	 */
	MX_SESSION_BORROWS = 1 << 1,
	MX_SESSION_EXACT = 1 << 2, /* MX_ENGINE_EXACT */
};

struct mx_session_opts {
	uint32_t threads; /* 0: one for each CPU */
	/* What all of it may cost; 0: most of what is available, which is a
	 * limit only where the networks do not fit it. */
	uint64_t budget_bytes;
	const char *io; /* as struct mx_engine_opts, and the next three */
	const char *policy;
	uint32_t workers;
	const struct mx_masa_profile *masa_profiles;
	/* As struct mx_wall_opts; NULL: "off". "auto" makes no wall where there
	 * is no need for a limit. */
	const char *wall;
	uint32_t crowd; /* as struct mx_engine_opts */
	uint32_t repeats; /* how often mx_session_run() will be called; 0: once
			   */
	unsigned flags; /* enum mx_session_flags */
	/* As struct mx_engine_opts. */
	mx_board_observer_fn *observer;
	mx_chunk_observer_fn *chunk_observer;
	void *observer_user;
	const char *trace; /* file for a trace, mx_session_end(); NULL: none */
	/* All jobs together may take that long from mx_session_start() on; 0:
	 * as long as they take. */
	uint64_t timeout_ns;
	const struct mx_log *log;
};

struct mx_session {
	struct mx_session_opts opts;
	uint64_t budget_bytes; /* the one asked for, or what it is without */
	struct mx_wall *wall; /* NULL: none was asked for */
	struct mx_engine *engine; /* once started */
	struct mx_costs costs; /* the engine's, once started */
	/* For cli/session_watch.h: */
	struct mx_trace *trace; /* NULL: none */
	uint64_t charge_due_ns; /* it notes the charge again */
	/* On the engine's clock, or MX_TIME_NEVER; 0: not started. */
	uint64_t deadline_ns;
	struct mx_task *tasks;
	size_t task_count;
};

/*
 * What one run of one task took. A task with several samples runs them one by
 * one: its times are sums over them.
 */
struct mx_task_times {
	uint64_t arrival_ns; /* of the first sample, since the start */
	uint64_t finish_ns; /* of the last */
	uint64_t wait_ns;
	uint64_t stall_ns;
	uint64_t compute_ns;
	uint64_t response_ns;
};

/*
 * Open a task for each of the @count specs "DIR=INPUT" (or "DIR"): model
 * directories opened, inputs decoded. What @opts points to must outlive the
 * session. mx_session_close() ends it. Returns 0 or -errno.
 */
int mx_session_open(struct mx_session *session,
		    const struct mx_session_opts *opts, char *const *specs,
		    size_t count, struct mx_err *err);

/*
 * Raise the wall, start the engine, set memory aside. No weight is read.
 * Returns 0; -EDQUOT if the budget is too small; -ENOSYS if a wall or an I/O
 * back end that was required cannot be had; -errno.
 */
int mx_session_start(struct mx_session *session, struct mx_err *err);

/* Also takes the wall down. */
void mx_session_close(struct mx_session *session);

/*
 * The engine options that run gives to its engine for these tasks, so that
 * whoever plans plans the same: all but budget_bytes.
 */
void mx_session_engine_opts(const struct mx_session *session,
			    struct mx_engine_opts *opts);

/* Without a budget: most of what is available. Returns 0 or -errno. */
int mx_session_default_budget(uint64_t *out, struct mx_err *err);

/* Make the tasks' networks known to an engine. Returns 0 or -ENOMEM. */
int mx_session_add(struct mx_session *session, struct mx_engine *engine,
		   struct mx_err *err);

/*
 * All tasks at once, each on its input; sample after sample. @times has room
 * for task_count. A job that fails (an unreadable slice, say) fails its own
 * task, whose fault says why; the others go on to their results. When the
 * session's time is over, or a signal that is held comes, all that have not
 * ended fail.
 *
 * Returns 0, -ETIME when its time was over, -ECANCELED if a signal came, or
 * the first failure's status with its message.
 */
int mx_session_run(struct mx_session *session, struct mx_task_times *times,
		   struct mx_err *err);

/* 1 if any task has a result of the last run, else 0. */
int mx_session_answers(const struct mx_session *session);

#endif
