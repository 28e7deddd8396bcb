#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"

#define LABEL_FILE_BYTES_MAX (16u << 20)
#define LABELS_MAX 1000000u

static int read_all(int fd, const char *path, unsigned char *data, size_t size,
		    struct mx_err *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mx_fail_errno(err, "read %s", path);
		if (n == 0)
			return mx_fail(err, EIO, "%s: became shorter", path);
		done += (size_t)n;
	}
	return 0;
}

int mx_file_read(const char *path, size_t max_bytes, unsigned char **data,
		 size_t *size_bytes, struct mx_err *err)
{
	unsigned char *bytes = NULL;
	struct stat st;
	size_t size;
	int fd, rc;

	/* O_NONBLOCK: a pipe must not hold us up before it is refused. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return mx_fail_errno(err, "open %s", path);
	if (fstat(fd, &st) < 0) {
		rc = mx_fail_errno(err, "stat %s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = mx_fail(err, EINVAL, "%s: no regular file", path);
		goto out;
	}
	if ((uintmax_t)st.st_size > max_bytes) {
		rc = mx_fail(err, EINVAL,
			     "%s: %jd bytes are too many, at most %zu", path,
			     (intmax_t)st.st_size, max_bytes);
		goto out;
	}
	size = (size_t)st.st_size;
	bytes = malloc(size + 1);
	if (!bytes) {
		rc = mx_fail(err, ENOMEM, "%s: no memory for %zu bytes", path,
			     size);
		goto out;
	}
	rc = read_all(fd, path, bytes, size, err);
	if (rc)
		goto out;
	bytes[size] = 0;
	*data = bytes;
	*size_bytes = size;
	bytes = NULL;
out:
	free(bytes);
	(void)close(fd);
	return rc;
}

char *mx_file_stem(const char *path, const char *suffix)
{
	size_t length = strlen(path), tail;
	const char *begin, *dot;

	while (length > 1 && path[length - 1] == '/')
		length--;
	begin = path + length;
	while (begin > path && begin[-1] != '/')
		begin--;
	length -= (size_t)(begin - path);
	if (suffix) {
		tail = strlen(suffix);
		if (length > tail &&
		    !memcmp(begin + length - tail, suffix, tail))
			length -= tail;
	} else {
		dot = memrchr(begin, '.', length);
		if (dot && dot > begin)
			length = (size_t)(dot - begin);
	}
	return strndup(begin, length);
}

int mx_file_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int mx_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *mx_file_join(const char *directory, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return NULL;
	return path;
}

void mx_file_lines_free(char **lines, size_t count)
{
	size_t i;

	for (i = 0; lines && i < count; i++)
		free(lines[i]);
	free(lines);
}

int mx_file_end(FILE *out, const char *path, struct mx_err *err)
{
	struct stat st;
	int failed, is_file;

	is_file = fstat(fileno(out), &st) == 0 && S_ISREG(st.st_mode);
	errno = 0;
	failed = fflush(out) != 0 || ferror(out);
	failed |= fclose(out) != 0;
	if (!failed)
		return 0;
	/* Of a write that failed earlier the reason is gone. */
	if (!errno)
		errno = EIO;
	(void)mx_fail_errno(err, "write %s", path);
	failed = -errno;
	if (is_file)
		(void)unlink(path);
	return failed;
}

int mx_file_lines(const char *path, char ***lines, size_t *count,
		  struct mx_err *err)
{
	char **items = NULL, **grown, *text, *rest, *line;
	size_t size_bytes, n = 0, length;
	unsigned char *data;
	int rc;

	rc = mx_file_read(path, LABEL_FILE_BYTES_MAX, &data, &size_bytes, err);
	if (rc)
		return rc;
	text = (char *)data;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		length = strlen(line);
		if (length && line[length - 1] == '\r')
			line[length - 1] = '\0';
		if (!rest && !*line)
			break;
		if (n == LABELS_MAX) {
			rc = mx_fail(err, EINVAL, "%s: more than %u lines",
				     path, LABELS_MAX);
			goto fail;
		}
		if (!(n & (n - 1))) {
			grown = realloc(items,
					(n ? 2 * n : 1) * sizeof(*items));
			if (!grown)
				goto no_memory;
			items = grown;
		}
		items[n] = strdup(line);
		if (!items[n])
			goto no_memory;
		n++;
	}
	free(data);
	*lines = items;
	*count = n;
	return 0;

no_memory:
	rc = mx_fail(err, ENOMEM, "%s: no memory for its lines", path);
fail:
	mx_file_lines_free(items, n);
	free(data);
	return rc;
}
