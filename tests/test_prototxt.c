#include "loader/import/prototxt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/check.h"

static struct mx_prototxt *parse(const char *text)
{
	struct mx_prototxt *tree = NULL;
	struct mx_err err = {{0}};

	if (mx_prototxt_parse(&tree, "net", text, strlen(text), &err))
		fail_msg("%s: %s", text, err.text);
	return tree;
}

/* The tree as text: "a=1 b{c='x'}". */
static void render(const struct mx_prototxt *tree,
		   const struct mx_prototxt_field *in, FILE *out)
{
	const struct mx_prototxt_field *f;
	const char *space = "";

	for (f = mx_prototxt_first(tree, in); f;
	     f = mx_prototxt_next(tree, f)) {
		fprintf(out, "%s%s", space, f->name);
		space = " ";
		if (f->kind == MX_PROTOTXT_MESSAGE) {
			fprintf(out, "{");
			render(tree, f, out);
			fprintf(out, "}");
		} else if (f->kind == MX_PROTOTXT_STRING) {
			fprintf(out, "='%s'", f->text);
		} else if (f->kind == MX_PROTOTXT_NUMBER) {
			fprintf(out, "=%s", f->text);
		} else {
			fprintf(out, ":%s", f->text);
		}
	}
}

static void expect_tree(const char *text, const char *want)
{
	struct mx_prototxt *tree = parse(text);
	char got[1024] = "";
	FILE *out = fmemopen(got, sizeof(got), "w");

	assert_non_null(out);
	render(tree, tree->fields, out);
	fclose(out);
	assert_string_equal(got, want);
	mx_prototxt_free(tree);
}

static void expect_error(const char *text, const char *message)
{
	struct mx_prototxt *tree = NULL;
	struct mx_err err = {{0}};

	assert_int_equal(
		mx_prototxt_parse(&tree, "net", text, strlen(text), &err),
		-EBADMSG);
	assert_null(tree);
	assert_string_equal(err.text, message);
}

static void every_form_of_the_format_is_taken(void **state)
{
	(void)state;
	expect_tree("", "");
	expect_tree(" # only a comment", "");
	expect_tree("a:1", "a=1");
	expect_tree("a: 1 # c\nb: x", "a=1 b:x");
	expect_tree("a { b: 1 }", "a{b=1}");
	expect_tree("a: { b: 1 };", "a{b=1}");
	expect_tree("a < b: 1 c < > >", "a{b=1 c{}}");
	expect_tree("a{b{c:1}d:2}", "a{b{c=1} d=2}");
	expect_tree("a: [1, 2 , -3]", "a=1 a=2 a=-3");
	expect_tree("a: [] b: 2", "b=2");
	expect_tree("a: 1, b: 2; c {}, d: 3", "a=1 b=2 c{} d=3");
	expect_tree("a:-1 b: - 2 c: -\n3 d: -inf", "a=-1 b=-2 c=-3 d=-inf");
	expect_tree("a: 0x1F b: 1e-3 c: .5 d: 1.f e: 2F f: 1E+2",
		    "a=0x1F b=1e-3 c=.5 d=1. e=2 f=1E+2");
	expect_tree("a: \"x\" 'y'\n\"z\" b: 1", "a='xyz' b=1");
	expect_tree("a: ''", "a=''");
	expect_tree("a: \"\\n\\t\\\\\\\"\\'\\x41\\101\\u00e9\"",
		    "a='\n\t\\\"'AA\xc3\xa9'");
	expect_tree("a: \"\\U0001F600\\u20ac\"",
		    "a='\xf0\x9f\x98\x80\xe2\x82\xac'");
	expect_tree("a: \"it's # no comment\"", "a='it's # no comment'");
	expect_tree("name\n:\n\"x\"\r\nb_2:TRUE", "name='x' b_2:TRUE");
}

static void errors_say_where_and_what(void **state)
{
	(void)state;
	expect_error("a", "net:1:2: expected \":\" or \"{\", not the end");
	expect_error("\n  a 1", "net:2:5: expected \":\" or \"{\", not \"1\"");
	expect_error("a:", "net:1:3: expected a value, not the end");
	expect_error("a: }", "net:1:4: expected a value, not \"}\"");
	expect_error("a: -", "net:1:5: expected a number, not the end");
	expect_error("a: - 'x'", "net:1:6: expected a number, not \"x\"");
	expect_error("}", "net:1:1: expected a field name, not \"}\"");
	expect_error("a {", "net:1:4: expected a field name or \"}\", "
			    "not the end");
	expect_error("a { b: 1 >", "net:1:10: expected a field name or \"}\", "
				   "not \">\"");
	expect_error("a < b: 1 }", "net:1:10: expected a field name or \">\", "
				   "not \"}\"");
	expect_error("a: [1 2]", "net:1:7: expected \",\" or \"]\", not \"2\"");
	expect_error("a: [1,]", "net:1:7: expected a value, not \"]\"");
	expect_error("a: [{}]", "net:1:5: expected a value, not \"{\"");
	expect_error("a: \"x", "net:1:6: a string does not end");
	expect_error("a: \"x\n\"", "net:1:6: a string does not end");
	expect_error("a: \"x\\", "net:1:7: a string does not end");
	expect_error("a: \"x\\q\"", "net:1:6: unknown escape in a string");
	expect_error("a: \"\\x\"", "net:1:5: unknown escape in a string");
	expect_error("a: \"\\u12\"", "net:1:5: unknown escape in a string");
	expect_error("a: \"\\U00110000\"",
		     "net:1:5: unknown escape in a string");
	expect_error("a: \"x\\0y\"", "net:1:5: a string holds a zero byte");
	expect_error("a: 1x", "net:1:4: bad number");
	expect_error("a: 1.5.x", "net:1:4: bad number");
	expect_error("a: 1\"x\"", "net:1:4: bad number");
	expect_error("a: @", "net:1:4: unexpected character");
	expect_error("[a.b]: 1", "net:1:1: expected a field name, not \"[\"");
	expect_error("1: 2", "net:1:1: expected a field name, not \"1\"");
}

static void a_text_cut_anywhere_parses_or_fails_with_its_place(void **state)
{
	static const char text[] = "name: \"n\\x41\" layer { t: -1.5e3 l: [1, "
				   "0x2] m < f: true >, } # end\nz: 'q';";
	struct mx_prototxt *tree;
	struct mx_err err;
	size_t size;
	int rc;

	(void)state;
	for (size = 0; size <= strlen(text); size++) {
		/* A copy of its own size, so that a sanitizer sees overruns. */
		char *copy = malloc(size + 1);

		assert_non_null(copy);
		memcpy(copy, text, size);
		tree = NULL;
		rc = mx_prototxt_parse(&tree, "net", copy, size, &err);
		if (rc) {
			assert_int_equal(rc, -EBADMSG);
			assert_memory_equal(err.text, "net:", 4);
		}
		mx_prototxt_free(tree);
		free(copy);
	}
	assert_int_equal(rc, 0);
}

static void a_zero_byte_is_no_character(void **state)
{
	struct mx_prototxt *tree = NULL;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_prototxt_parse(&tree, "net", "a: 1\0", 5, &err),
			 -EBADMSG);
	assert_string_equal(err.text, "net:1:5: unexpected character");
}

static void depth_and_size_are_capped(void **state)
{
	struct mx_prototxt *tree = NULL;
	struct mx_err err;
	char text[1024];
	size_t i, at = 0;

	(void)state;
	for (i = 0; i < MX_PROTOTXT_DEPTH_MAX; i++)
		at += (size_t)sprintf(text + at, "a{");
	for (i = 0; i < MX_PROTOTXT_DEPTH_MAX; i++)
		at += (size_t)sprintf(text + at, "}");
	assert_int_equal(mx_prototxt_parse(&tree, "net", text, at, &err), 0);
	mx_prototxt_free(tree);

	at = 0;
	for (i = 0; i <= MX_PROTOTXT_DEPTH_MAX; i++)
		at += (size_t)sprintf(text + at, "a{");
	assert_int_equal(mx_prototxt_parse(&tree, "net", text, at, &err),
			 -EBADMSG);
	assert_string_equal(err.text,
			    "net:1:130: messages nest deeper than 64");

	assert_int_equal(mx_prototxt_parse(&tree, "net", text,
					   MX_PROTOTXT_BYTES_MAX + 1, &err),
			 -EBADMSG);
	assert_string_equal(err.text,
			    "net: 67108865 bytes, more than 67108864");
}

static void values_are_read_by_kind_and_range(void **state)
{
	struct mx_prototxt *t = parse("i: -7 h: 0x10 f: 2.5 n: inf s: 'x' "
				      "b: true c: 0 m {} big: 99999999999999"
				      "999999 d: 1.2.3");
	const struct mx_prototxt_field *r = t->fields;
	const char *text;
	struct mx_err err;
	double real;
	int64_t v;
	int b;

	(void)state;
	assert_int_equal(mx_prototxt_int(t, mx_prototxt_find(t, r, "i"), -7, 7,
					 &v, &err),
			 0);
	assert_int_equal(v, -7);
	assert_int_equal(mx_prototxt_int(t, mx_prototxt_find(t, r, "h"), 0, 99,
					 &v, &err),
			 0);
	assert_int_equal(v, 16);
	assert_int_equal(mx_prototxt_int(t, mx_prototxt_find(t, r, "i"), -6, 7,
					 &v, &err),
			 -EBADMSG);
	assert_string_equal(err.text, "net:1:4: i: -7 is not in -6 to 7");
	assert_int_equal(mx_prototxt_int(t, mx_prototxt_find(t, r, "big"),
					 INT64_MIN, INT64_MAX, &v, &err),
			 -EBADMSG);
	assert_int_equal(
		mx_prototxt_int(t, mx_prototxt_find(t, r, "f"), 0, 9, &v, &err),
		-EBADMSG);
	assert_string_equal(err.text,
			    "net:1:18: f: expected an integer, not \"2.5\"");
	assert_int_equal(
		mx_prototxt_int(t, mx_prototxt_find(t, r, "s"), 0, 9, &v, &err),
		-EBADMSG);
	assert_int_equal(
		mx_prototxt_float(t, mx_prototxt_find(t, r, "f"), &real, &err),
		0);
	assert_true(real == 2.5);
	assert_int_equal(
		mx_prototxt_float(t, mx_prototxt_find(t, r, "n"), &real, &err),
		0);
	assert_true(isinf(real));
	assert_int_equal(
		mx_prototxt_float(t, mx_prototxt_find(t, r, "d"), &real, &err),
		-EBADMSG);
	assert_int_equal(
		mx_prototxt_float(t, mx_prototxt_find(t, r, "m"), &real, &err),
		-EBADMSG);
	assert_int_equal(
		mx_prototxt_bool(t, mx_prototxt_find(t, r, "b"), &b, &err), 0);
	assert_int_equal(b, 1);
	assert_int_equal(
		mx_prototxt_bool(t, mx_prototxt_find(t, r, "c"), &b, &err), 0);
	assert_int_equal(b, 0);
	assert_int_equal(
		mx_prototxt_bool(t, mx_prototxt_find(t, r, "i"), &b, &err),
		-EBADMSG);
	assert_string_equal(err.text, "net:1:4: i: expected true or false");
	assert_int_equal(
		mx_prototxt_string(t, mx_prototxt_find(t, r, "s"), &text, &err),
		0);
	assert_string_equal(text, "x");
	assert_int_equal(
		mx_prototxt_string(t, mx_prototxt_find(t, r, "i"), &text, &err),
		-EBADMSG);
	mx_prototxt_free(t);
}

static void repeated_fields_are_found_in_order(void **state)
{
	struct mx_prototxt *t = parse("a: 1 b: 2 a: 3 c { a: 9 } a: 4");
	const struct mx_prototxt_field *f;

	(void)state;
	f = mx_prototxt_find(t, t->fields, "a");
	assert_string_equal(f->text, "1");
	f = mx_prototxt_again(t, f);
	assert_string_equal(f->text, "3");
	f = mx_prototxt_again(t, f);
	assert_string_equal(f->text, "4");
	assert_null(mx_prototxt_again(t, f));
	assert_null(mx_prototxt_find(t, t->fields, "d"));
	mx_prototxt_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_the_format_is_taken),
		cmocka_unit_test(errors_say_where_and_what),
		cmocka_unit_test(
			a_text_cut_anywhere_parses_or_fails_with_its_place),
		cmocka_unit_test(a_zero_byte_is_no_character),
		cmocka_unit_test(depth_and_size_are_capped),
		cmocka_unit_test(values_are_read_by_kind_and_range),
		cmocka_unit_test(repeated_fields_are_found_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
