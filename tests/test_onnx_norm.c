#include "tests/onnx_fixture.h"

static void batch_normalization_becomes_scale_and_bias(void **state)
{
	(void)state;
	expect("input x 1,2,3,4\n"
	       "init s T1:2:2,4\n"
	       "init b T1:2:1,1\n"
	       "init m T1:2:1,2\n"
	       "init v T1:2:4,16\n"
	       "BatchNormalization x,s,b,m,v -> y epsilon=0.0\n"
	       "output y\n",
	       "Affine(x) axis=1 vector=1,1 vector=0,-1 -> y 1x2x3x4\n");
	expect("opset 7\n"
	       "input x 1,2,2\n"
	       "init s T1:4:2,4,6,8\n"
	       "init b T1:4:0,0,0,1\n"
	       "init m T1:4:0,0,0,0\n"
	       "init v T1:4:1,1,1,1\n"
	       "BatchNormalization x,s,b,m,v -> y epsilon=0.0 spatial=0\n"
	       "output y\n",
	       "Constant() shape=2,2 rows=2,4,6,8 -> "
	       "BatchNormalization:y/scale 2x2\n"
	       "Mul(x, BatchNormalization:y/scale) -> "
	       "BatchNormalization:y/mul 1x2x2\n"
	       "Constant() shape=2,2 rows=0,0,0,1 -> "
	       "BatchNormalization:y/bias 2x2\n"
	       "Add(BatchNormalization:y/mul, BatchNormalization:y/bias) -> y "
	       "1x2x2\n");
	expect("opset 7\n"
	       "input x 1,2\n"
	       "init s T1:2:2,4\n"
	       "BatchNormalization x,s,s,s,s -> y epsilon=0.0 spatial=0\n"
	       "output y\n",
	       "Affine(x) axis=1 vector=1.4142,2 vector=-0.82843,-4 -> y "
	       "1x2\n");
}

static void instance_normalization_is_mean_variance_and_affine(void **state)
{
	(void)state;
	expect("input x 1,2,3\n"
	       "init s T1:2:2,4\n"
	       "init b T1:2:1,3\n"
	       "InstanceNormalization x,s,b -> y\n"
	       "output y\n",
	       "MeanVariance(x) axes=2 variance=1 eps_inside=1 eps=1e-05 -> "
	       "InstanceNormalization:y/normal 1x2x3\n"
	       "Affine(InstanceNormalization:y/normal) axis=1 vector=2,4 "
	       "vector=1,3 -> y 1x2x3\n");
}

static void other_norms_keep_their_parameters(void **state)
{
	(void)state;
	expect("input x 1,4,3\n"
	       "LRN x -> y size=4 alpha=0.5 bias=2.0\n"
	       "output y\n",
	       "Lrn(x) kind=0 size=4 alpha=0.5 beta=0.75 k=2 -> y 1x4x3\n");
	expect("input x 1,2,3,3\n"
	       "MeanVarianceNormalization x -> y\n"
	       "output y\n",
	       "MeanVariance(x) axes=0,2,3 variance=1 eps_inside=0 eps=1e-09 "
	       "-> y 1x2x3x3\n");
	expect("input x 1,2,3\n"
	       "MeanVarianceNormalization x -> y axes=-1,\n"
	       "output y\n",
	       "MeanVariance(x) axes=2 variance=1 eps_inside=0 eps=1e-09 -> y "
	       "1x2x3\n");
	expect("input x 1,2\n"
	       "LpNormalization x -> y p=1 axis=0\n"
	       "output y\n",
	       "LpNormalize(x) axis=0 p=1 -> y 1x2\n");
	expect("input x 1,2\n"
	       "LpNormalization x -> y\n"
	       "output y\n",
	       "LpNormalize(x) axis=1 p=2 -> y 1x2\n");
}

static void norms_that_cannot_be_are_refused(void **state)
{
	(void)state;
	expect_failure(
		"input x 1,2,3\n"
		"init s T1:2:2,4\n"
		"BatchNormalization x,s,s,s,s -> y training_mode=1\n"
		"output y\n",
		-ENOTSUP,
		"FILE: not supported: BatchNormalization: training_mode=1");
	expect_failure("input x 1,2,3\n"
		       "init s T1:2:2,4\n"
		       "BatchNormalization x,s,s,s,s -> y,mean\n"
		       "output y\n",
		       -ENOTSUP,
		       "FILE: not supported: BatchNormalization: output 1");
	expect_failure(
		"input x 1,2,3\n"
		"init s T1:3:1,2,4\n"
		"BatchNormalization x,s,s,s,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node BatchNormalization:y (BatchNormalization): input 1 "
		"has 3 values, not 2");
	expect_failure(
		"input x 2\n"
		"init s T1:2:2,4\n"
		"BatchNormalization x,s,s,s,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node BatchNormalization:y (BatchNormalization): its "
		"input has rank 1");
	expect_failure(
		"input x 1,2\n"
		"init s T1:2:2,4\n"
		"InstanceNormalization x,s,s -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node InstanceNormalization:y (InstanceNormalization): "
		"its input has rank 2");
	expect_failure("input x 1,4,3\n"
		       "LRN x -> y size=0\n"
		       "output y\n",
		       -EBADMSG, "FILE: node LRN:y (LRN): size is 0");
	expect_failure("input x 1,2\n"
		       "LpNormalization x -> y p=3\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: LpNormalization: p=3");
	expect_failure(
		"input x 1,2,3\n"
		"MeanVarianceNormalization x -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node MeanVarianceNormalization:y "
		"(MeanVarianceNormalization): axis 3 is outside of rank 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_normalization_becomes_scale_and_bias),
		cmocka_unit_test(
			instance_normalization_is_mean_variance_and_affine),
		cmocka_unit_test(other_norms_keep_their_parameters),
		cmocka_unit_test(norms_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
