/*
 * A graph's nodes as text, to be compared with what is wanted.
 */
#ifndef MX_TESTS_GRAPH_TEXT_H
#define MX_TESTS_GRAPH_TEXT_H

#include <inttypes.h>
#include <stdio.h>

#include "loader/import/graph.h"

/* "Op(a, b) key=1,2", floats in five digits. */
static inline void layer_text(const struct mx_graph *graph,
			      const struct mx_layer *layer, FILE *out)
{
	size_t i, k;

	fprintf(out, "%s(", layer->op_name);
	for (i = 0; i < layer->in_count; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			graph->values[layer->in[i]].name);
	fprintf(out, ")");
	for (i = 0; i < layer->attrs.count; i++) {
		const struct mx_attr *a = &layer->attrs.items[i];

		fprintf(out, " %s=", a->name);
		for (k = 0; k < a->int_count; k++)
			fprintf(out, "%s%" PRId64, k ? "," : "", a->ints[k]);
		for (k = 0; k < a->float_count; k++)
			fprintf(out, "%s%.5g", k ? "," : "",
				(double)a->floats[k]);
	}
}

#endif
