#include "cli/count_option.h"

#include <errno.h>

#include "cli/command.h"
#include "tests/check.h"

static void a_count_is_from_one_to_its_most(void **state)
{
	static const struct {
		const char *text;
		uint32_t want;
	} good[] = {{"1", 1}, {"007", 7}, {"8", 8}};
	static const char *const bad[] = {"",	 "0",  "-1", "+1",
					  "1.0", "8x", "9"};
	struct mx_cli cli = {.verbosity = 0};
	uint32_t value = 5;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_count_option(&cli, "run", "repeat", bad[i],
						 8, &value),
				 EINVAL);
	assert_int_equal(value, 5);
	assert_string_equal(cli.err.text, "run: --repeat=9: must be a number "
					  "from 1 to 8");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(mx_count_option(&cli, "run", "repeat",
						 good[i].text, 8, &value),
				 0);
		assert_int_equal(value, good[i].want);
	}
	assert_int_equal(mx_count_option(&cli, "run", "repeat", "4294967295",
					 UINT32_MAX, &value),
			 0);
	assert_int_equal(value, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_count_is_from_one_to_its_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
