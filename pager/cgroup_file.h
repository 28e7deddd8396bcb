/*
 * Files of cgroups and of /proc: read whole, written in one call.
 *
 * Threads: any number.
 */
#ifndef MX_PAGER_CGROUP_FILE_H
#define MX_PAGER_CGROUP_FILE_H

#include <stdint.h>

#include "pager/cgroup_text.h"

/* A mount point, a cgroup's name and a file's. */
#define MX_CGROUP_FILE_BYTES (2 * MX_CGROUP_PATH_BYTES + 256)

/* POINT/NAME/FILE; @file may be "". @name begins with a slash.
 * Returns 0 or -ENAMETOOLONG. */
int mx_cgroup_file_path(char out[MX_CGROUP_FILE_BYTES], const char *point,
			const char *name, const char *file);

/* The text of a file: the caller's to free(), terminated.
 * Returns 0, -ENOMEM or -errno. */
int mx_cgroup_file_text(const char *path, char **out);

/* The number that a file holds. Allocates nothing.
 * Returns 0, -EBADMSG or -errno. */
int mx_cgroup_file_value(const struct mx_cgroup_place *place, const char *file,
			 uint64_t *out);

/* 1 if the file exists; if it has @word. */
int mx_cgroup_file_exists(const struct mx_cgroup_place *place,
			  const char *file);
int mx_cgroup_file_has(const struct mx_cgroup_place *place, const char *file,
		       const char *word);

/* Write @text. Safe in a signal handler. Returns 0 or -errno. */
int mx_cgroup_file_write(const char *path, const char *text);

#endif
