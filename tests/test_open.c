#include "cli/open.h"

#include <errno.h>

#include "cli/command.h"
#include "loader/mxload.h"
#include "loader/write.h"
#include "tests/scratch_dir.h"
#include "tests/tiny_network.h"

static int zeros(void *user, uint32_t layer, uint64_t block, void *out,
		 struct mx_err *err)
{
	const struct mx_network *net = user;

	(void)err;
	memset(out, 0,
	       mx_weight_block_bytes(&net->layers[layer].weights, block));
	return 0;
}

/* The tiny network as a model directory, its first layer's weights in blocks
 * of @block_rows rows. */
static const char *write_tiny(struct scratch_dir *dir, uint32_t block_rows)
{
	const char *path = scratch_dir_path(dir, "tiny.mx");
	struct mx_write_opts opts = {.path = path, .read_block = zeros};
	struct mx_err err = {""};
	struct tiny tiny;

	tiny_open(&tiny);
	tiny.net.source = strdup("caffe");
	tiny.net.inputs[0].preprocess = (struct mx_preprocess){
		.std = {1, 1, 1, 1},
		.scale = 1,
	};
	tiny.net.layers[0].weights.block_rows = block_rows;
	opts.read_user = &tiny.net;
	if (mx_model_write(&tiny.net, &opts, &err))
		fail_msg("%s", err.text);
	tiny_close(&tiny);
	return path;
}

static void what_this_program_wrote_is_bound(void **state)
{
	struct mx_model *model;
	struct mx_err err = {""};

	if (mx_open_bound(&model, write_tiny(*state, 256), &err))
		fail_msg("%s", err.text);
	assert_non_null(mx_model_network(model)->layers[0].op);
	mx_model_close(model);
}

static void what_another_version_cut_is_to_be_imported_again(void **state)
{
	const char *path = write_tiny(*state, 128);
	struct mx_model *model = NULL;
	struct mx_err err;
	char want[512];
	int rc;

	rc = mx_open_bound(&model, path, &err);
	assert_int_equal(mx_cli_exit_status(rc), MX_EXIT_MODEL);
	assert_null(model);
	(void)snprintf(want, sizeof(want),
		       "%s: fc1: weights of 1000 x 1024 + 1 by 128/1, Dense "
		       "needs 1000 x 1024 + 1 by 256/1: import it again",
		       path);
	assert_string_equal(err.text, want);
}

static void what_is_no_model_is_not(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_model *model = NULL;
	struct mx_err err;
	const char *path;
	char want[512];

	assert_int_equal(mx_open_bound(&model, dir->path, &err), -EBADMSG);
	assert_null(model);
	(void)snprintf(want, sizeof(want),
		       "%s: no model directory: it has no model.pb", dir->path);
	assert_string_equal(err.text, want);
	path = scratch_dir_put(dir, "net.onnx", "", 0);
	assert_int_equal(mx_open_bound(&model, path, &err), -EBADMSG);
	(void)snprintf(want, sizeof(want),
		       "%s: no model directory: import makes one", path);
	assert_string_equal(err.text, want);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, scratch_dir_setup,               \
					scratch_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_this_program_wrote_is_bound),
		TEST(what_another_version_cut_is_to_be_imported_again),
		TEST(what_is_no_model_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
