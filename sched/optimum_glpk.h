/*
 * The optimum a second way: the model of sched/instance.h as a mixed integer
 * program, solved by GLPK. It is far slower than sched/optimum.h (16 tasks take
 * seconds, some minutes), and there to check it.
 *
 * It is in no library and not in the program: those who use it link its object,
 * and GLPK where there is one.
 *
 * Threads: GLPK's environment is the calling thread's.
 */
#ifndef MX_SCHED_OPTIMUM_GLPK_H
#define MX_SCHED_OPTIMUM_GLPK_H

#include <stdint.h>

struct mx_err;
struct mx_instance;

/*
 * The least sum of responses of @instance, whose loads take at least 1 ns.
 * GLPK is told to give up after @limit_s seconds.
 *
 * Returns 0; -EDQUOT if there is no schedule; -EAGAIN if it was not done in
 * time; -ENOSYS if it was built without GLPK; -EINVAL for too many tasks;
 * -ENOMEM.
 */
int mx_optimum_glpk(uint64_t *response_ns, const struct mx_instance *instance,
		    unsigned limit_s, struct mx_err *err);

#endif
