#include "loader/import/passes.h"

#include "tests/rewrite_graphs.h"

/* The new kernel's element for output 0, row @y, column @x, channel @c. */
static float weight_at(const struct mx_node *conv, size_t y, size_t x, size_t c)
{
	const size_t kernel = 6, channels = 2;
	float value;

	mx_const_read_f32(&conv->weights.rows, (y * kernel + x) * channels + c,
			  1, &value);
	return value;
}

static void a_convolution_of_phases_reads_the_picture(void **state)
{
	int by_columns;

	(void)state;
	for (by_columns = 0; by_columns < 2; by_columns++) {
		struct mx_graph *g = fx_graph();
		const uint32_t x = FX_INPUT(g, "x", 1, 2, 8, 6);
		const struct mx_node *conv;
		const struct mx_attr *attr;
		size_t c, dy, dx, ky, kx;

		fx_output(g,
			  fx_conv(g, "c", rw_phases(g, x, by_columns), 5, 3));
		fx_pass(g, mx_pass_focus);
		fx_expect_text(g, "input x 1x2x8x6\n"
				  "c Convolution(x) -> c 1x5x4x3\n"
				  "output c\n");
		conv = fx_node(g, "c");
		attr = mx_attrs_find(&conv->layer.attrs, "pad_begin");
		assert_int_equal(attr->ints[1], 2);
		attr = mx_attrs_find(&conv->layer.attrs, "stride");
		assert_int_equal(attr->ints[0], 2);
		/* The source's kernel is [O][8 channels][3][3]. */
		for (c = 0; c < 2; c++)
			for (dy = 0; dy < 2; dy++)
				for (dx = 0; dx < 2; dx++)
					for (ky = 0; ky < 3; ky++)
						for (kx = 0; kx < 3; kx++) {
							const size_t q =
								by_columns
									? dy + 2 * dx
									: 2 * dy +
										  dx;
							const size_t from =
								((q * 2 + c) *
									 3 +
								 ky) * 3 +
								kx;

							assert_true(
								weight_at(
									conv,
									2 * ky +
										dy,
									2 * kx +
										dx,
									c) ==
								fx_weight(
									"c",
									from));
						}
		mx_graph_free(g);
	}
}

/* Phases, of which the last but one are what @from and @at say. */
static struct mx_graph *other_phases(const int64_t at[4][2], size_t height)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 2, height, 6);
	uint32_t part[4];
	size_t i;

	for (i = 0; i < 4; i++)
		part[i] = rw_phase(g, "p", x, at[i][0], at[i][1]);
	fx_output(g, fx_conv(g, "c", fx_concat(g, "k", 1, part, 4), 5, 3));
	return g;
}

static void what_is_not_every_phase_in_order_stays(void **state)
{
	static const struct {
		int64_t at[4][2];
		size_t height;
	} cases[] = {
		/* one twice; no order that two strides say; pixels left over */
		{{{0, 0}, {0, 1}, {1, 0}, {1, 0}}, 8},
		{{{1, 1}, {0, 1}, {1, 0}, {0, 0}}, 8},
		{{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, 9},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_graph *g = other_phases(cases[i].at, cases[i].height);
		const uint32_t nodes = g->node_count;

		fx_pass(g, mx_pass_focus);
		assert_int_equal(g->node_count, nodes);
		mx_graph_free(g);
	}
}

static void phases_that_others_read_stay_for_them(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 2, 8, 6);
	const uint32_t phases = rw_phases(g, x, 0);

	(void)state;
	fx_output(g, fx_conv(g, "c", phases, 5, 3));
	fx_output(g, phases);
	fx_pass(g, mx_pass_focus);
	assert_int_equal(fx_node(g, "c")->layer.in[0], x);
	assert_int_equal(fx_node(g, "phases")->layer.in_count, 4);
	mx_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_convolution_of_phases_reads_the_picture),
		cmocka_unit_test(what_is_not_every_phase_in_order_stays),
		cmocka_unit_test(phases_that_others_read_stay_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
