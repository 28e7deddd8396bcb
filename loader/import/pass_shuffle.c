/*
 * A channel shuffle, as exporters write it, is
 *
 *   Reshape [N, C, ...] to [N, groups, members, ...]
 *   Transpose of groups and members
 *   Reshape to [N, C, ...]
 *
 * It depends on the order of elements and would cost two changes of layout;
 * Shuffle works on channels-last maps. Often what comes out is cut in halves,
 * which are Shuffles of fewer members.
 */
#include "loader/import/passes.h"

#include <errno.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

struct finder {
	struct mx_graph *graph;
	const struct mx_graph_uses *uses;
};

/* The node of @op that makes input 0 of @node, or NULL. */
static const struct mx_node *before(const struct finder *f,
				    const struct mx_node *node, const char *op)
{
	const struct mx_node *by =
		mx_match_producer(f->graph, f->uses, node->layer.in[0]);

	return mx_match_op(by, op) ? by : NULL;
}

/* The transpose swaps dimensions 1 and 2 alone. */
static int swaps_members(const struct mx_node *transpose)
{
	const struct mx_attr *perm =
		mx_attrs_find(&transpose->layer.attrs, "perm");
	size_t i;

	if (!perm || perm->int_count < 3)
		return 0;
	for (i = 0; i < perm->int_count; i++) {
		const size_t wanted = i == 1 ? 2 : i == 2 ? 1 : i;

		if (perm->ints[i] != (int64_t)wanted)
			return 0;
	}
	return 1;
}

/* Whether @grouped is @shape with its channels in groups of members. */
static int groups_channels(const struct mx_shape *shape,
			   const struct mx_shape *grouped)
{
	return shape->rank >= 3 && shape->rank <= 5 && grouped->rank >= 3 &&
	       grouped->dim[0] == shape->dim[0] && grouped->dim[1] > 0 &&
	       grouped->dim[1] * grouped->dim[2] == shape->dim[1];
}

struct shuffle {
	uint32_t x;
	int64_t groups;
	int64_t first;
	int64_t count;
};

static int is_shuffle(const struct finder *f, const struct mx_node *node,
		      struct shuffle *out)
{
	const struct mx_node *transpose, *reshape;
	const struct mx_shape *grouped;

	if (!mx_match_op(node, "Reshape") ||
	    !(transpose = before(f, node, "Transpose")) ||
	    !(reshape = before(f, transpose, "Reshape")) ||
	    !swaps_members(transpose))
		return 0;
	grouped = &reshape->layer.out_shape[0];
	if (!mx_shape_equal(&reshape->layer.in_shape[0],
			    &node->layer.out_shape[0]) ||
	    !groups_channels(&node->layer.out_shape[0], grouped))
		return 0;
	out->x = reshape->layer.in[0];
	out->groups = (int64_t)grouped->dim[1];
	out->first = 0;
	out->count = (int64_t)grouped->dim[2];
	return 1;
}

/* The slice takes neighbouring channels and nothing else away. */
static int cuts_channels(const struct mx_node *slice, int64_t *start,
			 int64_t *size)
{
	const struct mx_layer *layer = &slice->layer;
	const struct mx_attr *starts = mx_attrs_find(&layer->attrs, "start");
	const struct mx_attr *steps = mx_attrs_find(&layer->attrs, "step");
	uint32_t i;

	if (!mx_match_op(slice, "Slice") || !starts || !steps)
		return 0;
	for (i = 0; i < layer->in_shape[0].rank; i++) {
		const size_t dim = layer->in_shape[0].dim[i];

		if (steps->ints[i] != 1 ||
		    (i != 1 && layer->out_shape[0].dim[i] != dim))
			return 0;
	}
	*start = starts->ints[1];
	*size = (int64_t)layer->out_shape[0].dim[1];
	return 1;
}

static int is_cut_shuffle(const struct finder *f, const struct mx_node *node,
			  struct shuffle *out)
{
	const struct mx_node *whole;
	int64_t start, size;

	if (node->layer.in_count != 1 ||
	    !(whole = before(f, node, "Shuffle")) ||
	    !cuts_channels(node, &start, &size))
		return 0;
	out->x = whole->layer.in[0];
	out->groups = mx_attrs_int(&whole->layer.attrs, "groups", 1);
	if (size == 0 || start % out->groups || size % out->groups)
		return 0;
	out->first = mx_attrs_int(&whole->layer.attrs, "first", 0) +
		     start / out->groups;
	out->count = size / out->groups;
	return 1;
}

static int become(struct mx_node *node, const struct shuffle *shuffle)
{
	struct mx_attrs *attrs = &node->layer.attrs;
	int rc;

	rc = mx_match_become(node, "Shuffle", shuffle->x, NULL, 0);
	if (!rc)
		rc = mx_attrs_set_int(attrs, "groups", shuffle->groups);
	if (!rc)
		rc = mx_attrs_set_int(attrs, "first", shuffle->first);
	return rc ? rc : mx_attrs_set_int(attrs, "count", shuffle->count);
}

static int rewrite(struct mx_graph *graph, struct mx_graph_uses *uses,
		   struct mx_node *node, struct mx_err *err)
{
	const struct finder f = {.graph = graph, .uses = uses};
	struct shuffle shuffle;
	int rc;

	if (node->dead || (!is_shuffle(&f, node, &shuffle) &&
			   !is_cut_shuffle(&f, node, &shuffle)))
		return 0;
	rc = become(node, &shuffle);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", graph->name);
	return mx_graph_rebind(graph, node, err);
}

int mx_pass_shuffle(struct mx_graph *graph, struct mx_err *err)
{
	const int rc = mx_match_each(graph, rewrite, err);

	return rc ? rc : mx_pass_drop(graph, err);
}
