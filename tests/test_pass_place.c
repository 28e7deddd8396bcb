#include "loader/import/passes.h"

#include "tests/graph_fixture.h"
#include "tests/graph_random.h"
#include "tests/place_checker.h"

static void run_layout_and_place(struct mx_graph *graph)
{
	fx_pass(graph, mx_pass_layout);
	fx_pass(graph, mx_pass_order);
	fx_pass(graph, mx_pass_place);
}

static void branches_are_written_into_the_concatenation(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 4, 4);
	uint32_t branch[2], y;

	(void)state;
	branch[0] = fx_conv(g, "c1", x, 2, 1);
	branch[1] = fx_conv(g, "c2", x, 5, 3);
	y = fx_concat(g, "cat", 1, branch, 2);
	fx_output(g, fx_conv(g, "c3", y, 2, 1));
	fx_expect_text(g, "input x 1x3x4x4\n"
			  "c1 Convolution(x) -> c1 1x2x4x4\n"
			  "c2 Convolution(x) -> c2 1x5x4x4\n"
			  "cat Concat(c1, c2) -> cat 1x7x4x4\n"
			  "c3 Convolution(cat) -> c3 1x2x4x4\n"
			  "output c3\n");
	run_layout_and_place(g);
	fx_expect_text(g, "input x 1x3x4x4 cl\n"
			  "c1 Convolution(x) -> c1 1x2x4x4 cl pitch=7 @cat+0\n"
			  "c2 Convolution(x) -> c2 1x5x4x4 cl pitch=7 @cat+2\n"
			  "cat Concat(c1, c2) -> cat 1x7x4x4 cl\n"
			  "c3 Convolution(cat) -> c3 1x2x4x4 cl\n"
			  "output c3\n");
	assert_int_equal(pc_replay(g), 0);
	mx_graph_free(g);
}

/* DenseNet: each concatenation holds the one before. */
static void a_concatenation_lies_inside_the_next(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t part[2], y, i;
	char name[8];

	(void)state;
	y = fx_conv(g, "c0", FX_INPUT(g, "x", 1, 3, 2, 2), 2, 1);
	for (i = 1; i < 3; i++) {
		part[0] = y;
		snprintf(name, sizeof(name), "c%u", i);
		part[1] = fx_conv(g, name, y, 3, 1);
		snprintf(name, sizeof(name), "k%u", i);
		y = fx_concat(g, name, 1, part, 2);
	}
	fx_output(g, y);
	run_layout_and_place(g);
	fx_expect_text(g, "input x 1x3x2x2 cl\n"
			  "c0 Convolution(x) -> c0 1x2x2x2 cl pitch=8 @k2+0\n"
			  "c1 Convolution(c0) -> c1 1x3x2x2 cl pitch=8 @k2+2\n"
			  "k1 Concat(c0, c1) -> k1 1x5x2x2 cl pitch=8 @k2+0\n"
			  "c2 Convolution(k1) -> c2 1x3x2x2 cl pitch=8 @k2+5\n"
			  "k2 Concat(k1, c2) -> k2 1x8x2x2 cl\n"
			  "output k2\n");
	assert_int_equal(pc_replay(g), 0);
	mx_graph_free(g);
}

static void what_must_be_dense_is_not_put_between_other_channels(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 4, 4);
	uint32_t branch[2];

	(void)state;
	branch[0] = fx_conv(g, "c1", x, 2, 1);
	branch[1] = fx_conv(g, "c2", x, 5, 3);
	fx_output(g, fx_concat(g, "cat", 1, branch, 2));
	fx_output(g, fx_dense(g, "fc", branch[0], 4, 1));
	run_layout_and_place(g);
	fx_expect_text(g, "input x 1x3x4x4 cl\n"
			  "c1 Convolution(x) -> c1 1x2x4x4 cl\n"
			  "c2 Convolution(x) -> c2 1x5x4x4 cl pitch=7 @cat+2\n"
			  "cat Concat(c1, c2) -> cat 1x7x4x4 cl\n"
			  "fc Dense(c1) -> fc 1x4\n"
			  "output cat\noutput fc\n");
	assert_int_equal(pc_replay(g), 2 * 16);
	mx_graph_free(g);
}

/* SSD: each head's map is turned to NHWC, flattened and concatenated. */
static void detection_heads_are_written_in_place(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 3, 2, 2);
	uint32_t head[2], i;
	char name[8];

	(void)state;
	for (i = 0; i < 2; i++) {
		struct mx_attrs attrs = {NULL, 0};

		snprintf(name, sizeof(name), "c%u", i);
		head[i] = fx_conv(g, name, x, 2 + i, 1);
		snprintf(name, sizeof(name), "t%u", i);
		FX_INTS(&attrs, "perm", 0, 2, 3, 1);
		head[i] = fx_simple(g, "Transpose", name, &attrs, &head[i], 1);
		snprintf(name, sizeof(name), "f%u", i);
		head[i] = fx_reshape(g, name, head[i],
				     FX_SHAPE(1, 4 * (2 + (size_t)i)));
	}
	fx_output(g, fx_concat(g, "cat", 1, head, 2));
	run_layout_and_place(g);
	fx_expect_text(g, "input x 1x3x2x2 cl\n"
			  "c0 Convolution(x) -> c0 1x2x2x2 cl @cat+0\n"
			  "t0 Transpose(c0) -> t0 1x2x2x2 @cat+0\n"
			  "f0 Reshape(t0) -> f0 1x8 @cat+0\n"
			  "c1 Convolution(x) -> c1 1x3x2x2 cl @cat+8\n"
			  "t1 Transpose(c1) -> t1 1x2x2x3 @cat+8\n"
			  "f1 Reshape(t1) -> f1 1x12 @cat+8\n"
			  "cat Concat(f0, f1) -> cat 1x20\n"
			  "output cat\n");
	assert_int_equal(pc_replay(g), 0);
	mx_graph_free(g);
}

static void the_last_reader_is_overwritten_and_no_earlier_one(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 6);
	const uint32_t a = fx_op(g, "Abs", "a", 1, x);
	const uint32_t b = fx_op(g, "Exp", "b", 1, a);
	const uint32_t c = fx_op(g, "Add", "c", 2, b, a);

	(void)state;
	fx_output(g, fx_op(g, "Neg", "d", 1, c));
	fx_output(g, c);
	fx_pass(g, mx_pass_place);
	/* a is not an input of the graph; b must spare it; c may take b. */
	fx_expect_text(g, "input x 1x6\n"
			  "a Abs(x) -> a 1x6\n"
			  "b Exp(a) -> b 1x6 @c+0\n"
			  "c Add(b, a) -> c 1x6\n"
			  "d Neg(c) -> d 1x6\n"
			  "output d\noutput c\n");
	assert_int_equal(pc_replay(g), 0);
	mx_graph_free(g);
}

/* Row 0 of the sum is p, which every other row is still to be added to. */
static void operands_that_share_memory_are_not_overwritten(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 4);
	uint32_t part[2], all;

	(void)state;
	part[0] = fx_op(g, "Abs", "p", 1, x);
	part[1] = fx_op(g, "Neg", "q", 1, x);
	all = fx_concat(g, "all", 0, part, 2);
	fx_output(g, fx_op(g, "Add", "s", 2, all, part[0]));
	fx_pass(g, mx_pass_place);
	fx_expect_text(g, "input x 1x4\n"
			  "p Abs(x) -> p 1x4\n"
			  "q Neg(x) -> q 1x4 @s+4\n"
			  "all Concat(p, q) -> all 2x4 @s+0\n"
			  "s Add(all, p) -> s 2x4\n"
			  "output s\n");
	assert_int_equal(pc_replay(g), 4);
	mx_graph_free(g);
}

static void a_long_chain_is_placed_in_linear_time(void **state)
{
	enum { LENGTH = 100000 };
	struct mx_graph *g = fx_graph();
	uint32_t v, i;

	(void)state;
	v = FX_INPUT(g, "x", 1, 1);
	for (i = 0; i < LENGTH; i++)
		v = fx_op(g, "Abs", NULL, 1, v);
	fx_output(g, v);
	fx_pass(g, mx_passes_run);
	assert_int_equal(g->node_count, LENGTH);
	assert_int_equal(g->values[g->nodes[0].layer.out[0]].root, v);
	assert_int_equal(g->values[g->nodes[LENGTH / 2].layer.out[0]].root, v);
	mx_graph_free(g);
}

static void random_graphs_keep_every_live_value(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 1500; seed++) {
		struct mx_graph *g = fr_graph(seed, 4 + (uint32_t)(seed % 40));

		run_layout_and_place(g);
		pc_replay(g);
		mx_graph_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branches_are_written_into_the_concatenation),
		cmocka_unit_test(a_concatenation_lies_inside_the_next),
		cmocka_unit_test(
			what_must_be_dense_is_not_put_between_other_channels),
		cmocka_unit_test(detection_heads_are_written_in_place),
		cmocka_unit_test(
			the_last_reader_is_overwritten_and_no_earlier_one),
		cmocka_unit_test(
			operands_that_share_memory_are_not_overwritten),
		cmocka_unit_test(a_long_chain_is_placed_in_linear_time),
		cmocka_unit_test(random_graphs_keep_every_live_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
