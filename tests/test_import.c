#include "loader/import/import.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "loader/mxload.h"
#include "tests/check.h"
#include "tests/temp_files.h"

static const char prototxt[] =
	"name: \"tiny\"\n"
	"input: \"data\"\n"
	"input_shape { dim: 1 dim: 2 dim: 2 dim: 2 }\n"
	"layer { name: \"conv\" type: \"Convolution\" bottom: \"data\"\n"
	"  top: \"conv\"\n"
	"  convolution_param { num_output: 3 kernel_size: 1 } }\n"
	"layer { name: \"relu\" type: \"ReLU\" bottom: \"conv\" top: \"conv\" "
	"}\n"
	"layer { name: \"fc\" type: \"InnerProduct\" bottom: \"conv\"\n"
	"  top: \"fc\" inner_product_param { num_output: 2 } }\n";

/* A folder with net.prototxt and net.caffemodel. */
struct fixture {
	char folder[TEMP_PATH_BYTES];
	char net[TEMP_PATH_BYTES + 32];
	char weights[TEMP_PATH_BYTES + 32];
	char out[TEMP_PATH_BYTES + 32];
};

/* --- a caffemodel, byte by byte ---------------------------------------- */

struct bytes {
	unsigned char data[4096];
	size_t count;
};

static void put(struct bytes *out, const void *data, size_t count)
{
	assert_true(out->count + count <= sizeof(out->data));
	memcpy(out->data + out->count, data, count);
	out->count += count;
}

static void put_varint(struct bytes *out, uint64_t value)
{
	unsigned char byte;

	do {
		byte = (unsigned char)((value & 0x7f) |
				       (value > 0x7f ? 0x80 : 0));
		put(out, &byte, 1);
		value >>= 7;
	} while (value);
}

static void put_field(struct bytes *out, uint32_t field, const void *data,
		      size_t count)
{
	put_varint(out, (uint64_t)field << 3 | 2);
	put_varint(out, count);
	put(out, data, count);
}

/* Weight @i of blob @blob of the layer called @layer. */
static float weight(const char *layer, size_t blob, size_t i)
{
	return (float)layer[0] + (float)blob * 1000 + (float)i;
}

static void put_blob(struct bytes *layer, const char *name, size_t blob,
		     size_t rows, size_t columns)
{
	struct bytes shape = {{0}, 0}, self = {{0}, 0};
	float values[64];
	size_t i;

	put_varint(&shape, 1 << 3);
	put_varint(&shape, rows);
	if (columns) {
		put_varint(&shape, 1 << 3);
		put_varint(&shape, columns);
	}
	for (i = 0; i < 2 && strcmp(name, "conv") == 0 && columns; i++) {
		put_varint(&shape, 1 << 3);
		put_varint(&shape, 1);
	}
	put_field(&self, 7, shape.data, shape.count);
	for (i = 0; i < rows * (columns ? columns : 1); i++)
		values[i] = weight(name, blob, i);
	put_field(&self, 5, values, i * sizeof(float));
	put_field(layer, 7, self.data, self.count);
}

static void put_layer(struct bytes *net, const char *name, const char *type,
		      size_t rows, size_t columns)
{
	struct bytes layer = {{0}, 0};

	put_field(&layer, 1, name, strlen(name));
	put_field(&layer, 2, type, strlen(type));
	put_blob(&layer, name, 0, rows, columns);
	put_blob(&layer, name, 1, rows, 0);
	put_field(net, 100, layer.data, layer.count);
}

static void write_file(const char *path, const void *data, size_t count)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct bytes net = {{0}, 0};

	assert_non_null(fx);
	temp_directory(fx->folder);
	snprintf(fx->net, sizeof(fx->net), "%s/net.prototxt", fx->folder);
	snprintf(fx->weights, sizeof(fx->weights), "%s/net.caffemodel",
		 fx->folder);
	snprintf(fx->out, sizeof(fx->out), "%s/net.mx", fx->folder);
	put_field(&net, 1, "tiny", 4);
	put_layer(&net, "conv", "Convolution", 3, 2);
	put_layer(&net, "fc", "InnerProduct", 2, 12);
	write_file(fx->net, prototxt, sizeof(prototxt) - 1);
	write_file(fx->weights, net.data, net.count);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	temp_remove(fx->folder);
	free(fx);
	return 0;
}

static struct mx_import_opts opts_of(const struct fixture *fx)
{
	const struct mx_import_opts opts = {
		.source = fx->net,
		.weights = fx->weights,
		.output = fx->out,
	};

	return opts;
}

static void expect_refused(const struct mx_import_opts *opts, int rc,
			   const char *text)
{
	struct mx_err err = {""};

	assert_int_equal(mx_import(opts, &err), rc);
	assert_non_null(strstr(err.text, text));
	assert_int_equal(access(opts->output, F_OK), -1);
}

static void expect_done(const struct mx_import_opts *opts)
{
	struct mx_err err = {""};

	if (mx_import(opts, &err))
		fail_msg("%s", err.text);
}

/* The fully connected layer's row 1, as the device reads it. */
static void expect_weights(const struct mx_network *net)
{
	const struct mx_layer *fc = &net->layers[1];
	const float *at =
		(const float *)(const void *)(net->weights_base +
					      fc->weight_offset_bytes);
	size_t i;

	assert_int_equal(fc->weights.rows, 2);
	assert_int_equal(fc->weights.row_elems, 12);
	/* [pixel][channel] of [channel][pixel] */
	for (i = 0; i < 12; i++)
		assert_true(at[12 + i] ==
			    weight("fc", 0, 12 + i % 3 * 4 + i / 3));
	assert_true(at[24] == weight("fc", 1, 0));
	assert_true(at[25] == weight("fc", 1, 1));
}

static void a_caffe_network_becomes_a_model(void **state)
{
	static char cat[] = "cat";
	static char *const labels[] = {cat};
	const struct fixture *fx = *state;
	struct mx_import_opts opts = opts_of(fx);
	const struct mx_network *net;
	struct mx_model *model = NULL;
	struct mx_err err = {""};

	opts.labels = labels;
	opts.label_count = 1;
	expect_done(&opts);
	assert_int_equal(mx_model_open(&model, fx->out, &err), 0);
	net = mx_model_network(model);
	assert_string_equal(net->source, "caffe");
	assert_int_equal(net->layer_count, 2);
	assert_string_equal(net->layers[0].op_name, "Convolution");
	assert_string_equal(net->layers[1].op_name, "Dense");
	assert_true(net->source_hash != 0);
	expect_weights(net);
	mx_model_close(model);
}

static void the_two_files_may_be_swapped(void **state)
{
	const struct fixture *fx = *state;
	struct mx_import_opts opts = opts_of(fx);
	struct mx_model *model = NULL;
	struct mx_err err = {""};

	opts.source = fx->weights;
	opts.weights = fx->net;
	expect_done(&opts);
	assert_int_equal(mx_model_open(&model, fx->out, &err), 0);
	expect_weights(mx_model_network(model));
	mx_model_close(model);
}

static void random_weights_need_no_caffemodel_and_repeat(void **state)
{
	const struct fixture *fx = *state;
	struct mx_import_opts opts = opts_of(fx);
	struct mx_err err = {""};
	uint64_t hash[3];
	uint32_t i;

	opts.weights = NULL;
	opts.random_weights = 1;
	opts.force = 1;
	for (i = 0; i < 3; i++) {
		struct mx_model *model = NULL;

		opts.seed = i / 2;
		expect_done(&opts);
		assert_int_equal(mx_model_open(&model, fx->out, &err), 0);
		hash[i] = mx_model_network(model)->slices[0].hash;
		mx_model_close(model);
	}
	assert_true(hash[0] == hash[1]);
	assert_true(hash[0] != hash[2]);
}

static void wrong_combinations_are_refused(void **state)
{
	const struct fixture *fx = *state;
	struct mx_import_opts opts = opts_of(fx);

	opts.weights = NULL;
	expect_refused(&opts, -EINVAL, "caffemodel is missing");
	opts.source = fx->weights;
	expect_refused(&opts, -EINVAL, "name its deploy prototxt too");
	opts.source = fx->net;
	opts.weights = fx->net;
	expect_refused(&opts, -EBADMSG, "is no caffemodel");
	opts.weights = "/tmp/mx/none";
	expect_refused(&opts, -ENOENT, "/tmp/mx/none");
	/* An ONNX model, which has its weights in it. */
	write_file(fx->weights, "\x08\x08", 2);
	opts.source = fx->weights;
	opts.weights = fx->weights;
	expect_refused(&opts, -EINVAL, "is an ONNX model");
	opts.weights = NULL;
	write_file(fx->weights, "\x01\x02", 2);
	expect_refused(&opts, -EBADMSG, "is neither a prototxt nor ONNX");
}

static void an_existing_directory_stays_without_force(void **state)
{
	const struct fixture *fx = *state;
	struct mx_import_opts opts = opts_of(fx);
	struct mx_err err = {""};

	expect_done(&opts);
	assert_int_equal(mx_import(&opts, &err), -EEXIST);
	opts.force = 1;
	expect_done(&opts);
}

static int stop(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
	(void)done_bytes;
	(void)total_bytes;
	++*(int *)user;
	return 1;
}

static void a_stopped_import_leaves_nothing(void **state)
{
	const struct fixture *fx = *state;
	struct mx_import_opts opts = opts_of(fx);
	struct mx_err err = {""};
	int calls = 0;

	opts.progress = stop;
	opts.progress_user = &calls;
	assert_int_equal(mx_import(&opts, &err), -ECANCELED);
	assert_true(calls > 0);
	assert_int_equal(access(fx->out, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_caffe_network_becomes_a_model,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_two_files_may_be_swapped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			random_weights_need_no_caffemodel_and_repeat, setup,
			teardown),
		cmocka_unit_test_setup_teardown(wrong_combinations_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_existing_directory_stays_without_force, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_stopped_import_leaves_nothing,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
