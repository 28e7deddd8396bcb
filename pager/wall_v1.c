/*
 * cgroup v1: a hierarchy of the memory controller's own. Any cgroup may have
 * both processes and children, so that ours is simply made in our present one.
 */
#include "pager/wall_impl.h"

static int raise_v1(struct mx_wall *wall, struct mx_err *err)
{
	/*
	 * memsw is memory and swap together, and never less than the first
	 * limit, so it comes second. Kernels that do not count swap have no
	 * such file; there, not swapping for this cgroup's sake has to do.
	 */
	static const char memsw[] = "memory.memsw.limit_in_bytes";
	const struct mx_wall_value limit = {"memory.limit_in_bytes",
					    wall->limit_bytes};
	const struct mx_wall_value counted[] = {limit,
						{memsw, wall->limit_bytes}};
	const struct mx_wall_value uncounted[] = {limit,
						  {"memory.swappiness", 0}};
	int rc;

	rc = mx_wall_check_parent(
		wall, "run as root, or name a cgroup of yours with --wall=PATH",
		err);
	if (rc)
		return rc;
	return mx_wall_clerk(
		wall,
		mx_cgroup_file_exists(&wall->parent, memsw) ? counted
							    : uncounted,
		sizeof(counted) / sizeof(counted[0]), MX_WALL_ENTER, err);
}

static void lower_v1(const struct mx_wall *wall)
{
	(void)mx_cgroup_file_write(wall->home_procs, MX_WALL_MYSELF);
	mx_wall_remove(wall->group_dir);
}

const struct mx_wall_ops mx_wall_v1 = {
	.name = "v1",
	.files =
		{
			.limit = "memory.limit_in_bytes",
			.current = "memory.usage_in_bytes",
			.peak = "memory.max_usage_in_bytes",
			.inactive_key = "total_inactive_file",
			.active_key = "total_active_file",
		},
	.raise = raise_v1,
	.lower = lower_v1,
};
