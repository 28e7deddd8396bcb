#include "cli/gantt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pager/residency.h"
#include "tests/picture_fixture.h"

/* Heap, the caller's. */
static char *written(const struct mx_picture *picture)
{
	size_t size;
	char *text;
	FILE *out;

	out = open_memstream(&text, &size);
	assert_non_null(out);
	mx_gantt_write(picture, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text++;
	}
	return count;
}

static void each_span_is_a_bar_of_its_length(void **state)
{
	const struct picture_fixture *fx = *state;
	char *text = written(&fx->picture);

	/* One for the ground, and one for each that takes time. 820 ns are
	 * 1000 wide, from 150 on. */
	assert_int_equal(count_of(text, "<rect "), 6);
	assert_non_null(strstr(
		text,
		"<rect x=\"150.00\" y=\"42.0\" width=\"365.85\" "
		"height=\"18.0\" fill=\"hsl(0,60%,70%)\"><title>a&lt;b: LOAD "
		"co\"nv, 12.0 KiB, 0 ns to 300 ns</title></rect>"));
	assert_non_null(strstr(
		text,
		"<rect x=\"1064.63\" y=\"105.0\" width=\"85.37\" "
		"height=\"18.0\" fill=\"hsl(137,60%,45%)\"><title>second: "
		"EXEC fc, 750 ns to 820 ns</title></rect>"));
	assert_non_null(strstr(text, "EXEC pool&amp;"));
	assert_null(strstr(text, "a<b"));
	free(text);
}

static void the_limit_is_a_line_across(void **state)
{
	const struct picture_fixture *fx = *state;
	struct mx_picture picture = fx->picture;
	char *text = written(&picture);

	/* Two rows of 44 from 40 on: the memory's chart begins at 128. */
	assert_non_null(strstr(text, "<path d=\"M150.0 128.0h1000.0\" "
				     "stroke=\"red\""));
	assert_non_null(strstr(text, ">memory 64.0 KiB</text>"));
	free(text);
	picture.memory_bytes = MX_RESIDENCY_UNLIMITED;
	text = written(&picture);
	assert_non_null(strstr(text, ">peak 20.0 KiB</text>"));
	free(text);
}

static void the_axis_has_round_times(void **state)
{
	const struct picture_fixture *fx = *state;
	char *text = written(&fx->picture);

	assert_int_equal(count_of(text, "text-anchor"), 9);
	assert_non_null(strstr(text, ">100 ns</text>"));
	assert_non_null(strstr(text, ">800 ns</text>"));
	free(text);
}

static void what_is_written_is_one_element(void **state)
{
	const struct picture_fixture *fx = *state;
	char *text = written(&fx->picture);

	assert_int_equal(strncmp(text, "<svg xmlns=", 11), 0);
	assert_string_equal(text + strlen(text) - 7, "</svg>\n");
	assert_int_equal(count_of(text, "<text"), count_of(text, "</text>"));
	assert_int_equal(count_of(text, "\""), 2 * count_of(text, "=\"") + 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_span_is_a_bar_of_its_length, picture_setup,
			picture_teardown),
		cmocka_unit_test_setup_teardown(the_limit_is_a_line_across,
						picture_setup,
						picture_teardown),
		cmocka_unit_test_setup_teardown(the_axis_has_round_times,
						picture_setup,
						picture_teardown),
		cmocka_unit_test_setup_teardown(what_is_written_is_one_element,
						picture_setup,
						picture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
