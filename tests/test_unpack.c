/* wrap: malloc calloc realloc strdup */
#include "tests/model_fixture.h"

#include <errno.h>
#include <math.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "loader/model.pb-c.h"
#include "loader/model_impl.h"

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

/* The fixture's bytes, the caller's. */
static unsigned char *packed(struct fixture *fx, size_t *size)
{
	unsigned char *bytes;

	fixture_write(fx);
	assert_int_equal(mx_network_pack(&fx->net, &bytes, size, NULL), 0);
	return bytes;
}

static void every_truncation_is_refused(void **state)
{
	struct mx_network net;
	unsigned char *bytes;
	unsigned char *part;
	size_t size;
	size_t i;

	bytes = packed(*state, &size);
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

	bytes = packed(*state, &size);
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

/* Make the trailer right, as an attacker would. */
static void sign(unsigned char *bytes, size_t size)
{
	uint64_t hash = XXH3_64bits(bytes, size - MX_MODEL_TRAILER_BYTES);
	size_t i;

	bytes[size - MX_MODEL_TRAILER_BYTES] = MX_MODEL_HASH_TAG;
	for (i = size - MX_MODEL_TRAILER_BYTES + 1; i < size; i++, hash >>= 8)
		bytes[i] = (unsigned char)hash;
}

static void signed_truncations_are_survived(void **state)
{
	struct mx_network net;
	unsigned char *bytes;
	unsigned char *part;
	size_t size;
	size_t i;
	int rc;

	bytes = packed(*state, &size);
	for (i = 0; i <= size - MX_MODEL_TRAILER_BYTES; i++) {
		part = malloc(i + MX_MODEL_TRAILER_BYTES);
		memcpy(part, bytes, i);
		sign(part, i + MX_MODEL_TRAILER_BYTES);
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

static void m_format(Mx__Pb__Model *pb)
{
	pb->format = 2;
}

static void m_long_name(Mx__Pb__Model *pb)
{
	free(pb->name);
	pb->name = calloc(MX_MODEL_NAME_BYTES_MAX + 2, 1);
	memset(pb->name, 'x', MX_MODEL_NAME_BYTES_MAX + 1);
}

static void m_more_inputs_than_tensors(Mx__Pb__Model *pb)
{
	size_t i;

	for (i = 0; i < pb->n_tensors; i++)
		mx__pb__tensor__free_unpacked(pb->tensors[i], NULL);
	pb->n_tensors = 0;
}

static void m_rank(Mx__Pb__Model *pb)
{
	Mx__Pb__Tensor *t = pb->tensors[T_FLAT];

	free(t->dims);
	t->n_dims = 9;
	t->dims = calloc(9, sizeof(*t->dims));
}

static void m_dim(Mx__Pb__Model *pb)
{
	pb->tensors[T_FLAT]->dims[1] = UINT64_MAX;
}

static void m_product(Mx__Pb__Model *pb)
{
	pb->tensors[T_FLAT]->dims[0] = (uint64_t)1 << 40;
	pb->tensors[T_FLAT]->dims[1] = (uint64_t)1 << 40;
}

static void m_layout(Mx__Pb__Model *pb)
{
	pb->tensors[T_FLAT]->layout = 2;
}

static void m_offset(Mx__Pb__Model *pb)
{
	pb->tensors[T_FLAT]->offset_elems = UINT64_MAX;
}

static void m_pitch(Mx__Pb__Model *pb)
{
	pb->tensors[T_CAT]->pitch = UINT64_MAX;
}

static void m_root(Mx__Pb__Model *pb)
{
	pb->tensors[T_C1]->root = MX_NONE;
}

static void m_block_rows(Mx__Pb__Model *pb)
{
	pb->layers[L_FA]->weights->block_rows = 0;
}

static void m_rows(Mx__Pb__Model *pb)
{
	pb->layers[L_FA]->weights->rows = UINT64_MAX;
}

static void m_weight_offset(Mx__Pb__Model *pb)
{
	pb->layers[L_C1]->weights->offset_bytes = UINT64_MAX - 63;
}

static void m_file_bytes(Mx__Pb__Model *pb)
{
	pb->weights_file_bytes = 64;
}

static void m_attr_both(Mx__Pb__Model *pb)
{
	Mx__Pb__Attr *attr = pb->layers[L_C1]->attrs[0];

	attr->n_floats = 1;
	attr->floats = calloc(1, sizeof(*attr->floats));
}

static void m_attr_twice(Mx__Pb__Model *pb)
{
	Mx__Pb__Layer *layer = pb->layers[L_C1];

	strcpy(layer->attrs[1]->name, layer->attrs[0]->name);
}

static void m_attr_count(Mx__Pb__Model *pb)
{
	Mx__Pb__Layer *layer = pb->layers[L_CAT];
	size_t i;

	layer->n_attrs = MX_MODEL_ATTRS_MAX + 1;
	layer->attrs = calloc(layer->n_attrs, sizeof(*layer->attrs));
	for (i = 0; i < layer->n_attrs; i++) {
		layer->attrs[i] = malloc(sizeof(*layer->attrs[i]));
		mx__pb__attr__init(layer->attrs[i]);
	}
}

static void m_slice_layer(Mx__Pb__Model *pb)
{
	pb->slices[0]->layer = L_COUNT;
}

static void m_slice_order(Mx__Pb__Model *pb)
{
	Mx__Pb__Slice *first = pb->slices[0];

	pb->slices[0] = pb->slices[1];
	pb->slices[1] = first;
}

static void m_input_channels(Mx__Pb__Model *pb)
{
	pb->inputs[0]->channels = 9;
}

static void m_input_resize(Mx__Pb__Model *pb)
{
	pb->inputs[0]->resize = UINT32_MAX;
}

static void m_input_mean(Mx__Pb__Model *pb)
{
	pb->inputs[0]->n_mean = 3;
}

static void m_input_std(Mx__Pb__Model *pb)
{
	pb->inputs[0]->n_std = 0;
}

static void m_output(Mx__Pb__Model *pb)
{
	pb->outputs[0] = T_COUNT;
}

static const struct {
	void (*changes)(Mx__Pb__Model *pb);
	const char *message; /* how it begins */
} changes[] = {
	{m_format, "format 2, where this program knows 1"},
	{m_long_name, "a name is longer than 4096 bytes: xxxxxxxx"},
	{m_more_inputs_than_tensors, "0 tensors, 8 layers, 12 slices, 1 "
				     "inputs, 2 outputs are too many"},
	{m_rank, "tensor flat: rank 9 is above 8"},
	{m_dim, "tensor flat: dimension 1 is 18446744073709551615"},
	{m_product, "tensor flat: its shape, layout and pitch"},
	{m_layout, "tensor flat: layout 2, offset 0, pitch 0"},
	{m_offset, "tensor flat: layout 0, offset 18446744073709551615"},
	{m_pitch, "tensor cat: layout 1, offset 0, pitch 1844674407370955"},
	{m_root, "tensor c1: root 4294967295 of 9 tensors"},
	{m_block_rows, "layer fa: weights of 300 rows x 1024 + 1 in blocks of "
		       "0, panels of 8"},
	{m_rows, "layer fa: weights of 18446744073709551615 rows"},
	{m_weight_offset, "layer c1: 5376 bytes of weights at 184467440737095"},
	{m_file_bytes, "layer c1: 5376 bytes of weights at 0 do not fit its "
		       "shape or the file's 64 bytes"},
	{m_attr_both, "layer c1: attribute kernel is too long"},
	{m_attr_twice, "layer c1: attribute kernel is too long"},
	{m_attr_count, "layer cat: 257 attributes"},
	{m_slice_layer, "slice 0: layer 8 of 8"},
	{m_slice_order, "layer c1: slices 1 + 1 are not the next ones of 12"},
	{m_input_channels, "input 0: channel order 9"},
	{m_input_resize, "input 0: channel order 1, resize rule 4294967295"},
	{m_input_mean, "input 0: channel order 1, resize rule 1, 3 means"},
	{m_input_std, "input 0: channel order 1, resize rule 1, 4 means, 0"},
	{m_output, "output 0: nothing computes tensor 9"},
};

static void every_bad_field_is_named(void **state)
{
	struct mx_network net;
	struct mx_err err;
	unsigned char *bytes;
	unsigned char *bad;
	size_t size;
	size_t bad_bytes;
	size_t i;

	bytes = packed(*state, &size);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		Mx__Pb__Model *pb = mx__pb__model__unpack(NULL, size, bytes);

		assert_non_null(pb);
		changes[i].changes(pb);
		/* A hash that is not 0 takes its 9 bytes, and comes last. */
		pb->hash = 1;
		bad_bytes = mx__pb__model__get_packed_size(pb);
		bad = malloc(bad_bytes);
		mx__pb__model__pack(pb, bad);
		mx__pb__model__free_unpacked(pb, NULL);
		sign(bad, bad_bytes);
		assert_int_equal(mx_network_unpack(&net, bad, bad_bytes, &err),
				 -EBADMSG);
		assert_memory_equal(err.text, changes[i].message,
				    strlen(changes[i].message));
		free(bad);
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

	bytes = packed(fx, &size);
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
	sign(bytes, size);
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
		TEST(every_bad_field_is_named),
		TEST(every_allocation_may_fail),
		TEST(a_bomb_takes_memory_in_proportion),
		TEST(more_than_the_cap_is_not_looked_at),
		TEST(a_structure_above_the_cap_is_not_packed),
		TEST(many_layers_are_unpacked_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
