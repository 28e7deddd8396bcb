/*
 * memexec profile: what layers and storage take here, measured and kept in the
 * model directory, so that plan need not estimate.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lib/blas.h"
#include "lib/network.h"
#include "lib/size.h"
#include "loader/mxload.h"
#include "loader/profile.h"
#include "sched/cost.h"
#include "sched/host.h"
#include "sched/measure.h"
#include "sched/probe.h"

#define REPEATS 7

enum profile_key { KEY_JSON = 0x100 };

struct profile_args {
	struct mx_cli *cli;
	uint32_t threads;
	int json;
};

static const struct argp_option profile_options[] = {
	{"threads", 't', "N", 0,
	 "Measure layers with 1 to N threads (default: one a CPU)", 0},
	{"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
	MX_CLI_OPTIONS,
};

static error_t parse_profile(int key, char *arg, struct argp_state *state)
{
	struct profile_args *args = state->input;

	switch (key) {
	case 't':
		return mx_count_option(args->cli, "profile", "threads", arg,
				       MX_PROFILE_THREADS_MAX, &args->threads);
	case KEY_JSON:
		args->json = 1;
		return 0;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp profile_argp = {
	.options = profile_options,
	.parser = parse_profile,
	.args_doc = "DIR...",
	.doc = "Measure on this machine how long each layer takes and how fast "
	       "the storage reads, and keep it in the model directory as "
	       "profile.pb, for plan.",
};

static int show_progress(void *user, uint32_t done, uint32_t total)
{
	return mx_progress_update(user, done, total);
}

static int measure_layers(const struct profile_args *args,
			  const struct mx_network *net,
			  struct mx_profile *profile)
{
	struct mx_err *err = &args->cli->err;
	struct mx_progress progress;
	struct mx_measure_opts opts = {
		.threads = args->threads,
		.repeats = REPEATS,
		.log = &args->cli->log,
		.progress = show_progress,
		.progress_user = &progress,
	};
	uint64_t budget_bytes;
	size_t bytes;
	int rc;

	if (mx_size_mul(net->layer_count, opts.threads, &bytes) ||
	    mx_size_mul(bytes, sizeof(*profile->layer_ns), &bytes))
		return mx_fail(err, ENOMEM, "profile: too many layers");
	profile->layer_ns = malloc(mx_size_max(bytes, 1));
	if (!profile->layer_ns)
		return mx_fail(err, ENOMEM, "profile: no memory");
	/* Weights that stay give the cleanest times, where they can. */
	rc = mx_session_default_budget(&budget_bytes, err);
	if (rc)
		return rc;
	if (net->weights_file_bytes > budget_bytes / 2)
		opts.budget_bytes = budget_bytes;
	mx_progress_init(&progress, "profile", args->cli->verbosity < 0);
	rc = mx_measure_layers(net, &opts, profile->layer_ns, err);
	mx_progress_end(&progress);
	profile->layer_count = net->layer_count;
	profile->thread_count = opts.threads;
	return rc;
}

/* A file that is too small to tell leaves the storage unmeasured. */
static int measure_storage(const struct profile_args *args,
			   const struct mx_network *net,
			   struct mx_profile *profile)
{
	const struct mx_probe_opts opts = {
		.fd = net->weights_fd,
		.log = &args->cli->log,
	};
	struct mx_storage storage;
	struct mx_err why;
	int rc;

	if (!net->weights_base)
		return 0;
	why.text[0] = '\0';
	rc = mx_probe_storage(&opts, &storage, &why);
	if (rc == -EINVAL) {
		mx_log(&args->cli->log, MX_LOG_INFO,
		       "%s: its storage is not measured: %s", net->name,
		       why.text);
		return 0;
	}
	if (rc)
		return mx_fail(&args->cli->err, -rc, "%s: %s", net->name,
			       why.text);
	profile->read_bytes_per_s = storage.read_bytes_per_s;
	profile->latency_ns = storage.latency_ns;
	return 0;
}

static int measure(const struct profile_args *args, const char *directory,
		   const struct mx_network *net, struct mx_profile *profile)
{
	struct mx_err *err = &args->cli->err;
	char host[MX_HOST_TEXT_BYTES];
	const struct mx_blas *blas;
	int rc;

	rc = mx_blas_open(&blas, err);
	if (rc)
		return rc;
	mx_host_text(blas->core, host);
	profile->host = strdup(host);
	if (!profile->host)
		return mx_fail(err, ENOMEM, "profile: no memory");
	profile->source_hash = net->source_hash;
	profile->measured_unix_s = (uint64_t)time(NULL);
	rc = measure_storage(args, net, profile);
	if (!rc)
		rc = measure_layers(args, net, profile);
	if (!rc)
		rc = mx_profile_write(profile, directory, err);
	return rc;
}

static uint64_t total_ns(const struct mx_profile *profile, uint32_t threads)
{
	const uint64_t *ns = profile->layer_ns +
			     (size_t)(threads - 1) * profile->layer_count;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < profile->layer_count; i++)
		sum += ns[i];
	return sum;
}

static void print_text(const char *name, const struct mx_profile *profile)
{
	char text[MX_TEXT_BYTES];
	uint32_t i;

	printf("%s: ", name);
	if (profile->read_bytes_per_s)
		printf("storage %.1f MB/s, latency %s; ",
		       (double)profile->read_bytes_per_s / 1e6,
		       mx_text_ns(profile->latency_ns, text));
	printf("computing");
	for (i = 1; i <= profile->thread_count; i++)
		printf("%s %s with %" PRIu32 " thread%s", i > 1 ? "," : "",
		       mx_text_ns(total_ns(profile, i), text), i,
		       i == 1 ? "" : "s");
	printf("\n");
}

static void print_json(struct mx_json *json, const char *name,
		       const struct mx_profile *profile)
{
	uint32_t i;

	mx_json_object(json, NULL);
	mx_json_string(json, "network", name);
	mx_json_string(json, "host", profile->host);
	mx_json_u64(json, "layers", profile->layer_count);
	if (profile->read_bytes_per_s) {
		mx_json_u64(json, "read_bytes_per_s",
			    profile->read_bytes_per_s);
		mx_json_u64(json, "latency_ns", profile->latency_ns);
	}
	mx_json_array(json, "compute_ns");
	for (i = 1; i <= profile->thread_count; i++)
		mx_json_u64(json, NULL, total_ns(profile, i));
	mx_json_array_end(json);
	mx_json_object_end(json);
}

static int profile_one(const struct profile_args *args, struct mx_json *json,
		       const char *directory)
{
	struct mx_profile profile = {.host = NULL};
	struct mx_err *err = &args->cli->err;
	struct mx_model *model;
	char *name;
	int rc;

	rc = mx_open_bound(&model, directory, err);
	if (rc)
		return rc;
	name = mx_file_stem(directory, ".mx");
	rc = name ? measure(args, directory, mx_model_network(model), &profile)
		  : mx_fail(err, ENOMEM, "profile: no memory");
	if (!rc && json)
		print_json(json, name, &profile);
	else if (!rc)
		print_text(name, &profile);
	free(name);
	mx_profile_fini(&profile);
	mx_model_close(model);
	return rc;
}

static int verb_profile(struct mx_cli *cli, int argc, char **argv)
{
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct profile_args args = {
		.cli = cli,
		.threads = online > 0 ? (uint32_t)online : 1,
	};
	struct mx_json json;
	size_t i;
	int rc;

	if (args.threads > MX_PROFILE_THREADS_MAX)
		args.threads = MX_PROFILE_THREADS_MAX;
	rc = mx_cli_parse(cli, &profile_argp, argc, argv, &args);
	if (rc)
		return rc < 0 ? rc : 0;
	mx_cli_hold_signals();
	mx_json_init(&json, stdout);
	if (args.json) {
		mx_json_object(&json, NULL);
		mx_json_string(&json, "schema", "memexec.profile/1");
		mx_json_array(&json, "networks");
	}
	for (i = 0; !rc && i < args.cli->arg_count; i++)
		rc = profile_one(&args, args.json ? &json : NULL,
				 args.cli->args[i]);
	if (args.json) {
		mx_json_array_end(&json);
		mx_json_object_end(&json);
	}
	return rc;
}

const struct mx_verb mx_verb_profile = {
	.name = "profile",
	.summary = "measure layers and storage here, for plan",
	.run = verb_profile,
};
