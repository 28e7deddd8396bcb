#include "cli/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

static char *written;
static size_t written_bytes;

static void begin(struct mx_json *json)
{
	FILE *out = open_memstream(&written, &written_bytes);

	assert_non_null(out);
	mx_json_init(json, out);
}

static void expect(struct mx_json *json, const char *want)
{
	assert_int_equal(fclose(json->out), 0);
	assert_string_equal(written, want);
	free(written);
}

static void items_are_separated_and_indented(void **state)
{
	struct mx_json json;

	(void)state;
	begin(&json);
	mx_json_object(&json, NULL);
	mx_json_u64(&json, "a", UINT64_MAX);
	mx_json_array(&json, "b");
	mx_json_bool(&json, NULL, 1);
	mx_json_bool(&json, NULL, 0);
	mx_json_array_end(&json);
	mx_json_array(&json, "none");
	mx_json_array_end(&json);
	mx_json_null(&json, "c");
	mx_json_object_end(&json);
	expect(&json, "{\n"
		      "  \"a\": 18446744073709551615,\n"
		      "  \"b\": [\n"
		      "    true,\n"
		      "    false\n"
		      "  ],\n"
		      "  \"none\": [],\n"
		      "  \"c\": null\n"
		      "}\n");
}

static void the_items_of_a_flat_group_are_on_a_line_each(void **state)
{
	struct mx_json json;

	(void)state;
	begin(&json);
	mx_json_object(&json, NULL);
	mx_json_u64(&json, "a", 1);
	mx_json_array(&json, "b");
	mx_json_flat(&json);
	mx_json_object(&json, NULL);
	mx_json_u64(&json, "c", 1);
	mx_json_array(&json, "d");
	mx_json_u64(&json, NULL, 2);
	mx_json_u64(&json, NULL, 3);
	mx_json_array_end(&json);
	mx_json_object_end(&json);
	mx_json_object(&json, NULL);
	mx_json_object_end(&json);
	mx_json_array_end(&json);
	mx_json_null(&json, "e");
	mx_json_object_end(&json);
	expect(&json, "{\n"
		      "  \"a\": 1,\n"
		      "  \"b\": [\n"
		      "    {\"c\": 1,\"d\": [2,3]},\n"
		      "    {}\n"
		      "  ],\n"
		      "  \"e\": null\n"
		      "}\n");
}

static void thousandths_are_exact(void **state)
{
	struct mx_json json;

	(void)state;
	begin(&json);
	mx_json_array(&json, NULL);
	mx_json_flat(&json);
	mx_json_array(&json, NULL);
	mx_json_thousandths(&json, NULL, 0);
	mx_json_thousandths(&json, NULL, 999);
	mx_json_thousandths(&json, NULL, 1001);
	mx_json_thousandths(&json, NULL, UINT64_MAX);
	mx_json_array_end(&json);
	mx_json_array_end(&json);
	expect(&json, "[\n  [0.000,0.999,1.001,18446744073709551.615]\n]\n");
}

static void numbers_keep_a_float_and_know_no_infinity(void **state)
{
	struct mx_json json;

	(void)state;
	begin(&json);
	mx_json_number(&json, NULL, (double)0.1f);
	mx_json_number(&json, NULL, INFINITY);
	mx_json_number(&json, NULL, NAN);
	mx_json_number(&json, NULL, -1.5);
	expect(&json, "0.100000001nullnull-1.5");
}

static void expect_text(const char *value, const char *want)
{
	struct mx_json json;

	begin(&json);
	mx_json_string(&json, NULL, value);
	expect(&json, want);
}

static void strings_are_escaped_and_always_utf8(void **state)
{
	(void)state;
	expect_text(NULL, "null");
	expect_text("a\"b\\c\n\x01", "\"a\\\"b\\\\c\\u000a\\u0001\"");
	expect_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	/* Latin-1; overlong; a surrogate; past the end; cut off. */
	expect_text("\xe9t", "\"\\ufffdt\"");
	expect_text("\xc0\x80", "\"\\ufffd\\ufffd\"");
	expect_text("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
	expect_text("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	expect_text("\xe2\x82", "\"\\ufffd\\ufffd\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_separated_and_indented),
		cmocka_unit_test(the_items_of_a_flat_group_are_on_a_line_each),
		cmocka_unit_test(thousandths_are_exact),
		cmocka_unit_test(numbers_keep_a_float_and_know_no_infinity),
		cmocka_unit_test(strings_are_escaped_and_always_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
