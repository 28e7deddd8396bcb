#include <float.h>

#include "tests/op_fixture.h"

#define ROW 7
#define CLASSES_MAX 4
#define PRIORS_MAX 60

enum { CORNER = 1, CENTER_SIZE, CORNER_SIZE };

struct detection_case {
	size_t batch;
	size_t priors;
	int64_t classes;
	int64_t share;
	int64_t background;
	int64_t top_k;
	int64_t keep_top_k;
	int64_t code_type;
	int64_t encoded;
	float nms;
	float eta;
	float confidence;
};

static const struct detection_case cases[] = {
	{1, 60, 3, 1, 0, -1, 20, CENTER_SIZE, 0, 0.45f, 1.0f, 0.3f},
	{2, 40, 4, 1, 0, 10, 15, CENTER_SIZE, 0, 0.45f, 1.0f, 0.1f},
	{1, 40, 3, 0, 0, 20, 30, CENTER_SIZE, 1, 0.3f, 1.0f, 0.2f},
	{2, 33, 3, 1, 2, -1, 7, CORNER, 0, 0.6f, 1.0f, 0.01f},
	{1, 33, 3, 0, -1, -1, -1, CORNER, 1, 0.5f, 1.0f, 0.01f},
	{1, 50, 2, 1, 0, 30, 30, CORNER_SIZE, 0, 0.9f, 0.8f, -FLT_MAX},
	{1, 50, 2, 1, 0, 30, 30, CORNER_SIZE, 1, 0.9f, 0.8f, 0.5f},
	/* nothing is found */
	{2, 10, 2, 1, 0, -1, 5, CENTER_SIZE, 0, 0.5f, 1.0f, 2.0f},
};

struct naive {
	const struct detection_case *c;
	const float *loc;
	const float *conf;
	const float *priors;
	double *out;
	size_t rows;
};

struct naive_found {
	double score;
	size_t label;
	double box[4];
	int dropped;
};

static void naive_decode(const struct naive *n, size_t image, size_t label,
			 size_t prior, double box[4])
{
	const struct detection_case *c = n->c;
	const size_t loc_classes = c->share ? 1 : (size_t)c->classes;
	const float *l = n->loc + ((image * c->priors + prior) * loc_classes +
				   (c->share ? 0 : label)) *
					  4;
	const float *p = n->priors + prior * 4;
	const float *v = n->priors + c->priors * 4 + prior * 4;
	const double size[] = {(double)p[2] - (double)p[0],
			       (double)p[3] - (double)p[1]};
	size_t k;

	for (k = 0; k < 4; k++) {
		const double moved =
			(double)l[k] * (c->encoded ? 1.0 : (double)v[k]);

		if (c->code_type == CORNER)
			box[k] = (double)p[k] + moved;
		else if (c->code_type == CORNER_SIZE)
			box[k] = (double)p[k] + moved * size[k % 2];
		else if (k < 2)
			box[k] = ((double)p[k] + (double)p[k + 2]) / 2.0 +
				 moved * size[k];
		else
			box[k] = exp(moved) * size[k % 2];
	}
	if (c->code_type != CENTER_SIZE)
		return;
	for (k = 0; k < 2; k++) {
		const double centre = box[k], length = box[k + 2];

		box[k] = centre - length / 2.0;
		box[k + 2] = centre + length / 2.0;
	}
}

static double naive_area(const double *b)
{
	return b[2] < b[0] || b[3] < b[1] ? 0.0 : (b[2] - b[0]) * (b[3] - b[1]);
}

static double naive_overlap(const double *a, const double *b)
{
	const double w = fmin(a[2], b[2]) - fmax(a[0], b[0]);
	const double h = fmin(a[3], b[3]) - fmax(a[1], b[1]);

	if (w <= 0.0 || h <= 0.0)
		return 0.0;
	return w * h / (naive_area(a) + naive_area(b) - w * h);
}

/* One class, appended to @found; returns the new count. */
static size_t naive_class(const struct naive *n, size_t image, size_t label,
			  struct naive_found *found, size_t count)
{
	const struct detection_case *c = n->c;
	const float *conf = n->conf + image * c->priors * (size_t)c->classes;
	const size_t first = count;
	int used[PRIORS_MAX] = {0};
	double threshold = (double)c->nms;
	int64_t tried = 0;
	size_t i, k;

	for (; c->top_k < 0 || tried < c->top_k; tried++) {
		size_t best = SIZE_MAX;
		float score = c->confidence;
		int keep = 1;

		for (i = 0; i < c->priors; i++)
			if (!used[i] &&
			    conf[i * (size_t)c->classes + label] > score) {
				best = i;
				score = conf[i * (size_t)c->classes + label];
			}
		if (best == SIZE_MAX)
			break;
		used[best] = 1;
		found[count].score = (double)score;
		found[count].label = label;
		found[count].dropped = 0;
		naive_decode(n, image, label, best, found[count].box);
		for (k = first; k < count; k++)
			if (naive_overlap(found[count].box, found[k].box) >
			    threshold)
				keep = 0;
		if (!keep)
			continue;
		count++;
		if (c->eta < 1.0f && threshold > 0.5)
			threshold *= (double)c->eta;
	}
	return count;
}

static void naive_image(struct naive *n, size_t image)
{
	static struct naive_found found[CLASSES_MAX * PRIORS_MAX];
	const struct detection_case *c = n->c;
	size_t count = 0, left, i, k;
	int64_t label;

	for (label = 0; label < c->classes; label++)
		if (label != c->background)
			count = naive_class(n, image, (size_t)label, found,
					    count);
	for (left = count; c->keep_top_k >= 0 && left > (size_t)c->keep_top_k;
	     left--) {
		size_t worst = SIZE_MAX;

		for (i = 0; i < count; i++)
			if (!found[i].dropped &&
			    (worst == SIZE_MAX ||
			     found[i].score <= found[worst].score))
				worst = i;
		found[worst].dropped = 1;
	}
	for (i = 0; i < count; i++) {
		double *row = n->out + n->rows * ROW;

		if (found[i].dropped)
			continue;
		row[0] = (double)image;
		row[1] = (double)found[i].label;
		row[2] = found[i].score;
		for (k = 0; k < 4; k++)
			row[3 + k] = found[i].box[k];
		n->rows++;
	}
}

static void set_case(struct op_run *run, const struct detection_case *c)
{
	op_begin(run, "DetectionOutput");
	OP_INTS(run, "num_classes", c->classes);
	OP_INTS(run, "share_location", c->share);
	OP_INTS(run, "background", c->background);
	OP_INTS(run, "top_k", c->top_k);
	OP_INTS(run, "keep_top_k", c->keep_top_k);
	OP_INTS(run, "code_type", c->code_type);
	OP_INTS(run, "variance_encoded", c->encoded);
	OP_FLOATS(run, "nms_threshold", c->nms);
	OP_FLOATS(run, "eta", c->eta);
	OP_FLOATS(run, "confidence_threshold", c->confidence);
}

/* Boxes of some size around places that repeat, so that many overlap. */
static float *make_priors(struct op_run *run, size_t count)
{
	float *p = op_random(run, count * 8, 41, 0.0f, 1.0f);
	size_t i;

	for (i = 0; i < count; i++) {
		const float x = (float)(i % 5) * 0.2f;
		const float y = (float)(i / 5 % 3) * 0.3f;

		p[i * 4 + 0] = x;
		p[i * 4 + 1] = y;
		p[i * 4 + 2] = x + 0.2f + 0.2f * p[i * 4 + 2];
		p[i * 4 + 3] = y + 0.2f + 0.2f * p[i * 4 + 3];
	}
	for (i = count * 4; i < count * 8; i++)
		p[i] = i % 4 < 2 ? 0.1f : 0.2f;
	return p;
}

static void expect_case(const struct detection_case *c)
{
	const size_t classes = (size_t)c->classes;
	const size_t loc_classes = c->share ? 1 : classes;
	struct naive n = {.c = c};
	struct op_run run;
	size_t rows, i, image;

	set_case(&run, c);
	n.loc = op_random(&run, c->batch * c->priors * loc_classes * 4, 43,
			  c->encoded ? -0.1f : -0.8f, c->encoded ? 0.1f : 0.8f);
	n.conf =
		op_random(&run, c->batch * c->priors * classes, 47, 0.0f, 1.0f);
	n.priors = make_priors(&run, c->priors);
	OP_INPUT(&run, n.loc, c->batch, c->priors * loc_classes * 4);
	OP_INPUT(&run, n.conf, c->batch, c->priors * classes);
	OP_INPUT(&run, n.priors, 1, 2, c->priors * 4);
	op_bind(&run);
	rows = c->batch * (c->keep_top_k < 0 ? c->priors * classes
					     : (size_t)c->keep_top_k);
	OP_EXPECT_SHAPE(&run, 0, 1, 1, rows, ROW);
	assert_int_equal(run.layer.tile_count, 1);
	n.out = op_doubles(&run, rows * ROW);
	for (i = 0; i < rows; i++)
		n.out[i * ROW] = -1.0;
	for (image = 0; image < c->batch; image++)
		naive_image(&n, image);
	assert_true((n.rows > 0) == (c->confidence < 1.0f));
	op_expect(&run, 0, n.out, 1e-5);
	op_end(&run);
}

static void detections_equal_the_naive_ones(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_case(&cases[i]);
}

static void rows_stand_by_label_then_by_score(void **state)
{
	/* Three boxes apart, two classes beside the background. */
	const float loc[12] = {0};
	const float conf[] = {0.0f, 0.2f, 0.9f, 0.0f, 0.8f,
			      0.1f, 0.0f, 0.7f, 0.6f};
	const float priors[] = {0.0f, 0.0f, 0.1f, 0.1f, 0.2f, 0.2f, 0.3f, 0.3f,
				0.4f, 0.4f, 0.5f, 0.5f, 0.1f, 0.1f, 0.1f, 0.1f,
				0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f};
	/* The best three of 0.2, 0.9, 0.8, 0.1, 0.7 and 0.6. */
	const double want[] = {0, 1, 0.8, 0.2, 0.2, 0.3, 0.3,
			       0, 1, 0.7, 0.4, 0.4, 0.5, 0.5,
			       0, 2, 0.9, 0.0, 0.0, 0.1, 0.1};
	struct op_run run;

	(void)state;
	op_begin(&run, "DetectionOutput");
	OP_INTS(&run, "num_classes", 3);
	OP_INTS(&run, "keep_top_k", 3);
	OP_INPUT(&run, loc, 1, 12);
	OP_INPUT(&run, conf, 1, 9);
	OP_INPUT(&run, priors, 1, 2, 12);
	op_bind(&run);
	op_expect(&run, 0, want, 1e-7);
	op_end(&run);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float loc[8] = {0}, conf[6] = {0}, priors[16] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "DetectionOutput");
	OP_INPUT(&run, loc, 1, 8);
	OP_INPUT(&run, conf, 1, 6);
	OP_INPUT(&run, priors, 1, 2, 8);
	op_bind_fails(&run, "num_classes");
	OP_INTS(&run, "num_classes", 4);
	op_bind_fails(&run, "6 confidence values for 2 priors");
	OP_INTS(&run, "num_classes", 3);
	OP_INTS(&run, "keep_top_k", 0);
	op_bind_fails(&run, "keep_top_k");
	OP_INTS(&run, "keep_top_k", 1);
	OP_INTS(&run, "share_location", 0);
	op_bind_fails(&run, "8 location values for 2 priors");
	OP_INTS(&run, "share_location", 1);
	OP_INTS(&run, "code_type", 4);
	op_bind_fails(&run, "code_type");
	OP_INTS(&run, "code_type", CORNER);
	op_bind(&run);
	run.in[2].tensor.shape.dim[1] = 1;
	op_bind_fails(&run, "no variances");
	run.in[2].tensor.shape.dim[1] = 2;
	run.in[2].tensor.shape.dim[2] = 6;
	op_bind_fails(&run, "6 values");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(detections_equal_the_naive_ones),
		cmocka_unit_test(rows_stand_by_label_then_by_score),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
