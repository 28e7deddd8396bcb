/*
 * linear: one network after the other, one layer after the other: each is
 * loaded, computed and given back before the next. The least memory, and
 * nothing overlaps.
 */
#include "sched/policy.h"

#include "sched/tasks.h"

static const struct mx_tasks_rules rules = {
	.order = MX_TASKS_LINEAR,
	.flags = MX_TASKS_ONE_JOB,
	.pick = mx_tasks_pick_oldest,
};

static int linear_init(void **state, const struct mx_board *board,
		       struct mx_err *err)
{
	return mx_tasks_new(state, &rules, board, err);
}

const struct mx_policy mx_policy_linear = {
	.name = "linear",
	.summary = "one layer at a time: loaded, computed, dropped",
	.traits = MX_POLICY_DROPS,
	.workers = 1,
	.init = linear_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};
