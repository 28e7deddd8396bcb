#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

int mx_onnx_const_make(struct mx_onnx *onnx, const struct mx_shape *shape,
		       const double *floats, const int64_t *ints,
		       struct mx_const *out)
{
	struct mx_blob blob = {.kind = MX_BLOB_BYTES};
	size_t count = mx_shape_elems(shape), i;
	float *values;
	void *memory;
	int rc;

	rc = mx_onnx_alloc(onnx, count, ints ? sizeof(*ints) : sizeof(*values),
			   &memory);
	if (rc)
		return rc;
	if (ints) {
		memcpy(memory, ints, count * sizeof(*ints));
	} else {
		values = memory;
		for (i = 0; i < count; i++)
			values[i] = (float)floats[i];
	}
	blob.type = ints ? MX_DTYPE_I64 : MX_DTYPE_F32;
	blob.count = count;
	blob.data = memory;
	return mx_const_init(out, &blob, shape, onnx->err);
}

/* Heap room for the elements. */
static int load_room(const struct mx_const *constant, size_t elem_bytes,
		     void **out, size_t *count)
{
	if (mx_shape_count(&constant->shape, count) ||
	    *count > MX_ONNX_EVAL_ELEMS_MAX)
		return -ENOSYS;
	*out = malloc((*count + 1) * elem_bytes);
	return *out ? 0 : -ENOMEM;
}

int mx_onnx_const_load(const struct mx_const *constant, double **floats)
{
	size_t count;
	void *memory;
	int rc;

	rc = load_room(constant, sizeof(**floats), &memory, &count);
	if (rc)
		return rc;
	*floats = memory;
	mx_const_read_f64(constant, 0, count, *floats);
	return 0;
}

int mx_onnx_const_load_ints(const struct mx_const *constant, int64_t **ints)
{
	size_t count;
	void *memory;
	int rc;

	rc = load_room(constant, sizeof(**ints), &memory, &count);
	if (rc)
		return rc;
	*ints = memory;
	mx_const_read_i64(constant, 0, count, *ints);
	return 0;
}

void mx_onnx_const_fill(const struct mx_shape *shape, enum mx_dtype type,
			double value, struct mx_const *out)
{
	/* One element, repeated by strides of 0, so that every reshape and
	 * transpose of it costs nothing. */
	memset(out, 0, sizeof(*out));
	out->blob.kind = MX_BLOB_FILL;
	out->blob.type = type;
	out->blob.count = 1;
	out->blob.fill = value;
	out->shape = *shape;
}

void mx_onnx_const_expand(const struct mx_const *in,
			  const struct mx_shape *shape, struct mx_const *out)
{
	struct mx_const result = *in;
	uint32_t lead = shape->rank - in->shape.rank, i;

	memset(result.stride, 0, sizeof(result.stride));
	for (i = 0; i < in->shape.rank; i++)
		if (in->shape.dim[i] != 1)
			result.stride[lead + i] = in->stride[i];
	result.shape = *shape;
	*out = result;
}

int mx_onnx_const_reshape(struct mx_onnx *onnx, const struct mx_const *in,
			  const struct mx_shape *shape, enum mx_dtype type,
			  struct mx_const *out)
{
	double *floats = NULL;
	int64_t *ints = NULL;
	int rc;

	if (mx_const_reshape(in, shape, out) == 0)
		return 0;
	rc = mx_onnx_is_integer(type) ? mx_onnx_const_load_ints(in, &ints)
				      : mx_onnx_const_load(in, &floats);
	if (!rc)
		rc = mx_onnx_const_make(onnx, shape, floats, ints, out);
	free(floats);
	free(ints);
	return rc;
}

int mx_onnx_const_uniform(const struct mx_const *constant, double *value)
{
	uint32_t d;

	for (d = 0; d < constant->shape.rank; d++)
		if (constant->shape.dim[d] == 0 ||
		    (constant->shape.dim[d] > 1 && constant->stride[d] != 0 &&
		     constant->blob.kind != MX_BLOB_FILL))
			return 0;
	mx_const_read_f64(constant, 0, 1, value);
	return 1;
}

/* Where in the source the result's element @at lies; -1: nowhere. */
static int64_t source_of(const struct mx_onnx_pick *pick, const size_t *at)
{
	size_t index = 0;
	uint32_t d;

	for (d = 0; d < pick->shape.rank; d++) {
		int64_t from = pick->table[d][at[d]];

		if (from < 0)
			return -1;
		index = index * pick->in->shape.dim[d] + (size_t)from;
	}
	return (int64_t)index;
}

static void next(const struct mx_shape *shape, size_t *at)
{
	uint32_t d = shape->rank;

	while (d-- > 0) {
		if (++at[d] < shape->dim[d])
			return;
		at[d] = 0;
	}
}

int mx_onnx_const_pick(struct mx_onnx *onnx, const struct mx_onnx_pick *pick,
		       struct mx_const *out)
{
	const int integer = mx_onnx_is_integer(pick->type);
	size_t at[MX_RANK_MAX] = {0};
	double *floats = NULL, *to_floats = NULL;
	int64_t *ints = NULL, *to_ints = NULL;
	size_t count, i;
	int rc;

	if (mx_shape_count(&pick->shape, &count) ||
	    count > MX_ONNX_EVAL_ELEMS_MAX)
		return -ENOSYS;
	if (integer) {
		rc = mx_onnx_const_load_ints(pick->in, &ints);
		to_ints = malloc((count + 1) * sizeof(*to_ints));
	} else {
		rc = mx_onnx_const_load(pick->in, &floats);
		to_floats = malloc((count + 1) * sizeof(*to_floats));
	}
	if (!rc && !to_ints && !to_floats)
		rc = -ENOMEM;
	for (i = 0; i < count && !rc; i++, next(&pick->shape, at)) {
		int64_t from = source_of(pick, at);

		if (integer)
			to_ints[i] =
				from < 0 ? (int64_t)pick->fill : ints[from];
		else
			to_floats[i] = from < 0 ? pick->fill : floats[from];
	}
	if (!rc)
		rc = mx_onnx_const_make(onnx, &pick->shape, to_floats, to_ints,
					out);
	free(floats);
	free(to_floats);
	free(ints);
	free(to_ints);
	return rc;
}
