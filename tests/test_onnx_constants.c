#include "tests/onnx_fixture.h"

static void constants_come_in_many_forms(void **state)
{
	(void)state;
	expect("Constant - -> a value=T7:2:5,6\n"
	       "Constant - -> b value_float=0.5\n"
	       "Constant - -> c value_floats=0.5,1.5\n"
	       "Constant - -> d value_int=3\n"
	       "Constant - -> e value_ints=3,4\n"
	       "output a\n"
	       "output b\n"
	       "output c\n"
	       "output d\n"
	       "output e\n",
	       "Constant() shape=2 rows=5,6 -> a 2\n"
	       "Constant() shape= rows=0.5 -> b scalar\n"
	       "Constant() shape=2 rows=0.5,1.5 -> c 2\n"
	       "Constant() shape= rows=3 -> d scalar\n"
	       "Constant() shape=2 rows=3,4 -> e 2\n");
}

static void a_filled_shape_takes_no_memory(void **state)
{
	(void)state;
	expect("init s T7:2:20000,20000\n"
	       "ConstantOfShape s -> c value=T1:1:0.25\n"
	       "init i T7:1:1\n"
	       "Gather c,i -> r\n"
	       "init n T7:1:2\n"
	       "Slice c,i,n -> d\n"
	       "init o T7:1:3\n"
	       "ConstantOfShape o -> y\n"
	       "output y\n",
	       "Constant() shape=20000,20000 rows=0.25,0.25,0.25,0.25,0.25,"
	       "0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,"
	       "0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,"
	       "0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,"
	       "0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,"
	       "0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25 -> c "
	       "20000x20000\n"
	       "Gather(c) axis=0 index_shape=1 rows=1 -> r 1x20000\n"
	       "Constant() shape=3 rows=0,0,0 -> y 3\n");
	expect("init s T7:2:2,2\n"
	       "ConstantOfShape s -> c value=T1:1:0.25\n"
	       "Add c,c -> y\n"
	       "output y\n",
	       "Constant() shape=2,2 rows=0.5,0.5,0.5,0.5 -> y 2x2\n");
}

static void constants_without_a_value_are_refused(void **state)
{
	(void)state;
	expect_failure("Constant - -> a\n"
		       "output a\n",
		       -EBADMSG,
		       "FILE: node Constant:a (Constant): has 0 values");
	expect_failure("Constant - -> a value=3\n"
		       "output a\n",
		       -EBADMSG,
		       "FILE: node Constant:a (Constant): has no tensor");
	expect_failure(
		"init s T7:1:-2\n"
		"ConstantOfShape s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ConstantOfShape:y (ConstantOfShape): dimension 0 "
		"is negative");
	expect_failure(
		"init s T7:2:9999999,9999999\n"
		"ConstantOfShape s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ConstantOfShape:y (ConstantOfShape): its shape is "
		"too large");
	expect_failure(
		"init s T7:1:2\n"
		"ConstantOfShape s -> y value=T1:2:1,2\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ConstantOfShape:y (ConstantOfShape): its value is "
		"no scalar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_come_in_many_forms),
		cmocka_unit_test(a_filled_shape_takes_no_memory),
		cmocka_unit_test(constants_without_a_value_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
