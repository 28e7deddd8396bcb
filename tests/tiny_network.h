/*
 * A bound network over a temporary weights file: fc1 (1024 -> 1000, several
 * blocks), ReLU in place, fc2 (1000 -> 10), with one slice a block.
 */
#ifndef MX_TESTS_TINY_NETWORK_H
#define MX_TESTS_TINY_NETWORK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/network.h"
#include "tests/check.h"
#include "tests/temp_files.h"

enum { TINY_IN = 1024, TINY_MIDDLE = 1000, TINY_OUT = 10 };

struct tiny {
	struct mx_network net;
	unsigned char *bytes; /* the weights file's, writable: our mapping */
	char path[TEMP_PATH_BYTES];
};

static inline float tiny_weight(uint64_t row, uint64_t column)
{
	return (float)((row * 31 + column * 17) % 101) / 1010.0f - 0.05f;
}

static inline float tiny_bias(uint64_t row)
{
	return (float)(row % 7) - 3.0f;
}

static inline float tiny_input(size_t i)
{
	return (float)(i % 13) / 13.0f - 0.4f;
}

static inline void tiny_layer(struct tiny *tiny, uint32_t index,
			      const char *name, const char *op, uint32_t in,
			      uint32_t out)
{
	struct mx_layer *layer = &tiny->net.layers[index];

	layer->name = strdup(name);
	layer->op_name = strdup(op);
	layer->in = malloc(sizeof(*layer->in));
	layer->out = malloc(sizeof(*layer->out));
	layer->in[0] = in;
	layer->out[0] = out;
	layer->in_count = 1;
	layer->out_count = 1;
}

static inline void tiny_tensor(struct tiny *tiny, uint32_t index,
			       const char *name, size_t elems, uint32_t root)
{
	struct mx_tensor *tensor = &tiny->net.tensors[index];

	tensor->name = strdup(name);
	tensor->shape = (struct mx_shape){2, {1, elems}};
	tensor->root = root;
}

static inline void tiny_fill(struct tiny *tiny, const struct mx_layer *layer)
{
	const struct mx_weight_spec *spec = &layer->weights;
	uint64_t b, r, c;

	for (b = 0; b < mx_weight_block_count(spec); b++) {
		float *at =
			(float *)(void *)(tiny->bytes +
					  layer->weight_offset_bytes +
					  b * mx_weight_block_bytes(spec, 0));
		const uint64_t rows = mx_weight_block_rows(spec, b);
		const uint64_t first = b * spec->block_rows;

		for (r = 0; r < rows; r++) {
			for (c = 0; c < spec->row_elems; c++)
				at[r * spec->row_elems + c] =
					tiny_weight(first + r, c);
			at[rows * spec->row_elems + r] = tiny_bias(first + r);
		}
	}
}

/* Weight offsets and slices, at most @most blocks each. */
static inline uint64_t tiny_lay_out(struct mx_network *net, uint32_t most)
{
	struct mx_slice *slice = NULL;
	uint64_t end = 0;
	uint32_t i, b;

	net->slices = calloc(64, sizeof(*net->slices));
	for (i = 0; i < net->layer_count; i++) {
		struct mx_layer *layer = &net->layers[i];

		if (!layer->weight_bytes)
			continue;
		layer->weight_offset_bytes = end;
		layer->first_slice = net->slice_count;
		for (b = 0; b < layer->block_count; b++) {
			const uint64_t bytes =
				mx_weight_block_bytes(&layer->weights, b);

			if (b % most == 0) {
				slice = &net->slices[net->slice_count++];
				slice->layer = i;
				slice->first_block = b;
				slice->offset_bytes = end;
				layer->slice_count++;
			}
			slice->block_count++;
			slice->size_bytes += bytes;
			end += bytes;
		}
	}
	return (end + 4095) / 4096 * 4096;
}

/* With @middle values in between, and slices of @most blocks. */
static inline void tiny_open_with(struct tiny *tiny, size_t middle,
				  uint32_t most)
{
	const size_t elems[4] = {TINY_IN, middle, middle, TINY_OUT};
	struct mx_network *net = &tiny->net;
	struct mx_err err = {""};
	uint32_t i;

	memset(tiny, 0, sizeof(*tiny));
	net->name = strdup("tiny");
	net->tensors = calloc(4, sizeof(*net->tensors));
	net->tensor_count = 4;
	for (i = 0; i < 4; i++)
		tiny_tensor(tiny, i, "t", elems[i], i == 2 ? 1 : i);
	net->layers = calloc(3, sizeof(*net->layers));
	net->layer_count = 3;
	tiny_layer(tiny, 0, "fc1", "Dense", 0, 1);
	tiny_layer(tiny, 1, "relu", "Relu", 1, 2);
	tiny_layer(tiny, 2, "fc2", "Dense", 2, 3);
	assert_int_equal(mx_attrs_set_int(&net->layers[0].attrs, "out_features",
					  (int64_t)middle),
			 0);
	assert_int_equal(mx_attrs_set_int(&net->layers[2].attrs, "out_features",
					  TINY_OUT),
			 0);
	net->inputs = calloc(1, sizeof(*net->inputs));
	net->input_count = 1;
	net->outputs = calloc(1, sizeof(*net->outputs));
	net->outputs[0] = 3;
	net->output_count = 1;
	for (i = 0; i < 3; i++)
		if (mx_layer_bind(&net->layers[i],
				  &net->tensors[net->layers[i].in[0]].shape,
				  &err))
			fail_msg("%s", err.text);
	net->weights_file_bytes = tiny_lay_out(net, most);
	net->weights_fd = temp_file(tiny->path);
	assert_int_equal(
		ftruncate(net->weights_fd, (off_t)net->weights_file_bytes), 0);
	tiny->bytes =
		mmap(NULL, net->weights_file_bytes, PROT_READ | PROT_WRITE,
		     MAP_SHARED, net->weights_fd, 0);
	assert_ptr_not_equal(tiny->bytes, MAP_FAILED);
	net->weights_base = tiny->bytes;
	tiny_fill(tiny, &net->layers[0]);
	tiny_fill(tiny, &net->layers[2]);
	assert_int_equal(fsync(net->weights_fd), 0);
	if (mx_network_bind(net, &err))
		fail_msg("%s", err.text);
}

static inline void tiny_open(struct tiny *tiny)
{
	tiny_open_with(tiny, TINY_MIDDLE, 1);
}

static inline void tiny_close(struct tiny *tiny)
{
	munmap(tiny->bytes, tiny->net.weights_file_bytes);
	close(tiny->net.weights_fd);
	unlink(tiny->path);
	mx_network_fini(&tiny->net);
}

/* As a cmocka fixture. */
static inline int tiny_setup(void **state)
{
	static struct tiny tiny;

	tiny_open(&tiny);
	*state = &tiny;
	return 0;
}

static inline int tiny_teardown(void **state)
{
	tiny_close(*state);
	return 0;
}

/* What it computes, in double precision. */
static inline void tiny_reference(const float *input, double out[TINY_OUT])
{
	static double middle[TINY_MIDDLE];
	uint64_t r, c;

	for (r = 0; r < TINY_MIDDLE; r++) {
		middle[r] = (double)tiny_bias(r);
		for (c = 0; c < TINY_IN; c++)
			middle[r] +=
				(double)tiny_weight(r, c) * (double)input[c];
		if (middle[r] < 0)
			middle[r] = 0;
	}
	for (r = 0; r < TINY_OUT; r++) {
		out[r] = (double)tiny_bias(r);
		for (c = 0; c < TINY_MIDDLE; c++)
			out[r] += (double)tiny_weight(r, c) * middle[c];
	}
}

#endif
