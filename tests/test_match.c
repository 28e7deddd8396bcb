#include "loader/import/match.h"

#include "tests/graph_fixture.h"

static void only_a_sole_reader_can_be_taken_in(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3);
	const uint32_t a = fx_op(g, "Abs", "a", 1, x);
	const uint32_t b = fx_op(g, "Neg", "b", 1, a);
	const uint32_t k = FX_CONSTANT(g, "k", FX_SHAPE(2, 1), 1, 2);
	const uint32_t wide = fx_op(g, "Add", "wide", 2, b, k);
	struct mx_graph_uses uses;

	(void)state;
	fx_output(g, wide);
	assert_int_equal(mx_graph_uses(g, &uses), 0);
	assert_ptr_equal(mx_match_sole_producer(g, &uses, fx_node(g, "b"), 0),
			 fx_node(g, "a"));
	/* From an input; to another shape. */
	assert_null(mx_match_sole_producer(g, &uses, fx_node(g, "a"), 0));
	assert_null(mx_match_sole_producer(g, &uses, fx_node(g, "wide"), 0));
	uses.use_count[a]++;
	assert_null(mx_match_sole_producer(g, &uses, fx_node(g, "b"), 0));
	mx_graph_uses_fini(&uses);
	mx_graph_free(g);
}

static void absorbing_hands_the_output_over(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t a = fx_op(g, "Abs", "a", 1, FX_INPUT(g, "x", 3));
	const uint32_t b = fx_op(g, "Neg", "b", 1, a);
	struct mx_graph_uses uses;

	(void)state;
	fx_output(g, b);
	assert_int_equal(mx_graph_uses(g, &uses), 0);
	mx_match_absorb(g, &uses, fx_node(g, "a"), fx_node(g, "b"));
	assert_ptr_equal(mx_match_producer(g, &uses, b), fx_node(g, "a"));
	fx_expect_text(g, "input x 3\na Abs(x) -> b 3\noutput b\n");
	mx_graph_uses_fini(&uses);
	mx_graph_free(g);
}

static void constants_and_scalars_are_recognised(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 3);
	const uint32_t one = FX_CONSTANT(g, "one", FX_SHAPE(1, 1), 7);
	const uint32_t two = FX_CONSTANT(g, "two", FX_SHAPE(2), 1, 2);
	struct mx_graph_uses uses;
	double value = 0;

	(void)state;
	assert_int_equal(mx_graph_uses(g, &uses), 0);
	assert_null(mx_match_constant(g, &uses, x));
	assert_non_null(mx_match_constant(g, &uses, two));
	assert_int_equal(mx_match_scalar(g, &uses, x, &value), 0);
	assert_int_equal(mx_match_scalar(g, &uses, two, &value), 0);
	assert_int_equal(mx_match_scalar(g, &uses, one, &value), 1);
	assert_true(value == 7);
	/* Indices are no numbers to compute with. */
	fx_node(g, "one")->weights.integers = 1;
	assert_null(mx_match_constant(g, &uses, one));
	fx_node(g, "two")->dead = 1;
	assert_null(mx_match_constant(g, &uses, two));
	mx_graph_uses_fini(&uses);
	mx_graph_free(g);
}

static void rows_run_along_channels_or_features(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 4, 4);

	(void)state;
	fx_conv(g, "c", x, 3, 1);
	fx_dense(g, "d", x, 5, 3);
	fx_rowwise(g, "Affine", "a", x, 2);
	assert_int_equal(mx_match_row_axis(fx_node(g, "c")), 1);
	assert_int_equal(mx_match_row_axis(fx_node(g, "d")), 3);
	assert_int_equal(mx_match_row_axis(fx_node(g, "a")), 2);
	mx_graph_free(g);
}

static void a_node_can_become_another_operator(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 3);
	const uint32_t a = fx_op(g, "Abs", "a", 1, x);
	const float ab[] = {-1, 2};
	struct mx_err err = {""};

	(void)state;
	fx_output(g, fx_op(g, "Add", "s", 2, a, a));
	assert_int_equal(mx_match_become(fx_node(g, "s"), "Clip", x, ab, 2), 0);
	fx_ok(mx_graph_rebind(g, fx_node(g, "s"), &err), &err);
	assert_true(mx_attrs_float(&fx_node(g, "s")->layer.attrs, "b", 0) == 2);
	fx_expect_text(g, "input x 3\na Abs(x) -> a 3\n"
			  "s Clip(x) -> s 3\noutput s\n");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_sole_reader_can_be_taken_in),
		cmocka_unit_test(absorbing_hands_the_output_over),
		cmocka_unit_test(constants_and_scalars_are_recognised),
		cmocka_unit_test(rows_run_along_channels_or_features),
		cmocka_unit_test(a_node_can_become_another_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
