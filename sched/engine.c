/*
 * Invariants, from mx_engine_open() to mx_engine_close():
 *
 *  (1) Workers only take chunks under the lock and compute without it.
 *  (2) nets[i] never moves: jobs point to it.
 *  (3) Once started, memory is set aside as the plan says, and no network is
 *      added.
 */
#include "sched/memexec.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blas.h"
#include "lib/log.h"
#include "lib/network.h"
#include "lib/simd.h"
#include "lib/size.h"
#include "sched/clock.h"
#include "sched/engine_impl.h"
#include "sched/policy.h"
#include "sched/process.h"

#define WORKERS_MAX 256

/* Of a crowd, so many are counted. */
#define CROWD_RUNNING 64
#define CROWD_WAITING 1024
#define RUNNING_JOB_BYTES (32u << 10)
#define WAITING_JOB_BYTES (1u << 10)

static uint32_t thread_count(uint32_t wanted)
{
	long online;

	if (wanted)
		return wanted < WORKERS_MAX ? wanted : WORKERS_MAX;
	online = sysconf(_SC_NPROCESSORS_ONLN);
	if (online < 1)
		return 1;
	return online < WORKERS_MAX ? (uint32_t)online : WORKERS_MAX;
}

static int start_workers(struct mx_engine *engine, uint32_t count,
			 struct mx_err *err)
{
	int rc;

	engine->workers = calloc(count, sizeof(*engine->workers));
	if (!engine->workers)
		return mx_fail(err, ENOMEM, "no memory for %u workers", count);
	while (engine->worker_count < count) {
		struct mx_worker *worker =
			&engine->workers[engine->worker_count];

		worker->engine = engine;
		worker->index = engine->worker_count;
		worker->of = count;
		rc = pthread_create(&worker->thread, NULL, mx_worker_main,
				    worker);
		if (rc)
			return mx_fail(err, rc, "cannot start worker %u: %s",
				       engine->worker_count, strerror(rc));
		pthread_mutex_lock(&engine->lock);
		engine->worker_count++;
		pthread_mutex_unlock(&engine->lock);
	}
	return 0;
}

/* Deadlines are on the engine's clock, which the wall's clock may not move. */
static void init_sync(struct mx_engine *engine)
{
	pthread_mutexattr_t kind;
	pthread_condattr_t attr;

	/* It is held for about a microsecond: less than sleeping takes. */
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&engine->lock, &kind);
	pthread_mutexattr_destroy(&kind);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->work, NULL);
	pthread_cond_init(&engine->done, &attr);
	pthread_condattr_destroy(&attr);
}

static int choose_policy(struct mx_engine *engine, struct mx_err *err)
{
	const char *name = engine->opts.policy;

	engine->policy = mx_policy_find(name ? name : MX_POLICY_DEFAULT);
	if (!engine->policy)
		return mx_fail(err, EINVAL, "%s: there is no such policy",
			       name ? name : MX_POLICY_DEFAULT);
	return 0;
}

int mx_engine_open(struct mx_engine **out, const struct mx_engine_opts *opts,
		   struct mx_err *err)
{
	struct mx_engine *engine;
	int rc;

	engine = calloc(1, sizeof(*engine));
	if (!engine)
		return mx_fail(err, ENOMEM, "no memory for an engine");
	engine->log = opts->log;
	engine->opts = *opts;
	engine->simd = mx_simd_best();
	if (opts->flags & MX_ENGINE_EXACT)
		engine->simd = engine->simd->exact;
	init_sync(engine);
	rc = choose_policy(engine, err);
	if (!rc)
		rc = mx_blas_open(&engine->blas, err);
	if (rc)
		goto fail;
	engine->opened_ns = mx_clock_ns();
	engine->opened_read_bytes = mx_process_read_bytes();
	rc = start_workers(engine, thread_count(opts->threads), err);
	if (rc)
		goto fail;
	mx_log(engine->log, MX_LOG_DEBUG,
	       "engine: %u workers, policy %s, %s, OpenBLAS %s (chosen by %s)",
	       engine->worker_count, engine->policy->name, engine->simd->isa,
	       engine->blas->core, engine->blas->choice);
	*out = engine;
	return 0;

fail:
	mx_engine_close(engine);
	return rc;
}

static void net_free(struct mx_engine_net *home)
{
	while (home->spare_count > 0)
		mx_frame_free(home->spares[--home->spare_count]);
	mx_arena_fini(&home->arena);
	free(home);
}

static size_t most_scratch(const struct mx_network *net)
{
	size_t most = 0;
	uint32_t i;

	for (i = 0; i < net->layer_count; i++)
		most = mx_size_max(most, net->layers[i].scratch_bytes);
	return most;
}

int mx_engine_add(struct mx_engine *engine, const struct mx_network *net,
		  uint32_t *out, struct mx_err *err)
{
	struct mx_engine_net *home;
	struct mx_engine_net **nets;
	uint32_t i;
	int rc;

	home = calloc(1, sizeof(*home));
	if (!home)
		return mx_fail(err, ENOMEM, "%s: no memory", net->name);
	home->net = net;
	for (i = 0; i < net->slice_count; i++)
		home->weight_bytes += net->slices[i].size_bytes;
	rc = mx_arena_init(&home->arena, net, err);
	if (rc)
		goto fail;
	pthread_mutex_lock(&engine->lock);
	assert(!engine->started);
	nets = reallocarray(engine->nets, (size_t)engine->net_count + 1,
			    sizeof(struct mx_engine_net *));
	if (nets) {
		engine->nets = nets;
		nets[engine->net_count] = home;
		*out = engine->net_count++;
		engine->scratch_bytes =
			mx_size_max(engine->scratch_bytes, most_scratch(net));
	}
	pthread_mutex_unlock(&engine->lock);
	if (!nets) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", net->name);
		goto fail;
	}
	return 0;

fail:
	net_free(home);
	return rc;
}

/*
 * What a crowd of jobs takes beside their activations: views and counts of
 * those that run, an entry for each that waits. Measured with the papers'
 * networks: 6-16 KiB and 1 KiB; as much again is what a heap holds that has
 * seen many come and go.
 */
static uint64_t crowd_bytes(uint32_t crowd)
{
	const uint64_t running = crowd < CROWD_RUNNING ? crowd : CROWD_RUNNING;
	const uint64_t waiting = crowd < CROWD_WAITING ? crowd : CROWD_WAITING;

	return running * RUNNING_JOB_BYTES + waiting * WAITING_JOB_BYTES;
}

int mx_engine_plan(const struct mx_engine *engine, struct mx_plan *plan,
		   struct mx_err *err)
{
	const struct mx_plan_opts opts = {
		.budget_bytes = engine->opts.budget_bytes
					? engine->opts.budget_bytes
					: MX_BUDGET_NONE,
		.threads = engine->worker_count,
		.passes = engine->opts.passes ? engine->opts.passes : 1,
		.given_inputs = engine->opts.given_inputs,
		.fixed_bytes = mx_process_fixed_bytes(engine->worker_count) +
			       crowd_bytes(engine->opts.crowd),
	};
	const struct mx_network **nets;
	uint32_t i;
	int rc;

	nets = calloc((size_t)engine->net_count + 1,
		      sizeof(const struct mx_network *));
	if (!nets)
		return mx_fail(err, ENOMEM, "no memory for a plan");
	for (i = 0; i < engine->net_count; i++)
		nets[i] = engine->nets[i]->net;
	rc = mx_plan_init(plan, &opts, nets, engine->net_count, err);
	free(nets);
	return rc;
}

void mx_engine_close(struct mx_engine *engine)
{
	uint32_t i;

	if (!engine)
		return;
	pthread_mutex_lock(&engine->lock);
	engine->stopping = 1;
	mx_engine_wake(engine);
	pthread_mutex_unlock(&engine->lock);
	for (i = 0; i < engine->worker_count; i++) {
		pthread_join(engine->workers[i].thread, NULL);
		free(engine->workers[i].scratch);
	}
	assert(engine->job_count == 0);
	mx_engine_unstart(engine);
	for (i = 0; i < engine->net_count; i++)
		net_free(engine->nets[i]);
	free(engine->nets);
	free(engine->workers);
	pthread_mutex_destroy(&engine->lock);
	pthread_cond_destroy(&engine->work);
	pthread_cond_destroy(&engine->done);
	free(engine);
}

uint64_t mx_engine_now(const struct mx_engine *engine)
{
	return mx_clock_ns() - engine->opened_ns;
}

void mx_engine_lock_at(struct mx_engine *engine, uint64_t now_ns)
{
	pthread_mutex_lock(&engine->lock);
	/* Who had the lock in between may have read the clock later. */
	if (now_ns > engine->now_ns)
		engine->now_ns = now_ns;
}

void mx_engine_lock(struct mx_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	engine->now_ns = mx_engine_now(engine);
}

/* The lock is held, and the engine started. */
static void add_memory(const struct mx_engine *engine,
		       struct mx_engine_totals *totals)
{
	struct mx_residency_totals memory;

	mx_residency_totals(mx_board_residency(engine->board), &memory);
	totals->memory_peak_bytes = memory.peak_bytes;
	totals->moved_bytes = memory.moved_bytes;
	totals->planned_peak_bytes = engine->plan.predicted_peak_bytes;
	totals->planned_memory_bytes = engine->plan.memory_bytes;
}

void mx_engine_totals(struct mx_engine *engine, struct mx_engine_totals *totals)
{
	struct mx_pager_totals pager = {.io = "none"};
	int streaming = 0;
	uint32_t i;

	memset(totals, 0, sizeof(*totals));
	pthread_mutex_lock(&engine->lock);
	for (i = 0; i < engine->net_count; i++)
		if (engine->nets[i]->was_run)
			totals->required_read_bytes +=
				engine->nets[i]->weight_bytes;
	for (i = 0; i < engine->worker_count; i++)
		totals->major_faults += atomic_load_explicit(
			&engine->workers[i].major_faults, memory_order_relaxed);
	totals->threads = engine->worker_count;
	totals->budget_bytes = engine->opts.budget_bytes;
	totals->policy = engine->policy->name;
	if (engine->started) {
		add_memory(engine, totals);
		mx_pager_totals(engine->pager, &pager);
		streaming = engine->plan.streaming;
	}
	pthread_mutex_unlock(&engine->lock);
	totals->io = pager.io;
	totals->anonymous_bytes = mx_process_anonymous_bytes();
	totals->read_bytes =
		streaming ? pager.read_bytes
			  : mx_process_read_bytes() - engine->opened_read_bytes;
}
