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

#endif
