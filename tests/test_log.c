#include "lib/log.h"

#include <string.h>

#include "tests/check.h"

struct heard {
	int count;
	enum mx_log_level level;
	char line[64];
};

static void hear(void *user, enum mx_log_level level, const char *line)
{
	struct heard *heard = user;

	heard->count++;
	heard->level = level;
	strncpy(heard->line, line, sizeof(heard->line) - 1);
}

static void lines_up_to_the_level_are_passed_on(void **state)
{
	struct heard heard = {0};
	const struct mx_log log = {MX_LOG_WARNING, hear, &heard};

	(void)state;
	mx_log(&log, MX_LOG_INFO, "no");
	assert_int_equal(heard.count, 0);
	mx_log(&log, MX_LOG_WARNING, "%d slices", 3);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.level, MX_LOG_WARNING);
	assert_string_equal(heard.line, "3 slices");
	mx_log(&log, MX_LOG_ERROR, "bad");
	assert_int_equal(heard.count, 2);
	mx_log(NULL, MX_LOG_ERROR, "nobody");
	assert_int_equal(heard.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_up_to_the_level_are_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
