/*
 * Failing calls: FAULT() defines the wrapper of a call that the test's first
 * line wraps; while faults are armed, the n-th wrapped call fails, or kills
 * the process.
 */
#ifndef MX_TESTS_FAULTS_H
#define MX_TESTS_FAULTS_H

#include <errno.h>
#include <signal.h>

struct faults {
	long left; /* calls until the one that fails; negative: none will */
	int fired; /* the errno that was set; 0: none yet */
	int kill; /* 1: SIGKILL instead */
};

static struct faults faults = {.left = -1};

__attribute__((unused)) static void faults_arm(long nth)
{
	faults = (struct faults){.left = nth};
}

/* 1 if the armed fault was met; no fault is armed any more. */
__attribute__((unused)) static int faults_disarm(void)
{
	const int fired = faults.fired;

	faults = (struct faults){.left = -1};
	return fired;
}

__attribute__((unused)) static int fault(int errnum)
{
	if (faults.left < 0 || faults.left-- > 0)
		return 0;
	if (faults.kill)
		(void)raise(SIGKILL);
	faults.fired = errnum;
	errno = errnum;
	return 1;
}

#define FAULT(type, name, params, args, errnum, failure)                       \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		return fault(errnum) ? failure : __real_##name args;           \
	}

#endif
