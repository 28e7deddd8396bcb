#include "tests/onnx_fixture.h"

static void a_matrix_of_constants_on_the_right_is_a_dense_layer(void **state)
{
	(void)state;
	expect("input x 1,3\n"
	       "init w T1:3,2:*\n"
	       "MatMul x,w -> y\n"
	       "output y\n",
	       "Dense(x) axis=1 out_features=2 rows=1,3,5,2,4,6 -> y 1x2\n");
	expect("input x 2,4,3\n"
	       "init w T1:3,2:*\n"
	       "MatMul x,w -> y\n"
	       "output y\n",
	       "Dense(x) axis=2 out_features=2 rows=1,3,5,2,4,6 -> y 2x4x2\n");
	expect("input x 3\n"
	       "init w T1:3,2:*\n"
	       "MatMul x,w -> y\n"
	       "output y\n",
	       "Dense(x) axis=0 out_features=2 rows=1,3,5,2,4,6 -> y 2\n");
}

static void other_products_are_matmuls(void **state)
{
	(void)state;
	expect("input x 3\n"
	       "init w T1:2,1,3:*\n"
	       "MatMul w,x -> y\n"
	       "output y\n",
	       "Constant() shape=2,1,3 rows=1,2,3,4,5,6 -> w 2x1x3\n"
	       "MatMul(w, x) -> y 2x1\n");
	expect("input x 1,2,3\n"
	       "init w T1:1,3,2:*\n"
	       "MatMul x,w -> y\n"
	       "output y\n",
	       "Constant() shape=1,3,2 rows=1,2,3,4,5,6 -> w 1x3x2\n"
	       "MatMul(x, w) -> y 1x2x2\n");
}

static void gemm_scales_rows_and_bias(void **state)
{
	(void)state;
	expect("input x 3,1\n"
	       "init w T1:2,3:*\n"
	       "init c T1:2:1,2\n"
	       "Gemm x,w,c -> y transA=1 transB=1 alpha=2.0 beta=3.0\n"
	       "output y\n",
	       "Transpose(x) perm=1,0 -> Gemm:y/a 1x3\n"
	       "Dense(Gemm:y/a) axis=1 out_features=2 rows=1,2,3,4,5,6 "
	       "row_scale=2,2 vector=3,6 -> y 1x2\n");
	expect("input x 2,3\n"
	       "init w T1:3,2:*\n"
	       "init c T1:1:5\n"
	       "Gemm x,w,c -> y\n"
	       "output y\n",
	       "Dense(x) axis=1 out_features=2 rows=1,3,5,2,4,6 vector=5,5 -> "
	       "y 2x2\n");
	expect("input x 2,3\n"
	       "init w T1:3,2:*\n"
	       "Gemm x,w -> y\n"
	       "output y\n",
	       "Dense(x) axis=1 out_features=2 rows=1,3,5,2,4,6 -> y 2x2\n");
}

static void a_bias_that_is_no_row_is_added(void **state)
{
	(void)state;
	expect("input x 2,3\n"
	       "init w T1:3,2:*\n"
	       "init c T1:2,1:*\n"
	       "Gemm x,w,c -> y\n"
	       "output y\n",
	       "Dense(x) axis=1 out_features=2 rows=1,3,5,2,4,6 -> "
	       "Gemm:y/product 2x2\n"
	       "Constant() shape=2,1 rows=1,2 -> c 2x1\n"
	       "Add(Gemm:y/product, c) -> y 2x2\n");
	expect("input x 2,3\n"
	       "input w 3,2\n"
	       "init c T1:2,2:*\n"
	       "Gemm x,w,c -> y alpha=2.0 beta=3.0\n"
	       "output y\n",
	       "MatMul(x, w) -> Gemm:y/product 2x2\n"
	       "Power(Gemm:y/product) a=1 b=2 c=0 -> Gemm:y/alpha 2x2\n"
	       "Constant() shape=2,2 rows=1,2,3,4 -> c 2x2\n"
	       "Power(c) a=1 b=3 c=0 -> Gemm:y/beta 2x2\n"
	       "Add(Gemm:y/alpha, Gemm:y/beta) -> y 2x2\n");
	expect("input x 2,3\n"
	       "input w 2,3\n"
	       "Gemm x,w -> y transB=1\n"
	       "output y\n",
	       "Transpose(w) perm=1,0 -> Gemm:y/b 3x2\n"
	       "MatMul(x, Gemm:y/b) -> y 2x2\n");
}

static void matrices_that_do_not_meet_are_refused(void **state)
{
	(void)state;
	expect_failure("input x 1,4\n"
		       "init w T1:3,2:*\n"
		       "MatMul x,w -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node MatMul:y (MatMul): 4 columns meet 3 rows");
	expect_failure("input x 1,4\n"
		       "init w T1:3,2:*\n"
		       "Gemm x,w -> y\n"
		       "output y\n",
		       -EBADMSG,
		       "FILE: node Gemm:y (Gemm): 4 columns meet 3 rows");
	expect_failure(
		"input x 1,4,1\n"
		"init w T1:3,2:*\n"
		"Gemm x,w -> y\n"
		"output y\n",
		-EBADMSG,
		"FILE: node Gemm:y (Gemm): its matrices have ranks 3 and 2");
	expect_failure("input x 2,3\n"
		       "init w T1:3,2:*\n"
		       "init c T1:3:1,2,3\n"
		       "Gemm x,w,c -> y\n"
		       "output y\n",
		       -EBADMSG, "Gemm:y (Add): 2x2 and 3 do not broadcast");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_matrix_of_constants_on_the_right_is_a_dense_layer),
		cmocka_unit_test(other_products_are_matmuls),
		cmocka_unit_test(gemm_scales_rows_and_bias),
		cmocka_unit_test(a_bias_that_is_no_row_is_added),
		cmocka_unit_test(matrices_that_do_not_meet_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
