#include "cli/plan_optimal.h"

#include "cli/plan_board.h"
#include "sched/instance.h"
#include "sched/instance_play.h"
#include "sched/optimum.h"
#include "sched/policy.h"

static int compare(struct mx_plan_optimal *out,
		   const struct mx_instance *instance, const char *policy,
		   struct mx_err *err)
{
	const uint32_t count = instance->net_count;
	struct mx_schedule schedule;
	struct mx_optimum optimum;
	int rc;

	rc = mx_optimum_find(&optimum, instance, NULL, err);
	if (rc)
		return rc;
	out->task_count = mx_instance_task_count(instance);
	out->response_ns = optimum.response_ns / count;
	out->bound_ns = optimum.bound_ns / count;
	out->state_count = optimum.state_count;
	mx_optimum_fini(&optimum);
	rc = mx_instance_play(&schedule, instance, mx_policy_find(policy), err);
	if (rc)
		return rc;
	out->policy_ns = mx_schedule_response_ns(&schedule, instance) / count;
	mx_schedule_fini(&schedule);
	return 0;
}

int mx_plan_optimal_find(struct mx_plan_optimal *out,
			 const struct mx_plan_board *board, const char *policy,
			 struct mx_err *err)
{
	struct mx_instance instance;
	int rc;

	rc = mx_instance_init_nets(&instance, board->nets, board->net_count,
				   board->memory_bytes, MX_PLAN_OPTIMAL_TASKS,
				   err);
	if (rc)
		return rc;
	rc = compare(out, &instance, policy, err);
	mx_instance_fini(&instance);
	return rc;
}
