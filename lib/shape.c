#include "lib/shape.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/size.h"

int mx_shape_count(const struct mx_shape *shape, size_t *count)
{
	size_t product = 1;
	uint32_t i;

	if (shape->rank > MX_RANK_MAX)
		return -EOVERFLOW;
	for (i = 0; i < shape->rank; i++)
		if (shape->dim[i] == 0) {
			*count = 0;
			return 0;
		}
	for (i = 0; i < shape->rank; i++)
		if (mx_size_mul(product, shape->dim[i], &product) ||
		    product > MX_ELEMS_MAX)
			return -EOVERFLOW;
	*count = product;
	return 0;
}

size_t mx_shape_elems(const struct mx_shape *shape)
{
	return mx_shape_span(shape, 0, shape->rank);
}

size_t mx_shape_span(const struct mx_shape *shape, uint32_t first, uint32_t end)
{
	size_t product = 1;
	uint32_t i;

	assert(end <= shape->rank);
	for (i = first; i < end; i++)
		product *= shape->dim[i];
	return product;
}

int mx_shape_equal(const struct mx_shape *a, const struct mx_shape *b)
{
	uint32_t i;

	if (a->rank != b->rank)
		return 0;
	for (i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return 0;
	return 1;
}

struct mx_shape mx_shape_of(uint32_t rank, const size_t *dim)
{
	struct mx_shape shape = {.rank = rank};

	assert(rank <= MX_RANK_MAX);
	if (rank)
		memcpy(shape.dim, dim, rank * sizeof(*dim));
	return shape;
}

int mx_shape_broadcast(const struct mx_shape *a, const struct mx_shape *b,
		       struct mx_shape *out)
{
	struct mx_shape shape;
	uint32_t i;

	memset(&shape, 0, sizeof(shape));
	shape.rank = a->rank > b->rank ? a->rank : b->rank;
	for (i = 0; i < shape.rank; i++) {
		const size_t da = i < a->rank ? a->dim[a->rank - 1 - i] : 1;
		const size_t db = i < b->rank ? b->dim[b->rank - 1 - i] : 1;

		if (da != db && da != 1 && db != 1)
			return -EINVAL;
		shape.dim[shape.rank - 1 - i] = da == 1 ? db : da;
	}
	*out = shape;
	return 0;
}

int mx_shape_axis(uint32_t rank, int64_t axis, uint32_t *out)
{
	if (axis < -(int64_t)rank || axis >= (int64_t)rank)
		return -EINVAL;
	*out = (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
	return 0;
}

const char *mx_shape_text(const struct mx_shape *shape,
			  char text[MX_SHAPE_TEXT_BYTES])
{
	size_t used = 0;
	uint32_t i;
	int n;

	if (shape->rank == 0)
		return strcpy(text, "scalar");
	for (i = 0; i < shape->rank; i++) {
		n = snprintf(text + used, MX_SHAPE_TEXT_BYTES - used, "%s%zu",
			     i ? "x" : "", shape->dim[i]);
		assert(n > 0);
		used += (size_t)n;
		assert(used < MX_SHAPE_TEXT_BYTES);
	}
	return text;
}
