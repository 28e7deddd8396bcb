#include "cli/queue_result.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/workload.h"
#include "lib/err.h"
#include "lib/size.h"

int mx_queue_result_init(struct mx_queue_result *result,
			 const struct mx_workload *workload, uint32_t top_room,
			 struct mx_err *err)
{
	const size_t count = mx_size_max(workload->job_count, 1);
	size_t tops;
	uint32_t i, k;

	*result = (struct mx_queue_result){
		.tag = workload->tag,
		.job_count = workload->job_count,
		.top_room = top_room,
	};
	if (!mx_size_mul(count, top_room, &tops))
		result->top = mx_record_alloc(tops, sizeof(*result->top));
	result->jobs = mx_record_alloc(count, sizeof(*result->jobs));
	if (!result->jobs || !result->top) {
		mx_queue_result_fini(result);
		return mx_fail(err, ENOMEM, "queue: no memory for %zu jobs",
			       count);
	}
	for (i = 0; i < workload->script.arrival_count; i++)
		for (k = 0; k < workload->script.arrivals[i].job_count; k++) {
			struct mx_queue_job *job =
				&result->jobs[workload->first[i] + k];

			job->arrival = i;
			job->task = workload->task[workload->first[i] + k];
		}
	return 0;
}

void mx_queue_result_fini(struct mx_queue_result *result)
{
	mx_record_fini(&result->record);
	free(result->jobs);
	free(result->top);
	*result = (struct mx_queue_result){.jobs = NULL};
}

uint32_t mx_queue_result_left(const struct mx_queue_result *result)
{
	uint32_t left = 0, i;

	for (i = 0; i < result->job_count; i++)
		left += result->jobs[i].state == MX_QUEUE_JOB_PENDING;
	return left;
}

static void count_job(struct mx_queue_sums *sums,
		      const struct mx_queue_job *job, uint64_t *responses)
{
	switch (job->state) {
	case MX_QUEUE_JOB_PENDING:
		sums->pending_count++;
		return;
	case MX_QUEUE_JOB_SKIPPED:
		sums->skipped_count++;
		return;
	case MX_QUEUE_JOB_FAILED:
		sums->failed_count++;
		return;
	case MX_QUEUE_JOB_FINISHED:
		responses[sums->finished_count++] =
			job->finish_ns - job->arrival_ns;
		sums->mean_wait_ns += (double)(job->start_ns - job->arrival_ns);
		sums->mean_stall_ns += (double)job->stall_ns;
		sums->mean_compute_ns += (double)job->compute_ns;
		return;
	}
}

int mx_queue_sums_init(struct mx_queue_sums *sums,
		       const struct mx_queue_result *result, uint32_t task,
		       struct mx_err *err)
{
	uint64_t first = UINT64_MAX, last = 0, *responses;
	const struct mx_queue_job *job;
	uint32_t i;

	*sums = (struct mx_queue_sums){.finished_count = 0};
	responses = calloc((size_t)result->job_count + 1, sizeof(*responses));
	if (!responses)
		return mx_fail(err, ENOMEM, "queue: no memory for its report");
	for (i = 0; i < result->job_count; i++) {
		job = &result->jobs[i];
		if (task != UINT32_MAX && job->task != task)
			continue;
		count_job(sums, job, responses);
		if (job->state == MX_QUEUE_JOB_PENDING)
			continue;
		first = job->arrival_ns < first ? job->arrival_ns : first;
		last = job->finish_ns > last ? job->finish_ns : last;
	}
	if (last > first)
		sums->makespan_ns = last - first;
	if (sums->finished_count) {
		mx_statistics_init(&sums->response, responses,
				   sums->finished_count);
		sums->mean_wait_ns /= sums->finished_count;
		sums->mean_stall_ns /= sums->finished_count;
		sums->mean_compute_ns /= sums->finished_count;
	}
	free(responses);
	return 0;
}
