/* wrap: calloc realloc strdup fsync renameat openat */
#include "cli/queue_store.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/err.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(int, fsync, (int fd), (fd), EIO, -1)
FAULT(int, renameat, (int from, const char *a, int to, const char *b),
      (from, a, to, b), EIO, -1)

/* Its mode is passed on as the one argument that it may have. */
int __real_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
	return fault(EIO) ? -1 : __real_openat(dir, name, flags, mode);
}

static struct mx_queue_store *open_store(const struct scratch_dir *dir)
{
	struct mx_queue_store *store;
	struct mx_err err;

	if (mx_queue_store_open(&store, dir->path, &err))
		fail_msg("%s", err.text);
	return store;
}

static int add_two(void *user, struct mx_queue *queue, struct mx_err *err)
{
	char policy[] = "--policy=masa", cold[] = "--cold";
	char *const options[] = {policy, cold};
	int rc;

	(void)user;
	rc = mx_queue_set_options(queue, options, 2, err);
	rc = rc ? rc : mx_queue_append(queue, "/x/a b.exp.yaml", err);
	return rc ? rc : mx_queue_append(queue, "/x/c.yaml", err);
}

static int first_runs(void *user, struct mx_queue *queue, struct mx_err *err)
{
	(void)user;
	(void)err;
	queue->halt = 1;
	queue->items[0].state = MX_QUEUE_RUNNING;
	return 0;
}

static void read_back(const struct scratch_dir *dir, char *text, size_t room)
{
	char path[256];
	FILE *in;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/queue", dir->path);
	in = fopen(path, "r");
	if (in) {
		n = fread(text, 1, room - 1, in);
		assert_int_equal(fclose(in), 0);
	}
	text[n] = '\0';
}

static void a_queue_is_kept_as_lines(void **state)
{
	struct mx_queue_store *store = open_store(*state);
	struct mx_queue queue;
	char text[512];

	assert_int_equal(mx_queue_store_read(store, &queue, NULL), 0);
	assert_int_equal(queue.count, 0);
	assert_int_equal(mx_queue_next(&queue), 0);
	mx_queue_fini(&queue);

	assert_int_equal(mx_queue_store_change(store, add_two, NULL, NULL), 0);
	assert_int_equal(mx_queue_store_change(store, first_runs, NULL, NULL),
			 0);
	mx_queue_store_close(store);
	read_back(*state, text, sizeof(text));
	assert_string_equal(text, "option --policy=masa\n"
				  "option --cold\n"
				  "halt\n"
				  "running a_b /x/a b.exp.yaml\n"
				  "waiting c /x/c.yaml\n");

	store = open_store(*state);
	assert_int_equal(mx_queue_store_read(store, &queue, NULL), 0);
	assert_int_equal(queue.option_count, 2);
	assert_string_equal(queue.options[1], "--cold");
	assert_int_equal(queue.halt, 1);
	assert_int_equal(queue.count, 2);
	assert_int_equal(queue.items[0].state, MX_QUEUE_RUNNING);
	assert_string_equal(queue.items[0].name, "a_b");
	assert_string_equal(queue.items[0].path, "/x/a b.exp.yaml");
	assert_int_equal(mx_queue_next(&queue), 0);
	queue.items[0].state = MX_QUEUE_FAILED;
	assert_int_equal(mx_queue_next(&queue), 1);
	queue.items[1].state = MX_QUEUE_DONE;
	assert_int_equal(mx_queue_next(&queue), 2);
	mx_queue_fini(&queue);
	mx_queue_store_close(store);
}

static void what_is_no_queue_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {"done x", "ready x /y", "done x ",
					  "\n#\nhalted"};
	static const int lines[] = {1, 1, 1, 3};
	struct scratch_dir *dir = *state;
	struct mx_queue_store *store = open_store(dir);
	struct mx_queue queue;
	struct mx_err err;
	char want[256];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scratch_dir_put(dir, "queue", bad[i], strlen(bad[i]));
		assert_int_equal(mx_queue_store_read(store, &queue, &err),
				 -EBADMSG);
		(void)snprintf(want, sizeof(want),
			       "%s:%d: is no line of a queue (STATE NAME PATH)",
			       dir->file, lines[i]);
		assert_string_equal(err.text, want);
		/* Nor is it overwritten. */
		assert_int_equal(
			mx_queue_store_change(store, add_two, NULL, NULL),
			-EBADMSG);
	}
	mx_queue_store_close(store);
}

static void a_line_end_cannot_be_kept(void **state)
{
	char wall[] = "--wall=\n";
	char *const options[] = {wall};
	struct mx_queue queue = {.halt = 0};
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_queue_append(&queue, "/a\nb", &err), -EINVAL);
	assert_int_equal(mx_queue_set_options(&queue, options, 1, &err),
			 -EINVAL);
	mx_queue_fini(&queue);
}

/* In a child: is there a runner, and can there be another? */
static int asked_from_elsewhere(struct mx_queue_store *store)
{
	struct mx_err err;
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		mx_queue_store_close(store);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return mx_queue_store_run(store, &err);
}

static void there_is_one_runner(void **state)
{
	struct mx_queue_store *one = open_store(*state);
	struct mx_queue_store *two = open_store(*state);
	struct mx_err err;

	assert_int_equal(mx_queue_store_is_running(one), 0);
	assert_int_equal(mx_queue_store_run(one, &err), 0);
	assert_int_equal(mx_queue_store_is_running(one), 1);
	assert_int_equal(mx_queue_store_is_running(two), 1);
	/* Asking has taken nothing away. */
	assert_int_equal(asked_from_elsewhere(two), -EBUSY);
	assert_int_equal(mx_queue_store_run(two, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another memexec runs this queue"));
	mx_queue_store_close(one);
	assert_int_equal(mx_queue_store_is_running(two), 0);
	assert_int_equal(mx_queue_store_run(two, &err), 0);
	mx_queue_store_close(two);
}

static int append_one(void *user, struct mx_queue *queue, struct mx_err *err)
{
	return mx_queue_append(queue, user, err);
}

static void changes_from_several_processes_are_not_lost(void **state)
{
	enum { PROCESSES = 4, EACH = 25 };
	struct mx_queue_store *store;
	struct mx_queue queue;
	int i, k, status;

	for (i = 0; i < PROCESSES; i++) {
		const pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid)
			continue;
		store = open_store(*state);
		for (k = 0; k < EACH; k++)
			if (mx_queue_store_change(store, append_one,
						  (char[]){"/x"}, NULL))
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	store = open_store(*state);
	assert_int_equal(mx_queue_store_read(store, &queue, NULL), 0);
	assert_int_equal(queue.count, PROCESSES * EACH);
	mx_queue_fini(&queue);
	mx_queue_store_close(store);
}

static void a_change_is_whole_or_not_at_all(void **state)
{
	struct mx_queue_store *store = open_store(*state);
	char before[512], after[512], want[600];
	long nth;
	int rc;

	assert_int_equal(mx_queue_store_change(store, add_two, NULL, NULL), 0);
	read_back(*state, before, sizeof(before));
	(void)snprintf(want, sizeof(want), "%swaiting y /y\n", before);
	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_queue_store_change(store, append_one, (char[]){"/y"},
					   NULL);
		assert_int_equal(rc, -faults_disarm());
		read_back(*state, after, sizeof(after));
		/* Only syncing the directory comes behind the renaming. */
		if (strcmp(after, before) != 0) {
			assert_string_equal(after, want);
			break;
		}
	}
	assert_true(nth > 12);
	mx_queue_store_close(store);
}

/* One item, or two. */
static int toggle(void *user, struct mx_queue *queue, struct mx_err *err)
{
	const size_t count = queue->count == 1 ? 2 : 1;
	int rc = 0;

	mx_queue_fini(queue);
	while (!rc && queue->count < count)
		rc = mx_queue_append(queue, user, err);
	return rc;
}

/* Killed anywhere, the file is the old one or the new. */
static void a_killed_process_leaves_a_queue(void **state)
{
	struct mx_queue_store *store = open_store(*state);
	struct mx_queue queue;
	size_t changes = 0, before = 0;
	long nth;
	int status;

	for (nth = 0;; nth++) {
		const pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid) {
			faults_arm(nth);
			faults.kill = 1;
			(void)mx_queue_store_change(store, toggle,
						    (char[]){"/x"}, NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(mx_queue_store_read(store, &queue, NULL), 0);
		assert_true(queue.count == before ||
			    queue.count == (before == 1 ? 2 : 1));
		changes += queue.count != before;
		before = queue.count;
		mx_queue_fini(&queue);
		if (WIFEXITED(status))
			break;
	}
	/* Killed before the renaming, behind it, and not at all. */
	assert_true(nth > 8 && changes >= 2);
	mx_queue_store_close(store);
}

static void opening_leaves_nothing_without_memory(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_queue_store *store = NULL;
	long nth;
	int rc;

	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_queue_store_open(&store, dir->path, NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	mx_queue_store_close(store);
	assert_int_equal(mx_queue_store_open(&store, "/no/such/place", NULL),
			 -ENOENT);
}

static void the_log_has_a_line_a_time(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_queue_store *store = open_store(dir);
	char line[128] = "", rest[64];
	int year;
	FILE *in;

	mx_queue_store_log(store, "start %s", "x");
	mx_queue_store_log(store, "finish %s", "x");
	mx_queue_store_close(store);
	in = fopen(scratch_dir_path(dir, "queue.log"), "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	assert_int_equal(
		sscanf(line, "%d-%*d-%*dT%*d:%*d:%*dZ %63[^\n]", &year, rest),
		2);
	assert_string_equal(rest, "start x");
	assert_non_null(fgets(line, sizeof(line), in));
	assert_null(fgets(line, sizeof(line), in));
	assert_int_equal(fclose(in), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, scratch_dir_setup,               \
					scratch_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_is_kept_as_lines),
		TEST(what_is_no_queue_is_refused_with_its_line),
		TEST(a_line_end_cannot_be_kept),
		TEST(there_is_one_runner),
		TEST(changes_from_several_processes_are_not_lost),
		TEST(a_change_is_whole_or_not_at_all),
		TEST(a_killed_process_leaves_a_queue),
		TEST(opening_leaves_nothing_without_memory),
		TEST(the_log_has_a_line_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
