/*
 * Pictures: JPEG, PNG, PPM and PGM, told by content, as 8-bit RGB.
 */
#ifndef MX_CLI_IMAGE_H
#define MX_CLI_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

/* A picture has at most this many pixels: 256 Mi. */
#define MX_IMAGE_PIXELS_MAX (1u << 28)

struct mx_image {
	uint32_t width;
	uint32_t height;
	unsigned char *rgb; /* heap, 3 * width * height, rows from the top */
};

/*
 * Decode into *@out (mx_image_fini() ends it). Transparency is blended with
 * white; a grey picture has three equal channels. @name is for messages.
 *
 * Returns 0; -EBADMSG if it is no picture of these kinds or is damaged;
 * -ENOMEM.
 */
int mx_image_decode(const unsigned char *data, size_t size_bytes,
		    const char *name, struct mx_image *out, struct mx_err *err);

void mx_image_fini(struct mx_image *image);

/*
 * Keep the part of @width x @height pixels at (@left, @top) alone.
 * Returns 0, or -EINVAL if it does not lie inside or is empty.
 */
struct mx_image_part {
	uint32_t width;
	uint32_t height;
	uint32_t left;
	uint32_t top;
};
int mx_image_crop(struct mx_image *image, const struct mx_image_part *part,
		  const char *name, struct mx_err *err);

/* One kind of file each; mx_image_decode() picks. */
int mx_image_decode_jpeg(const unsigned char *data, size_t size_bytes,
			 const char *name, struct mx_image *out,
			 struct mx_err *err);
int mx_image_decode_png(const unsigned char *data, size_t size_bytes,
			const char *name, struct mx_image *out,
			struct mx_err *err);
int mx_image_decode_pnm(const unsigned char *data, size_t size_bytes,
			const char *name, struct mx_image *out,
			struct mx_err *err);

/* Set the size and allocate. Returns 0, -EBADMSG (empty, too big), -ENOMEM. */
int mx_image_alloc(struct mx_image *image, uint64_t width, uint64_t height,
		   const char *name, struct mx_err *err);

#endif
