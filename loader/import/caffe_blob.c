#include "loader/import/caffe_blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/caffe.pb-c.h"

/* Names and dimensions: nothing honest is bigger. */
#define REST_BYTES_MAX ((size_t)64 << 10)

enum { BLOB_DATA = 5, BLOB_DIFF = 6, BLOB_DOUBLE = 8, BLOB_DOUBLE_DIFF = 9 };

int mx_wire_rest_add(struct mx_wire_rest *rest, const struct mx_wire *wire,
		     const struct mx_wire_field *field)
{
	const size_t size = field->data + field->size - field->start;

	if (size > REST_BYTES_MAX - rest->size)
		return -EBADMSG;
	if (size > rest->room - rest->size) {
		const size_t room =
			mx_size_max(rest->room * 2, rest->size + size + 64);
		unsigned char *bytes = realloc(rest->bytes, room);

		if (!bytes)
			return -ENOMEM;
		rest->bytes = bytes;
		rest->room = room;
	}
	memcpy(rest->bytes + rest->size, wire->base + field->start, size);
	rest->size += size;
	return 0;
}

/* The values seen so far: how many bytes, in how many pieces. */
struct values {
	size_t bytes;
	size_t pieces;
	size_t at; /* of the last piece */
	uint32_t number; /* BLOB_DATA or BLOB_DOUBLE */
};

static size_t value_bytes(uint32_t number)
{
	return number == BLOB_DATA ? sizeof(float) : sizeof(double);
}

/* A packed array or a single value of @number; anything else is broken. */
static int is_values(const struct mx_wire_field *field, uint32_t number)
{
	const enum mx_wire_type single =
		number == BLOB_DATA ? MX_WIRE_FIXED32 : MX_WIRE_FIXED64;

	return field->type == single ||
	       (field->type == MX_WIRE_BYTES &&
		field->size % value_bytes(number) == 0);
}

static int broken(const char *what, const struct mx_wire *wire,
		  struct mx_err *err)
{
	return mx_fail(err, EBADMSG, "%s: broken at byte %zu", what, wire->at);
}

/* Walk the blob: count values, gather the rest. */
static int scan(struct mx_wire wire, const char *what, struct values *values,
		struct mx_wire_rest *rest, struct mx_err *err)
{
	struct mx_wire_field field;
	int rc;

	while ((rc = mx_wire_next(&wire, &field)) == 1) {
		switch (field.number) {
		case BLOB_DATA:
		case BLOB_DOUBLE:
			if (!is_values(&field, field.number)) {
				wire.at = field.start;
				return broken(what, &wire, err);
			}
			if (field.size == 0)
				break;
			if (values->pieces && values->number != field.number)
				return mx_fail(err, EBADMSG,
					       "%s: holds floats and doubles",
					       what);
			values->number = field.number;
			values->bytes += field.size;
			values->at = field.data;
			values->pieces++;
			break;
		case BLOB_DIFF:
		case BLOB_DOUBLE_DIFF:
			break;
		default:
			rc = mx_wire_rest_add(rest, &wire, &field);
			if (rc < 0)
				return mx_fail(err, -rc, "%s: at byte %zu",
					       what, field.start);
			break;
		}
	}
	return rc < 0 ? broken(what, &wire, err) : 0;
}

/* The values of a blob that has several pieces, in one. */
static int gather(struct mx_wire wire, const struct values *values, void **copy)
{
	struct mx_wire_field field;
	size_t at = 0;

	*copy = malloc(values->bytes);
	if (!*copy)
		return -ENOMEM;
	while (mx_wire_next(&wire, &field) == 1) {
		if (field.number != values->number)
			continue;
		memcpy((char *)*copy + at, wire.base + field.data, field.size);
		at += field.size;
	}
	return 0;
}

static int shape_from(const MxCaffe__BlobProto *proto, const char *what,
		      struct mx_shape *shape, struct mx_err *err)
{
	const int64_t legacy[4] = {
		proto->has_num ? proto->num : 1,
		proto->has_channels ? proto->channels : 1,
		proto->has_height ? proto->height : 1,
		proto->has_width ? proto->width : 1,
	};
	const int64_t *dims = legacy;
	size_t rank = 4, i;

	if (proto->shape) {
		dims = proto->shape->dim;
		rank = proto->shape->n_dim;
	}
	if (rank > MX_RANK_MAX)
		return mx_fail(err, EBADMSG, "%s: has %zu dimensions", what,
			       rank);
	shape->rank = (uint32_t)rank;
	for (i = 0; i < rank; i++) {
		if (dims[i] < 0)
			return mx_fail(err, EBADMSG,
				       "%s: dimension %zu is %lld", what, i,
				       (long long)dims[i]);
		shape->dim[i] = (size_t)dims[i];
	}
	return 0;
}

static int check_count(const struct values *values, const char *what,
		       const struct mx_shape *shape, size_t *count,
		       struct mx_err *err)
{
	char text[MX_SHAPE_TEXT_BYTES];

	*count = values->pieces ? values->bytes / value_bytes(values->number)
				: 0;
	if (*count == 0)
		return mx_fail(err, EBADMSG, "%s: holds no values", what);
	if (mx_shape_count(shape, &(size_t){0}) < 0 ||
	    mx_shape_elems(shape) != *count)
		return mx_fail(err, EBADMSG, "%s: holds %zu values for %s",
			       what, *count, mx_shape_text(shape, text));
	return 0;
}

int mx_caffe_blob_read(struct mx_wire wire, const char *what,
		       struct mx_blob *blob, struct mx_shape *shape,
		       void **copy, struct mx_err *err)
{
	struct mx_wire_rest rest = {0};
	struct values values = {0};
	MxCaffe__BlobProto *proto = NULL;
	size_t count = 0;
	int rc;

	*copy = NULL;
	rc = scan(wire, what, &values, &rest, err);
	if (rc < 0)
		goto out;
	proto = mx_caffe__blob_proto__unpack(NULL, rest.size, rest.bytes);
	if (!proto) {
		rc = mx_fail(err, EBADMSG, "%s: broken at byte %zu", what,
			     wire.at);
		goto out;
	}
	rc = shape_from(proto, what, shape, err);
	if (rc == 0)
		rc = check_count(&values, what, shape, &count, err);
	if (rc < 0)
		goto out;
	if (values.pieces > 1) {
		rc = gather(wire, &values, copy);
		if (rc < 0) {
			rc = mx_fail(err, ENOMEM, "%s: no memory", what);
			goto out;
		}
	}
	*blob = (struct mx_blob){
		.kind = MX_BLOB_BYTES,
		.type = values.number == BLOB_DATA ? MX_DTYPE_F32
						   : MX_DTYPE_F64,
		.count = count,
		.data = *copy ? *copy : wire.base + values.at,
	};
out:
	if (proto)
		mx_caffe__blob_proto__free_unpacked(proto, NULL);
	free(rest.bytes);
	return rc;
}
