/*
 * What queue says of its runs: text and JSON on standard output, and files.
 */
#ifndef MX_CLI_QUEUE_REPORT_H
#define MX_CLI_QUEUE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/queue_result.h"

struct mx_err;
struct mx_json;
struct mx_session;

/* One run, its tasks' session still open. */
struct mx_queue_page {
	const struct mx_session *session;
	const struct mx_queue_result *result;
	struct mx_queue_sums sums; /* of all jobs */
};

/* Sum up. Returns 0 or -ENOMEM. */
int mx_queue_page_init(struct mx_queue_page *page,
		       const struct mx_session *session,
		       const struct mx_queue_result *result,
		       struct mx_err *err);

/* To standard output: a line a network, and totals. Returns 0 or -ENOMEM. */
int mx_queue_report_text(const struct mx_queue_page *page, struct mx_err *err);

/* A run's members into the object that is open in @json. */
void mx_queue_report_json(const struct mx_queue_page *page,
			  struct mx_json *json);

/* What begins the outermost object: schema and host. */
void mx_queue_report_begin(struct mx_json *json);

/*
 * Write DIRECTORY/STEM.json (as on standard output) and
 *   STEM-jobs.csv     a line a job
 *   STEM-events.csv   when each job waits, runs and has finished, by time
 *   STEM-layers.csv   loading and computing of each layer, over all jobs
 *   STEM-workers.csv  when each worker was busy and idle
 * Returns 0, -ENOMEM or -errno.
 */
int mx_queue_report_files(const struct mx_queue_page *page,
			  const char *directory, const char *stem,
			  struct mx_err *err);

/* What is compared, when the runs are gone. */
struct mx_queue_row {
	char *tag;
	const char *policy;
	uint32_t finished_count;
	uint32_t skipped_count;
	uint64_t makespan_ns;
	uint64_t mean_response_ns;
	uint64_t p95_response_ns;
	uint64_t max_response_ns;
	uint64_t read_bytes;
	uint64_t required_read_bytes;
};

struct mx_queue_rows {
	struct mx_queue_row *rows;
	size_t count;
};

/* Keep a run's line. Returns 0 or -ENOMEM. */
int mx_queue_rows_add(struct mx_queue_rows *rows,
		      const struct mx_queue_page *page, struct mx_err *err);
void mx_queue_rows_fini(struct mx_queue_rows *rows);

/* A table of them all to standard output. Returns 0 or -ENOMEM. */
int mx_queue_rows_print(const struct mx_queue_rows *rows, struct mx_err *err);

#endif
