#include "loader/import/passes.h"

#include <errno.h>

#include "tests/graph_fixture.h"

static uint32_t transpose(struct mx_graph *g, const char *name, uint32_t v,
			  int64_t a, int64_t b, int64_t c, int64_t d)
{
	struct mx_attrs attrs = {NULL, 0};

	FX_INTS(&attrs, "perm", a, b, c, d);
	return fx_simple(g, "Transpose", name, &attrs, &v, 1);
}

static void maps_are_channels_last_and_the_rest_is_row_major(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 1, 3, 4, 4);

	(void)state;
	v = fx_op(g, "Relu", "r", 1, fx_conv(g, "c", v, 2, 3));
	v = fx_pool(g, "p", v, 2, 2);
	v = fx_dense(g, "fc", v, 5, 1);
	fx_output(g, fx_softmax(g, "s", v, 1));
	fx_expect_text(g, "input x 1x3x4x4\n"
			  "c Convolution(x) -> c 1x2x4x4\n"
			  "r Relu(c) -> r 1x2x4x4\n"
			  "p Pooling(r) -> p 1x2x2x2\n"
			  "fc Dense(p) -> fc 1x5\n"
			  "s Softmax(fc) -> s 1x5\n"
			  "output s\n");
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x3x4x4 cl\n"
			  "c Convolution(x) -> c 1x2x4x4 cl\n"
			  "r Relu(c) -> r 1x2x4x4 cl\n"
			  "p Pooling(r) -> p 1x2x2x2 cl\n"
			  "fc Dense(p) -> fc 1x5\n"
			  "s Softmax(fc) -> s 1x5\n"
			  "output s\n");
	mx_graph_free(g);
}

static void columns_follow_a_map_that_is_flattened(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 2, 3, 2, 2), 3, 1);
	float got[12];
	size_t i;

	(void)state;
	v = fx_reshape(g, "f", v, FX_SHAPE(2, 12));
	fx_output(g, fx_dense(g, "fc", v, 2, 1));
	fx_expect_text(g, "input x 2x3x2x2\n"
			  "c Convolution(x) -> c 2x3x2x2\n"
			  "f Reshape(c) -> f 2x12\n"
			  "fc Dense(f) -> fc 2x2\n"
			  "output fc\n");
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 2x3x2x2 cl\n"
			  "c Convolution(x) -> c 2x3x2x2 cl\n"
			  "fc Dense(c) -> fc 2x2\n"
			  "output fc\n");
	/* Row 1: [pixel][channel] of what was [channel][pixel]. */
	mx_const_read_f32(&fx_node(g, "fc")->weights.rows, 12, 12, got);
	for (i = 0; i < 12; i++)
		assert_true(got[i] == fx_weight("fc", 12 + i % 3 * 4 + i / 3));
	mx_graph_free(g);
}

/* Samples and features mixed: no permutation of columns can do that. */
static void another_flattening_gets_a_copy(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 2, 2, 2, 2), 2, 1);

	(void)state;
	v = fx_reshape(g, "f", v, FX_SHAPE(4, 4));
	fx_output(g, fx_dense(g, "fc", v, 2, 1));
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 2x2x2x2 cl\n"
			  "c Convolution(x) -> c 2x2x2x2 cl\n"
			  "c/rows Relayout(c) -> c/rows 2x2x2x2\n"
			  "f Reshape(c/rows) -> f 4x4\n"
			  "fc Dense(f) -> fc 4x2\n"
			  "output fc\n");
	mx_graph_free(g);
}

static void one_copy_serves_all_readers(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 1, 2, 2, 2), 2, 1);
	uint32_t a, b;

	(void)state;
	a = fx_reshape(g, "a", v, FX_SHAPE(8));
	b = fx_reshape(g, "b", v, FX_SHAPE(2, 4));
	fx_output(g, a);
	fx_output(g, fx_conv(g, "d", v, 1, 1));
	fx_output(g, b);
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x2x2x2 cl\n"
			  "c Convolution(x) -> c 1x2x2x2 cl\n"
			  "c/rows Relayout(c) -> c/rows 1x2x2x2\n"
			  "a Reshape(c/rows) -> a 8\n"
			  "b Reshape(c/rows) -> b 2x4\n"
			  "d Convolution(c) -> d 1x1x2x2 cl\n"
			  "output a\noutput d\noutput b\n");
	mx_graph_free(g);
}

/* Global pooling leaves [N, C, 1, 1]: memory order is logical order. */
static void a_single_pixel_is_reshaped_without_a_copy(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 1, 2, 2, 2), 3, 1);

	(void)state;
	v = fx_pool(g, "p", v, 2, 2);
	fx_output(g, fx_reshape(g, "f", v, FX_SHAPE(3)));
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x2x2x2 cl\n"
			  "c Convolution(x) -> c 1x3x2x2 cl\n"
			  "p Pooling(c) -> p 1x3x1x1 cl\n"
			  "f Reshape(p) -> f 3\n"
			  "output f\n");
	mx_graph_free(g);
}

static void pixels_in_a_row_are_reshaped_without_a_copy(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 1, 2, 2, 2), 3, 1);
	struct mx_attrs attrs = {NULL, 0};

	(void)state;
	v = fx_reshape(g, "f", v, FX_SHAPE(1, 3, 4));
	FX_INTS(&attrs, "perm", 0, 2, 1);
	fx_output(g, fx_simple(g, "Transpose", "t", &attrs, &v, 1));
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x2x2x2 cl\n"
			  "c Convolution(x) -> c 1x3x2x2 cl\n"
			  "f Reshape(c) -> f 1x3x4 cl\n"
			  "t Transpose(f) -> t 1x4x3\n"
			  "output t\n");
	mx_graph_free(g);
}

static void transposes_from_and_to_nhwc_cost_nothing(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = FX_INPUT(g, "x", 1, 4, 5, 3);

	(void)state;
	v = transpose(g, "in", v, 0, 3, 1, 2);
	v = transpose(g, "out", fx_conv(g, "c", v, 2, 1), 0, 2, 3, 1);
	fx_output(g, v);
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x4x5x3\n"
			  "in Transpose(x) -> in 1x3x4x5 cl\n"
			  "c Convolution(in) -> c 1x2x4x5 cl\n"
			  "out Transpose(c) -> out 1x4x5x2\n"
			  "output out\n");
	fx_pass(g, mx_pass_place);
	fx_expect_text(g, "input x 1x4x5x3\n"
			  "in Transpose(x) -> in 1x3x4x5 cl @x+0\n"
			  "c Convolution(in) -> c 1x2x4x5 cl @out+0\n"
			  "out Transpose(c) -> out 1x4x5x2\n"
			  "output out\n");
	mx_graph_free(g);
}

static void an_input_through_arithmetic_is_channels_last(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	const uint32_t y = FX_INPUT(g, "y", 1, 3, 2, 2);
	const uint32_t mean =
		FX_CONSTANT(g, "m", FX_SHAPE(1, 3, 1, 1), 1, 2, 3);
	const uint32_t s = fx_op(g, "Sub", "s", 2, x, mean);

	(void)state;
	fx_output(g, fx_conv(g, "c", s, 2, 1));
	fx_output(g, fx_op(g, "Neg", "n", 1, y));
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x3x2x2 cl\n"
			  "input y 1x3x2x2\n"
			  "m Constant() -> m 1x3x1x1\n"
			  "s Sub(x, m) -> s 1x3x2x2 cl\n"
			  "c Convolution(s) -> c 1x2x2x2 cl\n"
			  "n Neg(y) -> n 1x3x2x2\n"
			  "output c\noutput n\n");
	mx_graph_free(g);
}

static void matrices_make_maps_row_major(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t v = fx_conv(g, "c", FX_INPUT(g, "x", 1, 2, 2, 2), 2, 1);

	(void)state;
	v = fx_op(g, "MatMul", "m", 2, v, v);
	fx_output(g, fx_conv(g, "d", v, 1, 1));
	fx_pass(g, mx_pass_layout);
	fx_expect_text(g, "input x 1x2x2x2 cl\n"
			  "c Convolution(x) -> c 1x2x2x2 cl\n"
			  "c/rows Relayout(c) -> c/rows 1x2x2x2\n"
			  "m MatMul(c/rows, c/rows) -> m 1x2x2x2\n"
			  "m/last Relayout(m) -> m/last 1x2x2x2 cl\n"
			  "d Convolution(m/last) -> d 1x1x2x2 cl\n"
			  "output d\n");
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			maps_are_channels_last_and_the_rest_is_row_major),
		cmocka_unit_test(columns_follow_a_map_that_is_flattened),
		cmocka_unit_test(another_flattening_gets_a_copy),
		cmocka_unit_test(one_copy_serves_all_readers),
		cmocka_unit_test(a_single_pixel_is_reshaped_without_a_copy),
		cmocka_unit_test(pixels_in_a_row_are_reshaped_without_a_copy),
		cmocka_unit_test(transposes_from_and_to_nhwc_cost_nothing),
		cmocka_unit_test(an_input_through_arithmetic_is_channels_last),
		cmocka_unit_test(matrices_make_maps_row_major),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
