/*
 * What run prints: each job's answer and times, and totals.
 */
#ifndef MX_CLI_RUN_REPORT_H
#define MX_CLI_RUN_REPORT_H

#include <stddef.h>

struct mx_err;
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

#endif
