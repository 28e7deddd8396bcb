#include "loader/import/lower.h"

#include "lib/activation.h"
#include "tests/graph_fixture.h"

static void everything_moves_into_the_network(void **state)
{
	static char cat[] = "cat", dog[] = "dog";
	static char *const labels[] = {cat, dog};
	const struct mx_preprocess preprocess = {
		.channels = MX_CHANNELS_RGB,
		.scale = 0.5f,
		.std = {1, 2, 3, 1},
	};
	const struct mx_lower_opts opts = {
		.source_hash = 42,
		.preprocess = &preprocess,
		.labels = labels,
		.label_count = 2,
	};
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	struct mx_weights *weights = NULL;
	struct mx_err err = {""};
	struct mx_network net;

	(void)state;
	fx_output(g, fx_op(g, "Relu", "r", 1, fx_conv(g, "c", x, 4, 1)));
	fx_pass(g, mx_passes_run);
	fx_ok(mx_graph_lower(g, &opts, &net, &weights, &err), &err);
	assert_string_equal(net.name, "net");
	assert_string_equal(net.source, "test");
	assert_int_equal(net.source_hash, 42);
	assert_int_equal(net.layer_count, 1);
	assert_string_equal(net.layers[0].name, "c");
	assert_non_null(net.layers[0].op);
	assert_int_equal(net.layers[0].weights.rows, 4);
	assert_true(weights[0].vector[0][2] == (double)fx_weight("c", 1002));
	assert_int_equal(net.tensor_count, 2);
	assert_int_equal(net.input_count, 1);
	assert_string_equal(net.tensors[net.inputs[0].tensor].name, "x");
	assert_int_equal(net.inputs[0].preprocess.channels, MX_CHANNELS_RGB);
	assert_true(net.inputs[0].preprocess.std[2] == 3);
	assert_int_equal(net.output_count, 1);
	assert_string_equal(net.tensors[net.outputs[0]].name, "r");
	assert_int_equal(net.label_count, 2);
	assert_string_equal(net.labels[1], "dog");
	assert_int_equal(net.weights_fd, -1);
	assert_int_equal(g->node_count, 0);
	assert_int_equal(g->value_count, 0);
	mx_lower_weights_free(weights, net.layer_count);
	mx_network_fini(&net);
	mx_graph_free(g);
}

static void without_options_pixels_go_in_as_they_are(void **state)
{
	const struct mx_lower_opts opts = {0};
	struct mx_graph *g = fx_graph();
	struct mx_weights *weights = NULL;
	struct mx_err err = {""};
	struct mx_network net;

	(void)state;
	fx_output(g, fx_op(g, "Abs", "a", 1, FX_INPUT(g, "x", 2)));
	fx_ok(mx_graph_lower(g, &opts, &net, &weights, &err), &err);
	assert_true(net.inputs[0].preprocess.scale == 1);
	assert_true(net.inputs[0].preprocess.std[3] == 1);
	assert_true(net.inputs[0].preprocess.mean[0] == 0);
	assert_int_equal(net.inputs[0].preprocess.channels, MX_CHANNELS_BGR);
	assert_int_equal(net.label_count, 0);
	mx_lower_weights_free(weights, net.layer_count);
	mx_network_fini(&net);
	mx_graph_free(g);
}

/* A graph that the layout pass has not seen cannot run. */
static void what_cannot_be_bound_is_refused_and_freed(void **state)
{
	const struct mx_lower_opts opts = {0};
	struct mx_graph *g = fx_graph();
	struct mx_weights *weights = NULL;
	struct mx_err err = {""};
	struct mx_network net;

	(void)state;
	fx_output(g, fx_conv(g, "c", FX_INPUT(g, "x", 1, 3, 2, 2), 4, 1));
	assert_true(mx_graph_lower(g, &opts, &net, &weights, &err) < 0);
	assert_string_equal(err.text, "c: x is not channels-last");
	assert_null(weights);
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_moves_into_the_network),
		cmocka_unit_test(without_options_pixels_go_in_as_they_are),
		cmocka_unit_test(what_cannot_be_bound_is_refused_and_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
