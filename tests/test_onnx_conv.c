#include "tests/onnx_fixture.h"

static void weights_are_read_with_channels_last(void **state)
{
	(void)state;
	expect("input x 1,2,3,3\n"
	       "init w T1:2,2,2,2:*\n"
	       "init b T1:2:7,8\n"
	       "Conv x,w,b -> y strides=2,1 auto_pad='SAME_UPPER'\n"
	       "output y\n",
	       "Convolution(x) kernel=2,2 stride=2,1 dilation=1,1 pad_begin=0,"
	       "0 pad_end=1,1 groups=1 out_channels=2 rows=1,5,2,6,3,7,4,8,9,"
	       "13,10,14,11,15,12,16 vector=7,8 -> y 1x2x2x3\n");
	expect("input x 1,2,3,3\n"
	       "init w T1:2,2,2,2:*\n"
	       "Conv x,w -> y auto_pad='SAME_LOWER' kernel_shape=2,2\n"
	       "output y\n",
	       "Convolution(x) kernel=2,2 stride=1,1 dilation=1,1 pad_begin=1,"
	       "1 pad_end=0,0 groups=1 out_channels=2 rows=1,5,2,6,3,7,4,8,9,"
	       "13,10,14,11,15,12,16 -> y 1x2x3x3\n");
	expect("input x 1,1,2,2,2\n"
	       "init w T1:1,1,1,1,1:3\n"
	       "Conv x,w -> y auto_pad='VALID'\n"
	       "output y\n",
	       "Convolution(x) kernel=1,1,1 stride=1,1,1 dilation=1,1,1 "
	       "pad_begin=0,0,0 pad_end=0,0,0 groups=1 out_channels=1 rows=3 "
	       "-> y 1x1x2x2x2\n");
}

static void groups_dilation_and_one_dimension(void **state)
{
	(void)state;
	expect("input x 1,4,3\n"
	       "init w T1:4,1,2:*\n"
	       "Conv x,w -> y group=4 dilations=2, pads=1,0,\n"
	       "output y\n",
	       "Convolution(x) kernel=2 stride=1 dilation=2 pad_begin=1 "
	       "pad_end=0 groups=4 out_channels=4 rows=1,2,3,4,5,6,7,8 -> y "
	       "1x4x2\n");
}

static void transposed_weights_are_read_group_by_group(void **state)
{
	(void)state;
	expect("input x 1,4,3\n"
	       "init w T1:4,1,2:*\n"
	       "ConvTranspose x,w -> y group=2 output_padding=1, strides=2,\n"
	       "output y\n",
	       "Deconvolution(x) kernel=2 stride=2 dilation=1 pad_begin=0 "
	       "pad_end=0 groups=2 out_channels=2 output_pad=1 rows=1,3,2,4,5,"
	       "7,6,8 -> y 1x2x7\n");
	expect("input x 1,2,2\n"
	       "init w T1:2,3,1:*\n"
	       "init b T1:3:1,2,3\n"
	       "ConvTranspose x,w,b -> y pads=0,0\n"
	       "output y\n",
	       "Deconvolution(x) kernel=1 stride=1 dilation=1 pad_begin=0 "
	       "pad_end=0 groups=1 out_channels=3 output_pad=0 rows=1,4,2,5,3,"
	       "6 vector=1,2,3 -> y 1x3x2\n");
}

static void an_output_shape_becomes_pads(void **state)
{
	(void)state;
	expect("input x 1,2,3,3\n"
	       "init w T1:2,1,2,2:*\n"
	       "ConvTranspose x,w -> y strides=2,2 output_shape=7,7\n"
	       "output y\n",
	       "Deconvolution(x) kernel=2,2 stride=2,2 dilation=1,1 "
	       "pad_begin=0,0 pad_end=0,0 groups=1 out_channels=1 "
	       "output_pad=1,1 rows=1,5,2,6,3,7,4,8 -> y 1x1x7x7\n");
	expect("input x 1,1,3,3\n"
	       "init w T1:1,1,3,3:*\n"
	       "ConvTranspose x,w -> y strides=2,2 auto_pad='SAME_UPPER'\n"
	       "output y\n",
	       "Deconvolution(x) kernel=3,3 stride=2,2 dilation=1,1 "
	       "pad_begin=0,0 pad_end=1,1 groups=1 out_channels=1 "
	       "output_pad=0,0 rows=1,2,3,4,5,6,7,8,9 -> y 1x1x6x6\n");
	expect("input x 1,1,3,3\n"
	       "init w T1:1,1,3,3:*\n"
	       "ConvTranspose x,w -> y strides=2,2 auto_pad='SAME_LOWER'\n"
	       "output y\n",
	       "Deconvolution(x) kernel=3,3 stride=2,2 dilation=1,1 "
	       "pad_begin=1,1 pad_end=0,0 groups=1 out_channels=1 "
	       "output_pad=0,0 rows=1,2,3,4,5,6,7,8,9 -> y 1x1x6x6\n");
	expect("input x 1,1,3\n"
	       "init w T1:1,1,3:*\n"
	       "ConvTranspose x,w -> y strides=2, output_shape=1,1,6\n"
	       "output y\n",
	       "Deconvolution(x) kernel=3 stride=2 dilation=1 pad_begin=1 "
	       "pad_end=0 groups=1 out_channels=1 output_pad=0 rows=1,2,3 -> "
	       "y 1x1x6\n");
}

static void weights_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	expect_failure(
		"input x 1,3,3,3\n"
		"init w T1:2,2,2,2:*\n"
		"Conv x,w -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Conv:y (Conv): weights of 2 x 2 channels in 1 "
		"groups for an input of 3");
	expect_failure(
		"input x 1,4,3,3\n"
		"init w T1:3,2,2,2:*\n"
		"Conv x,w -> y group=2\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Conv:y (Conv): weights of 3 x 2 channels in 2 "
		"groups for an input of 4");
	expect_failure(
		"input x 1,4,3,3\n"
		"init w T1:3,4,2:*\n"
		"Conv x,w -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Conv:y (Conv): weights of rank 3 for an input of "
		"rank 4");
	expect_failure("input x 1,4,3,3\n"
		       "init w T1:4,4,2,2:*\n"
		       "Conv x,w -> y group=0\n"
		       "output y\n",
		       -EBADMSG, "FILE: node Conv:y (Conv): group is 0");
	expect_failure("input x 1,1,3,3\n"
		       "init w T1:4,1,2,0:\n"
		       "Conv x,w -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Conv:y (Conv): its weights are empty");
	expect_failure(
		"input x 1,1,3,3\n"
		"init w T1:4,1,2,2:*\n"
		"Conv x,w -> y kernel_shape=3,3\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Conv:y (Conv): kernel_shape is not that of the "
		"weights");
}

static void bias_kernel_and_output_must_fit(void **state)
{
	(void)state;
	expect_failure("input x 1,1,3,3\n"
		       "init w T1:2,1,2,2:*\n"
		       "init b T1:3:1,2,3\n"
		       "Conv x,w,b -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Conv:y (Conv): its bias has 3 values for 2 "
		       "channels");
	expect_failure(
		"input x 1,1,3,3\n"
		"init w T1:1,1,4,4:*\n"
		"Conv x,w -> y\n"
		"output y\n",
		-EBADMSG,
		"Conv:y (Convolution): a window of 4 does not fit an input of "
		"3 with its padding");
	expect_failure(
		"input x 1,2,3\n"
		"init w T1:3,1,1:*\n"
		"ConvTranspose x,w -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ConvTranspose:y (ConvTranspose): weights for 3 "
		"channels in 1 groups, an input of 2");
	expect_failure(
		"input x 1,2,3\n"
		"init w T1:2,1,1:*\n"
		"ConvTranspose x,w -> y output_padding=-1,\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ConvTranspose:y (ConvTranspose): output_padding is "
		"-1");
	expect_failure(
		"input x 1,2,3\n"
		"init w T1:2,1,1:*\n"
		"ConvTranspose x,w -> y output_shape=1,2,3,4\n"
		"output y\n",
		-EBADMSG,
		"FILE: node ConvTranspose:y (ConvTranspose): output_shape has "
		"4 values");
}

static void computed_weights_are_not_supported(void **state)
{
	(void)state;
	expect_failure("input x 1,2,3\n"
		       "input w 2,2,1\n"
		       "Conv x,w -> y\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Conv: input 1 is computed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_read_with_channels_last),
		cmocka_unit_test(groups_dilation_and_one_dimension),
		cmocka_unit_test(transposed_weights_are_read_group_by_group),
		cmocka_unit_test(an_output_shape_becomes_pads),
		cmocka_unit_test(weights_that_do_not_fit_are_refused),
		cmocka_unit_test(bias_kernel_and_output_must_fit),
		cmocka_unit_test(computed_weights_are_not_supported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
