#include "lib/err.h"

#include <errno.h>
#include <string.h>

#include "tests/check.h"

static void a_failure_carries_code_and_message(void **state)
{
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_fail(&err, EBADMSG, "%s: %d", "net", 7), -EBADMSG);
	assert_string_equal(err.text, "net: 7");
}

static void errno_is_appended_in_words(void **state)
{
	struct mx_err err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(mx_fail_errno(&err, "open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "open x: No such file or directory");
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	assert_int_equal(mx_fail(NULL, EINVAL, "lost"), -EINVAL);
	errno = EPERM;
	assert_int_equal(mx_fail_errno(NULL, "lost"), -EPERM);
}

static void a_long_message_is_cut_and_says_so(void **state)
{
	struct mx_err err;
	char text[2 * MX_ERR_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(mx_fail(&err, EINVAL, "%s", text), -EINVAL);
	assert_int_equal(strlen(err.text), MX_ERR_BYTES - 1);
	assert_string_equal(err.text + MX_ERR_BYTES - 5, "x...");
	text[MX_ERR_BYTES - 4] = '\0';
	errno = ENOENT;
	assert_int_equal(mx_fail_errno(&err, "%s", text), -ENOENT);
	assert_string_equal(err.text + MX_ERR_BYTES - 4, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_carries_code_and_message),
		cmocka_unit_test(errno_is_appended_in_words),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(a_long_message_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
