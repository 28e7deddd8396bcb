/*
 * Box copy: elements of a box of indices from one strided place to another,
 * in the order that suits both. For operators that only move data.
 */
#ifndef MX_LIB_BOX_H
#define MX_LIB_BOX_H

#include <stddef.h>

#include "lib/op.h"
#include "lib/shape.h"
#include "lib/view.h"

struct mx_box {
	struct mx_shape shape;
	float *out; /* where index 0, 0, ... goes */
	const float *in; /* and comes from */
	size_t out_stride[MX_RANK_MAX];
	ptrdiff_t in_stride[MX_RANK_MAX]; /* may be negative, or 0 to repeat */
};

/* A box of @shape from @in to @out, both of at least that shape. */
void mx_box_init(struct mx_box *box, const struct mx_shape *shape,
		 const struct mx_view *out, const struct mx_view *in);

/*
 * Copy @parts of @part_count parts. Source and target do not overlap, or are
 * the same places, in which case nothing is copied.
 */
void mx_box_copy(const struct mx_box *box, struct mx_range parts,
		 size_t part_count);

#endif
