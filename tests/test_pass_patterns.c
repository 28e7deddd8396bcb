#include "loader/import/passes.h"

#include "tests/graph_fixture.h"

static void x_times_its_sigmoid_is_silu(void **state)
{
	static const struct {
		const char *op;
		int turned;
	} cases[] = {{"Mul", 0}, {"Mul", 1}, {"Eltwise", 0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_graph *g = fx_graph();
		const uint32_t x = FX_INPUT(g, "x", 1, 3);
		const uint32_t s = fx_op(g, "Sigmoid", "s", 1, x);
		struct mx_attrs attrs = {NULL, 0};
		const uint32_t in[] = {cases[i].turned ? s : x,
				       cases[i].turned ? x : s};

		FX_INTS(&attrs, "kind", 0);
		fx_output(g, fx_simple(g, cases[i].op, "m", &attrs, in, 2));
		fx_pass(g, mx_pass_patterns);
		fx_expect_text(g,
			       "input x 1x3\nm Silu(x) -> m 1x3\noutput m\n");
		mx_graph_free(g);
	}
}

static void others_may_still_use_the_sigmoid(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3);
	const uint32_t s = fx_op(g, "Sigmoid", "s", 1, x);

	(void)state;
	fx_output(g, fx_op(g, "Mul", "m", 2, x, s));
	fx_output(g, s);
	fx_pass(g, mx_pass_patterns);
	fx_expect_text(g, "input x 1x3\n"
			  "s Sigmoid(x) -> s 1x3\n"
			  "m Silu(x) -> m 1x3\n"
			  "output m\noutput s\n");
	mx_graph_free(g);
}

/* clip(x + 3, 0, 6), in the order that @turned says. */
static uint32_t shifted(struct mx_graph *g, uint32_t x, float by)
{
	const uint32_t three = FX_CONSTANT(g, "three", FX_SHAPE(1), by);

	return fx_unary(g, "Clip", "clip", fx_op(g, "Add", "a", 2, three, x), 0,
			6);
}

static void hard_swish_is_found_in_both_orders(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3);
	const uint32_t clip = shifted(g, x, 3);
	const uint32_t six = FX_CONSTANT(g, "six", FX_SHAPE(1), 6);
	const uint32_t sixth = FX_CONSTANT(g, "sixth", FX_SHAPE(1), 1.0f / 6);

	(void)state;
	fx_output(g, fx_op(g, "Div", "d", 2, fx_op(g, "Mul", "m", 2, x, clip),
			   six));
	fx_output(g, fx_op(g, "Mul", "n", 2,
			   fx_op(g, "Mul", "h", 2, sixth, clip), x));
	fx_pass(g, mx_pass_patterns);
	fx_expect_text(g, "input x 1x3\n"
			  "d HardSwish(x) -> d 1x3\n"
			  "n HardSwish(x) -> n 1x3\n"
			  "output d\noutput n\n");
	mx_graph_free(g);
}

static void hard_sigmoid_keeps_its_constants(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t clip = shifted(g, FX_INPUT(g, "x", 1, 3), 3);
	const uint32_t six = FX_CONSTANT(g, "six", FX_SHAPE(1), 6);
	const struct mx_attrs *attrs;

	(void)state;
	fx_output(g, fx_op(g, "Div", "d", 2, clip, six));
	fx_pass(g, mx_pass_patterns);
	fx_expect_text(g, "input x 1x3\nd HardSigmoid(x) -> d 1x3\noutput d\n");
	attrs = &fx_node(g, "d")->layer.attrs;
	assert_true(mx_attrs_float(attrs, "a", 0) == 1.0f / 6);
	assert_true(mx_attrs_float(attrs, "b", 0) == 0.5f);
	mx_graph_free(g);
}

static void near_misses_stay(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3);
	const uint32_t y = FX_INPUT(g, "y", 1, 3);
	const uint32_t six = FX_CONSTANT(g, "six", FX_SHAPE(1), 6);
	const uint32_t wide = FX_CONSTANT(g, "wide", FX_SHAPE(2, 1, 1), 6, 6);
	const uint32_t clip = shifted(g, x, 2.5f);
	const uint32_t s = fx_op(g, "Sigmoid", "s", 1, y);

	(void)state;
	fx_output(g, fx_op(g, "Div", "d", 2, clip, six));
	fx_output(g, fx_op(g, "Div", "e", 2, six, clip));
	fx_output(g, fx_op(g, "Mul", "m", 2, x, s));
	fx_output(g, fx_op(g, "Div", "w", 2, clip, wide));
	fx_pass(g, mx_pass_patterns);
	assert_string_equal(fx_node(g, "d")->layer.op_name, "Div");
	assert_string_equal(fx_node(g, "e")->layer.op_name, "Div");
	assert_string_equal(fx_node(g, "m")->layer.op_name, "Mul");
	assert_string_equal(fx_node(g, "w")->layer.op_name, "Div");
	mx_graph_free(g);
}

/* A scalar of higher rank makes the result one of higher rank. */
static void a_pattern_never_changes_a_shape(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t clip = shifted(g, FX_INPUT(g, "x", 1, 3), 3);
	const uint32_t six = FX_CONSTANT(g, "six", FX_SHAPE(1, 1, 1), 6);

	(void)state;
	fx_output(g, fx_op(g, "Div", "d", 2, clip, six));
	fx_pass(g, mx_pass_patterns);
	assert_string_equal(fx_node(g, "d")->layer.op_name, "Div");
	mx_graph_free(g);
}

static void relu_before_or_after_clip_is_one_clip(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3);
	const uint32_t r = fx_op(g, "Relu", "r", 1, x);
	const uint32_t c = fx_unary(g, "Clip", "c", x, -1, 5);
	const struct mx_attrs *attrs;

	(void)state;
	fx_output(g, fx_unary(g, "Clip", "rc", r, -2, 6));
	fx_output(g, fx_op(g, "Relu", "cr", 1, c));
	/* min(max(x, a), b) of a negative b is no clip from 0. */
	fx_output(g, fx_unary(g, "Clip", "low", r, -2, -1));
	fx_pass(g, mx_pass_patterns);
	fx_expect_text(g, "input x 1x3\n"
			  "r Relu(x) -> r 1x3\n"
			  "rc Clip(x) -> rc 1x3\n"
			  "cr Clip(x) -> cr 1x3\n"
			  "low Clip(r) -> low 1x3\n"
			  "output rc\noutput cr\noutput low\n");
	attrs = &fx_node(g, "rc")->layer.attrs;
	assert_true(mx_attrs_float(attrs, "a", 9) == 0);
	assert_true(mx_attrs_float(attrs, "b", 9) == 6);
	attrs = &fx_node(g, "cr")->layer.attrs;
	assert_true(mx_attrs_float(attrs, "a", 9) == 0);
	assert_true(mx_attrs_float(attrs, "b", 9) == 5);
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x_times_its_sigmoid_is_silu),
		cmocka_unit_test(others_may_still_use_the_sigmoid),
		cmocka_unit_test(hard_swish_is_found_in_both_orders),
		cmocka_unit_test(hard_sigmoid_keeps_its_constants),
		cmocka_unit_test(near_misses_stay),
		cmocka_unit_test(a_pattern_never_changes_a_shape),
		cmocka_unit_test(relu_before_or_after_clip_is_one_clip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
