/*
 * A convolution that keeps the maximum of each 2x2 of its outputs: its whole
 * output, four times as large, is never in memory.
 */
#include "loader/import/passes.h"

#include <errno.h>

#include "lib/convolve_pool.h"
#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

#define KIND_MAX 0
#define FIRST_SPATIAL 2
#define SPATIAL_DIMS 2

/* Whether attribute @name is @value for each of two dimensions. */
static int is_all(const struct mx_layer *layer, const char *name, int64_t value)
{
	const struct mx_attr *attr = mx_attrs_find(&layer->attrs, name);
	size_t i;

	if (!attr || attr->int_count != SPATIAL_DIMS)
		return 0;
	for (i = 0; i < SPATIAL_DIMS; i++)
		if (attr->ints[i] != value)
			return 0;
	return 1;
}

/* The same, or it is absent or empty. */
static int is_default(const struct mx_layer *layer, const char *name,
		      int64_t value)
{
	const struct mx_attr *attr = mx_attrs_find(&layer->attrs, name);

	return !attr || attr->int_count == 0 || is_all(layer, name, value);
}

/* Windows without overlap, padding or rest: all ways of rounding agree. */
static int is_plain(const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t i;

	if (!mx_match_op(node, "Pooling") ||
	    mx_attrs_int(&layer->attrs, "kind", KIND_MAX) != KIND_MAX ||
	    !is_all(layer, "kernel", (int64_t)MX_POOL_SIDE) ||
	    !is_all(layer, "stride", (int64_t)MX_POOL_SIDE) ||
	    !is_default(layer, "dilation", 1) ||
	    !is_default(layer, "pad_begin", 0) ||
	    !is_default(layer, "pad_end", 0))
		return 0;
	for (i = 0; i < SPATIAL_DIMS; i++)
		if (layer->in_shape[0].dim[FIRST_SPATIAL + i] % MX_POOL_SIDE)
			return 0;
	return 1;
}

/*
 * Let @by pool if its operator can, which only it knows. Returns 1; 0 if it
 * cannot, and then it is as it was; or -ENOMEM.
 */
static int make_pool(struct mx_layer *by)
{
	struct mx_layer trial = {
		.name = by->name,
		.op_name = by->op_name,
		.in_count = by->in_count,
		.out_count = by->out_count,
	};
	int rc;

	rc = mx_attrs_copy(&by->attrs, &trial.attrs);
	if (!rc)
		rc = mx_attrs_set_int(&trial.attrs, MX_ATTR_POOL, MX_POOL_SIDE);
	if (!rc)
		rc = mx_layer_bind(&trial, by->in_shape, NULL);
	if (!rc) {
		const struct mx_attrs before = by->attrs;

		by->attrs = trial.attrs;
		trial.attrs = before;
	}
	trial.name = trial.op_name = NULL;
	mx_layer_fini(&trial);
	if (rc == -EBADMSG)
		return 0;
	return rc ? rc : 1;
}

static int fuse(struct mx_graph *graph, struct mx_graph_uses *uses,
		struct mx_node *node, struct mx_err *err)
{
	struct mx_node *by;
	int rc;

	if (node->dead || !is_plain(node))
		return 0;
	by = mx_match_sole_feeder(graph, uses, node, 0);
	if (!by || !(by->layer.op->traits & MX_OP_FUSES_POOLING) ||
	    mx_attrs_int(&by->layer.attrs, MX_ATTR_POOL, 0))
		return 0;
	rc = make_pool(&by->layer);
	if (rc < 0)
		return mx_fail(err, -rc, "%s: no memory", by->layer.name);
	if (rc == 0)
		return 0;
	mx_match_absorb(graph, uses, by, node);
	return mx_graph_rebind(graph, by, err);
}

int mx_pass_pooling(struct mx_graph *graph, struct mx_err *err)
{
	const int rc = mx_match_each(graph, fuse, err);

	return rc ? rc : mx_graph_compact(graph, err);
}
