#include "cli/result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "lib/network.h"
#include "tests/scratch_dir.h"

static void the_top_is_sorted_and_stable(void **state)
{
	const float values[] = {1, NAN, 3, 3, -1, 2};
	static const size_t want[] = {2, 3, 5, 0, 4, 1};
	size_t order[8], k, i;

	(void)state;
	for (k = 0; k < 8; k++) {
		assert_int_equal(mx_top(values, 6, k, order), k < 6 ? k : 6);
		for (i = 0; i < k && i < 6; i++)
			assert_int_equal(order[i], want[i]);
	}
	assert_int_equal(mx_top(values, 0, 3, order), 0);
}

static void a_summary_has_extremes_and_mean(void **state)
{
	static const float values[] = {1, -3, 8};
	struct mx_summary summary;

	(void)state;
	mx_summary_init(&summary, values, 3);
	assert_true(summary.min == -3 && summary.max == 8 && summary.mean == 2);
	mx_summary_init(&summary, values, 0);
	assert_true(summary.min == 0 && summary.max == 0 && summary.mean == 0);
}

/* One network of outputs of every kind. */
struct fixture {
	struct mx_network net;
	struct mx_tensor tensors[5];
	uint32_t outputs[5];
	char *labels[3];
};

static void fixture_init(struct fixture *fx)
{
	static const struct mx_shape shapes[] = {
		{4, {1, 3, 1, 1}}, {1, {3}},	   {2, {1, 1}},
		{0, {0}},	   {3, {1, 2, 2}},
	};
	uint32_t i;

	*fx = (struct fixture){.net = {.name = NULL}};
	for (i = 0; i < 5; i++) {
		fx->tensors[i].shape = shapes[i];
		fx->outputs[i] = i;
	}
	fx->net.tensors = fx->tensors;
	fx->net.tensor_count = 5;
	fx->net.outputs = fx->outputs;
	fx->net.output_count = 5;
}

static void a_vector_has_one_long_dimension(void **state)
{
	static const int want[] = {1, 1, 0, 0, 0};
	struct mx_result result;
	struct fixture fx;
	uint32_t i;

	(void)state;
	fixture_init(&fx);
	assert_int_equal(mx_result_init(&result, &fx.net, 1, NULL), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(mx_result_is_vector(&result, i), want[i]);
	mx_result_fini(&result);
}

static void labels_count_only_when_there_are_enough(void **state)
{
	char text[] = "cat";
	struct mx_result result;
	struct fixture fx;

	(void)state;
	fixture_init(&fx);
	fx.labels[0] = fx.labels[1] = fx.labels[2] = text;
	fx.net.labels = fx.labels;
	fx.net.label_count = 3;
	assert_int_equal(mx_result_init(&result, &fx.net, 1, NULL), 0);
	assert_string_equal(mx_result_label(&result, 2, 3), "cat");
	assert_null(mx_result_label(&result, 0, 4));
	mx_result_fini(&result);
}

static void samples_are_joined_along_the_first_axis(void **state)
{
	static const size_t want[][2] = {
		{4, 2}, {1, 6}, {2, 2}, {1, 2}, {3, 2}};
	struct scratch_dir *dir = *state;
	struct mx_result result;
	struct fixture fx;
	char *path;
	size_t count;
	uint32_t i;

	fixture_init(&fx);
	assert_int_equal(mx_result_init(&result, &fx.net, 2, NULL), 0);
	for (i = 0; i < 5; i++) {
		assert_int_equal(result.outputs[i].shape.rank, want[i][0]);
		assert_int_equal(result.outputs[i].shape.dim[0], want[i][1]);
	}
	assert_ptr_equal(mx_result_sample(&result, 0, 1, &count),
			 result.outputs[0].data + 3);
	assert_int_equal(count, 3);
	scratch_dir_path(dir, "a");
	path = mx_file_join(dir->file, "b/c");
	assert_int_equal(mx_result_write(&result, path, "net", NULL), 0);
	free(path);
	assert_true(mx_file_exists(
		scratch_dir_path(dir, "a/b/c/net/output_4.npy")));
	assert_false(mx_file_exists(
		scratch_dir_path(dir, "a/b/c/net/output_5.npy")));
	/* A file stands where a directory should be. */
	scratch_dir_put(dir, "file", "", 0);
	assert_int_equal(mx_result_write(&result, dir->file, "net", NULL),
			 -ENOTDIR);
	mx_result_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_top_is_sorted_and_stable),
		cmocka_unit_test(a_summary_has_extremes_and_mean),
		cmocka_unit_test(a_vector_has_one_long_dimension),
		cmocka_unit_test(labels_count_only_when_there_are_enough),
		cmocka_unit_test(samples_are_joined_along_the_first_axis),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
