/*
 * A header is "\x93NUMPY", two bytes of version, the length of the rest (2
 * bytes, from version 2 on 4) and a Python dictionary:
 * {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }
 */
#include "cli/npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "lib/err.h"
#include "lib/size.h"

static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

#define PREFIX_BYTES 10 /* magic, version, length: version 1 */
#define HEADER_BYTES_MAX 65536u
#define HEADER_ALIGN_BYTES 64

struct npy_type {
	const char *descr;
	size_t bytes;
	float (*get)(const unsigned char *at);
};

static float get_f4(const unsigned char *at)
{
	float value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static float get_f8(const unsigned char *at)
{
	double value;

	memcpy(&value, at, sizeof(value));
	return (float)value;
}

static float get_i4(const unsigned char *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	return (float)value;
}

static float get_i8(const unsigned char *at)
{
	int64_t value;

	memcpy(&value, at, sizeof(value));
	return (float)value;
}

static float get_u1(const unsigned char *at)
{
	return (float)*at;
}

static float get_i1(const unsigned char *at)
{
	return (float)(int8_t)*at;
}

static float get_b1(const unsigned char *at)
{
	return *at ? 1.0f : 0.0f;
}

static const struct npy_type types[] = {
	{"<f4", 4, get_f4}, {"<f8", 8, get_f8}, {"<i4", 4, get_i4},
	{"<i8", 8, get_i8}, {"|u1", 1, get_u1}, {"|i1", 1, get_i1},
	{"|b1", 1, get_b1},
};

struct npy_header {
	const struct npy_type *type;
	struct mx_shape shape;
};

int mx_npy_is(const unsigned char *data, size_t size_bytes)
{
	return size_bytes >= sizeof(magic) &&
	       !memcmp(data, magic, sizeof(magic));
}

/* The text behind 'key': in @text, spaces skipped; NULL if there is none. */
static const char *find_value(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at)
		return NULL;
	at += strlen(key);
	while (isspace((unsigned char)*at))
		at++;
	if (*at++ != ':')
		return NULL;
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

static int parse_shape(const char *at, struct mx_shape *shape)
{
	unsigned long long value;
	char *end;

	shape->rank = 0;
	if (*at++ != '(')
		return -EBADMSG;
	for (;;) {
		while (isspace((unsigned char)*at) || *at == ',')
			at++;
		if (*at == ')')
			return 0;
		if (!isdigit((unsigned char)*at) || shape->rank == MX_RANK_MAX)
			return -EBADMSG;
		errno = 0;
		value = strtoull(at, &end, 10);
		if (errno || value > MX_ELEMS_MAX)
			return -EBADMSG;
		shape->dim[shape->rank++] = (size_t)value;
		at = end;
		/* Python 2 wrote long integers so. */
		if (*at == 'L')
			at++;
	}
}

static int parse_type(const char *at, const char *name,
		      const struct npy_type **out, struct mx_err *err)
{
	size_t i, length;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		length = strlen(types[i].descr);
		if ((*at == '\'' || *at == '"') &&
		    !strncmp(at + 1, types[i].descr, length) &&
		    at[length + 1] == *at) {
			*out = &types[i];
			return 0;
		}
	}
	return mx_fail(err, EBADMSG,
		       "%s: element type %.8s is not read: save it as float32",
		       name, at);
}

static int parse_header(const char *text, const char *name,
			struct npy_header *header, struct mx_err *err)
{
	const char *descr = find_value(text, "'descr'");
	const char *order = find_value(text, "'fortran_order'");
	const char *shape = find_value(text, "'shape'");
	int rc;

	if (!descr || !order || !shape)
		return mx_fail(err, EBADMSG, "%s: its .npy header is not valid",
			       name);
	rc = parse_type(descr, name, &header->type, err);
	if (rc)
		return rc;
	if (parse_shape(shape, &header->shape))
		return mx_fail(err, EBADMSG,
			       "%s: its .npy header has no valid shape", name);
	/* With one dimension both orders are the same. */
	if (strncmp(order, "False", 5) && header->shape.rank > 1)
		return mx_fail(err, EBADMSG,
			       "%s: Fortran order is not read: save it with "
			       "numpy.ascontiguousarray()",
			       name);
	return 0;
}

int mx_npy_decode(const unsigned char *data, size_t size_bytes,
		  const char *name, struct mx_array *out, struct mx_err *err)
{
	size_t at = PREFIX_BYTES, length, elems, need, i;
	struct npy_header header;
	char *text;
	int rc;

	if (!mx_npy_is(data, size_bytes) || size_bytes < PREFIX_BYTES + 2)
		return mx_fail(err, EBADMSG, "%s: no .npy file", name);
	length = (size_t)data[8] | (size_t)data[9] << 8;
	if (data[6] < 1 || data[6] > 3)
		return mx_fail(err, EBADMSG, "%s: .npy version %d is not read",
			       name, data[6]);
	if (data[6] > 1) {
		length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
		at += 2;
	}
	if (length > HEADER_BYTES_MAX || length > size_bytes - at)
		return mx_fail(err, EBADMSG, "%s: cut off in its header", name);
	text = strndup((const char *)data + at, length);
	if (!text)
		return mx_fail(err, ENOMEM, "%s: no memory", name);
	rc = parse_header(text, name, &header, err);
	free(text);
	if (rc)
		return rc;
	at += length;
	if (mx_shape_count(&header.shape, &elems) ||
	    mx_size_mul(elems, header.type->bytes, &need) ||
	    need > size_bytes - at)
		return mx_fail(err, EBADMSG,
			       "%s: has %zu bytes of data, fewer than its "
			       "shape needs",
			       name, size_bytes - at);
	out->data = malloc(mx_size_max(elems, 1) * sizeof(float));
	if (!out->data)
		return mx_fail(err, ENOMEM, "%s: no memory for %zu values",
			       name, elems);
	out->shape = header.shape;
	for (i = 0; i < elems; i++)
		out->data[i] =
			header.type->get(data + at + i * header.type->bytes);
	return 0;
}

/* The whole header into @text; its length is a multiple of 64. */
static size_t make_header(const struct mx_shape *shape, unsigned char text[512])
{
	char *body = (char *)text + PREFIX_BYTES;
	size_t length, i;

	length = (size_t)sprintf(body, "{'descr': '<f4', 'fortran_order': "
				       "False, 'shape': (");
	for (i = 0; i < shape->rank; i++)
		length +=
			(size_t)sprintf(body + length, "%zu%s", shape->dim[i],
					i && i + 1 == shape->rank ? "" : ", ");
	length += (size_t)sprintf(body + length, "), }");
	while ((PREFIX_BYTES + length + 1) % HEADER_ALIGN_BYTES)
		body[length++] = ' ';
	body[length++] = '\n';
	memcpy(text, magic, sizeof(magic));
	text[6] = 1;
	text[7] = 0;
	text[8] = (unsigned char)(length & 0xff);
	text[9] = (unsigned char)(length >> 8);
	return PREFIX_BYTES + length;
}

int mx_npy_write(const char *path, const struct mx_shape *shape,
		 const float *data, struct mx_err *err)
{
	/* 60 bytes of text and at most 22 for each dimension. */
	unsigned char header[512];
	const size_t elems = mx_shape_elems(shape);
	size_t length;
	FILE *out;

	length = make_header(shape, header);
	out = fopen(path, "wbe");
	if (!out)
		return mx_fail_errno(err, "create %s", path);
	(void)fwrite(header, 1, length, out);
	(void)fwrite(data, sizeof(*data), elems, out);
	return mx_file_end(out, path, err);
}
