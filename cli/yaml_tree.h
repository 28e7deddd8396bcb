/*
 * A YAML (or JSON) file as a tree; libyaml's one door.
 */
#ifndef MX_CLI_YAML_TREE_H
#define MX_CLI_YAML_TREE_H

#include <stddef.h>

struct mx_err;
struct mx_yaml;
struct mx_yaml_node; /* lives as long as its tree */

/*
 * Read a file, at most 16 MiB of it. mx_yaml_free() ends it.
 * Returns 0, -EBADMSG with line and column, or as mx_file_read().
 */
int mx_yaml_read(struct mx_yaml **out, const char *path, struct mx_err *err);
void mx_yaml_free(struct mx_yaml *yaml);

/* The outermost node; NULL if the file is empty. */
const struct mx_yaml_node *mx_yaml_root(const struct mx_yaml *yaml);

/* The value of @key; NULL if @node is NULL, no mapping, or has no such key. */
const struct mx_yaml_node *mx_yaml_get(const struct mx_yaml *yaml,
				       const struct mx_yaml_node *node,
				       const char *key);

/* Key @index of a mapping; NULL past the last, for one that is no scalar, and
 * for anything else. */
const char *mx_yaml_key(const struct mx_yaml *yaml,
			const struct mx_yaml_node *node, size_t index);

/* Items of a sequence; 0 for anything else. */
size_t mx_yaml_count(const struct mx_yaml_node *node);
const struct mx_yaml_node *mx_yaml_item(const struct mx_yaml *yaml,
					const struct mx_yaml_node *node,
					size_t index);

/* The line on which it begins, from 1; 0 if @node is NULL. */
size_t mx_yaml_line(const struct mx_yaml_node *node);

/* The text of a scalar; NULL if @node is NULL or no scalar. */
const char *mx_yaml_text(const struct mx_yaml_node *node);

#endif
