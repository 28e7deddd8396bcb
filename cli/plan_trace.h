/*
 * plan --trace: what a policy would do with a plan, one arrival of all its
 * networks, cold, as a trace file.
 */
#ifndef MX_CLI_PLAN_TRACE_H
#define MX_CLI_PLAN_TRACE_H

struct mx_costs;
struct mx_err;
struct mx_plan;
struct mx_session;

/*
 * @session, whose networks the plan has and whose opts name the file, has no
 * trace yet. @plan is feasible; @policy is the name of one. Returns 0; what
 * mx_session_trace(), mx_simulate() and mx_session_write_trace() return;
 * -ENOMEM.
 */
int mx_plan_trace(struct mx_session *session, const struct mx_plan *plan,
		  const struct mx_costs *costs, const char *policy,
		  struct mx_err *err);

#endif
