/*
 * The pager's side of the engine. The pager's thread asks for reads until the
 * board has none; then pager_waits is set, and whoever changes the board
 * looks for the next one (mx_engine_settle()), so that the thread is woken for
 * a read and for nothing else.
 */
#include "sched/engine_impl.h"

#include "lib/log.h"
#include "sched/board_net.h"

/* Does a job wait for what is read next? */
static int is_awaited(const struct mx_engine *engine)
{
	const struct mx_board_job *job;
	struct mx_unit_ref ref;

	for (job = mx_board_running(engine->board); job; job = job->next)
		if (mx_board_is_missing(engine->board, job, &ref) &&
		    ref.net == engine->read.net &&
		    ref.unit == engine->read.unit)
			return 1;
	return 0;
}

int mx_engine_next_read(void *user, struct mx_pager_read *out)
{
	struct mx_engine *engine = user;
	int found;

	mx_engine_lock(engine);
	found = engine->has_read ||
		mx_board_load(engine->board, engine->now_ns, &engine->read);
	engine->has_read = 0;
	engine->pager_waits = !found;
	if (found) {
		out->ref = engine->read;
		out->offset_bytes = 0;
		out->is_awaited = is_awaited(engine);
		if (engine->plan.streaming)
			out->offset_bytes = mx_residency_offset(
				mx_board_residency(engine->board), out->ref);
	}
	mx_engine_settle(engine);
	pthread_mutex_unlock(&engine->lock);
	return found;
}

void mx_engine_find_read(struct mx_engine *engine)
{
	if (!engine->pager_waits || engine->has_read ||
	    !mx_board_load(engine->board, engine->now_ns, &engine->read))
		return;
	engine->has_read = 1;
	engine->pager_waits = 0;
	mx_pager_wake(engine->pager);
}

/* Read times that are far off are corrected: see sched/read_rate.h. */
static void learn(struct mx_engine *engine, struct mx_unit_ref ref,
		  uint64_t size_bytes)
{
	const struct mx_board_net *map = &engine->maps[ref.net];
	struct mx_pager_totals totals;
	double factor;
	uint32_t i;

	if (!mx_read_rate_add(&engine->rate, size_bytes,
			      map->units[ref.unit].read_ns))
		return;
	mx_pager_totals(engine->pager, &totals);
	factor = mx_read_rate_judge(&engine->rate, totals.read_ns);
	if (factor == 1)
		return;
	for (i = 0; i < engine->map_count; i++)
		mx_read_rate_apply(&engine->maps[i], factor);
	mx_log(engine->log, MX_LOG_DEBUG,
	       "engine: reads take %.2f times what was thought", factor);
}

void mx_engine_read_done(void *user, struct mx_unit_ref ref, int status,
			 uint64_t size_bytes)
{
	struct mx_engine *engine = user;
	const struct mx_board_job *job;

	mx_engine_lock(engine);
	mx_board_loaded(engine->board, ref, status, engine->now_ns);
	if (!status)
		learn(engine, ref, size_bytes);
	for (job = mx_board_running(engine->board); job; job = job->next)
		mx_job_note_stall(job->user);
	/* It asks again by itself. */
	engine->pager_waits = 0;
	mx_engine_settle(engine);
	pthread_mutex_unlock(&engine->lock);
}
