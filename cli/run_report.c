#include "cli/run_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "cli/json.h"
#include "cli/number.h"
#include "cli/session.h"
#include "cli/statistics.h"
#include "cli/totals.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/wall.h"

/* Outputs of so many values are printed whole. */
#define WHOLE_MAX 8

static size_t job_count(const struct mx_run_report *report)
{
	return report->round_count * report->session->task_count;
}

int mx_run_totals_init(struct mx_run_totals *totals,
		       const struct mx_session *session,
		       const struct mx_task_times *times, size_t count,
		       struct mx_err *err)
{
	const struct mx_wall *wall = session->wall;
	uint64_t first = UINT64_MAX, last = 0, *responses;
	struct rusage usage;
	size_t i;

	responses = calloc(mx_size_max(count, 1), sizeof(*responses));
	if (!responses)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	for (i = 0; i < count; i++) {
		if (times[i].arrival_ns < first)
			first = times[i].arrival_ns;
		if (times[i].finish_ns > last)
			last = times[i].finish_ns;
		responses[i] = times[i].response_ns;
	}
	*totals = (struct mx_run_totals){
		.job_count = count,
		.makespan_ns = count ? last - first : 0,
		.budget_bytes = session->budget_bytes,
	};
	if (count)
		mx_statistics_init(&totals->response, responses, count);
	free(responses);
	mx_engine_totals(session->engine, &totals->engine);
	totals->wall = wall ? mx_wall_describe(wall) : "off";
	totals->peak_charge_bytes = totals->engine.planned_peak_bytes;
	if (wall)
		(void)mx_wall_peak_bytes(wall, &totals->peak_charge_bytes);
	/* The kernel counts it in KiB. */
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		totals->peak_resident_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return 0;
}

static int sum_up(const struct mx_run_report *report, struct mx_run_totals *out,
		  struct mx_err *err)
{
	const size_t count = report->session->task_count;
	const size_t last = job_count(report) - count;
	struct mx_task_times *ended;
	size_t i, n = 0;
	int rc;

	/* Of jobs that were cancelled or failed, in the last round, no times
	 * are to be had. */
	ended = calloc(mx_size_max(job_count(report), 1), sizeof(*ended));
	if (!ended)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	for (i = 0; i < job_count(report); i++)
		if (i < last || !report->session->tasks[i % count].fault)
			ended[n++] = report->times[i];
	rc = mx_run_totals_init(out, report->session, ended, n, err);
	free(ended);
	return rc;
}

static void print_vector(const struct mx_run_report *report,
			 const struct mx_result *result, uint32_t index,
			 size_t sample, size_t *order)
{
	const float *values;
	const char *label;
	size_t count, n, i;

	values = mx_result_sample(result, index, sample, &count);
	n = mx_top(values, count, report->top, order);
	for (i = 0; i < n; i++) {
		label = mx_result_label(result, order[i], count);
		printf("  %10.6g  %5zu%s%s\n", (double)values[order[i]],
		       order[i], label ? "  " : "", label ? label : "");
	}
}

static void print_tensor(const struct mx_array *array)
{
	const size_t count = mx_shape_elems(&array->shape);
	struct mx_summary summary;
	size_t i;

	if (count <= WHOLE_MAX) {
		for (i = 0; i < count; i++)
			printf(" %.6g", (double)array->data[i]);
		printf("\n");
		return;
	}
	mx_summary_init(&summary, array->data, count);
	printf(" min %.6g max %.6g mean %.6g\n", (double)summary.min,
	       (double)summary.max, summary.mean);
}

static void print_outputs(const struct mx_run_report *report,
			  const struct mx_result *result, size_t *order)
{
	char text[MX_SHAPE_TEXT_BYTES];
	const struct mx_array *array;
	size_t sample;
	uint32_t i;

	for (i = 0; i < result->net->output_count; i++) {
		array = &result->outputs[i];
		printf("  %s %s:", mx_result_name(result, i),
		       mx_shape_text(&array->shape, text));
		if (!mx_result_is_vector(result, i)) {
			print_tensor(array);
			continue;
		}
		printf("\n");
		for (sample = 0; sample < result->sample_count; sample++) {
			if (result->sample_count > 1)
				printf("  sample %zu\n", sample);
			print_vector(report, result, i, sample, order);
		}
	}
}

void mx_run_times_text(const struct mx_task_times *times)
{
	char response[MX_TEXT_BYTES], wait[MX_TEXT_BYTES];
	char stall[MX_TEXT_BYTES], compute[MX_TEXT_BYTES];

	printf("response %s, wait %s, stall %s, compute %s\n",
	       mx_text_ns(times->response_ns, response),
	       mx_text_ns(times->wait_ns, wait),
	       mx_text_ns(times->stall_ns, stall),
	       mx_text_ns(times->compute_ns, compute));
}

void mx_run_totals_text(const struct mx_run_totals *totals)
{
	const struct mx_engine_totals *engine = &totals->engine;
	char makespan[MX_TEXT_BYTES], mean[MX_TEXT_BYTES], peak[MX_TEXT_BYTES];
	char budget[MX_TEXT_BYTES], read[MX_TEXT_BYTES];

	printf("%zu job%s in %s, mean response %s, %" PRIu32
	       " thread%s, peak memory %s\n",
	       totals->job_count, totals->job_count == 1 ? "" : "s",
	       mx_text_ns(totals->makespan_ns, makespan),
	       mx_text_ns((uint64_t)totals->response.mean, mean),
	       engine->threads, engine->threads == 1 ? "" : "s",
	       mx_text_bytes(totals->peak_charge_bytes, peak));
	printf("budget %s%s, wall %s, io %s, policy %s, read %s, %" PRIu64
	       " major fault%s\n",
	       mx_text_bytes(totals->budget_bytes, budget),
	       engine->budget_bytes ? "" : " (nothing needs to be dropped)",
	       totals->wall, engine->io, engine->policy,
	       mx_text_bytes(engine->read_bytes, read), engine->major_faults,
	       engine->major_faults == 1 ? "" : "s");
}

int mx_run_report_text(const struct mx_run_report *report, struct mx_err *err)
{
	const struct mx_session *session = report->session;
	const struct mx_task *task;
	struct mx_run_totals totals;
	size_t i, round, *order;
	int rc;

	rc = sum_up(report, &totals, err);
	if (rc)
		return rc;
	order = calloc(mx_size_max(report->top, 1), sizeof(*order));
	if (!order)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	for (i = 0; i < session->task_count; i++) {
		task = &session->tasks[i];
		printf("%s  %s\n", task->name,
		       task->input ? task->input : "(pattern)");
		if (task->fault)
			printf("  failed: %s\n", task->fault);
		else
			print_outputs(report, &task->result, order);
		for (round = 0; round < report->round_count; round++) {
			printf("  ");
			mx_run_times_text(
				&report->times[round * session->task_count +
					       i]);
		}
	}
	mx_run_totals_text(&totals);
	free(order);
	return 0;
}

static void json_top(struct mx_json *json, const struct mx_run_report *report,
		     const struct mx_result *result, size_t *order)
{
	uint32_t index = 0;
	size_t sample, count, n, i;
	const float *values;

	while (index < result->net->output_count &&
	       !mx_result_is_vector(result, index))
		index++;
	mx_json_array(json, "top");
	for (sample = 0;
	     index < result->net->output_count && sample < result->sample_count;
	     sample++) {
		values = mx_result_sample(result, index, sample, &count);
		n = mx_top(values, count, report->top, order);
		for (i = 0; i < n; i++) {
			mx_json_object(json, NULL);
			if (result->sample_count > 1)
				mx_json_u64(json, "sample", sample);
			mx_json_u64(json, "index", order[i]);
			mx_json_string(
				json, "label",
				mx_result_label(result, order[i], count));
			mx_json_number(json, "score", (double)values[order[i]]);
			mx_json_object_end(json);
		}
	}
	mx_json_array_end(json);
}

static void json_outputs(struct mx_json *json, const struct mx_result *result)
{
	const struct mx_array *array;
	struct mx_summary summary;
	uint32_t i, k;

	mx_json_array(json, "outputs");
	for (i = 0; i < result->net->output_count; i++) {
		array = &result->outputs[i];
		mx_summary_init(&summary, array->data,
				mx_shape_elems(&array->shape));
		mx_json_object(json, NULL);
		mx_json_string(json, "name", mx_result_name(result, i));
		mx_json_array(json, "shape");
		for (k = 0; k < array->shape.rank; k++)
			mx_json_u64(json, NULL, array->shape.dim[k]);
		mx_json_array_end(json);
		mx_json_number(json, "min", (double)summary.min);
		mx_json_number(json, "max", (double)summary.max);
		mx_json_number(json, "mean", summary.mean);
		mx_json_object_end(json);
	}
	mx_json_array_end(json);
}

void mx_run_times_json(struct mx_json *json, const struct mx_task_times *times)
{
	mx_json_u64(json, "arrival_ns", times->arrival_ns);
	mx_json_u64(json, "wait_ns", times->wait_ns);
	mx_json_u64(json, "stall_ns", times->stall_ns);
	mx_json_u64(json, "compute_ns", times->compute_ns);
	mx_json_u64(json, "response_ns", times->response_ns);
}

static void json_job(struct mx_json *json, const struct mx_run_report *report,
		     size_t job, size_t *order)
{
	const size_t count = report->session->task_count;
	const struct mx_task *task = &report->session->tasks[job % count];
	const struct mx_task_times *times = &report->times[job];

	mx_json_object(json, NULL);
	mx_json_string(json, "network", task->name);
	mx_json_string(json, "input", task->input);
	mx_json_u64(json, "samples", task->feed.sample_count);
	mx_run_times_json(json, times);
	mx_json_bool(json, "skipped", 0);
	mx_json_string(json, "error", task->fault);
	if (!task->fault) {
		json_top(json, report, &task->result, order);
		json_outputs(json, &task->result);
	}
	mx_json_object_end(json);
}

void mx_run_totals_json(struct mx_json *json,
			const struct mx_run_totals *totals)
{
	const struct mx_engine_totals *engine = &totals->engine;
	const struct mx_totals shared = {
		.makespan_ns = totals->makespan_ns,
		.response = totals->response,
		.usage =
			{
				.read_bytes = engine->read_bytes,
				.required_read_bytes =
					engine->required_read_bytes,
				.peak_charge_bytes = totals->peak_charge_bytes,
				.peak_anonymous_bytes = engine->anonymous_bytes,
				.budget_bytes = totals->budget_bytes,
				.major_faults = engine->major_faults,
			},
	};

	mx_json_object(json, "total");
	mx_totals_json(json, &shared);
	mx_json_u64(json, "peak_resident_bytes", totals->peak_resident_bytes);
	mx_json_object_end(json);
}

void mx_run_totals_json_head(struct mx_json *json,
			     const struct mx_run_totals *totals)
{
	const struct mx_totals_how how = {
		.policy = totals->engine.policy,
		.io = totals->engine.io,
		.wall = totals->wall,
		.threads = totals->engine.threads,
	};

	mx_totals_begin_json(json, "memexec.run/1");
	mx_totals_how_json(json, &how);
}

int mx_run_report_json(const struct mx_run_report *report, struct mx_err *err)
{
	struct mx_run_totals totals;
	struct mx_json json;
	size_t i, *order;
	int rc;

	rc = sum_up(report, &totals, err);
	if (rc)
		return rc;
	order = calloc(mx_size_max(report->top, 1), sizeof(*order));
	if (!order)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	mx_json_init(&json, stdout);
	mx_json_object(&json, NULL);
	mx_run_totals_json_head(&json, &totals);
	mx_json_array(&json, "jobs");
	for (i = 0; i < job_count(report); i++)
		json_job(&json, report, i, order);
	mx_json_array_end(&json);
	mx_run_totals_json(&json, &totals);
	mx_json_object_end(&json);
	free(order);
	return 0;
}
