/*
 * Graphs in a few lines, for the tests of import's passes:
 *
 *	struct mx_graph *g = fx_graph();
 *	uint32_t x = FX_INPUT(g, "x", 1, 3, 8, 8);
 *
 *	x = fx_conv(g, "conv", x, 4, 3);
 *	x = fx_op(g, "Relu", "relu", 1, x);
 *	fx_output(g, x);
 *	fx_expect_text(g, "input x ...\n...");
 *	fx_pass(g, mx_pass_activation);
 *
 * Weights are numbers that depend on name and index. A wrong call fails the
 * test. All functions are static: this header is the whole helper.
 */
#ifndef MX_TESTS_GRAPH_FIXTURE_H
#define MX_TESTS_GRAPH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/passes.h"

#define FX_UNUSED __attribute__((unused))

#define FX_SHAPE(...)                                                          \
	mx_shape_of(                                                           \
		(uint32_t)(sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t)),  \
		(const size_t[]){__VA_ARGS__})
#define FX_INPUT(graph, name, ...) fx_input(graph, name, FX_SHAPE(__VA_ARGS__))
/* FX_INTS(&attrs, "kernel", 3, 3) */
#define FX_INTS(attrs, name, ...)                                              \
	assert_int_equal(mx_attrs_set_ints(attrs, name,                        \
					   (const int64_t[]){__VA_ARGS__},     \
					   sizeof((int64_t[]){__VA_ARGS__}) /  \
						   sizeof(int64_t)),           \
			 0)
/* A dense constant of floats: FX_CONSTANT(g, "c", FX_SHAPE(2), 1, 2). */
#define FX_CONSTANT(graph, name, shape, ...)                                   \
	fx_constant(graph, name, shape, (const float[]){__VA_ARGS__},          \
		    sizeof((float[]){__VA_ARGS__}) / sizeof(float))

#define fx_ok(rc, err) fx_check(rc, err, __FILE__, __LINE__)
static FX_UNUSED void fx_check(int rc, const struct mx_err *err,
			       const char *file, int line)
{
	if (rc) {
		print_error("%s:%d: %d: %s\n", file, line, rc, err->text);
		fail();
	}
}

static FX_UNUSED struct mx_graph *fx_graph(void)
{
	struct mx_graph *graph = NULL;
	struct mx_err err = {""};

	fx_ok(mx_graph_new(&graph, "net", "test", &err), &err);
	return graph;
}

static FX_UNUSED uint32_t fx_input(struct mx_graph *graph, const char *name,
				   struct mx_shape shape)
{
	struct mx_err err = {""};
	uint32_t value = MX_NONE;

	fx_ok(mx_graph_input(graph, name, &shape, &value, &err), &err);
	return value;
}

static FX_UNUSED void fx_output(struct mx_graph *graph, uint32_t value)
{
	struct mx_err err = {""};

	fx_ok(mx_graph_output(graph, value, &err), &err);
}

/* A node without weights; @attrs (NULL: none) are taken. */
static FX_UNUSED uint32_t fx_simple(struct mx_graph *graph, const char *op,
				    const char *name, struct mx_attrs *attrs,
				    const uint32_t *in, uint32_t in_count)
{
	struct mx_err err = {""};
	uint32_t value = MX_NONE;

	fx_ok(mx_graph_simple(graph, op, name, in, in_count, attrs, name,
			      &value, &err),
	      &err);
	return value;
}

/* A node of @count inputs without attributes. */
static FX_UNUSED uint32_t fx_op(struct mx_graph *graph, const char *op,
				const char *name, uint32_t count, ...)
{
	uint32_t in[8];
	uint32_t i;
	va_list list;

	assert_true(count <= 8);
	va_start(list, count);
	for (i = 0; i < count; i++)
		in[i] = va_arg(list, uint32_t);
	va_end(list);
	return fx_simple(graph, op, name, NULL, in, count);
}

/* A node of one input with floats "a" and "b". */
static FX_UNUSED uint32_t fx_unary(struct mx_graph *graph, const char *op,
				   const char *name, uint32_t in, float a,
				   float b)
{
	struct mx_attrs attrs = {NULL, 0};

	assert_int_equal(mx_attrs_set_float(&attrs, "a", a), 0);
	assert_int_equal(mx_attrs_set_float(&attrs, "b", b), 0);
	return fx_simple(graph, op, name, &attrs, &in, 1);
}

static FX_UNUSED uint32_t fx_reshape(struct mx_graph *graph, const char *name,
				     uint32_t in, struct mx_shape shape)
{
	struct mx_attrs attrs = {NULL, 0};
	int64_t dims[MX_RANK_MAX];
	uint32_t i;

	for (i = 0; i < shape.rank; i++)
		dims[i] = (int64_t)shape.dim[i];
	assert_int_equal(mx_attrs_set_ints(&attrs, "shape", dims, shape.rank),
			 0);
	return fx_simple(graph, "Reshape", name, &attrs, &in, 1);
}

static FX_UNUSED uint32_t fx_concat(struct mx_graph *graph, const char *name,
				    int64_t axis, const uint32_t *in,
				    uint32_t in_count)
{
	struct mx_attrs attrs = {NULL, 0};

	FX_INTS(&attrs, "axis", axis);
	return fx_simple(graph, "Concat", name, &attrs, in, in_count);
}

/* Value @i of the weights called @name: in [-1, 1). */
static FX_UNUSED float fx_weight(const char *name, size_t i)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	h = (h ^ (uint32_t)i) * 2654435761u;
	h ^= h >> 15;
	h *= 2246822519u;
	h ^= h >> 13;
	return (float)(int32_t)h * 0x1p-31f;
}

/* A dense constant of weights called @name, owned by @graph. */
static FX_UNUSED struct mx_const fx_weights(struct mx_graph *graph,
					    const char *name,
					    struct mx_shape shape)
{
	struct mx_blob blob = {.kind = MX_BLOB_BYTES, .type = MX_DTYPE_F32};
	struct mx_err err = {""};
	struct mx_const result;
	float *data;
	size_t i;

	blob.count = mx_shape_elems(&shape);
	data = malloc((size_t)blob.count * sizeof(*data));
	assert_non_null(data);
	for (i = 0; i < blob.count; i++)
		data[i] = fx_weight(name, i);
	blob.data = data;
	assert_int_equal(mx_graph_own(graph, data), 0);
	fx_ok(mx_const_init(&result, &blob, &shape, &err), &err);
	return result;
}

static FX_UNUSED uint32_t fx_constant(struct mx_graph *graph, const char *name,
				      struct mx_shape shape,
				      const float *values, size_t count)
{
	struct mx_blob blob = {.kind = MX_BLOB_BYTES, .type = MX_DTYPE_F32};
	struct mx_err err = {""};
	struct mx_const constant;
	uint32_t value = MX_NONE;
	float *data;

	data = malloc(count * sizeof(*data));
	assert_non_null(data);
	memcpy(data, values, count * sizeof(*data));
	assert_int_equal(mx_graph_own(graph, data), 0);
	blob.data = data;
	blob.count = count;
	fx_ok(mx_const_init(&constant, &blob, &shape, &err), &err);
	fx_ok(mx_graph_constant(graph, name, &constant, &value, &err), &err);
	return value;
}

static FX_UNUSED void fx_vector(struct mx_node *node, uint32_t index,
				const char *name, size_t count)
{
	double *values = malloc(count * sizeof(*values));
	size_t i;

	assert_non_null(values);
	for (i = 0; i < count; i++)
		values[i] = (double)fx_weight(name, 1000 * (index + 1) + i);
	assert_int_equal(mx_node_set_vector(node, index, values, count), 0);
	free(values);
}

/* A 2-D convolution that keeps the size of the picture (odd @kernel). */
static FX_UNUSED uint32_t fx_conv(struct mx_graph *graph, const char *name,
				  uint32_t in, size_t channels, size_t kernel)
{
	const int64_t k = (int64_t)kernel;
	const size_t c = graph->values[in].shape.dim[1];
	struct mx_err err = {""};
	struct mx_const rows, source;
	struct mx_node *node;
	uint32_t value = MX_NONE;

	fx_ok(mx_graph_node(graph, "Convolution", name, &in, 1, &node, &err),
	      &err);
	FX_INTS(&node->layer.attrs, "kernel", k, k);
	FX_INTS(&node->layer.attrs, "pad_begin", k / 2, k / 2);
	FX_INTS(&node->layer.attrs, "pad_end", k / 2, k / 2);
	FX_INTS(&node->layer.attrs, "out_channels", (int64_t)channels);
	source = fx_weights(graph, name, FX_SHAPE(channels, c, kernel, kernel));
	mx_const_permute(&source, (const uint32_t[]){0, 2, 3, 1}, &rows);
	mx_node_set_rows(node, &rows);
	fx_vector(node, 0, name, channels);
	fx_ok(mx_graph_finish(graph, &name, 1, &value, &err), &err);
	return value;
}

/* A fully connected layer from @axis on. */
static FX_UNUSED uint32_t fx_dense(struct mx_graph *graph, const char *name,
				   uint32_t in, size_t units, uint32_t axis)
{
	const struct mx_shape shape = graph->values[in].shape;
	const size_t elems = mx_shape_span(&shape, axis, shape.rank);
	struct mx_err err = {""};
	struct mx_const rows;
	struct mx_node *node;
	uint32_t value = MX_NONE;

	fx_ok(mx_graph_node(graph, "Dense", name, &in, 1, &node, &err), &err);
	FX_INTS(&node->layer.attrs, "axis", axis);
	FX_INTS(&node->layer.attrs, "out_features", (int64_t)units);
	rows = fx_weights(graph, name, FX_SHAPE(units, elems));
	mx_node_set_rows(node, &rows);
	fx_vector(node, 0, name, units);
	fx_ok(mx_graph_finish(graph, &name, 1, &value, &err), &err);
	return value;
}

/* Affine along @axis, or PRelu (which has slopes only). */
static FX_UNUSED uint32_t fx_rowwise(struct mx_graph *graph, const char *op,
				     const char *name, uint32_t in,
				     uint32_t axis)
{
	const size_t rows = graph->values[in].shape.dim[axis];
	struct mx_err err = {""};
	struct mx_node *node;
	uint32_t value = MX_NONE;

	fx_ok(mx_graph_node(graph, op, name, &in, 1, &node, &err), &err);
	FX_INTS(&node->layer.attrs, "axis", axis);
	fx_vector(node, 0, name, rows);
	if (strcmp(op, "Affine") == 0)
		fx_vector(node, 1, name, rows);
	fx_ok(mx_graph_finish(graph, &name, 1, &value, &err), &err);
	return value;
}

static FX_UNUSED uint32_t fx_pool(struct mx_graph *graph, const char *name,
				  uint32_t in, int64_t kernel, int64_t stride)
{
	struct mx_attrs attrs = {NULL, 0};

	FX_INTS(&attrs, "kind", 0);
	FX_INTS(&attrs, "kernel", kernel, kernel);
	FX_INTS(&attrs, "stride", stride, stride);
	return fx_simple(graph, "Pooling", name, &attrs, &in, 1);
}

static FX_UNUSED uint32_t fx_softmax(struct mx_graph *graph, const char *name,
				     uint32_t in, uint32_t axis)
{
	struct mx_attrs attrs = {NULL, 0};

	FX_INTS(&attrs, "axis", axis);
	FX_INTS(&attrs, "axis_end", (int64_t)axis + 1);
	return fx_simple(graph, "Softmax", name, &attrs, &in, 1);
}

static FX_UNUSED void fx_expect_text(const struct mx_graph *graph,
				     const char *expected)
{
	char *text = mx_graph_text(graph);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static FX_UNUSED void fx_pass(struct mx_graph *graph,
			      int (*pass)(struct mx_graph *, struct mx_err *))
{
	struct mx_err err = {""};

	fx_ok(pass(graph, &err), &err);
}

/* The node that is called @name. */
static FX_UNUSED struct mx_node *fx_node(struct mx_graph *graph,
					 const char *name)
{
	uint32_t n;

	for (n = 0; n < graph->node_count; n++)
		if (strcmp(graph->nodes[n].layer.name, name) == 0)
			return &graph->nodes[n];
	fail_msg("no node %s", name);
	return NULL;
}

#endif
