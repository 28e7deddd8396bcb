/*
 * Shapes: the logical dimensions of a tensor, in the source framework's order
 * (batch, channels, depth, height, width for feature maps), whatever its
 * layout in memory.
 */
#ifndef MX_LIB_SHAPE_H
#define MX_LIB_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#define MX_RANK_MAX 8
/* No tensor has more elements: 4 TiB, and no sum of two sizes overflows. */
#define MX_ELEMS_MAX ((size_t)1 << 40)

struct mx_err;

struct mx_shape {
	uint32_t rank; /* 0 is a scalar: one element */
	size_t dim[MX_RANK_MAX];
};

/*
 * The number of elements of @shape into *@count.
 *
 * Returns 0; -EOVERFLOW if the rank is above MX_RANK_MAX or the product above
 * MX_ELEMS_MAX. A dimension of 0 gives 0.
 */
int mx_shape_count(const struct mx_shape *shape, size_t *count);

/* The number of elements of a shape that mx_shape_count() has accepted. */
size_t mx_shape_elems(const struct mx_shape *shape);

/* The product of dim[first .. end) of an accepted shape; 1 if empty. */
size_t mx_shape_span(const struct mx_shape *shape, uint32_t first,
		     uint32_t end);

/* 1 if rank and dimensions are the same, else 0. */
int mx_shape_equal(const struct mx_shape *a, const struct mx_shape *b);

/* A shape of @rank (<= MX_RANK_MAX) dimensions. */
struct mx_shape mx_shape_of(uint32_t rank, const size_t *dim);

/*
 * The shape two shapes broadcast to, by NumPy's rule (aligned at the end).
 *
 * Returns 0, or -EINVAL if they do not.
 */
int mx_shape_broadcast(const struct mx_shape *a, const struct mx_shape *b,
		       struct mx_shape *out);

/*
 * @axis counted from the end when negative, into *@out.
 *
 * Returns 0, or -EINVAL if it is outside [-rank, rank).
 */
int mx_shape_axis(uint32_t rank, int64_t axis, uint32_t *out);

#define MX_SHAPE_TEXT_BYTES 176

/* "1x3x224x224" into @text, which is returned. */
const char *mx_shape_text(const struct mx_shape *shape,
			  char text[MX_SHAPE_TEXT_BYTES]);

#endif
