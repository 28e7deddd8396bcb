/*
 * OpenCV's tests of Caffe layers and of ONNX operators, imported and run,
 * where that collection is there. Every network of it is in a table of
 * tests/opencv_networks.h: with those that give the stored result, or with
 * those that cannot, and why; that the reason still holds is tested too.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/array.h"
#include "cli/npy.h"
#include "lib/err.h"
#include "lib/network.h"
#include "loader/import/import.h"
#include "loader/mxload.h"
#include "sched/memexec.h"
#include "tests/check.h"
#include "tests/opencv_networks.h"
#include "tests/scratch_dir.h"

/* Single precision against OpenCV's, over up to 50850 elements. */
#define TOLERANCE 2e-5

struct fixture {
	struct scratch_dir *scratch;
	char caffe[512]; /* folders of the collection */
	char onnx[512];
	struct mx_array input[INPUTS_MAX];
	float *output; /* of the last run() */
	struct mx_shape output_shape;
};

static int setup(void **state)
{
	const char *shared = getenv("MEMEXEC_SHARED");
	struct fixture *fx = calloc(1, sizeof(*fx));
	void *scratch;

	if (!fx || scratch_dir_setup(&scratch) != 0)
		return -1;
	fx->scratch = scratch;
	(void)snprintf(fx->caffe, sizeof(fx->caffe),
		       "%s/models/opencv_layers/testdata/dnn/layers",
		       shared ? shared : "../shared");
	(void)snprintf(fx->onnx, sizeof(fx->onnx),
		       "%s/models/opencv_layers/testdata/dnn/onnx",
		       shared ? shared : "../shared");
	*state = fx;
	return 0;
}

static void forget(struct fixture *fx)
{
	size_t i;

	for (i = 0; i < INPUTS_MAX; i++)
		mx_array_fini(&fx->input[i]);
	free(fx->output);
	fx->output = NULL;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;
	void *scratch = fx->scratch;

	forget(fx);
	free(fx);
	return scratch_dir_teardown(&scratch);
}

static void skip_without(const char *folder)
{
	if (access(folder, R_OK) != 0) {
		print_message("no folder %s\n", folder);
		skip();
	}
}

static void load_npy(const char *path, struct mx_array *out)
{
	struct mx_err err;
	unsigned char *data;
	size_t size;
	FILE *file;
	long end;

	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	end = ftell(file);
	assert_true(end > 0);
	size = (size_t)end;
	rewind(file);
	data = malloc(size);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, size, file), size);
	fclose(file);
	if (mx_npy_decode(data, size, path, out, &err))
		fail_msg("%s", err.text);
	free(data);
}

static int import(struct fixture *fx, struct mx_import_opts *opts,
		  struct mx_err *err)
{
	opts->output = scratch_dir_path(fx->scratch, "model");
	opts->keep_batch = 1;
	opts->force = 1;
	return mx_import(opts, err);
}

/* Import @opts' source and run it on the inputs; its only output is kept. */
static void run(struct fixture *fx, struct mx_import_opts *opts)
{
	const struct mx_engine_opts engine_opts = {.threads = 1,
						   .given_inputs = 1};
	const float *data[INPUTS_MAX];
	struct mx_model *model = NULL;
	struct mx_engine *engine = NULL;
	struct mx_job *job = NULL;
	const struct mx_network *net;
	struct mx_err err;
	uint32_t index, i;

	if (import(fx, opts, &err) ||
	    mx_model_open(&model, opts->output, &err) ||
	    mx_network_bind(mx_model_network(model), &err) ||
	    mx_engine_open(&engine, &engine_opts, &err))
		fail_msg("%s: %s", opts->source, err.text);
	net = mx_model_network(model);
	assert_int_equal(net->output_count, 1);
	fx->output_shape = net->tensors[net->outputs[0]].shape;
	fx->output = malloc(mx_shape_elems(&fx->output_shape) * sizeof(float));
	assert_non_null(fx->output);
	assert_true(net->input_count <= INPUTS_MAX);
	for (i = 0; i < net->input_count; i++) {
		const struct mx_shape *shape =
			&net->tensors[net->inputs[i].tensor].shape;

		assert_non_null(fx->input[i].data);
		assert_int_equal(mx_shape_elems(shape),
				 mx_shape_elems(&fx->input[i].shape));
		data[i] = fx->input[i].data;
	}
	if (mx_engine_add(engine, net, &index, &err) ||
	    mx_engine_submit(engine, index, data, &job, &err) ||
	    mx_job_wait(job, NULL, &err))
		fail_msg("%s: %s", opts->source, err.text);
	mx_job_output(job, 0, fx->output);
	mx_job_free(job);
	mx_engine_close(engine);
	mx_model_close(model);
}

static void expect_values(const char *name, const float *got, const float *want,
			  size_t count)
{
	struct mx_array_difference difference;

	mx_array_compare(got, want, count, TOLERANCE, TOLERANCE, &difference);
	if (difference.bad_count)
		fail_msg("%s: %zu of %zu differ, element %zu is %g, not %g",
			 name, difference.bad_count, count,
			 difference.worst_index, (double)difference.got,
			 (double)difference.want);
}

static void expect_file(struct fixture *fx, const char *name, const char *path)
{
	const size_t count = mx_shape_elems(&fx->output_shape);
	struct mx_array want = {0};

	load_npy(path, &want);
	if (mx_shape_elems(&want.shape) != count)
		fail_msg("%s: %zu elements, not %zu", name, count,
			 mx_shape_elems(&want.shape));
	expect_values(name, fx->output, want.data, count);
	mx_array_fini(&want);
}

static void check_caffe(struct fixture *fx, const struct network_case *c)
{
	char net[1024], path[1024];
	struct mx_import_opts opts = {.source = net, .random_weights = 1};

	(void)snprintf(net, sizeof(net), "%s/%s.prototxt", fx->caffe, c->name);
	(void)snprintf(path, sizeof(path), "%s/%s.npy", fx->caffe,
		       c->input == INPUT_BLOB ? "blob" : c->name);
	if (c->input == INPUT_OWN)
		(void)snprintf(path, sizeof(path), "%s/%s.input.npy", fx->caffe,
			       c->name);
	load_npy(path, &fx->input[0]);
	run(fx, &opts);
	(void)snprintf(path, sizeof(path), "%s/%s.npy", fx->caffe, c->name);
	expect_file(fx, c->name, path);
	forget(fx);
}

static void run_onnx(struct fixture *fx, const struct network_case *c)
{
	char net[1024], path[1024];
	struct mx_import_opts opts = {.source = net};
	int i;

	(void)snprintf(net, sizeof(net), "%s/models/%s.onnx", fx->onnx,
		       c->name);
	if (c->input == INPUT_OWN) {
		(void)snprintf(path, sizeof(path), "%s/data/input_%s.npy",
			       fx->onnx, c->name);
		load_npy(path, &fx->input[0]);
	}
	for (i = 0; i < 2 && c->input == INPUT_TWO; i++) {
		(void)snprintf(path, sizeof(path), "%s/data/input_%s_%d.npy",
			       fx->onnx, c->name, i);
		load_npy(path, &fx->input[i]);
	}
	run(fx, &opts);
}

static void check_onnx(struct fixture *fx, const struct network_case *c)
{
	char path[1024];

	run_onnx(fx, c);
	(void)snprintf(path, sizeof(path), "%s/data/output_%s.npy", fx->onnx,
		       c->name);
	expect_file(fx, c->name, path);
	forget(fx);
}

static void caffe_layers_give_opencv_s_results(void **state)
{
	struct fixture *fx = *state;
	size_t i;

	skip_without(fx->caffe);
	for (i = 0; i < COUNT(caffe_cases); i++)
		check_caffe(fx, &caffe_cases[i]);
}

static void onnx_operators_give_opencv_s_results(void **state)
{
	struct fixture *fx = *state;
	size_t i;

	skip_without(fx->onnx);
	for (i = 0; i < COUNT(onnx_cases); i++)
		check_onnx(fx, &onnx_cases[i]);
}

/* Deterministic, none like another. */
static void make_input(struct mx_array *array, const struct mx_shape *shape,
		       float first)
{
	const size_t count = mx_shape_elems(shape);
	size_t i;

	array->shape = *shape;
	array->data = malloc(count * sizeof(float));
	assert_non_null(array->data);
	for (i = 0; i < count; i++)
		array->data[i] = first + (float)i / 64;
}

static void inputs_old_and_new_style_are_fed_by_order(void **state)
{
	static const struct mx_shape two = {.rank = 4, .dim = {1, 2, 10, 11}};
	static const struct mx_shape one = {.rank = 4, .dim = {1, 1, 10, 11}};
	const size_t pixels = 110;
	struct fixture *fx = *state;
	char net[1024];
	struct mx_import_opts opts = {.source = net, .random_weights = 1};
	float want[330];
	size_t i;

	skip_without(fx->caffe);
	(void)snprintf(net, sizeof(net), "%s/net_input.prototxt", fx->caffe);
	make_input(&fx->input[0], &two, 0);
	make_input(&fx->input[1], &one, 100);
	make_input(&fx->input[2], &one, -50);
	make_input(&fx->input[3], &two, 1000);
	run(fx, &opts);
	/* Inputs 0 and 2 joined, plus inputs 3 and 1 joined. */
	for (i = 0; i < 2 * pixels; i++)
		want[i] = fx->input[0].data[i] + fx->input[3].data[i];
	for (i = 0; i < pixels; i++)
		want[2 * pixels + i] =
			fx->input[2].data[i] + fx->input[1].data[i];
	assert_int_equal(mx_shape_elems(&fx->output_shape), 3 * pixels);
	expect_values("net_input", fx->output, want, 3 * pixels);
}

static void slices_joined_again_are_the_input(void **state)
{
	static const struct mx_import_shape shape = {
		.shape = {.rank = 2, .dim = {6, 12}},
	};
	static const char *const output = "output";
	struct fixture *fx = *state;
	char net[1024];
	struct mx_import_opts opts = {
		.source = net,
		.shapes = &shape,
		.shape_count = 1,
		.outputs = &output,
		.output_count = 1,
		.random_weights = 1,
	};

	skip_without(fx->caffe);
	(void)snprintf(net, sizeof(net),
		       "%s/reshape_and_slice_routines.prototxt", fx->caffe);
	make_input(&fx->input[0], &shape.shape, 1);
	run(fx, &opts);
	assert_int_equal(fx->output_shape.rank, 2);
	assert_int_equal(fx->output_shape.dim[0], 6);
	assert_int_equal(fx->output_shape.dim[1], 12);
	expect_values("reshape_and_slice_routines", fx->output,
		      fx->input[0].data, 72);
}

static int is_there(const char *folder, const char *name, const char *suffix)
{
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	return access(path, F_OK) == 0;
}

/* 1 if the network of @fx's folder cannot be imported without weights. */
static int takes_weights(struct fixture *fx, const char *name)
{
	char net[1024];
	struct mx_import_opts opts = {.source = net};
	struct mx_err err;

	(void)snprintf(net, sizeof(net), "%s/%s.prototxt", fx->caffe, name);
	return import(fx, &opts, &err) != 0;
}

static void layers_left_out_lack_weights_or_a_result(void **state)
{
	struct fixture *fx = *state;
	const char *name;
	size_t i;

	skip_without(fx->caffe);
	for (i = 0; i < COUNT(caffe_without_weights); i++) {
		name = caffe_without_weights[i];
		if (is_there(fx->caffe, name, ".caffemodel") ||
		    !takes_weights(fx, name))
			fail_msg("%s can run now: test it", name);
	}
	for (i = 0; i < COUNT(caffe_without_result); i++) {
		name = caffe_without_result[i];
		if (is_there(fx->caffe, name, ".npy"))
			fail_msg("%s has a result now: test it", name);
	}
}

static void layers_left_out_are_reported_as_unsupported(void **state)
{
	struct fixture *fx = *state;
	size_t i;

	skip_without(fx->caffe);
	for (i = 0; i < COUNT(caffe_unsupported); i++) {
		const struct unsupported_case *c = &caffe_unsupported[i];
		struct mx_import_shape shapes[INPUTS_MAX];
		char net[1024];
		struct mx_import_opts opts = {
			.source = net,
			.shapes = shapes,
			.random_weights = 1,
		};
		struct mx_err err;
		size_t k;

		for (k = 0; k < INPUTS_MAX && c->inputs[k]; k++)
			shapes[k] = (struct mx_import_shape){
				.name = c->inputs[k],
				.shape = {.rank = 4, .dim = {1, 18, 6, 6}},
			};
		opts.shape_count = k;
		(void)snprintf(net, sizeof(net), "%s/%s.prototxt", fx->caffe,
			       c->name);
		if (import(fx, &opts, &err) != -ENOTSUP ||
		    !strstr(err.text, c->operator_name))
			fail_msg("%s: not refused for %s", c->name,
				 c->operator_name);
	}
}

/* Elements of the picture in a window of 3 with padding 1 and stride 2. */
static size_t inside(size_t out_index, size_t size)
{
	const size_t first = out_index * 2;

	return (first > 0 ? 2u : 1u) + (first + 1 < size ? 1u : 0u);
}

static void average_pooling_differs_by_the_padding_alone(void **state)
{
	const struct network_case c = {onnx_other_result[0], INPUT_OWN};
	struct fixture *fx = *state;
	char path[1024];
	size_t i, differing = 0;

	skip_without(fx->onnx);
	run_onnx(fx, &c);
	assert_int_equal(mx_shape_elems(&fx->output_shape), 3 * 4 * 3);
	for (i = 0; i < 3 * 4 * 3; i++) {
		const size_t count = inside(i / 3 % 4, 7) * inside(i % 3, 5);

		fx->output[i] *= (float)count / 9;
		differing += count != 9;
	}
	assert_int_equal(differing, 3 * (4 * 3 - 2));
	(void)snprintf(path, sizeof(path), "%s/data/output_%s.npy", fx->onnx,
		       c.name);
	expect_file(fx, c.name, path);
}

static int is_listed(const char *name, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return 1;
	return 0;
}

static int is_case(const char *name, const struct network_case *cases,
		   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(cases[i].name, name))
			return 1;
	return 0;
}

static int is_known(const char *name, int is_onnx)
{
	size_t i;

	if (is_onnx)
		return is_case(name, onnx_cases, COUNT(onnx_cases)) ||
		       is_listed(name, onnx_other_result,
				 COUNT(onnx_other_result));
	for (i = 0; i < COUNT(caffe_unsupported); i++)
		if (!strcmp(caffe_unsupported[i].name, name))
			return 1;
	return is_case(name, caffe_cases, COUNT(caffe_cases)) ||
	       is_listed(name, caffe_without_weights,
			 COUNT(caffe_without_weights)) ||
	       is_listed(name, caffe_without_result,
			 COUNT(caffe_without_result));
}

/* Networks called NAME@suffix in @folder; each must be in a table. */
static size_t count_networks(const char *folder, const char *suffix,
			     int is_onnx)
{
	const struct dirent *entry;
	size_t count = 0;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const size_t length = strlen(entry->d_name);
		char name[256];

		if (length <= strlen(suffix) ||
		    strcmp(entry->d_name + length - strlen(suffix), suffix))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s",
			       (int)(length - strlen(suffix)), entry->d_name);
		if (!is_known(name, is_onnx))
			fail_msg("%s/%s is in no table", folder, name);
		count++;
	}
	closedir(dir);
	return count;
}

static void every_network_of_the_collection_is_in_a_table(void **state)
{
	struct fixture *fx = *state;
	char models[1024];

	skip_without(fx->caffe);
	assert_int_equal(count_networks(fx->caffe, ".prototxt", 0),
			 COUNT(caffe_cases) + COUNT(caffe_without_weights) +
				 COUNT(caffe_without_result) +
				 COUNT(caffe_unsupported));
	(void)snprintf(models, sizeof(models), "%s/models", fx->onnx);
	assert_int_equal(count_networks(models, ".onnx", 1),
			 COUNT(onnx_cases) + COUNT(onnx_other_result));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(caffe_layers_give_opencv_s_results),
		TEST(onnx_operators_give_opencv_s_results),
		TEST(inputs_old_and_new_style_are_fed_by_order),
		TEST(slices_joined_again_are_the_input),
		TEST(layers_left_out_lack_weights_or_a_result),
		TEST(layers_left_out_are_reported_as_unsupported),
		TEST(average_pooling_differs_by_the_padding_alone),
		TEST(every_network_of_the_collection_is_in_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
