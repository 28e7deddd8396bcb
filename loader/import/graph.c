/*
 * Invariants of a graph between calls:
 *
 *  (1) A node's inputs are values that are graph inputs or come from an
 *      earlier node.
 *  (2) Every node is bound: its outputs' shapes are those of its values.
 *  (3) values[v].root is v until mx_pass_place() has run.
 */
#include "loader/import/graph.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"

#define ROOM_FIRST 16

int mx_graph_new(struct mx_graph **out, const char *name, const char *source,
		 struct mx_err *err)
{
	struct mx_graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return mx_fail_errno(err, "graph %s", name);
	graph->name = strdup(name);
	graph->source = strdup(source);
	if (!graph->name || !graph->source) {
		mx_graph_free(graph);
		return mx_fail(err, ENOMEM, "graph %s: no memory", name);
	}
	*out = graph;
	return 0;
}

static void weights_fini(struct mx_weights *weights)
{
	size_t k;

	free(weights->row_scale);
	for (k = 0; k < MX_VECTORS_MAX; k++)
		free(weights->vector[k]);
	memset(weights, 0, sizeof(*weights));
}

static void node_fini(struct mx_node *node)
{
	mx_layer_fini(&node->layer);
	weights_fini(&node->weights);
}

void mx_graph_free(struct mx_graph *graph)
{
	size_t i;

	if (!graph)
		return;
	for (i = 0; i < graph->node_count; i++)
		node_fini(&graph->nodes[i]);
	for (i = 0; i < graph->value_count; i++)
		free(graph->values[i].name);
	for (i = 0; i < graph->owned_count; i++)
		free(graph->owned[i]);
	free(graph->nodes);
	free(graph->values);
	free(graph->inputs);
	free(graph->outputs);
	free(graph->owned);
	free(graph->name);
	free(graph->source);
	free(graph);
}

int mx_graph_own(struct mx_graph *graph, void *memory)
{
	const size_t count = graph->owned_count;

	/* The room is the next power of two: doubled when it is full. */
	if ((count & (count - 1)) == 0) {
		void **owned = realloc(graph->owned, (count ? 2 * count : 1) *
							     sizeof(*owned));

		if (!owned) {
			free(memory);
			return -ENOMEM;
		}
		graph->owned = owned;
	}
	graph->owned[graph->owned_count++] = memory;
	return 0;
}

/* Room for one more item of @bytes in *@items. */
static int grow(void **items, uint32_t count, uint32_t *room, size_t bytes)
{
	uint32_t wanted;
	void *more;

	if (count < *room)
		return 0;
	if (count > UINT32_MAX / 4)
		return -ENOMEM;
	wanted = count ? 2 * count : ROOM_FIRST;
	more = realloc(*items, wanted * bytes);
	if (!more)
		return -ENOMEM;
	*items = more;
	*room = wanted;
	return 0;
}

int mx_graph_value(struct mx_graph *graph, const char *name,
		   const struct mx_shape *shape, uint32_t *out,
		   struct mx_err *err)
{
	/* It may stand in a value, and values move when they grow. */
	const struct mx_shape copy = *shape;
	char number[32];
	struct mx_tensor *value;
	void *values = graph->values;
	int rc;

	rc = grow(&values, graph->value_count, &graph->value_room,
		  sizeof(*graph->values));
	graph->values = values;
	if (rc)
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	if (!name) {
		snprintf(number, sizeof(number), "value%u", graph->value_count);
		name = number;
	}
	value = &graph->values[graph->value_count];
	memset(value, 0, sizeof(*value));
	value->name = strdup(name);
	if (!value->name)
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	value->shape = copy;
	value->layout = MX_LAYOUT_ROW_MAJOR;
	value->root = graph->value_count;
	*out = graph->value_count++;
	return 0;
}

static int append(uint32_t **list, uint32_t *count, uint32_t value)
{
	uint32_t *more = realloc(*list, ((size_t)*count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	more[(*count)++] = value;
	*list = more;
	return 0;
}

int mx_graph_input(struct mx_graph *graph, const char *name,
		   const struct mx_shape *shape, uint32_t *out,
		   struct mx_err *err)
{
	uint32_t value;
	int rc;

	rc = mx_graph_value(graph, name, shape, &value, err);
	if (rc)
		return rc;
	if (append(&graph->inputs, &graph->input_count, value))
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	*out = value;
	return 0;
}

int mx_graph_output(struct mx_graph *graph, uint32_t value, struct mx_err *err)
{
	assert(value < graph->value_count);
	if (append(&graph->outputs, &graph->output_count, value))
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	return 0;
}

int mx_graph_node(struct mx_graph *graph, const char *op, const char *name,
		  const uint32_t *in, uint32_t in_count, struct mx_node **out,
		  struct mx_err *err)
{
	struct mx_node *node;
	void *nodes = graph->nodes;
	uint32_t i;
	int rc, n = 0;

	rc = grow(&nodes, graph->node_count, &graph->node_room,
		  sizeof(*graph->nodes));
	graph->nodes = nodes;
	if (rc)
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	node = &graph->nodes[graph->node_count];
	memset(node, 0, sizeof(*node));
	node->layer.op_name = strdup(op);
	if (name && *name)
		node->layer.name = strdup(name);
	else
		n = asprintf(&node->layer.name, "%s_%u", op, graph->node_count);
	if (n < 0)
		node->layer.name = NULL;
	node->layer.in = calloc(in_count ? in_count : 1, sizeof(*in));
	if (!node->layer.op_name || !node->layer.name || !node->layer.in) {
		node_fini(node);
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	}
	for (i = 0; i < in_count; i++) {
		assert(in[i] < graph->value_count);
		node->layer.in[i] = in[i];
	}
	node->layer.in_count = in_count;
	graph->node_count++;
	*out = node;
	return 0;
}

/* Bind, with the shapes that the values have. */
static int bind_node(const struct mx_graph *graph, struct mx_node *node,
		     struct mx_err *err)
{
	struct mx_layer *layer = &node->layer;
	struct mx_shape few[4] = {{0}};
	struct mx_shape *shapes = few;
	uint32_t i;
	int rc;

	if (layer->in_count > sizeof(few) / sizeof(few[0])) {
		shapes = calloc(layer->in_count, sizeof(*shapes));
		if (!shapes)
			return mx_fail(err, ENOMEM, "%s: no memory",
				       layer->name);
	}
	for (i = 0; i < layer->in_count; i++)
		shapes[i] = graph->values[layer->in[i]].shape;
	rc = mx_layer_bind(layer, shapes, err);
	if (shapes != few)
		free(shapes);
	return rc;
}

static int check_weights(const struct mx_node *node, struct mx_err *err)
{
	const struct mx_weight_spec *spec = &node->layer.weights;
	const struct mx_weights *weights = &node->weights;
	const char *name = node->layer.name;
	const uint64_t wanted = spec->rows * spec->row_elems;
	uint32_t k;

	if (spec->row_elems && !weights->has_rows && wanted)
		return mx_fail(err, EBADMSG, "%s: has no weights", name);
	if (weights->has_rows) {
		const size_t have = mx_shape_elems(&weights->rows.shape);

		if (have != wanted)
			return mx_fail(err, EBADMSG,
				       "%s: %s needs %llu weights, not %zu",
				       name, node->layer.op_name,
				       (unsigned long long)wanted, have);
	}
	if (weights->row_scale && weights->row_scale_count != spec->rows)
		return mx_fail(err, EBADMSG, "%s: %zu scales for %llu rows",
			       name, weights->row_scale_count,
			       (unsigned long long)spec->rows);
	for (k = 0; k < MX_VECTORS_MAX; k++) {
		if (!weights->vector[k])
			continue;
		if (k >= spec->vectors)
			return mx_fail(err, EBADMSG,
				       "%s: %s takes %u weight vectors", name,
				       node->layer.op_name, spec->vectors);
		if (weights->vector_count[k] != spec->rows)
			return mx_fail(err, EBADMSG,
				       "%s: weight vector %u has %zu values, "
				       "not %llu",
				       name, k, weights->vector_count[k],
				       (unsigned long long)spec->rows);
	}
	return 0;
}

static int make_outputs(struct mx_graph *graph, struct mx_node *node,
			const char *const *names, struct mx_err *err)
{
	struct mx_layer *layer = &node->layer;
	char *made;
	uint32_t i;
	int rc;

	for (i = 0; i < layer->out_count; i++) {
		const char *name = names ? names[i] : NULL;

		made = NULL;
		if (!name && layer->out_count == 1)
			name = layer->name;
		if (!name && asprintf(&made, "%s:%u", layer->name, i) < 0)
			return mx_fail(err, ENOMEM, "%s: no memory",
				       layer->name);
		rc = mx_graph_value(graph, name ? name : made,
				    &layer->out_shape[i], &layer->out[i], err);
		free(made);
		if (rc)
			return rc;
	}
	return 0;
}

int mx_graph_finish(struct mx_graph *graph, const char *const *names,
		    uint32_t out_count, uint32_t *out, struct mx_err *err)
{
	const uint32_t value_count = graph->value_count;
	struct mx_node *node;
	int rc;

	assert(graph->node_count > 0);
	node = &graph->nodes[graph->node_count - 1];
	node->layer.out_count = out_count;
	node->layer.out = calloc(out_count ? out_count : 1, sizeof(*out));
	if (!node->layer.out) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", graph->name);
		goto fail;
	}
	rc = bind_node(graph, node, err);
	if (rc)
		goto fail;
	rc = check_weights(node, err);
	if (rc)
		goto fail;
	rc = make_outputs(graph, node, names, err);
	if (rc)
		goto fail;
	memcpy(out, node->layer.out, out_count * sizeof(*out));
	return 0;

fail:
	while (graph->value_count > value_count)
		free(graph->values[--graph->value_count].name);
	node_fini(node);
	graph->node_count--;
	return rc;
}

int mx_graph_rebind(struct mx_graph *graph, struct mx_node *node,
		    struct mx_err *err)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t i;
	int rc;

	rc = bind_node(graph, node, err);
	if (rc)
		return rc;
	for (i = 0; i < layer->out_count; i++)
		assert(mx_shape_equal(&layer->out_shape[i],
				      &graph->values[layer->out[i]].shape));
	return check_weights(node, err);
}

int mx_graph_constant(struct mx_graph *graph, const char *name,
		      const struct mx_const *constant, uint32_t *out,
		      struct mx_err *err)
{
	int64_t dims[MX_RANK_MAX];
	struct mx_node *node;
	uint32_t i;
	int rc;

	rc = mx_graph_node(graph, "Constant", name, NULL, 0, &node, err);
	if (rc)
		return rc;
	for (i = 0; i < constant->shape.rank; i++)
		dims[i] = (int64_t)constant->shape.dim[i];
	rc = mx_attrs_set_ints(&node->layer.attrs, "shape", dims,
			       constant->shape.rank);
	if (!rc)
		rc = mx_node_set_rows(node, constant);
	if (rc) {
		node_fini(node);
		graph->node_count--;
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	}
	return mx_graph_finish(graph, &name, 1, out, err);
}

int mx_graph_simple(struct mx_graph *graph, const char *op, const char *name,
		    const uint32_t *in, uint32_t in_count,
		    struct mx_attrs *attrs, const char *out_name, uint32_t *out,
		    struct mx_err *err)
{
	struct mx_node *node;
	int rc;

	rc = mx_graph_node(graph, op, name, in, in_count, &node, err);
	if (rc)
		return rc;
	if (attrs) {
		node->layer.attrs = *attrs;
		memset(attrs, 0, sizeof(*attrs));
	}
	return mx_graph_finish(graph, &out_name, 1, out, err);
}

int mx_node_set_rows(struct mx_node *node, const struct mx_const *rows)
{
	node->weights.has_rows = rows != NULL;
	if (rows)
		node->weights.rows = *rows;
	return 0;
}

static int copy_doubles(double **out, size_t *out_count, const double *values,
			size_t count)
{
	double *copy = malloc((count ? count : 1) * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, values, count * sizeof(*copy));
	free(*out);
	*out = copy;
	*out_count = count;
	return 0;
}

int mx_node_set_vector(struct mx_node *node, uint32_t index,
		       const double *values, size_t count)
{
	assert(index < MX_VECTORS_MAX);
	return copy_doubles(&node->weights.vector[index],
			    &node->weights.vector_count[index], values, count);
}

int mx_node_set_row_scale(struct mx_node *node, const double *values,
			  size_t count)
{
	return copy_doubles(&node->weights.row_scale,
			    &node->weights.row_scale_count, values, count);
}
