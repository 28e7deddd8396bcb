/*
 * The two binary formats share the protobuf wire format; these fields tell
 * them apart:
 *
 *   field  ModelProto            NetParameter
 *   1      ir_version, number    name, bytes
 *   2      producer_name, bytes  V1 layers, bytes
 *   7      graph, bytes          debug_info, number
 *   100    -                     layer, bytes
 *
 * Field 2 alone decides nothing: the walk goes on to the next one.
 */
#include "loader/import/detect.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"

enum wire {
	WIRE_NUMBER = 0,
	WIRE_8_BYTES = 1,
	WIRE_BYTES = 2,
	WIRE_4_BYTES = 5
};

/* A field's head takes 20 bytes at most; text is told by the first ones. */
#define HEAD_BYTES 512
/* ModelProto and NetParameter begin with small fields. */
#define FIELDS_MAX 4096

/* Bytes that UTF-8 never has, or control characters, are not text. */
static int is_text(const unsigned char *head, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (head[i] > 0xf7 ||
		    (head[i] < ' ' && head[i] != '\t' && head[i] != '\n' &&
		     head[i] != '\r' && head[i] != '\f'))
			return 0;
	return count > 0;
}

/* A varint at head[*at]; 0 if it does not end. */
static int varint(const unsigned char *head, size_t count, size_t *at,
		  uint64_t *out)
{
	unsigned shift;

	*out = 0;
	for (shift = 0; shift < 64 && *at < count; shift += 7) {
		const unsigned char byte = head[(*at)++];

		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return 1;
	}
	return 0;
}

/*
 * The kind that the field at @head speaks for; *@bytes is how long the field
 * is, 0 if it is none.
 */
static enum mx_source_kind judge(const unsigned char *head, size_t count,
				 uint64_t *bytes)
{
	uint64_t key, value = 0;
	size_t at = 0;

	*bytes = 0;
	if (!varint(head, count, &at, &key))
		return MX_SOURCE_UNKNOWN;
	switch (key & 7) {
	case WIRE_NUMBER:
		if (!varint(head, count, &at, &value))
			return MX_SOURCE_UNKNOWN;
		*bytes = at;
		return key >> 3 == 1 ? MX_SOURCE_ONNX : MX_SOURCE_UNKNOWN;
	case WIRE_8_BYTES:
		*bytes = at + 8;
		return MX_SOURCE_UNKNOWN;
	case WIRE_4_BYTES:
		*bytes = at + 4;
		return MX_SOURCE_UNKNOWN;
	case WIRE_BYTES:
		if (!varint(head, count, &at, &value) || value > INT64_MAX / 2)
			return MX_SOURCE_UNKNOWN;
		*bytes = at + value;
		if (key >> 3 == 1 || key >> 3 == 100)
			return MX_SOURCE_CAFFEMODEL;
		return key >> 3 == 7 ? MX_SOURCE_ONNX : MX_SOURCE_UNKNOWN;
	default:
		return MX_SOURCE_UNKNOWN;
	}
}

static int look(int fd, uint64_t size, enum mx_source_kind *out)
{
	unsigned char head[HEAD_BYTES];
	uint64_t at = 0, bytes;
	unsigned fields;
	ssize_t n;

	*out = MX_SOURCE_UNKNOWN;
	for (fields = 0; fields < FIELDS_MAX && at < size; fields++) {
		n = pread(fd, head, sizeof(head), (off_t)at);
		if (n < 0)
			return -errno;
		if (fields == 0 && is_text(head, (size_t)n)) {
			*out = MX_SOURCE_PROTOTXT;
			return 0;
		}
		*out = judge(head, (size_t)n, &bytes);
		if (*out != MX_SOURCE_UNKNOWN || bytes == 0)
			return 0;
		at += bytes;
	}
	return 0;
}

int mx_source_detect(const char *path, enum mx_source_kind *out,
		     struct mx_err *err)
{
	struct stat st;
	int fd;
	int rc;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mx_fail_errno(err, "open %s", path);
	if (fstat(fd, &st) < 0) {
		rc = mx_fail_errno(err, "stat %s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = mx_fail(err, EINVAL, "%s: not a regular file", path);
		goto out;
	}
	rc = look(fd, (uint64_t)st.st_size, out);
	if (rc) {
		errno = -rc;
		rc = mx_fail_errno(err, "read %s", path);
	}
out:
	close(fd);
	return rc;
}
