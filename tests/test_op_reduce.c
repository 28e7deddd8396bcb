#include "tests/op_layouts.h"

enum {
	KIND_SUM,
	KIND_MEAN,
	KIND_MAX,
	KIND_MIN,
	KIND_ABS,
	KIND_SQUARE,
	KIND_L2,
	KIND_LP,
	KIND_PRODUCT,
	KIND_COUNT
};

#define POWER 3.0f
#define COEFF 0.5f

struct reduce_case {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	unsigned axes;
};

static const struct reduce_case cases[] = {
	{1, {5}, 1u},
	{2, {3, 40}, 2u},
	{2, {3, 70}, 1u},
	{2, {3, 4}, 0u},
	{3, {3, 2, 2}, 7u},
	{3, {2, 67, 9}, 4u},
	{4, {2, 67, 3, 5}, 12u}, /* spatial: more channels than lanes */
	{4, {2, 19, 3, 5}, 2u},
	{4, {2, 19, 3, 5}, 14u},
	{4, {2, 3, 4, 5}, 9u},
	{4, {2, 3, 4, 5}, 4u},
	{5, {2, 3, 2, 3, 4}, 20u},
	{6, {2, 1, 3, 2, 2, 3}, 42u},
};

static double start_of(int kind)
{
	switch (kind) {
	case KIND_MAX:
		return (double)-INFINITY;
	case KIND_MIN:
		return (double)INFINITY;
	case KIND_PRODUCT:
		return 1.0;
	default:
		return 0.0;
	}
}

static double fold(int kind, double acc, double x)
{
	switch (kind) {
	case KIND_MAX:
		return fmax(acc, x);
	case KIND_MIN:
		return fmin(acc, x);
	case KIND_ABS:
		return acc + fabs(x);
	case KIND_SQUARE:
	case KIND_L2:
		return acc + x * x;
	case KIND_LP:
		return acc + pow(fabs(x), (double)POWER);
	case KIND_PRODUCT:
		return acc * x;
	default:
		return acc + x;
	}
}

static double finish(int kind, double acc, double count)
{
	if (kind == KIND_MEAN)
		acc /= count;
	if (kind == KIND_L2)
		acc = sqrt(acc);
	if (kind == KIND_LP)
		acc = pow(acc, 1.0 / (double)POWER);
	return acc * (double)COEFF;
}

static void check_shape(const struct op_run *run, const struct reduce_case *c,
			int keep)
{
	struct mx_shape want = {0};
	uint32_t i;

	for (i = 0; i < c->rank; i++)
		if (!(c->axes & 1u << i))
			want.dim[want.rank++] = c->dim[i];
		else if (keep)
			want.dim[want.rank++] = 1;
	op_expect_shape(run, 0, want.rank, want.dim);
}

static void expect_case(const struct reduce_case *c, int kind, int keep)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	const size_t elems = mx_shape_elems(&shape);
	size_t index[MX_RANK_MAX] = {0};
	double *acc, *expected;
	size_t groups, i = 0, k = 0;
	struct op_run run;
	const float *x;

	op_begin(&run, "Reduce");
	OP_INTS(&run, "kind", kind);
	OP_INTS(&run, "keep", keep);
	OP_FLOATS(&run, "coeff", COEFF);
	OP_FLOATS(&run, "p", POWER);
	op_set_axes(&run, c->axes);
	x = op_random(&run, elems, 11, -2.0f, 2.0f);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	check_shape(&run, c, keep);
	groups = mx_shape_elems(&run.out[0].tensor.shape);
	acc = op_doubles(&run, elems);
	expected = op_doubles(&run, groups);
	for (i = 0; i < elems; i++)
		acc[i] = start_of(kind);
	i = 0;
	do {
		double *to = &acc[op_group_index(&shape, index, c->axes)];

		*to = fold(kind, *to, (double)x[i++]);
	} while (op_next_index(&shape, index));
	i = 0;
	do {
		if (op_group_index(&shape, index, c->axes) == i)
			expected[k++] = finish(kind, acc[i],
					       (double)elems / (double)groups);
		i++;
	} while (op_next_index(&shape, index));
	assert_int_equal(k, groups);
	op_expect_layouts(&run, expected, 2e-7);
	op_end(&run);
}

static void every_kind_equals_the_naive_one(void **state)
{
	size_t i;
	int kind;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (kind = 0; kind < KIND_COUNT; kind++) {
			expect_case(&cases[i], kind, 1);
			expect_case(&cases[i], kind, 0);
		}
}

static void a_large_map_loses_no_digits(void **state)
{
	/* A running sum in single precision is off by more than 1e-6 here. */
	static const struct reduce_case map = {4, {1, 3, 160, 160}, 12u};

	(void)state;
	expect_case(&map, KIND_SQUARE, 1);
	expect_case(&map, KIND_ABS, 1);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Reduce");
	OP_INPUT(&run, x, 2, 3);
	OP_INTS(&run, "axes", 0, 2);
	op_bind_fails(&run, "axis 2 of an input of rank 2");
	OP_INTS(&run, "axes", -1);
	op_bind_fails(&run, "axes");
	OP_INTS(&run, "axes", 1);
	OP_INTS(&run, "kind", KIND_COUNT);
	op_bind_fails(&run, "kind");
	OP_INTS(&run, "kind", KIND_LP);
	OP_FLOATS(&run, "p", 0.0f);
	op_bind_fails(&run, "attribute p");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_equals_the_naive_one),
		cmocka_unit_test(a_large_map_loses_no_digits),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
