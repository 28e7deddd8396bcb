#include "loader/import/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/err.h"

/* Bytes that are read at once for the hash. */
#define READ_BYTES ((size_t)1 << 20)

struct file {
	unsigned char *base; /* NULL: the file is empty */
	size_t size_bytes;
	int fd;
	/* The file was in the page cache when we came: it stays there. */
	int was_cached;
};

struct mx_import_source {
	struct file *files;
	size_t count;
	size_t page_bytes;
};

void mx_import_source_close(struct mx_import_source *source)
{
	size_t i;

	if (!source)
		return;
	for (i = 0; i < source->count; i++) {
		if (source->files[i].base)
			munmap(source->files[i].base,
			       source->files[i].size_bytes);
		close(source->files[i].fd);
	}
	free(source->files);
	free(source);
}

/*
 * Whether the file is in the page cache, by 64 samples over its length. It
 * decides about politeness only, so a wrong guess harms nothing.
 */
static int is_cached(const struct file *file, size_t page_bytes)
{
	const size_t pages = (file->size_bytes + page_bytes - 1) / page_bytes;
	size_t hits = 0, i;

	for (i = 0; i < 64; i++) {
		const size_t page = pages / 64 * i + pages % 64 * i / 64;
		unsigned char resident = 0;

		if (mincore(file->base + page * page_bytes, page_bytes,
			    &resident) == 0 &&
		    (resident & 1))
			hits++;
	}
	return hits > 32;
}

static int map_file(struct file *file, size_t page_bytes, const char *path,
		    struct mx_err *err)
{
	struct stat st;
	int rc;

	file->base = NULL;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return mx_fail_errno(err, "open %s", path);
	if (fstat(file->fd, &st) < 0) {
		rc = mx_fail_errno(err, "stat %s", path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = mx_fail(err, EINVAL, "%s: not a regular file", path);
		goto fail;
	}
	file->size_bytes = (size_t)st.st_size;
	if (file->size_bytes == 0)
		return 0;
	file->base = mmap(NULL, file->size_bytes, PROT_READ, MAP_PRIVATE,
			  file->fd, 0);
	if (file->base == MAP_FAILED) {
		rc = mx_fail_errno(err, "map %s", path);
		goto fail;
	}
	file->was_cached = is_cached(file, page_bytes);
	return 0;

fail:
	close(file->fd);
	return rc;
}

int mx_import_source_map(struct mx_import_source **source, const char *path,
			 const unsigned char **data, size_t *size_bytes,
			 struct mx_err *err)
{
	static const unsigned char nothing[1];
	struct mx_import_source *s = *source;
	struct file *files;
	int rc;

	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return mx_fail_errno(err, "map %s", path);
		s->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
		*source = s;
	}
	files = realloc(s->files, (s->count + 1) * sizeof(*files));
	if (!files)
		return mx_fail_errno(err, "map %s", path);
	s->files = files;
	rc = map_file(&files[s->count], s->page_bytes, path, err);
	if (rc)
		return rc;
	*data = files[s->count].base ? files[s->count].base : nothing;
	*size_bytes = files[s->count].size_bytes;
	s->count++;
	return 0;
}

void mx_import_source_drop(const struct mx_import_source *source,
			   const void *data, size_t size_bytes)
{
	const uintptr_t first = (uintptr_t)data;
	size_t i;

	for (i = 0; source && i < source->count; i++) {
		const struct file *file = &source->files[i];
		const uintptr_t base = (uintptr_t)file->base;
		size_t begin, end;

		if (!file->base || first < base ||
		    first - base >= file->size_bytes)
			continue;
		begin = first - base;
		end = size_bytes < file->size_bytes - begin ? begin + size_bytes
							    : file->size_bytes;
		begin -= begin % source->page_bytes;
		end -= end % source->page_bytes;
		if (begin >= end)
			return;
		/* The cache keeps mapped pages, so it is told second. Both are
		 * hints: what stays costs memory, nothing else. */
		(void)madvise(file->base + begin, end - begin, MADV_DONTNEED);
		if (!file->was_cached)
			(void)posix_fadvise(file->fd, (off_t)begin,
					    (off_t)(end - begin),
					    POSIX_FADV_DONTNEED);
		return;
	}
}

static int hash_file(XXH3_state_t *state, const struct file *file,
		     unsigned char *buffer, struct mx_err *err)
{
	size_t at = 0;

	while (at < file->size_bytes) {
		const ssize_t n =
			pread(file->fd, buffer, READ_BYTES, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mx_fail_errno(err, "read the source at %zu", at);
		if (n == 0)
			return mx_fail(err, EBADMSG,
				       "the source shrinks while it is read");
		XXH3_64bits_update(state, buffer, (size_t)n);
		at += (size_t)n;
	}
	return 0;
}

int mx_import_source_hash(const struct mx_import_source *source, uint64_t *hash,
			  struct mx_err *err)
{
	XXH3_state_t state;
	unsigned char *buffer;
	size_t i;
	int rc = 0;

	buffer = malloc(READ_BYTES);
	if (!buffer)
		return mx_fail_errno(err, "hash the source");
	XXH3_64bits_reset(&state);
	for (i = 0; source && i < source->count && !rc; i++)
		rc = hash_file(&state, &source->files[i], buffer, err);
	free(buffer);
	if (!rc)
		*hash = XXH3_64bits_digest(&state);
	return rc;
}
