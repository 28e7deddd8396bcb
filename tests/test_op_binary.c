#include "tests/op_fixture.h"

static double add(double a, double b)
{
	return a + b;
}

static double sub(double a, double b)
{
	return a - b;
}

static double mul(double a, double b)
{
	return a * b;
}

static double quotient(double a, double b)
{
	return a / b;
}

static const struct function {
	const char *op;
	double (*reference)(double a, double b);
} functions[] = {
	{"Add", add},  {"Sub", sub},  {"Mul", mul}, {"Div", quotient},
	{"Max", fmax}, {"Min", fmin}, {"Pow", pow},
};
#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

struct shapes {
	uint32_t a_rank, b_rank;
	size_t a[MX_RANK_MAX], b[MX_RANK_MAX];
};

static void expect(struct op_run *run, const struct function *f,
		   double tolerance, double (*then)(double))
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const size_t elems = mx_shape_elems(out);
	double *want = op_doubles(run, elems);
	size_t index[MX_RANK_MAX];
	size_t i;

	for (i = 0; i < elems; i++) {
		double a, b;

		op_unravel(out, i, index);
		a = (double)run->in[0].values[op_ravel(&run->in[0].tensor.shape,
						       index, out->rank)];
		b = (double)run->in[1].values[op_ravel(&run->in[1].tensor.shape,
						       index, out->rank)];
		want[i] = f->reference(a, b);
		if (then)
			want[i] = then(want[i]);
	}
	op_expect(run, 0, want, tolerance);
}

static void begin(struct op_run *run, const char *op, const struct shapes *s)
{
	const struct mx_shape a = mx_shape_of(s->a_rank, s->a);
	const struct mx_shape b = mx_shape_of(s->b_rank, s->b);

	op_begin(run, op);
	op_input(run, op_random(run, mx_shape_elems(&a), 1, 0.25f, 2), a.rank,
		 a.dim);
	op_input(run, op_random(run, mx_shape_elems(&b), 2, 0.25f, 2), b.rank,
		 b.dim);
}

static void all_broadcast_as_numpy(void **state)
{
	static const struct shapes cases[] = {
		{4, 4, {2, 3, 5, 7}, {2, 3, 5, 7}},
		{4, 1, {2, 3, 5, 7}, {7}},
		{1, 4, {1}, {2, 3, 5, 7}},
		{4, 3, {2, 3, 5, 7}, {3, 1, 1}},
		{2, 2, {1, 5}, {4, 1}},
		{2, 2, {1, 1}, {1, 1}},
		{3, 0, {2, 3, 4}, {0}},
		{0, 0, {0}, {0}},
		{2, 2, {3, 0}, {1, 1}},
		{8, 8, {2, 1, 2, 3, 1, 2, 1, 3}, {1, 3, 2, 1, 2, 2, 2, 1}},
		{1, 1, {600}, {600}},
		{2, 2, {3, 600}, {3, 1}},
	};
	size_t f, c;

	(void)state;
	for (f = 0; f < FUNCTION_COUNT; f++)
		for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
			struct op_run run;

			begin(&run, functions[f].op, &cases[c]);
			op_bind(&run);
			expect(&run, &functions[f], 1e-6, NULL);
			op_end(&run);
		}
}

static void any_mix_of_layouts_works(void **state)
{
	static const struct shapes cases[] = {
		{4, 4, {2, 5, 3, 4}, {2, 5, 3, 4}},
		{4, 4, {2, 5, 3, 4}, {2, 5, 1, 1}},
		{4, 4, {1, 5, 1, 4}, {2, 1, 3, 1}},
	};
	size_t c, a, b, o;

	(void)state;
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
		for (a = 0; a < OP_LAYOUT_COUNT; a++)
			for (b = 0; b < OP_LAYOUT_COUNT; b++)
				for (o = 0; o < OP_LAYOUT_COUNT; o++) {
					struct op_run run;

					begin(&run, "Sub", &cases[c]);
					op_input_layout(&run, 0,
							OP_LAYOUTS[a].layout,
							OP_LAYOUTS[a].gap);
					op_input_layout(&run, 1,
							OP_LAYOUTS[b].layout,
							OP_LAYOUTS[b].gap);
					op_bind(&run);
					op_output_layout(&run, 0,
							 OP_LAYOUTS[o].layout,
							 OP_LAYOUTS[o].gap);
					expect(&run, &functions[1], 1e-6, NULL);
					op_end(&run);
				}
}

static void either_input_can_be_the_output(void **state)
{
	static const struct shapes cases[] = {
		{4, 4, {2, 5, 3, 4}, {2, 5, 3, 4}},
		{4, 4, {2, 5, 3, 4}, {2, 5, 1, 1}},
		{4, 4, {2, 5, 1, 4}, {2, 5, 3, 4}},
	};
	static const int in_place[][2] = {{0, 1}, {0, 0}, {1, 1}};
	size_t f, c, i, l;

	(void)state;
	for (f = 0; f < FUNCTION_COUNT; f++)
		for (c = 0; c < 3; c++)
			for (i = 0; i < 2; i++)
				for (l = 0; l < OP_LAYOUT_COUNT; l++) {
					struct op_run run;

					begin(&run, functions[f].op, &cases[c]);
					op_input_layout(&run,
							(size_t)in_place[c][i],
							OP_LAYOUTS[l].layout,
							OP_LAYOUTS[l].gap);
					op_bind(&run);
					op_in_place(&run, in_place[c][i]);
					expect(&run, &functions[f], 1e-6, NULL);
					op_end(&run);
				}
}

static double rectified(double x)
{
	return x > 0 ? x : 0;
}

static double squashed(double x)
{
	return tanh(x);
}

static void activations_are_applied_to_the_result(void **state)
{
	static const struct shapes s = {4, 4, {1, 9, 5, 5}, {1, 9, 5, 5}};
	struct op_run run;

	(void)state;
	begin(&run, "Sub", &s);
	OP_INTS(&run, "activation", MX_ACTIVATION_RELU);
	OP_FLOATS(&run, "activation_ab", 0, 0);
	op_bind(&run);
	expect(&run, &functions[1], 1e-6, rectified);
	op_end(&run);
	begin(&run, "Sub", &s);
	OP_INTS(&run, "activation", MX_ACTIVATION_TANH);
	op_input_layout(&run, 1, MX_LAYOUT_CHANNELS_LAST, 2);
	op_bind(&run);
	expect(&run, &functions[1], 1e-6, squashed);
	op_end(&run);
}

static void nan_gives_way_in_max_and_min(void **state)
{
	const float a[] = {NAN, 1, NAN, 1, -INFINITY};
	const float b[] = {2, NAN, NAN, 3, INFINITY};
	const double max[] = {2, 1, NAN, 3, INFINITY};
	const double min[] = {2, 1, NAN, 1, -INFINITY};
	struct op_run run;

	(void)state;
	op_begin(&run, "Max");
	OP_INPUT(&run, a, 5);
	OP_INPUT(&run, b, 5);
	op_bind(&run);
	op_expect(&run, 0, max, 0);
	op_end(&run);
	op_begin(&run, "Min");
	OP_INPUT(&run, a, 5);
	OP_INPUT(&run, b, 5);
	op_bind(&run);
	op_expect(&run, 0, min, 0);
	op_end(&run);
}

static void pow_takes_negative_bases(void **state)
{
	const float a[] = {-2, -2, -2, 0, 0, -8};
	const float b[] = {3, 2, 0.5f, 0, -1, 0};
	const double want[] = {-8, 4, NAN, 1, INFINITY, 1};
	const double squares[] = {4, 4, 4, 0, 0, 64};
	const float two = 2;
	struct op_run run;

	(void)state;
	op_begin(&run, "Pow");
	OP_INPUT(&run, a, 6);
	OP_INPUT(&run, b, 6);
	op_bind(&run);
	op_expect(&run, 0, want, 0);
	op_end(&run);
	op_begin(&run, "Pow");
	OP_INPUT(&run, a, 6);
	op_input(&run, &two, 0, NULL);
	op_bind(&run);
	op_expect(&run, 0, squares, 0);
	op_end(&run);
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct shapes s = {2, 2, {2, 3}, {2, 4}};
	struct op_run run;

	(void)state;
	begin(&run, "Add", &s);
	op_bind_fails(&run, "2x3 and 2x4 do not broadcast");
	op_end(&run);
	begin(&run, "Add", &s);
	OP_INTS(&run, "activation", MX_ACTIVATION_PRELU);
	op_bind_fails(&run, "no weights to hold slopes");
	op_end(&run);
	begin(&run, "Add", &s);
	OP_INTS(&run, "activation", MX_ACTIVATION_COUNT);
	op_bind_fails(&run, "activation");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_broadcast_as_numpy),
		cmocka_unit_test(any_mix_of_layouts_works),
		cmocka_unit_test(either_input_can_be_the_output),
		cmocka_unit_test(activations_are_applied_to_the_result),
		cmocka_unit_test(nan_gives_way_in_max_and_min),
		cmocka_unit_test(pow_takes_negative_bases),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
