#include "sched/policy_masa.h"

#include "sched/masa.h"
#include "sched/policy.h"

static uint64_t key(const struct mx_board_net *net)
{
	return net->masa_key_ns;
}

static int init(void *own, const struct mx_board *board)
{
	const struct mx_board_opts *opts = mx_board_opts_of(board);
	const uint64_t budget =
		opts->budget_bytes ? opts->budget_bytes : opts->memory_bytes;

	return mx_masa_init(own, opts->nets, opts->net_count, budget);
}

static void fini(void *own)
{
	mx_masa_fini(own);
}

static void waiting(void *own, const struct mx_board *board, uint32_t net)
{
	const struct mx_board_job *job = mx_board_waiting(board, net);

	mx_masa_waits(own, net, job ? job->id : MX_MINIMA_NONE);
}

static void taken(void *own, const struct mx_task *task)
{
	if (task->kind == MX_TASK_INIT)
		mx_masa_admit(own, task->job->net);
}

static void ended(void *own, const struct mx_board_job *job)
{
	mx_masa_end(own, job->net);
}

static int fits(void *user, uint32_t net)
{
	struct mx_tasks *tasks = user;

	return mx_tasks_can_init(tasks,
				 mx_board_waiting(mx_tasks_board(tasks), net));
}

static int pick(void *own, struct mx_tasks *tasks, struct mx_task *out)
{
	struct mx_task exec, load;
	uint32_t exec_net = MX_STEP_NONE;
	uint32_t load_net = MX_STEP_NONE;
	uint32_t net;

	if (mx_tasks_first(tasks, MX_TASK_EXEC, MX_TASKS_HEAD, &exec))
		exec_net = exec.job->net;
	else if (mx_tasks_first(tasks, MX_TASK_LOAD, MX_TASKS_HEAD, &load))
		load_net = load.job->net;
	switch (mx_masa_pick(own, exec_net, load_net, fits, tasks, &net)) {
	case MX_MASA_EXEC:
		*out = exec;
		return 1;
	case MX_MASA_LOAD:
		*out = load;
		return 1;
	case MX_MASA_INIT:
		*out = (struct mx_task){
			.kind = MX_TASK_INIT,
			.job = mx_board_waiting(mx_tasks_board(tasks), net),
		};
		return 1;
	case MX_MASA_NOTHING:
		break;
	}
	return 0;
}

const struct mx_tasks_rules mx_masa_rules = {
	.order = MX_TASKS_FREE,
	.key = key,
	.own_bytes = sizeof(struct mx_masa),
	.init = init,
	.fini = fini,
	.waiting = waiting,
	.taken = taken,
	.ended = ended,
	.pick = pick,
};

static int masa_init(void **state, const struct mx_board *board,
		     struct mx_err *err)
{
	return mx_tasks_new(state, &mx_masa_rules, board, err);
}

const struct mx_policy mx_policy_masa = {
	.name = "masa",
	.summary = "shortest network first, admitted when its whole peak fits",
	.traits = MX_POLICY_DROPS,
	.workers = 2,
	.init = masa_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};
