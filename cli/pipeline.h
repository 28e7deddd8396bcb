/*
 * A pipeline file (YAML): which networks look at a picture, and which of them
 * look on, at what, and when, by what the first have found. docs/pipelines.md
 * has its keys.
 */
#ifndef MX_CLI_PIPELINE_H
#define MX_CLI_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/detection.h"
#include "sched/context.h"

struct mx_err;

/* An item of `stages`. */
struct mx_pipeline_stage {
	char *name; /* letters, digits, '-' and '_' */
	size_t line;
	uint32_t network; /* index into networks */
	uint32_t *after; /* all that it depends on, each once */
	uint32_t after_count;
	uint32_t each; /* or MX_CONTEXT_NONE */
	struct mx_condition *conditions; /* their labels are the stage's */
	uint32_t condition_count;
	int opportunistic;
	double grow; /* how much larger a detection's part is than its box */
	uint32_t at_once;
	double chance; /* that it is needed; below 0: learned */

	int detects;
	/* `only` is not filled in: classes by name want the network's labels */
	struct mx_detect_opts detect;
	char **only; /* labels, or numbers of classes */
	size_t only_count;

	uint32_t output; /* with a score for each class; NONE: the first such */
	int softmax; /* its values are logits */
	char **labels; /* instead of the network's */
	size_t label_count;
};

struct mx_pipeline_network {
	char *name;
	char *path; /* of the model directory */
	size_t line;
	int is_used;
};

struct mx_pipeline {
	char *path;
	struct mx_pipeline_network *networks;
	uint32_t network_count;
	/* Those that a stage depends on come before it; else as in the file. */
	struct mx_pipeline_stage *stages;
	uint32_t stage_count;
};

/*
 * Read the file at @path and check it. Networks are found in @networks_path,
 * NULL: beside the file. mx_pipeline_fini() ends it.
 *
 * Returns 0; -EBADMSG with file and line (no YAML, an unknown key or name, a
 * value that makes no sense, stages that depend on each other in a circle);
 * -ENOMEM; or as mx_file_read().
 */
int mx_pipeline_read(struct mx_pipeline *out, const char *path,
		     const char *networks_path, struct mx_err *err);

void mx_pipeline_fini(struct mx_pipeline *pipeline);

#endif
