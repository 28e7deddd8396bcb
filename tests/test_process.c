#include "sched/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

static void fields_are_found_at_line_starts(void **state)
{
	static const char text[] = "Name:\tx\nVmRSS:\t  12 kB\nRssAnon:\t "
				   "7 kB\nread_bytes: 4096\n";
	uint64_t value = 1;

	(void)state;
	assert_int_equal(mx_process_field(text, "RssAnon", &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(mx_process_field(text, "read_bytes", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(mx_process_field(text, "RSS", &value), -ENOENT);
	assert_int_equal(mx_process_field(text, "bytes", &value), -ENOENT);
	assert_int_equal(value, 4096);
}

static void anonymous_memory_grows_with_what_is_touched(void **state)
{
	const size_t size = (size_t)16 << 20;
	const uint64_t before = mx_process_anonymous_bytes();
	char *memory = malloc(size);

	(void)state;
	assert_non_null(memory);
	memset(memory, 1, size);
	assert_true(memory[size / 2] == 1);
	assert_in_range(mx_process_anonymous_bytes() - before, size / 2,
			2 * size);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_at_line_starts),
		cmocka_unit_test(anonymous_memory_grows_with_what_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
