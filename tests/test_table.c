#include "cli/table.h"

#include <stdlib.h>

#include "tests/check.h"

static void expect(enum mx_table_style style, const char *want)
{
	static const char *const cells[] = {"name",	"n",	"note",
					    "a,b",	"7",	"",
					    "\xc3\xa9", "1234", "say \"x\""};
	struct mx_table table;
	size_t size, i;
	char *text;
	FILE *out;

	mx_table_init(&table, "lrl");
	for (i = 0; i < 9; i++)
		mx_table_cell(&table, "%s", cells[i]);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(mx_table_print(&table, out, style), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
	free(text);
	mx_table_fini(&table);
}

static void plain_columns_are_aligned_by_characters(void **state)
{
	(void)state;
	expect(MX_TABLE_PLAIN, "name     n  note\n"
			       "a,b      7  \n"
			       "\xc3\xa9     1234  say \"x\"\n");
}

static void markdown_has_a_rule_that_says_the_alignment(void **state)
{
	(void)state;
	expect(MX_TABLE_MARKDOWN, "| name |    n | note    |\n"
				  "|------|-----:|---------|\n"
				  "| a,b  |    7 |         |\n"
				  "| \xc3\xa9    | 1234 | say \"x\" |\n");
}

static void csv_quotes_what_has_to_be_quoted(void **state)
{
	(void)state;
	expect(MX_TABLE_CSV, "name,n,note\n"
			     "\"a,b\",7,\n"
			     "\xc3\xa9,1234,\"say \"\"x\"\"\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_columns_are_aligned_by_characters),
		cmocka_unit_test(markdown_has_a_rule_that_says_the_alignment),
		cmocka_unit_test(csv_quotes_what_has_to_be_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
