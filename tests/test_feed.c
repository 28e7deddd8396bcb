#include "cli/feed.h"

#include <errno.h>

#include "cli/npy.h"
#include "lib/err.h"
#include "lib/network.h"
#include "tests/scratch_dir.h"

/* A network of two inputs, 1x3x1x2 and 4. */
struct fixture {
	struct mx_network net;
	struct mx_tensor tensors[2];
	struct mx_input inputs[2];
	char names[2][8];
};

static void fixture_init(struct fixture *fx)
{
	uint32_t i;

	*fx = (struct fixture){.names = {"pixels", "more"}};
	fx->tensors[0].shape = (struct mx_shape){4, {1, 3, 1, 2}};
	fx->tensors[1].shape = (struct mx_shape){1, {4}};
	for (i = 0; i < 2; i++) {
		fx->tensors[i].name = fx->names[i];
		fx->inputs[i].tensor = i;
		fx->inputs[i].preprocess = (struct mx_preprocess){
			.channels = MX_CHANNELS_RGB,
			.std = {1, 1, 1, 1},
			.scale = 1,
		};
	}
	fx->net.name = fx->names[1];
	fx->net.tensors = fx->tensors;
	fx->net.inputs = fx->inputs;
	fx->net.input_count = 2;
}

static struct mx_array array_of(const struct mx_shape *shape)
{
	struct mx_array array = {.shape = *shape};
	size_t i, count = mx_shape_elems(shape);

	array.data = calloc(count + 1, sizeof(*array.data));
	assert_non_null(array.data);
	for (i = 0; i < count; i++)
		array.data[i] = (float)i;
	return array;
}

static void shapes_fit_but_for_leading_ones_and_samples(void **state)
{
	static const struct {
		struct mx_shape shape;
		size_t samples; /* 0: refused */
	} cases[] = {
		{{4, {1, 3, 1, 2}}, 1}, {{4, {5, 3, 1, 2}}, 5},
		{{3, {3, 1, 2}}, 1},	{{5, {1, 1, 3, 1, 2}}, 1},
		{{4, {0, 3, 1, 2}}, 0}, {{4, {1, 3, 2, 1}}, 0},
		{{3, {6, 1, 2}}, 0},	{{1, {6}}, 0},
		{{2, {2, 3}}, 0},	{{0, {0}}, 0},
	};
	struct mx_array array;
	struct mx_feed feed;
	struct fixture fx;
	size_t i;
	int rc;

	(void)state;
	fixture_init(&fx);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(mx_feed_init(&feed, &fx.net, NULL), 0);
		array = array_of(&cases[i].shape);
		rc = mx_feed_set(&feed, 0, &array, "x", NULL);
		assert_int_equal(rc, cases[i].samples ? 0 : -EINVAL);
		assert_null(array.data);
		if (!rc)
			assert_int_equal(feed.sample_count, cases[i].samples);
		mx_feed_fini(&feed);
	}
}

static void all_inputs_have_as_many_samples(void **state)
{
	static const struct mx_shape two = {4, {2, 3, 1, 2}}, eight = {1, {8}},
				     four = {1, {4}};
	const float *values[2];
	struct mx_array array;
	struct mx_feed feed;
	struct fixture fx;
	struct mx_err err;

	(void)state;
	fixture_init(&fx);
	assert_int_equal(mx_feed_init(&feed, &fx.net, NULL), 0);
	mx_feed_sample(&feed, 0, values);
	assert_null(values[0]);
	assert_null(values[1]);
	array = array_of(&two);
	assert_int_equal(mx_feed_set(&feed, 0, &array, "x", NULL), 0);
	array = array_of(&four);
	assert_int_equal(mx_feed_set(&feed, 1, &array, "y", &err), -EINVAL);
	assert_string_equal(err.text,
			    "y: 1 samples, but 2 for the other inputs");
	array = array_of(&eight);
	assert_int_equal(mx_feed_set(&feed, 1, &array, "y", NULL), 0);
	mx_feed_sample(&feed, 1, values);
	assert_true(values[0][0] == 6 && values[1][0] == 4);
	mx_feed_fini(&feed);
}

static void a_spec_names_a_file_for_each_input(void **state)
{
	static const struct mx_shape four = {1, {4}};
	static const float numbers[] = {1, 2, 3, 4};
	static const float left[] = {1, 1, 2, 2, 3, 3};
	struct scratch_dir *dir = *state;
	const float *values[2];
	struct mx_feed feed;
	struct mx_err err;
	struct fixture fx;
	char spec[300];

	fixture_init(&fx);
	scratch_dir_put(dir, "p.ppm", "P6 2 1 255\n\1\2\3\4\5\6", 17);
	assert_int_equal(mx_npy_write(scratch_dir_path(dir, "a.npy"), &four,
				      numbers, NULL),
			 0);
	assert_int_equal(mx_feed_init(&feed, &fx.net, NULL), 0);
	(void)snprintf(spec, sizeof(spec), "%s/p.ppm[1x1+0+0],%s/a.npy",
		       dir->path, dir->path);
	assert_int_equal(mx_feed_parse(&feed, spec, NULL), 0);
	mx_feed_sample(&feed, 0, values);
	assert_memory_equal(values[0], left, sizeof(left));
	assert_memory_equal(values[1], numbers, sizeof(numbers));
	/* An empty name stands for the pattern. */
	mx_feed_fini(&feed);
	assert_int_equal(mx_feed_init(&feed, &fx.net, NULL), 0);
	(void)snprintf(spec, sizeof(spec), ",%s/a.npy", dir->path);
	assert_int_equal(mx_feed_parse(&feed, spec, NULL), 0);
	mx_feed_sample(&feed, 0, values);
	assert_null(values[0]);
	assert_non_null(values[1]);
	(void)snprintf(spec, sizeof(spec), ",%s/a.npy[1x1+0+0]", dir->path);
	assert_int_equal(mx_feed_parse(&feed, spec, NULL), -EINVAL);
	assert_int_equal(mx_feed_parse(&feed, ",,", &err), -EINVAL);
	assert_string_equal(err.text,
			    ",,: more files than the 2 inputs of more");
	mx_feed_fini(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_fit_but_for_leading_ones_and_samples),
		cmocka_unit_test(all_inputs_have_as_many_samples),
		cmocka_unit_test(a_spec_names_a_file_for_each_input),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
