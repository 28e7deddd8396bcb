#include "loader/import/caffe_wire.h"

#include <errno.h>

/* A varint at *@at into *@out. Returns 0 or -EBADMSG. */
static int read_varint(const struct mx_wire *wire, size_t *at, uint64_t *out)
{
	uint64_t value = 0;
	unsigned shift;

	for (shift = 0; shift < 64; shift += 7) {
		unsigned char byte;

		if (*at >= wire->end)
			return -EBADMSG;
		byte = wire->base[(*at)++];
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return 0;
		}
	}
	return -EBADMSG;
}

int mx_wire_next(struct mx_wire *wire, struct mx_wire_field *out)
{
	size_t at = wire->at;
	uint64_t tag, value;

	if (at == wire->end)
		return 0;
	out->start = at;
	if (read_varint(wire, &at, &tag) < 0 || tag >> 3 == 0 || tag >> 32 != 0)
		return -EBADMSG;
	out->number = (uint32_t)(tag >> 3);
	out->type = (enum mx_wire_type)(tag & 7);
	out->data = at;
	switch (out->type) {
	case MX_WIRE_VARINT:
		if (read_varint(wire, &at, &value) < 0)
			return -EBADMSG;
		out->size = at - out->data;
		break;
	case MX_WIRE_FIXED64:
		out->size = 8;
		break;
	case MX_WIRE_FIXED32:
		out->size = 4;
		break;
	case MX_WIRE_BYTES:
		if (read_varint(wire, &at, &value) < 0 || value > SIZE_MAX)
			return -EBADMSG;
		out->data = at;
		out->size = (size_t)value;
		break;
	default: /* groups are older than Caffe */
		return -EBADMSG;
	}
	if (out->size > wire->end - out->data)
		return -EBADMSG;
	wire->at = out->data + out->size;
	return 1;
}

struct mx_wire mx_wire_inside(const struct mx_wire *wire,
			      const struct mx_wire_field *field)
{
	return (struct mx_wire){
		.base = wire->base,
		.at = field->data,
		.end = field->data + field->size,
	};
}
