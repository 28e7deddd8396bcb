#include "cli/session_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/guard.h"
#include "cli/number.h"
#include "cli/session.h"
#include "cli/trace_file.h"
#include "lib/err.h"
#include "lib/log.h"
#include "loader/mxload.h"
#include "pager/wall.h"
#include "sched/memexec.h"
#include "sched/process.h"
#include "sched/trace.h"

/* So often a trace has what is charged, and signals are looked for. */
#define WATCH_NS 10000000u

/* ---- the trace ---- */

/* The networks by their index in the engine; heap. */
static struct mx_trace_net *list_nets(const struct mx_session *session,
				      const struct mx_board_net *maps,
				      uint32_t *count)
{
	struct mx_trace_net *nets;
	size_t i;

	*count = 0;
	nets = calloc(session->task_count + 1, sizeof(*nets));
	for (i = 0; nets && i < session->task_count; i++) {
		if (session->tasks[i].sharer)
			continue;
		nets[*count].net = mx_model_network(session->tasks[i].model);
		nets[*count].map = maps ? &maps[*count] : NULL;
		++*count;
	}
	return nets;
}

int mx_session_trace(struct mx_session *session,
		     const struct mx_board_net *maps, struct mx_err *err)
{
	struct mx_session_opts *opts = &session->opts;
	struct mx_trace_opts trace = {
		.size_bytes = MX_SESSION_TRACE_BYTES_SIMULATED,
		.observer = opts->observer,
		.chunk_observer = opts->chunk_observer,
		.observer_user = opts->observer_user,
	};
	struct mx_trace_net *nets;
	int rc;

	if (!opts->trace)
		return 0;
	rc = mx_trace_file_check(opts->trace, err);
	if (rc)
		return rc;
	if (!maps) {
		trace.flags = MX_TRACE_SET_ASIDE;
		trace.size_bytes = opts->budget_bytes
					   ? MX_SESSION_TRACE_BYTES
					   : MX_SESSION_TRACE_BYTES_FREE;
	}
	nets = list_nets(session, maps, &trace.net_count);
	if (!nets)
		return mx_fail(err, ENOMEM, "trace %s: no memory", opts->trace);
	trace.nets = nets;
	rc = mx_trace_new(&session->trace, &trace, err);
	free(nets);
	if (rc)
		return rc;
	opts->observer = mx_trace_event;
	opts->chunk_observer = mx_trace_chunk;
	opts->observer_user = session->trace;
	return 0;
}

static void note_charge(struct mx_session *session, uint64_t now_ns)
{
	uint64_t bytes;

	if (now_ns < session->charge_due_ns)
		return;
	session->charge_due_ns = now_ns + WATCH_NS;
	if (!session->wall || mx_wall_current_bytes(session->wall, &bytes))
		bytes = mx_process_anonymous_bytes();
	mx_trace_charge(session->trace, now_ns, bytes);
}

int mx_session_write_trace(struct mx_session *session,
			   const struct mx_trace_page *like, struct mx_err *err)
{
	const size_t room = session->task_count + 1;
	struct mx_trace_page page = *like;
	const struct mx_network **nets;
	const char **names;
	size_t i;
	int rc;

	if (!session->trace)
		return 0;
	nets = calloc(room, sizeof(*nets));
	names = calloc(room, sizeof(*names));
	for (i = 0; nets && names && i < session->task_count; i++)
		if (!session->tasks[i].sharer) {
			nets[page.net_count] =
				mx_model_network(session->tasks[i].model);
			names[page.net_count++] = session->tasks[i].name;
		}
	page.trace = session->trace;
	page.nets = nets;
	page.names = names;
	rc = nets && names
		     ? mx_trace_file_write(&page, session->opts.trace, err)
		     : mx_fail(err, ENOMEM, "trace %s: no memory",
			       session->opts.trace);
	if (!rc && mx_trace_dropped(session->trace))
		mx_log(session->opts.log, MX_LOG_WARNING,
		       "trace %s: only the last %" PRIu64 " of %" PRIu64
		       " events: there is no room for more",
		       session->opts.trace, mx_trace_count(session->trace),
		       mx_trace_count(session->trace) +
			       mx_trace_dropped(session->trace));
	free(nets);
	free(names);
	mx_trace_free(session->trace);
	session->trace = NULL;
	return rc;
}

/* ---- running ---- */

int mx_session_next_ended(struct mx_session *session, uint64_t until_ns,
			  struct mx_job **out)
{
	const uint64_t deadline_ns = session->deadline_ns;
	uint64_t now_ns, next_ns;
	int rc;

	for (;;) {
		now_ns = mx_engine_now(session->engine);
		if (now_ns >= deadline_ns)
			return -ETIME;
		if (mx_cli_signal())
			return -ECANCELED;
		next_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
		if (session->trace) {
			note_charge(session, now_ns);
			if (next_ns > now_ns + WATCH_NS)
				next_ns = now_ns + WATCH_NS;
		}
		rc = mx_engine_next_ended(session->engine, next_ns, out);
		if (rc != -ETIMEDOUT ||
		    mx_engine_now(session->engine) >= until_ns)
			return rc;
	}
}

int mx_session_say_over(const struct mx_session *session, int status,
			uint64_t left, struct mx_err *err)
{
	char text[MX_TEXT_BYTES];

	if (status == -ECANCELED)
		return mx_fail(err, ECANCELED, "ended by a signal");
	return mx_fail(err, -status,
		       "timeout after %s: %" PRIu64 " job%s had not ended",
		       mx_text_ns(session->opts.timeout_ns, text), left,
		       left == 1 ? "" : "s");
}

int mx_session_end(struct mx_session *session, uint64_t begin_ns, int status,
		   struct mx_err *err)
{
	struct mx_trace_page page = {
		.budget_bytes = session->opts.budget_bytes,
		.begin_ns = begin_ns,
		.walled = session->wall != NULL,
	};
	struct mx_engine_totals totals;
	struct mx_err why;
	int rc;

	if (session->deadline_ns) {
		mx_engine_totals(session->engine, &totals);
		page.policy = totals.policy;
		page.base_bytes =
			totals.planned_peak_bytes - totals.planned_memory_bytes;
	}
	mx_engine_close(session->engine);
	session->engine = NULL;
	mx_guard_lower(session->wall);
	session->wall = NULL;
	if (!session->deadline_ns)
		return status;
	rc = mx_session_write_trace(session, &page, status ? &why : err);
	if (rc && status)
		mx_log(session->opts.log, MX_LOG_ERROR, "%s", why.text);
	return status ? status : rc;
}
