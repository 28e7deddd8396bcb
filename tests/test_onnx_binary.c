#include "tests/onnx_fixture.h"

static void constants_of_one_axis_become_affine(void **state)
{
	(void)state;
	expect("input x 1,3,2,2\n"
	       "init c T1:3,1,1:1,2,4\n"
	       "Add x,c -> a\n"
	       "Mul c,a -> b\n"
	       "Sub b,c -> d\n"
	       "Sub c,d -> e\n"
	       "Div e,c -> y\n"
	       "output y\n",
	       "Affine(x) axis=1 vector=1,1,1 vector=1,2,4 -> a 1x3x2x2\n"
	       "Affine(a) axis=1 vector=1,2,4 vector=0,0,0 -> b 1x3x2x2\n"
	       "Affine(b) axis=1 vector=1,1,1 vector=-1,-2,-4 -> d 1x3x2x2\n"
	       "Affine(d) axis=1 vector=-1,-1,-1 vector=1,2,4 -> e 1x3x2x2\n"
	       "Affine(e) axis=1 vector=1,0.5,0.25 vector=0,0,0 -> y "
	       "1x3x2x2\n");
	expect("input x 1,2,3\n"
	       "init c T1:3:1,2,4\n"
	       "Mul x,c -> y\n"
	       "output y\n",
	       "Affine(x) axis=2 vector=1,2,4 vector=0,0,0 -> y 1x2x3\n");
}

static void scalars_become_affine_or_cheaper(void **state)
{
	(void)state;
	expect("input x 1,3,2\n"
	       "init c T1::0.5\n"
	       "Mul x,c -> y\n"
	       "output y\n",
	       "Affine(x) axis=1 vector=0.5,0.5,0.5 vector=0,0,0 -> y 1x3x2\n");
	expect("input x 3\n"
	       "init c T1::0.5\n"
	       "init one T1::1\n"
	       "init zero T1::0\n"
	       "Mul x,c -> a\n"
	       "Div one,a -> b\n"
	       "Pow b,c -> d\n"
	       "Max d,zero -> e\n"
	       "Max e,c -> f\n"
	       "Min c,f -> g\n"
	       "Sub c,g -> y\n"
	       "output y\n",
	       "Power(x) a=1 b=0.5 c=0 -> a 3\n"
	       "Reciprocal(a) -> b 3\n"
	       "Power(b) a=0.5 b=1 c=0 -> d 3\n"
	       "Relu(d) -> e 3\n"
	       "Clip(e) a=0.5 b=3.4028e+38 -> f 3\n"
	       "Clip(f) a=-3.4028e+38 b=0.5 -> g 3\n"
	       "Power(g) a=1 b=-1 c=0.5 -> y 3\n");
}

static void other_constants_stay_operands(void **state)
{
	(void)state;
	expect("input x 1,2,2\n"
	       "init c T1:2,2:*\n"
	       "init z T1:2,1:0,1\n"
	       "init s T1:1,1,1,1:5\n"
	       "Add x,c -> a\n"
	       "Div z,a -> b\n"
	       "Div b,z -> d\n"
	       "Mul d,s -> e\n"
	       "Pow s,e -> y\n"
	       "output y\n",
	       "Constant() shape=2,2 rows=1,2,3,4 -> Add:a/b 2x2\n"
	       "Add(x, Add:a/b) -> a 1x2x2\n"
	       "Constant() shape=2,1 rows=0,1 -> Div:b/a 2x1\n"
	       "Div(Div:b/a, a) -> b 1x2x2\n"
	       "Div(b, Div:b/a) -> d 1x2x2\n"
	       "Constant() shape=1,1,1,1 rows=5 -> Mul:e/b 1x1x1x1\n"
	       "Mul(d, Mul:e/b) -> e 1x1x2x2\n"
	       "Pow(Mul:e/b, e) -> y 1x1x2x2\n");
}

static void the_old_broadcast_places_the_second_operand(void **state)
{
	(void)state;
	expect("opset 6\n"
	       "input x 2,3,4\n"
	       "init c T1:3:1,2,3\n"
	       "Add x,c -> y broadcast=1 axis=1\n"
	       "output y\n",
	       "Affine(x) axis=1 vector=1,1,1 vector=1,2,3 -> y 2x3x4\n");
	expect("opset 6\n"
	       "input x 2,3,4\n"
	       "input c 2,3\n"
	       "Mul x,c -> y broadcast=1 axis=0\n"
	       "output y\n",
	       "Reshape(c) shape=2,3,1 -> Mul:y/broadcast 2x3x1\n"
	       "Mul(x, Mul:y/broadcast) -> y 2x3x4\n");
	expect_failure("opset 6\n"
		       "input x 2,3\n"
		       "input c 2,3\n"
		       "Mul x,c -> y broadcast=1 axis=1\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Mul:y (Mul): axis 1 leaves no room");
}

static void sums_of_many_operands(void **state)
{
	(void)state;
	expect("input x 2\n"
	       "input z 2\n"
	       "Sum x,z,x -> a\n"
	       "Mean a,x,z -> b\n"
	       "Mean b,z -> c\n"
	       "Max c -> y\n"
	       "output y\n",
	       "Eltwise(x, z, x) kind=1 -> a 2\n"
	       "Eltwise(a, x, z) kind=4 -> b 2\n"
	       "Add(b, z) -> Mean:c/pair 2\n"
	       "Power(Mean:c/pair) a=1 b=0.5 c=0 -> c 2\n"
	       "Identity(c) -> y 2\n");
	expect("input x 2,1\n"
	       "input z 3\n"
	       "Min x,z,x -> y\n"
	       "output y\n",
	       "Min(x, z) -> Min:y/pair 2x3\n"
	       "Min(Min:y/pair, x) -> y 2x3\n");
}

static void integer_division_truncates(void **state)
{
	(void)state;
	expect("input x 2\n"
	       "init c T7::3\n"
	       "Cast x -> i to=7\n"
	       "Div i,c -> y\n"
	       "output y\n",
	       "Trunc(x) -> i 2\n"
	       "Constant() shape= rows=3 -> c scalar\n"
	       "Div(i, c) -> Div:y/quotient 2\n"
	       "Trunc(Div:y/quotient) -> y 2\n");
}

static void prelu_by_channel_by_scalar_and_any_other(void **state)
{
	(void)state;
	expect("input x 1,2,3\n"
	       "init s T1:2,1:0.25,0.5\n"
	       "PRelu x,s -> y\n"
	       "output y\n",
	       "PRelu(x) axis=1 vector=0.25,0.5 -> y 1x2x3\n");
	expect("opset 6\n"
	       "input x 1,2,2\n"
	       "init s T1:2:0.25,0.5\n"
	       "PRelu x,s -> y\n"
	       "output y\n",
	       "PRelu(x) axis=1 vector=0.25,0.5 -> y 1x2x2\n");
	expect("input x 1,2,3\n"
	       "init s T1:1:0.25\n"
	       "PRelu x,s -> y\n"
	       "output y\n",
	       "Relu(x) a=0.25 -> y 1x2x3\n");
	expect("input x 1,2,2\n"
	       "init s T1:2,2:*\n"
	       "PRelu x,s -> y\n"
	       "output y\n",
	       "Constant() shape=2,2 rows=1,2,3,4 -> s 2x2\n"
	       "Relu(x) -> PRelu:y/positive 1x2x2\n"
	       "Clip(x) a=-3.4028e+38 b=0 -> PRelu:y/negative 1x2x2\n"
	       "Mul(PRelu:y/negative, s) -> PRelu:y/scaled 1x2x2\n"
	       "Add(PRelu:y/positive, PRelu:y/scaled) -> y 1x2x2\n");
}

static void where_takes_any_operands(void **state)
{
	(void)state;
	expect("input x 2\n"
	       "init c T9:2:1,0\n"
	       "init z T1:1:9\n"
	       "Where c,x,z -> y\n"
	       "output y\n",
	       "Constant() shape=2 rows=1,0 -> c 2\n"
	       "Constant() shape=1 rows=9 -> z 1\n"
	       "Where(c, x, z) -> y 2\n");
}

static void shapes_that_do_not_broadcast_are_refused(void **state)
{
	(void)state;
	expect_failure("input x 2,3\n"
		       "init c T1:2:1,2\n"
		       "Add x,c -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Add:y (Add): its inputs do not broadcast");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_of_one_axis_become_affine),
		cmocka_unit_test(scalars_become_affine_or_cheaper),
		cmocka_unit_test(other_constants_stay_operands),
		cmocka_unit_test(the_old_broadcast_places_the_second_operand),
		cmocka_unit_test(sums_of_many_operands),
		cmocka_unit_test(integer_division_truncates),
		cmocka_unit_test(prelu_by_channel_by_scalar_and_any_other),
		cmocka_unit_test(where_takes_any_operands),
		cmocka_unit_test(shapes_that_do_not_broadcast_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
