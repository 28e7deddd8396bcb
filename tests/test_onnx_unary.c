#include "tests/onnx_fixture.h"

static void attributes_become_a_and_b(void **state)
{
	(void)state;
	expect("input x 2\n"
	       "Elu x -> a alpha=2.0\n"
	       "LeakyRelu a -> b\n"
	       "HardSigmoid b -> c beta=0.25\n"
	       "Selu c -> d\n"
	       "ThresholdedRelu d -> e alpha=3.0\n"
	       "Softplus e -> y\n"
	       "output y\n",
	       "Elu(x) a=2 -> a 2\n"
	       "Relu(a) a=0.01 -> b 2\n"
	       "HardSigmoid(b) a=0.2 b=0.25 -> c 2\n"
	       "Selu(c) a=1.6733 b=1.0507 -> d 2\n"
	       "ThresholdedRelu(d) a=3 -> e 2\n"
	       "Softplus(e) -> y 2\n");
}

static void clip_takes_attributes_or_inputs(void **state)
{
	(void)state;
	expect("opset 6\n"
	       "input x 2\n"
	       "Clip x -> y min=-1.0 max=2.0\n"
	       "output y\n",
	       "Clip(x) a=-1 b=2 -> y 2\n");
	expect("input x 2\n"
	       "init hi T1::6.0\n"
	       "Clip x,,hi -> y\n"
	       "output y\n",
	       "Clip(x) a=-3.4028e+38 b=6 -> y 2\n");
	expect("input x 2\n"
	       "input lo 2\n"
	       "input hi 2\n"
	       "Clip x,lo,hi -> y\n"
	       "output y\n",
	       "Max(x, lo) -> Clip:y/min 2\n"
	       "Min(Clip:y/min, hi) -> y 2\n");
	expect("input x 2\n"
	       "input lo 2\n"
	       "Clip x,lo -> y\n"
	       "output y\n",
	       "Max(x, lo) -> y 2\n");
	expect("input x 2\n"
	       "Clip x -> y\n"
	       "output y\n",
	       "Clip(x) a=-3.4028e+38 b=3.4028e+38 -> y 2\n");
}

static void casts_to_integers_truncate(void **state)
{
	(void)state;
	expect("input x 2\n"
	       "Cast x -> y to=1\n"
	       "output y\n",
	       "Identity(x) -> y 2\n");
	expect("input x 2\n"
	       "Cast x -> i to=7\n"
	       "Cast i -> y to=1\n"
	       "output y\n",
	       "Trunc(x) -> i 2\n"
	       "Identity(i) -> y 2\n");
	expect("input x 2\n"
	       "Cast x -> y to=9\n"
	       "output y\n",
	       "Abs(x) -> Cast:y/abs 2\n"
	       "Sign(Cast:y/abs) -> y 2\n");
	expect_failure("input x 2\n"
		       "Cast x -> y to=8\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: Cast: to=8");
}

static void dropout_does_nothing(void **state)
{
	(void)state;
	expect("input x 2\n"
	       "Dropout x -> y,mask\n"
	       "output y\n"
	       "output mask\n",
	       "Identity(x) -> y 2\n"
	       "Constant() shape=2 rows=1,1 -> mask 2\n");
	expect_failure("input x 2\n"
		       "init ratio T1::0.5\n"
		       "init on T9::1\n"
		       "Dropout x,ratio,on -> y\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Dropout: training_mode=1");
}

static void softmax_before_13_takes_all_dimensions_from_the_axis_on(
	void **state)
{
	(void)state;
	expect("opset 12\n"
	       "input x 2,3,4\n"
	       "Softmax x -> y\n"
	       "output y\n",
	       "Softmax(x) axis=1 axis_end=3 log=0 -> y 2x3x4\n");
	expect("input x 2,3,4\n"
	       "Softmax x -> y\n"
	       "output y\n",
	       "Softmax(x) axis=2 axis_end=3 log=0 -> y 2x3x4\n");
	expect("input x 2,3,4\n"
	       "LogSoftmax x -> y axis=-2\n"
	       "output y\n",
	       "Softmax(x) axis=1 axis_end=2 log=1 -> y 2x3x4\n");
	expect_failure(
		"input x 2,3,4\n"
		"Softmax x -> y axis=3\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Softmax:y (Softmax): axis 3 is outside of rank 3");
}

static void what_the_device_cannot_compute_is_refused(void **state)
{
	(void)state;
	expect_failure("input x 2\n"
		       "Not x -> y\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Not: of computed values");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_become_a_and_b),
		cmocka_unit_test(clip_takes_attributes_or_inputs),
		cmocka_unit_test(casts_to_integers_truncate),
		cmocka_unit_test(dropout_does_nothing),
		cmocka_unit_test(
			softmax_before_13_takes_all_dimensions_from_the_axis_on),
		cmocka_unit_test(what_the_device_cannot_compute_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
