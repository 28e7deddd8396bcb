/*
 * What one run of a workload gave, on the engine or simulated: a line a job
 * and totals. What it points to in networks lives as long as the session.
 */
#ifndef MX_CLI_QUEUE_RESULT_H
#define MX_CLI_QUEUE_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/costs_basis.h"
#include "cli/queue_record.h"
#include "cli/statistics.h"
#include "cli/totals.h"

struct mx_err;
struct mx_workload;

enum mx_queue_job_state {
	MX_QUEUE_JOB_PENDING, /* the run ended before it */
	MX_QUEUE_JOB_FINISHED,
	MX_QUEUE_JOB_SKIPPED,
	MX_QUEUE_JOB_FAILED,
};

/* Times are nanoseconds from the script's begin. */
struct mx_queue_job {
	uint32_t task; /* of the session */
	uint32_t arrival;
	enum mx_queue_job_state state;
	uint64_t arrival_ns;
	uint64_t start_ns; /* 0: it never began */
	uint64_t finish_ns;
	uint64_t compute_ns;
	uint64_t stall_ns;
	uint32_t top_count;
};

struct mx_queue_top {
	size_t index;
	const char *label; /* the network's; NULL: none */
	float score;
};

#define MX_QUEUE_WALL_BYTES 256

struct mx_queue_result {
	const char *tag; /* of the workload */
	const char *policy;
	int simulated;
	struct mx_costs_basis basis; /* of a simulation */
	int interrupted; /* by a signal or the timeout: jobs are left */
	struct mx_queue_job *jobs; /* by arrival, then by place */
	uint32_t job_count;
	struct mx_queue_top *top; /* top_room for each job */
	uint32_t top_room;
	struct mx_record record;

	/* Set when it is over. */
	struct mx_usage usage;
	uint32_t threads;
	char io[16];
	char wall[MX_QUEUE_WALL_BYTES];
};

/*
 * Room for the jobs of @workload, all PENDING, with @top_room best scores
 * each; no record yet. mx_queue_result_fini() ends it. Returns 0 or -ENOMEM.
 */
int mx_queue_result_init(struct mx_queue_result *result,
			 const struct mx_workload *workload, uint32_t top_room,
			 struct mx_err *err);
void mx_queue_result_fini(struct mx_queue_result *result);

/* Jobs that are PENDING. */
uint32_t mx_queue_result_left(const struct mx_queue_result *result);

/* Sums over FINISHED jobs; all zero without any. */
struct mx_queue_sums {
	uint32_t finished_count;
	uint32_t skipped_count;
	uint32_t failed_count;
	uint32_t pending_count;
	uint64_t makespan_ns; /* from the first arrival to the last end */
	struct mx_statistics response;
	double mean_wait_ns;
	double mean_stall_ns;
	double mean_compute_ns;
};

/* Of the jobs of task @task, or of all if that is UINT32_MAX.
 * Returns 0 or -ENOMEM. */
int mx_queue_sums_init(struct mx_queue_sums *sums,
		       const struct mx_queue_result *result, uint32_t task,
		       struct mx_err *err);

#endif
