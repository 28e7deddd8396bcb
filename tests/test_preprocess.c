#include "cli/preprocess.h"

#include <errno.h>
#include <math.h>

#include "cli/image.h"
#include "lib/err.h"
#include "tests/check.h"

static const struct mx_preprocess plain = {
	.channels = MX_CHANNELS_RGB,
	.std = {1, 1, 1, 1},
	.scale = 1,
};

static const struct mx_shape rgb_2x2 = {4, {1, 3, 2, 2}};

static unsigned char quad_pixels[] = {0,  10, 20, 40, 50, 60,
				      80, 90, 99, 8,  16, 24};
static const struct mx_image quad = {2, 2, quad_pixels};

static void expect(const struct mx_preprocess *how,
		   const struct mx_image *image, const struct mx_shape *shape,
		   const float *want)
{
	const size_t count = mx_shape_elems(shape);
	float out[64];
	size_t i;

	assert_true(count <= 64);
	assert_int_equal(mx_preprocess_image(how, image, shape, "x", out, NULL),
			 0);
	for (i = 0; i < count; i++)
		assert_true(fabsf(out[i] - want[i]) < 1e-4f);
}

static void channels_come_in_the_order_asked_for(void **state)
{
	static const float rgb[] = {0,	40, 80, 8,  10, 50,
				    90, 16, 20, 60, 99, 24};
	static const float bgr[] = {20, 60, 99, 24, 10, 50,
				    90, 16, 0,	40, 80, 8};
	struct mx_preprocess how = plain;

	(void)state;
	expect(&how, &quad, &rgb_2x2, rgb);
	how.channels = MX_CHANNELS_BGR;
	expect(&how, &quad, &rgb_2x2, bgr);
}

static void one_channel_is_luminance(void **state)
{
	static const struct mx_shape grey = {4, {1, 1, 2, 2}};
	static const float want[] = {
		0.587f * 10 + 0.114f * 20,
		0.299f * 40 + 0.587f * 50 + 0.114f * 60,
		0.299f * 80 + 0.587f * 90 + 0.114f * 99,
		0.299f * 8 + 0.587f * 16 + 0.114f * 24,
	};

	(void)state;
	expect(&plain, &quad, &grey, want);
}

static void mean_scale_and_std_follow_the_networks_order(void **state)
{
	static const struct mx_shape pixel = {3, {3, 1, 1}};
	static unsigned char pixels[] = {30, 20, 10};
	static const struct mx_image image = {1, 1, pixels};
	struct mx_preprocess how = plain;
	/* Blue first: (10 - 1) 2 / 3, (20 - 2) 2 / 4, (30 - 3) 2 / 6. */
	static const float want[] = {6, 9, 9};

	(void)state;
	how.channels = MX_CHANNELS_BGR;
	how.mean[0] = 1;
	how.mean[1] = 2;
	how.mean[2] = 3;
	how.std[0] = 3;
	how.std[1] = 4;
	how.std[2] = 6;
	how.scale = 2;
	expect(&how, &image, &pixel, want);
}

/* Against a naive reference: the half-pixel rule written out. */
static void stretching_is_bilinear_with_half_pixel_centres(void **state)
{
	static const struct mx_shape shape = {4, {1, 1, 3, 5}};
	static unsigned char pixels[3 * 4 * 2];
	static const struct mx_image image = {4, 2, pixels};
	float want[15];
	int x, y;

	(void)state;
	for (x = 0; x < 8; x++)
		pixels[3 * x] = pixels[3 * x + 1] = pixels[3 * x + 2] =
			(unsigned char)(x * 31 % 256);
	for (y = 0; y < 3; y++)
		for (x = 0; x < 5; x++) {
			double sx = fmin(fmax((x + 0.5) * 4 / 5 - 0.5, 0), 3);
			double sy = fmin(fmax((y + 0.5) * 2 / 3 - 0.5, 0), 1);
			int x0 = (int)sx, y0 = (int)sy;
			int x1 = x0 < 3 ? x0 + 1 : 3, y1 = 1;
			double fx = sx - x0, fy = sy - y0;

			want[5 * y + x] =
				(float)((1 - fy) *
						((1 - fx) * pixels[3 * (4 * y0 +
									x0)] +
						 fx * pixels[3 *
							     (4 * y0 + x1)]) +
					fy * ((1 -
					       fx) * pixels[3 * (4 * y1 + x0)] +
					      fx * pixels[3 * (4 * y1 + x1)]));
		}
	expect(&plain, &image, &shape, want);
}

static void letterbox_pads_with_the_mean(void **state)
{
	static const struct mx_shape shape = {4, {1, 1, 4, 4}};
	static unsigned char pixels[] = {9, 9, 9, 9, 9, 9};
	static const struct mx_image wide = {2, 1, pixels};
	static const float want[] = {0, 0, 0, 0, 4, 4, 4, 4,
				     4, 4, 4, 4, 0, 0, 0, 0};
	struct mx_preprocess how = plain;

	(void)state;
	how.resize = MX_RESIZE_LETTERBOX;
	how.mean[0] = 5;
	expect(&how, &wide, &shape, want);
}

static void cropping_takes_the_centre(void **state)
{
	static const struct mx_shape shape = {4, {1, 1, 2, 2}};
	static unsigned char pixels[3 * 4 * 2];
	static const struct mx_image wide = {4, 2, pixels};
	static const float want[] = {10, 20, 50, 60};
	struct mx_preprocess how = plain;
	struct mx_err err;
	float out[4];
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] =
			(unsigned char)(i * 10);
	how.resize = MX_RESIZE_CROP;
	how.crop_size = 2;
	expect(&how, &wide, &shape, want);
	how.crop_size = 1;
	assert_int_equal(
		mx_preprocess_image(&how, &wide, &shape, "x", out, &err),
		-EINVAL);
	assert_string_equal(err.text,
			    "x: crop size 1 is smaller than the input's 2 x 2");
}

static void the_input_is_found_again_in_the_picture(void **state)
{
	static const struct mx_shape shape = {4, {1, 3, 40, 40}};
	static const struct mx_image wide = {.width = 200, .height = 100};
	static const struct {
		enum mx_resize resize;
		uint32_t crop_size;
		double left, top, x_scale, y_scale;
	} cases[] = {
		{MX_RESIZE_STRETCH, 0, 0, 0, 5, 2.5},
		/* 40 x 20 in the middle. */
		{MX_RESIZE_LETTERBOX, 0, 0, -10, 5, 5},
		/* 100 x 50, of which 40 x 40 are seen. */
		{MX_RESIZE_CROP, 50, 30, 5, 2, 2},
	};
	struct mx_preprocess_mapping got;
	struct mx_preprocess how = plain;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		how.resize = cases[i].resize;
		how.crop_size = cases[i].crop_size;
		assert_int_equal(
			mx_preprocess_map(&how, &wide, &shape, "x", &got, NULL),
			0);
		assert_true(fabs(got.left - cases[i].left) < 1e-9);
		assert_true(fabs(got.top - cases[i].top) < 1e-9);
		assert_true(fabs(got.x_scale - cases[i].x_scale) < 1e-9);
		assert_true(fabs(got.y_scale - cases[i].y_scale) < 1e-9);
	}
}

static void inputs_that_are_no_pictures_are_refused(void **state)
{
	static const struct mx_shape shapes[] = {
		{2, {1, 4}},
		{4, {2, 3, 2, 2}},
		{4, {1, 2, 2, 2}},
		{0, {0}},
	};
	struct mx_err err;
	float out[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		assert_int_equal(mx_preprocess_image(&plain, &quad, &shapes[i],
						     "x", out, &err),
				 -EINVAL);
	assert_int_equal(
		mx_preprocess_image(&plain, &quad, &shapes[0], "x", out, &err),
		-EINVAL);
	assert_string_equal(err.text, "x: an input of shape 1x4 takes no "
				      "picture: give an .npy file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(channels_come_in_the_order_asked_for),
		cmocka_unit_test(one_channel_is_luminance),
		cmocka_unit_test(mean_scale_and_std_follow_the_networks_order),
		cmocka_unit_test(
			stretching_is_bilinear_with_half_pixel_centres),
		cmocka_unit_test(letterbox_pads_with_the_mean),
		cmocka_unit_test(cropping_takes_the_centre),
		cmocka_unit_test(the_input_is_found_again_in_the_picture),
		cmocka_unit_test(inputs_that_are_no_pictures_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
