#include "tests/onnx_fixture.h"

static void axes_are_attributes_or_inputs(void **state)
{
	(void)state;
	expect("input x 2,3,4\n"
	       "ReduceMean x -> y axes=-1,1\n"
	       "output y\n",
	       "Reduce(x) kind=1 axes=1,2 keep=1 -> y 2x1x1\n");
	expect("opset 18\n"
	       "input x 2,3,4\n"
	       "init axes T7:1:1\n"
	       "ReduceMax x,axes -> y keepdims=0\n"
	       "output y\n",
	       "Reduce(x) kind=2 axes=1 keep=0 -> y 2x4\n");
	expect("input x 2,3\n"
	       "ReduceSum x -> y keepdims=0\n"
	       "output y\n",
	       "Reduce(x) kind=0 axes=0,1 keep=0 -> y scalar\n");
	expect("input x 2,3\n"
	       "ReduceSum x -> y noop_with_empty_axes=1\n"
	       "output y\n",
	       "Identity(x) -> y 2x3\n");
	expect("input x 2,3\n"
	       "ReduceL2 x -> y axes=0,\n"
	       "output y\n",
	       "Reduce(x) kind=6 axes=0 keep=1 -> y 1x3\n");
}

static void axes_must_be_there(void **state)
{
	(void)state;
	expect_failure(
		"input x 2,3\n"
		"ReduceMin x -> y axes=2,\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ReduceMin:y (ReduceMin): axis 2 is outside of rank "
		"2");
}

static void constants_are_reduced_at_import(void **state)
{
	(void)state;
	expect("init c T1:2,3:*\n"
	       "ReduceSum c -> a axes=1, keepdims=0\n"
	       "ReduceMean c -> b axes=0,\n"
	       "ReduceMax c -> d\n"
	       "ReduceMin c -> e keepdims=0\n"
	       "ReduceL1 c -> f axes=0,\n"
	       "ReduceL2 c -> g axes=1,\n"
	       "ReduceProd c -> h axes=1,\n"
	       "ReduceSumSquare c -> i axes=1,\n"
	       "output a\n"
	       "output b\n"
	       "output d\n"
	       "output e\n"
	       "output f\n"
	       "output g\n"
	       "output h\n"
	       "output i\n",
	       "Constant() shape=2 rows=6,15 -> a 2\n"
	       "Constant() shape=1,3 rows=2.5,3.5,4.5 -> b 1x3\n"
	       "Constant() shape=1,1 rows=6 -> d 1x1\n"
	       "Constant() shape= rows=1 -> e scalar\n"
	       "Constant() shape=1,3 rows=5,7,9 -> f 1x3\n"
	       "Constant() shape=2,1 rows=3.74166,8.77496 -> g 2x1\n"
	       "Constant() shape=2,1 rows=6,120 -> h 2x1\n"
	       "Constant() shape=2,1 rows=14,77 -> i 2x1\n");
	expect("init c T7:3:2,3,4\n"
	       "ReduceProd c -> y keepdims=0\n"
	       "output y\n",
	       "Constant() shape= rows=24 -> y scalar\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(axes_are_attributes_or_inputs),
		cmocka_unit_test(axes_must_be_there),
		cmocka_unit_test(constants_are_reduced_at_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
