#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

/* TensorProto.DataType. */
enum {
	ONNX_FLOAT = 1,
	ONNX_UINT8,
	ONNX_INT8,
	ONNX_UINT16,
	ONNX_INT16,
	ONNX_INT32,
	ONNX_INT64,
	ONNX_STRING,
	ONNX_BOOL,
	ONNX_FLOAT16,
	ONNX_DOUBLE,
	ONNX_UINT32,
	ONNX_UINT64,
	ONNX_BFLOAT16 = 16,
	ONNX_TYPES
};

/* TensorProto's fields with elements. */
enum {
	FLOAT_DATA = 4,
	INT32_DATA = 5,
	STRING_DATA = 6,
	INT64_DATA = 7,
	RAW_DATA = 9,
	DOUBLE_DATA = 10,
	UINT64_DATA = 11
};

#define BULK                                                                   \
	(1u << FLOAT_DATA | 1u << INT32_DATA | 1u << STRING_DATA |             \
	 1u << INT64_DATA | 1u << RAW_DATA | 1u << DOUBLE_DATA |               \
	 1u << UINT64_DATA)

/* How each type stands in the file, and in which typed field. */
static const struct {
	unsigned char known;
	unsigned char raw_bytes; /* an element in raw_data */
	unsigned char field;
	enum mx_dtype type;
} types[ONNX_TYPES] = {
	[ONNX_FLOAT] = {1, 4, FLOAT_DATA, MX_DTYPE_F32},
	[ONNX_UINT8] = {1, 1, INT32_DATA, MX_DTYPE_U8},
	[ONNX_INT8] = {1, 1, INT32_DATA, MX_DTYPE_I8},
	/* There are no unsigned types of these sizes: they are widened. */
	[ONNX_UINT16] = {1, 2, INT32_DATA, MX_DTYPE_I32},
	[ONNX_INT16] = {1, 2, INT32_DATA, MX_DTYPE_I16},
	[ONNX_INT32] = {1, 4, INT32_DATA, MX_DTYPE_I32},
	[ONNX_INT64] = {1, 8, INT64_DATA, MX_DTYPE_I64},
	[ONNX_BOOL] = {1, 1, INT32_DATA, MX_DTYPE_BOOL},
	[ONNX_FLOAT16] = {1, 2, INT32_DATA, MX_DTYPE_F16},
	[ONNX_DOUBLE] = {1, 8, DOUBLE_DATA, MX_DTYPE_F64},
	[ONNX_UINT32] = {1, 4, UINT64_DATA, MX_DTYPE_I64},
	[ONNX_UINT64] = {1, 8, UINT64_DATA, MX_DTYPE_I64},
	[ONNX_BFLOAT16] = {1, 2, INT32_DATA, MX_DTYPE_BF16},
};

struct reading {
	struct mx_onnx *onnx;
	const struct mx_onnx_span *span;
	const char *name;
	int64_t code;
	size_t count; /* elements of the shape */
	struct mx_blob *blob;
};

int mx_onnx_dtype(int64_t code, enum mx_dtype *out)
{
	if (code < 0 || code >= ONNX_TYPES || !types[code].known)
		return -ENOTSUP;
	*out = types[code].type;
	return 0;
}

static int bad(const struct reading *r, const char *what)
{
	return mx_fail(r->onnx->err, EBADMSG, "%s: tensor %s: %s",
		       r->onnx->opts->source, r->name, what);
}

static int wrong_count(const struct reading *r, size_t have, const char *unit)
{
	return mx_fail(r->onnx->err, EBADMSG,
		       "%s: tensor %s: its shape has %zu elements, its data "
		       "%zu %s",
		       r->onnx->opts->source, r->name, r->count, have, unit);
}

/* Elements that lie in the file as the blob wants them. */
static int in_place(struct reading *r, const struct mx_onnx_span *bytes)
{
	size_t want;

	if (mx_size_mul(r->count, mx_dtype_bytes(r->blob->type), &want) ||
	    want != bytes->size)
		return wrong_count(r, bytes->size, "bytes");
	r->blob->data = bytes->data;
	return 0;
}

/* raw_data of unsigned types that have to be widened. */
static int widen(struct reading *r, const struct mx_onnx_span *bytes)
{
	const size_t from = types[r->code].raw_bytes;
	const size_t to = mx_dtype_bytes(r->blob->type);
	unsigned char *wide;
	size_t want, i;
	void *memory;
	int rc;

	if (mx_size_mul(r->count, from, &want) || want != bytes->size)
		return wrong_count(r, bytes->size, "bytes");
	rc = mx_onnx_alloc(r->onnx, r->count, to, &memory);
	if (rc)
		return rc;
	wide = memory;
	for (i = 0; i < r->count; i++)
		memcpy(wide + i * to, bytes->data + i * from, from);
	r->blob->data = wide;
	return 0;
}

/* The blob's element @i from a typed field's varint. Little-endian machines
 * only, as the whole of memexec: the low bytes come first. */
static void put(const struct reading *r, unsigned char *out, size_t i,
		const void *value)
{
	size_t bytes = mx_dtype_bytes(r->blob->type);

	memcpy(out + i * bytes, value, bytes);
}

/* Typed data that is no single packed array of the blob's own elements: copied
 * into @out unless that is NULL; *@count says how many there are. */
static int copy_typed(const struct reading *r, unsigned char *out,
		      size_t *count)
{
	const unsigned field_number = types[r->code].field;
	struct mx_onnx_walk walk = {*r->span}, packed;
	struct mx_onnx_field field;
	size_t i, unit;
	uint64_t value;
	int rc;

	*count = 0;
	while ((rc = mx_onnx_walk_next(&walk, &field)) > 0) {
		if (field.number != field_number)
			continue;
		if (field.type == MX_ONNX_WIRE_VARINT) {
			if (out)
				put(r, out, *count, &field.varint);
			++*count;
			continue;
		}
		if (field_number == FLOAT_DATA || field_number == DOUBLE_DATA) {
			unit = field_number == FLOAT_DATA ? 4 : 8;
			if (field.content.size % unit)
				return -EBADMSG;
			for (i = 0; out && i < field.content.size; i += unit)
				put(r, out, *count + i / unit,
				    field.content.data + i);
			*count += field.content.size / unit;
			continue;
		}
		if (field.type != MX_ONNX_WIRE_BYTES)
			return -EBADMSG;
		packed.rest = field.content;
		while ((rc = mx_onnx_walk_varint(&packed, &value)) > 0) {
			if (out)
				put(r, out, *count, &value);
			++*count;
		}
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int typed_data(struct reading *r)
{
	size_t count;
	void *memory;
	int rc;

	rc = copy_typed(r, NULL, &count);
	if (rc)
		return bad(r, "its data is corrupt");
	if (count != r->count)
		return wrong_count(r, count, "elements");
	rc = mx_onnx_alloc(r->onnx, count, mx_dtype_bytes(r->blob->type),
			   &memory);
	if (rc)
		return rc;
	copy_typed(r, memory, &count);
	r->blob->data = memory;
	return 0;
}

static int read_bytes(struct reading *r, const struct mx_onnx_span *bytes)
{
	if (types[r->code].raw_bytes != mx_dtype_bytes(r->blob->type))
		return widen(r, bytes);
	return in_place(r, bytes);
}

/* Find the elements, wherever they are. */
static int read_elems(struct reading *r, const MxOnnx__TensorProto *proto)
{
	const unsigned field_number = types[r->code].field;
	struct mx_onnx_walk walk = {*r->span};
	struct mx_onnx_field field, raw = {0}, typed = {0};
	struct mx_onnx_span external;
	size_t typed_count = 0, want;
	int rc;

	if (proto->data_location) {
		if (mx_size_mul(r->count, types[r->code].raw_bytes, &want))
			return bad(r, "its shape is too large");
		rc = mx_onnx_external_data(r->onnx, proto, r->name, want,
					   &external);
		return rc ? rc : read_bytes(r, &external);
	}
	while (mx_onnx_walk_next(&walk, &field) > 0) {
		if (field.number == RAW_DATA)
			raw = field;
		if (field.number == field_number) {
			typed = field;
			typed_count++;
		}
	}
	if (raw.number) {
		if (raw.type != MX_ONNX_WIRE_BYTES)
			return bad(r, "its data is corrupt");
		return read_bytes(r, &raw.content);
	}
	if (typed_count == 1 && typed.type == MX_ONNX_WIRE_BYTES &&
	    (field_number == FLOAT_DATA || field_number == DOUBLE_DATA))
		return in_place(r, &typed.content);
	return typed_data(r);
}

static int read_shape(struct reading *r, const MxOnnx__TensorProto *proto,
		      struct mx_shape *shape)
{
	size_t i;

	if (proto->n_dims > MX_RANK_MAX)
		return mx_fail(r->onnx->err, EBADMSG,
			       "%s: tensor %s has %zu dimensions, at most %d "
			       "are possible",
			       r->onnx->opts->source, r->name, proto->n_dims,
			       MX_RANK_MAX);
	memset(shape, 0, sizeof(*shape));
	shape->rank = (uint32_t)proto->n_dims;
	for (i = 0; i < proto->n_dims; i++) {
		if (proto->dims[i] < 0)
			return bad(r, "a dimension is negative");
		shape->dim[i] = (size_t)proto->dims[i];
	}
	if (mx_shape_count(shape, &r->count))
		return bad(r, "its shape is too large");
	return 0;
}

int mx_onnx_tensor(struct mx_onnx *onnx, const struct mx_onnx_span *span,
		   const char *where, struct mx_const *out, enum mx_dtype *type,
		   char **name)
{
	struct mx_blob blob = {.kind = MX_BLOB_BYTES};
	struct reading r = {.onnx = onnx, .span = span, .name = where};
	MxOnnx__TensorProto *proto;
	ProtobufCMessage *message;
	struct mx_shape shape;
	int rc;

	rc = mx_onnx_unpack(span, BULK, &mx_onnx__tensor_proto__descriptor,
			    &message);
	if (rc)
		return rc == -EBADMSG ? bad(&r, "it is corrupt") : rc;
	proto = (MxOnnx__TensorProto *)message;
	if (proto->name && *proto->name)
		r.name = proto->name;
	if (name) {
		*name = strdup(r.name);
		if (!*name) {
			rc = -ENOMEM;
			goto end;
		}
	}
	r.blob = &blob;
	r.code = proto->data_type;
	rc = read_shape(&r, proto, &shape);
	if (rc)
		goto end;
	if (mx_onnx_dtype(r.code, type)) {
		rc = mx_fail(onnx->err, ENOTSUP,
			     "%s: tensor %s has data type %d",
			     onnx->opts->source, r.name, proto->data_type);
		goto end;
	}
	blob.type = *type;
	blob.count = r.count;
	rc = read_elems(&r, proto);
	if (!rc)
		rc = mx_const_init(out, &blob, &shape, onnx->err);
end:
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}
