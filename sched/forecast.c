/*
 * Virtual time goes from event to event: a read has come, or the processor has
 * finished a step. After each, reads are started as the pager would, and then
 * the processor takes a step as the engine's workers would.
 *
 * Invariants between events:
 *
 *  (1) reads[0 .. in_flight) are in the order in which they will come: the
 *      storage is one channel.
 *  (2) ring_used is the bytes of units that are not pinned and not ABSENT.
 *  (3) A unit that is LOADING or RESIDENT and not pinned is in its job's
 * window: the units from what the job has computed up to next_unit. (A plan has
 *      a network once, so that no two jobs share a unit.)
 */
#include "sched/forecast.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/pager.h"
#include "pager/reader.h"
#include "pager/slab.h"
#include "pager/units.h"
#include "sched/cost.h"
#include "sched/plan.h"

#define NS_PER_S 1e9
#define NEVER UINT64_MAX

enum unit_state { ABSENT, LOADING, RESIDENT };

struct unit {
	uint64_t size_bytes;
	uint64_t transfer_ns; /* on the storage */
	enum unit_state state;
	int pinned;
};

/* What the processor does at once: a slice's part of its layer, or a layer
 * without weights. */
struct step {
	uint64_t ns;
	uint32_t unit; /* MX_NONE: none */
	int last; /* of that unit */
};

enum job_state { WAITING, RUNNING, DONE };

/* A network and, each pass, its job. */
struct job {
	struct unit *unit;
	uint32_t unit_count;
	struct step *step;
	uint32_t step_count;
	uint64_t latency_ns;
	uint64_t activation_bytes;

	enum job_state state;
	struct job *next_run; /* the pager's list of runs: the last begun */
	uint32_t next_step;
	uint32_t next_unit; /* the first that is not in the window */
	uint64_t ahead_bytes; /* of the window */
	uint64_t stall_since_ns; /* NEVER: it does not wait */
	struct mx_forecast_net times;
};

struct read {
	struct job *job;
	uint32_t unit;
	uint64_t done_ns;
};

struct sim {
	const struct mx_plan *plan;
	struct job *jobs; /* by arrival */
	uint32_t job_count;
	struct job *runs;
	uint64_t now_ns;
	uint64_t ring_bytes;
	uint64_t ring_used;
	uint64_t activation_bytes;
	uint64_t activation_used;
	uint64_t channel_free_ns; /* the storage has nothing to do from then */
	struct read reads[MX_READS_MAX];
	uint32_t in_flight;
	uint32_t depth;
	struct job *computing; /* its next_step; NULL: the processor is free */
	uint64_t computed_ns; /* when that is done */
};

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The job, of those that want more, that is least ahead. */
static struct job *hungriest(const struct sim *sim)
{
	struct job *best = NULL;
	struct job *job;

	for (job = sim->runs; job; job = job->next_run)
		if (job->next_unit < job->unit_count &&
		    (!best || job->ahead_bytes < best->ahead_bytes))
			best = job;
	return best;
}

/* Returns 0 when there is no room. */
static int load(struct sim *sim, struct job *job)
{
	struct unit *unit = &job->unit[job->next_unit];
	struct read *read = &sim->reads[sim->in_flight];

	if (!unit->pinned) {
		if (unit->size_bytes > sim->ring_bytes - sim->ring_used)
			return 0;
		sim->ring_used += unit->size_bytes;
	}
	unit->state = LOADING;
	job->times.read_bytes += unit->size_bytes;
	read->job = job;
	read->unit = job->next_unit;
	read->done_ns =
		max_u64(sim->channel_free_ns, sim->now_ns + job->latency_ns) +
		unit->transfer_ns;
	sim->channel_free_ns = read->done_ns;
	sim->in_flight++;
	return 1;
}

/* Start what reads can be started. */
static void pump(struct sim *sim)
{
	struct job *job;

	while (sim->in_flight < sim->depth && (job = hungriest(sim)) != NULL) {
		const struct unit *unit = &job->unit[job->next_unit];

		if (unit->state == ABSENT && !load(sim, job))
			break;
		job->ahead_bytes += unit->size_bytes;
		job->next_unit++;
	}
}

/* The first read in flight has come. */
static void finish_read(struct sim *sim)
{
	const struct read *read = &sim->reads[0];

	read->job->unit[read->unit].state = RESIDENT;
	sim->in_flight--;
	memmove(sim->reads, sim->reads + 1,
		sim->in_flight * sizeof(sim->reads[0]));
}

static void leave_runs(struct sim *sim, struct job *job)
{
	struct job **at = &sim->runs;

	while (*at != job)
		at = &(*at)->next_run;
	*at = job->next_run;
}

/* The processor has done its step. */
static void finish_step(struct sim *sim)
{
	struct job *job = sim->computing;
	const struct step *step = &job->step[job->next_step++];

	sim->computing = NULL;
	if (step->last) {
		struct unit *unit = &job->unit[step->unit];

		job->ahead_bytes -= unit->size_bytes;
		if (!unit->pinned) {
			unit->state = ABSENT;
			sim->ring_used -= unit->size_bytes;
		}
	}
	if (job->next_step < job->step_count)
		return;
	job->state = DONE;
	job->times.finish_ns = sim->now_ns;
	sim->activation_used -= job->activation_bytes;
	leave_runs(sim, job);
}

static void admit(struct sim *sim, struct job *job)
{
	if (job->state != WAITING ||
	    job->activation_bytes >
		    sim->activation_bytes - sim->activation_used)
		return;
	sim->activation_used += job->activation_bytes;
	job->state = RUNNING;
	job->times.start_ns = sim->now_ns;
	job->next_run = sim->runs;
	sim->runs = job;
	while (job->next_unit < job->unit_count &&
	       job->unit[job->next_unit].state == RESIDENT)
		job->ahead_bytes += job->unit[job->next_unit++].size_bytes;
}

/* Is what the job needs next there? */
static int can_go_on(struct sim *sim, struct job *job)
{
	const struct step *step = &job->step[job->next_step];

	if (step->unit == MX_NONE || job->unit[step->unit].state == RESIDENT)
		return 1;
	if (job->stall_since_ns == NEVER)
		job->stall_since_ns = sim->now_ns;
	return 0;
}

/*
 * The free processor takes the next step of the oldest job that has one. A
 * lone worker comes to a later job only when it can do nothing for those
 * before; of several one soon does, at the end of a layer at the latest.
 */
static void take(struct sim *sim)
{
	const int several = sim->plan->opts.threads > 1;
	struct job *found = NULL;
	uint32_t i;

	for (i = 0; i < sim->job_count && (!found || several); i++) {
		struct job *job = &sim->jobs[i];

		admit(sim, job);
		if (!found && job->state == RUNNING && can_go_on(sim, job))
			found = job;
	}
	if (!found)
		return;
	if (found->stall_since_ns != NEVER)
		found->times.stall_ns += sim->now_ns - found->stall_since_ns;
	found->stall_since_ns = NEVER;
	sim->computing = found;
	sim->computed_ns = sim->now_ns + found->step[found->next_step].ns;
	found->times.compute_ns += found->step[found->next_step].ns;
}

/* All jobs once. Returns 0, or -EDQUOT if they get stuck. */
static int run_pass(struct sim *sim)
{
	uint32_t i;

	sim->now_ns = 0;
	sim->channel_free_ns = 0;
	for (i = 0; i < sim->job_count; i++) {
		struct job *job = &sim->jobs[i];

		memset(&job->times, 0, sizeof(job->times));
		job->state = job->step_count ? WAITING : DONE;
		job->next_step = 0;
		job->next_unit = 0;
		job->stall_since_ns = NEVER;
	}
	for (;;) {
		uint64_t read_ns = NEVER;
		uint64_t step_ns = NEVER;

		if (!sim->computing)
			take(sim);
		pump(sim);
		if (sim->in_flight)
			read_ns = sim->reads[0].done_ns;
		if (sim->computing)
			step_ns = sim->computed_ns;
		if (read_ns == NEVER && step_ns == NEVER)
			break;
		sim->now_ns = read_ns < step_ns ? read_ns : step_ns;
		if (read_ns == sim->now_ns)
			finish_read(sim);
		if (step_ns == sim->now_ns)
			finish_step(sim);
	}
	for (i = 0; i < sim->job_count; i++)
		if (sim->jobs[i].state != DONE)
			return -EDQUOT;
	return 0;
}

/* @whole * @part / @parts, without an overflow between. */
static uint64_t share(uint64_t whole, uint64_t part, uint64_t parts)
{
	return whole / parts * part + whole % parts * part / parts;
}

static void add_step(struct job *job, uint64_t ns, uint32_t unit)
{
	job->step[job->step_count++] = (struct step){
		.ns = ns,
		.unit = unit,
	};
}

static void make_steps(struct job *job, const struct mx_cost_net *cost,
		       const struct mx_units *units)
{
	const struct mx_network *net = cost->net;
	uint32_t i, k;

	for (i = 0; i < net->layer_count; i++) {
		const struct mx_layer *layer = &net->layers[i];
		const uint64_t ns = cost->layer_ns[i];

		if (layer->slice_count == 0)
			add_step(job, ns, MX_NONE);
		for (k = 0; k < layer->slice_count; k++) {
			const uint32_t s = layer->first_slice + k;
			const struct mx_slice *slice = &net->slices[s];
			const uint64_t first = slice->first_block;
			const uint64_t end = first + slice->block_count;

			/* So that the shares add up to the whole. */
			add_step(job,
				 share(ns, end, layer->block_count) -
					 share(ns, first, layer->block_count),
				 units->of_slice[s]);
			if (s + 1 == net->slice_count ||
			    units->of_slice[s + 1] != units->of_slice[s])
				job->step[job->step_count - 1].last = 1;
		}
	}
}

static int is_pinned(const struct mx_plan_net *planned,
		     const struct mx_unit *where)
{
	uint32_t i;

	for (i = 0; i < where->slice_count; i++)
		if (planned->pinned[where->first_slice + i])
			return 1;
	return 0;
}

static void make_units(struct sim *sim, struct job *job,
		       const struct mx_plan_net *planned,
		       const struct mx_cost_net *cost,
		       const struct mx_units *units, int warm)
{
	uint32_t i;

	job->unit_count = units->count;
	for (i = 0; i < units->count; i++) {
		const struct mx_unit *where = &units->unit[i];
		struct unit *unit = &job->unit[i];

		unit->size_bytes = where->size_bytes;
		unit->transfer_ns =
			(uint64_t)((double)where->size_bytes * NS_PER_S /
				   (double)cost->storage.read_bytes_per_s);
		unit->pinned =
			!sim->plan->streaming || is_pinned(planned, where);
		if (sim->plan->streaming && unit->pinned)
			sim->ring_bytes -= unit->size_bytes;
		if (!sim->plan->streaming && warm)
			unit->state = RESIDENT;
	}
}

static int make_job(struct sim *sim, uint32_t index,
		    const struct mx_cost_net *cost, int warm,
		    struct mx_err *err)
{
	const struct mx_plan_net *planned = &sim->plan->nets[index];
	const struct mx_network *net = cost->net;
	struct job *job = &sim->jobs[index];
	struct mx_units units;
	int rc;

	assert(planned->net == net);
	rc = mx_units_init(&units, net, err);
	if (rc)
		return rc;
	job->latency_ns = cost->storage.latency_ns;
	job->activation_bytes = mx_size_round_up(
		mx_size_max(planned->activation_bytes, 1), MX_SLAB_UNIT_BYTES);
	job->unit = calloc((size_t)units.count + 1, sizeof(*job->unit));
	job->step = calloc((size_t)net->layer_count + net->slice_count + 1,
			   sizeof(*job->step));
	if (!job->unit || !job->step) {
		rc = mx_fail(err, ENOMEM, "%s: no memory for a forecast",
			     net->name);
	} else {
		make_units(sim, job, planned, cost, &units, warm);
		make_steps(job, cost, &units);
	}
	mx_units_fini(&units);
	return rc;
}

static int sim_init(struct sim *sim, const struct mx_plan *plan,
		    const struct mx_costs *costs,
		    const struct mx_forecast_opts *opts, struct mx_err *err)
{
	uint32_t i;
	int rc = 0;

	assert(costs->net_count == plan->net_count);
	sim->plan = plan;
	sim->depth = opts->depth ? opts->depth : MX_PAGER_DEPTH_DEFAULT;
	assert(sim->depth <= MX_READS_MAX);
	sim->ring_bytes = plan->streaming ? plan->weights_bytes : NEVER;
	sim->activation_bytes = NEVER;
	if (plan->streaming)
		sim->activation_bytes = mx_size_round_up(plan->activation_bytes,
							 MX_SLAB_UNIT_BYTES);
	sim->jobs = calloc((size_t)plan->net_count + 1, sizeof(*sim->jobs));
	if (!sim->jobs)
		return mx_fail(err, ENOMEM, "no memory for a forecast");
	sim->job_count = plan->net_count;
	for (i = 0; i < plan->net_count && !rc; i++)
		rc = make_job(sim, i, &costs->nets[i],
			      opts->flags & MX_FORECAST_WARM, err);
	return rc;
}

static void sim_fini(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->job_count; i++) {
		free(sim->jobs[i].unit);
		free(sim->jobs[i].step);
	}
	free(sim->jobs);
}

/* One pass's bounds, from what is in memory now. */
static void add_bounds(struct mx_forecast *forecast, const struct sim *sim,
		       uint64_t times)
{
	uint64_t compute_ns = 0;
	uint64_t read_ns = 0;
	uint32_t i, k;

	for (i = 0; i < sim->job_count; i++) {
		const struct job *job = &sim->jobs[i];

		for (k = 0; k < job->step_count; k++)
			compute_ns += job->step[k].ns;
		for (k = 0; k < job->unit_count; k++)
			if (job->unit[k].state == ABSENT)
				read_ns += job->unit[k].transfer_ns;
	}
	forecast->compute_bound_ns += times * compute_ns;
	forecast->read_bound_ns += times * read_ns;
	forecast->lower_bound_ns += times * max_u64(compute_ns, read_ns);
}

static int add_pass(struct mx_forecast *forecast, struct sim *sim,
		    uint64_t times, struct mx_err *err)
{
	uint32_t i;
	int rc;

	add_bounds(forecast, sim, times);
	rc = run_pass(sim);
	if (rc)
		return mx_fail(err, -rc,
			       "the plan's memory does not hold a job and its "
			       "largest slice");
	forecast->makespan_ns += times * sim->now_ns;
	for (i = 0; i < sim->job_count; i++)
		forecast->read_bytes += times * sim->jobs[i].times.read_bytes;
	return 0;
}

int mx_forecast_init(struct mx_forecast *forecast, const struct mx_plan *plan,
		     const struct mx_costs *costs,
		     const struct mx_forecast_opts *opts, struct mx_err *err)
{
	uint32_t passes = opts->passes ? opts->passes : plan->opts.passes;
	struct sim sim = {0};
	uint32_t i;
	int rc;

	memset(forecast, 0, sizeof(*forecast));
	if (!plan->feasible)
		return mx_plan_refuse(plan, err);
	rc = sim_init(&sim, plan, costs, opts, err);
	if (rc)
		goto done;
	forecast->nets =
		calloc((size_t)plan->net_count + 1, sizeof(*forecast->nets));
	if (!forecast->nets) {
		rc = mx_fail(err, ENOMEM, "no memory for a forecast");
		goto done;
	}
	forecast->net_count = plan->net_count;
	rc = add_pass(forecast, &sim, 1, err);
	if (rc)
		goto done;
	forecast->first_pass_ns = sim.now_ns;
	for (i = 0; i < plan->net_count; i++)
		forecast->nets[i] = sim.jobs[i].times;
	/* After the first, a pass leaves memory as it found it: all that
	 * follow are alike. */
	if (passes > 1) {
		rc = add_pass(forecast, &sim, passes - 1, err);
		forecast->later_pass_ns = sim.now_ns;
	}

done:
	sim_fini(&sim);
	if (rc)
		mx_forecast_fini(forecast);
	return rc;
}

void mx_forecast_fini(struct mx_forecast *forecast)
{
	free(forecast->nets);
	memset(forecast, 0, sizeof(*forecast));
}
