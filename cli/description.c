#include "cli/description.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/number.h"
#include "cli/yaml_tree.h"
#include "lib/err.h"
#include "sched/board.h"

#define FILE_NAME "description.yaml"
#define MB_BYTES 1e6
#define MS_NS 1e6
/* Of a number in either unit: in bytes or ns it is far from an overflow. */
#define PROFILE_MAX 1e9

int mx_description_is(const char *path)
{
	char *file = mx_file_join(path, FILE_NAME);
	int found = file && mx_file_exists(file);

	free(file);
	return found;
}

void mx_description_fini(struct mx_description *description)
{
	free(description->name);
	free(description->network_path);
	free(description->weights_path);
	mx_file_lines_free(description->labels, description->label_count);
	*description = (struct mx_description){.name = NULL};
}

static int is_true(const char *text)
{
	return text && (!strcmp(text, "true") || !strcmp(text, "True") ||
			!strcmp(text, "yes") || !strcmp(text, "on"));
}

/* The path of the file that @key names; NULL when there is no such key. */
static int read_path(const struct mx_yaml *yaml, const char *key,
		     const char *directory, char **out, struct mx_err *err)
{
	const struct mx_yaml_node *node =
		mx_yaml_get(yaml, mx_yaml_root(yaml), key);
	const char *text = mx_yaml_text(node);

	if (!node)
		return 0;
	if (!text || !*text || strchr(text, '/'))
		return mx_fail(err, EBADMSG,
			       "%s/" FILE_NAME
			       ": %s must name a file in the directory",
			       directory, key);
	*out = mx_file_join(directory, text);
	return *out ? 0 : mx_fail(err, ENOMEM, "%s: no memory", directory);
}

static int read_mean(struct mx_description *description,
		     const struct mx_yaml *yaml, const char *directory,
		     struct mx_err *err)
{
	const struct mx_yaml_node *list =
		mx_yaml_get(yaml, mx_yaml_root(yaml), "mean-scalar");
	const size_t count = mx_yaml_count(list);
	const char *text;
	double value;
	size_t i;

	if (!list)
		return 0;
	if (count != 1 && count != 3)
		goto fail;
	for (i = 0; i < count; i++) {
		text = mx_yaml_text(mx_yaml_item(yaml, list, i));
		if (!text || mx_parse_float(text, &value))
			goto fail;
		description->mean[i] = (float)value;
	}
	description->mean_count = count;
	return 0;

fail:
	return mx_fail(err, EBADMSG,
		       "%s/" FILE_NAME ": mean-scalar must be 1 or 3 numbers",
		       directory);
}

static int read_labels(struct mx_description *description,
		       const struct mx_yaml *yaml, const char *directory,
		       struct mx_err *err)
{
	const struct mx_yaml_node *root = mx_yaml_root(yaml);
	const struct mx_yaml_node *list;
	const char *text;
	size_t count, i;

	text = mx_yaml_text(mx_yaml_get(yaml, root, "uses-result-vector"));
	if (!is_true(text))
		return 0;
	list = mx_yaml_get(yaml, root, "result-vector");
	count = mx_yaml_count(list);
	if (!count)
		return mx_fail(err, EBADMSG,
			       "%s/" FILE_NAME ": result-vector must be a list",
			       directory);
	description->labels = calloc(count, sizeof(*description->labels));
	if (!description->labels)
		return mx_fail(err, ENOMEM, "%s: no memory", directory);
	for (i = 0; i < count; i++) {
		text = mx_yaml_text(mx_yaml_item(yaml, list, i));
		if (!text)
			return mx_fail(err, EBADMSG,
				       "%s/" FILE_NAME
				       ": item %zu of result-vector is no text",
				       directory, i);
		description->labels[i] = strdup(text);
		if (!description->labels[i])
			return mx_fail(err, ENOMEM, "%s: no memory", directory);
		description->label_count++;
	}
	return 0;
}

static int read_name(struct mx_description *description,
		     const struct mx_yaml *yaml, const char *directory,
		     struct mx_err *err)
{
	const struct mx_yaml_node *root = mx_yaml_root(yaml);
	const char *text = mx_yaml_text(mx_yaml_get(yaml, root, "name"));

	description->uses_scales =
		is_true(mx_yaml_text(mx_yaml_get(yaml, root, "use-scales")));
	if (!text || !*text)
		return 0;
	description->name = strdup(text);
	return description->name
		       ? 0
		       : mx_fail(err, ENOMEM, "%s: no memory", directory);
}

int mx_description_read(struct mx_description *out, const char *directory,
			struct mx_err *err)
{
	struct mx_description description = {.name = NULL};
	struct mx_yaml *yaml = NULL;
	char *path;
	int rc;

	path = mx_file_join(directory, FILE_NAME);
	if (!path)
		return mx_fail(err, ENOMEM, "%s: no memory", directory);
	rc = mx_yaml_read(&yaml, path, err);
	free(path);
	if (rc)
		return rc;
	rc = read_name(&description, yaml, directory, err);
	if (!rc)
		rc = read_path(yaml, "network-file", directory,
			       &description.network_path, err);
	if (!rc && !description.network_path)
		rc = mx_fail(err, EBADMSG,
			     "%s/" FILE_NAME ": network-file is missing",
			     directory);
	if (!rc)
		rc = read_path(yaml, "model-file", directory,
			       &description.weights_path, err);
	if (!rc)
		rc = read_mean(&description, yaml, directory, err);
	if (!rc)
		rc = read_labels(&description, yaml, directory, err);
	mx_yaml_free(yaml);
	if (rc)
		mx_description_fini(&description);
	else
		*out = description;
	return rc;
}

static int read_amount(const struct mx_yaml *yaml, const char *directory,
		       const char *key, double unit, uint64_t *out,
		       struct mx_err *err)
{
	const char *text =
		mx_yaml_text(mx_yaml_get(yaml, mx_yaml_root(yaml), key));
	double value;

	if (!text || mx_parse_float(text, &value) ||
	    !(value > 0 && value <= PROFILE_MAX))
		return mx_fail(err, EBADMSG,
			       "%s/" FILE_NAME
			       ": %s must be there, a number above 0",
			       directory, key);
	*out = (uint64_t)(value * unit);
	return 0;
}

int mx_description_profile(struct mx_masa_profile *out, const char *directory,
			   const char *memory_key, struct mx_err *err)
{
	struct mx_yaml *yaml = NULL;
	char *path = NULL, *key = NULL;
	int rc;

	path = mx_file_join(directory, FILE_NAME);
	if (!path || asprintf(&key, "max-memory-%s", memory_key) < 0) {
		free(path);
		return mx_fail(err, ENOMEM, "%s: no memory", directory);
	}
	rc = mx_yaml_read(&yaml, path, err);
	if (!rc) {
		rc = read_amount(yaml, directory, key, MB_BYTES,
				 &out->peak_bytes, err);
		if (!rc)
			rc = read_amount(yaml, directory, "mean-execution-time",
					 MS_NS, &out->key_ns, err);
		mx_yaml_free(yaml);
	}
	free(path);
	free(key);
	return rc;
}
