/*
 * One walk over the nodes in order decides the layout of each value when it is
 * made, and what each node reads: the value as it is, or a copy of it in the
 * other layout, which is made once (before its first reader) and shared.
 *
 * A graph input is channels-last if a spatial operator reads it, perhaps
 * through operators that do not care (struct plan, wanted).
 *
 * Where memory order and logical order happen to agree, no copy is made: see
 * is_same_memory().
 */
#include "loader/import/passes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

struct plan {
	struct mx_graph *graph;
	uint32_t *other; /* of each value: it in the other layout, or NONE */
	uint32_t *producer; /* of each value: its node in `made`, or NONE */
	unsigned char *wanted; /* a spatial operator wants the value */
	uint32_t room; /* of these arrays */
	struct mx_node *made; /* the nodes of the new graph */
	uint32_t made_count;
	uint32_t made_room;
};

static int can_be_last(const struct mx_shape *shape)
{
	return shape->rank >= 3 && shape->rank <= 5;
}

static int is_last(const struct plan *plan, uint32_t value)
{
	return plan->graph->values[value].layout == MX_LAYOUT_CHANNELS_LAST;
}

static void set_layout(struct plan *plan, uint32_t value, enum mx_layout layout)
{
	struct mx_tensor *t = &plan->graph->values[value];

	t->layout = layout;
	t->pitch = layout == MX_LAYOUT_CHANNELS_LAST ? t->shape.dim[1] : 0;
}

/* Both layouts of the shape are the same order of elements. */
static int is_same_memory(const struct mx_shape *shape)
{
	return shape->dim[1] <= 1 || mx_shape_span(shape, 2, shape->rank) <= 1;
}

/* Same batch, same channels, as many pixels: channels-last stays as it is. */
static int keeps_pixels(const struct mx_shape *a, const struct mx_shape *b)
{
	return can_be_last(a) && can_be_last(b) && a->dim[0] == b->dim[0] &&
	       a->dim[1] == b->dim[1] &&
	       mx_shape_span(a, 2, a->rank) == mx_shape_span(b, 2, b->rank);
}

/* --- what the graph's inputs should be --------------------------------- */

static void find_wanted(struct plan *plan)
{
	const struct mx_graph *graph = plan->graph;
	uint32_t n, i;

	for (n = graph->node_count; n-- > 0;) {
		const struct mx_layer *layer = &graph->nodes[n].layer;
		const unsigned traits = layer->op->traits;
		const uint32_t rank = layer->out_shape[0].rank;

		if (traits & MX_OP_SPATIAL) {
			plan->wanted[layer->in[0]] = 1;
			continue;
		}
		if (traits & (MX_OP_ORDERED | MX_OP_RESHAPE | MX_OP_DENSE) ||
		    !plan->wanted[layer->out[0]] ||
		    mx_match_op(&graph->nodes[n], "Transpose"))
			continue;
		for (i = 0; i < layer->in_count; i++)
			if (layer->in_shape[i].rank == rank)
				plan->wanted[layer->in[i]] = 1;
	}
}

/* --- nodes that are added ---------------------------------------------- */

/* Move @node to the end of the new graph, which has room (plan_init). */
static void emit(struct plan *plan, const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	uint32_t i;

	assert(plan->made_count < plan->room);
	for (i = 0; i < layer->out_count; i++)
		plan->producer[layer->out[i]] = plan->made_count;
	plan->made[plan->made_count++] = *node;
}

/* *@value in the other layout, by a Relayout that is made now or was. */
static int relayout(struct plan *plan, uint32_t *value, struct mx_err *err)
{
	struct mx_graph *graph = plan->graph;
	const uint32_t from = *value;
	const int to_last = !is_last(plan, from);
	char *name = NULL;
	uint32_t to;
	int rc;

	if (plan->other[from] != MX_NONE) {
		*value = plan->other[from];
		return 0;
	}
	if (asprintf(&name, "%s/%s", graph->values[from].name,
		     to_last ? "last" : "rows") < 0)
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	/* The graph's own list is only a place to make the node. */
	rc = mx_graph_simple(graph, "Relayout", name, &from, 1, NULL, name, &to,
			     err);
	free(name);
	if (rc)
		return rc;
	graph->node_count--;
	assert(to < plan->room);
	emit(plan, &graph->nodes[graph->node_count]);
	set_layout(plan, to,
		   to_last ? MX_LAYOUT_CHANNELS_LAST : MX_LAYOUT_ROW_MAJOR);
	plan->other[from] = to;
	plan->other[to] = from;
	*value = to;
	return 0;
}

/* Input @index of @layer in layout @layout. */
static int read_as(struct plan *plan, struct mx_layer *layer, uint32_t index,
		   enum mx_layout layout, struct mx_err *err)
{
	const struct mx_tensor *t = &plan->graph->values[layer->in[index]];

	if (t->layout == layout)
		return 0;
	if (layout == MX_LAYOUT_CHANNELS_LAST && !can_be_last(&t->shape))
		return mx_fail(err, EBADMSG, "%s: %s needs rank 3 to 5",
			       layer->name, layer->op_name);
	return relayout(plan, &layer->in[index], err);
}

/* --- one kind of node after the other ---------------------------------- */

static int do_spatial(struct plan *plan, struct mx_layer *layer,
		      struct mx_err *err)
{
	uint32_t i;
	int rc;

	rc = read_as(plan, layer, 0, MX_LAYOUT_CHANNELS_LAST, err);
	for (i = 0; i < layer->out_count && !rc; i++)
		set_layout(plan, layer->out[i], MX_LAYOUT_CHANNELS_LAST);
	return rc;
}

static int do_ordered(struct plan *plan, struct mx_layer *layer,
		      struct mx_err *err)
{
	uint32_t i;
	int rc = 0;

	for (i = 0; i < layer->in_count && !rc; i++)
		rc = read_as(plan, layer, i, MX_LAYOUT_ROW_MAJOR, err);
	return rc;
}

static int do_reshape(struct plan *plan, struct mx_layer *layer,
		      struct mx_err *err)
{
	const struct mx_shape *in = &layer->in_shape[0];
	const struct mx_shape *out = &layer->out_shape[0];

	if (is_last(plan, layer->in[0])) {
		if (keeps_pixels(in, out)) {
			set_layout(plan, layer->out[0],
				   MX_LAYOUT_CHANNELS_LAST);
			return 0;
		}
		if (is_same_memory(in))
			return 0;
	}
	return do_ordered(plan, layer, err);
}

/*
 * The channels-last value that @value is a flattening of, when its dimensions
 * from 1 on are flattened together; else MX_NONE.
 */
static uint32_t flattened(const struct plan *plan, uint32_t value)
{
	const struct mx_shape *flat = &plan->graph->values[value].shape;

	for (;;) {
		const struct mx_shape *shape;
		const struct mx_layer *layer;

		shape = &plan->graph->values[value].shape;
		if (shape->rank < 1 || flat->rank < 1 ||
		    shape->dim[0] != flat->dim[0])
			return MX_NONE;
		if (is_last(plan, value))
			return value;
		if (plan->producer[value] == MX_NONE)
			return MX_NONE;
		layer = &plan->made[plan->producer[value]].layer;
		if (!(layer->op->traits & MX_OP_RESHAPE) &&
		    strcmp(layer->op_name, "Relayout") != 0)
			return MX_NONE;
		value = layer->in[0];
	}
}

/* The columns of @node's weights, in the order that channels-last @x has. */
static int permute_columns(struct mx_node *node, const struct mx_shape *x)
{
	struct mx_weights *w = &node->weights;
	struct mx_shape shape = {.rank = x->rank};
	uint32_t perm[MX_RANK_MAX];
	struct mx_const columns;
	uint32_t i;

	shape.dim[0] = (size_t)node->layer.weights.rows;
	for (i = 1; i < x->rank; i++)
		shape.dim[i] = x->dim[i];
	if (!w->has_rows || mx_const_reshape(&w->rows, &shape, &columns))
		return -EINVAL;
	/* [row][C][spatial...] is read as [row][spatial...][C]. */
	perm[0] = 0;
	for (i = 1; i + 1 < x->rank; i++)
		perm[i] = i + 1;
	perm[x->rank - 1] = 1;
	mx_const_permute(&columns, perm, &w->rows);
	return 0;
}

static int do_dense(struct plan *plan, struct mx_node *node, struct mx_err *err)
{
	struct mx_layer *layer = &node->layer;
	uint32_t from;

	if (mx_attrs_int(&layer->attrs, "axis", 1) == 1) {
		from = flattened(plan, layer->in[0]);
		if (from != MX_NONE &&
		    permute_columns(node, &plan->graph->values[from].shape) ==
			    0) {
			layer->in[0] = from;
			return mx_graph_rebind(plan->graph, node, err);
		}
	}
	return do_ordered(plan, layer, err);
}

/*
 * A transpose may find its output in its input's memory, if that is given the
 * right layout (NHWC to NCHW and back).
 */
static void do_transpose(struct plan *plan, struct mx_layer *layer)
{
	static const enum mx_layout layouts[] = {MX_LAYOUT_ROW_MAJOR,
						 MX_LAYOUT_CHANNELS_LAST};
	const struct mx_attr *perm = mx_attrs_find(&layer->attrs, "perm");
	const struct mx_shape *shape = &layer->out_shape[0];
	size_t in_stride[MX_RANK_MAX], out_stride[MX_RANK_MAX];
	uint32_t i;
	size_t k;

	mx_tensor_strides(&plan->graph->values[layer->in[0]], in_stride);
	for (k = 0; k < 2 && perm && perm->int_count == shape->rank; k++) {
		if (layouts[k] == MX_LAYOUT_CHANNELS_LAST &&
		    !can_be_last(shape))
			break;
		set_layout(plan, layer->out[0], layouts[k]);
		mx_tensor_strides(&plan->graph->values[layer->out[0]],
				  out_stride);
		for (i = 0; i < shape->rank; i++)
			if (shape->dim[i] > 1 &&
			    out_stride[i] != in_stride[perm->ints[i]])
				break;
		if (i == shape->rank)
			return;
	}
	set_layout(plan, layer->out[0], MX_LAYOUT_ROW_MAJOR);
}

/* The output is as the largest input of its rank. */
static void do_any(struct plan *plan, struct mx_layer *layer)
{
	const uint32_t rank = layer->out_shape[0].rank;
	size_t most = 0;
	int last = 0;
	uint32_t i;

	for (i = 0; i < layer->in_count; i++) {
		const size_t elems = mx_shape_elems(&layer->in_shape[i]);

		if (layer->in_shape[i].rank != rank || elems < most)
			continue;
		/* Of two as large, channels-last wins. */
		last = is_last(plan, layer->in[i]) || (last && elems == most);
		most = elems;
	}
	for (i = 0; i < layer->out_count && last; i++)
		if (can_be_last(&layer->out_shape[i]))
			set_layout(plan, layer->out[i],
				   MX_LAYOUT_CHANNELS_LAST);
}

static int do_node(struct plan *plan, struct mx_node *node, struct mx_err *err)
{
	struct mx_layer *layer = &node->layer;
	const unsigned traits = layer->op->traits;

	if (traits & MX_OP_SPATIAL)
		return do_spatial(plan, layer, err);
	if (traits & MX_OP_RESHAPE)
		return do_reshape(plan, layer, err);
	if (traits & MX_OP_DENSE)
		return do_dense(plan, node, err);
	if (traits & MX_OP_ORDERED)
		return do_ordered(plan, layer, err);
	if (mx_match_op(node, "Transpose"))
		do_transpose(plan, layer);
	else
		do_any(plan, layer);
	return 0;
}

static int plan_init(struct plan *plan, struct mx_graph *graph)
{
	const size_t room =
		2 * (size_t)graph->value_count + graph->node_count + 1;
	size_t v;

	memset(plan, 0, sizeof(*plan));
	plan->graph = graph;
	/* No value gets more than one Relayout. */
	if (room > UINT32_MAX)
		return -ENOMEM;
	plan->room = (uint32_t)room;
	plan->other = malloc(room * sizeof(*plan->other));
	plan->producer = malloc(room * sizeof(*plan->producer));
	plan->made = malloc(room * sizeof(*plan->made));
	plan->wanted = calloc(room, 1);
	if (!plan->other || !plan->producer || !plan->made || !plan->wanted)
		return -ENOMEM;
	for (v = 0; v < room; v++) {
		plan->other[v] = MX_NONE;
		plan->producer[v] = MX_NONE;
	}
	return 0;
}

/*
 * The nodes move from the graph's list to a new one; on failure the rest
 * follows as it is, so that the graph can be freed. Relayouts are made in the
 * graph's own list, which is empty meanwhile.
 */
static int rewrite(struct plan *plan, struct mx_err *err)
{
	struct mx_graph *graph = plan->graph;
	struct mx_node *old = graph->nodes;
	const uint32_t old_count = graph->node_count;
	uint32_t n;
	int rc = 0;

	graph->nodes = NULL;
	graph->node_count = 0;
	graph->node_room = 0;
	for (n = 0; n < old_count; n++) {
		if (!rc)
			rc = do_node(plan, &old[n], err);
		emit(plan, &old[n]);
	}
	free(old);
	free(graph->nodes);
	graph->nodes = plan->made;
	graph->node_count = plan->made_count;
	graph->node_room = plan->room;
	plan->made = NULL;
	return rc;
}

int mx_pass_layout(struct mx_graph *graph, struct mx_err *err)
{
	struct plan plan;
	uint32_t i;
	int rc;

	rc = plan_init(&plan, graph);
	if (rc) {
		rc = mx_fail(err, -rc, "%s: no memory", graph->name);
		goto out;
	}
	find_wanted(&plan);
	for (i = 0; i < graph->input_count; i++) {
		const uint32_t v = graph->inputs[i];

		if (plan.wanted[v] && can_be_last(&graph->values[v].shape))
			set_layout(&plan, v, MX_LAYOUT_CHANNELS_LAST);
	}
	rc = rewrite(&plan, err);
out:
	free(plan.other);
	free(plan.producer);
	free(plan.wanted);
	free(plan.made);
	return rc ? rc : mx_pass_drop(graph, err);
}
