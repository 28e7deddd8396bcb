#include "tests/onnx_fixture.h"

static void arithmetic_on_constants(void **state)
{
	(void)state;
	expect("init a T1:3:1,-2,4\n"
	       "init b T1:1:2\n"
	       "Add a,b -> c\n"
	       "Sub a,b -> d\n"
	       "Mul a,b -> e\n"
	       "Div a,b -> f\n"
	       "Pow a,b -> g\n"
	       "Neg a -> h\n"
	       "Abs a -> i\n"
	       "Max a,b -> j\n"
	       "Min a,b -> k\n"
	       "Mean a,b,b -> l\n"
	       "Sign a -> m\n"
	       "output c\n"
	       "output d\n"
	       "output e\n"
	       "output f\n"
	       "output g\n"
	       "output h\n"
	       "output i\n"
	       "output j\n"
	       "output k\n"
	       "output l\n"
	       "output m\n",
	       "Constant() shape=3 rows=3,0,6 -> c 3\n"
	       "Constant() shape=3 rows=-1,-4,2 -> d 3\n"
	       "Constant() shape=3 rows=2,-4,8 -> e 3\n"
	       "Constant() shape=3 rows=0.5,-1,2 -> f 3\n"
	       "Constant() shape=3 rows=1,4,16 -> g 3\n"
	       "Constant() shape=3 rows=-1,2,-4 -> h 3\n"
	       "Constant() shape=3 rows=1,2,4 -> i 3\n"
	       "Constant() shape=3 rows=2,2,4 -> j 3\n"
	       "Constant() shape=3 rows=1,-2,2 -> k 3\n"
	       "Constant() shape=3 rows=1.66667,0.666667,2.66667 -> l 3\n"
	       "Constant() shape=3 rows=1,-1,1 -> m 3\n");
}

static void arithmetic_on_integers(void **state)
{
	(void)state;
	expect("init a T7:3:7,-7,9007199254740993\n"
	       "init b T7::2\n"
	       "Div a,b -> c\n"
	       "Mod a,b -> d\n"
	       "Mul a,b -> e\n"
	       "Sub a,e -> f\n"
	       "Neg f -> g\n"
	       "Equal a,a -> h\n"
	       "Less a,b -> i\n"
	       "Not i -> j\n"
	       "And h,i -> k\n"
	       "output c\n"
	       "output d\n"
	       "output g\n"
	       "output h\n"
	       "output i\n"
	       "output j\n"
	       "output k\n",
	       "Constant() shape=3 rows=3,-3,4.5036e+15 -> c 3\n"
	       "Constant() shape=3 rows=1,1,0 -> d 3\n"
	       "Constant() shape=3 rows=7,-7,9.0072e+15 -> g 3\n"
	       "Constant() shape=3 rows=1,1,1 -> h 3\n"
	       "Constant() shape=3 rows=0,1,0 -> i 3\n"
	       "Constant() shape=3 rows=1,0,1 -> j 3\n"
	       "Constant() shape=3 rows=0,1,0 -> k 3\n");
	expect("init a T7:2:7,1\n"
	       "init z T7::0\n"
	       "Div a,z -> c\n"
	       "output c\n",
	       "Constant() shape=2 rows=0,0 -> c 2\n");
}

static void functions_on_constants(void **state)
{
	(void)state;
	expect("init a T1:2:0,1\n"
	       "Exp a -> b\n"
	       "Sqrt a -> c\n"
	       "Erf a -> d\n"
	       "Tanh a -> e\n"
	       "Sigmoid a -> f\n"
	       "Floor f -> g\n"
	       "Ceil f -> h\n"
	       "Round f -> i\n"
	       "Reciprocal b -> j\n"
	       "Log b -> k\n"
	       "Relu a -> l\n"
	       "output b\n"
	       "output c\n"
	       "output d\n"
	       "output e\n"
	       "output f\n"
	       "output g\n"
	       "output h\n"
	       "output i\n"
	       "output j\n"
	       "output k\n"
	       "output l\n",
	       "Constant() shape=2 rows=1,2.71828 -> b 2\n"
	       "Constant() shape=2 rows=0,1 -> c 2\n"
	       "Constant() shape=2 rows=0,0.842701 -> d 2\n"
	       "Constant() shape=2 rows=0,0.761594 -> e 2\n"
	       "Constant() shape=2 rows=0.5,0.731059 -> f 2\n"
	       "Constant() shape=2 rows=0,0 -> g 2\n"
	       "Constant() shape=2 rows=1,1 -> h 2\n"
	       "Constant() shape=2 rows=0,1 -> i 2\n"
	       "Constant() shape=2 rows=1,0.367879 -> j 2\n"
	       "Constant() shape=2 rows=0,1 -> k 2\n"
	       "Constant() shape=2 rows=0,1 -> l 2\n");
}

static void casts_of_constants(void **state)
{
	(void)state;
	expect("init a T1:3:1.7,-1.7,0\n"
	       "Cast a -> b to=7\n"
	       "Cast a -> c to=9\n"
	       "Cast b -> d to=1\n"
	       "Cast d -> e to=10\n"
	       "output b\n"
	       "output c\n"
	       "output e\n",
	       "Constant() shape=3 rows=1,-1,0 -> b 3\n"
	       "Constant() shape=3 rows=1,1,0 -> c 3\n"
	       "Constant() shape=3 rows=1,-1,0 -> e 3\n");
}

static void what_has_no_evaluator_goes_to_the_device(void **state)
{
	(void)state;
	expect("init a T1:2:1,2\n"
	       "Softplus a -> y\n"
	       "output y\n",
	       "Constant() shape=2 rows=1,2 -> a 2\n"
	       "Softplus(a) -> y 2\n");
}

static void operands_must_broadcast(void **state)
{
	(void)state;
	expect_failure("init a T1:2:1,2\n"
		       "init b T1:3:1,2,3\n"
		       "Add a,b -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Add:y (Add): input 1 does not broadcast");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_on_constants),
		cmocka_unit_test(arithmetic_on_integers),
		cmocka_unit_test(functions_on_constants),
		cmocka_unit_test(casts_of_constants),
		cmocka_unit_test(what_has_no_evaluator_goes_to_the_device),
		cmocka_unit_test(operands_must_broadcast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
