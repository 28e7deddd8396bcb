/* wrap: malloc calloc realloc strdup */
#include "tests/model_fixture.h"

#include <errno.h>
#include <math.h>

#include "loader/model_impl.h"
#include "tests/packed_fixture.h"

static long fail_at = -1; /* allocations until one fails; -1: none does */
static size_t allocated_bytes;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

static int refused(size_t size)
{
	allocated_bytes += size;
	if (fail_at < 0 || fail_at-- > 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *__wrap_malloc(size_t size)
{
	return refused(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refused(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return refused(size) ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
	return refused(strlen(text)) ? NULL : __real_strdup(text);
}

static void equal_tensors(const struct mx_network *a,
			  const struct mx_network *b)
{
	uint32_t i;

	assert_int_equal(a->tensor_count, b->tensor_count);
	for (i = 0; i < a->tensor_count; i++) {
		const struct mx_tensor *s = &a->tensors[i];
		const struct mx_tensor *t = &b->tensors[i];

		assert_string_equal(s->name, t->name);
		assert_true(mx_shape_equal(&s->shape, &t->shape));
		assert_int_equal(s->layout, t->layout);
		assert_int_equal(s->root, t->root);
		assert_int_equal(s->offset_elems, t->offset_elems);
		assert_int_equal(s->pitch, t->pitch);
	}
}

static void equal_attrs(const struct mx_attrs *a, const struct mx_attrs *b)
{
	size_t i;

	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++) {
		const struct mx_attr *s = &a->items[i];
		const struct mx_attr *t = &b->items[i];

		assert_string_equal(s->name, t->name);
		assert_int_equal(s->int_count, t->int_count);
		assert_int_equal(s->float_count, t->float_count);
		if (s->int_count)
			assert_memory_equal(s->ints, t->ints,
					    s->int_count * sizeof(*s->ints));
		if (s->float_count)
			assert_memory_equal(s->floats, t->floats,
					    s->float_count *
						    sizeof(*s->floats));
	}
}

static void equal_layers(const struct mx_network *a, const struct mx_network *b)
{
	uint32_t i;

	assert_int_equal(a->layer_count, b->layer_count);
	for (i = 0; i < a->layer_count; i++) {
		const struct mx_layer *s = &a->layers[i];
		const struct mx_layer *t = &b->layers[i];

		assert_string_equal(s->name, t->name);
		assert_string_equal(s->op_name, t->op_name);
		equal_attrs(&s->attrs, &t->attrs);
		assert_int_equal(s->in_count, t->in_count);
		assert_int_equal(s->out_count, t->out_count);
		assert_memory_equal(s->in, t->in, s->in_count * sizeof(*s->in));
		assert_memory_equal(s->out, t->out,
				    s->out_count * sizeof(*s->out));
		assert_memory_equal(&s->weights, &t->weights,
				    sizeof(s->weights));
		assert_int_equal(s->weight_offset_bytes,
				 t->weight_offset_bytes);
		assert_int_equal(s->weight_bytes, t->weight_bytes);
		assert_int_equal(s->slice_count, t->slice_count);
		if (s->slice_count)
			assert_int_equal(s->first_slice, t->first_slice);
		assert_null(t->op);
	}
}

static void what_is_packed_is_unpacked(void **state)
{
	struct fixture *fx = *state;
	const struct mx_network *net = &fx->net;
	struct mx_network again;
	unsigned char *bytes;
	size_t size;

	fixture_write(fx);
	assert_int_equal(mx_network_pack(net, &bytes, &size, NULL), 0);
	assert_int_equal(mx_network_unpack(&again, bytes, size, NULL), 0);
	free(bytes);
	assert_string_equal(again.name, "small");
	assert_string_equal(again.source, "caffe");
	assert_int_equal(again.source_hash, 0xfedcba9876543210);
	assert_int_equal(again.weights_file_bytes, net->weights_file_bytes);
	assert_int_equal(again.weights_fd, -1);
	assert_null(again.weights_base);
	equal_tensors(net, &again);
	equal_layers(net, &again);
	assert_int_equal(again.slice_count, net->slice_count);
	assert_memory_equal(again.slices, net->slices,
			    net->slice_count * sizeof(*net->slices));
	assert_int_equal(again.input_count, 1);
	assert_memory_equal(again.inputs, net->inputs, sizeof(*net->inputs));
	assert_int_equal(again.output_count, 2);
	assert_memory_equal(again.outputs, net->outputs,
			    2 * sizeof(*net->outputs));
	assert_int_equal(again.label_count, 0);
	mx_network_fini(&again);
}

static void every_truncation_is_refused(void **state)
{
	struct mx_network net;
	unsigned char *bytes;
	unsigned char *part;
	size_t size;
	size_t i;

	bytes = fixture_packed(*state, &size);
	assert_true(size > 300);
	for (i = 0; i < size; i++) {
		/* Its own allocation, so that ASan sees a read past it. */
		part = malloc(i ? i : 1);
		memcpy(part, bytes, i);
		assert_int_equal(mx_network_unpack(&net, part, i, NULL),
				 -EBADMSG);
		assert_null(net.tensors);
		assert_null(net.name);
		free(part);
	}
	free(bytes);
}

static void every_flipped_bit_is_refused(void **state)
{
	struct mx_network net;
	struct mx_err err;
	unsigned char *bytes;
	size_t size;
	size_t i;

	bytes = fixture_packed(*state, &size);
	for (i = 0; i < size; i++) {
		bytes[i] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(mx_network_unpack(&net, bytes, size, &err),
				 -EBADMSG);
		bytes[i] ^= (unsigned char)(1 << i % 8);
	}
	bytes[0] ^= 1;
	assert_int_equal(mx_network_unpack(&net, bytes, size, &err), -EBADMSG);
	assert_string_equal(err.text, "its hash does not match: it is damaged");
	free(bytes);
}

static void signed_truncations_are_survived(void **state)
{
	struct mx_network net;
	unsigned char *bytes;
	unsigned char *part;
	size_t size;
	size_t i;
	int rc;

	bytes = fixture_packed(*state, &size);
	for (i = 0; i <= size - MX_MODEL_TRAILER_BYTES; i++) {
		part = malloc(i + MX_MODEL_TRAILER_BYTES);
		memcpy(part, bytes, i);
		fixture_sign(part, i + MX_MODEL_TRAILER_BYTES);
		rc = mx_network_unpack(&net, part, i + MX_MODEL_TRAILER_BYTES,
				       NULL);
		/* Cut between inputs there may be a network left. */
		if (rc == 0)
			mx_network_fini(&net);
		else
			assert_int_equal(rc, -EBADMSG);
		free(part);
	}
	free(bytes);
}

static void every_allocation_may_fail(void **state)
{
	struct fixture *fx = *state;
	struct mx_network net;
	unsigned char *bytes;
	unsigned char *again = NULL;
	size_t again_bytes;
	size_t size;
	long n;
	int rc;

	bytes = fixture_packed(fx, &size);
	for (n = 0, rc = -1; rc; n++) {
		fail_at = n;
		rc = mx_network_unpack(&net, bytes, size, NULL);
		fail_at = -1;
		if (rc) {
			assert_int_equal(rc, -ENOMEM);
			assert_null(net.layers);
		}
	}
	assert_true(n > 50);
	mx_network_fini(&net);
	for (n = 0, rc = -1; rc; n++) {
		fail_at = n;
		rc = mx_network_pack(&fx->net, &again, &again_bytes, NULL);
		fail_at = -1;
		if (rc)
			assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(n, 4);
	assert_int_equal(again_bytes, size);
	assert_memory_equal(again, bytes, size);
	free(again);
	free(bytes);
}

/* Empty tensors take 2 bytes of the file and 72 of memory each. */
static void a_bomb_takes_memory_in_proportion(void **state)
{
	const size_t size = (1 << 20) + MX_MODEL_TRAILER_BYTES;
	unsigned char *bytes = calloc(size, 1);
	struct mx_network net;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i + 1 < size - MX_MODEL_TRAILER_BYTES; i += 2)
		bytes[i] = 0x2a; /* field 5, length 0 */
	fixture_sign(bytes, size);
	allocated_bytes = 0;
	assert_int_equal(mx_network_unpack(&net, bytes, size, &err), -EBADMSG);
	assert_true(allocated_bytes < 40 << 20);
	assert_string_equal(err.text, "its 1048585 bytes are no model's "
				      "structure");
	free(bytes);
}

static void more_than_the_cap_is_not_looked_at(void **state)
{
	struct mx_network net;
	struct mx_err err;
	unsigned char byte = 0;

	(void)state;
	assert_int_equal(mx_network_unpack(&net, &byte,
					   MX_MODEL_PB_BYTES_MAX + (size_t)1,
					   &err),
			 -EBADMSG);
	assert_string_equal(err.text, "67108865 bytes are more than 67108864");
}

static void a_structure_above_the_cap_is_not_packed(void **state)
{
	struct fixture *fx = *state;
	struct mx_err err;
	unsigned char *bytes = NULL;
	int64_t *huge;
	size_t size;

	/* Each value takes the longest varint. */
	huge = malloc((8 << 20) * sizeof(*huge));
	memset(huge, 0x80, (8 << 20) * sizeof(*huge));
	assert_int_equal(mx_attrs_set_ints(&fx->net.layers[L_C1].attrs, "huge",
					   huge, 8 << 20),
			 0);
	free(huge);
	assert_int_equal(mx_network_pack(&fx->net, &bytes, &size, &err),
			 -EFBIG);
	assert_string_equal(err.text, "small: its structure takes more than a "
				      "model may");
	assert_null(bytes);
}

static void many_layers_are_unpacked_in_linear_time(void **state)
{
	enum { COUNT = 100000 };
	struct mx_network net = {.weights_fd = -1};
	struct mx_network again;
	unsigned char *bytes;
	size_t size;
	uint32_t i;

	(void)state;
	net.name = strdup("chain");
	net.tensor_count = COUNT + 1;
	net.tensors = calloc(COUNT + 1, sizeof(*net.tensors));
	for (i = 0; i <= COUNT; i++)
		fixture_tensor(&net, i, "", (struct mx_shape){0});
	net.layer_count = COUNT;
	net.layers = calloc(COUNT, sizeof(*net.layers));
	for (i = 0; i < COUNT; i++)
		fixture_layer(&net.layers[i],
			      &(struct fixture_layer_spec){
				      "", "", {i}, 1, i + 1, {0}});
	net.input_count = 1;
	net.inputs = calloc(1, sizeof(*net.inputs));
	net.inputs[0].preprocess = (struct mx_preprocess){
		.std = {1, 1, 1, 1},
		.scale = 1,
	};
	assert_int_equal(mx_network_pack(&net, &bytes, &size, NULL), 0);
	/* The shortest names are the most memory for a byte of the file. */
	assert_int_equal(mx_network_unpack(&again, bytes, size, NULL), 0);
	assert_int_equal(again.layer_count, COUNT);
	assert_int_equal(again.layers[COUNT - 1].out[0], COUNT);
	mx_network_fini(&again);
	mx_network_fini(&net);
	free(bytes);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_packed_is_unpacked),
		TEST(every_truncation_is_refused),
		TEST(every_flipped_bit_is_refused),
		TEST(signed_truncations_are_survived),
		TEST(every_allocation_may_fail),
		TEST(a_bomb_takes_memory_in_proportion),
		TEST(more_than_the_cap_is_not_looked_at),
		TEST(a_structure_above_the_cap_is_not_packed),
		TEST(many_layers_are_unpacked_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
