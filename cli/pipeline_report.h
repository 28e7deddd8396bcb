/*
 * What a pipeline prints: of each picture, as it is done, its jobs' answers;
 * totals at the end.
 */
#ifndef MX_CLI_PIPELINE_REPORT_H
#define MX_CLI_PIPELINE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/json.h"

struct mx_err;
struct mx_pipeline_visit;
struct mx_session;
struct mx_task_times;

struct mx_pipeline_report {
	const struct mx_session *session;
	int is_json;
	struct mx_json json;
	uint32_t told_count; /* jobs of pictures before */
	struct mx_task_times *times; /* of jobs that have finished */
	size_t time_count;
	size_t time_room;
};

/* The session has been started. mx_pipeline_report_fini() ends it, whether or
 * not it was ended with totals. Returns 0 or -ENOMEM. */
int mx_pipeline_report_init(struct mx_pipeline_report *report,
			    const struct mx_session *session, int is_json,
			    struct mx_err *err);

/* A picture is done, or as done as it will be. Returns 0 or -ENOMEM. */
int mx_pipeline_report_picture(struct mx_pipeline_report *report,
			       const struct mx_pipeline_visit *visit,
			       struct mx_err *err);

/* Totals. Returns 0 or -ENOMEM. */
int mx_pipeline_report_end(struct mx_pipeline_report *report,
			   struct mx_err *err);

void mx_pipeline_report_fini(struct mx_pipeline_report *report);

#endif
