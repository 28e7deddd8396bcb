/*
 * Graphs as exporters write them, for the passes that find one operator in
 * several nodes.
 */
#ifndef MX_TESTS_REWRITE_GRAPHS_H
#define MX_TESTS_REWRITE_GRAPHS_H

#include "tests/graph_fixture.h"

/* A slice of a rank-4 value. */
static FX_UNUSED uint32_t rw_slice(struct mx_graph *g, const char *name,
				   uint32_t in, const int64_t *start,
				   const int64_t *step, const int64_t *size)
{
	struct mx_attrs attrs = {NULL, 0};

	assert_int_equal(mx_attrs_set_ints(&attrs, "start", start, 4), 0);
	assert_int_equal(mx_attrs_set_ints(&attrs, "step", step, 4), 0);
	assert_int_equal(mx_attrs_set_ints(&attrs, "size", size, 4), 0);
	return fx_simple(g, "Slice", name, &attrs, &in, 1);
}

/* Channels [first, first + count) of @in. */
static FX_UNUSED uint32_t rw_channels(struct mx_graph *g, const char *name,
				      uint32_t in, int64_t first, int64_t count)
{
	const size_t *dim = g->values[in].shape.dim;
	const int64_t start[] = {0, first, 0, 0};
	const int64_t step[] = {1, 1, 1, 1};
	const int64_t size[] = {(int64_t)dim[0], count, (int64_t)dim[2],
				(int64_t)dim[3]};

	return rw_slice(g, name, in, start, step, size);
}

/* Every second pixel of @in, from row @y and column @x on. */
static FX_UNUSED uint32_t rw_phase(struct mx_graph *g, const char *name,
				   uint32_t in, int64_t y, int64_t x)
{
	const size_t *dim = g->values[in].shape.dim;
	const int64_t c = (int64_t)dim[1];
	const int64_t h = (int64_t)dim[2], w = (int64_t)dim[3];

	in = rw_slice(g, name, in, (const int64_t[]){0, 0, y, 0},
		      (const int64_t[]){1, 1, 2, 1},
		      (const int64_t[]){1, c, h / 2, w});
	return rw_slice(g, name, in, (const int64_t[]){0, 0, 0, x},
			(const int64_t[]){1, 1, 1, 2},
			(const int64_t[]){1, c, h / 2, w / 2});
}

/* The four phases of @in as channels, row by row or column by column. */
static FX_UNUSED uint32_t rw_phases(struct mx_graph *g, uint32_t in,
				    int by_columns)
{
	uint32_t part[4];
	int64_t i;

	for (i = 0; i < 4; i++)
		part[i] = by_columns ? rw_phase(g, "phase", in, i % 2, i / 2)
				     : rw_phase(g, "phase", in, i / 2, i % 2);
	return fx_concat(g, "phases", 1, part, 4);
}

/* A channel shuffle of @in in three nodes: @name is the last one's. */
static FX_UNUSED uint32_t rw_shuffle(struct mx_graph *g, const char *name,
				     uint32_t in, size_t groups)
{
	const struct mx_shape shape = g->values[in].shape;
	struct mx_attrs attrs = {NULL, 0};
	uint32_t v;

	v = fx_reshape(g, "split", in,
		       FX_SHAPE(shape.dim[0], groups, shape.dim[1] / groups,
				shape.dim[2], shape.dim[3]));
	FX_INTS(&attrs, "perm", 0, 2, 1, 3, 4);
	v = fx_simple(g, "Transpose", "swap", &attrs, &v, 1);
	return fx_reshape(g, name, v, shape);
}

/* An Affine of one scale and one bias. */
static FX_UNUSED uint32_t rw_uniform(struct mx_graph *g, const char *name,
				     uint32_t in, double scale, double bias)
{
	const size_t rows = g->values[in].shape.dim[1];
	struct mx_err err = {""};
	struct mx_node *node;
	uint32_t value = MX_NONE;
	double *values = malloc(rows * sizeof(*values));
	size_t i;

	assert_non_null(values);
	fx_ok(mx_graph_node(g, "Affine", name, &in, 1, &node, &err), &err);
	FX_INTS(&node->layer.attrs, "axis", 1);
	for (i = 0; i < rows; i++)
		values[i] = scale;
	assert_int_equal(mx_node_set_vector(node, 0, values, rows), 0);
	for (i = 0; i < rows; i++)
		values[i] = bias;
	assert_int_equal(mx_node_set_vector(node, 1, values, rows), 0);
	free(values);
	fx_ok(mx_graph_finish(g, &name, 1, &value, &err), &err);
	return value;
}

/* All of these behind each other, and a dense block. */
static FX_UNUSED struct mx_graph *rw_graph(void)
{
	struct mx_graph *g = fx_graph();
	uint32_t part[4], v;

	v = rw_phases(g, FX_INPUT(g, "x", 1, 1, 8, 8), 1);
	v = fx_conv(g, "conv", v, 8, 3);
	v = rw_shuffle(g, "shuffle", v, 2);
	part[0] = rw_channels(g, "left", v, 0, 4);
	part[1] = rw_channels(g, "right", v, 4, 4);
	part[1] = fx_conv(g, "branch", part[1], 6, 1);
	v = fx_concat(g, "two", 1, part, 2);
	part[2] = fx_conv(g, "third", fx_op(g, "Tanh", "t", 1, v), 5, 3);
	v = fx_concat(g, "three", 1, part, 3);
	part[3] = fx_conv(g, "fourth", fx_op(g, "Abs", "a", 1, v), 3, 1);
	v = fx_concat(g, "four", 1, part, 4);
	fx_output(g, rw_uniform(g, "half", v, 0.5, -1));
	return g;
}

#endif
