#include "loader/import/onnx_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <protobuf-c/protobuf-c.h>

#define VARINT_BYTES_MAX 10

static int take(struct mx_onnx_walk *walk, uint64_t size,
		struct mx_onnx_span *out)
{
	if (size > walk->rest.size)
		return -EBADMSG;
	out->data = walk->rest.data;
	out->size = (size_t)size;
	walk->rest.data += size;
	walk->rest.size -= (size_t)size;
	return 0;
}

int mx_onnx_walk_varint(struct mx_onnx_walk *walk, uint64_t *out)
{
	uint64_t value = 0;
	unsigned i;

	if (walk->rest.size == 0)
		return 0;
	for (i = 0; i < VARINT_BYTES_MAX && i < walk->rest.size; i++) {
		value |= (uint64_t)(walk->rest.data[i] & 0x7f) << (7 * i);
		if (walk->rest.data[i] & 0x80)
			continue;
		walk->rest.data += i + 1;
		walk->rest.size -= i + 1;
		*out = value;
		return 1;
	}
	return -EBADMSG;
}

int mx_onnx_walk_next(struct mx_onnx_walk *walk, struct mx_onnx_field *field)
{
	uint64_t key, size;
	int rc;

	memset(field, 0, sizeof(*field));
	field->whole = walk->rest;
	rc = mx_onnx_walk_varint(walk, &key);
	if (rc <= 0)
		return rc;
	if (key >> 3 == 0 || key >> 3 > UINT32_MAX)
		return -EBADMSG;
	field->number = (uint32_t)(key >> 3);
	field->type = (enum mx_onnx_wire_type)(key & 7);

	switch (field->type) {
	case MX_ONNX_WIRE_VARINT:
		rc = mx_onnx_walk_varint(walk, &field->varint);
		if (rc != 1)
			return -EBADMSG;
		rc = 0;
		break;
	case MX_ONNX_WIRE_FIXED64:
		rc = take(walk, 8, &field->content);
		break;
	case MX_ONNX_WIRE_FIXED32:
		rc = take(walk, 4, &field->content);
		break;
	case MX_ONNX_WIRE_BYTES:
		rc = mx_onnx_walk_varint(walk, &size);
		rc = rc == 1 ? take(walk, size, &field->content) : -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	if (rc)
		return rc;
	field->whole.size -= walk->rest.size;
	return 1;
}

int mx_onnx_unpack(const struct mx_onnx_span *message, uint32_t skip,
		   const ProtobufCMessageDescriptor *descriptor,
		   ProtobufCMessage **out)
{
	struct mx_onnx_walk walk = {*message};
	struct mx_onnx_field field;
	ProtobufCMessage *unpacked;
	unsigned char *slim = NULL;
	size_t slim_bytes = 0;
	int rc;

	/* Two rounds, because most of the message may be skipped. */
	while ((rc = mx_onnx_walk_next(&walk, &field)) > 0)
		if (field.number >= 32 || !(skip >> field.number & 1))
			slim_bytes += field.whole.size;
	if (rc < 0)
		return rc;
	slim = malloc(slim_bytes + 1);
	if (!slim)
		return -ENOMEM;
	walk.rest = *message;
	slim_bytes = 0;
	while (mx_onnx_walk_next(&walk, &field) > 0) {
		if (field.number < 32 && skip >> field.number & 1)
			continue;
		memcpy(slim + slim_bytes, field.whole.data, field.whole.size);
		slim_bytes += field.whole.size;
	}
	unpacked =
		protobuf_c_message_unpack(descriptor, NULL, slim_bytes, slim);
	free(slim);
	if (!unpacked)
		return -EBADMSG;
	*out = unpacked;
	return 0;
}
