#include "cli/tensor_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"

/* Field numbers of TensorProto and wire types. */
enum {
	FIELD_DIMS = 1,
	FIELD_DATA_TYPE = 2,
	FIELD_FLOAT_DATA = 4,
	FIELD_INT32_DATA = 5,
	FIELD_INT64_DATA = 7,
	FIELD_RAW_DATA = 9,
	FIELD_DOUBLE_DATA = 10,
};
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum {
	TYPE_FLOAT = 1,
	TYPE_UINT8 = 2,
	TYPE_INT8 = 3,
	TYPE_INT32 = 6,
	TYPE_INT64 = 7,
	TYPE_BOOL = 9,
	TYPE_DOUBLE = 11,
};

struct wire {
	const unsigned char *at;
	const unsigned char *end;
};

struct wire_field {
	uint64_t number;
	unsigned type;
	uint64_t value; /* varint */
	struct wire bytes; /* the others' bytes */
};

/* What is collected before the values are turned into floats. Fields may come
 * in any order, and arrays in pieces. */
struct tensor_parts {
	struct mx_shape shape;
	uint64_t data_type;
	struct wire raw;
	float *values;
	size_t count;
	size_t room;
};

static int take_varint(struct wire *wire, uint64_t *out)
{
	unsigned shift = 0;
	uint64_t value = 0;

	while (wire->at < wire->end && shift < 64) {
		const unsigned char byte = *wire->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (byte < 0x80) {
			*out = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_field(struct wire *wire, struct wire_field *field)
{
	uint64_t key, length;

	if (take_varint(wire, &key))
		return -EBADMSG;
	field->number = key >> 3;
	field->type = (unsigned)(key & 7);
	if (field->type == WIRE_VARINT)
		return take_varint(wire, &field->value);
	if (field->type == WIRE_64)
		length = 8;
	else if (field->type == WIRE_32)
		length = 4;
	else if (field->type != WIRE_BYTES || take_varint(wire, &length))
		return -EBADMSG;
	if (length > (uint64_t)(wire->end - wire->at))
		return -EBADMSG;
	field->bytes = (struct wire){wire->at, wire->at + length};
	wire->at += length;
	return 0;
}

static int add_value(struct tensor_parts *parts, float value)
{
	size_t room;
	float *grown;

	if (parts->count == parts->room) {
		room = parts->room ? 2 * parts->room : 64;
		grown = realloc(parts->values, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		parts->values = grown;
		parts->room = room;
	}
	parts->values[parts->count++] = value;
	return 0;
}

static int add_dim(struct tensor_parts *parts, uint64_t dim)
{
	if (parts->shape.rank == MX_RANK_MAX || dim > MX_ELEMS_MAX)
		return -EBADMSG;
	parts->shape.dim[parts->shape.rank++] = (size_t)dim;
	return 0;
}

/* One varint, or a packed array of them. */
static int add_varints(struct tensor_parts *parts,
		       const struct wire_field *field)
{
	struct wire wire = field->bytes;
	uint64_t value;
	int rc = 0;

	if (field->type == WIRE_VARINT)
		return field->number == FIELD_DIMS
			       ? add_dim(parts, field->value)
			       : add_value(parts, (float)(int64_t)field->value);
	if (field->type != WIRE_BYTES)
		return -EBADMSG;
	while (!rc && wire.at < wire.end) {
		rc = take_varint(&wire, &value);
		if (!rc)
			rc = field->number == FIELD_DIMS
				     ? add_dim(parts, value)
				     : add_value(parts, (float)(int64_t)value);
	}
	return rc;
}

static float fixed_value(const unsigned char *at, uint64_t data_type)
{
	int64_t wide;
	int32_t narrow;
	double real;
	float single;

	switch (data_type) {
	case TYPE_FLOAT:
		memcpy(&single, at, sizeof(single));
		return single;
	case TYPE_DOUBLE:
		memcpy(&real, at, sizeof(real));
		return (float)real;
	case TYPE_INT64:
		memcpy(&wide, at, sizeof(wide));
		return (float)wide;
	case TYPE_INT32:
		memcpy(&narrow, at, sizeof(narrow));
		return (float)narrow;
	case TYPE_INT8:
		return (float)(int8_t)*at;
	default:
		return (float)*at;
	}
}

/* Bytes of an element; 0 if the type is not read. */
static size_t type_bytes(uint64_t data_type)
{
	switch (data_type) {
	case TYPE_FLOAT:
	case TYPE_INT32:
		return 4;
	case TYPE_DOUBLE:
	case TYPE_INT64:
		return 8;
	case TYPE_INT8:
	case TYPE_UINT8:
	case TYPE_BOOL:
		return 1;
	default:
		return 0;
	}
}

static int add_fixed(struct tensor_parts *parts, struct wire wire,
		     uint64_t data_type)
{
	const size_t bytes = type_bytes(data_type);
	int rc = 0;

	if ((size_t)(wire.end - wire.at) % bytes)
		return -EBADMSG;
	for (; !rc && wire.at < wire.end; wire.at += bytes)
		rc = add_value(parts, fixed_value(wire.at, data_type));
	return rc;
}

static int take_part(struct tensor_parts *parts, const struct wire_field *field)
{
	switch (field->number) {
	case FIELD_DIMS:
	case FIELD_INT32_DATA:
	case FIELD_INT64_DATA:
		return add_varints(parts, field);
	case FIELD_DATA_TYPE:
		if (field->type != WIRE_VARINT)
			return -EBADMSG;
		parts->data_type = field->value;
		return 0;
	case FIELD_FLOAT_DATA:
	case FIELD_DOUBLE_DATA:
		if (field->type == WIRE_VARINT)
			return -EBADMSG;
		return add_fixed(parts, field->bytes,
				 field->number == FIELD_FLOAT_DATA
					 ? TYPE_FLOAT
					 : TYPE_DOUBLE);
	case FIELD_RAW_DATA:
		if (field->type != WIRE_BYTES)
			return -EBADMSG;
		parts->raw = field->bytes;
		return 0;
	default:
		return 0;
	}
}

int mx_tensor_file_decode(const unsigned char *data, size_t size_bytes,
			  const char *name, struct mx_array *out,
			  struct mx_err *err)
{
	struct wire wire = {data, data + size_bytes};
	struct tensor_parts parts = {.data_type = 0};
	struct wire_field field;
	size_t elems;
	int rc = 0;

	while (!rc && wire.at < wire.end) {
		rc = take_field(&wire, &field);
		if (!rc)
			rc = take_part(&parts, &field);
	}
	if (!rc && !type_bytes(parts.data_type)) {
		rc = mx_fail(err, EBADMSG,
			     "%s: no ONNX tensor of a type that is read", name);
		goto fail;
	}
	if (!rc && parts.raw.at)
		rc = add_fixed(&parts, parts.raw, parts.data_type);
	if (rc == -ENOMEM) {
		(void)mx_fail(err, ENOMEM, "%s: no memory", name);
		goto fail;
	}
	if (rc || mx_shape_count(&parts.shape, &elems) ||
	    elems != parts.count) {
		rc = mx_fail(err, EBADMSG, "%s: no valid ONNX tensor", name);
		goto fail;
	}
	out->shape = parts.shape;
	out->data = parts.values;
	return 0;

fail:
	free(parts.values);
	return rc;
}
