/*
 * A pipeline that is being played: what pipeline_player.c sets up and
 * pipeline_run.c plays.
 */
#ifndef MX_CLI_PIPELINE_PLAYER_H
#define MX_CLI_PIPELINE_PLAYER_H

#include <stddef.h>
#include <stdint.h>

#include "cli/pipeline.h"
#include "cli/pipeline_run.h"
#include "cli/session.h"
#include "cli/stage.h"

struct mx_err;

struct mx_pipeline_player {
	const struct mx_pipeline_opts *opts;
	struct mx_pipeline pipeline;
	struct mx_session session;
	uint32_t *task; /* of each network of the pipeline, in the session */
	struct mx_stage *stages;
	struct mx_context_stage *rules; /* of each stage, for the context */
	struct mx_photo *pictures;
	size_t picture_count;
	struct mx_pipeline_visit visit; /* the one that is under way */
	uint32_t arrival; /* its number */
	uint32_t live_count; /* jobs that the engine has */
	int status; /* of the first job that failed */
	struct mx_err *err; /* why, or what else went wrong */
};

/*
 * Read the file, look at all pictures (the first stays in memory), open the
 * networks and start the session. mx_pipeline_player_fini() ends it, also
 * after a failure. Returns as mx_pipeline_run().
 */
int mx_pipeline_player_init(struct mx_pipeline_player *player,
			    const struct mx_pipeline_opts *opts,
			    char *const *pictures, size_t count,
			    struct mx_err *err);
void mx_pipeline_player_fini(struct mx_pipeline_player *player);

#endif
