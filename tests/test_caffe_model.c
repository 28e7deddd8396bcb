#include "loader/import/caffe_model.h"

#include "tests/caffe_fixture.h"

struct model {
	struct mx_caffe_model *model;
	struct mx_graph *graph;
	unsigned char *copy; /* of its own size, so that overruns show */
	struct mx_err err;
};

static int open_model(struct model *m, const unsigned char *bytes, size_t size)
{
	memset(m, 0, sizeof(*m));
	assert_int_equal(mx_graph_new(&m->graph, "g", "caffe", &m->err), 0);
	m->copy = malloc(size + 1);
	assert_non_null(m->copy);
	memcpy(m->copy + 1, bytes, size);
	return mx_caffe_model_open(&m->model, "w", m->copy + 1, size, &m->err);
}

static void close_model(struct model *m)
{
	mx_caffe_model_close(m->model);
	mx_graph_free(m->graph);
	free(m->copy);
}

static void expect_blob(struct model *m, const char *name, uint32_t index,
			const char *want_shape, const double *want)
{
	char shape_text[MX_SHAPE_TEXT_BYTES];
	struct mx_const values;
	struct mx_shape shape;
	struct mx_blob blob;
	double got[64];
	size_t i;

	if (mx_caffe_model_blob(m->model, name, index, m->graph, &blob, &shape,
				&m->err))
		fail_msg("%s", m->err.text);
	assert_string_equal(mx_shape_text(&shape, shape_text), want_shape);
	assert_int_equal(mx_const_init(&values, &blob, &shape, &m->err), 0);
	assert_true(blob.count <= 64);
	mx_const_read_f64(&values, 0, (size_t)blob.count, got);
	for (i = 0; i < blob.count; i++)
		assert_true(got[i] == want[i]);
}

static void expect_bad_blob(struct wire *blob, const char *message)
{
	static struct wire net;
	struct mx_shape shape;
	struct mx_blob out;
	struct model m;

	net.size = 0;
	put_layer(&net, "a", "T", blob, 1);
	assert_int_equal(open_model(&m, net.bytes, net.size), 0);
	assert_int_equal(mx_caffe_model_blob(m.model, "a", 0, m.graph, &out,
					     &shape, &m.err),
			 -EBADMSG);
	assert_string_equal(m.err.text, message);
	close_model(&m);
}

static void blobs_are_found_by_layer_and_index(void **state)
{
	static const double first[] = {1, 2, 3, 4, 5, 6};
	static const double second[] = {-1, 0};
	static struct wire blobs[2], net;
	struct model m;

	(void)state;
	net.size = 0;
	make_blob(&blobs[0], 2, (int64_t[]){2, 3}, 1);
	make_blob(&blobs[1], 1, (int64_t[]){2}, -1);
	put_text(&net, 1, "the net");
	put_layer(&net, "data", "Input", NULL, 0);
	put_layer(&net, "conv", "Convolution", blobs, 2);
	assert_int_equal(open_model(&m, net.bytes, net.size), 0);
	assert_int_equal(mx_caffe_model_blob_count(m.model, "conv"), 2);
	assert_int_equal(mx_caffe_model_blob_count(m.model, "data"), 0);
	assert_int_equal(mx_caffe_model_blob_count(m.model, "none"), 0);
	expect_blob(&m, "conv", 0, "2x3", first);
	expect_blob(&m, "conv", 1, "2", second);
	close_model(&m);
}

static void values_stay_in_the_file(void **state)
{
	static struct wire blob, net;
	struct mx_shape shape;
	struct mx_blob out;
	struct model m;

	(void)state;
	net.size = 0;
	make_blob(&blob, 1, (int64_t[]){3}, 1);
	put_layer(&net, "a", "T", &blob, 1);
	assert_int_equal(open_model(&m, net.bytes, net.size), 0);
	assert_int_equal(mx_caffe_model_blob(m.model, "a", 0, m.graph, &out,
					     &shape, &m.err),
			 0);
	assert_int_equal(out.kind, MX_BLOB_BYTES);
	assert_int_equal(out.type, MX_DTYPE_F32);
	assert_ptr_equal(out.data, m.copy + 1 + net.size - 12);
	assert_int_equal(m.graph->owned_count, 0);
	close_model(&m);
}

static void of_two_layers_with_a_name_the_last_with_blobs_counts(void **state)
{
	static const double want[] = {7};
	static struct wire old, new, net;
	struct model m;

	(void)state;
	net.size = 0;
	make_blob(&old, 1, (int64_t[]){1}, 3);
	make_blob(&new, 1, (int64_t[]){1}, 7);
	put_layer(&net, "a", "T", &old, 1);
	put_layer(&net, "a", "T", &new, 1);
	put_layer(&net, "a", "T", NULL, 0);
	assert_int_equal(open_model(&m, net.bytes, net.size), 0);
	expect_blob(&m, "a", 0, "1", want);
	close_model(&m);
}

static void v1_layers_and_legacy_dimensions_are_read(void **state)
{
	static const double want[] = {5, 6, 7, 8, 9, 10};
	static struct wire blob, layer, net;
	const float values[] = {5, 6, 7, 8, 9, 10};
	struct model m;

	(void)state;
	blob.size = layer.size = net.size = 0;
	put_int(&blob, 1, 1);
	put_int(&blob, 3, 2);
	put_int(&blob, 4, 3);
	put_bytes(&blob, 5, values, sizeof(values));
	put_text(&layer, 2, "bottom");
	put_text(&layer, 4, "ip");
	put_int(&layer, 5, 14);
	put_wire(&layer, 6, &blob);
	put_wire(&net, 2, &layer);
	assert_int_equal(open_model(&m, net.bytes, net.size), 0);
	expect_blob(&m, "ip", 0, "1x1x2x3", want);
	close_model(&m);
}

static void doubles_and_single_values_are_read(void **state)
{
	static const double want[] = {1.5, 2.5, 3.5};
	static struct wire blobs[4], net;
	const float floats[] = {1.5f, 2.5f, 3.5f};
	struct model m;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		blobs[i].size = 0;
		put_shape(&blobs[i], 7, 1, (int64_t[]){3});
	}
	put_bytes(&blobs[0], 8, want, sizeof(want));
	/* Not packed: a tag before each value. */
	for (i = 0; i < 3; i++) {
		put_tag(&blobs[1], 5, 5);
		memcpy(blobs[1].bytes + blobs[1].size, &floats[i], 4);
		blobs[1].size += 4;
		put_tag(&blobs[2], 8, 1);
		memcpy(blobs[2].bytes + blobs[2].size, &want[i], 8);
		blobs[2].size += 8;
	}
	/* In two pieces, with a diff between. */
	put_bytes(&blobs[3], 5, floats, 8);
	put_bytes(&blobs[3], 6, floats, 12);
	put_bytes(&blobs[3], 5, NULL, 0);
	put_bytes(&blobs[3], 5, floats + 2, 4);
	net.size = 0;
	put_layer(&net, "a", "T", blobs, 4);
	assert_int_equal(open_model(&m, net.bytes, net.size), 0);
	for (i = 0; i < 4; i++)
		expect_blob(&m, "a", (uint32_t)i, "3", want);
	assert_int_equal(m.graph->owned_count, 3);
	close_model(&m);
}

static void broken_blobs_name_layer_and_byte(void **state)
{
	static struct wire blob;
	const float values[3] = {1, 2, 3};
	uint32_t i;

	(void)state;
	blob.size = 0;
	put_shape(&blob, 7, 2, (int64_t[]){2, 2});
	put_bytes(&blob, 5, values, 12);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: holds 3 "
			       "values for 2x2");
	blob.size = 0;
	put_shape(&blob, 7, 1, (int64_t[]){3});
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: holds "
			       "no values");
	put_bytes(&blob, 5, values, 11);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: broken "
			       "at byte 16");
	blob.size = 0;
	put_bytes(&blob, 5, values, 12);
	put_tag(&blob, 5, 3);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: broken "
			       "at byte 25");
	blob.size = 0;
	put_bytes(&blob, 5, values, 12);
	put_bytes(&blob, 8, values, 8);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: holds "
			       "floats and doubles");
	blob.size = 0;
	put_int(&blob, 1, -3);
	put_bytes(&blob, 5, values, 12);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: "
			       "dimension 0 is -3");
	blob.size = 0;
	put_shape(&blob, 7, 9, (int64_t[]){3, 1, 1, 1, 1, 1, 1, 1, 1});
	put_bytes(&blob, 5, values, 12);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: has 9 "
			       "dimensions");
	blob.size = 0;
	put_shape(&blob, 7, 3, (int64_t[]){INT64_MAX, INT64_MAX, INT64_MAX});
	put_bytes(&blob, 5, values, 12);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: holds 3 "
			       "values for 9223372036854775807x"
			       "9223372036854775807x9223372036854775807");
	blob.size = 0;
	put_bytes(&blob, 7, "\x08", 1);
	put_bytes(&blob, 5, values, 12);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 11: broken "
			       "at byte 11");
	blob.size = 0;
	for (i = 0; i < 8000; i++)
		put_bytes(&blob, 99, "12345", 5);
	expect_bad_blob(&blob, "w: layer \"a\": weights 0 at byte 15: holds "
			       "no values");
}

static void broken_files_name_the_place(void **state)
{
	static struct wire net, layer;
	struct model m;

	(void)state;
	assert_int_equal(open_model(&m, net.bytes, 0), -EBADMSG);
	assert_string_equal(m.err.text, "w: no caffemodel: has no layers");
	close_model(&m);

	net.size = 0;
	put_layer(&net, "last", "T", NULL, 0);
	put_tag(&net, 100, 5);
	assert_int_equal(open_model(&m, net.bytes, net.size), -EBADMSG);
	assert_string_equal(m.err.text, "w: no caffemodel, or broken after "
					"layer \"last\" at byte 12");
	close_model(&m);

	net.size = layer.size = 0;
	put_text(&layer, 1, "a");
	put_int(&layer, 7, 1);
	put_wire(&net, 100, &layer);
	assert_int_equal(open_model(&m, net.bytes, net.size), -EBADMSG);
	assert_string_equal(m.err.text, "w: layer 0: broken at byte 6");
	close_model(&m);

	net.size = layer.size = 0;
	put_int(&layer, 1, 3); /* a name that is no string */
	put_wire(&net, 100, &layer);
	assert_int_equal(open_model(&m, net.bytes, net.size), -EBADMSG);
	close_model(&m);

	net.size = 0;
	put_int(&net, 100, 3);
	assert_int_equal(open_model(&m, net.bytes, net.size), -EBADMSG);
	close_model(&m);
}

static void a_file_cut_anywhere_is_refused_or_lacks_its_end(void **state)
{
	static struct wire blobs[2], net;
	struct mx_shape shape;
	struct mx_blob out;
	struct model m;
	size_t size, ends = 0;
	int rc;

	(void)state;
	net.size = 0;
	make_blob(&blobs[0], 2, (int64_t[]){2, 2}, 1);
	make_blob(&blobs[1], 1, (int64_t[]){2}, 1);
	put_text(&net, 1, "net");
	put_layer(&net, "a", "T", blobs, 2);
	put_layer(&net, "b", "T", blobs, 2);
	for (size = 0; size < net.size; size++) {
		rc = open_model(&m, net.bytes, size);
		if (rc == 0) {
			/* Between two layers. */
			ends++;
			rc = mx_caffe_model_blob(m.model, "b", 1, m.graph, &out,
						 &shape, &m.err);
			assert_string_equal(m.err.text,
					    "w: layer \"b\": weights 1 are "
					    "missing");
		}
		assert_int_equal(rc, -EBADMSG);
		close_model(&m);
	}
	assert_int_equal(ends, 1);
}

static void a_flipped_byte_never_reaches_outside(void **state)
{
	static struct wire blobs[2], net;
	struct mx_shape shape;
	struct mx_blob out;
	struct model m;
	size_t at, bit;
	float sum = 0;

	(void)state;
	net.size = 0;
	make_blob(&blobs[0], 2, (int64_t[]){2, 2}, 1);
	make_blob(&blobs[1], 1, (int64_t[]){2}, 1);
	put_layer(&net, "a", "T", blobs, 2);
	for (at = 0; at < net.size; at++) {
		for (bit = 0; bit < 8; bit++) {
			net.bytes[at] ^= (unsigned char)(1u << bit);
			if (open_model(&m, net.bytes, net.size) == 0 &&
			    mx_caffe_model_blob(m.model, "a", 0, m.graph, &out,
						&shape, &m.err) == 0) {
				struct mx_const all;
				float values[64];

				assert_true(out.count <= 64);
				assert_int_equal(
					mx_const_init(&all, &out, &shape, NULL),
					0);
				mx_const_read_f32(&all, 0, (size_t)out.count,
						  values);
				sum += values[0];
			}
			close_model(&m);
			net.bytes[at] ^= (unsigned char)(1u << bit);
		}
	}
	assert_true(sum != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_are_found_by_layer_and_index),
		cmocka_unit_test(values_stay_in_the_file),
		cmocka_unit_test(
			of_two_layers_with_a_name_the_last_with_blobs_counts),
		cmocka_unit_test(v1_layers_and_legacy_dimensions_are_read),
		cmocka_unit_test(doubles_and_single_values_are_read),
		cmocka_unit_test(broken_blobs_name_layer_and_byte),
		cmocka_unit_test(broken_files_name_the_place),
		cmocka_unit_test(
			a_file_cut_anywhere_is_refused_or_lacks_its_end),
		cmocka_unit_test(a_flipped_byte_never_reaches_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
