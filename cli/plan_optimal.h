/*
 * plan --optimal: the best that any policy could do, for few and small
 * networks, beside what one does.
 */
#ifndef MX_CLI_PLAN_OPTIMAL_H
#define MX_CLI_PLAN_OPTIMAL_H

#include <stdint.h>

struct mx_err;
struct mx_plan_board;

/* More tasks take too long to search. */
#define MX_PLAN_OPTIMAL_TASKS 40

/* Of one arrival of all networks, layers joined until there are few enough
 * tasks. Responses are means. */
struct mx_plan_optimal {
	uint32_t task_count; /* 0: not asked for */
	uint64_t response_ns; /* of the best schedule found */
	uint64_t bound_ns; /* response_ns if that is proven */
	uint64_t policy_ns; /* of the policy's, with layers joined alike */
	uint64_t state_count; /* searched */
};

/* Returns 0; -EINVAL if the networks are too large, and by what; -EDQUOT if
 * layers so joined do not fit; -ENOMEM. */
int mx_plan_optimal_find(struct mx_plan_optimal *out,
			 const struct mx_plan_board *board, const char *policy,
			 struct mx_err *err);

#endif
