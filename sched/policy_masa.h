/*
 * masa (sched/masa.h) on layer tasks.
 */
#ifndef MX_SCHED_POLICY_MASA_H
#define MX_SCHED_POLICY_MASA_H

#include "sched/tasks.h"

/* The policy's own is a struct mx_masa. */
extern const struct mx_tasks_rules mx_masa_rules;

#endif
