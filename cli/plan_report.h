/*
 * What plan prints: what budgets are spent on and what they give.
 */
#ifndef MX_CLI_PLAN_REPORT_H
#define MX_CLI_PLAN_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/plan_optimal.h"
#include "lib/err.h"
#include "sched/forecast.h"
#include "sched/plan.h"

struct mx_costs;
struct mx_costs_basis;
struct mx_session;

/* One budget. */
struct mx_plan_point {
	uint64_t budget_bytes; /* asked for, or the default */
	int feasible;
	struct mx_err why; /* not feasible: the refusal */
	struct mx_plan plan; /* nets as mx_session_add() has them */
	struct mx_forecast forecast; /* when feasible */
	uint64_t *alone_ns; /* heap: each network by itself; 0: not feasible */
	struct mx_plan_optimal optimal; /* task_count 0: not asked for */
};

struct mx_plan_report {
	const struct mx_session *session;
	const struct mx_costs *costs;
	const struct mx_costs_basis *basis; /* of costs */
	/* The least for jobs with inputs of their own. */
	const struct mx_plan *least;
	const struct mx_plan_point *points;
	size_t point_count; /* at least 1 */
	const char *policy; /* that the forecasts are for */
	int asked; /* 0: the budget is the default one */
	int explain; /* also why each layer is where it is */
};

/* To standard output. Return 0 or -ENOMEM. */
int mx_plan_report_text(const struct mx_plan_report *report,
			struct mx_err *err);
int mx_plan_report_json(const struct mx_plan_report *report,
			struct mx_err *err);

/*
 * Why layer @layer of network @index streams or stays, for --explain: one
 * phrase into @text, which is returned.
 */
#define MX_PLAN_REASON_BYTES 96
const char *mx_plan_reason(const struct mx_plan *plan,
			   const struct mx_costs *costs, uint32_t index,
			   uint32_t layer, char text[MX_PLAN_REASON_BYTES]);

#endif
