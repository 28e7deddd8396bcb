/*
 * The simulator: plays a script on a board in virtual time.
 *
 * Model: one storage (reads one after the other at its rate, `depth` in
 * flight, latencies overlapping); `processors` that each take a step of
 * another job (1, the default: all workers together are one); preparing takes
 * no time. Equal input gives equal output.
 */
#ifndef MX_SCHED_SIMULATE_H
#define MX_SCHED_SIMULATE_H

#include <stdint.h>

#include "sched/board.h"

struct mx_err;
struct mx_script;

struct mx_simulate_opts {
	struct mx_board_opts board;
	const struct mx_script *script;
	uint32_t processors; /* 0: 1 */
	uint32_t depth; /* reads in flight; 0: the pager's default */
	/* Then what is left is cancelled; steps being computed are done, as
	 * with mx_job_cancel(). 0: never. */
	uint64_t until_ns;
	/* Units that are there from the beginning, by network, as the board's
	 * `pinned`; NULL: cold. */
	const unsigned char *const *resident;
};

/* Of each job, by arrival, then by its place in it. */
struct mx_simulated_job {
	uint32_t net;
	uint32_t arrival;
	/* FINISHED or CANCELLED; HELD: not come by until_ns. */
	enum mx_job_state state;
	uint64_t arrival_ns;
	uint64_t start_ns; /* its first step began */
	uint64_t finish_ns;
	uint64_t compute_ns;
	uint64_t stall_ns; /* a processor was free for it, its unit missing */
};

struct mx_simulation {
	struct mx_simulated_job *jobs;
	uint32_t job_count;
	int is_cut; /* by until_ns: jobs were left */
	uint64_t makespan_ns;
	uint64_t read_bytes;
	uint64_t read_ns; /* the storage was busy */
	uint64_t compute_ns;
	uint64_t peak_bytes; /* of weights and activations */
	uint64_t event_count;
};

/*
 * mx_simulation_fini() ends it. Returns 0; -EDEADLK if jobs are left that the
 * policy does not finish (a bug; the message says which); what mx_board_new()
 * and mx_director_new() return; -ENOMEM.
 */
int mx_simulate(struct mx_simulation *out, const struct mx_simulate_opts *opts,
		struct mx_err *err);
void mx_simulation_fini(struct mx_simulation *simulation);

#endif
