/*
 * A view: one tensor of one job as operators see it. Every operator that does
 * not need an order works on strides, so that it takes any layout.
 */
#ifndef MX_LIB_VIEW_H
#define MX_LIB_VIEW_H

#include <stddef.h>

#include "lib/network.h"

struct mx_view {
	float *data; /* element 0 */
	struct mx_shape shape; /* logical */
	size_t stride[MX_RANK_MAX]; /* in elements, for each logical dim */
	enum mx_layout layout;
	size_t pitch; /* channels-last: elements between pixels */
};

/* The view of @tensor whose root's element 0 is at @root_data. */
void mx_view_init(struct mx_view *view, const struct mx_tensor *tensor,
		  float *root_data);

/* 1 if the elements lie without gaps in memory (in whichever order). */
int mx_view_is_dense(const struct mx_view *view);

/*
 * Copy between a view and a plain row-major array of the logical shape
 * (mx_shape_elems(&view->shape) floats).
 */
void mx_view_load(const struct mx_view *view, const float *row_major);
void mx_view_store(const struct mx_view *view, float *row_major);

#endif
