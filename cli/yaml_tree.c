/*
 * A struct mx_yaml_node is libyaml's yaml_node_t under another name, so that
 * yaml.h stays in here.
 */
#include "cli/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "cli/file.h"
#include "lib/err.h"

#define FILE_BYTES_MAX (16u << 20)

struct mx_yaml {
	/* Behind a pointer of its own: libyaml's getters change nothing but
	 * take a document that is not const. */
	yaml_document_t *document;
};

static const yaml_node_t *node_of(const struct mx_yaml_node *node)
{
	return (const yaml_node_t *)node;
}

static const struct mx_yaml_node *node_at(const struct mx_yaml *yaml, int index)
{
	return (const struct mx_yaml_node *)yaml_document_get_node(
		yaml->document, index);
}

static int parse(struct mx_yaml *yaml, const unsigned char *data,
		 size_t size_bytes, const char *path, struct mx_err *err)
{
	yaml_parser_t parser;
	int rc = 0;

	if (!yaml_parser_initialize(&parser))
		return mx_fail(err, ENOMEM, "%s: no memory", path);
	yaml_parser_set_input_string(&parser, data, size_bytes);
	yaml->document = calloc(1, sizeof(*yaml->document));
	if (!yaml->document) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", path);
	} else if (!yaml_parser_load(&parser, yaml->document)) {
		rc = mx_fail(err, EBADMSG, "%s:%zu:%zu: %s", path,
			     parser.problem_mark.line + 1,
			     parser.problem_mark.column + 1,
			     parser.problem ? parser.problem : "no YAML");
		/* It has deleted what it had of the document. */
		free(yaml->document);
		yaml->document = NULL;
	}
	yaml_parser_delete(&parser);
	return rc;
}

int mx_yaml_read(struct mx_yaml **out, const char *path, struct mx_err *err)
{
	struct mx_yaml *yaml;
	unsigned char *data;
	size_t size_bytes;
	int rc;

	rc = mx_file_read(path, FILE_BYTES_MAX, &data, &size_bytes, err);
	if (rc)
		return rc;
	yaml = calloc(1, sizeof(*yaml));
	if (yaml)
		rc = parse(yaml, data, size_bytes, path, err);
	else
		rc = mx_fail(err, ENOMEM, "%s: no memory", path);
	free(data);
	if (rc)
		mx_yaml_free(yaml);
	else
		*out = yaml;
	return rc;
}

void mx_yaml_free(struct mx_yaml *yaml)
{
	if (!yaml)
		return;
	if (yaml->document)
		yaml_document_delete(yaml->document);
	free(yaml->document);
	free(yaml);
}

const struct mx_yaml_node *mx_yaml_root(const struct mx_yaml *yaml)
{
	/* libyaml counts nodes from 1. */
	return node_at(yaml, 1);
}

const struct mx_yaml_node *mx_yaml_get(const struct mx_yaml *yaml,
				       const struct mx_yaml_node *node,
				       const char *key)
{
	const yaml_node_t *map = node_of(node);
	const yaml_node_pair_t *pair;
	const char *text;

	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = map->data.mapping.pairs.start;
	     pair < map->data.mapping.pairs.top; pair++) {
		text = mx_yaml_text(node_at(yaml, pair->key));
		if (text && !strcmp(text, key))
			return node_at(yaml, pair->value);
	}
	return NULL;
}

const char *mx_yaml_key(const struct mx_yaml *yaml,
			const struct mx_yaml_node *node, size_t index)
{
	const yaml_node_t *map = node_of(node);
	const yaml_node_pair_t *pair;

	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	pair = map->data.mapping.pairs.start;
	if (index >= (size_t)(map->data.mapping.pairs.top - pair))
		return NULL;
	return mx_yaml_text(node_at(yaml, pair[index].key));
}

size_t mx_yaml_count(const struct mx_yaml_node *node)
{
	const yaml_node_t *list = node_of(node);

	if (!list || list->type != YAML_SEQUENCE_NODE)
		return 0;
	return (size_t)(list->data.sequence.items.top -
			list->data.sequence.items.start);
}

const struct mx_yaml_node *mx_yaml_item(const struct mx_yaml *yaml,
					const struct mx_yaml_node *node,
					size_t index)
{
	return node_at(yaml, node_of(node)->data.sequence.items.start[index]);
}

size_t mx_yaml_line(const struct mx_yaml_node *node)
{
	return node ? node_of(node)->start_mark.line + 1 : 0;
}

const char *mx_yaml_text(const struct mx_yaml_node *node)
{
	const yaml_node_t *scalar = node_of(node);

	if (!scalar || scalar->type != YAML_SCALAR_NODE)
		return NULL;
	return (const char *)scalar->data.scalar.value;
}
