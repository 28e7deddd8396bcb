/*
 * A session: an engine, the networks on the command line, and a job for each
 * of their inputs; run and verify are sessions.
 */
#ifndef MX_CLI_SESSION_H
#define MX_CLI_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "cli/feed.h"
#include "cli/result.h"
#include "sched/memexec.h"

struct mx_err;
struct mx_log;
struct mx_model;

/* One DIR=INPUT. */
struct mx_task {
	char *directory;
	char *input; /* NULL: the pattern */
	char *name; /* the directory's name without .mx */
	struct mx_model *model;
	uint32_t index; /* in the engine */
	struct mx_feed feed;
	struct mx_result result; /* of the last run */
};

struct mx_session {
	struct mx_engine *engine;
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
 * Split "DIR=INPUT" (or "DIR"), open the model directory and load the input.
 * mx_task_fini() ends it, also after a failure.
 */
int mx_task_open(struct mx_task *task, const char *spec, struct mx_err *err);
void mx_task_fini(struct mx_task *task);

/*
 * Start an engine with @threads (0: one for each CPU) and open a task for each
 * of the @count specs. mx_session_close() ends it. Returns 0 or -errno.
 */
int mx_session_open(struct mx_session *session, char *const *specs,
		    size_t count, uint32_t threads, const struct mx_log *log,
		    struct mx_err *err);
void mx_session_close(struct mx_session *session);

/*
 * All tasks at once, each on its input; sample after sample. @times has room
 * for task_count. Returns 0 or why a job failed.
 */
int mx_session_run(struct mx_session *session, struct mx_task_times *times,
		   struct mx_err *err);

#endif
