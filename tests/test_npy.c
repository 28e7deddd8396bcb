#include "cli/npy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "lib/err.h"
#include "tests/scratch_dir.h"

/* An .npy file of version @version in @out; returns its size. */
static size_t make(unsigned char *out, int version, const char *header,
		   const void *data, size_t data_bytes)
{
	const size_t length = strlen(header);
	size_t at = 8;

	memcpy(out, "\x93NUMPY", 6);
	out[6] = (unsigned char)version;
	out[7] = 0;
	out[at++] = (unsigned char)(length & 0xff);
	out[at++] = (unsigned char)(length >> 8);
	if (version > 1) {
		out[at++] = 0;
		out[at++] = 0;
	}
	memcpy(out + at, header, length);
	memcpy(out + at + length, data, data_bytes);
	return at + length + data_bytes;
}

static void every_type_becomes_float(void **state)
{
	static const double f8[] = {1.5, -2};
	static const int32_t i4[] = {1, -2};
	static const int64_t i8[] = {1, -2};
	static const int8_t i1[] = {1, -2};
	static const uint8_t u1[] = {1, 254};
	static const uint8_t b1[] = {1, 7};
	static const struct {
		const char *descr;
		const void *data;
		size_t bytes;
		float want[2];
	} cases[] = {
		{"<f8", f8, sizeof(f8), {1.5f, -2}},
		{"<i4", i4, sizeof(i4), {1, -2}},
		{"<i8", i8, sizeof(i8), {1, -2}},
		{"|i1", i1, sizeof(i1), {1, -2}},
		{"|u1", u1, sizeof(u1), {1, 254}},
		{"|b1", b1, sizeof(b1), {1, 1}},
	};
	unsigned char file[256];
	struct mx_array array;
	char header[128];
	size_t size, i;
	int version;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (version = 1; version <= 3; version++) {
			(void)snprintf(header, sizeof(header),
				       "{'descr': '%s', 'fortran_order': "
				       "False, 'shape': (2,), }\n",
				       cases[i].descr);
			size = make(file, version, header, cases[i].data,
				    cases[i].bytes);
			assert_int_equal(
				mx_npy_decode(file, size, "x", &array, NULL),
				0);
			assert_int_equal(array.shape.rank, 1);
			assert_int_equal(array.shape.dim[0], 2);
			assert_memory_equal(array.data, cases[i].want,
					    sizeof(cases[i].want));
			mx_array_fini(&array);
		}
	}
}

static void what_is_wrong_is_refused_and_named(void **state)
{
	static const struct {
		const char *header;
		const char *why;
	} cases[] = {
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
		 "x: element type '>f4', ' is not read: save it as float32"},
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }",
		 "x: Fortran order is not read: save it with "
		 "numpy.ascontiguousarray()"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }",
		 "x: has 4 bytes of data, fewer than its shape needs"},
		{"{'descr': '<f4', 'fortran_order': False, "
		 "'shape': (99999999999, 99999999999), }",
		 "x: has 4 bytes of data, fewer than its shape needs"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
		 "x: its .npy header has no valid shape"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1",
		 "x: its .npy header has no valid shape"},
		{"{'descr': '<f4', 'fortran_order': False, "
		 "'shape': (1,1,1,1,1,1,1,1,1), }",
		 "x: its .npy header has no valid shape"},
		{"{'descr': '<f4', 'shape': (1,), }",
		 "x: its .npy header is not valid"},
		{"{'descr' '<f4'}", "x: its .npy header is not valid"},
	};
	static const float data[] = {1};
	unsigned char file[256];
	struct mx_array array;
	struct mx_err err;
	size_t size, i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size = make(file, 1, cases[i].header, data, sizeof(data));
		assert_int_equal(mx_npy_decode(file, size, "x", &array, &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].why);
	}
	size = make(file, 4, cases[0].header, data, sizeof(data));
	assert_int_equal(mx_npy_decode(file, size, "x", &array, &err),
			 -EBADMSG);
	assert_string_equal(err.text, "x: .npy version 4 is not read");
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	static const float data[] = {1, 2};
	unsigned char file[256], *part;
	struct mx_array array;
	size_t size, i;

	(void)state;
	size = make(file, 1,
		    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
		    data, sizeof(data));
	for (i = 0; i < size; i++) {
		/* Its own allocation, so that ASan sees a byte too many. */
		part = malloc(i ? i : 1);
		assert_non_null(part);
		memcpy(part, file, i);
		assert_int_equal(mx_npy_decode(part, i, "x", &array, NULL),
				 -EBADMSG);
		free(part);
	}
}

static void what_is_written_is_read_again(void **state)
{
	static const float values[] = {1, 2.5f, -3, 4, 5, 6};
	struct scratch_dir *dir = *state;
	struct mx_shape shapes[] = {
		{.rank = 0},
		{.rank = 1, .dim = {6}},
		{.rank = 2, .dim = {2, 3}},
		{.rank = 8, .dim = {1, 1, 1, 1, 1, 1, 1, 1048576}},
	};
	struct mx_array array;
	unsigned char *data;
	size_t size, i;

	shapes[3].dim[7] = 6;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(mx_npy_write(scratch_dir_path(dir, "a.npy"),
					      &shapes[i], values, NULL),
				 0);
		assert_int_equal(
			mx_file_read(dir->file, 4096, &data, &size, NULL), 0);
		/* NumPy wants the data aligned to 64 bytes. */
		assert_int_equal((size - 4 * mx_shape_elems(&shapes[i])) % 64,
				 0);
		assert_int_equal(mx_npy_decode(data, size, "a", &array, NULL),
				 0);
		assert_true(mx_shape_equal(&array.shape, &shapes[i]));
		assert_memory_equal(array.data, values,
				    4 * mx_shape_elems(&shapes[i]));
		mx_array_fini(&array);
		free(data);
	}
	assert_int_equal(
		mx_npy_write("/nonexistent/a.npy", &shapes[0], values, NULL),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_becomes_float),
		cmocka_unit_test(what_is_wrong_is_refused_and_named),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
