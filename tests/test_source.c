/* mx_import_source_*: mapped source files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/err.h"
#include "loader/import/import.h"
#include "tests/check.h"
#include "tests/temp_files.h"

#define BIG_BYTES ((size_t)3 << 20)

static void make_file(char *path, size_t bytes, unsigned char first)
{
	unsigned char *data = malloc(bytes + 1);
	size_t i;

	assert_non_null(data);
	for (i = 0; i < bytes; i++)
		data[i] = (unsigned char)(first + i * 7);
	temp_file_of(path, data, bytes);
	free(data);
}

static void several_files_are_mapped_and_dropped_bytes_read_again(void **state)
{
	char a[TEMP_PATH_BYTES], b[TEMP_PATH_BYTES];
	struct mx_import_source *source = NULL;
	const unsigned char *x, *y;
	struct mx_err err;
	size_t m, n, i;

	(void)state;
	make_file(a, BIG_BYTES, 1);
	make_file(b, 10, 9);
	assert_int_equal(mx_import_source_map(&source, a, &x, &m, &err), 0);
	assert_int_equal(mx_import_source_map(&source, b, &y, &n, &err), 0);
	assert_int_equal(m, BIG_BYTES);
	assert_int_equal(n, 10);
	mx_import_source_drop(source, x + 5, BIG_BYTES);
	mx_import_source_drop(source, y, SIZE_MAX);
	mx_import_source_drop(source, &err, sizeof(err));
	for (i = 0; i < m; i++)
		assert_true(x[i] == (unsigned char)(1 + i * 7));
	for (i = 0; i < n; i++)
		assert_true(y[i] == (unsigned char)(9 + i * 7));
	mx_import_source_close(source);
	unlink(a);
	unlink(b);
}

static void the_hash_is_of_all_bytes_in_order(void **state)
{
	char a[TEMP_PATH_BYTES], b[TEMP_PATH_BYTES];
	unsigned char *all = malloc(BIG_BYTES + 10);
	struct mx_import_source *source = NULL;
	const unsigned char *x, *y;
	struct mx_err err;
	uint64_t hash = 0;
	size_t m, n;

	(void)state;
	assert_non_null(all);
	make_file(a, BIG_BYTES, 1);
	make_file(b, 10, 9);
	assert_int_equal(mx_import_source_map(&source, a, &x, &m, &err), 0);
	assert_int_equal(mx_import_source_map(&source, b, &y, &n, &err), 0);
	memcpy(all, x, m);
	memcpy(all + m, y, n);
	assert_int_equal(mx_import_source_hash(source, &hash, &err), 0);
	assert_true(hash == XXH3_64bits(all, m + n));
	/* A source that shrinks while it is read is no endless loop. */
	assert_int_equal(truncate(a, 100), 0);
	assert_int_equal(mx_import_source_hash(source, &hash, &err), -EBADMSG);
	assert_string_equal(err.text, "the source shrinks while it is read");
	mx_import_source_close(source);
	free(all);
	unlink(a);
	unlink(b);
}

static void empty_files_have_no_bytes(void **state)
{
	char a[TEMP_PATH_BYTES];
	struct mx_import_source *source = NULL;
	const unsigned char *x = NULL;
	struct mx_err err;
	size_t m = 1;

	(void)state;
	make_file(a, 0, 0);
	assert_int_equal(mx_import_source_map(&source, a, &x, &m, &err), 0);
	assert_int_equal(m, 0);
	assert_non_null(x);
	mx_import_source_close(source);
	mx_import_source_close(NULL);
	unlink(a);
}

static void what_cannot_be_mapped_is_refused(void **state)
{
	struct mx_import_source *source = NULL;
	const unsigned char *x;
	struct mx_err err;
	size_t m;

	(void)state;
	assert_int_equal(
		mx_import_source_map(&source, "/tmp/mx/none", &x, &m, &err),
		-ENOENT);
	assert_string_equal(err.text,
			    "open /tmp/mx/none: No such file or directory");
	assert_int_equal(mx_import_source_map(&source, "/tmp", &x, &m, &err),
			 -EINVAL);
	assert_string_equal(err.text, "/tmp: not a regular file");
	mx_import_source_close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			several_files_are_mapped_and_dropped_bytes_read_again),
		cmocka_unit_test(the_hash_is_of_all_bytes_in_order),
		cmocka_unit_test(empty_files_have_no_bytes),
		cmocka_unit_test(what_cannot_be_mapped_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
