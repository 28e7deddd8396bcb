/*
 * Reading a pipeline file: what pipeline.c (the file) and pipeline_stage.c
 * (one stage of it) share.
 */
#ifndef MX_CLI_PIPELINE_IMPL_H
#define MX_CLI_PIPELINE_IMPL_H

#include "cli/pipeline.h"

struct mx_yaml;
struct mx_yaml_node;

struct mx_pipeline_reader {
	const struct mx_yaml *yaml;
	struct mx_pipeline *out; /* stages in the order of the file */
	struct mx_err *err;
};

/* "FILE:LINE: ..." with the line of @node. Returns -EBADMSG. */
int mx_pipeline_refuse(const struct mx_pipeline_reader *reader,
		       const struct mx_yaml_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int mx_pipeline_no_memory(const struct mx_pipeline_reader *reader);

/* All keys of the mapping @node are among @known, which NULL ends. Returns 0
 * or -EBADMSG, also if it is no mapping. */
int mx_pipeline_check_keys(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *node, const char *what,
			   const char *const *known);

/* The stage, or network, of that name; else -EBADMSG with those there are. */
int mx_pipeline_find_stage(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *node, const char *name,
			   uint32_t *out);
int mx_pipeline_find_network(const struct mx_pipeline_reader *reader,
			     const struct mx_yaml_node *node, const char *name,
			     uint32_t *out);

/* All keys of a stage but its name, which is known, as are all others'.
 * Returns 0, -EBADMSG or -ENOMEM. */
int mx_pipeline_read_stage(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *node,
			   struct mx_pipeline_stage *stage);

#endif
