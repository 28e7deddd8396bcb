/*
 * ONNX models written as text, a line a part:
 *
 *	opset 13
 *	input x 1,3,?,4
 *	init w T1:2,3:1,2,3,4,5,6
 *	Op a,b,,c -> y,z axis=1 perm=0,1, alpha=0.5 mode='x' value=T7:1:5
 *	node NAME Op x -> y
 *	output y
 *
 * Of an input, ? is an open dimension and - no shape at all. A tensor is T,
 * ONNX's type, dims and values, or * for 1, 2, and so on.
 * An attribute with a comma is a list, with a dot a float. The graph that the
 * importer makes is compared as text, weights included. All functions are
 * static: this header is the whole helper.
 */
#ifndef MX_TESTS_ONNX_FIXTURE_H
#define MX_TESTS_ONNX_FIXTURE_H

#include <errno.h>
#include <inttypes.h>
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
#define TEXT_BYTES 16384
#define DEFAULT_OPSET 13

/* --- the wire --------------------------------------------------------- */

struct pb {
	unsigned char *data;
	size_t size;
	size_t room;
};

UNUSED static void pb_raw(struct pb *pb, const void *data, size_t size)
{
	if (pb->size + size > pb->room) {
		pb->room = 2 * (pb->size + size);
		pb->data = realloc(pb->data, pb->room);
		assert_non_null(pb->data);
	}
	if (size)
		memcpy(pb->data + pb->size, data, size);
	pb->size += size;
}

UNUSED static void pb_varint(struct pb *pb, uint64_t value)
{
	unsigned char byte;

	for (; value >= 0x80; value >>= 7) {
		byte = (unsigned char)(value | 0x80);
		pb_raw(pb, &byte, 1);
	}
	byte = (unsigned char)value;
	pb_raw(pb, &byte, 1);
}

UNUSED static void pb_int(struct pb *pb, unsigned number, int64_t value)
{
	pb_varint(pb, (uint64_t)number << 3);
	pb_varint(pb, (uint64_t)value);
}

UNUSED static void pb_bytes(struct pb *pb, unsigned number, const void *data,
			    size_t size)
{
	pb_varint(pb, (uint64_t)number << 3 | 2);
	pb_varint(pb, size);
	pb_raw(pb, data, size);
}

UNUSED static void pb_text(struct pb *pb, unsigned number, const char *text)
{
	pb_bytes(pb, number, text, strlen(text));
}

UNUSED static void pb_float(struct pb *pb, unsigned number, float value)
{
	pb_varint(pb, (uint64_t)number << 3 | 5);
	pb_raw(pb, &value, sizeof(value));
}

/* @inner as a message, which is freed. */
UNUSED static void pb_message(struct pb *pb, unsigned number, struct pb *inner)
{
	pb_bytes(pb, number, inner->data, inner->size);
	free(inner->data);
	memset(inner, 0, sizeof(*inner));
}

/* --- the language ----------------------------------------------------- */

/* Comma-separated numbers; calls @fn for each, returns how many. */
UNUSED static size_t numbers(const char *list, double *out, size_t room)
{
	size_t count = 0;
	char *end;

	while (*list) {
		assert_true(count < room);
		out[count++] = strtod(list, &end);
		if (end == list)
			fail_msg("no number: %s", list);
		list = *end == ',' ? end + 1 : end;
	}
	return count;
}

/* One element of a TensorProto of type @type. */
UNUSED static void put_element(struct pb *raw, long type, double value)
{
	const float f32 = (float)value;
	const int64_t i64 = value < 0x1p63 ? (int64_t)value : INT64_MAX;

	if (type == 1)
		pb_raw(raw, &f32, sizeof(f32));
	else if (type == 11)
		pb_raw(raw, &value, sizeof(value));
	else
		pb_raw(raw, &i64,
		       type == 7   ? 8
		       : type == 6 ? 4
		       : type == 4 ? 2
				   : 1);
}

/* "T1:2,3:1,2,..." */
UNUSED static void put_tensor(struct pb *out, const char *name,
			      const char *text)
{
	static double values[4096];
	char dims[128];
	struct pb raw = {0};
	size_t count, i, elems = 1;
	const char *at;
	long type = strtol(text + 1, NULL, 10);

	at = strchr(text, ':') + 1;
	(void)snprintf(dims, sizeof(dims), "%.*s", (int)strcspn(at, ":"), at);
	at += strcspn(at, ":") + 1;
	count = numbers(dims, values, 8);
	for (i = 0; i < count; i++) {
		pb_int(out, 1, (int64_t)values[i]);
		elems *= (size_t)values[i];
	}
	pb_int(out, 2, type);
	if (*at == '*')
		for (i = 0; i < elems; i++)
			put_element(&raw, type, (double)(i + 1));
	else
		for (i = 0, count = numbers(at, values, 4096); i < count; i++)
			put_element(&raw, type, values[i]);
	if (name)
		pb_text(out, 8, name);
	pb_message(out, 9, &raw);
}

UNUSED static void put_attr(struct pb *node, const char *text)
{
	const char *value = strchr(text, '=') + 1;
	struct pb attr = {0}, tensor = {0};
	double list[64];
	size_t count, i;

	pb_bytes(&attr, 1, text, (size_t)(value - text) - 1);
	if (*value == '\'') {
		pb_bytes(&attr, 4, value + 1, strlen(value) - 2);
	} else if (*value == 'T') {
		put_tensor(&tensor, NULL, value);
		pb_message(&attr, 5, &tensor);
	} else {
		count = numbers(value, list, 64);
		for (i = 0; i < count; i++) {
			const int many = strchr(value, ',') != NULL;

			if (strchr(value, '.'))
				pb_float(&attr, many ? 7 : 2, (float)list[i]);
			else
				pb_int(&attr, many ? 8 : 3, (int64_t)list[i]);
		}
	}
	pb_message(node, 5, &attr);
}

/* Names between commas, each as field @number. "-" is none. */
UNUSED static void put_names(struct pb *node, unsigned number,
			     const char *names)
{
	if (strcmp(names, "-") == 0)
		return;
	for (;; names++) {
		size_t length = strcspn(names, ",");

		pb_bytes(node, number, names, length);
		names += length;
		if (!*names)
			return;
	}
}

UNUSED static void put_node(struct pb *graph, char *line)
{
	struct pb node = {0};
	char *save, *word = strtok_r(line, " ", &save);

	if (strcmp(word, "node") == 0) {
		pb_text(&node, 3, strtok_r(NULL, " ", &save));
		word = strtok_r(NULL, " ", &save);
	}
	pb_text(&node, 4, word);
	put_names(&node, 1, strtok_r(NULL, " ", &save));
	assert_string_equal(strtok_r(NULL, " ", &save), "->");
	put_names(&node, 2, strtok_r(NULL, " ", &save));
	while ((word = strtok_r(NULL, " ", &save)))
		put_attr(&node, word);
	pb_message(graph, 1, &node);
}

/* ValueInfoProto; "?" is an open dimension. */
UNUSED static void put_value_info(struct pb *graph, unsigned number,
				  const char *name, const char *dims)
{
	struct pb info = {0}, type = {0}, tensor = {0}, shape = {0}, dim = {0};

	pb_int(&tensor, 1, 1);
	while (dims && *dims && *dims != '-') {
		if (*dims == '?')
			pb_text(&dim, 2, "N");
		else
			pb_int(&dim, 1, atoll(dims));
		pb_message(&shape, 1, &dim);
		dims += strcspn(dims, ",");
		dims += *dims == ',';
	}
	if (dims && *dims == '-')
		free(shape.data);
	else
		pb_message(&tensor, 2, &shape);
	pb_message(&type, 1, &tensor);
	pb_text(&info, 1, name);
	pb_message(&info, 2, &type);
	pb_message(graph, number, &info);
}

UNUSED static void put_line(struct pb *graph, char *line, int64_t *opset)
{
	struct pb tensor = {0};
	char *save, copy[1024], *word, *name;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	word = strtok_r(copy, " ", &save);
	if (!word)
		return;
	name = strtok_r(NULL, " ", &save);
	if (strcmp(word, "opset") == 0) {
		*opset = atoll(name);
	} else if (strcmp(word, "input") == 0) {
		word = strtok_r(NULL, " ", &save);
		put_value_info(graph, 11, name, word ? word : "");
	} else if (strcmp(word, "output") == 0) {
		put_value_info(graph, 12, name, "");
	} else if (strcmp(word, "init") == 0) {
		put_tensor(&tensor, name, strtok_r(NULL, " ", &save));
		pb_message(graph, 5, &tensor);
	} else {
		put_node(graph, line);
	}
}

/* ModelProto around @graph, which is freed. The graph comes last, so that
 * nothing is complete before its last byte. */
UNUSED static void put_model(struct pb *model, struct pb *graph, int64_t opset)
{
	struct pb id = {0};

	pb_int(model, 1, 7);
	pb_text(&id, 1, "");
	pb_int(&id, 2, opset);
	pb_message(model, 8, &id);
	pb_message(model, 7, graph);
}

UNUSED static void model_of(const char *text, struct pb *model)
{
	struct pb graph = {0};
	int64_t opset = DEFAULT_OPSET;
	char *copy = strdup(text), *save = NULL, *line;

	assert_non_null(copy);
	pb_text(&graph, 2, "net");
	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		put_line(&graph, line, &opset);
	free(copy);
	put_model(model, &graph, opset);
}

/* --- import ----------------------------------------------------------- */

struct import {
	struct mx_graph *graph;
	struct mx_import_source *source;
	struct mx_err err; /* the file is called "FILE" in it */
	char log[TEXT_BYTES];
};

UNUSED static void log_line(void *user, enum mx_log_level level,
			    const char *line)
{
	char *log = user;

	(void)level;
	strncat(log, line, TEXT_BYTES - strlen(log) - 2);
	strcat(log, "\n");
}

/* Every @path in the message becomes "FILE". */
UNUSED static void hide_path(struct mx_err *err, const char *path)
{
	const size_t length = strlen(path);
	char *at;

	while ((at = strstr(err->text, path))) {
		memcpy(at, "FILE", 4);
		memmove(at + 4, at + length, strlen(at + length) + 1);
	}
}

UNUSED static int import_bytes(struct import *import, const struct pb *model,
			       const struct mx_import_opts *base)
{
	struct mx_import_opts opts = *base;
	struct mx_log log = {MX_LOG_DEBUG, log_line, import->log};
	char path[TEMP_PATH_BYTES];
	int rc;

	memset(import, 0, sizeof(*import));
	temp_file_of(path, model->data, model->size);
	opts.source = path;
	opts.log = &log;
	rc = mx_onnx_graph(&opts, &import->graph, &import->source,
			   &import->err);
	hide_path(&import->err, path);
	unlink(path);
	return rc;
}

UNUSED static int import_text(struct import *import, const char *text,
			      const struct mx_import_opts *base)
{
	struct pb model = {0};
	int rc;

	model_of(text, &model);
	rc = import_bytes(import, &model, base);
	free(model.data);
	return rc;
}

UNUSED static void import_end(struct import *import)
{
	mx_graph_free(import->graph);
	mx_import_source_close(import->source);
	memset(import, 0, sizeof(*import));
}

/* --- a graph as text -------------------------------------------------- */

UNUSED static void weights_text(const struct mx_node *node, FILE *out)
{
	const struct mx_weights *w = &node->weights;
	const size_t rows = (size_t)node->layer.weights.rows;
	size_t count, i, k;
	float value;

	count = w->has_rows ? mx_shape_elems(&w->rows.shape) : 0;
	for (i = 0; i < count && i < 64; i++) {
		mx_const_read_f32(&w->rows, i, 1, &value);
		fprintf(out, "%s%g", i ? "," : " rows=", (double)value);
	}
	for (i = 0; w->row_scale && i < rows && i < 64; i++)
		fprintf(out, "%s%g", i ? "," : " row_scale=", w->row_scale[i]);
	for (k = 0; k < MX_VECTORS_MAX; k++)
		for (i = 0; w->vector[k] && i < rows && i < 64; i++)
			fprintf(out, "%s%.5g",
				i ? "," : " vector=", w->vector[k][i]);
}

UNUSED static void node_text(const struct mx_graph *graph,
			     const struct mx_node *node, FILE *out)
{
	const struct mx_tensor *value = &graph->values[node->layer.out[0]];
	char shape[MX_SHAPE_TEXT_BYTES];

	layer_text(graph, &node->layer, out);
	weights_text(node, out);
	fprintf(out, " -> %s %s\n", value->name,
		mx_shape_text(&value->shape, shape));
}

UNUSED static void graph_text(const struct mx_graph *graph, char *text)
{
	FILE *out = fmemopen(text, TEXT_BYTES, "w");
	uint32_t i;

	assert_non_null(out);
	for (i = 0; i < graph->node_count; i++)
		node_text(graph, &graph->nodes[i], out);
	fclose(out);
}

/* @model imports into the nodes of @want. */
UNUSED static void expect_opts(const char *model,
			       const struct mx_import_opts *opts,
			       const char *want)
{
	static char text[TEXT_BYTES];
	struct import import;

	if (import_text(&import, model, opts))
		fail_msg("%s\n%s%s", model, import.log, import.err.text);
	graph_text(import.graph, text);
	assert_string_equal(text, want);
	import_end(&import);
}

UNUSED static void expect(const char *model, const char *want)
{
	const struct mx_import_opts opts = {.keep_batch = 1};

	expect_opts(model, &opts, want);
}

/* @model does not import; the message is "FILE: @message". */
UNUSED static void expect_failure(const char *model, int want,
				  const char *message)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct import import;
	int rc;

	rc = import_text(&import, model, &opts);
	assert_string_equal(import.err.text, message);
	assert_int_equal(rc, want);
	assert_null(import.graph);
	import_end(&import);
}

/* It imports, or it is corrupt; never anything else. */
UNUSED static void expect_sane(const struct pb *model)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct import import;
	int rc;

	rc = import_bytes(&import, model, &opts);
	if (rc && rc != -EBADMSG && rc != -ENOTSUP && rc != -EINVAL)
		fail_msg("status %d: %s", rc, import.err.text);
	import_end(&import);
}

#endif
