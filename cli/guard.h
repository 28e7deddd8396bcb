/*
 * Guard: the wall of this process, and the promise that it is taken down
 * whatever ends the program: SIGINT, SIGTERM and SIGHUP remove the cgroup and
 * end it with 128 + their number.
 *
 * A signal handler can be told nothing, so that there is one guard in a
 * process and this file has the only variable of the program.
 *
 * Threads: the main thread, before any other is made.
 */
#ifndef MX_CLI_GUARD_H
#define MX_CLI_GUARD_H

#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_wall;

/* No wall is lower than what the process holds and this: so much it takes to
 * open OpenBLAS and to say that a budget is too small. */
#define MX_GUARD_BYTES_MIN ((uint64_t)4 << 20)

/*
 * Raise a wall of @limit_bytes, or the least there is, as struct mx_wall_opts
 * has it ("off": the signals alone). mx_guard_lower() ends it.
 * Returns as mx_wall_raise().
 */
int mx_guard_raise(struct mx_wall **out, const char *mode, uint64_t limit_bytes,
		   const struct mx_log *log, struct mx_err *err);

/* No thread but the caller's is left that could be charged. NULL is fine. */
void mx_guard_lower(struct mx_wall *wall);

#endif
