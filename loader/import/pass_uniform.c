/*
 * An Affine with one scale and one bias for all of its rows needs no weights:
 * as a Power of 1 it runs through any shape in one long line. Where an
 * activation is fused it stays as it is.
 */
#include "loader/import/passes.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

/* All values of vector @k are *@value; a vector that is not there is zeros. */
static int is_uniform(const struct mx_weights *weights, unsigned k,
		      double *value)
{
	const double *vector = weights->vector[k];
	size_t i;

	*value = vector && weights->vector_count[k] ? vector[0] : 0;
	for (i = 1; vector && i < weights->vector_count[k]; i++)
		if (vector[i] != *value)
			return 0;
	return 1;
}

static int become_power(struct mx_node *node, double scale, double bias)
{
	const float ab[] = {1, (float)scale};
	unsigned k;
	int rc;

	rc = mx_match_become(node, "Power", node->layer.in[0], ab, 2);
	if (!rc)
		rc = mx_attrs_set_float(&node->layer.attrs, "c", (float)bias);
	for (k = 0; k < MX_VECTORS_MAX; k++) {
		free(node->weights.vector[k]);
		node->weights.vector[k] = NULL;
		node->weights.vector_count[k] = 0;
	}
	return rc;
}

int mx_pass_uniform(struct mx_graph *graph, struct mx_err *err)
{
	uint32_t n;
	int rc = 0;

	for (n = 0; n < graph->node_count && !rc; n++) {
		struct mx_node *node = &graph->nodes[n];
		double scale, bias;

		if (node->dead || !mx_match_op(node, "Affine") ||
		    mx_attrs_int(&node->layer.attrs, MX_ATTR_ACTIVATION, 0) ||
		    !is_uniform(&node->weights, 0, &scale) ||
		    !is_uniform(&node->weights, 1, &bias))
			continue;
		rc = become_power(node, scale, bias);
		if (rc)
			rc = mx_fail(err, -rc, "%s: no memory", graph->name);
		else
			rc = mx_graph_rebind(graph, node, err);
	}
	return rc;
}
