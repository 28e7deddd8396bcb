/*
 * How much memory there is for us: limits of cgroups count as much as memory,
 * and page cache that can be given up is no use of it.
 */
#include "pager/wall_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

/* What is left under one cgroup's limits. */
static uint64_t room_in(const struct mx_wall_files *files,
			const struct mx_cgroup_place *place)
{
	uint64_t limit = MX_CGROUP_UNLIMITED, throttle = MX_CGROUP_UNLIMITED;
	uint64_t usage = 0, inactive = 0, active = 0;
	char path[MX_CGROUP_FILE_BYTES], *text;

	/* What a cgroup does not tell is no limit: the root has none. */
	(void)mx_cgroup_file_value(place, files->limit, &limit);
	if (files->throttle)
		(void)mx_cgroup_file_value(place, files->throttle, &throttle);
	if (mx_cgroup_file_value(place, files->current, &usage))
		return MX_CGROUP_UNLIMITED;
	if (!mx_cgroup_file_path(path, place->point, place->name,
				 "memory.stat") &&
	    !mx_cgroup_file_text(path, &text)) {
		(void)mx_cgroup_text_key(text, files->inactive_key, &inactive);
		(void)mx_cgroup_text_key(text, files->active_key, &active);
		free(text);
	}
	return mx_cgroup_text_room(limit < throttle ? limit : throttle, usage,
				   inactive + active);
}

uint64_t mx_wall_room(const struct mx_wall_files *files,
		      const struct mx_cgroup_place *place)
{
	struct mx_cgroup_place at = *place;
	uint64_t least = room_in(files, &at);

	while (strcmp(at.name, "/") != 0) {
		char *slash = strrchr(at.name, '/');
		uint64_t room;

		slash[slash == at.name] = '\0';
		room = room_in(files, &at);
		if (room < least)
			least = room;
	}
	return least;
}

int mx_wall_available_bytes(uint64_t *out, struct mx_err *err)
{
	static const uint64_t kib = 1024;
	const struct mx_wall_ops *ops;
	struct mx_cgroup_place home;
	uint64_t available, room;
	char *text;
	int rc;

	rc = mx_cgroup_file_text("/proc/meminfo", &text);
	if (rc)
		return mx_fail(err, -rc, "open /proc/meminfo: %s",
			       strerror(-rc));
	rc = mx_cgroup_text_key(text, "MemAvailable:", &available);
	free(text);
	if (rc)
		return mx_fail(err, -rc, "/proc/meminfo: no MemAvailable");
	available *= kib;
	if (!mx_wall_find_now(&ops, &home, NULL)) {
		room = mx_wall_room(&ops->files, &home);
		if (room < available)
			available = room;
	}
	*out = available;
	return 0;
}
