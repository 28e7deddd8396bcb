#include "loader/import/match.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"

struct mx_node *mx_match_producer(const struct mx_graph *graph,
				  const struct mx_graph_uses *uses,
				  uint32_t value)
{
	const uint32_t n = uses->producer[value];

	return n == MX_NONE || graph->nodes[n].dead ? NULL : &graph->nodes[n];
}

int mx_match_op(const struct mx_node *node, const char *op)
{
	return node && strcmp(node->layer.op_name, op) == 0;
}

const struct mx_const *mx_match_constant(const struct mx_graph *graph,
					 const struct mx_graph_uses *uses,
					 uint32_t value)
{
	const struct mx_node *node = mx_match_producer(graph, uses, value);

	if (!node || !(node->layer.op->traits & MX_OP_CONSTANT) ||
	    !node->weights.has_rows || node->weights.integers)
		return NULL;
	return &node->weights.rows;
}

int mx_match_scalar(const struct mx_graph *graph,
		    const struct mx_graph_uses *uses, uint32_t value,
		    double *out)
{
	const struct mx_const *constant = mx_match_constant(graph, uses, value);

	if (!constant || mx_shape_elems(&constant->shape) != 1)
		return 0;
	mx_const_read_f64(constant, 0, 1, out);
	return 1;
}

struct mx_node *mx_match_sole_feeder(const struct mx_graph *graph,
				     const struct mx_graph_uses *uses,
				     const struct mx_node *node, uint32_t index)
{
	const uint32_t value = node->layer.in[index];
	struct mx_node *by = mx_match_producer(graph, uses, value);

	if (!by || by->layer.out_count != 1 || node->layer.out_count != 1 ||
	    uses->use_count[value] != 1)
		return NULL;
	return by;
}

struct mx_node *mx_match_sole_producer(const struct mx_graph *graph,
				       const struct mx_graph_uses *uses,
				       const struct mx_node *node,
				       uint32_t index)
{
	const uint32_t value = node->layer.in[index];

	if (!mx_shape_equal(&graph->values[value].shape,
			    &graph->values[node->layer.out[0]].shape))
		return NULL;
	return mx_match_sole_feeder(graph, uses, node, index);
}

int mx_match_each(struct mx_graph *graph,
		  int (*visit)(struct mx_graph *graph,
			       struct mx_graph_uses *uses, struct mx_node *node,
			       struct mx_err *err),
		  struct mx_err *err)
{
	struct mx_graph_uses uses;
	uint32_t n;
	int rc;

	rc = mx_graph_uses(graph, &uses);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", graph->name);
	for (n = 0; n < graph->node_count && !rc; n++)
		rc = visit(graph, &uses, &graph->nodes[n], err);
	mx_graph_uses_fini(&uses);
	return rc;
}

void mx_match_absorb(struct mx_graph *graph, struct mx_graph_uses *uses,
		     struct mx_node *by, struct mx_node *node)
{
	by->layer.out[0] = node->layer.out[0];
	uses->producer[by->layer.out[0]] = (uint32_t)(by - graph->nodes);
	node->dead = 1;
}

uint32_t mx_match_row_axis(const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	const uint32_t rank = layer->out_shape[0].rank;

	if (layer->op->traits & MX_OP_DENSE)
		return rank - 1;
	/* Feature maps have their channels at 1; the others say. */
	return (uint32_t)mx_attrs_int(&layer->attrs, "axis", 1);
}

int mx_match_become(struct mx_node *node, const char *op, uint32_t in,
		    const float *ab, unsigned ab_count)
{
	struct mx_layer *layer = &node->layer;
	static const char *const names[] = {"a", "b"};
	struct mx_attrs attrs = {NULL, 0};
	char *name = strdup(op);
	unsigned i;

	assert(ab_count <= 2 && layer->in_count > 0);
	if (!name)
		return -ENOMEM;
	for (i = 0; i < ab_count; i++)
		if (mx_attrs_set_float(&attrs, names[i], ab[i]))
			goto fail;
	mx_attrs_fini(&layer->attrs);
	layer->attrs = attrs;
	free(layer->op_name);
	layer->op_name = name;
	layer->in[0] = in;
	layer->in_count = 1;
	return 0;

fail:
	mx_attrs_fini(&attrs);
	free(name);
	return -ENOMEM;
}
