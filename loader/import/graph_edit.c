/*
 * What passes do to a graph as a whole: who uses what, replace, tidy up.
 */
#include "loader/import/graph.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

int mx_graph_uses(const struct mx_graph *graph, struct mx_graph_uses *out)
{
	const size_t count = graph->value_count ? graph->value_count : 1;
	uint32_t n, i;

	memset(out, 0, sizeof(*out));
	out->producer = malloc(count * sizeof(*out->producer));
	out->use_count = calloc(count, sizeof(*out->use_count));
	out->last_user = malloc(count * sizeof(*out->last_user));
	if (!out->producer || !out->use_count || !out->last_user) {
		mx_graph_uses_fini(out);
		return -ENOMEM;
	}
	for (i = 0; i < graph->value_count; i++) {
		out->producer[i] = MX_NONE;
		out->last_user[i] = MX_NONE;
	}
	for (n = 0; n < graph->node_count; n++) {
		const struct mx_layer *layer = &graph->nodes[n].layer;

		if (graph->nodes[n].dead)
			continue;
		for (i = 0; i < layer->in_count; i++) {
			out->use_count[layer->in[i]]++;
			out->last_user[layer->in[i]] = n;
		}
		for (i = 0; i < layer->out_count; i++)
			out->producer[layer->out[i]] = n;
	}
	for (i = 0; i < graph->output_count; i++)
		out->use_count[graph->outputs[i]]++;
	return 0;
}

void mx_graph_uses_fini(struct mx_graph_uses *uses)
{
	free(uses->producer);
	free(uses->use_count);
	free(uses->last_user);
	memset(uses, 0, sizeof(*uses));
}

void mx_graph_replace(struct mx_graph *graph, uint32_t from, uint32_t to)
{
	uint32_t n, i;

	for (n = 0; n < graph->node_count; n++) {
		struct mx_layer *layer = &graph->nodes[n].layer;

		for (i = 0; i < layer->in_count; i++)
			if (layer->in[i] == from)
				layer->in[i] = to;
	}
	for (i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == from)
			graph->outputs[i] = to;
}

/* Where @value's chain ends; the chain is made one step long. */
static uint32_t chain_end(uint32_t *to, uint32_t value)
{
	uint32_t end = value;

	while (to[end] != end)
		end = to[end];
	while (to[value] != end) {
		const uint32_t next = to[value];

		to[value] = end;
		value = next;
	}
	return end;
}

void mx_graph_remap(struct mx_graph *graph, uint32_t *to)
{
	uint32_t n, i;

	for (n = 0; n < graph->node_count; n++) {
		struct mx_layer *layer = &graph->nodes[n].layer;

		for (i = 0; i < layer->in_count; i++)
			layer->in[i] = chain_end(to, layer->in[i]);
	}
	for (i = 0; i < graph->output_count; i++)
		graph->outputs[i] = chain_end(to, graph->outputs[i]);
}

static void free_dead_nodes(struct mx_graph *graph)
{
	uint32_t n, kept = 0;
	size_t k;

	for (n = 0; n < graph->node_count; n++) {
		struct mx_node *node = &graph->nodes[n];

		if (!node->dead) {
			if (kept != n)
				graph->nodes[kept] = *node;
			kept++;
			continue;
		}
		mx_layer_fini(&node->layer);
		free(node->weights.row_scale);
		for (k = 0; k < MX_VECTORS_MAX; k++)
			free(node->weights.vector[k]);
	}
	graph->node_count = kept;
}

/* Give @value a number in @number, and its root, if they have none. */
static void keep(const struct mx_graph *graph, uint32_t *number, uint32_t value)
{
	assert(value < graph->value_count);
	number[value] = 0;
	number[graph->values[value].root] = 0;
}

static void renumber(struct mx_graph *graph, const uint32_t *number)
{
	uint32_t v, n, i;

	for (v = 0; v < graph->value_count; v++) {
		if (number[v] == MX_NONE) {
			free(graph->values[v].name);
			continue;
		}
		graph->values[number[v]] = graph->values[v];
		graph->values[number[v]].root = number[graph->values[v].root];
	}
	for (n = 0; n < graph->node_count; n++) {
		struct mx_layer *layer = &graph->nodes[n].layer;

		for (i = 0; i < layer->in_count; i++)
			layer->in[i] = number[layer->in[i]];
		for (i = 0; i < layer->out_count; i++)
			layer->out[i] = number[layer->out[i]];
	}
	for (i = 0; i < graph->input_count; i++)
		graph->inputs[i] = number[graph->inputs[i]];
	for (i = 0; i < graph->output_count; i++)
		graph->outputs[i] = number[graph->outputs[i]];
}

int mx_graph_compact(struct mx_graph *graph, struct mx_err *err)
{
	uint32_t *number;
	uint32_t v, n, i, kept = 0;

	number = malloc((graph->value_count ? graph->value_count : 1) *
			sizeof(*number));
	if (!number)
		return mx_fail(err, ENOMEM, "%s: no memory", graph->name);
	free_dead_nodes(graph);
	for (v = 0; v < graph->value_count; v++)
		number[v] = MX_NONE;
	for (n = 0; n < graph->node_count; n++) {
		const struct mx_layer *layer = &graph->nodes[n].layer;

		for (i = 0; i < layer->in_count; i++)
			keep(graph, number, layer->in[i]);
		for (i = 0; i < layer->out_count; i++)
			keep(graph, number, layer->out[i]);
	}
	for (i = 0; i < graph->input_count; i++)
		keep(graph, number, graph->inputs[i]);
	for (i = 0; i < graph->output_count; i++)
		keep(graph, number, graph->outputs[i]);
	for (v = 0; v < graph->value_count; v++)
		if (number[v] != MX_NONE)
			number[v] = kept++;
	renumber(graph, number);
	graph->value_count = kept;
	free(number);
	return 0;
}
