#include "tests/onnx_fixture.h"

static void windows_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	expect_failure("input x 1,1,4\n"
		       "MaxPool x -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node MaxPool:y (MaxPool): has no kernel_shape");
	expect_failure("input x 1,1\n"
		       "MaxPool x -> y kernel_shape=2,\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node MaxPool:y (MaxPool): its input has rank 2");
	expect_failure(
		"input x 1,1,4\n"
		"MaxPool x -> y kernel_shape=2,2\n"
		"output y\n",
		-EBADMSG,
		"FILE: node MaxPool:y (MaxPool): kernel_shape has 2 values, "
		"not 1");
	expect_failure(
		"input x 1,1,4\n"
		"MaxPool x -> y kernel_shape=0,\n"
		"output y\n",
		-EBADMSG,
		"FILE: node MaxPool:y (MaxPool): kernel_shape has the value 0");
	expect_failure(
		"input x 1,1,4\n"
		"MaxPool x -> y kernel_shape=2, strides=0,\n"
		"output y\n",
		-EBADMSG,
		"FILE: node MaxPool:y (MaxPool): strides has the value 0");
	expect_failure(
		"input x 1,1,4\n"
		"MaxPool x -> y kernel_shape=2, pads=1,\n"
		"output y\n",
		-EBADMSG,
		"FILE: node MaxPool:y (MaxPool): pads has 1 values, not 2");
	expect_failure("input x 1,1,4\n"
		       "MaxPool x -> y kernel_shape=2, strides=9000000000,\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node MaxPool:y (MaxPool): strides has the value "
		       "9000000000");
}

static void some_are_not_supported(void **state)
{
	(void)state;
	expect_failure("input x 1,1,4\n"
		       "MaxPool x -> y kernel_shape=2, auto_pad='FULL'\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: MaxPool: auto_pad=FULL");
	expect_failure("input x 1,1,4\n"
		       "MaxPool x -> y kernel_shape=2, pads=-1,0\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: MaxPool: negative pads");
	expect_failure("input x 1,1,2,2,2,2\n"
		       "MaxPool x -> y kernel_shape=1,1,1,1\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: MaxPool: 4 spatial dimensions");
}

static void same_pads_divide_by_side(void **state)
{
	(void)state;
	expect("input x 1,1,5\n"
	       "MaxPool x -> y kernel_shape=4, auto_pad='SAME_UPPER' "
	       "strides=2,\n"
	       "output y\n",
	       "Pooling(x) kernel=4 stride=2 dilation=1 pad_begin=1 pad_end=2 "
	       "kind=0 rounding=0 divisor=0 -> y 1x1x3\n");
	expect("input x 1,1,5\n"
	       "MaxPool x -> y kernel_shape=4, auto_pad='SAME_LOWER' "
	       "strides=2,\n"
	       "output y\n",
	       "Pooling(x) kernel=4 stride=2 dilation=1 pad_begin=2 pad_end=1 "
	       "kind=0 rounding=0 divisor=0 -> y 1x1x3\n");
	expect("input x 1,1,5\n"
	       "MaxPool x -> y kernel_shape=1, auto_pad='SAME_LOWER' "
	       "strides=3,\n"
	       "output y\n",
	       "Pooling(x) kernel=1 stride=3 dilation=1 pad_begin=0 pad_end=0 "
	       "kind=0 rounding=0 divisor=0 -> y 1x1x2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_that_make_no_sense_are_refused),
		cmocka_unit_test(some_are_not_supported),
		cmocka_unit_test(same_pads_divide_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
