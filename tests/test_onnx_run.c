#include "tests/onnx_fixture.h"

#include "loader/import/onnx_impl.h"

static void all_that_is_unsupported_is_listed(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct import import;
	const char *log;

	(void)state;
	assert_int_equal(import_text(&import,
				     "input x 1,2,3\n"
				     "node a LSTM x -> y,h\n"
				     "node b Relu y -> z\n"
				     "node c LSTM z -> p\n"
				     "node d GRU x -> q\n"
				     "node e MaxPool x,x -> r kernel_shape=2,\n"
				     "output z\n",
				     &opts),
			 -EBADMSG);
	assert_string_equal(import.err.text,
			    "FILE: node e (MaxPool): has 2 inputs");
	import_end(&import);
	assert_int_equal(import_text(&import,
				     "input x 1,2,3\n"
				     "node a LSTM x -> y,h\n"
				     "node b Relu y -> z\n"
				     "node c LSTM x -> p\n"
				     "node d GRU x -> q\n"
				     "output z\n",
				     &opts),
			 -ENOTSUP);
	assert_string_equal(import.err.text, "FILE: not supported: LSTM, GRU");
	log = strstr(import.log, "LSTM");
	assert_non_null(log);
	assert_non_null(strstr(log, "a, c"));
	assert_non_null(strstr(import.log, "GRU, in d"));
	/* What depends on it is not to blame. */
	assert_null(strstr(import.log, "Relu"));
	import_end(&import);
}

static void unknown_attributes_and_domains_are_refused(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb graph = {0}, node = {0}, model = {0};
	struct import import;

	(void)state;
	expect_failure("input x 2\nRelu x -> y slope=0.5\noutput y\n", -ENOTSUP,
		       "FILE: not supported: Relu: attribute slope");
	/* The name of one is not that of another. */
	expect_failure("input x 1,1,3\nMaxPool x -> y kernel_shape=2, pad=1\n"
		       "output y\n",
		       -ENOTSUP, "FILE: not supported: MaxPool: attribute pad");
	put_value_info(&graph, 11, "x", "1");
	pb_text(&node, 4, "Relu");
	pb_text(&node, 7, "com.example");
	pb_text(&node, 1, "x");
	pb_text(&node, 2, "y");
	pb_message(&graph, 1, &node);
	put_value_info(&graph, 12, "y", "");
	put_model(&model, &graph, 13);
	assert_int_equal(import_bytes(&import, &model, &opts), -ENOTSUP);
	assert_string_equal(import.err.text,
			    "FILE: not supported: Relu: domain com.example");
	import_end(&import);
	free(model.data);
}

static void nodes_stand_in_order(void **state)
{
	(void)state;
	expect_failure(
		"input x 1\nRelu a -> b\nRelu x -> a\noutput b\n", -EBADMSG,
		"FILE: node Relu:b (Relu): input a is written by no node "
		"before it (there is none, or they are unsorted, or in "
		"a cycle)");
	expect_failure("input x 1\nnode n Add x,b -> a\nRelu a -> b\n"
		       "output b\n",
		       -EBADMSG,
		       "FILE: node n (Add): input b is written by no node "
		       "before it (there is none, or they are unsorted, or in "
		       "a cycle)");
	expect_failure(
		"input x 1\nRelu q -> b\noutput b\n", -EBADMSG,
		"FILE: node Relu:b (Relu): input q is written by no node "
		"before it (there is none, or they are unsorted, or in "
		"a cycle)");
}

static void inputs_are_counted(void **state)
{
	(void)state;
	expect_failure("input x 1\nRelu x,x -> b\noutput b\n", -EBADMSG,
		       "FILE: node Relu:b (Relu): has 2 inputs");
	expect_failure("input x 1\nAdd x -> b\noutput b\n", -EBADMSG,
		       "FILE: node Add:b (Add): input 1 is missing");
	expect_failure("input x 1\nAdd ,x -> b\noutput b\n", -EBADMSG,
		       "FILE: node Add:b (Add): input 0 is missing");
	expect_failure("input x 1\nSum x,,x -> b\noutput b\n", -EBADMSG,
		       "FILE: node Sum:b (Sum): input 1 is missing");
}

static const char known[] =
	"Abs Add AveragePool BatchNormalization Cast Ceil Clip Concat "
	"Constant ConstantOfShape Conv ConvTranspose DepthToSpace Div "
	"Dropout Elu Erf Exp Expand Flatten Floor Gather Gemm "
	"GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity "
	"InstanceNormalization LRN LeakyRelu Log LogSoftmax MatMul Max "
	"MaxPool Mean Min Mul Neg PRelu Pad Pow Reciprocal ReduceMax "
	"ReduceMean ReduceMin ReduceSum Relu Reshape Resize Round Selu "
	"Shape Sigmoid Slice Softmax Softplus Softsign SpaceToDepth Split "
	"Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze Upsample Where "
	"Sign MeanVarianceNormalization ThresholdedRelu GlobalLpPool "
	"LpNormalization And Cos Equal Greater GreaterOrEqual Less "
	"LessOrEqual Mod Not Or Range ReduceL1 ReduceL2 ReduceProd "
	"ReduceSumSquare Sin Size Xor ";

/* Every operator of the table is found, so that the table is sorted. */
static void each_operator_is_found(void **state)
{
	char names[sizeof(known)], *save = NULL, *name;
	size_t count = 0;

	(void)state;
	memcpy(names, known, sizeof(known));
	for (name = strtok_r(names, " ", &save); name;
	     name = strtok_r(NULL, " ", &save), count++)
		if (!mx_onnx_op_find(name))
			fail_msg("%s is not found", name);
	assert_int_equal(count, 94);
	assert_null(mx_onnx_op_find("If"));
	assert_null(mx_onnx_op_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_unsupported_is_listed),
		cmocka_unit_test(unknown_attributes_and_domains_are_refused),
		cmocka_unit_test(nodes_stand_in_order),
		cmocka_unit_test(inputs_are_counted),
		cmocka_unit_test(each_operator_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
