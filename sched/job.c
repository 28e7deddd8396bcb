/*
 * A job's way, of which the board keeps the state (sched/board.h): submitted
 * -> admitted -> prepared (its inputs are in its arena) -> [step begun, its
 * parts taken and given back]* -> ended.
 *
 * Invariants, under the engine's lock:
 *
 *  (1) open[] are the steps between mx_board_begin() and mx_board_done(). Each
 *      has a worker on it, but for the one that was begun last (begun), of
 *      which parts may be left to take while nobody is on it.
 *  (2) A job whose status is set has nothing left to take.
 *  (3) Outside of the functions here, engine->ending is empty: whoever tells
 *      the board anything settles before the lock is let go.
 */
#include "sched/engine_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/network.h"
#include "lib/size.h"
#include "pager/units.h"
#include "sched/chunks.h"

static struct mx_open_step *find_open(struct mx_job *job, uint32_t step)
{
	struct mx_open_step *open = job->open;

	while (open->step != step)
		open++;
	assert(open <= job->open + job->engine->worker_count);
	return open;
}

/* The slice of a step; MX_NONE without weights. */
static uint32_t slice_of(const struct mx_job *job, uint32_t step)
{
	const struct mx_network *net = job->home->net;
	const struct mx_board_net *map = &job->engine->maps[job->board->net];
	const uint32_t layer = map->steps[step].layer;

	if (map->steps[step].unit == MX_STEP_NONE)
		return MX_NONE;
	return net->layers[layer].first_slice + step -
	       map->layers[layer].first_step;
}

static uint32_t layer_of(const struct mx_job *job, uint32_t step)
{
	return job->engine->maps[job->board->net].steps[step].layer;
}

static void begin_step(struct mx_job *job)
{
	const struct mx_network *net = job->home->net;
	const uint32_t step = job->board->next_step;
	const uint32_t layer = layer_of(job, step);
	const uint32_t slice = slice_of(job, step);
	struct mx_open_step *open = find_open(job, MX_STEP_NONE);

	job->begun = 1;
	job->next_part = 0;
	/* A network without layers has a step all the same, of no parts. */
	job->end_part = 0;
	if (layer < net->layer_count)
		job->end_part = mx_layer_part_count(&net->layers[layer]);
	if (slice != MX_NONE) {
		const struct mx_slice *where = &net->slices[slice];
		const size_t tiles = net->layers[layer].tile_count;

		job->next_part = where->first_block * tiles;
		job->end_part = job->next_part + where->block_count * tiles;
	}
	open->step = step;
	open->left = job->end_part - job->next_part;
	mx_board_begin(job->engine->board, job->board, job->engine->now_ns);
}

/* Where the bytes of a slice are, whose unit is RESIDENT. */
static const unsigned char *weights_of(const struct mx_job *job, uint32_t step,
				       uint32_t slice)
{
	const struct mx_engine *engine = job->engine;
	const struct mx_unit_ref ref = {
		.net = job->board->net,
		.unit = engine->maps[ref.net].steps[step].unit,
	};
	uint64_t offset_bytes = 0;

	if (engine->plan.streaming)
		offset_bytes = mx_residency_offset(
			mx_board_residency(engine->board), ref);
	return mx_pager_address(engine->pager, ref.net, slice, offset_bytes);
}

/* Parts of the job's next step, which is begun or ready. */
static void take_parts(struct mx_job *job, struct mx_chunk *chunk)
{
	const struct mx_network *net = job->home->net;
	const uint32_t step = job->board->next_step;
	const uint32_t slice = slice_of(job, step);

	if (!job->begun)
		begin_step(job);
	*chunk = (struct mx_chunk){
		.job = job,
		.open = find_open(job, step),
		.net = job->board->net,
		.layer = layer_of(job, step),
	};
	if (slice != MX_NONE) {
		chunk->weights = weights_of(job, step, slice);
		chunk->first_block = net->slices[slice].first_block;
	}
	chunk->parts.begin = job->next_part;
	if (job->next_part < job->end_part)
		chunk->parts.end =
			job->next_part +
			mx_chunk_parts(&net->layers[chunk->layer],
				       job->end_part - job->next_part,
				       job->engine->worker_count);
	else
		chunk->parts.end = job->end_part;
	job->next_part = chunk->parts.end;
	if (job->next_part == job->end_part) {
		job->begun = 0;
		mx_board_taken(job->engine->board, job->board);
	}
}

/* Its arena has a place: the worker that takes the chunk makes the frame. */
static void admit(struct mx_job *job, struct mx_chunk *chunk)
{
	struct mx_engine *engine = job->engine;
	struct mx_engine_net *home = job->home;

	if (engine->plan.streaming)
		job->frame_memory =
			engine->slab.memory + job->board->arena_offset;
	else if (home->spare_count > 0)
		job->frame = home->spares[--home->spare_count];
	*chunk = (struct mx_chunk){.job = job, .prepares = 1};
}

/* A worker comes to the job. */
static void enter(struct mx_job *job)
{
	const uint64_t now = job->engine->now_ns;

	if (job->times.start_ns == 0)
		job->times.start_ns = now;
	job->home->was_run = 1;
	if (job->stall_since_ns) {
		job->times.stall_ns += now - job->stall_since_ns;
		job->stall_since_ns = 0;
	}
	if (job->running++ == 0)
		job->compute_since_ns = now;
}

static void leave(struct mx_job *job)
{
	assert(job->running > 0);
	if (--job->running == 0)
		job->times.compute_ns +=
			job->engine->now_ns - job->compute_since_ns;
}

int mx_job_take(struct mx_engine *engine, struct mx_chunk *chunk)
{
	struct mx_work work;
	struct mx_job *job;

	if (engine->live_count == 0)
		return 0;
	work = mx_board_work(engine->board, engine->now_ns);
	if (work.kind == MX_WORK_NONE)
		return 0;
	job = work.job->user;
	if (work.kind == MX_WORK_PREPARE)
		admit(job, chunk);
	else
		take_parts(job, chunk);
	enter(job);
	return 1;
}

int mx_job_take_more(struct mx_chunk *chunk)
{
	struct mx_job *job = chunk->job;

	if (chunk->prepares || job->ended || !job->begun ||
	    chunk->open->step != job->board->next_step)
		return 0;
	take_parts(job, chunk);
	enter(job);
	return 1;
}

int mx_job_leaves_work(const struct mx_chunk *chunk)
{
	const struct mx_job *job = chunk->job;
	const struct mx_engine *engine = job->engine;

	return engine->live_count > 1 || job->begun ||
	       mx_board_is_ready(engine->board, job->board);
}

void mx_job_note_stall(struct mx_job *job)
{
	const uint64_t now = job->engine->now_ns;
	struct mx_unit_ref ref;
	const int stalls =
		!job->status && job->running == 0 && job->board->prepared &&
		job->board->state == MX_JOB_RUNNING &&
		mx_board_is_missing(job->engine->board, job->board, &ref);

	if (stalls && !job->stall_since_ns) {
		job->stall_since_ns = now;
	} else if (!stalls && job->stall_since_ns) {
		job->times.stall_ns += now - job->stall_since_ns;
		job->stall_since_ns = 0;
	}
}

static void finish_step(struct mx_job *job, struct mx_open_step *open)
{
	const uint32_t step = open->step;

	open->step = MX_STEP_NONE;
	mx_board_done(job->engine->board, job->board, step,
		      job->engine->now_ns);
}

void mx_job_end(struct mx_job *job, int status, const struct mx_err *err)
{
	struct mx_engine *engine = job->engine;
	struct mx_open_step *open;

	if (job->ended || job->status)
		return;
	job->status = status;
	job->err = *err;
	if (job->begun) {
		/* What nobody has taken nobody will. */
		open = find_open(job, job->board->next_step);
		open->left -= job->end_part - job->next_part;
		job->begun = 0;
		mx_board_taken(engine->board, job->board);
	} else {
		open = NULL;
	}
	mx_board_cancel(engine->board, job->board,
			status == -ECANCELED ? 0 : status, engine->now_ns);
	if (open && open->left == 0)
		finish_step(job, open);
	mx_job_note_stall(job);
}

/* Are these the last parts of the network? */
static int is_last(const struct mx_job *job, const struct mx_open_step *open)
{
	const struct mx_board_net *map = &job->engine->maps[job->board->net];

	return !job->status && !job->board->status && open->left == 0 &&
	       job->board->layer + 1 == map->layer_count &&
	       job->board->steps_left == 1;
}

static void keep_outputs(struct mx_job *job)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;

	for (i = 0; i < net->output_count; i++)
		mx_view_store(mx_frame_view(job->frame, net->outputs[i]),
			      job->outputs[i]);
}

void mx_job_give_back(const struct mx_chunk *chunk, int status,
		      const struct mx_err *err)
{
	struct mx_job *job = chunk->job;
	struct mx_engine *engine = job->engine;

	if (chunk->open)
		chunk->open->left -= chunk->parts.end - chunk->parts.begin;
	if (status)
		mx_job_end(job, status, err);
	if (chunk->open && is_last(job, chunk->open)) {
		/* While the board waits for the step nobody else has the
		 * arena. */
		pthread_mutex_unlock(&engine->lock);
		keep_outputs(job);
		mx_engine_lock(engine);
	}
	leave(job);
	if (chunk->prepares)
		mx_board_prepared(engine->board, job->board, engine->now_ns);
	else if (chunk->open->step != MX_STEP_NONE && chunk->open->left == 0)
		finish_step(job, chunk->open);
	mx_job_note_stall(job);
}

/* Why the board has let it fail: a unit could not be read. */
static void say_failed(struct mx_job *job)
{
	const struct mx_board_job *board = job->board;
	const struct mx_board_net *map = &job->engine->maps[board->net];
	const struct mx_units *units =
		mx_pager_units(job->engine->pager, board->net);
	uint32_t slice;

	job->status = board->status;
	if (board->failed_unit == MX_STEP_NONE) {
		(void)mx_fail(&job->err, -board->status, "%s: failed: %s",
			      job->home->net->name, strerror(-board->status));
		return;
	}
	/* The slice that it came to, or else the unit's first. */
	slice = units->unit[board->failed_unit].first_slice;
	if (board->next_step < map->step_count &&
	    map->steps[board->next_step].unit == board->failed_unit)
		slice = slice_of(job, board->next_step);
	(void)mx_pager_say_failed(job->engine->pager, board->net, slice,
				  board->status, &job->err);
}

static void give_up_frame(struct mx_job *job)
{
	struct mx_engine_net *home = job->home;

	if (job->frame && !job->frame_memory &&
	    home->spare_count < MX_SPARES_MAX)
		home->spares[home->spare_count++] = job->frame;
	else
		mx_frame_free(job->frame);
	job->frame = NULL;
	job->frame_memory = NULL;
}

/* The board has ended it. */
static void finish(struct mx_job *job)
{
	struct mx_engine *engine = job->engine;

	assert(job->running == 0);
	if (!job->status && job->board->state == MX_JOB_FAILED)
		say_failed(job);
	job->times.finish_ns = job->board->finish_ns;
	if (job->times.start_ns == 0)
		job->times.start_ns = job->times.finish_ns;
	job->ended = 1;
	engine->live_count--;
	give_up_frame(job);
	job->next = NULL;
	job->prev = engine->ended_last;
	if (job->prev)
		job->prev->next = job;
	else
		engine->ended = job;
	engine->ended_last = job;
	job->is_listed = 1;
	pthread_cond_broadcast(&engine->done);
}

void mx_engine_unlist(struct mx_job *job)
{
	struct mx_engine *engine = job->engine;

	if (!job->is_listed)
		return;
	if (job->prev)
		job->prev->next = job->next;
	else
		engine->ended = job->next;
	if (job->next)
		job->next->prev = job->prev;
	else
		engine->ended_last = job->prev;
	job->is_listed = 0;
}

void mx_job_hear(void *user, const struct mx_board_event *event)
{
	struct mx_engine *engine = user;
	struct mx_job **at = &engine->ending;

	switch (event->kind) {
	case MX_EVENT_LOAD:
	case MX_EVENT_DROPPED:
	case MX_EVENT_STEP_TAKEN:
		break; /* they give nobody anything to do */
	case MX_EVENT_ENDED:
		while (*at)
			at = &(*at)->next;
		*at = event->job->user;
		(*at)->next = NULL;
		engine->has_news = 1;
		break;
	default:
		engine->has_news = 1;
	}
	if (engine->opts.observer)
		engine->opts.observer(engine->opts.observer_user, event);
}

void mx_engine_note(struct mx_engine *engine)
{
	struct mx_job *job;

	while ((job = engine->ending)) {
		engine->ending = job->next;
		finish(job);
	}
	mx_engine_find_read(engine);
}

void mx_engine_settle(struct mx_engine *engine)
{
	mx_engine_note(engine);
	if (!engine->has_news)
		return;
	engine->has_news = 0;
	mx_engine_wake(engine);
}
