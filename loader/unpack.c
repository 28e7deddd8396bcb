/*
 * The bytes of model.pb into a network. The bytes may be anyone's:
 *
 *  (1) They end in their own hash, so a cut or damaged file is told as such.
 *  (2) protobuf-c gets its memory from a purse whose size follows the file's,
 *      since two bytes of an empty message would otherwise cost a hundred.
 *  (3) Counts meet their caps before anything of ours is allocated, and the
 *      result passes mx_network_check() before anyone sees it.
 */
#include "loader/model_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/err.h"
#include "loader/model.pb-c.h"

/*
 * A chain of small layers without names, the dearest network there is, takes
 * 15 bytes of protobuf-c's memory for a byte of the file.
 */
#define PURSE_FACTOR 32
#define PURSE_LEAST ((size_t)64 << 10)

struct purse {
	size_t left_bytes;
	int no_memory; /* malloc said no, not we */
};

static void *purse_alloc(void *user, size_t size)
{
	struct purse *purse = user;
	void *p;

	if (size > purse->left_bytes)
		return NULL;
	purse->left_bytes -= size;
	p = malloc(size ? size : 1);
	if (!p)
		purse->no_memory = 1;
	return p;
}

static void purse_free(void *user, void *p)
{
	(void)user;
	free(p);
}

static int check_trailer(const unsigned char *bytes, size_t size,
			 struct mx_err *err)
{
	const size_t body = size - MX_MODEL_TRAILER_BYTES;
	uint64_t hash = 0;
	size_t i;

	if (size < MX_MODEL_TRAILER_BYTES || bytes[body] != MX_MODEL_HASH_TAG)
		return mx_fail(err, EBADMSG,
			       "%zu bytes that are no model, or not all of it",
			       size);
	for (i = MX_MODEL_TRAILER_BYTES - 1; i > 0; i--)
		hash = hash << 8 | bytes[body + i];
	if (hash != XXH3_64bits(bytes, body))
		return mx_fail(err, EBADMSG,
			       "its hash does not match: it is damaged");
	return 0;
}

static int check_counts(const Mx__Pb__Model *pb, struct mx_err *err)
{
	if (pb->format != MX_MODEL_FORMAT)
		return mx_fail(err, EBADMSG,
			       "format %" PRIu32 ", where this program knows "
			       "%d: import it again",
			       pb->format, MX_MODEL_FORMAT);
	if (pb->n_tensors > MX_MODEL_TENSORS_MAX ||
	    pb->n_layers > MX_MODEL_LAYERS_MAX ||
	    pb->n_slices > MX_MODEL_SLICES_MAX ||
	    pb->n_inputs > pb->n_tensors || pb->n_outputs > pb->n_tensors)
		return mx_fail(err, EBADMSG,
			       "%zu tensors, %zu layers, %zu slices, %zu "
			       "inputs, %zu outputs are too many",
			       pb->n_tensors, pb->n_layers, pb->n_slices,
			       pb->n_inputs, pb->n_outputs);
	return 0;
}

static int take_name(char **out, const char *name, struct mx_err *err)
{
	if (strlen(name) > MX_MODEL_NAME_BYTES_MAX)
		return mx_fail(err, EBADMSG,
			       "a name is longer than %u bytes: %.32s...",
			       MX_MODEL_NAME_BYTES_MAX, name);
	*out = strdup(name);
	return *out ? 0 : mx_fail_errno(err, "name %s", name);
}

/* calloc, but NULL for no elements is no failure. */
static int take_array(void *out, size_t count, size_t each, struct mx_err *err)
{
	void *array;

	if (count == 0)
		return 0;
	array = calloc(count, each);
	if (!array)
		return mx_fail_errno(err, "%zu elements of the structure",
				     count);
	memcpy(out, &array, sizeof(array));
	return 0;
}

static int take_tensors(struct mx_network *net, const Mx__Pb__Model *pb,
			struct mx_err *err)
{
	size_t i;
	size_t j;
	int rc;

	rc = take_array(&net->tensors, pb->n_tensors, sizeof(*net->tensors),
			err);
	if (rc)
		return rc;
	net->tensor_count = (uint32_t)pb->n_tensors;
	for (i = 0; i < pb->n_tensors; i++) {
		const Mx__Pb__Tensor *from = pb->tensors[i];
		struct mx_tensor *to = &net->tensors[i];

		rc = take_name(&to->name, from->name, err);
		if (rc)
			return rc;
		if (from->n_dims > MX_RANK_MAX)
			return mx_fail(err, EBADMSG,
				       "tensor %s: rank %zu is above %d",
				       to->name, from->n_dims, MX_RANK_MAX);
		for (j = 0; j < from->n_dims; j++)
			if (from->dims[j] > MX_ELEMS_MAX)
				return mx_fail(err, EBADMSG,
					       "tensor %s: dimension %zu is "
					       "%" PRIu64,
					       to->name, j, from->dims[j]);
		if (from->layout > MX_LAYOUT_CHANNELS_LAST ||
		    from->offset_elems > MX_ELEMS_MAX ||
		    from->pitch > MX_ELEMS_MAX)
			return mx_fail(err, EBADMSG,
				       "tensor %s: layout %" PRIu32
				       ", offset %" PRIu64 ", pitch %" PRIu64,
				       to->name, from->layout,
				       from->offset_elems, from->pitch);
		for (j = 0; j < from->n_dims; j++)
			to->shape.dim[j] = (size_t)from->dims[j];
		to->shape.rank = (uint32_t)from->n_dims;
		to->layout = (enum mx_layout)from->layout;
		to->root = from->root;
		to->offset_elems = (size_t)from->offset_elems;
		to->pitch = (size_t)from->pitch;
	}
	return 0;
}

static int take_attrs(struct mx_layer *to, const Mx__Pb__Layer *from,
		      struct mx_err *err)
{
	size_t i;
	int rc;

	if (from->n_attrs > MX_MODEL_ATTRS_MAX)
		return mx_fail(err, EBADMSG, "layer %s: %zu attributes",
			       to->name, from->n_attrs);
	for (i = 0; i < from->n_attrs; i++) {
		const Mx__Pb__Attr *attr = from->attrs[i];

		if (strlen(attr->name) > MX_MODEL_NAME_BYTES_MAX ||
		    mx_attrs_find(&to->attrs, attr->name) ||
		    (attr->n_ints && attr->n_floats))
			return mx_fail(err, EBADMSG,
				       "layer %s: attribute %.32s is too long, "
				       "stands there twice, or has two kinds "
				       "of values",
				       to->name, attr->name);
		rc = attr->n_floats
			     ? mx_attrs_set_floats(&to->attrs, attr->name,
						   attr->floats, attr->n_floats)
			     : mx_attrs_set_ints(&to->attrs, attr->name,
						 attr->ints, attr->n_ints);
		if (rc)
			return mx_fail(err, -rc, "layer %s: no memory for %s",
				       to->name, attr->name);
	}
	return 0;
}

static int take_indices(uint32_t **out, uint32_t *out_count,
			const uint32_t *list, size_t count, struct mx_err *err)
{
	int rc;

	if (count > MX_MODEL_TENSORS_MAX)
		return mx_fail(err, EBADMSG, "a list of %zu tensors", count);
	rc = take_array(out, count, sizeof(**out), err);
	if (rc)
		return rc;
	if (count)
		memcpy(*out, list, count * sizeof(**out));
	*out_count = (uint32_t)count;
	return 0;
}

static int take_layer(struct mx_layer *to, const Mx__Pb__Layer *from,
		      struct mx_err *err)
{
	const Mx__Pb__Weights *w = from->weights;
	struct mx_err why = {""};
	int rc;

	rc = take_name(&to->name, from->name, err);
	if (rc)
		return rc;
	rc = take_name(&to->op_name, from->op, err);
	if (rc)
		return rc;
	rc = take_attrs(to, from, err);
	if (rc)
		return rc;
	rc = take_indices(&to->in, &to->in_count, from->inputs, from->n_inputs,
			  err);
	if (rc)
		return rc;
	rc = take_indices(&to->out, &to->out_count, from->outputs,
			  from->n_outputs, err);
	if (rc || !w)
		return rc;
	to->weights.rows = w->rows;
	to->weights.row_elems = w->row_elems;
	to->weights.vectors = w->vectors;
	to->weights.block_rows = w->block_rows;
	to->weights.panel_rows = w->panel_rows;
	to->weight_offset_bytes = w->offset_bytes;
	/* mx_weight_total_bytes() divides by what has to be checked first. */
	rc = mx_weight_spec_check(&to->weights, &why);
	if (rc)
		return mx_fail(err, -rc, "layer %s: %s", to->name, why.text);
	to->weight_bytes = mx_weight_total_bytes(&to->weights);
	return 0;
}

static int take_layers(struct mx_network *net, const Mx__Pb__Model *pb,
		       struct mx_err *err)
{
	size_t i;
	int rc;

	rc = take_array(&net->layers, pb->n_layers, sizeof(*net->layers), err);
	if (rc)
		return rc;
	net->layer_count = (uint32_t)pb->n_layers;
	for (i = 0; i < pb->n_layers; i++) {
		rc = take_layer(&net->layers[i], pb->layers[i], err);
		if (rc)
			return rc;
	}
	return 0;
}

static int take_slices(struct mx_network *net, const Mx__Pb__Model *pb,
		       struct mx_err *err)
{
	uint32_t i;
	int rc;

	rc = take_array(&net->slices, pb->n_slices, sizeof(*net->slices), err);
	if (rc)
		return rc;
	net->slice_count = (uint32_t)pb->n_slices;
	for (i = 0; i < net->slice_count; i++) {
		const Mx__Pb__Slice *from = pb->slices[i];
		struct mx_slice *to = &net->slices[i];
		struct mx_layer *layer;

		if (from->layer >= net->layer_count)
			return mx_fail(err, EBADMSG,
				       "slice %" PRIu32 ": layer %" PRIu32
				       " of %" PRIu32,
				       i, from->layer, net->layer_count);
		to->offset_bytes = from->offset_bytes;
		to->size_bytes = from->size_bytes;
		to->hash = from->hash;
		to->layer = from->layer;
		to->first_block = from->first_block;
		to->block_count = from->block_count;
		/* What is out of order here, mx_network_check() finds. */
		layer = &net->layers[from->layer];
		if (layer->slice_count++ == 0)
			layer->first_slice = i;
	}
	return 0;
}

static int take_inputs(struct mx_network *net, const Mx__Pb__Model *pb,
		       struct mx_err *err)
{
	size_t i;
	int rc;

	rc = take_array(&net->inputs, pb->n_inputs, sizeof(*net->inputs), err);
	if (rc)
		return rc;
	net->input_count = (uint32_t)pb->n_inputs;
	for (i = 0; i < pb->n_inputs; i++) {
		const Mx__Pb__Input *from = pb->inputs[i];
		struct mx_preprocess *to = &net->inputs[i].preprocess;

		/* Both are small before they become enumerations. */
		if (from->n_mean != sizeof(to->mean) / sizeof(to->mean[0]) ||
		    from->n_std != sizeof(to->std) / sizeof(to->std[0]) ||
		    from->channels > MX_CHANNELS_GRAY ||
		    from->resize > MX_RESIZE_LETTERBOX)
			return mx_fail(err, EBADMSG,
				       "input %zu: channel order %" PRIu32
				       ", resize rule %" PRIu32
				       ", %zu means, %zu stds",
				       i, from->channels, from->resize,
				       from->n_mean, from->n_std);
		net->inputs[i].tensor = from->tensor;
		to->channels = (enum mx_channel_order)from->channels;
		to->resize = (enum mx_resize)from->resize;
		to->crop_size = from->crop_size;
		memcpy(to->mean, from->mean, sizeof(to->mean));
		memcpy(to->std, from->std, sizeof(to->std));
		to->scale = from->scale;
	}
	return 0;
}

static int take_model(struct mx_network *net, const Mx__Pb__Model *pb,
		      struct mx_err *err)
{
	int rc;

	rc = check_counts(pb, err);
	if (rc)
		return rc;
	net->source_hash = pb->source_hash;
	net->weights_file_bytes = pb->weights_file_bytes;
	rc = take_name(&net->name, pb->name, err);
	if (rc)
		return rc;
	rc = take_name(&net->source, pb->source, err);
	if (rc)
		return rc;
	rc = take_tensors(net, pb, err);
	if (rc)
		return rc;
	rc = take_layers(net, pb, err);
	if (rc)
		return rc;
	rc = take_slices(net, pb, err);
	if (rc)
		return rc;
	rc = take_inputs(net, pb, err);
	if (rc)
		return rc;
	rc = take_indices(&net->outputs, &net->output_count, pb->outputs,
			  pb->n_outputs, err);
	if (rc)
		return rc;
	return mx_network_check(net, err);
}

int mx_network_unpack(struct mx_network *net, const unsigned char *bytes,
		      size_t size, struct mx_err *err)
{
	struct purse purse = {.left_bytes = PURSE_LEAST};
	ProtobufCAllocator allocator = {
		.alloc = purse_alloc,
		.free = purse_free,
		.allocator_data = &purse,
	};
	Mx__Pb__Model *pb;
	int rc;

	memset(net, 0, sizeof(*net));
	net->weights_fd = -1;
	if (size > MX_MODEL_PB_BYTES_MAX)
		return mx_fail(err, EBADMSG, "%zu bytes are more than %u", size,
			       MX_MODEL_PB_BYTES_MAX);
	rc = check_trailer(bytes, size, err);
	if (rc)
		return rc;
	purse.left_bytes += size * PURSE_FACTOR;
	pb = mx__pb__model__unpack(&allocator, size, bytes);
	if (!pb && purse.no_memory)
		return mx_fail(err, ENOMEM, "no memory for its %zu bytes",
			       size);
	if (!pb)
		return mx_fail(err, EBADMSG,
			       "its %zu bytes are no model's structure", size);
	rc = take_model(net, pb, err);
	mx__pb__model__free_unpacked(pb, &allocator);
	if (rc)
		mx_network_fini(net);
	return rc;
}
