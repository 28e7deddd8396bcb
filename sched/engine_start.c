/*
 * Memory is set aside: the slab, the pager, the board with what it knows of
 * each network. From then on nothing of it grows.
 */
#include "sched/engine_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/network.h"
#include "sched/board_net.h"
#include "sched/cost.h"

/* RUNNING jobs of one network under a budget: each has views and counts of its
 * own beside its arena. */
#define STREAMING_JOBS 16

/* Where nobody has said what things take. */
static int estimate(const struct mx_engine *engine, struct mx_costs *costs,
		    struct mx_err *err)
{
	struct mx_cost_source *sources;
	struct mx_rates rates;
	uint32_t i;
	int rc;

	sources = calloc((size_t)engine->net_count + 1, sizeof(*sources));
	if (!sources)
		return mx_fail(err, ENOMEM, "no memory for costs");
	for (i = 0; i < engine->net_count; i++)
		sources[i].net = engine->nets[i]->net;
	mx_rates_assume(&rates, engine->worker_count);
	rc = mx_costs_init(costs, sources, engine->net_count,
			   engine->worker_count, &rates, err);
	free(sources);
	return rc;
}

static int make_maps(struct mx_engine *engine, struct mx_err *err)
{
	const struct mx_plan *plan = &engine->plan;
	const struct mx_costs *given = engine->opts.costs;
	struct mx_costs costs = {.nets = NULL};
	uint32_t i;
	int rc = 0;

	engine->maps =
		calloc((size_t)engine->net_count + 1, sizeof(*engine->maps));
	if (!engine->maps)
		return mx_fail(err, ENOMEM, "no memory for a board");
	if (!given || given->net_count != engine->net_count) {
		rc = estimate(engine, &costs, err);
		given = &costs;
	}
	for (i = 0; i < engine->net_count && !rc; i++) {
		rc = mx_board_net_init(&engine->maps[i], engine->nets[i]->net,
				       plan->streaming ? &plan->nets[i] : NULL,
				       &given->nets[i], 0, err);
		if (rc)
			break;
		engine->map_count++;
		if (engine->opts.masa_profiles)
			mx_board_net_set_masa(&engine->maps[i],
					      &engine->opts.masa_profiles[i]);
	}
	mx_costs_fini(&costs);
	return rc;
}

static int make_pager(struct mx_engine *engine, struct mx_err *err)
{
	const struct mx_pager_opts opts = {
		.io = engine->opts.io ? engine->opts.io : "auto",
		.memory = engine->slab.memory,
		.memory_bytes = engine->slab.size_bytes,
		.log = engine->log,
		.next = mx_engine_next_read,
		.loaded = mx_engine_read_done,
		.user = engine,
	};
	uint32_t i;
	int rc;

	rc = mx_pager_open(&engine->pager, &opts, err);
	for (i = 0; i < engine->net_count && !rc; i++)
		rc = mx_pager_add(engine->pager, engine->nets[i]->net, err);
	return rc;
}

/* Nobody looks at the unit: it is not held, and the lock is. */
static void move_unit(void *user, struct mx_unit_ref ref, uint64_t from,
		      uint64_t to, uint64_t bytes)
{
	struct mx_engine *engine = user;

	(void)ref;
	memmove(engine->slab.memory + to, engine->slab.memory + from,
		(size_t)bytes);
}

static int set_aside(struct mx_engine *engine, struct mx_err *err)
{
	const struct mx_plan *plan = &engine->plan;
	struct mx_board_opts opts = {
		.policy = engine->policy,
		.workers = engine->opts.workers,
		.budget_bytes = engine->opts.budget_bytes,
		.memory_bytes = plan->streaming ? plan->memory_bytes
						: MX_RESIDENCY_UNLIMITED,
		.net_count = engine->net_count,
		/* More would take memory that nobody has counted, and give no
		 * worker more to do. */
		.jobs_at_once = plan->streaming ? STREAMING_JOBS
						: engine->worker_count + 1,
		.moved = move_unit,
		.moved_user = engine,
		.observer = mx_job_hear,
		.observer_user = engine,
	};
	int rc;

	rc = make_maps(engine, err);
	if (rc)
		return rc;
	opts.nets = engine->maps;
	rc = mx_board_new(&engine->board, &opts, err);
	if (!rc && plan->streaming)
		rc = mx_slab_init(&engine->slab, (size_t)plan->memory_bytes,
				  err);
	return rc ? rc : make_pager(engine, err);
}

void mx_engine_unstart(struct mx_engine *engine)
{
	uint32_t i;

	mx_pager_close(engine->pager);
	engine->pager = NULL;
	mx_board_free(engine->board);
	engine->board = NULL;
	for (i = 0; i < engine->map_count; i++)
		mx_board_net_fini(&engine->maps[i]);
	free(engine->maps);
	engine->maps = NULL;
	engine->map_count = 0;
	mx_slab_fini(&engine->slab);
	mx_plan_fini(&engine->plan);
}

int mx_engine_start(struct mx_engine *engine, struct mx_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&engine->lock);
	while (engine->starting)
		pthread_cond_wait(&engine->done, &engine->lock);
	if (engine->started) {
		pthread_mutex_unlock(&engine->lock);
		return 0;
	}
	engine->starting = 1;
	pthread_mutex_unlock(&engine->lock);
	rc = mx_engine_plan(engine, &engine->plan, err);
	if (!rc && !engine->plan.feasible)
		rc = mx_plan_refuse(&engine->plan, err);
	if (!rc)
		rc = set_aside(engine, err);
	if (rc)
		mx_engine_unstart(engine);
	pthread_mutex_lock(&engine->lock);
	engine->starting = 0;
	engine->started = rc == 0;
	/* It is not woken before there is something to read. */
	engine->pager_waits = engine->started;
	pthread_cond_broadcast(&engine->done);
	pthread_mutex_unlock(&engine->lock);
	return rc;
}
