#include "tests/onnx_fixture.h"

static void reshape_resolves_zeros_and_minus_one(void **state)
{
	(void)state;
	expect("input x 2,3,4\n"
	       "init s T7:3:0,-1,2\n"
	       "Reshape x,s -> y\n"
	       "output y\n",
	       "Reshape(x) shape=2,6,2 -> y 2x6x2\n");
	expect("opset 1\n"
	       "input x 2,3,4\n"
	       "Reshape x -> y shape=4,6\n"
	       "output y\n",
	       "Reshape(x) shape=4,6 -> y 4x6\n");
	expect("input x 2,3\n"
	       "init s T7:0:\n"
	       "ReduceSum x -> r\n"
	       "Reshape r,s -> y\n"
	       "output y\n",
	       "Reduce(x) kind=0 axes=0,1 keep=1 -> r 1x1\n"
	       "Reshape(r) shape= -> y scalar\n");
}

static void reshapes_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	expect_failure(
		"input x 2,3,4\n"
		"init s T7:2:5,-1\n"
		"Reshape x,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Reshape:y (Reshape): its shape does not fit 24 "
		"elements");
	expect_failure(
		"input x 2,3,4\n"
		"init s T7:2:-1,-1\n"
		"Reshape x,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Reshape:y (Reshape): its shape does not fit 24 "
		"elements");
	expect_failure(
		"input x 2,3\n"
		"init s T7:3:2,3,0\n"
		"Reshape x,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Reshape:y (Reshape): its shape does not fit 6 "
		"elements");
	expect_failure(
		"input x 2,3\n"
		"init s T7:2:2,-3\n"
		"Reshape x,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Reshape:y (Reshape): its shape does not fit 6 "
		"elements");
	expect_failure("input x 2,3\n"
		       "init s T7:9:1,1,1,1,1,1,1,2,3\n"
		       "Reshape x,s -> y\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: Reshape: rank 9");
	expect_failure("input x 2,3\n"
		       "input s 2\n"
		       "Reshape x,s -> y\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Reshape: input 1 is computed");
}

static void flatten_squeeze_unsqueeze(void **state)
{
	(void)state;
	expect("input x 2,3,4\n"
	       "Flatten x -> y axis=-1\n"
	       "output y\n",
	       "Reshape(x) shape=6,4 -> y 6x4\n");
	expect("input x 2,3,4\n"
	       "Flatten x -> y axis=3\n"
	       "output y\n",
	       "Reshape(x) shape=24,1 -> y 24x1\n");
	expect("input x 1,3,1\n"
	       "Squeeze x -> y\n"
	       "output y\n",
	       "Reshape(x) shape=3 -> y 3\n");
	expect("input x 1,3,1\n"
	       "init axes T7:1:-1\n"
	       "Squeeze x,axes -> y\n"
	       "output y\n",
	       "Reshape(x) shape=1,3 -> y 1x3\n");
	expect("opset 11\n"
	       "input x 3\n"
	       "Unsqueeze x -> y axes=0,-1\n"
	       "output y\n",
	       "Reshape(x) shape=1,3,1 -> y 1x3x1\n");
	expect_failure(
		"input x 3,1\n"
		"Squeeze x -> y axes=0,\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Squeeze:y (Squeeze): dimension 0 is 3, not 1");
	expect_failure(
		"input x 3\n"
		"Unsqueeze x -> y axes=0,0\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Unsqueeze:y (Unsqueeze): axis 0 comes twice");
	expect_failure(
		"input x 3\n"
		"Unsqueeze x -> y axes=0,5\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Unsqueeze:y (Unsqueeze): axis 5 is outside of rank "
		"3");
}

static void constants_are_reshaped_where_they_lie(void **state)
{
	(void)state;
	expect("init c T1:2,3:*\n"
	       "init s T7:1:6\n"
	       "Transpose c -> t\n"
	       "Reshape t,s -> y\n"
	       "Unsqueeze t -> u axes=0,\n"
	       "output y\n"
	       "output u\n",
	       "Constant() shape=6 rows=1,4,2,5,3,6 -> y 6\n"
	       "Constant() shape=1,3,2 rows=1,4,2,5,3,6 -> u 1x3x2\n");
}

static void transposes_are_permutations(void **state)
{
	(void)state;
	expect("input x 2,3,4\n"
	       "Transpose x -> y\n"
	       "output y\n",
	       "Transpose(x) perm=2,1,0 -> y 4x3x2\n");
	expect("input x 2,3,4\n"
	       "Transpose x -> y perm=1,0,2\n"
	       "output y\n",
	       "Transpose(x) perm=1,0,2 -> y 3x2x4\n");
	expect_failure(
		"input x 2,3,4\n"
		"Transpose x -> y perm=1,1,2\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Transpose:y (Transpose): perm is no permutation");
	expect_failure("input x 2,3,4\n"
		       "Transpose x -> y perm=1,0\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Transpose:y (Transpose): perm has 2 values");
}

static void depth_to_space_is_three_moves(void **state)
{
	(void)state;
	expect("input x 1,8,1,2\n"
	       "DepthToSpace x -> y blocksize=2\n"
	       "output y\n",
	       "Reshape(x) shape=1,2,2,2,1,2 -> DepthToSpace:y/split "
	       "1x2x2x2x1x2\n"
	       "Transpose(DepthToSpace:y/split) perm=0,3,4,1,5,2 -> "
	       "DepthToSpace:y/transpose 1x2x1x2x2x2\n"
	       "Reshape(DepthToSpace:y/transpose) shape=1,2,2,4 -> y "
	       "1x2x2x4\n");
	expect("input x 1,8,1,2\n"
	       "DepthToSpace x -> y blocksize=2 mode='CRD'\n"
	       "output y\n",
	       "Reshape(x) shape=1,2,2,2,1,2 -> DepthToSpace:y/split "
	       "1x2x2x2x1x2\n"
	       "Transpose(DepthToSpace:y/split) perm=0,1,4,2,5,3 -> "
	       "DepthToSpace:y/transpose 1x2x1x2x2x2\n"
	       "Reshape(DepthToSpace:y/transpose) shape=1,2,2,4 -> y "
	       "1x2x2x4\n");
	expect("input x 1,2,4,2\n"
	       "SpaceToDepth x -> y blocksize=2\n"
	       "output y\n",
	       "Reshape(x) shape=1,2,2,2,1,2 -> SpaceToDepth:y/split "
	       "1x2x2x2x1x2\n"
	       "Transpose(SpaceToDepth:y/split) perm=0,3,5,1,2,4 -> "
	       "SpaceToDepth:y/transpose 1x2x2x2x2x1\n"
	       "Reshape(SpaceToDepth:y/transpose) shape=1,8,2,1 -> y "
	       "1x8x2x1\n");
	expect_failure(
		"input x 1,6,1,2\n"
		"DepthToSpace x -> y blocksize=2\n"
		"output y\n",
		-EBADMSG,
		"FILE: node DepthToSpace:y (DepthToSpace): its input is no "
		"multiple of blocksize 2");
	expect_failure("input x 1,8,1,2\n"
		       "DepthToSpace x -> y blocksize=2 mode='XYZ'\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: DepthToSpace: mode=XYZ");
}

static void concat_takes_constants_and_drops_what_is_empty(void **state)
{
	(void)state;
	expect("input x 1,2\n"
	       "init c T1:1,3:*\n"
	       "init n T1:1,0:\n"
	       "Concat x,c,n -> y axis=-1\n"
	       "output y\n",
	       "Constant() shape=1,3 rows=1,2,3 -> c 1x3\n"
	       "Concat(x, c) axis=1 -> y 1x5\n");
	expect_failure(
		"input x 1,2\n"
		"Concat x,x -> y axis=2\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Concat:y (Concat): axis 2 is outside of rank 2");
}

static void gather_takes_constant_indices(void **state)
{
	(void)state;
	expect("input x 3,2\n"
	       "init i T7:2:-1,0\n"
	       "Gather x,i -> y\n"
	       "output y\n",
	       "Gather(x) axis=0 index_shape=2 rows=2,0 -> y 2x2\n");
	expect("input x 3,2\n"
	       "init i T7::1\n"
	       "Gather x,i -> y axis=1\n"
	       "output y\n",
	       "Gather(x) axis=1 index_shape= rows=1 -> y 3\n");
	expect_failure(
		"input x 3,2\n"
		"init i T7:1:3\n"
		"Gather x,i -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Gather:y (Gather): index 0 is outside of the 3 "
		"entries");
	expect_failure("input x 3,2\n"
		       "input i 1\n"
		       "Gather x,i -> y\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: Gather: input 1 is computed");
}

static void shapes_are_constants(void **state)
{
	(void)state;
	expect("input x 2,3,4\n"
	       "Shape x -> a\n"
	       "opset 15\n"
	       "Shape x -> b start=-2\n"
	       "Shape x -> c end=1\n"
	       "Size x -> d\n"
	       "output a\n"
	       "output b\n"
	       "output c\n"
	       "output d\n",
	       "Constant() shape=3 rows=2,3,4 -> a 3\n"
	       "Constant() shape=2 rows=3,4 -> b 2\n"
	       "Constant() shape=1 rows=2 -> c 1\n"
	       "Constant() shape= rows=24 -> d scalar\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reshape_resolves_zeros_and_minus_one),
		cmocka_unit_test(reshapes_that_do_not_fit_are_refused),
		cmocka_unit_test(flatten_squeeze_unsqueeze),
		cmocka_unit_test(constants_are_reshaped_where_they_lie),
		cmocka_unit_test(transposes_are_permutations),
		cmocka_unit_test(depth_to_space_is_three_moves),
		cmocka_unit_test(
			concat_takes_constants_and_drops_what_is_empty),
		cmocka_unit_test(gather_takes_constant_indices),
		cmocka_unit_test(shapes_are_constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
