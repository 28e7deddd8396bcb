/*
 * Invariants between calls:
 *
 *  (1) Jobs of a stage with `each` are made when the job that found their
 *      input has FINISHED, one a detection; the one job of another stage in
 *      mx_context_begin(). So a stage's jobs for an input are all known as
 *      soon as the stage they come from is settled for it.
 *  (2) started_count + has_spare of a stage is at most its at_once.
 *  (3) A job that is decided (FINISHED, SKIPPED, FAILED) stays so.
 *
 * A stage depends on stages before it alone, so that after an event one pass
 * over the jobs in the order of stages decides all that can be decided.
 */
#include "sched/context.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

/* How far an outcome moves a chance. */
#define LEARNING_RATE 0.25f

struct stage_state {
	uint32_t first; /* of its jobs, and the last; or NONE */
	uint32_t last;
	uint32_t job_count;
	uint32_t started_count; /* of these, begun and not yet ended */
	int has_spare;
};

struct mx_context {
	const struct mx_context_stage *stages;
	uint32_t stage_count;
	const struct mx_context_ops *ops;
	void *user;
	struct mx_context_job *jobs;
	uint32_t job_count;
	uint32_t job_room;
	struct stage_state *states; /* of each stage */
};

enum verdict {
	VERDICT_WAIT,
	VERDICT_TRY, /* it may run: what it depends on is still open */
	VERDICT_RUN,
	VERDICT_SKIP,
};

int mx_condition_holds(const struct mx_condition *condition, double got)
{
	const double want = condition->value;

	switch (condition->op) {
	case MX_CONDITION_GT:
		return got > want;
	case MX_CONDITION_GE:
		return got >= want;
	case MX_CONDITION_LT:
		return got < want;
	case MX_CONDITION_LE:
		return got <= want;
	case MX_CONDITION_EQ:
		return got >= want && got <= want;
	case MX_CONDITION_NE:
		return got < want || got > want;
	}
	return 0;
}

void mx_chance_init(struct mx_chance *chance)
{
	chance->rate = 0.5f;
}

void mx_chance_learn(struct mx_chance *chance, int happened)
{
	chance->rate += LEARNING_RATE * ((happened ? 1 : 0) - chance->rate);
}

static int depends_on(const struct mx_context_stage *stage, uint32_t other)
{
	uint32_t i;

	for (i = 0; i < stage->after_count; i++)
		if (stage->after[i] == other)
			return 1;
	return 0;
}

static int check_stage(const struct mx_context_stage *stages, uint32_t index,
		       struct mx_err *err)
{
	const struct mx_context_stage *stage = &stages[index];
	uint32_t i;

	for (i = 0; i < stage->after_count; i++)
		if (stage->after[i] >= index)
			return mx_fail(err, EINVAL,
				       "stage %u comes after stage %u, which "
				       "is not before it",
				       index, stage->after[i]);
	for (i = 0; i < stage->condition_count; i++)
		if (!depends_on(stage, stage->conditions[i].stage))
			return mx_fail(err, EINVAL,
				       "stage %u asks stage %u, which it does "
				       "not come after",
				       index, stage->conditions[i].stage);
	if (stage->each != MX_CONTEXT_NONE &&
	    (!depends_on(stage, stage->each) || !stages[stage->each].detects))
		return mx_fail(err, EINVAL,
			       "stage %u is for each detection of stage %u, "
			       "which has none for it",
			       index, stage->each);
	return stage->at_once
		       ? 0
		       : mx_fail(err, EINVAL, "stage %u may run no job at once",
				 index);
}

int mx_context_new(struct mx_context **out,
		   const struct mx_context_stage *stages, uint32_t count,
		   const struct mx_context_ops *ops, void *user,
		   struct mx_err *err)
{
	struct mx_context *context;
	uint32_t i;
	int rc = 0;

	for (i = 0; !rc && i < count; i++)
		rc = check_stage(stages, i, err);
	if (rc)
		return rc;
	context = calloc(1, sizeof(*context));
	if (!context)
		goto fail;
	context->stages = stages;
	context->stage_count = count;
	context->ops = ops;
	context->user = user;
	context->states = calloc((size_t)count + 1, sizeof(*context->states));
	if (!context->states)
		goto fail;
	for (i = 0; i < count; i++)
		context->states[i].first = context->states[i].last =
			MX_CONTEXT_NONE;
	*out = context;
	return 0;

fail:
	mx_context_free(context);
	return mx_fail(err, ENOMEM, "no memory for %u stages", count);
}

void mx_context_free(struct mx_context *context)
{
	if (!context)
		return;
	free(context->jobs);
	free(context->states);
	free(context);
}

uint32_t mx_context_job_count(const struct mx_context *context)
{
	return context->job_count;
}

const struct mx_context_job *mx_context_job(const struct mx_context *context,
					    uint32_t job)
{
	assert(job < context->job_count);
	return &context->jobs[job];
}

static int is_decided(const struct mx_context_job *job)
{
	return job->state >= MX_CONTEXT_FINISHED;
}

/* ---- which jobs have to do with each other ---- */

/* The job of stage @stage that @job comes from, and (@finding) which of its
 * detections; NONE if it comes from none. */
static uint32_t ancestor(const struct mx_context *context,
			 const struct mx_context_job *job, uint32_t stage,
			 uint32_t *finding)
{
	uint32_t at = job->origin;

	*finding = job->finding;
	while (at != MX_CONTEXT_NONE && context->jobs[at].stage != stage) {
		*finding = context->jobs[at].finding;
		at = context->jobs[at].origin;
	}
	return at;
}

/* Do both come from the same detections, as far as both come from any of one
 * stage? A job has to do with the one that it comes from. */
static int are_related(const struct mx_context *context, uint32_t parent,
		       const struct mx_context_job *job)
{
	const struct mx_context_job *one = &context->jobs[parent];
	uint32_t mine, theirs, my_finding, finding, at;

	mine = ancestor(context, job, one->stage, &my_finding);
	if (mine != MX_CONTEXT_NONE)
		return mine == parent;
	for (at = parent; context->jobs[at].origin != MX_CONTEXT_NONE;
	     at = theirs) {
		theirs = context->jobs[at].origin;
		finding = context->jobs[at].finding;
		mine = ancestor(context, job, context->jobs[theirs].stage,
				&my_finding);
		if (mine != MX_CONTEXT_NONE &&
		    (mine != theirs || my_finding != finding))
			return 0;
	}
	return 1;
}

/* How it stands with a stage, for a job that comes after it. */
struct outlook {
	int settled; /* all its jobs that matter are known and decided */
	uint32_t job_count; /* those */
	uint32_t finished_count;
};

static struct outlook look_at(const struct mx_context *context, uint32_t stage,
			      const struct mx_context_job *job)
{
	struct outlook outlook = {.settled = 1};
	const uint32_t each = context->stages[stage].each;
	struct outlook source;
	uint32_t i;

	if (each != MX_CONTEXT_NONE) {
		source = look_at(context, each, job);
		outlook.settled = source.settled;
		/* What was skipped finds nothing, and that is no answer. */
		if (source.settled && source.job_count &&
		    !source.finished_count)
			outlook.job_count++;
	}
	for (i = context->states[stage].first; i != MX_CONTEXT_NONE;
	     i = context->jobs[i].next) {
		const struct mx_context_job *other = &context->jobs[i];

		if (!are_related(context, i, job))
			continue;
		outlook.job_count++;
		outlook.finished_count += other->state == MX_CONTEXT_FINISHED;
		outlook.settled = outlook.settled && is_decided(other);
	}
	return outlook;
}

/* ---- conditions ---- */

static int finding_holds(const struct mx_condition *condition,
			 const struct mx_finding *finding)
{
	const char *label = finding->label ? finding->label : "";

	switch (condition->what) {
	case MX_CONDITION_CLASS:
		return mx_condition_holds(condition, finding->class_index);
	case MX_CONDITION_SCORE:
		return mx_condition_holds(condition, (double)finding->score);
	case MX_CONDITION_LABEL:
		return (strcmp(label, condition->label) == 0) ==
		       (condition->op == MX_CONDITION_EQ);
	case MX_CONDITION_COUNT:
	case MX_CONDITION_VALUE:
		break;
	}
	return 0;
}

/* Of one job's answer; @only: of that finding alone, unless NONE. */
static int answer_holds(const struct mx_condition *condition,
			const struct mx_answer *answer, uint32_t only)
{
	uint32_t i;

	if (condition->what == MX_CONDITION_VALUE)
		return condition->output < answer->value_count &&
		       mx_condition_holds(
			       condition,
			       (double)answer->values[condition->output]);
	for (i = 0; i < answer->finding_count; i++)
		if ((only == MX_CONTEXT_NONE || only == i) &&
		    finding_holds(condition, &answer->findings[i]))
			return 1;
	return 0;
}

/* The stage it asks is settled for the job. */
static int holds(const struct mx_context *context,
		 const struct mx_condition *condition,
		 const struct mx_context_job *job)
{
	const int detects = context->stages[condition->stage].detects;
	uint64_t count = 0;
	uint32_t finding, i;
	int found = 0;

	for (i = context->states[condition->stage].first; i != MX_CONTEXT_NONE;
	     i = context->jobs[i].next) {
		const struct mx_context_job *other = &context->jobs[i];

		if (other->state != MX_CONTEXT_FINISHED ||
		    !are_related(context, i, job))
			continue;
		count += detects ? other->answer.finding_count : 1;
		/* Of what it comes from, its own detection. */
		if (ancestor(context, job, other->stage, &finding) ==
		    MX_CONTEXT_NONE)
			finding = MX_CONTEXT_NONE;
		found |= answer_holds(condition, &other->answer, finding);
	}
	if (condition->what == MX_CONDITION_COUNT)
		return mx_condition_holds(condition, (double)count);
	return found;
}

static enum verdict judge(const struct mx_context *context,
			  const struct mx_context_job *job)
{
	const struct mx_context_stage *stage = &context->stages[job->stage];
	struct outlook outlook;
	int waits = 0;
	uint32_t i;

	for (i = 0; i < stage->after_count; i++) {
		outlook = look_at(context, stage->after[i], job);
		if (!outlook.settled)
			waits = 1;
		else if (outlook.job_count && !outlook.finished_count)
			return VERDICT_SKIP;
	}
	for (i = 0; i < stage->condition_count; i++)
		if (look_at(context, stage->conditions[i].stage, job).settled &&
		    !holds(context, &stage->conditions[i], job))
			return VERDICT_SKIP;
	if (!waits)
		return VERDICT_RUN;
	return stage->opportunistic ? VERDICT_TRY : VERDICT_WAIT;
}

/* ---- doing it ---- */

static int add_job(struct mx_context *context, uint32_t stage, uint32_t origin,
		   uint32_t finding)
{
	struct stage_state *state = &context->states[stage];
	struct mx_context_job *jobs;
	uint32_t room;

	if (context->job_count == context->job_room) {
		room = context->job_room ? 2 * context->job_room : 16;
		jobs = room < context->job_room
			       ? NULL
			       : reallocarray(context->jobs, room,
					      sizeof(*jobs));
		if (!jobs)
			return -ENOMEM;
		context->jobs = jobs;
		context->job_room = room;
	}
	if (state->last == MX_CONTEXT_NONE)
		state->first = context->job_count;
	else
		context->jobs[state->last].next = context->job_count;
	state->last = context->job_count;
	context->jobs[context->job_count++] = (struct mx_context_job){
		.stage = stage,
		.origin = origin,
		.finding = finding,
		.number = state->job_count++,
		.next = MX_CONTEXT_NONE,
	};
	return 0;
}

static int start(struct mx_context *context, uint32_t index)
{
	struct mx_context_job *job = &context->jobs[index];
	struct stage_state *state = &context->states[job->stage];
	const int held = state->has_spare;

	if (!held &&
	    state->started_count >= context->stages[job->stage].at_once)
		return 0;
	state->has_spare = 0;
	state->started_count++;
	job->state = MX_CONTEXT_STARTED;
	job->started = 1;
	return context->ops->start(context->user, index, held);
}

static int skip(struct mx_context *context, uint32_t index)
{
	struct mx_context_job *job = &context->jobs[index];
	const int running = job->state == MX_CONTEXT_STARTED;

	job->state = MX_CONTEXT_SKIPPED;
	job->ended = !running;
	return running ? context->ops->cancel(context->user, index) : 0;
}

/* A spare is given up once no job can want it any more. */
static int drop_spare(struct mx_context *context, uint32_t stage)
{
	const uint32_t each = context->stages[stage].each;
	/* The arrival's own view: it comes from no detection. */
	const struct mx_context_job all = {.origin = MX_CONTEXT_NONE};
	uint32_t i;

	if (!context->states[stage].has_spare ||
	    (each != MX_CONTEXT_NONE && !look_at(context, each, &all).settled))
		return 0;
	for (i = context->states[stage].first; i != MX_CONTEXT_NONE;
	     i = context->jobs[i].next)
		if (context->jobs[i].state == MX_CONTEXT_PLANNED)
			return 0;
	context->states[stage].has_spare = 0;
	return context->ops->drop(context->user, stage);
}

/* Its answer counts: what it has found are jobs. */
static int accept(struct mx_context *context, uint32_t index)
{
	const uint32_t stage = context->jobs[index].stage;
	const uint32_t found = context->jobs[index].answer.finding_count;
	uint32_t i, finding;
	int rc = 0;

	context->jobs[index].state = MX_CONTEXT_FINISHED;
	for (i = stage + 1; i < context->stage_count; i++)
		for (finding = 0;
		     !rc && context->stages[i].each == stage && finding < found;
		     finding++)
			rc = add_job(context, i, index, finding);
	return rc;
}

static int settle_job(struct mx_context *context, uint32_t index)
{
	const enum mx_context_state state = context->jobs[index].state;
	enum verdict verdict;

	if (is_decided(&context->jobs[index]))
		return 0;
	verdict = judge(context, &context->jobs[index]);
	if (verdict == VERDICT_SKIP)
		return skip(context, index);
	if (verdict == VERDICT_RUN && state == MX_CONTEXT_ANSWERED)
		return accept(context, index);
	if (verdict != VERDICT_WAIT && state == MX_CONTEXT_PLANNED)
		return start(context, index);
	return 0;
}

/* All that can be decided now. */
static int settle(struct mx_context *context)
{
	uint32_t stage, i;
	int rc = 0;

	for (stage = 0; !rc && stage < context->stage_count; stage++) {
		for (i = context->states[stage].first;
		     !rc && i != MX_CONTEXT_NONE; i = context->jobs[i].next)
			rc = settle_job(context, i);
		if (!rc)
			rc = drop_spare(context, stage);
	}
	return rc;
}

int mx_context_begin(struct mx_context *context)
{
	const struct mx_context_stage *stage;
	uint32_t i;
	int rc = 0;

	for (i = 0; !rc && i < context->stage_count; i++) {
		stage = &context->stages[i];
		if (stage->each == MX_CONTEXT_NONE)
			rc = add_job(context, i, MX_CONTEXT_NONE, 0);
	}
	/* What can run runs first; then what may be needed is held. */
	if (!rc)
		rc = settle(context);
	for (i = 0; !rc && i < context->stage_count; i++) {
		stage = &context->stages[i];
		if (!stage->after_count || context->states[i].started_count)
			continue;
		context->states[i].has_spare = 1;
		rc = context->ops->hold(context->user, i);
	}
	return rc;
}

int mx_context_ended(struct mx_context *context, uint32_t index, int status,
		     const struct mx_answer *answer)
{
	struct mx_context_job *job = &context->jobs[index];

	assert(index < context->job_count && job->started && !job->ended);
	job->ended = 1;
	context->states[job->stage].started_count--;
	if (job->state == MX_CONTEXT_STARTED && !status) {
		job->state = MX_CONTEXT_ANSWERED;
		job->answer = *answer;
	} else if (job->state == MX_CONTEXT_STARTED) {
		job->state = status == -ECANCELED ? MX_CONTEXT_SKIPPED
						  : MX_CONTEXT_FAILED;
	}
	return settle(context);
}

int mx_context_is_over(const struct mx_context *context)
{
	uint32_t i;

	for (i = 0; i < context->stage_count; i++)
		if (context->states[i].has_spare)
			return 0;
	for (i = 0; i < context->job_count; i++)
		if (!context->jobs[i].ended)
			return 0;
	return 1;
}
