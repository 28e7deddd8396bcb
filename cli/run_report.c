#include "cli/run_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/number.h"
#include "cli/session.h"
#include "cli/statistics.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/wall.h"

/* Outputs of so many values are printed whole. */
#define WHOLE_MAX 8

struct totals {
	uint64_t makespan_ns;
	struct mx_statistics response;
	struct mx_engine_totals engine;
	uint64_t peak_charge_bytes; /* the wall's, else the ledger's */
	uint64_t peak_resident_bytes;
	const char *wall;
};

static size_t job_count(const struct mx_run_report *report)
{
	return report->round_count * report->session->task_count;
}

static int sum_up(const struct mx_run_report *report, struct totals *out,
		  struct mx_err *err)
{
	const struct mx_wall *wall = report->session->wall;
	uint64_t first = UINT64_MAX, last = 0, *responses;
	const struct mx_task_times *times;
	const size_t count = job_count(report);
	struct rusage usage;
	size_t i;

	responses = calloc(mx_size_max(count, 1), sizeof(*responses));
	if (!responses)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	for (i = 0; i < count; i++) {
		times = &report->times[i];
		if (times->arrival_ns < first)
			first = times->arrival_ns;
		if (times->finish_ns > last)
			last = times->finish_ns;
		responses[i] = times->response_ns;
	}
	*out = (struct totals){.makespan_ns = last - first};
	mx_statistics_init(&out->response, responses, count);
	free(responses);
	mx_engine_totals(report->session->engine, &out->engine);
	out->wall = wall ? mx_wall_describe(wall) : "off";
	out->peak_charge_bytes = out->engine.planned_peak_bytes;
	if (wall)
		(void)mx_wall_peak_bytes(wall, &out->peak_charge_bytes);
	/* The kernel counts it in KiB. */
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		out->peak_resident_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return 0;
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

static void print_times(const struct mx_task_times *times)
{
	char response[MX_TEXT_BYTES], wait[MX_TEXT_BYTES];
	char stall[MX_TEXT_BYTES], compute[MX_TEXT_BYTES];

	printf("response %s, wait %s, stall %s, compute %s\n",
	       mx_text_ns(times->response_ns, response),
	       mx_text_ns(times->wait_ns, wait),
	       mx_text_ns(times->stall_ns, stall),
	       mx_text_ns(times->compute_ns, compute));
}

static void print_totals(const struct mx_run_report *report,
			 const struct totals *totals)
{
	const struct mx_engine_totals *engine = &totals->engine;
	char makespan[MX_TEXT_BYTES], mean[MX_TEXT_BYTES], peak[MX_TEXT_BYTES];
	char budget[MX_TEXT_BYTES], read[MX_TEXT_BYTES];

	printf("%zu job%s in %s, mean response %s, %" PRIu32
	       " thread%s, peak memory %s\n",
	       job_count(report), job_count(report) == 1 ? "" : "s",
	       mx_text_ns(totals->makespan_ns, makespan),
	       mx_text_ns((uint64_t)totals->response.mean, mean),
	       engine->threads, engine->threads == 1 ? "" : "s",
	       mx_text_bytes(totals->peak_charge_bytes, peak));
	printf("budget %s%s, wall %s, io %s, read %s, %" PRIu64
	       " major fault%s\n",
	       mx_text_bytes(report->session->budget_bytes, budget),
	       engine->budget_bytes ? "" : " (nothing needs to be dropped)",
	       totals->wall, engine->io,
	       mx_text_bytes(engine->read_bytes, read), engine->major_faults,
	       engine->major_faults == 1 ? "" : "s");
}

int mx_run_report_text(const struct mx_run_report *report, struct mx_err *err)
{
	const struct mx_session *session = report->session;
	const struct mx_task *task;
	struct totals totals;
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
			print_times(&report->times[round * session->task_count +
						   i]);
		}
	}
	print_totals(report, &totals);
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
	mx_json_u64(json, "arrival_ns", times->arrival_ns);
	mx_json_u64(json, "wait_ns", times->wait_ns);
	mx_json_u64(json, "stall_ns", times->stall_ns);
	mx_json_u64(json, "compute_ns", times->compute_ns);
	mx_json_u64(json, "response_ns", times->response_ns);
	mx_json_bool(json, "skipped", 0);
	mx_json_string(json, "error", task->fault);
	if (!task->fault) {
		json_top(json, report, &task->result, order);
		json_outputs(json, &task->result);
	}
	mx_json_object_end(json);
}

static void json_total(struct mx_json *json, const struct totals *totals,
		       uint64_t budget_bytes)
{
	mx_json_object(json, "total");
	mx_json_u64(json, "makespan_ns", totals->makespan_ns);
	mx_json_u64(json, "mean_response_ns", (uint64_t)totals->response.mean);
	mx_json_u64(json, "p50_response_ns", totals->response.p50);
	mx_json_u64(json, "p95_response_ns", totals->response.p95);
	mx_json_u64(json, "p99_response_ns", totals->response.p99);
	mx_json_u64(json, "max_response_ns", totals->response.max);
	mx_json_u64(json, "read_bytes", totals->engine.read_bytes);
	mx_json_u64(json, "required_read_bytes",
		    totals->engine.required_read_bytes);
	mx_json_u64(json, "peak_charge_bytes", totals->peak_charge_bytes);
	mx_json_u64(json, "peak_anonymous_bytes",
		    totals->engine.anonymous_bytes);
	mx_json_u64(json, "peak_resident_bytes", totals->peak_resident_bytes);
	mx_json_u64(json, "budget_bytes", budget_bytes);
	mx_json_u64(json, "major_faults", totals->engine.major_faults);
	mx_json_object_end(json);
}

int mx_run_report_json(const struct mx_run_report *report, struct mx_err *err)
{
	struct totals totals;
	struct mx_json json;
	char host[256] = "";
	size_t i, *order;
	int rc;

	rc = sum_up(report, &totals, err);
	if (rc)
		return rc;
	order = calloc(mx_size_max(report->top, 1), sizeof(*order));
	if (!order)
		return mx_fail(err, ENOMEM, "run: no memory for its report");
	(void)gethostname(host, sizeof(host) - 1);
	mx_json_init(&json, stdout);
	mx_json_object(&json, NULL);
	mx_json_string(&json, "schema", "memexec.run/1");
	mx_json_string(&json, "host", host);
	mx_json_string(&json, "policy", "fifo");
	mx_json_string(&json, "io", totals.engine.io);
	mx_json_string(&json, "wall", totals.wall);
	mx_json_u64(&json, "threads", totals.engine.threads);
	mx_json_array(&json, "jobs");
	for (i = 0; i < job_count(report); i++)
		json_job(&json, report, i, order);
	mx_json_array_end(&json);
	json_total(&json, &totals, report->session->budget_bytes);
	mx_json_object_end(&json);
	free(order);
	return 0;
}
