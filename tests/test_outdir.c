/* wrap: malloc calloc realloc strdup strndup aligned_alloc */
/* wrap: open openat mkdirat flock fstat fdopendir write pwrite pread */
/* wrap: fsync ftruncate renameat2 renameat unlinkat */
#include "tests/model_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "loader/mxload.h"
#include "tests/faults.h"

static int no_exchange; /* 1: renameat2 knows no flags */

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *p, size_t size), (p, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(char *, strndup, (const char *text, size_t len), (text, len), ENOMEM,
      NULL)
FAULT(void *, aligned_alloc, (size_t align, size_t size), (align, size), ENOMEM,
      NULL)
FAULT(int, open, (const char *path, int flags, mode_t mode),
      (path, flags, mode), EIO, -1)
FAULT(int, openat, (int fd, const char *path, int flags, mode_t mode),
      (fd, path, flags, mode), EIO, -1)
FAULT(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode),
      EIO, -1)
FAULT(int, flock, (int fd, int how), (fd, how), EBADF, -1)
FAULT(int, fstat, (int fd, struct stat *st), (fd, st), EIO, -1)
FAULT(DIR *, fdopendir, (int fd), (fd), EIO, NULL)
FAULT(ssize_t, pread, (int fd, void *to, size_t size, off_t offset),
      (fd, to, size, offset), EIO, -1)
FAULT(int, ftruncate, (int fd, off_t size), (fd, size), EIO, -1)
FAULT(int, renameat, (int a, const char *from, int b, const char *to),
      (a, from, b, to), EIO, -1)
FAULT(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags),
      EIO, -1)
FAULT(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size),
      ENOSPC, -1)
FAULT(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t offset),
      (fd, from, size, offset), ENOSPC, -1)

int __real_renameat2(int a, const char *from, int b, const char *to,
		     unsigned flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to,
		     unsigned flags);
int __wrap_fsync(int fd);

/* Hundreds of writes: none of them has to survive a loss of power. */
int __wrap_fsync(int fd)
{
	(void)fd;
	return fault(EIO) ? -1 : 0;
}

int __wrap_renameat2(int a, const char *from, int b, const char *to,
		     unsigned flags)
{
	if (fault(EIO))
		return -1;
	if (no_exchange) {
		errno = EINVAL;
		return -1;
	}
	return __real_renameat2(a, from, b, to, flags);
}

static int setup(void **state)
{
	(void)faults_disarm();
	no_exchange = 0;
	return fixture_setup(state);
}

static int exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void an_existing_target_stays(void **state)
{
	struct fixture *fx = *state;
	char expected[256];

	fixture_write(fx);
	fx->net.output_count = 1;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EEXIST);
	snprintf(expected, sizeof(expected), "%s: exists already", fx->path);
	assert_string_equal(fx->err.text, expected);
	fixture_complete(fx, 2);
	assert_int_equal(fixture_entry_count(fx->root), 1);
}

static void force_replaces_a_model(void **state)
{
	struct fixture *fx = *state;

	fixture_labels(&fx->net, 2);
	fixture_write(fx);
	assert_true(exists(fixture_in(fx->path, "labels.txt")));
	fixture_store(fixture_in(fx->path, "profile.pb"), "old", 3);
	fx->opts.force = 1;
	fx->net.label_count = 0;
	fx->net.output_count = 1;
	fixture_write(fx);
	fixture_complete(fx, 1);
	assert_false(exists(fixture_in(fx->path, "labels.txt")));
	assert_false(exists(fixture_in(fx->path, "profile.pb")));
	assert_int_equal(fixture_entry_count(fx->root), 1);
	fx->net.label_count = 2;
}

static void force_without_exchange_replaces_too(void **state)
{
	struct fixture *fx = *state;

	no_exchange = 1;
	fixture_write(fx);
	fx->opts.force = 1;
	fx->net.output_count = 1;
	fixture_write(fx);
	no_exchange = 0;
	fixture_complete(fx, 1);
	assert_int_equal(fixture_entry_count(fx->root), 1);
}

static void not_replaced(struct fixture *fx, const char *why)
{
	char expected[256];

	fx->opts.force = 1;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EEXIST);
	snprintf(expected, sizeof(expected), "%s: not replaced: %s", fx->path,
		 why);
	assert_string_equal(fx->err.text, expected);
	assert_int_equal(fixture_entry_count(fx->root), 1);
}

static void force_spares_what_is_no_model(void **state)
{
	struct fixture *fx = *state;
	struct stat st;

	fixture_store(fx->path, "x", 1);
	not_replaced(fx, "no directory");
	unlink(fx->path);
	assert_int_equal(symlink("/tmp", fx->path), 0);
	not_replaced(fx, "no directory");
	unlink(fx->path);
	assert_int_equal(mkdir(fx->path, 0700), 0);
	not_replaced(fx, "it is no model directory");
	fixture_store(fixture_in(fx->path, "weights.bin"), "x", 1);
	not_replaced(fx, "it is no model directory");
	fixture_store(fixture_in(fx->path, "model.pb"), "x", 1);
	fixture_store(fixture_in(fx->path, "thesis.tex"), "x", 1);
	not_replaced(fx, "thesis.tex in it is no part of a model");
	assert_int_equal(stat(fixture_in(fx->path, "thesis.tex"), &st), 0);
	assert_int_equal(st.st_size, 1);
}

static void odd_paths_are_understood(void **state)
{
	static const char *const bad[] = {"", "/", ".", "..", "/tmp/..", "x/."};
	struct fixture *fx = *state;
	char path[256];
	char cwd[512];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fx->opts.path = bad[i];
		assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
				 -EINVAL);
	}
	snprintf(path, sizeof(path), "%s///", fx->path);
	fx->opts.path = path;
	fixture_write(fx);
	fixture_complete(fx, 2);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(fx->root), 0);
	fx->opts.path = "here.mx";
	fixture_write(fx);
	assert_true(exists(fixture_in(fx->root, "here.mx/model.pb")));
	assert_int_equal(chdir(cwd), 0);
	snprintf(path, sizeof(path), "%s/none/x.mx", fx->root);
	assert_int_equal(mx_model_write(&fx->net,
					&(struct mx_write_opts){.path = path},
					&fx->err),
			 -ENOENT);
}

static void the_umask_decides_the_modes(void **state)
{
	struct fixture *fx = *state;
	const mode_t before = umask(027);
	struct stat st;

	fixture_write(fx);
	umask(before);
	assert_int_equal(stat(fx->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(stat(fixture_in(fx->path, "weights.bin"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(stat(fixture_in(fx->path, "model.pb"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void dead_writers_are_cleaned_up_after(void **state)
{
	struct fixture *fx = *state;
	const char *dead = fixture_in(fx->root, ".net.mx.tmp-1-0");
	const char *live = fixture_in(fx->root, ".net.mx.tmp-2-0");
	const char *other = fixture_in(fx->root, ".net.mx.tmp-notes");
	int fd;

	assert_int_equal(mkdir(dead, 0700), 0);
	assert_int_equal(mkdir(live, 0700), 0);
	assert_int_equal(mkdir(other, 0700), 0);
	fixture_store(fixture_in(fx->root, ".net.mx.tmp-1-0/weights.bin"), "x",
		      1);
	fd = __real_open(live, O_RDONLY | O_DIRECTORY, 0);
	assert_int_equal(__real_flock(fd, LOCK_EX), 0);
	fixture_write(fx);
	assert_false(exists(dead));
	assert_true(exists(live));
	assert_true(exists(other));
	/* Its writer dies. */
	close(fd);
	fx->opts.force = 1;
	fixture_write(fx);
	assert_false(exists(live));
	assert_int_equal(fixture_entry_count(fx->root), 2);
}

/* The first names that a writer would take are a live writer's. */
static void a_taken_name_is_passed_over(void **state)
{
	struct fixture *fx = *state;
	char path[160];
	int fd[2];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/.net.mx.tmp-%ld-%d", fx->root,
			 (long)getpid(), i);
		assert_int_equal(mkdir(path, 0700), 0);
		fd[i] = __real_open(path, O_RDONLY | O_DIRECTORY, 0);
		assert_int_equal(__real_flock(fd[i], LOCK_EX), 0);
	}
	fixture_write(fx);
	fixture_complete(fx, 2);
	assert_int_equal(fixture_entry_count(fx->root), 3);
	close(fd[0]);
	close(fd[1]);
}

/* Two slices instead of five: hundreds of these are written. */
static void few_slices(struct fixture *fx)
{
	fx->net.layers[L_FA].weights.rows = 65;
	fx->net.layers[L_FB].weights.rows = 65;
}

/*
 * Fail the first, the second, ... call of a write. Afterwards there is the old
 * model or a complete new one, or none when there was none; no descriptor is
 * lost; and nothing stays that the next write would not clean up.
 */
static void sweep(struct fixture *fx, int force)
{
	const unsigned fds = fixture_fd_count();
	int fired = 1;
	long n;
	int rc;

	few_slices(fx);
	fixture_labels(&fx->net, 2);
	for (n = 0; fired; n++) {
		temp_remove(fx->path);
		fx->opts.force = force;
		fx->net.output_count = 2;
		if (force)
			fixture_write(fx);
		fx->net.output_count = 1;
		fx->err.text[0] = 0;
		faults_arm(n);
		rc = mx_model_write(&fx->net, &fx->opts, &fx->err);
		fired = faults_disarm();
		assert_int_equal(fixture_fd_count(), fds);
		if (rc) {
			assert_int_equal(rc, -fired);
			assert_int_not_equal(fx->err.text[0], 0);
		} else {
			fixture_complete(fx, 1);
		}
		if (rc && exists(fx->path)) {
			const int synced =
				strstr(fx->err.text, "sync the parent") != NULL;

			fixture_complete(fx, synced ? 1 : 2);
			assert_true(force || synced);
		}
		/* Nothing but what a failing unlink or open has left. */
		assert_in_range(fixture_entry_count(fx->root), 0, 2);
		fx->opts.force = 1;
		fixture_write(fx);
		assert_int_equal(fixture_entry_count(fx->root), 1);
	}
	assert_true(n > 60);
}

static void every_call_may_fail(void **state)
{
	sweep(*state, 0);
}

static void every_call_of_a_replacement_may_fail(void **state)
{
	sweep(*state, 1);
}

static void every_call_without_exchange_may_fail(void **state)
{
	no_exchange = 1;
	sweep(*state, 1);
	no_exchange = 0;
}

/* Kill the writer in its n-th call. Returns 1 if it lived to the end. */
static int killed_at(struct fixture *fx, long n)
{
	const pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		faults_arm(n);
		faults.kill = 1;
		_exit(mx_model_write(&fx->net, &fx->opts, &fx->err) != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return 1;
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	return 0;
}

/* How many outputs the model at the path has; 0: there is none. */
static uint32_t outputs_there(struct fixture *fx)
{
	struct mx_model *model;
	uint32_t outputs;

	if (!exists(fx->path))
		return 0;
	if (mx_model_open(&model, fx->path, &fx->err))
		fail_msg("%s", fx->err.text);
	outputs = mx_model_network(model)->output_count;
	mx_model_close(model);
	fixture_complete(fx, outputs);
	return outputs;
}

static void a_kill_leaves_the_old_one_or_none(void **state)
{
	struct fixture *fx = *state;
	uint32_t last = 0;
	uint32_t now;
	int done = 0;
	long n;

	few_slices(fx);
	for (n = 0; !done; n++) {
		temp_remove(fx->path);
		fx->opts.force = 0;
		done = killed_at(fx, n);
		now = outputs_there(fx);
		/* None, and from one call on the new one. */
		assert_true(now == 0 || now == 2);
		assert_true(now >= last);
		last = now;
	}
	assert_int_equal(last, 2);
	assert_true(n > 60);

	fx->opts.force = 1;
	for (n = 0, done = 0; !done; n++) {
		fx->net.output_count = 2;
		fixture_write(fx);
		assert_int_equal(fixture_entry_count(fx->root), 1);
		fx->net.output_count = 1;
		done = killed_at(fx, n);
		now = outputs_there(fx);
		/* The old one, and from one call on the new one. */
		assert_true(now == 2 || now == 1);
		assert_true(now <= last);
		last = now;
	}
	assert_int_equal(last, 1);
	assert_int_equal(fixture_entry_count(fx->root), 1);
}

static void a_kill_without_exchange_leaves_one_or_none(void **state)
{
	struct fixture *fx = *state;
	int done = 0;
	long n;

	few_slices(fx);
	no_exchange = 1;
	fx->opts.force = 1;
	for (n = 0; !done; n++) {
		fx->net.output_count = 2;
		fixture_write(fx);
		assert_int_equal(fixture_entry_count(fx->root), 1);
		fx->net.output_count = 1;
		done = killed_at(fx, n);
		(void)outputs_there(fx);
	}
	no_exchange = 0;
	fixture_complete(fx, 1);
}

static int kill_at_block(void *user, uint32_t layer, uint64_t block, void *out,
			 struct mx_err *err)
{
	struct fixture *fx = user;

	if (fx->blocks.calls + 1 == fx->blocks.fail_at)
		(void)raise(SIGKILL);
	return fixture_read_block(&fx->blocks, layer, block, out, err);
}

static void a_kill_in_any_block_leaves_none(void **state)
{
	struct fixture *fx = *state;
	uint64_t n;

	for (n = 1; n <= 14; n++) {
		fx->opts.read_block = kill_at_block;
		fx->opts.read_user = fx;
		fx->blocks.calls = 0;
		fx->blocks.fail_at = n;
		assert_int_equal(killed_at(fx, -1), 0);
		assert_false(exists(fx->path));
		assert_int_equal(fixture_entry_count(fx->root), 1);
	}
	fx->blocks.fail_at = 0;
	fixture_write(fx);
	fixture_complete(fx, 2);
	assert_int_equal(fixture_entry_count(fx->root), 1);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_existing_target_stays),
		TEST(force_replaces_a_model),
		TEST(force_without_exchange_replaces_too),
		TEST(force_spares_what_is_no_model),
		TEST(odd_paths_are_understood),
		TEST(the_umask_decides_the_modes),
		TEST(dead_writers_are_cleaned_up_after),
		TEST(a_taken_name_is_passed_over),
		TEST(every_call_may_fail),
		TEST(every_call_of_a_replacement_may_fail),
		TEST(every_call_without_exchange_may_fail),
		TEST(a_kill_leaves_the_old_one_or_none),
		TEST(a_kill_without_exchange_leaves_one_or_none),
		TEST(a_kill_in_any_block_leaves_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
