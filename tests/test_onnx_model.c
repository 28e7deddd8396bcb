#include "tests/onnx_fixture.h"

#define NODES_MANY 100000
#define NESTING_DEEP 3000

/* A bit of everything that the importer reads. */
static const char everything[] = "input x 1,2,4,4\n"
				 "init w T1:2,2,3,3:*\n"
				 "init b T1:2:1,2\n"
				 "node conv Conv x,w,b -> c pads=1,1,1,1\n"
				 "LeakyRelu c -> r alpha=0.5\n"
				 "Constant - -> s value=T7:2:1,-1\n"
				 "Reshape r,s -> f\n"
				 "Resize r,,,z -> q mode='linear'\n"
				 "init z T7:4:1,2,8,8\n"
				 "output f\n"
				 "output q\n";

static void expect_output(const struct import *import, uint32_t k,
			  const char *name)
{
	const struct mx_graph *graph = import->graph;

	assert_true(k < graph->output_count);
	assert_string_equal(graph->values[graph->outputs[k]].name, name);
}

/* --- inputs ----------------------------------------------------------- */

static void the_batch_becomes_one(void **state)
{
	const struct mx_import_opts opts = {.force = 0};

	(void)state;
	expect_opts("input x ?,3\nRelu x -> y\noutput y\n", &opts,
		    "Relu(x) -> y 1x3\n");
	expect_opts("input x 4,3\nRelu x -> y\noutput y\n", &opts,
		    "Relu(x) -> y 1x3\n");
	/* A single dimension is no batch, unless it is open. */
	expect_opts("input x 4\nRelu x -> y\noutput y\n", &opts,
		    "Relu(x) -> y 4\n");
	expect_opts("input x ?\nRelu x -> y\noutput y\n", &opts,
		    "Relu(x) -> y 1\n");
	expect("input x 4,3\nRelu x -> y\noutput y\n", "Relu(x) -> y 4x3\n");
	expect("input x ?,3\nRelu x -> y\noutput y\n", "Relu(x) -> y 1x3\n");
}

static void a_batch_in_a_shape_is_rewritten(void **state)
{
	const struct mx_import_opts opts = {.force = 0};
	struct import import;

	(void)state;
	expect_opts("input x 4,6\ninit s T7:3:4,2,3\nReshape x,s -> y\n"
		    "output y\n",
		    &opts, "Reshape(x) shape=1,2,3 -> y 1x2x3\n");
	expect_opts("input x 4,6\ninit s T7:2:4,-1\nReshape x,s -> y\n"
		    "output y\n",
		    &opts, "Reshape(x) shape=1,6 -> y 1x6\n");
	assert_int_equal(import_text(&import,
				     "input x 4,6\ninit s T7:2:8,3\n"
				     "node r Reshape x,s -> y\noutput y\n",
				     &opts),
			 -ENOTSUP);
	assert_string_equal(import.err.text,
			    "FILE: not supported: Reshape: a batch of 4 in the "
			    "shape (use --keep-batch)");
	import_end(&import);
}

static void options_fix_shapes(void **state)
{
	const struct mx_import_shape first = {NULL, {2, {2, 5}}};
	const struct mx_import_shape named = {"z", {2, {1, 7}}};
	const struct mx_import_shape both[] = {named, first};
	struct mx_import_opts opts = {.shapes = both, .shape_count = 2};
	struct import import;

	(void)state;
	expect_opts("input x ?,?\ninput z 1,?\nRelu x -> y\nRelu z -> q\n"
		    "output y\noutput q\n",
		    &opts, "Relu(x) -> y 2x5\nRelu(z) -> q 1x7\n");
	assert_int_equal(import_text(&import, "input x 1,2\noutput x\n", &opts),
			 -EINVAL);
	assert_string_equal(import.err.text, "FILE: has no input z");
	import_end(&import);
	opts.shapes = &first;
	opts.shape_count = 1;
	assert_int_equal(
		import_text(&import, "input x 1,2,3\noutput x\n", &opts),
		-EINVAL);
	assert_string_equal(import.err.text,
			    "FILE: input x has 3 dimensions, --input-shape "
			    "gives 2");
	import_end(&import);
	expect_opts("input x -\nRelu x -> y\noutput y\n", &opts,
		    "Relu(x) -> y 2x5\n");
}

static void open_dimensions_are_asked_for(void **state)
{
	(void)state;
	expect_failure("input x 1,?,3\noutput x\n", -EINVAL,
		       "FILE: dimension 1 of input x is open: use "
		       "--input-shape");
	expect_failure("input x -\noutput x\n", -EINVAL,
		       "FILE: input x has no shape: use --input-shape");
	expect_failure("input x 1,1,1,1,1,1,1,1,1\noutput x\n", -EBADMSG,
		       "FILE: input x has 9 dimensions, at most 8 are "
		       "possible");
	expect_failure("input x 9999999,9999999\noutput x\n", -EBADMSG,
		       "FILE: the shape of input x makes no sense");
}

static void an_initializer_that_is_an_input_is_a_constant(void **state)
{
	(void)state;
	expect("input x 1,3\ninput w 3,2\ninit w T1:3,2:*\nMatMul x,w -> y\n"
	       "output y\n",
	       "Dense(x) axis=1 out_features=2 rows=1,3,5,2,4,6 -> y 1x2\n");
}

static void a_name_is_given_once(void **state)
{
	(void)state;
	expect_failure("input x 1\ninput x 1\noutput x\n", -EBADMSG,
		       "FILE: two inputs are called x");
	expect_failure("init x T1:1:1\ninit x T1:1:1\noutput x\n", -EBADMSG,
		       "FILE: two initializers are called 'x'");
	expect_failure("input x 1\nRelu x -> y\nAbs x -> y\noutput y\n",
		       -EBADMSG,
		       "FILE: node Abs:y (Abs): y has been written before");
	expect_failure("input x 1\nRelu x -> x\noutput x\n", -EBADMSG,
		       "FILE: node Relu:x (Relu): x has been written before");
}

/* --- outputs ---------------------------------------------------------- */

static void outputs_are_values_or_nodes(void **state)
{
	const char *const names[] = {"b", "n", "x", "b"};
	const char *const missing[] = {"nothing"};
	struct mx_import_opts opts = {.outputs = names, .output_count = 4};
	struct import import;

	(void)state;
	assert_int_equal(import_text(&import,
				     "input x 2\nnode n Relu x -> a\n"
				     "Abs a -> b\nNeg b -> c\noutput c\n",
				     &opts),
			 0);
	assert_int_equal(import.graph->output_count, 4);
	expect_output(&import, 0, "b");
	expect_output(&import, 1, "a");
	expect_output(&import, 2, "x");
	expect_output(&import, 3, "b");
	/* What is an input, or an output twice, is a copy. */
	assert_int_not_equal(import.graph->outputs[2], import.graph->inputs[0]);
	assert_int_not_equal(import.graph->outputs[3],
			     import.graph->outputs[0]);
	import_end(&import);
	opts.outputs = missing;
	opts.output_count = 1;
	assert_int_equal(import_text(&import, everything, &opts), -EINVAL);
	assert_string_equal(import.err.text, "FILE: has no output nothing");
	import_end(&import);
}

static void outputs_must_be_there(void **state)
{
	(void)state;
	expect_failure("input x 1\nRelu x -> y\noutput z\n", -EBADMSG,
		       "FILE: has no output z");
	expect_failure("input x 1\nRelu x -> y\n", -EBADMSG,
		       "FILE: has no outputs");
}

/* --- the file --------------------------------------------------------- */

static void every_truncation_is_found(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb whole = {0}, part;
	struct import import;
	int rc;

	(void)state;
	model_of(everything, &whole);
	assert_int_equal(import_bytes(&import, &whole, &opts), 0);
	import_end(&import);
	for (part = whole, part.size = 1; part.size < whole.size; part.size++) {
		rc = import_bytes(&import, &part, &opts);
		if (rc != -EBADMSG)
			fail_msg("%zu of %zu bytes: %d: %s", part.size,
				 whole.size, rc, import.err.text);
		assert_true(strlen(import.err.text) > 0);
		import_end(&import);
	}
	free(whole.data);
}

static void no_changed_byte_does_harm(void **state)
{
	static const unsigned char changes[] = {0x01, 0x80, 0xff, 0x7f};
	struct pb model = {0};
	size_t i, k;

	(void)state;
	model_of(everything, &model);
	for (i = 0; i < model.size; i++) {
		for (k = 0; k < sizeof(changes); k++) {
			model.data[i] ^= changes[k];
			expect_sane(&model);
			model.data[i] ^= changes[k];
		}
	}
	free(model.data);
}

/* Truncations whose lengths are right: the graph ends early. */
static void a_graph_cut_inside_is_found(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb graph = {0}, model = {0};
	struct import import;

	(void)state;
	pb_text(&graph, 1, "\x0a\x05x");
	put_value_info(&graph, 12, "y", "");
	put_model(&model, &graph, 13);
	assert_int_equal(import_bytes(&import, &model, &opts), -EBADMSG);
	assert_string_equal(import.err.text, "FILE: node 0 is corrupt");
	import_end(&import);
	free(model.data);
}

static void operator_sets_are_checked(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb graph = {0}, model = {0};
	struct import import;

	(void)state;
	expect_failure("opset 21\ninput x 1\noutput x\n", -ENOTSUP,
		       "FILE: operator set 21 is not supported, at most 20 is");
	pb_int(&model, 1, 7);
	put_value_info(&graph, 11, "x", "1");
	pb_message(&model, 7, &graph);
	assert_int_equal(import_bytes(&import, &model, &opts), -EBADMSG);
	assert_string_equal(import.err.text,
			    "FILE: states no version of ONNX's operators");
	import_end(&import);
	pb_bytes(&model, 7, "", 0);
	assert_int_equal(import_bytes(&import, &model, &opts), -EBADMSG);
	assert_string_equal(import.err.text, "FILE: has no or several graphs");
	import_end(&import);
	model.size = 2;
	assert_int_equal(import_bytes(&import, &model, &opts), -EBADMSG);
	assert_string_equal(import.err.text, "FILE: has no graph");
	import_end(&import);
	free(model.data);
}

static void nesting_costs_nothing(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb graph = {0}, node = {0}, attr = {0}, model = {0};
	struct import import;
	int i;

	(void)state;
	put_value_info(&graph, 12, "y", "");
	for (i = 0; i < NESTING_DEEP; i++) {
		pb_text(&attr, 1, "then_branch");
		pb_message(&attr, 6, &graph);
		pb_text(&node, 4, "If");
		pb_text(&node, 2, "y");
		pb_message(&node, 5, &attr);
		pb_message(&graph, 1, &node);
	}
	put_value_info(&graph, 12, "y", "");
	put_model(&model, &graph, 13);
	assert_int_equal(import_bytes(&import, &model, &opts), -ENOTSUP);
	assert_string_equal(import.err.text, "FILE: not supported: If");
	import_end(&import);
	free(model.data);
}

static void many_nodes_are_imported(void **state)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb graph = {0}, model = {0};
	struct import import;
	char line[64], name[16];
	int i;

	(void)state;
	put_value_info(&graph, 11, "v0", "1");
	for (i = 0; i < NODES_MANY; i++) {
		(void)snprintf(line, sizeof(line), "Relu v%d -> v%d", i, i + 1);
		put_node(&graph, line);
	}
	(void)snprintf(name, sizeof(name), "v%d", NODES_MANY);
	put_value_info(&graph, 12, name, "");
	put_model(&model, &graph, 13);
	assert_int_equal(import_bytes(&import, &model, &opts), 0);
	assert_int_equal(import.graph->node_count, NODES_MANY);
	import_end(&import);
	free(model.data);
}

static void random_weights_are_not_for_onnx(void **state)
{
	const struct mx_import_opts opts = {.random_weights = 1};
	struct import import;

	(void)state;
	assert_int_equal(import_text(&import, everything, &opts), -EINVAL);
	assert_string_equal(import.err.text,
			    "FILE: random weights are for prototxt files, an "
			    "ONNX model has its own");
	import_end(&import);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_batch_becomes_one),
		cmocka_unit_test(a_batch_in_a_shape_is_rewritten),
		cmocka_unit_test(options_fix_shapes),
		cmocka_unit_test(open_dimensions_are_asked_for),
		cmocka_unit_test(an_initializer_that_is_an_input_is_a_constant),
		cmocka_unit_test(a_name_is_given_once),
		cmocka_unit_test(outputs_are_values_or_nodes),
		cmocka_unit_test(outputs_must_be_there),
		cmocka_unit_test(every_truncation_is_found),
		cmocka_unit_test(no_changed_byte_does_harm),
		cmocka_unit_test(a_graph_cut_inside_is_found),
		cmocka_unit_test(operator_sets_are_checked),
		cmocka_unit_test(nesting_costs_nothing),
		cmocka_unit_test(many_nodes_are_imported),
		cmocka_unit_test(random_weights_are_not_for_onnx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
