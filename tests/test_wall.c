/* wrap: realloc open read write pipe2 fork mkdir */
#include "pager/wall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "pager/wall_impl.h"
#include "tests/check.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

#define MIB ((size_t)1 << 20)
/* Room for ThreadSanitizer, which takes four times what is touched. */
#define LIMIT (128 * MIB)
#define SOME (16 * MIB)

/* What a child of the test says: assertions are for the test itself. */
#define CANNOT 77
#define NEED(what)                                                             \
	do {                                                                   \
		if (!(what)) {                                                 \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #what);                        \
			_exit(1);                                              \
		}                                                              \
	} while (0)

FAULT(void *, realloc, (void *old, size_t n), (old, n), ENOMEM, NULL)
FAULT(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n), EIO, -1)
FAULT(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n), EIO,
      -1)
FAULT(int, pipe2, (int fds[2], int flags), (fds, flags), EMFILE, -1)
FAULT(pid_t, fork, (void), (), EAGAIN, -1)
FAULT(int, mkdir, (const char *path, mode_t mode), (path, mode), EROFS, -1)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return fault(EMFILE) ? -1 : __real_open(path, flags);
}

static struct mx_cgroup_place place_of(const struct mx_wall_ops **ops)
{
	struct mx_cgroup_place place = {.name = "?"};
	char *self = NULL, *mounts = NULL;

	if (!mx_cgroup_file_text("/proc/self/cgroup", &self) &&
	    !mx_cgroup_file_text("/proc/self/mountinfo", &mounts))
		(void)mx_wall_find(self, mounts, ops, &place, NULL);
	free(self);
	free(mounts);
	return place;
}

static struct mx_cgroup_place place_now(void)
{
	const struct mx_wall_ops *ops;

	return place_of(&ops);
}

static void directory_of(const struct mx_cgroup_place *place, const char *name,
			 char out[MX_CGROUP_FILE_BYTES])
{
	NEED(!mx_cgroup_file_path(out, place->point, place->name, name));
}

/* How many cgroups of walls of process @pid are in @place. */
static int count_of(const struct mx_cgroup_place *place, pid_t pid)
{
	char path[MX_CGROUP_FILE_BYTES], prefix[64];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	(void)snprintf(prefix, sizeof(prefix), MX_WALL_PREFIX "%ld-",
		       (long)pid);
	directory_of(place, "", path);
	dir = opendir(path);
	NEED(dir);
	while ((entry = readdir(dir)) != NULL)
		count += !strncmp(entry->d_name, prefix, strlen(prefix));
	(void)closedir(dir);
	return count;
}

/* Where a cgroup can be made by hand and v2's rule about processes does not
 * apply, a wall that cannot be had is a failure. */
static int must_have_one(void)
{
	const struct mx_wall_ops *ops = NULL;
	const struct mx_cgroup_place home = place_of(&ops);
	char path[MX_CGROUP_FILE_BYTES], name[64];

	if (!ops || (ops == &mx_wall_v2 && strcmp(home.name, "/") != 0))
		return 0;
	(void)snprintf(name, sizeof(name), "mx-test-%ld", (long)getpid());
	directory_of(&home, name, path);
	return mkdir(path, 0755) == 0 && rmdir(path) == 0;
}

/* Or end as one that cannot have a wall. */
static struct mx_wall *raised(const char *mode)
{
	const struct mx_wall_opts opts = {.mode = mode, .limit_bytes = LIMIT};
	struct mx_wall *wall = NULL;
	struct mx_err err;
	const int rc = mx_wall_raise(&wall, &opts, &err);

	if (rc == -ENOSYS) {
		(void)fprintf(stderr, "no wall can be had here: %s\n",
			      err.text);
		_exit(must_have_one() ? 1 : CANNOT);
	}
	NEED(rc == 0);
	return wall;
}

/* Of the last status_of(). */
static pid_t child;

/* Run a part of the test in a process of its own, which moves: its status. */
static int status_of(void (*body)(void))
{
	int status;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT)
		skip();
	return status;
}

static void *touched(size_t size_bytes)
{
	char *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(memory != MAP_FAILED);
	memset(memory, 1, size_bytes);
	return memory;
}

static void raise_and_lower(void)
{
	const struct mx_cgroup_place before = place_now();
	struct mx_wall *wall = raised("require");
	struct mx_cgroup_place now = place_now();
	uint64_t current = 0, peak = 0, available = 0;
	char described[MX_CGROUP_FILE_BYTES];

	/* A child of the cgroup we were in. */
	NEED(!strcmp(now.name, wall->group.name));
	NEED(strlen(now.name) > strlen(before.name));
	NEED(!strncmp(now.name, before.name, strlen(before.name)));
	(void)snprintf(described, sizeof(described), "%s %s", wall->ops->name,
		       now.name);
	NEED(!strcmp(mx_wall_describe(wall), described));

	NEED(!munmap(touched(SOME), SOME));
	(void)touched(SOME / 2);
	NEED(!mx_wall_current_bytes(wall, &current));
	NEED(current >= SOME / 2 - MIB && current < LIMIT / 2);
	if (mx_wall_peak_bytes(wall, &peak) == 0)
		NEED(peak >= SOME - MIB && peak <= LIMIT);
	NEED(!mx_wall_available_bytes(&available, NULL));
	NEED(available <= LIMIT - current + MIB);

	mx_wall_lower(wall);
	now = place_now();
	NEED(!strcmp(now.name, before.name));
	NEED(count_of(&before, getpid()) == 0);
}

static void a_wall_is_around_us_until_it_is_lowered(void **state)
{
	(void)state;
	assert_int_equal(status_of(raise_and_lower), 0);
}

static void touch_too_much(void)
{
	(void)raised("require");
	(void)touched(2 * LIMIT);
}

static void only_raise(void)
{
	(void)raised("require");
}

static void raise_and_lower_at_once(void)
{
	mx_wall_lower(raised("require"));
}

static void the_limit_is_the_kernels_and_leaves_no_trace(void **state)
{
	const struct mx_cgroup_place home = place_now();
	const int status = status_of(touch_too_much);
	const pid_t killed = child;
	pid_t ended;

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(count_of(&home, killed), 1);
	/* Each cleans up after the one before. */
	assert_int_equal(status_of(only_raise), 0);
	ended = child;
	assert_int_equal(count_of(&home, killed), 0);
	assert_int_equal(count_of(&home, ended), 1);
	assert_int_equal(status_of(raise_and_lower_at_once), 0);
	assert_int_equal(count_of(&home, ended), 0);
	assert_int_equal(count_of(&home, child), 0);
}

static void make_stale_and_raise(void)
{
	const struct mx_cgroup_place home = place_now();
	char gone[MX_CGROUP_FILE_BYTES], again[MX_CGROUP_FILE_BYTES];
	char other[MX_CGROUP_FILE_BYTES], alive[MX_CGROUP_FILE_BYTES];
	char name[64];
	struct mx_wall *wall;
	const char *mine;
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0)
		_exit(0);
	NEED(waitpid(pid, NULL, 0) == pid);
	(void)snprintf(name, sizeof(name), MX_WALL_PREFIX "%ld-1", (long)pid);
	directory_of(&home, name, gone);
	(void)snprintf(name, sizeof(name), MX_WALL_PREFIX "%ld-1",
		       (long)getppid());
	directory_of(&home, name, again);
	(void)snprintf(name, sizeof(name), "mx-test-%ld", (long)getpid());
	directory_of(&home, name, other);

	wall = raised("require");
	mine = strrchr(wall->group.name, '/') + 1;
	NEED(!mx_wall_is_stale(mine));
	(void)snprintf(alive, sizeof(alive), "%s", wall->group_dir);
	mx_wall_lower(wall);
	NEED(!mkdir(gone, 0755) && !mkdir(again, 0755) && !mkdir(other, 0755));

	mx_wall_lower(raised("require"));
	NEED(access(gone, F_OK) < 0 && errno == ENOENT);
	NEED(access(again, F_OK) < 0 && errno == ENOENT);
	NEED(access(alive, F_OK) < 0 && errno == ENOENT);
	NEED(rmdir(other) == 0);
}

static void groups_of_killed_runs_are_removed_and_no_others(void **state)
{
	(void)state;
	assert_int_equal(status_of(make_stale_and_raise), 0);
}

static struct mx_wall *handled;

static void on_signal(int signal_number)
{
	mx_wall_emergency(handled);
	_exit(signal_number);
}

static void *wait_for_the_end(void *started)
{
	(void)pthread_barrier_wait(started);
	for (;;)
		(void)pause();
	return NULL;
}

static void be_terminated(void)
{
	const struct sigaction action = {.sa_handler = on_signal};
	pthread_barrier_t started;
	pthread_t thread;

	handled = raised("require");
	NEED(!sigaction(SIGTERM, &action, NULL));
	NEED(!pthread_barrier_init(&started, NULL, 2));
	NEED(!pthread_create(&thread, NULL, wait_for_the_end, &started));
	(void)pthread_barrier_wait(&started);
	/* The handler runs on the other thread: all have to move. */
	(void)pthread_kill(thread, SIGTERM);
	for (;;)
		(void)pause();
}

static void a_terminated_process_leaves_no_group(void **state)
{
	const struct mx_cgroup_place home = place_now();
	const int status = status_of(be_terminated);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SIGTERM);
	assert_int_equal(count_of(&home, child), 0);
}

static void raise_elsewhere(void)
{
	const struct mx_cgroup_place home = place_now();
	struct mx_cgroup_place inner = home;
	char dir[MX_CGROUP_FILE_BYTES + 2], name[64];
	struct mx_wall *wall;
	int i;

	mx_wall_lower(raised("require"));
	(void)snprintf(name, sizeof(name), "mx-test-%ld", (long)getpid());
	directory_of(&home, name, dir);
	NEED(!mkdir(dir, 0755));
	(void)snprintf(inner.name, sizeof(inner.name), "%s",
		       dir + strlen(home.point));
	(void)strcat(dir, "/");
	/* As a directory, and as a name below the root. */
	for (i = 0; i < 2; i++) {
		wall = raised(i ? dir + strlen(home.point) : dir);
		NEED(!strcmp(wall->parent.name, inner.name));
		NEED(!strncmp(place_now().name, inner.name,
			      strlen(inner.name)));
		NEED(count_of(&inner, getpid()) == 1);
		mx_wall_lower(wall);
		NEED(!strcmp(place_now().name, home.name));
	}
	NEED(rmdir(dir) == 0);
}

static void the_group_can_be_made_in_a_named_one(void **state)
{
	(void)state;
	assert_int_equal(status_of(raise_elsewhere), 0);
}

static void a_named_group_has_to_exist(void **state)
{
	const struct mx_wall_opts opts = {.mode = "no/such/group",
					  .limit_bytes = LIMIT};
	char expected[MX_CGROUP_FILE_BYTES];
	struct mx_wall *wall = NULL;
	struct mx_err err;

	(void)state;
	if (!strcmp(place_now().name, "?")) {
		print_message("no memory cgroup is mounted\n");
		skip();
	}
	assert_int_equal(mx_wall_raise(&wall, &opts, &err), -EINVAL);
	assert_null(wall);
	(void)snprintf(expected, sizeof(expected),
		       "wall: no/such/group: no such cgroup in %s",
		       place_now().point);
	assert_string_equal(err.text, expected);
}

static void keep_line(void *user, enum mx_log_level level, const char *line)
{
	NEED(level == MX_LOG_WARNING);
	NEED(((char *)user)[0] == '\0');
	(void)snprintf(user, MX_ERR_BYTES, "%s", line);
}

static void go_without(void)
{
	char line[MX_ERR_BYTES] = "", expected[2 * MX_ERR_BYTES];
	const struct mx_log log = {
		.level = MX_LOG_DEBUG, .write = keep_line, .user = line};
	struct mx_wall_opts opts = {
		.mode = "require", .limit_bytes = LIMIT, .log = &log};
	struct mx_wall *wall = NULL;
	uint64_t bytes = 0;
	struct mx_err err;

	/* Nobody's own: if that cannot be had, nor can a wall. */
	NEED(geteuid() != 0 || (!setgid(65534) && !setuid(65534)));
	if (!mx_wall_raise(&wall, &opts, &err)) {
		(void)fprintf(stderr, "everybody may have a wall here\n");
		mx_wall_lower(wall);
		_exit(CANNOT);
	}
	NEED(wall == NULL && line[0] == '\0');
	NEED(mx_wall_raise(&wall, &opts, &err) == -ENOSYS);
	NEED(!strncmp(err.text, "wall: ", 6));

	opts.mode = "auto";
	NEED(!mx_wall_raise(&wall, &opts, NULL));
	(void)snprintf(expected, sizeof(expected), "%s; the ledger holds alone",
		       err.text);
	NEED(!strcmp(line, expected));
	(void)snprintf(expected, sizeof(expected), "off: %s", err.text + 6);
	NEED(!strcmp(mx_wall_describe(wall), expected));
	NEED(mx_wall_current_bytes(wall, &bytes) == -ENODATA);
	NEED(mx_wall_peak_bytes(wall, &bytes) == -ENODATA);
	mx_wall_emergency(wall);
	mx_wall_lower(wall);
}

static void without_permission_the_ledger_holds_alone(void **state)
{
	(void)state;
	assert_int_equal(status_of(go_without), 0);
}

static void a_wall_that_is_off_is_none(void **state)
{
	struct mx_wall_opts opts = {.mode = "off", .limit_bytes = LIMIT};
	struct mx_wall *wall = NULL;
	uint64_t bytes;

	(void)state;
	assert_int_equal(mx_wall_raise(&wall, &opts, NULL), 0);
	assert_string_equal(mx_wall_describe(wall), "off: as asked");
	assert_int_equal(mx_wall_peak_bytes(wall, &bytes), -ENODATA);
	mx_wall_lower(wall);
	mx_wall_lower(NULL);
	mx_wall_emergency(NULL);

	wall = NULL;
	opts.limit_bytes = 0;
	assert_int_equal(mx_wall_raise(&wall, &opts, NULL), -EINVAL);
	opts.limit_bytes = LIMIT;
	opts.mode = "";
	assert_int_equal(mx_wall_raise(&wall, &opts, NULL), -EINVAL);
	assert_null(wall);
}

/* Fail the first, second, ... call; no failure leaves anything. */
static void fail_each_call(void)
{
	const struct mx_wall_opts opts = {.mode = "require",
					  .limit_bytes = LIMIT};
	const struct mx_cgroup_place home = place_now();
	int left = 0, failures = 0;

	mx_wall_lower(raised("require"));
	do {
		struct mx_wall *wall = NULL;
		struct mx_err err;
		int rc;

		faults_arm(left);
		rc = mx_wall_raise(&wall, &opts, &err);
		(void)faults_disarm();
		if (rc) {
			failures++;
			NEED(rc == -ENOSYS || rc == -ENOMEM);
			NEED(!strncmp(err.text, "wall: ", 6));
			NEED(wall == NULL);
		} else {
			mx_wall_lower(wall);
		}
		NEED(!strcmp(place_now().name, home.name));
		NEED(count_of(&home, getpid()) == 0);
		/* The clerk makes some of the calls, whose faults are not
		 * seen here; there are fewer in all. */
	} while (++left < 80);
	NEED(failures >= 10);
}

static void a_wall_that_fails_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(status_of(fail_each_call), 0);
}

/* mx_wall_find() with the scratch directory as where a hierarchy is mounted. */
static int find_in(const struct scratch_dir *dir, const char *type,
		   struct mx_err *err, const struct mx_wall_ops **ops)
{
	struct mx_cgroup_place home;
	char mounts[256];

	(void)snprintf(mounts, sizeof(mounts), "1 2 0:3 / %s rw - %s\n",
		       dir->path, type);
	return mx_wall_find("3:memory:/a\n0::/b\n", mounts, ops, &home, err);
}

static void the_manager_is_what_the_machine_has(void **state)
{
	const struct mx_wall_ops *ops = NULL;
	struct scratch_dir *dir = *state;
	struct mx_err err;

	assert_int_equal(find_in(dir, "cgroup cgroup rw,memory", &err, &ops),
			 0);
	assert_ptr_equal(ops, &mx_wall_v1);
	(void)scratch_dir_put(dir, "cgroup.controllers", "cpu memory\n", 11);
	assert_int_equal(find_in(dir, "cgroup2 cgroup2 rw", &err, &ops), 0);
	assert_ptr_equal(ops, &mx_wall_v2);

	(void)scratch_dir_put(dir, "cgroup.controllers", "cpu io\n", 7);
	assert_int_equal(find_in(dir, "cgroup2 cgroup2 rw", &err, &ops),
			 -ENOSYS);
	assert_string_equal(err.text, "the memory controller is not available "
				      "(on a Raspberry Pi, add "
				      "cgroup_enable=memory to cmdline.txt)");
	assert_int_equal(find_in(dir, "ext4 cgroup2 rw", &err, &ops), -ENOSYS);
	assert_string_equal(err.text,
			    "no cgroup hierarchy is mounted (as root: mount -t "
			    "cgroup2 none /sys/fs/cgroup)");
}

static void a_name_is_stale_when_its_process_is_gone(void **state)
{
	char name[64], *text;
	uint64_t began;

	(void)state;
	assert_int_equal(mx_cgroup_file_text("/proc/self/stat", &text), 0);
	assert_int_equal(mx_cgroup_text_start_time(text, &began), 0);
	free(text);
	(void)snprintf(name, sizeof(name), "memexec-%ld-%" PRIu64,
		       (long)getpid(), began);
	assert_int_equal(mx_wall_is_stale(name), 0);
	(void)snprintf(name, sizeof(name), "memexec-%ld-%" PRIu64,
		       (long)getpid(), began + 1);
	assert_int_equal(mx_wall_is_stale(name), 1);
	/* Past the largest number that a process can have. */
	assert_int_equal(mx_wall_is_stale("memexec-4194305-1"), 1);

	assert_int_equal(mx_wall_is_stale("memexec-4194305"), 0);
	assert_int_equal(mx_wall_is_stale("memexec-4194305-"), 0);
	assert_int_equal(mx_wall_is_stale("memexec-4194305-1x"), 0);
	assert_int_equal(mx_wall_is_stale("memexec--1"), 0);
	assert_int_equal(mx_wall_is_stale("memexec-0-1"), 0);
	assert_int_equal(mx_wall_is_stale("memexec-"), 0);
	assert_int_equal(mx_wall_is_stale("other-4194305-1"), 0);
	assert_int_equal(mx_wall_is_stale("memexec-99999999999999999999999-1"),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wall_is_around_us_until_it_is_lowered),
		cmocka_unit_test(the_limit_is_the_kernels_and_leaves_no_trace),
		cmocka_unit_test(
			groups_of_killed_runs_are_removed_and_no_others),
		cmocka_unit_test(a_terminated_process_leaves_no_group),
		cmocka_unit_test(the_group_can_be_made_in_a_named_one),
		cmocka_unit_test(a_named_group_has_to_exist),
		cmocka_unit_test(without_permission_the_ledger_holds_alone),
		cmocka_unit_test(a_wall_that_is_off_is_none),
		cmocka_unit_test(a_wall_that_fails_leaves_nothing),
		cmocka_unit_test_setup_teardown(
			the_manager_is_what_the_machine_has, scratch_dir_setup,
			scratch_dir_teardown),
		cmocka_unit_test(a_name_is_stale_when_its_process_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
