#include "cli/queue_simulate.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/costs.h"
#include "cli/costs_basis.h"
#include "cli/queue_result.h"
#include "cli/session.h"
#include "cli/session_watch.h"
#include "cli/trace_file.h"
#include "cli/workload.h"
#include "lib/err.h"
#include "lib/network.h"
#include "sched/board_net.h"
#include "sched/memexec.h"
#include "sched/plan.h"
#include "sched/policy.h"
#include "sched/simulate.h"

/* So many reads a simulation may have, about: units are joined until then. */
#define READS_MAX 400000u
/* What a joined unit may have of the memory that streams: of a ring that is
 * made for a few units, or of all there is. */
#define JOIN_SHARE_PINNED 8u
#define JOIN_SHARE 32u

struct ground {
	struct mx_session *session;
	const struct mx_workload *workload;
	const struct mx_queue_simulate_opts *opts;
	struct mx_plan plan;
	struct mx_costs costs;
	struct mx_board_net *nets;
	uint32_t net_count; /* of nets that are made */
	uint64_t job_bytes; /* weights of all jobs' networks */
	struct mx_err *err;
};

/* What run's engine would plan; it is opened to measure its fixed part. */
static int plan_with(struct ground *ground, uint64_t budget_bytes)
{
	struct mx_session *session = ground->session;
	struct mx_engine_opts opts;
	struct mx_engine *engine;
	int rc;

	(void)malloc_trim(0);
	mx_session_engine_opts(session, &opts);
	opts.budget_bytes = budget_bytes;
	rc = mx_engine_open(&engine, &opts, ground->err);
	if (rc)
		return rc;
	rc = mx_session_add(session, engine, ground->err);
	if (!rc)
		rc = mx_engine_plan(engine, &ground->plan, ground->err);
	mx_engine_close(engine);
	return rc;
}

/* Without a budget: no limit where all of it fits the default one. */
static int make_plan(struct ground *ground)
{
	struct mx_session *session = ground->session;
	int rc;

	session->budget_bytes = session->opts.budget_bytes;
	if (!session->budget_bytes) {
		rc = mx_session_default_budget(&session->budget_bytes,
					       ground->err);
		if (!rc)
			rc = plan_with(ground, 0);
		if (rc ||
		    ground->plan.predicted_peak_bytes <= session->budget_bytes)
			return rc;
		mx_plan_fini(&ground->plan);
	}
	rc = plan_with(ground, session->budget_bytes);
	if (!rc && !ground->plan.feasible)
		rc = mx_plan_refuse(&ground->plan, ground->err);
	return rc;
}

/* What jobs read, all in all. */
static void sum_weights(struct ground *ground)
{
	const struct mx_script *script = &ground->workload->script;
	const struct mx_script_arrival *arrival;
	uint32_t i, k;

	for (i = 0; i < script->arrival_count; i++) {
		arrival = &script->arrivals[i];
		for (k = 0; k < arrival->job_count; k++)
			ground->job_bytes +=
				ground->plan.nets[arrival->jobs[k].net]
					.weight_bytes;
	}
}

/* Weights of the networks of which a job has begun, each once. */
static int sum_required(const struct ground *ground,
			const struct mx_simulation *simulation, uint64_t *bytes)
{
	const struct mx_simulated_job *job;
	unsigned char *seen;
	uint32_t i;

	seen = calloc((size_t)ground->plan.net_count + 1, 1);
	if (!seen)
		return mx_fail(ground->err, ENOMEM, "queue: no memory");
	*bytes = 0;
	for (i = 0; i < simulation->job_count; i++) {
		job = &simulation->jobs[i];
		if (seen[job->net] ||
		    (job->state != MX_JOB_FINISHED && !job->compute_ns))
			continue;
		seen[job->net] = 1;
		*bytes += ground->plan.nets[job->net].weight_bytes;
	}
	free(seen);
	return 0;
}

static const struct mx_policy *policy_of(const struct ground *ground)
{
	const char *name = ground->session->opts.policy;

	return mx_policy_find(name ? name : MX_POLICY_DEFAULT);
}

/* Units are the pager's in a short simulation, and larger in a long one, but
 * never so large that the memory streams any differently. */
static uint64_t join_bytes(const struct ground *ground)
{
	const struct mx_plan *plan = &ground->plan;
	const int pins = (policy_of(ground)->traits & MX_POLICY_PINS) != 0;
	const uint64_t wanted = ground->job_bytes / READS_MAX;
	const uint64_t streams = pins ? plan->ring_bytes : plan->weights_bytes;
	const uint64_t most = streams / (pins ? JOIN_SHARE_PINNED : JOIN_SHARE);

	return plan->streaming && wanted > most ? most : wanted;
}

static int make_nets(struct ground *ground)
{
	const uint32_t count = ground->plan.net_count;
	const uint64_t join = join_bytes(ground);
	const struct mx_masa_profile *profiles =
		ground->session->opts.masa_profiles;
	uint32_t i;
	int rc = 0;

	ground->nets = calloc((size_t)count + 1, sizeof(*ground->nets));
	if (!ground->nets)
		return mx_fail(ground->err, ENOMEM, "queue: no memory");
	for (i = 0; !rc && i < count; i++) {
		rc = mx_board_net_init(
			&ground->nets[i], ground->plan.nets[i].net,
			&ground->plan.nets[i], &ground->costs.nets[i], join,
			ground->err);
		if (rc)
			break;
		ground->net_count++;
		if (profiles)
			mx_board_net_set_masa(&ground->nets[i], &profiles[i]);
	}
	return rc;
}

static int make_record(const struct ground *ground,
		       struct mx_queue_result *result)
{
	const uint32_t count = ground->plan.net_count;
	const struct mx_network **networks;
	uint32_t i;
	int rc;

	networks = calloc((size_t)count + 1, sizeof(*networks));
	if (!networks)
		return mx_fail(ground->err, ENOMEM, "queue: no memory");
	for (i = 0; i < count; i++)
		networks[i] = ground->plan.nets[i].net;
	/* One processor is all workers together. */
	rc = mx_record_init(&result->record, networks, count, 1, ground->err);
	free(networks);
	for (i = 0; !rc && i < count; i++)
		rc = mx_record_set_units(&result->record, i, &ground->nets[i],
					 ground->err);
	result->record.simulated = ground->nets;
	return rc;
}

/* What was cancelled when the time was over could not end. */
static enum mx_queue_job_state state_of(const struct ground *ground,
					const struct mx_simulated_job *job)
{
	const uint64_t until_ns = ground->session->opts.timeout_ns;

	if (job->state == MX_JOB_FINISHED)
		return MX_QUEUE_JOB_FINISHED;
	return job->state == MX_JOB_CANCELLED &&
			       (!until_ns || job->finish_ns < until_ns)
		       ? MX_QUEUE_JOB_SKIPPED
		       : MX_QUEUE_JOB_PENDING;
}

static void keep(const struct ground *ground,
		 const struct mx_simulation *simulation,
		 struct mx_queue_result *result)
{
	const struct mx_plan *plan = &ground->plan;
	const struct mx_simulated_job *from;
	struct mx_queue_job *job;
	uint32_t i;

	result->interrupted = simulation->is_cut;
	for (i = 0; i < simulation->job_count; i++) {
		from = &simulation->jobs[i];
		job = &result->jobs[i];
		job->state = state_of(ground, from);
		job->arrival_ns = from->arrival_ns;
		job->start_ns = from->start_ns > from->arrival_ns
					? from->start_ns
					: from->arrival_ns;
		job->finish_ns = from->finish_ns;
		job->compute_ns = from->compute_ns;
		job->stall_ns = from->stall_ns;
	}
	result->usage.read_bytes = simulation->read_bytes;
	result->usage.peak_charge_bytes = plan->predicted_peak_bytes;
	result->usage.peak_anonymous_bytes = plan->predicted_peak_bytes;
	result->usage.budget_bytes = ground->session->budget_bytes;
	result->threads = plan->opts.threads;
	(void)snprintf(result->io, sizeof(result->io), "simulated");
	(void)snprintf(result->wall, sizeof(result->wall), "off");
}

static int write_trace(const struct ground *ground, const char *policy,
		       struct mx_err *err)
{
	const struct mx_plan *plan = &ground->plan;
	const struct mx_trace_page page = {
		.policy = policy,
		.simulated = 1,
		.budget_bytes = ground->session->opts.budget_bytes,
		.base_bytes = plan->predicted_peak_bytes - plan->memory_bytes,
	};

	return mx_session_write_trace(ground->session, &page, err);
}

static int simulate(struct ground *ground, struct mx_queue_result *result)
{
	const struct mx_session_opts *session = &ground->session->opts;
	struct mx_simulate_opts opts = {
		.board =
			{
				.policy = policy_of(ground),
				.workers = session->workers,
				.budget_bytes = ground->session->budget_bytes,
				.memory_bytes = MX_RESIDENCY_UNLIMITED,
				.nets = ground->nets,
				.net_count = ground->plan.net_count,
				.observer = session->observer,
				.observer_user = session->observer_user,
			},
		.script = &ground->workload->script,
		.until_ns = session->timeout_ns,
	};
	struct mx_simulation simulation;
	int rc;

	if (ground->plan.streaming)
		opts.board.memory_bytes = ground->plan.memory_bytes;
	rc = mx_simulate(&simulation, &opts, ground->err);
	if (rc)
		return rc;
	result->policy = opts.board.policy->name;
	keep(ground, &simulation, result);
	rc = sum_required(ground, &simulation,
			  &result->usage.required_read_bytes);
	mx_simulation_fini(&simulation);
	rc = rc ? rc : write_trace(ground, result->policy, ground->err);
	if (!rc && result->interrupted)
		rc = mx_session_say_over(ground->session, -ETIME,
					 mx_queue_result_left(result),
					 ground->err);
	return rc;
}

static int run(struct ground *ground, struct mx_workload *workload,
	       struct mx_queue_result *result)
{
	struct mx_costs_opts costs = {
		.read_bytes_per_s = ground->opts->read_bytes_per_s,
		.log = ground->session->opts.log,
	};
	int rc;

	rc = make_plan(ground);
	if (rc)
		return rc;
	mx_workload_bind(workload, ground->session);
	costs.threads = ground->plan.opts.threads;
	rc = mx_costs_of_session(&ground->costs, ground->session, &costs,
				 ground->err);
	if (!rc) {
		mx_costs_basis_init(&result->basis, &ground->costs,
				    costs.read_bytes_per_s);
		sum_weights(ground);
	}
	rc = rc ? rc : make_nets(ground);
	rc = rc ? rc : make_record(ground, result);
	ground->session->opts.observer = mx_record_event;
	ground->session->opts.observer_user = &result->record;
	if (!rc)
		rc = mx_session_trace(ground->session, ground->nets,
				      ground->err);
	return rc ? rc : simulate(ground, result);
}

int mx_queue_simulate(struct mx_queue_result *result,
		      struct mx_workload *workload, struct mx_session *session,
		      const struct mx_queue_simulate_opts *opts,
		      struct mx_err *err)
{
	struct ground ground = {
		.session = session,
		.workload = workload,
		.opts = opts,
		.err = err,
	};
	int rc;

	result->simulated = 1;
	rc = run(&ground, workload, result);
	result->record.simulated = NULL;
	while (ground.net_count > 0)
		mx_board_net_fini(&ground.nets[--ground.net_count]);
	free(ground.nets);
	mx_costs_fini(&ground.costs);
	mx_plan_fini(&ground.plan);
	return rc;
}
