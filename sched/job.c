/*
 * A job's way: submitted -> admitted (memory for its activations) -> prepared
 * (its inputs are in them) -> [layer: parts taken, parts given back]* -> done.
 *
 * Invariants, under the engine's lock:
 *
 *  (1) A layer begins when every part of the one before has been given back.
 *  (2) A job is in the engine's queue from submit until its last part is back,
 *      or, after a failure, until no worker is on it.
 */
#include "sched/engine_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/network.h"
#include "lib/size.h"
#include "sched/clock.h"

/* With several workers, each layer is cut into at least this many chunks a
 * worker, so that one that comes late still finds something to do. */
#define CHUNKS_PER_WORKER 4

static const struct mx_layer *layer_of(const struct mx_job *job)
{
	return &job->home->net->layers[job->layer];
}

static uint64_t since_open(const struct mx_engine *engine)
{
	return mx_clock_ns() - engine->opened_ns;
}

void mx_job_begin_layer(struct mx_job *job)
{
	job->next_part = 0;
	job->part_count = job->layer < job->home->net->layer_count
				  ? mx_layer_part_count(layer_of(job))
				  : 0;
}

static void keep_outputs(struct mx_job *job)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;

	for (i = 0; i < net->output_count; i++)
		mx_view_store(mx_frame_view(job->frame, net->outputs[i]),
			      job->outputs[i]);
}

/* The next job may have its memory. */
static void give_up_frame(struct mx_job *job)
{
	struct mx_engine *engine = job->engine;

	if (job->frame && !job->frame_memory && !job->home->spare)
		job->home->spare = job->frame;
	else
		mx_frame_free(job->frame);
	job->frame = NULL;
	if (job->frame_memory)
		mx_slab_give(&engine->activations, job->frame_memory);
	job->frame_memory = NULL;
	if (engine->queue)
		mx_engine_wake(engine);
}

static void leave_queue(struct mx_job *job)
{
	struct mx_engine *engine = job->engine;
	struct mx_job **at = &engine->queue;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (!*at)
		engine->queue_tail = at;
	job->times.finish_ns = since_open(engine);
	job->finished = 1;
	mx_pager_end(job->run);
	job->run = NULL;
	if (!job->status)
		keep_outputs(job);
	give_up_frame(job);
	pthread_cond_broadcast(&engine->done);
}

/* The job ends as soon as no worker is on it. */
static void fail(struct mx_job *job, int status)
{
	job->status = status;
	if (job->running == 0)
		leave_queue(job);
}

/* The slice of @layer that holds block @block. */
static uint32_t slice_of(const struct mx_network *net,
			 const struct mx_layer *layer, size_t block)
{
	uint32_t low = layer->first_slice;
	uint32_t high = layer->first_slice + layer->slice_count;

	if (layer->slice_count == 0)
		return MX_NONE;
	while (high - low > 1) {
		const uint32_t middle = low + (high - low) / 2;

		if (net->slices[middle].first_block <= block)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/*
 * A job without a frame: memory for its activations if there is some now, and
 * a run of its weights. The worker that takes the chunk makes the frame.
 */
static int admit(struct mx_job *job, struct mx_chunk *chunk)
{
	struct mx_engine *engine = job->engine;
	const size_t bytes = mx_size_max(job->home->arena.total_bytes, 1);
	int rc;

	if (job->preparing)
		return 0;
	if (engine->plan.streaming) {
		job->frame_memory = mx_slab_take(&engine->activations, bytes);
		if (!job->frame_memory)
			return 0;
	} else {
		job->frame = job->home->spare;
		job->home->spare = NULL;
	}
	rc = mx_pager_begin(engine->pager, job->home->pager_index, &job->run,
			    &job->err);
	if (rc) {
		fail(job, rc);
		return 0;
	}
	job->preparing = 1;
	*chunk = (struct mx_chunk){
		.job = job,
		.slice = MX_NONE,
		.prepares = 1,
	};
	return 1;
}

/*
 * Parts of @job's layer that can be computed now, all of one slice: 1 with
 * *@chunk, 0 when its slice has not come, or nothing is left to take, or it
 * has failed.
 */
static int take_from(struct mx_job *job, struct mx_chunk *chunk)
{
	const struct mx_network *net = job->home->net;
	const struct mx_layer *layer = layer_of(job);
	const uint32_t workers = job->engine->worker_count;
	size_t end = job->part_count;
	int rc;

	chunk->prepares = 0;
	chunk->job = job;
	chunk->layer = job->layer;
	chunk->slice = slice_of(net, layer, job->next_part / layer->tile_count);
	chunk->weights = NULL;
	if (chunk->slice != MX_NONE) {
		const struct mx_slice *slice = &net->slices[chunk->slice];

		rc = mx_pager_get(job->run, chunk->slice, &chunk->weights,
				  &job->err);
		if (rc == -EAGAIN) {
			if (job->running == 0 && job->stall_since_ns == 0)
				job->stall_since_ns = mx_clock_ns();
			return 0;
		}
		if (rc) {
			fail(job, rc);
			return 0;
		}
		end = mx_size_min(
			end, ((size_t)slice->first_block + slice->block_count) *
				     layer->tile_count);
	}
	if (workers > 1)
		end = mx_size_min(
			end, job->next_part +
				     mx_size_div_up(job->part_count,
						    (size_t)workers *
							    CHUNKS_PER_WORKER));
	chunk->parts.begin = job->next_part;
	chunk->parts.end = end;
	job->next_part = end;
	return 1;
}

int mx_job_take(struct mx_engine *engine, struct mx_chunk *chunk)
{
	struct mx_job *job;
	struct mx_job *next;
	uint64_t now;

	for (job = engine->queue; job; job = next) {
		next = job->next; /* a job that fails leaves the queue */
		if (job->status)
			continue;
		if (job->ready ? job->next_part < job->part_count &&
					 take_from(job, chunk)
			       : admit(job, chunk))
			break;
	}
	if (!job)
		return 0;
	now = mx_clock_ns();
	if (job->times.start_ns == 0)
		job->times.start_ns = now - engine->opened_ns;
	if (job->stall_since_ns) {
		job->times.stall_ns += now - job->stall_since_ns;
		job->stall_since_ns = 0;
	}
	if (job->running++ == 0)
		job->compute_since_ns = now;
	return 1;
}

/* Parts have been computed: a slice whose last ones they were can go. */
static void count_down(struct mx_job *job, const struct mx_chunk *chunk)
{
	if (chunk->slice == MX_NONE)
		return;
	job->slice_left[chunk->slice] -= chunk->parts.end - chunk->parts.begin;
	if (job->slice_left[chunk->slice] == 0)
		mx_pager_consumed(job->run, chunk->slice);
}

void mx_job_give_back(const struct mx_chunk *chunk, uint64_t busy_ns,
		      int status, const struct mx_err *err)
{
	struct mx_job *job = chunk->job;

	assert(job->running > 0);
	if (chunk->prepares) {
		job->ready = 1;
	} else {
		job->layer_ns[chunk->layer] += busy_ns;
		count_down(job, chunk);
	}
	if (--job->running == 0)
		job->times.compute_ns += mx_clock_ns() - job->compute_since_ns;
	if (status && !job->status) {
		job->err = *err;
		fail(job, status);
		return;
	}
	if (job->running > 0)
		return;
	if (job->status) {
		leave_queue(job);
		return;
	}
	if (job->next_part < job->part_count) {
		if (chunk->prepares)
			mx_engine_wake(job->engine);
		return;
	}
	if (job->layer < job->home->net->layer_count)
		job->layer++;
	mx_job_begin_layer(job);
	if (job->layer == job->home->net->layer_count)
		leave_queue(job);
	else
		mx_engine_wake(job->engine);
}
