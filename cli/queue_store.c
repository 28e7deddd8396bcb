#include "cli/queue_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/experiment.h"
#include "cli/file.h"
#include "lib/err.h"

#define FILE_BYTES_MAX (16u << 20)
#define STAMP_BYTES 32

struct mx_queue_store {
	int fd; /* of the directory */
	char *directory;
	char *path; /* of the queue in it */
	int run_fd; /* of the runner's lock, held; -1: not the runner */
};

static const char *const state_texts[] = {
	[MX_QUEUE_WAITING] = "waiting",
	[MX_QUEUE_RUNNING] = "running",
	[MX_QUEUE_DONE] = "done",
	[MX_QUEUE_FAILED] = "failed",
};

#define STATE_COUNT (sizeof(state_texts) / sizeof(state_texts[0]))

const char *mx_queue_state_text(enum mx_queue_state state)
{
	return state_texts[state];
}

void mx_queue_fini(struct mx_queue *queue)
{
	while (queue->option_count > 0)
		free(queue->options[--queue->option_count]);
	while (queue->count > 0) {
		queue->count--;
		free(queue->items[queue->count].name);
		free(queue->items[queue->count].path);
	}
	free(queue->options);
	free(queue->items);
	*queue = (struct mx_queue){.halt = 0};
}

/* Takes @name and @path, which may be NULL: no memory. */
static int add_item(struct mx_queue *queue, enum mx_queue_state state,
		    char *name, char *path)
{
	struct mx_queue_item *grown = NULL;

	if (name && path)
		grown = realloc(queue->items,
				(queue->count + 1) * sizeof(*grown));
	if (!grown) {
		free(name);
		free(path);
		return -ENOMEM;
	}
	queue->items = grown;
	grown[queue->count++] = (struct mx_queue_item){
		.state = state,
		.name = name,
		.path = path,
	};
	return 0;
}

static int add_option(struct mx_queue *queue, const char *text)
{
	char **grown = realloc(queue->options,
			       (queue->option_count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	queue->options = grown;
	grown[queue->option_count] = strdup(text);
	if (!grown[queue->option_count])
		return -ENOMEM;
	queue->option_count++;
	return 0;
}

int mx_queue_append(struct mx_queue *queue, const char *path,
		    struct mx_err *err)
{
	char *at, *name;

	if (strchr(path, '\n'))
		return mx_fail(err, EINVAL,
			       "%s: a queue takes no path with a line's end",
			       path);
	name = mx_experiment_name(path);
	for (at = name; at && *at; at++)
		if (*at == ' ' || *at == '\t')
			*at = '_';
	if (add_item(queue, MX_QUEUE_WAITING, name, strdup(path)))
		return mx_fail(err, ENOMEM, "%s: no memory", path);
	return 0;
}

int mx_queue_set_options(struct mx_queue *queue, char *const *options,
			 size_t count, struct mx_err *err)
{
	size_t i;

	while (queue->option_count > 0)
		free(queue->options[--queue->option_count]);
	for (i = 0; i < count; i++) {
		if (strchr(options[i], '\n'))
			return mx_fail(err, EINVAL,
				       "%s: a queue takes no option with a "
				       "line's end",
				       options[i]);
		if (add_option(queue, options[i]))
			return mx_fail(err, ENOMEM, "queue: no memory");
	}
	return 0;
}

size_t mx_queue_next(const struct mx_queue *queue)
{
	size_t i;

	for (i = 0; i < queue->count; i++)
		if (queue->items[i].state == MX_QUEUE_WAITING ||
		    queue->items[i].state == MX_QUEUE_RUNNING)
			break;
	return i;
}

int mx_queue_store_open(struct mx_queue_store **out, const char *directory,
			struct mx_err *err)
{
	struct mx_queue_store *store;
	int rc;

	store = calloc(1, sizeof(*store));
	if (!store)
		return mx_fail(err, ENOMEM, "%s: no memory", directory);
	store->fd = -1;
	store->run_fd = -1;
	store->directory = strdup(directory);
	store->path = mx_file_join(directory, "queue");
	if (!store->directory || !store->path) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", directory);
		goto fail;
	}
	if (mkdir(directory, 0777) < 0 && errno != EEXIST) {
		rc = mx_fail_errno(err, "make %s", directory);
		goto fail;
	}
	store->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0) {
		rc = mx_fail_errno(err, "open %s", directory);
		goto fail;
	}
	*out = store;
	return 0;

fail:
	mx_queue_store_close(store);
	return rc;
}

void mx_queue_store_close(struct mx_queue_store *store)
{
	if (!store)
		return;
	if (store->run_fd >= 0)
		(void)close(store->run_fd);
	if (store->fd >= 0)
		(void)close(store->fd);
	free(store->directory);
	free(store->path);
	free(store);
}

/* ---- the file ---- */

/* "STATE NAME PATH"; @line is cut up. Returns 0, -EBADMSG or -ENOMEM. */
static int parse_item(struct mx_queue *queue, char *line)
{
	char *name = strchr(line, ' '), *path;
	size_t i;

	path = name ? strchr(name + 1, ' ') : NULL;
	if (!path || !path[1])
		return -EBADMSG;
	*name++ = '\0';
	*path++ = '\0';
	for (i = 0; i < STATE_COUNT; i++)
		if (!strcmp(line, state_texts[i]))
			return add_item(queue, (enum mx_queue_state)i,
					strdup(name), strdup(path));
	return -EBADMSG;
}

static int parse_line(struct mx_queue *queue, char *line)
{
	static const char option[] = "option ";

	if (!*line || *line == '#')
		return 0;
	if (!strcmp(line, "halt")) {
		queue->halt = 1;
		return 0;
	}
	if (!strncmp(line, option, strlen(option)))
		return add_option(queue, line + strlen(option));
	return parse_item(queue, line);
}

int mx_queue_store_read(struct mx_queue_store *store, struct mx_queue *out,
			struct mx_err *err)
{
	unsigned char *data;
	size_t bytes, number = 0;
	char *line, *next;
	int rc;

	*out = (struct mx_queue){.halt = 0};
	if (faccessat(store->fd, "queue", F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	rc = mx_file_read(store->path, FILE_BYTES_MAX, &data, &bytes, err);
	if (rc)
		return rc;
	for (line = (char *)data; !rc && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		number++;
		rc = parse_line(out, line);
	}
	free(data);
	if (!rc)
		return 0;
	mx_queue_fini(out);
	if (rc == -ENOMEM)
		return mx_fail(err, ENOMEM, "%s: no memory", store->path);
	return mx_fail(err, EBADMSG,
		       "%s:%zu: is no line of a queue (STATE NAME PATH)",
		       store->path, number);
}

static void print_queue(const struct mx_queue *queue, FILE *out)
{
	size_t i;

	for (i = 0; i < queue->option_count; i++)
		(void)fprintf(out, "option %s\n", queue->options[i]);
	if (queue->halt)
		(void)fprintf(out, "halt\n");
	for (i = 0; i < queue->count; i++)
		(void)fprintf(out, "%s %s %s\n",
			      state_texts[queue->items[i].state],
			      queue->items[i].name, queue->items[i].path);
}

/* Written beside its place, synced, renamed: it is the old one or the new. */
static int write_queue(const struct mx_queue_store *store,
		       const struct mx_queue *queue, struct mx_err *err)
{
	FILE *out;
	int fd, rc = 0;

	fd = openat(store->fd, "queue.new",
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return mx_fail_errno(err, "write %s", store->path);
	out = fdopen(fd, "w");
	if (!out) {
		rc = mx_fail_errno(err, "write %s", store->path);
		(void)close(fd);
		return rc;
	}
	print_queue(queue, out);
	if (fflush(out) || ferror(out) || fsync(fd) < 0)
		rc = mx_fail_errno(err, "write %s", store->path);
	if (fclose(out) && !rc)
		rc = mx_fail_errno(err, "write %s", store->path);
	if (!rc && (renameat(store->fd, "queue.new", store->fd, "queue") < 0 ||
		    fsync(store->fd) < 0))
		rc = mx_fail_errno(err, "write %s", store->path);
	return rc;
}

static int open_lock(const struct mx_queue_store *store, const char *name)
{
	const int fd =
		openat(store->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

/* A lock file that is held: its descriptor, or -errno. @command waits or does
 * not. (Locks of the open file: they can be asked for without being taken.) */
static int lock(const struct mx_queue_store *store, const char *name,
		int command)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const int fd = open_lock(store, name);
	int rc;

	if (fd < 0)
		return fd;
	do {
		rc = fcntl(fd, command, &whole);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	return fd;
}

int mx_queue_store_change(struct mx_queue_store *store,
			  mx_queue_change_fn *change, void *user,
			  struct mx_err *err)
{
	struct mx_queue queue = {.halt = 0};
	int fd, rc;

	fd = lock(store, "queue.lock", F_OFD_SETLKW);
	if (fd < 0)
		return mx_fail(err, -fd, "lock %s: %s", store->path,
			       strerror(-fd));
	rc = mx_queue_store_read(store, &queue, err);
	if (!rc)
		rc = change(user, &queue, err);
	if (!rc)
		rc = write_queue(store, &queue, err);
	mx_queue_fini(&queue);
	(void)close(fd);
	return rc;
}

int mx_queue_store_run(struct mx_queue_store *store, struct mx_err *err)
{
	const int fd = lock(store, "queue.run", F_OFD_SETLK);

	if (fd == -EAGAIN || fd == -EACCES)
		return mx_fail(err, EBUSY,
			       "%s: another memexec runs this queue: --add "
			       "gives it more, -o takes another directory",
			       store->path);
	if (fd < 0)
		return mx_fail(err, -fd, "lock %s: %s", store->path,
			       strerror(-fd));
	store->run_fd = fd;
	return 0;
}

int mx_queue_store_is_running(struct mx_queue_store *store)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd, running;

	if (store->run_fd >= 0)
		return 1;
	fd = open_lock(store, "queue.run");
	if (fd < 0)
		return 0;
	running =
		fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
	(void)close(fd);
	return running;
}

void mx_queue_store_log(const struct mx_queue_store *store, const char *fmt,
			...)
{
	char stamp[STAMP_BYTES], line[MX_ERR_BYTES];
	const time_t now = time(NULL);
	struct tm utc;
	va_list args;
	int fd;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ",
		       gmtime_r(&now, &utc));
	fd = openat(store->fd, "queue.log",
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	(void)dprintf(fd, "%s %s\n", stamp, line);
	(void)close(fd);
}
