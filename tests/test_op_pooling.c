#include <float.h>

#include "tests/op_layouts.h"

#define DIMS 3

enum { KIND_MAX, KIND_AVERAGE };
enum { ROUND_FLOOR, ROUND_CEIL, ROUND_CAFFE };
enum { DIVIDE_PICTURE, DIVIDE_PADDED, DIVIDE_CAFFE };

/* Spatial settings of 1 .. 3 dimensions, and the output they give. */
struct pool_case {
	uint32_t rank;
	size_t batch;
	size_t channels;
	size_t in[DIMS];
	int64_t kernel[DIMS];
	int64_t stride[DIMS];
	int64_t dilation[DIMS];
	int64_t pad_begin[DIMS];
	int64_t pad_end[DIMS];
	int rounding;
	size_t out[DIMS];
};

static const struct pool_case cases[] = {
	/* 2-D, plain, odd channels */
	{2,
	 1,
	 17,
	 {7, 9},
	 {2, 2},
	 {2, 2},
	 {1, 1},
	 {0, 0},
	 {0, 0},
	 ROUND_FLOOR,
	 {3, 4}},
	{2,
	 2,
	 67,
	 {7, 9},
	 {3, 3},
	 {2, 2},
	 {1, 1},
	 {1, 1},
	 {1, 1},
	 ROUND_FLOOR,
	 {4, 5}},
	/* asymmetric padding, uneven kernel and stride */
	{2,
	 1,
	 33,
	 {8, 5},
	 {3, 2},
	 {1, 3},
	 {1, 1},
	 {2, 0},
	 {0, 1},
	 ROUND_FLOOR,
	 {8, 2}},
	/* dilation */
	{2,
	 1,
	 5,
	 {9, 10},
	 {3, 2},
	 {1, 2},
	 {2, 3},
	 {1, 2},
	 {2, 1},
	 ROUND_FLOOR,
	 {8, 5}},
	/* ceiling: the last windows hang over */
	{2,
	 1,
	 64,
	 {6, 7},
	 {3, 3},
	 {2, 2},
	 {1, 1},
	 {0, 0},
	 {0, 0},
	 ROUND_CEIL,
	 {3, 3}},
	{2,
	 1,
	 3,
	 {6, 6},
	 {3, 3},
	 {2, 2},
	 {1, 1},
	 {1, 1},
	 {1, 1},
	 ROUND_CEIL,
	 {4, 4}},
	/* ceiling, and the last window sees padding alone */
	{2,
	 1,
	 4,
	 {5, 5},
	 {2, 2},
	 {3, 3},
	 {1, 1},
	 {1, 1},
	 {2, 2},
	 ROUND_CEIL,
	 {3, 3}},
	/* the same by Caffe's rule: dropped */
	{2,
	 1,
	 4,
	 {5, 5},
	 {2, 2},
	 {3, 3},
	 {1, 1},
	 {1, 1},
	 {2, 2},
	 ROUND_CAFFE,
	 {2, 2}},
	{2,
	 1,
	 6,
	 {7, 11},
	 {3, 5},
	 {2, 1},
	 {1, 1},
	 {2, 1},
	 {2, 1},
	 ROUND_CAFFE,
	 {5, 9}},
	/* Caffe keeps a window outside of the picture when nothing is padded */
	{2,
	 1,
	 2,
	 {5, 5},
	 {1, 1},
	 {3, 3},
	 {1, 1},
	 {0, 0},
	 {0, 0},
	 ROUND_CAFFE,
	 {3, 3}},
	/* a window bigger than the padded picture, by less than a stride */
	{2,
	 1,
	 5,
	 {1, 1},
	 {2, 2},
	 {2, 2},
	 {1, 1},
	 {0, 0},
	 {0, 0},
	 ROUND_CAFFE,
	 {1, 1}},
	{2,
	 2,
	 3,
	 {2, 4},
	 {5, 3},
	 {3, 2},
	 {1, 1},
	 {1, 0},
	 {0, 0},
	 ROUND_CEIL,
	 {1, 2}},
	/* global, with more channels than one unit has */
	{2,
	 2,
	 300,
	 {7, 5},
	 {7, 5},
	 {1, 1},
	 {1, 1},
	 {0, 0},
	 {0, 0},
	 ROUND_FLOOR,
	 {1, 1}},
	/* global, with sums longer than a run */
	{2,
	 1,
	 19,
	 {40, 50},
	 {40, 50},
	 {1, 1},
	 {1, 1},
	 {0, 0},
	 {0, 0},
	 ROUND_FLOOR,
	 {1, 1}},
	/* 1-D and 3-D */
	{1, 2, 21, {13}, {4}, {3}, {1}, {1}, {2}, ROUND_FLOOR, {5}},
	{3,
	 1,
	 18,
	 {4, 5, 6},
	 {2, 3, 2},
	 {2, 1, 2},
	 {1, 1, 2},
	 {0, 1, 1},
	 {1, 0, 1},
	 ROUND_FLOOR,
	 {2, 4, 3}},
	/* enough work for several parts */
	{2,
	 2,
	 70,
	 {37, 41},
	 {3, 3},
	 {1, 1},
	 {1, 1},
	 {1, 1},
	 {1, 1},
	 ROUND_FLOOR,
	 {37, 41}},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* One dimension of one window, element by element. */
static void take_dim(const struct pool_case *c, uint32_t i, size_t out,
		     int64_t tap, int64_t *at, int *is_in, int *is_padded)
{
	const int64_t in = (int64_t)c->in[i];

	*at = (int64_t)out * c->stride[i] - c->pad_begin[i] +
	      tap * c->dilation[i];
	*is_in = *is_in && *at >= 0 && *at < in;
	*is_padded = *is_padded && *at < in + c->pad_end[i];
}

static double pool_window(const struct pool_case *c, int kind, int divisor,
			  const float *plane, const size_t *out)
{
	int64_t tap[DIMS] = {0};
	double top = (double)-FLT_MAX, sum = 0.0;
	size_t inside = 0, padded = 0;
	uint32_t i;

	do {
		int is_in = 1, is_padded = 1;
		size_t flat = 0;

		for (i = 0; i < c->rank; i++) {
			int64_t at;

			take_dim(c, i, out[i], tap[i], &at, &is_in, &is_padded);
			flat = flat * c->in[i] + (size_t)at;
		}
		padded += (size_t)is_padded;
		if (is_in) {
			inside++;
			sum += (double)plane[flat];
			top = fmax(top, (double)plane[flat]);
		}
		for (i = c->rank; i-- > 0;) {
			if (++tap[i] < c->kernel[i])
				break;
			tap[i] = 0;
		}
	} while (i != UINT32_MAX);
	if (kind == KIND_MAX)
		return top;
	if (inside == 0)
		return 0.0;
	return sum / (double)(divisor == DIVIDE_PICTURE ? inside : padded);
}

static void set_dims(struct op_run *run, const char *name,
		     const int64_t *values, uint32_t rank)
{
	assert_int_equal(
		mx_attrs_set_ints(&run->layer.attrs, name, values, rank), 0);
}

static void begin_case(struct op_run *run, const struct pool_case *c, int kind,
		       int divisor)
{
	struct mx_shape shape = {.rank = c->rank + 2};
	uint32_t i;

	op_begin(run, "Pooling");
	shape.dim[0] = c->batch;
	shape.dim[1] = c->channels;
	for (i = 0; i < c->rank; i++)
		shape.dim[2 + i] = c->in[i];
	set_dims(run, "kernel", c->kernel, c->rank);
	set_dims(run, "stride", c->stride, c->rank);
	set_dims(run, "dilation", c->dilation, c->rank);
	set_dims(run, "pad_begin", c->pad_begin, c->rank);
	set_dims(run, "pad_end", c->pad_end, c->rank);
	OP_INTS(run, "kind", kind);
	OP_INTS(run, "divisor", divisor);
	OP_INTS(run, "rounding", c->rounding);
	op_input(run, op_random(run, mx_shape_elems(&shape), 7, -3.0f, 2.0f),
		 shape.rank, shape.dim);
	op_bind(run);
}

static void check_case(const struct pool_case *c, int kind, int divisor)
{
	const size_t planes = c->batch * c->channels;
	struct op_run run;
	const struct mx_shape *shape;
	double *expected;
	size_t plane_in = 1, plane_out = 1;
	size_t p, i;

	begin_case(&run, c, kind, divisor);
	shape = &run.out[0].tensor.shape;
	for (i = 0; i < c->rank; i++) {
		assert_int_equal(shape->dim[2 + i], c->out[i]);
		plane_in *= c->in[i];
		plane_out *= c->out[i];
	}
	expected = op_doubles(&run, planes * plane_out);
	for (p = 0; p < planes; p++) {
		const struct mx_shape map = mx_shape_of(c->rank, c->out);
		size_t at[MX_RANK_MAX] = {0};

		i = p * plane_out;
		do {
			expected[i++] = pool_window(
				c, kind, divisor,
				run.in[0].values + p * plane_in, at);
		} while (op_next_index(&map, at));
	}
	op_expect_layouts(&run, expected, kind == KIND_MAX ? 0.0 : 1e-6);
	op_end(&run);
}

static void maximum_equals_the_naive_one(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CASES; i++)
		check_case(&cases[i], KIND_MAX, DIVIDE_PICTURE);
}

static void average_divides_by_what_lies_in_the_picture(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CASES; i++)
		check_case(&cases[i], KIND_AVERAGE, DIVIDE_PICTURE);
}

static void average_divides_by_what_lies_in_the_padded_picture(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CASES; i++) {
		check_case(&cases[i], KIND_AVERAGE, DIVIDE_PADDED);
		check_case(&cases[i], KIND_AVERAGE, DIVIDE_CAFFE);
	}
}

static void work_is_cut_into_parts(void **state)
{
	struct op_run run;

	(void)state;
	begin_case(&run, &cases[CASES - 1], KIND_MAX, DIVIDE_PICTURE);
	/* 2 * 37 lines of output, and 9 taps for each element. */
	assert_int_equal(run.layer.tile_count, 2 * 37);
	assert_int_equal(run.layer.macs, 2 * 70 * 37 * 41 * 9);
	op_end(&run);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float values[4 * 4] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Pooling");
	OP_INPUT(&run, values, 1, 1, 4, 4);
	op_bind_fails(&run, "kernel");
	OP_INTS(&run, "kernel", 5, 2);
	op_bind_fails(&run, "window of 5 does not fit 4");
	OP_INTS(&run, "kernel", 2);
	op_bind_fails(&run, "rank 4");
	OP_INTS(&run, "kernel", 2, 2);
	OP_INTS(&run, "kind", 2);
	op_bind_fails(&run, "kind");
	OP_INTS(&run, "kind", 0);
	OP_INTS(&run, "rounding", 3);
	op_bind_fails(&run, "rounding");
	OP_INTS(&run, "rounding", 0);
	OP_INTS(&run, "divisor", -1);
	op_bind_fails(&run, "divisor");
	/* Rounded up, only a whole stride too much is. */
	OP_INTS(&run, "divisor", 0);
	OP_INTS(&run, "kernel", 5, 5);
	OP_INTS(&run, "rounding", ROUND_CAFFE);
	op_bind_fails(&run, "window of 5 does not fit 4");
	OP_INTS(&run, "kernel", 6, 6);
	OP_INTS(&run, "stride", 2, 2);
	op_bind_fails(&run, "window of 6 does not fit 4");
	OP_INTS(&run, "rounding", ROUND_CEIL);
	op_bind_fails(&run, "window of 6 does not fit 4");
	OP_INTS(&run, "rounding", ROUND_FLOOR);
	OP_INTS(&run, "stride", 9, 9);
	op_bind_fails(&run, "window of 6 does not fit 4");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maximum_equals_the_naive_one),
		cmocka_unit_test(average_divides_by_what_lies_in_the_picture),
		cmocka_unit_test(
			average_divides_by_what_lies_in_the_padded_picture),
		cmocka_unit_test(work_is_cut_into_parts),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
