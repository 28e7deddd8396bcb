/*
 * cgroup v2: one hierarchy. A cgroup hands a controller on to its children
 * (cgroup.subtree_control) only while it has no processes itself; the root
 * alone may have both. So the order is:
 *
 *	make our cgroup -> move in, which empties the parent -> let the parent
 *	hand on memory -> limit
 *
 * and, back, take memory from the children before going home. libcgroup
 * cannot make the cgroup: it switches the controller on in every cgroup from
 * the root down first, which a delegated user may not, and which fails while
 * we are in the parent; nor move us in, while the controller is not on.
 */
#include "pager/wall_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/err.h"

#define HELP "run under systemd-run --user --scope -p Delegate=yes, or as root"
#define CONTROL "cgroup.subtree_control"

#define DIRECTORY_MODE 0755

static int enter(struct mx_wall *wall, struct mx_err *err)
{
	int rc;

	if (mkdir(wall->group_dir, DIRECTORY_MODE) < 0)
		return mx_fail(err, ENOSYS, "make the cgroup %s: %s (" HELP ")",
			       wall->group_dir, strerror(errno));
	rc = mx_cgroup_file_write(wall->group_procs, MX_WALL_MYSELF);
	if (rc)
		return mx_fail(err, ENOSYS,
			       "enter the cgroup %s: %s (" HELP ")",
			       wall->group_dir, strerror(-rc));
	return 0;
}

/* Let the parent's children have limits. */
static int hand_on(struct mx_wall *wall, struct mx_err *err)
{
	char control[MX_CGROUP_FILE_BYTES];
	int rc;

	if (mx_cgroup_file_has(&wall->parent, CONTROL, "memory"))
		return 0;
	rc = mx_cgroup_file_path(control, wall->parent.point, wall->parent.name,
				 CONTROL);
	if (!rc)
		rc = mx_cgroup_file_write(control, "+memory");
	if (rc == -EBUSY)
		return mx_fail(err, ENOSYS,
			       "the cgroup %s has other processes, so that its "
			       "children can have no limits (run under "
			       "systemd-run --scope -p Delegate=yes, with "
			       "--user unless you are root, or name a cgroup "
			       "without processes with --wall=PATH)",
			       wall->parent.name);
	if (rc)
		return mx_fail(err, ENOSYS,
			       "write +memory to %s: %s (" HELP ")", control,
			       strerror(-rc));
	/* It is what keeps us from going home, if that is where we came from;
	 * else others may rely on it by now. */
	if (!strcmp(wall->parent.name, wall->home.name))
		memcpy(wall->home_control, control, sizeof(control));
	return 0;
}

static int raise_v2(struct mx_wall *wall, struct mx_err *err)
{
	const struct mx_wall_value values[] = {
		{"memory.swap.max", 0},
		{"memory.max", wall->limit_bytes},
	};
	int rc;

	rc = mx_wall_check_parent(wall, HELP, err);
	if (rc)
		return rc;
	if (!mx_cgroup_file_has(&wall->parent, "cgroup.controllers", "memory"))
		return mx_fail(err, ENOSYS,
			       "the cgroup %s was not given the memory "
			       "controller (" HELP ")",
			       wall->parent.name);
	rc = enter(wall, err);
	if (!rc)
		rc = hand_on(wall, err);
	if (rc)
		return rc;
	return mx_wall_clerk(wall, values, sizeof(values) / sizeof(values[0]),
			     0, err);
}

static void lower_v2(const struct mx_wall *wall)
{
	if (mx_cgroup_file_write(wall->home_procs, MX_WALL_MYSELF) != 0 &&
	    wall->home_control[0]) {
		(void)mx_cgroup_file_write(wall->home_control, "-memory");
		(void)mx_cgroup_file_write(wall->home_procs, MX_WALL_MYSELF);
	}
	mx_wall_remove(wall->group_dir);
}

const struct mx_wall_ops mx_wall_v2 = {
	.name = "v2",
	.files =
		{
			.limit = "memory.max",
			.throttle = "memory.high",
			.current = "memory.current",
			.peak = "memory.peak",
			.inactive_key = "inactive_file",
			.active_key = "active_file",
		},
	.raise = raise_v2,
	.lower = lower_v2,
};
