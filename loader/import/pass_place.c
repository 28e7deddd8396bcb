/*
 * Placement: which values live in which other value's memory.
 *
 * The result is a forest: parent[v] is the value in whose memory v lives. An
 * edge is one of
 *
 *   part   v is an input of a concatenation, p its output: v is some of p
 *   alias  v and p are the two sides of a node that moves nothing: same bytes
 *   under  an in-place operator's output p is written over its input v
 *
 * Nodes are looked at from last to first, and join their input under their
 * output, so that the output's own place is known; an alias may also hang its
 * output under its input, when that has a place already or is a graph input.
 * Therefore:
 *
 *  (1) What joins has no children yet: those come from its own producer, which
 *      is looked at later, or from aliases after it has a place.
 *  (2) What overlaps a value's memory, but is neither older than it nor part
 *      of it, is younger: it comes from nodes looked at before.
 *  (3) The only edge that destroys is "under", and it makes the destroyer the
 *      parent. So the first node that destroys v is that of the lowest "under"
 *      edge on v's way to the root (doom[v]).
 *  (4) A value may join below p if it is read for the last time before p's
 *      memory is destroyed: reads[v] < doom[p]. If the edge is "under", the
 *      node may itself read it, being the one that writes over it, element by
 *      element. A graph output is read for ever.
 *  (5) A value that needs dense memory never joins below one that is pitched.
 *
 * tests/test_pass_place.c checks the outcome by replaying it.
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

/* Later than any node. */
#define FOREVER UINT32_MAX

struct slot {
	uint32_t parent; /* MX_NONE: a root */
	uint32_t below; /* the way back down, while it is resolved */
	uint32_t reads; /* the last node that reads it */
	uint32_t doom; /* the first node that destroys it */
	size_t pixel; /* where a part begins: pixels, then elements */
	size_t elem;
	unsigned char movable; /* written by a node: can have a parent */
	unsigned char dense; /* needs dense memory */
	unsigned char pitched;
	unsigned char is_parent;
	unsigned char resolved;
};

struct places {
	struct mx_graph *graph;
	struct slot *slots;
};

static struct mx_tensor *value_of(const struct places *p, uint32_t v)
{
	return &p->graph->values[v];
}

static int is_last(const struct places *p, uint32_t v)
{
	return value_of(p, v)->layout == MX_LAYOUT_CHANNELS_LAST;
}

/* Whether the node's output is its input's bytes, when both are dense. */
static int moves_nothing(const struct places *p, const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	const struct mx_shape *shape = &layer->out_shape[0];
	const struct mx_attr *perm = mx_attrs_find(&layer->attrs, "perm");
	size_t in[MX_RANK_MAX], out[MX_RANK_MAX];
	uint32_t i;

	if (layer->op->traits & MX_OP_RESHAPE)
		return 1;
	if (!mx_match_op(node, "Relayout") &&
	    !(mx_match_op(node, "Transpose") && perm &&
	      perm->int_count == shape->rank))
		return 0;
	mx_tensor_strides(value_of(p, layer->in[0]), in);
	mx_tensor_strides(value_of(p, layer->out[0]), out);
	for (i = 0; i < shape->rank; i++) {
		const size_t from = perm ? (size_t)perm->ints[i] : i;

		if (shape->dim[i] > 1 && in[from] != out[i])
			return 0;
	}
	return 1;
}

/* --- joining ------------------------------------------------------------ */

struct edge {
	uint32_t child;
	uint32_t parent;
	uint32_t node; /* for "under": the node; else MX_NONE */
	size_t pixel;
	size_t elem;
	int pitched; /* the child's pixels lie apart in a dense parent */
};

static int may_join(const struct places *p, const struct edge *edge)
{
	const struct slot *child = &p->slots[edge->child];
	const struct slot *parent = &p->slots[edge->parent];

	if (child->parent != MX_NONE || !child->movable)
		return 0;
	if (child->dense && (edge->pitched || parent->pitched))
		return 0;
	if (edge->node != MX_NONE)
		return child->reads <= edge->node;
	/* The destroyer may not read parts of what it writes over. */
	return parent->doom == FOREVER || child->reads < parent->doom;
}

static void join(struct places *p, const struct edge *edge)
{
	struct slot *child = &p->slots[edge->child];
	struct slot *parent = &p->slots[edge->parent];

	assert(!child->is_parent);
	child->parent = edge->parent;
	child->pixel = edge->pixel;
	child->elem = edge->elem;
	child->pitched = edge->pitched || parent->pitched;
	child->doom = edge->node == MX_NONE ? parent->doom : edge->node;
	parent->is_parent = 1;
}

static void place_alias(struct places *p, const struct mx_layer *layer)
{
	const struct edge down = {
		.child = layer->in[0],
		.parent = layer->out[0],
		.node = MX_NONE,
	};
	const struct edge up = {
		.child = layer->out[0],
		.parent = layer->in[0],
		.node = MX_NONE,
	};

	if (may_join(p, &down))
		join(p, &down);
	else if (may_join(p, &up))
		join(p, &up);
}

/*
 * Where part @k of a concatenation begins, if the parts lie one behind the
 * other in memory, or (channels) side by side in each pixel.
 */
static int part_edge(const struct places *p, const struct mx_layer *layer,
		     uint32_t axis, size_t before, struct edge *edge)
{
	const struct mx_tensor *out = value_of(p, edge->parent);
	const struct mx_tensor *in = value_of(p, edge->child);
	const uint32_t rank = out->shape.rank;

	if (in->layout != out->layout || layer->in_shape[0].rank != rank)
		return 0;
	if (out->layout == MX_LAYOUT_ROW_MAJOR) {
		edge->elem =
			before * mx_shape_span(&out->shape, axis + 1, rank);
		return mx_shape_span(&out->shape, 0, axis) == 1;
	}
	if (axis == 1) {
		edge->elem = before;
		edge->pitched = in->shape.dim[1] != out->shape.dim[1];
		return 1;
	}
	/* In memory the channels come last, so they are not before the axis. */
	if (axis == 0) {
		edge->pixel = before * mx_shape_span(&out->shape, 2, rank);
		return 1;
	}
	edge->pixel = before * mx_shape_span(&out->shape, axis + 1, rank);
	return out->shape.dim[0] == 1 &&
	       mx_shape_span(&out->shape, 2, axis) == 1;
}

static void place_concat(struct places *p, const struct mx_layer *layer)
{
	const uint32_t axis = (uint32_t)mx_attrs_int(&layer->attrs, "axis", 1);
	size_t before = 0;
	uint32_t i;

	for (i = 0; i < layer->in_count; i++) {
		struct edge edge = {
			.child = layer->in[i],
			.parent = layer->out[0],
			.node = MX_NONE,
		};

		assert(axis < layer->in_shape[i].rank);
		if (part_edge(p, layer, axis, before, &edge) &&
		    may_join(p, &edge))
			join(p, &edge);
		before += layer->in_shape[i].dim[axis];
	}
}

static void place_in_place(struct places *p, uint32_t n)
{
	const struct mx_layer *layer = &p->graph->nodes[n].layer;
	const struct mx_tensor *out = value_of(p, layer->out[0]);
	const uint32_t inputs =
		layer->op->traits & MX_OP_ELEMENTWISE ? layer->in_count : 1;
	uint32_t i;

	for (i = 0; i < inputs; i++) {
		const struct edge edge = {
			.child = layer->in[i],
			.parent = layer->out[0],
			.node = n,
		};
		const struct mx_tensor *in = value_of(p, edge.child);

		if (in->layout != out->layout ||
		    !mx_shape_equal(&in->shape, &out->shape) ||
		    !may_join(p, &edge))
			continue;
		join(p, &edge);
		return;
	}
}

static void place_node(struct places *p, uint32_t n)
{
	const struct mx_node *node = &p->graph->nodes[n];
	const struct mx_layer *layer = &node->layer;

	if (layer->out_count != 1 || layer->in_count == 0)
		return;
	if (moves_nothing(p, node))
		place_alias(p, layer);
	else if (layer->op->traits & MX_OP_CONCAT)
		place_concat(p, layer);
	else if (layer->op->traits & MX_OP_IN_PLACE)
		place_in_place(p, n);
}

/* --- before and after --------------------------------------------------- */

static void mark_dense(struct places *p, const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t i;

	if (!(layer->op->traits & (MX_OP_DENSE | MX_OP_RESHAPE)) &&
	    !moves_nothing(p, node))
		return;
	for (i = 0; i < layer->in_count; i++)
		p->slots[layer->in[i]].dense = 1;
	for (i = 0; i < layer->out_count; i++)
		p->slots[layer->out[i]].dense = 1;
}

static int places_init(struct places *p, struct mx_graph *graph)
{
	uint32_t v, n, i;

	p->graph = graph;
	p->slots = calloc((size_t)graph->value_count + 1, sizeof(*p->slots));
	if (!p->slots)
		return -ENOMEM;
	for (v = 0; v < graph->value_count; v++) {
		p->slots[v].parent = MX_NONE;
		p->slots[v].doom = FOREVER;
		p->slots[v].dense = !is_last(p, v);
	}
	for (n = 0; n < graph->node_count; n++) {
		const struct mx_layer *layer = &graph->nodes[n].layer;

		for (i = 0; i < layer->in_count; i++)
			p->slots[layer->in[i]].reads = n;
		for (i = 0; i < layer->out_count; i++) {
			p->slots[layer->out[i]].reads = n;
			p->slots[layer->out[i]].movable = 1;
		}
		mark_dense(p, &graph->nodes[n]);
	}
	for (i = 0; i < graph->output_count; i++)
		p->slots[graph->outputs[i]].reads = FOREVER;
	return 0;
}

/* Take over from @v's parent, which is resolved. */
static void resolve_one(struct places *p, uint32_t v)
{
	struct mx_tensor *t = value_of(p, v);
	const struct slot *slot = &p->slots[v];
	const struct mx_tensor *up;

	p->slots[v].resolved = 1;
	if (slot->parent == MX_NONE)
		return;
	up = value_of(p, slot->parent);
	t->root = up->root;
	t->offset_elems =
		up->offset_elems + slot->pixel * up->pitch + slot->elem;
	if (slot->pitched)
		t->pitch = up->pitch;
}

/* The way up is walked twice and turned round, so that it may be long. */
static void resolve(struct places *p, uint32_t v)
{
	uint32_t below = MX_NONE;

	while (!p->slots[v].resolved) {
		const uint32_t up = p->slots[v].parent;

		p->slots[v].below = below;
		below = v;
		if (up == MX_NONE)
			break;
		v = up;
	}
	while (below != MX_NONE) {
		resolve_one(p, below);
		below = p->slots[below].below;
	}
}

int mx_pass_place(struct mx_graph *graph, struct mx_err *err)
{
	struct places p;
	uint32_t n, v;

	if (places_init(&p, graph))
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	for (n = graph->node_count; n-- > 0;)
		place_node(&p, n);
	for (v = 0; v < graph->value_count; v++)
		resolve(&p, v);
	free(p.slots);
	return 0;
}
