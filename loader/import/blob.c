/*
 * Constants, read by index. Everything funnels into one loop: a run of
 * elements at a fixed stride, converted to the caller's type. A constant's
 * dimensions are merged first, so that a run is as long as its strides allow
 * (a convolution's OIHW read as OHWI is runs of I).
 */
#include "loader/import/blob.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/err.h"

/* Blobs are little-endian; so is every machine that this is built for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian");

static const size_t dtype_bytes[MX_DTYPE_COUNT] = {
	[MX_DTYPE_F32] = 4,  [MX_DTYPE_F64] = 8, [MX_DTYPE_F16] = 2,
	[MX_DTYPE_BF16] = 2, [MX_DTYPE_I64] = 8, [MX_DTYPE_I32] = 4,
	[MX_DTYPE_I16] = 2,  [MX_DTYPE_I8] = 1,	 [MX_DTYPE_U8] = 1,
	[MX_DTYPE_BOOL] = 1,
};

size_t mx_dtype_bytes(enum mx_dtype type)
{
	assert((unsigned)type < MX_DTYPE_COUNT);
	return dtype_bytes[type];
}

static float bits_to_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static float half_to_float(uint16_t half)
{
	const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	const uint32_t exponent = (half >> 10) & 0x1f;
	const uint32_t fraction = half & 0x3ff;
	float value;

	if (exponent == 0x1f)
		return bits_to_float(sign | 0x7f800000 | fraction << 13);
	if (exponent)
		return bits_to_float(sign | (exponent + 112) << 23 |
				     fraction << 13);
	/* A subnormal half is a whole number of 2^-24. */
	value = (float)fraction * 0x1p-24f;
	return sign ? -value : value;
}

static float bfloat_to_float(uint16_t bits)
{
	return bits_to_float((uint32_t)bits << 16);
}

/* The nearest int64 to @x; what does not fit is the nearest that does. */
static int64_t double_to_int(double x)
{
	if (isnan(x))
		return 0;
	if (x >= 0x1p63)
		return INT64_MAX;
	if (x < -0x1p63)
		return INT64_MIN;
	return (int64_t)x;
}

/* Element @index of a RANDOM blob: splitmix64 of seed and index. */
static double random_at(const struct mx_blob *blob, uint64_t index)
{
	uint64_t z = blob->seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
	double unit;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	unit = (double)(int32_t)(z >> 32) * 0x1p-31;
	return blob->shift + blob->scale * unit;
}

#define SAME(x) (x)
#define TO_F32(x) ((float)(x))
#define TO_F64(x) ((double)(x))
#define TO_I64(x) ((int64_t)(x))

/* One run of elements of C type @raw_t, @widen'ed and then @convert'ed. */
#define RUN(raw_t, widen, convert)                                             \
	for (i = 0; i < count; i++) {                                          \
		raw_t raw;                                                     \
		memcpy(&raw, data + i * step, sizeof(raw));                    \
		out[i] = convert(widen(raw));                                  \
	}                                                                      \
	break

/*
 * gather_<name>(blob, index, stride, count, out): elements index,
 * index + stride, ... as @out_t. @from_real turns what is a floating point
 * number into out_t, @from_int what is an integer.
 */
#define GATHER(name, out_t, from_real, from_int)                               \
	static void gather_bytes_##name(const struct mx_blob *blob,            \
					size_t index, size_t stride,           \
					size_t count, out_t *out)              \
	{                                                                      \
		const size_t size = dtype_bytes[blob->type];                   \
		const unsigned char *data =                                    \
			(const unsigned char *)blob->data + index * size;      \
		const size_t step = stride * size;                             \
		size_t i;                                                      \
                                                                               \
		switch (blob->type) {                                          \
		case MX_DTYPE_F32:                                             \
			RUN(float, SAME, from_real);                           \
		case MX_DTYPE_F64:                                             \
			RUN(double, SAME, from_real);                          \
		case MX_DTYPE_F16:                                             \
			RUN(uint16_t, half_to_float, from_real);               \
		case MX_DTYPE_BF16:                                            \
			RUN(uint16_t, bfloat_to_float, from_real);             \
		case MX_DTYPE_I64:                                             \
			RUN(int64_t, SAME, from_int);                          \
		case MX_DTYPE_I32:                                             \
			RUN(int32_t, SAME, from_int);                          \
		case MX_DTYPE_I16:                                             \
			RUN(int16_t, SAME, from_int);                          \
		case MX_DTYPE_I8:                                              \
			RUN(int8_t, SAME, from_int);                           \
		case MX_DTYPE_U8:                                              \
			RUN(uint8_t, SAME, from_int);                          \
		case MX_DTYPE_BOOL:                                            \
			RUN(uint8_t, !!, from_int);                            \
		case MX_DTYPE_COUNT:                                           \
			assert(0);                                             \
		}                                                              \
	}                                                                      \
                                                                               \
	static void gather_##name(const struct mx_blob *blob, size_t index,    \
				  size_t stride, size_t count, out_t *out)     \
	{                                                                      \
		size_t i;                                                      \
                                                                               \
		switch (blob->kind) {                                          \
		case MX_BLOB_BYTES:                                            \
			gather_bytes_##name(blob, index, stride, count, out);  \
			break;                                                 \
		case MX_BLOB_FILL:                                             \
			for (i = 0; i < count; i++)                            \
				out[i] = from_real(blob->fill);                \
			break;                                                 \
		case MX_BLOB_RANDOM:                                           \
			for (i = 0; i < count; i++)                            \
				out[i] = from_real(                            \
					random_at(blob, index + i * stride));  \
			break;                                                 \
		}                                                              \
	}

GATHER(f32, float, TO_F32, TO_F32)
GATHER(f64, double, TO_F64, TO_F64)
GATHER(i64, int64_t, double_to_int, TO_I64)

/* A constant's dimensions, merged: outermost first, none of 1. */
struct walk {
	uint32_t rank;
	size_t dim[MX_RANK_MAX];
	size_t stride[MX_RANK_MAX];
	size_t at[MX_RANK_MAX]; /* where the walk is */
	size_t index; /* the element there */
};

static void walk_init(struct walk *walk, const struct mx_const *constant,
		      size_t first)
{
	uint32_t i;

	walk->rank = 0;
	for (i = 0; i < constant->shape.rank; i++) {
		const size_t dim = constant->shape.dim[i];
		const size_t stride = constant->stride[i];
		const uint32_t r = walk->rank;

		if (dim == 1)
			continue;
		if (r && walk->stride[r - 1] == stride * dim) {
			walk->dim[r - 1] *= dim;
			walk->stride[r - 1] = stride;
			continue;
		}
		walk->dim[r] = dim;
		walk->stride[r] = stride;
		walk->rank++;
	}
	if (walk->rank == 0) {
		walk->dim[0] = 1;
		walk->stride[0] = 1;
		walk->rank = 1;
	}
	walk->index = constant->offset;
	for (i = walk->rank; i-- > 0;) {
		walk->at[i] = first % walk->dim[i];
		first /= walk->dim[i];
		walk->index += walk->at[i] * walk->stride[i];
	}
	assert(first == 0);
}

/* Elements from here that lie at one stride, at most @limit. */
static size_t walk_run(const struct walk *walk, size_t limit)
{
	const uint32_t last = walk->rank - 1;
	const size_t left = walk->dim[last] - walk->at[last];

	return left < limit ? left : limit;
}

/* Go on by @count elements of the current run. */
static void walk_on(struct walk *walk, size_t count)
{
	uint32_t i = walk->rank - 1;

	walk->at[i] += count;
	walk->index += count * walk->stride[i];
	while (walk->at[i] == walk->dim[i] && i > 0) {
		walk->index -= walk->dim[i] * walk->stride[i];
		walk->at[i] = 0;
		i--;
		walk->at[i]++;
		walk->index += walk->stride[i];
	}
}

#define READ(name, out_t)                                                      \
	void mx_const_read_##name(const struct mx_const *constant,             \
				  size_t first, size_t count, out_t *out)      \
	{                                                                      \
		struct walk walk;                                              \
		size_t done = 0;                                               \
                                                                               \
		if (count == 0)                                                \
			return;                                                \
		walk_init(&walk, constant, first);                             \
		while (done < count) {                                         \
			const size_t n = walk_run(&walk, count - done);        \
                                                                               \
			gather_##name(&constant->blob, walk.index,             \
				      walk.stride[walk.rank - 1], n,           \
				      out + done);                             \
			walk_on(&walk, n);                                     \
			done += n;                                             \
		}                                                              \
	}

READ(f64, double)
READ(i64, int64_t)

static inline int is_plain_f32(const struct mx_blob *blob)
{
	return blob->kind == MX_BLOB_BYTES && blob->type == MX_DTYPE_F32;
}

void mx_const_read_f32(const struct mx_const *constant, size_t first,
		       size_t count, float *out)
{
	const struct mx_blob *blob = &constant->blob;
	struct walk walk;
	size_t done = 0;

	if (count == 0)
		return;
	walk_init(&walk, constant, first);
	while (done < count) {
		const size_t n = walk_run(&walk, count - done);
		const size_t stride = walk.stride[walk.rank - 1];

		if (stride == 1 && is_plain_f32(blob))
			memcpy(out + done,
			       (const unsigned char *)blob->data +
				       walk.index * sizeof(float),
			       n * sizeof(float));
		else
			gather_f32(blob, walk.index, stride, n, out + done);
		walk_on(&walk, n);
		done += n;
	}
}

int mx_const_init(struct mx_const *constant, const struct mx_blob *blob,
		  const struct mx_shape *shape, struct mx_err *err)
{
	char text[MX_SHAPE_TEXT_BYTES];
	size_t elems, stride = 1;
	uint32_t i;

	if (mx_shape_count(shape, &elems))
		return mx_fail(err, EBADMSG, "a constant is too large");
	if (elems != blob->count)
		return mx_fail(err, EBADMSG,
			       "a constant of %s has %llu elements",
			       mx_shape_text(shape, text),
			       (unsigned long long)blob->count);
	memset(constant, 0, sizeof(*constant));
	constant->blob = *blob;
	constant->shape = *shape;
	for (i = shape->rank; i-- > 0;) {
		constant->stride[i] = stride;
		stride *= shape->dim[i];
	}
	return 0;
}

int mx_const_is_dense(const struct mx_const *constant)
{
	size_t stride = 1;
	uint32_t i;

	if (mx_shape_elems(&constant->shape) == 0)
		return 1;
	for (i = constant->shape.rank; i-- > 0;) {
		if (constant->shape.dim[i] == 1)
			continue;
		if (constant->stride[i] != stride)
			return 0;
		stride *= constant->shape.dim[i];
	}
	return 1;
}

void mx_const_permute(const struct mx_const *in, const uint32_t *perm,
		      struct mx_const *out)
{
	struct mx_const result = *in;
	uint32_t i;

	for (i = 0; i < in->shape.rank; i++) {
		assert(perm[i] < in->shape.rank);
		result.shape.dim[i] = in->shape.dim[perm[i]];
		result.stride[i] = in->stride[perm[i]];
	}
	*out = result;
}

/* The strides of result->shape over one merged dimension after the other. */
static int split_strides(const struct walk *walk, struct mx_const *result)
{
	uint32_t w = walk->rank, i;
	size_t left = 1, stride = 0;

	for (i = result->shape.rank; i-- > 0;) {
		const size_t dim = result->shape.dim[i];

		if (dim == 1) {
			result->stride[i] = 0;
			continue;
		}
		if (left == 1) {
			if (w == 0)
				return -EINVAL;
			w--;
			left = walk->dim[w];
			stride = walk->stride[w];
		}
		if (left % dim)
			return -EINVAL;
		result->stride[i] = stride;
		stride *= dim;
		left /= dim;
	}
	return 0;
}

int mx_const_reshape(const struct mx_const *in, const struct mx_shape *shape,
		     struct mx_const *out)
{
	struct mx_const result = *in;
	struct walk walk;
	size_t elems;
	int rc;

	if (mx_shape_count(shape, &elems) ||
	    elems != mx_shape_elems(&in->shape))
		return -EINVAL;
	result.shape = *shape;
	memset(result.stride, 0, sizeof(result.stride));
	if (elems > 0) {
		walk_init(&walk, in, 0);
		rc = split_strides(&walk, &result);
		if (rc)
			return rc;
	}
	*out = result;
	return 0;
}
