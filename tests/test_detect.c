#include "loader/import/detect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "tests/check.h"
#include "tests/temp_files.h"

/* Write a file, look at it, remove it. */
static enum mx_source_kind kind_of(const void *bytes, size_t count)
{
	char path[TEMP_PATH_BYTES];
	enum mx_source_kind kind;
	struct mx_err err;

	temp_file_of(path, bytes, count);
	assert_int_equal(mx_source_detect(path, &kind, &err), 0);
	unlink(path);
	return kind;
}

#define KIND_OF(text) kind_of(text, sizeof(text) - 1)

static void content_tells_the_format(void **state)
{
	(void)state;
	assert_int_equal(KIND_OF("name: \"n\xc3\xa4t\"\r\n\tlayer { }\n"),
			 MX_SOURCE_PROTOTXT);
	/* ir_version = 8 */
	assert_int_equal(KIND_OF("\x08\x08\x12\x02hi"), MX_SOURCE_ONNX);
	/* producer_name, then graph */
	assert_int_equal(KIND_OF("\x12\x02hi\x3a\x01\x00"), MX_SOURCE_ONNX);
	/* name */
	assert_int_equal(KIND_OF("\x0a\x03net\xa2\x06\x00"),
			 MX_SOURCE_CAFFEMODEL);
	/* V1 layers without a name, then a V2 layer */
	assert_int_equal(KIND_OF("\x12\x02\x00\x01\xa2\x06\x01\x00"),
			 MX_SOURCE_CAFFEMODEL);
	/* Fixed-size fields are passed over. */
	assert_int_equal(KIND_OF("\x25"
				 "1234"
				 "\x29"
				 "12345678"
				 "\x08\x01"),
			 MX_SOURCE_ONNX);
}

static void anything_else_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(KIND_OF(""), MX_SOURCE_UNKNOWN);
	assert_int_equal(
		KIND_OF("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		MX_SOURCE_UNKNOWN);
	assert_int_equal(KIND_OF("\x89PNG\r\n\x1a\n"), MX_SOURCE_UNKNOWN);
	/* A group, which no proto3 writer makes; a key that does not end. */
	assert_int_equal(KIND_OF("\x0b\x00"), MX_SOURCE_UNKNOWN);
	assert_int_equal(KIND_OF("\x12\x88"), MX_SOURCE_UNKNOWN);
	/* A field that reaches past the end, or past any file. */
	assert_int_equal(KIND_OF("\x12\x7f\x00"), MX_SOURCE_UNKNOWN);
	assert_int_equal(KIND_OF("\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
			 MX_SOURCE_UNKNOWN);
}

static void what_is_no_file_is_refused(void **state)
{
	enum mx_source_kind kind;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_source_detect("/tmp/mx/none", &kind, &err),
			 -ENOENT);
	assert_string_equal(err.text,
			    "open /tmp/mx/none: No such file or directory");
	assert_int_equal(mx_source_detect("/tmp", &kind, &err), -EINVAL);
	assert_string_equal(err.text, "/tmp: not a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_tells_the_format),
		cmocka_unit_test(anything_else_is_unknown),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
