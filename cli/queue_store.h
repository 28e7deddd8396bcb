/*
 * The Queue Runner's queue: experiments to run one after the other, in a file
 * that is there whole at any moment, so that a runner that was killed goes on
 * where it was. Plain text:
 *
 *   option --policy=masa        as the runner was called; any number
 *   halt                        the runner stops after its present experiment
 *   waiting NAME PATH           or running, done, failed; in order
 *
 * Threads: none. Processes: any number may list, add and halt while one runs.
 * Each change reads the file, changes it and puts a new one in its place, with
 * a lock held (queue.lock); the runner holds another all the time (queue.run).
 * Both locks end with the process.
 */
#ifndef MX_CLI_QUEUE_STORE_H
#define MX_CLI_QUEUE_STORE_H

#include <stddef.h>

struct mx_err;

enum mx_queue_state {
	MX_QUEUE_WAITING,
	MX_QUEUE_RUNNING, /* without a runner: it was killed */
	MX_QUEUE_DONE,
	MX_QUEUE_FAILED,
};

struct mx_queue_item {
	enum mx_queue_state state;
	char *name; /* without blanks */
	char *path; /* absolute */
};

/* What is in the file. */
struct mx_queue {
	char **options;
	size_t option_count;
	int halt;
	struct mx_queue_item *items;
	size_t count;
};

const char *mx_queue_state_text(enum mx_queue_state state);

void mx_queue_fini(struct mx_queue *queue);

/*
 * An experiment at the end. Returns 0; -EINVAL if @path has a line's end in
 * it; -ENOMEM.
 */
int mx_queue_append(struct mx_queue *queue, const char *path,
		    struct mx_err *err);

/* What a runner is called with, instead of what is there. Returns 0 or
 * -EINVAL or -ENOMEM, as mx_queue_append(). */
int mx_queue_set_options(struct mx_queue *queue, char *const *options,
			 size_t count, struct mx_err *err);

/* The first that is WAITING or RUNNING; queue->count if there is none. */
size_t mx_queue_next(const struct mx_queue *queue);

/* A queue's place, opened: see mx_queue_store_open(). */
struct mx_queue_store;

/*
 * The queue in @directory, which is made where it is missing. No lock is held.
 * mx_queue_store_close() ends it, and gives up the runner's place.
 * Returns 0, -ENOMEM or -errno.
 */
int mx_queue_store_open(struct mx_queue_store **out, const char *directory,
			struct mx_err *err);
void mx_queue_store_close(struct mx_queue_store *store);

/*
 * What is in the file; an empty queue where there is none. mx_queue_fini()
 * ends it. Returns 0; -EBADMSG with file and line; -ENOMEM; -errno.
 */
int mx_queue_store_read(struct mx_queue_store *store, struct mx_queue *out,
			struct mx_err *err);

typedef int mx_queue_change_fn(void *user, struct mx_queue *queue,
			       struct mx_err *err);
/*
 * Read, let @change change it, and put it in place (written, synced, renamed,
 * the directory synced), with the lock held: none that returns 0 is lost.
 * Returns 0, or what @change or reading or writing returns.
 */
int mx_queue_store_change(struct mx_queue_store *store,
			  mx_queue_change_fn *change, void *user,
			  struct mx_err *err);

/* Be the runner. Returns 0, or -EBUSY if there is one. */
int mx_queue_store_run(struct mx_queue_store *store, struct mx_err *err);

/* 1 if there is a runner, this process or another. */
int mx_queue_store_is_running(struct mx_queue_store *store);

/* A line with the time of day at the end of the directory's queue.log. */
void mx_queue_store_log(const struct mx_queue_store *store, const char *fmt,
			...) __attribute__((format(printf, 2, 3)));

#endif
