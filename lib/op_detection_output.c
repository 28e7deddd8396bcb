/*
 * SSD's detections from locations, confidences and prior boxes, as in Caffe:
 * decode, non-maximum suppression for each class, the best of all classes.
 * Rows are [image, label, score, xmin, ymin, xmax, ymax], by image, then by
 * label, then by falling score.
 *
 * It is one part: what one class keeps decides over the others.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/size.h"

#define ROW_VALUES 7
#define BOX_VALUES 4
/* No such image: the mark of an unused row. */
#define NO_IMAGE (-1.0f)
#define NO_LIMIT (-1)
/* Caffe lowers the threshold by eta only while it is above this. */
#define ETA_FLOOR 0.5f

enum { IN_LOCATION, IN_CONFIDENCE, IN_PRIORS, IN_COUNT };

enum code_type { CODE_CORNER = 1, CODE_CENTER_SIZE, CODE_CORNER_SIZE };

struct params {
	size_t classes;
	size_t location_classes; /* 1 where they share it */
	int64_t background;
	int64_t top_k; /* NO_LIMIT: all */
	int64_t keep_top_k;
	enum code_type code_type;
	int variance_encoded;
	float nms_threshold;
	float eta;
	float confidence_threshold;
	size_t priors; /* from infer() */
	size_t rows; /* of one image */
};

struct box {
	float xmin;
	float ymin;
	float xmax;
	float ymax;
};

struct candidate {
	float score;
	size_t index; /* of a prior, or of a detection */
};

struct detection {
	float score;
	uint32_t label;
	int is_best; /* of all classes */
	struct box box;
};

struct job {
	const struct params *params;
	const float *location; /* of one image */
	const float *confidence;
	const float *priors;
	struct box *box; /* of one class */
	struct candidate *candidate;
	struct detection *found;
	size_t found_count;
	size_t class_first; /* where those of this class begin */
};

static int detection_bind(void *params, const struct mx_attrs *attrs,
			  struct mx_err *err)
{
	struct params *p = params;
	int64_t classes, share, code_type, encoded;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "num_classes", 0, 1, INT32_MAX,
				  &classes, err)) ||
	    (rc = mx_attrs_int_in(attrs, "share_location", 1, 0, 1, &share,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "background", 0, -1, INT32_MAX,
				  &p->background, err)) ||
	    (rc = mx_attrs_int_in(attrs, "top_k", NO_LIMIT, NO_LIMIT, INT32_MAX,
				  &p->top_k, err)) ||
	    (rc = mx_attrs_int_in(attrs, "keep_top_k", NO_LIMIT, NO_LIMIT,
				  INT32_MAX, &p->keep_top_k, err)) ||
	    (rc = mx_attrs_int_in(attrs, "code_type", CODE_CORNER, CODE_CORNER,
				  CODE_CORNER_SIZE, &code_type, err)) ||
	    (rc = mx_attrs_int_in(attrs, "variance_encoded", 0, 0, 1, &encoded,
				  err)))
		return rc;
	if (classes == 0)
		return mx_fail(err, EBADMSG,
			       "attribute num_classes is "
			       "missing");
	if (p->keep_top_k == 0)
		return mx_fail(err, EBADMSG, "attribute keep_top_k is 0");
	p->classes = (size_t)classes;
	p->location_classes = share ? 1 : (size_t)classes;
	p->code_type = (enum code_type)code_type;
	p->variance_encoded = (int)encoded;
	p->nms_threshold = mx_attrs_float(attrs, "nms_threshold", 0.3f);
	p->eta = mx_attrs_float(attrs, "eta", 1.0f);
	p->confidence_threshold =
		mx_attrs_float(attrs, "confidence_threshold", -FLT_MAX);
	return 0;
}

static int detection_infer(const struct mx_layer *layer,
			   const struct mx_shape *in, struct mx_shape *out,
			   struct mx_err *err)
{
	struct params *p = layer->params;
	const struct mx_shape *priors = &in[IN_PRIORS];
	size_t batch, elems, want, values;

	if (in[IN_LOCATION].rank < 2 || in[IN_CONFIDENCE].rank < 2 ||
	    priors->rank != 3 || priors->dim[0] != 1 || priors->dim[1] < 1 ||
	    priors->dim[1] > 2)
		return mx_fail(err, EBADMSG,
			       "wants locations, confidences "
			       "and priors [1, 2, boxes x 4]");
	if (!p->variance_encoded && priors->dim[1] != 2)
		return mx_fail(err, EBADMSG, "priors have no variances");
	values = priors->dim[2];
	p->priors = values / BOX_VALUES;
	if (p->priors == 0 || values % BOX_VALUES || p->priors > UINT32_MAX)
		return mx_fail(err, EBADMSG, "priors have %zu values", values);
	batch = in[IN_LOCATION].dim[0];
	elems = mx_shape_span(&in[IN_LOCATION], 1, in[IN_LOCATION].rank);
	if (mx_size_mul(values, p->location_classes, &want) || elems != want)
		return mx_fail(err, EBADMSG,
			       "%zu location values for %zu priors", elems,
			       p->priors);
	elems = mx_shape_span(&in[IN_CONFIDENCE], 1, in[IN_CONFIDENCE].rank);
	if (in[IN_CONFIDENCE].dim[0] != batch ||
	    mx_size_mul(p->priors, p->classes, &want) || elems != want)
		return mx_fail(err, EBADMSG,
			       "%zu confidence values for %zu priors", elems,
			       p->priors);
	p->rows = p->keep_top_k == NO_LIMIT ? want : (size_t)p->keep_top_k;
	out->rank = 4;
	out->dim[0] = 1;
	out->dim[1] = 1;
	out->dim[3] = ROW_VALUES;
	if (mx_size_mul(p->rows, batch, &out->dim[2]) ||
	    mx_shape_count(out, &elems))
		return mx_fail(err, EBADMSG, "output has too many elements");
	return 0;
}

/* What one class can keep. */
static size_t class_limit(const struct params *p)
{
	return p->top_k == NO_LIMIT ? p->priors
				    : mx_size_min(p->priors, (size_t)p->top_k);
}

static size_t candidate_limit(const struct params *p)
{
	return mx_size_max(p->priors, p->classes * class_limit(p));
}

static size_t detection_scratch_bytes(const struct mx_layer *layer)
{
	const struct params *p = layer->params;

	return candidate_limit(p) * sizeof(struct candidate) +
	       p->classes * class_limit(p) * sizeof(struct detection) +
	       p->priors * sizeof(struct box);
}

static uint64_t detection_macs(const struct mx_layer *layer)
{
	return (uint64_t)mx_shape_elems(&layer->in_shape[IN_LOCATION]) +
	       mx_shape_elems(&layer->in_shape[IN_CONFIDENCE]);
}

static struct box decode(const struct params *p, const float *location,
			 const float *prior, const float *variance)
{
	static const float ones[BOX_VALUES] = {1.0f, 1.0f, 1.0f, 1.0f};
	const float *v = p->variance_encoded ? ones : variance;
	const float width = prior[2] - prior[0];
	const float height = prior[3] - prior[1];
	const float x_unit = p->code_type == CODE_CORNER ? 1.0f : width;
	const float y_unit = p->code_type == CODE_CORNER ? 1.0f : height;
	float x, y, half_width, half_height;
	struct box box;

	if (p->code_type == CODE_CENTER_SIZE) {
		x = v[0] * location[0] * width + (prior[0] + prior[2]) / 2.0f;
		y = v[1] * location[1] * height + (prior[1] + prior[3]) / 2.0f;
		half_width = expf(v[2] * location[2]) * width / 2.0f;
		half_height = expf(v[3] * location[3]) * height / 2.0f;
		box.xmin = x - half_width;
		box.ymin = y - half_height;
		box.xmax = x + half_width;
		box.ymax = y + half_height;
		return box;
	}
	box.xmin = prior[0] + v[0] * location[0] * x_unit;
	box.ymin = prior[1] + v[1] * location[1] * y_unit;
	box.xmax = prior[2] + v[2] * location[2] * x_unit;
	box.ymax = prior[3] + v[3] * location[3] * y_unit;
	return box;
}

/* All boxes of a class (of all, where they share them) into job->box. */
static void decode_class(struct job *job, size_t label)
{
	const struct params *p = job->params;
	const size_t step = p->location_classes * BOX_VALUES;
	const float *location = job->location;
	const float *variance = job->priors + p->priors * BOX_VALUES;
	size_t i;

	if (p->location_classes > 1)
		location += label * BOX_VALUES;
	for (i = 0; i < p->priors; i++)
		job->box[i] = decode(
			p, location + i * step, job->priors + i * BOX_VALUES,
			p->variance_encoded ? NULL : variance + i * BOX_VALUES);
}

static float area(const struct box *box)
{
	if (box->xmax < box->xmin || box->ymax < box->ymin)
		return 0.0f;
	return (box->xmax - box->xmin) * (box->ymax - box->ymin);
}

/* Intersection over union. */
static float overlap(const struct box *a, const struct box *b)
{
	const float width = fminf(a->xmax, b->xmax) - fmaxf(a->xmin, b->xmin);
	const float height = fminf(a->ymax, b->ymax) - fmaxf(a->ymin, b->ymin);

	if (!(width > 0.0f && height > 0.0f))
		return 0.0f;
	return width * height / (area(a) + area(b) - width * height);
}

static int is_before(const struct candidate *a, const struct candidate *b)
{
	return a->score > b->score ||
	       (a->score == b->score && a->index < b->index);
}

/* Keep the heap whose top is the last of all; as in any heap sort, the array
 * comes out with the first of all in front. */
static void sift_down(struct candidate *heap, size_t count, size_t at)
{
	const struct candidate moved = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
		    is_before(&heap[child], &heap[child + 1]))
			child++;
		if (!is_before(&moved, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void sort(struct candidate *heap, size_t count)
{
	size_t i;

	for (i = count / 2; i-- > 0;)
		sift_down(heap, count, i);
	while (count-- > 1) {
		const struct candidate last = heap[0];

		heap[0] = heap[count];
		heap[count] = last;
		sift_down(heap, count, 0);
	}
}

static int is_kept(const struct job *job, const struct box *box,
		   float threshold)
{
	size_t i;

	for (i = job->class_first; i < job->found_count; i++)
		if (!(overlap(box, &job->found[i].box) <= threshold))
			return 0;
	return 1;
}

/* One class: candidates by falling score, each kept that no kept one covers. */
static void suppress(struct job *job, size_t label)
{
	const struct params *p = job->params;
	const float *score = job->confidence + label;
	float threshold = p->nms_threshold;
	size_t count = 0;
	size_t i;

	for (i = 0; i < p->priors; i++, score += p->classes)
		if (*score > p->confidence_threshold)
			job->candidate[count++] =
				(struct candidate){.score = *score, .index = i};
	sort(job->candidate, count);
	count = mx_size_min(count, class_limit(p));
	job->class_first = job->found_count;
	for (i = 0; i < count; i++) {
		const struct candidate *next = &job->candidate[i];
		const struct box *box = &job->box[next->index];

		if (!is_kept(job, box, threshold))
			continue;
		job->found[job->found_count] = (struct detection){
			.score = next->score,
			.label = (uint32_t)label,
			.is_best = 1,
			.box = *box,
		};
		job->found_count++;
		if (p->eta < 1.0f && threshold > ETA_FLOOR)
			threshold *= p->eta;
	}
}

/* Of all classes' detections the best keep_top_k; their order stays. */
static void keep_best(struct job *job)
{
	const size_t keep = (size_t)job->params->keep_top_k;
	size_t i;

	if (job->params->keep_top_k == NO_LIMIT || job->found_count <= keep)
		return;
	for (i = 0; i < job->found_count; i++)
		job->candidate[i] = (struct candidate){
			.score = job->found[i].score, .index = i};
	sort(job->candidate, job->found_count);
	for (i = keep; i < job->found_count; i++)
		job->found[job->candidate[i].index].is_best = 0;
}

static void detect(struct job *job)
{
	const struct params *p = job->params;
	size_t label;

	job->found_count = 0;
	if (p->location_classes == 1)
		decode_class(job, 0);
	for (label = 0; label < p->classes; label++) {
		if ((int64_t)label == p->background)
			continue;
		if (p->location_classes > 1)
			decode_class(job, label);
		suppress(job, label);
	}
	keep_best(job);
}

/* From @row on; returns the row after the last one written. */
static size_t write_rows(const struct job *job, size_t image,
			 const struct mx_view *out, size_t row)
{
	size_t i;
	float *y;

	for (i = 0; i < job->found_count; i++) {
		const struct detection *found = &job->found[i];

		if (!found->is_best)
			continue;
		y = out->data + row * out->stride[2];
		y[0] = (float)image;
		y[out->stride[3]] = (float)found->label;
		y[2 * out->stride[3]] = found->score;
		y[3 * out->stride[3]] = found->box.xmin;
		y[4 * out->stride[3]] = found->box.ymin;
		y[5 * out->stride[3]] = found->box.xmax;
		y[6 * out->stride[3]] = found->box.ymax;
		row++;
	}
	return row;
}

static void detection_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const struct mx_view *out = &args->out[0];
	const size_t images = args->in[IN_LOCATION].shape.dim[0];
	struct job job = {
		.params = p,
		.priors = args->in[IN_PRIORS].data,
		.candidate = args->scratch,
	};
	size_t image, k;
	size_t row = 0;

	if (parts.begin == parts.end)
		return;
	/* By falling alignment. */
	job.found = (struct detection *)(void *)(job.candidate +
						 candidate_limit(p));
	job.box =
		(struct box *)(void *)(job.found + p->classes * class_limit(p));
	for (image = 0; image < images; image++) {
		job.location =
			args->in[IN_LOCATION].data +
			image * p->priors * p->location_classes * BOX_VALUES;
		job.confidence = args->in[IN_CONFIDENCE].data +
				 image * p->priors * p->classes;
		detect(&job);
		row = write_rows(&job, image, out, row);
	}
	for (; row < out->shape.dim[2]; row++)
		for (k = 0; k < ROW_VALUES; k++)
			out->data[row * out->stride[2] + k * out->stride[3]] =
				k ? 0.0f : NO_IMAGE;
}

const struct mx_op mx_op_detection_output = {
	.name = "DetectionOutput",
	.traits = MX_OP_ORDERED,
	.in_min = IN_COUNT,
	.in_max = IN_COUNT,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = detection_bind,
	.infer = detection_infer,
	.scratch_bytes = detection_scratch_bytes,
	.macs = detection_macs,
	.run = detection_run,
};
