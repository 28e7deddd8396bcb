#include "cli/workload.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/experiment.h"
#include "cli/file.h"
#include "cli/session.h"
#include "lib/err.h"
#include "lib/log.h"

#define TRACE_BYTES_MAX (64u << 20)
#define STREAM_COUNT 10
#define STREAM_TAG "stream"

static int no_memory(struct mx_err *err)
{
	return mx_fail(err, ENOMEM, "queue: no memory for its arrivals");
}

/* Takes @spec, which may be NULL: no memory. */
static int add_spec(struct mx_workload *workload, char *spec)
{
	char **grown;

	if (!spec)
		return -ENOMEM;
	grown = realloc(workload->specs,
			(workload->spec_count + 1) * sizeof(*grown));
	if (!grown) {
		free(spec);
		return -ENOMEM;
	}
	workload->specs = grown;
	grown[workload->spec_count++] = spec;
	return 0;
}

/* Jobs get their places; their nets are indices into specs. */
static int number_jobs(struct mx_workload *workload)
{
	const struct mx_script *script = &workload->script;
	uint32_t i, k, n = 0;
	uint64_t total = 0;

	for (i = 0; i < script->arrival_count; i++)
		total += script->arrivals[i].job_count;
	if (total > UINT32_MAX)
		return -ENOMEM;
	workload->job_count = (uint32_t)total;
	workload->task = calloc(total + 1, sizeof(*workload->task));
	workload->first = calloc((size_t)script->arrival_count + 1,
				 sizeof(*workload->first));
	if (!workload->task || !workload->first)
		return -ENOMEM;
	for (i = 0; i < script->arrival_count; i++) {
		workload->first[i] = n;
		for (k = 0; k < script->arrivals[i].job_count; k++)
			workload->task[n++] = script->arrivals[i].jobs[k].net;
	}
	return 0;
}

/* "DIR/NAME" or "DIR/NAME.mx", heap, into *@out. */
static int find_network(const char *directory, const char *name, char **out,
			struct mx_err *err)
{
	char *plain = mx_file_join(directory, name), *ending = NULL;

	if (plain && asprintf(&ending, "%s.mx", plain) < 0)
		ending = NULL;
	if (!plain || !ending) {
		free(plain);
		return no_memory(err);
	}
	/* A directory of the reference may stand beside the imported one. */
	if (mx_file_is_directory(ending)) {
		free(plain);
		*out = ending;
		return 0;
	}
	free(ending);
	if (mx_file_is_directory(plain)) {
		*out = plain;
		return 0;
	}
	free(plain);
	return mx_fail(err, ENOENT,
		       "%s: no %s or %s.mx in %s: import it, or say with "
		       "--networks where it is",
		       name, name, name, directory);
}

struct places {
	struct mx_workload *out;
	const struct mx_experiment *experiment;
	char **directories; /* of each network */
	char **pictures; /* of each; NULL: not there */
	uint32_t *spec; /* of network x (picture + 1); UINT32_MAX: none yet */
};

/* The spec of a network with a picture: made when first asked for. */
static int place(const struct places *places, uint32_t net, uint32_t picture,
		 uint32_t *out)
{
	const uint32_t pictures = places->experiment->picture_count;
	const char *file =
		picture == MX_PICTURE_NONE ? NULL : places->pictures[picture];
	uint32_t *spec;
	char *text;

	spec = &places->spec[(size_t)net * (pictures + 1) +
			     (file ? picture + 1 : 0)];
	if (*spec == UINT32_MAX) {
		if (!file)
			text = strdup(places->directories[net]);
		else if (asprintf(&text, "%s=%s", places->directories[net],
				  file) < 0)
			text = NULL;
		if (add_spec(places->out, text))
			return -ENOMEM;
		*spec = (uint32_t)places->out->spec_count - 1;
	}
	*out = *spec;
	return 0;
}

static int find_files(struct places *places,
		      const struct mx_workload_experiment *opts,
		      struct mx_err *err)
{
	const struct mx_experiment *experiment = places->experiment;
	const char *networks = opts->networks_path ? opts->networks_path
						   : experiment->networks_path;
	const char *pictures = opts->pictures_path ? opts->pictures_path
						   : experiment->pictures_path;
	uint32_t i;
	int rc = 0;

	for (i = 0; !rc && i < experiment->network_count; i++)
		rc = find_network(networks ? networks : ".",
				  experiment->networks[i],
				  &places->directories[i], err);
	for (i = 0; !rc && i < experiment->picture_count; i++) {
		places->pictures[i] = mx_file_join(pictures ? pictures : ".",
						   experiment->pictures[i]);
		if (!places->pictures[i])
			return no_memory(err);
		if (mx_file_exists(places->pictures[i]))
			continue;
		if (!*opts->missing ||
		    strcmp(*opts->missing, places->pictures[i]) != 0)
			mx_log(opts->log, MX_LOG_WARNING,
			       "%s: not there: a fixed pattern stands for it",
			       places->pictures[i]);
		free(*opts->missing);
		*opts->missing = places->pictures[i];
		places->pictures[i] = NULL;
	}
	return rc;
}

static int place_all(struct places *places, struct mx_err *err)
{
	struct mx_script *script = &places->out->script;
	struct mx_script_arrival *arrival;
	uint32_t i, k;

	for (i = 0; i < script->arrival_count; i++) {
		arrival = &script->arrivals[i];
		for (k = 0; k < arrival->job_count; k++)
			if (place(places, arrival->jobs[k].net,
				  places->experiment->picture[i],
				  &arrival->jobs[k].net))
				return no_memory(err);
	}
	return number_jobs(places->out) ? no_memory(err) : 0;
}

int mx_workload_of_experiment(struct mx_workload *out,
			      struct mx_experiment *experiment,
			      const struct mx_workload_experiment *opts,
			      struct mx_err *err)
{
	const size_t nets = experiment->network_count;
	const size_t cells = nets * ((size_t)experiment->picture_count + 1);
	struct places places = {.out = out, .experiment = experiment};
	size_t i;
	int rc;

	*out = (struct mx_workload){.script = experiment->script};
	experiment->script = (struct mx_script){.arrival_count = 0};
	out->tag = strdup(experiment->tag);
	places.directories = calloc(nets + 1, sizeof(*places.directories));
	places.pictures = calloc((size_t)experiment->picture_count + 1,
				 sizeof(*places.pictures));
	places.spec = malloc((cells + 1) * sizeof(*places.spec));
	if (out->tag && places.directories && places.pictures && places.spec) {
		for (i = 0; i < cells; i++)
			places.spec[i] = UINT32_MAX;
		rc = find_files(&places, opts, err);
		rc = rc ? rc : place_all(&places, err);
	} else {
		rc = no_memory(err);
	}
	for (i = 0; places.directories && i < nets; i++)
		free(places.directories[i]);
	for (i = 0; places.pictures && i < experiment->picture_count; i++)
		free(places.pictures[i]);
	free(places.directories);
	free(places.pictures);
	free(places.spec);
	if (rc)
		mx_workload_fini(out);
	return rc;
}

/* ---- streams ---- */

static void free_names(char **names, size_t count)
{
	while (names && count-- > 0)
		free(names[count]);
	free(names);
}

/* What stands before the '=' of "DIR=INPUT", as mx_session_open() has it: the
 * first '=' that ends a directory. */
static char *directory_of(const char *spec)
{
	const char *at = spec;
	char *directory;

	while (!mx_file_is_directory(spec) && (at = strchr(at, '='))) {
		directory = strndup(spec, (size_t)(at++ - spec));
		if (!directory || mx_file_is_directory(directory))
			return directory;
		free(directory);
	}
	return strdup(spec);
}

/* What the networks of @workload's specs are called in a trace. */
static char **name_specs(const struct mx_workload *workload)
{
	char **names = calloc(workload->spec_count + 1, sizeof(*names));
	char *directory;
	size_t i;

	for (i = 0; names && i < workload->spec_count; i++) {
		directory = directory_of(workload->specs[i]);
		names[i] = directory ? mx_file_stem(directory, ".mx") : NULL;
		free(directory);
		if (!names[i]) {
			free_names(names, i);
			return NULL;
		}
	}
	return names;
}

static int read_trace(struct mx_workload *workload,
		      const struct mx_workload_stream *opts, struct mx_err *err)
{
	struct mx_trace_opts trace = {
		.name = opts->arrivals.trace,
		.net_count = (uint32_t)workload->spec_count,
		.count = opts->count,
	};
	unsigned char *text;
	size_t bytes;
	char **names;
	int rc;

	rc = mx_file_read(opts->arrivals.trace, TRACE_BYTES_MAX, &text, &bytes,
			  err);
	if (rc)
		return rc;
	names = name_specs(workload);
	trace.nets = (const char *const *)names;
	if (names)
		rc = mx_arrivals_trace(&workload->script, (const char *)text,
				       &trace, err);
	else
		rc = no_memory(err);
	free_names(names, workload->spec_count);
	free(text);
	return rc;
}

static int make_arrivals(struct mx_workload *workload,
			 const struct mx_workload_stream *opts,
			 struct mx_err *err)
{
	const struct mx_arrivals_opts gaps = {
		.kind = opts->arrivals.kind,
		.gap_ns = opts->arrivals.gap_ns,
		.spread_ns = opts->arrivals.spread_ns,
		.count = opts->count ? opts->count : STREAM_COUNT,
		.net_count = (uint32_t)workload->spec_count,
		.pick = opts->pick,
		.seed = opts->seed,
	};

	return opts->arrivals.trace
		       ? read_trace(workload, opts, err)
		       : mx_arrivals_init(&workload->script, &gaps, err);
}

int mx_workload_of_stream(struct mx_workload *out, char *const *specs,
			  size_t count, const struct mx_workload_stream *opts,
			  struct mx_err *err)
{
	size_t i;
	int rc = 0;

	assert(count && count <= UINT32_MAX);
	*out = (struct mx_workload){.tag = strdup(STREAM_TAG)};
	if (!out->tag)
		rc = no_memory(err);
	for (i = 0; !rc && i < count; i++)
		if (add_spec(out, strdup(specs[i])))
			rc = no_memory(err);
	if (!rc)
		rc = make_arrivals(out, opts, err);
	if (!rc && number_jobs(out))
		rc = no_memory(err);
	if (rc)
		mx_workload_fini(out);
	return rc;
}

void mx_workload_fini(struct mx_workload *workload)
{
	mx_script_fini(&workload->script);
	free_names(workload->specs, workload->spec_count);
	free(workload->task);
	free(workload->first);
	free(workload->tag);
	*workload = (struct mx_workload){.tag = NULL};
}

void mx_workload_bind(struct mx_workload *workload,
		      const struct mx_session *session)
{
	struct mx_script_arrival *arrival;
	uint32_t i, k;

	for (i = 0; i < workload->script.arrival_count; i++) {
		arrival = &workload->script.arrivals[i];
		for (k = 0; k < arrival->job_count; k++)
			arrival->jobs[k].net =
				session->tasks
					[workload->task[workload->first[i] + k]]
						.index;
	}
}

uint32_t mx_workload_passes(const struct mx_workload *workload)
{
	uint32_t *counts, most = 1, i;

	counts = calloc(workload->spec_count + 1, sizeof(*counts));
	if (!counts)
		return workload->script.arrival_count;
	for (i = 0; i < workload->job_count; i++)
		if (++counts[workload->task[i]] > most)
			most = counts[workload->task[i]];
	free(counts);
	return most;
}
