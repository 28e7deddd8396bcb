/*
 * A plan as the board sees it: what is played where a plan is drawn, or
 * compared with the best there could be.
 */
#ifndef MX_CLI_PLAN_BOARD_H
#define MX_CLI_PLAN_BOARD_H

#include <stdint.h>

#include "sched/board.h"

struct mx_costs;
struct mx_err;
struct mx_plan;

struct mx_plan_board {
	struct mx_board_net *nets; /* as the plan's */
	uint32_t net_count;
	uint64_t memory_bytes; /* or MX_RESIDENCY_UNLIMITED */
};

/* @plan is feasible, and it and @costs outlive the board.
 * mx_plan_board_fini() ends it. Returns 0 or -ENOMEM. */
int mx_plan_board_init(struct mx_plan_board *board, const struct mx_plan *plan,
		       const struct mx_costs *costs, struct mx_err *err);
void mx_plan_board_fini(struct mx_plan_board *board);

#endif
