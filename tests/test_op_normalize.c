#include "tests/op_layouts.h"

struct normalize_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
};

static const struct normalize_case cases[] = {
	{2, {3, 40}},	      {2, {1, 1}},	 {3, {2, 19, 7}},
	{4, {2, 67, 5, 7}},   {4, {1, 1, 5, 7}}, {4, {3, 21, 31, 17}},
	{5, {2, 3, 2, 3, 4}},
};

static void expect_case(const struct normalize_case *c, int64_t across)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	const unsigned axes = across ? (1u << c->rank) - 2u : 2u;
	const size_t elems = mx_shape_elems(&shape);
	const float eps = 0.25f;
	size_t index[MX_RANK_MAX] = {0};
	double *sum, *expected;
	const float *x, *scale;
	struct op_run run;
	size_t i = 0;

	op_begin(&run, "Normalize");
	OP_INTS(&run, "across_spatial", across);
	OP_FLOATS(&run, "eps", eps);
	x = op_random(&run, elems, 19, -3.0f, 3.0f);
	scale = op_random(&run, c->dim[1], 23, 5.0f, 20.0f);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	op_weights(&run, NULL, &scale);
	sum = op_doubles(&run, elems);
	expected = op_doubles(&run, elems);
	do {
		const double v = (double)x[i++];

		sum[op_group_index(&shape, index, axes)] += v * v;
	} while (op_next_index(&shape, index));
	i = 0;
	do {
		const double s = sum[op_group_index(&shape, index, axes)];

		expected[i] = (double)x[i] / sqrt(s + (double)eps) *
			      (double)scale[index[1]];
		i++;
	} while (op_next_index(&shape, index));
	op_expect_layouts(&run, expected, 5e-7);
	op_end(&run);
}

static void normalize_equals_the_naive_one(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_case(&cases[i], 0);
		expect_case(&cases[i], 1);
	}
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Normalize");
	OP_INPUT(&run, x, 6);
	op_bind_fails(&run, "rank 2 or more");
	OP_INTS(&run, "across_spatial", 2);
	op_bind_fails(&run, "across_spatial");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalize_equals_the_naive_one),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
