/*
 * One thread, the caller's: it submits what the director says is due, and else
 * waits in the engine for the next job to end or the next arrival.
 */
#include "cli/queue_run.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/queue_result.h"
#include "cli/session.h"
#include "cli/session_watch.h"
#include "cli/workload.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/wall.h"
#include "sched/memexec.h"
#include "sched/script.h"

/* A held signal wakes nobody: it is asked for so often. */
#define SIGNAL_NS 200000000u

struct play {
	struct mx_queue_result *result;
	struct mx_workload *workload;
	struct mx_session *session;
	struct mx_engine *engine;
	struct mx_director *director;
	struct mx_job **jobs; /* that have not ended, by place */
	const float **inputs; /* as many as any network has */
	size_t *order; /* result->top_room */
	uint64_t begin_ns; /* of the script, on the engine's clock */
	int gives_up;
	int status; /* of the first job that failed */
	struct mx_err *err; /* why */
};

static uint32_t place_of(const struct play *play, uint32_t arrival,
			 uint32_t job)
{
	return play->workload->first[arrival] + job;
}

static struct mx_task *task_of(const struct play *play, uint32_t place)
{
	return &play->session->tasks[play->workload->task[place]];
}

/* ---- what the director asks for ---- */

static int submit(void *user, uint32_t arrival, uint32_t job, int held,
		  uint64_t arrival_ns)
{
	struct play *play = user;
	const uint32_t place = place_of(play, arrival, job);
	struct mx_task *task = task_of(play, place);
	const struct mx_submit_opts opts = {
		.inputs = play->inputs,
		.arrival = arrival,
		.arrival_ns = play->begin_ns + arrival_ns,
		.flags = MX_SUBMIT_BORROWED | (held ? MX_SUBMIT_HELD : 0u),
		.chance = 0.5f,
		.user = &play->result->jobs[place],
	};

	play->result->jobs[place].arrival_ns = arrival_ns;
	mx_feed_sample(&task->feed, arrival % task->feed.sample_count,
		       play->inputs);
	return mx_engine_submit_with(play->engine, task->index, &opts,
				     &play->jobs[place], play->err);
}

static int release(void *user, uint32_t arrival, uint32_t job)
{
	struct play *play = user;

	return mx_job_release(play->jobs[place_of(play, arrival, job)], NULL,
			      play->err);
}

static int cancel(void *user, uint32_t arrival, uint32_t job)
{
	struct play *play = user;

	mx_job_cancel(play->jobs[place_of(play, arrival, job)]);
	return 0;
}

/* ---- a job that has ended ---- */

static void keep_top(const struct play *play, uint32_t place,
		     const struct mx_job *job)
{
	struct mx_result *result = &task_of(play, place)->result;
	const uint32_t room = play->result->top_room;
	struct mx_queue_top *top = &play->result->top[(size_t)place * room];
	const float *values;
	size_t count, n, i;
	uint32_t k = 0;

	while (k < result->net->output_count && !mx_result_is_vector(result, k))
		k++;
	if (!room || k == result->net->output_count)
		return;
	mx_result_take(result, 0, job);
	values = mx_result_sample(result, k, 0, &count);
	n = mx_top(values, count, room, play->order);
	for (i = 0; i < n; i++)
		top[i] = (struct mx_queue_top){
			.index = play->order[i],
			.label = mx_result_label(result, play->order[i], count),
			.score = values[play->order[i]],
		};
	play->result->jobs[place].top_count = (uint32_t)n;
}

static uint64_t since(uint64_t ns, uint64_t begin_ns)
{
	return ns > begin_ns ? ns - begin_ns : 0;
}

static void keep_times(struct mx_queue_job *out,
		       const struct mx_job_times *times, uint64_t begin_ns)
{
	out->finish_ns = since(times->finish_ns, begin_ns);
	/* Of a job that never began there is none. */
	out->start_ns = since(times->start_ns, begin_ns);
	if (out->start_ns < out->arrival_ns)
		out->start_ns = out->arrival_ns;
	out->compute_ns = times->compute_ns;
	out->stall_ns = times->stall_ns;
}

/* What came of it is kept; @job is gone. Returns its status. */
static int keep(struct play *play, struct mx_job *job)
{
	struct mx_queue_job *out = mx_job_user(job);
	const uint32_t place = (uint32_t)(out - play->result->jobs);
	struct mx_job_times times;
	struct mx_err why;
	const int status = mx_job_wait(job, &times, &why);

	keep_times(out, &times, play->begin_ns);
	if (!status) {
		out->state = MX_QUEUE_JOB_FINISHED;
		keep_top(play, place, job);
	} else if (status == -ECANCELED) {
		/* Given up: it could not end. */
		out->state = play->gives_up ? MX_QUEUE_JOB_PENDING
					    : MX_QUEUE_JOB_SKIPPED;
	} else {
		out->state = MX_QUEUE_JOB_FAILED;
		if (!play->status)
			play->status =
				mx_fail(play->err, -status, "%s", why.text);
	}
	mx_job_free(job);
	play->jobs[place] = NULL;
	return status;
}

static int collect(struct play *play, struct mx_job *job)
{
	const struct mx_queue_job *out = mx_job_user(job);
	const uint32_t place = (uint32_t)(out - play->result->jobs);
	/* What needs the output of a job that failed cannot run either. */
	const int skips = keep(play, job) != 0;

	return mx_director_ended(
		play->director, out->arrival,
		place - play->workload->first[out->arrival], skips,
		since(mx_engine_now(play->engine), play->begin_ns));
}

/* ---- the loop ---- */

static void sleep_until(const struct play *play, uint64_t until_ns)
{
	const uint64_t now_ns = mx_engine_now(play->engine);
	const uint64_t left_ns = since(until_ns, now_ns);
	const struct timespec left = {
		.tv_sec = (time_t)(left_ns / 1000000000u),
		.tv_nsec = (long)(left_ns % 1000000000u),
	};

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &left, NULL);
}

/* The next job's end, the next arrival, or time to look for a signal. */
static int wait_for_something(struct play *play)
{
	const uint64_t due_ns = mx_director_due(play->director);
	uint64_t until_ns = mx_engine_now(play->engine) + SIGNAL_NS;
	struct mx_job *job;
	int rc;

	if (due_ns != MX_TIME_NEVER && play->begin_ns + due_ns < until_ns)
		until_ns = play->begin_ns + due_ns;
	if (play->session->deadline_ns < until_ns)
		until_ns = play->session->deadline_ns;
	rc = mx_session_next_ended(play->session, until_ns, &job);
	if (!rc)
		return collect(play, job);
	if (rc == -ENOENT)
		sleep_until(play, until_ns);
	return rc == -ENOENT || rc == -ETIMEDOUT ? 0 : rc;
}

/* No job is left in the engine, and the director is asked no more. */
static void give_up(struct play *play)
{
	struct mx_job *job;
	uint32_t i;

	play->gives_up = 1;
	for (i = 0; i < play->workload->job_count; i++)
		if (play->jobs[i])
			mx_job_cancel(play->jobs[i]);
	while (!mx_engine_next_ended(play->engine, MX_TIME_NEVER, &job))
		(void)keep(play, job);
}

static int loop(struct play *play)
{
	int rc = 0;

	play->begin_ns = mx_engine_now(play->engine);
	play->result->record.begin_ns = play->begin_ns;
	while (!rc && !mx_director_is_over(play->director)) {
		if (mx_cli_signal())
			return -ECANCELED;
		rc = mx_director_advance(play->director,
					 mx_engine_now(play->engine) -
						 play->begin_ns);
		if (!rc && !mx_director_is_over(play->director))
			rc = wait_for_something(play);
	}
	return rc;
}

static void keep_totals(const struct play *play)
{
	struct mx_queue_result *result = play->result;
	const struct mx_wall *wall = play->session->wall;
	struct mx_engine_totals totals;

	mx_engine_totals(play->engine, &totals);
	result->policy = totals.policy;
	result->threads = totals.threads;
	result->usage.read_bytes = totals.read_bytes;
	result->usage.required_read_bytes = totals.required_read_bytes;
	result->usage.peak_anonymous_bytes = totals.anonymous_bytes;
	result->usage.peak_charge_bytes = totals.planned_peak_bytes;
	if (wall)
		(void)mx_wall_peak_bytes(wall,
					 &result->usage.peak_charge_bytes);
	result->usage.budget_bytes = play->session->budget_bytes;
	result->usage.major_faults = totals.major_faults;
	(void)snprintf(result->io, sizeof(result->io), "%s", totals.io);
	(void)snprintf(result->wall, sizeof(result->wall), "%s",
		       wall ? mx_wall_describe(wall) : "off");
}

/* All memory that the run takes beside the engine's: before that counts what
 * is there. */
static int prepare(struct play *play)
{
	struct mx_session *session = play->session;
	const uint32_t threads = session->opts.threads;
	const struct mx_network **nets;
	uint32_t count = 0, inputs = 1;
	const struct mx_network *net;
	int rc = 0;
	size_t i;

	nets = calloc(session->task_count + 1, sizeof(*nets));
	if (!nets)
		return mx_fail(play->err, ENOMEM, "queue: no memory");
	for (i = 0; !rc && i < session->task_count; i++) {
		net = session->tasks[i].feed.net;
		if (!session->tasks[i].sharer)
			nets[count++] = net;
		if (net->input_count > inputs)
			inputs = net->input_count;
		rc = mx_result_init(&session->tasks[i].result, net, 1,
				    play->err);
	}
	if (!rc)
		rc = mx_record_init(
			&play->result->record, nets, count,
			threads ? threads
				: (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
			play->err);
	free(nets);
	if (rc)
		return rc;
	play->jobs =
		mx_record_alloc(play->workload->job_count, sizeof(*play->jobs));
	play->inputs = calloc(inputs, sizeof(*play->inputs));
	play->order = calloc((size_t)play->result->top_room + 1,
			     sizeof(*play->order));
	if (!play->jobs || !play->inputs || !play->order)
		return mx_fail(play->err, ENOMEM, "queue: no memory");
	session->opts.observer = mx_record_event;
	session->opts.chunk_observer = mx_record_chunk;
	session->opts.observer_user = &play->result->record;
	return 0;
}

static int play_on_engine(struct play *play)
{
	static const struct mx_director_ops ops = {submit, release, cancel};
	int rc;

	rc = mx_session_start(play->session, play->err);
	if (rc)
		return rc;
	play->engine = play->session->engine;
	mx_workload_bind(play->workload, play->session);
	rc = mx_director_new(&play->director, &play->workload->script, &ops,
			     play, play->err);
	if (rc)
		return rc;
	rc = loop(play);
	if (rc)
		give_up(play);
	play->result->interrupted = rc == -ECANCELED || rc == -ETIME;
	if (play->result->interrupted)
		rc = mx_session_say_over(play->session, rc,
					 mx_queue_result_left(play->result),
					 play->err);
	mx_director_free(play->director);
	keep_totals(play);
	return rc ? rc : play->status;
}

int mx_queue_run(struct mx_queue_result *result, struct mx_workload *workload,
		 struct mx_session *session, struct mx_err *err)
{
	struct play play = {
		.result = result,
		.workload = workload,
		.session = session,
		.err = err,
	};
	int rc;

	rc = prepare(&play);
	if (!rc)
		rc = play_on_engine(&play);
	/* Reports are written without a limit around them. */
	rc = mx_session_end(session, play.begin_ns, rc, err);
	free(play.jobs);
	free(play.inputs);
	free(play.order);
	return rc;
}
