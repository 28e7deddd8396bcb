#include "cli/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

void mx_image_fini(struct mx_image *image)
{
	free(image->rgb);
	*image = (struct mx_image){.rgb = NULL};
}

int mx_image_crop(struct mx_image *image, const struct mx_image_part *part,
		  const char *name, struct mx_err *err)
{
	const size_t row = 3 * (size_t)part->width;
	const unsigned char *from;
	uint32_t y;

	if (!part->width || !part->height || part->left >= image->width ||
	    part->top >= image->height ||
	    part->width > image->width - part->left ||
	    part->height > image->height - part->top)
		return mx_fail(err, EINVAL,
			       "%s: %ux%u+%u+%u is not inside its %u x %u "
			       "pixels",
			       name, part->width, part->height, part->left,
			       part->top, image->width, image->height);
	/* A row moves towards the front, never over one still to be read. */
	for (y = 0; y < part->height; y++) {
		from = image->rgb +
		       3 * ((size_t)(part->top + y) * image->width +
			    part->left);
		memmove(image->rgb + y * row, from, row);
	}
	image->width = part->width;
	image->height = part->height;
	return 0;
}

int mx_image_alloc(struct mx_image *image, uint64_t width, uint64_t height,
		   const char *name, struct mx_err *err)
{
	if (!width || !height || width > MX_IMAGE_PIXELS_MAX ||
	    height > MX_IMAGE_PIXELS_MAX / width)
		return mx_fail(err, EBADMSG,
			       "%s: a picture of %ju x %ju is not read", name,
			       (uintmax_t)width, (uintmax_t)height);
	image->rgb = malloc((size_t)(3 * width * height));
	if (!image->rgb)
		return mx_fail(err, ENOMEM, "%s: no memory for %ju x %ju", name,
			       (uintmax_t)width, (uintmax_t)height);
	image->width = (uint32_t)width;
	image->height = (uint32_t)height;
	return 0;
}

int mx_image_decode(const unsigned char *data, size_t size_bytes,
		    const char *name, struct mx_image *out, struct mx_err *err)
{
	if (size_bytes >= 3 && !memcmp(data, "\xff\xd8\xff", 3))
		return mx_image_decode_jpeg(data, size_bytes, name, out, err);
	if (size_bytes >= 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8))
		return mx_image_decode_png(data, size_bytes, name, out, err);
	if (size_bytes >= 2 && data[0] == 'P' &&
	    (data[1] == '5' || data[1] == '6'))
		return mx_image_decode_pnm(data, size_bytes, name, out, err);
	return mx_fail(err, EBADMSG, "%s: neither JPEG, PNG, PPM, PGM nor .npy",
		       name);
}

/* --- PPM and PGM: "P6 640 480 255\n" and the bytes --- */

struct pnm {
	const unsigned char *data;
	size_t size_bytes;
	size_t at;
};

/* A number of the header, behind spaces and comments. */
static int take_number(struct pnm *pnm, uint64_t *out)
{
	uint64_t value = 0;
	int digits = 0, c;

	for (; pnm->at < pnm->size_bytes; pnm->at++) {
		c = pnm->data[pnm->at];
		if (c == '#') {
			while (pnm->at < pnm->size_bytes &&
			       pnm->data[pnm->at] != '\n')
				pnm->at++;
		} else if (c < '\t' || (c > '\r' && c != ' ')) {
			break;
		}
	}
	for (; pnm->at < pnm->size_bytes; pnm->at++) {
		c = pnm->data[pnm->at];
		if (c < '0' || c > '9')
			break;
		value = value * 10 + (uint64_t)(c - '0');
		if (value > UINT32_MAX)
			return -EBADMSG;
		digits = 1;
	}
	*out = value;
	return digits ? 0 : -EBADMSG;
}

int mx_image_decode_pnm(const unsigned char *data, size_t size_bytes,
			const char *name, struct mx_image *out,
			struct mx_err *err)
{
	struct pnm pnm = {.data = data, .size_bytes = size_bytes, .at = 2};
	const size_t channels = data[1] == '6' ? 3 : 1;
	uint64_t width, height, top;
	size_t need, i, value;
	int rc;

	if (take_number(&pnm, &width) || take_number(&pnm, &height) ||
	    take_number(&pnm, &top) || pnm.at++ >= size_bytes)
		return mx_fail(err, EBADMSG, "%s: its header is not valid",
			       name);
	if (!top || top > 255)
		return mx_fail(err, EBADMSG,
			       "%s: its maximum is %ju; 1 to 255 is read", name,
			       (uintmax_t)top);
	rc = mx_image_alloc(out, width, height, name, err);
	if (rc)
		return rc;
	need = channels * out->width * out->height;
	if (need > size_bytes - pnm.at) {
		mx_image_fini(out);
		return mx_fail(err, EBADMSG, "%s: cut off", name);
	}
	for (i = 0; i < 3 * (size_t)out->width * out->height; i++) {
		value = data[pnm.at + (channels == 3 ? i : i / 3)];
		value = (value * 255 + top / 2) / top;
		out->rgb[i] = (unsigned char)(value > 255 ? 255 : value);
	}
	return 0;
}
