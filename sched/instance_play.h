/*
 * An instance (sched/instance.h) played by a policy in the simulator, which
 * gives a schedule to compare with the best.
 *
 * Each layer is a layer of one step and one unit on the board, a job's arena
 * shrinks to what is needed from each layer on. So a board takes no less
 * memory than the model counts, and what it does keeps to the model.
 */
#ifndef MX_SCHED_INSTANCE_PLAY_H
#define MX_SCHED_INSTANCE_PLAY_H

#include "sched/instance.h"

struct mx_err;
struct mx_policy;

/*
 * The schedule of @policy, with its rereads. mx_schedule_fini() ends it.
 * budget_bytes is at least mx_instance_minimum_bytes().
 *
 * Returns 0 or what mx_simulate() returns.
 */
int mx_instance_play(struct mx_schedule *out,
		     const struct mx_instance *instance,
		     const struct mx_policy *policy, struct mx_err *err);

#endif
