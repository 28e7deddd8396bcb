/*
 * What a Reduce operator of ONNX asks for, for those that compute it at import
 * and those that leave it to the device.
 */
#ifndef MX_LOADER_IMPORT_ONNX_REDUCE_H
#define MX_LOADER_IMPORT_ONNX_REDUCE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/shape.h"

struct mx_onnx;
struct mx_onnx_node;

/* The values are those of the device's Reduce. */
enum mx_onnx_reduce_kind {
	MX_ONNX_REDUCE_SUM = 0,
	MX_ONNX_REDUCE_MEAN = 1,
	MX_ONNX_REDUCE_MAX = 2,
	MX_ONNX_REDUCE_MIN = 3,
	MX_ONNX_REDUCE_L1 = 4,
	MX_ONNX_REDUCE_SQUARES = 5,
	MX_ONNX_REDUCE_L2 = 6,
	MX_ONNX_REDUCE_PROD = 8,
};

struct mx_onnx_reduction {
	enum mx_onnx_reduce_kind kind;
	unsigned char reduced[MX_RANK_MAX]; /* by axis */
	int keep;
	int noop; /* nothing to do: the output is the input */
	struct mx_shape shape; /* the result's */
};

/* Decode @node. Returns as functions on nodes do (onnx_impl.h). */
int mx_onnx_reduction(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		      struct mx_onnx_reduction *out);

#endif
