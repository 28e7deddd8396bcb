#include "tests/op_layouts.h"

struct variance_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	unsigned axes;
	float centre; /* of the input's values */
};

static const struct variance_case cases[] = {
	{2, {4, 70}, 2u, 0.0f},
	{3, {2, 19, 7}, 4u, 1.0f},
	{4, {2, 67, 5, 7}, 12u, 0.0f}, /* instance normalisation, lanes cut */
	{4, {2, 67, 5, 7}, 14u, 0.0f}, /* across channels */
	{4, {3, 5, 4, 7}, 13u, 0.0f}, /* ONNX's default */
	{4, {2, 3, 41, 37}, 12u, 1000.0f},
	{3, {2, 5, 33}, 6u, -3.0f},
	{5, {2, 3, 2, 3, 4}, 28u, 0.0f},
	{2, {3, 4}, 0u, 0.0f},
};

struct setting {
	int64_t variance;
	int64_t eps_inside;
	float eps;
};

static void expect_case(const struct variance_case *c, const struct setting *s)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	const size_t elems = mx_shape_elems(&shape);
	size_t index[MX_RANK_MAX] = {0};
	double *mean, *square, *count, *expected;
	struct op_run run;
	const float *x;
	size_t i = 0;

	op_begin(&run, "MeanVariance");
	OP_INTS(&run, "variance", s->variance);
	OP_INTS(&run, "eps_inside", s->eps_inside);
	OP_FLOATS(&run, "eps", s->eps);
	op_set_axes(&run, c->axes);
	x = op_random(&run, elems, 17, c->centre - 2.0f, c->centre + 1.0f);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	mean = op_doubles(&run, elems);
	square = op_doubles(&run, elems);
	count = op_doubles(&run, elems);
	expected = op_doubles(&run, elems);
	do {
		const size_t g = op_group_index(&shape, index, c->axes);

		mean[g] += (double)x[i++];
		count[g] += 1.0;
	} while (op_next_index(&shape, index));
	i = 0;
	do {
		const size_t g = op_group_index(&shape, index, c->axes);
		const double off = (double)x[i++] - mean[g] / count[g];

		square[g] += off * off;
	} while (op_next_index(&shape, index));
	i = 0;
	do {
		const size_t g = op_group_index(&shape, index, c->axes);
		const double off = (double)x[i] - mean[g] / count[g];
		const double variance = square[g] / count[g];
		const double eps = (double)s->eps;

		if (!s->variance)
			expected[i++] = off;
		else if (s->eps_inside)
			expected[i++] = off / sqrt(variance + eps);
		else
			expected[i++] = off / (sqrt(variance) + eps);
	} while (op_next_index(&shape, index));
	op_expect_layouts(&run, expected, 1e-6);
	op_end(&run);
}

static void every_setting_equals_the_naive_one(void **state)
{
	static const struct setting settings[] = {
		{1, 1, 0.01f},
		{1, 0, 0.1f},
		{0, 1, 0.01f},
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (k = 0; k < sizeof(settings) / sizeof(settings[0]); k++)
			expect_case(&cases[i], &settings[k]);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "MeanVariance");
	OP_INPUT(&run, x, 2, 3);
	OP_INTS(&run, "axes", 0, 2);
	op_bind_fails(&run, "axis 2 of an input of rank 2");
	OP_INTS(&run, "axes", 1);
	OP_INTS(&run, "variance", 2);
	op_bind_fails(&run, "variance");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_equals_the_naive_one),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
