/*
 * bulk: one network after the other, each as a whole: all of its layers are
 * loaded, then all are computed. multi-bulk: the same on several workers, a
 * network each.
 *
 * A network's memory is given back when its job ends, not layer by layer. What
 * does not fit meanwhile is swapped (sched/tasks.h).
 */
#include "sched/policy.h"

#include "sched/tasks.h"

static const struct mx_tasks_rules bulk_rules = {
	.order = MX_TASKS_BULK,
	.flags = MX_TASKS_ONE_JOB,
	.pick = mx_tasks_pick_oldest,
};

static const struct mx_tasks_rules multi_bulk_rules = {
	.order = MX_TASKS_BULK,
	.pick = mx_tasks_pick_oldest,
};

static int bulk_init(void **state, const struct mx_board *board,
		     struct mx_err *err)
{
	return mx_tasks_new(state, &bulk_rules, board, err);
}

static int multi_bulk_init(void **state, const struct mx_board *board,
			   struct mx_err *err)
{
	return mx_tasks_new(state, &multi_bulk_rules, board, err);
}

const struct mx_policy mx_policy_bulk = {
	.name = "bulk",
	.summary = "one network at a time, loaded as a whole, then computed",
	.traits = MX_POLICY_DROPS_AT_END,
	.workers = 1,
	.init = bulk_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};

const struct mx_policy mx_policy_multi_bulk = {
	.name = "multi-bulk",
	.summary = "as bulk, with a network on each worker",
	.traits = MX_POLICY_DROPS_AT_END,
	.workers = 2,
	.init = multi_bulk_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};
