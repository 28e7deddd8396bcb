/*
 * External data: a tensor's bytes in a file beside the model. A model may come
 * from anyone, so it must not make us read anything else: the file is in the
 * model's own directory (its name has no slash), is no symbolic link, and has
 * no other name (a hard link could be to a file elsewhere).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

struct location {
	const char *file;
	uint64_t offset;
	uint64_t length;
	int has_length;
};

static int parse_u64(const char *text, uint64_t *out)
{
	uint64_t value = 0;

	if (!*text)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    mx_u64_mul(value, 10, &value) ||
		    mx_u64_add(value, (uint64_t)(*text - '0'), &value))
			return -EBADMSG;
	}
	*out = value;
	return 0;
}

static int parse(const MxOnnx__TensorProto *proto, struct location *out)
{
	size_t i;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < proto->n_external_data && !rc; i++) {
		const char *key = proto->external_data[i]->key;
		const char *value = proto->external_data[i]->value;

		if (!key || !value)
			continue;
		if (strcmp(key, "location") == 0) {
			out->file = value;
		} else if (strcmp(key, "offset") == 0) {
			rc = parse_u64(value, &out->offset);
		} else if (strcmp(key, "length") == 0) {
			out->has_length = 1;
			rc = parse_u64(value, &out->length);
		}
	}
	return out->file ? rc : -EBADMSG;
}

static int is_plain_name(const char *file)
{
	return *file && !strchr(file, '/') && strcmp(file, ".") != 0 &&
	       strcmp(file, "..") != 0;
}

/* The path of @file beside the model, on the heap. */
static char *beside(const char *model, const char *file)
{
	const char *slash = strrchr(model, '/');
	size_t dir_bytes = slash ? (size_t)(slash - model) + 1 : 0;
	char *path = malloc(dir_bytes + strlen(file) + 1);

	if (!path)
		return NULL;
	memcpy(path, model, dir_bytes);
	strcpy(path + dir_bytes, file);
	return path;
}

/* Check that @path is what it seems before it is mapped. */
static int check_file(struct mx_onnx *onnx, const char *path, const char *where,
		      struct stat *st)
{
	int fd, rc = 0;

	/* Not blocking: the name might be that of a pipe. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return mx_fail(onnx->err, EBADMSG,
			       "tensor %s: its data file %s is a symbolic link",
			       where, path);
	if (fd < 0)
		return mx_fail_errno(onnx->err, "tensor %s: open %s", where,
				     path);
	if (fstat(fd, st) < 0)
		rc = mx_fail_errno(onnx->err, "stat %s", path);
	else if (!S_ISREG(st->st_mode))
		rc = mx_fail(onnx->err, EBADMSG,
			     "tensor %s: its data file %s is no regular file",
			     where, path);
	else if (st->st_nlink > 1)
		rc = mx_fail(onnx->err, EBADMSG,
			     "tensor %s: its data file %s has other names "
			     "(hard links)",
			     where, path);
	close(fd);
	return rc;
}

static int map_file(struct mx_onnx *onnx, const char *file, const char *where,
		    const struct mx_onnx_external **out)
{
	struct mx_onnx_external *grown, *entry;
	char *path = NULL;
	struct stat st;
	size_t i;
	int rc;

	for (i = 0; i < onnx->external_count; i++) {
		*out = &onnx->externals[i];
		if (strcmp((*out)->location, file) == 0)
			return 0;
	}
	grown = realloc(onnx->externals,
			(onnx->external_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	onnx->externals = grown;
	entry = &grown[onnx->external_count];
	memset(entry, 0, sizeof(*entry));
	entry->location = strdup(file);
	path = beside(onnx->opts->source, file);
	rc = entry->location && path ? 0 : -ENOMEM;
	if (!rc)
		rc = check_file(onnx, path, where, &st);
	if (!rc && st.st_size > 0)
		rc = mx_import_source_map(onnx->source, path, &entry->data,
					  &entry->size_bytes, onnx->err);
	free(path);
	if (rc) {
		free(entry->location);
		return rc;
	}
	onnx->external_count++;
	*out = entry;
	return 0;
}

int mx_onnx_external_data(struct mx_onnx *onnx,
			  const MxOnnx__TensorProto *proto, const char *where,
			  size_t want_bytes, struct mx_onnx_span *out)
{
	const struct mx_onnx_external *file;
	struct location at;
	int rc;

	if (proto->data_location != 1 || parse(proto, &at))
		return mx_fail(onnx->err, EBADMSG,
			       "%s: tensor %s: its external data is not "
			       "described",
			       onnx->opts->source, where);
	if (!is_plain_name(at.file))
		return mx_fail(onnx->err, EBADMSG,
			       "%s: tensor %s: its data file %s is not in the "
			       "model's directory",
			       onnx->opts->source, where, at.file);
	rc = map_file(onnx, at.file, where, &file);
	if (rc)
		return rc;
	if (at.offset > file->size_bytes ||
	    (at.has_length && at.length > file->size_bytes - at.offset))
		return mx_fail(onnx->err, EBADMSG,
			       "%s: tensor %s: its data file %s has only %zu "
			       "bytes",
			       onnx->opts->source, where, at.file,
			       file->size_bytes);
	out->data = file->data + at.offset;
	out->size = at.has_length
			    ? (size_t)at.length
			    : mx_size_min(want_bytes,
					  file->size_bytes - (size_t)at.offset);
	return 0;
}
