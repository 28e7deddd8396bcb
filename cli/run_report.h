/*
 * What run prints: each job's answer and times, and totals.
 */
#ifndef MX_CLI_RUN_REPORT_H
#define MX_CLI_RUN_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/statistics.h"
#include "sched/memexec.h"

struct mx_err;
struct mx_json;
struct mx_session;
struct mx_task_times;

struct mx_run_report {
	struct mx_session *session; /* run; its results are the last round's */
	struct mx_task_times *times; /* round by round, task by task */
	size_t round_count; /* at least 1 */
	size_t top; /* labels to print */
};

/* To standard output. Return 0 or -ENOMEM. */
int mx_run_report_text(const struct mx_run_report *report, struct mx_err *err);
int mx_run_report_json(const struct mx_run_report *report, struct mx_err *err);

/* What all jobs of a session took together. */
struct mx_run_totals {
	size_t job_count;
	uint64_t makespan_ns;
	struct mx_statistics response;
	struct mx_engine_totals engine;
	uint64_t budget_bytes;
	uint64_t peak_charge_bytes; /* the wall's, else the ledger's */
	uint64_t peak_resident_bytes;
	const char *wall; /* lives as long as the session's */
};

/* Of @count jobs. Returns 0 or -ENOMEM. */
int mx_run_totals_init(struct mx_run_totals *totals,
		       const struct mx_session *session,
		       const struct mx_task_times *times, size_t count,
		       struct mx_err *err);

/* Two lines to standard output. */
void mx_run_totals_text(const struct mx_run_totals *totals);
/* What comes before the jobs: schema, host, and what ran them; and "total". */
void mx_run_totals_json_head(struct mx_json *json,
			     const struct mx_run_totals *totals);
void mx_run_totals_json(struct mx_json *json,
			const struct mx_run_totals *totals);

/* A line to standard output, not indented. */
void mx_run_times_text(const struct mx_task_times *times);
/* Members of the object that is open: arrival_ns to response_ns. */
void mx_run_times_json(struct mx_json *json, const struct mx_task_times *times);

#endif
