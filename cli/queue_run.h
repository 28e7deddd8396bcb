/*
 * A workload on the engine, in real time.
 */
#ifndef MX_CLI_QUEUE_RUN_H
#define MX_CLI_QUEUE_RUN_H

struct mx_err;
struct mx_queue_result;
struct mx_session;
struct mx_workload;

/*
 * Play @workload on @session, which has been opened for its specs with
 * MX_SESSION_BORROWS and not started; the engine and the wall are gone
 * afterwards. @result has room for the jobs and no record yet; it has what came
 * of them also when this fails. A job that fails does not stop the others.
 *
 * Returns 0; -ECANCELED if a signal came that mx_cli_hold_signals() holds,
 * -ETIME if the session's time was over (jobs that had not ended are PENDING);
 * the first failure's status otherwise, and what mx_session_start() returns.
 */
int mx_queue_run(struct mx_queue_result *result, struct mx_workload *workload,
		 struct mx_session *session, struct mx_err *err);

#endif
