/*
 * Virtual time goes from event to event: an arrival is due, a read has come, a
 * processor has finished a step. After all events of a moment, free processors
 * take what the board has for them, and then reads are started.
 *
 * Invariants between events:
 *
 *  (1) reads[] from first_read on, in_flight of them, are in the order in which
 *      they will come: the storage is one channel.
 *  (2) busy[0 .. busy_count) are the processors at work, by the end of their
 *      steps; of equal ones the first to begin is first.
 *  (3) ended[] has the board's jobs that have ended and of which the director
 *      has not been told.
 *
 * Stalls: idle_ns is how long there has been a free processor, up to now. A job
 * that is let go while its next unit is missing notes it, and adds what has
 * come since when it is taken up again.
 */
#include "sched/simulate.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "pager/pager.h"
#include "pager/reader.h"
#include "pager/residency.h"
#include "sched/policy.h"
#include "sched/script.h"

#define NEVER MX_TIME_NEVER

struct sim_job {
	struct mx_simulated_job *result;
	struct mx_board_job *job;
	struct sim_job *next_ended;
	uint32_t index; /* in its arrival */
	int started;
	uint64_t stalled_idle_ns; /* NEVER: its next unit is there */
};

struct work {
	struct mx_board_job *job;
	uint32_t step;
	uint64_t done_ns;
};

struct read {
	struct mx_unit_ref ref;
	uint64_t done_ns;
};

struct sim {
	const struct mx_simulate_opts *opts;
	struct mx_simulation *out;
	struct mx_board *board;
	struct mx_director *director;
	struct sim_job *jobs; /* as the results */
	uint32_t *first_job; /* of each arrival */
	struct sim_job *ended;
	struct sim_job **last_ended;
	uint64_t now_ns;

	struct work *busy;
	uint32_t busy_count;
	uint32_t processors;
	uint64_t idle_ns;

	struct read reads[MX_READS_MAX];
	uint32_t first_read;
	uint32_t in_flight;
	uint32_t depth;
	uint64_t channel_free_ns; /* the storage has nothing to do from then */
};

static const struct mx_board_net *net_of(const struct sim *sim, uint32_t net)
{
	return &sim->opts->board.nets[net];
}

/* ---- what the director says ---- */

static struct sim_job *job_at(struct sim *sim, uint32_t arrival, uint32_t job)
{
	return &sim->jobs[sim->first_job[arrival] + job];
}

static int submit(void *user, uint32_t arrival, uint32_t job, int held,
		  uint64_t arrival_ns)
{
	struct sim *sim = user;
	struct sim_job *mine = job_at(sim, arrival, job);
	const struct mx_board_arrival how = {
		.net = mine->result->net,
		.arrival = arrival,
		.arrival_ns = arrival_ns,
		.held = held,
		.chance = 1,
		.user = mine,
	};

	mine->result->arrival_ns = arrival_ns;
	mine->job = mx_board_arrive(sim->board, &how, sim->now_ns);
	return mine->job ? 0 : -ENOMEM;
}

static int release(void *user, uint32_t arrival, uint32_t job)
{
	struct sim *sim = user;

	mx_board_release(sim->board, job_at(sim, arrival, job)->job,
			 sim->now_ns);
	return 0;
}

static int cancel(void *user, uint32_t arrival, uint32_t job)
{
	struct sim *sim = user;
	struct mx_board_job *its = job_at(sim, arrival, job)->job;

	/* It may have ended, and wait to be told of. */
	if (its)
		mx_board_cancel(sim->board, its, 0, sim->now_ns);
	return 0;
}

/* ---- the board's events ---- */

static void note_end(struct sim *sim, struct mx_board_job *job)
{
	struct sim_job *mine = job->user;

	mine->result->state = job->state;
	mine->result->finish_ns = sim->now_ns;
	mine->next_ended = NULL;
	*sim->last_ended = mine;
	sim->last_ended = &mine->next_ended;
}

static void observe(void *user, const struct mx_board_event *event)
{
	struct sim *sim = user;

	sim->out->event_count++;
	if (event->kind == MX_EVENT_ENDED)
		note_end(sim, event->job);
	if (sim->opts->board.observer)
		sim->opts->board.observer(sim->opts->board.observer_user,
					  event);
}

/* Tell the director of the jobs that have ended, which may end others. */
static int tell_ended(struct sim *sim)
{
	struct sim_job *mine;
	int rc = 0;

	while (!rc && (mine = sim->ended) != NULL) {
		const struct mx_simulated_job *result = mine->result;

		sim->ended = mine->next_ended;
		if (!sim->ended)
			sim->last_ended = &sim->ended;
		mx_board_forget(sim->board, mine->job);
		mine->job = NULL;
		rc = mx_director_ended(
			sim->director, result->arrival, mine->index,
			result->state != MX_JOB_FINISHED, sim->now_ns);
	}
	return rc;
}

/* ---- reads ---- */

static void start_reads(struct sim *sim)
{
	struct mx_unit_ref ref;

	while (sim->in_flight < sim->depth &&
	       mx_board_load(sim->board, sim->now_ns, &ref)) {
		const struct mx_board_net *net = net_of(sim, ref.net);
		const struct mx_board_unit *unit = &net->units[ref.unit];
		const uint32_t last =
			(sim->first_read + sim->in_flight++) % MX_READS_MAX;

		sim->channel_free_ns =
			mx_u64_max(sim->channel_free_ns,
				   sim->now_ns + net->latency_ns) +
			unit->read_ns;
		sim->reads[last] = (struct read){ref, sim->channel_free_ns};
		sim->out->read_ns += unit->read_ns;
		sim->out->read_bytes += unit->size_bytes;
	}
}

/* The first read in flight has come. */
static void finish_read(struct sim *sim)
{
	const struct read *read = &sim->reads[sim->first_read];

	sim->first_read = (sim->first_read + 1) % MX_READS_MAX;
	sim->in_flight--;
	mx_board_loaded(sim->board, read->ref, 0, sim->now_ns);
}

/* ---- processors ---- */

/* The job is let go: does it wait for a unit? */
static void note_stall(struct sim *sim, struct mx_board_job *job)
{
	struct sim_job *mine = job->user;
	struct mx_unit_ref ref;

	mine->stalled_idle_ns = mx_board_is_missing(sim->board, job, &ref)
					? sim->idle_ns
					: NEVER;
}

static void begin_step(struct sim *sim, struct mx_board_job *job)
{
	struct sim_job *mine = job->user;
	struct mx_simulated_job *result = mine->result;
	const uint32_t step = job->next_step;
	const uint64_t ns = net_of(sim, job->net)->steps[step].ns;
	const uint64_t done_ns = sim->now_ns + ns;
	uint32_t at = sim->busy_count++;

	if (!mine->started)
		result->start_ns = sim->now_ns;
	mine->started = 1;
	if (mine->stalled_idle_ns != NEVER)
		result->stall_ns += sim->idle_ns - mine->stalled_idle_ns;
	result->compute_ns += ns;
	sim->out->compute_ns += ns;
	for (; at > 0 && sim->busy[at - 1].done_ns > done_ns; at--)
		sim->busy[at] = sim->busy[at - 1];
	sim->busy[at] = (struct work){job, step, done_ns};
	mx_board_begin(sim->board, job, sim->now_ns);
	mx_board_taken(sim->board, job);
}

static void start_steps(struct sim *sim)
{
	struct mx_work work;

	while (sim->busy_count < sim->processors) {
		work = mx_board_work(sim->board, sim->now_ns);
		switch (work.kind) {
		case MX_WORK_NONE:
			return;
		case MX_WORK_PREPARE:
			mx_board_prepared(sim->board, work.job, sim->now_ns);
			note_stall(sim, work.job);
			break;
		case MX_WORK_STEP:
			begin_step(sim, work.job);
			break;
		}
	}
}

/* The processor that is done first is done. */
static void finish_step(struct sim *sim)
{
	const struct work done = sim->busy[0];

	sim->busy_count--;
	memmove(sim->busy, sim->busy + 1,
		sim->busy_count * sizeof(sim->busy[0]));
	mx_board_done(sim->board, done.job, done.step, sim->now_ns);
	if (done.job->state == MX_JOB_RUNNING)
		note_stall(sim, done.job);
}

/* ---- time ---- */

static uint64_t next_ns(const struct sim *sim)
{
	uint64_t next = mx_director_due(sim->director);

	if (sim->in_flight && sim->reads[sim->first_read].done_ns < next)
		next = sim->reads[sim->first_read].done_ns;
	if (sim->busy_count && sim->busy[0].done_ns < next)
		next = sim->busy[0].done_ns;
	return next;
}

/* All that happens now. */
static int happen(struct sim *sim)
{
	int rc;

	while (sim->in_flight &&
	       sim->reads[sim->first_read].done_ns == sim->now_ns)
		finish_read(sim);
	while (sim->busy_count && sim->busy[0].done_ns == sim->now_ns)
		finish_step(sim);
	rc = tell_ended(sim);
	if (!rc)
		rc = mx_director_advance(sim->director, sim->now_ns);
	/* The board's jobs may have ended by what the director said. */
	return rc ? rc : tell_ended(sim);
}

static int report_stuck(const struct sim *sim, struct mx_err *err)
{
	uint32_t i;

	for (i = 0; i < sim->out->job_count && !sim->jobs[i].job; i++)
		continue;
	if (i == sim->out->job_count)
		return mx_fail(err, EDEADLK, "the script does not end");
	return mx_fail(err, EDEADLK,
		       "arrival %u: %s: the policy %s does not finish it",
		       sim->out->jobs[i].arrival,
		       net_of(sim, sim->out->jobs[i].net)->name,
		       sim->opts->board.policy->name);
}

/* Time is over. */
static void give_up(struct sim *sim)
{
	uint32_t i;

	sim->out->is_cut = 1;
	for (i = 0; i < sim->out->job_count; i++)
		if (sim->jobs[i].job)
			mx_board_cancel(sim->board, sim->jobs[i].job, 0,
					sim->now_ns);
	while (sim->busy_count) {
		sim->now_ns = sim->busy[0].done_ns;
		finish_step(sim);
	}
}

static int play(struct sim *sim, struct mx_err *err)
{
	const uint64_t until =
		sim->opts->until_ns ? sim->opts->until_ns : NEVER;
	uint64_t next;
	int rc = happen(sim);

	while (!rc && !mx_director_is_over(sim->director)) {
		start_steps(sim);
		start_reads(sim);
		next = next_ns(sim);
		if (next == NEVER)
			return report_stuck(sim, err);
		assert(next >= sim->now_ns);
		if (next > until) {
			sim->now_ns = until;
			give_up(sim);
			break;
		}
		if (sim->busy_count < sim->processors)
			sim->idle_ns += next - sim->now_ns;
		sim->now_ns = next;
		rc = happen(sim);
	}
	if (rc)
		return mx_fail(err, -rc, "no memory for a simulation");
	return 0;
}

/* ---- beginning and end ---- */

static int make_jobs(struct sim *sim, struct mx_err *err)
{
	const struct mx_script *script = sim->opts->script;
	uint32_t count = 0;
	uint32_t i, k;

	sim->first_job =
		calloc((size_t)script->arrival_count + 1, sizeof(uint32_t));
	if (!sim->first_job)
		return -ENOMEM;
	for (i = 0; i < script->arrival_count; i++) {
		sim->first_job[i] = count;
		count += script->arrivals[i].job_count;
	}
	sim->jobs = calloc((size_t)count + 1, sizeof(*sim->jobs));
	sim->out->jobs = calloc((size_t)count + 1, sizeof(*sim->out->jobs));
	if (!sim->jobs || !sim->out->jobs)
		return -ENOMEM;
	sim->out->job_count = count;
	for (i = 0; i < script->arrival_count; i++) {
		for (k = 0; k < script->arrivals[i].job_count; k++) {
			const uint32_t at = sim->first_job[i] + k;
			const uint32_t net = script->arrivals[i].jobs[k].net;

			if (net >= sim->opts->board.net_count)
				return mx_fail(err, EINVAL,
					       "arrival %u: there is no "
					       "network %u",
					       i, net);
			sim->out->jobs[at].net = net;
			sim->out->jobs[at].arrival = i;
			sim->jobs[at].result = &sim->out->jobs[at];
			sim->jobs[at].index = k;
			sim->jobs[at].stalled_idle_ns = NEVER;
		}
	}
	return 0;
}

static void preload(struct sim *sim)
{
	const unsigned char *const *resident = sim->opts->resident;
	struct mx_unit_ref ref;

	for (ref.net = 0; resident && ref.net < sim->opts->board.net_count;
	     ref.net++) {
		const uint32_t count = net_of(sim, ref.net)->unit_count;

		for (ref.unit = 0; resident[ref.net] && ref.unit < count;
		     ref.unit++)
			if (resident[ref.net][ref.unit])
				(void)mx_board_preload(sim->board, ref);
	}
}

/* Virtual bytes move in no time: against reads it is little. */
static void ignore_move(void *user, struct mx_unit_ref ref, uint64_t from,
			uint64_t to, uint64_t bytes)
{
	(void)user;
	(void)ref;
	(void)from;
	(void)to;
	(void)bytes;
}

static int sim_init(struct sim *sim, struct mx_err *err)
{
	static const struct mx_director_ops ops = {submit, release, cancel};
	const struct mx_simulate_opts *opts = sim->opts;
	struct mx_board_opts board = opts->board;
	int rc;

	sim->last_ended = &sim->ended;
	sim->depth = opts->depth ? opts->depth : MX_PAGER_DEPTH_DEFAULT;
	assert(sim->depth <= MX_READS_MAX);
	sim->processors = opts->processors ? opts->processors : 1;
	sim->busy = calloc(sim->processors, sizeof(*sim->busy));
	rc = sim->busy ? make_jobs(sim, err) : -ENOMEM;
	if (rc == -ENOMEM)
		return mx_fail(err, ENOMEM, "no memory for a simulation");
	if (rc)
		return rc;
	rc = mx_director_new(&sim->director, opts->script, &ops, sim, err);
	if (rc)
		return rc;
	board.steps_at_once = 1;
	board.moved = ignore_move;
	board.observer = observe;
	board.observer_user = sim;
	rc = mx_board_new(&sim->board, &board, err);
	if (!rc)
		preload(sim);
	return rc;
}

int mx_simulate(struct mx_simulation *out, const struct mx_simulate_opts *opts,
		struct mx_err *err)
{
	struct sim sim = {.opts = opts, .out = out};
	struct mx_residency_totals totals;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = sim_init(&sim, err);
	if (!rc)
		rc = play(&sim, err);
	if (rc)
		goto done;
	mx_residency_totals(mx_board_residency(sim.board), &totals);
	out->peak_bytes = totals.peak_bytes;
	out->makespan_ns = sim.now_ns;

done:
	mx_board_free(sim.board);
	mx_director_free(sim.director);
	free(sim.busy);
	free(sim.jobs);
	free(sim.first_job);
	if (rc)
		mx_simulation_fini(out);
	return rc;
}

void mx_simulation_fini(struct mx_simulation *simulation)
{
	free(simulation->jobs);
	memset(simulation, 0, sizeof(*simulation));
}
