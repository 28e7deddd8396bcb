/*
 * A pipeline on the engine: pictures one after the other, each an arrival
 * whose jobs say what other jobs it needs.
 */
#ifndef MX_CLI_PIPELINE_RUN_H
#define MX_CLI_PIPELINE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "cli/pipeline.h"
#include "cli/session.h"
#include "cli/stage.h"
#include "sched/context.h"

struct mx_err;

struct mx_pipeline_opts {
	const char *path; /* the pipeline file */
	const char *networks_path; /* as mx_pipeline_read() */
	struct mx_session_opts session;
	size_t repeat; /* rounds over all pictures, at least 1 */
	size_t top; /* classes to tell of each job, at least 1 */
	const char *output; /* directory for outputs; NULL: none */
	int json;
};

/* One picture on its way through. */
struct mx_pipeline_visit {
	const struct mx_pipeline *pipeline;
	const struct mx_stage *stages;
	size_t round;
	struct mx_photo *picture;
	struct mx_context *context;
	struct mx_stage_job *jobs; /* as the context numbers them */
	uint32_t job_room;
	uint64_t arrival_ns;
};

/*
 * Run the pictures through the pipeline and tell what came of each, on
 * standard output as it comes. A picture in which a job fails is the last.
 *
 * Returns 0, what the first job that failed returned, -EBADMSG (the file, the
 * networks or a picture are not as they should be), -EDQUOT, -errno.
 */
int mx_pipeline_run(const struct mx_pipeline_opts *opts, char *const *pictures,
		    size_t count, struct mx_err *err);

#endif
