/*
 * Jobs as callers see them: submit, wait, take the outputs, free.
 */
#include "sched/engine_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/network.h"
#include "lib/size.h"
#include "sched/clock.h"

float mx_pattern_value(uint64_t i)
{
	/* A full-period multiplicative hash: neighbours differ. */
	const uint32_t mixed = (uint32_t)(i + 1) * 2654435761u;

	return (float)(mixed >> 8) / 8388608.0f - 1.0f;
}

/* The pattern, laid out as the view wants it. */
static void load_pattern(const struct mx_view *view)
{
	const struct mx_shape *shape = &view->shape;
	const size_t count = mx_shape_elems(shape);
	size_t index[MX_RANK_MAX] = {0};
	size_t at = 0;
	size_t i;
	uint32_t d;

	for (i = 0; i < count; i++) {
		view->data[at] = mx_pattern_value(i);
		for (d = shape->rank; d-- > 0;) {
			at += view->stride[d];
			if (++index[d] < shape->dim[d])
				break;
			at -= index[d] * view->stride[d];
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

int mx_job_prepare(struct mx_job *job, struct mx_err *err)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;
	int rc;

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
	free_arrays(job->inputs, net->input_count);
	job->inputs = NULL;
	return 0;
}

static int copy_arrays(struct mx_job *job, const float *const *inputs)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;

	job->inputs = calloc((size_t)net->input_count + 1, sizeof(float *));
	job->outputs = calloc((size_t)net->output_count + 1, sizeof(float *));
	if (!job->inputs || !job->outputs)
		return -ENOMEM;
	for (i = 0; inputs && i < net->input_count; i++) {
		const size_t bytes =
			mx_shape_elems(
				&net->tensors[net->inputs[i].tensor].shape) *
			sizeof(float);

		if (!inputs[i])
			continue;
		job->inputs[i] = malloc(bytes ? bytes : 1);
		if (!job->inputs[i])
			return -ENOMEM;
		memcpy(job->inputs[i], inputs[i], bytes);
	}
	for (i = 0; i < net->output_count; i++) {
		const size_t elems =
			mx_shape_elems(&net->tensors[net->outputs[i]].shape);

		job->outputs[i] = calloc(elems ? elems : 1, sizeof(float));
		if (!job->outputs[i])
			return -ENOMEM;
	}
	return 0;
}

/* What a job keeps count of. */
static int make_counts(struct mx_job *job)
{
	const struct mx_network *net = job->home->net;
	uint32_t i;

	job->layer_ns =
		calloc((size_t)net->layer_count + 1, sizeof(*job->layer_ns));
	job->slice_left =
		calloc((size_t)net->slice_count + 1, sizeof(*job->slice_left));
	if (!job->layer_ns || !job->slice_left)
		return -ENOMEM;
	for (i = 0; i < net->slice_count; i++)
		job->slice_left[i] =
			(uint64_t)net->slices[i].block_count *
			net->layers[net->slices[i].layer].tile_count;
	return 0;
}

int mx_engine_submit(struct mx_engine *engine, uint32_t index,
		     const float *const *inputs, struct mx_job **out,
		     struct mx_err *err)
{
	struct mx_job *job;
	int rc;

	rc = mx_engine_start(engine, err);
	if (rc)
		return rc;
	job = calloc(1, sizeof(*job));
	if (!job)
		return mx_fail(err, ENOMEM, "no memory for a job");
	assert(index < engine->net_count);
	job->engine = engine;
	job->home = engine->nets[index];
	job->finished = 1;
	pthread_mutex_lock(&engine->lock);
	engine->job_count++;
	pthread_mutex_unlock(&engine->lock);
	job->times.arrival_ns = mx_clock_ns() - engine->opened_ns;
	rc = copy_arrays(job, inputs);
	if (!rc)
		rc = make_counts(job);
	if (rc) {
		mx_job_free(job);
		return mx_fail(err, ENOMEM, "%s: no memory for a job",
			       engine->nets[index]->net->name);
	}
	mx_job_begin_layer(job);

	pthread_mutex_lock(&engine->lock);
	job->finished = 0;
	job->home->was_run = 1;
	*engine->queue_tail = job;
	engine->queue_tail = &job->next;
	mx_engine_wake(engine);
	pthread_mutex_unlock(&engine->lock);
	*out = job;
	return 0;
}

int mx_job_wait(struct mx_job *job, struct mx_job_times *times,
		struct mx_err *err)
{
	struct mx_engine *engine = job->engine;

	pthread_mutex_lock(&engine->lock);
	while (!job->finished)
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

	assert(job->finished && k < net->output_count);
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
	assert(job->finished);
	job->engine->job_count--;
	pthread_mutex_unlock(&job->engine->lock);
	free_arrays(job->inputs, net->input_count);
	free_arrays(job->outputs, net->output_count);
	free(job->slice_left);
	free(job->layer_ns);
	free(job);
}
