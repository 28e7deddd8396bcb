#include "loader/import/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/activation.h"
#include "lib/convolve_pool.h"

static const char *const activation_names[MX_ACTIVATION_COUNT] = {
	[MX_ACTIVATION_NONE] = "",
	[MX_ACTIVATION_RELU] = "Relu",
	[MX_ACTIVATION_CLIP] = "Clip",
	[MX_ACTIVATION_SIGMOID] = "Sigmoid",
	[MX_ACTIVATION_TANH] = "Tanh",
	[MX_ACTIVATION_ELU] = "Elu",
	[MX_ACTIVATION_HARD_SIGMOID] = "HardSigmoid",
	[MX_ACTIVATION_HARD_SWISH] = "HardSwish",
	[MX_ACTIVATION_SILU] = "Silu",
	[MX_ACTIVATION_PRELU] = "PRelu",
};

static void print_value(FILE *out, const struct mx_graph *graph, uint32_t v)
{
	const struct mx_tensor *value = &graph->values[v];
	char shape[MX_SHAPE_TEXT_BYTES];

	fprintf(out, "%s %s", value->name, mx_shape_text(&value->shape, shape));
	if (value->layout == MX_LAYOUT_CHANNELS_LAST) {
		fprintf(out, " cl");
		if (value->pitch && value->pitch != value->shape.dim[1])
			fprintf(out, " pitch=%zu", value->pitch);
	}
	if (value->root != v)
		fprintf(out, " @%s+%zu", graph->values[value->root].name,
			value->offset_elems);
}

static void print_node(FILE *out, const struct mx_graph *graph,
		       const struct mx_node *node)
{
	const struct mx_layer *layer = &node->layer;
	const int64_t kind = mx_attrs_int(&layer->attrs, MX_ATTR_ACTIVATION, 0);
	uint32_t i;

	fprintf(out, "%s %s(", layer->name, layer->op_name);
	for (i = 0; i < layer->in_count; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			graph->values[layer->in[i]].name);
	fprintf(out, ") -> ");
	for (i = 0; i < layer->out_count; i++) {
		if (i)
			fprintf(out, ", ");
		print_value(out, graph, layer->out[i]);
	}
	if (kind > 0 && kind < MX_ACTIVATION_COUNT)
		fprintf(out, " +%s", activation_names[kind]);
	if (mx_attrs_int(&layer->attrs, MX_ATTR_POOL, 0))
		fprintf(out, " +Pooling");
	fprintf(out, "\n");
}

char *mx_graph_text(const struct mx_graph *graph)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	uint32_t i;
	int bad;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	for (i = 0; i < graph->input_count; i++) {
		fprintf(out, "input ");
		print_value(out, graph, graph->inputs[i]);
		fprintf(out, "\n");
	}
	for (i = 0; i < graph->node_count; i++)
		if (!graph->nodes[i].dead)
			print_node(out, graph, &graph->nodes[i]);
	for (i = 0; i < graph->output_count; i++)
		fprintf(out, "output %s\n",
			graph->values[graph->outputs[i]].name);
	bad = ferror(out);
	if (fclose(out) || bad) {
		free(text);
		return NULL;
	}
	return text;
}
