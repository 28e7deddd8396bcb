/* wrap: realloc open read */
#include "pager/cgroup_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, realloc, (void *old, size_t n), (old, n), ENOMEM, NULL)
FAULT(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n), EIO, -1)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return fault(EMFILE) ? -1 : __real_open(path, flags);
}

/* More than what is read at once. */
#define LONG_BYTES 10000

static void a_long_text_is_read_whole(void **state)
{
	static char long_text[LONG_BYTES + 1];
	const char *path;
	char *text = NULL;
	int left = 0, rc;

	memset(long_text, 'x', LONG_BYTES);
	path = scratch_dir_put(*state, "long", long_text, LONG_BYTES);
	do {
		faults_arm(left++);
		rc = mx_cgroup_file_text(path, &text);
		assert_int_equal(rc, -faults_disarm());
	} while (rc);
	assert_true(left > 6);
	assert_string_equal(text, long_text);
	free(text);

	path = scratch_dir_put(*state, "empty", "", 0);
	assert_int_equal(mx_cgroup_file_text(path, &text), 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(mx_cgroup_file_text("/nowhere", &text), -ENOENT);
}

static void a_file_is_found_by_place_and_name(void **state)
{
	char path[MX_CGROUP_FILE_BYTES];
	struct scratch_dir *dir = *state;
	struct mx_cgroup_place place = {.name = "/"};
	uint64_t value = 0;

	(void)snprintf(place.point, sizeof(place.point), "%s", dir->path);
	(void)scratch_dir_put(dir, "memory.max", "4096\n", 5);
	(void)scratch_dir_put(dir, "words", "io memory\n", 10);
	assert_int_equal(mx_cgroup_file_value(&place, "memory.max", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(mx_cgroup_file_value(&place, "words", &value),
			 -EBADMSG);
	assert_int_equal(mx_cgroup_file_value(&place, "none", &value), -ENOENT);
	assert_int_equal(mx_cgroup_file_exists(&place, "words"), 1);
	assert_int_equal(mx_cgroup_file_exists(&place, "none"), 0);
	assert_int_equal(mx_cgroup_file_has(&place, "words", "memory"), 1);
	assert_int_equal(mx_cgroup_file_has(&place, "words", "cpu"), 0);
	assert_int_equal(mx_cgroup_file_has(&place, "none", "memory"), 0);

	assert_int_equal(mx_cgroup_file_path(path, "/m", "/a/b", "f"), 0);
	assert_string_equal(path, "/m/a/b/f");
	assert_int_equal(mx_cgroup_file_path(path, "/m", "/", ""), 0);
	assert_string_equal(path, "/m");
}

static void too_long_a_path_is_refused(void **state)
{
	static char name[MX_CGROUP_FILE_BYTES + 1];
	char path[MX_CGROUP_FILE_BYTES];

	(void)state;
	memset(name, 'x', MX_CGROUP_FILE_BYTES - 1);
	assert_int_equal(mx_cgroup_file_path(path, "", name, ""), 0);
	name[MX_CGROUP_FILE_BYTES - 1] = 'x';
	assert_int_equal(mx_cgroup_file_path(path, "", name, ""),
			 -ENAMETOOLONG);
}

static void a_write_is_whole_or_an_error(void **state)
{
	const char *path = scratch_dir_put(*state, "procs", "", 0);
	char *text;

	assert_int_equal(mx_cgroup_file_write(path, "+memory"), 0);
	assert_int_equal(mx_cgroup_file_text(path, &text), 0);
	assert_string_equal(text, "+memory");
	free(text);
	/* A file is not made: a cgroup's are there or it is none. */
	path = scratch_dir_path(*state, "none");
	assert_int_equal(mx_cgroup_file_write(path, "0"), -ENOENT);
	assert_int_equal(mx_cgroup_file_write("/dev/full", "0"), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_text_is_read_whole),
		cmocka_unit_test(a_file_is_found_by_place_and_name),
		cmocka_unit_test(too_long_a_path_is_refused),
		cmocka_unit_test(a_write_is_whole_or_an_error),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
