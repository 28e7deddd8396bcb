/*
 * Invariants of a wall that is up:
 *
 *  (1) home, parent and group are in one hierarchy; group is a child of
 *      parent, and parent is home unless the user named another.
 *  (2) The absolute paths are all that lowering needs, and nothing changes
 *      them: a handler may run at any time.
 *  (3) The group's name tells its process for good: a PID is used again, a
 *      PID with its start time is not. So who finds the group can tell
 *      whether it is stale.
 */
#include "pager/wall_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"

#define DECIMAL 10

static const struct {
	const char *controller; /* of v1; NULL: v2 */
	const struct mx_wall_ops *ops;
} managers[] = {
	{"memory", &mx_wall_v1},
	{NULL, &mx_wall_v2},
};

#define MANAGER_COUNT (sizeof(managers) / sizeof(managers[0]))

static void lower_nothing(const struct mx_wall *wall)
{
	(void)wall;
}

const struct mx_wall_ops mx_wall_none = {
	.name = "off",
	.lower = lower_nothing,
};

/* A v2 hierarchy may be mounted beside v1's and have no memory controller. */
static int has_memory(const char *controller, const char *point)
{
	struct mx_cgroup_place root = {.name = "/"};

	if (controller)
		return 1;
	memcpy(root.point, point, strlen(point) + 1);
	return mx_cgroup_file_has(&root, "cgroup.controllers", "memory");
}

int mx_wall_find(const char *self, const char *mounts,
		 const struct mx_wall_ops **ops, struct mx_cgroup_place *home,
		 struct mx_err *err)
{
	const char *why = "no cgroup hierarchy is mounted (as root: "
			  "mount -t cgroup2 none /sys/fs/cgroup)";
	size_t i;

	for (i = 0; i < MANAGER_COUNT; i++) {
		const char *controller = managers[i].controller;
		const int rc =
			mx_cgroup_text_place(self, mounts, controller, home);

		if (rc == -ENOENT)
			continue;
		if (rc) {
			why = rc == -EXDEV
				      ? "our cgroup is not below the cgroup "
					"mount (the container has to mount it)"
				      : "the path of our cgroup is too long";
			continue;
		}
		if (has_memory(controller, home->point)) {
			*ops = managers[i].ops;
			return 0;
		}
		why = "the memory controller is not available (on a Raspberry "
		      "Pi, add cgroup_enable=memory to cmdline.txt)";
	}
	return mx_fail(err, ENOSYS, "%s", why);
}

int mx_wall_find_now(const struct mx_wall_ops **ops,
		     struct mx_cgroup_place *home, struct mx_err *err)
{
	char *self = NULL, *mounts = NULL;
	int rc;

	rc = mx_cgroup_file_text("/proc/self/cgroup", &self);
	if (!rc)
		rc = mx_cgroup_file_text("/proc/self/mountinfo", &mounts);
	if (rc) {
		rc = mx_fail(err, ENOSYS,
			     "this kernel has no cgroups, or /proc is not "
			     "mounted: %s",
			     strerror(-rc));
		goto out;
	}
	rc = mx_wall_find(self, mounts, ops, home, err);
out:
	free(self);
	free(mounts);
	return rc;
}

/* When the process @pid began. Returns 0 or -errno: -ENOENT, -ESRCH if it is
 * gone. */
static int start_time(pid_t pid, uint64_t *out)
{
	char path[64], *text;
	int rc;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	rc = mx_cgroup_file_text(path, &text);
	if (rc)
		return rc;
	rc = mx_cgroup_text_start_time(text, out);
	free(text);
	return rc;
}

int mx_wall_is_stale(const char *name)
{
	uint64_t began, now;
	char *end, *last;
	long pid;
	int rc;

	if (strncmp(name, MX_WALL_PREFIX, strlen(MX_WALL_PREFIX)) != 0)
		return 0;
	name += strlen(MX_WALL_PREFIX);
	errno = 0;
	pid = strtol(name, &end, DECIMAL);
	if (errno || end == name || *end != '-' || pid <= 0)
		return 0;
	began = strtoumax(end + 1, &last, DECIMAL);
	if (errno || last == end + 1 || *last != '\0')
		return 0;
	rc = start_time((pid_t)pid, &now);
	if (rc)
		return rc == -ENOENT || rc == -ESRCH;
	return now != began;
}

/* PATH of the mode: a directory below the mount point, or a name. */
static int find_parent(struct mx_wall *wall, const char *path,
		       struct mx_err *err)
{
	const size_t point_len = strlen(wall->home.point);
	struct mx_cgroup_place *parent = &wall->parent;
	const char *name = path;
	int n;

	if (!strncmp(path, wall->home.point, point_len) &&
	    (path[point_len] == '/' || path[point_len] == '\0'))
		name = path + point_len;
	name += strspn(name, "/");
	n = snprintf(parent->name, sizeof(parent->name), "/%s", name);
	if (n < 0 || n >= (int)sizeof(parent->name))
		return mx_fail(err, EINVAL, "%s: the path is too long", path);
	while (n > 1 && parent->name[n - 1] == '/')
		parent->name[--n] = '\0';
	if (!mx_cgroup_file_exists(parent, "cgroup.procs"))
		return mx_fail(err, EINVAL, "%s: no such cgroup in %s", path,
			       wall->home.point);
	return 0;
}

static int name_group(struct mx_wall *wall)
{
	struct mx_cgroup_place *group = &wall->group;
	const char *parent = wall->parent.name;
	uint64_t began;
	int n, rc;

	rc = start_time(getpid(), &began);
	if (rc)
		return rc;
	*group = wall->parent;
	n = snprintf(group->name, sizeof(group->name),
		     "%s/" MX_WALL_PREFIX "%ld-%" PRIu64,
		     strcmp(parent, "/") ? parent : "", (long)getpid(), began);
	if (n < 0 || n >= (int)sizeof(group->name))
		return -ENAMETOOLONG;
	rc = mx_cgroup_file_path(wall->group_dir, group->point, group->name,
				 "");
	if (!rc)
		rc = mx_cgroup_file_path(wall->group_procs, group->point,
					 group->name, "cgroup.procs");
	if (!rc)
		rc = mx_cgroup_file_path(wall->home_procs, group->point,
					 wall->home.name, "cgroup.procs");
	return rc;
}

int mx_wall_check_parent(const struct mx_wall *wall, const char *help,
			 struct mx_err *err)
{
	char dir[MX_CGROUP_FILE_BYTES];
	int rc;

	rc = mx_cgroup_file_path(dir, wall->parent.point, wall->parent.name,
				 "");
	if (!rc && access(dir, W_OK | X_OK) < 0)
		rc = -errno;
	if (rc == -EACCES || rc == -EPERM)
		return mx_fail(err, ENOSYS,
			       "no permission to make a memory cgroup in %s "
			       "(%s)",
			       dir, help);
	if (rc)
		return mx_fail(err, ENOSYS,
			       "no memory cgroup can be made in %s: %s (%s)",
			       dir, strerror(-rc), help);
	return 0;
}

/* libcgroup may have another mount of the hierarchy in mind, and the kernel
 * may have put us where no limit is: look instead of trusting. */
static int check(const struct mx_wall *wall, struct mx_err *err)
{
	const struct mx_wall_ops *ops = NULL;
	struct mx_cgroup_place now;
	uint64_t limit_bytes;
	int rc;

	rc = mx_wall_find_now(&ops, &now, err);
	if (rc)
		return rc;
	if (ops != wall->ops || strcmp(now.name, wall->group.name) != 0)
		return mx_fail(err, ENOSYS, "we are not in %s but in %s",
			       wall->group.name, now.name);
	rc = mx_cgroup_file_value(&wall->group, ops->files.limit, &limit_bytes);
	if (rc || limit_bytes > wall->limit_bytes)
		return mx_fail(err, ENOSYS, "%s/%s does not hold",
			       wall->group_dir, ops->files.limit);
	return 0;
}

/* The whole work. On failure nothing of it is left. */
static int raise_it(struct mx_wall *wall, const char *path, struct mx_err *err)
{
	const struct mx_wall_ops *ops;
	int rc;

	rc = mx_wall_find_now(&ops, &wall->home, err);
	if (rc)
		return rc;
	wall->parent = wall->home;
	if (path) {
		rc = find_parent(wall, path, err);
		if (rc)
			return rc;
	}
	rc = name_group(wall);
	if (rc)
		return mx_fail(err, ENOSYS, "no name for a cgroup in %s: %s",
			       wall->parent.name, strerror(-rc));
	wall->ops = ops;
	rc = ops->raise(wall, err);
	if (!rc)
		rc = check(wall, err);
	if (rc) {
		ops->lower(wall);
		wall->ops = &mx_wall_none;
	}
	return rc;
}

static void describe(struct mx_wall *wall, const char *what)
{
	(void)snprintf(wall->described, sizeof(wall->described), "%s%s%s",
		       wall->ops->name, wall->ops == &mx_wall_none ? ": " : " ",
		       what);
}

int mx_wall_raise(struct mx_wall **out, const struct mx_wall_opts *opts,
		  struct mx_err *err)
{
	const char *path = NULL;
	struct mx_wall *wall;
	struct mx_err why;
	int rc;

	if (!opts->mode || !opts->mode[0] || opts->limit_bytes == 0)
		return mx_fail(err, EINVAL, "wall: no mode or no limit");
	wall = calloc(1, sizeof(*wall));
	if (!wall)
		return mx_fail(err, ENOMEM, "wall: no memory");
	wall->ops = &mx_wall_none;
	wall->limit_bytes = opts->limit_bytes;
	if (!strcmp(opts->mode, "off")) {
		describe(wall, "as asked");
		*out = wall;
		return 0;
	}
	if (strcmp(opts->mode, "auto") != 0 &&
	    strcmp(opts->mode, "require") != 0)
		path = opts->mode;
	rc = raise_it(wall, path, &why);
	if (rc && strcmp(opts->mode, "auto") != 0) {
		rc = mx_fail(err, -rc, "wall: %s", why.text);
		goto fail;
	}
	if (rc)
		mx_log(opts->log, MX_LOG_WARNING,
		       "wall: %s; the ledger holds alone", why.text);
	describe(wall, rc ? why.text : wall->group.name);
	*out = wall;
	return 0;

fail:
	mx_wall_lower(wall);
	return rc;
}

void mx_wall_remove(const char *dir)
{
	/* A thread that has just ended may still count as a member. */
	const struct timespec pause = {.tv_nsec = 1000000};
	int tries = 200;

	while (rmdir(dir) < 0 && errno == EBUSY && --tries > 0)
		(void)nanosleep(&pause, NULL);
}

void mx_wall_lower(struct mx_wall *wall)
{
	mx_wall_emergency(wall);
	free(wall);
}

void mx_wall_emergency(const struct mx_wall *wall)
{
	const int saved = errno;

	if (wall)
		wall->ops->lower(wall);
	errno = saved;
}

static int value_of(const struct mx_wall *wall, const char *file, uint64_t *out)
{
	if (!file || mx_cgroup_file_value(&wall->group, file, out))
		return -ENODATA;
	return 0;
}

int mx_wall_current_bytes(const struct mx_wall *wall, uint64_t *out)
{
	return value_of(wall, wall->ops->files.current, out);
}

int mx_wall_peak_bytes(const struct mx_wall *wall, uint64_t *out)
{
	return value_of(wall, wall->ops->files.peak, out);
}

const char *mx_wall_describe(const struct mx_wall *wall)
{
	return wall->described;
}
