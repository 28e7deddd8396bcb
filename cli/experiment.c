#include "cli/experiment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/number.h"
#include "cli/yaml_tree.h"
#include "lib/err.h"
#include "lib/log.h"
#include "sched/arrivals.h"
#include "sched/policy.h"

#define WORKERS_MAX 1024u
#define ARRIVALS_MAX 1000000u
#define JOBS_MAX 4000000u
#define NS_PER_MS 1000000u
#define LINE_BYTES 256

/* What is being read. */
struct reading {
	struct mx_experiment *out;
	const struct mx_yaml *yaml;
	const char *path;
	uint32_t count; /* no more arrivals; 0: all */
	const struct mx_log *log;
	struct mx_err *err;
	enum mx_relation_mode relations;
	int labelled; /* data-label values count */
	int batch;
	size_t job_count;
	size_t untold; /* conditions on labels that are not there */
};

static const char *const known_keys[] = {
	"tag",
	"mode",
	"mem_limit",
	"n-workers",
	"memory-key",
	"n-arrivals",
	"arrival-mode",
	"network-path",
	"resources-path",
	"arrivals",
	"wait-for-network-output",
	"force-input-label",
	"force-first-layer-nr-first",
};

/* Keys of the reference that mean nothing here. */
static const char *const idle_keys[] = {
	"cmd_base",	"build_folder",	 "output-path",
	"arrival-list", "output-prefix",
};

static int bad(const struct reading *r, const struct mx_yaml_node *node,
	       const char *what, const char *text)
{
	return mx_fail(r->err, EBADMSG, "%s:%zu: %s%s%s", r->path,
		       node ? mx_yaml_line(node) : (size_t)1, what,
		       text ? ": " : "", text ? text : "");
}

static int no_memory(const struct reading *r)
{
	return mx_fail(r->err, ENOMEM, "%s: no memory", r->path);
}

/* The text of @key, which may be absent: *@out stays then. */
static int get_text(const struct reading *r, const char *key, char **out)
{
	const struct mx_yaml_node *node =
		mx_yaml_get(r->yaml, mx_yaml_root(r->yaml), key);
	const char *text = mx_yaml_text(node);

	if (!node)
		return 0;
	if (!text || !*text)
		return bad(r, node, key, "must be a text");
	free(*out);
	*out = strdup(text);
	return *out ? 0 : no_memory(r);
}

static int get_count(const struct reading *r, const char *key, uint64_t max,
		     uint64_t *out)
{
	const struct mx_yaml_node *node =
		mx_yaml_get(r->yaml, mx_yaml_root(r->yaml), key);
	const char *text = mx_yaml_text(node);

	if (!node)
		return 0;
	if (!text || mx_parse_count(text, max, out) || !*out)
		return bad(r, node, key, "must be a number above 0");
	return 0;
}

static int get_flag(const struct reading *r, const char *key, int *out)
{
	const struct mx_yaml_node *node =
		mx_yaml_get(r->yaml, mx_yaml_root(r->yaml), key);
	const char *text = mx_yaml_text(node);

	*out = 0;
	if (!node)
		return 0;
	if (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
		return bad(r, node, key, "must be true or false");
	*out = text[0] == 't';
	return 0;
}

static int is_one_of(const char *key, const char *const *keys, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(key, keys[i]))
			return 1;
	return 0;
}

#define IS_ONE_OF(key, keys)                                                   \
	is_one_of(key, keys, sizeof(keys) / sizeof(*(keys)))

/* Keys that are not understood are no error: files of later versions of the
 * reference have more of them. */
static void name_idle_keys(const struct reading *r)
{
	const struct mx_yaml_node *root = mx_yaml_root(r->yaml);
	char names[LINE_BYTES] = "";
	const char *key;
	size_t i, used;

	for (i = 0; (key = mx_yaml_key(r->yaml, root, i)); i++) {
		if (IS_ONE_OF(key, known_keys))
			continue;
		if (!IS_ONE_OF(key, idle_keys)) {
			mx_log(r->log, MX_LOG_INFO, "%s: %s is not known",
			       r->path, key);
			continue;
		}
		used = strlen(names);
		(void)snprintf(names + used, sizeof(names) - used, "%s%s",
			       used ? ", " : "", key);
	}
	if (names[0])
		mx_log(r->log, MX_LOG_INFO, "%s: means nothing here: %s",
		       r->path, names);
}

static int read_policy(const struct reading *r)
{
	const struct mx_yaml_node *node =
		mx_yaml_get(r->yaml, mx_yaml_root(r->yaml), "mode");
	int rc = get_text(r, "mode", &r->out->policy);

	if (!rc && node && !mx_policy_find(r->out->policy))
		rc = bad(r, node, "mode: no such policy", r->out->policy);
	return rc;
}

static int read_head(struct reading *r)
{
	const struct mx_yaml_node *root = mx_yaml_root(r->yaml);
	const struct mx_yaml_node *limit =
		mx_yaml_get(r->yaml, root, "mem_limit");
	const char *mode =
		mx_yaml_text(mx_yaml_get(r->yaml, root, "arrival-mode"));
	uint64_t workers = 0;
	int wait, rc;

	if (limit &&
	    (!mx_yaml_text(limit) ||
	     mx_parse_size(mx_yaml_text(limit), &r->out->memory_bytes) ||
	     !r->out->memory_bytes))
		return bad(r, limit, "mem_limit", "must be a size");
	/* "stochastic" and the like: the gaps are in the file. */
	r->batch = mode && !strcmp(mode, "batch");
	rc = get_text(r, "tag", &r->out->tag);
	if (!rc && strchr(r->out->tag, '/'))
		rc = bad(r, mx_yaml_get(r->yaml, root, "tag"), "tag",
			 "must be a file's name");
	rc = rc ? rc : read_policy(r);
	rc = rc ? rc : get_text(r, "network-path", &r->out->networks_path);
	rc = rc ? rc : get_text(r, "resources-path", &r->out->pictures_path);
	rc = rc ? rc : get_text(r, "memory-key", &r->out->memory_key);
	rc = rc ? rc : get_count(r, "n-workers", WORKERS_MAX, &workers);
	rc = rc ? rc : get_flag(r, "force-input-label", &r->labelled);
	rc = rc ? rc : get_flag(r, "wait-for-network-output", &wait);
	if (rc)
		return rc;
	r->out->workers = (uint32_t)workers;
	r->relations = wait ? MX_RELATION_WAIT : MX_RELATION_OPPORTUNISTIC;
	return 0;
}

/* The index of @text in a list of different ones, where it is put if need be.
 */
static int intern(const struct reading *r, char ***list, uint32_t *count,
		  const char *text, uint32_t *out)
{
	char **grown;
	uint32_t i;

	for (i = 0; i < *count; i++)
		if (!strcmp((*list)[i], text)) {
			*out = i;
			return 0;
		}
	grown = realloc(*list, (*count + 1) * sizeof(*grown));
	if (!grown)
		return no_memory(r);
	*list = grown;
	grown[*count] = strdup(text);
	if (!grown[*count])
		return no_memory(r);
	*out = (*count)++;
	return 0;
}

/* ---- relations ---- */

static int compare(const char *op, double value, double against, int *out)
{
	static const char *const ops[] = {"gt", "lt", "geq", "leq", "eq"};
	const int results[] = {value > against, value < against,
			       value >= against, value <= against,
			       !(value < against) && !(value > against)};
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(op, ops[i])) {
			*out = results[i];
			return 0;
		}
	return -EINVAL;
}

/* {gt: V} on the label whose value is @label (NULL: nobody knows). */
static int read_test(const struct reading *r, const struct mx_yaml_node *test,
		     const struct mx_yaml_node *label, int *holds)
{
	double value = 0, against;
	const char *op, *text;
	int result;
	size_t i;

	if (!mx_yaml_key(r->yaml, test, 0))
		return bad(r, test, "condition",
			   "must be LABEL: {gt|lt|geq|leq|eq: VALUE}");
	if (label && (!mx_yaml_text(label) ||
		      mx_parse_float(mx_yaml_text(label), &value)))
		return bad(r, label, "data-label", "must be a number");
	for (i = 0; (op = mx_yaml_key(r->yaml, test, i)); i++) {
		text = mx_yaml_text(mx_yaml_get(r->yaml, test, op));
		if (!text || mx_parse_float(text, &against) ||
		    compare(op, value, against, &result))
			return bad(r, test,
				   "condition: must be gt, lt, geq, "
				   "leq or eq and a number, not",
				   op);
		*holds = *holds && label && result;
	}
	return 0;
}

/* All of its tests must hold. */
static int read_condition(struct reading *r,
			  const struct mx_yaml_node *condition,
			  const struct mx_yaml_node *parent, int *skip)
{
	const struct mx_yaml_node *labels =
		mx_yaml_get(r->yaml, parent, "data-label");
	const struct mx_yaml_node *label;
	const char *key;
	int rc = 0;
	size_t i;

	*skip = 1;
	if (!mx_yaml_key(r->yaml, condition, 0))
		return bad(r, condition, "condition", "must have a label");
	for (i = 0; !rc && (key = mx_yaml_key(r->yaml, condition, i)); i++) {
		label = r->labelled ? mx_yaml_get(r->yaml, labels, key) : NULL;
		r->untold += !label;
		rc = read_test(r, mx_yaml_get(r->yaml, condition, key), label,
			       skip);
	}
	return rc;
}

/* The network called @name before item @index of @networks; @index: none. */
static uint32_t find_parent(const struct reading *r,
			    const struct mx_yaml_node *networks, uint32_t index,
			    const char *name)
{
	const char *text;
	uint32_t i;

	for (i = index; i-- > 0;) {
		text = mx_yaml_text(
			mx_yaml_get(r->yaml, mx_yaml_item(r->yaml, networks, i),
				    "networkName"));
		if (text && !strcmp(text, name))
			return i;
	}
	return index;
}

static int read_relation(struct reading *r, const struct mx_yaml_node *node,
			 const struct mx_yaml_node *networks, uint32_t index,
			 struct mx_relation *out)
{
	const struct mx_yaml_node *depends =
		mx_yaml_get(r->yaml, node, "depends");
	const char *name = mx_yaml_text(depends);
	const struct mx_yaml_node *condition =
		mx_yaml_get(r->yaml, node, "condition");

	if (!name)
		return bad(r, node, "relation", "must say what it depends on");
	out->mode = r->relations;
	out->after = find_parent(r, networks, index, name);
	if (out->after == index)
		return bad(r, depends,
			   "depends: no network of the arrival before it",
			   name);
	if (!condition)
		return 0;
	return read_condition(r, condition,
			      mx_yaml_item(r->yaml, networks, out->after),
			      &out->skip);
}

/* One, or a list of them. */
static int read_relations(struct reading *r,
			  const struct mx_yaml_node *networks, uint32_t index,
			  struct mx_script_job *job)
{
	const struct mx_yaml_node *node = mx_yaml_get(
		r->yaml, mx_yaml_item(r->yaml, networks, index), "relation");
	const size_t listed = mx_yaml_count(node);
	const size_t count = listed ? listed : 1;
	int rc = 0;
	size_t i;

	if (!node)
		return 0;
	job->relations = calloc(count, sizeof(*job->relations));
	if (!job->relations)
		return no_memory(r);
	job->relation_count = (uint32_t)count;
	for (i = 0; !rc && i < count; i++)
		rc = read_relation(
			r, listed ? mx_yaml_item(r->yaml, node, i) : node,
			networks, index, &job->relations[i]);
	return rc;
}

/* ---- arrivals ---- */

static int read_network(struct reading *r, const struct mx_yaml_node *networks,
			uint32_t index, struct mx_script_job *job)
{
	const struct mx_yaml_node *node =
		mx_yaml_item(r->yaml, networks, index);
	const struct mx_yaml_node *path =
		mx_yaml_get(r->yaml, node, "pathToNetwork");
	const char *name =
		mx_yaml_text(mx_yaml_get(r->yaml, node, "networkName"));
	const char *text = path ? mx_yaml_text(path) : name;
	int rc;

	if (!name || !*name)
		return bad(r, node, "networks", "has no networkName");
	if (!text || !*text)
		return bad(r, path, "pathToNetwork", "must be a text");
	rc = intern(r, &r->out->networks, &r->out->network_count, text,
		    &job->net);
	return rc ? rc : read_relations(r, networks, index, job);
}

static int read_gap(const struct reading *r, const struct mx_yaml_node *node,
		    uint64_t *out_ns)
{
	const struct mx_yaml_node *time = mx_yaml_get(r->yaml, node, "time");
	const char *text = mx_yaml_text(time);
	double ms = 0;

	if (time && (!text || mx_parse_float(text, &ms) || ms < 0 ||
		     ms > (double)(MX_GAP_NS_MAX / NS_PER_MS)))
		return bad(r, time, "time", "must be milliseconds");
	*out_ns = (uint64_t)(ms * NS_PER_MS);
	return 0;
}

static int read_picture(const struct reading *r,
			const struct mx_yaml_node *node, uint32_t *out)
{
	const struct mx_yaml_node *data =
		mx_yaml_get(r->yaml, node, "pathToData");
	const char *text = mx_yaml_text(data);

	*out = MX_PICTURE_NONE;
	if (!data)
		return 0;
	if (!text || !*text)
		return bad(r, data, "pathToData", "must be a text");
	return intern(r, &r->out->pictures, &r->out->picture_count, text, out);
}

static int read_arrival(struct reading *r, const struct mx_yaml_node *node,
			uint32_t *picture)
{
	const struct mx_yaml_node *networks =
		mx_yaml_get(r->yaml, node, "networks");
	const size_t count = mx_yaml_count(networks);
	struct mx_script_arrival *arrival;
	uint32_t i;
	int rc;

	if (!count)
		return bad(r, networks ? networks : node, "arrivals",
			   "one has no networks");
	/* An alias costs a file nothing. */
	r->job_count += count;
	if (r->job_count > JOBS_MAX)
		return bad(r, networks, "networks", "too many");
	arrival = mx_script_add(&r->out->script, (uint32_t)count);
	if (!arrival)
		return no_memory(r);
	arrival->kind = r->batch ? MX_ARRIVAL_IDLE : MX_ARRIVAL_GAP;
	rc = read_gap(r, node, &arrival->time_ns);
	rc = rc ? rc : read_picture(r, node, picture);
	for (i = 0; !rc && i < count; i++)
		rc = read_network(r, networks, i, &arrival->jobs[i]);
	return rc;
}

static int read_arrivals(struct reading *r)
{
	const struct mx_yaml_node *list =
		mx_yaml_get(r->yaml, mx_yaml_root(r->yaml), "arrivals");
	const size_t listed = mx_yaml_count(list);
	uint64_t wanted = listed;
	size_t i;
	int rc;

	if (!listed)
		return bad(r, list, "arrivals", "there are none");
	rc = get_count(r, "n-arrivals", ARRIVALS_MAX, &wanted);
	if (rc)
		return rc;
	if (listed > ARRIVALS_MAX)
		return bad(r, list, "arrivals", "too many");
	if (wanted > listed)
		mx_log(r->log, MX_LOG_INFO,
		       "%s: n-arrivals is more than the %zu listed", r->path,
		       listed);
	if (r->count && r->count < wanted)
		wanted = r->count;
	r->out->picture = calloc(listed, sizeof(*r->out->picture));
	if (!r->out->picture)
		return no_memory(r);
	for (i = 0; !rc && i < listed && i < wanted; i++)
		rc = read_arrival(r, mx_yaml_item(r->yaml, list, i),
				  &r->out->picture[i]);
	if (!rc && r->untold)
		mx_log(r->log, MX_LOG_INFO,
		       "%s: %zu conditions ask for labels that are not given: "
		       "they skip nothing",
		       r->path, r->untold);
	return rc;
}

char *mx_experiment_name(const char *path)
{
	static const char ending[] = ".exp.yaml";
	const size_t length = strlen(path);
	const int whole = length > strlen(ending) &&
			  !strcmp(path + length - strlen(ending), ending);

	return mx_file_stem(path, whole ? ending : NULL);
}

int mx_experiment_read(struct mx_experiment *out, const char *path,
		       uint32_t count, const struct mx_log *log,
		       struct mx_err *err)
{
	struct reading r = {
		.out = out,
		.path = path,
		.count = count,
		.log = log,
		.err = err,
	};
	struct mx_yaml *yaml;
	int rc;

	rc = mx_yaml_read(&yaml, path, err);
	if (rc)
		return rc;
	r.yaml = yaml;
	*out = (struct mx_experiment){.tag = mx_experiment_name(path)};
	if (!out->tag)
		rc = no_memory(&r);
	rc = rc ? rc : read_head(&r);
	rc = rc ? rc : read_arrivals(&r);
	if (rc)
		mx_experiment_fini(out);
	else
		name_idle_keys(&r);
	mx_yaml_free(yaml);
	return rc;
}

static void free_list(char **list, uint32_t count)
{
	while (count-- > 0)
		free(list[count]);
	free(list);
}

void mx_experiment_fini(struct mx_experiment *experiment)
{
	mx_script_fini(&experiment->script);
	free_list(experiment->networks, experiment->network_count);
	free_list(experiment->pictures, experiment->picture_count);
	free(experiment->tag);
	free(experiment->policy);
	free(experiment->memory_key);
	free(experiment->networks_path);
	free(experiment->pictures_path);
	free(experiment->picture);
	*experiment = (struct mx_experiment){.tag = NULL};
}
