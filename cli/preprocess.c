#include "cli/preprocess.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "cli/image.h"
#include "lib/err.h"

/* Where a picture lands: it is scaled to full_*, and the input shows the part
 * at (left, top) of it, which may lie outside (letterbox: negative). */
struct placement {
	double full_width;
	double full_height;
	double left;
	double top;
};

/* Between which two source pixels an output pixel lies. */
struct sample {
	uint32_t low;
	uint32_t high;
	float part; /* of the high one */
	int outside;
};

static int place(const struct mx_preprocess *how, const struct mx_image *image,
		 size_t width, size_t height, const char *name,
		 struct placement *out, struct mx_err *err)
{
	const double w = image->width, h = image->height;
	double scale;

	*out = (struct placement){(double)width, (double)height, 0, 0};
	if (how->resize == MX_RESIZE_STRETCH)
		return 0;
	if (how->resize == MX_RESIZE_CROP) {
		if (how->crop_size < width || how->crop_size < height)
			return mx_fail(err, EINVAL,
				       "%s: crop size %u is smaller than the "
				       "input's %zu x %zu",
				       name, how->crop_size, width, height);
		scale = how->crop_size / fmin(w, h);
	} else {
		scale = fmin((double)width / w, (double)height / h);
	}
	out->full_width = fmax(1, round(w * scale));
	out->full_height = fmax(1, round(h * scale));
	out->left = floor((out->full_width - (double)width) / 2);
	out->top = floor((out->full_height - (double)height) / 2);
	return 0;
}

static void sample_axis(struct sample *samples, size_t count, double begin,
			double full, uint32_t source)
{
	double at;
	size_t i;

	for (i = 0; i < count; i++) {
		at = begin + (double)i;
		samples[i].outside = at < 0 || at >= full;
		at = (at + 0.5) * source / full - 0.5;
		at = fmin(fmax(at, 0), source - 1.0);
		samples[i].low = (uint32_t)at;
		samples[i].high = samples[i].low + 1 < source
					  ? samples[i].low + 1
					  : samples[i].low;
		samples[i].part = (float)(at - samples[i].low);
	}
}

static float blend(const struct mx_image *image, const struct sample *x,
		   const struct sample *y, unsigned channel)
{
	const unsigned char *upper, *lower;
	float a, b;

	upper = image->rgb + 3 * (size_t)y->low * image->width + channel;
	lower = image->rgb + 3 * (size_t)y->high * image->width + channel;
	a = (float)upper[3 * (size_t)x->low];
	a += x->part * ((float)upper[3 * (size_t)x->high] - a);
	b = (float)lower[3 * (size_t)x->low];
	b += x->part * ((float)lower[3 * (size_t)x->high] - b);
	return a + y->part * (b - a);
}

/* Channel @channel of the network's order at one pixel, 0 .. 255. */
static float pixel(const struct mx_image *image, enum mx_channel_order order,
		   const struct sample *x, const struct sample *y,
		   unsigned channel)
{
	if (order == MX_CHANNELS_RGB)
		return blend(image, x, y, channel);
	if (order == MX_CHANNELS_BGR)
		return blend(image, x, y, 2 - channel);
	/* Luminance by ITU-R BT.601, as everybody's grey conversion. */
	return 0.299f * blend(image, x, y, 0) + 0.587f * blend(image, x, y, 1) +
	       0.114f * blend(image, x, y, 2);
}

static void fill(const struct mx_preprocess *how, const struct mx_image *image,
		 const struct sample *x, const struct sample *y,
		 const size_t size[3], float *out)
{
	const enum mx_channel_order order =
		size[0] == 1 ? MX_CHANNELS_GRAY : how->channels;
	size_t c, i, k;
	float value;

	for (c = 0; c < size[0]; c++)
		for (i = 0; i < size[1]; i++)
			for (k = 0; k < size[2]; k++) {
				value = how->mean[c];
				if (!x[k].outside && !y[i].outside)
					value = pixel(image, order, &x[k],
						      &y[i], (unsigned)c);
				*out++ = (value - how->mean[c]) * how->scale /
					 how->std[c];
			}
}

/* [..., channels, height, width], all before that being 1, into @size. */
static int measure(const struct mx_shape *shape, const char *name,
		   size_t size[3], struct mx_err *err)
{
	char text[MX_SHAPE_TEXT_BYTES];

	if (shape->rank < 3 || mx_shape_span(shape, 0, shape->rank - 3) != 1 ||
	    (shape->dim[shape->rank - 3] != 1 &&
	     shape->dim[shape->rank - 3] != 3))
		return mx_fail(err, EINVAL,
			       "%s: an input of shape %s takes no picture: "
			       "give an .npy file",
			       name, mx_shape_text(shape, text));
	size[0] = shape->dim[shape->rank - 3];
	size[1] = shape->dim[shape->rank - 2];
	size[2] = shape->dim[shape->rank - 1];
	return 0;
}

int mx_preprocess_map(const struct mx_preprocess *how,
		      const struct mx_image *image,
		      const struct mx_shape *shape, const char *name,
		      struct mx_preprocess_mapping *out, struct mx_err *err)
{
	struct placement where;
	size_t size[3];
	int rc;

	rc = measure(shape, name, size, err);
	if (!rc)
		rc = place(how, image, size[2], size[1], name, &where, err);
	if (!rc)
		*out = (struct mx_preprocess_mapping){
			.left = where.left,
			.top = where.top,
			.x_scale = image->width / where.full_width,
			.y_scale = image->height / where.full_height,
		};
	return rc;
}

int mx_preprocess_image(const struct mx_preprocess *how,
			const struct mx_image *image,
			const struct mx_shape *shape, const char *name,
			float *out, struct mx_err *err)
{
	struct placement where;
	struct sample *x;
	size_t size[3];
	int rc;

	rc = measure(shape, name, size, err);
	if (rc)
		return rc;
	rc = place(how, image, size[2], size[1], name, &where, err);
	if (rc)
		return rc;
	x = calloc(size[1] + size[2] + 1, sizeof(*x));
	if (!x)
		return mx_fail(err, ENOMEM, "%s: no memory", name);
	sample_axis(x, size[2], where.left, where.full_width, image->width);
	sample_axis(x + size[2], size[1], where.top, where.full_height,
		    image->height);
	fill(how, image, x, x + size[2], size, out);
	free(x);
	return 0;
}
