#include "loader/import/passes.h"

#include "tests/rewrite_graphs.h"

static void three_nodes_become_a_shuffle(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 6, 2, 2);
	const struct mx_node *node;

	(void)state;
	fx_output(g, rw_shuffle(g, "s", x, 3));
	fx_pass(g, mx_pass_shuffle);
	fx_expect_text(g, "input x 1x6x2x2\n"
			  "s Shuffle(x) -> s 1x6x2x2\n"
			  "output s\n");
	node = fx_node(g, "s");
	assert_int_equal(mx_attrs_int(&node->layer.attrs, "groups", 0), 3);
	assert_int_equal(mx_attrs_int(&node->layer.attrs, "count", 0), 2);
	mx_graph_free(g);
}

static void whole_members_are_cut_out_by_shuffles_of_fewer(void **state)
{
	static const struct {
		int64_t first, count;
		const char *op;
	} cases[] = {
		{0, 4, "Shuffle"}, {4, 4, "Shuffle"}, {2, 2, "Shuffle"},
		{1, 4, "Slice"}, /* half a member at both ends */
		{4, 3, "Slice"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_graph *g = fx_graph();
		const uint32_t x = FX_INPUT(g, "x", 1, 8, 2, 2);
		const struct mx_node *node;

		fx_output(g, rw_channels(g, "cut", rw_shuffle(g, "s", x, 2),
					 cases[i].first, cases[i].count));
		fx_pass(g, mx_pass_shuffle);
		node = fx_node(g, "cut");
		assert_string_equal(node->layer.op_name, cases[i].op);
		if (strcmp(cases[i].op, "Shuffle") == 0) {
			const struct mx_attrs *attrs = &node->layer.attrs;

			assert_int_equal(g->node_count, 1);
			assert_int_equal(mx_attrs_int(attrs, "first", -1),
					 cases[i].first / 2);
			assert_int_equal(mx_attrs_int(attrs, "count", -1),
					 cases[i].count / 2);
		}
		mx_graph_free(g);
	}
}

static void slices_of_pixels_stay(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 8, 2, 2);

	(void)state;
	fx_output(g, rw_phase(g, "p", rw_shuffle(g, "s", x, 2), 0, 0));
	fx_pass(g, mx_pass_shuffle);
	fx_expect_text(g, "input x 1x8x2x2\n"
			  "s Shuffle(x) -> s 1x8x2x2\n"
			  "p Slice(s) -> p 1x8x1x2\n"
			  "p Slice(p) -> p 1x8x1x1\n"
			  "output p\n");
	mx_graph_free(g);
}

static void other_transposes_are_no_shuffle(void **state)
{
	static const int64_t perms[][5] = {
		{0, 1, 2, 3, 4}, {0, 2, 1, 4, 3}, {0, 3, 2, 1, 4}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(perms) / sizeof(perms[0]); i++) {
		struct mx_graph *g = fx_graph();
		uint32_t v = FX_INPUT(g, "x", 1, 4, 2, 2);
		struct mx_attrs attrs = {NULL, 0};

		v = fx_reshape(g, "r", v, FX_SHAPE(1, 2, 2, 2, 2));
		mx_attrs_set_ints(&attrs, "perm", perms[i], 5);
		v = fx_simple(g, "Transpose", "t", &attrs, &v, 1);
		fx_output(g, fx_reshape(g, "s", v, FX_SHAPE(1, 4, 2, 2)));
		fx_pass(g, mx_pass_shuffle);
		assert_string_equal(fx_node(g, "s")->layer.op_name, "Reshape");
		mx_graph_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_nodes_become_a_shuffle),
		cmocka_unit_test(
			whole_members_are_cut_out_by_shuffles_of_fewer),
		cmocka_unit_test(slices_of_pixels_stay),
		cmocka_unit_test(other_transposes_are_no_shuffle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
