/*
 * Walk a model directory with libmxload: print its layers and slices, and
 * read every weight through the mapping.
 *
 *   cc -I. examples/walk.c build/libmxload.a -lprotobuf-c -o walk
 *   ./walk squeezenet.mx
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/err.h"
#include "loader/mxload.h"

static uint32_t add_bytes(const unsigned char *bytes, uint64_t count)
{
	uint32_t sum = 0;

	while (count-- > 0)
		sum = sum * 31 + *bytes++;
	return sum;
}

static void print_layer(const struct mx_model *model,
			const struct mx_network *net,
			const struct mx_layer *layer)
{
	char text[MX_SHAPE_TEXT_BYTES];
	uint32_t i;

	printf("%-24s %-16s %s\n", layer->name, layer->op_name,
	       mx_shape_text(&net->tensors[layer->out[0]].shape, text));
	for (i = 0; i < layer->slice_count; i++) {
		const uint32_t index = layer->first_slice + i;
		const struct mx_slice *slice = &net->slices[index];

		printf("  %10" PRIu64 " bytes at %12" PRIu64 ", sum %08" PRIx32
		       "\n",
		       slice->size_bytes, slice->offset_bytes,
		       add_bytes(mx_model_slice(model, index),
				 slice->size_bytes));
	}
}

int main(int argc, char **argv)
{
	struct mx_model *model;
	struct mx_network *net;
	struct mx_err err;
	uint32_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: walk DIR\n");
		return 2;
	}
	if (mx_model_open(&model, argv[1], &err)) {
		fprintf(stderr, "walk: %s\n", err.text);
		return 3;
	}
	net = mx_model_network(model);
	for (i = 0; i < net->layer_count; i++)
		print_layer(model, net, &net->layers[i]);
	mx_model_close(model);
	return 0;
}
