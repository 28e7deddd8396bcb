/* wrap: malloc calloc */
#include "cli/photo.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <jpeglib.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/network.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

static void parts_stay_inside_and_are_never_empty(void **state)
{
	static const struct {
		struct mx_area area;
		double grow;
		struct mx_image_part want; /* width, height, left, top */
	} cases[] = {
		{{10, 20, 30, 30}, 1, {20, 10, 10, 20}},
		{{10, 20, 30, 30}, 2, {40, 20, 0, 15}},
		/* Moved inside, */
		{{0, 0, 20, 20}, 2, {40, 40, 0, 0}},
		{{80, 30, 100, 50}, 2, {40, 40, 60, 10}},
		/* or made smaller. */
		{{10, 10, 20, 20}, 100, {100, 50, 0, 0}},
		/* A whole pixel at least. */
		{{10.6, 20.4, 10.6, 20.4}, 1, {1, 1, 10, 19}},
		{{100, 50, 100, 50}, 1, {1, 1, 99, 49}},
		{{10, 10, 20, 20}, 0, {1, 1, 14, 14}},
		/* Backwards is nothing, too, and so is what is no number. */
		{{30, 30, 10, 20}, 1, {1, 1, 19, 24}},
		{{(double)NAN, 0, 1, 1}, 1, {1, 1, 0, 0}},
		{{-1e300, -5, 1e300, 5}, 1, {100, 10, 0, 0}},
	};
	struct mx_image_part got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = mx_photo_part(100, 50, &cases[i].area, cases[i].grow);
		if (memcmp(&got, &cases[i].want, sizeof(got)) != 0)
			fail_msg("case %zu: %ux%u+%u+%u", i, got.width,
				 got.height, got.left, got.top);
	}
}

static const struct mx_preprocess as_it_is = {
	.channels = MX_CHANNELS_RGB,
	.std = {1, 1, 1, 1},
	.scale = 1,
};

static void an_input_is_made_of_the_part_alone(void **state)
{
	static const struct mx_shape shape = {4, {1, 1, 2, 2}};
	static const struct mx_image_part all = {.width = 3, .height = 3};
	static const struct mx_image_part part = {2, 2, 1, 1};
	struct scratch_dir *dir = *state;
	struct mx_photo photo;
	float out[4];

	scratch_dir_put(dir, "p.pgm", "P5 3 3 255\n\1\2\3\4\5\6\7\10\11", 20);
	assert_int_equal(mx_photo_init(&photo, dir->file, NULL), 0);
	assert_null(photo.image.rgb);
	assert_int_equal(mx_photo_load(&photo, NULL), 0);
	assert_int_equal(photo.width, 3);
	assert_int_equal(photo.height, 3);
	assert_int_equal(
		mx_photo_fill(&photo, &part, &as_it_is, &shape, out, NULL), 0);
	assert_true(fabsf(out[0] - 5) < 1e-5f && fabsf(out[1] - 6) < 1e-5f);
	assert_true(fabsf(out[2] - 8) < 1e-5f && fabsf(out[3] - 9) < 1e-5f);
	/* And again, of the whole: the picture is as it was. */
	assert_int_equal(
		mx_photo_fill(&photo, &all, &as_it_is, &shape, out, NULL), 0);
	assert_true(fabsf(out[0] - 2) < 1e-5f && fabsf(out[3] - 8) < 1e-5f);
	mx_photo_fini(&photo);
}

static void a_picture_is_read_again_only_when_it_was_unloaded(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_photo photo;
	struct mx_err err;

	scratch_dir_put(dir, "p.pgm", "P5 1 1 255\n\1", 12);
	assert_int_equal(mx_photo_init(&photo, dir->file, NULL), 0);
	assert_int_equal(mx_photo_load(&photo, NULL), 0);
	scratch_dir_put(dir, "p.pgm", "no picture", 10);
	assert_int_equal(mx_photo_load(&photo, NULL), 0);
	mx_photo_unload(&photo);
	assert_int_equal(photo.width, 1);
	assert_int_equal(mx_photo_load(&photo, &err), -EBADMSG);
	mx_photo_fini(&photo);
}

/* Grey throughout, 300 x 100, in one scan or in several. */
static void put_jpeg(struct scratch_dir *dir, int progressive)
{
	enum { WIDTH = 300, HEIGHT = 100 };
	struct jpeg_compress_struct codec;
	struct jpeg_error_mgr errors;
	unsigned char row[3 * WIDTH] = {0};
	unsigned char *data = NULL;
	unsigned long size = 0;
	JSAMPROW rows = row;
	int y;

	codec.err = jpeg_std_error(&errors);
	jpeg_create_compress(&codec);
	jpeg_mem_dest(&codec, &data, &size);
	codec.image_width = WIDTH;
	codec.image_height = HEIGHT;
	codec.input_components = 3;
	codec.in_color_space = JCS_RGB;
	jpeg_set_defaults(&codec);
	if (progressive)
		jpeg_simple_progression(&codec);
	jpeg_start_compress(&codec, TRUE);
	for (y = 0; y < HEIGHT; y++)
		(void)jpeg_write_scanlines(&codec, &rows, 1);
	jpeg_finish_compress(&codec);
	jpeg_destroy_compress(&codec);
	scratch_dir_put(dir, "p.jpg", data, size);
	free(data);
}

static uint64_t need_of(struct scratch_dir *dir)
{
	struct mx_photo photo;
	uint64_t need;

	assert_int_equal(mx_photo_init(&photo, dir->file, NULL), 0);
	assert_int_equal(mx_photo_load(&photo, NULL), 0);
	need = photo.need_bytes;
	mx_photo_fini(&photo);
	return need;
}

static void what_decoding_takes_is_known_once_it_was_done(void **state)
{
	static const char head[] = "P5 3000 1000 255\n";
	const uint64_t pixels = 300 * 100, fixed = (uint64_t)1 << 20;
	struct scratch_dir *dir = *state;
	const size_t size = strlen(head) + 3000 * 1000;
	char *data = calloc(1, size);
	uint64_t once, often;

	assert_non_null(data);
	memcpy(data, head, strlen(head));
	scratch_dir_put(dir, "p.pgm", data, size);
	free(data);
	/* Its file is smaller than a part that is nearly all of it. */
	assert_int_equal(need_of(dir), 2 * 3 * 3000 * 1000);
	put_jpeg(dir, 0);
	once = need_of(dir);
	assert_in_range(once, 3 * pixels + fixed, 3 * pixels + fixed + pixels);
	/* Of several scans the coefficients of all are kept. */
	put_jpeg(dir, 1);
	often = need_of(dir);
	assert_in_range(often, (3 + 6) * pixels + fixed,
			(3 + 6) * pixels + fixed + pixels);
}

static void running_out_of_memory_is_an_error(void **state)
{
	static const struct mx_shape shape = {4, {1, 1, 1, 1}};
	static const struct mx_image_part part = {1, 1, 0, 0};
	struct scratch_dir *dir = *state;
	struct mx_photo photo;
	int rc = -1;
	float out;
	long nth;

	scratch_dir_put(dir, "p.pgm", "P5 2 1 255\n\1\2", 13);
	assert_int_equal(mx_photo_init(&photo, dir->file, NULL), 0);
	assert_int_equal(mx_photo_load(&photo, NULL), 0);
	for (nth = 0; rc; nth++) {
		faults_arm(nth);
		rc = mx_photo_fill(&photo, &part, &as_it_is, &shape, &out,
				   NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	assert_int_equal(nth, 3);
	mx_photo_fini(&photo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_stay_inside_and_are_never_empty),
		cmocka_unit_test(an_input_is_made_of_the_part_alone),
		cmocka_unit_test(
			a_picture_is_read_again_only_when_it_was_unloaded),
		cmocka_unit_test(what_decoding_takes_is_known_once_it_was_done),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
