/*
 * Workers: take a chunk under the engine's lock, do it without, give it back.
 */
#include "sched/engine_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/network.h"
#include "lib/size.h"
#include "sched/clock.h"

/* How long an idle worker looks for work before it sleeps: about what waking
 * it costs. */
#define SPIN_NS 40000

void mx_engine_wake(struct mx_engine *engine)
{
	atomic_fetch_add_explicit(&engine->epoch, 1, memory_order_release);
	if (engine->idle_count)
		pthread_cond_broadcast(&engine->work);
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Returns 1 when there may be work, 0 after SPIN_NS without. No lock held. */
static int spin(struct mx_engine *engine, uint64_t seen)
{
	const uint64_t until = mx_clock_ns() + SPIN_NS;

	do {
		if (atomic_load_explicit(&engine->epoch,
					 memory_order_acquire) != seen)
			return 1;
		relax();
	} while (mx_clock_ns() < until);
	return 0;
}

static int grow_scratch(struct mx_worker *worker, size_t bytes,
			struct mx_err *err)
{
	if (worker->scratch_bytes >= bytes)
		return 0;
	free(worker->scratch);
	worker->scratch_bytes = 0;
	bytes = mx_size_round_up(bytes, MX_ARENA_ALIGN_BYTES);
	worker->scratch = aligned_alloc(MX_ARENA_ALIGN_BYTES, bytes);
	if (!worker->scratch)
		return mx_fail(err, ENOMEM,
			       "no memory for %zu bytes of scratch", bytes);
	worker->scratch_bytes = bytes;
	return 0;
}

static void compute(struct mx_worker *worker, const struct mx_chunk *chunk)
{
	const struct mx_frame_work work = {
		.layer = chunk->layer,
		.parts = chunk->parts,
		.weights = chunk->weights,
		.first_block = chunk->first_block,
		.scratch = worker->scratch,
		.blas = worker->engine->blas,
		.simd = worker->engine->simd,
	};

	if (work.parts.begin < work.parts.end)
		mx_frame_run(chunk->job->frame, &work);
}

/* What it took, for whoever keeps count. The lock is held. */
static void note_times(const struct mx_worker *worker,
		       const struct mx_chunk *chunk, uint64_t begin_ns,
		       uint64_t end_ns)
{
	const struct mx_engine *engine = worker->engine;
	struct mx_job *job = chunk->job;
	const struct mx_chunk_event event = {
		.job = job,
		.id = job->board->id,
		.net = job->board->net,
		.layer = chunk->layer,
		.worker = worker->index,
		.begin_ns = begin_ns - engine->opened_ns,
		.end_ns = end_ns - engine->opened_ns,
	};

	if (chunk->layer < job->home->net->layer_count)
		job->layer_ns[chunk->layer] += end_ns - begin_ns;
	if (engine->opts.chunk_observer)
		engine->opts.chunk_observer(engine->opts.observer_user, &event);
}

/* Compute, without the lock, what @chunk says; the times go to *@begin_ns and
 * *@end_ns. */
static int work_on(struct mx_worker *worker, const struct mx_chunk *chunk,
		   uint64_t *begin_ns, uint64_t *end_ns, struct mx_err *err)
{
	struct rusage usage;

	*begin_ns = mx_clock_ns();
	compute(worker, chunk);
	*end_ns = mx_clock_ns();
	if (getrusage(RUSAGE_THREAD, &usage) == 0)
		atomic_store_explicit(&worker->major_faults,
				      (uint64_t)usage.ru_majflt,
				      memory_order_relaxed);
	return mx_pager_check(worker->engine->pager, chunk->net, err);
}

/* Do one chunk; the lock is held before and after, not within. */
static void do_chunk(struct mx_worker *worker, const struct mx_chunk *chunk)
{
	struct mx_engine *engine = worker->engine;
	const size_t scratch_bytes = engine->scratch_bytes;
	struct mx_err err = {""};
	uint64_t begin_ns = 0;
	uint64_t end_ns = 0;
	int rc;

	pthread_mutex_unlock(&engine->lock);
	rc = grow_scratch(worker, scratch_bytes, &err);
	if (!rc && chunk->prepares)
		rc = mx_job_prepare(chunk->job, &err);
	else if (!rc)
		rc = work_on(worker, chunk, &begin_ns, &end_ns, &err);
	pthread_mutex_lock(&engine->lock);
	if (end_ns)
		note_times(worker, chunk, begin_ns, end_ns);
	mx_job_give_back(chunk, rc, &err);
}

void *mx_worker_main(void *user)
{
	struct mx_worker *worker = user;
	struct mx_engine *engine = worker->engine;
	struct mx_chunk chunk;
	int found = 0;
	uint64_t seen;

	pthread_mutex_lock(&engine->lock);
	for (;;) {
		found = (found && mx_job_take_more(&chunk)) ||
			mx_job_take(engine, &chunk);
		mx_engine_settle(engine);
		if (found) {
			do_chunk(worker, &chunk);
			mx_engine_settle(engine);
			continue;
		}
		if (engine->stopping && engine->live_count == 0)
			break;
		seen = atomic_load_explicit(&engine->epoch,
					    memory_order_relaxed);
		if (engine->live_count > 0) {
			int news;

			pthread_mutex_unlock(&engine->lock);
			news = spin(engine, seen);
			pthread_mutex_lock(&engine->lock);
			if (news)
				continue;
		}
		/* Only if nothing has come since the spin gave up. */
		if (atomic_load_explicit(&engine->epoch,
					 memory_order_relaxed) != seen)
			continue;
		engine->idle_count++;
		pthread_cond_wait(&engine->work, &engine->lock);
		engine->idle_count--;
	}
	/* The others have to notice too. */
	pthread_cond_broadcast(&engine->work);
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}
