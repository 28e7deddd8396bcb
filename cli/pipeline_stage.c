#include "cli/pipeline_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "cli/yaml_tree.h"
#include "lib/err.h"
#include "lib/size.h"

#define AT_ONCE 2 /* unless said otherwise */
#define AT_ONCE_MAX 64
#define DETECTIONS_MAX 1000
#define GROW_MAX 100
#define OUTPUTS_MAX 1000000
#define VALUE_MAX 1e30

/* ---- scalars: an absent key leaves the value as it is ---- */

static const struct mx_yaml_node *value_of(
	const struct mx_pipeline_reader *reader, const struct mx_yaml_node *map,
	const char *key)
{
	return mx_yaml_get(reader->yaml, map, key);
}

static int read_number(const struct mx_pipeline_reader *reader,
		       const struct mx_yaml_node *map, const char *key,
		       double most, double *out)
{
	const struct mx_yaml_node *node = value_of(reader, map, key);
	const char *text = mx_yaml_text(node);
	double value;

	if (!node)
		return 0;
	if (!text || mx_parse_float(text, &value) || value < 0 || value > most)
		return mx_pipeline_refuse(reader, node,
					  "%s must be a number from 0 to %g",
					  key, most);
	*out = value;
	return 0;
}

static int read_count(const struct mx_pipeline_reader *reader,
		      const struct mx_yaml_node *map, const char *key,
		      uint32_t least, uint32_t most, uint32_t *out)
{
	const struct mx_yaml_node *node = value_of(reader, map, key);
	const char *text = mx_yaml_text(node);
	uint64_t value;

	if (!node)
		return 0;
	if (!text || mx_parse_count(text, most, &value) || value < least)
		return mx_pipeline_refuse(reader, node,
					  "%s must be a number from %u to %u",
					  key, least, most);
	*out = (uint32_t)value;
	return 0;
}

/* One of @words, which NULL ends: its place goes to *@out. */
static int read_word(const struct mx_pipeline_reader *reader,
		     const struct mx_yaml_node *map, const char *key,
		     const char *const *words, int *out)
{
	const struct mx_yaml_node *node = value_of(reader, map, key);
	const char *text = mx_yaml_text(node);
	char list[128] = "";
	size_t used = 0;
	int i;

	if (!node)
		return 0;
	for (i = 0; words[i]; i++) {
		if (text && !strcmp(text, words[i])) {
			*out = i;
			return 0;
		}
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s", i ? ", " : "", words[i]);
	}
	return mx_pipeline_refuse(reader, node, "%s must be one of %s", key,
				  list);
}

static int read_flag(const struct mx_pipeline_reader *reader,
		     const struct mx_yaml_node *map, const char *key, int *out)
{
	static const char *const words[] = {"false", "true", NULL};

	return read_word(reader, map, key, words, out);
}

/* ---- lists; one text is a list of one ---- */

static size_t text_count(const struct mx_yaml_node *node)
{
	return mx_yaml_text(node) ? 1 : mx_yaml_count(node);
}

static const struct mx_yaml_node *text_item(const struct mx_pipeline_reader *r,
					    const struct mx_yaml_node *node,
					    size_t index)
{
	return mx_yaml_text(node) ? node : mx_yaml_item(r->yaml, node, index);
}

static int read_texts(const struct mx_pipeline_reader *reader,
		      const struct mx_yaml_node *map, const char *key,
		      char ***out, size_t *count)
{
	const struct mx_yaml_node *node = value_of(reader, map, key);
	const size_t total = text_count(node);
	const char *text;
	size_t i;

	if (!node)
		return 0;
	if (!total)
		return mx_pipeline_refuse(reader, node, "%s must be a list",
					  key);
	*out = calloc(total, sizeof(char *));
	if (!*out)
		return mx_pipeline_no_memory(reader);
	for (i = 0; i < total; i++) {
		text = mx_yaml_text(text_item(reader, node, i));
		if (!text)
			return mx_pipeline_refuse(reader, node,
						  "%s must be a list of texts",
						  key);
		(*out)[i] = strdup(text);
		if (!(*out)[i])
			return mx_pipeline_no_memory(reader);
		(*count)++;
	}
	return 0;
}

/* ---- what it depends on ---- */

static int add_parent(const struct mx_pipeline_reader *reader,
		      struct mx_pipeline_stage *stage, uint32_t parent)
{
	uint32_t i, *after;

	for (i = 0; i < stage->after_count; i++)
		if (stage->after[i] == parent)
			return 0;
	after = reallocarray(stage->after, (size_t)stage->after_count + 1,
			     sizeof(*after));
	if (!after)
		return mx_pipeline_no_memory(reader);
	stage->after = after;
	after[stage->after_count++] = parent;
	return 0;
}

static int read_after(const struct mx_pipeline_reader *reader,
		      const struct mx_yaml_node *map,
		      struct mx_pipeline_stage *stage)
{
	const struct mx_yaml_node *node = value_of(reader, map, "after");
	const size_t count = text_count(node);
	const struct mx_yaml_node *item;
	uint32_t parent;
	size_t i;
	int rc = 0;

	if (node && !count)
		return mx_pipeline_refuse(reader, node,
					  "after must be a stage or a list of "
					  "stages");
	for (i = 0; !rc && i < count; i++) {
		item = text_item(reader, node, i);
		rc = mx_pipeline_find_stage(reader, item, mx_yaml_text(item),
					    &parent);
		if (!rc)
			rc = add_parent(reader, stage, parent);
	}
	return rc;
}

/* Only with `each` there is more than one job, and a part of the picture. */
static int read_each(const struct mx_pipeline_reader *reader,
		     const struct mx_yaml_node *map,
		     struct mx_pipeline_stage *stage)
{
	static const char *const with_each[] = {"grow", "at-once", NULL};
	const struct mx_yaml_node *node = value_of(reader, map, "each");
	size_t i;
	int rc;

	stage->each = MX_CONTEXT_NONE;
	stage->at_once = 1;
	for (i = 0; !node && with_each[i]; i++)
		if (value_of(reader, map, with_each[i]))
			return mx_pipeline_refuse(
				reader, value_of(reader, map, with_each[i]),
				"%s is for a stage with each", with_each[i]);
	if (!node)
		return 0;
	stage->at_once = AT_ONCE;
	rc = mx_pipeline_find_stage(reader, node, mx_yaml_text(node),
				    &stage->each);
	return rc ? rc : add_parent(reader, stage, stage->each);
}

/* ---- when: {STAGE.WHAT: {OP: VALUE, ...}, ...} ---- */

/* In the order of their enum. */
static const char *const what_names[] = {"count", "class", "label", "score",
					 NULL};
static const char *const op_names[] = {"gt", "ge", "lt", "le",
				       "eq", "ne", NULL};

static int find_word(const char *const *words, const char *text)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

/* "STAGE.count", or class, label, score, output_K. */
static int read_subject(const struct mx_pipeline_reader *reader,
			const struct mx_yaml_node *node, const char *key,
			struct mx_condition *out)
{
	static const char prefix[] = "output_";
	const char *dot = strrchr(key, '.');
	uint64_t output;
	char *name;
	int what, rc;

	name = dot ? strndup(key, (size_t)(dot - key)) : NULL;
	if (dot && !name)
		return mx_pipeline_no_memory(reader);
	if (dot) {
		rc = mx_pipeline_find_stage(reader, node, name, &out->stage);
		free(name);
		if (rc)
			return rc;
		what = find_word(what_names, dot + 1);
		if (what >= 0) {
			out->what = (enum mx_condition_what)what;
			return 0;
		}
		if (!strncmp(dot + 1, prefix, strlen(prefix)) &&
		    !mx_parse_count(dot + 1 + strlen(prefix), OUTPUTS_MAX,
				    &output)) {
			out->what = MX_CONDITION_VALUE;
			out->output = (uint32_t)output;
			return 0;
		}
	}
	return mx_pipeline_refuse(reader, node,
				  "when: %s is none of STAGE.count, "
				  "STAGE.class, STAGE.label, STAGE.score, "
				  "STAGE.output_K",
				  key);
}

static int add_condition(const struct mx_pipeline_reader *reader,
			 const struct mx_yaml_node *node, const char *key,
			 const char *op_name, struct mx_condition *condition,
			 struct mx_pipeline_stage *stage)
{
	const char *text = mx_yaml_text(node);
	const int op = find_word(op_names, op_name);
	struct mx_condition *conditions;

	if (op < 0)
		return mx_pipeline_refuse(reader, node,
					  "when: %s: %s is none of gt, ge, lt, "
					  "le, eq, ne",
					  key, op_name);
	condition->op = (enum mx_condition_op)op;
	condition->label = NULL;
	if (condition->what == MX_CONDITION_LABEL) {
		if (!text || op < MX_CONDITION_EQ)
			return mx_pipeline_refuse(reader, node,
						  "when: %s: a label can be eq "
						  "or ne to a text",
						  key);
		condition->label = strdup(text);
		if (!condition->label)
			return mx_pipeline_no_memory(reader);
	} else if (!text || mx_parse_float(text, &condition->value) ||
		   condition->value > VALUE_MAX ||
		   condition->value < -VALUE_MAX) {
		return mx_pipeline_refuse(reader, node,
					  "when: %s: %s wants a number", key,
					  op_name);
	}
	conditions = reallocarray(stage->conditions,
				  (size_t)stage->condition_count + 1,
				  sizeof(*conditions));
	if (!conditions) {
		free((void *)(uintptr_t)condition->label);
		return mx_pipeline_no_memory(reader);
	}
	stage->conditions = conditions;
	conditions[stage->condition_count++] = *condition;
	return 0;
}

static int read_subject_conditions(const struct mx_pipeline_reader *reader,
				   const struct mx_yaml_node *node,
				   const char *key,
				   struct mx_pipeline_stage *stage)
{
	struct mx_condition condition = {.what = MX_CONDITION_COUNT};
	const char *op;
	size_t i;
	int rc;

	rc = read_subject(reader, node, key, &condition);
	if (!rc)
		rc = add_parent(reader, stage, condition.stage);
	if (rc)
		return rc;
	/* "STAGE.label: person" is short for {eq: person}. */
	if (mx_yaml_text(node))
		return add_condition(reader, node, key, "eq", &condition,
				     stage);
	if (!mx_yaml_key(reader->yaml, node, 0))
		return mx_pipeline_refuse(reader, node,
					  "when: %s must be a value or {OP: "
					  "VALUE}",
					  key);
	for (i = 0; !rc && (op = mx_yaml_key(reader->yaml, node, i)); i++)
		rc = add_condition(reader, value_of(reader, node, op), key, op,
				   &condition, stage);
	return rc;
}

static int read_when(const struct mx_pipeline_reader *reader,
		     const struct mx_yaml_node *map,
		     struct mx_pipeline_stage *stage)
{
	const struct mx_yaml_node *node = value_of(reader, map, "when");
	const char *key;
	size_t i;
	int rc = 0;

	if (node && !mx_yaml_key(reader->yaml, node, 0))
		return mx_pipeline_refuse(reader, node,
					  "when must be conditions: "
					  "{STAGE.count: {gt: 0}}");
	for (i = 0; !rc && (key = mx_yaml_key(reader->yaml, node, i)); i++)
		rc = read_subject_conditions(
			reader, value_of(reader, node, key), key, stage);
	return rc;
}

static int read_chance(const struct mx_pipeline_reader *reader,
		       const struct mx_yaml_node *map, double *out)
{
	const char *text = mx_yaml_text(value_of(reader, map, "chance"));

	*out = -1;
	if (text && !strcmp(text, "learned"))
		return 0;
	return read_number(reader, map, "chance", 1, out);
}

/* ---- what is made of its outputs ---- */

/* Boxes and scores are two outputs. */
static int is_pair(const struct mx_detect_opts *opts)
{
	return opts->format == MX_DETECT_CORNERS ||
	       opts->format == MX_DETECT_CENTER;
}

/* Of a row of scores in a pair of outputs the first is nothing, unless said
 * otherwise. */
static int read_background(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *map,
			   struct mx_detect_opts *opts)
{
	const char *text = mx_yaml_text(value_of(reader, map, "background"));

	opts->background = MX_BACKGROUND_NONE;
	if (!is_pair(opts) || (text && !strcmp(text, "none")))
		return 0;
	opts->background = 0;
	return read_count(reader, map, "background", 0, UINT32_MAX - 1,
			  &opts->background);
}

/* Which outputs: two for some formats, one for the others. */
static int read_outputs(const struct mx_pipeline_reader *reader,
			const struct mx_yaml_node *map,
			struct mx_detect_opts *opts)
{
	int rc;

	if (!is_pair(opts)) {
		rc = read_count(reader, map, "output", 0, OUTPUTS_MAX,
				&opts->scores);
		opts->boxes = opts->scores;
		return rc;
	}
	opts->boxes = 1;
	rc = read_count(reader, map, "scores", 0, OUTPUTS_MAX, &opts->scores);
	return rc ? rc
		  : read_count(reader, map, "boxes", 0, OUTPUTS_MAX,
			       &opts->boxes);
}

static int read_detect(const struct mx_pipeline_reader *reader,
		       const struct mx_yaml_node *map,
		       struct mx_pipeline_stage *stage)
{
	static const char *const pair_keys[] = {
		"format", "scores",	"boxes",  "threshold", "nms",
		"most",	  "background", "pixels", "only",      NULL};
	static const char *const row_keys[] = {"format", "output", "threshold",
					       "nms",	 "most",   "pixels",
					       "only",	 NULL};
	static const char *const formats[] = {"corners", "center", "rows",
					      "yolox", NULL};
	const struct mx_yaml_node *node = value_of(reader, map, "detect");
	struct mx_detect_opts *opts = &stage->detect;
	double threshold = 0.5, overlap = 0.5;
	int format = 0, rc;

	if (!node)
		return 0;
	stage->detects = 1;
	opts->most = 100;
	rc = read_word(reader, node, "format", formats, &format);
	if (rc)
		return rc;
	opts->format = (enum mx_detect_format)format;
	rc = mx_pipeline_check_keys(reader, node, "detect",
				    format <= MX_DETECT_CENTER ? pair_keys
							       : row_keys);
	if (!rc)
		rc = read_outputs(reader, node, opts);
	if (!rc)
		rc = read_background(reader, node, opts);
	if (!rc)
		rc = read_number(reader, node, "threshold", 1, &threshold);
	if (!rc)
		rc = read_number(reader, node, "nms", 1, &overlap);
	if (!rc)
		rc = read_count(reader, node, "most", 1, DETECTIONS_MAX,
				&opts->most);
	if (!rc)
		rc = read_flag(reader, node, "pixels", &opts->in_pixels);
	if (!rc)
		rc = read_texts(reader, node, "only", &stage->only,
				&stage->only_count);
	opts->threshold = (float)threshold;
	opts->overlap = (float)overlap;
	return rc;
}

static int read_answer(const struct mx_pipeline_reader *reader,
		       const struct mx_yaml_node *map,
		       struct mx_pipeline_stage *stage)
{
	static const char *const keys[] = {"output", "softmax", NULL};
	const struct mx_yaml_node *node = value_of(reader, map, "answer");
	int rc;

	stage->output = MX_CONTEXT_NONE;
	if (!node)
		return 0;
	if (stage->detects)
		return mx_pipeline_refuse(reader, node,
					  "a stage detects or has an answer, "
					  "not both");
	rc = mx_pipeline_check_keys(reader, node, "answer", keys);
	if (!rc)
		rc = read_count(reader, node, "output", 0, OUTPUTS_MAX,
				&stage->output);
	return rc ? rc : read_flag(reader, node, "softmax", &stage->softmax);
}

int mx_pipeline_read_stage(const struct mx_pipeline_reader *reader,
			   const struct mx_yaml_node *node,
			   struct mx_pipeline_stage *stage)
{
	static const char *const keys[] = {
		"name",	  "network", "after",	"each",	  "when",
		"mode",	  "grow",    "at-once", "chance", "detect",
		"answer", "labels",  NULL};
	static const char *const modes[] = {"wait", "opportunistic", NULL};
	const struct mx_yaml_node *network = value_of(reader, node, "network");
	int rc;

	stage->grow = 1;
	rc = mx_pipeline_check_keys(reader, node, "a stage", keys);
	if (!rc)
		rc = mx_pipeline_find_network(reader, network ? network : node,
					      network ? mx_yaml_text(network)
						      : stage->name,
					      &stage->network);
	if (!rc)
		rc = read_after(reader, node, stage);
	if (!rc)
		rc = read_each(reader, node, stage);
	if (!rc)
		rc = read_when(reader, node, stage);
	if (!rc)
		rc = read_word(reader, node, "mode", modes,
			       &stage->opportunistic);
	if (!rc)
		rc = read_number(reader, node, "grow", GROW_MAX, &stage->grow);
	if (!rc)
		rc = read_count(reader, node, "at-once", 1, AT_ONCE_MAX,
				&stage->at_once);
	if (!rc)
		rc = read_chance(reader, node, &stage->chance);
	if (!rc)
		rc = read_detect(reader, node, stage);
	if (!rc)
		rc = read_answer(reader, node, stage);
	return rc ? rc
		  : read_texts(reader, node, "labels", &stage->labels,
			       &stage->label_count);
}
