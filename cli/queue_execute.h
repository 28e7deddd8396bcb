/*
 * Executing workloads: each under each policy that was asked for, in real or
 * in virtual time, and telling what came of it as it comes.
 */
#ifndef MX_CLI_QUEUE_EXECUTE_H
#define MX_CLI_QUEUE_EXECUTE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/json.h"
#include "cli/queue_report.h"
#include "cli/session.h"

struct mx_err;
struct mx_workload;

#define MX_QUEUE_POLICIES_MAX 16

struct mx_queue_opts {
	/* Of each run; a workload's own policy, workers and budget count where
	 * these are not given. */
	struct mx_session_opts session;
	const char *policies[MX_QUEUE_POLICIES_MAX]; /* each in turn */
	size_t policy_count; /* 0: the workload's own */
	int simulate;
	uint64_t read_bytes_per_s; /* simulated: of the storage; 0: profiled */
	int masa_described; /* masa goes by what the reference published */
	const char *networks_path; /* of that; NULL: none is given */
	uint32_t top; /* best scores of each job to keep */
	const char *directory; /* for files; exists; NULL: none */
	int json;
};

/* What a workload would be run with. */
struct mx_queue_own {
	const char *policy; /* NULL: the default one */
	uint64_t budget_bytes; /* 0: the default one */
	uint32_t workers; /* 0: the policy's */
	const char *memory_key; /* struct mx_masa_profile_source */
};

/* Standard output, over all workloads. */
struct mx_queue_output {
	const struct mx_queue_opts *opts;
	int many; /* more than one run is expected: results[] and a table */
	struct mx_json json;
	int begun; /* something is on standard output */
	struct mx_queue_rows rows;
};

void mx_queue_output_init(struct mx_queue_output *output,
			  const struct mx_queue_opts *opts, int many);
/* Closes what is open. Returns 0 or -ENOMEM. */
int mx_queue_output_end(struct mx_queue_output *output, struct mx_err *err);

/*
 * Run @workload under each policy. Returns 0; or what the first run that
 * failed returned (mx_queue_run(), mx_queue_simulate()), after having told
 * what it did; later policies are not run then.
 */
int mx_queue_execute(struct mx_queue_output *output,
		     struct mx_workload *workload,
		     const struct mx_queue_own *own, struct mx_err *err);

#endif
