#include "tests/onnx_fixture.h"

#include "loader/import/onnx.pb-c.h"
#include "loader/import/onnx_wire.h"

static int next(const char *bytes, size_t size, struct mx_onnx_field *field)
{
	struct mx_onnx_walk walk = {{(const unsigned char *)bytes, size}};

	return mx_onnx_walk_next(&walk, field);
}

static void each_wire_type_is_walked(void **state)
{
	const char bytes[] = "\x08\x96\x01"
			     "\x11\1\2\3\4\5\6\7\x08"
			     "\x1a\x03xyz"
			     "\x25\1\2\3\4";
	struct mx_onnx_walk walk = {
		{(const unsigned char *)bytes, sizeof(bytes) - 1}};
	struct mx_onnx_field field;

	(void)state;
	assert_int_equal(mx_onnx_walk_next(&walk, &field), 1);
	assert_int_equal(field.number, 1);
	assert_int_equal(field.varint, 150);
	assert_int_equal(field.whole.size, 3);
	assert_int_equal(mx_onnx_walk_next(&walk, &field), 1);
	assert_int_equal(field.number, 2);
	assert_int_equal(field.content.size, 8);
	assert_int_equal(mx_onnx_walk_next(&walk, &field), 1);
	assert_memory_equal(field.content.data, "xyz", 3);
	assert_int_equal(mx_onnx_walk_next(&walk, &field), 1);
	assert_int_equal(field.number, 4);
	assert_int_equal(field.content.size, 4);
	assert_int_equal(mx_onnx_walk_next(&walk, &field), 0);
}

static void what_is_cut_short_is_bad(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
		{"\x08", 1}, /* a key alone */
		{"\x08\x80", 2}, /* a varint without an end */
		{"\x11\1\2\3\4\5\6\7", 8},
		{"\x1a\x03xy", 4},
		{"\x1a", 1},
		{"\x25\1\2\3", 4},
		{"\x0b\x01", 2}, /* a group */
		{"\x0f\x01", 2}, /* no wire type */
		{"\x00\x01", 2}, /* field 0 */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
		{"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
	};
	struct mx_onnx_field field;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(next(cases[i].bytes, cases[i].size, &field),
				 -EBADMSG);
}

static void skipped_fields_are_not_unpacked(void **state)
{
	struct pb pb = {0};
	struct mx_onnx_span span;
	ProtobufCMessage *message;
	MxOnnx__TensorProto *tensor;

	(void)state;
	pb_int(&pb, 1, 7);
	pb_bytes(&pb, 9, "raw", 3);
	pb_text(&pb, 8, "name");
	span = (struct mx_onnx_span){pb.data, pb.size};
	assert_int_equal(mx_onnx_unpack(&span, 1u << 9,
					&mx_onnx__tensor_proto__descriptor,
					&message),
			 0);
	tensor = (MxOnnx__TensorProto *)message;
	assert_int_equal(tensor->n_dims, 1);
	assert_int_equal(tensor->dims[0], 7);
	assert_string_equal(tensor->name, "name");
	assert_int_equal(message->n_unknown_fields, 0);
	protobuf_c_message_free_unpacked(message, NULL);

	/* A name that is no string. */
	pb_int(&pb, 8, 1);
	span = (struct mx_onnx_span){pb.data, pb.size};
	assert_int_equal(mx_onnx_unpack(&span, 0,
					&mx_onnx__tensor_proto__descriptor,
					&message),
			 -EBADMSG);
	free(pb.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wire_type_is_walked),
		cmocka_unit_test(what_is_cut_short_is_bad),
		cmocka_unit_test(skipped_fields_are_not_unpacked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
