/*
 * An independent check of mx_pass_place(): replays a placed graph element by
 * element. Every element of every value has a tag: a fresh one when an
 * operator computes it, its source's when it is only moved. Memory holds tags,
 * too. Before a node runs, each input must find its own tags in its memory;
 * what the node writes must not destroy what it has yet to read; at the end
 * the outputs must still be there.
 */
#ifndef MX_TESTS_PLACE_CHECKER_H
#define MX_TESTS_PLACE_CHECKER_H

#include "tests/graph_fixture.h"

struct pc {
	const struct mx_graph *graph;
	uint32_t **tags; /* of each value's elements, logical order */
	uint32_t **memory; /* of each root */
	uint32_t **reader; /* of each root: 1 + element that the node reads */
	uint32_t next_tag;
	size_t copied; /* elements that were moved by nodes that only move */
};

/* Where logical element @i of value @v is in its root's memory. */
static size_t pc_place(const struct pc *pc, uint32_t v, size_t i)
{
	const struct mx_tensor *t = &pc->graph->values[v];
	size_t stride[MX_RANK_MAX];
	size_t at = t->offset_elems;
	uint32_t d;

	mx_tensor_strides(t, stride);
	for (d = t->shape.rank; d-- > 0; i /= t->shape.dim[d])
		at += i % t->shape.dim[d] * stride[d];
	return at;
}

static size_t pc_elems(const struct pc *pc, uint32_t v)
{
	return mx_shape_elems(&pc->graph->values[v].shape);
}

static uint32_t pc_fetch(const struct pc *pc, uint32_t v, size_t i)
{
	return pc->memory[pc->graph->values[v].root][pc_place(pc, v, i)];
}

static void pc_expect_intact(const struct pc *pc, uint32_t v, const char *by)
{
	size_t i;

	for (i = 0; i < pc_elems(pc, v); i++)
		if (pc_fetch(pc, v, i) != pc->tags[v][i])
			fail_msg("%s finds element %zu of %s overwritten", by,
				 i, pc->graph->values[v].name);
}

/* The element of which input that output element @i of a mover is. */
static uint32_t pc_source_tag(const struct pc *pc, const struct mx_node *node,
			      size_t i)
{
	const struct mx_layer *layer = &node->layer;
	const struct mx_shape *out = &layer->out_shape[0];
	const struct mx_attr *perm = mx_attrs_find(&layer->attrs, "perm");
	const uint32_t axis = (uint32_t)mx_attrs_int(&layer->attrs, "axis", 1);
	size_t index[MX_RANK_MAX], from[MX_RANK_MAX] = {0};
	size_t at = 0;
	uint32_t d, k = 0;

	if (layer->op->traits & MX_OP_RESHAPE)
		return pc->tags[layer->in[0]][i];
	for (d = out->rank; d-- > 0; i /= out->dim[d])
		index[d] = i % out->dim[d];
	for (d = 0; d < out->rank; d++)
		from[perm ? perm->ints[d] : d] = index[d];
	if (layer->op->traits & MX_OP_CONCAT)
		for (; from[axis] >= layer->in_shape[k].dim[axis]; k++)
			from[axis] -= layer->in_shape[k].dim[axis];
	for (d = 0; d < out->rank; d++)
		at = at * layer->in_shape[k].dim[d] + from[d];
	return pc->tags[layer->in[k]][at];
}

static int pc_is_mover(const struct mx_node *node)
{
	return node->layer.op->traits & (MX_OP_RESHAPE | MX_OP_CONCAT) ||
	       strcmp(node->layer.op_name, "Relayout") == 0 ||
	       strcmp(node->layer.op_name, "Transpose") == 0;
}

/* Write one element of an output; @mover: it may only move. */
static void pc_write(struct pc *pc, const struct mx_node *node, uint32_t v,
		     size_t i, int mover)
{
	const struct mx_layer *layer = &node->layer;
	const uint32_t root = pc->graph->values[v].root;
	const size_t at = pc_place(pc, v, i);
	const uint32_t tag = pc->tags[v][i];
	const uint32_t reader = pc->reader[root][at];

	if (mover && pc->memory[root][at] == tag)
		return;
	if (reader && (mover || !(layer->op->traits & MX_OP_IN_PLACE) ||
		       reader != (uint32_t)i + 1))
		fail_msg("%s destroys what it reads", layer->name);
	pc->memory[root][at] = tag;
	pc->copied += mover != 0;
}

/* Note (@on) or forget which elements the node reads, and where. */
static void pc_mark_readers(struct pc *pc, const struct mx_layer *layer, int on)
{
	uint32_t k;
	size_t i;

	for (k = 0; k < layer->in_count; k++) {
		const uint32_t v = layer->in[k];
		const uint32_t root = pc->graph->values[v].root;
		const int same = mx_shape_equal(&layer->in_shape[k],
						&layer->out_shape[0]);

		for (i = 0; i < pc_elems(pc, v); i++) {
			uint32_t *mark = &pc->reader[root][pc_place(pc, v, i)];
			const uint32_t want =
				same ? (uint32_t)i + 1 : UINT32_MAX;

			if (!on)
				*mark = 0;
			else
				*mark = *mark && *mark != want ? UINT32_MAX
							       : want;
		}
	}
}

static void pc_node(struct pc *pc, const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	const int mover = pc_is_mover(node);
	uint32_t k;
	size_t i;

	for (k = 0; k < layer->in_count; k++) {
		const struct mx_tensor *t = &pc->graph->values[layer->in[k]];

		pc_expect_intact(pc, layer->in[k], layer->name);
		if (layer->op->traits & (MX_OP_DENSE | MX_OP_RESHAPE) &&
		    t->layout == MX_LAYOUT_CHANNELS_LAST)
			assert_int_equal(t->pitch, t->shape.dim[1]);
	}
	pc_mark_readers(pc, layer, 1);
	for (k = 0; k < layer->out_count; k++) {
		const uint32_t v = layer->out[k];

		for (i = 0; i < pc_elems(pc, v); i++)
			pc->tags[v][i] = mover ? pc_source_tag(pc, node, i)
					       : ++pc->next_tag;
		for (i = 0; i < pc_elems(pc, v); i++)
			pc_write(pc, node, v, i, mover);
	}
	pc_mark_readers(pc, layer, 0);
}

/* Every value must lie inside its root, which owns itself. */
static void pc_init(struct pc *pc, const struct mx_graph *graph)
{
	size_t extent, room;
	uint32_t v;

	memset(pc, 0, sizeof(*pc));
	pc->graph = graph;
	pc->tags = calloc(graph->value_count, sizeof(*pc->tags));
	pc->memory = calloc(graph->value_count, sizeof(*pc->memory));
	pc->reader = calloc(graph->value_count, sizeof(*pc->reader));
	assert_true(pc->tags && pc->memory && pc->reader);
	for (v = 0; v < graph->value_count; v++) {
		const struct mx_tensor *t = &graph->values[v];
		const struct mx_tensor *root = &graph->values[t->root];

		assert_int_equal(root->root, t->root);
		assert_int_equal(root->offset_elems, 0);
		assert_int_equal(mx_tensor_extent(t, &extent), 0);
		assert_int_equal(mx_tensor_extent(root, &room), 0);
		assert_true(t->offset_elems + extent <= room);
		pc->tags[v] = calloc(pc_elems(pc, v) + 1, sizeof(uint32_t));
		pc->memory[v] = calloc(room + 1, sizeof(uint32_t));
		pc->reader[v] = calloc(room + 1, sizeof(uint32_t));
		assert_true(pc->tags[v] && pc->memory[v] && pc->reader[v]);
	}
}

/* Replay @graph. Returns the elements that its moving nodes had to copy. */
static FX_UNUSED size_t pc_replay(const struct mx_graph *graph)
{
	struct pc pc;
	uint32_t n, v;
	size_t i;

	pc_init(&pc, graph);
	for (n = 0; n < graph->input_count; n++) {
		v = graph->inputs[n];
		for (i = 0; i < pc_elems(&pc, v); i++) {
			pc.tags[v][i] = ++pc.next_tag;
			pc.memory[graph->values[v].root][pc_place(&pc, v, i)] =
				pc.next_tag;
		}
	}
	for (n = 0; n < graph->node_count; n++)
		pc_node(&pc, &graph->nodes[n]);
	for (n = 0; n < graph->output_count; n++)
		pc_expect_intact(&pc, graph->outputs[n], "the end");
	for (v = 0; v < graph->value_count; v++) {
		free(pc.tags[v]);
		free(pc.memory[v]);
		free(pc.reader[v]);
	}
	free(pc.tags);
	free(pc.memory);
	free(pc.reader);
	return pc.copied;
}

#endif
