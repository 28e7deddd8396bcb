#include "loader/import/passes.h"

#include "lib/activation.h"
#include "tests/rewrite_graphs.h"

static void one_scale_and_one_bias_for_all_are_a_power(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	const struct mx_attrs *attrs;

	(void)state;
	fx_output(g, rw_uniform(g, "u", x, 0.5, -2));
	fx_pass(g, mx_pass_uniform);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "u Power(x) -> u 1x3x2x2\n"
			  "output u\n");
	attrs = &fx_node(g, "u")->layer.attrs;
	assert_true(mx_attrs_float(attrs, "a", 0) == 1.0f);
	assert_true(mx_attrs_float(attrs, "b", 0) == 0.5f);
	assert_true(mx_attrs_float(attrs, "c", 0) == -2.0f);
	assert_null(fx_node(g, "u")->weights.vector[0]);
	mx_graph_free(g);
}

static void others_and_those_with_an_activation_stay(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);

	(void)state;
	fx_output(g, fx_rowwise(g, "Affine", "rows", x, 1));
	fx_output(g, rw_uniform(g, "act", x, 2, 0));
	FX_INTS(&fx_node(g, "act")->layer.attrs, MX_ATTR_ACTIVATION,
		MX_ACTIVATION_RELU);
	fx_pass(g, mx_pass_uniform);
	assert_string_equal(fx_node(g, "rows")->layer.op_name, "Affine");
	assert_string_equal(fx_node(g, "act")->layer.op_name, "Affine");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_scale_and_one_bias_for_all_are_a_power),
		cmocka_unit_test(others_and_those_with_an_activation_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
