/*
 * The managers' table: cgroup v1 and v2 differ here and nowhere else. A wall
 * that is off has the third manager, which does nothing.
 */
#ifndef MX_PAGER_WALL_IMPL_H
#define MX_PAGER_WALL_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "pager/cgroup_file.h"
#include "pager/cgroup_text.h"
#include "pager/wall.h"

struct mx_err;
struct mx_wall;

/* The files of a cgroup; NULL: there is no such file. */
struct mx_wall_files {
	const char *limit;
	const char *throttle; /* a second limit */
	const char *current;
	const char *peak;
	/* Keys of memory.stat that together are the page cache of the cgroup
	 * and of those below it. */
	const char *inactive_key;
	const char *active_key;
};

struct mx_wall_ops {
	const char *name;
	struct mx_wall_files files;
	/* Make wall->group, limit it, move in. What was done of it before a
	 * failure is undone by the caller. Returns 0 or -ENOSYS. */
	int (*raise)(struct mx_wall *wall, struct mx_err *err);
	/* Move out and remove the cgroup, as far as either is needed. Safe in
	 * a signal handler. */
	void (*lower)(const struct mx_wall *wall);
};

extern const struct mx_wall_ops mx_wall_v1;
extern const struct mx_wall_ops mx_wall_v2;
extern const struct mx_wall_ops mx_wall_none;

/* All places are in one hierarchy, mounted at one point. */
struct mx_wall {
	const struct mx_wall_ops *ops;
	uint64_t limit_bytes;
	struct mx_cgroup_place home; /* where we came from */
	struct mx_cgroup_place parent; /* where ours is made */
	struct mx_cgroup_place group; /* ours */
	char described[MX_CGROUP_FILE_BYTES];
	/* Made when raising, because a signal handler cannot. */
	char home_procs[MX_CGROUP_FILE_BYTES];
	char home_control[MX_CGROUP_FILE_BYTES];
	char group_dir[MX_CGROUP_FILE_BYTES];
	char group_procs[MX_CGROUP_FILE_BYTES];
};

/* Every cgroup of ours is PREFIX PID - START TIME. */
#define MX_WALL_PREFIX "memexec-"

/* Is it the name of a wall's cgroup whose process is gone? */
int mx_wall_is_stale(const char *name);

/*
 * This process's hierarchy with a memory controller, its manager, and our
 * place in it. @self and @mounts are as for mx_cgroup_text_place().
 *
 * Returns 0, or -ENOSYS if there is none: @err says what helps.
 */
int mx_wall_find(const char *self, const char *mounts,
		 const struct mx_wall_ops **ops, struct mx_cgroup_place *home,
		 struct mx_err *err);

/* mx_wall_find() for this process as it is now. */
int mx_wall_find_now(const struct mx_wall_ops **ops,
		     struct mx_cgroup_place *home, struct mx_err *err);

/* Could a cgroup be made in wall->parent? Returns 0 or -ENOSYS: @err says why
 * not, and that @help would. */
int mx_wall_check_parent(const struct mx_wall *wall, const char *help,
			 struct mx_err *err);

/* Write "0", which means the writer's whole process, to a cgroup.procs. */
#define MX_WALL_MYSELF "0"

/* rmdir() once the kernel has let go of the last thread. Safe in a signal
 * handler. */
void mx_wall_remove(const char *dir);

/* What is left under the limits of @place and of all above it. */
uint64_t mx_wall_room(const struct mx_wall_files *files,
		      const struct mx_cgroup_place *place);

struct mx_wall_value {
	const char *file;
	uint64_t value;
};

enum mx_wall_clerk_flags {
	/* Create wall->group and move this process in. Else it is there. */
	MX_WALL_ENTER = 1,
};

/*
 * What libcgroup does for us: remove stale cgroups from wall->parent, enter,
 * and set values, those alone whose file the cgroup has.
 *
 * libcgroup keeps 0.8 MiB of tables once it is initialised, a tenth of a small
 * budget, so that a process of its own does this and ends. What it forces on
 * the whole process (cgroup_init, the logger) stays there as well.
 *
 * Returns 0 or -ENOSYS.
 */
int mx_wall_clerk(struct mx_wall *wall, const struct mx_wall_value *values,
		  size_t value_count, unsigned flags, struct mx_err *err);

#endif
