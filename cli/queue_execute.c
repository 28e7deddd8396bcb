#include "cli/queue_execute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/masa_profile.h"
#include "cli/queue_run.h"
#include "cli/queue_simulate.h"
#include "cli/workload.h"
#include "lib/err.h"
#include "lib/log.h"

#define TRACE_ENDING ".json"

void mx_queue_output_init(struct mx_queue_output *output,
			  const struct mx_queue_opts *opts, int many)
{
	*output = (struct mx_queue_output){.opts = opts, .many = many};
	mx_json_init(&output->json, stdout);
}

int mx_queue_output_end(struct mx_queue_output *output, struct mx_err *err)
{
	int rc = 0;

	if (output->opts->json && output->begun && output->many) {
		mx_json_array_end(&output->json);
		mx_json_object_end(&output->json);
	} else if (!output->opts->json && output->rows.count > 1) {
		printf("\n");
		rc = mx_queue_rows_print(&output->rows, err);
	}
	mx_queue_rows_fini(&output->rows);
	return rc;
}

static void print_json(struct mx_queue_output *output,
		       const struct mx_queue_page *page)
{
	struct mx_json *json = &output->json;

	if (!output->begun) {
		mx_json_object(json, NULL);
		mx_queue_report_begin(json);
		if (output->many)
			mx_json_array(json, "results");
	}
	if (output->many)
		mx_json_object(json, NULL);
	mx_queue_report_json(page, json);
	mx_json_object_end(json);
}

static int print_page(struct mx_queue_output *output,
		      const struct mx_queue_page *page, struct mx_err *err)
{
	int rc = 0;

	if (output->opts->json) {
		/* One object was promised. */
		if (!output->begun || output->many)
			print_json(output, page);
	} else {
		if (output->begun)
			printf("\n");
		rc = mx_queue_report_text(page, err);
	}
	output->begun = 1;
	/* What has been done is to be seen, whatever comes. */
	(void)fflush(stdout);
	return rc;
}

static int report(struct mx_queue_output *output,
		  const struct mx_session *session,
		  const struct mx_queue_result *result, struct mx_err *err)
{
	const struct mx_queue_opts *opts = output->opts;
	struct mx_queue_page page;
	char *stem = NULL;
	int rc;

	rc = mx_queue_page_init(&page, session, result, err);
	if (!rc)
		rc = print_page(output, &page, err);
	if (!rc && opts->directory) {
		if (asprintf(&stem, "%s%s%s", result->tag,
			     opts->policy_count ? "-" : "",
			     opts->policy_count ? result->policy : "") < 0)
			return mx_fail(err, ENOMEM, "queue: no memory");
		rc = mx_queue_report_files(&page, opts->directory, stem, err);
		free(stem);
	}
	if (!rc)
		rc = mx_queue_rows_add(&output->rows, &page, err);
	return rc;
}

/* Where a run's trace goes: of one of many, FILE-TAG-POLICY.json. Heap. */
static char *trace_path(const struct mx_queue_output *output,
			const struct mx_workload *workload, const char *policy)
{
	const char *file = output->opts->session.trace;
	size_t stem = strlen(file);
	char *path;

	if (!output->many)
		return strdup(file);
	if (stem > strlen(TRACE_ENDING) &&
	    !strcmp(file + stem - strlen(TRACE_ENDING), TRACE_ENDING))
		stem -= strlen(TRACE_ENDING);
	if (asprintf(&path, "%.*s-%s%s%s" TRACE_ENDING, (int)stem, file,
		     workload->tag, output->opts->policy_count ? "-" : "",
		     output->opts->policy_count ? policy : "") < 0)
		return NULL;
	return path;
}

/* What masa is to go by, when it is published and @session is masa's. */
static int describe(const struct mx_queue_opts *opts, const char *memory_key,
		    struct mx_session *session, struct mx_masa_profile **out,
		    struct mx_err *err)
{
	const struct mx_masa_profile_source source = {
		.networks_path = opts->networks_path,
		.memory_key = memory_key,
	};
	const char *policy = session->opts.policy;
	int rc;

	*out = NULL;
	if (!opts->masa_described || !policy || strcmp(policy, "masa") != 0)
		return 0;
	rc = mx_masa_profiles_read(out, session, &source, err);
	session->opts.masa_profiles = *out;
	return rc;
}

/* The opened session, played as asked. */
static int play(struct mx_queue_output *output, struct mx_workload *workload,
		struct mx_session *session, struct mx_queue_result *result,
		struct mx_err *err)
{
	const struct mx_queue_opts *opts = output->opts;
	const struct mx_queue_simulate_opts simulate = {
		.read_bytes_per_s = opts->read_bytes_per_s,
	};
	struct mx_err why;
	int rc, status;

	rc = opts->simulate ? mx_queue_simulate(result, workload, session,
						&simulate, err)
			    : mx_queue_run(result, workload, session, err);
	if (result->policy) {
		status = report(output, session, result, rc ? &why : err);
		if (rc && status)
			mx_log(session->opts.log, MX_LOG_ERROR, "%s", why.text);
		rc = rc ? rc : status;
	}
	return rc;
}

/* One run: what it did is told also when it failed. */
static int execute(struct mx_queue_output *output, struct mx_workload *workload,
		   struct mx_session_opts *session_opts, const char *memory_key,
		   struct mx_err *err)
{
	const struct mx_queue_opts *opts = output->opts;
	struct mx_masa_profile *profiles;
	struct mx_queue_result result;
	struct mx_session session;
	char *trace = NULL;
	int rc;

	rc = mx_queue_result_init(&result, workload, opts->top, err);
	if (rc)
		return rc;
	if (opts->session.trace) {
		trace = trace_path(output, workload, session_opts->policy);
		session_opts->trace = trace;
		if (!trace) {
			rc = mx_fail(err, ENOMEM, "queue: no memory");
			goto out;
		}
	}
	rc = mx_session_open(&session, session_opts, workload->specs,
			     workload->spec_count, err);
	if (rc)
		goto out;
	rc = describe(opts, memory_key, &session, &profiles, err);
	rc = rc ? rc : play(output, workload, &session, &result, err);
	mx_session_close(&session);
	free(profiles);
out:
	mx_queue_result_fini(&result);
	free(trace);
	return rc;
}

int mx_queue_execute(struct mx_queue_output *output,
		     struct mx_workload *workload,
		     const struct mx_queue_own *own, struct mx_err *err)
{
	const struct mx_queue_opts *opts = output->opts;
	struct mx_session_opts session = opts->session;
	size_t i;
	int rc = 0;

	if (!session.budget_bytes)
		session.budget_bytes = own->budget_bytes;
	if (!session.workers)
		session.workers = own->workers;
	session.repeats = mx_workload_passes(workload);
	session.crowd = workload->job_count;
	session.flags |= MX_SESSION_BORROWS;
	session.policy = own->policy;
	if (!opts->policy_count)
		return execute(output, workload, &session, own->memory_key,
			       err);
	for (i = 0; !rc && i < opts->policy_count; i++) {
		session.policy = opts->policies[i];
		rc = execute(output, workload, &session, own->memory_key, err);
	}
	return rc;
}
