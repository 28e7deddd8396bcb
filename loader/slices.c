#include "loader/write_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/err.h"

/*
 * Blocks a slice of this layer holds: as many as fit, at least one, and then
 * evenly, so that the last slice is no crumb.
 */
static uint64_t blocks_per_slice(const struct mx_weight_spec *spec,
				 uint64_t slice_bytes)
{
	const uint64_t blocks = mx_weight_block_count(spec);
	uint64_t fit = slice_bytes / mx_weight_block_bytes(spec, 0);
	uint64_t slices;

	if (fit == 0)
		fit = 1;
	slices = blocks / fit + (blocks % fit != 0);
	return blocks / slices + (blocks % slices != 0);
}

/* How many slices layer @layer gets, into *@count. */
static int count_slices(const struct mx_layer *layer, uint64_t slice_bytes,
			uint64_t *count, struct mx_err *err)
{
	struct mx_err why = {""};
	uint64_t blocks;
	uint64_t each;

	if (mx_weight_spec_check(&layer->weights, &why))
		return mx_fail(err, EBADMSG, "layer %s: %s", layer->name,
			       why.text);
	blocks = mx_weight_block_count(&layer->weights);
	*count = 0;
	if (blocks == 0)
		return 0;
	if (blocks > UINT32_MAX)
		return mx_fail(err, EFBIG, "layer %s: %" PRIu64 " blocks",
			       layer->name, blocks);
	each = blocks_per_slice(&layer->weights, slice_bytes);
	*count = blocks / each + (blocks % each != 0);
	return 0;
}

static void cut_layer(struct mx_network *net, uint32_t index,
		      uint64_t slice_bytes)
{
	const struct mx_layer *layer = &net->layers[index];
	const struct mx_weight_spec *spec = &layer->weights;
	const uint64_t blocks = mx_weight_block_count(spec);
	const uint64_t bytes = mx_weight_block_bytes(spec, 0);
	uint64_t each;
	uint64_t first = 0;
	uint32_t i;

	if (blocks == 0)
		return;
	each = blocks_per_slice(spec, slice_bytes);
	for (i = 0; i < layer->slice_count; i++, first += each) {
		struct mx_slice *slice = &net->slices[layer->first_slice + i];
		const uint64_t left = blocks - first;
		const uint64_t count = left < each ? left : each;

		slice->layer = index;
		slice->first_block = (uint32_t)first;
		slice->block_count = (uint32_t)count;
		slice->size_bytes =
			count == left
				? mx_weight_total_bytes(spec) - first * bytes
				: count * bytes;
	}
}

int mx_slices_plan(struct mx_network *net, uint64_t slice_bytes,
		   struct mx_err *err)
{
	struct mx_slice *slices;
	uint64_t total = 0;
	uint64_t count;
	uint32_t i;
	int rc;

	for (i = 0; i < net->layer_count; i++) {
		struct mx_layer *layer = &net->layers[i];

		rc = count_slices(layer, slice_bytes, &count, err);
		if (rc)
			return rc;
		if (count > MX_MODEL_SLICES_MAX - total)
			return mx_fail(err, EFBIG,
				       "%s: more than %u slices: make them "
				       "larger",
				       net->name, MX_MODEL_SLICES_MAX);
		layer->weight_bytes = mx_weight_total_bytes(&layer->weights);
		layer->weight_offset_bytes = 0;
		layer->first_slice = (uint32_t)total;
		layer->slice_count = (uint32_t)count;
		total += count;
	}
	slices = calloc(total ? total : 1, sizeof(*slices));
	if (!slices)
		return mx_fail_errno(err, "%s: %" PRIu64 " slices", net->name,
				     total);
	free(net->slices);
	net->slices = slices;
	net->slice_count = (uint32_t)total;
	for (i = 0; i < net->layer_count; i++)
		cut_layer(net, i, slice_bytes);
	return 0;
}
