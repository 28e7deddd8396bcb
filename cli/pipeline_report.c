#include "cli/pipeline_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/number.h"
#include "cli/pipeline_run.h"
#include "cli/run_report.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"

int mx_pipeline_report_init(struct mx_pipeline_report *report,
			    const struct mx_session *session, int is_json,
			    struct mx_err *err)
{
	struct mx_run_totals totals;
	int rc;

	*report = (struct mx_pipeline_report){
		.session = session,
		.is_json = is_json,
	};
	if (!is_json)
		return 0;
	rc = mx_run_totals_init(&totals, session, NULL, 0, err);
	if (rc)
		return rc;
	mx_json_init(&report->json, stdout);
	mx_json_object(&report->json, NULL);
	mx_run_totals_json_head(&report->json, &totals);
	mx_json_array(&report->json, "jobs");
	return 0;
}

void mx_pipeline_report_fini(struct mx_pipeline_report *report)
{
	free(report->times);
	report->times = NULL;
}

static int keep_times(struct mx_pipeline_report *report,
		      const struct mx_task_times *times, struct mx_err *err)
{
	struct mx_task_times *grown;
	size_t room;

	if (report->time_count == report->time_room) {
		room = report->time_room ? 2 * report->time_room : 64;
		grown = reallocarray(report->times, room, sizeof(*grown));
		if (!grown)
			return mx_fail(err, ENOMEM,
				       "run: no memory for its report");
		report->times = grown;
		report->time_room = room;
	}
	report->times[report->time_count++] = *times;
	return 0;
}

/* ---- text ---- */

static void print_part(const struct mx_image_part *part)
{
	printf("%" PRIu32 "x%" PRIu32 "+%" PRIu32 "+%" PRIu32, part->width,
	       part->height, part->left, part->top);
}

static void print_findings(const struct mx_stage *stage,
			   const struct mx_stage_job *job)
{
	uint32_t i;

	for (i = 0; i < job->finding_count; i++) {
		const struct mx_finding *finding = &job->findings[i];

		printf("    %10.6g  %5" PRIu32, (double)finding->score,
		       finding->class_index);
		if (stage->plan->detects) {
			printf("  ");
			print_part(&job->parts[i]);
		}
		printf("%s%s\n", finding->label ? "  " : "",
		       finding->label ? finding->label : "");
	}
}

static void print_note(const struct mx_output_note *note)
{
	size_t i;

	for (i = 0; note->count <= MX_OUTPUT_WHOLE_MAX && i < note->count; i++)
		printf(" %.6g", (double)note->whole[i]);
	if (note->count > MX_OUTPUT_WHOLE_MAX)
		printf(" min %.6g max %.6g mean %.6g",
		       (double)note->summary.min, (double)note->summary.max,
		       note->summary.mean);
	printf("\n");
}

static void print_answer(const struct mx_stage *stage,
			 const struct mx_stage_job *job)
{
	const struct mx_result *result = &stage->result;
	char text[MX_SHAPE_TEXT_BYTES];
	uint32_t i;

	if (stage->plan->detects) {
		printf("    %" PRIu32 " found\n", job->finding_count);
		print_findings(stage, job);
		return;
	}
	for (i = 0; i < result->net->output_count; i++) {
		printf("    %s %s:", mx_result_name(result, i),
		       mx_shape_text(&result->outputs[i].shape, text));
		if (i == stage->output) {
			printf("\n");
			print_findings(stage, job);
		} else {
			print_note(&job->outputs[i]);
		}
	}
}

static void print_job(const struct mx_pipeline_visit *visit, uint32_t index)
{
	const struct mx_context_job *at = mx_context_job(visit->context, index);
	const struct mx_stage *stage = &visit->stages[at->stage];
	const struct mx_stage_job *job = &visit->jobs[index];

	printf("  %s", stage->plan->name);
	if (stage->plan->each != MX_CONTEXT_NONE)
		printf(" %" PRIu32, at->number);
	if (job->part.width) {
		printf("  ");
		print_part(&job->part);
	}
	printf("%s\n", at->state == MX_CONTEXT_SKIPPED
			       ? at->started ? "  cancelled" : "  skipped"
			       : "");
	if (job->fault)
		printf("    failed: %s\n", job->fault);
	else if (at->state == MX_CONTEXT_FINISHED)
		print_answer(stage, job);
	if (at->started) {
		printf("    ");
		mx_run_times_text(&job->times);
	}
}

/* ---- JSON ---- */

static void json_box(struct mx_json *json, const char *name,
		     const struct mx_image_part *part)
{
	mx_json_object(json, name);
	mx_json_u64(json, "left", part->left);
	mx_json_u64(json, "top", part->top);
	mx_json_u64(json, "width", part->width);
	mx_json_u64(json, "height", part->height);
	mx_json_object_end(json);
}

static void json_findings(struct mx_json *json, const struct mx_stage *stage,
			  const struct mx_stage_job *job)
{
	uint32_t i;

	/* Every job has its top classes, if any. */
	mx_json_array(json, "top");
	if (stage->plan->detects) {
		mx_json_array_end(json);
		mx_json_array(json, "detections");
	}
	for (i = 0; i < job->finding_count; i++) {
		const struct mx_finding *finding = &job->findings[i];

		mx_json_object(json, NULL);
		mx_json_u64(json, "index", finding->class_index);
		mx_json_string(json, "label", finding->label);
		mx_json_number(json, "score", (double)finding->score);
		if (stage->plan->detects)
			json_box(json, "box", &job->parts[i]);
		mx_json_object_end(json);
	}
	mx_json_array_end(json);
}

static void json_output(struct mx_json *json, const struct mx_result *result,
			uint32_t index, const struct mx_output_note *note)
{
	const struct mx_shape *shape = &result->outputs[index].shape;
	size_t i;

	mx_json_object(json, NULL);
	mx_json_string(json, "name", mx_result_name(result, index));
	mx_json_array(json, "shape");
	for (i = 0; i < shape->rank; i++)
		mx_json_u64(json, NULL, shape->dim[i]);
	mx_json_array_end(json);
	mx_json_number(json, "min", (double)note->summary.min);
	mx_json_number(json, "max", (double)note->summary.max);
	mx_json_number(json, "mean", note->summary.mean);
	if (note->count <= MX_OUTPUT_WHOLE_MAX) {
		mx_json_array(json, "values");
		for (i = 0; i < note->count; i++)
			mx_json_number(json, NULL, (double)note->whole[i]);
		mx_json_array_end(json);
	}
	mx_json_object_end(json);
}

/* Where it stands among the stages, and what it looked at. */
static void json_place(struct mx_json *json,
		       const struct mx_pipeline_report *report,
		       const struct mx_pipeline_visit *visit, uint32_t index)
{
	const struct mx_context_job *at = mx_context_job(visit->context, index);
	const struct mx_pipeline_stage *plan = visit->stages[at->stage].plan;
	const struct mx_stage_job *job = &visit->jobs[index];
	const char *parent = NULL;

	if (plan->each != MX_CONTEXT_NONE)
		parent = visit->stages[plan->each].plan->name;
	else if (plan->after_count)
		parent = visit->stages[plan->after[0]].plan->name;
	mx_json_string(json, "stage", plan->name);
	mx_json_string(json, "network", visit->stages[at->stage].task->name);
	mx_json_string(json, "input", visit->picture->path);
	mx_json_u64(json, "round", visit->round);
	mx_json_string(json, "parent", parent);
	if (at->origin == MX_CONTEXT_NONE) {
		mx_json_null(json, "parent_job");
		mx_json_null(json, "detection");
	} else {
		mx_json_u64(json, "parent_job",
			    report->told_count + at->origin);
		mx_json_u64(json, "detection", at->finding);
	}
	if (job->part.width)
		json_box(json, "box", &job->part);
	else
		mx_json_null(json, "box");
}

static void json_job(struct mx_pipeline_report *report,
		     const struct mx_pipeline_visit *visit, uint32_t index)
{
	const struct mx_context_job *at = mx_context_job(visit->context, index);
	const struct mx_stage *stage = &visit->stages[at->stage];
	const struct mx_stage_job *job = &visit->jobs[index];
	struct mx_task_times times = job->times;
	struct mx_json *json = &report->json;
	uint32_t i;

	if (!at->started)
		times.arrival_ns = visit->arrival_ns;
	mx_json_object(json, NULL);
	json_place(json, report, visit, index);
	mx_run_times_json(json, &times);
	mx_json_bool(json, "skipped", at->state == MX_CONTEXT_SKIPPED);
	mx_json_bool(json, "started", at->started);
	mx_json_string(json, "error", job->fault);
	if (at->state == MX_CONTEXT_FINISHED) {
		json_findings(json, stage, job);
		mx_json_array(json, "outputs");
		for (i = 0; i < stage->result.net->output_count; i++)
			json_output(json, &stage->result, i, &job->outputs[i]);
		mx_json_array_end(json);
	}
	mx_json_object_end(json);
}

/* ---- both ---- */

int mx_pipeline_report_picture(struct mx_pipeline_report *report,
			       const struct mx_pipeline_visit *visit,
			       struct mx_err *err)
{
	const uint32_t count = mx_context_job_count(visit->context);
	uint32_t i;
	int rc = 0;

	if (!report->is_json)
		printf("%s  %" PRIu32 " x %" PRIu32 "\n", visit->picture->path,
		       visit->picture->width, visit->picture->height);
	for (i = 0; i < count; i++) {
		if (report->is_json)
			json_job(report, visit, i);
		else
			print_job(visit, i);
		if (!rc && mx_context_job(visit->context, i)->state ==
				   MX_CONTEXT_FINISHED)
			rc = keep_times(report, &visit->jobs[i].times, err);
	}
	report->told_count += count;
	/* What has been found out is seen, whatever comes. */
	(void)fflush(stdout);
	return rc;
}

int mx_pipeline_report_end(struct mx_pipeline_report *report,
			   struct mx_err *err)
{
	struct mx_run_totals totals;
	int rc;

	rc = mx_run_totals_init(&totals, report->session, report->times,
				report->time_count, err);
	if (!report->is_json) {
		if (!rc)
			mx_run_totals_text(&totals);
		return rc;
	}
	mx_json_array_end(&report->json);
	if (!rc)
		mx_run_totals_json(&report->json, &totals);
	mx_json_object_end(&report->json);
	return rc;
}
