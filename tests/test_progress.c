#include "cli/progress.h"

#include "tests/check.h"

static void a_bar_shows_the_share_done(void **state)
{
	char text[20];

	(void)state;
	mx_progress_bar(text, 10, 0, 100);
	assert_string_equal(text, "[>         ]   0 %");
	mx_progress_bar(text, 10, 55, 100);
	assert_string_equal(text, "[=====>    ]  55 %");
	mx_progress_bar(text, 10, 100, 100);
	assert_string_equal(text, "[==========] 100 %");
	/* More than all, and nothing to do. */
	mx_progress_bar(text, 10, UINT64_MAX, 1);
	assert_string_equal(text, "[==========] 100 %");
	mx_progress_bar(text, 10, 0, 0);
	assert_string_equal(text, "[==========] 100 %");
}

static void quiet_draws_nothing_and_goes_on(void **state)
{
	struct mx_progress progress;

	(void)state;
	mx_progress_init(&progress, "x", 1);
	assert_int_equal(mx_progress_update(&progress, 1, 2), 0);
	assert_false(progress.drawn);
	mx_progress_end(&progress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bar_shows_the_share_done),
		cmocka_unit_test(quiet_draws_nothing_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
