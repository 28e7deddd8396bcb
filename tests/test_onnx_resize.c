#include "tests/onnx_fixture.h"

static void each_version_has_its_own_defaults(void **state)
{
	(void)state;
	expect("opset 9\n"
	       "input x 1,1,2,3\n"
	       "init s T1:4:1,1,2,2\n"
	       "Upsample x,s -> y mode='linear'\n"
	       "output y\n",
	       "Resize(x) size=1,1,4,6 mode=1 coordinates=1 nearest=2 "
	       "exclude_outside=0 antialias=0 scale=1,1,2,2 roi=0,0,0,0,1,1,1,"
	       "1 cubic=-0.75 extrapolation=0 -> y 1x1x4x6\n");
	expect("opset 7\n"
	       "input x 1,1,2,3\n"
	       "Upsample x -> y mode='nearest' scales=1.0,1.0,2.0,1.5\n"
	       "output y\n",
	       "Resize(x) size=1,1,4,4 mode=0 coordinates=1 nearest=2 "
	       "exclude_outside=0 antialias=0 scale=1,1,2,1.5 roi=0,0,0,0,1,1,"
	       "1,1 cubic=-0.75 extrapolation=0 -> y 1x1x4x4\n");
	expect("opset 1\n"
	       "input x 1,1,2,3\n"
	       "Upsample x -> y width_scale=2.0 height_scale=3.0 "
	       "mode='bilinear'\n"
	       "output y\n",
	       "Resize(x) size=1,1,6,6 mode=1 coordinates=1 nearest=2 "
	       "exclude_outside=0 antialias=0 scale=1,1,3,2 roi=0,0,0,0,1,1,1,"
	       "1 cubic=-0.75 extrapolation=0 -> y 1x1x6x6\n");
	expect("opset 10\n"
	       "input x 1,1,2,3\n"
	       "init s T1:4:1,1,2,2\n"
	       "Resize x,s -> y\n"
	       "output y\n",
	       "Resize(x) size=1,1,4,6 mode=0 coordinates=1 nearest=2 "
	       "exclude_outside=0 antialias=0 scale=1,1,2,2 roi=0,0,0,0,1,1,1,"
	       "1 cubic=-0.75 extrapolation=0 -> y 1x1x4x6\n");
	expect("opset 11\n"
	       "input x 1,1,2,3\n"
	       "init s T1:4:1,1,2,2\n"
	       "Resize x,,s -> y\n"
	       "output y\n",
	       "Resize(x) size=1,1,4,6 mode=0 coordinates=0 nearest=0 "
	       "exclude_outside=0 antialias=0 scale=1,1,2,2 roi=0,0,0,0,1,1,1,"
	       "1 cubic=-0.75 extrapolation=0 -> y 1x1x4x6\n");
}

static void sizes_give_scales(void **state)
{
	(void)state;
	expect("input x 1,1,4,4\n"
	       "init s T7:4:1,1,3,8\n"
	       "Resize x,,,s -> y mode='cubic' cubic_coeff_a=-0.5 "
	       "coordinate_transformation_mode='align_corners' "
	       "exclude_outside=1\n"
	       "output y\n",
	       "Resize(x) size=1,1,3,8 mode=2 coordinates=2 nearest=0 "
	       "exclude_outside=1 antialias=0 scale=1,1,0.75,2 roi=0,0,0,0,1,"
	       "1,1,1 cubic=-0.5 extrapolation=0 -> y 1x1x3x8\n");
	expect("opset 18\n"
	       "input x 1,1,4,2\n"
	       "init s T7:2:7,8\n"
	       "Resize x,,,s -> y axes=2,3 "
	       "keep_aspect_ratio_policy='not_larger' antialias=1 "
	       "mode='linear'\n"
	       "output y\n",
	       "Resize(x) size=1,1,7,4 mode=1 coordinates=0 nearest=0 "
	       "exclude_outside=0 antialias=1 scale=1,1,1.75,1.75 roi=0,0,0,0,"
	       "1,1,1,1 cubic=-0.75 extrapolation=0 -> y 1x1x7x4\n");
	expect("opset 18\n"
	       "input x 1,1,4,2\n"
	       "init s T7:2:7,8\n"
	       "Resize x,,,s -> y axes=2,3 "
	       "keep_aspect_ratio_policy='not_smaller' nearest_mode='ceil'\n"
	       "output y\n",
	       "Resize(x) size=1,1,16,8 mode=0 coordinates=0 nearest=3 "
	       "exclude_outside=0 antialias=0 scale=1,1,4,4 roi=0,0,0,0,1,1,1,"
	       "1 cubic=-0.75 extrapolation=0 -> y 1x1x16x8\n");
}

static void a_region_is_cropped(void **state)
{
	(void)state;
	expect("input x 1,1,4,4\n"
	       "init r T1:8:0,0,0.25,0,1,1,0.75,1\n"
	       "init s T1:4:1,1,2,1\n"
	       "Resize x,r,s -> y "
	       "coordinate_transformation_mode='tf_crop_and_resize' "
	       "extrapolation_value=7.0\n"
	       "output y\n",
	       "Resize(x) size=1,1,4,4 mode=0 coordinates=5 nearest=0 "
	       "exclude_outside=0 antialias=0 scale=1,1,2,1 roi=0,0,0.25,0,1,"
	       "1,0.75,1 cubic=-0.75 extrapolation=7 -> y 1x1x4x4\n");
}

static void resizes_that_cannot_be_are_refused(void **state)
{
	(void)state;
	expect_failure("input x 1,1,4\n"
		       "init s T1:3:1,1,2\n"
		       "Resize x,,s -> y mode='other'\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: Resize: mode=other");
	expect_failure(
		"input x 1,1,4\n"
		"init s T1:3:1,1,2\n"
		"Resize x,,s -> y coordinate_transformation_mode='other'\n"
		"output y\n",
		-ENOTSUP,
		"FILE: not supported: Resize: "
		"coordinate_transformation_mode=other");
	expect_failure("input x 1,1,4\n"
		       "init s T1:3:1,1,2\n"
		       "Resize x,,s -> y nearest_mode='other'\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Resize: nearest_mode=other");
	expect_failure(
		"input x 1,1,4\n"
		"init s T1:2:1,1\n"
		"Resize x,,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Resize:y (Resize): 2 scales, 0 sizes for 3 axes");
	expect_failure("input x 1,1,4\n"
		       "init s T1:3:1,1,0\n"
		       "Resize x,,s -> y\n"
		       "output y\n",
		       -EBADMSG, "FILE: node Resize:y (Resize): scale 2 is 0");
	expect_failure("input x 1,1,4\n"
		       "init s T7:3:1,1,0\n"
		       "Resize x,,,s -> y\n"
		       "output y\n",
		       -EBADMSG, "FILE: node Resize:y (Resize): size 2 is 0");
	expect_failure(
		"input x 1,1,4\n"
		"Resize x -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Resize:y (Resize): 0 scales, 0 sizes for 3 axes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_has_its_own_defaults),
		cmocka_unit_test(sizes_give_scales),
		cmocka_unit_test(a_region_is_cropped),
		cmocka_unit_test(resizes_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
