#include "cli/dot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/number.h"
#include "cli/timeline.h"
#include "lib/err.h"
#include "lib/network.h"

/* A layer's tasks, as a timeline has them. */
struct node {
	uint64_t load_bytes;
	unsigned char has[MX_SPAN_KINDS];
	unsigned char ordered[MX_SPAN_KINDS];
};

struct dot {
	const struct mx_picture *picture;
	FILE *out;
	struct node *nodes; /* of all networks, layer by layer */
	size_t *first; /* of each network */
};

static struct node *node_of(const struct dot *dot, uint32_t net, uint32_t layer)
{
	return &dot->nodes[dot->first[net] + layer];
}

static void text(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			(void)fputc('\\', out);
		(void)fputc((unsigned char)*value < ' ' ? ' ' : *value, out);
	}
}

static void write_node(const struct dot *dot, const char *task, uint32_t net,
		       uint32_t layer)
{
	const struct mx_network *of = dot->picture->nets[net];
	const uint64_t bytes = node_of(dot, net, layer)->load_bytes;
	const int is_load = *task == 'L';
	char size[MX_TEXT_BYTES];

	(void)fprintf(dot->out, "\t\tn%u%c%u [%slabel=\"%s ", net, *task, layer,
		      is_load ? "" : "style=filled ", task);
	text(dot->out, of->layers[layer].name);
	if (is_load)
		(void)fprintf(dot->out, "\\n%s", mx_text_bytes(bytes, size));
	(void)fputs("\"];\n", dot->out);
}

/* What a network asks for: INIT first, a LOAD before its EXEC, EXECs in order.
 */
static void write_net(const struct dot *dot, uint32_t net)
{
	const struct mx_network *of = dot->picture->nets[net];
	uint32_t k, before = MX_NONE;

	(void)fprintf(dot->out, "\tsubgraph cluster_%u {\n\t\tlabel=\"", net);
	text(dot->out, dot->picture->names[net]);
	(void)fprintf(dot->out, "\";\n\t\tn%uI [shape=oval label=\"INIT\"];\n",
		      net);
	for (k = 0; k < of->layer_count; k++) {
		const struct node *node = node_of(dot, net, k);

		if (node->has[MX_SPAN_LOAD]) {
			write_node(dot, "LOAD", net, k);
			(void)fprintf(dot->out, "\t\tn%uI -> n%uL%u;\n", net,
				      net, k);
		}
		if (!node->has[MX_SPAN_EXEC])
			continue;
		write_node(dot, "EXEC", net, k);
		if (node->has[MX_SPAN_LOAD])
			(void)fprintf(dot->out, "\t\tn%uL%u -> n%uE%u;\n", net,
				      k, net, k);
		if (before != MX_NONE)
			(void)fprintf(dot->out, "\t\tn%uE%u -> n%uE%u;\n", net,
				      before, net, k);
		else
			(void)fprintf(dot->out, "\t\tn%uI -> n%uE%u;\n", net,
				      net, k);
		before = k;
	}
	(void)fputs("\t}\n", dot->out);
}

/* Between tasks of a kind that begin one after the other, of different
 * networks. */
static void write_order(const struct dot *dot, enum mx_span_kind kind,
			const char *colour)
{
	const struct mx_timeline *timeline = dot->picture->timeline;
	const char letter = kind == MX_SPAN_LOAD ? 'L' : 'E';
	const struct mx_span *span, *before = NULL;
	struct node *node;
	size_t i;

	for (i = 0; i < timeline->span_count; i++) {
		span = &timeline->spans[i];
		node = node_of(dot, span->net, span->layer);
		if (span->kind != kind || node->ordered[kind])
			continue;
		node->ordered[kind] = 1;
		if (before && before->net != span->net)
			(void)fprintf(dot->out,
				      "\tn%u%c%u -> n%u%c%u [style=dashed "
				      "color=%s constraint=false];\n",
				      before->net, letter, before->layer,
				      span->net, letter, span->layer, colour);
		before = span;
	}
}

static void write_all(const struct dot *dot)
{
	uint32_t i;

	(void)fputs("digraph plan {\n\trankdir=LR;\n\tlabel=\"", dot->out);
	text(dot->out, dot->picture->policy);
	(void)fputs("\";\n\tnode [shape=box fillcolor=lightgrey];\n", dot->out);
	for (i = 0; i < dot->picture->net_count; i++)
		write_net(dot, i);
	write_order(dot, MX_SPAN_LOAD, "blue");
	write_order(dot, MX_SPAN_EXEC, "red");
	(void)fputs("}\n", dot->out);
}

int mx_dot_write(const struct mx_picture *picture, FILE *out,
		 struct mx_err *err)
{
	const struct mx_timeline *timeline = picture->timeline;
	struct dot dot = {.picture = picture, .out = out};
	size_t layers = 0, i;
	struct node *node;
	int rc = 0;

	dot.first = calloc((size_t)picture->net_count + 1, sizeof(*dot.first));
	for (i = 0; dot.first && i < picture->net_count; i++) {
		dot.first[i] = layers;
		layers += picture->nets[i]->layer_count;
	}
	dot.nodes = calloc(layers + 1, sizeof(*dot.nodes));
	if (!dot.first || !dot.nodes) {
		rc = mx_fail(err, ENOMEM, "dot: no memory");
		goto done;
	}
	for (i = 0; i < timeline->span_count; i++) {
		const struct mx_span *span = &timeline->spans[i];

		node = node_of(&dot, span->net, span->layer);
		node->has[span->kind] = 1;
		node->load_bytes += span->size_bytes;
	}
	write_all(&dot);

done:
	free(dot.first);
	free(dot.nodes);
	return rc;
}
