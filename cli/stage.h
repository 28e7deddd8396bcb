/*
 * A stage of a pipeline with its network: places for the jobs that may run at
 * once, and what is made of their outputs. All memory that jobs take here is
 * set aside, and touched, when it is made, so that a budget counts it.
 */
#ifndef MX_CLI_STAGE_H
#define MX_CLI_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/detection.h"
#include "cli/pipeline.h"
#include "cli/result.h"
#include "cli/session.h"

struct mx_err;

/* Outputs of so many values are kept whole. */
#define MX_OUTPUT_WHOLE_MAX 8

struct mx_output_note {
	struct mx_summary summary;
	size_t count;
	float whole[MX_OUTPUT_WHOLE_MAX]; /* if count is no more than that */
};

/* What came of one job. */
struct mx_stage_job {
	struct mx_image_part part; /* of the picture, that it looked at */
	struct mx_task_times times;
	char *fault; /* why it failed; NULL: it did not */
	/* Detections, best first; or the likeliest classes, as many as are
	 * told of. */
	struct mx_finding *findings;
	uint32_t finding_count;
	struct mx_image_part *parts; /* where the detections are */
	float *values; /* the first of each output */
	struct mx_output_note *outputs; /* NULL: there is no answer */
};

/* A job that may run. */
struct mx_stage_place {
	struct mx_stage *stage;
	float **inputs; /* the first is the picture's, the others a pattern */
	struct mx_job *job; /* NULL: the place is free */
	uint32_t number; /* of the context's job; NONE: it is held */
};

struct mx_stage {
	const struct mx_pipeline_stage *plan;
	struct mx_task *task;
	struct mx_stage_place *places; /* plan->at_once */
	struct mx_detector detector; /* if it detects */
	uint32_t *only; /* the detector's */
	struct mx_detection *detections; /* detector.opts.most */
	uint32_t output; /* with scores of classes; NONE: none has */
	float *scores; /* of those, room */
	size_t *order;
	size_t top; /* classes to keep of each job */
	struct mx_result result;
	struct mx_chance chance;
};

/*
 * Check @plan, of the pipeline file @path, against its network, that of @task.
 * Both, and the session, outlive it. @top classes are kept of each job.
 * mx_stage_fini() ends it, also after a failure.
 *
 * Returns 0; -EBADMSG if the network does not do what the file says; -EINVAL
 * if it takes no picture; -ENOMEM.
 */
int mx_stage_init(struct mx_stage *stage, const struct mx_pipeline_stage *plan,
		  const char *path, struct mx_task *task, size_t top,
		  struct mx_err *err);
void mx_stage_fini(struct mx_stage *stage);

/* The values of the outputs of a job. */
uint64_t mx_stage_output_bytes(const struct mx_stage *stage);

/* 1 if its jobs answer a condition of that kind. */
int mx_stage_answers(const struct mx_stage *stage,
		     const struct mx_condition *condition);

/* A place that is free; there is one. */
struct mx_stage_place *mx_stage_find_place(struct mx_stage *stage);

/* The place's input from a part of a loaded picture. Returns as
 * mx_photo_fill(). */
int mx_stage_fill(const struct mx_stage_place *place,
		  const struct mx_photo *picture,
		  const struct mx_image_part *part, struct mx_err *err);

/*
 * Read the outputs of the place's job, which has finished: into stage->result
 * and what is kept of them into *@out, whose part is that of @picture that it
 * looked at. Returns 0, -ENOMEM or as mx_preprocess_map().
 */
int mx_stage_read(struct mx_stage_place *place, const struct mx_photo *picture,
		  struct mx_stage_job *out, struct mx_err *err);

void mx_stage_job_fini(struct mx_stage_job *job);

/* What it tells the context. */
struct mx_answer mx_stage_answer(const struct mx_stage *stage,
				 const struct mx_stage_job *job);

#endif
