/*
 * The approximations themselves, as this file's compiler makes them; what the
 * instruction sets make of them is in test_simd_map.c.
 */
#include "tests/op_fixture.h"

#include <float.h>

#include "lib/simd_math.h"

#define STEPS 200000
#define BOUND 5e-7

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

struct range {
	const char *name;
	float (*ours)(float x);
	double (*reference)(double x);
	double lo, hi;
};

static const struct range ranges[] = {
	{"exp", mx_math_exp, exp, -87.3, 88.72},
	{"exp", mx_math_exp, exp, -1, 1},
	{"exp", mx_math_exp, exp, -1e-6, 1e-6},
	{"expm1", mx_math_expm1, expm1, -100, 88.72},
	{"expm1", mx_math_expm1, expm1, -1, 1},
	{"expm1", mx_math_expm1, expm1, -1e-4, 1e-4},
	{"log", mx_math_log, log, 1.2e-38, 1e-30},
	{"log", mx_math_log, log, 1e-44, 1.2e-38},
	{"log", mx_math_log, log, 1e-6, 20},
	{"log", mx_math_log, log, 0.5, 2},
	{"log", mx_math_log, log, 0.999, 1.001},
	{"log", mx_math_log, log, 1, 3.4e38},
	{"log1p", mx_math_log1p, log1p, 0, 1e-5},
	{"log1p", mx_math_log1p, log1p, 0, 1},
	{"log1p", mx_math_log1p, log1p, 0, 1e30},
	{"sigmoid", mx_math_sigmoid, sigmoid, -87, 87},
	{"sigmoid", mx_math_sigmoid, sigmoid, -3, 3},
	{"tanh", mx_math_tanh, tanh, -15, 15},
	{"tanh", mx_math_tanh, tanh, -1, 1},
	{"tanh", mx_math_tanh, tanh, -1e-4, 1e-4},
	{"softplus", mx_math_softplus, softplus, -87, 87},
	{"softplus", mx_math_softplus, softplus, -2, 2},
	{"erf", mx_math_erf, erf, -6, 6},
	{"erf", mx_math_erf, erf, -1.1, 1.1},
	{"erf", mx_math_erf, erf, -1e-4, 1e-4},
};

static void relative_errors_stay_small_over_wide_ranges(void **state)
{
	size_t r, i;

	(void)state;
	for (r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
		const struct range *range = &ranges[r];

		for (i = 0; i <= STEPS; i++) {
			const double t = (double)i / STEPS;
			const float x =
				(float)(range->lo * (1 - t) + range->hi * t);
			const double want = range->reference((double)x);
			const double got = (double)range->ours(x);
			const double room = BOUND * fabs(want) + 1.5e-45;

			if (fabs(want) > (double)FLT_MAX ||
			    fabs(got - want) <= room)
				continue;
			fail_msg("%s(%.9g) is %.9g, not %.9g", range->name,
				 (double)x, got, want);
		}
	}
}

static void special_values_are_those_of_libm(void **state)
{
	static const float values[] = {0.0f,	 -0.0f,	  INFINITY, -INFINITY,
				       NAN,	 1e-40f,  -1e-40f,  FLT_MAX,
				       -FLT_MAX, FLT_MIN, -FLT_MIN, 89.0f,
				       -104.0f,	 120.0f,  -120.0f};
	static const struct range functions[] = {
		{"exp", mx_math_exp, exp, 0, 0},
		{"expm1", mx_math_expm1, expm1, 0, 0},
		{"log", mx_math_log, log, 0, 0},
		{"sigmoid", mx_math_sigmoid, sigmoid, 0, 0},
		{"tanh", mx_math_tanh, tanh, 0, 0},
		{"softplus", mx_math_softplus, softplus, 0, 0},
		{"erf", mx_math_erf, erf, 0, 0},
	};
	size_t f, i;

	(void)state;
	for (f = 0; f < sizeof(functions) / sizeof(functions[0]); f++)
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			const float x = values[i];
			const float want =
				(float)functions[f].reference((double)x);
			const float got = functions[f].ours(x);

			if ((isnan(want) && isnan(got)) || want == got ||
			    fabsf(got - want) <=
				    (float)BOUND * fabsf(want) + 3e-45f)
				continue;
			fail_msg("%s(%g) is %g, not %g", functions[f].name,
				 (double)x, (double)got, (double)want);
		}
}

static void odd_functions_keep_the_sign_of_zero(void **state)
{
	(void)state;
	assert_true(signbit(mx_math_tanh(-0.0f)));
	assert_true(signbit(mx_math_erf(-0.0f)));
	assert_false(signbit(mx_math_tanh(0.0f)));
	assert_false(signbit(mx_math_erf(0.0f)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_errors_stay_small_over_wide_ranges),
		cmocka_unit_test(special_values_are_those_of_libm),
		cmocka_unit_test(odd_functions_keep_the_sign_of_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
