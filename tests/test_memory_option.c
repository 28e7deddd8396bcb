#include "cli/memory_option.h"

#include <errno.h>

#include "cli/command.h"
#include "tests/check.h"

static void a_budget_is_above_nothing(void **state)
{
	static const char *const bad[] = {"0", "", "64MB", "-1", "lots"};
	struct mx_cli cli = {.verbosity = 0};
	uint64_t value = 7;
	size_t i;

	(void)state;
	assert_int_equal(mx_memory_budget(&cli, "run", "64M", &value), 0);
	assert_int_equal(value, 64 << 20);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_memory_budget(&cli, "run", bad[i], &value),
				 EINVAL);
	assert_int_equal(value, 64 << 20);
	assert_string_equal(cli.err.text, "run: --budget=lots: must be a size "
					  "such as 64M");
}

static void budgets_are_as_many_as_there_is_room_for(void **state)
{
	struct mx_cli cli = {.verbosity = 0};
	uint64_t values[2];
	size_t count;

	(void)state;
	assert_int_equal(
		mx_memory_budgets(&cli, "plan", "1M,2M", values, 2, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(values[1], 2 << 20);
	assert_int_equal(
		mx_memory_budgets(&cli, "plan", "1M-4M*2", values, 2, &count),
		EINVAL);
	assert_string_equal(cli.err.text,
			    "plan: --budget=1M-4M*2: must be sizes such as "
			    "64M,128M-512M*2, at most 2");
}

static void a_back_end_has_a_name(void **state)
{
	static const char *const good[] = {"auto", "uring", "threads", "sync"};
	struct mx_cli cli = {.verbosity = 0};
	const char *io = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(mx_memory_io(&cli, "run", good[i], &io), 0);
		assert_string_equal(io, good[i]);
	}
	assert_int_equal(mx_memory_io(&cli, "run", "aio", &io), EINVAL);
	assert_string_equal(io, "sync");
	assert_string_equal(cli.err.text, "run: --io=aio: must be auto, uring, "
					  "threads or sync");
}

static void storage_has_a_rate_or_its_own(void **state)
{
	static const char *const bad[] = {"0", "", "-1", "40MB", "fast"};
	struct mx_cli cli = {.verbosity = 0};
	uint64_t rate = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_memory_storage(&cli, "plan", bad[i], &rate),
				 EINVAL);
	assert_int_equal(rate, 7);
	assert_string_equal(cli.err.text, "plan: --storage=fast: must be auto "
					  "or bytes a second such as 40M");
	assert_int_equal(mx_memory_storage(&cli, "plan", "40M", &rate), 0);
	assert_int_equal(rate, 40 << 20);
	assert_int_equal(mx_memory_storage(&cli, "plan", "auto", &rate), 0);
	assert_int_equal(rate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_above_nothing),
		cmocka_unit_test(budgets_are_as_many_as_there_is_room_for),
		cmocka_unit_test(a_back_end_has_a_name),
		cmocka_unit_test(storage_has_a_rate_or_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
