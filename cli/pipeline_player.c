/*
 * Memory: pictures are decoded one at a time, while nothing else of the
 * pipeline runs. Room for the largest is set aside while the engine counts
 * what the process has, and given back when it has started.
 */
#include "cli/pipeline_player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/file.h"
#include "lib/err.h"

static int open_session(struct mx_pipeline_player *player)
{
	const struct mx_pipeline *pipeline = &player->pipeline;
	struct mx_session_opts opts = player->opts->session;
	uint64_t passes;
	char **specs;
	size_t count = 0;
	uint32_t i;
	int rc;

	opts.flags |= MX_SESSION_BORROWS;
	/* More than once, if anything runs for each detection. */
	passes = (uint64_t)player->opts->repeat * player->picture_count;
	for (i = 0; i < pipeline->stage_count; i++)
		if (pipeline->stages[i].each != MX_CONTEXT_NONE && passes < 2)
			passes = 2;
	opts.repeats = passes < UINT32_MAX ? (uint32_t)passes : UINT32_MAX;
	specs = calloc(pipeline->network_count, sizeof(*specs));
	player->task = calloc(pipeline->network_count, sizeof(*player->task));
	if (!specs || !player->task) {
		free(specs);
		return mx_fail(player->err, ENOMEM, "%s: no memory",
			       pipeline->path);
	}
	for (i = 0; i < pipeline->network_count; i++)
		if (pipeline->networks[i].is_used) {
			player->task[i] = (uint32_t)count;
			specs[count++] = pipeline->networks[i].path;
		}
	rc = mx_session_open(&player->session, &opts, specs, count,
			     player->err);
	free(specs);
	return rc;
}

static int check_conditions(const struct mx_pipeline_player *player,
			    uint32_t index)
{
	const struct mx_pipeline_stage *plan = &player->pipeline.stages[index];
	const struct mx_stage *asked;
	uint32_t i;

	for (i = 0; i < plan->condition_count; i++) {
		asked = &player->stages[plan->conditions[i].stage];
		if (!mx_stage_answers(asked, &plan->conditions[i]))
			return mx_fail(player->err, EBADMSG,
				       "%s:%zu: stage %s: when: %s has no "
				       "such output",
				       player->pipeline.path, plan->line,
				       plan->name, asked->task->name);
	}
	return 0;
}

static int make_stages(struct mx_pipeline_player *player)
{
	const struct mx_pipeline *pipeline = &player->pipeline;
	const uint32_t count = pipeline->stage_count;
	uint32_t i;
	int rc = 0;

	player->stages = calloc(count, sizeof(*player->stages));
	player->rules = calloc(count, sizeof(*player->rules));
	if (!player->stages || !player->rules)
		return mx_fail(player->err, ENOMEM, "%s: no memory",
			       pipeline->path);
	for (i = 0; !rc && i < count; i++) {
		const struct mx_pipeline_stage *plan = &pipeline->stages[i];

		player->rules[i] = (struct mx_context_stage){
			.after = plan->after,
			.after_count = plan->after_count,
			.each = plan->each,
			.conditions = plan->conditions,
			.condition_count = plan->condition_count,
			.at_once = plan->at_once,
			.detects = plan->detects,
			.opportunistic = plan->opportunistic,
		};
		rc = mx_stage_init(
			&player->stages[i], plan, pipeline->path,
			&player->session.tasks[player->task[plan->network]],
			player->opts->top, player->err);
	}
	for (i = 0; !rc && i < count; i++)
		rc = check_conditions(player, i);
	return rc;
}

/* Two pictures of one name would write the same files. */
static int check_names(const struct mx_pipeline_player *player)
{
	char *one, *other;
	size_t i, k;
	int rc = 0;

	for (i = 0; !rc && i < player->picture_count; i++)
		for (k = 0; !rc && k < i; k++) {
			one = mx_file_stem(player->pictures[i].path, NULL);
			other = mx_file_stem(player->pictures[k].path, NULL);
			if (!one || !other)
				rc = mx_fail(player->err, ENOMEM,
					     "run: no memory");
			else if (!strcmp(one, other))
				rc = mx_fail(player->err, EINVAL,
					     "run: --output: two pictures are "
					     "named %s",
					     one);
			free(one);
			free(other);
		}
	return rc;
}

/* All are looked at before anything runs; the first stays in memory. */
static int open_pictures(struct mx_pipeline_player *player, char *const *paths,
			 size_t count)
{
	size_t i;
	int rc = 0;

	player->pictures = calloc(count, sizeof(*player->pictures));
	if (!player->pictures)
		return mx_fail(player->err, ENOMEM, "run: no memory");
	for (i = 0; !rc && i < count; i++) {
		player->picture_count++;
		rc = mx_photo_init(&player->pictures[i], paths[i], player->err);
	}
	for (i = count; !rc && i-- > 0;) {
		rc = mx_photo_load(&player->pictures[i], player->err);
		if (i > 0)
			mx_photo_unload(&player->pictures[i]);
	}
	return !rc && player->opts->output ? check_names(player) : rc;
}

/* Outputs of all its stages' jobs at once, beyond the two arrays of each that
 * the plan counts for a network. */
static uint64_t output_bytes(const struct mx_pipeline_player *player,
			     const struct mx_task *task)
{
	uint64_t jobs = 0, bytes = 0;
	uint32_t i;

	for (i = 0; i < player->pipeline.stage_count; i++)
		if (player->stages[i].task == task) {
			jobs += player->pipeline.stages[i].at_once;
			bytes = mx_stage_output_bytes(&player->stages[i]);
		}
	return jobs > 2 ? (jobs - 2) * bytes : 0;
}

/* What the pipeline will take beside the engine and what is there already. */
static uint64_t room_bytes(const struct mx_pipeline_player *player)
{
	const struct mx_photo *first = &player->pictures[0];
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < player->picture_count; i++)
		if (player->pictures[i].need_bytes > bytes)
			bytes = player->pictures[i].need_bytes;
	bytes -= 3 * (uint64_t)first->width * first->height;
	for (i = 0; i < player->session.task_count; i++)
		bytes += output_bytes(player, &player->session.tasks[i]);
	return bytes;
}

static int start_session(struct mx_pipeline_player *player)
{
	const size_t bytes = (size_t)room_bytes(player);
	void *room;
	int rc;

	room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (room == MAP_FAILED)
		return mx_fail_errno(player->err,
				     "set %zu bytes aside for pictures", bytes);
	rc = mx_session_start(&player->session, player->err);
	munmap(room, bytes);
	return rc;
}

void mx_pipeline_player_fini(struct mx_pipeline_player *player)
{
	uint32_t i;
	size_t k;

	/* The engine first: it has what the stages lend it. */
	mx_engine_close(player->session.engine);
	player->session.engine = NULL;
	for (i = 0; player->stages && i < player->pipeline.stage_count; i++)
		if (player->stages[i].plan)
			mx_stage_fini(&player->stages[i]);
	for (k = 0; k < player->picture_count; k++)
		mx_photo_fini(&player->pictures[k]);
	if (player->session.tasks)
		mx_session_close(&player->session);
	mx_pipeline_fini(&player->pipeline);
	free(player->pictures);
	free(player->stages);
	free(player->rules);
	free(player->task);
}

int mx_pipeline_player_init(struct mx_pipeline_player *player,
			    const struct mx_pipeline_opts *opts,
			    char *const *pictures, size_t count,
			    struct mx_err *err)
{
	int rc;

	*player = (struct mx_pipeline_player){.opts = opts, .err = err};
	rc = mx_pipeline_read(&player->pipeline, opts->path,
			      opts->networks_path, err);
	if (!rc)
		rc = open_pictures(player, pictures, count);
	if (!rc)
		rc = open_session(player);
	if (!rc)
		rc = make_stages(player);
	return rc ? rc : start_session(player);
}
