#include "lib/view.h"

#include <string.h>

#include "lib/size.h"

void mx_view_init(struct mx_view *view, const struct mx_tensor *tensor,
		  float *root_data)
{
	view->data = root_data + tensor->offset_elems;
	view->shape = tensor->shape;
	view->layout = tensor->layout;
	view->pitch = tensor->pitch;
	mx_tensor_strides(tensor, view->stride);
}

int mx_view_is_dense(const struct mx_view *view)
{
	return view->layout == MX_LAYOUT_ROW_MAJOR ||
	       view->pitch == view->shape.dim[1];
}

enum direction { LOAD, STORE };

/* Pixels between which a channel's plane is left for the next one's: both
 * sides' cache lines are still there. */
#define BAND ((size_t)256)

/*
 * Channels-last against row-major, some pixels of every channel at a time; a
 * channel's pixels lie `pitch` apart on one side and side by side on the other.
 */
static void copy_band(const struct mx_view *view, float *ours, float *theirs,
		      size_t pixels, size_t count, enum direction direction)
{
	const size_t channels = view->shape.dim[1];
	const size_t pitch = view->pitch;
	size_t c, p;

	for (c = 0; c < channels; c++, ours++, theirs += pixels)
		if (direction == LOAD)
			for (p = 0; p < count; p++)
				ours[p * pitch] = theirs[p];
		else
			for (p = 0; p < count; p++)
				theirs[p] = ours[p * pitch];
}

static void copy_planes(const struct mx_view *view, float *row_major,
			enum direction direction)
{
	const size_t channels = view->shape.dim[1];
	const size_t pixels = mx_shape_span(&view->shape, 2, view->shape.rank);
	size_t n, p;

	for (n = 0; n < view->shape.dim[0]; n++)
		for (p = 0; p < pixels; p += BAND)
			copy_band(view,
				  view->data + n * view->stride[0] +
					  p * view->pitch,
				  row_major + n * channels * pixels + p, pixels,
				  mx_size_min(BAND, pixels - p), direction);
}

void mx_view_load(const struct mx_view *view, const float *row_major)
{
	const size_t elems = mx_shape_elems(&view->shape);

	if (elems == 0)
		return;
	if (view->layout == MX_LAYOUT_ROW_MAJOR)
		memcpy(view->data, row_major, elems * sizeof(float));
	else
		copy_planes(view, (float *)(uintptr_t)row_major, LOAD);
}

void mx_view_store(const struct mx_view *view, float *row_major)
{
	const size_t elems = mx_shape_elems(&view->shape);

	if (elems == 0)
		return;
	if (view->layout == MX_LAYOUT_ROW_MAJOR)
		memcpy(row_major, view->data, elems * sizeof(float));
	else
		copy_planes(view, row_major, STORE);
}
