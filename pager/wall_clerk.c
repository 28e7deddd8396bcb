/*
 * The clerk: a forked process that speaks to libcgroup and reports by one
 * message through a pipe, which is written whole or not at all.
 *
 * libcgroup writes what went wrong to stderr unless it is given a logger, and
 * calls an existing group that it may not remove a success: its answers are
 * checked against the directories.
 */
#include "pager/wall_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libcgroup.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"

#define CONTROLLER "memory"

struct report {
	int rc;
	struct mx_err why;
};

_Static_assert(sizeof(struct report) <= PIPE_BUF, "one message in a pipe");

static void say_nothing(void *user, int level, const char *fmt, va_list args)
{
	(void)user;
	(void)level;
	(void)fmt;
	(void)args;
}

static int refused(int code, const char *what, const struct mx_wall *wall,
		   struct mx_err *err)
{
	return mx_fail(err, ENOSYS, "libcgroup cannot %s %s: %s", what,
		       wall->group.name,
		       code == ECGOTHER ? strerror(cgroup_get_last_errno())
					: cgroup_strerror(code));
}

/* A cgroup of the clerk's, with its controller. NULL if there is no memory. */
static struct cgroup *group_of(const char *name,
			       struct cgroup_controller **controller)
{
	struct cgroup *group = cgroup_new_cgroup(name);

	*controller = group ? cgroup_add_controller(group, CONTROLLER) : NULL;
	if (group && !*controller)
		cgroup_free(&group);
	return group;
}

/* Empty ones only: while somebody lives there it is not ours to remove. */
static void remove_stale(const struct mx_wall *wall)
{
	/* libcgroup's names begin at the mount point: "/PARENT/NAME". */
	const char *parent =
		strcmp(wall->parent.name, "/") ? wall->parent.name : "";
	char dir_path[MX_CGROUP_FILE_BYTES], name[MX_CGROUP_FILE_BYTES];
	struct cgroup_controller *controller;
	struct cgroup *group;
	struct dirent *entry;
	DIR *dir;

	if (mx_cgroup_file_path(dir_path, wall->parent.point, wall->parent.name,
				""))
		return;
	dir = opendir(dir_path);
	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (!mx_wall_is_stale(entry->d_name) ||
		    mx_cgroup_file_path(name, "", parent, entry->d_name))
			continue;
		group = group_of(name, &controller);
		if (!group)
			continue;
		(void)cgroup_delete_cgroup_ext(group, CGFLAG_DELETE_EMPTY_ONLY);
		cgroup_free(&group);
	}
	(void)closedir(dir);
}

static int set_values(const struct mx_wall *wall, struct cgroup_controller *to,
		      const struct mx_wall_value *values, size_t value_count,
		      unsigned flags)
{
	/* Before there is the group, its parent tells what it will have. */
	const struct mx_cgroup_place *like =
		flags & MX_WALL_ENTER ? &wall->parent : &wall->group;
	size_t i;

	for (i = 0; i < value_count; i++) {
		const struct mx_wall_value *value = &values[i];
		int code;

		if (!mx_cgroup_file_exists(like, value->file))
			continue;
		code = cgroup_add_value_uint64(to, value->file, value->value);
		if (code)
			return code;
	}
	return 0;
}

static int work(const struct mx_wall *wall, pid_t client,
		const struct mx_wall_value *values, size_t value_count,
		unsigned flags, struct mx_err *err)
{
	struct cgroup_controller *controller;
	struct cgroup *group;
	int code, rc = 0;

	cgroup_set_logger(say_nothing, CGROUP_LOG_ERROR, NULL);
	code = cgroup_init();
	if (code)
		return refused(code, "begin with", wall, err);
	remove_stale(wall);
	group = group_of(wall->group.name, &controller);
	if (!group)
		return mx_fail(err, ENOSYS, "no memory for %s",
			       wall->group.name);
	code = set_values(wall, controller, values, value_count, flags);
	if (!code)
		code = flags & MX_WALL_ENTER ? cgroup_create_cgroup(group, 1)
					     : cgroup_modify_cgroup(group);
	if (code) {
		rc = refused(code, "make and limit", wall, err);
		goto out;
	}
	if (flags & MX_WALL_ENTER)
		code = cgroup_attach_task_pid(group, client);
	if (code)
		rc = refused(code, "move us into", wall, err);
out:
	cgroup_free(&group);
	return rc;
}

/* The whole message, or whatever came before the clerk died. */
static size_t receive(int fd, struct report *report)
{
	size_t done = 0;

	while (done < sizeof(*report)) {
		const ssize_t n =
			read(fd, (char *)report + done, sizeof(*report) - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	return done;
}

int mx_wall_clerk(struct mx_wall *wall, const struct mx_wall_value *values,
		  size_t value_count, unsigned flags, struct mx_err *err)
{
	const pid_t client = getpid();
	struct report report = {0};
	int fds[2];
	size_t got;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return mx_fail(err, ENOSYS, "no pipe for the wall: %s",
			       strerror(errno));
	pid = fork();
	if (pid < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return mx_fail(err, ENOSYS, "no process for the wall: %s",
			       strerror(errno));
	}
	if (pid == 0) {
		report.rc = work(wall, client, values, value_count, flags,
				 &report.why);
		_exit(write(fds[1], &report, sizeof(report)) !=
		      (ssize_t)sizeof(report));
	}
	(void)close(fds[1]);
	got = receive(fds[0], &report);
	(void)close(fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (got != sizeof(report))
		return mx_fail(err, ENOSYS,
			       "the process that makes the cgroup "
			       "was killed");
	if (report.rc)
		return mx_fail(err, -report.rc, "%s", report.why.text);
	return 0;
}
