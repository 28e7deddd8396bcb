#include "tests/op_fixture.h"

enum { PRODUCT, SUM, MAXIMUM, MINIMUM, MEAN };

#define INPUTS 6

static double combine(int64_t kind, double acc, double x)
{
	switch (kind) {
	case PRODUCT:
		return acc * x;
	case MAXIMUM:
		return fmax(acc, x);
	case MINIMUM:
		return fmin(acc, x);
	default:
		return acc + x;
	}
}

static void expect(struct op_run *run, int64_t kind, const float *coeff)
{
	const size_t elems = mx_shape_elems(&run->layer.out_shape[0]);
	const uint32_t inputs = run->layer.in_count;
	double *want = op_doubles(run, elems);
	uint32_t n;
	size_t i;

	for (i = 0; i < elems; i++) {
		for (n = 0; n < inputs; n++) {
			const double x = (double)run->in[n].values[i] *
					 (coeff ? (double)coeff[n] : 1.0);

			want[i] = n ? combine(kind, want[i], x) : x;
		}
		if (kind == MEAN)
			want[i] /= inputs;
	}
	op_expect(run, 0, want, 1e-6);
}

static void begin(struct op_run *run, int64_t kind, uint32_t inputs)
{
	const size_t dim[] = {2, 19, 5, 7};
	uint32_t n;

	op_begin(run, "Eltwise");
	OP_INTS(run, "kind", kind);
	for (n = 0; n < inputs; n++)
		op_input(run, op_random(run, 2 * 19 * 5 * 7, n, -2, 2), 4, dim);
}

static void kinds_combine_any_number_of_inputs(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, INPUTS};
	int64_t kind;
	size_t c;

	(void)state;
	for (kind = PRODUCT; kind <= MEAN; kind++)
		for (c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			struct op_run run;

			begin(&run, kind, counts[c]);
			op_bind(&run);
			expect(&run, kind, NULL);
			op_end(&run);
		}
}

static void layouts_mix_and_pitches_differ(void **state)
{
	size_t o, same;

	(void)state;
	for (o = 0; o < OP_LAYOUT_COUNT; o++)
		for (same = 0; same < 2; same++) {
			struct op_run run;
			uint32_t n;

			begin(&run, SUM, INPUTS);
			for (n = 0; n < INPUTS; n++)
				op_input_layout(&run, n,
						n == 3 && !same
							? MX_LAYOUT_ROW_MAJOR
							: OP_LAYOUTS[o].layout,
						same ? OP_LAYOUTS[o].gap : n);
			op_bind(&run);
			op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
					 OP_LAYOUTS[o].gap);
			expect(&run, SUM, NULL);
			op_end(&run);
		}
}

static void any_input_can_be_the_output(void **state)
{
	int n;

	(void)state;
	for (n = 0; n < 3; n++) {
		struct op_run run;

		begin(&run, PRODUCT, 3);
		op_input_layout(&run, (size_t)n, MX_LAYOUT_CHANNELS_LAST, 2);
		op_bind(&run);
		op_in_place(&run, n);
		expect(&run, PRODUCT, NULL);
		op_end(&run);
	}
}

static void coefficients_weigh_sums(void **state)
{
	const float coeff[] = {-0.5f, 2, 1};
	struct op_run run;

	(void)state;
	begin(&run, SUM, 3);
	OP_FLOATS(&run, "coeff", -0.5f, 2, 1);
	op_bind(&run);
	expect(&run, SUM, coeff);
	op_end(&run);
}

static void activation_comes_last(void **state)
{
	const float a[] = {1, -4, 5};
	const float b[] = {1, 2, -6};
	const double want[] = {1, -0.1, -0.05};
	struct op_run run;

	(void)state;
	op_begin(&run, "Eltwise");
	OP_INTS(&run, "kind", MEAN);
	OP_INTS(&run, "activation", MX_ACTIVATION_RELU);
	OP_FLOATS(&run, "activation_ab", 0.1f, 0);
	OP_INPUT(&run, a, 3);
	OP_INPUT(&run, b, 3);
	op_bind(&run);
	op_expect(&run, 0, want, 1e-7);
	op_end(&run);
}

static void scalars_large_and_empty_tensors_work(void **state)
{
	const size_t dims[] = {0, 1, 40000, 16411};
	const float one = 1;
	struct op_run run;
	size_t i;

	(void)state;
	op_begin(&run, "Eltwise");
	op_input(&run, &one, 0, NULL);
	op_input(&run, &one, 0, NULL);
	op_bind(&run);
	expect(&run, SUM, NULL);
	op_end(&run);
	for (i = 0; i < 4; i++) {
		op_begin(&run, "Eltwise");
		op_input(&run, op_random(&run, dims[i], 1, -1, 1), 1, &dims[i]);
		op_input(&run, op_random(&run, dims[i], 2, -1, 1), 1, &dims[i]);
		op_bind(&run);
		expect(&run, SUM, NULL);
		op_end(&run);
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	begin(&run, SUM, 2);
	OP_FLOATS(&run, "coeff", 1, 2, 3);
	op_bind_fails(&run, "3 coefficients for 2 inputs");
	op_end(&run);
	begin(&run, MAXIMUM, 2);
	OP_FLOATS(&run, "coeff", 1, 2);
	op_bind_fails(&run, "coeff is for sums only");
	op_end(&run);
	begin(&run, MEAN + 1, 2);
	op_bind_fails(&run, "kind");
	op_end(&run);
	begin(&run, SUM, 2);
	OP_INTS(&run, "activation", MX_ACTIVATION_PRELU);
	op_bind_fails(&run, "no weights to hold slopes");
	op_end(&run);
	op_begin(&run, "Eltwise");
	OP_INPUT(&run, x, 2, 3);
	OP_INPUT(&run, x, 3, 2);
	op_bind_fails(&run, "input 0 is 2x3, input 1 is 3x2");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_combine_any_number_of_inputs),
		cmocka_unit_test(layouts_mix_and_pitches_differ),
		cmocka_unit_test(any_input_can_be_the_output),
		cmocka_unit_test(coefficients_weigh_sums),
		cmocka_unit_test(activation_comes_last),
		cmocka_unit_test(scalars_large_and_empty_tensors_work),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
