#include "cli/photo.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/preprocess.h"
#include "lib/err.h"

#define PICTURE_BYTES_MAX ((size_t)1 << 30)

/* What libjpeg and libpng take beside the picture: rows and tables. */
#define CODEC_BYTES ((uint64_t)1 << 20)

/* Of a JPEG of several scans, libjpeg keeps all coefficients: two bytes for
 * each sample. */
#define SCAN_BYTES 2

int mx_photo_init(struct mx_photo *photo, const char *path, struct mx_err *err)
{
	*photo = (struct mx_photo){.path = strdup(path)};
	return photo->path ? 0 : mx_fail(err, ENOMEM, "%s: no memory", path);
}

void mx_photo_fini(struct mx_photo *photo)
{
	mx_photo_unload(photo);
	free(photo->path);
	*photo = (struct mx_photo){.path = NULL};
}

void mx_photo_unload(struct mx_photo *photo)
{
	mx_image_fini(&photo->image);
}

/* A JPEG is FF D8 and segments FF KIND LENGTH...; which kind the frame's
 * header is says whether it comes in several scans (C2 and the like) or in one
 * (C0, C1), unless that one has a part of the channels only. */
static int may_have_scans(const unsigned char *data, size_t size_bytes)
{
	size_t at = 2;

	if (size_bytes < 4 || data[0] != 0xff || data[1] != 0xd8)
		return 0;
	while (at + 4 <= size_bytes && data[at] == 0xff) {
		if (data[at + 1] == 0xda)
			return size_bytes < at + 5 || data[at + 4] < 3;
		if (data[at + 1] == 0xc2)
			return 1;
		at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
	}
	return 1;
}

int mx_photo_load(struct mx_photo *photo, struct mx_err *err)
{
	unsigned char *data;
	size_t size_bytes;
	uint64_t pixel_bytes, extra_bytes;
	int rc;

	if (photo->image.rgb)
		return 0;
	rc = mx_file_read(photo->path, PICTURE_BYTES_MAX, &data, &size_bytes,
			  err);
	if (rc)
		return rc;
	rc = mx_image_decode(data, size_bytes, photo->path, &photo->image, err);
	if (!rc) {
		photo->width = photo->image.width;
		photo->height = photo->image.height;
		pixel_bytes = 3 * (uint64_t)photo->width * photo->height;
		extra_bytes = size_bytes + CODEC_BYTES;
		if (may_have_scans(data, size_bytes))
			extra_bytes += SCAN_BYTES * pixel_bytes;
		/* A part can be nearly all of it. */
		if (extra_bytes < pixel_bytes)
			extra_bytes = pixel_bytes;
		photo->need_bytes = pixel_bytes + extra_bytes;
	}
	free(data);
	return rc;
}

/* One side of a part: @size pixels from @low to @high, grown. */
static void fit(uint32_t size, double low, double high, double grow,
		uint32_t *begin, uint32_t *length)
{
	const double middle = (low + high) / 2;
	double span = fmin(fmax((high - low) * grow, 1), size);
	double from = middle - span / 2;

	/* Comparisons with NaN are false: such an area is at 0. */
	if (!(span >= 1))
		span = 1;
	if (!(from >= 0))
		from = 0;
	*length = (uint32_t)span;
	if (from > size - *length)
		from = size - *length;
	*begin = (uint32_t)from;
}

struct mx_image_part mx_photo_part(uint32_t width, uint32_t height,
				   const struct mx_area *area, double grow)
{
	struct mx_image_part part;

	fit(width, area->left, area->right, grow, &part.left, &part.width);
	fit(height, area->top, area->bottom, grow, &part.top, &part.height);
	return part;
}

int mx_photo_fill(const struct mx_photo *photo,
		  const struct mx_image_part *part,
		  const struct mx_preprocess *how, const struct mx_shape *shape,
		  float *out, struct mx_err *err)
{
	const struct mx_image *all = &photo->image;
	const size_t row_bytes = 3 * (size_t)part->width;
	struct mx_image image = {.rgb = NULL};
	uint32_t y;
	int rc;

	if (part->width == all->width && part->height == all->height)
		return mx_preprocess_image(how, all, shape, photo->path, out,
					   err);
	rc = mx_image_alloc(&image, part->width, part->height, photo->path,
			    err);
	if (rc)
		return rc;
	for (y = 0; y < part->height; y++)
		memcpy(image.rgb + y * row_bytes,
		       all->rgb + 3 * ((size_t)(part->top + y) * all->width +
				       part->left),
		       row_bytes);
	rc = mx_preprocess_image(how, &image, shape, photo->path, out, err);
	mx_image_fini(&image);
	return rc;
}
