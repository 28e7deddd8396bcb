#include "tests/op_layouts.h"

struct softmax_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	int64_t axis;
	int64_t axis_end;
};

static const struct softmax_case cases[] = {
	{1, {7}, 0, 1},
	{2, {3, 1000}, 1, 2},
	{2, {5, 3}, 0, 1},
	{2, {4, 1}, 1, 2},
	{3, {2, 5, 7}, 1, 2},
	{3, {2, 5, 7}, 1, 3},
	{4, {2, 21, 9, 11}, 1, 2},
	{4, {2, 21, 9, 11}, 3, 4},
	{4, {2, 3, 5, 7}, 1, 4},
	{4, {2, 3, 5, 7}, 0, 4},
	/* enough work for several parts */
	{4, {1, 67, 31, 29}, 1, 2},
	{5, {2, 3, 2, 5, 4}, 2, 3},
};

static void expect_case(const struct softmax_case *c, int is_log, float top)
{
	const unsigned axes = (1u << c->axis_end) - (1u << c->axis);
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	const size_t elems = mx_shape_elems(&shape);
	size_t index[MX_RANK_MAX] = {0};
	struct op_run run;
	double *expected, *sum;
	const float *x;
	size_t i;

	op_begin(&run, "Softmax");
	OP_INTS(&run, "axis", c->axis);
	OP_INTS(&run, "axis_end", c->axis_end);
	OP_INTS(&run, "log", is_log);
	x = op_random(&run, elems, 3, top - 12.0f, top);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	expected = op_doubles(&run, elems);
	sum = op_doubles(&run, elems);
	i = 0;
	do {
		sum[op_group_index(&shape, index, axes)] +=
			exp((double)x[i++] - (double)top);
	} while (op_next_index(&shape, index));
	i = 0;
	do {
		const double total = sum[op_group_index(&shape, index, axes)];
		const double below = (double)x[i] - (double)top;

		expected[i++] =
			is_log ? below - log(total) : exp(below) / total;
	} while (op_next_index(&shape, index));
	op_expect_layouts(&run, expected, 2e-6);
	op_end(&run);
}

static void softmax_equals_the_naive_one(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_case(&cases[i], 0, 4.0f);
		expect_case(&cases[i], 1, 4.0f);
	}
}

static void numbers_whose_exponential_overflows_are_fine(void **state)
{
	static const struct softmax_case row = {2, {3, 70}, 1, 2};

	(void)state;
	expect_case(&row, 0, 1000.0f);
	expect_case(&row, 1, 1000.0f);
	expect_case(&row, 0, -1000.0f);
}

static void large_numbers_give_exact_results(void **state)
{
	const float x[] = {0.0f, 10000.0f, 10000.0f, -10000.0f};
	const double want[] = {0.0, 0.5, 0.5, 0.0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Softmax");
	OP_INPUT(&run, x, 1, 4);
	op_bind(&run);
	op_expect(&run, 0, want, 0.0);
	op_end(&run);
}

static void wrong_axes_are_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Softmax");
	OP_INPUT(&run, x, 2, 3);
	OP_INTS(&run, "axis", 2);
	op_bind_fails(&run, "axes 2 to 3 of an input of rank 2");
	OP_INTS(&run, "axis", 1);
	OP_INTS(&run, "axis_end", 1);
	op_bind_fails(&run, "axis_end");
	OP_INTS(&run, "axis_end", 3);
	op_bind_fails(&run, "axes 1 to 3");
	OP_INTS(&run, "axis", -1);
	op_bind_fails(&run, "axis");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softmax_equals_the_naive_one),
		cmocka_unit_test(numbers_whose_exponential_overflows_are_fine),
		cmocka_unit_test(large_numbers_give_exact_results),
		cmocka_unit_test(wrong_axes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
