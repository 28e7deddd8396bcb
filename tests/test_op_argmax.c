#include "tests/op_layouts.h"

struct argmax_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	int64_t axis; /* -1: none */
	int64_t top_k;
};

static const struct argmax_case cases[] = {
	{4, {2, 21, 5, 7}, 1, 1},  {4, {2, 21, 5, 7}, 1, 21},
	{4, {2, 21, 5, 7}, 3, 3},  {4, {2, 5, 3, 7}, -1, 1},
	{4, {2, 5, 3, 7}, -1, 40}, {2, {3, 70}, -1, 5},
	{2, {3, 70}, 1, 5},	   {1, {9}, 0, 2},
	{3, {2, 90, 301}, 1, 2},   {5, {2, 3, 2, 3, 4}, -1, 3},
};

/* The best of the group of @index that was not taken yet; the last of equals.
 */
static void take_best(const struct argmax_case *c, const struct mx_shape *shape,
		      const float *x, const size_t *index, unsigned char *taken,
		      double *place, double *value)
{
	const size_t flat = mx_shape_elems(shape) / shape->dim[0];
	const size_t size = c->axis < 0 ? flat : shape->dim[c->axis];
	size_t best = SIZE_MAX, best_at = 0;
	size_t at[MX_RANK_MAX];
	size_t i, k;

	memcpy(at, index, sizeof(at));
	for (i = 0; i < size; i++) {
		if (c->axis >= 0)
			at[c->axis] = i;
		k = c->axis < 0 ? index[0] * flat + i
				: op_flat_index(shape, at);
		if (taken[k] || (best != SIZE_MAX && x[k] < x[best_at]))
			continue;
		best = i;
		best_at = k;
	}
	taken[best_at] = 1;
	*place = (double)best;
	*value = (double)x[best_at];
}

/* Values have few digits, so that some are equal. */
static float *coarse(struct op_run *run, size_t count)
{
	float *x = op_random(run, count, 29, -9.0f, 9.0f);
	size_t i;

	for (i = 0; i < count; i++)
		x[i] = floorf(x[i]);
	return x;
}

static void expect_axis(const struct argmax_case *c, struct op_run *run,
			const float *x, int64_t out_max_val, double *expected)
{
	const struct mx_shape *shape = &run->in[0].tensor.shape;
	const struct mx_shape *out = &run->out[0].tensor.shape;
	unsigned char *taken = op_own(run, calloc(mx_shape_elems(shape), 1));
	size_t index[MX_RANK_MAX] = {0};
	double place, value;

	do {
		take_best(c, shape, x, index, taken, &place, &value);
		expected[op_flat_index(out, index)] =
			out_max_val ? value : place;
	} while (op_next_index(out, index));
}

static void expect_flat(const struct argmax_case *c, struct op_run *run,
			const float *x, int64_t out_max_val, double *expected)
{
	const struct mx_shape *shape = &run->in[0].tensor.shape;
	const size_t top_k = (size_t)c->top_k;
	const size_t row = top_k * (out_max_val ? 2 : 1);
	unsigned char *taken = op_own(run, calloc(mx_shape_elems(shape), 1));
	size_t index[MX_RANK_MAX] = {0};
	double place, value;
	size_t k;

	for (; index[0] < shape->dim[0]; index[0]++)
		for (k = 0; k < top_k; k++) {
			take_best(c, shape, x, index, taken, &place, &value);
			expected[index[0] * row + k] = place;
			if (out_max_val)
				expected[index[0] * row + top_k + k] = value;
		}
}

static void expect_case(const struct argmax_case *c, int64_t out_max_val)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	struct op_run run;
	double *expected;
	const float *x;

	op_begin(&run, "ArgMax");
	if (c->axis >= 0)
		OP_INTS(&run, "axis", c->axis);
	OP_INTS(&run, "top_k", c->top_k);
	OP_INTS(&run, "out_max_val", out_max_val);
	x = coarse(&run, mx_shape_elems(&shape));
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	expected = op_doubles(&run, mx_shape_elems(&run.out[0].tensor.shape));
	if (c->axis >= 0)
		expect_axis(c, &run, x, out_max_val, expected);
	else
		expect_flat(c, &run, x, out_max_val, expected);
	op_expect_layouts(&run, expected, 0.0);
	op_end(&run);
}

static void places_and_values_equal_the_naive_ones(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_case(&cases[i], 0);
		expect_case(&cases[i], 1);
	}
}

static void shapes_are_caffes(void **state)
{
	const float x[2 * 5 * 3 * 4] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "ArgMax");
	OP_INPUT(&run, x, 2, 5, 3, 4);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 2, 1, 1, 1);
	OP_INTS(&run, "top_k", 7);
	OP_INTS(&run, "out_max_val", 1);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 2, 2, 7, 1);
	OP_INTS(&run, "axis", 1);
	OP_INTS(&run, "top_k", 3);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 2, 3, 3, 4);
	op_end(&run);

	op_begin(&run, "ArgMax");
	OP_INPUT(&run, x, 2, 5);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 2, 1, 1);
	op_end(&run);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "ArgMax");
	OP_INPUT(&run, x, 2, 3);
	OP_INTS(&run, "top_k", 4);
	op_bind_fails(&run, "top 4 of 3 elements");
	OP_INTS(&run, "axis", 2);
	op_bind_fails(&run, "axis 2 of an input of rank 2");
	OP_INTS(&run, "axis", 1);
	OP_INTS(&run, "top_k", 0);
	op_bind_fails(&run, "top_k");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_and_values_equal_the_naive_ones),
		cmocka_unit_test(shapes_are_caffes),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
