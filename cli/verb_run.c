/*
 * memexec run: all networks at once, each on its input.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/memory_option.h"
#include "cli/number.h"
#include "cli/pipeline_run.h"
#include "cli/policy_option.h"
#include "cli/run_report.h"
#include "cli/session.h"
#include "cli/session_watch.h"
#include "cli/timeout_option.h"
#include "lib/size.h"

enum run_key {
	KEY_TOP = 0x100,
	KEY_OUTPUT,
	KEY_REPEAT,
	KEY_JSON,
	KEY_BUDGET,
	KEY_IO,
	KEY_POLICY,
	KEY_WORKERS,
	KEY_WALL,
	KEY_COLD,
	KEY_PIPELINE,
	KEY_NETWORKS,
	KEY_TRACE,
	KEY_TIMEOUT,
	KEY_EXACT,
};

struct run_args {
	struct mx_cli *cli;
	struct mx_session_opts session;
	uint32_t top;
	const char *output;
	const char *pipeline;
	const char *networks;
	int json;
};

static const struct argp_option run_options[] = {
	{"budget", KEY_BUDGET, "SIZE", 0,
	 "What all of it may cost in memory (default: 80 % of what is "
	 "available)",
	 0},
	{"wall", KEY_WALL, "auto|off|require|PATH", 0,
	 "A cgroup that holds the budget: where one can be had, never, or "
	 "else fail; PATH: the cgroup to make it in",
	 0},
	{"io", KEY_IO, "auto|uring|threads|sync", 0, "How weights are read", 0},
	{"policy", KEY_POLICY, "NAME", 0,
	 "How the next read, layer and eviction are picked (foresight)", 0},
	{"workers", KEY_WORKERS, "N", 0,
	 "Layer tasks at once, for policies that count them", 0},
	{"cold", KEY_COLD, NULL, 0,
	 "Drop the networks' weights from the page cache first", 0},
	{"exact", KEY_EXACT, NULL, 0,
	 "Sum as the definition says, without quicker ways that round more", 0},
	{"threads", 't', "N", 0, "Worker threads (default: one a CPU)", 0},
	{"top-k", KEY_TOP, "N", 0, "Labels to print (default 5)", 0},
	{"output", KEY_OUTPUT, "DIR", 0,
	 "Write each output to DIR/NETWORK/output_K.npy", 0},
	{"pipeline", KEY_PIPELINE, "FILE", 0,
	 "The arguments are pictures: run what the file says on each", 0},
	{"networks", KEY_NETWORKS, "DIR", 0,
	 "Where the pipeline's networks are (default: beside its file)", 0},
	{"repeat", KEY_REPEAT, "N", 0, "Run everything N times in a row", 0},
	{"timeout", KEY_TIMEOUT, "DURATION", 0,
	 "Cancel what has not ended by then, and exit with 8: 500ms, 2s", 0},
	{"trace", KEY_TRACE, "FILE", 0,
	 "Write what was done when, as Chrome trace JSON (for Perfetto)", 0},
	{"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
	MX_CLI_OPTIONS,
};

static error_t refuse_none(struct run_args *args, struct argp_state *state)
{
	if (!args->pipeline)
		return mx_cli_option(args->cli, ARGP_KEY_NO_ARGS, state);
	(void)mx_fail(&args->cli->err, EINVAL, "run: no picture given");
	return EINVAL;
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case 't':
		return mx_count_option(args->cli, "run", "threads", arg,
				       MX_THREADS_OPTION_MAX,
				       &args->session.threads);
	case KEY_TOP:
		return mx_count_option(args->cli, "run", "top-k", arg,
				       MX_TOP_OPTION_MAX, &args->top);
	case KEY_REPEAT:
		return mx_count_option(args->cli, "run", "repeat", arg,
				       MX_REPEAT_OPTION_MAX,
				       &args->session.repeats);
	case KEY_OUTPUT:
		args->output = arg;
		return 0;
	case KEY_BUDGET:
		return mx_memory_budget(args->cli, "run", arg,
					&args->session.budget_bytes);
	case KEY_IO:
		return mx_memory_io(args->cli, "run", arg, &args->session.io);
	case KEY_POLICY:
		return mx_policy_option(args->cli, "run", arg,
					&args->session.policy);
	case KEY_WORKERS:
		return mx_policy_workers(args->cli, "run", arg,
					 &args->session.workers);
	case KEY_WALL:
		args->session.wall = arg;
		return 0;
	case KEY_COLD:
		args->session.flags |= MX_SESSION_COLD;
		return 0;
	case KEY_EXACT:
		args->session.flags |= MX_SESSION_EXACT;
		return 0;
	case KEY_PIPELINE:
		args->pipeline = arg;
		return 0;
	case KEY_NETWORKS:
		args->networks = arg;
		return 0;
	case KEY_TRACE:
		args->session.trace = arg;
		return 0;
	case KEY_TIMEOUT:
		return mx_timeout_option(args->cli, "run", arg,
					 &args->session.timeout_ns);
	case KEY_JSON:
		args->json = 1;
		return 0;
	case ARGP_KEY_NO_ARGS:
		return refuse_none(args, state);
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp run_argp = {
	.options = run_options,
	.parser = parse_run,
	.args_doc = "DIR[=INPUT[,INPUT...]]...\n--pipeline=FILE PICTURE...",
	.doc = "Run all networks at once, each on its input (jpg, png, ppm, "
	       "npy; none: a fixed pattern); or pictures through a pipeline, "
	       "in which some networks decide which others run.",
};

/* Two tasks of one name would write the same files. */
static int check_names(const struct mx_session *session, struct mx_err *err)
{
	size_t i, k;

	for (i = 0; i < session->task_count; i++)
		for (k = 0; k < i; k++)
			if (!strcmp(session->tasks[i].name,
				    session->tasks[k].name))
				return mx_fail(err, EINVAL,
					       "run: --output: two jobs are "
					       "named %s",
					       session->tasks[i].name);
	return 0;
}

static int write_outputs(const struct mx_session *session,
			 const char *directory, struct mx_err *err)
{
	const struct mx_task *task;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < session->task_count; i++) {
		task = &session->tasks[i];
		if (task->fault)
			continue;
		rc = mx_result_write(&task->result, directory, task->name, err);
	}
	return rc;
}

static int run_rounds(const struct run_args *args, struct mx_session *session,
		      struct mx_err *err)
{
	struct mx_run_report report = {
		.session = session,
		.round_count = args->session.repeats,
		.top = args->top,
	};
	struct mx_err failure = {""};
	size_t bytes;
	int rc = 0, status = 0;

	if (mx_size_mul(report.round_count, session->task_count, &bytes) ||
	    mx_size_mul(bytes, sizeof(*report.times), &bytes))
		return mx_fail(err, ENOMEM, "run: too many jobs");
	report.times = malloc(bytes);
	if (!report.times)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	/* The round in which something fails is the last. What the others
	 * have computed is told all the same. */
	report.round_count = 0;
	while (!status && report.round_count < args->session.repeats)
		status = mx_session_run(session,
					report.times +
						report.round_count++ *
							session->task_count,
					&failure);
	if (status && report.round_count == 1 && !mx_session_answers(session))
		rc = mx_fail(err, -status, "%s", failure.text);
	if (!rc && args->json)
		rc = mx_run_report_json(&report, err);
	else if (!rc)
		rc = mx_run_report_text(&report, err);
	if (!rc && args->output)
		rc = write_outputs(session, args->output, err);
	if (!rc && status)
		rc = mx_fail(err, -status, "%s", failure.text);
	free(report.times);
	return rc;
}

static int run_pipeline(const struct run_args *args)
{
	struct mx_cli *cli = args->cli;
	const struct mx_pipeline_opts opts = {
		.path = args->pipeline,
		.networks_path = args->networks,
		.session = args->session,
		.repeat = args->session.repeats,
		.top = args->top,
		.output = args->output,
		.json = args->json,
	};

	int rc = 0;

	if (args->output)
		rc = mx_result_directory(args->output, &cli->err);
	return rc ? rc
		  : mx_pipeline_run(&opts, cli->args, cli->arg_count,
				    &cli->err);
}

static int verb_run(struct mx_cli *cli, int argc, char **argv)
{
	struct run_args args = {
		.cli = cli,
		.session = {.wall = "auto", .repeats = 1, .log = &cli->log},
		.top = 5,
	};
	struct mx_session session;
	int rc;

	rc = mx_cli_parse(cli, &run_argp, argc, argv, &args);
	if (rc)
		return rc < 0 ? rc : 0;
	/* A trace is written also when a signal ends it. */
	if (args.session.trace)
		mx_cli_hold_signals();
	if (args.pipeline)
		return run_pipeline(&args);
	if (args.networks)
		return mx_fail(&cli->err, EINVAL,
			       "run: --networks is for a --pipeline");
	rc = mx_session_open(&session, &args.session, cli->args, cli->arg_count,
			     &cli->err);
	if (rc)
		return rc;
	if (args.output)
		rc = check_names(&session, &cli->err);
	if (!rc && args.output)
		rc = mx_result_directory(args.output, &cli->err);
	if (!rc)
		rc = mx_session_start(&session, &cli->err);
	if (!rc) {
		rc = run_rounds(&args, &session, &cli->err);
		rc = mx_session_end(&session, 0, rc, &cli->err);
	}
	mx_session_close(&session);
	return rc;
}

const struct mx_verb mx_verb_run = {
	.name = "run",
	.summary = "run networks on their inputs: labels or tensors out",
	.run = verb_run,
};
