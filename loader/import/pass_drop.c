#include "loader/import/passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

/* Whether the output is input 0, element by element. */
static int does_nothing(const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;

	if (layer->op->traits & MX_OP_IDENTITY)
		return 1;
	if (layer->in_count != 1 || layer->out_count != 1 ||
	    !mx_shape_equal(&layer->in_shape[0], &layer->out_shape[0]) ||
	    mx_attrs_int(&layer->attrs, MX_ATTR_ACTIVATION, 0))
		return 0;
	return layer->op->traits & (MX_OP_RESHAPE | MX_OP_CONCAT) ||
	       mx_match_op(node, "Tile");
}

/* Users of what an identity makes use its input instead. */
static void bypass(struct mx_graph *graph, uint32_t *to)
{
	uint32_t n, v;

	for (v = 0; v < graph->value_count; v++)
		to[v] = v;
	for (n = 0; n < graph->node_count; n++) {
		struct mx_node *node = &graph->nodes[n];

		if (node->dead || !does_nothing(node))
			continue;
		to[node->layer.out[0]] = node->layer.in[0];
		node->dead = 1;
	}
	mx_graph_remap(graph, to);
}

static void bury(struct mx_graph *graph, unsigned char *used)
{
	uint32_t n, i;

	memset(used, 0, graph->value_count);
	for (i = 0; i < graph->output_count; i++)
		used[graph->outputs[i]] = 1;
	for (n = graph->node_count; n-- > 0;) {
		struct mx_node *node = &graph->nodes[n];
		const struct mx_layer *layer = &node->layer;
		int live = 0;

		for (i = 0; i < layer->out_count; i++)
			live |= used[layer->out[i]];
		if (!live)
			node->dead = 1;
		if (node->dead)
			continue;
		for (i = 0; i < layer->in_count; i++)
			used[layer->in[i]] = 1;
	}
}

int mx_pass_drop(struct mx_graph *graph, struct mx_err *err)
{
	const size_t count = graph->value_count ? graph->value_count : 1;
	unsigned char *used = malloc(count);
	uint32_t *to = malloc(count * sizeof(*to));
	int rc;

	if (!used || !to) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", graph->name);
		goto out;
	}
	bypass(graph, to);
	bury(graph, used);
	rc = mx_graph_compact(graph, err);
out:
	free(used);
	free(to);
	return rc;
}
