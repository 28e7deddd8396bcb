/*
 * partial: the tasks of all networks, with no order between networks: a free
 * worker takes the first that can be taken, by job and, within one, in the
 * order INIT, LOAD(0), EXEC(0), LOAD(1), ... So layers are loaded while others
 * are computed, however little memory there is.
 */
#include "sched/policy.h"

#include "sched/tasks.h"

static const struct mx_tasks_rules rules = {
	.order = MX_TASKS_FREE,
	.pick = mx_tasks_pick_oldest,
};

static int partial_init(void **state, const struct mx_board *board,
			struct mx_err *err)
{
	return mx_tasks_new(state, &rules, board, err);
}

const struct mx_policy mx_policy_partial = {
	.name = "partial",
	.summary = "the first layer task that can be done, loading ahead "
		   "without bound",
	.traits = MX_POLICY_DROPS,
	.workers = 2,
	.init = partial_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};
