/*
 * Constants of a source model, read where they lie: in its mapped file, in
 * memory, or computed. Nothing is copied until a block of weights is written.
 */
#ifndef MX_LOADER_IMPORT_BLOB_H
#define MX_LOADER_IMPORT_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "lib/shape.h"

struct mx_err;

enum mx_dtype {
	MX_DTYPE_F32,
	MX_DTYPE_F64,
	MX_DTYPE_F16,
	MX_DTYPE_BF16,
	MX_DTYPE_I64,
	MX_DTYPE_I32,
	MX_DTYPE_I16,
	MX_DTYPE_I8,
	MX_DTYPE_U8,
	MX_DTYPE_BOOL,
	MX_DTYPE_COUNT
};

/* Bytes of an element. */
size_t mx_dtype_bytes(enum mx_dtype type);

enum mx_blob_kind {
	MX_BLOB_BYTES, /* `data`, little-endian, any alignment */
	MX_BLOB_FILL, /* every element is `fill` */
	MX_BLOB_RANDOM, /* uniform in shift +- scale, by `seed` and index */
};

/* `count` elements in a row. A value type; who makes `data` keeps it alive
 * (mx_graph_own() hands heap memory to a graph). */
struct mx_blob {
	enum mx_blob_kind kind;
	enum mx_dtype type; /* also of FILL: what the source calls it */
	uint64_t count;
	const void *data;
	double fill;
	uint64_t seed;
	double scale;
	double shift;
};

/* A tensor over a blob: element (i0, i1, ...) is blob[offset + sum i*stride],
 * so that transposes and reshapes of constants cost nothing. Strides may be 0
 * (broadcast) but not negative. */
struct mx_const {
	struct mx_blob blob;
	struct mx_shape shape;
	size_t offset;
	size_t stride[MX_RANK_MAX];
};

/* The dense row-major constant of @shape over @blob.
 * Returns 0, or -EBADMSG if the blob has another number of elements. */
int mx_const_init(struct mx_const *constant, const struct mx_blob *blob,
		  const struct mx_shape *shape, struct mx_err *err);

/* 1 if the elements are blob[offset ...] in row-major order. */
int mx_const_is_dense(const struct mx_const *constant);

/*
 * Elements [@first, @first + @count), in row-major order of the constant's
 * shape, as float, double or int64. They must lie inside the shape.
 */
void mx_const_read_f32(const struct mx_const *constant, size_t first,
		       size_t count, float *out);
void mx_const_read_f64(const struct mx_const *constant, size_t first,
		       size_t count, double *out);
void mx_const_read_i64(const struct mx_const *constant, size_t first,
		       size_t count, int64_t *out);

/* The constant with its dimensions permuted: out.dim[i] = in.dim[perm[i]]. */
void mx_const_permute(const struct mx_const *in, const uint32_t *perm,
		      struct mx_const *out);

/*
 * The constant under another shape of as many elements, without moving it.
 * Returns 0, or -EINVAL when the strides do not allow it (the caller copies).
 */
int mx_const_reshape(const struct mx_const *in, const struct mx_shape *shape,
		     struct mx_const *out);

#endif
