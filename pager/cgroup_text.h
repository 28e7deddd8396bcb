/*
 * Texts of /proc and of cgroup files, parsed. Everything here takes the text
 * itself, so that tests need no cgroup.
 *
 * Threads: any number.
 */
#ifndef MX_PAGER_CGROUP_TEXT_H
#define MX_PAGER_CGROUP_TEXT_H

#include <stdint.h>

/* Longer paths are refused. */
#define MX_CGROUP_PATH_BYTES 1024

/* No limit: what the kernel spells "max". */
#define MX_CGROUP_UNLIMITED UINT64_MAX

/* Where a process is in one hierarchy of cgroups. */
struct mx_cgroup_place {
	char point[MX_CGROUP_PATH_BYTES]; /* where it is mounted */
	char name[MX_CGROUP_PATH_BYTES]; /* the cgroup below it: "/", "/a/b" */
};

/*
 * The place that /proc/PID/cgroup (@self) and /proc/PID/mountinfo (@mounts)
 * tell, in the v1 hierarchy of @controller, or in the v2 one if that is NULL.
 *
 * Returns 0; -ENOENT if the process is in no such hierarchy or none is
 * mounted; -EXDEV if its cgroup is outside of what is mounted (a container's
 * view); -ENAMETOOLONG.
 */
int mx_cgroup_text_place(const char *self, const char *mounts,
			 const char *controller, struct mx_cgroup_place *out);

/* 1 if @word is one of @text's words (cgroup.controllers). */
int mx_cgroup_text_has(const char *text, const char *word);

/* The number in a file that holds one; "max" is MX_CGROUP_UNLIMITED.
 * Returns 0 or -EBADMSG. */
int mx_cgroup_text_value(const char *text, uint64_t *out);

/* The number behind @key at the beginning of a line: memory.stat,
 * memory.events, /proc/meminfo. Returns 0, -ENOENT or -EBADMSG. */
int mx_cgroup_text_key(const char *text, const char *key, uint64_t *out);

/* When a process was started, from /proc/PID/stat. Returns 0 or -EBADMSG. */
int mx_cgroup_text_start_time(const char *text, uint64_t *out);

/* How many bytes may still be charged to a cgroup: what is not used of its
 * limit, and the page cache that the kernel would give up. */
uint64_t mx_cgroup_text_room(uint64_t limit_bytes, uint64_t usage_bytes,
			     uint64_t reclaimable_bytes);

#endif
