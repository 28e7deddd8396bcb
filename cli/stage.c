#include "cli/stage.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "cli/preprocess.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"

/* ---- setting up ---- */

static const struct mx_network *net_of(const struct mx_stage *stage)
{
	return stage->task->feed.net;
}

static const struct mx_shape *input_shape(const struct mx_network *net,
					  uint32_t index)
{
	return &net->tensors[net->inputs[index].tensor].shape;
}

/* The name of a class; NULL if it has none. */
static const char *label_of(const struct mx_stage *stage, size_t class_index)
{
	const struct mx_network *net = net_of(stage);

	if (stage->plan->label_count)
		return class_index < stage->plan->label_count
			       ? stage->plan->labels[class_index]
			       : NULL;
	return class_index < net->label_count ? net->labels[class_index] : NULL;
}

static int find_class(const struct mx_stage *stage, const char *text,
		      const char *path, uint32_t *out, struct mx_err *err)
{
	const size_t count = stage->plan->label_count
				     ? stage->plan->label_count
				     : net_of(stage)->label_count;
	uint64_t number;
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(label_of(stage, i), text)) {
			*out = (uint32_t)i;
			return 0;
		}
	if (mx_parse_count(text, UINT32_MAX - 1, &number))
		return mx_fail(err, EBADMSG,
			       "%s:%zu: stage %s: only: %s has no class %s",
			       path, stage->plan->line, stage->plan->name,
			       stage->task->name, text);
	*out = (uint32_t)number;
	return 0;
}

static int init_detector(struct mx_stage *stage, const char *path,
			 struct mx_err *err)
{
	const struct mx_pipeline_stage *plan = stage->plan;
	struct mx_detect_opts opts = plan->detect;
	struct mx_err why;
	size_t i;
	int rc = 0;

	stage->only = calloc(plan->only_count + 1, sizeof(*stage->only));
	stage->detections = calloc(opts.most, sizeof(*stage->detections));
	if (!stage->only || !stage->detections)
		return mx_fail(err, ENOMEM, "%s: no memory", plan->name);
	for (i = 0; !rc && i < plan->only_count; i++)
		rc = find_class(stage, plan->only[i], path, &stage->only[i],
				err);
	if (rc)
		return rc;
	opts.only = stage->only;
	opts.only_count = plan->only_count;
	rc = mx_detector_init(&stage->detector, &opts, net_of(stage), &why);
	if (rc)
		return mx_fail(err, -rc, "%s:%zu: stage %s: %s", path,
			       plan->line, plan->name, why.text);
	/* A box alone is a thing; of several scores the first is nothing. */
	if (stage->detector.class_count == 1)
		stage->detector.opts.background = MX_BACKGROUND_NONE;
	return 0;
}

/* The output with a score for each class. */
static int find_output(struct mx_stage *stage, const char *path,
		       struct mx_err *err)
{
	const struct mx_pipeline_stage *plan = stage->plan;
	const struct mx_network *net = net_of(stage);
	uint32_t i = plan->output;

	if (i != MX_CONTEXT_NONE &&
	    (i >= net->output_count || !mx_result_is_vector(&stage->result, i)))
		return mx_fail(err, EBADMSG,
			       "%s:%zu: stage %s: %s has no output %u of "
			       "scores",
			       path, plan->line, plan->name, stage->task->name,
			       i);
	if (i == MX_CONTEXT_NONE)
		for (i = 0; i < net->output_count; i++)
			if (mx_result_is_vector(&stage->result, i))
				break;
	if (i == net->output_count)
		return 0;
	stage->output = i;
	i = net->outputs[i];
	stage->scores = calloc(mx_shape_elems(&net->tensors[i].shape),
			       sizeof(*stage->scores));
	stage->order =
		calloc(mx_size_max(stage->top, 1), sizeof(*stage->order));
	return stage->scores && stage->order
		       ? 0
		       : mx_fail(err, ENOMEM, "%s: no memory", plan->name);
}

static int init_place(struct mx_stage *stage, struct mx_stage_place *place,
		      struct mx_err *err)
{
	static unsigned char grey[] = {128, 128, 128};
	const struct mx_network *net = net_of(stage);
	const struct mx_photo picture = {
		.path = stage->task->directory,
		.image = {.width = 1, .height = 1, .rgb = grey},
	};
	const struct mx_image_part part = {.width = 1, .height = 1};

	place->stage = stage;
	place->inputs = calloc((size_t)net->input_count + 1, sizeof(float *));
	if (!place->inputs)
		return mx_fail(err, ENOMEM, "%s: no memory", stage->plan->name);
	place->inputs[0] =
		calloc(mx_size_max(mx_shape_elems(input_shape(net, 0)), 1),
		       sizeof(float));
	if (!place->inputs[0])
		return mx_fail(err, ENOMEM, "%s: no memory for an input",
			       stage->plan->name);
	/* Whether it takes a picture at all is seen, and memory touched. */
	return mx_stage_fill(place, &picture, &part, err);
}

static int init_result(struct mx_stage *stage, struct mx_err *err)
{
	const struct mx_network *net = net_of(stage);
	struct mx_array *array;
	uint32_t i;
	int rc;

	rc = mx_result_init(&stage->result, net, 1, err);
	for (i = 0; !rc && i < net->output_count; i++) {
		array = &stage->result.outputs[i];
		memset(array->data, 0xff,
		       mx_shape_elems(&array->shape) * sizeof(float));
	}
	return rc;
}

int mx_stage_init(struct mx_stage *stage, const struct mx_pipeline_stage *plan,
		  const char *path, struct mx_task *task, size_t top,
		  struct mx_err *err)
{
	uint32_t i;
	int rc;

	*stage = (struct mx_stage){
		.plan = plan,
		.task = task,
		.output = MX_CONTEXT_NONE,
		.top = top,
	};
	mx_chance_init(&stage->chance);
	stage->places = calloc(plan->at_once, sizeof(*stage->places));
	if (!stage->places)
		return mx_fail(err, ENOMEM, "%s: no memory", plan->name);
	if (!net_of(stage)->input_count)
		return mx_fail(err, EINVAL, "%s: it takes no input",
			       task->directory);
	rc = init_result(stage, err);
	if (!rc)
		rc = plan->detects ? init_detector(stage, path, err)
				   : find_output(stage, path, err);
	for (i = 0; !rc && i < plan->at_once; i++)
		rc = init_place(stage, &stage->places[i], err);
	return rc;
}

void mx_stage_fini(struct mx_stage *stage)
{
	uint32_t i;

	for (i = 0; stage->places && i < stage->plan->at_once; i++) {
		if (stage->places[i].inputs)
			free(stage->places[i].inputs[0]);
		free(stage->places[i].inputs);
	}
	free(stage->places);
	mx_detector_fini(&stage->detector);
	mx_result_fini(&stage->result);
	free(stage->only);
	free(stage->detections);
	free(stage->scores);
	free(stage->order);
	*stage = (struct mx_stage){.plan = NULL};
}

uint64_t mx_stage_output_bytes(const struct mx_stage *stage)
{
	const struct mx_network *net = net_of(stage);
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < net->output_count; i++)
		bytes += mx_shape_elems(&net->tensors[net->outputs[i]].shape) *
			 sizeof(float);
	return bytes;
}

int mx_stage_answers(const struct mx_stage *stage,
		     const struct mx_condition *condition)
{
	switch (condition->what) {
	case MX_CONDITION_COUNT:
		return 1;
	case MX_CONDITION_VALUE:
		return condition->output < net_of(stage)->output_count;
	default:
		return stage->plan->detects || stage->output != MX_CONTEXT_NONE;
	}
}

struct mx_stage_place *mx_stage_find_place(struct mx_stage *stage)
{
	struct mx_stage_place *place = stage->places;

	while (place->job)
		place++;
	return place;
}

int mx_stage_fill(const struct mx_stage_place *place,
		  const struct mx_photo *picture,
		  const struct mx_image_part *part, struct mx_err *err)
{
	const struct mx_network *net = net_of(place->stage);

	return mx_photo_fill(picture, part, &net->inputs[0].preprocess,
			     input_shape(net, 0), place->inputs[0], err);
}

/* ---- a job's outputs ---- */

static struct mx_finding finding_of(const struct mx_stage *stage,
				    size_t class_index, float score)
{
	return (struct mx_finding){
		.class_index = (uint32_t)class_index,
		.label = label_of(stage, class_index),
		.score = score,
	};
}

/* A detection's box, which is in the network's input, in the picture that the
 * job has seen a part of. */
static struct mx_image_part locate(const struct mx_preprocess_mapping *map,
				   const struct mx_image_part *seen,
				   const struct mx_area *area)
{
	const struct mx_area inside = {
		(area->left + map->left) * map->x_scale,
		(area->top + map->top) * map->y_scale,
		(area->right + map->left) * map->x_scale,
		(area->bottom + map->top) * map->y_scale,
	};
	struct mx_image_part part;

	part = mx_photo_part(seen->width, seen->height, &inside, 1);
	part.left += seen->left;
	part.top += seen->top;
	return part;
}

static int read_detections(struct mx_stage *stage,
			   const struct mx_photo *picture,
			   struct mx_stage_job *out, struct mx_err *err)
{
	const struct mx_image seen = {
		.width = out->part.width,
		.height = out->part.height,
	};
	const struct mx_detector *detector = &stage->detector;
	const struct mx_network *net = net_of(stage);
	const struct mx_array *outputs = stage->result.outputs;
	struct mx_preprocess_mapping map;
	uint32_t count, i;
	int rc;

	rc = mx_preprocess_map(&net->inputs[0].preprocess, &seen,
			       input_shape(net, 0), picture->path, &map, err);
	if (rc)
		return rc;
	count = mx_detector_run(
		&stage->detector, outputs[detector->opts.scores].data,
		outputs[detector->opts.boxes].data, stage->detections);
	out->findings = calloc((size_t)count + 1, sizeof(*out->findings));
	out->parts = calloc((size_t)count + 1, sizeof(*out->parts));
	if (!out->findings || !out->parts)
		return mx_fail(err, ENOMEM, "%s: no memory for %u detections",
			       picture->path, count);
	for (i = 0; i < count; i++) {
		const struct mx_detection *found = &stage->detections[i];

		out->findings[i] =
			finding_of(stage, found->class_index, found->score);
		out->parts[i] = locate(&map, &out->part, &found->area);
	}
	out->finding_count = count;
	return 0;
}

static void soften(float *values, size_t count)
{
	double sum = 0;
	float most = -INFINITY;
	size_t i;

	for (i = 0; i < count; i++)
		most = fmaxf(most, values[i]);
	for (i = 0; i < count; i++) {
		values[i] = expf(values[i] - most);
		sum += (double)values[i];
	}
	for (i = 0; i < count; i++)
		values[i] = (float)((double)values[i] / sum);
}

static int read_classes(struct mx_stage *stage, struct mx_stage_job *out,
			struct mx_err *err)
{
	const float *values;
	size_t count, n, i;

	values = mx_result_sample(&stage->result, stage->output, 0, &count);
	memcpy(stage->scores, values, count * sizeof(*values));
	if (stage->plan->softmax)
		soften(stage->scores, count);
	n = mx_top(stage->scores, count, stage->top, stage->order);
	out->findings = calloc(n + 1, sizeof(*out->findings));
	if (!out->findings)
		return mx_fail(err, ENOMEM, "%s: no memory for its answer",
			       stage->plan->name);
	for (i = 0; i < n; i++)
		out->findings[i] = finding_of(stage, stage->order[i],
					      stage->scores[stage->order[i]]);
	out->finding_count = (uint32_t)n;
	return 0;
}

static int note_outputs(const struct mx_stage *stage, struct mx_stage_job *out,
			struct mx_err *err)
{
	const struct mx_result *result = &stage->result;
	const uint32_t count = result->net->output_count;
	struct mx_output_note *note;
	const float *values;
	uint32_t i;

	out->outputs = calloc((size_t)count + 1, sizeof(*out->outputs));
	out->values = calloc((size_t)count + 1, sizeof(*out->values));
	if (!out->outputs || !out->values)
		return mx_fail(err, ENOMEM, "%s: no memory for its answer",
			       stage->plan->name);
	for (i = 0; i < count; i++) {
		note = &out->outputs[i];
		values = mx_result_sample(result, i, 0, &note->count);
		mx_summary_init(&note->summary, values, note->count);
		if (note->count <= MX_OUTPUT_WHOLE_MAX)
			memcpy(note->whole, values,
			       note->count * sizeof(*values));
		out->values[i] = note->count ? values[0] : NAN;
	}
	return 0;
}

int mx_stage_read(struct mx_stage_place *place, const struct mx_photo *picture,
		  struct mx_stage_job *out, struct mx_err *err)
{
	struct mx_stage *stage = place->stage;
	int rc;

	mx_result_take(&stage->result, 0, place->job);
	rc = note_outputs(stage, out, err);
	if (!rc && stage->plan->detects)
		rc = read_detections(stage, picture, out, err);
	else if (!rc && stage->output != MX_CONTEXT_NONE)
		rc = read_classes(stage, out, err);
	return rc;
}

void mx_stage_job_fini(struct mx_stage_job *job)
{
	free(job->fault);
	free(job->findings);
	free(job->parts);
	free(job->values);
	free(job->outputs);
	*job = (struct mx_stage_job){.fault = NULL};
}

struct mx_answer mx_stage_answer(const struct mx_stage *stage,
				 const struct mx_stage_job *job)
{
	struct mx_answer answer = {
		.findings = job->findings,
		.finding_count = job->finding_count,
		.values = job->values,
		.value_count = net_of(stage)->output_count,
	};

	/* Of classes only the likeliest is its answer. */
	if (!stage->plan->detects && answer.finding_count > 1)
		answer.finding_count = 1;
	return answer;
}
