#include "loader/import/lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/graph.h"

static const struct mx_preprocess no_preprocess = {
	.channels = MX_CHANNELS_BGR,
	.resize = MX_RESIZE_STRETCH,
	.std = {1, 1, 1, 1},
	.scale = 1,
};

void mx_lower_weights_free(struct mx_weights *weights, uint32_t count)
{
	uint32_t i;
	size_t k;

	if (!weights)
		return;
	for (i = 0; i < count; i++) {
		free(weights[i].row_scale);
		for (k = 0; k < MX_VECTORS_MAX; k++)
			free(weights[i].vector[k]);
	}
	free(weights);
}

/* An array for @count items of @bytes, never NULL for want of items. */
static void *array(size_t count, size_t bytes)
{
	return calloc(count ? count : 1, bytes);
}

static int copy_labels(struct mx_network *net, const struct mx_lower_opts *opts)
{
	size_t i;

	if (opts->label_count == 0)
		return 0;
	net->labels = array(opts->label_count, sizeof(*net->labels));
	if (!net->labels)
		return -ENOMEM;
	for (i = 0; i < opts->label_count; i++) {
		net->labels[i] = strdup(opts->labels[i]);
		if (!net->labels[i])
			return -ENOMEM;
		net->label_count++;
	}
	return 0;
}

/* Everything that can fail, before anything is moved. */
static int allocate(const struct mx_graph *graph,
		    const struct mx_lower_opts *opts, struct mx_network *net,
		    struct mx_weights **weights)
{
	uint32_t i;

	net->weights_fd = -1;
	net->source_hash = opts->source_hash;
	net->name = strdup(graph->name);
	net->source = strdup(graph->source);
	net->layers = array(graph->node_count, sizeof(*net->layers));
	net->inputs = array(graph->input_count, sizeof(*net->inputs));
	net->outputs = array(graph->output_count, sizeof(*net->outputs));
	*weights = array(graph->node_count, sizeof(**weights));
	if (!net->name || !net->source || !net->layers || !net->inputs ||
	    !net->outputs || !*weights)
		return -ENOMEM;
	for (i = 0; i < graph->input_count; i++) {
		net->inputs[i].tensor = graph->inputs[i];
		net->inputs[i].preprocess =
			opts->preprocess ? *opts->preprocess : no_preprocess;
	}
	net->input_count = graph->input_count;
	for (i = 0; i < graph->output_count; i++)
		net->outputs[i] = graph->outputs[i];
	net->output_count = graph->output_count;
	return copy_labels(net, opts);
}

static void move(struct mx_graph *graph, struct mx_network *net,
		 struct mx_weights *weights)
{
	uint32_t i;

	for (i = 0; i < graph->node_count; i++) {
		net->layers[i] = graph->nodes[i].layer;
		weights[i] = graph->nodes[i].weights;
	}
	net->layer_count = graph->node_count;
	graph->node_count = 0;
	net->tensors = graph->values;
	net->tensor_count = graph->value_count;
	graph->values = NULL;
	graph->value_count = 0;
	graph->value_room = 0;
	graph->input_count = 0;
	graph->output_count = 0;
}

int mx_graph_lower(struct mx_graph *graph, const struct mx_lower_opts *opts,
		   struct mx_network *net, struct mx_weights **weights,
		   struct mx_err *err)
{
	struct mx_weights *from = NULL;
	int rc;

	if (opts->label_count > UINT32_MAX)
		return mx_fail(err, EINVAL, "%s: too many labels", graph->name);
	memset(net, 0, sizeof(*net));
	rc = allocate(graph, opts, net, &from);
	if (rc) {
		rc = mx_fail(err, -rc, "%s: no memory", graph->name);
		goto fail;
	}
	move(graph, net, from);
	rc = mx_network_bind(net, err);
	if (rc)
		goto fail;
	*weights = from;
	return 0;

fail:
	mx_lower_weights_free(from, net->layer_count);
	mx_network_fini(net);
	return rc;
}
