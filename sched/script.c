/*
 * Invariants of a director between calls:
 *
 *  (1) next is the first arrival that has not been submitted; jobs of those
 *      before have been.
 *  (2) active_count is the number of submitted jobs that have not ended.
 *  (3) waits of a job that is HELD is the number of jobs that it waits for and
 *      that have not ended.
 *
 * The driver may report ends from within ops->release() and ops->cancel(): a
 * job is marked before the driver is told.
 */
#include "sched/script.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/board.h"

struct part {
	uint32_t waits;
	int submitted;
	int ended;
	int skipped; /* or cancelled by somebody else */
};

struct mx_director {
	const struct mx_script *script;
	const struct mx_director_ops *ops;
	void *user;
	struct part *parts; /* of all jobs */
	uint32_t *first_part; /* of each arrival */
	uint32_t next;
	uint64_t before_ns; /* when the arrival before next was due */
	uint64_t idle_ns; /* since when nothing is active */
	uint32_t active_count;
};

void mx_script_fini(struct mx_script *script)
{
	uint32_t i, k;

	for (i = 0; i < script->arrival_count; i++) {
		struct mx_script_arrival *arrival = &script->arrivals[i];

		for (k = 0; k < arrival->job_count; k++)
			free(arrival->jobs[k].relations);
		free(arrival->jobs);
	}
	free(script->arrivals);
	memset(script, 0, sizeof(*script));
}

/* The array grows when its count is a power of 2. */
struct mx_script_arrival *mx_script_add(struct mx_script *script,
					uint32_t job_count)
{
	const uint32_t count = script->arrival_count;
	struct mx_script_arrival *arrivals = script->arrivals;
	struct mx_script_job *jobs;

	if (count >= UINT32_MAX / 2)
		return NULL;
	if ((count & (count - 1)) == 0) {
		arrivals = reallocarray(arrivals, count ? 2 * (size_t)count : 1,
					sizeof(*arrivals));
		if (!arrivals)
			return NULL;
		script->arrivals = arrivals;
	}
	jobs = calloc((size_t)job_count + 1, sizeof(*jobs));
	if (!jobs)
		return NULL;
	arrivals[count] = (struct mx_script_arrival){
		.jobs = jobs,
		.job_count = job_count,
	};
	script->arrival_count++;
	return &arrivals[count];
}

static int check_arrival(const struct mx_script_arrival *arrival,
			 uint32_t index, struct mx_err *err)
{
	uint32_t i, k;

	for (i = 0; i < arrival->job_count; i++) {
		const struct mx_script_job *job = &arrival->jobs[i];

		for (k = 0; k < job->relation_count; k++)
			if (job->relations[k].after >= i)
				return mx_fail(err, EINVAL,
					       "arrival %u: job %u comes after "
					       "job %u, which is not before it",
					       index, i,
					       job->relations[k].after);
	}
	return 0;
}

/* Checks the script, and counts its jobs. */
static int check_script(const struct mx_script *script, uint64_t *job_count,
			struct mx_err *err)
{
	uint64_t before_ns = 0;
	uint32_t i;
	int rc;

	*job_count = 0;
	for (i = 0; i < script->arrival_count; i++) {
		const struct mx_script_arrival *arrival = &script->arrivals[i];

		rc = check_arrival(arrival, i, err);
		if (rc)
			return rc;
		if (arrival->kind == MX_ARRIVAL_AT) {
			if (arrival->time_ns < before_ns)
				return mx_fail(err, EINVAL,
					       "arrival %u comes before the "
					       "one before it",
					       i);
			before_ns = arrival->time_ns;
		}
		*job_count += arrival->job_count;
	}
	if (*job_count > UINT32_MAX)
		return mx_fail(err, EINVAL, "the script has too many jobs");
	return 0;
}

int mx_director_new(struct mx_director **out, const struct mx_script *script,
		    const struct mx_director_ops *ops, void *user,
		    struct mx_err *err)
{
	struct mx_director *director;
	uint64_t job_count;
	uint32_t first = 0;
	uint32_t i;
	int rc;

	rc = check_script(script, &job_count, err);
	if (rc)
		return rc;
	director = calloc(1, sizeof(*director));
	if (!director)
		return mx_fail(err, ENOMEM, "no memory for a script");
	director->script = script;
	director->ops = ops;
	director->user = user;
	director->parts =
		calloc((size_t)job_count + 1, sizeof(*director->parts));
	director->first_part = calloc((size_t)script->arrival_count + 1,
				      sizeof(*director->first_part));
	if (!director->parts || !director->first_part) {
		mx_director_free(director);
		return mx_fail(err, ENOMEM, "no memory for a script");
	}
	for (i = 0; i < script->arrival_count; i++) {
		director->first_part[i] = first;
		first += script->arrivals[i].job_count;
	}
	*out = director;
	return 0;
}

void mx_director_free(struct mx_director *director)
{
	if (!director)
		return;
	free(director->parts);
	free(director->first_part);
	free(director);
}

/* @a + @b, at most the last moment that is one. */
static uint64_t later(uint64_t a, uint64_t b)
{
	return b < MX_TIME_NEVER - 1 - a ? a + b : MX_TIME_NEVER - 1;
}

uint64_t mx_director_due(const struct mx_director *director)
{
	const struct mx_script_arrival *arrival;

	if (director->next == director->script->arrival_count)
		return MX_TIME_NEVER;
	arrival = &director->script->arrivals[director->next];
	switch (arrival->kind) {
	case MX_ARRIVAL_GAP:
		return later(director->before_ns, arrival->time_ns);
	case MX_ARRIVAL_IDLE:
		if (director->active_count > 0)
			return MX_TIME_NEVER;
		return later(director->idle_ns, arrival->time_ns);
	case MX_ARRIVAL_AT:
		break;
	}
	/* Those before it may have waited. */
	return arrival->time_ns > director->before_ns ? arrival->time_ns
						      : director->before_ns;
}

static int submit_arrival(struct mx_director *director, uint64_t due_ns)
{
	const uint32_t index = director->next++;
	const struct mx_script_arrival *arrival =
		&director->script->arrivals[index];
	struct part *parts = &director->parts[director->first_part[index]];
	uint32_t i, k;
	int rc;

	director->before_ns = due_ns;
	if (director->active_count == 0)
		director->idle_ns = due_ns;
	/* All are there before the first can end. */
	for (i = 0; i < arrival->job_count; i++) {
		const struct mx_script_job *job = &arrival->jobs[i];

		for (k = 0; k < job->relation_count; k++)
			if (job->relations[k].mode == MX_RELATION_WAIT)
				parts[i].waits++;
		parts[i].submitted = 1;
	}
	director->active_count += arrival->job_count;
	for (i = 0; i < arrival->job_count; i++) {
		rc = director->ops->submit(director->user, index, i,
					   parts[i].waits > 0, due_ns);
		if (rc)
			return rc;
	}
	return 0;
}

int mx_director_advance(struct mx_director *director, uint64_t now_ns)
{
	uint64_t due_ns;
	int rc = 0;

	while (!rc && (due_ns = mx_director_due(director)) <= now_ns &&
	       due_ns != MX_TIME_NEVER)
		rc = submit_arrival(director, due_ns);
	return rc;
}

/* What the end of job @after does to a later one: 1, it is to be skipped. */
static int skips(const struct mx_script_job *job, const struct part *parts,
		 uint32_t after)
{
	uint32_t i;

	for (i = 0; i < job->relation_count; i++) {
		const struct mx_relation *relation = &job->relations[i];

		if (parts[relation->after].skipped ||
		    (relation->after == after && relation->skip))
			return 1;
	}
	return 0;
}

static uint32_t waits_for(const struct mx_script_job *job, uint32_t after)
{
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; i < job->relation_count; i++)
		if (job->relations[i].after == after &&
		    job->relations[i].mode == MX_RELATION_WAIT)
			count++;
	return count;
}

int mx_director_ended(struct mx_director *director, uint32_t arrival_index,
		      uint32_t job, int cancelled, uint64_t now_ns)
{
	const struct mx_script_arrival *arrival =
		&director->script->arrivals[arrival_index];
	struct part *parts =
		&director->parts[director->first_part[arrival_index]];
	uint32_t i;
	int rc = 0;

	assert(job < arrival->job_count && parts[job].submitted &&
	       !parts[job].ended);
	parts[job].ended = 1;
	parts[job].skipped |= cancelled;
	if (--director->active_count == 0)
		director->idle_ns = now_ns;
	/* A relation is to a job before it, so that one pass is enough. */
	for (i = job + 1; i < arrival->job_count && !rc; i++) {
		const struct mx_script_job *other = &arrival->jobs[i];
		const uint32_t waits = waits_for(other, job);

		if (!parts[i].skipped && skips(other, parts, job)) {
			parts[i].skipped = 1;
			if (!parts[i].ended)
				rc = director->ops->cancel(director->user,
							   arrival_index, i);
			continue;
		}
		parts[i].waits -= waits;
		if (waits && parts[i].waits == 0 && !parts[i].skipped)
			rc = director->ops->release(director->user,
						    arrival_index, i);
	}
	return rc;
}

int mx_director_is_over(const struct mx_director *director)
{
	return director->active_count == 0 &&
	       director->next == director->script->arrival_count;
}
