#include "tests/op_layouts.h"

struct norm_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	int64_t axis;
};

static const struct norm_case cases[] = {
	{1, {9}, 0},
	{2, {5, 33}, 1},
	{2, {5, 70}, 0},
	{3, {2, 67, 5}, 1},
	{4, {2, 19, 3, 5}, 1},
	{4, {2, 19, 3, 5}, 3},
	{4, {3, 2, 37, 91}, 0},
	{5, {2, 3, 2, 3, 4}, 2},
};

static void expect_case(const struct norm_case *c, int64_t p)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	const size_t elems = mx_shape_elems(&shape);
	const unsigned axes = 1u << c->axis;
	size_t index[MX_RANK_MAX] = {0};
	double *sum, *expected;
	struct op_run run;
	const float *x;
	size_t i = 0;

	op_begin(&run, "LpNormalize");
	OP_INTS(&run, "axis", c->axis);
	OP_INTS(&run, "p", p);
	x = op_random(&run, elems, 13, -3.0f, 2.0f);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	sum = op_doubles(&run, elems);
	expected = op_doubles(&run, elems);
	do {
		const double v = (double)x[i++];

		sum[op_group_index(&shape, index, axes)] +=
			p == 1 ? fabs(v) : v * v;
	} while (op_next_index(&shape, index));
	i = 0;
	do {
		const double s = sum[op_group_index(&shape, index, axes)];

		expected[i] = (double)x[i] / (p == 1 ? s : sqrt(s));
		i++;
	} while (op_next_index(&shape, index));
	op_expect_layouts(&run, expected, 1e-7);
	op_end(&run);
}

static void both_norms_equal_the_naive_ones(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_case(&cases[i], 1);
		expect_case(&cases[i], 2);
	}
}

static void zeros_stay_zeros(void **state)
{
	const float x[] = {0.0f, 0.0f, 3.0f, 4.0f};
	const double want[] = {0.0, 0.0, (double)0.6f, (double)0.8f};
	struct op_run run;

	(void)state;
	op_begin(&run, "LpNormalize");
	OP_INTS(&run, "axis", 1);
	OP_INPUT(&run, x, 2, 2);
	op_bind(&run);
	op_expect(&run, 0, want, 0.0);
	op_end(&run);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "LpNormalize");
	OP_INPUT(&run, x, 2, 3);
	OP_INTS(&run, "axis", 2);
	op_bind_fails(&run, "axis 2 of an input of rank 2");
	OP_INTS(&run, "axis", 1);
	OP_INTS(&run, "p", 3);
	op_bind_fails(&run, "p");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_norms_equal_the_naive_ones),
		cmocka_unit_test(zeros_stay_zeros),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
