#include "pager/sigbus.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/weights_fixture.h"

#define PAGES 4

static void a_vanished_page_is_zeros_and_noted(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = PAGES * page;
	struct weights_fixture fx;
	const volatile unsigned char *data;
	uint64_t offset = 7;
	int range;

	(void)state;
	weights_open(&fx, &size, 1, 1);
	data = fx.net.weights_base;
	assert_int_equal(mx_sigbus_install(NULL), 0);
	assert_int_equal(mx_sigbus_install(NULL), 0);
	range = mx_sigbus_watch(fx.net.weights_base, size);
	assert_true(range >= 0);
	assert_int_equal(data[3 * page + 5], weights_byte(3 * page + 5));
	assert_int_equal(mx_sigbus_hit(range, &offset), 0);
	assert_int_equal(ftruncate(fx.net.weights_fd, (off_t)page), 0);
	assert_int_equal(data[3 * page + 5], 0);
	assert_int_equal(mx_sigbus_hit(range, &offset), 1);
	assert_int_equal(offset, 3 * page);
	assert_int_equal(data[page], 0);
	assert_int_equal(mx_sigbus_hit(range, &offset), 1);
	assert_int_equal(offset, page);
	assert_int_equal(data[page - 1], weights_byte(page - 1));
	mx_sigbus_forget(range);
	weights_close(&fx);
}

static void other_addresses_keep_their_signal(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = PAGES * page;
	struct weights_fixture fx;
	int status;
	pid_t child;

	(void)state;
	weights_open(&fx, &size, 1, 1);
	assert_int_equal(ftruncate(fx.net.weights_fd, (off_t)page), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const volatile unsigned char *data = fx.net.weights_base;

		signal(SIGBUS, SIG_DFL);
		_exit(mx_sigbus_install(NULL) || data[2 * page]);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	weights_close(&fx);
}

static void ranges_run_out_and_come_back(void **state)
{
	static char memory[MX_SIGBUS_RANGES_MAX + 1];
	uint64_t offset;
	int i;

	(void)state;
	for (i = 0; i < MX_SIGBUS_RANGES_MAX; i++)
		assert_int_equal(mx_sigbus_watch(&memory[i], 1), i);
	assert_int_equal(mx_sigbus_watch(&memory[i], 1), -ENOSPC);
	mx_sigbus_forget(3);
	assert_int_equal(mx_sigbus_watch(&memory[i], 1), 3);
	for (i = 0; i < MX_SIGBUS_RANGES_MAX; i++)
		mx_sigbus_forget(i);
	mx_sigbus_forget(-ENOSPC);
	assert_int_equal(mx_sigbus_hit(-ENOSPC, &offset), 0);
}

int main(void)
{
	/* The child first: the handler is installed once for a process. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_addresses_keep_their_signal),
		cmocka_unit_test(a_vanished_page_is_zeros_and_noted),
		cmocka_unit_test(ranges_run_out_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
