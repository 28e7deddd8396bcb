#include "loader/import/graph.h"

#include <errno.h>

#include "tests/graph_fixture.h"

static void finishing_infers_and_names(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2, 3);
	struct mx_err err = {""};
	struct mx_node *node;
	uint32_t v = MX_NONE;

	(void)state;
	fx_ok(mx_graph_node(g, "Abs", NULL, &x, 1, &node, &err), &err);
	fx_ok(mx_graph_finish(g, NULL, 1, &v, &err), &err);
	fx_output(g, v);
	fx_expect_text(g, "input x 2x3\nAbs_0 Abs(x) -> Abs_0 2x3\n"
			  "output Abs_0\n");
	assert_int_equal(g->values[v].root, v);
	mx_graph_free(g);
}

static void a_node_that_cannot_be_is_removed(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2, 3);
	const uint32_t in[] = {x, x};
	struct mx_err err = {""};
	struct mx_node *node;
	uint32_t v = 77;

	(void)state;
	assert_int_equal(mx_graph_simple(g, "Frobnicate", "f", &x, 1, NULL,
					 NULL, &v, &err),
			 -ENOTSUP);
	assert_string_equal(err.text, "f: no operator Frobnicate");
	assert_int_equal(
		mx_graph_simple(g, "Abs", "two", in, 2, NULL, NULL, &v, &err),
		-EBADMSG);
	assert_string_equal(err.text, "two: Abs has 2 inputs");
	fx_ok(mx_graph_node(g, "Dense", "fc", &x, 1, &node, &err), &err);
	FX_INTS(&node->layer.attrs, "out_features", 4);
	assert_int_equal(mx_graph_finish(g, NULL, 1, &v, &err), -EBADMSG);
	assert_string_equal(err.text, "fc: has no weights");
	assert_int_equal(v, 77);
	assert_int_equal(g->node_count, 0);
	assert_int_equal(g->value_count, 1);
	mx_graph_free(g);
}

static void weights_must_be_as_many_as_the_operator_wants(void **state)
{
	static const struct {
		size_t rows, bias, scale, extra;
		const char *text;
	} cases[] = {
		{11, 4, 4, 0, "fc: Dense needs 12 weights, not 11"},
		{12, 5, 4, 0, "fc: weight vector 0 has 5 values, not 4"},
		{12, 4, 3, 0, "fc: 3 scales for 4 rows"},
		{12, 4, 4, 4, "fc: Dense takes 1 weight vectors"},
		{12, 4, 4, 0, NULL},
	};
	const double values[8] = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_graph *g = fx_graph();
		const uint32_t x = FX_INPUT(g, "x", 1, 3);
		const struct mx_const rows =
			fx_weights(g, "w", FX_SHAPE(cases[i].rows));
		struct mx_err err = {""};
		struct mx_node *node;
		uint32_t v;

		fx_ok(mx_graph_node(g, "Dense", "fc", &x, 1, &node, &err),
		      &err);
		FX_INTS(&node->layer.attrs, "out_features", 4);
		mx_node_set_rows(node, &rows);
		assert_int_equal(
			mx_node_set_vector(node, 0, values, cases[i].bias), 0);
		assert_int_equal(
			mx_node_set_row_scale(node, values, cases[i].scale), 0);
		if (cases[i].extra)
			assert_int_equal(mx_node_set_vector(node, 1, values,
							    cases[i].extra),
					 0);
		assert_int_equal(mx_graph_finish(g, NULL, 1, &v, &err),
				 cases[i].text ? -EBADMSG : 0);
		if (cases[i].text)
			assert_string_equal(err.text, cases[i].text);
		mx_graph_free(g);
	}
}

static void more_inputs_than_few_are_inferred(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 2);
	const uint32_t in[] = {x, x, x, x, x, x, x, x, x};

	(void)state;
	fx_output(g, fx_concat(g, "c", 1, in, 9));
	assert_int_equal(g->values[g->outputs[0]].shape.dim[1], 18);
	mx_graph_free(g);
}

static void a_constant_keeps_shape_and_values(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t v = FX_CONSTANT(g, "k", FX_SHAPE(2, 2), 1, 2, 3, 4);
	float got[4];

	(void)state;
	fx_output(g, v);
	fx_expect_text(g, "k Constant() -> k 2x2\noutput k\n");
	mx_const_read_f32(&fx_node(g, "k")->weights.rows, 0, 4, got);
	assert_memory_equal(got, ((const float[]){1, 2, 3, 4}), sizeof(got));
	mx_graph_free(g);
}

static void owned_memory_is_freed_with_the_graph(void **state)
{
	struct mx_graph *g = fx_graph();
	size_t i;

	(void)state;
	for (i = 0; i < 33; i++)
		assert_int_equal(mx_graph_own(g, malloc(1)), 0);
	assert_int_equal(g->owned_count, 33);
	mx_graph_free(g); /* a leak is AddressSanitizer's to find */
	mx_graph_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finishing_infers_and_names),
		cmocka_unit_test(a_node_that_cannot_be_is_removed),
		cmocka_unit_test(weights_must_be_as_many_as_the_operator_wants),
		cmocka_unit_test(more_inputs_than_few_are_inferred),
		cmocka_unit_test(a_constant_keeps_shape_and_values),
		cmocka_unit_test(owned_memory_is_freed_with_the_graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
