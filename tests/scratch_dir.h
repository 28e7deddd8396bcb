/*
 * A directory of a test's own, for tests that need files.
 */
#ifndef MX_TESTS_SCRATCH_DIR_H
#define MX_TESTS_SCRATCH_DIR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/temp_files.h"

struct scratch_dir {
	char path[TEMP_PATH_BYTES];
	char file[TEMP_PATH_BYTES +
		  64]; /* of the last scratch_dir_put() or _path() */
};

static inline int scratch_dir_setup(void **state)
{
	struct scratch_dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return -1;
	temp_directory(dir->path);
	*state = dir;
	return 0;
}

static inline int scratch_dir_teardown(void **state)
{
	struct scratch_dir *dir = *state;

	temp_remove(dir->path);
	free(dir);
	return 0;
}

static inline const char *scratch_dir_path(struct scratch_dir *dir,
					   const char *name)
{
	(void)snprintf(dir->file, sizeof(dir->file), "%s/%.60s", dir->path,
		       name);
	return dir->file;
}

/* Write a file; its path lives until the next call. */
static inline const char *scratch_dir_put(struct scratch_dir *dir,
					  const char *name, const void *data,
					  size_t size_bytes)
{
	FILE *out = fopen(scratch_dir_path(dir, name), "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, size_bytes, out), size_bytes);
	assert_int_equal(fclose(out), 0);
	return dir->file;
}

#endif
