#include "loader/import/passes.h"

#include <errno.h>

#include "lib/activation.h"
#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

/* PReLU's slopes must run along the rows of the weights that @by has. */
static int takes_slopes(const struct mx_node *by, const struct mx_node *node)
{
	return by->layer.weights.rows &&
	       by->layer.weights.rows == node->layer.weights.rows &&
	       by->layer.weights.vectors < MX_VECTORS_MAX &&
	       mx_match_row_axis(by) == mx_match_row_axis(node);
}

static int fuse(struct mx_graph *graph, struct mx_graph_uses *uses,
		struct mx_node *node, struct mx_err *err)
{
	struct mx_activation act;
	struct mx_node *by;
	int rc;

	if (node->dead || !node->layer.op->activation ||
	    node->layer.in_count != 1)
		return 0;
	by = mx_match_sole_producer(graph, uses, node, 0);
	if (!by || !(by->layer.op->traits & MX_OP_FUSES_ACTIVATION) ||
	    mx_attrs_int(&by->layer.attrs, MX_ATTR_ACTIVATION, 0))
		return 0;
	act = node->layer.op->activation(&node->layer);
	if (act.kind == MX_ACTIVATION_NONE)
		return 0;
	if (act.kind == MX_ACTIVATION_PRELU) {
		const double *slopes = node->weights.vector[0];

		if (!takes_slopes(by, node))
			return 0;
		if (slopes &&
		    mx_node_set_vector(by, by->layer.weights.vectors, slopes,
				       node->weights.vector_count[0]))
			return mx_fail(err, ENOMEM, "%s: no memory",
				       by->layer.name);
	}
	rc = mx_activation_store(&act, &by->layer.attrs);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", by->layer.name);
	mx_match_absorb(graph, uses, by, node);
	return mx_graph_rebind(graph, by, err);
}

int mx_pass_activation(struct mx_graph *graph, struct mx_err *err)
{
	const int rc = mx_match_each(graph, fuse, err);

	return rc ? rc : mx_graph_compact(graph, err);
}
