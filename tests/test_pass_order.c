#include "loader/import/passes.h"

#include "tests/graph_fixture.h"

static void constants_come_just_before_their_first_reader(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2);
	const uint32_t a = FX_CONSTANT(g, "a", FX_SHAPE(2), 1, 2);
	const uint32_t out = FX_CONSTANT(g, "out", FX_SHAPE(1), 3);
	const uint32_t b = FX_CONSTANT(g, "b", FX_SHAPE(2), 1, 2);
	const uint32_t n = fx_op(g, "Neg", "n", 1, x);
	const uint32_t s = fx_op(g, "Add", "s", 2, n, b);

	(void)state;
	fx_output(g, fx_op(g, "Where", "w", 3, a, s, b));
	fx_output(g, out);
	fx_expect_text(g, "input x 2\n"
			  "a Constant() -> a 2\n"
			  "out Constant() -> out 1\n"
			  "b Constant() -> b 2\n"
			  "n Neg(x) -> n 2\n"
			  "s Add(n, b) -> s 2\n"
			  "w Where(a, s, b) -> w 2\n"
			  "output w\noutput out\n");
	fx_pass(g, mx_pass_order);
	fx_expect_text(g, "input x 2\n"
			  "n Neg(x) -> n 2\n"
			  "b Constant() -> b 2\n"
			  "s Add(n, b) -> s 2\n"
			  "a Constant() -> a 2\n"
			  "w Where(a, s, b) -> w 2\n"
			  "out Constant() -> out 1\n"
			  "output w\noutput out\n");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_come_just_before_their_first_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
