/*
 * Structures whose hash is right and one of whose fields is wrong.
 */
#include "tests/packed_fixture.h"

#include <errno.h>

#include "loader/model.pb-c.h"

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
	{m_format, "format 2, where this program knows 1: import it again"},
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

	bytes = fixture_packed(*state, &size);
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
		fixture_sign(bad, bad_bytes);
		assert_int_equal(mx_network_unpack(&net, bad, bad_bytes, &err),
				 -EBADMSG);
		assert_memory_equal(err.text, changes[i].message,
				    strlen(changes[i].message));
		free(bad);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_bad_field_is_named,
						fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
