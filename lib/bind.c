/*
 * Binding: from what a model says of a layer to what its operator makes of it.
 * Everything the operators compute later rests on what is checked here.
 */
#include "lib/network.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"

/* Undo an earlier bind, so that a pass may bind again. */
static void unbind(struct mx_layer *layer)
{
	if (layer->op && layer->op->release && layer->params)
		layer->op->release(layer->params);
	free(layer->params);
	free(layer->in_shape);
	layer->params = NULL;
	layer->in_shape = NULL;
	layer->out_shape = NULL;
	layer->op = NULL;
}

static int find_op(struct mx_layer *layer, struct mx_err *err)
{
	const struct mx_op *op = mx_op_find(layer->op_name);

	if (!op)
		return mx_fail(err, ENOTSUP, "%s: no operator %s", layer->name,
			       layer->op_name);
	if (layer->in_count < op->in_min || layer->in_count > op->in_max)
		return mx_fail(err, EBADMSG, "%s: %s has %u inputs",
			       layer->name, op->name, layer->in_count);
	if (layer->out_count < 1 || layer->out_count > op->out_max)
		return mx_fail(err, EBADMSG, "%s: %s has %u outputs",
			       layer->name, op->name, layer->out_count);
	layer->op = op;
	return 0;
}

static int check_shapes(const struct mx_layer *layer,
			const struct mx_shape *shapes, uint32_t count,
			const char *what, struct mx_err *err)
{
	size_t elems;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (mx_shape_count(&shapes[i], &elems))
			return mx_fail(err, EBADMSG, "%s: %s %u is too large",
				       layer->name, what, i);
	return 0;
}

/* What follows from the shapes: weights, tiles, scratch, work. */
static int derive(struct mx_layer *layer, struct mx_err *err)
{
	const struct mx_op *op = layer->op;
	struct mx_err why;

	memset(&layer->weights, 0, sizeof(layer->weights));
	if (op->weights)
		op->weights(layer, &layer->weights);
	if (mx_weight_spec_check(&layer->weights, &why))
		return mx_fail(err, EBADMSG, "%s: %s", layer->name, why.text);
	layer->weight_bytes = mx_weight_total_bytes(&layer->weights);
	layer->block_count = (size_t)mx_weight_block_count(&layer->weights);
	if (layer->block_count == 0)
		layer->block_count = 1;
	layer->tile_count = op->tiles ? op->tiles(layer) : 1;
	assert(layer->tile_count > 0);
	layer->scratch_bytes = op->scratch_bytes ? op->scratch_bytes(layer) : 0;
	layer->macs = op->macs ? op->macs(layer)
			       : (uint64_t)mx_shape_elems(layer->out_shape);
	layer->work = op->work ? op->work(layer) : layer->macs;
	return 0;
}

int mx_layer_bind(struct mx_layer *layer, const struct mx_shape *in,
		  struct mx_err *err)
{
	const uint32_t shapes = layer->in_count + layer->out_count;
	struct mx_err why = {""};
	int rc;

	unbind(layer);
	rc = find_op(layer, err);
	if (rc)
		goto fail;
	layer->in_shape = calloc(shapes, sizeof(*layer->in_shape));
	layer->params = calloc(
		1, layer->op->params_bytes ? layer->op->params_bytes : 1);
	if (!layer->in_shape || !layer->params) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", layer->name);
		goto fail;
	}
	layer->out_shape = layer->in_shape + layer->in_count;
	if (layer->in_count)
		memcpy(layer->in_shape, in, layer->in_count * sizeof(*in));
	rc = check_shapes(layer, layer->in_shape, layer->in_count, "input",
			  err);
	if (rc)
		goto fail;
	if (layer->op->bind)
		rc = layer->op->bind(layer->params, &layer->attrs, &why);
	if (!rc)
		rc = layer->op->infer(layer, layer->in_shape, layer->out_shape,
				      &why);
	if (rc) {
		rc = mx_fail(err, -rc, "%s (%s): %s", layer->name,
			     layer->op_name, why.text);
		goto fail;
	}
	rc = check_shapes(layer, layer->out_shape, layer->out_count, "output",
			  err);
	if (!rc)
		rc = derive(layer, err);
	if (rc)
		goto fail;
	return 0;

fail:
	unbind(layer);
	return rc;
}

/* What the file says of the weights must be what the operator reads. */
static int same_weights(const struct mx_layer *layer,
			const struct mx_weight_spec *stated, struct mx_err *err)
{
	const struct mx_weight_spec *want = &layer->weights;

	if (stated->rows == want->rows &&
	    stated->row_elems == want->row_elems &&
	    stated->vectors == want->vectors &&
	    stated->block_rows == want->block_rows &&
	    stated->panel_rows == want->panel_rows)
		return 0;
	return mx_fail(err, EBADMSG,
		       "%s: weights of %" PRIu64 " x %" PRIu64 " + %u by %u/%u"
		       ", %s needs %" PRIu64 " x %" PRIu64 " + %u by %u/%u",
		       layer->name, stated->rows, stated->row_elems,
		       stated->vectors, stated->block_rows, stated->panel_rows,
		       layer->op_name, want->rows, want->row_elems,
		       want->vectors, want->block_rows, want->panel_rows);
}

/* Operators assume of layouts what the layout pass promises. */
static int check_layouts(const struct mx_network *net,
			 const struct mx_layer *layer, struct mx_err *err)
{
	const unsigned traits = layer->op->traits;
	uint32_t i;

	for (i = 0; i < layer->in_count + layer->out_count; i++) {
		const uint32_t t = i < layer->in_count
					   ? layer->in[i]
					   : layer->out[i - layer->in_count];
		const struct mx_tensor *tensor = &net->tensors[t];
		const int last = tensor->layout == MX_LAYOUT_CHANNELS_LAST;
		const int is_main = i == 0 || i >= layer->in_count;

		if (traits & MX_OP_SPATIAL && is_main && !last)
			return mx_fail(err, EBADMSG,
				       "%s: %s is not channels-last",
				       layer->name, tensor->name);
		/* A reshape of a dense channels-last tensor moves nothing
		 * when it is placed in the same memory. */
		if (traits & MX_OP_ORDERED && !(traits & MX_OP_RESHAPE) && last)
			return mx_fail(err, EBADMSG, "%s: %s is not row-major",
				       layer->name, tensor->name);
		if (traits & (MX_OP_DENSE | MX_OP_RESHAPE) && last &&
		    tensor->pitch != tensor->shape.dim[1])
			return mx_fail(err, EBADMSG, "%s: %s is not dense",
				       layer->name, tensor->name);
	}
	return 0;
}

static int bind_one(struct mx_network *net, struct mx_layer *layer,
		    struct mx_shape *shapes, struct mx_err *err)
{
	const struct mx_weight_spec stated = layer->weights;
	const uint64_t stated_bytes = layer->weight_bytes;
	uint32_t i;
	int rc;

	for (i = 0; i < layer->in_count; i++)
		shapes[i] = net->tensors[layer->in[i]].shape;
	rc = mx_layer_bind(layer, shapes, err);
	if (rc)
		return rc;
	rc = same_weights(layer, &stated, err);
	if (rc)
		return rc;
	if (layer->weight_bytes != stated_bytes)
		return mx_fail(err, EBADMSG,
			       "%s: %" PRIu64 " bytes of weights, not %" PRIu64,
			       layer->name, stated_bytes, layer->weight_bytes);
	for (i = 0; i < layer->out_count; i++)
		if (!mx_shape_equal(&layer->out_shape[i],
				    &net->tensors[layer->out[i]].shape))
			return mx_fail(
				err, EBADMSG, "%s: output %s has another shape",
				layer->name, net->tensors[layer->out[i]].name);
	return check_layouts(net, layer, err);
}

int mx_network_bind(struct mx_network *net, struct mx_err *err)
{
	struct mx_shape *shapes;
	uint32_t most = 1;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < net->layer_count; i++)
		if (net->layers[i].in_count > most)
			most = net->layers[i].in_count;
	shapes = calloc(most, sizeof(*shapes));
	if (!shapes)
		return mx_fail(err, ENOMEM, "%s: no memory", net->name);
	for (i = 0; i < net->layer_count && !rc; i++)
		rc = bind_one(net, &net->layers[i], shapes, err);
	free(shapes);
	return rc;
}
