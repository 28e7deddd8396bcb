/*
 * The structural check. What it accepts is safe to walk, to map and to bind:
 *
 *  (1) Every index names something that exists.
 *  (2) Every tensor lies inside its root, and every root owns itself.
 *  (3) Reading layers in order, nothing is read before it is written, and
 *      nothing is written twice.
 *  (4) A layer's slices are consecutive, tile its blocks in order, and lie
 *      inside the weights file where the layer says its blocks are.
 *
 * Shapes are only checked against themselves; whether operators agree with
 * them is mx_network_bind()'s business.
 */
#include "lib/network.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/size.h"

static int check_tensor(const struct mx_network *net, uint32_t index,
			struct mx_err *err)
{
	const struct mx_tensor *t = &net->tensors[index];
	const struct mx_tensor *root;
	size_t extent;
	size_t room;

	if (!t->name)
		return mx_fail(err, EBADMSG, "tensor %" PRIu32 " has no name",
			       index);
	if (t->shape.rank > MX_RANK_MAX)
		return mx_fail(err, EBADMSG,
			       "tensor %s: rank %" PRIu32 " is above %d",
			       t->name, t->shape.rank, MX_RANK_MAX);
	if (mx_tensor_extent(t, &extent))
		return mx_fail(err, EBADMSG,
			       "tensor %s: its shape, layout and pitch do not "
			       "fit together",
			       t->name);
	if (t->root >= net->tensor_count)
		return mx_fail(err, EBADMSG,
			       "tensor %s: root %" PRIu32 " of %" PRIu32
			       " tensors",
			       t->name, t->root, net->tensor_count);
	root = &net->tensors[t->root];
	if (root->root != t->root || root->offset_elems != 0)
		return mx_fail(err, EBADMSG,
			       "tensor %s: its root %" PRIu32
			       " has no memory of its own",
			       t->name, t->root);
	/* A root that is broken itself has its own turn in this loop. */
	if (t->root == index || mx_tensor_extent(root, &room))
		return 0;
	if (t->offset_elems > room || extent > room - t->offset_elems)
		return mx_fail(
			err, EBADMSG,
			"tensor %s: %zu elements from %zu on are outside "
			"its root's %zu",
			t->name, extent, t->offset_elems, room);
	return 0;
}

static int check_preprocess(const struct mx_preprocess *p, const char *name,
			    struct mx_err *err)
{
	size_t i;

	if ((unsigned)p->channels > MX_CHANNELS_GRAY ||
	    (unsigned)p->resize > MX_RESIZE_LETTERBOX)
		return mx_fail(err, EBADMSG,
			       "input %s: unknown channel order or resize rule",
			       name);
	if ((p->resize == MX_RESIZE_CROP) != (p->crop_size != 0))
		return mx_fail(err, EBADMSG,
			       "input %s: crop size %" PRIu32
			       " does not fit the resize rule",
			       name, p->crop_size);
	if (!isfinite(p->scale))
		return mx_fail(err, EBADMSG, "input %s: scale is not finite",
			       name);
	for (i = 0; i < sizeof(p->mean) / sizeof(p->mean[0]); i++)
		if (!isfinite(p->mean[i]) || !isfinite(p->std[i]) ||
		    p->std[i] == 0.0f)
			return mx_fail(err, EBADMSG,
				       "input %s: mean or std of channel %zu "
				       "cannot be used",
				       name, i);
	return 0;
}

static int check_inputs(const struct mx_network *net, unsigned char *written,
			struct mx_err *err)
{
	uint32_t i;
	int rc;

	for (i = 0; i < net->input_count; i++) {
		const uint32_t tensor = net->inputs[i].tensor;

		if (tensor >= net->tensor_count)
			return mx_fail(err, EBADMSG,
				       "input %" PRIu32 ": tensor %" PRIu32
				       " of %" PRIu32,
				       i, tensor, net->tensor_count);
		if (written[tensor])
			return mx_fail(err, EBADMSG,
				       "tensor %s is an input twice",
				       net->tensors[tensor].name);
		written[tensor] = 1;
		rc = check_preprocess(&net->inputs[i].preprocess,
				      net->tensors[tensor].name, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_wires(const struct mx_network *net,
		       const struct mx_layer *layer, unsigned char *written,
		       struct mx_err *err)
{
	uint32_t i;

	if (layer->out_count == 0)
		return mx_fail(err, EBADMSG, "layer %s has no output",
			       layer->name);
	for (i = 0; i < layer->in_count; i++) {
		if (layer->in[i] >= net->tensor_count)
			return mx_fail(err, EBADMSG,
				       "layer %s: input %" PRIu32
				       " is tensor %" PRIu32 " of %" PRIu32,
				       layer->name, i, layer->in[i],
				       net->tensor_count);
		if (!written[layer->in[i]])
			return mx_fail(
				err, EBADMSG,
				"layer %s reads tensor %s, which nothing "
				"has computed",
				layer->name, net->tensors[layer->in[i]].name);
	}
	for (i = 0; i < layer->out_count; i++) {
		if (layer->out[i] >= net->tensor_count)
			return mx_fail(err, EBADMSG,
				       "layer %s: output %" PRIu32
				       " is tensor %" PRIu32 " of %" PRIu32,
				       layer->name, i, layer->out[i],
				       net->tensor_count);
		if (written[layer->out[i]])
			return mx_fail(err, EBADMSG,
				       "layer %s computes tensor %s once more",
				       layer->name,
				       net->tensors[layer->out[i]].name);
		written[layer->out[i]] = 1;
	}
	return 0;
}

/* Where block @block begins in the file; the last one's end for the count. */
static uint64_t block_offset(const struct mx_layer *layer, uint64_t block)
{
	if (block == mx_weight_block_count(&layer->weights))
		return layer->weight_offset_bytes + layer->weight_bytes;
	return layer->weight_offset_bytes +
	       block * mx_weight_block_bytes(&layer->weights, 0);
}

static int check_slice(const struct mx_network *net, uint32_t layer_index,
		       uint32_t slice_index, uint64_t *next_block,
		       struct mx_err *err)
{
	const struct mx_layer *layer = &net->layers[layer_index];
	const struct mx_slice *s = &net->slices[slice_index];
	const uint64_t blocks = mx_weight_block_count(&layer->weights);

	if (s->layer != layer_index || s->first_block != *next_block ||
	    s->block_count == 0 || s->block_count > blocks - *next_block)
		return mx_fail(err, EBADMSG,
			       "slice %" PRIu32 ": blocks %" PRIu32
			       " + %" PRIu32 " of layer %" PRIu32
			       " are not the next ones of layer %s",
			       slice_index, s->first_block, s->block_count,
			       s->layer, layer->name);
	*next_block += s->block_count;
	if (s->offset_bytes != block_offset(layer, s->first_block) ||
	    s->size_bytes != block_offset(layer, *next_block) - s->offset_bytes)
		return mx_fail(err, EBADMSG,
			       "slice %" PRIu32 " of layer %s: %" PRIu64
			       " bytes at %" PRIu64 " are not its blocks",
			       slice_index, layer->name, s->size_bytes,
			       s->offset_bytes);
	return 0;
}

static int check_weights(const struct mx_network *net, uint32_t layer_index,
			 uint32_t *next_slice, struct mx_err *err)
{
	const struct mx_layer *layer = &net->layers[layer_index];
	struct mx_err why = {""};
	uint64_t block = 0;
	uint64_t end;
	uint32_t i;
	int rc;

	rc = mx_weight_spec_check(&layer->weights, &why);
	if (rc)
		return mx_fail(err, -rc, "layer %s: %s", layer->name, why.text);
	if (layer->weight_bytes != mx_weight_total_bytes(&layer->weights) ||
	    layer->weight_offset_bytes % MX_WEIGHT_ALIGN_BYTES ||
	    mx_u64_add(layer->weight_offset_bytes, layer->weight_bytes, &end) ||
	    end > net->weights_file_bytes)
		return mx_fail(err, EBADMSG,
			       "layer %s: %" PRIu64 " bytes of weights at "
			       "%" PRIu64 " do not fit its shape or the file's "
			       "%" PRIu64 " bytes",
			       layer->name, layer->weight_bytes,
			       layer->weight_offset_bytes,
			       net->weights_file_bytes);
	if (layer->slice_count > net->slice_count - *next_slice ||
	    (layer->slice_count && layer->first_slice != *next_slice))
		return mx_fail(err, EBADMSG,
			       "layer %s: slices %" PRIu32 " + %" PRIu32
			       " are not the next ones of %" PRIu32,
			       layer->name, layer->first_slice,
			       layer->slice_count, net->slice_count);
	for (i = 0; i < layer->slice_count; i++) {
		rc = check_slice(net, layer_index, *next_slice + i, &block,
				 err);
		if (rc)
			return rc;
	}
	*next_slice += layer->slice_count;
	if (block != mx_weight_block_count(&layer->weights))
		return mx_fail(err, EBADMSG,
			       "layer %s: slices hold %" PRIu64 " of %" PRIu64
			       " blocks",
			       layer->name, block,
			       mx_weight_block_count(&layer->weights));
	return 0;
}

static int check_layers(const struct mx_network *net, unsigned char *written,
			struct mx_err *err)
{
	uint32_t next_slice = 0;
	uint32_t i;
	int rc;

	for (i = 0; i < net->layer_count; i++) {
		const struct mx_layer *layer = &net->layers[i];

		if (!layer->name || !layer->op_name)
			return mx_fail(err, EBADMSG,
				       "layer %" PRIu32
				       " has no name or no operator",
				       i);
		rc = check_wires(net, layer, written, err);
		if (rc)
			return rc;
		rc = check_weights(net, i, &next_slice, err);
		if (rc)
			return rc;
	}
	if (next_slice != net->slice_count)
		return mx_fail(err, EBADMSG,
			       "%" PRIu32 " of %" PRIu32
			       " slices belong to no layer",
			       net->slice_count - next_slice, net->slice_count);
	return 0;
}

int mx_network_check(const struct mx_network *net, struct mx_err *err)
{
	unsigned char *written;
	uint32_t i;
	int rc = 0;

	if (!net->name)
		return mx_fail(err, EBADMSG, "the network has no name");
	written = calloc(net->tensor_count ? net->tensor_count : 1, 1);
	if (!written)
		return mx_fail_errno(err, "check %s", net->name);
	for (i = 0; i < net->tensor_count; i++) {
		rc = check_tensor(net, i, err);
		if (rc)
			goto out;
	}
	rc = check_inputs(net, written, err);
	if (rc)
		goto out;
	rc = check_layers(net, written, err);
	if (rc)
		goto out;
	for (i = 0; i < net->output_count; i++) {
		const uint32_t tensor = net->outputs[i];

		if (tensor >= net->tensor_count || !written[tensor]) {
			rc = mx_fail(err, EBADMSG,
				     "output %" PRIu32 ": nothing computes "
				     "tensor %" PRIu32,
				     i, tensor);
			goto out;
		}
	}
out:
	free(written);
	return rc;
}
