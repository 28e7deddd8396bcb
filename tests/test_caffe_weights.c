/*
 * Weights, from a caffemodel and random ones, as the device wants them.
 */
#include <math.h>

#include "tests/caffe_fixture.h"

/* The weights of the last node. */
static const struct mx_weights *last_weights(const struct import *import)
{
	return &import->graph->nodes[import->graph->node_count - 1].weights;
}

static void expect_rows(const struct import *import, const float *want,
			size_t count)
{
	const struct mx_const *rows = &last_weights(import)->rows;
	float got[256];
	size_t i;

	assert_true(last_weights(import)->has_rows);
	assert_int_equal(mx_shape_elems(&rows->shape), count);
	mx_const_read_f32(rows, 0, count, got);
	for (i = 0; i < count; i++)
		if (got[i] != want[i])
			fail_msg("element %zu: %g, not %g", i, (double)got[i],
				 (double)want[i]);
}

static void expect_vector(const struct import *import, uint32_t index,
			  const double *want, size_t count)
{
	const double *got = last_weights(import)->vector[index];
	size_t i;

	assert_non_null(got);
	for (i = 0; i < count; i++)
		if (fabs(got[i] - want[i]) > 1e-12)
			fail_msg("value %zu: %g, not %g", i, got[i], want[i]);
}

/* Import layer y of @net with blobs of these shapes, counting from 0 each. */
static void import_with(struct import *import, const char *net,
			const int64_t (*dims)[5], size_t count)
{
	static struct wire blobs[3], model;
	const struct mx_import_opts opts = {0};
	size_t i;

	model.size = 0;
	for (i = 0; i < count; i++)
		make_blob(&blobs[i], (uint32_t)dims[i][0], &dims[i][1], 0);
	put_layer(&model, "y", "T", blobs, count);
	if (import_net(import, net, &model, &opts))
		fail_msg("%s", import->err.text);
}

static void a_convolution_s_rows_have_channels_last(void **state)
{
	/* [2][2][1][3], of groups of 2: row 0 is channels (0, 1) x 3. */
	static const float want[] = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
	static const double bias[] = {0, 1};
	struct import import;

	(void)state;
	import_with(&import,
		    ONE("1,4,5,5", "type: 'Convolution' convolution_param { "
				   "num_output: 2 kernel_h: 1 kernel_w: 3 "
				   "group: 2 }"),
		    (const int64_t[][5]){{4, 2, 2, 1, 3}, {1, 2}}, 2);
	expect_rows(&import, want, 12);
	expect_vector(&import, 0, bias, 2);
	import_end(&import);
}

static void a_deconvolution_s_rows_are_output_channels_by_group(void **state)
{
	/* Source [in 4][out/2 = 1][1][2]; row g: kernel x (in 2g, 2g + 1). */
	static const float want[] = {0, 2, 1, 3, 4, 6, 5, 7};
	struct import import;

	(void)state;
	import_with(&import,
		    ONE("1,4,5,5", "type: 'Deconvolution' convolution_param { "
				   "num_output: 2 kernel_h: 1 kernel_w: 2 "
				   "group: 2 bias_term: false }"),
		    (const int64_t[][5]){{4, 4, 1, 1, 2}}, 1);
	expect_rows(&import, want, 8);
	assert_null(last_weights(&import)->vector[0]);
	import_end(&import);
}

static void inner_product_takes_either_order(void **state)
{
	static const float plain[] = {0, 1, 2, 3, 4, 5};
	static const float transposed[] = {0, 2, 4, 1, 3, 5};
	struct import import;

	(void)state;
	import_with(&import,
		    ONE("1,3", "type: 'InnerProduct' inner_product_param { "
			       "num_output: 2 bias_term: false }"),
		    (const int64_t[][5]){{4, 1, 1, 2, 3}}, 1);
	expect_rows(&import, plain, 6);
	import_end(&import);
	import_with(&import,
		    ONE("1,3", "type: 'InnerProduct' inner_product_param { "
			       "num_output: 2 bias_term: false transpose: true "
			       "}"),
		    (const int64_t[][5]){{2, 3, 2}}, 1);
	expect_rows(&import, transposed, 6);
	import_end(&import);
}

static void batch_norm_becomes_scale_and_bias(void **state)
{
	static struct wire blobs[3], model;
	const struct mx_import_opts opts = {0};
	double scale[2], bias[2];
	struct import import;
	int i;

	(void)state;
	model.size = 0;
	make_blob(&blobs[0], 1, (int64_t[]){2}, 8); /* mean sums 8, 9 */
	make_blob(&blobs[1], 1, (int64_t[]){2}, 4); /* variance sums 4, 5 */
	make_blob(&blobs[2], 1, (int64_t[]){1}, 2); /* of 2 */
	put_layer(&model, "y", "BatchNorm", blobs, 3);
	assert_int_equal(import_net(&import,
				    ONE("1,2,3,3", "type: 'BatchNorm' "
						   "batch_norm_param { eps: "
						   ".5 }"),
				    &model, &opts),
			 0);
	for (i = 0; i < 2; i++) {
		scale[i] = 1 / sqrt((4.0 + i) / 2 + 0.5);
		bias[i] = -(8.0 + i) / 2 * scale[i];
	}
	expect_vector(&import, 0, scale, 2);
	expect_vector(&import, 1, bias, 2);
	import_end(&import);

	/* A factor of 0 stands for no statistics at all. */
	model.size = 0;
	make_blob(&blobs[2], 1, (int64_t[]){1}, 0);
	put_layer(&model, "y", "BatchNorm", blobs, 3);
	assert_int_equal(import_net(&import,
				    ONE("1,2,3,3", "type: 'BatchNorm' "
						   "batch_norm_param { eps: "
						   ".25 }"),
				    &model, &opts),
			 0);
	expect_vector(&import, 0, (const double[]){2, 2}, 2);
	expect_vector(&import, 1, (const double[]){0, 0}, 2);
	import_end(&import);
}

static void scale_bias_and_slopes_are_vectors(void **state)
{
	struct import import;

	(void)state;
	import_with(&import,
		    ONE("1,3,2", "type: 'Scale' scale_param { bias_term: true "
				 "}"),
		    (const int64_t[][5]){{1, 3}, {1, 3}}, 2);
	expect_vector(&import, 0, (const double[]){0, 1, 2}, 3);
	expect_vector(&import, 1, (const double[]){0, 1, 2}, 3);
	import_end(&import);
	import_with(&import, ONE("1,3,2", "type: 'Bias'"),
		    (const int64_t[][5]){{1, 3}}, 1);
	expect_vector(&import, 0, (const double[]){1, 1, 1}, 3);
	expect_vector(&import, 1, (const double[]){0, 1, 2}, 3);
	import_end(&import);
	import_with(&import, ONE("1,3,2", "type: 'PReLU'"),
		    (const int64_t[][5]){{1, 3}}, 1);
	expect_vector(&import, 0, (const double[]){0, 1, 2}, 3);
	import_end(&import);
	import_with(&import,
		    ONE("1,3,2", "type: 'PReLU' prelu_param { channel_shared: "
				 "true }"),
		    (const int64_t[][5]){{1, 1}}, 1);
	expect_vector(&import, 0, (const double[]){0, 0, 0}, 3);
	import_end(&import);
	import_with(&import, ONE("1,3,2", "type: 'Normalize'"),
		    (const int64_t[][5]){{1, 1}}, 1);
	expect_vector(&import, 0, (const double[]){0, 0, 0}, 3);
	import_end(&import);
}

static void weights_must_fit_the_prototxt(void **state)
{
	static const char net[] =
		ONE("1,3", "type: 'InnerProduct' inner_product_param { "
			   "num_output: 2 }");
	static struct wire blobs[3], model;
	const struct mx_import_opts opts = {0};
	struct import import;
	size_t count;

	(void)state;
	make_blob(&blobs[0], 2, (int64_t[]){2, 3}, 0);
	make_blob(&blobs[1], 1, (int64_t[]){2}, 0);
	make_blob(&blobs[2], 1, (int64_t[]){2}, 0);
	for (count = 0; count <= 3; count++) {
		model.size = 0;
		put_layer(&model, "y", "T", blobs, count);
		assert_int_equal(import_net(&import, net, &model, &opts),
				 count == 2 ? 0 : -EBADMSG);
		if (count < 2)
			assert_string_equal(
				import.err.text,
				count ? "WEIGHTS: layer \"y\": weights 1 are "
					"missing"
				      : "WEIGHTS: layer \"y\": weights 0 are "
					"missing");
		if (count == 3)
			assert_string_equal(
				import.err.text,
				"NET:2:7: layer \"y\" (InnerProduct): has 3 "
				"weight blobs in the caffemodel, here 2");
		import_end(&import);
	}
	make_blob(&blobs[0], 2, (int64_t[]){3, 2}, 0);
	model.size = 0;
	put_layer(&model, "y", "T", blobs, 2);
	assert_int_equal(import_net(&import, net, &model, &opts), -EBADMSG);
	assert_string_equal(import.err.text,
			    "NET:2:7: layer \"y\" (InnerProduct): weights 0 "
			    "are 3x2, expected 2x3");
	import_end(&import);
}

/* The first weights of y with @seed. */
static float random_weight(const char *net, uint64_t seed, double *scale)
{
	const struct mx_import_opts opts = {.seed = seed};
	struct import import;
	float value;

	if (import_net(&import, net, NULL, &opts))
		fail_msg("%s", import.err.text);
	mx_const_read_f32(&last_weights(&import)->rows, 0, 1, &value);
	*scale = last_weights(&import)->rows.blob.scale;
	assert_int_equal(last_weights(&import)->rows.blob.kind, MX_BLOB_RANDOM);
	import_end(&import);
	return value;
}

#define RANDOM_NET(name, param)                                                \
	"input: 'x' input_dim: [1,24] "                                        \
	"layer { name: 'a' type: 'InnerProduct' bottom: 'x' top: 'a' "         \
	"inner_product_param { num_output: 6 } } "                             \
	"layer { name: 'r' type: 'ReLU' bottom: 'a' top: 'a' } "               \
	"layer { name: '" name "' type: 'InnerProduct' bottom: 'a' top: 'b' "  \
	"inner_product_param { num_output: 4 } " param "}"

static void random_weights_depend_on_seed_and_name_alone(void **state)
{
	double scale;
	float one, other;

	(void)state;
	one = random_weight(RANDOM_NET("b", ""), 1, &scale);
	/* He: after a ReLU of mean square 1, sqrt(6 / fan-in). */
	assert_true(fabs(scale - 1) < 1e-9);
	other = random_weight(RANDOM_NET("b", ""), 1, &scale);
	assert_true(one == other);
	assert_true(one != random_weight(RANDOM_NET("b", ""), 2, &scale));
	assert_true(one != random_weight(RANDOM_NET("c", ""), 1, &scale));
	/* Layers that share a name of their weights share them. */
	one = random_weight(RANDOM_NET("b", "param { name: 'w' }"), 1, &scale);
	other = random_weight(RANDOM_NET("c", "param { name: 'w' }"), 1,
			      &scale);
	assert_true(one == other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_convolution_s_rows_have_channels_last),
		cmocka_unit_test(
			a_deconvolution_s_rows_are_output_channels_by_group),
		cmocka_unit_test(inner_product_takes_either_order),
		cmocka_unit_test(batch_norm_becomes_scale_and_bias),
		cmocka_unit_test(scale_bias_and_slopes_are_vectors),
		cmocka_unit_test(weights_must_fit_the_prototxt),
		cmocka_unit_test(random_weights_depend_on_seed_and_name_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
