#include "loader/import/weights.h"

#include <errno.h>

#include "tests/graph_fixture.h"

/* Element @e of row @r, by definition. */
static float element(const struct mx_weights *w, const struct mx_layer *layer,
		     size_t r, size_t e)
{
	float value;

	mx_const_read_f32(&w->rows, r * layer->weights.row_elems + e, 1,
			  &value);
	return w->row_scale ? (float)((double)value * w->row_scale[r]) : value;
}

/* Every block of @node, as lib/network.h describes it. */
static void expect_blocks(const struct mx_layer *layer,
			  const struct mx_weights *w)
{
	const struct mx_weight_spec *spec = &layer->weights;
	const size_t room = mx_weight_block_bytes(spec, 0) / sizeof(float);
	float *got = malloc(room * sizeof(float));
	struct mx_err err = {""};
	uint64_t b;

	assert_non_null(got);
	for (b = 0; b < mx_weight_block_count(spec); b++) {
		const size_t rows = mx_weight_block_rows(spec, b);
		const size_t first = b * spec->block_rows;
		const size_t elems =
			mx_weight_block_bytes(spec, b) / sizeof(float);
		const float *at = got;
		size_t r, e, p, n;
		uint32_t k;

		memset(got, 0x55, room * sizeof(float));
		fx_ok(mx_weights_block(layer, w, b, got, &err), &err);
		for (p = 0; p < rows; p += n) {
			n = rows - p < spec->panel_rows ? rows - p
							: spec->panel_rows;
			for (e = 0; e < spec->row_elems; e++)
				for (r = 0; r < n; r++, at++)
					assert_true(*at ==
						    element(w, layer,
							    first + p + r, e));
		}
		for (k = 0; k < spec->vectors; k++)
			for (r = 0; r < rows; r++, at++)
				assert_true(
					*at ==
					(w->vector[k]
						 ? (float)w->vector[k]
								   [first + r]
						 : 0));
		for (; at < got + elems; at++)
			assert_true(*at == 0);
	}
	free(got);
}

/* Odd sizes: the last block and the last panel are short. */
static void blocks_are_panels_vectors_and_padding(void **state)
{
	static const struct {
		uint32_t block_rows, panel_rows;
	} cases[] = {{23, 1}, {8, 1}, {8, 8}, {8, 3}, {1, 1}, {23, 16}};
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 5, 3, 3);
	const double scale[23] = {1, 2, 3, 4, 5, 6, 7, 0.5};
	struct mx_node *node;
	size_t i, scaled;

	(void)state;
	fx_conv(g, "c", x, 23, 3);
	node = fx_node(g, "c");
	for (scaled = 0; scaled < 2; scaled++) {
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			node->layer.weights.block_rows = cases[i].block_rows;
			node->layer.weights.panel_rows = cases[i].panel_rows;
			expect_blocks(&node->layer, &node->weights);
		}
		assert_int_equal(mx_node_set_row_scale(node, scale, 23), 0);
	}
	mx_graph_free(g);
}

/* Rows longer than what is read at once, and a missing bias. */
static void long_rows_and_missing_vectors_are_filled(void **state)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 5000);
	struct mx_node *node;

	(void)state;
	fx_dense(g, "fc", x, 7, 1);
	node = fx_node(g, "fc");
	node->layer.weights.block_rows = 5;
	node->layer.weights.panel_rows = 4;
	free(node->weights.vector[0]);
	node->weights.vector[0] = NULL;
	expect_blocks(&node->layer, &node->weights);
	mx_graph_free(g);
}

/* Gemm's B and a flattened map: rows are columns of the source. */
static void transposed_sources_give_the_same_blocks(void **state)
{
	static const uint32_t turn2[] = {1, 0}, turn4[] = {3, 1, 2, 0};
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 4, 3, 2);
	const double scale[9] = {1, 2, 3, 4, 5, 6, 7, 0.5, 9};
	struct mx_const source;
	struct mx_node *node;
	uint32_t panel;

	(void)state;
	fx_dense(g, "fc", x, 9, 1);
	node = fx_node(g, "fc");
	assert_int_equal(mx_node_set_row_scale(node, scale, 9), 0);
	for (panel = 1; panel <= 4; panel += 3) {
		node->layer.weights.block_rows = 5;
		node->layer.weights.panel_rows = panel;
		source = fx_weights(g, "b", FX_SHAPE(24, 9));
		mx_const_permute(&source, turn2, &node->weights.rows);
		expect_blocks(&node->layer, &node->weights);
		source = fx_weights(g, "m", FX_SHAPE(2, 4, 3, 9));
		mx_const_permute(&source, turn4, &node->weights.rows);
		expect_blocks(&node->layer, &node->weights);
	}
	mx_graph_free(g);
}

static void integers_are_stored_as_bits_or_refused(void **state)
{
	const int64_t good[] = {0, 5, INT32_MAX, INT32_MIN};
	const int64_t bad[] = {0, 5, (int64_t)INT32_MAX + 1, 7};
	struct mx_blob blob = {
		.kind = MX_BLOB_BYTES,
		.type = MX_DTYPE_I64,
		.count = 4,
		.data = good,
	};
	const struct mx_shape shape = FX_SHAPE(4);
	char name[] = "gather";
	const struct mx_layer layer = {
		.name = name,
		.weights = {.rows = 4,
			    .row_elems = 1,
			    .block_rows = 4,
			    .panel_rows = 1},
	};
	struct mx_weights w = {.has_rows = 1, .integers = 1};
	struct mx_err err = {""};
	int32_t got[16];
	size_t i;

	(void)state;
	fx_ok(mx_const_init(&w.rows, &blob, &shape, &err), &err);
	fx_ok(mx_weights_block(&layer, &w, 0, got, &err), &err);
	for (i = 0; i < 16; i++)
		assert_int_equal(got[i], i < 4 ? good[i] : 0);
	blob.data = bad;
	fx_ok(mx_const_init(&w.rows, &blob, &shape, &err), &err);
	assert_int_equal(mx_weights_block(&layer, &w, 0, got, &err), -EBADMSG);
	assert_string_equal(
		err.text, "gather: index 2147483648 does not fit into 32 bits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_panels_vectors_and_padding),
		cmocka_unit_test(long_rows_and_missing_vectors_are_filled),
		cmocka_unit_test(transposed_sources_give_the_same_blocks),
		cmocka_unit_test(integers_are_stored_as_bits_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
