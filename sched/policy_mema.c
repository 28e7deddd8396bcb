/*
 * mema, after Galjaard et al., "MemA: Fast Inference of Multiple Deep Models",
 * PerCom Workshops 2021. Only its outline is public; what it leaves open is
 * filled in here.
 *
 * Memory is counted by layers. A free worker takes, of the tasks of all
 * admitted jobs, the first of these that there is:
 *
 *   1. an INIT of the arrival that is being served (the oldest job's), if the
 *      activations and the weights of the first layer fit in what is free
 *   2. while an EXEC and no LOAD is being done: the LOAD that is bound by I/O
 *      the most (reading less computing of its layer), of those whose weights
 *      fit in what is free
 *   3. the EXEC that frees most: the weights that it uses last, and the
 *      activations that are not needed after it
 *   4. a LOAD as in 2
 *   5. an INIT as in 1, of the next arrival
 *   6. when no task is being done: the LOAD or the INIT that came first,
 *      whether it fits or not; the least recently used goes
 *
 * Free is what no unit and no activation has, less what LOADs being done have
 * still to read. At most MOST_JOBS are admitted, so that a choice takes a
 * bounded time.
 */
#include "sched/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "pager/residency.h"
#include "sched/tasks.h"

#define MOST_JOBS 32

struct mema {
	const struct mx_board_net *nets;
	uint64_t **freed_bytes; /* by network, by layer: when it is done */
	uint64_t *freed; /* of all networks */
};

/* ---- what a layer frees ---- */

static void find_freed(const struct mx_board_net *net, uint64_t *freed)
{
	const struct mx_board_layer *layer;
	uint64_t after;
	uint32_t i;

	for (i = 0; i < net->layer_count; i++) {
		layer = &net->layers[i];
		after = i + 1 < net->layer_count ? layer[1].arena_bytes : 0;
		freed[i] = layer->arena_bytes - after;
	}
	for (i = 0; i < net->step_count; i++)
		if (net->steps[i].last_of_unit)
			freed[net->steps[i].layer] +=
				net->units[net->steps[i].unit].size_bytes;
}

static int mema_begin(void *own, const struct mx_board *board)
{
	const struct mx_board_opts *opts = mx_board_opts_of(board);
	struct mema *mema = own;
	size_t layers = 0;
	uint32_t i;

	mema->nets = opts->nets;
	for (i = 0; i < opts->net_count; i++)
		layers += opts->nets[i].layer_count;
	mema->freed_bytes =
		calloc((size_t)opts->net_count + 1, sizeof(*mema->freed_bytes));
	mema->freed = calloc(layers + 1, sizeof(*mema->freed));
	if (!mema->freed_bytes || !mema->freed)
		return -ENOMEM;
	layers = 0;
	for (i = 0; i < opts->net_count; i++) {
		mema->freed_bytes[i] = mema->freed + layers;
		find_freed(&opts->nets[i], mema->freed_bytes[i]);
		layers += opts->nets[i].layer_count;
	}
	return 0;
}

static void fini(void *own)
{
	struct mema *mema = own;

	free(mema->freed_bytes);
	free(mema->freed);
}

/* ---- choices ---- */

static uint64_t free_bytes(const struct mx_tasks *tasks)
{
	const uint64_t unread = mx_tasks_unread_bytes(tasks);
	struct mx_residency_totals totals;
	uint64_t used;

	mx_residency_totals(mx_board_residency(mx_tasks_board(tasks)), &totals);
	if (totals.capacity_bytes == MX_RESIDENCY_UNLIMITED)
		return UINT64_MAX;
	used = totals.pinned_bytes + totals.unit_bytes + totals.arena_bytes +
	       unread + totals.largest_unit_bytes;
	return used < totals.capacity_bytes ? totals.capacity_bytes - used : 0;
}

static int64_t io_bound_ns(const struct mx_board_layer *layer)
{
	return (int64_t)layer->read_ns - (int64_t)layer->ns;
}

/* 2 and 4: ties go to who was admitted first. */
static int pick_load(const struct mema *mema, struct mx_tasks *tasks,
		     uint64_t room_bytes, struct mx_task *out)
{
	const struct mx_board_layer *layer;
	const struct mx_board_job *job;
	struct mx_task task;
	int64_t best = 0;
	int found = 0;

	for (job = mx_board_running(mx_tasks_board(tasks)); job;
	     job = job->next) {
		if (!mx_tasks_next(tasks, job, MX_TASK_LOAD, MX_TASKS_HEAD,
				   &task))
			continue;
		layer = &mema->nets[job->net].layers[task.layer];
		if (layer->weight_bytes > room_bytes ||
		    (found && io_bound_ns(layer) <= best))
			continue;
		best = io_bound_ns(layer);
		*out = task;
		found = 1;
	}
	return found;
}

static int pick_exec(const struct mema *mema, struct mx_tasks *tasks,
		     struct mx_task *out)
{
	const struct mx_board_job *job;
	struct mx_task task;
	uint64_t best = 0;
	uint64_t freed;
	int found = 0;

	for (job = mx_board_running(mx_tasks_board(tasks)); job;
	     job = job->next) {
		if (!mx_tasks_next(tasks, job, MX_TASK_EXEC, MX_TASKS_HEAD,
				   &task))
			continue;
		freed = mema->freed_bytes[job->net][task.layer];
		if (found && freed <= best)
			continue;
		best = freed;
		*out = task;
		found = 1;
	}
	return found;
}

/* 1 and 5. */
static int pick_init(const struct mema *mema, struct mx_tasks *tasks,
		     uint64_t room_bytes, struct mx_task *out)
{
	const struct mx_board_net *net;

	if (mx_board_running_count(mx_tasks_board(tasks)) >= MOST_JOBS ||
	    !mx_tasks_first(tasks, MX_TASK_INIT, MX_TASKS_HEAD, out))
		return 0;
	net = &mema->nets[out->job->net];
	return net->arena_bytes <= room_bytes &&
	       net->layers[0].weight_bytes <= room_bytes - net->arena_bytes;
}

static int is_served(const struct mx_tasks *tasks,
		     const struct mx_board_job *job)
{
	const struct mx_board_job *oldest =
		mx_board_running(mx_tasks_board(tasks));

	return oldest && oldest->arrival == job->arrival;
}

static int pick(void *own, struct mx_tasks *tasks, struct mx_task *out)
{
	const struct mema *mema = own;
	const uint64_t room_bytes = free_bytes(tasks);
	uint32_t execs = 0, loads = 0;
	struct mx_task init;
	uint32_t i;

	for (i = 0; i < mx_tasks_count(tasks); i++) {
		execs += mx_tasks_at(tasks, i)->kind == MX_TASK_EXEC;
		loads += mx_tasks_at(tasks, i)->kind == MX_TASK_LOAD;
	}
	if (pick_init(mema, tasks, room_bytes, &init) &&
	    is_served(tasks, init.job)) {
		*out = init;
		return 1;
	}
	if (execs > 0 && loads == 0 && pick_load(mema, tasks, room_bytes, out))
		return 1;
	if (pick_exec(mema, tasks, out) ||
	    pick_load(mema, tasks, room_bytes, out) ||
	    pick_init(mema, tasks, room_bytes, out))
		return 1;
	if (mx_tasks_count(tasks) > 0)
		return 0;
	return mx_tasks_first(tasks, MX_TASK_LOAD, MX_TASKS_HEAD, out) ||
	       mx_tasks_first(tasks, MX_TASK_INIT, MX_TASKS_HEAD, out);
}

static const struct mx_tasks_rules rules = {
	.order = MX_TASKS_FREE,
	.own_bytes = sizeof(struct mema),
	.init = mema_begin,
	.fini = fini,
	.pick = pick,
};

static int mema_init(void **state, const struct mx_board *board,
		     struct mx_err *err)
{
	return mx_tasks_new(state, &rules, board, err);
}

const struct mx_policy mx_policy_mema = {
	.name = "mema",
	.summary = "layer tasks of all networks: what frees most, loads only "
		   "what fits",
	.traits = MX_POLICY_DROPS,
	.workers = 2,
	.init = mema_init,
	.fini = mx_tasks_free,
	.event = mx_tasks_event,
	.next_help = mx_tasks_next_help,
	.next_load = mx_tasks_next_load,
	.next_use = mx_tasks_next_use,
	.recent_use = MX_TASKS_RECENT_USE,
};
