#include "cli/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "tests/scratch_dir.h"

static void a_stem_is_the_last_component_without_its_ending(void **state)
{
	static const struct {
		const char *path;
		const char *suffix;
		const char *want;
	} cases[] = {
		{"m/vgg19.mx/", ".mx", "vgg19"},
		{"vgg19.mx", ".mx", "vgg19"},
		{"vgg19", ".mx", "vgg19"},
		{".mx", ".mx", ".mx"},
		{"a.b/net.v2.onnx", NULL, "net.v2"},
		{".hidden", NULL, ".hidden"},
		{"/", ".mx", ""},
		{"net.mx", "", "net.mx"},
	};
	char *stem;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stem = mx_file_stem(cases[i].path, cases[i].suffix);
		assert_string_equal(stem, cases[i].want);
		free(stem);
	}
}

static void a_file_is_read_whole_up_to_its_cap(void **state)
{
	struct scratch_dir *dir = *state;
	unsigned char *data;
	struct mx_err err;
	char want[256];
	size_t size;

	scratch_dir_put(dir, "f", "12345", 5);
	assert_int_equal(mx_file_read(dir->file, 5, &data, &size, &err), 0);
	assert_int_equal(size, 5);
	assert_string_equal(data, "12345");
	free(data);
	assert_int_equal(mx_file_read(dir->file, 4, &data, &size, &err),
			 -EINVAL);
	(void)snprintf(want, sizeof(want),
		       "%s: 5 bytes are too many, at most 4", dir->file);
	assert_string_equal(err.text, want);
	assert_int_equal(mx_file_read(dir->path, 4, &data, &size, &err),
			 -EINVAL);
	scratch_dir_path(dir, "fifo");
	assert_int_equal(mkfifo(dir->file, 0600), 0);
	/* Nobody writes to it: it must not hang. */
	assert_int_equal(mx_file_read(dir->file, 4, &data, &size, &err),
			 -EINVAL);
	scratch_dir_path(dir, "none");
	assert_int_equal(mx_file_read(dir->file, 4, &data, &size, &err),
			 -ENOENT);
}

static void expect_lines(struct scratch_dir *dir, const char *text,
			 size_t count, const char *last)
{
	char **lines;
	size_t n;

	scratch_dir_put(dir, "lines", text, strlen(text));
	assert_int_equal(mx_file_lines(dir->file, &lines, &n, NULL), 0);
	assert_int_equal(n, count);
	if (count)
		assert_string_equal(lines[count - 1], last);
	mx_file_lines_free(lines, n);
}

static void lines_end_in_any_way(void **state)
{
	struct scratch_dir *dir = *state;

	expect_lines(dir, "", 0, NULL);
	expect_lines(dir, "a", 1, "a");
	expect_lines(dir, "a\nb\n", 2, "b");
	expect_lines(dir, "a\r\nb c\r\n", 2, "b c");
	/* An empty label in the middle keeps the others' numbers. */
	expect_lines(dir, "a\n\nc", 3, "c");
	expect_lines(dir, "\n", 1, "");
}

static void what_is_not_written_whole_is_removed(void **state)
{
	struct scratch_dir *dir = *state;
	const char *path = scratch_dir_path(dir, "out");
	char full[] = "/dev/full";
	struct mx_err err;
	char want[512];
	FILE *out;

	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fputs("whole", out) < 0, 0);
	assert_int_equal(mx_file_end(out, path, &err), 0);
	assert_int_equal(access(path, F_OK), 0);

	/* A stream open for reading alone takes nothing. */
	out = fopen(path, "r");
	assert_non_null(out);
	assert_int_equal(fputs("more", out), EOF);
	assert_int_equal(mx_file_end(out, path, &err), -EIO);
	(void)snprintf(want, sizeof(want), "write %s: Input/output error",
		       path);
	assert_string_equal(err.text, want);
	assert_int_equal(access(path, F_OK), -1);

	out = fopen(full, "w");
	assert_non_null(out);
	(void)fputs("x", out);
	assert_int_equal(mx_file_end(out, full, &err), -ENOSPC);
	assert_string_equal(err.text,
			    "write /dev/full: No space left on device");
	assert_int_equal(access(full, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_stem_is_the_last_component_without_its_ending),
		cmocka_unit_test(a_file_is_read_whole_up_to_its_cap),
		cmocka_unit_test(lines_end_in_any_way),
		cmocka_unit_test(what_is_not_written_whole_is_removed),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
