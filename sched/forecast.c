#include "sched/forecast.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/board.h"
#include "sched/board_net.h"
#include "sched/cost.h"
#include "sched/plan.h"
#include "sched/policy.h"
#include "sched/script.h"
#include "sched/simulate.h"

/* Passes that are simulated: all that follow are taken to be as the last. */
#define PASSES_MAX 4

struct pass {
	int begun;
	uint64_t makespan_ns;
	uint64_t read_bytes;
	uint64_t absent_ns; /* to read all that was not there at its begin */
};

struct player {
	const struct mx_plan *plan;
	struct mx_forecast *forecast;
	struct mx_board_net *nets;
	struct mx_script script;
	struct pass passes[PASSES_MAX];
	uint32_t pass_count;
	/* As it goes on. */
	struct pass *pass;
	uint64_t absent_ns;
};

/* Counts what is read, and what is there. */
static void observe(void *user, const struct mx_board_event *event)
{
	struct player *player = user;
	const struct mx_board_unit *unit = NULL;

	if (!event->job)
		unit = &player->nets[event->unit.net].units[event->unit.unit];
	switch (event->kind) {
	case MX_EVENT_ARRIVED:
		player->pass = &player->passes[event->job->arrival];
		if (!player->pass->begun)
			player->pass->absent_ns = player->absent_ns;
		player->pass->begun = 1;
		break;
	case MX_EVENT_LOAD:
		/* What is there from the beginning comes before any pass. */
		if (!player->pass)
			break;
		player->pass->read_bytes += unit->size_bytes;
		if (player->pass == player->passes)
			player->forecast->nets[event->unit.net].read_bytes +=
				unit->size_bytes;
		break;
	case MX_EVENT_LOADED:
		player->absent_ns -= unit->read_ns;
		break;
	case MX_EVENT_DROPPED:
		player->absent_ns += unit->read_ns;
		break;
	default:
		break;
	}
}

/* Arrivals of all networks, each when the one before has finished. */
static int make_script(struct player *player)
{
	const uint32_t count = player->plan->net_count;
	uint32_t i, k;

	for (i = 0; i < player->pass_count; i++) {
		struct mx_script_arrival *arrival =
			mx_script_add(&player->script, count);

		if (!arrival)
			return -ENOMEM;
		arrival->kind = MX_ARRIVAL_IDLE;
		for (k = 0; k < count; k++)
			arrival->jobs[k].net = k;
	}
	return 0;
}

static int make_nets(struct player *player, const struct mx_costs *costs,
		     struct mx_err *err)
{
	const struct mx_plan *plan = player->plan;
	uint32_t i;
	int rc = 0;

	assert(costs->net_count == plan->net_count);
	for (i = 0; i < plan->net_count && !rc; i++) {
		rc = mx_board_net_init(&player->nets[i], plan->nets[i].net,
				       plan->streaming ? &plan->nets[i] : NULL,
				       &costs->nets[i], 0, err);
		player->absent_ns += player->nets[i].read_ns;
	}
	return rc;
}

/* By network, all of its units. */
static unsigned char **all_units(const struct player *player)
{
	const uint32_t count = player->plan->net_count;
	unsigned char **units;
	unsigned char *bytes;
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		total += player->nets[i].unit_count;
	units = calloc(1, (count + 1) * sizeof(*units) + total);
	if (!units)
		return NULL;
	bytes = (unsigned char *)(units + count + 1);
	memset(bytes, 1, total);
	for (i = 0; i < count; i++) {
		units[i] = bytes;
		bytes += player->nets[i].unit_count;
	}
	return units;
}

static void keep_jobs(struct player *player,
		      const struct mx_simulation *simulation)
{
	const uint32_t count = player->plan->net_count;
	uint32_t i;

	for (i = 0; i < simulation->job_count; i++) {
		const struct mx_simulated_job *job = &simulation->jobs[i];
		struct pass *pass = &player->passes[job->arrival];
		const uint64_t ns = job->finish_ns - job->arrival_ns;
		struct mx_forecast_net *net;

		if (ns > pass->makespan_ns)
			pass->makespan_ns = ns;
		if (i >= count)
			continue;
		net = &player->forecast->nets[i];
		net->start_ns = job->start_ns;
		net->finish_ns = job->finish_ns;
		net->compute_ns = job->compute_ns;
		net->stall_ns = job->stall_ns;
	}
}

static int play(struct player *player, const struct mx_policy *policy,
		const struct mx_forecast_opts *opts, struct mx_err *err)
{
	const struct mx_plan *plan = player->plan;
	const int warm = !plan->streaming && (opts->flags & MX_FORECAST_WARM);
	unsigned char **resident = warm ? all_units(player) : NULL;
	const struct mx_simulate_opts how = {
		.board = {.policy = policy,
			  .memory_bytes = plan->streaming
						  ? plan->memory_bytes
						  : MX_RESIDENCY_UNLIMITED,
			  .nets = player->nets,
			  .net_count = plan->net_count,
			  .observer = observe,
			  .observer_user = player},
		.script = &player->script,
		.depth = opts->depth,
		.resident = (const unsigned char *const *)resident,
	};
	struct mx_simulation simulation;
	int rc;

	if (warm && !resident)
		return mx_fail(err, ENOMEM, "no memory for a forecast");
	rc = mx_simulate(&simulation, &how, err);
	free(resident);
	if (rc)
		return rc;
	keep_jobs(player, &simulation);
	mx_simulation_fini(&simulation);
	return 0;
}

/* @times passes alike. */
static void add_pass(struct player *player, const struct pass *pass,
		     uint64_t times)
{
	struct mx_forecast *forecast = player->forecast;
	uint64_t compute_ns = 0;
	uint32_t i;

	for (i = 0; i < player->plan->net_count; i++)
		compute_ns += player->nets[i].compute_ns;
	forecast->makespan_ns += times * pass->makespan_ns;
	forecast->read_bytes += times * pass->read_bytes;
	forecast->compute_bound_ns += times * compute_ns;
	forecast->read_bound_ns += times * pass->absent_ns;
	forecast->lower_bound_ns +=
		times *
		(compute_ns > pass->absent_ns ? compute_ns : pass->absent_ns);
}

static void add_passes(struct player *player, uint32_t passes)
{
	const uint32_t last = player->pass_count - 1;
	uint32_t i;

	for (i = 0; i < last; i++)
		add_pass(player, &player->passes[i], 1);
	add_pass(player, &player->passes[last], passes - last);
	player->forecast->first_pass_ns = player->passes[0].makespan_ns;
	if (last > 0)
		player->forecast->later_pass_ns =
			player->passes[last].makespan_ns;
}

static int find_policy(const struct mx_policy **out, const char *name,
		       struct mx_err *err)
{
	if (!name)
		name = MX_POLICY_DEFAULT;
	*out = mx_policy_find(name);
	return *out ? 0 : mx_fail(err, EINVAL, "no such policy: %s", name);
}

int mx_forecast_init(struct mx_forecast *forecast, const struct mx_plan *plan,
		     const struct mx_costs *costs,
		     const struct mx_forecast_opts *opts, struct mx_err *err)
{
	const uint32_t passes = opts->passes ? opts->passes : plan->opts.passes;
	struct player player = {.plan = plan, .forecast = forecast};
	const struct mx_policy *policy;
	uint32_t i;
	int rc;

	memset(forecast, 0, sizeof(*forecast));
	if (!plan->feasible)
		return mx_plan_refuse(plan, err);
	rc = find_policy(&policy, opts->policy, err);
	if (rc)
		return rc;
	player.pass_count = passes < PASSES_MAX ? passes : PASSES_MAX;
	if (player.pass_count == 0)
		player.pass_count = 1;
	forecast->nets =
		calloc((size_t)plan->net_count + 1, sizeof(*forecast->nets));
	player.nets = calloc((size_t)plan->net_count + 1, sizeof(*player.nets));
	if (!forecast->nets || !player.nets || make_script(&player)) {
		rc = mx_fail(err, ENOMEM, "no memory for a forecast");
		goto done;
	}
	forecast->net_count = plan->net_count;
	rc = make_nets(&player, costs, err);
	if (!rc)
		rc = play(&player, policy, opts, err);
	if (!rc)
		add_passes(&player, passes ? passes : 1);

done:
	for (i = 0; player.nets && i < plan->net_count; i++)
		mx_board_net_fini(&player.nets[i]);
	free(player.nets);
	mx_script_fini(&player.script);
	if (rc)
		mx_forecast_fini(forecast);
	return rc;
}

void mx_forecast_fini(struct mx_forecast *forecast)
{
	free(forecast->nets);
	memset(forecast, 0, sizeof(*forecast));
}
