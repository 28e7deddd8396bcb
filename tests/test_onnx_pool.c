#include "tests/onnx_fixture.h"

static void pooling_keeps_its_rounding_and_divisor(void **state)
{
	(void)state;
	expect("input x 1,2,5\n"
	       "AveragePool x -> y kernel_shape=3, ceil_mode=1 strides=3, "
	       "count_include_pad=1\n"
	       "output y\n",
	       "Pooling(x) kernel=3 stride=3 dilation=1 pad_begin=0 pad_end=0 "
	       "kind=1 rounding=1 divisor=1 -> y 1x2x2\n");
	expect("input x 1,2,5,5\n"
	       "MaxPool x -> y kernel_shape=3,2 dilations=2,1 strides=1,2 "
	       "pads=1,0,1,1\n"
	       "output y\n",
	       "Pooling(x) kernel=3,2 stride=1,2 dilation=2,1 pad_begin=1,0 "
	       "pad_end=1,1 kind=0 rounding=0 divisor=0 -> y 1x2x3x3\n");
}

static void a_dilated_average_is_a_convolution_over_counts(void **state)
{
	(void)state;
	expect("input x 1,2,5\n"
	       "AveragePool x -> y kernel_shape=2, dilations=2, pads=1,1\n"
	       "output y\n",
	       "Convolution(x) kernel=2 stride=1 dilation=2 pad_begin=1 "
	       "pad_end=1 groups=2 out_channels=2 rows=1,1,1,1 -> "
	       "AveragePool:y/sum 1x2x5\n"
	       "Constant() shape=1,1,5 rows=1,0.5,0.5,0.5,1 -> "
	       "AveragePool:y/counts 1x1x5\n"
	       "Mul(AveragePool:y/sum, AveragePool:y/counts) -> y 1x2x5\n");
	expect("opset 19\n"
	       "input x 1,1,6\n"
	       "AveragePool x -> y kernel_shape=2, dilations=2, strides=3, "
	       "ceil_mode=1 pads=1,0 count_include_pad=1\n"
	       "output y\n",
	       "Convolution(x) kernel=2 stride=3 dilation=2 pad_begin=1 "
	       "pad_end=2 groups=1 out_channels=1 rows=1,1 -> "
	       "AveragePool:y/sum 1x1x3\n"
	       "Constant() shape=1,1,3 rows=0.5,0.5,1 -> AveragePool:y/counts "
	       "1x1x3\n"
	       "Mul(AveragePool:y/sum, AveragePool:y/counts) -> y 1x1x3\n");
}

static void global_pooling_takes_the_whole_picture(void **state)
{
	(void)state;
	expect("input x 1,2,3,4\n"
	       "GlobalAveragePool x -> y\n"
	       "output y\n",
	       "Pooling(x) kernel=3,4 stride=1,1 dilation=1,1 pad_begin=0,0 "
	       "pad_end=0,0 kind=1 rounding=0 divisor=0 -> y 1x2x1x1\n");
	expect("input x 1,2,3\n"
	       "GlobalMaxPool x -> y\n"
	       "output y\n",
	       "Pooling(x) kernel=3 stride=1 dilation=1 pad_begin=0 pad_end=0 "
	       "kind=0 rounding=0 divisor=0 -> y 1x2x1\n");
	expect("input x 1,2,1,2,1,2\n"
	       "GlobalAveragePool x -> y\n"
	       "output y\n",
	       "Reduce(x) kind=1 axes=2,3,4,5 keep=1 p=2 -> y 1x2x1x1x1x1\n");
	expect("input x 1,2,3,4\n"
	       "GlobalLpPool x -> y p=3\n"
	       "output y\n",
	       "Reduce(x) kind=7 axes=2,3 keep=1 p=3 -> y 1x2x1x1\n");
}

static void what_pooling_cannot_do_is_refused(void **state)
{
	(void)state;
	expect_failure("input x 1,1,4\n"
		       "MaxPool x -> y,i kernel_shape=2,\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: MaxPool: output Indices");
	expect_failure(
		"input x 1,4\n"
		"GlobalMaxPool x -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node GlobalMaxPool:y (GlobalMaxPool): its input has "
		"rank 2");
	expect_failure("input x 1,4\n"
		       "GlobalLpPool x -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node GlobalLpPool:y (GlobalLpPool): its input "
		       "has rank 2");
	expect_failure("input x 1,1,4\n"
		       "GlobalLpPool x -> y p=0\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node GlobalLpPool:y (GlobalLpPool): p is 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pooling_keeps_its_rounding_and_divisor),
		cmocka_unit_test(
			a_dilated_average_is_a_convolution_over_counts),
		cmocka_unit_test(global_pooling_takes_the_whole_picture),
		cmocka_unit_test(what_pooling_cannot_do_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
