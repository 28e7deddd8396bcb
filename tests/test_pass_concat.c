#include "loader/import/passes.h"

#include "tests/graph_fixture.h"

static void a_dense_block_is_a_chain_of_concatenations(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t in[4], v;

	(void)state;
	in[0] = FX_INPUT(g, "a", 1, 2, 3, 3);
	in[1] = fx_op(g, "Abs", "b", 1, in[0]);
	v = fx_concat(g, "ab", 1, in, 2);
	in[2] = fx_op(g, "Tanh", "c", 1, v);
	v = fx_concat(g, "abc", 1, in, 3);
	in[3] = fx_op(g, "Neg", "d", 1, v);
	fx_output(g, fx_concat(g, "abcd", 1, in, 4));
	fx_pass(g, mx_pass_concat);
	fx_expect_text(g, "input a 1x2x3x3\n"
			  "b Abs(a) -> b 1x2x3x3\n"
			  "ab Concat(a, b) -> ab 1x4x3x3\n"
			  "c Tanh(ab) -> c 1x4x3x3\n"
			  "abc Concat(ab, c) -> abc 1x8x3x3\n"
			  "d Neg(abc) -> d 1x8x3x3\n"
			  "abcd Concat(abc, d) -> abcd 1x16x3x3\n"
			  "output abcd\n");
	mx_graph_free(g);
}

static void only_what_stands_first_and_alike_is_taken(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t in[3], other[3];

	(void)state;
	in[0] = FX_INPUT(g, "a", 1, 2, 3, 3);
	in[1] = FX_INPUT(g, "b", 1, 2, 3, 3);
	in[2] = FX_INPUT(g, "c", 1, 2, 3, 3);
	other[0] = in[1];
	other[1] = in[0];
	other[2] = in[2];
	fx_output(g, fx_concat(g, "ab", 1, in, 2));
	fx_output(g, fx_concat(g, "ab2", 1, in, 2)); /* the same again */
	fx_output(g, fx_concat(g, "rows", 2, in, 3)); /* along another axis */
	fx_output(g, fx_concat(g, "bac", 1, other, 3));
	fx_pass(g, mx_pass_concat);
	assert_int_equal(fx_node(g, "ab2")->layer.in_count, 2);
	assert_int_equal(fx_node(g, "rows")->layer.in_count, 3);
	assert_int_equal(fx_node(g, "bac")->layer.in_count, 3);
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dense_block_is_a_chain_of_concatenations),
		cmocka_unit_test(only_what_stands_first_and_alike_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
