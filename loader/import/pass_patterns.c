/*
 * Each pattern ends in a node that becomes one simpler operator on the
 * pattern's input; what stood between is left for the drop pass, unless others
 * use it. Patterns are tried in topological order, so that HardSigmoid found
 * inside HardSwish is there when its product is looked at.
 */
#include "loader/import/passes.h"

#include <errno.h>
#include <math.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

struct finder {
	struct mx_graph *graph;
	const struct mx_graph_uses *uses;
};

static struct mx_node *maker(const struct finder *f, uint32_t value)
{
	return mx_match_producer(f->graph, f->uses, value);
}

static int near(double x, double wanted)
{
	return fabs(x - wanted) <= 1e-5 * fabs(wanted);
}

/* A product of exactly two values. */
static int is_product(const struct mx_node *node)
{
	if (node->layer.in_count != 2 ||
	    mx_attrs_int(&node->layer.attrs, MX_ATTR_ACTIVATION, 0))
		return 0;
	return mx_match_op(node, "Mul") ||
	       (mx_match_op(node, "Eltwise") &&
		mx_attrs_int(&node->layer.attrs, "kind", 1) == 0);
}

/* Input @k of @node is a scalar near @wanted, and the other one, *@x, decides
 * the shape. */
static int scalar_at(const struct finder *f, const struct mx_node *node,
		     uint32_t k, double wanted, uint32_t *x)
{
	double value;

	*x = node->layer.in[1 - k];
	return mx_match_scalar(f->graph, f->uses, node->layer.in[k], &value) &&
	       near(value, wanted) &&
	       mx_shape_equal(&f->graph->values[*x].shape,
			      &node->layer.out_shape[0]);
}

/* @node is @op by a scalar constant near @wanted, of *@x. */
static int by_scalar(const struct finder *f, const struct mx_node *node,
		     const char *op, double wanted, uint32_t *x)
{
	if (!mx_match_op(node, op) || node->layer.in_count != 2 ||
	    mx_attrs_int(&node->layer.attrs, MX_ATTR_ACTIVATION, 0))
		return 0;
	/* Only sums and products may be turned round. */
	return scalar_at(f, node, 1, wanted, x) ||
	       (!mx_match_op(node, "Div") && scalar_at(f, node, 0, wanted, x));
}

/* @node is a sixth of *@x. */
static int sixth(const struct finder *f, const struct mx_node *node,
		 uint32_t *x)
{
	return by_scalar(f, node, "Div", 6, x) ||
	       by_scalar(f, node, "Mul", 1.0 / 6, x);
}

/* @value is clip(*@x + 3, 0, 6). */
static int shifted_relu6(const struct finder *f, uint32_t value, uint32_t *x)
{
	const struct mx_node *clip = maker(f, value);

	return mx_match_op(clip, "Clip") &&
	       mx_attrs_float(&clip->layer.attrs, "a", -1) == 0.0f &&
	       mx_attrs_float(&clip->layer.attrs, "b", 0) == 6.0f &&
	       by_scalar(f, maker(f, clip->layer.in[0]), "Add", 3, x);
}

/* @value is HardSigmoid(*@x) with HardSwish's constants. */
static int sixth_sigmoid(const struct finder *f, uint32_t value, uint32_t *x)
{
	const struct mx_node *node = maker(f, value);

	if (!mx_match_op(node, "HardSigmoid") ||
	    !near(mx_attrs_float(&node->layer.attrs, "a", 0.2f), 1.0 / 6) ||
	    !near(mx_attrs_float(&node->layer.attrs, "b", 0.5f), 0.5))
		return 0;
	*x = node->layer.in[0];
	return 1;
}

static int sigmoid(const struct finder *f, uint32_t value, uint32_t *x)
{
	const struct mx_node *node = maker(f, value);

	if (!mx_match_op(node, "Sigmoid"))
		return 0;
	*x = node->layer.in[0];
	return 1;
}

/* @node is *@x times @factor of *@x. */
static int gated(const struct finder *f, const struct mx_node *node,
		 int (*factor)(const struct finder *f, uint32_t value,
			       uint32_t *x),
		 uint32_t *x)
{
	uint32_t k;

	if (!is_product(node))
		return 0;
	for (k = 0; k < 2; k++)
		if (factor(f, node->layer.in[k], x) &&
		    *x == node->layer.in[1 - k])
			return 1;
	return 0;
}

/* relu(clip(x)) and clip(relu(x)) are clip(x) from max(a, 0) on. */
static int relu_and_clip(const struct finder *f, const struct mx_node *node,
			 uint32_t *x, float ab[2])
{
	const struct mx_node *relu = node, *clip = node;
	const struct mx_node *inner;

	if (node->layer.in_count != 1)
		return 0;
	inner = maker(f, node->layer.in[0]);
	if (mx_match_op(node, "Clip"))
		relu = inner;
	else
		clip = inner;
	if (!mx_match_op(relu, "Relu") || !mx_match_op(clip, "Clip") ||
	    mx_attrs_float(&relu->layer.attrs, "a", 0) != 0.0f)
		return 0;
	ab[0] = fmaxf(mx_attrs_float(&clip->layer.attrs, "a", -INFINITY), 0);
	ab[1] = mx_attrs_float(&clip->layer.attrs, "b", INFINITY);
	*x = inner->layer.in[0];
	return isfinite(ab[0]) && isfinite(ab[1]) && ab[0] <= ab[1];
}

static int match(const struct finder *f, struct mx_node *node, int *found)
{
	float ab[2] = {1.0f / 6, 0.5f};
	uint32_t x, inner;

	*found = 1;
	if (gated(f, node, sigmoid, &x))
		return mx_match_become(node, "Silu", x, NULL, 0);
	if (gated(f, node, sixth_sigmoid, &x))
		return mx_match_become(node, "HardSwish", x, NULL, 0);
	if (sixth(f, node, &inner)) {
		const struct mx_node *product = maker(f, inner);

		if (shifted_relu6(f, inner, &x))
			return mx_match_become(node, "HardSigmoid", x, ab, 2);
		if (product && gated(f, product, shifted_relu6, &x))
			return mx_match_become(node, "HardSwish", x, NULL, 0);
	}
	if (relu_and_clip(f, node, &x, ab))
		return mx_match_become(node, "Clip", x, ab, 2);
	*found = 0;
	return 0;
}

static int rewrite(struct mx_graph *graph, struct mx_graph_uses *uses,
		   struct mx_node *node, struct mx_err *err)
{
	const struct finder f = {.graph = graph, .uses = uses};
	int found, rc;

	if (node->dead)
		return 0;
	rc = match(&f, node, &found);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", graph->name);
	return found ? mx_graph_rebind(graph, node, err) : 0;
}

int mx_pass_patterns(struct mx_graph *graph, struct mx_err *err)
{
	const int rc = mx_match_each(graph, rewrite, err);

	return rc ? rc : mx_pass_drop(graph, err);
}
