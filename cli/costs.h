/*
 * Costs of a session's networks: from their profiles where those were made on
 * this machine, else from its rates, which take some milliseconds to find.
 */
#ifndef MX_CLI_COSTS_H
#define MX_CLI_COSTS_H

#include <stdint.h>

#include "sched/cost.h"

struct mx_err;
struct mx_log;
struct mx_session;

struct mx_costs_opts {
	uint32_t threads;
	uint64_t read_bytes_per_s; /* of the storage; 0: as profiled, or assumed
				    */
	/* For what was not measured; NULL: they are found out. */
	const struct mx_rates *rates;
	const struct mx_log *log;
};

/*
 * In the order in which mx_session_add() makes networks known. No weight is
 * read. mx_costs_fini() ends it. Returns 0, -ENOMEM or -EAGAIN.
 */
int mx_costs_of_session(struct mx_costs *costs,
			const struct mx_session *session,
			const struct mx_costs_opts *opts, struct mx_err *err);

#endif
