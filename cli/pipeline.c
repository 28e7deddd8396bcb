/*
 * Names are read first, so that a stage may be named before it comes; when all
 * is read, stages are put in order and their numbers follow.
 */
#include "cli/pipeline_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/yaml_tree.h"
#include "lib/err.h"
#include "lib/size.h"

/* Far more than any board runs. */
#define STAGES_MAX 256

#define LIST_BYTES 512

int mx_pipeline_refuse(const struct mx_pipeline_reader *reader,
		       const struct mx_yaml_node *node, const char *fmt, ...)
{
	char text[MX_ERR_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return mx_fail(reader->err, EBADMSG, "%s:%zu: %s", reader->out->path,
		       mx_yaml_line(node), text);
}

int mx_pipeline_no_memory(const struct mx_pipeline_reader *reader)
{
	return mx_fail(reader->err, ENOMEM, "%s: no memory", reader->out->path);
}

/* ", NAME" at the end of @list, as far as there is room. */
static void append(char list[LIST_BYTES], const char *name)
{
	const size_t used = strlen(list);

	(void)snprintf(list + used, LIST_BYTES - used, "%s%s", used ? ", " : "",
		       name);
}

int mx_pipeline_check_keys(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *node, const char *what,
			   const char *const *known)
{
	char list[LIST_BYTES] = "";
	const char *key;
	size_t i, k;

	for (k = 0; known[k]; k++)
		append(list, known[k]);
	if (!mx_yaml_key(reader->yaml, node, 0))
		return mx_pipeline_refuse(reader, node,
					  "%s must be a mapping with keys of: "
					  "%s",
					  what, list);
	for (i = 0; (key = mx_yaml_key(reader->yaml, node, i)); i++) {
		for (k = 0; known[k] && strcmp(known[k], key) != 0; k++)
			;
		if (!known[k])
			return mx_pipeline_refuse(
				reader, mx_yaml_get(reader->yaml, node, key),
				"%s has no key %s; there are %s", what, key,
				list);
	}
	return 0;
}

int mx_pipeline_find_stage(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *node, const char *name,
			   uint32_t *out)
{
	const struct mx_pipeline *pipeline = reader->out;
	char list[LIST_BYTES] = "";
	uint32_t i;

	for (i = 0; i < pipeline->stage_count; i++) {
		if (name && !strcmp(pipeline->stages[i].name, name)) {
			*out = i;
			return 0;
		}
		append(list, pipeline->stages[i].name);
	}
	return mx_pipeline_refuse(reader, node,
				  "there is no stage %s; there are %s",
				  name ? name : "of that kind", list);
}

int mx_pipeline_find_network(const struct mx_pipeline_reader *reader,
			     const struct mx_yaml_node *node, const char *name,
			     uint32_t *out)
{
	const struct mx_pipeline *pipeline = reader->out;
	char list[LIST_BYTES] = "";
	uint32_t i;

	for (i = 0; i < pipeline->network_count; i++) {
		if (name && !strcmp(pipeline->networks[i].name, name)) {
			pipeline->networks[i].is_used = 1;
			*out = i;
			return 0;
		}
		append(list, pipeline->networks[i].name);
	}
	return mx_pipeline_refuse(reader, node,
				  "there is no network %s; there are %s",
				  name ? name : "of that kind", list);
}

/* ---- networks: {NAME: PATH, ...} ---- */

/* The directory that the file is in, or @networks_path; heap. */
static char *networks_base(const struct mx_pipeline *pipeline,
			   const char *networks_path)
{
	const char *slash = strrchr(pipeline->path, '/');

	if (networks_path)
		return strdup(networks_path);
	return slash ? strndup(pipeline->path, (size_t)(slash - pipeline->path))
		     : strdup(".");
}

static int read_network(const struct mx_pipeline_reader *reader,
			const struct mx_yaml_node *map, const char *name,
			const char *base)
{
	const struct mx_yaml_node *node = mx_yaml_get(reader->yaml, map, name);
	struct mx_pipeline *out = reader->out;
	struct mx_pipeline_network *network =
		&out->networks[out->network_count];
	const char *path = mx_yaml_text(node);

	if (!path || !*path)
		return mx_pipeline_refuse(reader, node,
					  "network %s must be the path of a "
					  "model directory",
					  name);
	out->network_count++;
	network->line = mx_yaml_line(node);
	network->name = strdup(name);
	network->path =
		path[0] == '/' ? strdup(path) : mx_file_join(base, path);
	return network->name && network->path ? 0
					      : mx_pipeline_no_memory(reader);
}

static int read_networks(const struct mx_pipeline_reader *reader,
			 const char *networks_path)
{
	const struct mx_yaml_node *root = mx_yaml_root(reader->yaml);
	const struct mx_yaml_node *map =
		mx_yaml_get(reader->yaml, root, "networks");
	size_t count = 0, i;
	char *base;
	int rc = 0;

	while (mx_yaml_key(reader->yaml, map, count))
		count++;
	if (!count)
		return mx_pipeline_refuse(reader, map ? map : root,
					  "networks must be {NAME: DIRECTORY, "
					  "...}");
	reader->out->networks = calloc(count, sizeof(*reader->out->networks));
	base = networks_base(reader->out, networks_path);
	if (!reader->out->networks || !base)
		rc = mx_pipeline_no_memory(reader);
	for (i = 0; !rc && i < count; i++)
		rc = read_network(reader, map,
				  mx_yaml_key(reader->yaml, map, i), base);
	free(base);
	return rc;
}

/* ---- stages ---- */

/* It names files, too. */
static int is_name(const char *text)
{
	const char *at = text;

	while (*at && (isalnum((unsigned char)*at) || *at == '-' || *at == '_'))
		at++;
	return at != text && !*at;
}

static int read_name(const struct mx_pipeline_reader *reader,
		     const struct mx_yaml_node *item)
{
	struct mx_pipeline *out = reader->out;
	const struct mx_yaml_node *node =
		mx_yaml_get(reader->yaml, item, "name");
	const char *name = mx_yaml_text(node);
	uint32_t i;

	if (!name || !is_name(name))
		return mx_pipeline_refuse(reader, node ? node : item,
					  "a stage must have a name of "
					  "letters, digits, - and _");
	for (i = 0; i < out->stage_count; i++)
		if (!strcmp(out->stages[i].name, name))
			return mx_pipeline_refuse(reader, node,
						  "there is a stage %s already "
						  "(line %zu)",
						  name, out->stages[i].line);
	out->stages[out->stage_count] = (struct mx_pipeline_stage){
		.name = strdup(name),
		.line = mx_yaml_line(item),
	};
	return out->stages[out->stage_count++].name
		       ? 0
		       : mx_pipeline_no_memory(reader);
}

static int read_stages(const struct mx_pipeline_reader *reader)
{
	const struct mx_yaml_node *root = mx_yaml_root(reader->yaml);
	const struct mx_yaml_node *list =
		mx_yaml_get(reader->yaml, root, "stages");
	const size_t count = mx_yaml_count(list);
	size_t i;
	int rc = 0;

	if (!count || count > STAGES_MAX)
		return mx_pipeline_refuse(reader, list ? list : root,
					  "stages must be a list of 1 to %d",
					  STAGES_MAX);
	reader->out->stages = calloc(count, sizeof(*reader->out->stages));
	if (!reader->out->stages)
		return mx_pipeline_no_memory(reader);
	for (i = 0; !rc && i < count; i++)
		rc = read_name(reader, mx_yaml_item(reader->yaml, list, i));
	for (i = 0; !rc && i < count; i++)
		rc = mx_pipeline_read_stage(reader,
					    mx_yaml_item(reader->yaml, list, i),
					    &reader->out->stages[i]);
	return rc;
}

static int check_relations(const struct mx_pipeline_reader *reader)
{
	const struct mx_pipeline *out = reader->out;
	uint32_t i;

	for (i = 0; i < out->stage_count; i++) {
		const struct mx_pipeline_stage *stage = &out->stages[i];

		if (stage->each != MX_CONTEXT_NONE &&
		    !out->stages[stage->each].detects)
			return mx_fail(reader->err, EBADMSG,
				       "%s:%zu: stage %s is for each of %s, "
				       "which has no detect",
				       out->path, stage->line, stage->name,
				       out->stages[stage->each].name);
	}
	return 0;
}

/* ---- the order ---- */

/* A stage that it comes after and that has no place either. */
static uint32_t open_parent(const struct mx_pipeline_stage *stage,
			    const uint32_t *place)
{
	uint32_t i = 0;

	while (place[stage->after[i]] != MX_CONTEXT_NONE)
		i++;
	return stage->after[i];
}

/* From a stage that has no place on, parents without a place lead into a
 * circle. */
static int refuse_circle(const struct mx_pipeline_reader *reader,
			 const uint32_t *place, uint32_t from)
{
	const struct mx_pipeline *out = reader->out;
	char list[LIST_BYTES] = "";
	uint32_t at, i;

	for (i = 0; i < out->stage_count; i++)
		from = open_parent(&out->stages[from], place);
	append(list, out->stages[from].name);
	at = from;
	do {
		at = open_parent(&out->stages[at], place);
		append(list, out->stages[at].name);
	} while (at != from);
	return mx_fail(reader->err, EBADMSG,
		       "%s:%zu: stages come after each other in a circle: %s",
		       out->path, out->stages[from].line, list);
}

static int has_parents(const struct mx_pipeline_stage *stage,
		       const uint32_t *place)
{
	uint32_t i;

	for (i = 0; i < stage->after_count; i++)
		if (place[stage->after[i]] == MX_CONTEXT_NONE)
			return 0;
	return 1;
}

static void renumber(struct mx_pipeline_stage *stage, const uint32_t *place)
{
	uint32_t i;

	for (i = 0; i < stage->after_count; i++)
		stage->after[i] = place[stage->after[i]];
	for (i = 0; i < stage->condition_count; i++)
		stage->conditions[i].stage = place[stage->conditions[i].stage];
	if (stage->each != MX_CONTEXT_NONE)
		stage->each = place[stage->each];
}

/* Parents first, else as in the file. @place, of each stage, is NONE. */
static int order(const struct mx_pipeline_reader *reader, uint32_t *place,
		 struct mx_pipeline_stage *sorted)
{
	struct mx_pipeline *out = reader->out;
	uint32_t count, i;

	for (count = 0; count < out->stage_count; count++) {
		for (i = 0; i < out->stage_count; i++)
			if (place[i] == MX_CONTEXT_NONE &&
			    has_parents(&out->stages[i], place))
				break;
		if (i == out->stage_count) {
			for (i = 0; place[i] != MX_CONTEXT_NONE; i++)
				;
			return refuse_circle(reader, place, i);
		}
		place[i] = count;
		sorted[count] = out->stages[i];
	}
	for (i = 0; i < count; i++)
		renumber(&sorted[i], place);
	memcpy(out->stages, sorted, count * sizeof(*sorted));
	return 0;
}

static int put_in_order(const struct mx_pipeline_reader *reader)
{
	const uint32_t count = reader->out->stage_count;
	struct mx_pipeline_stage *sorted;
	uint32_t *place;
	uint32_t i;
	int rc;

	sorted = calloc(count, sizeof(*sorted));
	place = calloc(count, sizeof(*place));
	for (i = 0; place && i < count; i++)
		place[i] = MX_CONTEXT_NONE;
	rc = sorted && place ? order(reader, place, sorted)
			     : mx_pipeline_no_memory(reader);
	free(sorted);
	free(place);
	return rc;
}

/* ---- the file ---- */

static int read_file(const struct mx_pipeline_reader *reader,
		     const char *networks_path)
{
	static const char *const keys[] = {"networks", "stages", NULL};
	int rc;

	rc = mx_pipeline_check_keys(reader, mx_yaml_root(reader->yaml),
				    "a pipeline", keys);
	if (!rc)
		rc = read_networks(reader, networks_path);
	if (!rc)
		rc = read_stages(reader);
	if (!rc)
		rc = check_relations(reader);
	return rc ? rc : put_in_order(reader);
}

int mx_pipeline_read(struct mx_pipeline *out, const char *path,
		     const char *networks_path, struct mx_err *err)
{
	struct mx_pipeline_reader reader = {.out = out, .err = err};
	struct mx_yaml *yaml;
	int rc;

	rc = mx_yaml_read(&yaml, path, err);
	if (rc)
		return rc;
	reader.yaml = yaml;
	*out = (struct mx_pipeline){.path = strdup(path)};
	rc = out->path ? read_file(&reader, networks_path)
		       : mx_fail(err, ENOMEM, "%s: no memory", path);
	mx_yaml_free(yaml);
	if (rc)
		mx_pipeline_fini(out);
	return rc;
}

static void fini_stage(struct mx_pipeline_stage *stage)
{
	uint32_t i;

	for (i = 0; i < stage->condition_count; i++)
		free((void *)(uintptr_t)stage->conditions[i].label);
	free(stage->conditions);
	free(stage->after);
	mx_file_lines_free(stage->only, stage->only_count);
	mx_file_lines_free(stage->labels, stage->label_count);
	free(stage->name);
}

void mx_pipeline_fini(struct mx_pipeline *pipeline)
{
	uint32_t i;

	for (i = 0; i < pipeline->stage_count; i++)
		fini_stage(&pipeline->stages[i]);
	for (i = 0; i < pipeline->network_count; i++) {
		free(pipeline->networks[i].name);
		free(pipeline->networks[i].path);
	}
	free(pipeline->stages);
	free(pipeline->networks);
	free(pipeline->path);
	*pipeline = (struct mx_pipeline){.path = NULL};
}
