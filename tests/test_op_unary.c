#include "tests/op_fixture.h"

#include <float.h>

/* Parameters as given; @given of them are stored as attributes. */
struct function {
	const char *op;
	double (*reference)(double x, const double *p);
	float lo, hi; /* inputs */
	double tolerance;
	unsigned given;
	float p[3];
	double effective[3]; /* when not all are given: with defaults */
};

static double clamp(double x, double lo, double hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

static double relu(double x, const double *p)
{
	return x > 0 ? x : p[0] * x;
}

static double elu(double x, const double *p)
{
	return x > 0 ? x : p[0] * expm1(x);
}

static double selu(double x, const double *p)
{
	return p[1] * elu(x, p);
}

static double sigmoid(double x, const double *p)
{
	(void)p;
	return 1 / (1 + exp(-x));
}

static double tangent(double x, const double *p)
{
	(void)p;
	return tanh(x);
}

static double absolute(double x, const double *p)
{
	(void)p;
	return fabs(x);
}

static double power(double x, const double *p)
{
	return pow(p[2] + p[1] * x, p[0]);
}

static double exponential(double x, const double *p)
{
	return exp(p[0] * x + p[1]);
}

static double logarithm(double x, const double *p)
{
	return p[2] * log(p[0] * x + p[1]);
}

static double softplus(double x, const double *p)
{
	(void)p;
	return log1p(exp(x));
}

static double softsign(double x, const double *p)
{
	(void)p;
	return x / (1 + fabs(x));
}

static double hard_sigmoid(double x, const double *p)
{
	return clamp(p[0] * x + p[1], 0, 1);
}

static double hard_swish(double x, const double *p)
{
	(void)p;
	return x * clamp(x / 6 + 0.5, 0, 1);
}

static double silu(double x, const double *p)
{
	return x * sigmoid(x, p);
}

static double error_function(double x, const double *p)
{
	(void)p;
	return erf(x);
}

static double ceiling(double x, const double *p)
{
	(void)p;
	return ceil(x);
}

static double floored(double x, const double *p)
{
	(void)p;
	return floor(x);
}

static double rounded(double x, const double *p)
{
	(void)p;
	return x - remainder(x, 1.0);
}

static double truncated(double x, const double *p)
{
	(void)p;
	return trunc(x);
}

static double negative(double x, const double *p)
{
	(void)p;
	return -x;
}

static double reciprocal(double x, const double *p)
{
	(void)p;
	return 1 / x;
}

static double root(double x, const double *p)
{
	(void)p;
	return sqrt(x);
}

static double sign(double x, const double *p)
{
	(void)p;
	return x > 0 ? 1 : x < 0 ? -1 : 0;
}

static double clip(double x, const double *p)
{
	return clamp(x, p[0], p[1]);
}

static double thresholded(double x, const double *p)
{
	return x > p[0] ? x : 0;
}

static double identity(double x, const double *p)
{
	(void)p;
	return x;
}

#define LAX 1e-6

static const struct function functions[] = {
	{"Relu", relu, -3, 3, 0, 0, {0}, {0}},
	{"Relu", relu, -3, 3, 1e-7, 1, {0.1f}, {(double)0.1f}},
	{"Elu", elu, -9, 3, LAX, 0, {0}, {1}},
	{"Elu", elu, -9, 3, LAX, 1, {0.3f}, {(double)0.3f}},
	{"Selu", selu, -9, 3, LAX, 0, {0}, {1.6732632, 1.0507010}},
	{"Selu", selu, -9, 3, LAX, 2, {2, 0.5f}, {2, 0.5}},
	{"Sigmoid", sigmoid, -20, 20, LAX, 0, {0}, {0}},
	{"Tanh", tangent, -6, 6, LAX, 0, {0}, {0}},
	{"Abs", absolute, -3, 3, 0, 0, {0}, {0}},
	{"Power", power, -3, 3, 0, 0, {0}, {1, 1, 0}},
	{"Power", power, -3, 3, LAX, 3, {1, 2, 0.5f}, {1, 2, 0.5}},
	{"Power", power, -3, 3, LAX, 3, {2, 3, -1}, {2, 3, -1}},
	{"Power", power, -3, 3, 1e-5, 3, {3, 1, 0.5f}, {3, 1, 0.5}},
	{"Power", power, 0, 3, LAX, 3, {-0.75f, 1, 2}, {-0.75, 1, 2}},
	{"Exp", exponential, -9, 9, LAX, 0, {0}, {1, 0}},
	{"Exp", exponential, -3, 3, 2e-6, 2, {0.5f, 1}, {0.5, 1}},
	{"Log", logarithm, 0.001f, 9, LAX, 0, {0}, {1, 0, 1}},
	{"Log", logarithm, 0.1f, 9, 2e-6, 3, {2, 1, 3}, {2, 1, 3}},
	{"Softplus", softplus, -20, 20, LAX, 0, {0}, {0}},
	{"Softsign", softsign, -20, 20, LAX, 0, {0}, {0}},
	{"HardSigmoid", hard_sigmoid, -5, 5, LAX, 0, {0}, {0.2, 0.5}},
	{"HardSigmoid", hard_sigmoid, -5, 5, LAX, 2, {0.5f, 1}, {0.5, 1}},
	{"HardSwish", hard_swish, -5, 5, LAX, 0, {0}, {0}},
	{"Silu", silu, -9, 9, LAX, 0, {0}, {0}},
	{"Erf", error_function, -5, 5, LAX, 0, {0}, {0}},
	{"Ceil", ceiling, -5, 5, 0, 0, {0}, {0}},
	{"Floor", floored, -5, 5, 0, 0, {0}, {0}},
	{"Round", rounded, -5, 5, 0, 0, {0}, {0}},
	{"Trunc", truncated, -5, 5, 0, 0, {0}, {0}},
	{"Neg", negative, -5, 5, 0, 0, {0}, {0}},
	{"Reciprocal", reciprocal, 0.1f, 5, LAX, 0, {0}, {0}},
	{"Sqrt", root, 0, 5, LAX, 0, {0}, {0}},
	{"Sign", sign, -5, 5, 0, 0, {0}, {0}},
	{"Clip", clip, -5, 5, 0, 0, {0}, {-(double)FLT_MAX, (double)FLT_MAX}},
	{"Clip", clip, -5, 9, 0, 2, {0, 6}, {0, 6}},
	{"ThresholdedRelu", thresholded, -5, 5, 0, 0, {0}, {1}},
	{"ThresholdedRelu", thresholded, -5, 5, 0, 1, {2}, {2}},
	{"Identity", identity, -5, 5, 0, 0, {0}, {0}},
};
#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

static void begin(struct op_run *run, const struct function *f)
{
	static const char *const names[] = {"a", "b", "c"};
	unsigned i;

	op_begin(run, f->op);
	for (i = 0; i < f->given; i++)
		OP_FLOATS(run, names[i], f->p[i]);
}

static void check(const struct function *f, struct op_run *run, size_t elems,
		  const float *x)
{
	double *want = op_doubles(run, elems);
	size_t i;

	for (i = 0; i < elems; i++)
		want[i] = f->reference((double)x[i], f->effective);
	op_expect(run, 0, want, f->tolerance);
}

static void functions_equal_their_references_in_every_layout(void **state)
{
	size_t f, i, o;

	(void)state;
	for (f = 0; f < FUNCTION_COUNT; f++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				const size_t elems = 2 * 5 * 3 * 7;
				struct op_run run;
				float *x;

				begin(&run, &functions[f]);
				x = op_random(&run, elems, (uint32_t)f,
					      functions[f].lo, functions[f].hi);
				OP_INPUT(&run, x, 2, 5, 3, 7);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_bind(&run);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				check(&functions[f], &run, elems, x);
				op_end(&run);
			}
}

static void functions_work_in_place(void **state)
{
	size_t f, i;

	(void)state;
	for (f = 0; f < FUNCTION_COUNT; f++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++) {
			const size_t elems = 37 * 3;
			struct op_run run;
			float *x;

			begin(&run, &functions[f]);
			x = op_random(&run, elems, (uint32_t)f, functions[f].lo,
				      functions[f].hi);
			OP_INPUT(&run, x, 1, 37, 3);
			op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
					OP_LAYOUTS[i].gap);
			op_bind(&run);
			op_in_place(&run, 0);
			check(&functions[f], &run, elems, x);
			op_end(&run);
		}
}

/* 70000 elements are 5 parts. */
static void large_tensors_have_parts(void **state)
{
	struct op_run run;
	float *x;

	(void)state;
	begin(&run, &functions[0]);
	x = op_random(&run, 70000, 1, -1, 1);
	OP_INPUT(&run, x, 1, 7, 100, 100);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, 5);
	assert_int_equal(run.layer.macs, 70000);
	op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 1);
	check(&functions[0], &run, 70000, x);
	op_end(&run);
}

static void scalars_and_empty_tensors_work(void **state)
{
	const float x = -2.5f;
	struct op_run run;

	(void)state;
	begin(&run, &functions[0]);
	op_input(&run, &x, 0, NULL);
	op_bind(&run);
	check(&functions[0], &run, 1, &x);
	op_end(&run);
	begin(&run, &functions[0]);
	OP_INPUT(&run, NULL, 3, 0);
	op_bind(&run);
	check(&functions[0], &run, 0, NULL);
	op_end(&run);
}

static void special_values_come_out_right(void **state)
{
	static const struct {
		const char *op;
		float x[6];
		double want[6];
	} cases[] = {
		{"Relu",
		 {-INFINITY, INFINITY, NAN, -0.0f, 1, -1},
		 {0, INFINITY, NAN, 0, 1, 0}},
		{"Round",
		 {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 3.5f},
		 {0, 2, 2, 0, -2, 4}},
		{"Sign",
		 {NAN, -INFINITY, INFINITY, 0, -0.0f, 1e-40f},
		 {NAN, -1, 1, 0, 0, 1}},
		{"Sqrt",
		 {-1, 0, INFINITY, 4, NAN, 1},
		 {NAN, 0, INFINITY, 2, NAN, 1}},
		{"Log",
		 {-1, 0, INFINITY, 1, NAN, 1e-40f},
		 {NAN, -INFINITY, INFINITY, 0, NAN, -92.10342}},
		{"Exp",
		 {-200, 200, INFINITY, -INFINITY, NAN, 0},
		 {0, INFINITY, INFINITY, 0, NAN, 1}},
		{"Sigmoid",
		 {-200, 200, INFINITY, -INFINITY, NAN, 0},
		 {0, 1, 1, 0, NAN, 0.5}},
		{"Elu",
		 {-200, 200, INFINITY, -INFINITY, NAN, 0},
		 {-1, 200, INFINITY, -1, NAN, 0}},
		{"Tanh",
		 {-200, 200, INFINITY, -INFINITY, NAN, 0},
		 {-1, 1, 1, -1, NAN, 0}},
		{"Softplus",
		 {-200, 200, INFINITY, -INFINITY, NAN, 0},
		 {0, 200, INFINITY, 0, NAN, 0.69314718}},
		{"Reciprocal",
		 {0, -0.0f, INFINITY, -INFINITY, NAN, 4},
		 {INFINITY, -INFINITY, 0, 0, NAN, 0.25}},
		{"Clip",
		 {-INFINITY, INFINITY, NAN, 1, 2, 3},
		 {-(double)FLT_MAX, (double)FLT_MAX, NAN, 1, 2, 3}},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct op_run run;

		op_begin(&run, cases[i].op);
		OP_INPUT(&run, cases[i].x, 6);
		op_bind(&run);
		op_expect(&run, 0, cases[i].want, 1e-6);
		op_end(&run);
	}
}

static void activations_carry_their_parameters(void **state)
{
	static const struct {
		const char *op;
		enum mx_activation_kind kind;
	} cases[] = {
		{"Relu", MX_ACTIVATION_RELU},
		{"Clip", MX_ACTIVATION_CLIP},
		{"Sigmoid", MX_ACTIVATION_SIGMOID},
		{"Tanh", MX_ACTIVATION_TANH},
		{"Elu", MX_ACTIVATION_ELU},
		{"HardSigmoid", MX_ACTIVATION_HARD_SIGMOID},
		{"HardSwish", MX_ACTIVATION_HARD_SWISH},
		{"Silu", MX_ACTIVATION_SILU},
	};
	const float x[] = {1};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_activation act;
		struct op_run run;

		op_begin(&run, cases[i].op);
		OP_FLOATS(&run, "a", 0.25f);
		OP_FLOATS(&run, "b", 0.75f);
		OP_INPUT(&run, x, 1);
		op_bind(&run);
		act = run.layer.op->activation(&run.layer);
		assert_int_equal(act.kind, cases[i].kind);
		assert_true(act.a == 0.25f && act.b == 0.75f);
		assert_true(run.layer.op->traits & MX_OP_IN_PLACE);
		op_end(&run);
	}
	assert_null(mx_op_find("Erf")->activation);
	assert_null(mx_op_find("Identity")->activation);
	assert_true(mx_op_find("Identity")->traits & MX_OP_IDENTITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			functions_equal_their_references_in_every_layout),
		cmocka_unit_test(functions_work_in_place),
		cmocka_unit_test(large_tensors_have_parts),
		cmocka_unit_test(scalars_and_empty_tensors_work),
		cmocka_unit_test(special_values_come_out_right),
		cmocka_unit_test(activations_carry_their_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
