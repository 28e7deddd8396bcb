/*
 * Files of a test's own. All of a test program's lie in one directory, below
 * $TMPDIR (or else /var/tmp, which is on a disk more often than /tmp), which is
 * made when it is first asked for and goes with all that is in it when the
 * program exits, whether its tests have passed or failed.
 */
#ifndef MX_TESTS_TEMP_FILES_H
#define MX_TESTS_TEMP_FILES_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"

#define TEMP_PATH_BYTES 128
#define TEMP_FDS 16

static char temp_root_path[TEMP_PATH_BYTES - 32];
static pid_t temp_owner; /* a child that it forked leaves everything */

static inline int temp_remove_one(const char *path, const struct stat *stat,
				  int kind, struct FTW *at)
{
	(void)stat;
	(void)kind;
	(void)at;
	(void)remove(path);
	return 0;
}

/* Whatever @path is; what is not there is gone already. */
static inline void temp_remove(const char *path)
{
	(void)nftw(path, temp_remove_one, TEMP_FDS, FTW_DEPTH | FTW_PHYS);
}

static inline void temp_end(void)
{
	if (getpid() == temp_owner)
		temp_remove(temp_root_path);
}

static inline const char *temp_root(void)
{
	const char *tmp = getenv("TMPDIR");
	int length;

	if (temp_owner)
		return temp_root_path;
	length = snprintf(temp_root_path, sizeof(temp_root_path),
			  "%s/mx-XXXXXX", tmp && *tmp ? tmp : "/var/tmp");
	if (length >= (int)sizeof(temp_root_path))
		fail_msg("TMPDIR is too long: %s", tmp);
	assert_non_null(mkdtemp(temp_root_path));
	temp_owner = getpid();
	assert_int_equal(atexit(temp_end), 0);
	return temp_root_path;
}

/* A new empty directory. */
static inline void temp_directory(char path[TEMP_PATH_BYTES])
{
	(void)snprintf(path, TEMP_PATH_BYTES, "%s/d-XXXXXX", temp_root());
	assert_non_null(mkdtemp(path));
}

/* A new empty file, open for reading and writing. */
static inline int temp_file(char path[TEMP_PATH_BYTES])
{
	int fd;

	(void)snprintf(path, TEMP_PATH_BYTES, "%s/f-XXXXXX", temp_root());
	fd = mkstemp(path);
	assert_true(fd >= 0);
	return fd;
}

/* A new file of @size bytes. */
static inline void temp_file_of(char path[TEMP_PATH_BYTES], const void *data,
				size_t size)
{
	const int fd = temp_file(path);

	if (size > 0)
		assert_int_equal(write(fd, data, size), size);
	assert_int_equal(close(fd), 0);
}

#endif
