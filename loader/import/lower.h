/*
 * From a graph that all passes have been over to a network.
 */
#ifndef MX_LOADER_IMPORT_LOWER_H
#define MX_LOADER_IMPORT_LOWER_H

#include <stddef.h>

#include "lib/network.h"

struct mx_err;
struct mx_graph;
struct mx_weights;

struct mx_lower_opts {
	uint64_t source_hash;
	const struct mx_preprocess *preprocess; /* NULL: none for any input */
	char *const *labels; /* borrowed */
	size_t label_count;
};

/*
 * Move values and nodes of @graph (which is left empty, but still owns the
 * bytes of its constants) into *@net, zeroed by the caller, and bind it.
 * *@weights gets a heap array, one for each layer; mx_lower_weights_free()
 * ends it. On failure nothing has to be freed but @graph.
 *
 * Returns 0, -ENOMEM, -EINVAL (more labels than 32 bits count), or what
 * mx_network_bind() says.
 */
int mx_graph_lower(struct mx_graph *graph, const struct mx_lower_opts *opts,
		   struct mx_network *net, struct mx_weights **weights,
		   struct mx_err *err);

/* NULL is fine. @count: layers. */
void mx_lower_weights_free(struct mx_weights *weights, uint32_t count);

#endif
