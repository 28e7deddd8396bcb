/*
 * Files inside a model directory, read with suspicion: a name there may be a
 * link out of the directory, a FIFO that would block, or a huge file.
 */
#include "loader/model_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"

int mx_entry_open(int dir_fd, const char *dir_path, const char *name, int *fd,
		  uint64_t *size_bytes, struct mx_err *err)
{
	struct stat st;
	int file;
	int rc;

	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	file = openat(dir_fd, name,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0 && errno == ELOOP)
		return mx_fail(err, EBADMSG, "%s/%s: is a symbolic link",
			       dir_path, name);
	if (file < 0)
		return mx_fail_errno(err, "open %s/%s", dir_path, name);
	if (fstat(file, &st) < 0) {
		rc = mx_fail_errno(err, "stat %s/%s", dir_path, name);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = mx_fail(err, EBADMSG, "%s/%s: is no regular file",
			     dir_path, name);
		goto fail;
	}
	*fd = file;
	*size_bytes = (uint64_t)st.st_size;
	return 0;

fail:
	(void)close(file);
	return rc;
}

int mx_entry_read(int dir_fd, const char *dir_path, const char *name,
		  size_t cap, unsigned char **bytes, size_t *size,
		  struct mx_err *err)
{
	unsigned char *data = NULL;
	uint64_t file_bytes;
	size_t used = 0;
	ssize_t got;
	int fd;
	int rc;

	rc = mx_entry_open(dir_fd, dir_path, name, &fd, &file_bytes, err);
	if (rc)
		return rc;
	if (file_bytes > cap) {
		rc = mx_fail(err, EBADMSG,
			     "%s/%s: %" PRIu64 " bytes are more than %zu",
			     dir_path, name, file_bytes, cap);
		goto fail;
	}
	data = malloc((size_t)file_bytes + 1);
	if (!data) {
		rc = mx_fail_errno(err, "read %s/%s", dir_path, name);
		goto fail;
	}
	while (used < file_bytes) {
		got = read(fd, data + used, (size_t)file_bytes - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = mx_fail_errno(err, "read %s/%s", dir_path, name);
			goto fail;
		}
		if (got == 0) {
			rc = mx_fail(err, EIO,
				     "read %s/%s: it ends at %zu of %" PRIu64
				     " bytes",
				     dir_path, name, used, file_bytes);
			goto fail;
		}
		used += (size_t)got;
	}
	data[used] = 0;
	(void)close(fd);
	*bytes = data;
	*size = used;
	return 0;

fail:
	free(data);
	(void)close(fd);
	return rc;
}
