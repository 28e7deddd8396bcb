/*
 * The Queue Runner: experiment files, one after the other, from a queue that
 * outlives it (cli/queue_store.h).
 */
#ifndef MX_CLI_QUEUE_RUNNER_H
#define MX_CLI_QUEUE_RUNNER_H

#include <stddef.h>
#include <stdint.h>

struct mx_cli;
struct mx_err;
struct mx_queue_opts;
struct mx_queue_store;

/*
 * Make a queue of @files, replacing one that is done. @options are the
 * command line's, for whoever resumes it.
 *
 * Returns 0; -EEXIST if there is one with other experiments that have not been
 * run; -ENOENT if a file is not there; or as mx_queue_store_change().
 */
int mx_queue_begin(struct mx_queue_store *store, char *const *files,
		   size_t count, char *const *options, size_t option_count,
		   struct mx_err *err);

/* Files at the end of the queue; returns as mx_queue_begin(). @options count
 * if the queue was empty. */
int mx_queue_extend(struct mx_queue_store *store, char *const *files,
		    size_t count, char *const *options, size_t option_count,
		    struct mx_err *err);

/* Whoever runs the queue stops after its present experiment.
 * Returns 1; 0 if nobody runs it; or as mx_queue_store_change(). */
int mx_queue_halt(struct mx_queue_store *store, struct mx_err *err);

/* To standard output. Returns 0 or as mx_queue_store_read(). */
int mx_queue_list(struct mx_queue_store *store, int json, struct mx_err *err);

struct mx_queue_runner_opts {
	const struct mx_queue_opts *execute;
	const char *networks_path; /* as struct mx_workload_experiment */
	const char *pictures_path;
	uint32_t count;
};
/*
 * Run what is not done; @store is the runner's (mx_queue_store_run()). An
 * experiment that fails does not stop the others.
 *
 * Returns 0, also when it was halted; -ECANCELED if a signal came (the
 * experiment it came in is to be run again); else what the first experiment
 * that failed returned.
 */
int mx_queue_runner(struct mx_queue_store *store,
		    const struct mx_queue_runner_opts *opts,
		    struct mx_cli *cli);

#endif
