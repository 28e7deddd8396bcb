#include "cli/trace_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/json.h"
#include "lib/err.h"
#include "lib/network.h"
#include "sched/trace.h"

/*
 * Process 0 is the kernel's idle task to some viewers, so that counters are
 * those of process 1 and network N is process N + 2. Thread numbers are unique
 * in the whole file, which viewers for Linux traces take for granted.
 */
#define PID_COUNTERS 1u
#define PID_FIRST 2u
#define THREADS 1024u /* of a process at most */
#define THREAD_JOBS 0u
#define THREAD_READS 1u
#define THREAD_WORKERS 2u

struct writer {
	const struct mx_trace_page *page;
	struct mx_json json;
	uint64_t weight_bytes; /* as last told */
	uint64_t activation_bytes;
};

static uint64_t pid_of(uint32_t net)
{
	return (uint64_t)net + PID_FIRST;
}

static uint64_t tid_of(uint32_t net, uint32_t thread)
{
	return pid_of(net) * THREADS + thread;
}

static uint64_t since(const struct writer *writer, uint64_t ns)
{
	return ns > writer->page->begin_ns ? ns - writer->page->begin_ns : 0;
}

static const char *layer_name(const struct writer *writer,
			      const struct mx_trace_record *record)
{
	const struct mx_network *net = writer->page->nets[record->net];

	/* A network without layers has something to compute all the same. */
	return record->layer < net->layer_count
		       ? net->layers[record->layer].name
		       : "-";
}

/* ---- what the viewer shows them as ---- */

static void say_name(struct writer *writer, const char *what, uint64_t pid,
		     uint64_t tid, const char *name)
{
	struct mx_json *json = &writer->json;

	mx_json_object(json, NULL);
	mx_json_string(json, "ph", "M");
	mx_json_string(json, "name", what);
	mx_json_u64(json, "pid", pid);
	if (tid)
		mx_json_u64(json, "tid", tid);
	mx_json_object(json, "args");
	mx_json_string(json, "name", name);
	mx_json_object_end(json);
	mx_json_object_end(json);
}

/* Workers that have computed anything of the network are its first ones. */
static uint32_t worker_count(const struct writer *writer, uint32_t net)
{
	const struct mx_trace *trace = writer->page->trace;
	const uint64_t count = mx_trace_count(trace);
	const struct mx_trace_record *record;
	uint32_t workers = 0;
	uint64_t i;

	for (i = 0; i < count; i++) {
		record = mx_trace_at(trace, i);
		if (record->kind == MX_TRACE_COMPUTE && record->net == net &&
		    record->index >= workers)
			workers = record->index + 1;
	}
	return workers < THREADS - THREAD_WORKERS ? workers
						  : THREADS - THREAD_WORKERS;
}

static void say_names(struct writer *writer)
{
	const char *thread = writer->page->simulated ? "processor" : "worker";
	char text[32];
	uint32_t i, k;

	say_name(writer, "process_name", PID_COUNTERS, 0, "memexec");
	for (i = 0; i < writer->page->net_count; i++) {
		const uint32_t workers = worker_count(writer, i);

		say_name(writer, "process_name", pid_of(i), 0,
			 writer->page->names[i]);
		say_name(writer, "thread_name", pid_of(i),
			 tid_of(i, THREAD_READS), "reads");
		for (k = 0; k < workers; k++) {
			(void)snprintf(text, sizeof(text), "%s %u", thread, k);
			say_name(writer, "thread_name", pid_of(i),
				 tid_of(i, THREAD_WORKERS + k), text);
		}
	}
}

/* ---- records ---- */

/* What every event of a network begins with; it is still open. */
static void begin_event(struct writer *writer, const char *phase,
			const char *category, const char *name,
			const struct mx_trace_record *record, uint32_t thread,
			uint64_t at_ns)
{
	struct mx_json *json = &writer->json;

	mx_json_object(json, NULL);
	mx_json_string(json, "ph", phase);
	mx_json_string(json, "cat", category);
	mx_json_string(json, "name", name);
	mx_json_u64(json, "pid", pid_of(record->net));
	mx_json_u64(json, "tid", tid_of(record->net, thread));
	mx_json_thousandths(json, "ts", since(writer, at_ns));
}

static void put_span(struct writer *writer,
		     const struct mx_trace_record *record)
{
	const int computes = record->kind == MX_TRACE_COMPUTE;
	struct mx_json *json = &writer->json;

	begin_event(writer, "X", computes ? "compute" : "read",
		    layer_name(writer, record), record,
		    computes ? THREAD_WORKERS + record->index : THREAD_READS,
		    record->begin_ns);
	mx_json_thousandths(json, "dur",
			    since(writer, record->end_ns) -
				    since(writer, record->begin_ns));
	mx_json_object(json, "args");
	if (computes) {
		mx_json_u64(json, "job", record->number);
	} else {
		mx_json_u64(json, "unit", record->index);
		mx_json_u64(json, "bytes", record->number);
		if (record->status)
			mx_json_string(json, "error",
				       strerror(-record->status));
	}
	mx_json_object_end(json);
	mx_json_object_end(json);
}

static void put_drop(struct writer *writer,
		     const struct mx_trace_record *record)
{
	struct mx_json *json = &writer->json;
	char name[128];

	(void)snprintf(name, sizeof(name), "drop %s",
		       layer_name(writer, record));
	begin_event(writer, "i", "drop", name, record, THREAD_READS,
		    record->begin_ns);
	mx_json_string(json, "s", "t");
	mx_json_object(json, "args");
	mx_json_u64(json, "unit", record->index);
	mx_json_u64(json, "bytes", record->number);
	mx_json_object_end(json);
	mx_json_object_end(json);
}

static void put_job(struct writer *writer, const struct mx_trace_record *record)
{
	const char *name = record->kind == MX_TRACE_WAIT ? "waits" : "runs";
	struct mx_json *json = &writer->json;

	begin_event(writer, "b", "job", name, record, THREAD_JOBS,
		    record->begin_ns);
	mx_json_u64(json, "id", record->number);
	mx_json_object(json, "args");
	mx_json_u64(json, "job", record->number);
	if (record->status)
		mx_json_string(json, "ended",
			       record->status == -ECANCELED
				       ? "cancelled"
				       : strerror(-record->status));
	mx_json_object_end(json);
	mx_json_object_end(json);
	begin_event(writer, "e", "job", name, record, THREAD_JOBS,
		    record->end_ns);
	mx_json_u64(json, "id", record->number);
	mx_json_object_end(json);
}

static void put_counter(struct writer *writer, const char *name, uint64_t at_ns,
			uint64_t bytes)
{
	struct mx_json *json = &writer->json;

	mx_json_object(json, NULL);
	mx_json_string(json, "ph", "C");
	mx_json_string(json, "name", name);
	mx_json_u64(json, "pid", PID_COUNTERS);
	mx_json_thousandths(json, "ts", since(writer, at_ns));
	mx_json_object(json, "args");
	mx_json_u64(json, "bytes", bytes);
	mx_json_object_end(json);
	mx_json_object_end(json);
}

static void put_ledger(struct writer *writer, uint64_t at_ns)
{
	put_counter(writer, "ledger", at_ns,
		    writer->page->base_bytes + writer->weight_bytes +
			    writer->activation_bytes);
}

static void put_record(struct writer *writer,
		       const struct mx_trace_record *record)
{
	switch ((enum mx_trace_kind)record->kind) {
	case MX_TRACE_WAIT:
	case MX_TRACE_RUN:
		put_job(writer, record);
		break;
	case MX_TRACE_COMPUTE:
	case MX_TRACE_READ:
		put_span(writer, record);
		break;
	case MX_TRACE_DROP:
		put_drop(writer, record);
		break;
	case MX_TRACE_WEIGHTS:
		writer->weight_bytes = record->number;
		put_counter(writer, "weights", record->begin_ns,
			    record->number);
		put_ledger(writer, record->begin_ns);
		break;
	case MX_TRACE_ACTIVATIONS:
		writer->activation_bytes = record->number;
		put_counter(writer, "activations", record->begin_ns,
			    record->number);
		put_ledger(writer, record->begin_ns);
		break;
	case MX_TRACE_CHARGE:
		put_counter(writer,
			    writer->page->walled ? "charge"
						 : "anonymous memory",
			    record->begin_ns, record->number);
		break;
	case MX_TRACE_MOVED:
		put_counter(writer, "moved", record->begin_ns, record->number);
		break;
	}
}

void mx_trace_file_print(const struct mx_trace_page *page, FILE *out)
{
	struct writer writer = {.page = page};
	struct mx_json *json = &writer.json;
	uint64_t i;

	mx_json_init(json, out);
	mx_json_object(json, NULL);
	mx_json_string(json, "displayTimeUnit", "ms");
	mx_json_object(json, "otherData");
	mx_json_string(json, "schema", "memexec.trace/1");
	mx_json_string(json, "policy", page->policy);
	mx_json_bool(json, "simulated", page->simulated);
	mx_json_u64(json, "budget_bytes", page->budget_bytes);
	mx_json_u64(json, "dropped_events", mx_trace_dropped(page->trace));
	mx_json_object_end(json);
	mx_json_array(json, "traceEvents");
	mx_json_flat(json);
	say_names(&writer);
	for (i = 0; i < mx_trace_count(page->trace); i++)
		put_record(&writer, mx_trace_at(page->trace, i));
	mx_json_array_end(json);
	mx_json_object_end(json);
}

/* ---- the file ---- */

/* 1 if there is a pipe or a device at @path. */
static int is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
	       !S_ISDIR(st.st_mode);
}

int mx_trace_file_check(const char *path, struct mx_err *err)
{
	char *copy;
	int rc = 0;

	if (mx_file_is_directory(path))
		return mx_fail(err, EISDIR, "trace %s: is a directory", path);
	copy = strdup(path);
	if (!copy)
		return mx_fail(err, ENOMEM, "trace %s: no memory", path);
	if (is_special(path) ? access(path, W_OK) < 0
			     : access(dirname(copy), W_OK | X_OK) < 0)
		rc = mx_fail_errno(err, "trace %s", path);
	free(copy);
	return rc;
}

static int write_to(const struct mx_trace_page *page, const char *path,
		    struct mx_err *err)
{
	FILE *out = fopen(path, "we");
	int failed;

	if (!out)
		return mx_fail_errno(err, "trace %s", path);
	mx_trace_file_print(page, out);
	failed = ferror(out);
	if (fclose(out) || failed)
		return mx_fail_errno(err, "trace %s", path);
	return 0;
}

int mx_trace_file_write(const struct mx_trace_page *page, const char *path,
			struct mx_err *err)
{
	char *beside;
	int rc;

	if (is_special(path))
		return write_to(page, path, err);
	if (asprintf(&beside, "%s.new", path) < 0)
		return mx_fail(err, ENOMEM, "trace %s: no memory", path);
	rc = write_to(page, beside, err);
	if (!rc && rename(beside, path) < 0)
		rc = mx_fail_errno(err, "trace %s", path);
	if (rc)
		(void)unlink(beside);
	free(beside);
	return rc;
}
