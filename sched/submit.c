/*
 * Jobs as callers see them: submit, wait, take the outputs, free.
 */
#include "sched/engine_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/network.h"
#include "lib/size.h"

#define NS_PER_S 1000000000u

static float pattern(uint32_t i)
{
	/* A full-period multiplicative hash: neighbours differ. Signed, since
	 * that is what vector units convert. */
	const int32_t mixed = (int32_t)((i + 1) * 2654435761u >> 8);

	return (float)mixed * (1 / 8388608.0f) - 1.0f;
}

float mx_pattern_value(uint64_t i)
{
	return pattern((uint32_t)i);
}

/* The pattern, laid out as the view wants it: line by line. */
static void load_pattern(const struct mx_view *view)
{
	const struct mx_shape *shape = &view->shape;
	const size_t count = mx_shape_elems(shape);
	const uint32_t last = shape->rank ? shape->rank - 1 : 0;
	const size_t length = shape->rank ? shape->dim[last] : 1;
	const size_t stride = shape->rank ? view->stride[last] : 1;
	size_t index[MX_RANK_MAX] = {0};
	float *line = view->data;
	size_t begin, i;
	uint32_t d;

	for (begin = 0; begin < count; begin += length) {
		for (i = 0; i < length; i++)
			line[i * stride] = pattern((uint32_t)(begin + i));
		for (d = last; d-- > 0;) {
			line += view->stride[d];
			if (++index[d] < shape->dim[d])
				break;
			line -= index[d] * view->stride[d];
			index[d] = 0;
		}
	}
}

static void free_arrays(float **arrays, uint32_t count)
{
	uint32_t i;

	for (i = 0; arrays && i < count; i++)
		free(arrays[i]);
	free(arrays);
}

/* Those of a MX_SUBMIT_BORROWED job are the caller's. */
static void drop_inputs(struct mx_job *job)
{
	if (job->borrows)
		free(job->inputs);
	else
		free_arrays(job->inputs, job->home->net->input_count);
	job->inputs = NULL;
}

static int make_outputs(struct mx_job *job)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;

	job->outputs = calloc((size_t)net->output_count + 1, sizeof(float *));
	if (!job->outputs)
		return -ENOMEM;
	for (i = 0; i < net->output_count; i++) {
		const size_t elems =
			mx_shape_elems(&net->tensors[net->outputs[i]].shape);

		job->outputs[i] = calloc(elems ? elems : 1, sizeof(float));
		if (!job->outputs[i])
			return -ENOMEM;
	}
	return 0;
}

int mx_job_prepare(struct mx_job *job, struct mx_err *err)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;
	int rc;

	/* Not earlier: many jobs may wait. */
	if (make_outputs(job))
		return mx_fail(err, ENOMEM, "%s: no memory for its outputs",
			       net->name);
	if (!job->frame) {
		rc = mx_frame_new(&job->frame, net, &job->home->arena,
				  job->frame_memory, err);
		if (rc)
			return rc;
	}
	for (i = 0; i < net->input_count; i++) {
		const struct mx_view *view =
			mx_frame_view(job->frame, net->inputs[i].tensor);

		if (job->inputs[i])
			mx_view_load(view, job->inputs[i]);
		else
			load_pattern(view);
	}
	drop_inputs(job);
	return 0;
}

/* The arrays that are given, as they are. */
static int borrow_inputs(struct mx_job *job, const float *const *inputs)
{
	const uint32_t count = job->home->net->input_count;
	uint32_t i;

	job->borrows = 1;
	job->inputs = calloc((size_t)count + 1, sizeof(float *));
	if (!job->inputs)
		return -ENOMEM;
	/* Nobody writes to them. */
	for (i = 0; inputs && i < count; i++)
		job->inputs[i] = (float *)(uintptr_t)inputs[i];
	return 0;
}

/* Copies of what is given; *@out is to be freed even after a failure. */
static int copy_inputs(const struct mx_network *net, const float *const *inputs,
		       float ***out)
{
	float **copies;
	uint32_t i;

	copies = calloc((size_t)net->input_count + 1, sizeof(float *));
	*out = copies;
	if (!copies)
		return -ENOMEM;
	for (i = 0; inputs && i < net->input_count; i++) {
		const size_t bytes =
			mx_shape_elems(
				&net->tensors[net->inputs[i].tensor].shape) *
			sizeof(float);

		if (!inputs[i])
			continue;
		copies[i] = malloc(bytes ? bytes : 1);
		if (!copies[i])
			return -ENOMEM;
		memcpy(copies[i], inputs[i], bytes);
	}
	return 0;
}

/* What a job keeps count of. */
static int make_counts(struct mx_job *job)
{
	const uint32_t places = job->engine->worker_count + 1;
	uint32_t i;

	job->layer_ns = calloc((size_t)job->home->net->layer_count + 1,
			       sizeof(*job->layer_ns));
	job->open = calloc(places, sizeof(*job->open));
	if (!job->layer_ns || !job->open)
		return -ENOMEM;
	for (i = 0; i < places; i++)
		job->open[i].step = MX_STEP_NONE;
	return 0;
}

/* A job of which nobody knows yet. */
static int make_job(struct mx_engine *engine, uint32_t index,
		    const struct mx_submit_opts *opts, struct mx_job **out)
{
	struct mx_job *job;
	int rc;

	assert(index < engine->net_count);
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->engine = engine;
	job->home = engine->nets[index];
	job->user = opts->user;
	job->ended = 1;
	job->times.arrival_ns =
		opts->arrival_ns ? opts->arrival_ns : mx_engine_now(engine);
	pthread_mutex_lock(&engine->lock);
	engine->job_count++;
	pthread_mutex_unlock(&engine->lock);
	if (opts->flags & MX_SUBMIT_BORROWED)
		rc = borrow_inputs(job, opts->inputs);
	else
		rc = copy_inputs(job->home->net, opts->inputs, &job->inputs);
	if (!rc)
		rc = make_counts(job);
	if (rc)
		mx_job_free(job);
	else
		*out = job;
	return rc;
}

int mx_engine_submit_with(struct mx_engine *engine, uint32_t index,
			  const struct mx_submit_opts *opts,
			  struct mx_job **out, struct mx_err *err)
{
	struct mx_board_arrival arrival = {
		.net = index,
		.arrival = opts->arrival,
		.held = (opts->flags & MX_SUBMIT_HELD) != 0,
		.chance = opts->chance,
	};
	struct mx_job *job;
	int rc;

	rc = mx_engine_start(engine, err);
	if (rc)
		return rc;
	rc = make_job(engine, index, opts, &job);
	if (rc)
		goto fail;
	arrival.arrival_ns = job->times.arrival_ns;
	arrival.user = job;
	mx_engine_lock(engine);
	job->board = mx_board_arrive(engine->board, &arrival, engine->now_ns);
	if (job->board) {
		job->ended = 0;
		engine->live_count++;
		/* What has come with the event is looked at now. */
		mx_engine_settle(engine);
	}
	pthread_mutex_unlock(&engine->lock);
	if (!job->board) {
		mx_job_free(job);
		goto fail;
	}
	*out = job;
	return 0;

fail:
	return mx_fail(err, ENOMEM, "%s: no memory for a job",
		       engine->nets[index]->net->name);
}

int mx_engine_submit(struct mx_engine *engine, uint32_t index,
		     const float *const *inputs, struct mx_job **out,
		     struct mx_err *err)
{
	const struct mx_submit_opts opts = {.inputs = inputs};

	return mx_engine_submit_with(engine, index, &opts, out, err);
}

int mx_job_release(struct mx_job *job, const float *const *inputs,
		   struct mx_err *err)
{
	struct mx_engine *engine = job->engine;
	const struct mx_network *net = job->home->net;
	struct mx_err why = {""};
	float **copies = NULL;
	int rc = 0;

	if (inputs && copy_inputs(net, inputs, &copies))
		rc = mx_fail(&why, ENOMEM, "%s: no memory for inputs",
			     net->name);
	mx_engine_lock(engine);
	if (rc) {
		mx_job_end(job, rc, &why);
	} else if (job->board->state == MX_JOB_HELD) {
		if (copies) {
			drop_inputs(job);
			job->inputs = copies;
			job->borrows = 0;
			copies = NULL;
		}
		mx_board_release(engine->board, job->board, engine->now_ns);
	}
	mx_engine_settle(engine);
	pthread_mutex_unlock(&engine->lock);
	free_arrays(copies, net->input_count);
	if (rc && err)
		*err = why;
	return rc;
}

void mx_job_cancel(struct mx_job *job)
{
	struct mx_err err;

	(void)mx_fail(&err, ECANCELED, "%s: cancelled", job->home->net->name);
	mx_engine_lock(job->engine);
	mx_job_end(job, -ECANCELED, &err);
	mx_engine_settle(job->engine);
	pthread_mutex_unlock(&job->engine->lock);
}

void *mx_job_user(const struct mx_job *job)
{
	return job->user;
}

/* Returns -ETIMEDOUT past @until_ns on the engine's clock. Lock held. */
static int wait_until(struct mx_engine *engine, uint64_t until_ns)
{
	struct timespec until;
	uint64_t ns;

	if (until_ns == MX_TIME_NEVER)
		return -pthread_cond_wait(&engine->done, &engine->lock);
	ns = engine->opened_ns + until_ns;
	until.tv_sec = (time_t)(ns / NS_PER_S);
	until.tv_nsec = (long)(ns % NS_PER_S);
	return -pthread_cond_timedwait(&engine->done, &engine->lock, &until);
}

int mx_engine_next_ended(struct mx_engine *engine, uint64_t until_ns,
			 struct mx_job **out)
{
	int rc = 0;

	pthread_mutex_lock(&engine->lock);
	while (!rc && !engine->ended)
		rc = engine->live_count ? wait_until(engine, until_ns)
					: -ENOENT;
	if (engine->ended) {
		*out = engine->ended;
		mx_engine_unlist(engine->ended);
		rc = 0;
	}
	pthread_mutex_unlock(&engine->lock);
	return rc;
}

int mx_job_wait(struct mx_job *job, struct mx_job_times *times,
		struct mx_err *err)
{
	struct mx_engine *engine = job->engine;

	pthread_mutex_lock(&engine->lock);
	while (!job->ended)
		pthread_cond_wait(&engine->done, &engine->lock);
	pthread_mutex_unlock(&engine->lock);
	if (times)
		*times = job->times;
	if (job->status && err)
		*err = job->err;
	return job->status;
}

const uint64_t *mx_job_layer_ns(const struct mx_job *job)
{
	return job->layer_ns;
}

void mx_job_output(const struct mx_job *job, uint32_t k, float *out)
{
	const struct mx_network *net = job->home->net;

	assert(job->ended && k < net->output_count);
	memcpy(out, job->outputs[k],
	       mx_shape_elems(&net->tensors[net->outputs[k]].shape) *
		       sizeof(float));
}

void mx_job_free(struct mx_job *job)
{
	const struct mx_network *net;

	if (!job)
		return;
	net = job->home->net;
	pthread_mutex_lock(&job->engine->lock);
	assert(job->ended);
	mx_engine_unlist(job);
	if (job->board)
		mx_board_forget(job->engine->board, job->board);
	job->engine->job_count--;
	pthread_mutex_unlock(&job->engine->lock);
	drop_inputs(job);
	free_arrays(job->outputs, net->output_count);
	free(job->open);
	free(job->layer_ns);
	free(job);
}
