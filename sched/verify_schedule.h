/*
 * Verify a schedule against an instance (the model is in sched/instance.h),
 * whoever made it. Nothing is shared with those who make schedules: every
 * constraint is looked at, at every start of a task.
 *
 * A reread counts like a LOAD: it has the storage for as long, and its bytes
 * from its start until they are gone.
 */
#ifndef MX_SCHED_VERIFY_SCHEDULE_H
#define MX_SCHED_VERIFY_SCHEDULE_H

struct mx_err;
struct mx_instance;
struct mx_schedule;

/* Returns 0, or -EINVAL with the first violation that was met: which
 * constraint, which tasks, which times. */
int mx_schedule_verify(const struct mx_schedule *schedule,
		       const struct mx_instance *instance, struct mx_err *err);

#endif
