/*
 * Dense networks put all that a block has made so far side by side before each
 * of its layers: Concat(a, b), Concat(a, b, c), and so on. A value can live in
 * the memory of one of these only, and would be copied into all others; but
 * Concat(Concat(a, b), c) is the same, and moves nothing.
 */
#include "loader/import/passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"

/* How many inputs of @longer those of @shorter are, standing first: all of
 * @shorter's, or 0. */
static uint32_t prefix(const struct mx_layer *shorter,
		       const struct mx_layer *longer)
{
	const uint32_t count = shorter->in_count;

	if (count < 2 || count >= longer->in_count ||
	    mx_attrs_int(&shorter->attrs, "axis", 1) !=
		    mx_attrs_int(&longer->attrs, "axis", 1) ||
	    memcmp(shorter->in, longer->in, count * sizeof(*shorter->in)) != 0)
		return 0;
	return count;
}

/* Let @layer begin with the concatenations that stand for its first inputs, as
 * far as there are any. Returns whether there were. */
static int shorten(const struct mx_graph *graph, const uint32_t *last,
		   struct mx_layer *layer)
{
	int found = 0;

	for (;;) {
		const uint32_t by = last[layer->in[0]];
		const struct mx_layer *before;
		uint32_t count;

		if (by == MX_NONE)
			return found;
		before = &graph->nodes[by].layer;
		count = prefix(before, layer);
		if (!count)
			return found;
		layer->in[0] = before->out[0];
		layer->in_count -= count - 1;
		memmove(&layer->in[1], &layer->in[count],
			(layer->in_count - 1) * sizeof(*layer->in));
		found = 1;
	}
}

int mx_pass_concat(struct mx_graph *graph, struct mx_err *err)
{
	/* Of each value: the last concatenation that begins with it. Those
	 * that were shortened begin with another one. */
	uint32_t *last;
	uint32_t n, v;
	int rc = 0;

	last = malloc(((size_t)graph->value_count + 1) * sizeof(*last));
	if (!last)
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	for (v = 0; v < graph->value_count; v++)
		last[v] = MX_NONE;
	for (n = 0; n < graph->node_count && !rc; n++) {
		struct mx_node *node = &graph->nodes[n];

		if (node->dead || !(node->layer.op->traits & MX_OP_CONCAT))
			continue;
		if (shorten(graph, last, &node->layer))
			rc = mx_graph_rebind(graph, node, err);
		last[node->layer.in[0]] = n;
	}
	free(last);
	return rc;
}
