/*
 * Forecast: how long arrivals of all of a plan's networks will take: the
 * simulator (sched/simulate.h) plays them on the plan's memory, by a policy.
 *
 *  - All workers together are one processor; a slice costs its share of its
 *    layer, by blocks.
 *  - Passes are one after the other: the next begins when the last job of the
 *    one before has finished, with what is in memory then. The first few are
 *    simulated, and those that follow are taken to be as the last.
 *
 * All times are virtual nanoseconds from the beginning of the (first) pass.
 * Equal input gives equal output.
 */
#ifndef MX_SCHED_FORECAST_H
#define MX_SCHED_FORECAST_H

#include <stdint.h>

struct mx_costs;
struct mx_err;
struct mx_plan;

enum mx_forecast_flags {
	MX_FORECAST_COLD = 0, /* no weight is in memory at first */
	/* Mapped weights are all in the page cache. (A plan that streams does
	 * not use it, and is cold always.) */
	MX_FORECAST_WARM = 1 << 0,
};

struct mx_forecast_opts {
	uint32_t passes; /* 0: as many as the plan is for */
	uint32_t depth; /* reads in flight; 0: the pager's default */
	enum mx_forecast_flags flags;
	const char *policy; /* NULL: the default */
};

/* One network's job, in the first pass. */
struct mx_forecast_net {
	uint64_t start_ns; /* its first step began */
	uint64_t finish_ns;
	uint64_t compute_ns; /* processor time it had */
	/* The processor was free, but its next slice was missing. */
	uint64_t stall_ns;
	uint64_t read_bytes; /* of its weights */
};

struct mx_forecast {
	struct mx_forecast_net *nets; /* as the plan's */
	uint32_t net_count;
	uint64_t makespan_ns; /* of all passes */
	uint64_t first_pass_ns;
	uint64_t later_pass_ns; /* of each after the first; 0: none */
	uint64_t read_bytes; /* in all passes */
	/* What no schedule can beat: all passes' computing alone, their reads
	 * alone, and each pass's larger of the two. */
	uint64_t compute_bound_ns;
	uint64_t read_bound_ns;
	uint64_t lower_bound_ns;
};

/*
 * Forecast @plan, which is feasible, with costs for the same networks in the
 * same order. mx_forecast_fini() ends it.
 *
 * Returns 0; -EDQUOT if the plan is not feasible, or its memory does not hold
 * a job and its largest slice; -EINVAL if there is no such policy; -ENOMEM.
 */
int mx_forecast_init(struct mx_forecast *forecast, const struct mx_plan *plan,
		     const struct mx_costs *costs,
		     const struct mx_forecast_opts *opts, struct mx_err *err);

void mx_forecast_fini(struct mx_forecast *forecast);

#endif
