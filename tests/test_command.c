#include "cli/command.h"

#include <errno.h>
#include <signal.h>

#include "tests/check.h"

static void a_status_becomes_the_documented_exit_status(void **state)
{
	static const struct {
		int rc;
		int want;
	} cases[] = {
		{0, 0},	       {MX_EXIT_NEGATIVE, 1},
		{-EINVAL, 2},  {-EEXIST, 2},
		{-EBADMSG, 3}, {-ENOTSUP, 3},
		{-EDQUOT, 4},  {-EIO, 5},
		{-ENOENT, 5},  {-ENOSPC, 5},
		{-ENOSYS, 6},  {-ETIME, 8},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mx_cli_exit_status(cases[i].rc),
				 cases[i].want);
}

static void a_held_signal_is_seen_and_becomes_the_exit_status(void **state)
{
	sigset_t set;
	int number;

	(void)state;
	mx_cli_hold_signals();
	assert_int_equal(mx_cli_signal(), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(mx_cli_signal(), SIGTERM);
	assert_int_equal(mx_cli_exit_status(-ECANCELED), 128 + SIGTERM);
	/* Take it away, so that it does not end this program. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigwait(&set, &number), 0);
	assert_int_equal(mx_cli_signal(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_becomes_the_documented_exit_status),
		cmocka_unit_test(
			a_held_signal_is_seen_and_becomes_the_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
