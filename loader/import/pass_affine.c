/*
 * A node that is scale * x + bias for each channel goes into the node that
 * makes x, or becomes an Affine. First it is decoded (struct affine), whatever
 * its operator is; then it is folded. Arithmetic is in double and rounded once,
 * when the weights are written.
 */
#include "loader/import/passes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

/* scale and bias have `rows` values, one for each index along an axis. */
struct affine {
	size_t rows;
	uint32_t axis;
	uint32_t x_index; /* which input is x */
	double *scale;
	double *bias;
};

static int affine_init(struct affine *affine, size_t rows, uint32_t axis)
{
	size_t i;

	memset(affine, 0, sizeof(*affine));
	affine->scale = malloc((rows ? rows : 1) * sizeof(double));
	affine->bias = calloc(rows ? rows : 1, sizeof(double));
	affine->rows = rows;
	affine->axis = axis;
	if (!affine->scale || !affine->bias)
		return -ENOMEM; /* the caller ends it */
	for (i = 0; i < rows; i++)
		affine->scale[i] = 1;
	return 0;
}

static void affine_fini(struct affine *affine)
{
	free(affine->scale);
	free(affine->bias);
	memset(affine, 0, sizeof(*affine));
}

/* 1 if @constant, broadcast to @shape, varies along @axis at most. */
static int along_axis(const struct mx_const *constant,
		      const struct mx_shape *shape, uint32_t axis)
{
	const uint32_t rank = constant->shape.rank;
	uint32_t i;

	if (rank > shape->rank)
		return 0;
	for (i = 0; i < rank; i++) {
		const uint32_t d = shape->rank - rank + i;
		const size_t dim = constant->shape.dim[i];

		if (dim != 1 && (d != axis || dim != shape->dim[d]))
			return 0;
	}
	return 1;
}

/* Element @i along the axis of what along_axis() accepted. */
static double channel_value(const struct mx_const *constant, size_t i)
{
	const size_t elems = mx_shape_elems(&constant->shape);
	double value;

	mx_const_read_f64(constant, elems == 1 ? 0 : i, 1, &value);
	return value;
}

/*
 * The affine of binary operator @node by constant input @k; x is the other.
 * *@known is 0 if it is none.
 */
static int decode_binary(const struct mx_node *node,
			 const struct mx_const *constant, uint32_t k,
			 uint32_t axis, struct affine *out, int *known)
{
	const struct mx_shape *shape = &node->layer.out_shape[0];
	const int is_sub = mx_match_op(node, "Sub");
	size_t i;

	*known = along_axis(constant, shape, axis) &&
		 (mx_match_op(node, "Add") || mx_match_op(node, "Mul") ||
		  is_sub || (mx_match_op(node, "Div") && k == 1));
	if (!*known)
		return 0;
	if (affine_init(out, shape->dim[axis], axis))
		return -ENOMEM;
	out->x_index = 1 - k;
	for (i = 0; i < out->rows; i++) {
		const double c = channel_value(constant, i);

		if (mx_match_op(node, "Mul"))
			out->scale[i] = c;
		else if (mx_match_op(node, "Div"))
			out->scale[i] = 1 / c;
		else if (is_sub && k == 0)
			out->scale[i] = -1;
		if (mx_match_op(node, "Add") || (is_sub && k == 0))
			out->bias[i] = c;
		else if (is_sub)
			out->bias[i] = -c;
	}
	return 0;
}

/* As decode_binary(), for operators with one input. */
static int decode_unary(const struct mx_node *node, uint32_t axis,
			struct affine *out, int *known)
{
	const struct mx_attrs *attrs = &node->layer.attrs;
	const double *const *vector =
		(const double *const *)node->weights.vector;
	const int is_affine =
		mx_match_op(node, "Affine") && mx_match_row_axis(node) == axis;
	size_t i;

	*known = is_affine || (mx_match_op(node, "Power") &&
			       mx_attrs_float(attrs, "a", 1) == 1.0f);
	if (!*known)
		return 0;
	if (affine_init(out, node->layer.out_shape[0].dim[axis], axis))
		return -ENOMEM;
	for (i = 0; i < out->rows; i++) {
		if (!is_affine) {
			out->scale[i] = (double)mx_attrs_float(attrs, "b", 1);
			out->bias[i] = (double)mx_attrs_float(attrs, "c", 0);
			continue;
		}
		out->scale[i] = vector[0] ? vector[0][i] : 0;
		out->bias[i] = vector[1] ? vector[1][i] : 0;
	}
	return 0;
}

/* *@values becomes values * scale + bias (@bias may be NULL); NULL stands for
 * @absent everywhere. */
static int scale_values(double **values, size_t *count, double absent,
			const struct affine *affine, const double *bias)
{
	size_t i;

	if (!*values) {
		*values = malloc((affine->rows ? affine->rows : 1) *
				 sizeof(double));
		if (!*values)
			return -ENOMEM;
		for (i = 0; i < affine->rows; i++)
			(*values)[i] = absent;
		*count = affine->rows;
	}
	assert(*count == affine->rows);
	for (i = 0; i < affine->rows; i++)
		(*values)[i] =
			(*values)[i] * affine->scale[i] + (bias ? bias[i] : 0);
	return 0;
}

static int is_unscaled(const struct affine *affine)
{
	size_t i;

	for (i = 0; i < affine->rows; i++)
		if (affine->scale[i] != 1)
			return 0;
	return 1;
}

static int fold(struct mx_node *by, const struct affine *affine)
{
	struct mx_weights *w = &by->weights;
	const int is_affine = mx_match_op(by, "Affine");
	const unsigned bias = is_affine ? 1 : 0;
	int rc = 0;

	if (is_affine && w->vector[0])
		rc = scale_values(&w->vector[0], &w->vector_count[0], 0, affine,
				  NULL);
	else if (!is_affine && (w->row_scale || !is_unscaled(affine)))
		rc = scale_values(&w->row_scale, &w->row_scale_count, 1, affine,
				  NULL);
	if (rc)
		return rc;
	return scale_values(&w->vector[bias], &w->vector_count[bias], 0, affine,
			    affine->bias);
}

static int can_take(const struct mx_node *by)
{
	return by && !mx_attrs_int(&by->layer.attrs, MX_ATTR_ACTIVATION, 0) &&
	       !by->weights.integers &&
	       (by->layer.op->traits & MX_OP_FUSES_AFFINE ||
		mx_match_op(by, "Affine"));
}

/* The node that could take @node in, and if it could, what it is to take. */
static int decode(const struct mx_graph *graph,
		  const struct mx_graph_uses *uses, const struct mx_node *node,
		  struct mx_node **by, struct affine *out, int *known)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t k;
	int rc = 0;

	*known = 0;
	if (layer->in_count == 1) {
		*by = mx_match_sole_producer(graph, uses, node, 0);
		if (!can_take(*by))
			return 0;
		return decode_unary(node, mx_match_row_axis(*by), out, known);
	}
	for (k = 0; k < 2 && layer->in_count == 2 && !rc && !*known; k++) {
		const struct mx_const *constant =
			mx_match_constant(graph, uses, layer->in[k]);

		if (!constant)
			continue;
		*by = mx_match_sole_producer(graph, uses, node, 1 - k);
		if (can_take(*by))
			rc = decode_binary(node, constant, k,
					   mx_match_row_axis(*by), out, known);
	}
	return rc;
}

/* What the new owner inherits beside the sums: a fused activation. */
static int inherit(struct mx_node *by, struct mx_node *node)
{
	const uint32_t last = node->layer.weights.vectors;
	struct mx_activation act;
	int rc;

	if (!mx_attrs_int(&node->layer.attrs, MX_ATTR_ACTIVATION, 0))
		return 0;
	rc = mx_activation_bind(&act, &node->layer.attrs, NULL);
	if (rc)
		return rc;
	rc = mx_activation_store(&act, &by->layer.attrs);
	if (rc || act.kind != MX_ACTIVATION_PRELU ||
	    !node->weights.vector[last - 1])
		return rc;
	return mx_node_set_vector(by, by->layer.weights.vectors,
				  node->weights.vector[last - 1],
				  node->weights.vector_count[last - 1]);
}

/* @node's constant input that it could do without, being an Affine: one value
 * for each channel. *@known is 0 if there is none. */
static int decode_alone(const struct mx_graph *graph,
			const struct mx_graph_uses *uses,
			const struct mx_node *node, struct affine *out,
			int *known)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t k;
	int rc = 0;

	*known = 0;
	/* A quotient by 1 / c may differ from one by c. */
	if (layer->in_count != 2 || layer->out_shape[0].rank < 2 ||
	    mx_match_op(node, "Div") ||
	    mx_attrs_int(&layer->attrs, MX_ATTR_ACTIVATION, 0))
		return 0;
	for (k = 0; k < 2 && !rc && !*known; k++) {
		const struct mx_const *constant =
			mx_match_constant(graph, uses, layer->in[k]);
		const uint32_t x = layer->in[1 - k];

		/* One value for all costs nothing as it is. */
		if (constant && mx_shape_elems(&constant->shape) > 1 &&
		    mx_shape_equal(&graph->values[x].shape,
				   &layer->out_shape[0]))
			rc = decode_binary(node, constant, k, 1, out, known);
	}
	return rc;
}

/* No other node can take @node in: it becomes an Affine of its own if it can,
 * which takes in those after it and needs no Constant. */
static int make_affine(struct mx_graph *graph, struct mx_graph_uses *uses,
		       struct mx_node *node, struct mx_err *err)
{
	struct affine affine = {0};
	uint32_t x, constant;
	int known;
	int rc;

	rc = decode_alone(graph, uses, node, &affine, &known);
	if (rc || !known)
		goto out;
	x = node->layer.in[affine.x_index];
	constant = node->layer.in[1 - affine.x_index];
	rc = mx_match_become(node, "Affine", x, NULL, 0);
	if (rc)
		goto out;
	uses->use_count[constant]--;
	rc = mx_node_set_vector(node, 0, affine.scale, affine.rows);
	if (!rc)
		rc = mx_node_set_vector(node, 1, affine.bias, affine.rows);
	if (rc)
		goto out;
	affine_fini(&affine);
	return mx_graph_rebind(graph, node, err);
out:
	affine_fini(&affine);
	return rc ? mx_fail(err, -rc, "%s: no memory", node->layer.name) : 0;
}

static int fold_node(struct mx_graph *graph, struct mx_graph_uses *uses,
		     struct mx_node *node, struct mx_err *err)
{
	struct affine affine = {0};
	struct mx_node *by = NULL;
	int known;
	int rc;

	if (node->dead || node->layer.out_count != 1)
		return 0;
	rc = decode(graph, uses, node, &by, &affine, &known);
	if (!rc && !known)
		return make_affine(graph, uses, node, err);
	if (rc)
		goto out;
	/* A fused activation can only move to one that can apply it. */
	if (mx_attrs_int(&node->layer.attrs, MX_ATTR_ACTIVATION, 0) &&
	    !(by->layer.op->traits & MX_OP_FUSES_ACTIVATION))
		goto out;
	assert(by->layer.weights.rows == affine.rows);
	rc = fold(by, &affine);
	if (!rc)
		rc = inherit(by, node);
	if (rc)
		goto out;
	mx_match_absorb(graph, uses, by, node);
	affine_fini(&affine);
	return mx_graph_rebind(graph, by, err);
out:
	affine_fini(&affine);
	return rc ? mx_fail(err, -rc, "%s: no memory", node->layer.name) : 0;
}

int mx_pass_affine(struct mx_graph *graph, struct mx_err *err)
{
	const int rc = mx_match_each(graph, fold_node, err);

	return rc ? rc : mx_pass_drop(graph, err);
}
