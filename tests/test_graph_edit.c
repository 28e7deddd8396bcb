#include "loader/import/graph.h"

#include "tests/graph_fixture.h"

static void uses_say_who_makes_and_who_reads(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2);
	const uint32_t a = fx_op(g, "Abs", "a", 1, x);
	const uint32_t s = fx_op(g, "Add", "s", 2, a, a);
	struct mx_graph_uses uses;

	(void)state;
	fx_output(g, s);
	fx_output(g, a);
	assert_int_equal(mx_graph_uses(g, &uses), 0);
	assert_int_equal(uses.producer[x], MX_NONE);
	assert_int_equal(uses.producer[s], 1);
	assert_int_equal(uses.use_count[x], 1);
	assert_int_equal(uses.use_count[a], 3);
	assert_int_equal(uses.use_count[s], 1);
	assert_int_equal(uses.last_user[x], 0);
	assert_int_equal(uses.last_user[a], 1);
	assert_int_equal(uses.last_user[s], MX_NONE);
	mx_graph_uses_fini(&uses);
	g->nodes[1].dead = 1;
	assert_int_equal(mx_graph_uses(g, &uses), 0);
	assert_int_equal(uses.producer[s], MX_NONE);
	assert_int_equal(uses.use_count[a], 1);
	mx_graph_uses_fini(&uses);
	mx_graph_free(g);
}

static void replaced_values_change_readers_and_outputs(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2);
	const uint32_t a = fx_op(g, "Abs", "a", 1, x);

	(void)state;
	fx_output(g, fx_op(g, "Neg", "n", 1, a));
	fx_output(g, a);
	mx_graph_replace(g, a, x);
	fx_expect_text(g, "input x 2\n"
			  "a Abs(x) -> a 2\n"
			  "n Neg(x) -> n 2\n"
			  "output n\noutput x\n");
	mx_graph_free(g);
}

/* A chain as long as a graph may be, in linear time. */
static void remapping_follows_chains(void **state)
{
	enum { LENGTH = 200000 };
	struct mx_graph *g = fx_graph();
	struct mx_err err = {""};
	uint32_t *to, v, i;

	(void)state;
	v = FX_INPUT(g, "x", 2);
	for (i = 1; i < LENGTH; i++)
		fx_ok(mx_graph_value(g, NULL, &g->values[0].shape, &v, &err),
		      &err);
	fx_output(g, fx_op(g, "Abs", "a", 1, v));
	fx_output(g, v);
	to = malloc(g->value_count * sizeof(*to));
	assert_non_null(to);
	for (i = 0; i < g->value_count; i++)
		to[i] = i && i < LENGTH ? i - 1 : i;
	mx_graph_remap(g, to);
	fx_expect_text(g, "input x 2\na Abs(x) -> a 2\noutput a\noutput x\n");
	free(to);
	mx_graph_free(g);
}

static void compacting_drops_the_dead_and_keeps_roots(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 2);
	const uint32_t dead =
		fx_conv(g, "dead", FX_INPUT(g, "y", 1, 1, 1, 1), 2, 1);
	const uint32_t root = fx_op(g, "Abs", "root", 1, x);
	const uint32_t n = fx_op(g, "Neg", "n", 1, x);
	struct mx_err err = {""};

	(void)state;
	fx_output(g, n);
	(void)dead;
	fx_node(g, "dead")->dead = 1;
	fx_node(g, "root")->dead = 1;
	/* n lives in the memory of a value that nobody names any more. */
	g->values[n].root = root;
	fx_ok(mx_graph_compact(g, &err), &err);
	fx_expect_text(g, "input x 2\ninput y 1x1x1x1\n"
			  "n Neg(x) -> n 2 @root+0\noutput n\n");
	assert_int_equal(g->node_count, 1);
	assert_int_equal(g->value_count, 4);
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uses_say_who_makes_and_who_reads),
		cmocka_unit_test(replaced_values_change_readers_and_outputs),
		cmocka_unit_test(remapping_follows_chains),
		cmocka_unit_test(compacting_drops_the_dead_and_keeps_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
