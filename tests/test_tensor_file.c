#include "cli/tensor_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/check.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static void expect(const unsigned char *data, size_t size, uint32_t rank,
		   const float *want, size_t count)
{
	struct mx_array array;

	assert_int_equal(mx_tensor_file_decode(data, size, "x", &array, NULL),
			 0);
	assert_int_equal(array.shape.rank, rank);
	assert_int_equal(mx_shape_elems(&array.shape), count);
	assert_memory_equal(array.data, want, count * sizeof(*want));
	mx_array_fini(&array);
}

static void values_are_found_in_every_field(void **state)
{
	static const float ones[] = {1, 2};
	static const float signs[] = {1, -1};

	(void)state;
	/* dims 2; type float; raw data. */
	expect(BYTES("\x08\x02\x10\x01\x4a\x08\0\0\x80\x3f\0\0\0\x40"), 1, ones,
	       2);
	/* Packed dims 1, 2; packed float data; a name between them. */
	expect(BYTES("\x0a\x02\x01\x02\x42\x01y\x10\x01"
		     "\x22\x08\0\0\x80\x3f\0\0\0\x40"),
	       2, ones, 2);
	/* Float data not packed. */
	expect(BYTES("\x08\x02\x10\x01\x25\0\0\x80\x3f\x25\0\0\0\x40"), 1, ones,
	       2);
	/* int64 data, packed: 1 and -1. */
	expect(BYTES("\x08\x02\x10\x07\x3a\x0b\x01"
		     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	       1, signs, 2);
	/* int8 raw. */
	expect(BYTES("\x08\x02\x10\x03\x4a\x02\x01\xff"), 1, signs, 2);
	/* int32 raw, dims after it. */
	expect(BYTES("\x10\x06\x4a\x08\x01\0\0\0\xff\xff\xff\xff\x08\x02"), 1,
	       signs, 2);
	/* double data. */
	expect(BYTES("\x08\x01\x10\x0b\x52\x08\0\0\0\0\0\0\xf0\x3f"), 1, ones,
	       1);
	/* A scalar. */
	expect(BYTES("\x10\x01\x4a\x04\0\0\x80\x3f"), 0, ones, 1);
}

static void what_is_no_tensor_is_refused(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} cases[] = {
		{"", 0},
		{"hello", 5},
		/* A string tensor; a type that is not there. */
		{"\x08\x01\x10\x08", 4},
		{"\x08\x01\x4a\x04\0\0\x80\x3f", 8},
		/* Fewer values than the shape has, and more. */
		{"\x08\x03\x10\x01\x4a\x08\0\0\x80\x3f\0\0\0\x40", 14},
		{"\x08\x01\x10\x01\x4a\x08\0\0\x80\x3f\0\0\0\x40", 14},
		/* Half a value. */
		{"\x08\x01\x10\x01\x4a\x02\0\0", 8},
		/* Nine dimensions. */
		{"\x0a\x09\1\1\1\1\1\1\1\1\1\x10\x01\x4a\x04\0\0\0\0", 19},
		/* A varint of eleven bytes. */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
		/* An array as a varint, a varint as an array. */
		{"\x10\x01\x20\x01", 4},
		{"\x12\x01\x01", 3},
	};
	struct mx_array array;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mx_tensor_file_decode(
					 (const unsigned char *)cases[i].data,
					 cases[i].size, "x", &array, NULL),
				 -EBADMSG);
}

static void a_cut_file_is_refused(void **state)
{
	static const char whole[] = "\x0a\x02\x01\x02\x42\x01y\x10\x01"
				    "\x22\x08\0\0\x80\x3f\0\0\0\x40";
	struct mx_array array;
	unsigned char *part;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(whole) - 1; i++) {
		part = malloc(i ? i : 1);
		assert_non_null(part);
		memcpy(part, whole, i);
		assert_int_equal(
			mx_tensor_file_decode(part, i, "x", &array, NULL),
			-EBADMSG);
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_in_every_field),
		cmocka_unit_test(what_is_no_tensor_is_refused),
		cmocka_unit_test(a_cut_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
