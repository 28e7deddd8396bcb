#include "cli/guard.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "pager/wall.h"
#include "tests/check.h"

#define BUDGET ((uint64_t)64 << 20)

/* How a child ends that raises @signal at itself behind a guard; lowered first
 * if @lowered. */
static int ending(int signal, int lowered)
{
	struct mx_wall *wall;
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (mx_guard_raise(&wall, "off", BUDGET, NULL, NULL))
			_exit(99);
		if (lowered)
			mx_guard_lower(wall);
		(void)raise(signal);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_signal_ends_it_with_its_number(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		status = ending(signals[i], 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 128 + signals[i]);
	}
}

static void once_lowered_a_signal_does_what_it_does(void **state)
{
	const int status = ending(SIGTERM, 1);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void an_ignored_signal_stays_ignored(void **state)
{
	struct mx_wall *wall;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGHUP, SIG_IGN);
		if (mx_guard_raise(&wall, "off", BUDGET, NULL, NULL))
			_exit(99);
		(void)raise(SIGHUP);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

static void off_is_described_and_can_be_raised_again(void **state)
{
	struct mx_wall *wall;
	uint64_t bytes;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(
			mx_guard_raise(&wall, "off", BUDGET, NULL, NULL), 0);
		assert_string_equal(mx_wall_describe(wall), "off: as asked");
		assert_int_equal(mx_wall_peak_bytes(wall, &bytes), -ENODATA);
		mx_guard_lower(wall);
	}
	mx_guard_lower(NULL);
}

static void a_wall_that_cannot_be_leaves_no_guard(void **state)
{
	struct mx_wall *wall;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_guard_raise(&wall, "", BUDGET, NULL, &err),
			 -EINVAL);
	assert_int_equal(mx_guard_raise(&wall, "off", BUDGET, NULL, NULL), 0);
	mx_guard_lower(wall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_ends_it_with_its_number),
		cmocka_unit_test(once_lowered_a_signal_does_what_it_does),
		cmocka_unit_test(an_ignored_signal_stays_ignored),
		cmocka_unit_test(off_is_described_and_can_be_raised_again),
		cmocka_unit_test(a_wall_that_cannot_be_leaves_no_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
