/*
 * The Caffe importer: a deploy prototxt, and a caffemodel or random weights,
 * become a graph.
 *
 * Invariants while the layers are walked:
 *
 *  (1) blobs maps each top's name so far to an entry whose value is the blob's
 *      newest one: a layer in place makes a new value under the old name.
 *  (2) entries are ordered by the time of their newest value, so that the
 *      default outputs are in the order in which they are made; an entry that
 *      was made again is left behind with `name` NULL.
 *  (3) ran maps a layer's name to the value of its last top.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/caffe_impl.h"
#include "loader/import/caffe_model.h"

struct entry {
	const char *name;
	uint32_t value; /* or MX_CAFFE_UNKNOWN, MX_CAFFE_ABSENT */
	int is_consumed;
};

struct walk {
	struct mx_caffe caffe;
	struct entry *entries;
	uint32_t count;
	uint32_t room;
	struct mx_names blobs; /* to entries */
	struct mx_names ran; /* to values */
	uint32_t *in; /* the current layer's */
	uint32_t *out;
	uint32_t in_room;
	uint32_t out_room;
};

static const struct mx_caffe_kind *const kinds[] = {
	mx_caffe_conv_kinds,  mx_caffe_map_kinds,  mx_caffe_norm_kinds,
	mx_caffe_shape_kinds, mx_caffe_data_kinds, mx_caffe_detect_kinds,
};

static const struct mx_caffe_kind *find_kind(const char *type)
{
	const struct mx_caffe_kind *k;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (k = kinds[i]; k->type; k++)
			if (strcmp(k->type, type) == 0)
				return k;
	return NULL;
}

static int no_memory(struct walk *walk)
{
	return mx_fail(walk->caffe.err, ENOMEM, "import %s: no memory",
		       walk->caffe.net.tree->path);
}

static int fail_at(struct walk *walk, const struct mx_prototxt_field *field,
		   const char *what)
{
	return mx_prototxt_fail(walk->caffe.net.tree, field, walk->caffe.err,
				"%s \"%s\"", what, field->text);
}

/* --- blobs -------------------------------------------------------------- */

/* The blob @name is now @value. */
static int define(struct walk *walk, const char *name, uint32_t value)
{
	const uint32_t *old = mx_names_find(&walk->blobs, name);

	if (old)
		walk->entries[*old].name = NULL;
	if (walk->count == walk->room) {
		const uint32_t room = walk->room ? walk->room * 2 : 64;
		struct entry *more =
			realloc(walk->entries, room * sizeof(*more));

		if (!more)
			return no_memory(walk);
		walk->entries = more;
		walk->room = room;
	}
	walk->entries[walk->count] = (struct entry){
		.name = name,
		.value = value,
	};
	if (mx_names_put(&walk->blobs, name, walk->count) < 0)
		return no_memory(walk);
	walk->count++;
	return 0;
}

static int reserve(uint32_t **list, uint32_t *room, uint32_t count)
{
	uint32_t *more;

	if (count <= *room)
		return 0;
	more = realloc(*list, (size_t)count * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*list = more;
	*room = count;
	return 0;
}

static int is_bottom(const struct mx_caffe_layer *layer, const char *name)
{
	uint32_t i;

	for (i = 0; i < layer->bottom_count; i++)
		if (strcmp(layer->bottoms[i]->text, name) == 0)
			return 1;
	return 0;
}

/* The layer's bottoms into walk->in. @worst is what the least known of them
 * is: a value (0), absent, or unknown. */
static int take_bottoms(struct walk *walk, const struct mx_caffe_layer *layer,
			const struct mx_caffe_kind *kind, uint32_t *worst)
{
	uint32_t i;

	*worst = 0;
	if (reserve(&walk->in, &walk->in_room, layer->bottom_count) < 0)
		return no_memory(walk);
	for (i = 0; i < layer->bottom_count; i++) {
		const uint32_t *at =
			mx_names_find(&walk->blobs, layer->bottoms[i]->text);
		struct entry *entry = at ? &walk->entries[*at] : NULL;

		if (!entry)
			return fail_at(walk, layer->bottoms[i],
				       "no layer before makes the blob");
		if (!kind || !(kind->flags & MX_CAFFE_DROPPED))
			entry->is_consumed = 1;
		walk->in[i] = entry->value;
		if (entry->value >= MX_CAFFE_ABSENT && entry->value > *worst)
			*worst = entry->value;
	}
	return 0;
}

/* Make the layer's tops known: all as @value, or walk->out if that is 0. */
static int give_tops(struct walk *walk, const struct mx_caffe_layer *layer,
		     uint32_t value)
{
	uint32_t i;
	int rc;

	for (i = 0; i < layer->top_count; i++) {
		const char *name = layer->tops[i]->text;

		if (mx_names_find(&walk->blobs, name) &&
		    !is_bottom(layer, name))
			return fail_at(walk, layer->tops[i],
				       "another layer makes the blob too:");
		if (value == 0 && walk->out[i] == MX_NONE)
			return fail_at(walk, layer->tops[i],
				       "the layer makes no blob");
		rc = define(walk, name, value ? value : walk->out[i]);
		if (rc < 0)
			return rc;
	}
	if (layer->top_count > 0 &&
	    mx_names_put(&walk->ran, layer->name,
			 value ? value : walk->out[layer->top_count - 1]) < 0)
		return no_memory(walk);
	return 0;
}

/* --- layers ------------------------------------------------------------- */

static void check_counts(struct mx_caffe_step *step)
{
	const struct mx_caffe_layer *l = step->layer;
	const struct mx_caffe_kind *k = step->kind;

	if (l->bottom_count < k->in_min || l->top_count < k->out_min)
		mx_caffe_bad(step, "%u bottoms and %u tops are too few",
			     l->bottom_count, l->top_count);
	else if (l->bottom_count > k->in_max)
		mx_caffe_refuse(step, "%u bottoms", l->bottom_count);
	else if (l->top_count > k->out_max)
		mx_caffe_refuse(step, "%u tops", l->top_count);
}

/* Weights in the caffemodel that the layer does not have. */
static void check_blobs(struct mx_caffe_step *step)
{
	const struct mx_caffe_model *model = step->caffe->model;
	uint32_t have;

	if (!model || step->rc)
		return;
	have = mx_caffe_model_blob_count(model, step->layer->name);
	if (have > step->blobs_used)
		mx_caffe_bad(step,
			     "has %u weight blobs in the caffemodel, here %u",
			     have, step->blobs_used);
}

/* The graph's own refusals come as a message, without an entry in the list. */
static void refuse_for_graph(struct mx_caffe_step *step, const char *text)
{
	const size_t size = strlen(step->layer->name);

	if (strncmp(text, step->layer->name, size) == 0 && text[size] == ':')
		text += size + 1 + strspn(text + size + 1, " ");
	mx_caffe_refuse(step, "%s", text);
}

static int run_step(struct walk *walk, const struct mx_caffe_layer *layer,
		    const struct mx_caffe_kind *kind)
{
	struct mx_caffe *caffe = &walk->caffe;
	const uint32_t first = caffe->graph->value_count;
	struct mx_caffe_step step = {
		.caffe = caffe,
		.layer = layer,
		.kind = kind,
		.in = walk->in,
		.out = walk->out,
		.moment = layer->bottom_count
				  ? mx_caffe_moment(caffe, walk->in[0])
				  : 1,
	};

	if (kind->param)
		step.param = mx_prototxt_find(caffe->net.tree, layer->field,
					      kind->param);
	if (step.param && step.param->kind != MX_PROTOTXT_MESSAGE)
		return mx_prototxt_fail(caffe->net.tree, step.param, caffe->err,
					"%s: expected a message", kind->param);
	check_counts(&step);
	if (!step.rc)
		kind->convert(&step);
	if (step.rc == -ENOTSUP && caffe->err->text[0]) {
		refuse_for_graph(&step, caffe->err->text);
		caffe->err->text[0] = 0;
	}
	mx_caffe_check_params(&step);
	check_blobs(&step);
	mx_attrs_fini(&step.attrs);
	if (!step.rc && !caffe->model)
		step.rc = mx_caffe_moment_set(caffe, first, step.moment);
	return step.rc;
}

static int convert_layer(struct walk *walk, const struct mx_caffe_layer *layer)
{
	const struct mx_caffe_kind *kind = find_kind(layer->type);
	struct mx_caffe *caffe = &walk->caffe;
	uint32_t worst, i;
	int rc;

	rc = take_bottoms(walk, layer, kind, &worst);
	if (rc < 0)
		return rc;
	if (!kind) {
		if (mx_unsupported_add(caffe->unsupported, layer->type,
				       layer->name) < 0)
			return no_memory(walk);
		return give_tops(walk, layer, MX_CAFFE_UNKNOWN);
	}
	if (kind->flags & MX_CAFFE_DROPPED)
		return give_tops(walk, layer, MX_CAFFE_ABSENT);
	if (worst == MX_CAFFE_ABSENT)
		return mx_prototxt_fail(
			caffe->net.tree, layer->field, caffe->err,
			"layer \"%s\" needs what only training has",
			layer->name);
	if (worst)
		return give_tops(walk, layer, MX_CAFFE_UNKNOWN);
	if (reserve(&walk->out, &walk->out_room, layer->top_count) < 0)
		return no_memory(walk);
	for (i = 0; i < layer->top_count; i++)
		walk->out[i] = MX_NONE;
	rc = run_step(walk, layer, kind);
	if (rc == -ENOTSUP)
		return give_tops(walk, layer, MX_CAFFE_UNKNOWN);
	return rc < 0 ? rc : give_tops(walk, layer, 0);
}

static int net_inputs(struct walk *walk)
{
	struct mx_caffe *caffe = &walk->caffe;
	uint32_t i, value;
	int rc;

	for (i = 0; i < caffe->net.input_count; i++) {
		const struct mx_caffe_net_input *in = &caffe->net.inputs[i];

		if (mx_names_find(&walk->blobs, in->field->text))
			return fail_at(walk, in->field,
				       "two inputs are called");
		rc = mx_caffe_input(caffe, in->field->text, NULL,
				    in->has_shape ? &in->shape : NULL,
				    in->field, &value);
		if (rc < 0)
			return rc;
		rc = define(walk, in->field->text, value);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- outputs ------------------------------------------------------------ */

static int is_graph_input(const struct mx_graph *graph, uint32_t value)
{
	uint32_t i;

	for (i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == value)
			return 1;
	return 0;
}

/* What goes out is computed: an input that does gets a node of its own. */
static int add_output(struct walk *walk, const char *name, uint32_t value)
{
	struct mx_graph *graph = walk->caffe.graph;
	int rc;

	if (is_graph_input(graph, value)) {
		rc = mx_graph_simple(graph, "Identity", name, &value, 1, NULL,
				     name, &value, walk->caffe.err);
		if (rc < 0)
			return rc;
	}
	return mx_graph_output(graph, value, walk->caffe.err);
}

static int is_unused_input(const struct walk *walk, const struct entry *entry)
{
	const struct mx_graph *graph = walk->caffe.graph;

	return is_graph_input(graph, entry->value) &&
	       strcmp(graph->values[entry->value].name, entry->name) == 0;
}

static int named_output(struct walk *walk, const char *name)
{
	const uint32_t *blob = mx_names_find(&walk->blobs, name);
	const uint32_t *layer = mx_names_find(&walk->ran, name);
	const uint32_t value = blob    ? walk->entries[*blob].value
			       : layer ? *layer
				       : MX_NONE;

	if (value >= MX_CAFFE_ABSENT)
		return mx_fail(walk->caffe.err, EINVAL,
			       "%s has no blob or layer \"%s\" to output",
			       walk->caffe.net.tree->path, name);
	return add_output(walk, name, value);
}

static int set_outputs(struct walk *walk)
{
	const struct mx_import_opts *opts = walk->caffe.opts;
	uint32_t i;
	int rc;

	for (i = 0; i < opts->output_count; i++) {
		rc = named_output(walk, opts->outputs[i]);
		if (rc < 0)
			return rc;
	}
	if (opts->output_count > 0)
		return 0;
	for (i = 0; i < walk->count; i++) {
		const struct entry *e = &walk->entries[i];

		if (!e->name || e->is_consumed || is_unused_input(walk, e) ||
		    e->value >= MX_CAFFE_ABSENT)
			continue;
		rc = add_output(walk, e->name, e->value);
		if (rc < 0)
			return rc;
	}
	if (walk->caffe.graph->output_count == 0)
		return mx_fail(walk->caffe.err, EBADMSG,
			       "%s: no layer computes an output",
			       walk->caffe.net.tree->path);
	return 0;
}

/* --- the whole ---------------------------------------------------------- */

static int walk_net(struct walk *walk)
{
	struct mx_caffe *caffe = &walk->caffe;
	uint32_t i;
	int rc;

	rc = net_inputs(walk);
	for (i = 0; i < caffe->net.layer_count && rc == 0; i++)
		rc = convert_layer(walk, &caffe->net.layers[i]);
	if (rc < 0)
		return rc;
	rc = mx_unsupported_report(caffe->unsupported, caffe->net.tree->path,
				   caffe->opts->log, caffe->err);
	if (rc < 0)
		return rc;
	rc = mx_caffe_input_check(caffe);
	if (rc < 0)
		return rc;
	return set_outputs(walk);
}

static int open_net(struct walk *walk, struct mx_import_source **source,
		    struct mx_prototxt **tree)
{
	struct mx_caffe *caffe = &walk->caffe;
	const char *path = caffe->opts->source;
	const unsigned char *data;
	size_t size;
	int rc;

	rc = mx_import_source_map(source, path, &data, &size, caffe->err);
	if (rc < 0)
		return rc;
	if (memchr(data, 0, size < 4096 ? size : 4096))
		return mx_fail(caffe->err, EBADMSG,
			       "%s is no prototxt: if it is a caffemodel, name "
			       "its deploy.prototxt before it",
			       path);
	rc = mx_prototxt_parse(tree, path, data, size, caffe->err);
	if (rc < 0)
		return rc;
	rc = mx_caffe_net_read(&caffe->net, *tree, caffe->err);
	if (rc < 0)
		return rc;
	if (caffe->net.layer_count == 0)
		return mx_fail(caffe->err, EBADMSG, "%s has no layers", path);
	caffe->used = calloc((*tree)->count, 1);
	caffe->shape_used = calloc(caffe->opts->shape_count + 1, 1);
	if (!caffe->used || !caffe->shape_used)
		return no_memory(walk);
	return mx_unsupported_new(&caffe->unsupported) < 0 ? no_memory(walk)
							   : 0;
}

static int open_weights(struct walk *walk, struct mx_import_source **source)
{
	const struct mx_import_opts *opts = walk->caffe.opts;
	const unsigned char *data;
	size_t size;
	int rc;

	if (opts->random_weights)
		return 0;
	if (!opts->weights)
		return mx_fail(walk->caffe.err, EINVAL,
			       "%s: its caffemodel is missing (or "
			       "--random-weights)",
			       opts->source);
	rc = mx_import_source_map(source, opts->weights, &data, &size,
				  walk->caffe.err);
	if (rc < 0)
		return rc;
	return mx_caffe_model_open(&walk->caffe.model, opts->weights, data,
				   size, walk->caffe.err);
}

int mx_caffe_graph(const struct mx_import_opts *opts, struct mx_graph **out,
		   struct mx_import_source **source, struct mx_err *err)
{
	struct mx_err own = {{0}};
	struct walk walk = {.caffe = {.opts = opts, .err = &own}};
	struct mx_prototxt *tree = NULL;
	int rc;

	rc = open_net(&walk, source, &tree);
	if (rc == 0)
		rc = open_weights(&walk, source);
	if (rc == 0)
		rc = mx_graph_new(&walk.caffe.graph,
				  *walk.caffe.net.name ? walk.caffe.net.name
						       : "net",
				  "caffe", &own);
	if (rc == 0)
		rc = walk_net(&walk);
	if (rc == 0) {
		*out = walk.caffe.graph;
		walk.caffe.graph = NULL;
	} else if (err) {
		*err = own;
	}
	mx_graph_free(walk.caffe.graph);
	mx_caffe_model_close(walk.caffe.model);
	mx_unsupported_free(walk.caffe.unsupported);
	mx_caffe_net_fini(&walk.caffe.net);
	mx_prototxt_free(tree);
	mx_names_fini(&walk.blobs);
	mx_names_fini(&walk.ran);
	free(walk.caffe.used);
	free(walk.caffe.shape_used);
	free(walk.caffe.moment);
	free(walk.entries);
	free(walk.in);
	free(walk.out);
	return rc;
}
