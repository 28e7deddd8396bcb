/*
 * The files of a run: see mx_queue_report_files().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/file.h"
#include "cli/json.h"
#include "cli/queue_report.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lib/err.h"
#include "lib/network.h"

/* One file: 0, or -ENOMEM. What it could not write @out remembers. */
typedef int print_fn(const struct mx_queue_page *page, FILE *out);

static int print_json(const struct mx_queue_page *page, FILE *out)
{
	struct mx_json json;

	mx_json_init(&json, out);
	mx_json_object(&json, NULL);
	mx_queue_report_begin(&json);
	mx_queue_report_json(page, &json);
	mx_json_object_end(&json);
	return 0;
}

/* "a,b,c" as the heading. */
static void begin_table(struct mx_table *table, const char *const *names,
			size_t count)
{
	static const char align[] = "llllllllllll";
	size_t i;

	mx_table_init(table, align + sizeof(align) - 1 - count);
	for (i = 0; i < count; i++)
		mx_table_cell(table, "%s", names[i]);
}

static int end_table(struct mx_table *table, FILE *out)
{
	const int rc = mx_table_print(table, out, MX_TABLE_CSV);

	mx_table_fini(table);
	return rc;
}

static void u64_cell(struct mx_table *table, uint64_t value)
{
	mx_table_cell(table, "%" PRIu64, value);
}

static const char *state_of(const struct mx_queue_job *job)
{
	switch (job->state) {
	case MX_QUEUE_JOB_PENDING:
		return "waiting";
	case MX_QUEUE_JOB_FINISHED:
		return "finished";
	case MX_QUEUE_JOB_SKIPPED:
		return "skipped";
	case MX_QUEUE_JOB_FAILED:
		return "failed";
	}
	return "";
}

/* A job that never began waited to its end. */
static uint64_t began(const struct mx_queue_job *job)
{
	const int never =
		job->state != MX_QUEUE_JOB_FINISHED && !job->compute_ns;

	return never ? job->finish_ns : job->start_ns;
}

static int print_jobs(const struct mx_queue_page *page, FILE *out)
{
	static const char *const names[] = {
		"job",	    "arrival",	  "network",	 "input",
		"state",    "arrival_ns", "waiting_ns",	 "execution_ns",
		"stall_ns", "compute_ns", "response_ns",
	};
	const struct mx_queue_job *job;
	const struct mx_task *task;
	struct mx_table table;
	uint32_t i;

	begin_table(&table, names, sizeof(names) / sizeof(names[0]));
	for (i = 0; i < page->result->job_count; i++) {
		job = &page->result->jobs[i];
		task = &page->session->tasks[job->task];
		u64_cell(&table, i);
		u64_cell(&table, job->arrival);
		mx_table_cell(&table, "%s", task->name);
		mx_table_cell(&table, "%s", task->input ? task->input : "");
		mx_table_cell(&table, "%s", state_of(job));
		if (job->state == MX_QUEUE_JOB_PENDING) {
			for (size_t k = 0; k < 6; k++)
				mx_table_cell(&table, "%s", "");
			continue;
		}
		u64_cell(&table, job->arrival_ns);
		u64_cell(&table, began(job) - job->arrival_ns);
		u64_cell(&table, job->finish_ns - began(job));
		u64_cell(&table, job->stall_ns);
		u64_cell(&table, job->compute_ns);
		u64_cell(&table, job->finish_ns - job->arrival_ns);
	}
	return end_table(&table, out);
}

struct event {
	uint64_t ns;
	uint32_t job;
	uint32_t order; /* of events at one time */
	const char *what;
};

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->job < y->job ? -1 : x->job > y->job;
}

static size_t list_events(const struct mx_queue_page *page,
			  struct event *events)
{
	const struct mx_queue_job *job;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < page->result->job_count; i++) {
		job = &page->result->jobs[i];
		if (job->state == MX_QUEUE_JOB_PENDING)
			continue;
		events[n++] = (struct event){job->arrival_ns, i, 1, "waiting"};
		if (began(job) < job->finish_ns)
			events[n++] =
				(struct event){began(job), i, 2, "running"};
		/* What ends at a moment makes room for what comes then. */
		events[n++] = (struct event){
			job->finish_ns, i,
			job->finish_ns == job->arrival_ns ? 3 : 0,
			state_of(job)};
	}
	qsort(events, n, sizeof(*events), compare_events);
	return n;
}

static int print_events(const struct mx_queue_page *page, FILE *out)
{
	static const char *const names[] = {"time_ns", "job", "network",
					    "event"};
	const struct mx_queue_result *result = page->result;
	struct mx_table table;
	struct event *events;
	size_t i, count;

	events = calloc((size_t)result->job_count * 3 + 1, sizeof(*events));
	if (!events)
		return -ENOMEM;
	count = list_events(page, events);
	begin_table(&table, names, sizeof(names) / sizeof(names[0]));
	for (i = 0; i < count; i++) {
		const uint32_t task = result->jobs[events[i].job].task;

		u64_cell(&table, events[i].ns);
		u64_cell(&table, events[i].job);
		mx_table_cell(&table, "%s", page->session->tasks[task].name);
		mx_table_cell(&table, "%s", events[i].what);
	}
	free(events);
	return end_table(&table, out);
}

static int print_layers(const struct mx_queue_page *page, FILE *out)
{
	static const char *const names[] = {"network", "layer", "loads",
					    "load_ns", "execs", "exec_ns"};
	const struct mx_record *record = &page->result->record;
	const struct mx_record_layer *layer;
	const struct mx_task *task;
	struct mx_table table;
	uint32_t k;
	size_t i;

	begin_table(&table, names, sizeof(names) / sizeof(names[0]));
	for (i = 0; i < page->session->task_count; i++) {
		task = &page->session->tasks[i];
		if (task->sharer || task->index >= record->net_count)
			continue;
		for (k = 0; k < task->feed.net->layer_count; k++) {
			layer = &record->nets[task->index].layers[k];
			mx_table_cell(&table, "%s", task->name);
			mx_table_cell(&table, "%s",
				      task->feed.net->layers[k].name);
			u64_cell(&table, layer->load_count);
			u64_cell(&table, layer->load_ns);
			u64_cell(&table, layer->exec_count);
			u64_cell(&table, layer->exec_ns);
		}
	}
	return end_table(&table, out);
}

static void interval(struct mx_table *table, uint32_t worker, uint64_t begin_ns,
		     uint64_t end_ns, const char *what)
{
	u64_cell(table, worker);
	u64_cell(table, begin_ns);
	u64_cell(table, end_ns);
	mx_table_cell(table, "%s", what);
}

/* On the record's clock, from @begin_ns on; idle from one end to the next
 * begin, and to the end of all. */
static void worker_lines(struct mx_table *table,
			 const struct mx_queue_page *page, uint32_t index)
{
	const struct mx_record *record = &page->result->record;
	const struct mx_record_worker *worker = &record->workers[index];
	const uint64_t begin_ns = record->begin_ns;
	uint64_t end_ns = 0, at_ns = 0, from_ns, to_ns;
	size_t i;
	uint32_t k;

	for (k = 0; k < page->result->job_count; k++)
		if (page->result->jobs[k].finish_ns > end_ns)
			end_ns = page->result->jobs[k].finish_ns;
	for (i = 0; i < worker->busy_count; i++) {
		from_ns = worker->busy[i].begin_ns > begin_ns
				  ? worker->busy[i].begin_ns - begin_ns
				  : 0;
		to_ns = worker->busy[i].end_ns > begin_ns
				? worker->busy[i].end_ns - begin_ns
				: 0;
		if (from_ns > at_ns)
			interval(table, index, at_ns, from_ns, "idle");
		interval(table, index, from_ns, to_ns, "busy");
		at_ns = to_ns;
	}
	if (end_ns > at_ns)
		interval(table, index, at_ns, end_ns, "idle");
}

static int print_workers(const struct mx_queue_page *page, FILE *out)
{
	static const char *const names[] = {"worker", "begin_ns", "end_ns",
					    "state"};
	struct mx_table table;
	uint32_t i;

	begin_table(&table, names, sizeof(names) / sizeof(names[0]));
	for (i = 0; i < page->result->record.worker_count; i++)
		worker_lines(&table, page, i);
	return end_table(&table, out);
}

static int write_file(const struct mx_queue_page *page, const char *directory,
		      const char *stem, const char *ending, print_fn *print,
		      struct mx_err *err)
{
	char *path;
	FILE *out;
	int rc;

	if (asprintf(&path, "%s/%s%s", directory, stem, ending) < 0)
		return mx_fail(err, ENOMEM, "%s: no memory", stem);
	out = fopen(path, "we");
	if (!out) {
		rc = mx_fail_errno(err, "write %s", path);
		free(path);
		return rc;
	}
	rc = print(page, out);
	if (rc) {
		(void)mx_fail(err, ENOMEM, "%s: no memory", path);
		(void)fclose(out);
	} else {
		rc = mx_file_end(out, path, err);
	}
	free(path);
	return rc;
}

int mx_queue_report_files(const struct mx_queue_page *page,
			  const char *directory, const char *stem,
			  struct mx_err *err)
{
	static const struct {
		const char *ending;
		print_fn *print;
	} files[] = {
		{".json", print_json},		 {"-jobs.csv", print_jobs},
		{"-events.csv", print_events},	 {"-layers.csv", print_layers},
		{"-workers.csv", print_workers},
	};
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < sizeof(files) / sizeof(files[0]); i++)
		rc = write_file(page, directory, stem, files[i].ending,
				files[i].print, err);
	return rc;
}
