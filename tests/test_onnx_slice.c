#include "tests/onnx_fixture.h"

static void slices_clamp_and_may_run_backwards(void **state)
{
	(void)state;
	expect("input x 5,6\n"
	       "init s T7:2:1,-1\n"
	       "init e T7:2:100,-100\n"
	       "init a T7:2:0,1\n"
	       "init t T7:2:2,-2\n"
	       "Slice x,s,e,a,t -> y\n"
	       "output y\n",
	       "Slice(x) start=1,5 step=2,-2 size=2,3 -> y 2x3\n");
	expect("opset 9\n"
	       "input x 5,6\n"
	       "Slice x -> y starts=1,2 ends=3,-1\n"
	       "output y\n",
	       "Slice(x) start=1,2 step=1,1 size=2,3 -> y 2x3\n");
	expect("input x 5\n"
	       "init s T7:1:0\n"
	       "init e T7:1:9223372036854775807\n"
	       "Slice x,s,e -> y\n"
	       "output y\n",
	       "Identity(x) -> y 5\n");
}

static void constants_are_sliced_where_they_lie_or_copied(void **state)
{
	(void)state;
	expect("init c T1:2,3:*\n"
	       "init s T7:1:1\n"
	       "init e T7:1:3\n"
	       "init a T7:1:1\n"
	       "Slice c,s,e,a -> y\n"
	       "output y\n",
	       "Constant() shape=2,2 rows=2,3,5,6 -> y 2x2\n");
	expect("init c T7:4:*\n"
	       "init s T7:1:-1\n"
	       "init e T7:1:-9\n"
	       "init a T7:1:0\n"
	       "init t T7:1:-2\n"
	       "Slice c,s,e,a,t -> y\n"
	       "output y\n",
	       "Constant() shape=2 rows=4,2 -> y 2\n");
}

static void slices_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	expect_failure("input x 5\n"
		       "init s T7:1:5\n"
		       "init e T7:1:9\n"
		       "Slice x,s,e -> y\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: Slice: an empty result");
	expect_failure("input x 5\n"
		       "init s T7:1:0\n"
		       "init e T7:2:1,2\n"
		       "Slice x,s,e -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Slice:y (Slice): 1 starts, 2 ends, 0 axes, "
		       "0 steps");
	expect_failure("input x 5\n"
		       "init s T7:1:0\n"
		       "init z T7:1:0\n"
		       "Slice x,s,s,s,z -> y\n"
		       "output y\n",
		       -EBADMSG, "FILE: node Slice:y (Slice): a step is 0");
	expect_failure(
		"input x 5\n"
		"init s T7:1:0\n"
		"init a T7:1:1\n"
		"Slice x,s,s,a -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Slice:y (Slice): axis 1 is outside of rank 1");
}

static void split_by_list_or_number(void **state)
{
	(void)state;
	expect("opset 11\n"
	       "input x 6,2\n"
	       "Split x -> a,b split=4,2\n"
	       "output a\n"
	       "output b\n",
	       "Slice(x) start=0,0 step=1,1 size=4,2 -> a 4x2\n"
	       "Slice(x) start=4,0 step=1,1 size=2,2 -> b 2x2\n");
	expect("input x 6\n"
	       "init n T7:2:1,5\n"
	       "Split x,n -> a,b\n"
	       "output b\n",
	       "Slice(x) start=0 step=1 size=1 -> a 1\n"
	       "Slice(x) start=1 step=1 size=5 -> b 5\n");
	expect("opset 18\n"
	       "input x 7\n"
	       "Split x -> a,b,c num_outputs=3\n"
	       "output c\n"
	       "output a\n",
	       "Slice(x) start=0 step=1 size=3 -> a 3\n"
	       "Slice(x) start=3 step=1 size=3 -> b 3\n"
	       "Slice(x) start=6 step=1 size=1 -> c 1\n");
	expect("init c T1:4:*\n"
	       "Split c -> a,b\n"
	       "output b\n",
	       "Constant() shape=2 rows=3,4 -> b 2\n");
	expect_failure(
		"input x 6\n"
		"Split x -> a,b split=4,1\n"
		"output a\n",
		-EBADMSG,
		"FILE: node Split:a (Split): its parts are not the whole");
	expect_failure("input x 6\n"
		       "Split x -> a,b split=4,3\n"
		       "output a\n",
		       -EBADMSG,
		       "FILE: node Split:a (Split): part 1 is outside of the "
		       "dimension");
	expect_failure("input x 6\n"
		       "Split x -> a,b split=6,\n"
		       "output a\n",
		       -EBADMSG,
		       "FILE: node Split:a (Split): 1 parts for 2 outputs");
}

static void expand_and_tile_repeat(void **state)
{
	(void)state;
	expect("input x 3,1\n"
	       "init s T7:3:2,1,4\n"
	       "Expand x,s -> y\n"
	       "output y\n",
	       "Reshape(x) shape=1,3,1 -> Expand:y/raise 1x3x1\n"
	       "Tile(Expand:y/raise) shape=2,3,4 -> y 2x3x4\n");
	expect("input x 3,1\n"
	       "init s T7:1:1\n"
	       "Expand x,s -> y\n"
	       "output y\n",
	       "Identity(x) -> y 3x1\n");
	expect("input x 2,3\n"
	       "init r T7:2:2,1\n"
	       "Tile x,r -> y\n"
	       "output y\n",
	       "Tile(x) shape=4,3 -> y 4x3\n");
	expect("init c T1:2,1:*\n"
	       "init s T7:2:1,3\n"
	       "Expand c,s -> y\n"
	       "Tile y,s -> z\n"
	       "output y\n"
	       "output z\n",
	       "Constant() shape=2,3 rows=1,1,1,2,2,2 -> y 2x3\n"
	       "Constant() shape=2,9 rows=1,1,1,1,1,1,1,1,1,2,2,2,2,2,2,2,2,2 "
	       "-> z 2x9\n");
	expect_failure("input x 2,3\n"
		       "init s T7:2:4,3\n"
		       "Expand x,s -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Expand:y (Expand): its shape does not fit");
	expect_failure("input x 2,3\n"
		       "init r T7:1:2\n"
		       "Tile x,r -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Tile:y (Tile): 1 repeats for rank 2");
	expect_failure("input x 2,3\n"
		       "init r T7:2:2,0\n"
		       "Tile x,r -> y\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: Tile: an empty result");
}

static void pads_by_attribute_input_and_axes(void **state)
{
	(void)state;
	expect("opset 10\n"
	       "input x 2,3\n"
	       "Pad x -> y pads=0,1,2,0 value=1.5 mode='constant'\n"
	       "output y\n",
	       "Pad(x) begin=0,1 end=2,0 mode=0 value=1.5 -> y 4x4\n");
	expect("opset 18\n"
	       "input x 2,3\n"
	       "init p T7:2:1,2\n"
	       "init v T1::0.5\n"
	       "init a T7:1:-1\n"
	       "Pad x,p,v,a -> y\n"
	       "output y\n",
	       "Pad(x) begin=0,1 end=0,2 mode=0 value=0.5 -> y 2x6\n");
	expect("input x 2,3\n"
	       "init p T7:4:1,0,0,1\n"
	       "Pad x,p -> y mode='reflect'\n"
	       "output y\n",
	       "Pad(x) begin=1,0 end=0,1 mode=1 value=0 -> y 3x4\n");
	expect("opset 19\n"
	       "input x 2,3\n"
	       "init p T7:4:0,1,0,2\n"
	       "Pad x,p -> y mode='wrap'\n"
	       "output y\n",
	       "Slice(x) start=0,2 step=1,1 size=2,1 -> Pad:y/before 2x1\n"
	       "Slice(x) start=0,0 step=1,1 size=2,2 -> Pad:y/behind 2x2\n"
	       "Concat(Pad:y/before, x, Pad:y/behind) axis=1 -> y 2x6\n");
	expect("init c T1:3:*\n"
	       "init p T7:2:1,2\n"
	       "Pad c,p -> y\n"
	       "Pad c,p -> z mode='edge'\n"
	       "output y\n"
	       "output z\n",
	       "Constant() shape=6 rows=0,1,2,3,0,0 -> y 6\n"
	       "Constant() shape=6 rows=1,1,2,3,3,3 -> z 6\n");
	expect_failure("opset 19\n"
		       "input x 3\n"
		       "init p T7:2:4,0\n"
		       "Pad x,p -> y mode='wrap'\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Pad: mode=wrap by 4 and 0 of 3");
	expect_failure("input x 3\n"
		       "init p T7:2:-2,-2\n"
		       "Pad x,p -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Pad:y (Pad): dimension 0 becomes -1");
	expect_failure("input x 3\n"
		       "init p T7:1:1\n"
		       "Pad x,p -> y\n"
		       "output y\n",
		       -EBADMSG, "FILE: node Pad:y (Pad): 1 pads for 1 axes");
	expect_failure("input x 3\n"
		       "init p T7:2:1,1\n"
		       "Pad x,p -> y mode='other'\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: Pad: mode=other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_clamp_and_may_run_backwards),
		cmocka_unit_test(constants_are_sliced_where_they_lie_or_copied),
		cmocka_unit_test(slices_that_make_no_sense_are_refused),
		cmocka_unit_test(split_by_list_or_number),
		cmocka_unit_test(expand_and_tile_repeat),
		cmocka_unit_test(pads_by_attribute_input_and_axes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
