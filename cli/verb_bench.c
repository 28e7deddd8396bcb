/*
 * memexec bench: how long a network takes, again and again, for several
 * numbers of threads, budgets and policies, warmed up or cold.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_measure.h"
#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/count_option.h"
#include "cli/file.h"
#include "cli/memory_option.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/policy_option.h"
#include "cli/yaml_tree.h"
#include "lib/network.h"
#include "lib/size.h"
#include "loader/mxload.h"
#include "sched/memexec.h"
#include "sched/policy.h"

#define RUNS_DEFAULT 10
#define POINTS_MAX 64
#define POLICIES_MAX 16

enum bench_key {
	KEY_WARM = 0x100,
	KEY_COLD,
	KEY_BUDGET,
	KEY_IO,
	KEY_POLICY,
	KEY_PAGING,
	KEY_PER_LAYER,
	KEY_FORMAT,
	KEY_JSON,
	KEY_BASELINE,
	KEY_REGRESS,
	KEY_EXACT,
};

struct bench_args {
	struct mx_cli *cli;
	uint64_t threads[POINTS_MAX];
	size_t thread_count;
	uint64_t budgets[POINTS_MAX];
	size_t budget_count;
	const char *policies[POLICIES_MAX];
	size_t policy_count;
	uint32_t runs;
	int cold;
	enum mx_bench_paging paging;
	struct mx_bench_opts opts;
	int per_layer;
	enum mx_bench_format format;
	const char *baseline;
	double max_regress;
	int regress_given;
};

static const struct argp_option bench_options[] = {
	{"runs", 'r', "N", 0, "Measured runs (10)", 0},
	{"warm", KEY_WARM, NULL, 0,
	 "One run before the first measured one (the default)", 0},
	{"cold", KEY_COLD, NULL, 0,
	 "Each run with nothing in memory: weights dropped from the page "
	 "cache",
	 0},
	{"budget", KEY_BUDGET, "SIZE,SIZE-SIZE*F", 0,
	 "Budgets (default: none, weights stay)", 0},
	{"io", KEY_IO, "auto|uring|threads|sync", 0, "How weights are read", 0},
	{"policy", KEY_POLICY, "NAME[,NAME...]", 0,
	 "Policies (default: " MX_POLICY_DEFAULT ")", 0},
	{"paging", KEY_PAGING, "plan|mmap", 0,
	 "mmap, to compare with: the kernel's page cache, in a cgroup of the "
	 "budget, instead of the pager (plan)",
	 0},
	{"exact", KEY_EXACT, NULL, 0,
	 "Sum as the definition says, without quicker ways that round more", 0},
	{"threads", 't', "N,N,A-B,A-B*F", 0, "Numbers of threads (1)", 0},
	{"per-layer", KEY_PER_LAYER, NULL, 0, "Also each layer's time", 0},
	{"format", KEY_FORMAT, "md|csv|json", 0,
	 "Markdown, CSV or JSON instead of a table", 0},
	{"json", KEY_JSON, NULL, 0, "The same as --format=json", 0},
	{"baseline", KEY_BASELINE, "FILE.json", 0,
	 "Compare the medians with an earlier --json", 0},
	{"max-regress", KEY_REGRESS, "5%", 0,
	 "Exit with 1 where one is longer by more than this (5%)", 0},
	MX_CLI_OPTIONS,
};

static error_t refuse(struct bench_args *args, const char *option,
		      const char *arg, const char *want)
{
	(void)mx_fail(&args->cli->err, EINVAL, "bench: %s=%s: must be %s",
		      option, arg, want);
	return EINVAL;
}

static error_t parse_format(struct bench_args *args, const char *arg)
{
	static const char *const names[] = {
		[MX_BENCH_TABLE] = "table",
		[MX_BENCH_MARKDOWN] = "md",
		[MX_BENCH_CSV] = "csv",
		[MX_BENCH_JSON] = "json",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(arg, names[i])) {
			args->format = (enum mx_bench_format)i;
			return 0;
		}
	return refuse(args, "--format", arg, "md, csv or json");
}

static error_t parse_paging(struct bench_args *args, const char *arg)
{
	if (!strcmp(arg, "plan"))
		args->paging = MX_BENCH_PLAN;
	else if (!strcmp(arg, "mmap"))
		args->paging = MX_BENCH_MMAP;
	else
		return refuse(args, "--paging", arg, "plan or mmap");
	return 0;
}

static error_t parse_bench(int key, char *arg, struct argp_state *state)
{
	struct bench_args *args = state->input;

	switch (key) {
	case 'r':
		return mx_count_option(args->cli, "bench", "runs", arg,
				       MX_REPEAT_OPTION_MAX, &args->runs);
	case 't':
		if (mx_parse_counts(arg, MX_THREADS_OPTION_MAX, args->threads,
				    POINTS_MAX, &args->thread_count))
			return refuse(args, "--threads", arg,
				      "a list such as 1,2,4-8");
		return 0;
	case KEY_WARM:
	case KEY_COLD:
		args->cold = key == KEY_COLD;
		return 0;
	case KEY_BUDGET:
		return mx_memory_budgets(args->cli, "bench", arg, args->budgets,
					 POINTS_MAX, &args->budget_count);
	case KEY_IO:
		return mx_memory_io(args->cli, "bench", arg, &args->opts.io);
	case KEY_POLICY:
		return mx_policy_options(args->cli, "bench", arg,
					 args->policies, POLICIES_MAX,
					 &args->policy_count);
	case KEY_EXACT:
		args->opts.flags |= MX_ENGINE_EXACT;
		return 0;
	case KEY_PAGING:
		return parse_paging(args, arg);
	case KEY_PER_LAYER:
		args->per_layer = 1;
		return 0;
	case KEY_FORMAT:
		return parse_format(args, arg);
	case KEY_JSON:
		args->format = MX_BENCH_JSON;
		return 0;
	case KEY_BASELINE:
		args->baseline = arg;
		return 0;
	case KEY_REGRESS:
		if (mx_parse_share(arg, &args->max_regress))
			return refuse(args, "--max-regress", arg,
				      "a share such as 5%");
		args->regress_given = 1;
		return 0;
	case ARGP_KEY_SUCCESS:
		if (args->paging == MX_BENCH_MMAP && !args->budget_count)
			return refuse(args, "--paging", "mmap",
				      "with a --budget");
		if (args->regress_given && !args->baseline) {
			(void)mx_fail(&args->cli->err, EINVAL,
				      "bench: --max-regress is for a "
				      "--baseline");
			return EINVAL;
		}
		return 0;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp bench_argp = {
	.options = bench_options,
	.parser = parse_bench,
	.args_doc = "DIR...",
	.doc = "Time networks on a fixed pattern, one after the other.",
};

static int add_point(const struct bench_args *args, const char *directory,
		     const struct mx_network *net,
		     const struct mx_bench_point *like,
		     struct mx_bench_report *report, struct mx_err *err)
{
	struct mx_bench_point *point = &report->points[report->point_count];

	*point = *like;
	report->point_count++;
	point->net = net;
	point->network = mx_file_stem(directory, ".mx");
	point->sample_count = args->runs;
	point->samples_ns =
		calloc(point->sample_count, sizeof(*point->samples_ns));
	point->read_bytes =
		calloc(point->sample_count, sizeof(*point->read_bytes));
	if (args->per_layer)
		point->layer_ns = calloc((size_t)net->layer_count + 1,
					 sizeof(*point->layer_ns));
	if (!point->network || !point->samples_ns || !point->read_bytes ||
	    (args->per_layer && !point->layer_ns))
		return mx_fail(err, ENOMEM, "bench: no memory");
	return mx_bench_measure(point, &args->opts, err);
}

/* All budgets, policies and numbers of threads for one network. */
static int sweep(const struct bench_args *args, const char *directory,
		 const struct mx_network *net, struct mx_bench_report *report,
		 struct mx_err *err)
{
	struct mx_bench_point like = {
		.paging = args->paging,
		.cold = args->cold,
	};
	const size_t count =
		args->budget_count * args->policy_count * args->thread_count;
	size_t i, rest;
	int rc = 0;

	for (i = 0; !rc && i < count; i++) {
		like.threads = (uint32_t)args->threads[i % args->thread_count];
		rest = i / args->thread_count;
		like.policy = args->policies[rest % args->policy_count];
		rest /= args->policy_count;
		like.budget_bytes = args->budgets[rest];
		rc = add_point(args, directory, net, &like, report, err);
	}
	return rc;
}

static int bench(const struct bench_args *args, struct mx_model **models,
		 struct mx_bench_report *report, struct mx_err *err)
{
	struct mx_yaml *baseline = NULL;
	size_t i;
	int rc = 0;

	/* All that is given is looked at before the first is measured. */
	if (args->baseline)
		rc = mx_bench_baseline_read(&baseline, args->baseline, err);
	for (i = 0; !rc && i < args->cli->arg_count; i++)
		rc = mx_open_bound(&models[i], args->cli->args[i], err);
	for (i = 0; !rc && i < args->cli->arg_count; i++)
		rc = sweep(args, args->cli->args[i],
			   mx_model_network(models[i]), report, err);
	if (!rc)
		rc = mx_bench_report_print(report, args->format, err);
	if (!rc && baseline)
		rc = mx_bench_report_compare(report, baseline,
					     args->max_regress, err);
	mx_yaml_free(baseline);
	return rc;
}

static int verb_bench(struct mx_cli *cli, int argc, char **argv)
{
	struct bench_args args = {
		.cli = cli,
		.threads = {1},
		.thread_count = 1,
		.policies = {MX_POLICY_DEFAULT},
		.policy_count = 1,
		.runs = RUNS_DEFAULT,
		.opts = {.log = &cli->log},
		.max_regress = 0.05,
	};
	struct mx_bench_report report = {.points = NULL};
	struct mx_model **models;
	size_t i;
	int rc;

	rc = mx_cli_parse(cli, &bench_argp, argc, argv, &args);
	if (rc)
		return rc < 0 ? rc : 0;
	/* No budget is one too: 0. */
	if (!args.budget_count)
		args.budget_count = 1;
	models = calloc(args.cli->arg_count, sizeof(struct mx_model *));
	report.points = calloc(args.cli->arg_count * args.thread_count *
				       args.policy_count * args.budget_count,
			       sizeof(*report.points));
	if (models && report.points)
		rc = bench(&args, models, &report, &cli->err);
	else
		rc = mx_fail(&cli->err, ENOMEM, "bench: no memory");
	mx_bench_report_fini(&report);
	for (i = 0; models && i < args.cli->arg_count; i++)
		mx_model_close(models[i]);
	free(models);
	return rc;
}

const struct mx_verb mx_verb_bench = {
	.name = "bench",
	.summary = "time networks, warm or cold, in budgets",
	.run = verb_bench,
};
