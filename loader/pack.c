/*
 * A network into the bytes of model.pb. Encoded messages can be joined: the
 * elements of a repeated field come out one by one, each in a message of its
 * own, and no second copy of the network is built.
 */
#include "loader/model_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/err.h"
#include "loader/model.pb-c.h"

#define FIRST_ROOM ((size_t)16 << 10)

struct sink {
	ProtobufCBuffer buffer; /* first: protobuf-c calls us with it */
	unsigned char *bytes;
	size_t size;
	size_t room;
	int rc; /* the first failure; nothing is appended after it */
};

static void append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
	struct sink *sink = (struct sink *)buffer;
	unsigned char *bytes;
	size_t room = sink->room ? sink->room : FIRST_ROOM;

	if (sink->rc)
		return;
	if (len > MX_MODEL_PB_BYTES_MAX - sink->size) {
		sink->rc = -EFBIG;
		return;
	}
	while (room < sink->size + len)
		room *= 2;
	if (room > sink->room) {
		bytes = realloc(sink->bytes, room);
		if (!bytes) {
			sink->rc = -ENOMEM;
			return;
		}
		sink->bytes = bytes;
		sink->room = room;
	}
	if (len)
		memcpy(sink->bytes + sink->size, data, len);
	sink->size += len;
}

static void put(struct sink *sink, const Mx__Pb__Model *part)
{
	if (!sink->rc)
		(void)mx__pb__model__pack_to_buffer(part, &sink->buffer);
}

static void put_tensor(struct sink *sink, const struct mx_tensor *tensor)
{
	Mx__Pb__Model part = MX__PB__MODEL__INIT;
	Mx__Pb__Tensor pb = MX__PB__TENSOR__INIT;
	Mx__Pb__Tensor *list = &pb;
	uint64_t dims[MX_RANK_MAX];
	uint32_t i;

	for (i = 0; i < tensor->shape.rank; i++)
		dims[i] = tensor->shape.dim[i];
	pb.name = tensor->name;
	pb.n_dims = tensor->shape.rank;
	pb.dims = dims;
	pb.layout = (uint32_t)tensor->layout;
	pb.root = tensor->root;
	pb.offset_elems = tensor->offset_elems;
	pb.pitch = tensor->pitch;
	part.n_tensors = 1;
	part.tensors = &list;
	put(sink, &part);
}

/* @attrs and @list have room for the layer's attributes. */
static void put_layer(struct sink *sink, const struct mx_layer *layer,
		      Mx__Pb__Attr *attrs, Mx__Pb__Attr **attr_list)
{
	Mx__Pb__Model part = MX__PB__MODEL__INIT;
	Mx__Pb__Layer pb = MX__PB__LAYER__INIT;
	Mx__Pb__Weights weights = MX__PB__WEIGHTS__INIT;
	Mx__Pb__Layer *list = &pb;
	size_t i;

	for (i = 0; i < layer->attrs.count; i++) {
		const struct mx_attr *attr = &layer->attrs.items[i];

		mx__pb__attr__init(&attrs[i]);
		attrs[i].name = attr->name;
		attrs[i].n_ints = attr->int_count;
		attrs[i].ints = attr->ints;
		attrs[i].n_floats = attr->float_count;
		attrs[i].floats = attr->floats;
		attr_list[i] = &attrs[i];
	}
	pb.name = layer->name;
	pb.op = layer->op_name;
	pb.n_attrs = layer->attrs.count;
	pb.attrs = attr_list;
	pb.n_inputs = layer->in_count;
	pb.inputs = layer->in;
	pb.n_outputs = layer->out_count;
	pb.outputs = layer->out;
	if (layer->weights.rows) {
		weights.rows = layer->weights.rows;
		weights.row_elems = layer->weights.row_elems;
		weights.vectors = layer->weights.vectors;
		weights.block_rows = layer->weights.block_rows;
		weights.panel_rows = layer->weights.panel_rows;
		weights.offset_bytes = layer->weight_offset_bytes;
		pb.weights = &weights;
	}
	part.n_layers = 1;
	part.layers = &list;
	put(sink, &part);
}

static void put_layers(struct sink *sink, const struct mx_network *net)
{
	Mx__Pb__Attr *attrs = NULL;
	Mx__Pb__Attr **list = NULL;
	size_t room = 1;
	uint32_t i;

	for (i = 0; i < net->layer_count; i++)
		if (net->layers[i].attrs.count > room)
			room = net->layers[i].attrs.count;
	attrs = calloc(room, sizeof(*attrs));
	list = calloc(room, sizeof(*list));
	if (!attrs || !list)
		sink->rc = -ENOMEM;
	for (i = 0; !sink->rc && i < net->layer_count; i++)
		put_layer(sink, &net->layers[i], attrs, list);
	free(attrs);
	free(list);
}

static void put_slice(struct sink *sink, const struct mx_slice *slice)
{
	Mx__Pb__Model part = MX__PB__MODEL__INIT;
	Mx__Pb__Slice pb = MX__PB__SLICE__INIT;
	Mx__Pb__Slice *list = &pb;

	pb.offset_bytes = slice->offset_bytes;
	pb.size_bytes = slice->size_bytes;
	pb.hash = slice->hash;
	pb.layer = slice->layer;
	pb.first_block = slice->first_block;
	pb.block_count = slice->block_count;
	part.n_slices = 1;
	part.slices = &list;
	put(sink, &part);
}

static void put_input(struct sink *sink, const struct mx_input *input)
{
	Mx__Pb__Model part = MX__PB__MODEL__INIT;
	Mx__Pb__Input pb = MX__PB__INPUT__INIT;
	Mx__Pb__Input *list = &pb;
	struct mx_preprocess p = input->preprocess;

	pb.tensor = input->tensor;
	pb.channels = (uint32_t)p.channels;
	pb.resize = (uint32_t)p.resize;
	pb.crop_size = p.crop_size;
	pb.n_mean = sizeof(p.mean) / sizeof(p.mean[0]);
	pb.mean = p.mean;
	pb.n_std = sizeof(p.std) / sizeof(p.std[0]);
	pb.std = p.std;
	pb.scale = p.scale;
	part.n_inputs = 1;
	part.inputs = &list;
	put(sink, &part);
}

static void put_head(struct sink *sink, const struct mx_network *net)
{
	Mx__Pb__Model part = MX__PB__MODEL__INIT;

	part.format = MX_MODEL_FORMAT;
	part.name = net->name;
	if (net->source)
		part.source = net->source;
	part.source_hash = net->source_hash;
	part.n_outputs = net->output_count;
	part.outputs = net->outputs;
	part.weights_file_bytes = net->weights_file_bytes;
	put(sink, &part);
}

/* Little-endian whatever the machine: protobuf's fixed64. */
static void put_trailer(struct sink *sink)
{
	unsigned char trailer[MX_MODEL_TRAILER_BYTES] = {MX_MODEL_HASH_TAG};
	uint64_t hash;
	size_t i;

	if (sink->rc)
		return;
	hash = XXH3_64bits(sink->bytes, sink->size);
	for (i = 1; i < sizeof(trailer); i++, hash >>= 8)
		trailer[i] = (unsigned char)hash;
	append(&sink->buffer, sizeof(trailer), trailer);
}

int mx_network_pack(const struct mx_network *net, unsigned char **bytes,
		    size_t *size, struct mx_err *err)
{
	struct sink sink = {.buffer = {.append = append}};
	uint32_t i;

	put_head(&sink, net);
	for (i = 0; i < net->tensor_count; i++)
		put_tensor(&sink, &net->tensors[i]);
	put_layers(&sink, net);
	for (i = 0; i < net->slice_count; i++)
		put_slice(&sink, &net->slices[i]);
	for (i = 0; i < net->input_count; i++)
		put_input(&sink, &net->inputs[i]);
	put_trailer(&sink);
	if (sink.rc) {
		free(sink.bytes);
		return mx_fail(err, -sink.rc, "%s: its structure takes %s",
			       net->name,
			       sink.rc == -EFBIG ? "more than a model may"
						 : "more memory than there is");
	}
	*bytes = sink.bytes;
	*size = sink.size;
	return 0;
}
