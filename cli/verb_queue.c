/*
 * memexec queue: experiment files one after the other, or a stream of arrivals
 * over model directories, under one policy or several.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/arrival_option.h"
#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/file.h"
#include "cli/memory_option.h"
#include "cli/number.h"
#include "cli/policy_option.h"
#include "cli/queue_execute.h"
#include "cli/queue_runner.h"
#include "cli/queue_store.h"
#include "cli/session.h"
#include "cli/timeout_option.h"
#include "cli/workload.h"

#define DEFAULT_DIRECTORY "memexec-results"
#define TOP_DEFAULT 5
#define OPTIONS_MAX 64

enum queue_key {
	KEY_ARRIVALS = 0x100,
	KEY_COUNT,
	KEY_SEED,
	KEY_PICK,
	KEY_SIMULATE,
	KEY_STORAGE,
	KEY_NETWORKS,
	KEY_DATA,
	KEY_LIST,
	KEY_ADD,
	KEY_HALT,
	KEY_RESUME,
	KEY_BUDGET,
	KEY_IO,
	KEY_POLICY,
	KEY_WORKERS,
	KEY_MASA_PROFILE,
	KEY_WALL,
	KEY_COLD,
	KEY_EXACT,
	KEY_TOP,
	KEY_JSON,
	KEY_TRACE,
	KEY_TIMEOUT,
};

enum queue_mode { MODE_RUN, MODE_LIST, MODE_ADD, MODE_HALT, MODE_RESUME };

struct queue_args {
	struct mx_cli *cli;
	struct mx_queue_opts execute;
	struct mx_workload_stream stream;
	int arrivals_given;
	const char *networks_path; /* heap */
	const char *pictures_path; /* heap */
	const char *directory;
	enum queue_mode mode;
	/* What was given, as it is kept in a queue; heap. */
	char *options[OPTIONS_MAX];
	size_t option_count;
};

static const struct argp_option queue_options[] = {
	{NULL, 0, NULL, 0, "Experiment files:", 1},
	{"networks", KEY_NETWORKS, "DIR", 0,
	 "Where imported networks are, as NAME or NAME.mx (the file's "
	 "network-path)",
	 1},
	{"data", KEY_DATA, "DIR", 0,
	 "Where pictures are (the file's resources-path)", 1},
	{"list", KEY_LIST, NULL, 0, "Print the queue", 1},
	{"add", KEY_ADD, NULL, 0, "Put files at its end, also while it runs",
	 1},
	{"halt", KEY_HALT, NULL, 0, "Stop it after its present experiment", 1},
	{"resume", KEY_RESUME, NULL, 0,
	 "Go on with a queue that was halted or killed, with the options it "
	 "was "
	 "begun with (the same without files)",
	 1},
	{NULL, 0, NULL, 0, "Streams:", 2},
	{"arrivals", KEY_ARRIVALS, "KIND", 0,
	 "batch (when nothing is left to run), constant:GAP, uniform:A,B, "
	 "normal:GAP,SD, exponential:GAP, poisson-ms:GAP, trace:FILE",
	 2},
	{"pick", KEY_PICK, "K", 0,
	 "An arrival runs K of the networks at random, not all", 2},
	{"seed", KEY_SEED, "N", 0, "Of gaps and picks (1)", 2},
	{NULL, 0, NULL, 0, "Both:", 3},
	{"count", KEY_COUNT, "N", 0, "No more arrivals than that (streams: 10)",
	 3},
	{"policy", KEY_POLICY, "NAME[,NAME...]", 0,
	 "Run under each of these in turn", 3},
	{"workers", KEY_WORKERS, "N", 0,
	 "Layer tasks at once, for policies that count them", 3},
	{"masa-profile", KEY_MASA_PROFILE, "measured|description", 0,
	 "Peaks and times that masa goes by: of here, or as published", 3},
	{"simulate", KEY_SIMULATE, NULL, 0,
	 "In virtual time; no weight is read", 3},
	{"storage", KEY_STORAGE, "auto|RATE", 0,
	 "Simulated: bytes a second that the storage reads (auto: as profiled)",
	 3},
	{"results", 'o', "DIR", 0,
	 "Write results there (experiments: " DEFAULT_DIRECTORY "; streams: "
	 "nowhere)",
	 3},
	{"budget", KEY_BUDGET, "SIZE", 0,
	 "What all of it may cost in memory (the file's mem_limit; else 80 % "
	 "of what is available)",
	 3},
	{"wall", KEY_WALL, "auto|off|require|PATH", 0,
	 "A cgroup that holds the budget, as for run", 3},
	{"io", KEY_IO, "auto|uring|threads|sync", 0, "How weights are read", 3},
	{"cold", KEY_COLD, NULL, 0,
	 "Drop the networks' weights from the page cache first", 3},
	{"exact", KEY_EXACT, NULL, 0,
	 "Sum as the definition says, without quicker ways that round more", 3},
	{"threads", 't', "N", 0, "Worker threads (default: one a CPU)", 3},
	{"top-k", KEY_TOP, "N", 0, "Best scores of each job to keep (5)", 3},
	{"timeout", KEY_TIMEOUT, "DURATION", 0,
	 "Cancel what of a run has not ended by then, and exit with 8", 3},
	{"trace", KEY_TRACE, "FILE", 0,
	 "Write what was done when, as Chrome trace JSON (of several runs: "
	 "FILE-TAG-POLICY)",
	 3},
	{"json", KEY_JSON, NULL, 0, "Print one JSON object", 3},
	MX_CLI_OPTIONS,
};

static error_t refuse(struct queue_args *args, const char *option,
		      const char *arg, const char *want)
{
	(void)mx_fail(&args->cli->err, EINVAL, "queue: --%s=%s: must be %s",
		      option, arg, want);
	return EINVAL;
}

/* A directory that is found again from elsewhere. */
static error_t parse_directory(struct queue_args *args, const char *option,
			       const char *arg, const char **out)
{
	char *path = realpath(arg, NULL);

	if (!path || !mx_file_is_directory(path)) {
		free(path);
		return refuse(args, option, arg, "a directory");
	}
	free((void *)(uintptr_t)*out);
	*out = path;
	return 0;
}

/* What a queue is resumed with. */
static error_t keep_option(struct queue_args *args, int key, const char *arg)
{
	const struct argp_option *option = queue_options;
	char *text;

	while (option->key != key)
		option++;
	if (key == KEY_NETWORKS)
		arg = args->networks_path;
	if (key == KEY_DATA)
		arg = args->pictures_path;
	if (args->option_count == OPTIONS_MAX)
		return refuse(args, option->name, arg ? arg : "",
			      "one of fewer options");
	if (asprintf(&text, "--%s%s%s", option->name, arg ? "=" : "",
		     arg ? arg : "") < 0)
		return ENOMEM;
	args->options[args->option_count++] = text;
	return 0;
}

/* Options that say how experiments are run. */
static error_t parse_how(struct queue_args *args, int key, char *arg)
{
	struct mx_queue_opts *execute = &args->execute;
	struct mx_session_opts *session = &execute->session;

	switch (key) {
	case KEY_NETWORKS:
		return parse_directory(args, "networks", arg,
				       &args->networks_path);
	case KEY_DATA:
		return parse_directory(args, "data", arg, &args->pictures_path);
	case KEY_COUNT:
		return mx_count_option(args->cli, "queue", "count", arg,
				       MX_REPEAT_OPTION_MAX,
				       &args->stream.count);
	case KEY_POLICY:
		return mx_policy_options(
			args->cli, "queue", arg, execute->policies,
			MX_QUEUE_POLICIES_MAX, &execute->policy_count);
	case KEY_WORKERS:
		return mx_policy_workers(args->cli, "queue", arg,
					 &session->workers);
	case KEY_MASA_PROFILE:
		return mx_policy_masa_profile(args->cli, "queue", arg,
					      &execute->masa_described);
	case KEY_SIMULATE:
		execute->simulate = 1;
		return 0;
	case KEY_STORAGE:
		return mx_memory_storage(args->cli, "queue", arg,
					 &execute->read_bytes_per_s);
	case KEY_BUDGET:
		return mx_memory_budget(args->cli, "queue", arg,
					&session->budget_bytes);
	case KEY_IO:
		return mx_memory_io(args->cli, "queue", arg, &session->io);
	case KEY_WALL:
		session->wall = arg;
		return 0;
	case KEY_COLD:
		session->flags |= MX_SESSION_COLD;
		return 0;
	case KEY_EXACT:
		session->flags |= MX_SESSION_EXACT;
		return 0;
	case 't':
		return mx_count_option(args->cli, "queue", "threads", arg,
				       MX_THREADS_OPTION_MAX,
				       &session->threads);
	case KEY_TIMEOUT:
		return mx_timeout_option(args->cli, "queue", arg,
					 &session->timeout_ns);
	case KEY_TOP:
		return mx_count_option(args->cli, "queue", "top-k", arg,
				       MX_TOP_OPTION_MAX, &execute->top);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_stream(struct queue_args *args, int key, char *arg)
{
	switch (key) {
	case KEY_ARRIVALS:
		args->arrivals_given = 1;
		return mx_arrival_option_parse(&args->stream.arrivals, arg,
					       &args->cli->err)
			       ? EINVAL
			       : 0;
	case KEY_SEED:
		if (mx_parse_count(arg, UINT64_MAX, &args->stream.seed))
			return refuse(args, "seed", arg, "a number");
		return 0;
	case KEY_PICK:
		args->arrivals_given = 1;
		return mx_count_option(args->cli, "queue", "pick", arg,
				       MX_REPEAT_OPTION_MAX,
				       &args->stream.pick);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_queue(int key, char *arg, struct argp_state *state)
{
	struct queue_args *args = state->input;
	error_t rc;

	rc = parse_how(args, key, arg);
	if (!rc)
		return keep_option(args, key, arg);
	if (rc == ARGP_ERR_UNKNOWN)
		rc = parse_stream(args, key, arg);
	if (rc != ARGP_ERR_UNKNOWN)
		return rc;
	switch (key) {
	case KEY_LIST:
		args->mode = MODE_LIST;
		return 0;
	case KEY_ADD:
		args->mode = MODE_ADD;
		return 0;
	case KEY_HALT:
		args->mode = MODE_HALT;
		return 0;
	case KEY_RESUME:
		args->mode = MODE_RESUME;
		return 0;
	case 'o':
		args->directory = arg;
		return 0;
	case KEY_TRACE:
		args->execute.session.trace = arg;
		return 0;
	case KEY_JSON:
		args->execute.json = 1;
		return 0;
	case ARGP_KEY_NO_ARGS:
		return 0;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp queue_argp = {
	.options = queue_options,
	.parser = parse_queue,
	.args_doc = "FILE...\nDIR[=INPUT]...\n[--list|--halt|--resume]\n"
		    "--add FILE...",
	.doc = "Run experiment files one after the other, from a queue that is "
	       "kept in the results' directory; or a stream of arrivals, each "
	       "of all the model directories.",
};

static void init_args(struct queue_args *args, struct mx_cli *cli)
{
	*args = (struct queue_args){
		.cli = cli,
		.execute =
			{
				.session = {.wall = "auto", .log = &cli->log},
				.top = TOP_DEFAULT,
			},
		.stream = {.seed = 1},
	};
	cli->args = NULL;
	cli->arg_count = 0;
}

static void fini_args(struct queue_args *args)
{
	while (args->option_count > 0)
		free(args->options[--args->option_count]);
	free((void *)(uintptr_t)args->networks_path);
	free((void *)(uintptr_t)args->pictures_path);
}

/* The engine's runs ask for them; a simulation does not, and ends at once. */
static void hold_signals(const struct queue_args *args)
{
	if (!args->execute.simulate)
		mx_cli_hold_signals();
}

/* ---- streams ---- */

static int make_directory(const char *path, struct mx_err *err)
{
	if (mkdir(path, 0777) == 0 || mx_file_is_directory(path))
		return 0;
	if (errno == EEXIST)
		errno = ENOTDIR;
	return mx_fail_errno(err, "make %s", path);
}

static int run_stream(struct queue_args *args)
{
	const struct mx_queue_own own = {.policy = NULL};
	struct mx_cli *cli = args->cli;
	struct mx_queue_output output;
	struct mx_workload workload;
	struct mx_err why;
	int rc, status;

	if (args->directory) {
		rc = make_directory(args->directory, &cli->err);
		if (rc)
			return rc;
		args->execute.directory = args->directory;
	}
	args->execute.networks_path = args->networks_path;
	rc = mx_workload_of_stream(&workload, cli->args, cli->arg_count,
				   &args->stream, &cli->err);
	if (rc)
		return rc;
	hold_signals(args);
	mx_queue_output_init(&output, &args->execute,
			     args->execute.policy_count > 1);
	rc = mx_queue_execute(&output, &workload, &own, &cli->err);
	status = mx_queue_output_end(&output, rc ? &why : &cli->err);
	mx_workload_fini(&workload);
	return rc ? rc : status;
}

/* ---- experiments ---- */

static int run_queue(struct queue_args *args, struct mx_queue_store *store)
{
	const struct mx_queue_runner_opts opts = {
		.execute = &args->execute,
		.networks_path = args->networks_path,
		.pictures_path = args->pictures_path,
		.count = args->stream.count,
	};

	hold_signals(args);
	args->execute.networks_path = args->networks_path;
	args->execute.directory = args->directory;
	return mx_queue_runner(store, &opts, args->cli);
}

static int begin(struct queue_args *args, struct mx_queue_store *store)
{
	struct mx_cli *cli = args->cli;
	int rc;

	rc = mx_queue_store_run(store, &cli->err);
	if (!rc)
		rc = mx_queue_begin(store, cli->args, cli->arg_count,
				    args->options, args->option_count,
				    &cli->err);
	return rc ? rc : run_queue(args, store);
}

/* The queue's options, then those given now, which win. */
static int parse_again(struct queue_args *args, const struct mx_queue *queue,
		       int argc, char **argv)
{
	const size_t count = queue->option_count + (size_t)argc;
	struct mx_cli *cli = args->cli;
	char **both = calloc(count + 1, sizeof(*both));
	int rc;

	if (!both)
		return mx_fail(&cli->err, ENOMEM, "queue: no memory");
	both[0] = argv[0];
	memcpy(both + 1, queue->options, queue->option_count * sizeof(*both));
	memcpy(both + 1 + queue->option_count, argv + 1,
	       ((size_t)argc - 1) * sizeof(*both));
	fini_args(args);
	init_args(args, cli);
	/* -v was counted already. */
	cli->verbosity = 0;
	rc = mx_cli_parse(cli, &queue_argp, (int)count, both, args);
	free(both);
	if (!args->directory)
		args->directory = DEFAULT_DIRECTORY;
	return rc < 0 ? rc : 0;
}

static int resume(struct queue_args *args, struct mx_queue_store *store,
		  int argc, char **argv)
{
	struct mx_cli *cli = args->cli;
	struct mx_queue queue;
	int rc;

	rc = mx_queue_store_run(store, &cli->err);
	if (!rc)
		rc = mx_queue_store_read(store, &queue, &cli->err);
	if (rc)
		return rc;
	if (mx_queue_next(&queue) == queue.count)
		rc = mx_fail(&cli->err, EINVAL,
			     "queue: nothing is left to run in %s: give "
			     "experiment files or model directories",
			     args->directory);
	rc = rc ? rc : parse_again(args, &queue, argc, argv);
	if (!rc)
		rc = run_queue(args, store);
	mx_queue_fini(&queue);
	return rc;
}

static int halt(const struct queue_args *args, struct mx_queue_store *store)
{
	struct mx_err *err = &args->cli->err;
	const int rc = mx_queue_halt(store, err);

	if (rc < 0)
		return rc;
	if (!rc)
		mx_log(&args->cli->log, MX_LOG_WARNING,
		       "queue: nobody runs the one in %s", args->directory);
	return 0;
}

static int run_experiments(struct queue_args *args, int argc, char **argv)
{
	struct mx_cli *cli = args->cli;
	struct mx_queue_store *store;
	int rc;

	if (!args->directory)
		args->directory = DEFAULT_DIRECTORY;
	if (!cli->arg_count && args->mode != MODE_ADD &&
	    !mx_file_is_directory(args->directory))
		return mx_fail(&cli->err, EINVAL,
			       "queue: there is none in %s: give experiment "
			       "files or model directories",
			       args->directory);
	rc = mx_queue_store_open(&store, args->directory, &cli->err);
	if (rc)
		return rc;
	switch (args->mode) {
	case MODE_LIST:
		rc = mx_queue_list(store, args->execute.json, &cli->err);
		break;
	case MODE_HALT:
		rc = halt(args, store);
		break;
	case MODE_ADD:
		rc = mx_queue_extend(store, cli->args, cli->arg_count,
				     args->options, args->option_count,
				     &cli->err);
		break;
	case MODE_RESUME:
		rc = resume(args, store, argc, argv);
		break;
	case MODE_RUN:
		rc = begin(args, store);
		break;
	}
	mx_queue_store_close(store);
	return rc;
}

/* A regular file is an experiment; anything else is DIR or DIR=INPUT. */
static int is_experiment(const char *spec)
{
	return mx_file_exists(spec) && !mx_file_is_directory(spec);
}

static int check(struct queue_args *args, size_t files)
{
	struct mx_cli *cli = args->cli;

	if (files && files < cli->arg_count)
		return mx_fail(&cli->err, EINVAL,
			       "queue: experiment files and model directories "
			       "cannot be queued together");
	if (args->mode == MODE_ADD && !files)
		return mx_fail(&cli->err, EINVAL,
			       "queue: --add: give experiment files");
	if (args->mode != MODE_RUN && args->mode != MODE_ADD && cli->arg_count)
		return mx_fail(&cli->err, EINVAL,
			       "queue: %s: this takes no files or directories",
			       cli->args[0]);
	if (args->arrivals_given && (files || !cli->arg_count))
		return mx_fail(&cli->err, EINVAL,
			       "queue: --arrivals and --pick are for model "
			       "directories: a file has its own arrivals");
	return 0;
}

static int verb_queue(struct mx_cli *cli, int argc, char **argv)
{
	struct queue_args args;
	size_t files = 0, i;
	int rc;

	init_args(&args, cli);
	rc = mx_cli_parse(cli, &queue_argp, argc, argv, &args);
	if (rc) {
		fini_args(&args);
		return rc < 0 ? rc : 0;
	}
	for (i = 0; i < cli->arg_count; i++)
		files += (size_t)is_experiment(cli->args[i]);
	rc = check(&args, files);
	if (!cli->arg_count && args.mode == MODE_RUN)
		args.mode = MODE_RESUME;
	if (!rc)
		rc = cli->arg_count && !files
			     ? run_stream(&args)
			     : run_experiments(&args, argc, argv);
	fini_args(&args);
	return rc;
}

const struct mx_verb mx_verb_queue = {
	.name = "queue",
	.summary = "run experiment files, or a stream of arrivals",
	.run = verb_queue,
};
