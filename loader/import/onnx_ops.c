/* The operators of ONNX that are understood, by name. */
#include <stdlib.h>
#include <string.h>

#include "loader/import/onnx_impl.h"

#define MANY UINT32_MAX
#define OLD_BROADCAST "axis broadcast consumed_inputs"
#define WINDOW "auto_pad dilations group kernel_shape pads strides"
#define POOL                                                                   \
	"auto_pad ceil_mode count_include_pad dilations kernel_shape pads "    \
	"storage_order strides"
#define RESIZE                                                                 \
	"antialias axes coordinate_transformation_mode cubic_coeff_a "         \
	"exclude_outside extrapolation_value height_scale "                    \
	"keep_aspect_ratio_policy mode nearest_mode scales width_scale"
#define OLD "consumed_inputs"
#define REDUCE "axes keepdims noop_with_empty_axes"

/* Sorted by name. */
static const struct mx_onnx_op ops[] = {
	{"Abs", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Add", OLD_BROADCAST, 2, 2, mx_onnx_binary, mx_onnx_eval_map},
	{"And", "", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"AveragePool", POOL, 1, 1, mx_onnx_pool, NULL},
	{"BatchNormalization",
	 "consumed_inputs epsilon is_test momentum spatial training_mode", 5, 5,
	 mx_onnx_batch_norm, NULL},
	{"Cast", "to saturate", 1, 1, mx_onnx_cast, mx_onnx_eval_cast},
	{"Ceil", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Clip", "consumed_inputs max min", 1, 3, mx_onnx_clip, NULL},
	{"Concat", "axis", 1, MANY, mx_onnx_concat, mx_onnx_eval_concat},
	{"Constant", "value value_float value_floats value_int value_ints", 0,
	 0, mx_onnx_constant, NULL},
	{"ConstantOfShape", "value", 1, 1, mx_onnx_constant_of_shape, NULL},
	{"Conv", WINDOW, 2, 3, mx_onnx_conv, NULL},
	{"ConvTranspose", WINDOW " output_padding output_shape", 2, 3,
	 mx_onnx_conv_transpose, NULL},
	{"Cos", "", 1, 1, mx_onnx_eval_only, mx_onnx_eval_map},
	{"DepthToSpace", "blocksize mode", 1, 1, mx_onnx_depth_space, NULL},
	{"Div", OLD_BROADCAST, 2, 2, mx_onnx_binary, mx_onnx_eval_map},
	{"Dropout", "consumed_inputs is_test ratio seed", 1, 3, mx_onnx_dropout,
	 NULL},
	{"Elu", "alpha consumed_inputs", 1, 1, mx_onnx_unary, NULL},
	{"Equal", "axis broadcast", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"Erf", "", 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Exp", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Expand", "", 2, 2, mx_onnx_expand, NULL},
	{"Flatten", "axis", 1, 1, mx_onnx_reshape, NULL},
	{"Floor", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Gather", "axis", 2, 2, mx_onnx_gather, mx_onnx_eval_gather},
	{"Gemm", "alpha beta broadcast transA transB", 2, 3, mx_onnx_gemm,
	 NULL},
	{"GlobalAveragePool", "", 1, 1, mx_onnx_global_pool, NULL},
	{"GlobalLpPool", "p", 1, 1, mx_onnx_global_lp_pool, NULL},
	{"GlobalMaxPool", "", 1, 1, mx_onnx_global_pool, NULL},
	{"Greater", "axis broadcast", 2, 2, mx_onnx_eval_only,
	 mx_onnx_eval_map},
	{"GreaterOrEqual", "", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"HardSigmoid", "alpha beta consumed_inputs", 1, 1, mx_onnx_unary,
	 NULL},
	{"HardSwish", "", 1, 1, mx_onnx_unary, NULL},
	{"Identity", "", 1, 1, mx_onnx_identity, NULL},
	{"InstanceNormalization", "consumed_inputs epsilon", 3, 3,
	 mx_onnx_instance_norm, NULL},
	{"LRN", "alpha beta bias size", 1, 1, mx_onnx_lrn, NULL},
	{"LeakyRelu", "alpha consumed_inputs", 1, 1, mx_onnx_unary, NULL},
	{"Less", "axis broadcast", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"LessOrEqual", "", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"Log", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"LogSoftmax", "axis", 1, 1, mx_onnx_softmax, NULL},
	{"LpNormalization", "axis p", 1, 1, mx_onnx_lp_norm, NULL},
	{"MatMul", "", 2, 2, mx_onnx_matmul, NULL},
	{"Max", OLD, 1, MANY, mx_onnx_variadic, mx_onnx_eval_map},
	{"MaxPool", POOL, 1, 1, mx_onnx_pool, NULL},
	{"Mean", OLD, 1, MANY, mx_onnx_variadic, mx_onnx_eval_map},
	{"MeanVarianceNormalization", "axes", 1, 1, mx_onnx_mvn, NULL},
	{"Min", OLD, 1, MANY, mx_onnx_variadic, mx_onnx_eval_map},
	{"Mod", "fmod", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"Mul", OLD_BROADCAST, 2, 2, mx_onnx_binary, mx_onnx_eval_map},
	{"Neg", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Not", "", 1, 1, mx_onnx_eval_only, mx_onnx_eval_map},
	{"Or", "", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
	{"PRelu", OLD, 2, 2, mx_onnx_prelu, NULL},
	{"Pad", "mode paddings pads value", 1, 4, mx_onnx_pad, NULL},
	{"Pow", "axis broadcast", 2, 2, mx_onnx_binary, mx_onnx_eval_map},
	{"Range", "", 3, 3, mx_onnx_eval_only, mx_onnx_eval_range},
	{"Reciprocal", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"ReduceL1", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceL2", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceMax", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceMean", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceMin", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceProd", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceSum", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"ReduceSumSquare", REDUCE, 1, 2, mx_onnx_reduce, mx_onnx_eval_reduce},
	{"Relu", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Reshape", "allowzero consumed_inputs shape", 1, 2, mx_onnx_reshape,
	 NULL},
	{"Resize", RESIZE, 1, 4, mx_onnx_resize, NULL},
	{"Round", "", 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Selu", "alpha consumed_inputs gamma", 1, 1, mx_onnx_unary, NULL},
	{"Shape", "end start", 1, 1, mx_onnx_shape_of, mx_onnx_shape_of},
	{"Sigmoid", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Sign", "", 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Sin", "", 1, 1, mx_onnx_eval_only, mx_onnx_eval_map},
	{"Size", "", 1, 1, mx_onnx_shape_of, mx_onnx_shape_of},
	{"Slice", "axes ends starts", 1, 5, mx_onnx_slice, NULL},
	{"Softmax", "axis", 1, 1, mx_onnx_softmax, NULL},
	{"Softplus", "", 1, 1, mx_onnx_unary, NULL},
	{"Softsign", "", 1, 1, mx_onnx_unary, NULL},
	{"SpaceToDepth", "blocksize", 1, 1, mx_onnx_depth_space, NULL},
	{"Split", "axis num_outputs split", 1, 2, mx_onnx_split, NULL},
	{"Sqrt", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"Squeeze", "axes", 1, 2, mx_onnx_reshape, NULL},
	{"Sub", OLD_BROADCAST, 2, 2, mx_onnx_binary, mx_onnx_eval_map},
	{"Sum", OLD, 1, MANY, mx_onnx_variadic, mx_onnx_eval_map},
	{"Tanh", OLD, 1, 1, mx_onnx_unary, mx_onnx_eval_map},
	{"ThresholdedRelu", "alpha", 1, 1, mx_onnx_unary, NULL},
	{"Tile", "", 2, 3, mx_onnx_tile, NULL},
	{"Transpose", "perm", 1, 1, mx_onnx_transpose, NULL},
	{"Unsqueeze", "axes", 1, 2, mx_onnx_reshape, NULL},
	{"Upsample", RESIZE, 1, 2, mx_onnx_resize, NULL},
	{"Where", "", 3, 3, mx_onnx_where, mx_onnx_eval_where},
	{"Xor", "", 2, 2, mx_onnx_eval_only, mx_onnx_eval_map},
};

static int compare(const void *key, const void *item)
{
	return strcmp(key, ((const struct mx_onnx_op *)item)->name);
}

const struct mx_onnx_op *mx_onnx_op_find(const char *name)
{
	return bsearch(name, ops, sizeof(ops) / sizeof(ops[0]), sizeof(ops[0]),
		       compare);
}
