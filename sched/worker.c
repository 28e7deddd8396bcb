/*
 * Workers: take a chunk under the engine's lock, do it without, give it back.
 */
#include "sched/engine_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/network.h"
#include "lib/size.h"
#include "lib/thread.h"
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

/* Until there may be work, or SPIN_NS have passed. No lock held. */
static void spin(struct mx_engine *engine, uint64_t seen)
{
	const uint64_t until = mx_clock_ns() + SPIN_NS;

	while (atomic_load_explicit(&engine->epoch, memory_order_acquire) ==
		       seen &&
	       mx_clock_ns() < until)
		relax();
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

/* What it took, for whoever keeps count: times on the engine's clock. The lock
 * is held. */
static void note_times(const struct mx_worker *worker,
		       const struct mx_chunk *chunk, uint64_t begin_ns,
		       uint64_t end_ns)
{
	const struct mx_engine *engine = worker->engine;
	struct mx_job *job = chunk->job;

	if (chunk->layer < job->home->net->layer_count)
		job->layer_ns[chunk->layer] += end_ns - begin_ns;
	if (engine->opts.chunk_observer) {
		const struct mx_chunk_event event = {
			.job = job,
			.id = job->board->id,
			.net = job->board->net,
			.layer = chunk->layer,
			.worker = worker->index,
			.begin_ns = begin_ns,
			.end_ns = end_ns,
		};

		engine->opts.chunk_observer(engine->opts.observer_user, &event);
	}
}

/* A system call: not for every chunk, but before somebody may ask. No lock
 * held. */
static void note_faults(struct mx_worker *worker)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) == 0)
		atomic_store_explicit(&worker->major_faults,
				      (uint64_t)usage.ru_majflt,
				      memory_order_relaxed);
}

/* Do one chunk; the lock is held before and after, not within. */
static void do_chunk(struct mx_worker *worker, const struct mx_chunk *chunk)
{
	struct mx_engine *engine = worker->engine;
	const size_t scratch_bytes = engine->scratch_bytes;
	const uint32_t layers = chunk->job->home->net->layer_count;
	struct mx_err err = {""};
	uint64_t begin_ns = 0;
	uint64_t end_ns;
	int rc, computes;

	pthread_mutex_unlock(&engine->lock);
	rc = grow_scratch(worker, scratch_bytes, &err);
	computes = !rc && !chunk->prepares;
	if (computes) {
		begin_ns = mx_engine_now(engine);
		compute(worker, chunk);
		rc = mx_pager_check(engine->pager, chunk->net, &err);
	} else if (!rc) {
		rc = mx_job_prepare(chunk->job, &err);
	}
	end_ns = mx_engine_now(engine);
	if (computes && chunk->layer + 1 >= layers)
		note_faults(worker);
	mx_engine_lock_at(engine, end_ns);
	if (computes)
		note_times(worker, chunk, begin_ns, end_ns);
	mx_job_give_back(chunk, rc, &err);
}

/* Returns when there may be work. The lock is held before and after, not
 * within. */
static void await_work(struct mx_worker *worker)
{
	struct mx_engine *engine = worker->engine;
	const uint64_t seen =
		atomic_load_explicit(&engine->epoch, memory_order_relaxed);
	const int may_come = engine->live_count > 0;

	pthread_mutex_unlock(&engine->lock);
	note_faults(worker);
	if (may_come)
		spin(engine, seen);
	mx_engine_lock(engine);
	/* Only if nothing has come since it was looked for. */
	if (atomic_load_explicit(&engine->epoch, memory_order_relaxed) != seen)
		return;
	engine->idle_count++;
	pthread_cond_wait(&engine->work, &engine->lock);
	engine->idle_count--;
	engine->now_ns = mx_engine_now(engine);
}

void *mx_worker_main(void *user)
{
	struct mx_worker *worker = user;
	struct mx_engine *engine = worker->engine;
	struct mx_chunk chunk;
	int found = 0;

	mx_thread_settle(worker->index, worker->of);
	mx_engine_lock(engine);
	for (;;) {
		found = (found && mx_job_take_more(&chunk)) ||
			mx_job_take(engine, &chunk);
		/* What has been done has given this worker something to do;
		 * the others need not look unless there is more. */
		if (!found || !mx_job_leaves_work(&chunk))
			engine->has_news = 0;
		mx_engine_settle(engine);
		if (found) {
			do_chunk(worker, &chunk);
			mx_engine_note(engine);
			continue;
		}
		if (engine->stopping && engine->live_count == 0)
			break;
		await_work(worker);
	}
	/* The others have to notice too. */
	pthread_cond_broadcast(&engine->work);
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}
