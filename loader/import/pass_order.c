#include "loader/import/passes.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"

/*
 * Where each node goes, as lists: first[n] is the first Constant that node n
 * is the first to use, next[c] the one after Constant c; first[node_count]
 * starts the Constants that are outputs only.
 */
struct lists {
	uint32_t *first;
	uint32_t *next;
	uint32_t *user; /* of each value: the first node that reads it */
};

static int is_constant(const struct mx_node *node)
{
	return (node->layer.op->traits & MX_OP_CONSTANT) != 0;
}

static void build(const struct mx_graph *graph, struct lists *lists)
{
	uint32_t n, i;

	for (i = 0; i < graph->value_count; i++)
		lists->user[i] = graph->node_count;
	for (n = 0; n <= graph->node_count; n++)
		lists->first[n] = MX_NONE;
	for (n = graph->node_count; n-- > 0;) {
		const struct mx_layer *layer = &graph->nodes[n].layer;

		for (i = 0; i < layer->in_count; i++)
			lists->user[layer->in[i]] = n;
		if (is_constant(&graph->nodes[n])) {
			const uint32_t user = lists->user[layer->out[0]];

			lists->next[n] = lists->first[user];
			lists->first[user] = n;
		}
	}
}

int mx_pass_order(struct mx_graph *graph, struct mx_err *err)
{
	const size_t count = (size_t)graph->node_count + 1;
	struct mx_node *nodes = malloc(count * sizeof(*nodes));
	struct lists lists = {
		.first = malloc(count * sizeof(*lists.first)),
		.next = malloc(count * sizeof(*lists.next)),
		.user = malloc(((size_t)graph->value_count + 1) *
			       sizeof(*lists.user)),
	};
	uint32_t n, c, placed = 0;
	int rc = 0;

	if (!nodes || !lists.first || !lists.next || !lists.user) {
		free(nodes);
		rc = mx_fail(err, ENOMEM, "%s: no memory", graph->name);
		goto out;
	}
	build(graph, &lists);
	for (n = 0; n <= graph->node_count; n++) {
		for (c = lists.first[n]; c != MX_NONE; c = lists.next[c])
			nodes[placed++] = graph->nodes[c];
		if (n < graph->node_count && !is_constant(&graph->nodes[n]))
			nodes[placed++] = graph->nodes[n];
	}
	free(graph->nodes);
	graph->nodes = nodes;
	graph->node_room = graph->node_count + 1;
out:
	free(lists.first);
	free(lists.next);
	free(lists.user);
	return rc;
}
