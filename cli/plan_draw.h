/*
 * plan --dot and --gantt: what a policy would do with a plan, drawn.
 */
#ifndef MX_CLI_PLAN_DRAW_H
#define MX_CLI_PLAN_DRAW_H

struct mx_costs;
struct mx_err;
struct mx_plan;
struct mx_session;

struct mx_plan_draw {
	const struct mx_session *session; /* whose networks the plan has */
	const struct mx_plan *plan; /* feasible */
	const struct mx_costs *costs;
	const char *policy;
	const char *gantt; /* the SVG file to write; NULL: none */
	int dot; /* the task graph, to standard output */
};

/* Returns 0; what mx_timeline_init() returns; -errno if the file cannot be
 * written. */
int mx_plan_draw(const struct mx_plan_draw *draw, struct mx_err *err);

#endif
