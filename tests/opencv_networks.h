/*
 * The networks of OpenCV's test collection: those that run, and those that
 * cannot and why.
 */
#ifndef MX_TESTS_OPENCV_NETWORKS_H
#define MX_TESTS_OPENCV_NETWORKS_H

#define INPUTS_MAX 4
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum input {
	INPUT_BLOB, /* blob.npy, as for most Caffe layers */
	INPUT_OWN, /* layers: NAME.input.npy; onnx: input_NAME.npy */
	INPUT_TWO, /* onnx: input_NAME_0.npy and input_NAME_1.npy */
};

struct network_case {
	const char *name;
	enum input input;
};

static const struct network_case caffe_cases[] = {
	{"layer_batch_norm_local_stats", INPUT_OWN},
	{"layer_concat", INPUT_BLOB},
	{"layer_dropout", INPUT_BLOB},
	{"layer_eltwise", INPUT_BLOB},
	{"layer_interp", INPUT_OWN},
	{"layer_lrn_channels", INPUT_BLOB},
	{"layer_lrn_spatial", INPUT_BLOB},
	{"layer_mvn", INPUT_BLOB},
	{"layer_pooling_ave", INPUT_BLOB},
	{"layer_pooling_max", INPUT_BLOB},
	{"layer_relu", INPUT_BLOB},
	{"layer_softmax", INPUT_BLOB},
};

static const struct network_case onnx_cases[] = {
	{"ReLU", INPUT_OWN},
	{"batch_norm", INPUT_OWN},
	{"concatenation", INPUT_OWN},
	{"constant", INPUT_OWN},
	{"convolution", INPUT_OWN},
	{"deconvolution", INPUT_OWN},
	{"deconvolution_group", INPUT_OWN},
	{"dropout", INPUT_OWN},
	{"dynamic_reshape", INPUT_OWN},
	{"linear", INPUT_OWN},
	{"maxpooling", INPUT_OWN},
	{"maxpooling_sigmoid", INPUT_OWN},
	{"mul", INPUT_OWN},
	{"multy_inputs", INPUT_TWO},
	{"padding", INPUT_OWN},
	{"resize_nearest", INPUT_OWN},
	{"transpose", INPUT_OWN},
	{"two_convolution", INPUT_OWN},
	{"two_deconvolution", INPUT_OWN},
	{"two_maxpooling", INPUT_OWN},
	{"unsqueeze", INPUT_OWN},
};

/* Their results were made with weights the collection lacks. */
static const char *const caffe_without_weights[] = {
	"layer_batch_norm",  "layer_concat_optim",  "layer_concat_shared_input",
	"layer_convolution", "layer_deconvolution", "layer_inner_product",
	"layer_prelu",	     "layer_prelu_fc",
};

/* No result is stored. OpenCV's program knows it, and so do tests below;
 * shared_weights is to be filled by a Caffe that trains. */
static const char *const caffe_without_result[] = {
	"net_input",
	"reshape_and_slice_routines",
	"shared_weights",
};

/* The operator is no layer of ours. */
struct unsupported_case {
	const char *name;
	const char *operator_name;
	const char *inputs[INPUTS_MAX]; /* that get a shape by option */
};

static const struct unsupported_case caffe_unsupported[] = {
	{"net_faster_rcnn_proposal",
	 "Proposal",
	 {"rpn_cls_prob_reshape", "rpn_bbox_pred", "im_info"}},
	{"net_roi_pooling", "ROIPooling", {NULL}},
};

/* The stored result counts padding, while the file (opset 6, which has no
 * count_include_pad) says that padding is not counted. */
static const char *const onnx_other_result[] = {"average_pooling"};

#endif
