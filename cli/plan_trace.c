#include "cli/plan_trace.h"

#include <errno.h>

#include "cli/plan_board.h"
#include "cli/session.h"
#include "cli/session_watch.h"
#include "cli/trace_file.h"
#include "lib/err.h"
#include "sched/plan.h"
#include "sched/policy.h"
#include "sched/script.h"
#include "sched/simulate.h"

static int make_script(struct mx_script *script, uint32_t net_count,
		       struct mx_err *err)
{
	struct mx_script_arrival *arrival = mx_script_add(script, net_count);
	uint32_t i;

	if (!arrival)
		return mx_fail(err, ENOMEM, "plan: no memory");
	arrival->kind = MX_ARRIVAL_AT;
	for (i = 0; i < net_count; i++)
		arrival->jobs[i].net = i;
	return 0;
}

static int play(const struct mx_session *session,
		const struct mx_plan_board *board, const char *policy,
		struct mx_err *err)
{
	struct mx_script script = {.arrivals = NULL};
	const struct mx_simulate_opts opts = {
		.board = {.policy = mx_policy_find(policy),
			  .memory_bytes = board->memory_bytes,
			  .nets = board->nets,
			  .net_count = board->net_count,
			  .observer = session->opts.observer,
			  .observer_user = session->opts.observer_user},
		.script = &script,
	};
	struct mx_simulation simulation;
	int rc;

	rc = make_script(&script, board->net_count, err);
	if (!rc)
		rc = mx_simulate(&simulation, &opts, err);
	if (!rc)
		mx_simulation_fini(&simulation);
	mx_script_fini(&script);
	return rc;
}

int mx_plan_trace(struct mx_session *session, const struct mx_plan *plan,
		  const struct mx_costs *costs, const char *policy,
		  struct mx_err *err)
{
	const struct mx_trace_page page = {
		.policy = policy,
		.simulated = 1,
		.budget_bytes = plan->streaming ? plan->opts.budget_bytes : 0,
		.base_bytes = plan->predicted_peak_bytes - plan->memory_bytes,
	};
	struct mx_plan_board board;
	int rc;

	rc = mx_plan_board_init(&board, plan, costs, err);
	if (rc)
		return rc;
	rc = mx_session_trace(session, board.nets, err);
	if (!rc)
		rc = play(session, &board, policy, err);
	if (!rc)
		rc = mx_session_write_trace(session, &page, err);
	mx_plan_board_fini(&board);
	return rc;
}
