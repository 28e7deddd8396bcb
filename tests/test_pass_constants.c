#include "loader/import/passes.h"

#include "tests/graph_fixture.h"

static void expect_constant(struct mx_graph *g, const char *name,
			    const float *values, size_t count)
{
	const struct mx_node *node = fx_node(g, name);
	float got[32];

	assert_true(count <= 32);
	assert_string_equal(node->layer.op_name, "Constant");
	assert_int_equal(mx_shape_elems(&node->weights.rows.shape), count);
	mx_const_read_f32(&node->weights.rows, 0, count, got);
	assert_memory_equal(got, values, count * sizeof(float));
}

static void nodes_over_constants_are_computed(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2, 2);
	const uint32_t a = FX_CONSTANT(g, "a", FX_SHAPE(2, 1), 1, 2);
	const uint32_t b = FX_CONSTANT(g, "b", FX_SHAPE(2), 10, 20);
	const uint32_t s = fx_op(g, "Add", "s", 2, a, b);

	(void)state;
	fx_output(g, fx_op(g, "Mul", "m", 2, x, fx_op(g, "Neg", "n", 1, s)));
	fx_expect_text(g, "input x 2x2\n"
			  "a Constant() -> a 2x1\n"
			  "b Constant() -> b 2\n"
			  "s Add(a, b) -> s 2x2\n"
			  "n Neg(s) -> n 2x2\n"
			  "m Mul(x, n) -> m 2x2\n"
			  "output m\n");
	fx_pass(g, mx_pass_constants);
	fx_expect_text(g, "input x 2x2\n"
			  "n Constant() -> n 2x2\n"
			  "m Mul(x, n) -> m 2x2\n"
			  "output m\n");
	expect_constant(g, "n", (const float[]){-11, -21, -12, -22}, 4);
	mx_graph_free(g);
}

/* 4 Gi elements: nothing may be computed or even read. */
static void reshape_and_transpose_copy_nothing(void **state)
{
	struct mx_graph *g = fx_graph();
	const struct mx_blob blob = {
		.kind = MX_BLOB_FILL,
		.count = (uint64_t)1 << 32,
		.fill = 3,
	};
	const struct mx_shape shape =
		FX_SHAPE((size_t)1 << 16, (size_t)1 << 16);
	struct mx_attrs attrs = {NULL, 0};
	struct mx_err err = {""};
	struct mx_const big;
	uint32_t v = MX_NONE;

	(void)state;
	fx_ok(mx_const_init(&big, &blob, &shape, &err), &err);
	fx_ok(mx_graph_constant(g, "big", &big, &v, &err), &err);
	FX_INTS(&attrs, "perm", 1, 0);
	v = fx_simple(g, "Transpose", "t", &attrs, &v, 1);
	v = fx_reshape(g, "r", v,
		       FX_SHAPE(4, (size_t)1 << 14, (size_t)1 << 16));
	fx_output(g, fx_op(g, "Neg", "n", 1, v));
	fx_pass(g, mx_pass_constants);
	/* The negation is too much to keep in memory: it stays. */
	fx_expect_text(g, "r Constant() -> r 4x16384x65536\n"
			  "n Neg(r) -> n 4x16384x65536\n"
			  "output n\n");
	assert_int_equal(fx_node(g, "r")->weights.rows.stride[2],
			 (size_t)1 << 16);
	mx_graph_free(g);
}

static void operators_that_need_a_layout_stay(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t a =
		FX_CONSTANT(g, "a", FX_SHAPE(1, 1, 2, 2), 1, 2, 3, 4);

	(void)state;
	fx_output(g, fx_conv(g, "c", a, 2, 1));
	fx_output(g, fx_dense(g, "d", a, 2, 1));
	fx_pass(g, mx_pass_constants);
	fx_expect_text(g, "a Constant() -> a 1x1x2x2\n"
			  "c Convolution(a) -> c 1x2x2x2\n"
			  "d Dense(a) -> d 1x2\n"
			  "output c\noutput d\n");
	mx_graph_free(g);
}

static void weights_of_a_computed_node_are_used(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t a = FX_CONSTANT(g, "a", FX_SHAPE(1, 2), 1, 2);
	float want[2];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++)
		want[i] = fx_weight("f", 1000 + i) * (float)(i + 1) +
			  fx_weight("f", 2000 + i);
	fx_output(g, fx_rowwise(g, "Affine", "f", a, 1));
	fx_pass(g, mx_pass_constants);
	fx_expect_text(g, "f Constant() -> f 1x2\noutput f\n");
	assert_int_equal(fx_node(g, "f")->layer.weights.vectors, 0);
	for (i = 0; i < 2; i++) {
		float got;

		mx_const_read_f32(&fx_node(g, "f")->weights.rows, i, 1, &got);
		assert_true(got - want[i] < 1e-6f && want[i] - got < 1e-6f);
	}
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_over_constants_are_computed),
		cmocka_unit_test(reshape_and_transpose_copy_nothing),
		cmocka_unit_test(operators_that_need_a_layout_stay),
		cmocka_unit_test(weights_of_a_computed_node_are_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
