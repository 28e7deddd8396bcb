#include "cli/queue_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/number.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/totals.h"
#include "lib/err.h"

int mx_queue_page_init(struct mx_queue_page *page,
		       const struct mx_session *session,
		       const struct mx_queue_result *result, struct mx_err *err)
{
	*page = (struct mx_queue_page){
		.session = session,
		.result = result,
	};
	return mx_queue_sums_init(&page->sums, result, UINT32_MAX, err);
}

/* ---- text ---- */

static void time_cell(struct mx_table *table, double ns)
{
	char text[MX_TEXT_BYTES];

	mx_table_cell(table, "%s", mx_text_ns((uint64_t)ns, text));
}

static void heading(struct mx_table *table, const char *const *names,
		    size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		mx_table_cell(table, "%s", names[i]);
}

static int add_network(struct mx_table *table, const struct mx_queue_page *page,
		       uint32_t task, struct mx_err *err)
{
	const struct mx_task *of = &page->session->tasks[task];
	struct mx_queue_sums sums;
	int rc;

	rc = mx_queue_sums_init(&sums, page->result, task, err);
	if (rc)
		return rc;
	mx_table_cell(table, "%s", of->name);
	mx_table_cell(table, "%s", of->input ? of->input : "(pattern)");
	mx_table_cell(table, "%" PRIu32, sums.finished_count);
	mx_table_cell(table, "%" PRIu32, sums.skipped_count);
	time_cell(table, sums.mean_wait_ns);
	time_cell(table, sums.mean_stall_ns);
	time_cell(table, sums.mean_compute_ns);
	time_cell(table, sums.response.mean);
	time_cell(table, (double)sums.response.max);
	return 0;
}

static void print_totals(const struct mx_queue_page *page)
{
	const struct mx_queue_result *result = page->result;
	const struct mx_queue_sums *sums = &page->sums;
	char a[MX_TEXT_BYTES], b[MX_TEXT_BYTES], c[MX_TEXT_BYTES];
	char d[MX_TEXT_BYTES];

	printf("%" PRIu32 " job%s in %s, %" PRIu32 " skipped",
	       sums->finished_count, sums->finished_count == 1 ? "" : "s",
	       mx_text_ns(sums->makespan_ns, a), sums->skipped_count);
	if (sums->failed_count)
		printf(", %" PRIu32 " failed", sums->failed_count);
	if (sums->pending_count)
		printf(", %" PRIu32 " not run", sums->pending_count);
	printf("\nresponse mean %s, p50 %s, p95 %s, max %s\n",
	       mx_text_ns((uint64_t)sums->response.mean, a),
	       mx_text_ns(sums->response.p50, b),
	       mx_text_ns(sums->response.p95, c),
	       mx_text_ns(sums->response.max, d));
	printf("read %s (%s have to be), peak %s of %s, %" PRIu32
	       " thread%s, io %s, wall %s, %" PRIu64 " major fault%s\n",
	       mx_text_bytes(result->usage.read_bytes, a),
	       mx_text_bytes(result->usage.required_read_bytes, b),
	       mx_text_bytes(result->usage.peak_charge_bytes, c),
	       mx_text_bytes(result->usage.budget_bytes, d), result->threads,
	       result->threads == 1 ? "" : "s", result->io, result->wall,
	       result->usage.major_faults,
	       result->usage.major_faults == 1 ? "" : "s");
}

int mx_queue_report_text(const struct mx_queue_page *page, struct mx_err *err)
{
	static const char *const names[] = {
		"network", "input",   "jobs",	  "skipped",	  "wait",
		"stall",   "compute", "response", "max response",
	};
	struct mx_table table;
	size_t i;
	int rc = 0;

	printf("%s: %s%s%s\n", page->result->tag, page->result->policy,
	       page->result->simulated ? ", simulated" : "",
	       page->result->interrupted ? ", interrupted" : "");
	if (page->result->simulated) {
		mx_costs_basis_text(&page->result->basis);
		printf("\n");
	}
	mx_table_init(&table, "llrrrrrrr");
	heading(&table, names, sizeof(names) / sizeof(names[0]));
	for (i = 0; !rc && i < page->session->task_count; i++)
		rc = add_network(&table, page, (uint32_t)i, err);
	if (!rc && mx_table_print(&table, stdout, MX_TABLE_PLAIN))
		rc = mx_fail(err, ENOMEM, "queue: no memory for its report");
	mx_table_fini(&table);
	if (!rc)
		print_totals(page);
	return rc;
}

/* ---- JSON ---- */

static uint64_t wait_of(const struct mx_queue_job *job)
{
	return job->start_ns > job->arrival_ns ? job->start_ns - job->arrival_ns
					       : 0;
}

static uint64_t response_of(const struct mx_queue_job *job)
{
	return job->finish_ns > job->arrival_ns
		       ? job->finish_ns - job->arrival_ns
		       : 0;
}

static const char *state_of(const struct mx_queue_job *job)
{
	static const char *const texts[] = {
		[MX_QUEUE_JOB_PENDING] = "pending",
		[MX_QUEUE_JOB_FINISHED] = "finished",
		[MX_QUEUE_JOB_SKIPPED] = "skipped",
		[MX_QUEUE_JOB_FAILED] = "failed",
	};

	return texts[job->state];
}

static void json_job(struct mx_json *json, const struct mx_queue_page *page,
		     uint32_t index)
{
	const struct mx_queue_result *result = page->result;
	const struct mx_queue_job *job = &result->jobs[index];
	const struct mx_task *task = &page->session->tasks[job->task];
	const struct mx_queue_top *top =
		&result->top[(size_t)index * result->top_room];
	uint32_t i;

	mx_json_object(json, NULL);
	mx_json_string(json, "network", task->name);
	mx_json_string(json, "input", task->input);
	mx_json_u64(json, "arrival", job->arrival);
	mx_json_u64(json, "arrival_ns", job->arrival_ns);
	mx_json_u64(json, "wait_ns", wait_of(job));
	mx_json_u64(json, "stall_ns", job->stall_ns);
	mx_json_u64(json, "compute_ns", job->compute_ns);
	mx_json_u64(json, "response_ns", response_of(job));
	mx_json_bool(json, "skipped", job->state == MX_QUEUE_JOB_SKIPPED);
	mx_json_string(json, "state", state_of(job));
	mx_json_array(json, "top");
	for (i = 0; i < job->top_count; i++) {
		mx_json_object(json, NULL);
		mx_json_u64(json, "index", top[i].index);
		mx_json_string(json, "label", top[i].label);
		mx_json_number(json, "score", (double)top[i].score);
		mx_json_object_end(json);
	}
	mx_json_array_end(json);
	mx_json_object_end(json);
}

static void json_total(struct mx_json *json, const struct mx_queue_page *page)
{
	const struct mx_queue_result *result = page->result;
	const struct mx_queue_sums *sums = &page->sums;
	const struct mx_totals shared = {
		.makespan_ns = sums->makespan_ns,
		.response = sums->response,
		.usage = result->usage,
	};

	mx_json_object(json, "total");
	mx_json_u64(json, "job_count", sums->finished_count);
	mx_json_u64(json, "skipped_count", sums->skipped_count);
	mx_json_u64(json, "failed_count", sums->failed_count);
	mx_json_u64(json, "pending_count", sums->pending_count);
	mx_totals_json(json, &shared);
	mx_json_u64(json, "mean_wait_ns", (uint64_t)sums->mean_wait_ns);
	mx_json_object_end(json);
}

void mx_queue_report_begin(struct mx_json *json)
{
	mx_totals_begin_json(json, "memexec.queue/1");
}

void mx_queue_report_json(const struct mx_queue_page *page,
			  struct mx_json *json)
{
	const struct mx_queue_result *result = page->result;
	const struct mx_totals_how how = {
		.policy = result->policy,
		.io = result->io,
		.wall = result->wall,
		.threads = result->threads,
	};
	uint32_t i;

	mx_json_string(json, "experiment", result->tag);
	mx_totals_how_json(json, &how);
	mx_json_bool(json, "simulated", result->simulated);
	mx_json_bool(json, "interrupted", result->interrupted);
	if (result->simulated)
		mx_costs_basis_json(&result->basis, json);
	mx_json_array(json, "jobs");
	for (i = 0; i < result->job_count; i++)
		json_job(json, page, i);
	mx_json_array_end(json);
	json_total(json, page);
}

/* ---- comparing runs ---- */

int mx_queue_rows_add(struct mx_queue_rows *rows,
		      const struct mx_queue_page *page, struct mx_err *err)
{
	const struct mx_queue_result *result = page->result;
	const struct mx_queue_sums *sums = &page->sums;
	struct mx_queue_row *grown;
	char *tag = strdup(result->tag);

	grown = tag ? realloc(rows->rows, (rows->count + 1) * sizeof(*grown))
		    : NULL;
	if (!grown) {
		free(tag);
		return mx_fail(err, ENOMEM, "queue: no memory for its report");
	}
	rows->rows = grown;
	grown[rows->count++] = (struct mx_queue_row){
		.tag = tag,
		.policy = result->policy,
		.finished_count = sums->finished_count,
		.skipped_count = sums->skipped_count,
		.makespan_ns = sums->makespan_ns,
		.mean_response_ns = (uint64_t)sums->response.mean,
		.p95_response_ns = sums->response.p95,
		.max_response_ns = sums->response.max,
		.read_bytes = result->usage.read_bytes,
		.required_read_bytes = result->usage.required_read_bytes,
	};
	return 0;
}

void mx_queue_rows_fini(struct mx_queue_rows *rows)
{
	while (rows->count > 0)
		free(rows->rows[--rows->count].tag);
	free(rows->rows);
	*rows = (struct mx_queue_rows){.rows = NULL};
}

int mx_queue_rows_print(const struct mx_queue_rows *rows, struct mx_err *err)
{
	static const char *const names[] = {
		"experiment", "policy", "jobs",	    "skipped", "response",
		"p95",	      "max",	"makespan", "read",    "x needed",
	};
	const struct mx_queue_row *row;
	char text[MX_TEXT_BYTES];
	struct mx_table table;
	size_t i;
	int rc = 0;

	mx_table_init(&table, "llrrrrrrrr");
	heading(&table, names, sizeof(names) / sizeof(names[0]));
	for (i = 0; i < rows->count; i++) {
		row = &rows->rows[i];
		mx_table_cell(&table, "%s", row->tag);
		mx_table_cell(&table, "%s", row->policy);
		mx_table_cell(&table, "%" PRIu32, row->finished_count);
		mx_table_cell(&table, "%" PRIu32, row->skipped_count);
		time_cell(&table, (double)row->mean_response_ns);
		time_cell(&table, (double)row->p95_response_ns);
		time_cell(&table, (double)row->max_response_ns);
		time_cell(&table, (double)row->makespan_ns);
		mx_table_cell(&table, "%s",
			      mx_text_bytes(row->read_bytes, text));
		mx_table_cell(&table, "%.2f",
			      row->required_read_bytes
				      ? (double)row->read_bytes /
						(double)row->required_read_bytes
				      : 1.0);
	}
	if (mx_table_print(&table, stdout, MX_TABLE_PLAIN))
		rc = mx_fail(err, ENOMEM, "queue: no memory for its report");
	mx_table_fini(&table);
	return rc;
}
