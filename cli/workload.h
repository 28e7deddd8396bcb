/*
 * A workload: a script, and the networks and inputs it runs, as a session
 * takes them; from an experiment file, or a stream over model directories.
 */
#ifndef MX_CLI_WORKLOAD_H
#define MX_CLI_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "cli/arrival_option.h"
#include "sched/script.h"

struct mx_err;
struct mx_experiment;
struct mx_log;
struct mx_session;

struct mx_workload {
	char *tag; /* names its results */
	char **specs; /* "DIR" or "DIR=INPUT", for mx_session_open() */
	size_t spec_count;
	/* Its nets are indices into specs until it is bound, the session's
	 * (mx_task.index) from then on. */
	struct mx_script script;
	uint32_t job_count; /* of all arrivals */
	uint32_t *task; /* of each job, by arrival, then by its place in it */
	uint32_t *first; /* of each arrival: its first job's place in task */
};

struct mx_workload_experiment {
	const char *networks_path; /* NULL: as the file has it, else "." */
	const char *pictures_path; /* the same */
	/* The last picture that was said to be missing: heap, the caller's to
	 * free; it is not said again. */
	char **missing;
	const struct mx_log *log;
};
/*
 * Of an experiment: each network is NAME or NAME.mx in the networks' directory;
 * a picture that is not there is said once, and the fixed pattern stands for
 * it. mx_workload_fini() ends it. @experiment loses its script.
 *
 * Returns 0; -ENOENT if a network is not there; -ENOMEM.
 */
int mx_workload_of_experiment(struct mx_workload *out,
			      struct mx_experiment *experiment,
			      const struct mx_workload_experiment *opts,
			      struct mx_err *err);

struct mx_workload_stream {
	struct mx_arrival_option arrivals;
	uint32_t count; /* 0: of a trace all, else 10 */
	uint32_t pick;
	uint64_t seed;
};
/*
 * Of model directories, "DIR" or "DIR=INPUT". mx_workload_fini() ends it.
 * Returns 0, or as mx_arrivals_init(), mx_arrivals_trace(), mx_file_read().
 */
int mx_workload_of_stream(struct mx_workload *out, char *const *specs,
			  size_t count, const struct mx_workload_stream *opts,
			  struct mx_err *err);

void mx_workload_fini(struct mx_workload *workload);

/* @session has been opened for the specs and knows its networks' indices
 * (mx_session_add()). */
void mx_workload_bind(struct mx_workload *workload,
		      const struct mx_session *session);

/* How often the network that comes most often is run. */
uint32_t mx_workload_passes(const struct mx_workload *workload);

#endif
