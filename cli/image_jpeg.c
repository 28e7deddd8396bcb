/*
 * libjpeg reports errors by a callback that must not return: it jumps back to
 * decode(), whose state is all in one struct behind a pointer, so that nothing
 * of it can be lost in a register.
 */
#include "cli/image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <jpeglib.h>

#include "lib/err.h"

struct jpeg_state {
	struct jpeg_decompress_struct codec;
	struct jpeg_error_mgr errors;
	jmp_buf back;
	const char *name;
	struct mx_err *err;
	struct mx_image image;
};

static void give_up(j_common_ptr codec)
{
	struct jpeg_state *state = codec->client_data;
	char text[JMSG_LENGTH_MAX];

	codec->err->format_message(codec, text);
	(void)mx_fail(state->err, EBADMSG, "%s: %s", state->name, text);
	longjmp(state->back, 1);
}

/*
 * libjpeg warns of damage and fills the rest with grey. A picture that is not
 * all there must not be answered for: warnings (negative levels) are errors.
 */
static void hear(j_common_ptr codec, int level)
{
	if (level < 0)
		give_up(codec);
}

static void be_silent(j_common_ptr codec)
{
	(void)codec;
}

static int read_rows(struct jpeg_state *state)
{
	struct jpeg_decompress_struct *codec = &state->codec;
	JSAMPROW row;

	(void)jpeg_read_header(codec, TRUE);
	if (codec->jpeg_color_space == JCS_CMYK ||
	    codec->jpeg_color_space == JCS_YCCK)
		return mx_fail(state->err, EBADMSG,
			       "%s: a CMYK picture is not read: save it as RGB",
			       state->name);
	codec->out_color_space = JCS_RGB;
	if (mx_image_alloc(&state->image, codec->image_width,
			   codec->image_height, state->name, state->err))
		return -EBADMSG;
	(void)jpeg_start_decompress(codec);
	while (codec->output_scanline < codec->output_height) {
		row = state->image.rgb +
		      3 * (size_t)codec->output_scanline * state->image.width;
		(void)jpeg_read_scanlines(codec, &row, 1);
	}
	(void)jpeg_finish_decompress(codec);
	return 0;
}

static int decode(struct jpeg_state *state, const unsigned char *data,
		  size_t size_bytes)
{
	int rc;

	state->codec.err = jpeg_std_error(&state->errors);
	state->codec.client_data = state;
	state->errors.error_exit = give_up;
	state->errors.emit_message = hear;
	state->errors.output_message = be_silent;
	if (setjmp(state->back)) {
		jpeg_destroy_decompress(&state->codec);
		return -EBADMSG;
	}
	jpeg_create_decompress(&state->codec);
	jpeg_mem_src(&state->codec, data, size_bytes);
	rc = read_rows(state);
	jpeg_destroy_decompress(&state->codec);
	return rc;
}

int mx_image_decode_jpeg(const unsigned char *data, size_t size_bytes,
			 const char *name, struct mx_image *out,
			 struct mx_err *err)
{
	struct jpeg_state state = {.name = name, .err = err};

	if (decode(&state, data, size_bytes)) {
		mx_image_fini(&state.image);
		return -EBADMSG;
	}
	*out = state.image;
	return 0;
}
