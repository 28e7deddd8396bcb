/*
 * Output directory: made under a temporary name beside its target, and given
 * the target's name in one step when it is complete.
 *
 * The temporary directory carries a lock as long as its writer lives, so that
 * the next writer can tell a dead one's from a live one's.
 *
 * Threads: an output directory belongs to one thread; any number of threads
 * and processes may have one for the same target.
 */
#ifndef MX_LOADER_OUTDIR_H
#define MX_LOADER_OUTDIR_H

#include <stddef.h>

struct mx_err;
struct mx_outdir;

enum mx_outdir_flags {
	MX_OUTDIR_NEW = 0, /* a target that exists is an error */
	MX_OUTDIR_REPLACE = 1 << 0, /* a model directory may be replaced */
};

/*
 * Make the temporary directory for the target @path, which need not exist (its
 * parent must), and remove those that dead writers of the same target left.
 * mx_outdir_close() ends it.
 *
 * Returns 0; -EEXIST if the target exists and may not be replaced, or holds
 * anything but a model; -EINVAL if @path names no directory; -errno.
 */
int mx_outdir_open(struct mx_outdir **out, const char *path,
		   enum mx_outdir_flags flags, struct mx_err *err);

/*
 * A new file @name in it: the descriptor, for reading and writing, is the
 * caller's. Returns 0 or -errno.
 */
int mx_outdir_create(struct mx_outdir *dir, const char *name, int *fd,
		     struct mx_err *err);

/* A new file @name with these bytes, synced. Returns 0 or -errno. */
int mx_outdir_put(struct mx_outdir *dir, const char *name, const void *bytes,
		  size_t size, struct mx_err *err);

/* What people call it, for messages: the target's path. */
const char *mx_outdir_path(const struct mx_outdir *dir);

/*
 * Give it the target's name; its files must be synced. After a failure the
 * target is what it was, unless the failure is the parent's fsync: then the
 * target is complete, but may be lost when the machine loses power.
 *
 * Returns 0, -EEXIST as mx_outdir_open(), or -errno.
 */
int mx_outdir_commit(struct mx_outdir *dir, struct mx_err *err);

/* Remove what was not committed, and free. NULL is fine. */
void mx_outdir_close(struct mx_outdir *dir);

#endif
