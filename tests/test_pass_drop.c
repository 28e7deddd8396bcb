#include "loader/import/passes.h"

#include "tests/graph_fixture.h"

static void what_nobody_reads_goes(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 2, 2, 2);
	const uint32_t dead = fx_op(g, "Abs", "dead", 1, x);

	(void)state;
	fx_op(g, "Neg", "deader", 1, dead);
	fx_output(g, fx_op(g, "Exp", "live", 1, x));
	FX_INPUT(g, "unread", 7);
	fx_pass(g, mx_pass_drop);
	/* Inputs stay, read or not: they are the model's face. */
	fx_expect_text(g, "input x 1x2x2x2\n"
			  "input unread 7\n"
			  "live Exp(x) -> live 1x2x2x2\n"
			  "output live\n");
	assert_int_equal(g->value_count, 3);
	mx_graph_free(g);
}

static void what_does_nothing_is_bypassed(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 2, 3);

	(void)state;
	v = fx_op(g, "Abs", "a", 1, v);
	v = fx_op(g, "Identity", "i", 1, v);
	v = fx_reshape(g, "r", v, FX_SHAPE(2, 3));
	v = fx_concat(g, "c", 1, &v, 1);
	v = fx_reshape(g, "real", v, FX_SHAPE(3, 2));
	fx_output(g, fx_op(g, "Identity", "o", 1, v));
	fx_expect_text(g, "input x 2x3\n"
			  "a Abs(x) -> a 2x3\n"
			  "i Identity(a) -> i 2x3\n"
			  "r Reshape(i) -> r 2x3\n"
			  "c Concat(r) -> c 2x3\n"
			  "real Reshape(c) -> real 3x2\n"
			  "o Identity(real) -> o 3x2\n"
			  "output o\n");
	fx_pass(g, mx_pass_drop);
	fx_expect_text(g, "input x 2x3\n"
			  "a Abs(x) -> a 2x3\n"
			  "real Reshape(a) -> real 3x2\n"
			  "output real\n");
	mx_graph_free(g);
}

static void an_input_can_become_an_output(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2);

	(void)state;
	fx_output(g, fx_op(g, "Identity", "i", 1, x));
	fx_pass(g, mx_pass_drop);
	fx_expect_text(g, "input x 2\noutput x\n");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_reads_goes),
		cmocka_unit_test(what_does_nothing_is_bypassed),
		cmocka_unit_test(an_input_can_become_an_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
