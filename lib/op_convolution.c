#include "lib/op.h"

#include <errno.h>

#include "lib/convolve.h"
#include "lib/convolve_pool.h"
#include "lib/depthwise.h"
#include "lib/err.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/size.h"
#include "lib/strip.h"
#include "lib/winograd.h"

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	struct mx_convolve *conv = layer->params;
	const struct mx_spatial *spatial = &conv->spatial;
	unsigned i;
	int rc;

	rc = mx_convolve_input(conv, &in[0], err);
	if (rc)
		return rc;
	for (i = 0; i < MX_SPATIAL_DIMS; i++) {
		const size_t padded = conv->in_dim[i] + spatial->pad_begin[i] +
				      spatial->pad_end[i];
		const size_t extent = mx_spatial_extent(spatial, i);

		if (padded < extent)
			return mx_fail(err, EBADMSG,
				       "a window of %zu does not fit an input "
				       "of %zu with its padding",
				       extent, padded);
		conv->out_dim[i] = (padded - extent) / spatial->stride[i] + 1;
	}
	return mx_convolve_plan(conv, MX_CONVOLVE_FORWARD, &out[0], err);
}

static uint64_t macs(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;
	const size_t window = conv->pool ? MX_POOL_CORNERS : 1;

	return mx_convolve_macs(layer,
				mx_shape_elems(layer->out_shape) * window);
}

static uint64_t work(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;

	return conv->way == MX_CONVOLVE_WINOGRAD ? mx_winograd_work(layer)
						 : layer->macs;
}

static size_t scratch_bytes(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;

	switch (conv->way) {
	case MX_CONVOLVE_WINOGRAD:
		return mx_size_max(mx_winograd_scratch_bytes(layer),
				   mx_convolve_scratch_bytes(layer));
	case MX_CONVOLVE_STRIPS:
		return mx_strip_scratch_bytes(layer);
	case MX_CONVOLVE_DEPTH_LINES:
		return mx_depthwise_scratch_bytes(layer);
	default:
		return mx_convolve_scratch_bytes(layer);
	}
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_convolve *conv = args->layer->params;

	switch (conv->way) {
	case MX_CONVOLVE_STRIPS:
		mx_strip_run(args, parts);
		break;
	case MX_CONVOLVE_DEPTH_LINES:
		mx_depthwise_run(args, parts);
		break;
	case MX_CONVOLVE_WINOGRAD:
		if (args->simd->winograd) {
			mx_winograd_run(args, parts);
			break;
		}
		/* fall through */
	default:
		mx_convolve_run(args, parts);
	}
}

const struct mx_op mx_op_convolution = {
	.name = "Convolution",
	.traits = MX_OP_SPATIAL | MX_OP_FUSES_ACTIVATION | MX_OP_FUSES_AFFINE |
		  MX_OP_FUSES_POOLING,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct mx_convolve),
	.bind = mx_convolve_bind,
	.infer = infer,
	.weights = mx_convolve_weights,
	.tiles = mx_convolve_tiles,
	.scratch_bytes = scratch_bytes,
	.macs = macs,
	.work = work,
	.run = run,
};
