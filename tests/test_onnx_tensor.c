#include "tests/onnx_fixture.h"

/* TensorProto's fields. */
enum {
	DIMS = 1,
	TYPE = 2,
	FLOATS = 4,
	INT32S = 5,
	INT64S = 7,
	NAME = 8,
	RAW = 9,
	DOUBLES = 10,
	UINT64S = 11
};

/* A model whose output is the initializer @tensor, which is freed. */
static void model_around(struct pb *tensor, struct pb *model)
{
	struct pb graph = {0};

	pb_text(tensor, NAME, "w");
	pb_message(&graph, 5, tensor);
	put_value_info(&graph, 12, "w", "");
	put_model(model, &graph, DEFAULT_OPSET);
}

static void begin(struct pb *tensor, int64_t type, int64_t count)
{
	memset(tensor, 0, sizeof(*tensor));
	pb_int(tensor, DIMS, count);
	pb_int(tensor, TYPE, type);
}

static void expect_tensor(struct pb *tensor, const char *want)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	static char text[TEXT_BYTES];
	struct pb model = {0};
	struct import import;

	model_around(tensor, &model);
	if (import_bytes(&import, &model, &opts))
		fail_msg("%s", import.err.text);
	graph_text(import.graph, text);
	assert_string_equal(text, want);
	import_end(&import);
	free(model.data);
}

static void expect_bad(struct pb *tensor, int want, const char *message)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb model = {0};
	struct import import;

	model_around(tensor, &model);
	assert_int_equal(import_bytes(&import, &model, &opts), want);
	assert_string_equal(import.err.text, message);
	import_end(&import);
	free(model.data);
}

static void each_type_is_read_from_raw_data(void **state)
{
	static const struct {
		int64_t type;
		const char *bytes;
		size_t size;
		const char *want;
	} cases[] = {
		{1, "\0\0\x80\x3f\0\0\0\xc0", 8, "1,-2"},
		{2, "\xff\1", 2, "255,1"},
		{3, "\xff\1", 2, "-1,1"},
		{4, "\xff\xff\1\0", 4, "65535,1"},
		{5, "\xff\xff\1\0", 4, "-1,1"},
		{6, "\xff\xff\xff\xff\1\0\0\0", 8, "-1,1"},
		{7, "\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\0\0\0", 16,
		 "-1,1"},
		{9, "\1\0", 2, "1,0"},
		{10, "\0\x3c\0\xc0", 4, "1,-2"},
		{11, "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0", 16, "1,-2"},
		{12, "\0\0\0\x80\1\0\0\0", 8, "2.14748e+09,1"},
		{13, "\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16, "2,1"},
		{16, "\x80\x3f\0\xc0", 4, "1,-2"},
	};
	struct pb tensor;
	char want[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&tensor, cases[i].type, 2);
		pb_bytes(&tensor, RAW, cases[i].bytes, cases[i].size);
		(void)snprintf(want, sizeof(want),
			       "Constant() shape=2 rows=%s -> w 2\n",
			       cases[i].want);
		expect_tensor(&tensor, want);
	}
}

static void typed_fields_are_read_packed_and_not(void **state)
{
	const float floats[] = {1, 2};
	const double doubles[] = {3, 4};
	struct pb tensor;

	(void)state;
	begin(&tensor, 1, 2);
	pb_bytes(&tensor, FLOATS, floats, sizeof(floats));
	expect_tensor(&tensor, "Constant() shape=2 rows=1,2 -> w 2\n");
	begin(&tensor, 1, 2);
	pb_float(&tensor, FLOATS, 1);
	pb_float(&tensor, FLOATS, 2);
	expect_tensor(&tensor, "Constant() shape=2 rows=1,2 -> w 2\n");
	/* A packed part and a single one. */
	begin(&tensor, 1, 3);
	pb_bytes(&tensor, FLOATS, floats, sizeof(floats));
	pb_float(&tensor, FLOATS, 5);
	expect_tensor(&tensor, "Constant() shape=3 rows=1,2,5 -> w 3\n");
	begin(&tensor, 11, 2);
	pb_bytes(&tensor, DOUBLES, doubles, sizeof(doubles));
	expect_tensor(&tensor, "Constant() shape=2 rows=3,4 -> w 2\n");
	begin(&tensor, 7, 2);
	pb_bytes(&tensor, INT64S, "\x05\x06", 2);
	expect_tensor(&tensor, "Constant() shape=2 rows=5,6 -> w 2\n");
	begin(&tensor, 7, 2);
	pb_int(&tensor, INT64S, -5);
	pb_int(&tensor, INT64S, 6);
	expect_tensor(&tensor, "Constant() shape=2 rows=-5,6 -> w 2\n");
	begin(&tensor, 12, 1);
	pb_int(&tensor, UINT64S, 4000000000);
	expect_tensor(&tensor, "Constant() shape=1 rows=4e+09 -> w 1\n");
}

static void halves_may_be_coded_as_int32(void **state)
{
	struct pb tensor;

	(void)state;
	begin(&tensor, 10, 3);
	pb_int(&tensor, INT32S, 0x3c00);
	pb_int(&tensor, INT32S, 0xc000);
	pb_int(&tensor, INT32S, 0x0001);
	expect_tensor(&tensor,
		      "Constant() shape=3 rows=1,-2,5.96046e-08 -> w 3\n");
	begin(&tensor, 9, 2);
	pb_int(&tensor, INT32S, 1);
	pb_int(&tensor, INT32S, 0);
	expect_tensor(&tensor, "Constant() shape=2 rows=1,0 -> w 2\n");
}

static void wrong_sizes_are_found(void **state)
{
	struct pb tensor;

	(void)state;
	begin(&tensor, 1, 2);
	pb_bytes(&tensor, RAW, "1234567", 7);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w: its shape has 2 elements, its data 7 "
		   "bytes");
	begin(&tensor, 1, 2);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w: its shape has 2 elements, its data 0 "
		   "elements");
	begin(&tensor, 1, 2);
	pb_bytes(&tensor, FLOATS, "1234567", 7);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w: its shape has 2 elements, its data 7 "
		   "bytes");
	begin(&tensor, 7, 2);
	pb_bytes(&tensor, INT64S, "\x01\x80", 2);
	expect_bad(&tensor, -EBADMSG, "FILE: tensor w: its data is corrupt");
	begin(&tensor, 4, 2);
	pb_bytes(&tensor, RAW, "123", 3);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w: its shape has 2 elements, its data 3 "
		   "bytes");
	begin(&tensor, 1, -1);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w: a dimension is negative");
	begin(&tensor, 1, INT64_MAX);
	expect_bad(&tensor, -EBADMSG, "FILE: tensor w: its shape is too large");
	begin(&tensor, 1, (int64_t)1 << 40);
	pb_bytes(&tensor, RAW, "1234", 4);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w: its shape has 1099511627776 elements, its "
		   "data 4 bytes");
}

static void types_without_numbers_are_not_supported(void **state)
{
	struct pb tensor;

	(void)state;
	begin(&tensor, 8, 1);
	expect_bad(&tensor, -ENOTSUP, "FILE: tensor w has data type 8");
	begin(&tensor, 99, 1);
	expect_bad(&tensor, -ENOTSUP, "FILE: tensor w has data type 99");
}

static void too_many_dimensions_are_refused(void **state)
{
	struct pb tensor;
	int i;

	(void)state;
	begin(&tensor, 1, 1);
	for (i = 0; i < 8; i++)
		pb_int(&tensor, DIMS, 1);
	expect_bad(&tensor, -EBADMSG,
		   "FILE: tensor w has 9 dimensions, at most 8 are possible");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_read_from_raw_data),
		cmocka_unit_test(typed_fields_are_read_packed_and_not),
		cmocka_unit_test(halves_may_be_coded_as_int32),
		cmocka_unit_test(wrong_sizes_are_found),
		cmocka_unit_test(types_without_numbers_are_not_supported),
		cmocka_unit_test(too_many_dimensions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
