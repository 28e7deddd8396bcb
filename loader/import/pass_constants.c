/*
 * Reshapes and transposes of Constants only change strides, whatever their
 * size. Other operators are run here, by the device's own code, so that the
 * result is what the device would have computed; their results are kept in
 * memory until the model is written, so there is a limit to them: what is
 * beyond it stays in the network and is computed there.
 */
#include "loader/import/passes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "lib/simd.h"
#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"
#include "loader/import/weights.h"

/* Floats that a node may read and write, and that all results may take. */
#define NODE_ELEMS_MAX ((size_t)4 << 20)
#define TOTAL_ELEMS_MAX ((size_t)8 << 20)

struct folder {
	struct mx_graph *graph;
	struct mx_graph_uses uses;
	size_t total_elems; /* of the results so far */
};

/* What one run needs beside the views' data. */
struct run {
	struct mx_view *views; /* inputs, then the output */
	float *data; /* of all views; the output's is its tail */
	unsigned char *weights;
	void *scratch;
};

static void run_fini(struct run *run)
{
	free(run->views);
	free(run->data);
	free(run->weights);
	free(run->scratch);
}

static void *aligned(size_t bytes)
{
	return aligned_alloc(
		MX_ARENA_ALIGN_BYTES,
		mx_size_round_up(bytes ? bytes : 1, MX_ARENA_ALIGN_BYTES));
}

static const struct mx_const *constant_of(const struct folder *f,
					  uint32_t value)
{
	return mx_match_constant(f->graph, &f->uses, value);
}

static int load_weights(struct run *run, const struct mx_node *node,
			struct mx_err *err)
{
	const struct mx_layer *layer = &node->layer;
	unsigned char *at;
	uint64_t b;
	int rc = 0;

	if (layer->weight_bytes == 0)
		return 0;
	run->weights = aligned((size_t)layer->weight_bytes);
	if (!run->weights)
		return mx_fail(err, ENOMEM, "%s: no memory", layer->name);
	at = run->weights;
	for (b = 0; b < mx_weight_block_count(&layer->weights) && !rc; b++) {
		rc = mx_weights_block(layer, &node->weights, b, at, err);
		at += mx_weight_block_bytes(&layer->weights, b);
	}
	return rc;
}

static int run_init(const struct folder *f, const struct mx_node *node,
		    size_t elems, struct run *run, struct mx_err *err)
{
	const struct mx_layer *layer = &node->layer;
	size_t at = 0;
	uint32_t i;

	memset(run, 0, sizeof(*run));
	run->views = calloc((size_t)layer->in_count + 1, sizeof(*run->views));
	run->data = aligned(elems * sizeof(float));
	run->scratch = aligned(layer->scratch_bytes);
	if (!run->views || !run->data || !run->scratch)
		return mx_fail(err, ENOMEM, "%s: no memory", layer->name);
	for (i = 0; i <= layer->in_count; i++) {
		const uint32_t v =
			i < layer->in_count ? layer->in[i] : layer->out[0];
		const struct mx_tensor *value = &f->graph->values[v];
		const size_t count = mx_shape_elems(&value->shape);

		mx_view_init(&run->views[i], value, run->data + at);
		if (i < layer->in_count)
			mx_const_read_f32(constant_of(f, v), 0, count,
					  run->data + at);
		at += count;
	}
	assert(at == elems);
	return load_weights(run, node, err);
}

/* @node becomes a Constant of the same output. */
static int become_constant(struct mx_graph *graph, struct mx_node *node,
			   const struct mx_const *constant, struct mx_err *err)
{
	const float none = 0;
	int64_t dims[MX_RANK_MAX];
	uint32_t i;
	size_t k;
	int rc;

	for (i = 0; i < constant->shape.rank; i++)
		dims[i] = (int64_t)constant->shape.dim[i];
	rc = mx_match_become(node, "Constant", node->layer.in[0], &none, 0);
	if (!rc)
		rc = mx_attrs_set_ints(&node->layer.attrs, "shape", dims,
				       constant->shape.rank);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", node->layer.name);
	node->layer.in_count = 0;
	free(node->weights.row_scale);
	for (k = 0; k < MX_VECTORS_MAX; k++)
		free(node->weights.vector[k]);
	memset(&node->weights, 0, sizeof(node->weights));
	rc = mx_node_set_rows(node, constant);
	return rc ? rc : mx_graph_rebind(graph, node, err);
}

/* The output's floats as a constant that the graph owns. */
static int keep_result(struct mx_graph *graph, const float *values,
		       const struct mx_shape *shape, struct mx_const *out,
		       struct mx_err *err)
{
	struct mx_blob blob = {.kind = MX_BLOB_BYTES, .type = MX_DTYPE_F32};
	float *copy;

	blob.count = mx_shape_elems(shape);
	copy = malloc(blob.count ? blob.count * sizeof(*copy) : 1);
	if (!copy || mx_graph_own(graph, copy))
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	memcpy(copy, values, blob.count * sizeof(*copy));
	blob.data = copy;
	return mx_const_init(out, &blob, shape, err);
}

static int compute(struct folder *f, struct mx_node *node, size_t elems,
		   struct mx_err *err)
{
	const struct mx_layer *layer = &node->layer;
	const struct mx_range all = {0, layer->block_count * layer->tile_count};
	struct mx_const result;
	struct mx_op_args args;
	struct run run;
	int rc;

	rc = run_init(f, node, elems, &run, err);
	if (rc)
		goto out;
	memset(&args, 0, sizeof(args));
	args.layer = layer;
	args.in = run.views;
	args.out = run.views + layer->in_count;
	args.weights = run.weights;
	args.scratch = run.scratch;
	args.simd = mx_simd_best();
	layer->op->run(&args, all);
	rc = keep_result(f->graph, args.out->data, &layer->out_shape[0],
			 &result, err);
	if (rc)
		goto out;
	f->total_elems += mx_shape_elems(&layer->out_shape[0]);
	rc = become_constant(f->graph, node, &result, err);
out:
	run_fini(&run);
	return rc;
}

/* Reshape and Transpose by strides. *@done says whether it was one. */
static int restride(struct folder *f, struct mx_node *node, int *done,
		    struct mx_err *err)
{
	const struct mx_layer *layer = &node->layer;
	const struct mx_const *in = constant_of(f, layer->in[0]);
	const struct mx_attr *perm = mx_attrs_find(&layer->attrs, "perm");
	struct mx_const result;
	uint32_t order[MX_RANK_MAX];
	uint32_t i;

	*done = 1;
	if (layer->op->traits & MX_OP_RESHAPE &&
	    mx_const_reshape(in, &layer->out_shape[0], &result) == 0)
		return become_constant(f->graph, node, &result, err);
	if (mx_match_op(node, "Transpose") && perm &&
	    perm->int_count == in->shape.rank) {
		for (i = 0; i < in->shape.rank; i++)
			order[i] = (uint32_t)perm->ints[i];
		mx_const_permute(in, order, &result);
		return become_constant(f->graph, node, &result, err);
	}
	*done = 0;
	return 0;
}

/*
 * Operators on feature maps and matrices are left alone: they want layouts and
 * OpenBLAS, and a network that has them on constants alone has no use for
 * speed.
 */
static int may_compute(const struct folder *f, const struct mx_node *node,
		       size_t *elems)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t i;

	if (layer->op->traits & (MX_OP_SPATIAL | MX_OP_DENSE) ||
	    mx_match_op(node, "MatMul"))
		return 0;
	*elems = mx_shape_elems(&layer->out_shape[0]);
	if (*elems > TOTAL_ELEMS_MAX - f->total_elems)
		return 0;
	for (i = 0; i < layer->in_count; i++) {
		*elems += mx_shape_elems(&layer->in_shape[i]);
		if (*elems > NODE_ELEMS_MAX)
			return 0;
	}
	return layer->weight_bytes / sizeof(float) <= NODE_ELEMS_MAX;
}

static int fold_node(struct folder *f, struct mx_node *node, struct mx_err *err)
{
	const struct mx_layer *layer = &node->layer;
	size_t elems = 0;
	uint32_t i;
	int done;
	int rc;

	if (node->dead || layer->in_count == 0 || layer->out_count != 1)
		return 0;
	for (i = 0; i < layer->in_count; i++)
		if (!constant_of(f, layer->in[i]))
			return 0;
	rc = restride(f, node, &done, err);
	if (rc || done)
		return rc;
	return may_compute(f, node, &elems) ? compute(f, node, elems, err) : 0;
}

int mx_pass_constants(struct mx_graph *graph, struct mx_err *err)
{
	struct folder f = {.graph = graph};
	uint32_t n;
	int rc;

	rc = mx_graph_uses(graph, &f.uses);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", graph->name);
	for (n = 0; n < graph->node_count && !rc; n++)
		rc = fold_node(&f, &graph->nodes[n], err);
	mx_graph_uses_fini(&f.uses);
	return rc ? rc : mx_pass_drop(graph, err);
}
