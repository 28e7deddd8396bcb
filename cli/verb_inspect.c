/*
 * memexec inspect: what a model directory holds and what it needs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/footprint.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/table.h"
#include "lib/network.h"
#include "lib/size.h"
#include "loader/mxload.h"

enum inspect_key { KEY_LAYERS = 0x100, KEY_SORT, KEY_JSON };

struct inspect_args {
	struct mx_cli *cli;
	int layers;
	const struct inspect_sort *sort; /* NULL: execution order */
	int json;
};

/* What --sort knows: the largest first. */
struct inspect_sort {
	const char *name;
	uint64_t (*value)(const struct mx_network *net,
			  const struct mx_layer *layer);
};

static uint64_t layer_weights(const struct mx_network *net,
			      const struct mx_layer *layer)
{
	(void)net;
	return layer->weight_bytes;
}

static uint64_t layer_scratch(const struct mx_network *net,
			      const struct mx_layer *layer)
{
	(void)net;
	return layer->scratch_bytes;
}

static uint64_t layer_macs(const struct mx_network *net,
			   const struct mx_layer *layer)
{
	(void)net;
	return layer->macs;
}

static uint64_t layer_output(const struct mx_network *net,
			     const struct mx_layer *layer)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < layer->out_count; i++)
		bytes += sizeof(float) *
			 mx_shape_elems(&net->tensors[layer->out[i]].shape);
	return bytes;
}

static const struct inspect_sort sorts[] = {
	{"weights", layer_weights},
	{"scratch", layer_scratch},
	{"macs", layer_macs},
	{"output", layer_output},
};

static const struct argp_option inspect_options[] = {
	{"layers", KEY_LAYERS, NULL, 0, "Print the layer table", 0},
	{"sort", KEY_SORT, "weights|scratch|macs|output", 0,
	 "Print it with the largest first", 0},
	{"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
	MX_CLI_OPTIONS,
};

static error_t parse_sort(struct inspect_args *args, const char *arg)
{
	size_t i;

	args->layers = 1;
	for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (!strcmp(arg, sorts[i].name)) {
			args->sort = &sorts[i];
			return 0;
		}
	(void)mx_fail(&args->cli->err, EINVAL,
		      "inspect: --sort=%s: must be weights, scratch, macs or "
		      "output",
		      arg);
	return EINVAL;
}

static error_t parse_inspect(int key, char *arg, struct argp_state *state)
{
	struct inspect_args *args = state->input;

	switch (key) {
	case KEY_LAYERS:
		args->layers = 1;
		return 0;
	case KEY_SORT:
		return parse_sort(args, arg);
	case KEY_JSON:
		args->json = 1;
		return 0;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp inspect_argp = {
	.options = inspect_options,
	.parser = parse_inspect,
	.args_doc = "DIR...",
	.doc = "Print what model directories hold and the memory they need.",
};

/* The layers in the order asked for; heap, the caller's. An insertion sort
 * would do for most networks, but a file may have a million layers. */
struct sort_item {
	uint64_t value;
	uint32_t layer;
};

static int compare_items(const void *left, const void *right)
{
	const struct sort_item *a = left, *b = right;

	if (a->value != b->value)
		return a->value < b->value ? 1 : -1;
	return a->layer < b->layer ? -1 : 1;
}

static struct sort_item *order_layers(const struct inspect_args *args,
				      const struct mx_network *net)
{
	struct sort_item *items;
	uint32_t i;

	items = calloc((size_t)net->layer_count + 1, sizeof(*items));
	if (!items)
		return NULL;
	for (i = 0; i < net->layer_count; i++) {
		items[i].layer = i;
		if (args->sort)
			items[i].value =
				args->sort->value(net, &net->layers[i]);
	}
	qsort(items, net->layer_count, sizeof(*items), compare_items);
	return items;
}

static void add_layer(struct mx_table *table, const struct mx_network *net,
		      uint32_t index)
{
	const struct mx_layer *layer = &net->layers[index];
	char text[MX_SHAPE_TEXT_BYTES], number[MX_TEXT_BYTES];

	mx_table_cell(table, "%" PRIu32, index);
	mx_table_cell(table, "%s", layer->name);
	mx_table_cell(table, "%s", layer->op_name);
	mx_table_cell(
		table, "%s",
		layer->out_count
			? mx_shape_text(&net->tensors[layer->out[0]].shape,
					text)
			: "-");
	mx_table_cell(table, "%s", mx_text_bytes(layer->weight_bytes, number));
	mx_table_cell(table, "%" PRIu32, layer->slice_count);
	mx_table_cell(table, "%s", mx_text_bytes(layer->scratch_bytes, number));
	mx_table_cell(table, "%s", mx_text_count(layer->macs, number));
}

static int print_layers(const struct inspect_args *args,
			const struct mx_network *net)
{
	static const char *const heading[] = {"#",	 "layer",   "operator",
					      "output",	 "weights", "slices",
					      "scratch", "MACs"};
	struct sort_item *order;
	struct mx_table table;
	uint32_t i;
	int rc;

	order = order_layers(args, net);
	if (!order)
		return -ENOMEM;
	mx_table_init(&table, "rlllrrrr");
	for (i = 0; i < table.columns; i++)
		mx_table_cell(&table, "%s", heading[i]);
	for (i = 0; i < net->layer_count; i++)
		add_layer(&table, net, order[i].layer);
	rc = mx_table_print(&table, stdout, MX_TABLE_PLAIN);
	mx_table_fini(&table);
	free(order);
	return rc;
}

static void print_tensors(const char *what, const struct mx_network *net,
			  uint32_t count,
			  uint32_t (*at)(const void *, uint32_t))
{
	char text[MX_SHAPE_TEXT_BYTES];
	const struct mx_tensor *tensor;
	uint32_t i;

	for (i = 0; i < count; i++) {
		tensor = &net->tensors[at(net, i)];
		printf("%-12s%s %s\n", what, tensor->name,
		       mx_shape_text(&tensor->shape, text));
	}
}

static uint32_t input_at(const void *net, uint32_t index)
{
	return ((const struct mx_network *)net)->inputs[index].tensor;
}

static uint32_t output_at(const void *net, uint32_t index)
{
	return ((const struct mx_network *)net)->outputs[index];
}

static void print_totals(const struct mx_network *net,
			 const struct mx_footprint *sums,
			 uint64_t minimum_bytes)
{
	char a[MX_TEXT_BYTES], b[MX_TEXT_BYTES];

	printf("%-12s%" PRIu32 ", %s MACs\n", "layers", net->layer_count,
	       mx_text_count(sums->macs, a));
	printf("%-12s%s in %" PRIu32 " slices, largest layer %s", "weights",
	       mx_text_bytes(sums->weight_bytes, a), net->slice_count,
	       mx_text_bytes(sums->largest_layer_bytes, b));
	if (sums->largest_layer != MX_NONE)
		printf(" (%s)", net->layers[sums->largest_layer].name);
	printf("\n%-12s%s planned, lower bound %s", "activations",
	       mx_text_bytes(sums->activation_bytes, a),
	       mx_text_bytes(sums->activation_bound_bytes, b));
	if (sums->peak_layer < net->layer_count)
		printf(" (%s)", net->layers[sums->peak_layer].name);
	printf("\n%-12s%s a thread\n", "scratch",
	       mx_text_bytes(sums->scratch_bytes, a));
	printf("%-12s%s with a thread for each CPU: see memexec plan\n",
	       "minimum", mx_text_bytes(minimum_bytes, a));
}

static int inspect_text(const struct inspect_args *args, const char *name,
			const struct mx_network *net,
			const struct mx_footprint *sums, uint64_t minimum_bytes)
{
	printf("%-12s%s, from %s, source hash %016" PRIx64 "\n", "network",
	       name, net->source ? net->source : "?", net->source_hash);
	print_tensors("input", net, net->input_count, input_at);
	print_tensors("output", net, net->output_count, output_at);
	if (net->label_count)
		printf("%-12s%" PRIu32 "\n", "labels", net->label_count);
	print_totals(net, sums, minimum_bytes);
	return args->layers ? print_layers(args, net) : 0;
}

static void json_shape(struct mx_json *json, const char *name,
		       const struct mx_shape *shape)
{
	uint32_t i;

	mx_json_array(json, name);
	for (i = 0; i < shape->rank; i++)
		mx_json_u64(json, NULL, shape->dim[i]);
	mx_json_array_end(json);
}

static void json_tensors(struct mx_json *json, const char *name,
			 const struct mx_network *net, uint32_t count,
			 uint32_t (*at)(const void *, uint32_t))
{
	const struct mx_tensor *tensor;
	uint32_t i;

	mx_json_array(json, name);
	for (i = 0; i < count; i++) {
		tensor = &net->tensors[at(net, i)];
		mx_json_object(json, NULL);
		mx_json_string(json, "name", tensor->name);
		json_shape(json, "shape", &tensor->shape);
		mx_json_object_end(json);
	}
	mx_json_array_end(json);
}

static void json_layer(struct mx_json *json, const struct mx_network *net,
		       uint32_t index)
{
	const struct mx_layer *layer = &net->layers[index];

	mx_json_object(json, NULL);
	mx_json_u64(json, "index", index);
	mx_json_string(json, "name", layer->name);
	mx_json_string(json, "operator", layer->op_name);
	if (layer->out_count)
		json_shape(json, "output_shape",
			   &net->tensors[layer->out[0]].shape);
	mx_json_u64(json, "weight_bytes", layer->weight_bytes);
	mx_json_u64(json, "slices", layer->slice_count);
	mx_json_u64(json, "scratch_bytes", layer->scratch_bytes);
	mx_json_u64(json, "macs", layer->macs);
	mx_json_object_end(json);
}

static int inspect_json(const struct inspect_args *args, struct mx_json *json,
			const char *name, const struct mx_network *net,
			const struct mx_footprint *sums, uint64_t minimum_bytes)
{
	struct sort_item *order = order_layers(args, net);
	uint32_t i;

	if (!order)
		return -ENOMEM;
	mx_json_string(json, "network", name);
	mx_json_string(json, "source", net->source);
	json_tensors(json, "inputs", net, net->input_count, input_at);
	json_tensors(json, "outputs", net, net->output_count, output_at);
	mx_json_u64(json, "labels", net->label_count);
	mx_json_u64(json, "weight_bytes", sums->weight_bytes);
	mx_json_u64(json, "weights_file_bytes", net->weights_file_bytes);
	mx_json_u64(json, "largest_layer_bytes", sums->largest_layer_bytes);
	mx_json_u64(json, "activation_bytes", sums->activation_bytes);
	mx_json_u64(json, "activation_lower_bound_bytes",
		    sums->activation_bound_bytes);
	mx_json_u64(json, "scratch_bytes", sums->scratch_bytes);
	mx_json_u64(json, "minimum_budget_bytes", minimum_bytes);
	mx_json_u64(json, "macs", sums->macs);
	mx_json_array(json, "layers");
	for (i = 0; i < net->layer_count; i++)
		json_layer(json, net, order[i].layer);
	mx_json_array_end(json);
	free(order);
	return 0;
}

static int inspect_one(const struct inspect_args *args, struct mx_json *json,
		       const char *directory)
{
	struct mx_err *err = &args->cli->err;
	const struct mx_network *net;
	struct mx_footprint sums;
	uint64_t minimum_bytes = 0;
	struct mx_model *model;
	char *name;
	int rc;

	rc = mx_open_bound(&model, directory, err);
	if (rc)
		return rc;
	net = mx_model_network(model);
	name = mx_file_stem(directory, ".mx");
	rc = name ? mx_footprint_init(&sums, net, err)
		  : mx_fail(err, ENOMEM, "%s: no memory", directory);
	if (!rc)
		rc = mx_footprint_minimum(net, &minimum_bytes, err);
	if (!rc &&
	    (json ? inspect_json(args, json, name, net, &sums, minimum_bytes)
		  : inspect_text(args, name, net, &sums, minimum_bytes)))
		rc = mx_fail(err, ENOMEM, "%s: no memory", directory);
	free(name);
	mx_model_close(model);
	return rc;
}

static int verb_inspect(struct mx_cli *cli, int argc, char **argv)
{
	struct inspect_args args = {.cli = cli};
	struct mx_json json;
	size_t i;
	int rc, several;

	rc = mx_cli_parse(cli, &inspect_argp, argc, argv, &args);
	if (rc)
		return rc < 0 ? rc : 0;
	several = args.cli->arg_count > 1;
	mx_json_init(&json, stdout);
	if (args.json) {
		mx_json_object(&json, NULL);
		mx_json_string(&json, "schema", "memexec.inspect/1");
		if (several)
			mx_json_array(&json, "networks");
	}
	for (i = 0; !rc && i < args.cli->arg_count; i++) {
		if (args.json && several)
			mx_json_object(&json, NULL);
		else if (i)
			printf("\n");
		rc = inspect_one(&args, args.json ? &json : NULL,
				 args.cli->args[i]);
		if (args.json && several)
			mx_json_object_end(&json);
	}
	if (args.json && several)
		mx_json_array_end(&json);
	if (args.json)
		mx_json_object_end(&json);
	return rc;
}

const struct mx_verb mx_verb_inspect = {
	.name = "inspect",
	.summary = "print what a model directory holds and needs",
	.run = verb_inspect,
};
