/*
 * What passes ask of a graph: who makes a value, is it a constant, can its
 * maker take something in.
 */
#ifndef MX_LOADER_IMPORT_MATCH_H
#define MX_LOADER_IMPORT_MATCH_H

#include <stdint.h>

#include "loader/import/graph.h"

/* The live node that makes @value, or NULL for an input. */
struct mx_node *mx_match_producer(const struct mx_graph *graph,
				  const struct mx_graph_uses *uses,
				  uint32_t value);

/* 1 if @node (NULL allowed) is of device operator @op. */
int mx_match_op(const struct mx_node *node, const char *op);

/* The constant that @value is, or NULL. */
const struct mx_const *mx_match_constant(const struct mx_graph *graph,
					 const struct mx_graph_uses *uses,
					 uint32_t value);

/* 1 if @value is a constant of one element, which goes to *@out. */
int mx_match_scalar(const struct mx_graph *graph,
		    const struct mx_graph_uses *uses, uint32_t value,
		    double *out);

/* The node that alone feeds input @index of @node, when it and @node have one
 * output each and nobody else uses its. Else NULL. */
struct mx_node *mx_match_sole_feeder(const struct mx_graph *graph,
				     const struct mx_graph_uses *uses,
				     const struct mx_node *node,
				     uint32_t index);

/* The same, if the shape of its output is that of @node's: it can take @node
 * in. Else NULL. */
struct mx_node *mx_match_sole_producer(const struct mx_graph *graph,
				       const struct mx_graph_uses *uses,
				       const struct mx_node *node,
				       uint32_t index);

/* @node's output is made by @by from now on, and @node is dead. */
void mx_match_absorb(struct mx_graph *graph, struct mx_graph_uses *uses,
		     struct mx_node *by, struct mx_node *node);

/*
 * Do @visit for each node in order, also for those that are dead. Who uses
 * what is found once, before; @visit keeps it right. Returns 0; what @visit
 * returned, if that is not 0, after which no other node is visited; -ENOMEM.
 */
int mx_match_each(struct mx_graph *graph,
		  int (*visit)(struct mx_graph *graph,
			       struct mx_graph_uses *uses, struct mx_node *node,
			       struct mx_err *err),
		  struct mx_err *err);

/* The dimension of the output that @node's weight rows run along. */
uint32_t mx_match_row_axis(const struct mx_node *node);

/* Make @node another operator with one input and the floats @ab (as "a" and
 * "b"); not rebound. Returns 0 or -ENOMEM. */
int mx_match_become(struct mx_node *node, const char *op, uint32_t in,
		    const float *ab, unsigned ab_count);

#endif
