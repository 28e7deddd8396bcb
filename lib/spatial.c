#include "lib/spatial.h"

#include <assert.h>
#include <errno.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/shape.h"
#include "lib/view.h"

/* One value for each dimension that the map has, @fallback where it lacks it
 * or the attribute is absent. */
static int decode(const struct mx_attrs *attrs, const char *name, int64_t min,
		  uint32_t rank, size_t out[MX_SPATIAL_DIMS],
		  struct mx_err *err)
{
	int64_t value[MX_SPATIAL_DIMS];
	size_t count, i;
	int rc;

	rc = mx_attrs_ints_in(attrs, name, min, MX_SPATIAL_MAX, value,
			      MX_SPATIAL_DIMS, &count, err);
	if (rc)
		return rc;
	if (count != 0 && count != rank)
		return mx_fail(err, EBADMSG,
			       "attribute %s has %zu values for %u spatial "
			       "dimensions",
			       name, count, rank);
	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		out[i] = (size_t)min;
	for (i = 0; i < count; i++)
		out[MX_SPATIAL_DIMS - count + i] = (size_t)value[i];
	return 0;
}

int mx_spatial_bind(struct mx_spatial *spatial, const struct mx_attrs *attrs,
		    struct mx_err *err)
{
	int64_t value[MX_SPATIAL_DIMS];
	int64_t groups;
	size_t rank;
	int rc;

	rc = mx_attrs_ints_in(attrs, "kernel", 1, MX_SPATIAL_MAX, value,
			      MX_SPATIAL_DIMS, &rank, err);
	if (rc)
		return rc;
	if (rank == 0)
		return mx_fail(err, EBADMSG, "attribute kernel is missing");
	spatial->rank = (uint32_t)rank;
	if ((rc = decode(attrs, "kernel", 1, spatial->rank, spatial->kernel,
			 err)) ||
	    (rc = decode(attrs, "stride", 1, spatial->rank, spatial->stride,
			 err)) ||
	    (rc = decode(attrs, "dilation", 1, spatial->rank, spatial->dilation,
			 err)) ||
	    (rc = decode(attrs, "pad_begin", 0, spatial->rank,
			 spatial->pad_begin, err)) ||
	    (rc = decode(attrs, "pad_end", 0, spatial->rank, spatial->pad_end,
			 err)) ||
	    (rc = decode(attrs, "output_pad", 0, spatial->rank,
			 spatial->output_pad, err)) ||
	    (rc = mx_attrs_int_in(attrs, "groups", 1, 1, INT32_MAX, &groups,
				  err)))
		return rc;
	spatial->groups = (size_t)groups;
	return 0;
}

size_t mx_spatial_extent(const struct mx_spatial *spatial, unsigned dim)
{
	return spatial->dilation[dim] * (spatial->kernel[dim] - 1) + 1;
}

size_t mx_spatial_window(const struct mx_spatial *spatial)
{
	return spatial->kernel[MX_SPATIAL_DEPTH] *
	       spatial->kernel[MX_SPATIAL_HEIGHT] *
	       spatial->kernel[MX_SPATIAL_WIDTH];
}

int mx_spatial_dims(const struct mx_spatial *spatial, const struct mx_shape *in,
		    size_t dim[MX_SPATIAL_DIMS], struct mx_err *err)
{
	uint32_t i;

	if (in->rank != spatial->rank + 2)
		return mx_fail(err, EBADMSG,
			       "input has rank %u, a kernel of %u dimensions "
			       "wants %u",
			       in->rank, spatial->rank, spatial->rank + 2);
	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		dim[i] = 1;
	for (i = 0; i < spatial->rank; i++)
		dim[MX_SPATIAL_DIMS - spatial->rank + i] = in->dim[2 + i];
	return 0;
}

int mx_spatial_shape(const struct mx_spatial *spatial, size_t batch,
		     size_t channels, const size_t dim[MX_SPATIAL_DIMS],
		     struct mx_shape *out, struct mx_err *err)
{
	size_t elems;
	uint32_t i;

	*out = (struct mx_shape){.rank = spatial->rank + 2};
	out->dim[0] = batch;
	out->dim[1] = channels;
	for (i = 0; i < spatial->rank; i++)
		out->dim[2 + i] = dim[MX_SPATIAL_DIMS - spatial->rank + i];
	if (mx_shape_count(out, &elems))
		return mx_fail(err, EBADMSG, "output has too many elements");
	return 0;
}

void mx_spatial_map_init(struct mx_spatial_map *map, const struct mx_view *view)
{
	const uint32_t rank = view->shape.rank;
	uint32_t i;

	assert(rank >= 3 && rank <= 2 + MX_SPATIAL_DIMS);
	map->data = view->data;
	map->batch = view->shape.dim[0];
	map->batch_stride = view->stride[0];
	map->channels = view->shape.dim[1];
	for (i = 0; i < MX_SPATIAL_DIMS; i++) {
		map->dim[i] = 1;
		map->stride[i] = 0;
	}
	for (i = 2; i < rank; i++) {
		map->dim[MX_SPATIAL_DIMS - rank + i] = view->shape.dim[i];
		map->stride[MX_SPATIAL_DIMS - rank + i] = view->stride[i];
	}
}
