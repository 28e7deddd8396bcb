/*
 * What each Caffe layer becomes.
 */
#include "tests/caffe_fixture.h"

struct layer_case {
	const char *net;
	const char *want;
};

static void expect_all(const struct layer_case *cases, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		expect_nodes(cases[i].net, cases[i].want);
}

#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof(cases[0]))

static void maps_become_the_device_s(void **state)
{
	static const struct layer_case cases[] = {
		{ONE("1,2,3", "type: 'ReLU'"), "Relu(x) -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'ReLU' relu_param { negative_slope: .1 }"),
		 "Relu(x) a=0.1 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'ReLU6'"), "Clip(x) a=0 b=6 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'ELU' elu_param { alpha: 2 }"),
		 "Elu(x) a=2 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Sigmoid'"), "Sigmoid(x) -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'TanH'"), "Tanh(x) -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'AbsVal'"), "Abs(x) -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'BNLL'"), "Softplus(x) -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Power' power_param { power: 2 scale: 3 "
			      "shift: 4 }"),
		 "Power(x) a=2 b=3 c=4 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Exp' exp_param { scale: 3 shift: 4 }"),
		 "Exp(x) a=3 b=4 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Exp' exp_param { base: 2 }"),
		 "Exp(x) a=0.69315 b=0 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Log' log_param { base: 10 scale: 3 "
			      "shift: 4 }"),
		 "Log(x) a=3 b=4 c=0.43429 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Threshold' threshold_param { "
			      "threshold: 2 }"),
		 "Power(x) a=1 b=1 c=-2 -> 1x2x3\n"
		 "Relu(y/Power0) -> 1x2x3\nSign(y/Relu1) -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'PReLU' prelu_param { channel_shared: "
			      "true }"),
		 "PRelu(x) axis=1 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Eltwise' bottom: 'x' eltwise_param { "
			      "coeff: [1, -2] }"),
		 "Eltwise(x, x) kind=1 coeff=1,-2 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Eltwise' bottom: 'x' eltwise_param { "
			      "operation: PROD }"),
		 "Eltwise(x, x) kind=0 -> 1x2x3\n"},
		{ONE("1,2,3", "type: 'Eltwise' bottom: 'x' eltwise_param { "
			      "operation: MAX }"),
		 "Eltwise(x, x) kind=2 -> 1x2x3\n"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void windows_take_every_way_to_give_them(void **state)
{
	static const struct layer_case cases[] = {
		{ONE("1,3,9,9", "type: 'Convolution' convolution_param { "
				"num_output: 4 kernel_size: 3 }"),
		 "Convolution(x) kernel=3,3 stride=1,1 pad_begin=0,0 "
		 "pad_end=0,0 dilation=1,1 groups=1 out_channels=4 -> "
		 "1x4x7x7\n"},
		{ONE("1,4,9,9", "type: 'Convolution' convolution_param { "
				"num_output: 4 kernel_h: 3 kernel_w: 1 "
				"pad_h: 1 pad_w: 0 stride_h: 2 stride_w: 3 "
				"group: 2 dilation: 1 bias_term: false }"),
		 "Convolution(x) kernel=3,1 stride=2,3 pad_begin=1,0 "
		 "pad_end=1,0 dilation=1,1 groups=2 out_channels=4 -> "
		 "1x4x5x3\n"},
		{ONE("1,4,9,9", "type: 'Convolution' convolution_param { "
				"num_output: 4 kernel_size: 3 kernel_size: 2 "
				"dilation: 2 pad: 1 }"),
		 "Convolution(x) kernel=3,2 stride=1,1 pad_begin=1,1 "
		 "pad_end=1,1 dilation=2,2 groups=1 out_channels=4 -> "
		 "1x4x7x9\n"},
		{ONE("1,4,9", "type: 'Convolution' convolution_param { "
			      "num_output: 2 kernel_size: 3 }"),
		 "Convolution(x) kernel=3 stride=1 pad_begin=0 pad_end=0 "
		 "dilation=1 groups=1 out_channels=2 -> 1x2x7\n"},
		{ONE("1,4,9,9", "type: 'DepthwiseConvolution' "
				"convolution_param { num_output: 4 "
				"kernel_size: 3 }"),
		 "Convolution(x) kernel=3,3 stride=1,1 pad_begin=0,0 "
		 "pad_end=0,0 dilation=1,1 groups=4 out_channels=4 -> "
		 "1x4x7x7\n"},
		{ONE("1,4,5,5", "type: 'Deconvolution' convolution_param { "
				"num_output: 2 kernel_size: 4 stride: 2 "
				"pad: 1 group: 2 }"),
		 "Deconvolution(x) kernel=4,4 stride=2,2 pad_begin=1,1 "
		 "pad_end=1,1 dilation=1,1 groups=2 out_channels=2 -> "
		 "1x2x10x10\n"},
		{ONE("1,4,6,6", "type: 'Pooling' pooling_param { kernel_size: "
				"3 stride: 2 }"),
		 "Pooling(x) kernel=3,3 stride=2,2 pad_begin=0,0 pad_end=0,0 "
		 "kind=0 rounding=2 divisor=2 -> 1x4x3x3\n"},
		{ONE("1,4,6,6", "type: 'Pooling' pooling_param { pool: AVE "
				"kernel_size: 3 stride: 2 round_mode: FLOOR }"),
		 "Pooling(x) kernel=3,3 stride=2,2 pad_begin=0,0 pad_end=0,0 "
		 "kind=1 rounding=0 divisor=2 -> 1x4x2x2\n"},
		{ONE("1,4,1,1", "type: 'Pooling' pooling_param { kernel_size: "
				"2 stride: 2 }"),
		 "Pooling(x) kernel=2,2 stride=2,2 pad_begin=0,0 pad_end=0,0 "
		 "kind=0 rounding=2 divisor=2 -> 1x4x1x1\n"},
		{ONE("1,4,6,5", "type: 'Pooling' pooling_param { pool: AVE "
				"global_pooling: true }"),
		 "Pooling(x) kernel=6,5 stride=1,1 pad_begin=0,0 pad_end=0,0 "
		 "kind=1 rounding=2 divisor=2 -> 1x4x1x1\n"},
		{ONE("1,4,3,3", "type: 'InnerProduct' inner_product_param { "
				"num_output: 7 }"),
		 "Dense(x) axis=1 out_features=7 -> 1x7\n"},
		{ONE("1,4,3", "type: 'InnerProduct' inner_product_param { "
			      "num_output: 7 axis: -1 transpose: true "
			      "bias_term: false }"),
		 "Dense(x) axis=2 out_features=7 -> 1x4x7\n"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void norms_keep_their_settings(void **state)
{
	static const struct layer_case cases[] = {
		{ONE("1,4,3,3", "type: 'LRN' lrn_param { local_size: 3 "
				"alpha: .5 beta: .25 k: 2 }"),
		 "Lrn(x) kind=0 size=3 alpha=0.5 beta=0.25 k=2 -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'LRN' lrn_param { norm_region: "
				"WITHIN_CHANNEL k: 2 }"),
		 "Lrn(x) kind=1 size=5 alpha=1 beta=0.75 k=1 -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'Softmax'"),
		 "Softmax(x) axis=1 axis_end=2 -> 1x4x3x3\n"},
		{ONE("1,4,3", "type: 'Softmax' softmax_param { axis: -1 }"),
		 "Softmax(x) axis=2 axis_end=3 -> 1x4x3\n"},
		{ONE("1,4,3,3", "type: 'BatchNorm'"),
		 "Affine(x) axis=1 -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'BatchNorm' batch_norm_param { "
				"use_global_stats: false eps: .5 }"),
		 "MeanVariance(x) axes=0,2,3 eps=0.5 -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'Scale' scale_param { bias_term: true "
				"}"),
		 "Affine(x) axis=1 -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'Scale' scale_param { num_axes: 2 "
				"bias_term: true }"),
		 "Constant() shape=4,3,1 -> 4x3x1\nMul(x, y/Constant0) -> "
		 "1x4x3x3\nConstant() shape=4,3,1 -> 4x3x1\n"
		 "Add(y/Mul1, y/Constant2) -> 1x4x3x3\n"},
		{ONE("1,4,3", "type: 'Scale' scale_param { num_axes: -1 }"),
		 "Constant() shape=4,3 -> 4x3\nMul(x, y/Constant0) -> 1x4x3\n"},
		{ONE("1,4,3", "type: 'Scale' scale_param { num_axes: 0 }"),
		 "Constant() shape= -> scalar\nMul(x, y/Constant0) -> 1x4x3\n"},
		{ONE("1,4,3,3", "type: 'Bias'"),
		 "Affine(x) axis=1 -> 1x4x3x3\n"},
		{ONE("1,4,3", "type: 'Bias' bias_param { axis: 0 "
			      "num_axes: 2 }"),
		 "Constant() shape=1,4,1 -> 1x4x1\nAdd(x, y/Constant0) -> "
		 "1x4x3\n"},
		{"input: 'x' input_shape { dim: [1,4,3,3] } "
		 "input: 's' input_shape { dim: [1,4] } layer { name: 'y' "
		 "type: 'Scale' bottom: 'x' bottom: 's' top: 'y' "
		 "scale_param { axis: 0 } }",
		 "Reshape(s) shape=1,4,1,1 -> 1x4x1x1\n"
		 "Mul(x, y/Reshape0) -> 1x4x3x3\n"},
		{"input: 'x' input_shape { dim: [1,4,3,3] } "
		 "input: 's' input_shape { dim: [1,4] } layer { name: 'y' "
		 "type: 'Bias' bottom: 'x' bottom: 's' top: 'y' "
		 "bias_param { axis: 0 } }",
		 "Reshape(s) shape=1,4,1,1 -> 1x4x1x1\n"
		 "Add(x, y/Reshape0) -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'Normalize' norm_param { "
				"across_spatial: false channel_shared: false "
				"}"),
		 "Normalize(x) across_spatial=0 eps=1e-10 -> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'MVN'"),
		 "MeanVariance(x) axes=2,3 variance=1 eps_inside=0 eps=1e-09 "
		 "-> 1x4x3x3\n"},
		{ONE("1,4,3,3", "type: 'MVN' mvn_param { across_channels: "
				"true normalize_variance: false }"),
		 "MeanVariance(x) axes=1,2,3 variance=0 eps_inside=0 "
		 "eps=1e-09 -> 1x4x3x3\n"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void shapes_are_made_explicit(void **state)
{
	static const struct layer_case cases[] = {
		{ONE("1,4,3,3", "type: 'Concat' bottom: 'x' concat_param { "
				"axis: -1 }"),
		 "Concat(x, x) axis=3 -> 1x4x3x6\n"},
		{ONE("1,4,3,3", "type: 'Concat' bottom: 'x' concat_param { "
				"concat_dim: 2 }"),
		 "Concat(x, x) axis=2 -> 1x4x6x3\n"},
		{ONE("1,5,3", "type: 'Slice' top: 'z' slice_param { "
			      "slice_point: 2 }") "",
		 "Slice(x) start=0,0,0 step=1,1,1 size=1,2,3 -> 1x2x3\n"
		 "Slice(x) start=0,2,0 step=1,1,1 size=1,3,3 -> 1x3x3\n"},
		{ONE("1,4,3", "type: 'Slice' top: 'z'"),
		 "Slice(x) start=0,0,0 step=1,1,1 size=1,2,3 -> 1x2x3\n"
		 "Slice(x) start=0,2,0 step=1,1,1 size=1,2,3 -> 1x2x3\n"},
		{ONE("1,4,3,3", "type: 'Flatten'"),
		 "Reshape(x) shape=1,36 -> 1x36\n"},
		{ONE("1,4,3,2", "type: 'Flatten' flatten_param { axis: 1 "
				"end_axis: 2 }"),
		 "Reshape(x) shape=1,12,2 -> 1x12x2\n"},
		{ONE("1,4,3,2", "type: 'Reshape' reshape_param { shape { "
				"dim: [0, -1, 2, 4] } }"),
		 "Reshape(x) shape=1,3,2,4 -> 1x3x2x4\n"},
		{ONE("1,4,3,2", "type: 'Reshape' reshape_param { shape { "
				"dim: [2, -1] } axis: 1 num_axes: 1 }"),
		 "Reshape(x) shape=1,2,2,3,2 -> 1x2x2x3x2\n"},
		{ONE("1,4,3,2", "type: 'Reshape' reshape_param { shape { "
				"dim: [1, 1] } axis: -1 num_axes: 0 }"),
		 "Reshape(x) shape=1,4,3,2,1,1 -> 1x4x3x2x1x1\n"},
		{ONE("1,4,3,2", "type: 'Permute' permute_param { order: [0, "
				"2] }"),
		 "Transpose(x) perm=0,2,1,3 -> 1x3x4x2\n"},
		{ONE("1,4,3", "type: 'Tile' tile_param { tiles: 3 }"),
		 "Tile(x) shape=1,12,3 -> 1x12x3\n"},
		{ONE("1,4,3", "type: 'Reduction' reduction_param { axis: 1 "
			      "operation: MEAN coeff: 2 }"),
		 "Reduce(x) kind=1 axes=1,2 keep=0 coeff=2 -> 1\n"},
		{ONE("1,4,3", "type: 'Reduction' reduction_param { axis: -1 "
			      "operation: ASUM }"),
		 "Reduce(x) kind=4 axes=2 keep=0 coeff=1 -> 1x4\n"},
		{ONE("1,4,3", "type: 'Reduction' reduction_param { axis: 2 "
			      "operation: SUMSQ }"),
		 "Reduce(x) kind=5 axes=2 keep=0 coeff=1 -> 1x4\n"},
		{ONE("1,4,3", "type: 'ArgMax' argmax_param { top_k: 2 axis: "
			      "-1 out_max_val: true }"),
		 "ArgMax(x) axis=2 top_k=2 out_max_val=1 -> 1x4x2\n"},
		{ONE("1,4,3,2", "type: 'Upsample' upsample_param { scale: 2 "
				"}"),
		 "Resize(x) mode=0 size=1,4,6,4 coordinates=1 nearest=2 "
		 "scale=1,1,2,2 -> 1x4x6x4\n"},
		{ONE("1,4,3,2", "type: 'Interp' interp_param { zoom_factor: 2 "
				"}"),
		 "Resize(x) mode=1 size=1,4,5,3 coordinates=2 nearest=2 "
		 "scale=1,1,1.6667,1.5 -> 1x4x5x3\n"},
		{"input: 'x' input_dim: [1,4,9,9] input: 'l' input_dim: "
		 "[1,4,3,2] layer { name: 'y' type: 'Crop' bottom: 'x' "
		 "bottom: 'l' top: 'y' crop_param { offset: [4, 5] } }",
		 "Slice(x) start=0,0,4,5 step=1,1,1,1 size=1,4,3,2 -> "
		 "1x4x3x2\n"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void detection_layers_become_a_constant_and_an_operator(void **state)
{
	(void)state;
	expect_nodes(
		"input: 'data' input_shape { dim: [1,3,30,30] } "
		"input: 'x' input_shape { dim: [1,8,2,3] } "
		"layer { name: 'p' type: 'PriorBox' bottom: 'x' bottom: 'data' "
		"top: 'p' prior_box_param { min_size: 10 max_size: 20 "
		"aspect_ratio: 2 variance: [.1,.1,.2,.2] } }",
		"Constant() shape=1,2,96 -> 1x2x96\n");
	expect_nodes(
		"input: 'l' input_shape { dim: [1,8] } "
		"input: 'c' input_shape { dim: [1,6] } "
		"input: 'p' input_shape { dim: [1,2,8] } "
		"layer { name: 'd' type: 'DetectionOutput' bottom: 'l' "
		"bottom: 'c' bottom: 'p' top: 'd' detection_output_param { "
		"num_classes: 3 code_type: CENTER_SIZE keep_top_k: 5 "
		"nms_param { nms_threshold: .5 top_k: 100 } "
		"save_output_param { label_map_file: 'x' } } }",
		"DetectionOutput(l, c, p) num_classes=3 share_location=1 "
		"background=0 keep_top_k=5 code_type=2 variance_encoded=0 "
		"nms_threshold=0.5 top_k=100 eta=1 -> 1x1x5x7\n");
}

static void dummy_data_is_a_constant(void **state)
{
	(void)state;
	expect_nodes("layer { name: 'c' type: 'DummyData' top: 'c' "
		     "dummy_data_param { shape { dim: [1, 3] } data_filler { "
		     "value: 2 } } } layer { name: 'y' type: 'ReLU' "
		     "bottom: 'c' top: 'y' }",
		     "Constant() shape=1,3 -> 1x3\nRelu(c) -> 1x3\n");
	expect_nodes("layer { name: 'c' type: 'DummyData' top: 'c' "
		     "dummy_data_param { num: 1 channels: 2 height: 3 "
		     "width: 4 data_filler { type: 'constant' } } } "
		     "layer { name: 'y' type: 'ReLU' bottom: 'c' top: 'y' }",
		     "Constant() shape=1,2,3,4 -> 1x2x3x4\n"
		     "Relu(c) -> 1x2x3x4\n");
}

static void what_is_not_supported_is_listed_with_its_layer(void **state)
{
	static const struct layer_case cases[] = {
		{ONE("1,4,3,3", "type: 'Foo'"), "Foo"},
		{ONE("1,4,3,3", "type: 'Pooling' pooling_param { pool: "
				"STOCHASTIC kernel_size: 2 }"),
		 "Pooling: pool=STOCHASTIC"},
		{ONE("1,4,3,3", "type: 'Convolution' convolution_param { "
				"num_output: 1 kernel_size: 1 odd: 7 more { } "
				"}"),
		 "Convolution: odd=7, Convolution: more={}"},
		{ONE("1,4", "type: 'Convolution' convolution_param { "
			    "num_output: 1 kernel_size: 1 }"),
		 "Convolution: a bottom of 2 dimensions"},
		{ONE("1,4,3,3", "type: 'Convolution' top: 'z' "
				"convolution_param { }"),
		 "Convolution: 2 tops"},
		{ONE("1,4,3,3", "type: 'ReLU' bottom: 'x'"), "ReLU: 2 bottoms"},
		{"layer { name: 'c' type: 'DummyData' top: 'c' "
		 "dummy_data_param { shape { dim: 3 } data_filler { type: "
		 "'gaussian' } } } layer { name: 'y' type: 'ReLU' bottom: "
		 "'c' top: 'y' }",
		 "DummyData: data_filler is no constant"},
	};
	char message[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "NET: not supported: %s", cases[i].want);
		expect_failure(cases[i].net, -ENOTSUP, message);
	}
}

static const struct layer_case nonsense[] = {
	{ONE("1,4,3,3", "type: 'Convolution' convolution_param { "
			"num_output: 4 }"),
	 "(Convolution): has no kernel size"},
	{ONE("1,4,3,3", "type: 'Convolution' convolution_param { "
			"kernel_size: 1 }"),
	 "(Convolution): has no num_output"},
	{ONE("1,4,3,3", "type: 'Convolution' convolution_param { "
			"num_output: 4 kernel_size: 1 group: 3 }"),
	 "(Convolution): 3 groups of 4 and 4 channels"},
	{ONE("1,4,3,3", "type: 'Convolution' convolution_param { "
			"num_output: 4 kernel_size: 1 kernel_h: 2 }"),
	 "(Convolution): both kernel_size and kernel_h"},
	{ONE("1,4,3,3", "type: 'Pooling' pooling_param { kernel_size: "
			"2 pad: 2 }"),
	 "(Pooling): its padding is as big as its kernel"},
	{ONE("1,4,3,3", "type: 'InnerProduct'"),
	 "(InnerProduct): has no num_output"},
	{ONE("1,4,3,3", "type: 'LRN' lrn_param { local_size: 4 }"),
	 "(LRN): local_size 4 is even"},
	{ONE("1,4", "type: 'Softmax' softmax_param { axis: 2 }"),
	 "(Softmax): axis=2 of a blob of 2 dimensions"},
	{ONE("1,4", "type: 'Log' log_param { base: 0 }"),
	 "(Log): base 0 is not positive"},
	{ONE("1,4", "type: 'Eltwise' bottom: 'x' eltwise_param { "
		    "coeff: 1 }"),
	 "(Eltwise): 1 coefficients for 2 bottoms"},
	{ONE("1,4", "type: 'Eltwise'"),
	 "(Eltwise): 1 bottoms and 1 tops are too few"},
	{ONE("1,4", "type: 'Slice' top: 'z' slice_param { "
		    "slice_point: 4 }"),
	 "(Slice): slice point 4 is out of order"},
	{ONE("1,5", "type: 'Slice' top: 'z'"),
	 "(Slice): 5 does not divide into 2 tops"},
	{ONE("1,5", "type: 'Slice' top: 'z' slice_param { "
		    "slice_point: [1,2] }"),
	 "(Slice): 2 slice points for 2 tops"},
	{ONE("1,5", "type: 'Reshape' reshape_param { shape { dim: [0, "
		    "7] } }"),
	 "(Reshape): does not fit 1x5"},
	{ONE("1,5", "type: 'Reshape'"), "(Reshape): has no shape"},
	{ONE("1,5", "type: 'Permute' permute_param { order: [0,0] }"),
	 "(Permute): order has 0 twice"},
	{ONE("1,5", "type: 'Tile'"), "(Tile): has no tiles"},
	{ONE("1,5", "type: 'Crop' bottom: 'x' crop_param { axis: 1 "
		    "offset: 1 }"),
	 "(Crop): crops outside dimension 1"},
	{ONE("1,5", "type: 'Scale' scale_param { num_axes: 2 }"),
	 "(Scale): num_axes 2 from axis 1 of 2 dimensions"},
	{ONE("1,3,3,3", "type: 'PriorBox' bottom: 'x'"),
	 "(PriorBox): 0 minimum and 0 maximum sizes"},
	{ONE("1,3,3,3", "type: 'PriorBox' bottom: 'x' prior_box_param "
			"{ min_size: 4 max_size: 4 }"),
	 "(PriorBox): bad minimum or maximum size"},
	{ONE("1,3,3,3", "type: 'PriorBox' bottom: 'x' prior_box_param "
			"{ min_size: 4 variance: [1,2] }"),
	 "(PriorBox): 2 variances, not 1 or 4"},
	{ONE("1,1,9999,9999",
	     "type: 'PriorBox' bottom: 'x' prior_box_param { min_size: 4 }"),
	 "(PriorBox): makes too many boxes"},
};

static void nonsense_is_refused_with_its_place(void **state)
{
	char message[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "NET:2:7: layer \"y\" %s", nonsense[i].want);
		expect_failure(nonsense[i].net, -EBADMSG, message);
	}
	expect_failure(ONE("1,4,3,3", "type: 'Pooling' pooling_param { "
				      "kernel_size: x }"),
		       -EBADMSG, "NET:2:85: kernel_size: expected an integer");
	expect_failure(ONE("1,4,3,3", "type: 'Convolution' convolution_param "
				      "{ num_output: -1 }"),
		       -EBADMSG,
		       "NET:2:92: num_output: -1 is not in 1 to 2147483647");
	expect_failure(ONE("1,4,3,3", "type: 'Convolution' convolution_param { "
				      "num_output: 4 kernel_size: [1, 1, 1] }"),
		       -EBADMSG,
		       "NET:2:114: layer \"y\": more than 2 values of "
		       "kernel_size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_become_the_device_s),
		cmocka_unit_test(windows_take_every_way_to_give_them),
		cmocka_unit_test(norms_keep_their_settings),
		cmocka_unit_test(shapes_are_made_explicit),
		cmocka_unit_test(
			detection_layers_become_a_constant_and_an_operator),
		cmocka_unit_test(dummy_data_is_a_constant),
		cmocka_unit_test(
			what_is_not_supported_is_listed_with_its_layer),
		cmocka_unit_test(nonsense_is_refused_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
