/*
 * Wall: a memory cgroup around this process, so that the budget is a limit
 * that the kernel holds, without swap. The cgroup is made inside the one the
 * process is in, and so never escapes a limit that is there already. No
 * cgroup, no controller or no permission is a supported state: "off".
 *
 * What the process has touched before the wall is raised stays charged
 * outside. Raise it as early as may be.
 *
 * Threads: mx_wall_raise() belongs before the first thread; it may fork a
 * process that does the work and ends. After that, any thread may call any
 * function. A killed run leaves an empty cgroup, which the next raise beside
 * it removes.
 */
#ifndef MX_PAGER_WALL_H
#define MX_PAGER_WALL_H

#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_wall;

struct mx_wall_opts {
	/*
	 * "auto":    a wall if one can be had, else one line in the log
	 * "off":     none
	 * "require": a wall or an error
	 * else:      the cgroup, existing, to make ours in: its directory, or
	 *            its path below the hierarchy's root. It may lie outside
	 *            the limits of the one we are in. An error if impossible.
	 */
	const char *mode;
	uint64_t limit_bytes; /* not 0; the kernel rounds it down to pages */
	const struct mx_log *log;
};

/*
 * Make the cgroup, limit it, and move this process in. mx_wall_lower() ends
 * it. A signal whose handler calls mx_wall_emergency() is to be blocked
 * meanwhile: before *@out is set, nobody can clean up.
 *
 * Returns 0; -EINVAL if an option makes no sense or PATH is no cgroup; -ENOSYS
 * if a wall was required and cannot be had, the message says why and what
 * helps; -ENOMEM.
 */
int mx_wall_raise(struct mx_wall **out, const struct mx_wall_opts *opts,
		  struct mx_err *err);

/* Move the process, with its threads, back to where it was and remove the
 * cgroup; it stays while a process that this one forked lives in it. Handlers
 * that know @wall are gone by now. NULL is fine. */
void mx_wall_lower(struct mx_wall *wall);

/* What mx_wall_lower() does, but for freeing @wall: safe in a signal handler,
 * to be followed by the end of the process. NULL is fine. */
void mx_wall_emergency(const struct mx_wall *wall);

/* The charge now, and the most there was. Returns 0; -ENODATA if that is not
 * known (no wall; before Linux 5.19 v2 has no peak). */
int mx_wall_current_bytes(const struct mx_wall *wall, uint64_t *out);
int mx_wall_peak_bytes(const struct mx_wall *wall, uint64_t *out);

/* "v1 /PATH", "v2 /PATH" or "off: WHY"; lives as long as @wall. */
const char *mx_wall_describe(const struct mx_wall *wall);

/*
 * How much memory this process could have: the least of what the machine has
 * available and of what is left under each limit of the cgroups that it is
 * in, where page cache that can be given up counts as free.
 *
 * Returns 0, or -errno if /proc/meminfo cannot be read.
 */
int mx_wall_available_bytes(uint64_t *out, struct mx_err *err);

#endif
