#include "lib/network.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "lib/size.h"

#define ELEM_BYTES 4
/* A weight file's caps; products of these never overflow 64 bits unnoticed. */
#define ROWS_MAX ((uint64_t)1 << 40)
#define VECTORS_MAX 16

void mx_layer_fini(struct mx_layer *layer)
{
	if (layer->op && layer->op->release && layer->params)
		layer->op->release(layer->params);
	free(layer->params);
	free(layer->in_shape);
	free(layer->in);
	free(layer->out);
	free(layer->name);
	free(layer->op_name);
	mx_attrs_fini(&layer->attrs);
	memset(layer, 0, sizeof(*layer));
}

void mx_network_fini(struct mx_network *net)
{
	uint32_t i;

	for (i = 0; net->tensors && i < net->tensor_count; i++)
		free(net->tensors[i].name);
	for (i = 0; net->layers && i < net->layer_count; i++)
		mx_layer_fini(&net->layers[i]);
	for (i = 0; net->labels && i < net->label_count; i++)
		free(net->labels[i]);
	free(net->tensors);
	free(net->layers);
	free(net->labels);
	free(net->slices);
	free(net->inputs);
	free(net->outputs);
	free(net->name);
	free(net->source);
	memset(net, 0, sizeof(*net));
	net->weights_fd = -1;
}

void mx_tensor_strides(const struct mx_tensor *tensor,
		       size_t stride[MX_RANK_MAX])
{
	const struct mx_shape *shape = &tensor->shape;
	uint32_t i;
	size_t step;

	memset(stride, 0, MX_RANK_MAX * sizeof(*stride));
	if (tensor->layout == MX_LAYOUT_CHANNELS_LAST) {
		assert(shape->rank >= 3);
		stride[1] = 1;
		step = tensor->pitch;
		for (i = shape->rank; i-- > 2; step *= shape->dim[i])
			stride[i] = step;
		stride[0] = step;
		return;
	}
	step = 1;
	for (i = shape->rank; i-- > 0; step *= shape->dim[i])
		stride[i] = step;
}

int mx_tensor_extent(const struct mx_tensor *tensor, size_t *elems)
{
	const struct mx_shape *shape = &tensor->shape;
	size_t count;
	size_t pixels;
	int rc;

	rc = mx_shape_count(shape, &count);
	if (rc)
		return rc;
	if (tensor->layout == MX_LAYOUT_ROW_MAJOR) {
		if (tensor->pitch != 0)
			return -EBADMSG;
		*elems = count;
		return 0;
	}
	if (tensor->layout != MX_LAYOUT_CHANNELS_LAST || shape->rank < 3 ||
	    shape->rank > 5 || tensor->pitch < shape->dim[1] ||
	    tensor->pitch > MX_ELEMS_MAX)
		return -EBADMSG;
	if (count == 0) {
		*elems = 0;
		return 0;
	}
	pixels = count / shape->dim[1];
	if (mx_size_mul(pixels, tensor->pitch, &count) || count > MX_ELEMS_MAX)
		return -EOVERFLOW;
	/* The last pixel ends with its own channels. */
	*elems = count - tensor->pitch + shape->dim[1];
	return 0;
}

uint64_t mx_weight_block_count(const struct mx_weight_spec *spec)
{
	if (spec->rows == 0)
		return 0;
	return spec->rows / spec->block_rows +
	       (spec->rows % spec->block_rows != 0);
}

uint64_t mx_weight_block_rows(const struct mx_weight_spec *spec, uint64_t block)
{
	const uint64_t first = block * spec->block_rows;
	const uint64_t left = spec->rows - first;

	return left < spec->block_rows ? left : spec->block_rows;
}

uint64_t mx_weight_block_bytes(const struct mx_weight_spec *spec,
			       uint64_t block)
{
	const uint64_t each = (spec->row_elems + spec->vectors) * ELEM_BYTES;
	uint64_t bytes;
	uint64_t unit;

	if (spec->rows == 0)
		return 0;
	/* The full block's size decides the padding of all of them. */
	unit = each * spec->block_rows >= MX_WEIGHT_BIG_BLOCK_BYTES
		       ? MX_WEIGHT_PAGE_BYTES
		       : MX_WEIGHT_ALIGN_BYTES;
	bytes = each * mx_weight_block_rows(spec, block);
	return (bytes + unit - 1) / unit * unit;
}

uint64_t mx_weight_total_bytes(const struct mx_weight_spec *spec)
{
	const uint64_t count = mx_weight_block_count(spec);

	if (count == 0)
		return 0;
	return (count - 1) * mx_weight_block_bytes(spec, 0) +
	       mx_weight_block_bytes(spec, count - 1);
}

int mx_weight_spec_check(const struct mx_weight_spec *spec, struct mx_err *err)
{
	uint64_t elems;

	if (spec->rows == 0) {
		if (spec->row_elems || spec->vectors || spec->block_rows ||
		    spec->panel_rows)
			return mx_fail(err, EBADMSG,
				       "weights of no rows have a size");
		return 0;
	}
	if (spec->rows > ROWS_MAX || spec->row_elems > MX_ELEMS_MAX ||
	    spec->vectors > VECTORS_MAX || spec->block_rows == 0 ||
	    spec->panel_rows == 0 || spec->panel_rows > spec->block_rows ||
	    spec->row_elems + spec->vectors == 0)
		return mx_fail(err, EBADMSG,
			       "weights of %" PRIu64 " rows x %" PRIu64
			       " + %u in blocks of %u, panels of %u",
			       spec->rows, spec->row_elems, spec->vectors,
			       spec->block_rows, spec->panel_rows);
	if (mx_u64_mul(spec->rows + spec->block_rows,
		       spec->row_elems + spec->vectors, &elems) ||
	    elems > MX_ELEMS_MAX)
		return mx_fail(err, EBADMSG,
			       "weights of %" PRIu64 " rows x %" PRIu64
			       " are too many",
			       spec->rows, spec->row_elems);
	return 0;
}
