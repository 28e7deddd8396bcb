/*
 * deepeye, after Mathur et al., "DeepEye: Resource Efficient Local Execution of
 * Multiple Deep Vision Models using Wearable Commodity Hardware", MobiSys 2017.
 *
 * Two workers, always. One does INITs and the convolutional layers: of the
 * networks of one arrival first all INITs, then all LOADs, then the EXECs,
 * network by network. The other loads and computes the fully connected layers,
 * network by network, computing when all of a network's are loaded and its
 * convolutional ones done. deepeye-frugal: the fully connected layers of one
 * network at most are loaded; those of the next wait until they are done.
 *
 * A network's fully connected layers are those from the first one on. One that
 * has none is split by cost instead: layers whose reading takes longer than
 * their computing are bound by I/O, and the second worker gets the layers from
 * which on the network is that the most, the sum over them of reading less
 * computing being the largest; none if that is nowhere above 0.
 */
#include "sched/policy.h"

#include "sched/tasks.h"

struct deepeye {
	/* frugal: whose fully connected layers are in memory. */
	const struct mx_board_job *stack;
};

static uint32_t split_by_cost(const struct mx_board_net *net)
{
	uint32_t split = net->layer_count;
	int64_t best = 0, bound = 0;
	uint32_t layer;

	for (layer = net->layer_count; layer-- > 0;) {
		bound += (int64_t)net->layers[layer].read_ns;
		bound -= (int64_t)net->layers[layer].ns;
		if (bound > best) {
			best = bound;
			split = layer;
		}
	}
	return split;
}

static uint32_t split(const struct mx_board_net *net)
{
	uint32_t layer;

	for (layer = 0; layer < net->layer_count; layer++)
		if (net->layers[layer].dense)
			return layer;
	return split_by_cost(net);
}

/* INITs, LOADs, EXECs of the arrival that came first. */
static int pick_head(struct mx_tasks *tasks, struct mx_task *out)
{
	static const enum mx_task_kind kinds[] = {
		MX_TASK_INIT,
		MX_TASK_LOAD,
		MX_TASK_EXEC,
	};
	struct mx_task first[sizeof(kinds) / sizeof(*kinds)];
	const struct mx_board_job *oldest = NULL;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!mx_tasks_first(tasks, kinds[i], MX_TASKS_HEAD, &first[i]))
			first[i].job = NULL;
		else if (!oldest || first[i].job->id < oldest->id)
			oldest = first[i].job;
	}
	if (!oldest)
		return 0;
	for (i = 0; !first[i].job || first[i].job->arrival != oldest->arrival;)
		i++;
	*out = first[i];
	return 1;
}

/* By network: EXECs can be taken when no LOAD of theirs is left. */
static int pick_tail(struct mx_tasks *tasks, struct mx_task *out)
{
	return mx_tasks_first(tasks, MX_TASK_EXEC, MX_TASKS_TAIL, out) ||
	       mx_tasks_first(tasks, MX_TASK_LOAD, MX_TASKS_TAIL, out);
}

static int pick_deepeye(void *own, struct mx_tasks *tasks, struct mx_task *out)
{
	(void)own;
	if (!mx_tasks_busy(tasks, MX_TASKS_HEAD) && pick_head(tasks, out))
		return 1;
	return !mx_tasks_busy(tasks, MX_TASKS_TAIL) && pick_tail(tasks, out);
}

static int pick_stack(const struct deepeye *de, struct mx_tasks *tasks,
		      struct mx_task *out)
{
	if (!de->stack)
		return mx_tasks_first(tasks, MX_TASK_LOAD, MX_TASKS_TAIL, out);
	return mx_tasks_next(tasks, de->stack, MX_TASK_LOAD, MX_TASKS_TAIL,
			     out) ||
	       mx_tasks_next(tasks, de->stack, MX_TASK_EXEC, MX_TASKS_TAIL,
			     out);
}

static int pick_frugal(void *own, struct mx_tasks *tasks, struct mx_task *out)
{
	struct deepeye *de = own;

	if (!mx_tasks_busy(tasks, MX_TASKS_HEAD) && pick_head(tasks, out))
		return 1;
	if (mx_tasks_busy(tasks, MX_TASKS_TAIL) || !pick_stack(de, tasks, out))
		return 0;
	de->stack = out->job;
	return 1;
}

static void ended(void *own, const struct mx_board_job *job)
{
	struct deepeye *de = own;

	if (de->stack == job)
		de->stack = NULL;
}

static const struct mx_tasks_rules deepeye_rules = {
	.order = MX_TASKS_SPLIT,
	.workers = 2,
	.split = split,
	.pick = pick_deepeye,
};

static const struct mx_tasks_rules frugal_rules = {
	.order = MX_TASKS_SPLIT,
	.workers = 2,
	.split = split,
	.own_bytes = sizeof(struct deepeye),
	.ended = ended,
	.pick = pick_frugal,
};

static int deepeye_init(void **state, const struct mx_board *board,
			struct mx_err *err)
{
	return mx_tasks_new(state, &deepeye_rules, board, err);
}

static int frugal_init(void **state, const struct mx_board *board,
		       struct mx_err *err)
{
	return mx_tasks_new(state, &frugal_rules, board, err);
}

const struct mx_policy mx_policy_deepeye = {
	.name = "deepeye",
	.summary = "two workers: convolutional layers of all networks on one, "
		   "fully connected ones on the other",
	.traits = MX_POLICY_DROPS,
	.workers = 2,
	.init = deepeye_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};

const struct mx_policy mx_policy_deepeye_frugal = {
	.name = "deepeye-frugal",
	.summary = "as deepeye, with the fully connected layers of one network "
		   "at a time",
	.traits = MX_POLICY_DROPS,
	.workers = 2,
	.init = frugal_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};
