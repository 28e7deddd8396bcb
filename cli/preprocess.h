/*
 * From a picture to a network's input: resize, order the channels, scale.
 */
#ifndef MX_CLI_PREPROCESS_H
#define MX_CLI_PREPROCESS_H

#include "lib/network.h"

struct mx_err;
struct mx_image;

/*
 * Fill @out, row-major, of @shape: [..., channels, height, width] with one or
 * three channels and nothing but ones in front. Resizing is bilinear with
 * half-pixel centres.
 *
 * Returns 0; -EINVAL if the input takes no picture, or crop_size is smaller
 * than it; -ENOMEM.
 */
int mx_preprocess_image(const struct mx_preprocess *how,
			const struct mx_image *image,
			const struct mx_shape *shape, const char *name,
			float *out, struct mx_err *err);

/*
 * Where in a picture a network sees what it sees: column x of its input is at
 * (x + left) * x_scale of the picture, row y at (y + top) * y_scale.
 */
struct mx_preprocess_mapping {
	double left;
	double top;
	double x_scale;
	double y_scale;
};

/* For a picture of the size of @image (its pixels are not looked at). Returns
 * as mx_preprocess_image(), but for -ENOMEM. */
int mx_preprocess_map(const struct mx_preprocess *how,
		      const struct mx_image *image,
		      const struct mx_shape *shape, const char *name,
		      struct mx_preprocess_mapping *out, struct mx_err *err);

#endif
