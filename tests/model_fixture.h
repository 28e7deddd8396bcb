/*
 * A small network that uses all that a model directory can say: a
 * concatenation in place, an in-place operator, a layer of several slices and
 * its twin, attributes of both kinds, preprocessing, labels. And a temporary
 * directory to write it to.
 */
#ifndef MX_TESTS_MODEL_FIXTURE_H
#define MX_TESTS_MODEL_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/network.h"
#include "loader/mxload.h"
#include "loader/write.h"
#include "tests/check.h"
#include "tests/temp_files.h"

#define FIXTURE __attribute__((unused)) static

enum fixture_tensor {
	T_DATA,
	T_C1,
	T_C2,
	T_CAT,
	T_FLAT,
	T_FA,
	T_FB,
	T_SUM,
	T_PROB,
	T_COUNT
};
enum fixture_layer {
	L_C1,
	L_C2,
	L_CAT,
	L_FLAT,
	L_FA,
	L_FB,
	L_SUM,
	L_PROB,
	L_COUNT
};

struct fixture_layer_spec {
	const char *name;
	const char *op;
	uint32_t in[2];
	uint32_t in_count;
	uint32_t out;
	struct mx_weight_spec weights;
};

FIXTURE const struct fixture_layer_spec fixture_layers[L_COUNT] = {
	[L_C1] = {"c1", "Convolution", {T_DATA}, 1, T_C1, {48, 27, 1, 16, 1}},
	[L_C2] = {"c2", "Convolution", {T_DATA}, 1, T_C2, {16, 27, 1, 16, 1}},
	[L_CAT] = {"cat", "Concat", {T_C1, T_C2}, 2, T_CAT, {0}},
	[L_FLAT] = {"flat", "Relayout", {T_CAT}, 1, T_FLAT, {0}},
	[L_FA] = {"fa", "Dense", {T_FLAT}, 1, T_FA, {300, 1024, 1, 64, 8}},
	[L_FB] = {"fb", "Dense", {T_FLAT}, 1, T_FB, {300, 1024, 1, 64, 8}},
	[L_SUM] = {"sum", "Add", {T_FA, T_FB}, 2, T_SUM, {0}},
	[L_PROB] = {"prob", "Softmax", {T_SUM}, 1, T_PROB, {0}},
};

FIXTURE void fixture_tensor(struct mx_network *net, uint32_t index,
			    const char *name, struct mx_shape shape)
{
	struct mx_tensor *t = &net->tensors[index];

	t->name = strdup(name);
	t->shape = shape;
	t->root = index;
}

FIXTURE void fixture_channels_last(struct mx_network *net, uint32_t index,
				   size_t offset, size_t pitch)
{
	struct mx_tensor *t = &net->tensors[index];

	t->layout = MX_LAYOUT_CHANNELS_LAST;
	t->root = T_CAT;
	t->offset_elems = offset;
	t->pitch = pitch;
}

FIXTURE void fixture_tensors(struct mx_network *net)
{
	net->tensor_count = T_COUNT;
	net->tensors = calloc(T_COUNT, sizeof(*net->tensors));
	fixture_tensor(net, T_DATA, "data", (struct mx_shape){4, {1, 3, 4, 4}});
	fixture_tensor(net, T_C1, "c1", (struct mx_shape){4, {1, 48, 4, 4}});
	fixture_tensor(net, T_C2, "c2", (struct mx_shape){4, {1, 16, 4, 4}});
	fixture_tensor(net, T_CAT, "cat", (struct mx_shape){4, {1, 64, 4, 4}});
	fixture_tensor(net, T_FLAT, "flat", (struct mx_shape){2, {1, 1024}});
	fixture_tensor(net, T_FA, "fa", (struct mx_shape){2, {1, 300}});
	fixture_tensor(net, T_FB, "fb", (struct mx_shape){2, {1, 300}});
	fixture_tensor(net, T_SUM, "sum", (struct mx_shape){2, {1, 300}});
	fixture_tensor(net, T_PROB, "prob", (struct mx_shape){2, {1, 300}});
	fixture_channels_last(net, T_C1, 0, 64);
	fixture_channels_last(net, T_C2, 48, 64);
	fixture_channels_last(net, T_CAT, 0, 64);
	net->tensors[T_PROB].root = T_SUM;
}

FIXTURE void fixture_layer(struct mx_layer *layer,
			   const struct fixture_layer_spec *spec)
{
	layer->name = strdup(spec->name);
	layer->op_name = strdup(spec->op);
	layer->in_count = spec->in_count;
	layer->in = calloc(spec->in_count, sizeof(*layer->in));
	memcpy(layer->in, spec->in, spec->in_count * sizeof(*layer->in));
	layer->out_count = 1;
	layer->out = calloc(1, sizeof(*layer->out));
	layer->out[0] = spec->out;
	layer->weights = spec->weights;
}

FIXTURE void fixture_network(struct mx_network *net)
{
	static const int64_t kernel[2] = {3, 3};
	static const int64_t pad[2] = {-1, INT64_MIN};
	static const float ab[2] = {0.25f, -6.0f};
	struct mx_preprocess *p;
	uint32_t i;

	memset(net, 0, sizeof(*net));
	net->weights_fd = -1;
	net->name = strdup("small");
	net->source = strdup("caffe");
	net->source_hash = 0xfedcba9876543210;
	fixture_tensors(net);
	net->layer_count = L_COUNT;
	net->layers = calloc(L_COUNT, sizeof(*net->layers));
	for (i = 0; i < L_COUNT; i++)
		fixture_layer(&net->layers[i], &fixture_layers[i]);
	mx_attrs_set_ints(&net->layers[L_C1].attrs, "kernel", kernel, 2);
	mx_attrs_set_ints(&net->layers[L_C1].attrs, "pad_begin", pad, 2);
	mx_attrs_set_floats(&net->layers[L_C1].attrs, "activation_ab", ab, 2);
	mx_attrs_set_ints(&net->layers[L_C1].attrs, "empty", NULL, 0);
	net->input_count = 1;
	net->inputs = calloc(1, sizeof(*net->inputs));
	p = &net->inputs[0].preprocess;
	net->inputs[0].tensor = T_DATA;
	*p = (struct mx_preprocess){
		.channels = MX_CHANNELS_RGB,
		.resize = MX_RESIZE_CROP,
		.crop_size = 256,
		.mean = {104.0f, 117.0f, 123.0f, 0.0f},
		.std = {1.0f, 2.0f, 3.0f, 4.0f},
		.scale = 0.017f,
	};
	net->output_count = 2;
	net->outputs = calloc(2, sizeof(*net->outputs));
	net->outputs[0] = T_PROB;
	net->outputs[1] = T_CAT;
}

FIXTURE void fixture_labels(struct mx_network *net, uint32_t count)
{
	char text[32];
	uint32_t i;

	net->labels = calloc(count, sizeof(*net->labels));
	net->label_count = count;
	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "label %u", i);
		net->labels[i] = strdup(text);
	}
}

struct fixture_blocks {
	const struct mx_network *net;
	uint32_t twin_of[2]; /* layer [0] has the weights of layer [1] */
	uint64_t calls;
	uint64_t fail_at; /* the call that fails with -EPIPE; 0: none */
};

/* Values that tell layer, block and place; padding zero. */
FIXTURE int fixture_read_block(void *user, uint32_t layer, uint64_t block,
			       void *out, struct mx_err *err)
{
	struct fixture_blocks *blocks = user;
	const struct mx_weight_spec *spec = &blocks->net->layers[layer].weights;
	const uint64_t elems = mx_weight_block_rows(spec, block) *
			       (spec->row_elems + spec->vectors);
	uint32_t *values = out;
	uint32_t seed = layer;
	uint64_t i;

	if (++blocks->calls == blocks->fail_at)
		return mx_fail(err, 32, "block %u", (unsigned)block);
	if (layer == blocks->twin_of[0])
		seed = blocks->twin_of[1];
	memset(out, 0, (size_t)mx_weight_block_bytes(spec, block));
	for (i = 0; i < elems; i++)
		values[i] = (uint32_t)i * 2654435761u + seed * 40503u +
			    (uint32_t)block * 97u + 1;
	return 0;
}

struct fixture {
	char root[TEMP_PATH_BYTES]; /* a temporary directory */
	char path[TEMP_PATH_BYTES + 16]; /* root/net.mx */
	struct mx_network net;
	struct fixture_blocks blocks;
	struct mx_write_opts opts;
	struct mx_err err;
};

/* A path in the directory @dir; from a ring of four buffers. */
FIXTURE const char *fixture_in(const char *dir, const char *name)
{
	static char ring[4][320];
	static unsigned next;
	char *text = ring[next++ % 4];

	snprintf(text, sizeof(ring[0]), "%s/%s", dir, name);
	return text;
}

FIXTURE int fixture_setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	temp_directory(fx->root);
	snprintf(fx->path, sizeof(fx->path), "%s/net.mx", fx->root);
	fixture_network(&fx->net);
	fx->blocks.net = &fx->net;
	fx->blocks.twin_of[0] = L_FB;
	fx->blocks.twin_of[1] = L_FA;
	fx->opts.path = fx->path;
	fx->opts.slice_bytes = MX_SLICE_BYTES_MIN;
	fx->opts.read_block = fixture_read_block;
	fx->opts.read_user = &fx->blocks;
	*state = fx;
	return 0;
}

FIXTURE int fixture_teardown(void **state)
{
	struct fixture *fx = *state;

	mx_network_fini(&fx->net);
	temp_remove(fx->root);
	free(fx);
	return 0;
}

FIXTURE void fixture_write(struct fixture *fx)
{
	if (mx_model_write(&fx->net, &fx->opts, &fx->err))
		fail_msg("%s", fx->err.text);
}

/* The directory is there, opens, has @outputs outputs, and verifies. */
FIXTURE void fixture_complete(struct fixture *fx, uint32_t outputs)
{
	struct mx_model *model;
	uint32_t bad = 1;

	if (mx_model_open(&model, fx->path, &fx->err))
		fail_msg("%s", fx->err.text);
	assert_int_equal(mx_model_network(model)->output_count, outputs);
	assert_int_equal(mx_model_verify(model, NULL, &bad, &fx->err), 0);
	assert_int_equal(bad, 0);
	mx_model_close(model);
}

/* How many descriptors this process has. */
FIXTURE unsigned fixture_fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* How many names a directory has, . and .. left out. */
FIXTURE unsigned fixture_entry_count(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

FIXTURE unsigned char *fixture_load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes;
	long end;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	end = ftell(f);
	rewind(f);
	bytes = malloc((size_t)end + 1);
	*size = fread(bytes, 1, (size_t)end, f);
	assert_int_equal(*size, end);
	fclose(f);
	return bytes;
}

FIXTURE void fixture_store(const char *path, const void *bytes, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

#endif
