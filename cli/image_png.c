/*
 * libpng reports errors by a callback that must not return: it jumps back to
 * decode(), whose state is all in one struct behind a pointer, so that nothing
 * of it can be lost in a register.
 */
#include "cli/image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

#include "lib/err.h"

struct png_state {
	png_structp codec;
	png_infop info;
	const unsigned char *data;
	size_t size_bytes;
	size_t at;
	const char *name;
	struct mx_err *err;
	struct mx_image image;
	png_bytep *rows;
};

static void give_up(png_structp codec, png_const_charp text)
{
	struct png_state *state = png_get_error_ptr(codec);

	(void)mx_fail(state->err, EBADMSG, "%s: %s", state->name, text);
	longjmp(png_jmpbuf(codec), 1);
}

static void be_silent(png_structp codec, png_const_charp text)
{
	(void)codec;
	(void)text;
}

static void read_bytes(png_structp codec, png_bytep out, png_size_t count)
{
	struct png_state *state = png_get_io_ptr(codec);

	if (count > state->size_bytes - state->at)
		png_error(codec, "cut off");
	memcpy(out, state->data + state->at, count);
	state->at += count;
}

/* Whatever the file holds becomes 8-bit RGB. Gamma is left alone, as other
 * readers leave it, or networks would see other pixels than in training. */
static void ask_for_rgb(struct png_state *state)
{
	png_color_16 white = {.red = 255, .green = 255, .blue = 255};
	const png_byte type = png_get_color_type(state->codec, state->info);

	if (png_get_bit_depth(state->codec, state->info) == 16)
		png_set_scale_16(state->codec);
	png_set_expand(state->codec);
	if (!(type & PNG_COLOR_MASK_COLOR))
		png_set_gray_to_rgb(state->codec);
	if ((type & PNG_COLOR_MASK_ALPHA) ||
	    png_get_valid(state->codec, state->info, PNG_INFO_tRNS))
		png_set_background(state->codec, &white,
				   PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
	(void)png_set_interlace_handling(state->codec);
	png_read_update_info(state->codec, state->info);
}

static int read_rows(struct png_state *state)
{
	struct mx_image *image = &state->image;
	uint32_t y;

	png_read_info(state->codec, state->info);
	if (mx_image_alloc(image,
			   png_get_image_width(state->codec, state->info),
			   png_get_image_height(state->codec, state->info),
			   state->name, state->err))
		return -EBADMSG;
	ask_for_rgb(state);
	if (png_get_rowbytes(state->codec, state->info) !=
	    3 * (size_t)image->width)
		return mx_fail(state->err, EBADMSG,
			       "%s: its pixels cannot become RGB", state->name);
	state->rows = calloc(image->height, sizeof(*state->rows));
	if (!state->rows)
		return mx_fail(state->err, ENOMEM, "%s: no memory",
			       state->name);
	for (y = 0; y < image->height; y++)
		state->rows[y] = image->rgb + 3 * (size_t)y * image->width;
	png_read_image(state->codec, state->rows);
	png_read_end(state->codec, NULL);
	return 0;
}

static int decode(struct png_state *state)
{
	state->codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, state,
					      give_up, be_silent);
	if (!state->codec)
		return mx_fail(state->err, ENOMEM, "%s: no memory",
			       state->name);
	state->info = png_create_info_struct(state->codec);
	if (!state->info)
		return mx_fail(state->err, ENOMEM, "%s: no memory",
			       state->name);
	if (setjmp(png_jmpbuf(state->codec)))
		return -EBADMSG;
	png_set_read_fn(state->codec, state, read_bytes);
	return read_rows(state);
}

int mx_image_decode_png(const unsigned char *data, size_t size_bytes,
			const char *name, struct mx_image *out,
			struct mx_err *err)
{
	struct png_state state = {
		.data = data,
		.size_bytes = size_bytes,
		.name = name,
		.err = err,
	};
	int rc;

	rc = decode(&state);
	free(state.rows);
	png_destroy_read_struct(&state.codec, &state.info, NULL);
	if (rc)
		mx_image_fini(&state.image);
	else
		*out = state.image;
	return rc;
}
