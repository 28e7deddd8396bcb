/*
 * Graph: a network under construction. Importers emit device operators (names
 * of lib's operator table) in topological order, with shapes inferred as they
 * go; passes rewrite it; mx_graph_lower() turns it into a struct mx_network
 * that mx_model_write() writes.
 *
 * Values are struct mx_tensor, nodes hold a struct mx_layer whose in and out
 * are indices of values. A pass marks nodes dead and calls mx_graph_compact().
 */
#ifndef MX_LOADER_IMPORT_GRAPH_H
#define MX_LOADER_IMPORT_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/network.h"
#include "loader/import/blob.h"

struct mx_err;
struct mx_log;

#define MX_VECTORS_MAX 4

/*
 * Where a node's weights come from. `rows` gives the matrix part in the order
 * the device wants it (struct mx_weight_spec: dim[0] = rows, the product of
 * the other dims = row_elems; for a spec with row_elems 0 it is not used):
 * e.g. a convolution's OIHW source appears as strides of [O][H][W][I].
 * Row r is multiplied by row_scale[r] when that is there. vector[k] are the
 * spec's vectors, each `rows` long; NULL means all zeros.
 */
struct mx_weights {
	int has_rows;
	struct mx_const rows;
	double *row_scale; /* heap, owned */
	double *vector[MX_VECTORS_MAX]; /* heap, owned */
	/* rows are int32 bit patterns (indices), not floats */
	int integers;
	/* Lengths of the arrays, checked against the rows by
	 * mx_graph_finish(). */
	size_t row_scale_count;
	size_t vector_count[MX_VECTORS_MAX];
};

struct mx_node {
	struct mx_layer layer;
	struct mx_weights weights;
	int dead;
};

struct mx_graph {
	char *name;
	char *source; /* "caffe", "onnx" */
	struct mx_tensor *values;
	uint32_t value_count;
	struct mx_node *nodes; /* in topological order */
	uint32_t node_count;
	uint32_t *inputs; /* values */
	uint32_t input_count;
	uint32_t *outputs;
	uint32_t output_count;
	/* Not for passes. */
	uint32_t value_room;
	uint32_t node_room;
	void **owned;
	size_t owned_count;
};

int mx_graph_new(struct mx_graph **out, const char *name, const char *source,
		 struct mx_err *err);
void mx_graph_free(struct mx_graph *graph);

/* Give heap memory to the graph, which frees it. On -ENOMEM it is freed. */
int mx_graph_own(struct mx_graph *graph, void *memory);

/* A new value; its index in *@out. @name is copied and may be NULL. */
int mx_graph_value(struct mx_graph *graph, const char *name,
		   const struct mx_shape *shape, uint32_t *out,
		   struct mx_err *err);

/* A new value that is an input (at the end of the inputs). */
int mx_graph_input(struct mx_graph *graph, const char *name,
		   const struct mx_shape *shape, uint32_t *out,
		   struct mx_err *err);

/* Append @value to the outputs. */
int mx_graph_output(struct mx_graph *graph, uint32_t value, struct mx_err *err);

/*
 * Append a node of device operator @op (one without name gets op and index).
 * It has no attributes, weights or outputs yet: set them through *@out, whose
 * pointer lives until the next mx_graph_node(), then mx_graph_finish().
 */
int mx_graph_node(struct mx_graph *graph, const char *op, const char *name,
		  const uint32_t *in, uint32_t in_count, struct mx_node **out,
		  struct mx_err *err);

/*
 * Bind the newest node: infer its @out_count outputs, make values for them
 * (@names may be NULL, and each of them) and return their indices in @out.
 * Also checks that the weights fit what the operator wants.
 *
 * Returns 0, -ENOTSUP, -EBADMSG (the message names the node) or -ENOMEM. On
 * failure the node is removed.
 */
int mx_graph_finish(struct mx_graph *graph, const char *const *names,
		    uint32_t out_count, uint32_t *out, struct mx_err *err);

/* A "Constant" node: the value of @constant as an activation. */
int mx_graph_constant(struct mx_graph *graph, const char *name,
		      const struct mx_const *constant, uint32_t *out,
		      struct mx_err *err);

/* A node with one output and no weights, in one call: attributes are moved
 * out of @attrs (left empty; NULL: none). */
int mx_graph_simple(struct mx_graph *graph, const char *op, const char *name,
		    const uint32_t *in, uint32_t in_count,
		    struct mx_attrs *attrs, const char *out_name, uint32_t *out,
		    struct mx_err *err);

/* Set weights of a node under construction. @rows may be NULL. Arrays are
 * copied. */
int mx_node_set_rows(struct mx_node *node, const struct mx_const *rows);
int mx_node_set_vector(struct mx_node *node, uint32_t index,
		       const double *values, size_t count);
int mx_node_set_row_scale(struct mx_node *node, const double *values,
			  size_t count);

/* For each value: its producer (MX_NONE for inputs), the number of uses as a
 * node input, plus one for being an output. Heap arrays, the caller's. */
struct mx_graph_uses {
	uint32_t *producer;
	uint32_t *use_count;
	uint32_t *last_user; /* node, MX_NONE if none */
};
int mx_graph_uses(const struct mx_graph *graph, struct mx_graph_uses *out);
void mx_graph_uses_fini(struct mx_graph_uses *uses);

/* Replace value @from by @to in every node's inputs and in the outputs. */
void mx_graph_replace(struct mx_graph *graph, uint32_t from, uint32_t to);

/*
 * As mx_graph_replace() for many values at once, in linear time: value v
 * becomes @to[v], and that becomes what @to says of it, until a value stays
 * itself. @to has value_count entries and is changed. No chain may be a ring.
 */
void mx_graph_remap(struct mx_graph *graph, uint32_t *to);

/*
 * Infer a node again after a pass has changed its attributes, so that
 * layer->weights and so on are right; the shapes of its outputs must stay.
 * Returns 0, -EBADMSG or -ENOMEM.
 */
int mx_graph_rebind(struct mx_graph *graph, struct mx_node *node,
		    struct mx_err *err);

/* Remove dead nodes, and values nobody names any more. */
int mx_graph_compact(struct mx_graph *graph, struct mx_err *err);

/*
 * The graph as text, for tests and -v; NULL without memory. Heap, caller's.
 * A line for each input, then each node, then each output:
 *   input data 1x3x224x224
 *   conv1 Convolution(data) -> conv1 1x96x55x55 cl +Relu
 *   output prob
 * After the shape: "cl" if channels-last, "pitch=P" if that is not dense, and
 * "@ROOT+OFFSET" if the value lives in another one's memory.
 */
char *mx_graph_text(const struct mx_graph *graph);

#endif
