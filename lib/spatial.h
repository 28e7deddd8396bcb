/*
 * Spatial settings: the kernel, stride, dilation and padding of operators
 * that slide a window over a feature map of one to three spatial dimensions.
 * Everything is normalised to three (depth, height, width); what a map lacks
 * comes first, with size 1, kernel 1, stride 1, dilation 1 and no padding.
 */
#ifndef MX_LIB_SPATIAL_H
#define MX_LIB_SPATIAL_H

#include <stddef.h>
#include <stdint.h>

struct mx_attrs;
struct mx_err;
struct mx_shape;
struct mx_view;

#define MX_SPATIAL_DIMS 3
/* The index of a normalised dimension. */
#define MX_SPATIAL_DEPTH 0
#define MX_SPATIAL_HEIGHT 1
#define MX_SPATIAL_WIDTH 2

/* No kernel, stride, dilation or padding is larger: a product of one with any
 * dimension (MX_ELEMS_MAX), or of three with each other, does not overflow. */
#define MX_SPATIAL_MAX ((int64_t)1 << 20)

struct mx_spatial {
	uint32_t rank; /* spatial dimensions that the map has: 1 .. 3 */
	size_t groups;
	size_t kernel[MX_SPATIAL_DIMS];
	size_t stride[MX_SPATIAL_DIMS];
	size_t dilation[MX_SPATIAL_DIMS];
	size_t pad_begin[MX_SPATIAL_DIMS];
	size_t pad_end[MX_SPATIAL_DIMS];
	size_t output_pad[MX_SPATIAL_DIMS]; /* Deconvolution's */
};

/*
 * Decode "kernel" (which says the rank), "stride", "dilation", "pad_begin",
 * "pad_end", "output_pad" and "groups" and check their ranges.
 *
 * Returns 0, or -EBADMSG with a message.
 */
int mx_spatial_bind(struct mx_spatial *spatial, const struct mx_attrs *attrs,
		    struct mx_err *err);

/* Input elements from a window's first to its last: dilation*(kernel-1)+1. */
size_t mx_spatial_extent(const struct mx_spatial *spatial, unsigned dim);

/* The window's elements: the product of the kernel's dimensions. */
size_t mx_spatial_window(const struct mx_spatial *spatial);

/*
 * Check that @in is [batch, channels, one dimension for each of the rank's]
 * and write its spatial dimensions, normalised, into @dim.
 *
 * Returns 0, or -EBADMSG with a message.
 */
int mx_spatial_dims(const struct mx_spatial *spatial, const struct mx_shape *in,
		    size_t dim[MX_SPATIAL_DIMS], struct mx_err *err);

/*
 * The shape [@batch, @channels, spatial...] from normalised dimensions of
 * which the last @spatial->rank are used.
 *
 * Returns 0, or -EBADMSG with a message if it has too many elements.
 */
int mx_spatial_shape(const struct mx_spatial *spatial, size_t batch,
		     size_t channels, const size_t dim[MX_SPATIAL_DIMS],
		     struct mx_shape *out, struct mx_err *err);

/* A channels-last view normalised likewise; the channels are contiguous. */
struct mx_spatial_map {
	float *data;
	size_t batch;
	size_t channels;
	size_t dim[MX_SPATIAL_DIMS];
	size_t stride[MX_SPATIAL_DIMS]; /* elements */
	size_t batch_stride;
};

/* @view has rank 3 to 5. */
void mx_spatial_map_init(struct mx_spatial_map *map,
			 const struct mx_view *view);

#endif
