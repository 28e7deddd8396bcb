/*
 * A picture that several jobs look at: decoded once, and each job's input made
 * from all of it or from a part.
 */
#ifndef MX_CLI_PHOTO_H
#define MX_CLI_PHOTO_H

#include <stdint.h>

#include "cli/image.h"

struct mx_err;
struct mx_preprocess;
struct mx_shape;

/* A rectangle in pixels of something, with fractions. */
struct mx_area {
	double left;
	double top;
	double right;
	double bottom;
};

struct mx_photo {
	char *path;
	struct mx_image image; /* no pixels: it is not in memory */
	uint32_t width;
	uint32_t height;
	/* The most that decoding it and making inputs of it will take, with
	 * the decoded picture. Known once it has been loaded. */
	uint64_t need_bytes;
};

/* Nothing is read. mx_photo_fini() ends it. Returns 0 or -ENOMEM. */
int mx_photo_init(struct mx_photo *photo, const char *path, struct mx_err *err);
void mx_photo_fini(struct mx_photo *photo);

/* Decode it, unless it is in memory. Returns 0 or as mx_file_read() and
 * mx_image_decode(). */
int mx_photo_load(struct mx_photo *photo, struct mx_err *err);
void mx_photo_unload(struct mx_photo *photo);

/*
 * The whole pixels of a picture of @width x @height that are @area made @grow
 * times as large about its middle: moved inside where it reaches over an edge,
 * and made smaller where it would be larger than the picture. Never empty.
 */
struct mx_image_part mx_photo_part(uint32_t width, uint32_t height,
				   const struct mx_area *area, double grow);

/*
 * Make an input of @shape of a @part of a loaded picture, as
 * mx_preprocess_image() does. Returns as that.
 */
int mx_photo_fill(const struct mx_photo *photo,
		  const struct mx_image_part *part,
		  const struct mx_preprocess *how, const struct mx_shape *shape,
		  float *out, struct mx_err *err);

#endif
