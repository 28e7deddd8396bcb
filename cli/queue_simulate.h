/*
 * A workload in virtual time: the same script, policy and budget as
 * mx_queue_run(), with what computing and reading are thought to take. No
 * weight is read.
 */
#ifndef MX_CLI_QUEUE_SIMULATE_H
#define MX_CLI_QUEUE_SIMULATE_H

#include <stdint.h>

struct mx_err;
struct mx_queue_result;
struct mx_session;
struct mx_workload;

struct mx_queue_simulate_opts {
	uint64_t read_bytes_per_s; /* of the storage; 0: as profiled */
};

/*
 * @session has been opened for the workload's specs, and its opts say policy,
 * workers, threads and budget. @result has room for the jobs.
 *
 * Returns 0; -ETIME if the session's timeout, in virtual time, came before the
 * last job's end; -EDQUOT if the budget is too small; what
 * mx_costs_of_session() and mx_simulate() return; -ENOMEM.
 */
int mx_queue_simulate(struct mx_queue_result *result,
		      struct mx_workload *workload, struct mx_session *session,
		      const struct mx_queue_simulate_opts *opts,
		      struct mx_err *err);

#endif
