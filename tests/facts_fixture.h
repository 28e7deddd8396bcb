/*
 * A small file on a disk, and what the page cache has of it, for tests of what
 * we take for granted about the kernel.
 */
#ifndef MX_TESTS_FACTS_FIXTURE_H
#define MX_TESTS_FACTS_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "pager/cgroup_file.h"
#include "pager/cgroup_text.h"
#include "pager/reader.h"
#include "tests/check.h"
#include "tests/temp_files.h"

#define TMPFS 0x01021994
#define FILE_BYTES ((size_t)1 << 20)
#define BLOCK ((size_t)MX_READ_ALIGN_BYTES)

struct scratch {
	char path[TEMP_PATH_BYTES];
	int fd; /* read only */
	size_t size_bytes;
	unsigned char *map;
	size_t page;
};

#define SKIP(...)                                                              \
	do {                                                                   \
		print_message("not shown here: " __VA_ARGS__);                 \
		print_message("\n");                                           \
		skip();                                                        \
	} while (0)

static inline unsigned char byte_at(size_t offset)
{
	return (unsigned char)(1 + offset % 251);
}

static inline void fill(int fd, size_t size_bytes)
{
	unsigned char *bytes = malloc(size_bytes);
	size_t i;

	assert_non_null(bytes);
	for (i = 0; i < size_bytes; i++)
		bytes[i] = byte_at(i);
	assert_int_equal(write(fd, bytes, size_bytes), size_bytes);
	/* Only clean pages can be dropped. */
	assert_int_equal(fsync(fd), 0);
	free(bytes);
}

static inline int setup(void **state)
{
	struct scratch *file = calloc(1, sizeof(*file));
	int fd;

	if (!file)
		return -1;
	*state = file;
	fd = temp_file(file->path);
	file->size_bytes = FILE_BYTES;
	fill(fd, FILE_BYTES);
	close(fd);
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	file->map = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, file->fd, 0);
	file->page = (size_t)sysconf(_SC_PAGESIZE);
	return file->fd < 0 || file->map == MAP_FAILED ? -1 : 0;
}

static inline int teardown(void **state)
{
	struct scratch *file = *state;

	munmap(file->map, FILE_BYTES);
	close(file->fd);
	unlink(file->path);
	free(file);
	return 0;
}

/* Bytes of the file that are in the page cache. */
static inline size_t cached(const struct scratch *file)
{
	const size_t pages = (file->size_bytes + file->page - 1) / file->page;
	unsigned char *there = calloc(pages, 1);
	void *map = mmap(NULL, file->size_bytes, PROT_READ, MAP_SHARED,
			 file->fd, 0);
	size_t count = 0;
	size_t i;

	assert_non_null(there);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mincore(map, file->size_bytes, there), 0);
	for (i = 0; i < pages; i++)
		count += there[i] & 1;
	munmap(map, file->size_bytes);
	free(there);
	return count * file->page;
}

static inline void need_droppable_cache(const struct scratch *file)
{
	struct statfs fs;

	assert_int_equal(statfs(file->path, &fs), 0);
	if (fs.f_type == TMPFS)
		SKIP("%s is on tmpfs, which is nothing but cache", file->path);
}

static inline void make_cold(const struct scratch *file)
{
	need_droppable_cache(file);
	assert_int_equal(posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(cached(file), 0);
}

static inline int open_direct(const struct scratch *file)
{
	const int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_DIRECT);

	if (fd < 0 && errno == EINVAL)
		SKIP("no O_DIRECT at %s", file->path);
	assert_true(fd >= 0);
	return fd;
}

/* Read a byte of each page. Sanitizers' shadow memory would fault as well. */
__attribute__((no_sanitize_address, no_sanitize_thread)) static inline unsigned
touch(const volatile unsigned char *data, size_t size_bytes, size_t page)
{
	unsigned sum = 0;
	size_t at;

	for (at = 0; at < size_bytes; at += page)
		sum += data[at];
	return sum;
}

/* The number behind @key in a file of /proc, or -1. */
static inline int64_t proc_value(const char *path, const char *key)
{
	uint64_t value = 0;
	char *text;
	int rc;

	if (mx_cgroup_file_text(path, &text))
		return -1;
	rc = mx_cgroup_text_key(text, key, &value);
	free(text);
	return rc ? -1 : (int64_t)value;
}

#define FACT(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
