/*
 * The optimum: the schedule of an instance (sched/instance.h) with the least
 * sum of responses, by search. For some forty tasks it takes seconds.
 *
 * Threads: the functions keep no state.
 */
#ifndef MX_SCHED_OPTIMUM_H
#define MX_SCHED_OPTIMUM_H

#include <stdint.h>

#include "sched/instance.h"

struct mx_err;

/* States looked at before the search gives up: some seconds and 100 MB. */
#define MX_OPTIMUM_STATES 4000000u

struct mx_optimum_opts {
	uint32_t state_limit; /* 0: MX_OPTIMUM_STATES */
};

struct mx_optimum {
	struct mx_schedule schedule; /* the best that was found */
	uint64_t response_ns; /* its sum of responses */
	/* No schedule's sum is less; response_ns when that is proven to be
	 * the least. */
	uint64_t bound_ns;
	uint64_t state_count;
};

/*
 * mx_optimum_fini() ends it. Returns 0; -EDQUOT if no schedule keeps to the
 * budget, or none was found within the limit; -EINVAL if sums of times or
 * bytes might overflow; -ENOMEM.
 */
int mx_optimum_find(struct mx_optimum *out, const struct mx_instance *instance,
		    const struct mx_optimum_opts *opts, struct mx_err *err);
void mx_optimum_fini(struct mx_optimum *optimum);

#endif
