/*
 * What goes on beside a session's jobs: its time limit, signals that are held
 * (mx_cli_hold_signals()), and its trace.
 */
#ifndef MX_CLI_SESSION_WATCH_H
#define MX_CLI_SESSION_WATCH_H

#include <stdint.h>

struct mx_board_net;
struct mx_err;
struct mx_job;
struct mx_session;
struct mx_trace_page;

/* What a trace takes: in a run under a budget that was asked for, in another
 * run (set aside both times, and counted), and of a simulation at most. */
#define MX_SESSION_TRACE_BYTES ((size_t)2 << 20)
#define MX_SESSION_TRACE_BYTES_FREE ((size_t)8 << 20)
#define MX_SESSION_TRACE_BYTES_SIMULATED ((size_t)64 << 20)

/*
 * If the session wants a trace: make it, and put it before its observers.
 * @maps: what a simulation plays, in the order of mx_session_add(), and stays
 * while it does; NULL: the engine, which is not open yet.
 * Returns 0; -ENOMEM; -errno if its file could not be written.
 */
int mx_session_trace(struct mx_session *session,
		     const struct mx_board_net *maps, struct mx_err *err);

/*
 * mx_engine_next_ended() of the session's engine; meanwhile the trace notes
 * what is charged. Also returns -ETIME when the session's time is over, and
 * -ECANCELED if a signal has come.
 */
int mx_session_next_ended(struct mx_session *session, uint64_t until_ns,
			  struct mx_job **out);

/* The message for -ETIME or -ECANCELED of mx_session_next_ended(), when @left
 * jobs had not ended. Returns @status. */
int mx_session_say_over(const struct mx_session *session, int status,
			uint64_t left, struct mx_err *err);

/*
 * The engine and the wall go; then, without a limit around it, the trace is
 * written, if the session was started and has one. The tasks stay. @begin_ns,
 * on the engine's clock, is 0 in the file.
 *
 * @status is what the jobs came to: it is returned if it is not 0, with @err
 * as it was, and a trace that cannot be written is the log's. Else returns 0
 * or -errno.
 */
int mx_session_end(struct mx_session *session, uint64_t begin_ns, int status,
		   struct mx_err *err);

/* Write a simulation's trace, of which @like has all but the networks. */
int mx_session_write_trace(struct mx_session *session,
			   const struct mx_trace_page *like,
			   struct mx_err *err);

#endif
