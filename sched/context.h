/*
 * Context: which jobs an arrival makes, when what they find says what else is
 * worth running. An arrival goes through stages; each stage is a network that
 * runs once, or once for each detection of an earlier stage, when the stages
 * it comes after have answered and its conditions on their answers hold.
 *
 *   job        ORIGIN -> its detections are jobs of the stages `each` of it
 *   PLANNED --a place is free--> STARTED --> ANSWERED --> FINISHED
 *      |                            |  '--> FAILED |
 *      '---------> SKIPPED <--------'--------------'
 *
 * A stage that waits starts when all it depends on has ended and its
 * conditions hold. One that is opportunistic starts as soon as its input is
 * known, and is cancelled midway when a condition turns out not to hold; if it
 * was faster, its answer does not count before they do, so that what a picture
 * comes to is no matter of speed. Skipping cascades: a stage whose parent was
 * skipped, or failed, is skipped.
 *
 * A job depends on those of a stage that agree with it on all detections that
 * both come from: on its own face's age, not on another face's. A condition
 * holds if it does for any of them; without any, only one on a count can.
 *
 * While nothing says yet that a stage will run, a job of it is HELD (a spare)
 * with the chance that it will be needed, so that the policy may read ahead.
 *
 * Threads: none; whoever owns it locks. No call here is made back from ops.
 */
#ifndef MX_SCHED_CONTEXT_H
#define MX_SCHED_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

#define MX_CONTEXT_NONE UINT32_MAX

/* ---- conditions ---- */

/* What a job has found: a detection, or the class it thinks likeliest. */
struct mx_finding {
	uint32_t class_index;
	const char *label; /* NULL: it has no name */
	float score;
};

/* What a finished job answers; what it points to outlives the context. */
struct mx_answer {
	const struct mx_finding *findings;
	uint32_t finding_count;
	const float *values; /* the first value of each output */
	uint32_t value_count;
};

enum mx_condition_what {
	MX_CONDITION_COUNT, /* detections; of another stage its finished jobs */
	MX_CONDITION_CLASS, /* of a finding, as the next two */
	MX_CONDITION_LABEL,
	MX_CONDITION_SCORE,
	MX_CONDITION_VALUE, /* the first one of an output */
};

enum mx_condition_op {
	MX_CONDITION_GT,
	MX_CONDITION_GE,
	MX_CONDITION_LT,
	MX_CONDITION_LE,
	MX_CONDITION_EQ,
	MX_CONDITION_NE,
};

struct mx_condition {
	uint32_t stage; /* whose answer it asks */
	enum mx_condition_what what;
	enum mx_condition_op op;
	uint32_t output; /* VALUE: of which */
	double value;
	const char *label; /* LABEL: EQ and NE alone */
};

/* 1 if "@got op @condition->value" is true; never with NaN. */
int mx_condition_holds(const struct mx_condition *condition, double got);

/* ---- stages ---- */

struct mx_context_stage {
	/* Those before it that it depends on, each once: of conditions and
	 * @each too. */
	const uint32_t *after;
	uint32_t after_count;
	uint32_t each; /* the stage whose detections it runs on, or NONE */
	const struct mx_condition *conditions; /* all must hold */
	uint32_t condition_count;
	uint32_t at_once; /* STARTED jobs at most; at least 1 */
	int detects; /* its findings are detections */
	int opportunistic;
};

enum mx_context_state {
	MX_CONTEXT_PLANNED,
	MX_CONTEXT_STARTED,
	MX_CONTEXT_ANSWERED, /* whether that counts is still open */
	MX_CONTEXT_FINISHED,
	MX_CONTEXT_SKIPPED,
	MX_CONTEXT_FAILED,
};

struct mx_context_job {
	uint32_t stage;
	uint32_t origin; /* the job that has found its input, or NONE */
	uint32_t finding; /* of that one */
	uint32_t number; /* among the jobs of its stage, from 0 */
	uint32_t next; /* job of its stage, or NONE */
	enum mx_context_state state;
	int started; /* it was; it may be over */
	int ended; /* the driver has said so, or it never started */
	struct mx_answer answer; /* ANSWERED, FINISHED */
};

/* What a context asks of its driver. Each returns 0 or -errno, which the
 * function that was called then returns. */
struct mx_context_ops {
	/* Hold a job of @stage, whose input is not known yet. */
	int (*hold)(void *user, uint32_t stage);
	/* ... it is not needed: cancel it. */
	int (*drop)(void *user, uint32_t stage);
	/* Run @job: the one that is held, with its input now (@held), or a new
	 * one. The driver says mx_context_ended(). */
	int (*start)(void *user, uint32_t job, int held);
	/* Cancel a job that was started; its end is told all the same. */
	int (*cancel)(void *user, uint32_t job);
};

struct mx_context;

/*
 * The stages, of which each comes after those that it depends on, and @ops
 * outlive it. Returns 0; -EINVAL if a stage depends on one not before it, or
 * @each on one that detects nothing; -ENOMEM.
 */
int mx_context_new(struct mx_context **out,
		   const struct mx_context_stage *stages, uint32_t count,
		   const struct mx_context_ops *ops, void *user,
		   struct mx_err *err);
void mx_context_free(struct mx_context *context);

/* The arrival has come. Returns 0, -ENOMEM or what an op said. */
int mx_context_begin(struct mx_context *context);

/*
 * A started job has ended: with @status 0 and its answer, -ECANCELED, or why
 * it failed. A job that was to be cancelled is SKIPPED whatever it answers.
 * Returns as mx_context_begin().
 */
int mx_context_ended(struct mx_context *context, uint32_t job, int status,
		     const struct mx_answer *answer);

/* Nothing is left to run. */
int mx_context_is_over(const struct mx_context *context);

/* Jobs, in the order in which they became known; the pointer is good until
 * the next call of one of the two above. */
uint32_t mx_context_job_count(const struct mx_context *context);
const struct mx_context_job *mx_context_job(const struct mx_context *context,
					    uint32_t job);

/* ---- how likely a stage is needed ---- */

/*
 * An exponentially weighted rate of yes and no: begins at one half and moves a
 * quarter of the way to each outcome, so that the last few arrivals count.
 */
struct mx_chance {
	float rate;
};
void mx_chance_init(struct mx_chance *chance);
void mx_chance_learn(struct mx_chance *chance, int happened);

#endif
