/*
 * Rollouts are made where there are few jobs with few steps left, nobody is
 * overdue, and a step takes so long that some tens of them played forward are
 * nothing against it: at most a hundredth.
 */
#include "sched/foresight_impl.h"

#include <string.h>

#define STEPS_MAX 40
/* Playing one step in a rollout, and how many rollouts a decision makes. */
#define PLAY_NS 200
#define ROLLOUTS 30
#define COST_SHARE 100

static void note_busy(struct mx_foresight *fs, const struct mx_board_job *job,
		      uint64_t end_ns)
{
	uint32_t i;

	for (i = 0; i < MX_ROLLOUT_JOBS && fs->busy[i]; i++)
		;
	if (i == MX_ROLLOUT_JOBS)
		return;
	fs->busy[i] = job;
	fs->busy_end_ns[i] = end_ns;
}

static void forget_busy(struct mx_foresight *fs, const struct mx_board_job *job)
{
	uint32_t i, k;

	for (i = 0, k = 0; i < MX_ROLLOUT_JOBS; i++) {
		if (fs->busy[i] == job)
			continue;
		fs->busy[k] = fs->busy[i];
		fs->busy_end_ns[k++] = fs->busy_end_ns[i];
	}
	while (k < MX_ROLLOUT_JOBS)
		fs->busy[k++] = NULL;
}

void mx_trial_event(struct mx_foresight *fs, const struct mx_board_event *event)
{
	const struct mx_board_job *job = event->job;
	const struct mx_board_net *net;

	if (event->kind == MX_EVENT_LOAD) {
		net = fs->nets[event->unit.net].net;
		if (fs->reads_end_ns < event->now_ns + net->latency_ns)
			fs->reads_end_ns = event->now_ns + net->latency_ns;
		fs->reads_end_ns += net->units[event->unit.unit].read_ns;
	} else if (event->kind == MX_EVENT_STEP_TAKEN) {
		net = fs->nets[job->net].net;
		note_busy(fs, job, event->now_ns + net->steps[event->step].ns);
	} else if (event->kind == MX_EVENT_STEP_DONE ||
		   event->kind == MX_EVENT_ENDED) {
		forget_busy(fs, job);
	}
}

static uint64_t left_ns(uint64_t end_ns, uint64_t now_ns)
{
	return end_ns > now_ns ? end_ns - now_ns : 1;
}

static int add_net(struct mx_trial *trial, const struct mx_foresight *fs,
		   uint32_t index, uint32_t *out)
{
	struct mx_rollout *r = &trial->rollout;
	const struct mx_board_net *net = fs->nets[index].net;
	uint32_t first = 0;
	uint32_t i;

	for (i = 0; i < r->net_count; i++) {
		if (r->nets[i] == net) {
			*out = i;
			return 1;
		}
		first = r->first_unit[i] + r->nets[i]->unit_count;
	}
	if (first + net->unit_count > MX_ROLLOUT_UNITS)
		return 0;
	r->nets[r->net_count] = net;
	r->first_unit[r->net_count] = first;
	for (i = 0; i < net->unit_count; i++) {
		const enum mx_unit_state state =
			mx_residency_state(mx_board_residency(fs->board),
					   mx_wave_ref(&fs->nets[index], i));

		r->state[first + i] = (uint8_t)state;
		if (state == MX_UNIT_FAILED)
			return 0;
		if (net->units[i].size_bytes > r->largest_unit_bytes)
			r->largest_unit_bytes = net->units[i].size_bytes;
	}
	*out = r->net_count++;
	return 1;
}

static int add_job(struct mx_trial *trial, const struct mx_foresight *fs,
		   struct mx_board_job *job)
{
	struct mx_rollout *r = &trial->rollout;
	struct mx_rollout_job *one = &r->jobs[r->job_count];
	uint32_t i;

	if (r->job_count == MX_ROLLOUT_JOBS ||
	    !add_net(trial, fs, job->net, &one->net))
		return 0;
	one->next_step = job->next_step;
	one->admitted = job->state == MX_JOB_RUNNING;
	one->arena_bytes = job->arena_bytes;
	for (i = 0; i < MX_ROLLOUT_JOBS && fs->busy[i]; i++)
		if (fs->busy[i] == job)
			one->busy_ns = left_ns(fs->busy_end_ns[i],
					       mx_board_now(fs->board));
	trial->jobs[r->job_count++] = job;
	return 1;
}

/* Nobody to be before or after, and room for all it needs, or too much to try
 * out. */
static int is_alone(const struct mx_foresight *fs)
{
	const struct mx_wave *wave = fs->order_count ? fs->order[0] : NULL;
	const struct mx_board_net *net;

	if (fs->order_count > 1)
		return 0;
	if (!wave || !wave->net)
		return 1;
	net = wave->net->net;
	/* Where several steps of a layer are computed at once, a rollout does
	 * not know what is needed next well enough to skip a unit for it. */
	return wave->jobs < 2 &&
	       (mx_board_opts_of(fs->board)->steps_at_once != 1 ||
		net->step_count > STEPS_MAX ||
		net->weight_bytes + net->arena_bytes <= fs->memory_bytes);
}

/* The waves' jobs in the order of their ranks. */
static int add_jobs(struct mx_trial *trial, const struct mx_foresight *fs)
{
	struct mx_board_job *job;
	uint32_t i;

	for (i = 0; i < fs->order_count; i++) {
		const struct mx_wave *wave = fs->order[i];

		if (!wave->net)
			continue;
		if (wave == &wave->net->waves[MX_WAVE_PENDING]) {
			job = mx_board_waiting(fs->board, wave->net->index);
			for (; job; job = job->next)
				if (!add_job(trial, fs, job))
					return 0;
			continue;
		}
		for (job = mx_board_running(fs->board); job; job = job->next)
			if (mx_wave_of(job) == wave && !add_job(trial, fs, job))
				return 0;
	}
	return trial->rollout.job_count > 0;
}

/* Is a decision cheap against a step? */
static int is_cheap(const struct mx_rollout *r)
{
	uint64_t left = 0;
	uint64_t steps = 0;
	uint32_t i, k;

	for (i = 0; i < r->job_count; i++) {
		const struct mx_rollout_job *job = &r->jobs[i];
		const struct mx_board_net *net = r->nets[job->net];

		for (k = job->next_step; k < net->step_count; k++) {
			left += net->steps[k].ns;
			if (net->steps[k].last_of_unit)
				left += net->units[net->steps[k].unit].read_ns;
			steps++;
		}
	}
	return steps && steps <= STEPS_MAX &&
	       left / steps / COST_SHARE >= steps * PLAY_NS * ROLLOUTS / 10;
}

int mx_trial_init(struct mx_trial *trial, const struct mx_foresight *fs)
{
	struct mx_rollout *r = &trial->rollout;
	uint64_t now_ns = mx_board_now(fs->board);
	uint32_t i;

	if (is_alone(fs) || fs->order_count > MX_ROLLOUT_JOBS ||
	    fs->any_overdue)
		return 0;
	memset(trial, 0, sizeof(*trial));
	r->capacity_bytes = fs->memory_bytes;
	r->processors = mx_board_opts_of(fs->board)->processors;
	if (r->processors == 0)
		r->processors = 1;
	if (!add_jobs(trial, fs) || !is_cheap(r))
		return 0;
	for (i = 0; i < MX_ROLLOUT_UNITS; i++)
		if (r->state[i] == MX_UNIT_LOADING)
			r->load_ns = left_ns(fs->reads_end_ns, now_ns);
	for (i = 0; i < r->job_count; i++)
		trial->order[i] = (uint8_t)i;
	mx_rollout_order(r, trial->order);
	return 1;
}

int mx_trial_can_wait(const struct mx_trial *trial)
{
	uint32_t i;

	if (trial->rollout.load_ns)
		return 1;
	for (i = 0; i < trial->rollout.job_count; i++)
		if (trial->rollout.jobs[i].busy_ns)
			return 1;
	return 0;
}
