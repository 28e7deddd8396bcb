/*
 * Protobuf's wire format, field by field, over a mapped file: what is skipped
 * is not touched.
 */
#ifndef MX_LOADER_IMPORT_CAFFE_WIRE_H
#define MX_LOADER_IMPORT_CAFFE_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum mx_wire_type {
	MX_WIRE_VARINT = 0,
	MX_WIRE_FIXED64 = 1,
	MX_WIRE_BYTES = 2,
	MX_WIRE_FIXED32 = 5,
};

/* A message: bytes [at, end) of the file at base. */
struct mx_wire {
	const unsigned char *base;
	size_t at;
	size_t end;
};

struct mx_wire_field {
	uint32_t number;
	enum mx_wire_type type;
	size_t start; /* of the tag, in the file */
	size_t data; /* of the payload */
	size_t size; /* of the payload, without its length */
};

/*
 * The next field of @wire. Returns 1; 0 at the end; -EBADMSG if what stands
 * at wire->at is no field, or one that does not fit the message.
 */
int mx_wire_next(struct mx_wire *wire, struct mx_wire_field *out);

/* The message inside a field of type MX_WIRE_BYTES. */
struct mx_wire mx_wire_inside(const struct mx_wire *wire,
			      const struct mx_wire_field *field);

#endif
