/*
 * Caffe's two files made by tests: a prototxt as text and a caffemodel put
 * together field by field; and a graph as text, attributes included.
 */
#ifndef MX_TESTS_CAFFE_FIXTURE_H
#define MX_TESTS_CAFFE_FIXTURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"
#include "tests/check.h"
#include "tests/graph_text.h"
#include "tests/temp_files.h"

#define UNUSED __attribute__((unused))

/* --- the wire ------------------------------------------------------------- */

struct wire {
	unsigned char bytes[1 << 16];
	size_t size;
};

UNUSED static void put_byte(struct wire *w, unsigned byte)
{
	assert_true(w->size < sizeof(w->bytes));
	w->bytes[w->size++] = (unsigned char)byte;
}

UNUSED static void put_varint(struct wire *w, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_byte(w, (unsigned)(value & 0x7f) | 0x80);
	put_byte(w, (unsigned)value);
}

UNUSED static void put_tag(struct wire *w, uint32_t number, uint32_t type)
{
	put_varint(w, (uint64_t)number << 3 | type);
}

UNUSED static void put_int(struct wire *w, uint32_t number, int64_t value)
{
	put_tag(w, number, 0);
	put_varint(w, (uint64_t)value);
}

UNUSED static void put_bytes(struct wire *w, uint32_t number, const void *data,
			     size_t size)
{
	const unsigned char *bytes = data;
	size_t i;

	put_tag(w, number, 2);
	put_varint(w, size);
	for (i = 0; i < size; i++)
		put_byte(w, bytes[i]);
}

UNUSED static void put_text(struct wire *w, uint32_t number, const char *text)
{
	put_bytes(w, number, text, strlen(text));
}

UNUSED static void put_wire(struct wire *w, uint32_t number,
			    const struct wire *inner)
{
	put_bytes(w, number, inner->bytes, inner->size);
}

/* BlobShape of @rank dimensions as field @number. */
UNUSED static void put_shape(struct wire *w, uint32_t number, uint32_t rank,
			     const int64_t *dims)
{
	static struct wire packed, shape;
	uint32_t i;

	packed.size = shape.size = 0;
	for (i = 0; i < rank; i++)
		put_varint(&packed, (uint64_t)dims[i]);
	put_wire(&shape, 1, &packed);
	put_wire(w, number, &shape);
}

/* A BlobProto whose values count up from @first. */
UNUSED static void make_blob(struct wire *w, uint32_t rank, const int64_t *dims,
			     float first)
{
	float values[4096];
	size_t count = 1, i;

	for (i = 0; i < rank; i++)
		count *= (size_t)dims[i];
	assert_true(count <= 4096);
	for (i = 0; i < count; i++)
		values[i] = first + (float)i;
	w->size = 0;
	put_shape(w, 7, rank, dims);
	put_bytes(w, 5, values, count * sizeof(float));
}

/* A V2 layer, whose blobs (@count of them) are put as they are. */
UNUSED static void put_layer(struct wire *net, const char *name,
			     const char *type, const struct wire *blobs,
			     size_t count)
{
	static struct wire layer;
	size_t i;

	layer.size = 0;
	put_text(&layer, 1, name);
	put_text(&layer, 2, type);
	for (i = 0; i < count; i++)
		put_wire(&layer, 7, &blobs[i]);
	put_wire(net, 100, &layer);
}

/* --- import --------------------------------------------------------------- */

struct import {
	struct mx_graph *graph;
	struct mx_import_source *source;
	struct mx_err err; /* the file's name is "NET" or "WEIGHTS" in it */
	char log[4096];
};

UNUSED static void log_line(void *user, enum mx_log_level level,
			    const char *line)
{
	char *log = user;

	(void)level;
	strncat(log, line, 4000 - strlen(log));
	strcat(log, "\n");
}

/* Every @from in @text becomes @to, which is not
 * longer. */
UNUSED static void replace_all(char *text, const char *from, const char *to)
{
	char *at;

	assert_true(strlen(to) <= strlen(from));
	while ((at = strstr(text, from))) {
		char *const rest = at + strlen(from);

		memcpy(at, to, strlen(to));
		memmove(at + strlen(to), rest, strlen(rest) + 1);
	}
}

/* Import @net with the bytes of a caffemodel (@weights; NULL: random ones).
 * The rest is from @base. */
UNUSED static int import_net(struct import *import, const char *net,
			     const struct wire *weights,
			     const struct mx_import_opts *base)
{
	struct mx_import_opts opts = *base;
	struct mx_log log = {MX_LOG_DEBUG, log_line, import->log};
	char net_path[TEMP_PATH_BYTES], weights_path[TEMP_PATH_BYTES];
	int rc;

	memset(import, 0, sizeof(*import));
	temp_file_of(net_path, net, strlen(net));
	opts.source = net_path;
	opts.log = &log;
	opts.random_weights = !weights;
	if (weights) {
		temp_file_of(weights_path, weights->bytes, weights->size);
		opts.weights = weights_path;
	}
	rc = mx_caffe_graph(&opts, &import->graph, &import->source,
			    &import->err);
	replace_all(import->err.text, net_path, "NET");
	replace_all(import->log, net_path, "NET");
	unlink(net_path);
	if (weights) {
		replace_all(import->err.text, weights_path, "WEIGHTS");
		unlink(weights_path);
	}
	return rc;
}

UNUSED static void import_end(struct import *import)
{
	mx_graph_free(import->graph);
	mx_import_source_close(import->source);
	memset(import, 0, sizeof(*import));
}

/* "Op(a, b) key=1,2 -> out 1x2" */
UNUSED static void node_text(const struct mx_graph *graph,
			     const struct mx_layer *layer, FILE *out)
{
	char shape[MX_SHAPE_TEXT_BYTES];

	layer_text(graph, layer, out);
	fprintf(out, " -> %s\n",
		mx_shape_text(&graph->values[layer->out[0]].shape, shape));
}

UNUSED static void graph_text(const struct mx_graph *graph, char *text,
			      size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	uint32_t i;

	assert_non_null(out);
	for (i = 0; i < graph->node_count; i++)
		node_text(graph, &graph->nodes[i].layer, out);
	fclose(out);
}

/* The net imports with random weights into the nodes of @want. */
UNUSED static void expect_nodes(const char *net, const char *want)
{
	const struct mx_import_opts opts = {.seed = 1};
	struct import import;
	char text[8192];

	if (import_net(&import, net, NULL, &opts))
		fail_msg("%s\n%s", import.err.text, import.log);
	graph_text(import.graph, text, sizeof(text));
	assert_string_equal(text, want);
	import_end(&import);
}

/* The net does not import. */
UNUSED static void expect_failure(const char *net, int rc, const char *message)
{
	const struct mx_import_opts opts = {.seed = 1};
	struct import import;

	assert_int_equal(import_net(&import, net, NULL, &opts), rc);
	assert_string_equal(import.err.text, message);
	assert_null(import.graph);
	import_end(&import);
}

/* A net of one input x [@dims] and the layer @layer. */
#define ONE(dims, layer)                                                       \
	"layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: " \
	"[" dims "] } } }\nlayer { name: 'y' bottom: 'x' top: 'y' " layer " }"

#endif
