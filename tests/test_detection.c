/* wrap: calloc */
#include "cli/detection.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

#define FOUND_MAX 8

/* A network whose input is 20 high and 40 wide. */
struct fixture {
	struct mx_network net;
	struct mx_tensor tensors[3];
	struct mx_input input;
	uint32_t outputs[2];
	char names[3][8];
	struct mx_detector detector;
	struct mx_detection found[FOUND_MAX];
};

static void fixture_init(struct fixture *fx, const struct mx_shape *first,
			 const struct mx_shape *second)
{
	uint32_t i;

	*fx = (struct fixture){.names = {"in", "one", "two"}};
	for (i = 0; i < 3; i++)
		fx->tensors[i].name = fx->names[i];
	fx->tensors[0].shape = (struct mx_shape){4, {1, 3, 20, 40}};
	fx->tensors[1].shape = *first;
	fx->tensors[2].shape = *second;
	fx->outputs[0] = 1;
	fx->outputs[1] = 2;
	fx->net = (struct mx_network){
		.name = fx->names[0],
		.tensors = fx->tensors,
		.inputs = &fx->input,
		.input_count = 1,
		.outputs = fx->outputs,
		.output_count = 2,
	};
}

/* Opens a detector over pairs of @rows boxes and @classes scores each. */
static void open_pairs(struct fixture *fx, const struct mx_detect_opts *opts,
		       size_t rows, size_t classes)
{
	const struct mx_shape scores = {3, {1, rows, classes}};
	const struct mx_shape boxes = {3, {1, rows, 4}};
	struct mx_err err;

	fixture_init(fx, &scores, &boxes);
	if (mx_detector_init(&fx->detector, opts, &fx->net, &err))
		fail_msg("%s", err.text);
}

static void open_rows(struct fixture *fx, const struct mx_detect_opts *opts,
		      size_t rows, size_t length)
{
	const struct mx_shape shape = {4, {1, 1, rows, length}};
	struct mx_err err;

	fixture_init(fx, &shape, &shape);
	if (mx_detector_init(&fx->detector, opts, &fx->net, &err))
		fail_msg("%s", err.text);
}

/* It finds @count things in these two outputs, or in one given twice. */
static void find(struct fixture *fx, const float *first, const float *second,
		 uint32_t count)
{
	assert_int_equal(
		mx_detector_run(&fx->detector, first, second, fx->found),
		count);
}

static void expect(const struct mx_detection *found, uint32_t class_index,
		   double score, double left, double top, double right,
		   double bottom)
{
	assert_int_equal(found->class_index, class_index);
	assert_true(fabs((double)found->score - score) < 1e-6);
	assert_true(fabs(found->area.left - left) < 1e-4);
	assert_true(fabs(found->area.top - top) < 1e-4);
	assert_true(fabs(found->area.right - right) < 1e-4);
	assert_true(fabs(found->area.bottom - bottom) < 1e-4);
}

static const struct mx_detect_opts corners = {
	.format = MX_DETECT_CORNERS,
	.boxes = 1,
	.threshold = 0.5f,
	.overlap = 0.5f,
	.most = FOUND_MAX,
};

static void boxes_are_shares_of_the_input_best_first(void **state)
{
	static const float scores[] = {0.4f, 0.6f, 0.1f, 0.9f, 0.7f, 0.3f};
	static const float boxes[] = {0,     0, 0.5f, 0.5f, 0.5f, 0.5f,
				      0.75f, 1, 0,    0,    1,	  1};
	struct fixture fx;

	(void)state;
	open_pairs(&fx, &corners, 3, 2);
	find(&fx, scores, boxes, 2);
	expect(&fx.found[0], 1, 0.9, 20, 10, 30, 20);
	expect(&fx.found[1], 1, 0.6, 0, 0, 20, 10);
	mx_detector_fini(&fx.detector);
}

static void the_background_is_no_class_unless_there_is_none(void **state)
{
	static const float scores[] = {0.9f, 0.6f, 0.7f};
	static const float boxes[] = {0, 0, 1, 1};
	struct mx_detect_opts opts = corners;
	struct fixture fx;

	(void)state;
	open_pairs(&fx, &opts, 1, 3);
	find(&fx, scores, boxes, 1);
	expect(&fx.found[0], 2, 0.7, 0, 0, 40, 20);
	mx_detector_fini(&fx.detector);
	opts.background = MX_BACKGROUND_NONE;
	open_pairs(&fx, &opts, 1, 3);
	find(&fx, scores, boxes, 1);
	expect(&fx.found[0], 0, 0.9, 0, 0, 40, 20);
	mx_detector_fini(&fx.detector);
}

static void the_threshold_is_the_least_score(void **state)
{
	static const float boxes[] = {0,    0, 0.1f, 1, 0.2f, 0,
				      0.3f, 1, 0.4f, 0, 0.5f, 1};
	const float scores[] = {0, 0.5f, 0, nextafterf(0.5f, 0), 0, NAN};
	struct fixture fx;

	(void)state;
	open_pairs(&fx, &corners, 3, 2);
	find(&fx, scores, boxes, 1);
	expect(&fx.found[0], 1, 0.5, 0, 0, 4, 20);
	mx_detector_fini(&fx.detector);
}

/* Three boxes of width 20 at 0, 8 and 20: the first two share 12 of 28, the
 * last two 8 of 32 columns. */
static void worse_boxes_over_better_ones_of_a_class_go(void **state)
{
	static const float boxes[] = {0,    0, 0.5f, 1, 0.2f, 0,
				      0.7f, 1, 0.5f, 0, 1,    1};
	static const float same[] = {0, 0.8f, 0, 0, 0.9f, 0, 0, 0.7f, 0};
	static const float differ[] = {0, 0.8f, 0, 0, 0, 0.9f, 0, 0.7f, 0};
	static const struct {
		const float *scores;
		float overlap;
		uint32_t count;
	} cases[] = {
		{same, 1, 3},	    {same, 0.43f, 3}, {same, 0.42f, 2},
		{same, 0.26f, 2},   {same, 0.24f, 1}, {same, 0, 1},
		{differ, 0.24f, 3},
	};
	struct mx_detect_opts opts = corners;
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		opts.overlap = cases[i].overlap;
		open_pairs(&fx, &opts, 3, 3);
		assert_int_equal(mx_detector_run(&fx.detector, cases[i].scores,
						 boxes, fx.found),
				 cases[i].count);
		assert_true(fx.found[0].score == 0.9f);
		mx_detector_fini(&fx.detector);
	}
}

static void the_best_stay_when_there_are_too_many(void **state)
{
	/* Of equal ones the first. */
	static const float scores[] = {0.6f, 0.8f, 0.8f, 0.7f};
	static const float boxes[] = {0,    0, 0.1f, 1, 0.2f, 0, 0.3f, 1,
				      0.4f, 0, 0.5f, 1, 0.6f, 0, 0.7f, 1};
	struct mx_detect_opts opts = corners;
	struct fixture fx;

	(void)state;
	opts.most = 2;
	opts.background = MX_BACKGROUND_NONE;
	open_pairs(&fx, &opts, 4, 1);
	find(&fx, scores, boxes, 2);
	expect(&fx.found[0], 0, 0.8, 8, 0, 12, 20);
	expect(&fx.found[1], 0, 0.8, 16, 0, 20, 20);
	mx_detector_fini(&fx.detector);
}

static void only_classes_that_count_are_found(void **state)
{
	static const uint32_t only[] = {1, 3};
	static const float scores[] = {0,    0.9f, 0, 0, 0, 0,
				       0.9f, 0,	   0, 0, 0, 1};
	static const float boxes[] = {0,    0, 0.1f, 1, 0.2f, 0,
				      0.3f, 1, 0.4f, 0, 0.5f, 1};
	struct mx_detect_opts opts = corners;
	struct fixture fx;

	(void)state;
	opts.only = only;
	opts.only_count = 2;
	open_pairs(&fx, &opts, 3, 4);
	find(&fx, scores, boxes, 2);
	assert_int_equal(fx.found[0].class_index, 3);
	assert_int_equal(fx.found[1].class_index, 1);
	mx_detector_fini(&fx.detector);
}

static void boxes_are_cut_to_the_input_and_none_is_empty(void **state)
{
	const float boxes[] = {-0.5f, 0.5f, 0.25f, 2, 0.5f, 0,	0.5f, 1,
			       0.9f,  0,    0.1f,  1, 0,    0,	NAN,  1,
			       2,     0,    3,	   1, 0,    -1, 1,    -0.5f};
	static const float scores[] = {1, 1, 1, 1, 1, 1};
	struct mx_detect_opts opts = corners;
	struct fixture fx;

	(void)state;
	opts.background = MX_BACKGROUND_NONE;
	open_pairs(&fx, &opts, 6, 1);
	find(&fx, scores, boxes, 1);
	expect(&fx.found[0], 0, 1, 0, 10, 10, 20);
	mx_detector_fini(&fx.detector);
}

static void a_middle_and_a_size_make_a_box(void **state)
{
	static const float scores[] = {0.5f};
	static const float boxes[] = {10, 8, 4, 6};
	struct mx_detect_opts opts = corners;
	struct fixture fx;

	(void)state;
	opts.format = MX_DETECT_CENTER;
	opts.in_pixels = 1;
	opts.background = MX_BACKGROUND_NONE;
	open_pairs(&fx, &opts, 1, 1);
	find(&fx, scores, boxes, 1);
	expect(&fx.found[0], 0, 0.5, 8, 5, 12, 11);
	mx_detector_fini(&fx.detector);
}

static void unused_rows_of_a_detection_output_are_none(void **state)
{
	static const float rows[] = {
		0, 7, 0.9f, 0.25f, 0.5f, 0.5f, 1, -1, 3, 1, 0,
		0, 1, 1,    -1,	   0,	 0,    0, 0,  0, 0,
	};
	static const struct mx_detect_opts opts = {
		.format = MX_DETECT_ROWS,
		.threshold = 0.5f,
		.overlap = 0.5f,
		.most = FOUND_MAX,
	};
	struct fixture fx;

	(void)state;
	open_rows(&fx, &opts, 3, 7);
	find(&fx, rows, rows, 1);
	expect(&fx.found[0], 7, 0.9, 10, 10, 20, 20);
	mx_detector_fini(&fx.detector);
}

/* 5 x 2 cells of 8 pixels, 2 x 1 of 16, 1 x 0 of 32. */
static void a_yolox_row_is_in_cells_of_its_own_grid(void **state)
{
	enum { LENGTH = 7, ROWS = 12 };
	static const struct mx_detect_opts opts = {
		.format = MX_DETECT_YOLOX,
		.background = MX_BACKGROUND_NONE,
		.threshold = 0.25f,
		.overlap = 1,
		.most = FOUND_MAX,
	};
	/* Middle half a cell on, 2 cells wide and 1 high. */
	static const float row[] = {0.5f, 0.5f, 0.69314718f, 0,
				    0.5f, 0.6f, 0.8f};
	static const float better[] = {0, 0.5f, 0, 0, 1, 0.9f, 0};
	float rows[ROWS][LENGTH] = {{0}};
	struct fixture fx;

	(void)state;
	memcpy(rows[6], row, sizeof(row));
	memcpy(rows[11], better, sizeof(better));
	open_rows(&fx, &opts, ROWS, LENGTH);
	assert_int_equal(
		mx_detector_run(&fx.detector, rows[0], rows[0], fx.found), 2);
	expect(&fx.found[0], 0, 0.9, 8, 0, 24, 16);
	expect(&fx.found[1], 1, 0.4, 4, 8, 20, 16);
	mx_detector_fini(&fx.detector);
}

static void other_shapes_are_refused_with_theirs(void **state)
{
	static const struct {
		struct mx_detect_opts opts;
		struct mx_shape first, second;
		const char *why;
	} cases[] = {
		{{.boxes = 2},
		 {2, {3, 2}},
		 {2, {3, 4}},
		 "in: it has 2 outputs, from 0 on: no output 2"},
		{{.boxes = 1},
		 {2, {3, 2}},
		 {2, {4, 3}},
		 "in: output 1 (two) is 4x3, not rows of 4 values"},
		{{.boxes = 1},
		 {2, {2, 2}},
		 {2, {3, 4}},
		 "in: output 0 (one) is 2x2, not a row of scores for each box"},
		{{.boxes = 1},
		 {2, {2, 3}},
		 {2, {3, 4}},
		 "in: output 0 (one) is 2x3, not a row of scores for each box"},
		{{.format = MX_DETECT_ROWS},
		 {2, {7, 6}},
		 {1, {1}},
		 "in: output 0 (one) is 7x6, not rows of 7 values"},
		{{.format = MX_DETECT_YOLOX},
		 {2, {12, 5}},
		 {1, {1}},
		 "in: output 0 (one) is 12x5, not rows of more than 5 values"},
		{{.format = MX_DETECT_YOLOX},
		 {2, {13, 6}},
		 {1, {1}},
		 "in: output 0 (one) is 13x6, not a row for each cell of its "
		 "grids"},
	};
	struct fixture fx;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_init(&fx, &cases[i].first, &cases[i].second);
		assert_int_equal(mx_detector_init(&fx.detector, &cases[i].opts,
						  &fx.net, &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].why);
		mx_detector_fini(&fx.detector);
	}
	/* Of a network without pictures there is nothing to be found in. */
	fixture_init(&fx, &cases[0].first, &cases[0].second);
	fx.tensors[0].shape = (struct mx_shape){2, {1, 100}};
	assert_int_equal(
		mx_detector_init(&fx.detector, &corners, &fx.net, &err),
		-EBADMSG);
	assert_string_equal(err.text, "in: its input is no picture");
}

static void running_out_of_memory_is_an_error(void **state)
{
	const struct mx_shape scores = {2, {3, 2}}, boxes = {2, {3, 4}};
	struct fixture fx;

	(void)state;
	fixture_init(&fx, &scores, &boxes);
	faults_arm(0);
	assert_int_equal(
		mx_detector_init(&fx.detector, &corners, &fx.net, NULL),
		-ENOMEM);
	assert_int_equal(faults_disarm(), ENOMEM);
	mx_detector_fini(&fx.detector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_are_shares_of_the_input_best_first),
		cmocka_unit_test(
			the_background_is_no_class_unless_there_is_none),
		cmocka_unit_test(the_threshold_is_the_least_score),
		cmocka_unit_test(worse_boxes_over_better_ones_of_a_class_go),
		cmocka_unit_test(the_best_stay_when_there_are_too_many),
		cmocka_unit_test(only_classes_that_count_are_found),
		cmocka_unit_test(boxes_are_cut_to_the_input_and_none_is_empty),
		cmocka_unit_test(a_middle_and_a_size_make_a_box),
		cmocka_unit_test(unused_rows_of_a_detection_output_are_none),
		cmocka_unit_test(a_yolox_row_is_in_cells_of_its_own_grid),
		cmocka_unit_test(other_shapes_are_refused_with_theirs),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
