/*
 * memexec plan: what run would do with a budget, without touching a weight.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/costs.h"
#include "cli/costs_basis.h"
#include "cli/count_option.h"
#include "cli/footprint.h"
#include "cli/memory_option.h"
#include "cli/number.h"
#include "cli/plan_board.h"
#include "cli/plan_draw.h"
#include "cli/plan_optimal.h"
#include "cli/plan_report.h"
#include "cli/plan_trace.h"
#include "cli/policy_option.h"
#include "cli/session.h"
#include "lib/network.h"
#include "sched/policy.h"

#define BUDGETS_MAX 64

enum plan_key {
	KEY_BUDGET = 0x100,
	KEY_STORAGE,
	KEY_REPEAT,
	KEY_EXPLAIN,
	KEY_POLICY,
	KEY_OPTIMAL,
	KEY_DOT,
	KEY_GANTT,
	KEY_TRACE,
	KEY_JSON,
};

struct plan_args {
	struct mx_cli *cli;
	uint64_t budgets[BUDGETS_MAX];
	size_t budget_count;
	uint32_t threads;
	uint32_t repeat;
	uint64_t read_bytes_per_s; /* 0: auto */
	const char *policy;
	const char *gantt; /* NULL: none */
	const char *trace; /* the same */
	int dot;
	int optimal;
	int explain;
	int json;
};

static const struct argp_option plan_options[] = {
	{"budget", KEY_BUDGET, "SIZE[,SIZE...]", 0,
	 "What all of it may cost in memory; several give a curve; a range "
	 "is 64M-512M*2 (default: 80 % of what is available)",
	 0},
	{"threads", 't', "N", 0, "Worker threads (default: one a CPU)", 0},
	{"repeat", KEY_REPEAT, "N", 0, "Everything is run N times in a row (1)",
	 0},
	{"storage", KEY_STORAGE, "auto|RATE", 0,
	 "Bytes a second that the storage reads (auto: as profiled)", 0},
	{"explain", KEY_EXPLAIN, NULL, 0, "Say why, layer by layer", 0},
	{"policy", KEY_POLICY, "NAME", 0,
	 "The rule by which it is played (default: " MX_POLICY_DEFAULT ")", 0},
	{"optimal", KEY_OPTIMAL, NULL, 0,
	 "Compare with the best schedule that there could be; for few and "
	 "small networks",
	 0},
	{"dot", KEY_DOT, NULL, 0,
	 "Print the graph of all tasks instead, for Graphviz", 0},
	{"gantt", KEY_GANTT, "FILE", 0, "Draw what is done when, as SVG", 0},
	{"trace", KEY_TRACE, "FILE", 0,
	 "The same, as Chrome trace JSON (for Perfetto)", 0},
	{"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
	MX_CLI_OPTIONS,
};

static error_t parse_plan(int key, char *arg, struct argp_state *state)
{
	struct plan_args *args = state->input;

	switch (key) {
	case KEY_BUDGET:
		return mx_memory_budgets(args->cli, "plan", arg, args->budgets,
					 BUDGETS_MAX, &args->budget_count);
	case 't':
		return mx_count_option(args->cli, "plan", "threads", arg,
				       MX_THREADS_OPTION_MAX, &args->threads);
	case KEY_REPEAT:
		return mx_count_option(args->cli, "plan", "repeat", arg,
				       MX_REPEAT_OPTION_MAX, &args->repeat);
	case KEY_STORAGE:
		return mx_memory_storage(args->cli, "plan", arg,
					 &args->read_bytes_per_s);
	case KEY_EXPLAIN:
		args->explain = 1;
		return 0;
	case KEY_POLICY:
		return mx_policy_option(args->cli, "plan", arg, &args->policy);
	case KEY_OPTIMAL:
		args->optimal = 1;
		return 0;
	case KEY_DOT:
		args->dot = 1;
		return 0;
	case KEY_GANTT:
		args->gantt = arg;
		return 0;
	case KEY_TRACE:
		args->trace = arg;
		return 0;
	case KEY_JSON:
		args->json = 1;
		return 0;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp plan_argp = {
	.options = plan_options,
	.parser = parse_plan,
	.args_doc = "DIR...",
	.doc = "Say what run would do with a budget: whether it fits, what it "
	       "is spent on, what stays and what streams, and how long it "
	       "takes. No weight is read.",
};

/* What cannot be together. */
static int check_args(struct plan_args *args)
{
	struct mx_err *err = &args->cli->err;

	if (args->dot && args->json)
		return mx_fail(err, EINVAL,
			       "plan: --dot and --json: standard output is for "
			       "one of them");
	if ((args->dot || args->gantt || args->trace || args->optimal) &&
	    args->budget_count > 1)
		return mx_fail(err, EINVAL,
			       "plan: --dot, --gantt, --trace and --optimal "
			       "are for one budget");
	if (args->gantt && args->trace && !strcmp(args->gantt, args->trace))
		return mx_fail(err, EINVAL,
			       "plan: --gantt and --trace: %s is for one of "
			       "them",
			       args->trace);
	return 0;
}

/* What is planned for: the same as what run has when it starts its engine. */
struct ground {
	struct mx_session session;
	struct mx_plan resident; /* no limit */
	struct mx_plan least; /* with inputs given */
	const struct mx_network **nets;
	struct mx_costs costs;
	const char *policy;
};

static int plan_with(const struct ground *ground, uint64_t budget_bytes,
		     int given, struct mx_plan *plan, struct mx_err *err)
{
	struct mx_plan_opts opts = ground->resident.opts;
	uint32_t i;

	opts.budget_bytes = budget_bytes;
	/* The arrays of inputs that are not there yet will be there when run
	 * measures its fixed part. */
	for (i = 0;
	     given && !opts.given_inputs && i < ground->resident.net_count; i++)
		opts.fixed_bytes += mx_footprint_input_bytes(ground->nets[i]);
	if (given)
		opts.given_inputs = 1;
	return mx_plan_init(plan, &opts, ground->nets,
			    ground->resident.net_count, err);
}

/* The engine is closed again: what it measured is in the plan. */
static int plan_resident(struct ground *ground, struct mx_err *err)
{
	struct mx_engine_opts opts;
	struct mx_engine *engine;
	uint32_t i;
	int rc;

	(void)malloc_trim(0);
	mx_session_engine_opts(&ground->session, &opts);
	rc = mx_engine_open(&engine, &opts, err);
	if (rc)
		return rc;
	rc = mx_session_add(&ground->session, engine, err);
	if (!rc)
		rc = mx_engine_plan(engine, &ground->resident, err);
	mx_engine_close(engine);
	if (rc)
		return rc;
	ground->nets = calloc((size_t)ground->resident.net_count + 1,
			      sizeof(const struct mx_network *));
	if (!ground->nets)
		return mx_fail(err, ENOMEM, "plan: no memory");
	for (i = 0; i < ground->resident.net_count; i++)
		ground->nets[i] = ground->resident.nets[i].net;
	return plan_with(ground, MX_BUDGET_NONE, 1, &ground->least, err);
}

static void ground_fini(struct ground *ground)
{
	mx_costs_fini(&ground->costs);
	mx_plan_fini(&ground->least);
	mx_plan_fini(&ground->resident);
	free(ground->nets);
	mx_session_close(&ground->session);
}

/* Each network by itself, in the same budget. */
static int plan_alone(const struct ground *ground, struct mx_plan_point *point,
		      struct mx_err *err)
{
	const struct mx_forecast_opts opts = {
		.passes = 1,
		.flags = MX_FORECAST_COLD,
		.policy = ground->policy,
	};
	const uint32_t count = ground->resident.net_count;
	struct mx_forecast forecast;
	struct mx_costs costs = {.threads = ground->costs.threads,
				 .net_count = 1};
	struct mx_plan plan;
	uint32_t i;
	int rc = 0;

	point->alone_ns = calloc((size_t)count + 1, sizeof(*point->alone_ns));
	if (!point->alone_ns)
		return mx_fail(err, ENOMEM, "plan: no memory");
	for (i = 0; !rc && i < count; i++) {
		rc = mx_plan_init(&plan, &point->plan.opts, &ground->nets[i], 1,
				  err);
		if (rc)
			return rc;
		costs.nets = &ground->costs.nets[i];
		if (plan.feasible)
			rc = mx_forecast_init(&forecast, &plan, &costs, &opts,
					      err);
		if (!rc && plan.feasible) {
			point->alone_ns[i] = forecast.makespan_ns;
			mx_forecast_fini(&forecast);
		}
		mx_plan_fini(&plan);
	}
	return rc;
}

/* @limit_bytes is the budget, or MX_BUDGET_NONE where all fits it anyway. */
static int plan_point(const struct ground *ground, uint64_t limit_bytes,
		      struct mx_plan_point *point, struct mx_err *err)
{
	const struct mx_forecast_opts opts = {
		.flags = MX_FORECAST_COLD,
		.policy = ground->policy,
	};
	struct mx_plan least;
	int rc;

	rc = plan_with(ground, limit_bytes, 1, &least, err);
	if (rc)
		return rc;
	point->feasible = least.feasible;
	if (!least.feasible)
		(void)mx_plan_refuse(&least, &point->why);
	mx_plan_fini(&least);
	rc = plan_with(ground, limit_bytes, 0, &point->plan, err);
	if (rc || !point->feasible)
		return rc;
	rc = mx_forecast_init(&point->forecast, &point->plan, &ground->costs,
			      &opts, err);
	return rc ? rc : plan_alone(ground, point, err);
}

static int plan_points(const struct plan_args *args,
		       const struct ground *ground,
		       struct mx_plan_point *points, struct mx_err *err)
{
	uint64_t limit_bytes = MX_BUDGET_NONE;
	size_t i;
	int rc = 0;

	if (!args->budget_count) {
		rc = mx_session_default_budget(&points[0].budget_bytes, err);
		if (!rc && ground->resident.predicted_peak_bytes >
				   points[0].budget_bytes)
			limit_bytes = points[0].budget_bytes;
		return rc ? rc
			  : plan_point(ground, limit_bytes, &points[0], err);
	}
	for (i = 0; !rc && i < args->budget_count; i++) {
		points[i].budget_bytes = args->budgets[i];
		rc = plan_point(ground, args->budgets[i], &points[i], err);
	}
	return rc;
}

/* What was asked for beside the forecast. */
static int plan_more(const struct plan_args *args, struct ground *ground,
		     struct mx_plan_point *point, struct mx_err *err)
{
	const struct mx_plan_draw draw = {
		.session = &ground->session,
		.plan = &point->plan,
		.costs = &ground->costs,
		.policy = args->policy,
		.gantt = args->gantt,
		.dot = args->dot,
	};
	struct mx_plan_board board;
	int rc = 0;

	if (!point->feasible)
		return 0;
	if (args->optimal) {
		rc = mx_plan_board_init(&board, &point->plan, &ground->costs,
					err);
		if (rc)
			return rc;
		rc = mx_plan_optimal_find(&point->optimal, &board, args->policy,
					  err);
		mx_plan_board_fini(&board);
	}
	if (!rc && (args->dot || args->gantt))
		rc = mx_plan_draw(&draw, err);
	if (!rc && args->trace)
		rc = mx_plan_trace(&ground->session, &point->plan,
				   &ground->costs, args->policy, err);
	return rc;
}

static int report(const struct plan_args *args, const struct ground *ground,
		  const struct mx_plan_point *points, size_t count)
{
	struct mx_costs_basis basis;
	const struct mx_plan_report page = {
		.session = &ground->session,
		.costs = &ground->costs,
		.basis = &basis,
		.least = &ground->least,
		.points = points,
		.point_count = count,
		.policy = args->policy,
		.asked = args->budget_count > 0,
		.explain = args->explain,
	};
	struct mx_err *err = &args->cli->err;
	size_t i, feasible = 0;
	int rc = 0;

	mx_costs_basis_init(&basis, &ground->costs, args->read_bytes_per_s);
	for (i = 0; i < count; i++)
		feasible += points[i].feasible != 0;
	if (args->json)
		rc = mx_plan_report_json(&page, err);
	else if (!args->dot && (feasible || count > 1))
		rc = mx_plan_report_text(&page, err);
	if (rc || feasible)
		return rc;
	return mx_fail(err, EDQUOT, "%s", points[count - 1].why.text);
}

static int plan(const struct plan_args *args, struct ground *ground)
{
	const size_t count = args->budget_count ? args->budget_count : 1;
	struct mx_costs_opts opts = {
		.read_bytes_per_s = args->read_bytes_per_s,
		.log = &args->cli->log,
	};
	struct mx_err *err = &args->cli->err;
	struct mx_plan_point *points;
	size_t i;
	int rc;

	rc = plan_resident(ground, err);
	if (rc)
		return rc;
	opts.threads = ground->resident.opts.threads;
	rc = mx_costs_of_session(&ground->costs, &ground->session, &opts, err);
	if (rc)
		return rc;
	points = calloc(count, sizeof(*points));
	if (!points)
		return mx_fail(err, ENOMEM, "plan: no memory");
	rc = plan_points(args, ground, points, err);
	if (!rc)
		rc = plan_more(args, ground, &points[0], err);
	if (!rc)
		rc = report(args, ground, points, count);
	for (i = 0; i < count; i++) {
		mx_forecast_fini(&points[i].forecast);
		mx_plan_fini(&points[i].plan);
		free(points[i].alone_ns);
	}
	free(points);
	return rc;
}

static int verb_plan(struct mx_cli *cli, int argc, char **argv)
{
	struct plan_args args = {
		.cli = cli,
		.repeat = 1,
		.policy = MX_POLICY_DEFAULT,
	};
	struct ground ground = {.nets = NULL};
	struct mx_session_opts opts;
	int rc;

	rc = mx_cli_parse(cli, &plan_argp, argc, argv, &args);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = check_args(&args);
	if (rc)
		return rc;
	ground.policy = args.policy;
	opts = (struct mx_session_opts){
		.threads = args.threads,
		.repeats = args.repeat,
		.trace = args.trace,
		.log = &cli->log,
	};
	rc = mx_session_open(&ground.session, &opts, cli->args, cli->arg_count,
			     &cli->err);
	if (rc)
		return rc;
	rc = plan(&args, &ground);
	ground_fini(&ground);
	return rc;
}

const struct mx_verb mx_verb_plan = {
	.name = "plan",
	.summary = "say what a budget gives, without touching a weight",
	.run = verb_plan,
};
