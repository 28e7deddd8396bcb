#include "loader/import/passes.h"

#include "lib/activation.h"
#include "tests/graph_fixture.h"

static void an_activation_joins_its_only_producer(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 1, 3, 2, 2);

	(void)state;
	v = fx_op(g, "Relu", "r1", 1, fx_conv(g, "c1", v, 2, 1));
	v = fx_unary(g, "Clip", "r2", fx_conv(g, "c2", v, 2, 3), 0, 6);
	v = fx_op(g, "Add", "s", 2, v, v);
	v = fx_op(g, "Sigmoid", "g", 1, v);
	v = fx_op(g, "Tanh", "t", 1, fx_dense(g, "fc", v, 3, 1));
	fx_output(g, v);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c1 Convolution(x) -> c1 1x2x2x2\n"
			  "r1 Relu(c1) -> r1 1x2x2x2\n"
			  "c2 Convolution(r1) -> c2 1x2x2x2\n"
			  "r2 Clip(c2) -> r2 1x2x2x2\n"
			  "s Add(r2, r2) -> s 1x2x2x2\n"
			  "g Sigmoid(s) -> g 1x2x2x2\n"
			  "fc Dense(g) -> fc 1x3\n"
			  "t Tanh(fc) -> t 1x3\n"
			  "output t\n");
	fx_pass(g, mx_pass_activation);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c1 Convolution(x) -> r1 1x2x2x2 +Relu\n"
			  "c2 Convolution(r1) -> r2 1x2x2x2 +Clip\n"
			  "s Add(r2, r2) -> g 1x2x2x2 +Sigmoid\n"
			  "fc Dense(g) -> t 1x3 +Tanh\n"
			  "output t\n");
	mx_graph_free(g);
}

static void no_activation_joins_what_others_read_or_what_has_one(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	const uint32_t a = fx_conv(g, "a", x, 2, 1);
	const uint32_t b = fx_conv(g, "b", x, 2, 1);
	const uint32_t r = fx_op(g, "Relu", "r", 1, b);

	(void)state;
	fx_output(g, fx_op(g, "Relu", "ar", 1, a));
	fx_output(g, a);
	fx_output(g, fx_op(g, "Tanh", "brt", 1, r));
	/* Pooling takes nothing in. */
	fx_output(g, fx_op(g, "Relu", "pr", 1, fx_pool(g, "p", x, 1, 1)));
	fx_pass(g, mx_pass_activation);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "a Convolution(x) -> a 1x2x2x2\n"
			  "b Convolution(x) -> r 1x2x2x2 +Relu\n"
			  "ar Relu(a) -> ar 1x2x2x2\n"
			  "brt Tanh(r) -> brt 1x2x2x2\n"
			  "p Pooling(x) -> p 1x3x2x2\n"
			  "pr Relu(p) -> pr 1x3x2x2\n"
			  "output ar\noutput a\noutput brt\noutput pr\n");
	mx_graph_free(g);
}

static void slopes_become_the_last_weight_vector(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 1, 3, 2, 2);
	const struct mx_node *node;

	(void)state;
	v = fx_rowwise(g, "PRelu", "p", fx_conv(g, "c", v, 4, 1), 1);
	fx_output(g, v);
	fx_pass(g, mx_pass_activation);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c Convolution(x) -> p 1x4x2x2 +PRelu\n"
			  "output p\n");
	node = fx_node(g, "c");
	assert_int_equal(node->layer.weights.vectors, 2);
	assert_int_equal(node->weights.vector_count[1], 4);
	assert_true(node->weights.vector[1][3] == (double)fx_weight("p", 1003));
	assert_true(node->weights.vector[0][3] == (double)fx_weight("c", 1003));
	mx_graph_free(g);
}

static void slopes_along_another_axis_stay(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 1, 3, 4, 4);

	(void)state;
	v = fx_rowwise(g, "PRelu", "p", fx_conv(g, "c", v, 4, 1), 2);
	/* No weights, so nowhere to put slopes. */
	v = fx_rowwise(g, "PRelu", "q", fx_op(g, "Add", "s", 2, v, v), 1);
	fx_output(g, v);
	fx_pass(g, mx_pass_activation);
	fx_expect_text(g, "input x 1x3x4x4\n"
			  "c Convolution(x) -> c 1x4x4x4\n"
			  "p PRelu(c) -> p 1x4x4x4\n"
			  "s Add(p, p) -> s 1x4x4x4\n"
			  "q PRelu(s) -> q 1x4x4x4\n"
			  "output q\n");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_activation_joins_its_only_producer),
		cmocka_unit_test(
			no_activation_joins_what_others_read_or_what_has_one),
		cmocka_unit_test(slopes_become_the_last_weight_vector),
		cmocka_unit_test(slopes_along_another_axis_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
