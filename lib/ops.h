/*
 * Every operator's descriptor: one line here, one in op.c.
 */
#ifndef MX_LIB_OPS_H
#define MX_LIB_OPS_H

#include "lib/op.h"

/* clang-format would nest these, and differently each time. */
/* clang-format off */
#define MX_OPS(X)							\
	X(convolution) X(deconvolution) X(pooling) X(dense) X(matmul)	\
	X(affine) X(prelu) X(relu) X(elu) X(selu) X(sigmoid) X(tanh)	\
	X(abs) X(power) X(exp) X(log) X(softplus) X(softsign)		\
	X(hard_sigmoid) X(hard_swish) X(silu) X(erf) X(ceil) X(floor)	\
	X(round) X(trunc) X(neg) X(reciprocal) X(sqrt) X(sign)		\
	X(clip) X(thresholded_relu) X(identity) X(add) X(sub) X(mul)	\
	X(div) X(max) X(min) X(pow) X(eltwise) X(where) X(concat)	\
	X(slice) X(reshape) X(transpose) X(relayout) X(tile) X(pad)	\
	X(gather) X(constant) X(softmax) X(lrn) X(reduce) X(argmax)	\
	X(resize) X(normalize) X(lp_normalize) X(mean_variance)		\
	X(detection_output) X(shuffle)
/* clang-format on */

#define MX_OP_DECLARE(name) extern const struct mx_op mx_op_##name;
MX_OPS(MX_OP_DECLARE)
#undef MX_OP_DECLARE

#endif
