#include "lib/op.h"

#include <errno.h>

#include "lib/convolve.h"
#include "lib/err.h"
#include "lib/ops.h"
#include "lib/size.h"

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
		const size_t pads = spatial->pad_begin[i] + spatial->pad_end[i];
		size_t full =
			spatial->output_pad[i] + mx_spatial_extent(spatial, i);

		if (conv->in_dim[i] == 0)
			return mx_fail(err, EBADMSG, "input has no pixels");
		full += spatial->stride[i] * (conv->in_dim[i] - 1);
		if (full <= pads)
			return mx_fail(err, EBADMSG,
				       "padding of %zu leaves nothing of an "
				       "output of %zu",
				       pads, full);
		conv->out_dim[i] = full - pads;
	}
	return mx_convolve_plan(conv, MX_CONVOLVE_TRANSPOSED, &out[0], err);
}

/* Each input element goes into a window of each output channel. */
static uint64_t macs(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;
	size_t elems = mx_shape_elems(layer->in_shape) / conv->in_channels;

	if (mx_size_mul(elems, conv->out_channels, &elems))
		return UINT64_MAX;
	return mx_convolve_macs(layer, elems);
}

const struct mx_op mx_op_deconvolution = {
	.name = "Deconvolution",
	.traits = MX_OP_SPATIAL | MX_OP_FUSES_ACTIVATION | MX_OP_FUSES_AFFINE,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct mx_convolve),
	.bind = mx_convolve_bind,
	.infer = infer,
	.weights = mx_convolve_weights,
	.tiles = mx_convolve_tiles,
	.scratch_bytes = mx_convolve_scratch_bytes,
	.macs = macs,
	.run = mx_convolve_run,
};
