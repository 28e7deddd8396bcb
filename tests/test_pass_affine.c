#include "loader/import/passes.h"

#include <math.h>

#include "tests/graph_fixture.h"

static void scale_of(const struct mx_node *node, size_t row, double *scale,
		     double *bias)
{
	const struct mx_weights *w = &node->weights;

	*scale = w->row_scale ? w->row_scale[row] : 1;
	*bias = w->vector[0] ? w->vector[0][row] : 0;
}

static void batch_norm_and_scale_fold_into_the_convolution(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 1, 3, 2, 2);
	double scale, bias, want = (double)fx_weight("c", 1001);

	(void)state;
	v = fx_rowwise(g, "Affine", "bn", fx_conv(g, "c", v, 4, 1), 1);
	v = fx_rowwise(g, "Affine", "sc", v, 1);
	fx_output(g, v);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c Convolution(x) -> c 1x4x2x2\n"
			  "bn Affine(c) -> bn 1x4x2x2\n"
			  "sc Affine(bn) -> sc 1x4x2x2\n"
			  "output sc\n");
	fx_pass(g, mx_pass_affine);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c Convolution(x) -> sc 1x4x2x2\n"
			  "output sc\n");
	scale_of(fx_node(g, "c"), 1, &scale, &bias);
	want = want * (double)fx_weight("bn", 1001) +
	       (double)fx_weight("bn", 2001);
	want = want * (double)fx_weight("sc", 1001) +
	       (double)fx_weight("sc", 2001);
	assert_true(fabs(bias - want) < 1e-12);
	assert_true(fabs(scale - (double)fx_weight("bn", 1001) *
					 (double)fx_weight("sc", 1001)) <
		    1e-12);
	mx_graph_free(g);
}

static void arithmetic_with_constants_folds(void **state)
{
	/* bias 0 and scale 1, then what the operator does with c = 1, 2, 3 */
	static const struct {
		const char *op;
		int constant_first;
		double scale[3];
		double bias[3];
	} cases[] = {
		{"Add", 0, {1, 1, 1}, {1, 2, 3}},
		{"Add", 1, {1, 1, 1}, {1, 2, 3}},
		{"Sub", 0, {1, 1, 1}, {-1, -2, -3}},
		{"Sub", 1, {-1, -1, -1}, {1, 2, 3}},
		{"Mul", 0, {1, 2, 3}, {0, 0, 0}},
		{"Mul", 1, {1, 2, 3}, {0, 0, 0}},
		{"Div", 0, {1, 0.5, 1.0 / 3}, {0, 0, 0}},
	};
	size_t i, r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_graph *g = fx_graph();
		const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
		const uint32_t c =
			FX_CONSTANT(g, "k", FX_SHAPE(3, 1, 1), 1, 2, 3);
		const uint32_t y = fx_conv(g, "c", x, 3, 1);
		const double zero[3] = {0, 0, 0};
		const int first = cases[i].constant_first;

		mx_node_set_vector(fx_node(g, "c"), 0, zero, 3);
		fx_output(g, fx_op(g, cases[i].op, "o", 2, first ? c : y,
				   first ? y : c));
		fx_pass(g, mx_pass_affine);
		fx_expect_text(g, "input x 1x3x2x2\n"
				  "c Convolution(x) -> o 1x3x2x2\n"
				  "output o\n");
		for (r = 0; r < 3; r++) {
			double scale, bias;

			scale_of(fx_node(g, "c"), r, &scale, &bias);
			assert_true(scale == cases[i].scale[r]);
			assert_true(bias == cases[i].bias[r]);
		}
		mx_graph_free(g);
	}
}

static void scalars_power_and_dense_fold_too(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_dense(g, "fc", FX_INPUT(g, "x", 2, 5), 3, 1);
	struct mx_attrs attrs = {NULL, 0};
	double scale, bias;

	(void)state;
	v = fx_op(g, "Mul", "m", 2, v, FX_CONSTANT(g, "k", FX_SHAPE(1), 2));
	assert_int_equal(mx_attrs_set_float(&attrs, "b", 3), 0);
	assert_int_equal(mx_attrs_set_float(&attrs, "c", 4), 0);
	v = fx_simple(g, "Power", "p", &attrs, &v, 1);
	v = fx_op(g, "Add", "a", 2, v,
		  FX_CONSTANT(g, "l", FX_SHAPE(3), 1, 2, 3));
	fx_output(g, v);
	fx_pass(g, mx_pass_affine);
	fx_expect_text(g, "input x 2x5\n"
			  "fc Dense(x) -> a 2x3\n"
			  "output a\n");
	scale_of(fx_node(g, "fc"), 2, &scale, &bias);
	assert_true(scale == 6);
	assert_true(bias == (double)fx_weight("fc", 1002) * 6 + 4 + 3);
	mx_graph_free(g);
}

static void what_does_not_fit_stays(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	const uint32_t column = FX_CONSTANT(g, "col", FX_SHAPE(2, 1), 1, 2);
	const uint32_t big =
		FX_CONSTANT(g, "big", FX_SHAPE(2, 3, 2, 2), 0, 0, 0, 0, 0, 0, 0,
			    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	const uint32_t two = FX_CONSTANT(g, "two", FX_SHAPE(1), 2);
	uint32_t v;

	(void)state;
	/* Along another axis; to another shape; divided by; read twice;
	 * after an activation. */
	fx_output(g,
		  fx_op(g, "Add", "o1", 2, fx_conv(g, "c1", x, 3, 1), column));
	fx_output(g, fx_op(g, "Add", "o2", 2, fx_conv(g, "c2", x, 3, 1), big));
	fx_output(g, fx_op(g, "Div", "o3", 2, two, fx_conv(g, "c3", x, 3, 1)));
	v = fx_conv(g, "c4", x, 3, 1);
	fx_output(g, v);
	fx_output(g, fx_op(g, "Mul", "o4", 2, v, two));
	v = fx_op(g, "Relu", "r5", 1, fx_conv(g, "c5", x, 3, 1));
	fx_pass(g, mx_pass_activation);
	v = g->nodes[g->node_count - 1].layer.out[0];
	fx_output(g, fx_op(g, "Mul", "o5", 2, v, g->nodes[2].layer.out[0]));
	fx_pass(g, mx_pass_affine);
	assert_string_equal(fx_node(g, "o1")->layer.op_name, "Add");
	assert_string_equal(fx_node(g, "o2")->layer.op_name, "Add");
	assert_string_equal(fx_node(g, "o3")->layer.op_name, "Div");
	assert_string_equal(fx_node(g, "o4")->layer.op_name, "Mul");
	assert_string_equal(fx_node(g, "o5")->layer.op_name, "Mul");
	mx_graph_free(g);
}

static void a_fused_activation_moves_along(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 1, 3, 2, 2), 3, 1);

	(void)state;
	v = fx_rowwise(g, "PRelu", "p", fx_rowwise(g, "Affine", "a", v, 1), 1);
	fx_output(g, v);
	fx_pass(g, mx_pass_activation);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c Convolution(x) -> c 1x3x2x2\n"
			  "a Affine(c) -> p 1x3x2x2 +PRelu\n"
			  "output p\n");
	fx_pass(g, mx_pass_affine);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "c Convolution(x) -> p 1x3x2x2 +PRelu\n"
			  "output p\n");
	assert_true(fx_node(g, "c")->weights.vector[1][2] ==
		    (double)fx_weight("p", 1002));
	mx_graph_free(g);
}

/* Nothing to fold into: an activation, an input, another one's producer. */
static void arithmetic_by_channel_alone_becomes_affine(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	const uint32_t k = FX_CONSTANT(g, "k", FX_SHAPE(3, 1, 1), 1, 2, 3);
	const uint32_t l = FX_CONSTANT(g, "l", FX_SHAPE(1, 3, 1, 1), 4, 5, 6);
	const uint32_t r = fx_op(g, "Relu", "r", 1, x);
	const struct mx_weights *w;

	(void)state;
	fx_output(g, fx_op(g, "Add", "a", 2, fx_op(g, "Mul", "m", 2, r, k), l));
	fx_output(g, fx_op(g, "Sub", "s", 2, k, r));
	fx_output(g, fx_op(g, "Mul", "last", 2, l, x));
	fx_pass(g, mx_pass_affine);
	fx_expect_text(g, "input x 1x3x2x2\n"
			  "r Relu(x) -> r 1x3x2x2\n"
			  "m Affine(r) -> a 1x3x2x2\n"
			  "s Affine(r) -> s 1x3x2x2\n"
			  "last Affine(x) -> last 1x3x2x2\n"
			  "output a\n"
			  "output s\n"
			  "output last\n");
	w = &fx_node(g, "m")->weights;
	assert_true(w->vector[0][2] == 3 && w->vector[1][2] == 6);
	w = &fx_node(g, "s")->weights;
	assert_true(w->vector[0][1] == -1 && w->vector[1][1] == 2);
	w = &fx_node(g, "last")->weights;
	assert_true(w->vector[0][0] == 4 && w->vector[1][0] == 0);
	mx_graph_free(g);
}

static void what_is_no_affine_alone_stays(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	const uint32_t flat = FX_INPUT(g, "f", 3);
	const uint32_t one = FX_INPUT(g, "one", 1, 1, 2, 2);
	const uint32_t k = FX_CONSTANT(g, "k", FX_SHAPE(3, 1, 1), 1, 2, 3);
	const uint32_t column = FX_CONSTANT(g, "col", FX_SHAPE(2, 1), 1, 2);
	const uint32_t row = FX_CONSTANT(g, "row", FX_SHAPE(3), 1, 2, 3);
	const uint32_t two = FX_CONSTANT(g, "two", FX_SHAPE(1), 2);

	(void)state;
	/* A quotient; another axis; a rank without one; the constant decides
	 * the shape; one value for all; no arithmetic. */
	fx_output(g, fx_op(g, "Div", "o1", 2, x, k));
	fx_output(g, fx_op(g, "Add", "o2", 2, x, column));
	fx_output(g, fx_op(g, "Mul", "o3", 2, flat, row));
	fx_output(g, fx_op(g, "Mul", "o4", 2, one, k));
	fx_output(g, fx_op(g, "Mul", "o5", 2, x, two));
	fx_output(g, fx_op(g, "Max", "o6", 2, x, k));
	fx_pass(g, mx_pass_affine);
	assert_string_equal(fx_node(g, "o1")->layer.op_name, "Div");
	assert_string_equal(fx_node(g, "o2")->layer.op_name, "Add");
	assert_string_equal(fx_node(g, "o3")->layer.op_name, "Mul");
	assert_string_equal(fx_node(g, "o4")->layer.op_name, "Mul");
	assert_string_equal(fx_node(g, "o5")->layer.op_name, "Mul");
	assert_string_equal(fx_node(g, "o6")->layer.op_name, "Max");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			batch_norm_and_scale_fold_into_the_convolution),
		cmocka_unit_test(arithmetic_with_constants_folds),
		cmocka_unit_test(scalars_power_and_dense_fold_too),
		cmocka_unit_test(what_does_not_fit_stays),
		cmocka_unit_test(a_fused_activation_moves_along),
		cmocka_unit_test(arithmetic_by_channel_alone_becomes_affine),
		cmocka_unit_test(what_is_no_affine_alone_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
