/*
 * One BlobProto on the wire.
 */
#ifndef MX_LOADER_IMPORT_CAFFE_BLOB_H
#define MX_LOADER_IMPORT_CAFFE_BLOB_H

#include <stddef.h>

#include "loader/import/blob.h"
#include "loader/import/caffe_wire.h"

struct mx_err;

/* Fields of one message gathered for protobuf-c, without the big ones. */
struct mx_wire_rest {
	unsigned char *bytes; /* heap */
	size_t size;
	size_t room;
};

/* Append @field. Returns 0; -EBADMSG when the rest is absurdly big; -ENOMEM. */
int mx_wire_rest_add(struct mx_wire_rest *rest, const struct mx_wire *wire,
		     const struct mx_wire_field *field);

/*
 * Decode the BlobProto @wire. @what names it in messages. *@copy is NULL, or
 * heap memory (the caller's) that *@blob points into because the values do not
 * lie in one piece.
 *
 * Returns 0, -EBADMSG or -ENOMEM.
 */
int mx_caffe_blob_read(struct mx_wire wire, const char *what,
		       struct mx_blob *blob, struct mx_shape *shape,
		       void **copy, struct mx_err *err);

#endif
