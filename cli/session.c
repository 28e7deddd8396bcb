#include "cli/session.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cold.h"
#include "cli/costs.h"
#include "cli/file.h"
#include "cli/guard.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/session_watch.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/network.h"
#include "lib/size.h"
#include "loader/mxload.h"
#include "pager/wall.h"
#include "sched/plan.h"
#include "sched/trace.h"

#define DEFAULT_PERCENT 80

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
	if (found)
		task->input = strdup(found + 1);
	if (!task->directory || (found && !task->input))
		return -ENOMEM;
	task->name = mx_file_stem(task->directory, ".mx");
	return task->name ? 0 : -ENOMEM;
}

/* An earlier task of the same directory, whichever way it is spelt. */
static const struct mx_task *find_sharer(const struct mx_session *session,
					 const struct mx_task *task)
{
	const struct mx_task *other;
	struct stat mine, theirs;

	if (stat(task->directory, &mine) < 0)
		return NULL;
	for (other = session->tasks; other != task; other++)
		if (!other->sharer && stat(other->directory, &theirs) == 0 &&
		    mine.st_dev == theirs.st_dev &&
		    mine.st_ino == theirs.st_ino)
			return other;
	return NULL;
}

/* Ended by fini_task(), also after a failure. */
static int open_task(const struct mx_session *session, struct mx_task *task,
		     const char *spec, struct mx_err *err)
{
	int rc = 0;

	if (split_spec(task, spec))
		return mx_fail(err, ENOMEM, "%s: no memory", spec);
	if (task->input && !*task->input)
		return mx_fail(err, EINVAL, "%s: no file behind the =", spec);
	task->sharer = find_sharer(session, task);
	if (task->sharer)
		task->model = task->sharer->model;
	else
		rc = mx_open_bound(&task->model, task->directory, err);
	if (!rc)
		rc = mx_feed_init(&task->feed, mx_model_network(task->model),
				  err);
	if (!rc && task->input)
		rc = mx_feed_parse(&task->feed, task->input, err);
	return rc;
}

static void fini_task(struct mx_task *task)
{
	free(task->fault);
	mx_result_fini(&task->result);
	mx_feed_fini(&task->feed);
	if (!task->sharer)
		mx_model_close(task->model);
	free(task->directory);
	free(task->input);
	free(task->name);
	*task = (struct mx_task){.directory = NULL};
}

int mx_session_open(struct mx_session *session,
		    const struct mx_session_opts *opts, char *const *specs,
		    size_t count, struct mx_err *err)
{
	size_t i;
	int rc = 0;

	*session = (struct mx_session){.opts = *opts};
	session->tasks = calloc(mx_size_max(count, 1), sizeof(*session->tasks));
	if (!session->tasks)
		return mx_fail(err, ENOMEM, "no memory for %zu jobs", count);
	for (i = 0; !rc && i < count; i++) {
		session->task_count++;
		rc = open_task(session, &session->tasks[i], specs[i], err);
	}
	if (rc)
		mx_session_close(session);
	return rc;
}

void mx_session_close(struct mx_session *session)
{
	size_t i;

	mx_engine_close(session->engine);
	for (i = session->task_count; i-- > 0;)
		fini_task(&session->tasks[i]);
	free(session->tasks);
	mx_trace_free(session->trace);
	mx_costs_fini(&session->costs);
	mx_guard_lower(session->wall);
	*session = (struct mx_session){.engine = NULL};
}

int mx_session_default_budget(uint64_t *out, struct mx_err *err)
{
	uint64_t available_bytes;
	int rc;

	rc = mx_wall_available_bytes(&available_bytes, err);
	if (!rc)
		*out = available_bytes / 100 * DEFAULT_PERCENT;
	return rc;
}

void mx_session_engine_opts(const struct mx_session *session,
			    struct mx_engine_opts *opts)
{
	const struct mx_task *task;
	uint64_t passes = 1;
	uint32_t k;
	size_t i;

	*opts = (struct mx_engine_opts){
		.threads = session->opts.threads,
		.io = session->opts.io,
		.policy = session->opts.policy,
		.workers = session->opts.workers,
		.flags = session->opts.flags & MX_SESSION_EXACT
				 ? MX_ENGINE_EXACT
				 : 0,
		.costs = &session->costs,
		.masa_profiles = session->opts.masa_profiles,
		.observer = session->opts.observer,
		.chunk_observer = session->opts.chunk_observer,
		.observer_user = session->opts.observer_user,
		.log = session->opts.log,
	};
	for (i = 0; i < session->task_count; i++) {
		task = &session->tasks[i];
		if (task->feed.sample_count > passes)
			passes = task->feed.sample_count;
		for (k = 0; k < task->feed.net->input_count; k++)
			if (task->feed.inputs[k].data &&
			    !(session->opts.flags & MX_SESSION_BORROWS))
				opts->given_inputs = 1;
	}
	if (passes > UINT32_MAX)
		passes = UINT32_MAX;
	if (session->opts.crowd)
		opts->crowd = session->opts.crowd;
	passes *= session->opts.repeats ? session->opts.repeats : 1;
	opts->passes = passes < UINT32_MAX ? (uint32_t)passes : UINT32_MAX;
}

int mx_session_add(struct mx_session *session, struct mx_engine *engine,
		   struct mx_err *err)
{
	struct mx_task *task;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < session->task_count; i++) {
		task = &session->tasks[i];
		if (task->sharer)
			task->index = task->sharer->index;
		else
			rc = mx_engine_add(engine,
					   mx_model_network(task->model),
					   &task->index, err);
	}
	return rc;
}

static int open_engine(struct mx_session *session, uint64_t budget_bytes,
		       struct mx_err *err)
{
	struct mx_engine_opts opts;
	int rc;

	mx_session_engine_opts(session, &opts);
	opts.budget_bytes = budget_bytes;
	rc = mx_engine_open(&session->engine, &opts, err);
	if (!rc)
		rc = mx_session_add(session, session->engine, err);
	return rc;
}

/* The engine without a limit, if all of it fits the default budget; else
 * under that. */
static int open_default(struct mx_session *session, struct mx_err *err)
{
	const struct mx_session_opts *opts = &session->opts;
	struct mx_plan plan;
	int fits, rc;

	rc = open_engine(session, 0, err);
	if (!rc)
		rc = mx_engine_plan(session->engine, &plan, err);
	if (rc)
		return rc;
	fits = plan.predicted_peak_bytes <= session->budget_bytes;
	mx_plan_fini(&plan);
	if (fits)
		return 0;
	mx_engine_close(session->engine);
	session->engine = NULL;
	if (opts->wall && !session->wall)
		rc = mx_guard_raise(&session->wall, opts->wall,
				    session->budget_bytes, opts->log, err);
	if (!rc)
		rc = open_engine(session, session->budget_bytes, err);
	return rc;
}

/* "require" and PATH want a wall in any case. */
static int wants_wall(const struct mx_session_opts *opts)
{
	return opts->wall &&
	       (opts->budget_bytes || (strcmp(opts->wall, "auto") != 0 &&
				       strcmp(opts->wall, "off") != 0));
}

static int start(struct mx_session *session, struct mx_err *err)
{
	const struct mx_session_opts *opts = &session->opts;
	size_t i;
	int rc = 0;

	session->budget_bytes = opts->budget_bytes;
	if (!session->budget_bytes) {
		rc = mx_session_default_budget(&session->budget_bytes, err);
		if (rc)
			return rc;
	}
	for (i = 0; !rc && i < session->task_count; i++)
		if (opts->flags & MX_SESSION_COLD)
			rc = mx_cold_start(session->tasks[i].feed.net,
					   opts->log, err);
	/* What decoding took goes back before memory is counted. */
	(void)malloc_trim(0);
	if (!rc)
		rc = mx_session_trace(session, NULL, err);
	if (!rc && wants_wall(opts))
		rc = mx_guard_raise(&session->wall, opts->wall,
				    session->budget_bytes, opts->log, err);
	if (rc)
		return rc;
	return opts->budget_bytes
		       ? open_engine(session, opts->budget_bytes, err)
		       : open_default(session, err);
}

/* What layers and reads take, for as many threads as the engine has: as
 * profiled, or else assumed, since finding it out takes longer than it saves.
 */
static int find_costs(struct mx_session *session, struct mx_err *err)
{
	struct mx_costs_opts opts = {.log = session->opts.log};
	struct mx_engine_totals totals;
	struct mx_rates rates;

	mx_engine_totals(session->engine, &totals);
	mx_rates_assume(&rates, totals.threads);
	opts.threads = totals.threads;
	opts.rates = &rates;
	return mx_costs_of_session(&session->costs, session, &opts, err);
}

int mx_session_start(struct mx_session *session, struct mx_err *err)
{
	char text[MX_TEXT_BYTES];
	int rc;

	rc = start(session, err);
	if (rc)
		return rc;
	if (!session->opts.budget_bytes)
		mx_log(session->opts.log, MX_LOG_INFO,
		       "budget %s: %d %% of what is available",
		       mx_text_bytes(session->budget_bytes, text),
		       DEFAULT_PERCENT);
	rc = find_costs(session, err);
	if (!rc)
		rc = mx_engine_start(session->engine, err);
	if (rc)
		return rc;
	session->deadline_ns = MX_TIME_NEVER;
	if (session->opts.timeout_ns)
		session->deadline_ns = mx_engine_now(session->engine) +
				       session->opts.timeout_ns;
	return 0;
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

/* A job has ended: what came of it is its task's. */
static int collect(struct mx_task *task, struct mx_job *job, size_t sample,
		   struct mx_task_times *times, struct mx_err *err)
{
	struct mx_job_times job_times;
	struct mx_err why;
	const int status = mx_job_wait(job, &job_times, &why);

	add_times(times, &job_times, sample);
	if (!status) {
		mx_result_take(&task->result, sample, job);
		return 0;
	}
	task->fault = strdup(why.text);
	return mx_fail(err, -status, "%s", why.text);
}

/* Until all have ended: 0; or until there is no time any more: why, once those
 * that are left have been cancelled. */
static int await(struct mx_session *session, struct mx_job *const *jobs,
		 struct mx_err *err)
{
	uint64_t left = 0;
	struct mx_job *job;
	size_t i;
	int rc;

	do
		rc = mx_session_next_ended(session, MX_TIME_NEVER, &job);
	while (!rc);
	if (rc == -ENOENT)
		return 0;
	for (i = 0; i < session->task_count; i++) {
		if (!jobs[i])
			continue;
		mx_job_cancel(jobs[i]);
		left += mx_job_wait(jobs[i], NULL, NULL) == -ECANCELED;
	}
	/* The last may have ended just so. */
	return left ? mx_session_say_over(session, rc, left, err) : 0;
}

/* Sample @sample of every task that has so many and has not failed, all at
 * once. A job that fails fails its task, and no other. */
static int run_sample(struct mx_session *session, size_t sample,
		      struct mx_job **jobs, struct mx_task_times *times,
		      struct mx_err *err)
{
	struct mx_task *task;
	struct mx_err *first = err;
	int rc = 0, status, over;
	size_t i;

	for (i = 0; i < session->task_count; i++) {
		jobs[i] = NULL;
		task = &session->tasks[i];
		if (!rc && !task->fault && sample < task->feed.sample_count)
			rc = submit(session, task, sample, &jobs[i], err);
	}
	/* Every job that was started has to end, whatever happened. */
	over = await(session, jobs, rc ? NULL : err);
	rc = rc ? rc : over;
	if (rc)
		first = NULL;
	for (i = 0; i < session->task_count; i++) {
		if (!jobs[i])
			continue;
		status = collect(&session->tasks[i], jobs[i], sample, &times[i],
				 first);
		mx_job_free(jobs[i]);
		if (!status || status == -ECANCELED)
			continue;
		/* One line is the program's error; the others' are the log's.
		 */
		if (!first)
			mx_log(session->opts.log, MX_LOG_ERROR, "%s",
			       session->tasks[i].fault);
		first = NULL;
		rc = rc ? rc : status;
	}
	return rc;
}

/* Tasks of which more than @samples samples were to be run fail. Returns how
 * many. */
static uint64_t fail_rest(struct mx_session *session, size_t samples)
{
	struct mx_task *task;
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < session->task_count; i++) {
		task = &session->tasks[i];
		if (task->fault || task->feed.sample_count <= samples)
			continue;
		task->fault = strdup("cancelled");
		count++;
	}
	return count;
}

/* Until time is over, if it ever is. */
static int run_samples(struct mx_session *session, size_t count,
		       struct mx_job **jobs, struct mx_task_times *times,
		       struct mx_err *err)
{
	size_t sample;
	int rc = 0, status;

	for (sample = 0; sample < count; sample++) {
		if (mx_engine_now(session->engine) >= session->deadline_ns) {
			status = mx_session_say_over(session, -ETIME,
						     fail_rest(session, sample),
						     rc ? NULL : err);
			return rc ? rc : status;
		}
		status = run_sample(session, sample, jobs, times,
				    rc ? NULL : err);
		rc = rc ? rc : status;
		if (status == -ETIME || status == -ECANCELED) {
			(void)fail_rest(session, sample + 1);
			break;
		}
	}
	return rc;
}

int mx_session_run(struct mx_session *session, struct mx_task_times *times,
		   struct mx_err *err)
{
	size_t i, most = 0;
	struct mx_job **jobs;
	struct mx_task *task;
	int rc = 0;

	jobs = calloc(mx_size_max(session->task_count, 1), sizeof(*jobs));
	if (!jobs)
		return mx_fail(err, ENOMEM, "no memory for the jobs");
	for (i = 0; !rc && i < session->task_count; i++) {
		task = &session->tasks[i];
		times[i] = (struct mx_task_times){.arrival_ns = 0};
		free(task->fault);
		task->fault = NULL;
		most = mx_size_max(most, task->feed.sample_count);
		mx_result_fini(&task->result);
		rc = mx_result_init(&task->result, task->feed.net,
				    task->feed.sample_count, err);
	}
	if (!rc)
		rc = run_samples(session, most, jobs, times, err);
	free(jobs);
	return rc;
}

int mx_session_answers(const struct mx_session *session)
{
	size_t i;

	for (i = 0; i < session->task_count; i++)
		if (!session->tasks[i].fault)
			return 1;
	return 0;
}
