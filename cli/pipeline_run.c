/*
 * One thread, the caller's: the context says what to start, to hold and to
 * cancel, and the engine says what has ended; between them it makes inputs and
 * reads outputs.
 */
#include "cli/pipeline_run.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/pipeline_player.h"
#include "cli/pipeline_report.h"
#include "cli/session_watch.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/network.h"
#include "sched/memexec.h"

/* ---- what the context asks for ---- */

static int submit(struct mx_pipeline_player *player,
		  struct mx_stage_place *place, unsigned flags)
{
	struct mx_stage *stage = place->stage;
	const double chance = stage->plan->chance;
	const struct mx_submit_opts opts = {
		.inputs = (const float *const *)place->inputs,
		.arrival = player->arrival,
		.arrival_ns = player->visit.arrival_ns,
		.flags = MX_SUBMIT_BORROWED | flags,
		.chance = chance < 0 ? stage->chance.rate : (float)chance,
		.user = place,
	};
	int rc;

	rc = mx_engine_submit_with(player->session.engine, stage->task->index,
				   &opts, &place->job, player->err);
	if (!rc)
		player->live_count++;
	return rc;
}

static int hold(void *user, uint32_t stage)
{
	struct mx_pipeline_player *player = user;
	struct mx_stage_place *place =
		mx_stage_find_place(&player->stages[stage]);

	place->number = MX_CONTEXT_NONE;
	return submit(player, place, MX_SUBMIT_HELD);
}

/* The place of the job that is held, or (@number) of one that was started. */
static struct mx_stage_place *place_of(struct mx_pipeline_player *player,
				       uint32_t stage, uint32_t number)
{
	struct mx_stage_place *place = player->stages[stage].places;

	while (!place->job || place->number != number)
		place++;
	return place;
}

static int drop(void *user, uint32_t stage)
{
	mx_job_cancel(place_of(user, stage, MX_CONTEXT_NONE)->job);
	return 0;
}

/* As many as the context knows of. */
static int make_room(struct mx_pipeline_visit *visit, struct mx_err *err)
{
	const uint32_t count = mx_context_job_count(visit->context);
	struct mx_stage_job *jobs;

	if (count <= visit->job_room)
		return 0;
	jobs = reallocarray(visit->jobs, count, sizeof(*jobs));
	if (!jobs)
		return mx_fail(err, ENOMEM, "%s: no memory for %u jobs",
			       visit->picture->path, count);
	memset(jobs + visit->job_room, 0,
	       (count - visit->job_room) * sizeof(*jobs));
	visit->jobs = jobs;
	visit->job_room = count;
	return 0;
}

/* Which part of the picture a job looks at. */
static struct mx_image_part part_of(const struct mx_pipeline_player *player,
				    const struct mx_context_job *job)
{
	const struct mx_pipeline_visit *visit = &player->visit;
	const struct mx_photo *picture = visit->picture;
	const struct mx_image_part all = {
		.width = picture->width,
		.height = picture->height,
	};
	const struct mx_image_part *box;
	struct mx_area area;

	if (job->origin == MX_CONTEXT_NONE)
		return all;
	box = &visit->jobs[job->origin].parts[job->finding];
	area.left = box->left;
	area.top = box->top;
	area.right = area.left + box->width;
	area.bottom = area.top + box->height;
	return mx_photo_part(picture->width, picture->height, &area,
			     player->stages[job->stage].plan->grow);
}

static int start(void *user, uint32_t number, int held)
{
	struct mx_pipeline_player *player = user;
	struct mx_pipeline_visit *visit = &player->visit;
	const struct mx_context_job *job =
		mx_context_job(visit->context, number);
	struct mx_stage_place *place;
	int rc;

	rc = make_room(visit, player->err);
	if (rc)
		return rc;
	place = held ? place_of(player, job->stage, MX_CONTEXT_NONE)
		     : mx_stage_find_place(&player->stages[job->stage]);
	place->number = number;
	visit->jobs[number].part = part_of(player, job);
	rc = mx_stage_fill(place, visit->picture, &visit->jobs[number].part,
			   player->err);
	if (rc)
		return rc;
	return held ? mx_job_release(place->job, NULL, player->err)
		    : submit(player, place, 0);
}

static int cancel(void *user, uint32_t number)
{
	struct mx_pipeline_player *player = user;
	const struct mx_context_job *job =
		mx_context_job(player->visit.context, number);

	mx_job_cancel(place_of(player, job->stage, number)->job);
	return 0;
}

static const struct mx_context_ops context_ops = {hold, drop, start, cancel};

/* ---- a job that has ended ---- */

static void keep_times(struct mx_task_times *out,
		       const struct mx_job_times *times)
{
	*out = (struct mx_task_times){
		.arrival_ns = times->arrival_ns,
		.finish_ns = times->finish_ns,
		.wait_ns = times->start_ns - times->arrival_ns,
		.stall_ns = times->stall_ns,
		.compute_ns = times->compute_ns,
		.response_ns = times->finish_ns - times->arrival_ns,
	};
}

/* "[PICTURE/]STAGE[/NUMBER]", heap; NULL: no memory. */
static char *output_name(const struct mx_pipeline_player *player,
			 const struct mx_context_job *job)
{
	const struct mx_pipeline_stage *plan = player->stages[job->stage].plan;
	char *name, *stem = NULL, number[16] = "";
	int rc;

	if (plan->each != MX_CONTEXT_NONE)
		(void)snprintf(number, sizeof(number), "/%u", job->number);
	if (player->picture_count == 1) {
		rc = asprintf(&name, "%s%s", plan->name, number);
	} else {
		stem = mx_file_stem(player->visit.picture->path, NULL);
		rc = stem ? asprintf(&name, "%s/%s%s", stem, plan->name, number)
			  : -1;
		free(stem);
	}
	return rc < 0 ? NULL : name;
}

static int write_outputs(const struct mx_pipeline_player *player,
			 const struct mx_stage_place *place)
{
	char *name = output_name(
		player, mx_context_job(player->visit.context, place->number));
	int rc;

	if (!name)
		return mx_fail(player->err, ENOMEM, "%s: no memory",
			       player->opts->output);
	rc = mx_result_write(&place->stage->result, player->opts->output, name,
			     player->err);
	free(name);
	return rc;
}

/* Of a job that was skipped when it had answered already. */
static int remove_outputs(const struct mx_pipeline_player *player,
			  uint32_t number)
{
	const struct mx_context_job *job =
		mx_context_job(player->visit.context, number);
	const struct mx_stage *stage = &player->stages[job->stage];
	char *name = output_name(player, job), *path;
	uint32_t i;
	int rc = name ? 0 : -1;

	for (i = 0; rc >= 0 && i <= stage->result.net->output_count; i++) {
		/* The directory comes last. */
		rc = i < stage->result.net->output_count
			     ? asprintf(&path, "%s/%s/output_%u.npy",
					player->opts->output, name, i)
			     : asprintf(&path, "%s/%s", player->opts->output,
					name);
		if (rc >= 0) {
			(void)remove(path);
			free(path);
		}
	}
	free(name);
	return rc < 0 ? mx_fail(player->err, ENOMEM, "%s: no memory",
				player->opts->output)
		      : 0;
}

static int read_answer(struct mx_pipeline_player *player,
		       struct mx_stage_place *place, struct mx_stage_job *out)
{
	int rc;

	rc = mx_stage_read(place, player->visit.picture, out, player->err);
	if (!rc && player->opts->output)
		rc = write_outputs(player, place);
	return rc;
}

/* It has failed: one line is the program's error, the others' the log's. */
static void keep_fault(struct mx_pipeline_player *player,
		       struct mx_stage_job *out, int status,
		       const struct mx_err *why)
{
	out->fault = strdup(why->text);
	if (!player->status)
		player->status = mx_fail(player->err, -status, "%s", why->text);
	else
		mx_log(player->opts->session.log, MX_LOG_ERROR, "%s",
		       why->text);
}

/* Gives its place up. Returns 0, or why the pipeline cannot go on. */
static int collect(struct mx_pipeline_player *player, struct mx_job *job)
{
	struct mx_stage_place *place = mx_job_user(job);
	struct mx_pipeline_visit *visit = &player->visit;
	const uint32_t number = place->number;
	struct mx_stage_job *out;
	struct mx_answer answer = {.finding_count = 0};
	struct mx_job_times times;
	struct mx_err why = {""};
	int rc = 0, status;

	status = mx_job_wait(job, &times, &why);
	if (number != MX_CONTEXT_NONE) {
		out = &visit->jobs[number];
		keep_times(&out->times, &times);
		if (!status) {
			rc = read_answer(player, place, out);
			answer = mx_stage_answer(place->stage, out);
		} else if (status != -ECANCELED) {
			keep_fault(player, out, status, &why);
		}
	}
	mx_job_free(job);
	place->job = NULL;
	player->live_count--;
	if (rc || number == MX_CONTEXT_NONE)
		return rc;
	return mx_context_ended(visit->context, number, status, &answer);
}

/* ---- a picture ---- */

/* Jobs that were not decided before their picture was given up. */
static void mark_given_up(const struct mx_pipeline_visit *visit)
{
	const uint32_t count = mx_context_job_count(visit->context);
	uint32_t i;

	for (i = 0; i < count && i < visit->job_room; i++)
		if (mx_context_job(visit->context, i)->state <
			    MX_CONTEXT_FINISHED &&
		    !visit->jobs[i].fault)
			visit->jobs[i].fault = strdup("given up");
}

/* No job of the picture is left in the engine, and none will come. */
static void give_up(struct mx_pipeline_player *player)
{
	struct mx_job *job;
	uint32_t i, k;

	for (i = 0; i < player->pipeline.stage_count; i++)
		for (k = 0; k < player->pipeline.stages[i].at_once; k++)
			if (player->stages[i].places[k].job)
				mx_job_cancel(player->stages[i].places[k].job);
	while (player->live_count &&
	       !mx_engine_next_ended(player->session.engine, MX_TIME_NEVER,
				     &job)) {
		struct mx_stage_place *place = mx_job_user(job);

		mx_job_free(job);
		place->job = NULL;
		player->live_count--;
	}
}

static void learn(struct mx_pipeline_player *player)
{
	const struct mx_context *context = player->visit.context;
	const uint32_t count = mx_context_job_count(context);
	uint32_t stage, i;
	int ran;

	for (stage = 0; stage < player->pipeline.stage_count; stage++) {
		ran = 0;
		for (i = 0; i < count; i++)
			ran |= mx_context_job(context, i)->stage == stage &&
			       mx_context_job(context, i)->started;
		mx_chance_learn(&player->stages[stage].chance, ran);
	}
}

/* Files of answers that do not count. */
static int tidy(const struct mx_pipeline_player *player)
{
	const struct mx_pipeline_visit *visit = &player->visit;
	uint32_t i;
	int rc = 0;

	for (i = 0; !rc && player->opts->output && i < visit->job_room; i++)
		if (visit->jobs[i].outputs &&
		    mx_context_job(visit->context, i)->state !=
			    MX_CONTEXT_FINISHED)
			rc = remove_outputs(player, i);
	return rc;
}

static int go_through(struct mx_pipeline_player *player)
{
	struct mx_job *job;
	int rc;

	rc = mx_context_begin(player->visit.context);
	while (!rc && player->live_count) {
		rc = mx_session_next_ended(&player->session, MX_TIME_NEVER,
					   &job);
		if (!rc)
			rc = collect(player, job);
		else
			rc = mx_session_say_over(&player->session, rc,
						 player->live_count,
						 player->err);
	}
	if (rc)
		give_up(player);
	assert(rc || mx_context_is_over(player->visit.context));
	return rc;
}

static void fini_visit(struct mx_pipeline_visit *visit)
{
	uint32_t i;

	for (i = 0; i < visit->job_room; i++)
		mx_stage_job_fini(&visit->jobs[i]);
	free(visit->jobs);
	mx_context_free(visit->context);
}

static int visit_picture(struct mx_pipeline_player *player,
			 struct mx_photo *picture, size_t round,
			 struct mx_pipeline_report *report)
{
	struct mx_pipeline_visit *visit = &player->visit;
	struct mx_err why;
	int rc, status;

	*visit = (struct mx_pipeline_visit){
		.pipeline = &player->pipeline,
		.stages = player->stages,
		.round = round,
		.picture = picture,
	};
	rc = mx_photo_load(picture, player->err);
	if (!rc)
		rc = mx_context_new(&visit->context, player->rules,
				    player->pipeline.stage_count, &context_ops,
				    player, player->err);
	if (rc)
		return rc;
	visit->arrival_ns = mx_engine_now(player->session.engine);
	rc = go_through(player);
	player->arrival++;
	learn(player);
	/* What the picture has come to is told, and tidy, in any case. */
	status = make_room(visit, rc ? &why : player->err);
	if (rc)
		mark_given_up(visit);
	if (!status)
		status = tidy(player);
	if (!status)
		status = mx_pipeline_report_picture(report, visit,
						    rc ? &why : player->err);
	fini_visit(visit);
	return rc ? rc : status;
}

static int play(struct mx_pipeline_player *player)
{
	const size_t count = player->picture_count;
	struct mx_pipeline_report report;
	struct mx_err why = {""};
	size_t round, i, k;
	int rc, status;

	rc = mx_pipeline_report_init(&report, &player->session,
				     player->opts->json, player->err);
	if (rc)
		return rc;
	for (round = 0; !rc && round < player->opts->repeat; round++)
		for (i = 0; !rc && !player->status && i < count; i++) {
			/* One picture in memory. */
			for (k = 0; k < count; k++)
				if (k != i)
					mx_photo_unload(&player->pictures[k]);
			rc = visit_picture(player, &player->pictures[i], round,
					   &report);
		}
	/* What there is, is told. */
	status = mx_pipeline_report_end(&report, rc ? &why : player->err);
	mx_pipeline_report_fini(&report);
	if (!rc)
		rc = player->status ? player->status : status;
	return rc;
}

int mx_pipeline_run(const struct mx_pipeline_opts *opts, char *const *pictures,
		    size_t count, struct mx_err *err)
{
	struct mx_pipeline_player player;
	int rc;

	rc = mx_pipeline_player_init(&player, opts, pictures, count, err);
	if (!rc) {
		rc = play(&player);
		rc = mx_session_end(&player.session, 0, rc, err);
	}
	mx_pipeline_player_fini(&player);
	return rc;
}
