#include "cli/detection.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"

#define BOX_VALUES 4
#define ROW_VALUES 7
#define YOLOX_VALUES 5 /* before the classes' */
#define CLASSES_MAX 1e6f

static const unsigned yolox_strides[] = {8, 16, 32};

#define STRIDE_COUNT (sizeof(yolox_strides) / sizeof(yolox_strides[0]))

/* ---- what the outputs must look like ---- */

static const struct mx_shape *output_shape(const struct mx_network *net,
					   uint32_t output)
{
	return &net->tensors[net->outputs[output]].shape;
}

/* The last dimension of an output of rows. */
static size_t row_length(const struct mx_shape *shape)
{
	return shape->rank ? shape->dim[shape->rank - 1] : 0;
}

static int refuse(const struct mx_network *net, uint32_t output,
		  const char *wants, struct mx_err *err)
{
	char text[MX_SHAPE_TEXT_BYTES];

	return mx_fail(err, EBADMSG, "%s: output %u (%s) is %s, not %s",
		       net->name, output,
		       net->tensors[net->outputs[output]].name,
		       mx_shape_text(output_shape(net, output), text), wants);
}

static size_t yolox_rows(const struct mx_detector *detector)
{
	size_t rows = 0, i;

	for (i = 0; i < STRIDE_COUNT; i++)
		rows += (size_t)(detector->width / yolox_strides[i]) *
			(size_t)(detector->height / yolox_strides[i]);
	return rows;
}

static int measure_pair(struct mx_detector *detector,
			const struct mx_network *net, struct mx_err *err)
{
	const struct mx_detect_opts *opts = &detector->opts;
	const struct mx_shape *boxes = output_shape(net, opts->boxes);
	size_t elems;

	if (row_length(boxes) != BOX_VALUES)
		return refuse(net, opts->boxes, "rows of 4 values", err);
	detector->row_count = mx_shape_elems(boxes) / BOX_VALUES;
	elems = mx_shape_elems(output_shape(net, opts->scores));
	if (!detector->row_count || !elems || elems % detector->row_count)
		return refuse(net, opts->scores, "a row of scores for each box",
			      err);
	detector->class_count = elems / detector->row_count;
	if (detector->class_count > 1 &&
	    row_length(output_shape(net, opts->scores)) !=
		    detector->class_count)
		return refuse(net, opts->scores, "a row of scores for each box",
			      err);
	return 0;
}

static int measure(struct mx_detector *detector, const struct mx_network *net,
		   struct mx_err *err)
{
	const struct mx_detect_opts *opts = &detector->opts;
	const struct mx_shape *shape;
	size_t length;

	if (opts->scores >= net->output_count ||
	    opts->boxes >= net->output_count)
		return mx_fail(err, EBADMSG,
			       "%s: it has %u outputs, from 0 on: no output %u",
			       net->name, net->output_count,
			       opts->scores >= net->output_count ? opts->scores
								 : opts->boxes);
	shape = net->input_count ? &net->tensors[net->inputs[0].tensor].shape
				 : NULL;
	if (!shape || shape->rank < 3)
		return mx_fail(err, EBADMSG, "%s: its input is no picture",
			       net->name);
	detector->width = (double)shape->dim[shape->rank - 1];
	detector->height = (double)shape->dim[shape->rank - 2];
	if (opts->format == MX_DETECT_CORNERS ||
	    opts->format == MX_DETECT_CENTER)
		return measure_pair(detector, net, err);
	shape = output_shape(net, opts->scores);
	length = row_length(shape);
	if (opts->format == MX_DETECT_ROWS && length != ROW_VALUES)
		return refuse(net, opts->scores, "rows of 7 values", err);
	if (opts->format == MX_DETECT_YOLOX && length <= YOLOX_VALUES)
		return refuse(net, opts->scores, "rows of more than 5 values",
			      err);
	detector->row_count = mx_shape_elems(shape) / length;
	if (opts->format == MX_DETECT_YOLOX) {
		detector->class_count = length - YOLOX_VALUES;
		if (detector->row_count != yolox_rows(detector))
			return refuse(net, opts->scores,
				      "a row for each cell of its grids", err);
	}
	return 0;
}

int mx_detector_init(struct mx_detector *detector,
		     const struct mx_detect_opts *opts,
		     const struct mx_network *net, struct mx_err *err)
{
	int rc;

	*detector = (struct mx_detector){.opts = *opts};
	rc = measure(detector, net, err);
	if (rc)
		return rc;
	detector->candidates = calloc(mx_size_max(detector->row_count, 1),
				      sizeof(*detector->candidates));
	if (!detector->candidates)
		return mx_fail(err, ENOMEM, "%s: no memory for %zu boxes",
			       net->name, detector->row_count);
	return 0;
}

void mx_detector_fini(struct mx_detector *detector)
{
	free(detector->candidates);
	*detector = (struct mx_detector){.candidates = NULL};
}

/* ---- one row each: its class, its score, its box ---- */

/* The best class of a row but the background: of equal ones the first. */
static void best_class(const struct mx_detector *detector, const float *scores,
		       struct mx_detection *out)
{
	size_t i;

	out->score = -INFINITY;
	for (i = 0; i < detector->class_count; i++)
		if (i != detector->opts.background && scores[i] > out->score) {
			out->score = scores[i];
			out->class_index = (uint32_t)i;
		}
}

static struct mx_area around(double x, double y, double width, double height)
{
	return (struct mx_area){x - width / 2, y - height / 2, x + width / 2,
				y + height / 2};
}

static void read_pair(const struct mx_detector *detector, size_t row,
		      const float *scores, const float *boxes,
		      struct mx_detection *out)
{
	const float *box = boxes + BOX_VALUES * row;

	best_class(detector, scores + detector->class_count * row, out);
	if (detector->opts.format == MX_DETECT_CENTER)
		out->area = around((double)box[0], (double)box[1],
				   (double)box[2], (double)box[3]);
	else
		out->area = (struct mx_area){(double)box[0], (double)box[1],
					     (double)box[2], (double)box[3]};
}

static void read_row(const float *row, struct mx_detection *out)
{
	out->score = row[0] >= 0 ? row[2] : -INFINITY;
	out->class_index =
		row[1] >= 0 && row[1] < CLASSES_MAX ? (uint32_t)row[1] : 0;
	out->area = (struct mx_area){(double)row[3], (double)row[4],
				     (double)row[5], (double)row[6]};
}

static void read_yolox(const struct mx_detector *detector, size_t index,
		       const float *values, struct mx_detection *out)
{
	const float *row =
		values + (YOLOX_VALUES + detector->class_count) * index;
	size_t columns, cells, i = 0;
	double stride;

	/* Whose grid it lies in; there are as many rows as cells. */
	for (;; i++) {
		columns = (size_t)(detector->width / yolox_strides[i]);
		cells = columns * (size_t)(detector->height / yolox_strides[i]);
		if (index < cells)
			break;
		index -= cells;
	}
	stride = yolox_strides[i];
	best_class(detector, row + YOLOX_VALUES, out);
	out->score *= row[4];
	out->area = around(
		((double)row[0] + (double)(index % columns)) * stride,
		((double)row[1] + (double)(index / columns)) * stride,
		exp((double)row[2]) * stride, exp((double)row[3]) * stride);
}

/* ---- choosing ---- */

static int is_wanted(const struct mx_detect_opts *opts, uint32_t class_index)
{
	size_t i;

	for (i = 0; i < opts->only_count; i++)
		if (opts->only[i] == class_index)
			return 1;
	return opts->only_count == 0;
}

/* To the input's pixels, and inside. Returns 0 if nothing of it is left. */
static int cut(const struct mx_detector *detector, struct mx_area *area)
{
	if (!detector->opts.in_pixels &&
	    detector->opts.format != MX_DETECT_YOLOX) {
		area->left *= detector->width;
		area->right *= detector->width;
		area->top *= detector->height;
		area->bottom *= detector->height;
	}
	if (!isfinite(area->left) || !isfinite(area->top) ||
	    !isfinite(area->right) || !isfinite(area->bottom))
		return 0;
	area->left = fmax(area->left, 0);
	area->top = fmax(area->top, 0);
	area->right = fmin(area->right, detector->width);
	area->bottom = fmin(area->bottom, detector->height);
	return area->left < area->right && area->top < area->bottom;
}

static double size_of(const struct mx_area *area)
{
	return (area->right - area->left) * (area->bottom - area->top);
}

/* Intersection over union. */
static double overlap_of(const struct mx_area *a, const struct mx_area *b)
{
	const struct mx_area both = {
		fmax(a->left, b->left),
		fmax(a->top, b->top),
		fmin(a->right, b->right),
		fmin(a->bottom, b->bottom),
	};
	double common;

	if (both.left >= both.right || both.top >= both.bottom)
		return 0;
	common = size_of(&both);
	return common / (size_of(a) + size_of(b) - common);
}

static size_t find_candidates(struct mx_detector *detector, const float *scores,
			      const float *boxes)
{
	struct mx_detection one;
	size_t count = 0, row;

	for (row = 0; row < detector->row_count; row++) {
		one = (struct mx_detection){.class_index = 0};
		if (detector->opts.format == MX_DETECT_ROWS)
			read_row(scores + ROW_VALUES * row, &one);
		else if (detector->opts.format == MX_DETECT_YOLOX)
			read_yolox(detector, row, scores, &one);
		else
			read_pair(detector, row, scores, boxes, &one);
		/* False with NaN. */
		if (one.score >= detector->opts.threshold &&
		    is_wanted(&detector->opts, one.class_index) &&
		    cut(detector, &one.area))
			detector->candidates[count++] = one;
	}
	return count;
}

/* Leaves out of the candidates the one at @best and those that it covers, in
 * their order. Returns how many stay. */
static size_t leave_out(const struct mx_detector *detector, size_t count,
			size_t best)
{
	struct mx_detection *all = detector->candidates;
	const struct mx_detection taken = all[best];
	size_t kept = 0, i;

	for (i = 0; i < count; i++)
		if (i != best && (all[i].class_index != taken.class_index ||
				  overlap_of(&all[i].area, &taken.area) <=
					  (double)detector->opts.overlap))
			all[kept++] = all[i];
	return kept;
}

uint32_t mx_detector_run(struct mx_detector *detector, const float *scores,
			 const float *boxes, struct mx_detection *out)
{
	const struct mx_detection *all = detector->candidates;
	size_t count, best, i;
	uint32_t found = 0;

	count = find_candidates(detector, scores, boxes);
	while (count && found < detector->opts.most) {
		best = 0;
		for (i = 1; i < count; i++)
			if (all[i].score > all[best].score)
				best = i;
		out[found++] = all[best];
		count = leave_out(detector, count, best);
	}
	return found;
}
