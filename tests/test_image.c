#include "cli/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <png.h>

#include "lib/err.h"
#include "tests/check.h"

#define SIDE 16

static size_t encode_jpeg(unsigned char **out, int components,
			  J_COLOR_SPACE space)
{
	struct jpeg_compress_struct codec;
	struct jpeg_error_mgr errors;
	unsigned char row[SIDE * 4];
	unsigned long size = 0;
	JSAMPROW rows[] = {row};

	*out = NULL;
	memset(row, 200, sizeof(row));
	codec.err = jpeg_std_error(&errors);
	jpeg_create_compress(&codec);
	jpeg_mem_dest(&codec, out, &size);
	codec.image_width = SIDE;
	codec.image_height = SIDE;
	codec.input_components = components;
	codec.in_color_space = space;
	jpeg_set_defaults(&codec);
	jpeg_set_quality(&codec, 100, TRUE);
	jpeg_start_compress(&codec, TRUE);
	while (codec.next_scanline < SIDE)
		(void)jpeg_write_scanlines(&codec, rows, 1);
	jpeg_finish_compress(&codec);
	jpeg_destroy_compress(&codec);
	return size;
}

static size_t encode_png(unsigned char *out, size_t room, png_uint_32 format,
			 const unsigned char *pixels)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	png_alloc_size_t size = room;

	image.width = 2;
	image.height = 2;
	image.format = format;
	assert_true(png_image_write_to_memory(&image, out, &size, 0, pixels, 0,
					      NULL));
	return size;
}

static void expect_grey(const unsigned char *data, size_t size)
{
	struct mx_image image;
	size_t i;

	assert_int_equal(mx_image_decode(data, size, "x", &image, NULL), 0);
	assert_int_equal(image.width, SIDE);
	assert_int_equal(image.height, SIDE);
	for (i = 0; i < 3 * SIDE * SIDE; i++)
		assert_in_range(image.rgb[i], 198, 202);
	mx_image_fini(&image);
}

static void jpeg_is_read_in_colour_and_grey(void **state)
{
	unsigned char *data;
	size_t size;

	(void)state;
	size = encode_jpeg(&data, 3, JCS_RGB);
	expect_grey(data, size);
	free(data);
	size = encode_jpeg(&data, 1, JCS_GRAYSCALE);
	expect_grey(data, size);
	free(data);
}

static void a_cmyk_jpeg_is_refused(void **state)
{
	struct mx_image image;
	unsigned char *data;
	struct mx_err err;
	size_t size;

	(void)state;
	size = encode_jpeg(&data, 4, JCS_CMYK);
	assert_int_equal(mx_image_decode(data, size, "x", &image, &err),
			 -EBADMSG);
	assert_string_equal(err.text,
			    "x: a CMYK picture is not read: save it as RGB");
	free(data);
}

/* Every way to cut a file must end in an error, not in a grey rest. */
static void expect_no_part_is_enough(const unsigned char *data, size_t size)
{
	struct mx_image image;
	unsigned char *part;
	size_t i;

	for (i = 0; i < size; i++) {
		part = malloc(i ? i : 1);
		assert_non_null(part);
		memcpy(part, data, i);
		assert_int_equal(mx_image_decode(part, i, "x", &image, NULL),
				 -EBADMSG);
		free(part);
	}
}

static void a_cut_jpeg_is_refused(void **state)
{
	unsigned char *data;
	size_t size;

	(void)state;
	size = encode_jpeg(&data, 3, JCS_RGB);
	expect_no_part_is_enough(data, size);
	free(data);
}

static void png_is_read_and_blended_with_white(void **state)
{
	static const unsigned char rgb[] = {1, 2, 3, 4,	 5,  6,
					    7, 8, 9, 10, 11, 12};
	static const unsigned char rgba[] = {1,	  2, 3, 255, 9, 9, 9, 0,
					     255, 0, 0, 255, 0, 0, 0, 255};
	static const unsigned char blended[] = {1,   2, 3, 255, 255, 255,
						255, 0, 0, 0,	0,   0};
	unsigned char file[1024];
	struct mx_image image;
	size_t size;

	(void)state;
	size = encode_png(file, sizeof(file), PNG_FORMAT_RGB, rgb);
	assert_int_equal(mx_image_decode(file, size, "x", &image, NULL), 0);
	assert_int_equal(image.width, 2);
	assert_memory_equal(image.rgb, rgb, sizeof(rgb));
	mx_image_fini(&image);
	expect_no_part_is_enough(file, size);

	size = encode_png(file, sizeof(file), PNG_FORMAT_RGBA, rgba);
	assert_int_equal(mx_image_decode(file, size, "x", &image, NULL), 0);
	assert_memory_equal(image.rgb, blended, sizeof(blended));
	mx_image_fini(&image);
}

static void a_grey_png_has_three_equal_channels(void **state)
{
	static const unsigned char grey[] = {10, 20, 30, 40};
	unsigned char file[1024];
	struct mx_image image;
	size_t size, i;

	(void)state;
	size = encode_png(file, sizeof(file), PNG_FORMAT_GRAY, grey);
	assert_int_equal(mx_image_decode(file, size, "x", &image, NULL), 0);
	for (i = 0; i < 12; i++)
		assert_int_equal(image.rgb[i], grey[i / 3]);
	mx_image_fini(&image);
}

static void pnm_headers_may_have_comments(void **state)
{
	static const char ppm[] = "P6 # colour\n2\t1 #\n255\nabcdef";
	static const char pgm[] = "P5 2 1 15\n\x00\x0f";
	static const unsigned char want[] = {0, 0, 0, 255, 255, 255};
	struct mx_image image;

	(void)state;
	assert_int_equal(mx_image_decode((const unsigned char *)ppm,
					 sizeof(ppm) - 1, "x", &image, NULL),
			 0);
	assert_memory_equal(image.rgb, "abcdef", 6);
	mx_image_fini(&image);
	assert_int_equal(mx_image_decode((const unsigned char *)pgm,
					 sizeof(pgm) - 1, "x", &image, NULL),
			 0);
	assert_memory_equal(image.rgb, want, sizeof(want));
	mx_image_fini(&image);
	expect_no_part_is_enough((const unsigned char *)ppm, sizeof(ppm) - 1);
}

static void bad_pnm_headers_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"P6 2 x 255\n", "x: its header is not valid"},
		{"P6 2 1", "x: its header is not valid"},
		{"P6 0 1 255\n", "x: a picture of 0 x 1 is not read"},
		{"P6 4000000000 4000000000 255\n",
		 "x: a picture of 4000000000 x 4000000000 is not read"},
		{"P6 99999999999 1 255\n", "x: its header is not valid"},
		{"P6 1 1 65535\nabcdef",
		 "x: its maximum is 65535; 1 to 255 is read"},
		{"P6 1 1 255\nab", "x: cut off"},
		{"GIF89a", "x: neither JPEG, PNG, PPM, PGM nor .npy"},
	};
	struct mx_image image;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			mx_image_decode((const unsigned char *)cases[i].text,
					strlen(cases[i].text), "x", &image,
					&err),
			-EBADMSG);
		assert_string_equal(err.text, cases[i].why);
	}
}

static void a_part_is_cut_out(void **state)
{
	static const char ppm[] = "P6 2 2 255\nabcdefghijkl";
	const struct mx_image_part right = {1, 2, 1, 0};
	const struct mx_image_part outside[] = {
		{2, 1, 1, 0}, {1, 1, 2, 0},	     {0, 1, 0, 0},
		{1, 3, 0, 0}, {1, 1, 0, UINT32_MAX},
	};
	struct mx_image image;
	struct mx_err err;
	size_t i;

	(void)state;
	assert_int_equal(mx_image_decode((const unsigned char *)ppm,
					 sizeof(ppm) - 1, "x", &image, NULL),
			 0);
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_int_equal(mx_image_crop(&image, &outside[i], "x", &err),
				 -EINVAL);
	assert_int_equal(mx_image_crop(&image, &right, "x", &err), 0);
	assert_int_equal(image.width, 1);
	assert_int_equal(image.height, 2);
	assert_memory_equal(image.rgb, "defjkl", 6);
	mx_image_fini(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jpeg_is_read_in_colour_and_grey),
		cmocka_unit_test(a_cmyk_jpeg_is_refused),
		cmocka_unit_test(a_cut_jpeg_is_refused),
		cmocka_unit_test(png_is_read_and_blended_with_white),
		cmocka_unit_test(a_grey_png_has_three_equal_channels),
		cmocka_unit_test(pnm_headers_may_have_comments),
		cmocka_unit_test(bad_pnm_headers_are_refused),
		cmocka_unit_test(a_part_is_cut_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
