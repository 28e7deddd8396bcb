#include "pager/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Enough for most; mountinfo may have hundreds of lines. */
#define FIRST_ROOM 4096
#define VALUE_BYTES 64

int mx_cgroup_file_path(char out[MX_CGROUP_FILE_BYTES], const char *point,
			const char *name, const char *file)
{
	const char *in = strcmp(name, "/") ? name : "";
	const int n = snprintf(out, MX_CGROUP_FILE_BYTES, "%s%s%s%s", point, in,
			       file[0] ? "/" : "", file);

	return n < 0 || n >= MX_CGROUP_FILE_BYTES ? -ENAMETOOLONG : 0;
}

/* Fill @buffer as far as the file goes: /proc hands out a page at a time. */
static ssize_t read_up_to(int fd, char *buffer, size_t room)
{
	size_t done = 0;

	while (done < room) {
		const ssize_t n = read(fd, buffer + done, room - done);

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)done;
}

int mx_cgroup_file_text(const char *path, char **out)
{
	char *text = NULL, *more;
	size_t room = 0, done = 0;
	ssize_t n;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		room = room ? 2 * room : FIRST_ROOM;
		more = realloc(text, room + 1);
		if (!more) {
			rc = -ENOMEM;
			goto fail;
		}
		text = more;
		n = read_up_to(fd, text + done, room - done);
		if (n < 0) {
			rc = (int)n;
			goto fail;
		}
		done += (size_t)n;
	} while (done == room);
	text[done] = '\0';
	(void)close(fd);
	*out = text;
	return 0;

fail:
	(void)close(fd);
	free(text);
	return rc;
}

int mx_cgroup_file_value(const struct mx_cgroup_place *place, const char *file,
			 uint64_t *out)
{
	char path[MX_CGROUP_FILE_BYTES], text[VALUE_BYTES];
	ssize_t n;
	int fd, rc;

	rc = mx_cgroup_file_path(path, place->point, place->name, file);
	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read_up_to(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return mx_cgroup_text_value(text, out);
}

int mx_cgroup_file_exists(const struct mx_cgroup_place *place, const char *file)
{
	char path[MX_CGROUP_FILE_BYTES];

	return mx_cgroup_file_path(path, place->point, place->name, file) ==
		       0 &&
	       access(path, F_OK) == 0;
}

int mx_cgroup_file_has(const struct mx_cgroup_place *place, const char *file,
		       const char *word)
{
	char path[MX_CGROUP_FILE_BYTES], *text;
	int has;

	if (mx_cgroup_file_path(path, place->point, place->name, file) ||
	    mx_cgroup_file_text(path, &text))
		return 0;
	has = mx_cgroup_text_has(text, word);
	free(text);
	return has;
}

int mx_cgroup_file_write(const char *path, const char *text)
{
	const size_t len = strlen(text);
	int fd, rc = 0;
	ssize_t n;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		rc = -errno;
	else if ((size_t)n != len)
		rc = -EIO;
	(void)close(fd);
	return rc;
}
