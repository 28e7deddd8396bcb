#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/open.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "loader/mxload.h"

/* The '=' between directory and input: the first behind which a directory
 * ends, since a directory's name may have one itself. */
static int split_spec(struct mx_task *task, const char *spec)
{
	const char *at = spec, *found = NULL;

	if (!mx_file_is_directory(spec)) {
		while ((at = strchr(at, '='))) {
			free(task->directory);
			task->directory = strndup(spec, (size_t)(at - spec));
			if (!task->directory)
				return -ENOMEM;
			if (!found || mx_file_is_directory(task->directory))
				found = at;
			if (mx_file_is_directory(task->directory))
				break;
			at++;
		}
	}
	free(task->directory);
	task->directory =
		found ? strndup(spec, (size_t)(found - spec)) : strdup(spec);
	if (found && found[1])
		task->input = strdup(found + 1);
	if (!task->directory || (found && found[1] && !task->input))
		return -ENOMEM;
	task->name = mx_file_stem(task->directory, ".mx");
	return task->name ? 0 : -ENOMEM;
}

int mx_task_open(struct mx_task *task, const char *spec, struct mx_err *err)
{
	const struct mx_network *net;
	int rc;

	*task = (struct mx_task){.directory = NULL};
	if (split_spec(task, spec))
		return mx_fail(err, ENOMEM, "%s: no memory", spec);
	rc = mx_open_bound(&task->model, task->directory, err);
	if (rc)
		return rc;
	net = mx_model_network(task->model);
	rc = mx_feed_init(&task->feed, net, err);
	if (!rc && task->input)
		rc = mx_feed_parse(&task->feed, task->input, err);
	return rc;
}

void mx_task_fini(struct mx_task *task)
{
	mx_result_fini(&task->result);
	mx_feed_fini(&task->feed);
	mx_model_close(task->model);
	free(task->directory);
	free(task->input);
	free(task->name);
	*task = (struct mx_task){.directory = NULL};
}

int mx_session_open(struct mx_session *session, char *const *specs,
		    size_t count, uint32_t threads, const struct mx_log *log,
		    struct mx_err *err)
{
	const struct mx_engine_opts opts = {.threads = threads, .log = log};
	struct mx_task *task;
	size_t i;
	int rc = 0;

	*session = (struct mx_session){.engine = NULL};
	session->tasks = calloc(mx_size_max(count, 1), sizeof(*task));
	if (!session->tasks)
		return mx_fail(err, ENOMEM, "no memory for %zu jobs", count);
	/* Files first: what is wrong with them is said before any thread is
	 * started. */
	for (i = 0; !rc && i < count; i++) {
		session->task_count++;
		rc = mx_task_open(&session->tasks[i], specs[i], err);
	}
	if (!rc)
		rc = mx_engine_open(&session->engine, &opts, err);
	for (i = 0; !rc && i < count; i++) {
		task = &session->tasks[i];
		rc = mx_engine_add(session->engine,
				   mx_model_network(task->model), &task->index,
				   err);
	}
	if (rc)
		mx_session_close(session);
	return rc;
}

void mx_session_close(struct mx_session *session)
{
	size_t i;

	mx_engine_close(session->engine);
	for (i = 0; i < session->task_count; i++)
		mx_task_fini(&session->tasks[i]);
	free(session->tasks);
	*session = (struct mx_session){.engine = NULL};
}

static int submit(const struct mx_session *session, struct mx_task *task,
		  size_t sample, struct mx_job **job, struct mx_err *err)
{
	const uint32_t count = task->feed.net->input_count;
	const float **inputs;
	int rc;

	inputs = calloc(mx_size_max(count, 1), sizeof(*inputs));
	if (!inputs)
		return mx_fail(err, ENOMEM, "%s: no memory", task->name);
	mx_feed_sample(&task->feed, sample, inputs);
	rc = mx_engine_submit(session->engine, task->index, inputs, job, err);
	free(inputs);
	return rc;
}

static void add_times(struct mx_task_times *sum, const struct mx_job_times *job,
		      size_t sample)
{
	if (!sample)
		sum->arrival_ns = job->arrival_ns;
	sum->finish_ns = job->finish_ns;
	sum->wait_ns += job->start_ns - job->arrival_ns;
	sum->stall_ns += job->stall_ns;
	sum->compute_ns += job->compute_ns;
	sum->response_ns += job->finish_ns - job->arrival_ns;
}

/* Sample @sample of every task that has so many, all at once. */
static int run_sample(struct mx_session *session, size_t sample,
		      struct mx_job **jobs, struct mx_task_times *times,
		      struct mx_err *err)
{
	struct mx_job_times job_times;
	struct mx_task *task;
	int rc = 0, status;
	size_t i;

	for (i = 0; i < session->task_count; i++) {
		jobs[i] = NULL;
		task = &session->tasks[i];
		if (!rc && sample < task->feed.sample_count)
			rc = submit(session, task, sample, &jobs[i], err);
	}
	/* Every job that was started has to end, whatever happened. */
	for (i = 0; i < session->task_count; i++) {
		if (!jobs[i])
			continue;
		status = mx_job_wait(jobs[i], &job_times, rc ? NULL : err);
		if (!rc && !status) {
			mx_result_take(&session->tasks[i].result, sample,
				       jobs[i]);
			add_times(&times[i], &job_times, sample);
		}
		if (!rc)
			rc = status;
		mx_job_free(jobs[i]);
	}
	return rc;
}

int mx_session_run(struct mx_session *session, struct mx_task_times *times,
		   struct mx_err *err)
{
	size_t i, sample, most = 0;
	struct mx_job **jobs;
	struct mx_task *task;
	int rc = 0;

	jobs = calloc(mx_size_max(session->task_count, 1), sizeof(*jobs));
	if (!jobs)
		return mx_fail(err, ENOMEM, "no memory for the jobs");
	for (i = 0; !rc && i < session->task_count; i++) {
		task = &session->tasks[i];
		times[i] = (struct mx_task_times){.arrival_ns = 0};
		most = mx_size_max(most, task->feed.sample_count);
		mx_result_fini(&task->result);
		rc = mx_result_init(&task->result, task->feed.net,
				    task->feed.sample_count, err);
	}
	for (sample = 0; !rc && sample < most; sample++)
		rc = run_sample(session, sample, jobs, times, err);
	free(jobs);
	return rc;
}
