/* mx_unsupported_*: everything that an importer could not do, in one report. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/log.h"
#include "loader/import/import.h"

struct lines {
	char text[4096];
	size_t count;
};

static void keep_line(void *user, enum mx_log_level level, const char *line)
{
	struct lines *lines = user;

	assert_int_equal(level, MX_LOG_ERROR);
	strcat(lines->text, line);
	strcat(lines->text, "\n");
	lines->count++;
}

static void an_empty_list_is_no_failure(void **state)
{
	struct mx_unsupported *list;
	struct mx_err err = {""};

	(void)state;
	assert_int_equal(mx_unsupported_new(&list), 0);
	assert_int_equal(mx_unsupported_report(list, "x.onnx", NULL, &err), 0);
	mx_unsupported_free(list);
	mx_unsupported_free(NULL);
}

static void each_thing_is_reported_once_with_its_layers(void **state)
{
	struct lines lines = {{0}, 0};
	const struct mx_log log = {MX_LOG_ERROR, keep_line, &lines};
	struct mx_unsupported *list;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_unsupported_new(&list), 0);
	assert_int_equal(mx_unsupported_add(list, "Loop", "a"), 0);
	assert_int_equal(mx_unsupported_add(list, "Conv: auto_pad=FOO", "b"),
			 0);
	assert_int_equal(mx_unsupported_add(list, "Loop", ""), 0);
	assert_int_equal(mx_unsupported_report(list, "x.onnx", &log, &err),
			 -ENOTSUP);
	assert_string_equal(err.text, "x.onnx: not supported: Loop, "
				      "Conv: auto_pad=FOO");
	assert_string_equal(
		lines.text,
		"x.onnx: not supported: Loop, in a, (unnamed)\n"
		"x.onnx: not supported: Conv: auto_pad=FOO, in b\n");
	mx_unsupported_free(list);
}

static void many_layers_are_counted_and_many_things_listed(void **state)
{
	struct lines lines = {{0}, 0};
	const struct mx_log log = {MX_LOG_ERROR, keep_line, &lines};
	struct mx_unsupported *list;
	struct mx_err err;
	char what[128];
	int i;

	(void)state;
	assert_int_equal(mx_unsupported_new(&list), 0);
	for (i = 0; i < 10; i++) {
		snprintf(what, sizeof(what), "l%d", i);
		assert_int_equal(mx_unsupported_add(list, "Loop", what), 0);
	}
	for (i = 0; i < 20; i++) {
		snprintf(what, sizeof(what), "Operator%070d", i);
		assert_int_equal(mx_unsupported_add(list, what, "x"), 0);
	}
	assert_int_equal(mx_unsupported_report(list, "m", &log, &err),
			 -ENOTSUP);
	assert_int_equal(lines.count, 21);
	assert_non_null(strstr(lines.text,
			       "m: not supported: Loop, in l0, l1, l2, l3, l4, "
			       "l5, l6, l7 and 2 more\n"));
	/* What does not fit into the message is in the log. */
	assert_true(strlen(err.text) < MX_ERR_BYTES);
	mx_unsupported_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_is_no_failure),
		cmocka_unit_test(each_thing_is_reported_once_with_its_layers),
		cmocka_unit_test(
			many_layers_are_counted_and_many_things_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
