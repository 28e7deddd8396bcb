/*
 * Forecast: how long one arrival of all of a plan's networks will take, by
 * playing the engine's and the pager's rules in virtual time.
 *
 * What is simulated:
 *  - One storage: reads (whole units) in the pager's order, the run least
 *    ahead first, `depth` in flight, bytes one after the other at the
 *    storage's rate, latencies overlapping.
 *  - The weights' memory by its bytes: pinned units have their place and are
 *    read in the first pass; the others are given back when the last of their
 *    slices is computed. (Where a buffer lies is not simulated.)
 *  - One processor, which all workers are together: the oldest job that has
 *    its next slice computes it, at the layer's cost for that many threads. A
 *    slice costs its share of its layer, by blocks.
 *  - Jobs are admitted in order while their activations fit.
 * Passes are one after the other: the next begins when the last job of the
 * one before has finished.
 *
 * All times are virtual nanoseconds from the beginning of the (first) pass.
 * The time is linear in slices and layers. Equal input gives equal output.
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
};

/* One network's job, in the first pass. */
struct mx_forecast_net {
	uint64_t start_ns;
	uint64_t finish_ns;
	uint64_t compute_ns; /* processor time it had */
	/* It could have had the processor, but its next slice was missing. */
	uint64_t stall_ns;
	uint64_t read_bytes;
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
 * Returns 0; -EDQUOT if the plan is not feasible, or a job or unit does not
 * fit the memory that the plan gives it; -ENOMEM.
 */
int mx_forecast_init(struct mx_forecast *forecast, const struct mx_plan *plan,
		     const struct mx_costs *costs,
		     const struct mx_forecast_opts *opts, struct mx_err *err);

void mx_forecast_fini(struct mx_forecast *forecast);

#endif
