/*
 * OpenCV's tests of Caffe layers, imported and run, where that folder is
 * there. The ones that need a caffemodel cannot run (the collection has none
 * of them): batch_norm, convolution, deconvolution, inner_product, prelu,
 * prelu_fc, concat_optim, concat_shared_input. Proposal and ROI pooling are
 * no layers of ours.
 */
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

/* Single precision against OpenCV's, over up to 50850 elements. */
#define TOLERANCE 2e-5

struct layer_case {
	const char *name;
	int own_input; /* NAME.input.npy, else blob.npy */
};

static const struct layer_case cases[] = {
	{"layer_batch_norm_local_stats", 1},
	{"layer_concat", 0},
	{"layer_dropout", 0},
	{"layer_eltwise", 0},
	{"layer_interp", 1},
	{"layer_lrn_channels", 0},
	{"layer_lrn_spatial", 0},
	{"layer_mvn", 0},
	{"layer_pooling_ave", 0},
	{"layer_pooling_max", 0},
	{"layer_relu", 0},
	{"layer_softmax", 0},
};

static void folder(char *path, size_t size)
{
	const char *shared = getenv("MEMEXEC_SHARED");

	(void)snprintf(path, size,
		       "%s/models/opencv_layers/testdata/dnn/layers",
		       shared ? shared : "../shared");
}

static void load_npy(const char *dir, const char *name, struct mx_array *out)
{
	char path[1024];
	struct mx_err err;
	unsigned char *data;
	size_t size;
	FILE *file;
	long end;

	(void)snprintf(path, sizeof(path), "%s/%s.npy", dir, name);
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

static void remove_model(const char *path)
{
	static const char *const files[] = {"model.pb", "weights.bin"};
	char file[512];
	size_t i;

	for (i = 0; i < 2; i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		(void)unlink(file);
	}
	(void)rmdir(path);
}

/* Run the model at @path on @input; its only output into @out. */
static void run_model(const char *path, const float *input, float *out,
		      size_t count)
{
	const struct mx_engine_opts opts = {.threads = 1, .given_inputs = 1};
	struct mx_model *model = NULL;
	struct mx_engine *engine = NULL;
	struct mx_job *job = NULL;
	const struct mx_network *net;
	struct mx_err err;
	uint32_t index;

	if (mx_model_open(&model, path, &err) ||
	    mx_network_bind(mx_model_network(model), &err) ||
	    mx_engine_open(&engine, &opts, &err))
		fail_msg("%s", err.text);
	net = mx_model_network(model);
	assert_int_equal(net->output_count, 1);
	assert_int_equal(mx_shape_elems(&net->tensors[net->outputs[0]].shape),
			 count);
	if (mx_engine_add(engine, net, &index, &err) ||
	    mx_engine_submit(engine, index, &input, &job, &err) ||
	    mx_job_wait(job, NULL, &err))
		fail_msg("%s", err.text);
	mx_job_output(job, 0, out);
	mx_job_free(job);
	mx_engine_close(engine);
	mx_model_close(model);
}

static void check_case(const char *dir, const struct layer_case *c)
{
	char net[1024], input_name[128], target[] = "/tmp/mx_opencv_XXXXXX";
	struct mx_import_opts opts = {
		.source = net,
		.output = target,
		.keep_batch = 1,
		.random_weights = 1,
		.force = 1,
	};
	struct mx_array input = {0}, want = {0};
	struct mx_err err;
	float *got;
	size_t count, i;

	(void)snprintf(net, sizeof(net), "%s/%s.prototxt", dir, c->name);
	(void)snprintf(input_name, sizeof(input_name), "%s.input", c->name);
	load_npy(dir, c->own_input ? input_name : "blob", &input);
	load_npy(dir, c->name, &want);
	assert_non_null(mkdtemp(target));
	assert_int_equal(rmdir(target), 0);
	if (mx_import(&opts, &err))
		fail_msg("%s: %s", c->name, err.text);
	count = mx_shape_elems(&want.shape);
	got = malloc(count * sizeof(*got));
	assert_non_null(got);
	run_model(target, input.data, got, count);
	remove_model(target);
	for (i = 0; i < count; i++)
		if (!(fabs((double)got[i] - (double)want.data[i]) <=
		      TOLERANCE * (1 + fabs((double)want.data[i]))))
			fail_msg("%s: element %zu is %g, not %g", c->name, i,
				 (double)got[i], (double)want.data[i]);
	free(got);
	mx_array_fini(&input);
	mx_array_fini(&want);
}

static void layers_give_opencv_s_results(void **state)
{
	char dir[512];
	size_t i;

	(void)state;
	folder(dir, sizeof(dir));
	if (access(dir, R_OK) != 0) {
		print_message("no folder %s\n", dir);
		skip();
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(dir, &cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_give_opencv_s_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
