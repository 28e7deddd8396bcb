/*
 * Protobuf's wire format as ONNX files use it: walk the fields of a message
 * where it lies, and hand protobuf-c only the small ones. Nothing recurses, so
 * that no nesting is too deep.
 */
#ifndef MX_LOADER_IMPORT_ONNX_WIRE_H
#define MX_LOADER_IMPORT_ONNX_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

/* Some bytes of the mapped file. */
struct mx_onnx_span {
	const unsigned char *data;
	size_t size;
};

enum mx_onnx_wire_type {
	MX_ONNX_WIRE_VARINT = 0,
	MX_ONNX_WIRE_FIXED64 = 1,
	MX_ONNX_WIRE_BYTES = 2,
	MX_ONNX_WIRE_FIXED32 = 5,
};

struct mx_onnx_field {
	uint32_t number;
	enum mx_onnx_wire_type type;
	uint64_t varint; /* VARINT only */
	struct mx_onnx_span content; /* of the others */
	struct mx_onnx_span whole; /* with its key */
};

/* What is left of a message; begin with the message itself. */
struct mx_onnx_walk {
	struct mx_onnx_span rest;
};

/*
 * The next field. Returns 1; 0 at the end of the message; -EBADMSG if it is cut
 * short or no protobuf.
 */
int mx_onnx_walk_next(struct mx_onnx_walk *walk, struct mx_onnx_field *field);

/* The next varint of a packed array. Returns as mx_onnx_walk_next(). */
int mx_onnx_walk_varint(struct mx_onnx_walk *walk, uint64_t *out);

/*
 * Unpack @message without the fields whose bits are set in @skip (bit n:
 * field n). The caller frees *@out with protobuf_c_message_free_unpacked().
 *
 * Returns 0, -EBADMSG or -ENOMEM.
 */
int mx_onnx_unpack(const struct mx_onnx_span *message, uint32_t skip,
		   const struct ProtobufCMessageDescriptor *descriptor,
		   struct ProtobufCMessage **out);

#endif
