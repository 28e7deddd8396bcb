/* wrap: calloc */
#include "cli/queue_result.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/workload.h"
#include "lib/err.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

/* Two arrivals, of two jobs and of three. */
static struct mx_script_arrival arrivals[] = {
	{.job_count = 2},
	{.job_count = 3},
};
static uint32_t tasks[] = {0, 1, 1, 0, 2};
static uint32_t firsts[] = {0, 2};
static char tag[] = "t";
static const struct mx_workload workload = {
	.tag = tag,
	.script = {arrivals, 2},
	.job_count = 5,
	.task = tasks,
	.first = firsts,
};

static void jobs_know_arrival_and_task(void **state)
{
	struct mx_queue_result result;
	uint32_t i;

	(void)state;
	assert_int_equal(mx_queue_result_init(&result, &workload, 3, NULL), 0);
	assert_string_equal(result.tag, "t");
	assert_int_equal(result.job_count, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(result.jobs[i].arrival, i >= 2);
		assert_int_equal(result.jobs[i].task, tasks[i]);
		assert_int_equal(result.jobs[i].state, MX_QUEUE_JOB_PENDING);
		assert_int_equal(result.top[3 * i + 2].index, 0);
	}
	mx_queue_result_fini(&result);
}

static void only_finished_jobs_count(void **state)
{
	static const struct mx_queue_job jobs[] = {
		{.task = 0,
		 .state = MX_QUEUE_JOB_FINISHED,
		 .arrival_ns = 100,
		 .start_ns = 110,
		 .finish_ns = 150,
		 .compute_ns = 20,
		 .stall_ns = 5},
		{.task = 1,
		 .state = MX_QUEUE_JOB_SKIPPED,
		 .arrival_ns = 100,
		 .start_ns = 100,
		 .finish_ns = 120},
		{.task = 1,
		 .state = MX_QUEUE_JOB_FINISHED,
		 .arrival_ns = 200,
		 .start_ns = 230,
		 .finish_ns = 350,
		 .compute_ns = 40,
		 .stall_ns = 15},
		{.task = 0,
		 .state = MX_QUEUE_JOB_FAILED,
		 .arrival_ns = 200,
		 .finish_ns = 900},
		{.task = 2, .state = MX_QUEUE_JOB_PENDING},
	};
	struct mx_queue_result result;
	struct mx_queue_sums sums;
	uint32_t i;

	(void)state;
	assert_int_equal(mx_queue_result_init(&result, &workload, 0, NULL), 0);
	for (i = 0; i < 5; i++)
		result.jobs[i] = jobs[i];
	assert_int_equal(mx_queue_sums_init(&sums, &result, UINT32_MAX, NULL),
			 0);
	assert_int_equal(sums.finished_count, 2);
	assert_int_equal(sums.skipped_count, 1);
	assert_int_equal(sums.failed_count, 1);
	assert_int_equal(sums.pending_count, 1);
	assert_int_equal(sums.makespan_ns, 800);
	assert_true(sums.response.mean == 100);
	assert_int_equal(sums.response.max, 150);
	assert_true(sums.mean_wait_ns == 20);
	assert_true(sums.mean_stall_ns == 10);
	assert_true(sums.mean_compute_ns == 30);

	assert_int_equal(mx_queue_sums_init(&sums, &result, 1, NULL), 0);
	assert_int_equal(sums.finished_count, 1);
	assert_int_equal(sums.skipped_count, 1);
	assert_int_equal(sums.makespan_ns, 250);
	assert_int_equal(mx_queue_sums_init(&sums, &result, 2, NULL), 0);
	assert_int_equal(sums.finished_count, 0);
	assert_int_equal(sums.makespan_ns, 0);
	assert_true(sums.response.mean == 0);
	mx_queue_result_fini(&result);
}

static void no_memory_leaves_nothing(void **state)
{
	struct mx_queue_result result;
	struct mx_queue_sums sums;
	long nth;
	int rc;

	(void)state;
	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_queue_result_init(&result, &workload, 1, NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	assert_int_equal(nth, 3);
	faults_arm(0);
	assert_int_equal(mx_queue_sums_init(&sums, &result, UINT32_MAX, NULL),
			 -ENOMEM);
	(void)faults_disarm();
	mx_queue_result_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_know_arrival_and_task),
		cmocka_unit_test(only_finished_jobs_count),
		cmocka_unit_test(no_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
