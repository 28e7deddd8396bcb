#include "tests/op_layouts.h"

enum { KIND_ACROSS, KIND_WITHIN };

struct lrn_case {
	int kind;
	int64_t size;
	float alpha;
	float beta;
	float k;
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
};

static const struct lrn_case cases[] = {
	{KIND_ACROSS, 5, 1e-4f, 0.75f, 1.0f, 4, {2, 17, 3, 5}},
	{KIND_ACROSS, 5, 1.1f, 0.75f, 2.0f, 4, {1, 96, 13, 11}},
	{KIND_ACROSS, 3, 0.5f, 0.5f, 1.0f, 4, {1, 300, 2, 3}},
	/* more neighbours after than before */
	{KIND_ACROSS, 4, 0.7f, 1.0f, 0.5f, 4, {1, 9, 2, 3}},
	/* a window wider than the channels */
	{KIND_ACROSS, 31, 0.7f, 0.75f, 1.0f, 3, {2, 4, 7}},
	{KIND_ACROSS, 5, 0.7f, 0.75f, 1.0f, 2, {3, 33}},
	{KIND_ACROSS, 1, 2.0f, 0.3f, 1.0f, 5, {1, 1, 2, 3, 2}},
	{KIND_WITHIN, 5, 0.9f, 0.75f, 1.0f, 4, {2, 6, 15, 13}},
	{KIND_WITHIN, 3, 2.0f, 0.5f, 1.5f, 4, {1, 35, 4, 1}},
	{KIND_WITHIN, 9, 2.0f, 0.75f, 1.0f, 4, {1, 3, 4, 5}},
};

static double sum_across(const struct mx_shape *shape, const float *x,
			 const size_t *index, int64_t size)
{
	const int64_t before = (size - 1) / 2;
	double sum = 0.0;
	int64_t i;

	for (i = 0; i < size; i++) {
		const int64_t c = (int64_t)index[1] - before + i;
		size_t at[MX_RANK_MAX];
		double v;

		if (c < 0 || c >= (int64_t)shape->dim[1])
			continue;
		memcpy(at, index, sizeof(at));
		at[1] = (size_t)c;
		v = (double)x[op_flat_index(shape, at)];
		sum += v * v;
	}
	return sum / (double)size;
}

static double sum_within(const struct mx_shape *shape, const float *x,
			 const size_t *index, int64_t size)
{
	const int64_t before = (size - 1) / 2;
	double sum = 0.0;
	int64_t i;

	for (i = 0; i < size * size; i++) {
		const int64_t h = (int64_t)index[2] - before + i / size;
		const int64_t w = (int64_t)index[3] - before + i % size;
		const size_t at[] = {index[0], index[1], (size_t)h, (size_t)w};
		double v;

		if (h < 0 || h >= (int64_t)shape->dim[2] || w < 0 ||
		    w >= (int64_t)shape->dim[3])
			continue;
		v = (double)x[op_flat_index(shape, at)];
		sum += v * v;
	}
	return sum / (double)(size * size);
}

static void expect_case(const struct lrn_case *c)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	size_t index[MX_RANK_MAX] = {0};
	struct op_run run;
	double *expected;
	const float *x;
	size_t i = 0;

	op_begin(&run, "Lrn");
	OP_INTS(&run, "kind", c->kind);
	OP_INTS(&run, "size", c->size);
	OP_FLOATS(&run, "alpha", c->alpha);
	OP_FLOATS(&run, "beta", c->beta);
	OP_FLOATS(&run, "k", c->k);
	x = op_random(&run, mx_shape_elems(&shape), 5, -20.0f, 20.0f);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	expected = op_doubles(&run, mx_shape_elems(&shape));
	do {
		const double sum =
			c->kind == KIND_WITHIN
				? sum_within(&shape, x, index, c->size)
				: sum_across(&shape, x, index, c->size);

		expected[i] = (double)x[i] /
			      pow((double)c->k + (double)c->alpha * sum,
				  (double)c->beta);
		i++;
	} while (op_next_index(&shape, index));
	op_expect_layouts(&run, expected, 3e-6);
	op_end(&run);
}

static void lrn_equals_the_naive_one(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_case(&cases[i]);
}

static void a_wrong_layer_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Lrn");
	OP_INPUT(&run, x, 6);
	op_bind_fails(&run, "rank 2 or more");
	OP_INTS(&run, "kind", KIND_WITHIN);
	op_bind_fails(&run, "rank 4");
	OP_INTS(&run, "size", 0);
	op_bind_fails(&run, "size");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lrn_equals_the_naive_one),
		cmocka_unit_test(a_wrong_layer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
