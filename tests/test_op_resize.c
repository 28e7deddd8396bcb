#include "tests/op_layouts.h"

enum { NEAREST, LINEAR, CUBIC };
enum {
	HALF_PIXEL,
	ASYMMETRIC,
	ALIGN_CORNERS,
	PYTORCH,
	TF_HALF_PIXEL,
	TF_CROP,
	SYMMETRIC
};
enum { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL };

#define EXTRAPOLATION 7.5f

struct resize_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	int64_t size[MX_RANK_MAX];
	int mode;
	int coordinates;
	int nearest;
	int exclude;
	int antialias;
	float roi[2 * MX_RANK_MAX];
};

static const struct resize_case cases[] = {
	/* what networks use: up and down, channels kept */
	{4,
	 {2, 19, 5, 7},
	 {2, 19, 10, 14},
	 NEAREST,
	 ASYMMETRIC,
	 FLOOR,
	 0,
	 0,
	 {0}},
	{4,
	 {2, 19, 5, 7},
	 {2, 19, 8, 9},
	 NEAREST,
	 HALF_PIXEL,
	 PREFER_FLOOR,
	 0,
	 0,
	 {0}},
	{4, {1, 33, 5, 7}, {1, 33, 10, 13}, LINEAR, HALF_PIXEL, 0, 0, 0, {0}},
	{4, {1, 33, 5, 7}, {1, 33, 3, 20}, LINEAR, ALIGN_CORNERS, 0, 0, 0, {0}},
	{4, {2, 3, 9, 7}, {2, 3, 4, 3}, LINEAR, PYTORCH, 0, 0, 0, {0}},
	{4, {2, 3, 9, 7}, {2, 3, 1, 14}, LINEAR, PYTORCH, 0, 0, 0, {0}},
	{4,
	 {1, 5, 6, 6},
	 {1, 5, 4, 4},
	 NEAREST,
	 TF_HALF_PIXEL,
	 FLOOR,
	 0,
	 0,
	 {0}},
	{4,
	 {1, 5, 6, 6},
	 {1, 5, 6, 9},
	 NEAREST,
	 ALIGN_CORNERS,
	 CEIL,
	 0,
	 0,
	 {0}},
	{4,
	 {1, 5, 6, 6},
	 {1, 5, 9, 4},
	 NEAREST,
	 HALF_PIXEL,
	 PREFER_CEIL,
	 0,
	 0,
	 {0}},
	{4, {1, 7, 5, 6}, {1, 7, 11, 9}, CUBIC, HALF_PIXEL, 0, 0, 0, {0}},
	{4, {1, 7, 5, 6}, {1, 7, 8, 3}, CUBIC, ASYMMETRIC, 0, 1, 0, {0}},
	{4, {1, 4, 11, 13}, {1, 4, 3, 5}, LINEAR, HALF_PIXEL, 0, 0, 1, {0}},
	{4, {1, 4, 11, 13}, {1, 4, 3, 5}, CUBIC, HALF_PIXEL, 0, 1, 1, {0}},
	{4,
	 {1, 4, 8, 9},
	 {1, 4, 5, 5},
	 LINEAR,
	 TF_CROP,
	 0,
	 0,
	 0,
	 {0.0f, 0.0f, 0.4f, -0.5f, 1.0f, 1.0f, 0.6f, 0.9f}},
	{4, {1, 4, 8, 9}, {1, 4, 5, 6}, LINEAR, SYMMETRIC, 0, 0, 0, {0}},
	/* all dimensions, channels too */
	{4, {2, 3, 4, 5}, {3, 5, 6, 2}, LINEAR, HALF_PIXEL, 0, 0, 0, {0}},
	{4, {2, 3, 4, 5}, {3, 5, 6, 2}, NEAREST, ASYMMETRIC, FLOOR, 0, 0, {0}},
	{4, {1, 3, 4, 5}, {1, 4, 4, 7}, CUBIC, HALF_PIXEL, 0, 0, 0, {0}},
	/* other ranks */
	{1, {9}, {20}, CUBIC, HALF_PIXEL, 0, 0, 0, {0}},
	{2, {4, 7}, {6, 3}, LINEAR, HALF_PIXEL, 0, 0, 0, {0}},
	{3, {2, 3, 7}, {2, 3, 15}, LINEAR, ASYMMETRIC, 0, 0, 0, {0}},
	{5, {1, 3, 3, 4, 5}, {1, 3, 6, 7, 4}, LINEAR, HALF_PIXEL, 0, 0, 0, {0}},
	{5, {1, 2, 3, 4, 5}, {1, 2, 5, 3, 7}, CUBIC, HALF_PIXEL, 0, 0, 0, {0}},
	/* enough work for several parts */
	{4, {1, 21, 17, 19}, {1, 21, 51, 57}, LINEAR, HALF_PIXEL, 0, 0, 0, {0}},
};

static double source_of(const struct resize_case *c, uint32_t d, size_t i)
{
	const double in = (double)c->dim[d];
	const double out = (double)c->size[d];
	const double x = (double)i;
	const double begin = (double)c->roi[d];
	const double end = (double)c->roi[c->rank + d];

	switch (c->coordinates) {
	case ASYMMETRIC:
		return x * in / out;
	case ALIGN_CORNERS:
		return out > 1 ? x * (in - 1) / (out - 1) : 0.0;
	case PYTORCH:
		return out > 1 ? (x + 0.5) * in / out - 0.5 : 0.0;
	case TF_HALF_PIXEL:
		return (x + 0.5) * in / out;
	case TF_CROP:
		return out > 1 ? begin * (in - 1) + x * (end - begin) *
							    (in - 1) / (out - 1)
			       : 0.5 * (begin + end) * (in - 1);
	default: /* SYMMETRIC is HALF_PIXEL where the scale is out / in */
		return (x + 0.5) * in / out - 0.5;
	}
}

static double filter(const struct resize_case *c, double x)
{
	const double a = -0.75;

	x = fabs(x);
	if (c->mode == LINEAR)
		return fmax(0.0, 1.0 - x);
	if (x <= 1.0)
		return (a + 2) * x * x * x - (a + 3) * x * x + 1;
	if (x < 2.0)
		return a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a;
	return 0.0;
}

static double pick(const struct resize_case *c, double source)
{
	switch (c->nearest) {
	case PREFER_FLOOR:
		return ceil(source - 0.5);
	case PREFER_CEIL:
		return floor(source + 0.5);
	case FLOOR:
		return floor(source);
	default:
		return ceil(source);
	}
}

/* Output element @i of a line of @in elements. */
static double resize_one(const struct resize_case *c, uint32_t d, size_t i,
			 const double *line, size_t step)
{
	const int64_t in = (int64_t)c->dim[d];
	const double ratio = (double)c->size[d] / (double)in;
	const double squeeze = c->antialias && ratio < 1.0 ? ratio : 1.0;
	const double source = source_of(c, d, i);
	double sum = 0.0, weights = 0.0;
	int64_t k, at;

	if (c->coordinates == TF_CROP &&
	    (source < 0.0 || source > (double)in - 1.0))
		return (double)EXTRAPOLATION;
	if (c->mode == NEAREST) {
		at = (int64_t)pick(c, source);
		at = at < 0 ? 0 : at >= in ? in - 1 : at;
		return line[(size_t)at * step];
	}
	for (k = -4 * in; k < 5 * in; k++) {
		const double w = filter(c, ((double)k - source) * squeeze);

		if (c->exclude && (k < 0 || k >= in))
			continue;
		at = k < 0 ? 0 : k >= in ? in - 1 : k;
		sum += w * line[(size_t)at * step];
		weights += w;
	}
	return sum / weights;
}

/* One dimension after the other. */
static double *resize(struct op_run *run, const struct resize_case *c,
		      const float *x)
{
	struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	double *from = op_doubles(run, mx_shape_elems(&shape));
	size_t o, i, k;
	uint32_t d;

	for (i = 0; i < mx_shape_elems(&shape); i++)
		from[i] = (double)x[i];
	for (d = 0; d < c->rank; d++) {
		const size_t outer = mx_shape_span(&shape, 0, d);
		const size_t inner = mx_shape_span(&shape, d + 1, c->rank);
		const size_t in = c->dim[d], out = (size_t)c->size[d];
		double *to = op_doubles(run, outer * out * inner);

		for (o = 0; o < outer; o++)
			for (i = 0; i < out; i++)
				for (k = 0; k < inner; k++)
					to[(o * out + i) * inner + k] =
						resize_one(
							c, d, i,
							from + o * in * inner +
								k,
							inner);
		shape.dim[d] = out;
		from = to;
	}
	return from;
}

static void expect_case(const struct resize_case *c, int with_scale)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	float scale[MX_RANK_MAX];
	struct op_run run;
	const float *x;
	uint32_t d;

	op_begin(&run, "Resize");
	OP_INTS(&run, "mode", c->mode);
	OP_INTS(&run, "coordinates", c->coordinates);
	OP_INTS(&run, "nearest", c->nearest);
	OP_INTS(&run, "exclude_outside", c->exclude);
	OP_INTS(&run, "antialias", c->antialias);
	OP_FLOATS(&run, "extrapolation", EXTRAPOLATION);
	mx_attrs_set_ints(&run.layer.attrs, "size", c->size, c->rank);
	for (d = 0; d < c->rank; d++)
		scale[d] = (float)c->size[d] / (float)c->dim[d];
	if (with_scale)
		mx_attrs_set_floats(&run.layer.attrs, "scale", scale, c->rank);
	if (c->coordinates == TF_CROP)
		mx_attrs_set_floats(&run.layer.attrs, "roi", c->roi,
				    2 * c->rank);
	x = op_random(&run, mx_shape_elems(&shape), 31, -2.0f, 3.0f);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	op_expect_layouts(&run, resize(&run, c, x), 3e-6);
	op_end(&run);
}

static void every_rule_equals_the_naive_one(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_case(&cases[i], 0);
		expect_case(&cases[i], 1);
	}
}

static void a_scale_that_is_not_the_ratio_decides(void **state)
{
	const float x[] = {0.0f, 10.0f, 20.0f, 30.0f};
	/* 4 * 0.6 is cut to 2; sources are 0 and 1 / 0.6. */
	const double want[] = {0.0, 10.0 / 0.6};
	struct op_run run;

	(void)state;
	op_begin(&run, "Resize");
	OP_INTS(&run, "mode", LINEAR);
	OP_INTS(&run, "coordinates", ASYMMETRIC);
	OP_INTS(&run, "size", 2);
	OP_FLOATS(&run, "scale", 0.6f);
	OP_INPUT(&run, x, 4);
	op_bind(&run);
	op_expect(&run, 0, want, 1e-6);
	op_end(&run);
}

/* The examples of ONNX's documentation. */
static void the_examples_of_onnx_hold(void **state)
{
	const double linear[] = {2.875, 4.5, 9.375, 11.0};
	const double cubic[] = {2.5180721, 4.2858863, 9.589329, 11.357142};
	const double symmetric[] = {5.0 / 3.0, 10.0 / 3.0};
	float x[16];
	struct op_run run;
	size_t i;

	(void)state;
	for (i = 0; i < 16; i++)
		x[i] = (float)(i + 1);
	op_begin(&run, "Resize");
	OP_INTS(&run, "mode", LINEAR);
	OP_INTS(&run, "antialias", 1);
	OP_INTS(&run, "size", 1, 1, 2, 2);
	OP_FLOATS(&run, "scale", 1.0f, 1.0f, 0.6f, 0.6f);
	OP_INPUT(&run, x, 1, 1, 4, 4);
	op_bind(&run);
	op_expect_layouts(&run, linear, 1e-6);
	OP_INTS(&run, "mode", CUBIC);
	op_bind(&run);
	op_expect_layouts(&run, cubic, 1e-6);
	op_end(&run);

	op_begin(&run, "Resize");
	OP_INTS(&run, "mode", LINEAR);
	OP_INTS(&run, "coordinates", SYMMETRIC);
	OP_INTS(&run, "size", 1, 1, 1, 2);
	OP_FLOATS(&run, "scale", 1.0f, 1.0f, 1.0f, 0.6f);
	OP_INPUT(&run, x, 1, 1, 1, 4);
	op_bind(&run);
	op_expect_layouts(&run, symmetric, 1e-6);
	op_end(&run);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Resize");
	OP_INPUT(&run, x, 2, 3);
	op_bind_fails(&run, "0 sizes for an input of rank 2");
	OP_INTS(&run, "size", 2, 0);
	op_bind_fails(&run, "size");
	OP_INTS(&run, "size", 2, 6);
	OP_FLOATS(&run, "scale", 1.0f);
	op_bind_fails(&run, "scale has 1 values, not 2");
	OP_FLOATS(&run, "scale", 1.0f, -2.0f);
	op_bind_fails(&run, "scale is not positive");
	OP_FLOATS(&run, "scale", 1.0f, 2.0f);
	OP_FLOATS(&run, "roi", 0.0f, 0.0f, 1.0f, NAN);
	op_bind_fails(&run, "roi is not finite");
	OP_FLOATS(&run, "roi", 0.0f, 0.0f, 1.0f, 1.0f);
	OP_INTS(&run, "mode", 3);
	op_bind_fails(&run, "mode");
	OP_INTS(&run, "mode", LINEAR);
	OP_INTS(&run, "size", 2, (int64_t)1 << 38);
	op_bind_fails(&run, "too much");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_equals_the_naive_one),
		cmocka_unit_test(a_scale_that_is_not_the_ratio_decides),
		cmocka_unit_test(the_examples_of_onnx_hold),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
