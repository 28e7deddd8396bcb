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

static void integers_stay_integers(void **state)
{
	(void)state;
	/* Those that doubles cannot tell apart: a[0] is b[0] + 1. */
	expect("init base T7:3:9007199254740992,-3,0\n"
	       "init rest T7:3:1,0,0\n"
	       "Add base,rest -> a\n"
	       "init b T7:3:9007199254740992,5,0\n"
	       "init two T7::2\n"
	       "Add a,two -> c\n"
	       "Sub c,b -> d\n"
	       "Max a,b -> e\n"
	       "Sub e,b -> f\n"
	       "Min a,b -> g\n"
	       "Sub g,a -> h\n"
	       "Abs a -> i\n"
	       "Sub i,b -> j\n"
	       "Sign a -> k\n"
	       "Floor a -> l\n"
	       "Sub l,b -> m\n"
	       "Mod a,two -> n\n"
	       "Pow n,two -> o\n"
	       "Sum a,b,two -> p\n"
	       "Sub p,a -> q\n"
	       "Sub q,b -> r\n"
	       "output d\n"
	       "output f\n"
	       "output h\n"
	       "output j\n"
	       "output k\n"
	       "output m\n"
	       "output o\n"
	       "output r\n",
	       "Constant() shape=3 rows=3,-6,2 -> d 3\n"
	       "Constant() shape=3 rows=1,0,0 -> f 3\n"
	       "Constant() shape=3 rows=-1,0,0 -> h 3\n"
	       "Constant() shape=3 rows=1,-2,0 -> j 3\n"
	       "Constant() shape=3 rows=1,-1,0 -> k 3\n"
	       "Constant() shape=3 rows=1,-8,0 -> m 3\n"
	       "Constant() shape=3 rows=1,1,0 -> o 3\n"
	       "Constant() shape=3 rows=2,2,2 -> r 3\n");
}

static void remainders_take_a_side(void **state)
{
	(void)state;
	expect("init a T7:4:7,-7,7,-7\n"
	       "init b T7:4:3,3,-3,0\n"
	       "init c T1:2:-7.5,7.5\n"
	       "init d T1:2:2,-2\n"
	       "Mod a,b -> e\n"
	       "Mod a,b -> f fmod=1\n"
	       "Mod c,d -> g fmod=1\n"
	       "output e\n"
	       "output f\n"
	       "output g\n",
	       "Constant() shape=4 rows=1,2,-2,0 -> e 4\n"
	       "Constant() shape=4 rows=1,-1,1,0 -> f 4\n"
	       "Constant() shape=2 rows=-1.5,1.5 -> g 2\n");
}

/* Of floats, and of integers that are equal as doubles. */
static void comparisons_of_constants(void **state)
{
	static const char *const inits[] = {
		"init a T1:3:1.5,-2,3\n"
		"init b T1:3:1.25,-2,3.5\n",
		"init b T7:3:9007199254740992,-2,-9007199254740992\n"
		"init rest T7:3:1,0,-1\n"
		"Add b,rest -> a\n",
	};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", inits[i],
			       "Equal a,b -> c\n"
			       "Less a,b -> d\n"
			       "Greater a,b -> e\n"
			       "LessOrEqual a,b -> f\n"
			       "GreaterOrEqual a,b -> g\n"
			       "output c\n"
			       "output d\n"
			       "output e\n"
			       "output f\n"
			       "output g\n");
		expect(text, "Constant() shape=3 rows=0,1,0 -> c 3\n"
			     "Constant() shape=3 rows=0,0,1 -> d 3\n"
			     "Constant() shape=3 rows=1,0,0 -> e 3\n"
			     "Constant() shape=3 rows=0,1,1 -> f 3\n"
			     "Constant() shape=3 rows=1,1,0 -> g 3\n");
	}
}

static void truths_are_combined(void **state)
{
	(void)state;
	expect("init a T9:4:0,0,1,1\n"
	       "init b T9:4:0,1,0,1\n"
	       "And a,b -> c\n"
	       "Or a,b -> d\n"
	       "Xor a,b -> e\n"
	       "Not a -> f\n"
	       "output c\n"
	       "output d\n"
	       "output e\n"
	       "output f\n",
	       "Constant() shape=4 rows=0,0,0,1 -> c 4\n"
	       "Constant() shape=4 rows=0,1,1,1 -> d 4\n"
	       "Constant() shape=4 rows=0,1,1,0 -> e 4\n"
	       "Constant() shape=4 rows=1,1,0,0 -> f 4\n");
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
		cmocka_unit_test(integers_stay_integers),
		cmocka_unit_test(comparisons_of_constants),
		cmocka_unit_test(remainders_take_a_side),
		cmocka_unit_test(truths_are_combined),
		cmocka_unit_test(casts_of_constants),
		cmocka_unit_test(what_has_no_evaluator_goes_to_the_device),
		cmocka_unit_test(operands_must_broadcast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
