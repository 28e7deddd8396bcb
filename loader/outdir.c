/*
 * Invariants:
 *
 *  (1) Nothing is ever removed but the files that a model directory can
 *      hold, and directories that are empty then. A replaced target that holds
 *      anything else is refused before the work and stays whole.
 *  (2) A temporary directory's writer holds its flock from before the first
 *      file until the end, so a directory that can be locked is nobody's.
 *  (3) The target changes in one rename. (Where the file system cannot
 *      exchange two names, the old one is moved away first: a kill between the
 *      two leaves none.)
 */
#include "loader/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "loader/model_impl.h"

/* Another writer may take or clean up the very name that we try. */
#define TEMP_TRIES 16
#define TEMP_INFIX ".tmp-"

struct mx_outdir {
	enum mx_outdir_flags flags;
	char *path; /* without slashes at the end */
	const char *base; /* its last part */
	char *temp; /* NULL: there is none (any more) */
	int parent_fd;
	int dir_fd;
};

static const char *const model_files[] = {
	MX_MODEL_PB,	  MX_MODEL_WEIGHTS,	 MX_MODEL_LABELS,
	MX_MODEL_PROFILE, MX_MODEL_PROFILE_TEMP,
};
#define MODEL_FILE_COUNT (sizeof(model_files) / sizeof(model_files[0]))

static int is_model_file(const char *name)
{
	size_t i;

	for (i = 0; i < MODEL_FILE_COUNT; i++)
		if (strcmp(name, model_files[i]) == 0)
			return 1;
	return 0;
}

static int open_dir(int parent_fd, const char *name)
{
	return openat(parent_fd, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * As far as that goes: a failure leaves a directory for the next writer to
 * clean up, and no caller could do better.
 */
static void remove_dir(int parent_fd, const char *name)
{
	const int fd = open_dir(parent_fd, name);
	size_t i;

	if (fd < 0)
		return;
	for (i = 0; i < MODEL_FILE_COUNT; i++)
		(void)unlinkat(fd, model_files[i], 0);
	(void)close(fd);
	(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

/* 1 if @name is how a temporary directory for @base is called. */
static int is_temp_name(const char *name, const char *base)
{
	const size_t base_len = strlen(base);

	if (name[0] != '.' || strncmp(name + 1, base, base_len) != 0)
		return 0;
	name += 1 + base_len;
	if (strncmp(name, TEMP_INFIX, strlen(TEMP_INFIX)) != 0)
		return 0;
	name += strlen(TEMP_INFIX);
	return *name && name[strspn(name, "0123456789-")] == 0;
}

static void remove_if_dead(int parent_fd, const char *name)
{
	const int fd = open_dir(parent_fd, name);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_dir(parent_fd, name);
	(void)close(fd);
}

/* Not being able to clean up is no reason not to write. */
static void remove_dead(const struct mx_outdir *dir)
{
	const struct dirent *entry;
	DIR *list;
	int fd;

	fd = open_dir(dir->parent_fd, ".");
	if (fd < 0)
		return;
	list = fdopendir(fd);
	if (!list) {
		(void)close(fd);
		return;
	}
	while ((entry = readdir(list)))
		if (is_temp_name(entry->d_name, dir->base))
			remove_if_dead(dir->parent_fd, entry->d_name);
	(void)closedir(list);
}

/* 0 if the directory @fd, which is closed, holds a model and nothing else. */
static int check_replaceable(const struct mx_outdir *dir, int fd,
			     struct mx_err *err)
{
	const struct dirent *entry;
	DIR *list;
	int found = 0;
	int rc = 0;

	list = fdopendir(fd);
	if (!list) {
		rc = mx_fail_errno(err, "read %s", dir->path);
		(void)close(fd);
		return rc;
	}
	while (!rc && (entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (!is_model_file(entry->d_name))
			rc = mx_fail(err, EEXIST,
				     "%s: not replaced: %s in it is no part of "
				     "a model",
				     dir->path, entry->d_name);
		found |= strcmp(entry->d_name, MX_MODEL_PB) == 0;
	}
	(void)closedir(list);
	if (!rc && !found)
		rc = mx_fail(err, EEXIST,
			     "%s: not replaced: it is no model directory",
			     dir->path);
	return rc;
}

/* 0 if the target may be made or replaced; *@exists says which. */
static int check_target(const struct mx_outdir *dir, int *exists,
			struct mx_err *err)
{
	struct stat st;
	int fd;

	*exists = 0;
	if (fstatat(dir->parent_fd, dir->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : mx_fail_errno(err, "stat %s", dir->path);
	*exists = 1;
	if (!(dir->flags & MX_OUTDIR_REPLACE))
		return mx_fail(err, EEXIST, "%s: exists already", dir->path);
	fd = open_dir(dir->parent_fd, dir->base);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return mx_fail(err, EEXIST, "%s: not replaced: no directory",
			       dir->path);
	if (fd < 0)
		return mx_fail_errno(err, "open %s", dir->path);
	return check_replaceable(dir, fd, err);
}

/* The target's parts: path and base, and the parent opened. */
static int open_parent(struct mx_outdir *dir, const char *path,
		       struct mx_err *err)
{
	size_t len = strlen(path);
	char *parent;
	char *slash;

	while (len > 1 && path[len - 1] == '/')
		len--;
	dir->path = strndup(path, len);
	if (!dir->path)
		return mx_fail_errno(err, "write %s", path);
	slash = strrchr(dir->path, '/');
	dir->base = slash ? slash + 1 : dir->path;
	if (!*dir->base || strcmp(dir->base, ".") == 0 ||
	    strcmp(dir->base, "..") == 0)
		return mx_fail(err, EINVAL, "%s: cannot be made", path);
	if (!slash)
		parent = strdup(".");
	else if (slash == dir->path)
		parent = strdup("/");
	else
		parent = strndup(dir->path, (size_t)(slash - dir->path));
	if (!parent)
		return mx_fail_errno(err, "write %s", path);
	dir->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (dir->parent_fd < 0)
		return mx_fail_errno(err, "write %s: open its parent", path);
	return 0;
}

/*
 * Take the lock of the directory just made. Returns 1 if it is ours, 0 if a
 * cleaner was faster (it saw the directory before our lock) and another name
 * is needed.
 */
static int lock_temp(const struct mx_outdir *dir, const char *name)
{
	struct stat ours;
	struct stat there;

	/* Where there are no locks there is no cleaner that could take it. */
	if (flock(dir->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return errno != EWOULDBLOCK;
	return fstat(dir->dir_fd, &ours) == 0 &&
	       fstatat(dir->parent_fd, name, &there, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int make_temp(struct mx_outdir *dir, struct mx_err *err)
{
	char *name;
	int try;
	int rc = 0;

	for (try = 0; try < TEMP_TRIES; try++) {
		if (asprintf(&name, ".%s%s%ld-%d", dir->base, TEMP_INFIX,
			     (long)getpid(), try) < 0)
			return mx_fail(err, ENOMEM, "write %s: no memory",
				       dir->path);
		if (mkdirat(dir->parent_fd, name, 0777) < 0) {
			rc = mx_fail_errno(err, "write %s: make %s", dir->path,
					   name);
			free(name);
			if (rc == -EEXIST)
				continue;
			return rc;
		}
		dir->dir_fd = open_dir(dir->parent_fd, name);
		if (dir->dir_fd >= 0 && lock_temp(dir, name)) {
			dir->temp = name;
			return 0;
		}
		if (dir->dir_fd < 0 && errno != ENOENT) {
			rc = mx_fail_errno(err, "write %s: open %s", dir->path,
					   name);
			(void)unlinkat(dir->parent_fd, name, AT_REMOVEDIR);
			free(name);
			return rc;
		}
		rc = mx_fail(err, EAGAIN, "write %s: %s is gone at once",
			     dir->path, name);
		if (dir->dir_fd >= 0)
			(void)close(dir->dir_fd);
		dir->dir_fd = -1;
		free(name);
	}
	return rc;
}

int mx_outdir_open(struct mx_outdir **out, const char *path,
		   enum mx_outdir_flags flags, struct mx_err *err)
{
	struct mx_outdir *dir;
	int exists;
	int rc;

	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return mx_fail_errno(err, "write %s", path);
	dir->flags = flags;
	dir->parent_fd = -1;
	dir->dir_fd = -1;
	rc = open_parent(dir, path, err);
	if (rc)
		goto fail;
	rc = check_target(dir, &exists, err);
	if (rc)
		goto fail;
	remove_dead(dir);
	rc = make_temp(dir, err);
	if (rc)
		goto fail;
	*out = dir;
	return 0;

fail:
	mx_outdir_close(dir);
	return rc;
}

int mx_outdir_create(struct mx_outdir *dir, const char *name, int *fd,
		     struct mx_err *err)
{
	const int file = openat(dir->dir_fd, name,
				O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (file < 0)
		return mx_fail_errno(err, "write %s/%s", dir->path, name);
	*fd = file;
	return 0;
}

int mx_outdir_put(struct mx_outdir *dir, const char *name, const void *bytes,
		  size_t size, struct mx_err *err)
{
	size_t used = 0;
	ssize_t put;
	int fd = -1;
	int rc;

	rc = mx_outdir_create(dir, name, &fd, err);
	if (rc)
		return rc;
	while (used < size) {
		put = write(fd, (const char *)bytes + used, size - used);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			rc = mx_fail_errno(err, "write %s/%s", dir->path, name);
			goto out;
		}
		used += (size_t)put;
	}
	if (fsync(fd) < 0)
		rc = mx_fail_errno(err, "sync %s/%s", dir->path, name);
out:
	(void)close(fd);
	return rc;
}

const char *mx_outdir_path(const struct mx_outdir *dir)
{
	return dir->path;
}

/* Without an exchange: the old one away, the new one in its place. */
static int replace_in_two(struct mx_outdir *dir, struct mx_err *err)
{
	char *old;
	int rc = 0;

	if (asprintf(&old, "%s-%d", dir->temp, TEMP_TRIES) < 0)
		return mx_fail(err, ENOMEM, "write %s: no memory", dir->path);
	if (renameat(dir->parent_fd, dir->base, dir->parent_fd, old) < 0) {
		rc = mx_fail_errno(err, "rename %s to %s", dir->path, old);
		goto out;
	}
	if (renameat(dir->parent_fd, dir->temp, dir->parent_fd, dir->base) <
	    0) {
		rc = mx_fail_errno(err, "rename %s to %s", dir->temp,
				   dir->path);
		(void)renameat(dir->parent_fd, old, dir->parent_fd, dir->base);
		goto out;
	}
	/* What is left to remove is the old one, under that name. */
	free(dir->temp);
	dir->temp = old;
	return 0;
out:
	free(old);
	return rc;
}

/* What stands under dir->temp after this is the old target. */
static int replace(struct mx_outdir *dir, struct mx_err *err)
{
	if (renameat2(dir->parent_fd, dir->temp, dir->parent_fd, dir->base,
		      RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return mx_fail_errno(err, "rename %s to %s", dir->temp,
				     dir->path);
	return replace_in_two(dir, err);
}

static int give_name(struct mx_outdir *dir, struct mx_err *err)
{
	if (renameat2(dir->parent_fd, dir->temp, dir->parent_fd, dir->base,
		      RENAME_NOREPLACE) < 0 &&
	    ((errno != EINVAL && errno != ENOSYS) ||
	     renameat(dir->parent_fd, dir->temp, dir->parent_fd, dir->base) <
		     0))
		return mx_fail_errno(err, "rename %s to %s", dir->temp,
				     dir->path);
	free(dir->temp);
	dir->temp = NULL;
	return 0;
}

int mx_outdir_commit(struct mx_outdir *dir, struct mx_err *err)
{
	int exists;
	int rc;

	if (fsync(dir->dir_fd) < 0)
		return mx_fail_errno(err, "sync %s", dir->temp);
	/* Again: much may have happened since mx_outdir_open(). */
	rc = check_target(dir, &exists, err);
	if (rc)
		return rc;
	rc = exists ? replace(dir, err) : give_name(dir, err);
	if (rc)
		return rc;
	/* Before the old one goes: or both could be lost. */
	if (fsync(dir->parent_fd) < 0)
		return mx_fail_errno(err, "sync the parent of %s", dir->path);
	return 0;
}

void mx_outdir_close(struct mx_outdir *dir)
{
	if (!dir)
		return;
	if (dir->temp)
		remove_dir(dir->parent_fd, dir->temp);
	if (dir->dir_fd >= 0)
		(void)close(dir->dir_fd);
	if (dir->parent_fd >= 0)
		(void)close(dir->parent_fd);
	free(dir->temp);
	free(dir->path);
	free(dir);
}
