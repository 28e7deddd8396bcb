/* wrap: strdup reallocarray calloc */
#include "lib/attr.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "tests/check.h"

static int calls_until_failure = -1;

static int fails(void)
{
	return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

char *__real_strdup(const char *text);
void *__real_reallocarray(void *at, size_t count, size_t each);
void *__real_calloc(size_t count, size_t each);
char *__wrap_strdup(const char *text);
void *__wrap_reallocarray(void *at, size_t count, size_t each);
void *__wrap_calloc(size_t count, size_t each);

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

void *__wrap_reallocarray(void *at, size_t count, size_t each)
{
	return fails() ? NULL : __real_reallocarray(at, count, each);
}

void *__wrap_calloc(size_t count, size_t each)
{
	return fails() ? NULL : __real_calloc(count, each);
}

static void attributes_are_found_by_name_and_replaced(void **state)
{
	struct mx_attrs attrs = {0};
	const int64_t many[] = {1, -2, 3};
	const float floats[] = {0.5f, 1.5f};

	(void)state;
	assert_int_equal(mx_attrs_set_ints(&attrs, "kernel", many, 3), 0);
	assert_int_equal(mx_attrs_set_floats(&attrs, "ab", floats, 2), 0);
	assert_int_equal(attrs.count, 2);
	assert_int_equal(mx_attrs_int(&attrs, "kernel", 9), 1);
	assert_int_equal(mx_attrs_int(&attrs, "ab", 9), 9);
	assert_int_equal(mx_attrs_int(&attrs, "none", 9), 9);
	assert_true(mx_attrs_float(&attrs, "ab", 0.0f) == 0.5f);
	assert_true(mx_attrs_float(&attrs, "kernel", 7.0f) == 7.0f);
	assert_int_equal(mx_attrs_set_int(&attrs, "kernel", 4), 0);
	assert_int_equal(attrs.count, 2);
	assert_int_equal(mx_attrs_find(&attrs, "kernel")->int_count, 1);
	assert_int_equal(mx_attrs_set_float(&attrs, "kernel", 2.5f), 0);
	assert_null(mx_attrs_find(&attrs, "kernel")->ints);
	mx_attrs_fini(&attrs);
	assert_int_equal(attrs.count, 0);
	assert_null(mx_attrs_find(&attrs, "kernel"));
}

static void ranges_and_counts_are_checked(void **state)
{
	struct mx_attrs attrs = {0};
	struct mx_err err;
	const int64_t many[] = {1, 8};
	int64_t out[4] = {0};
	int64_t value = 77;
	size_t count = 77;

	(void)state;
	assert_int_equal(mx_attrs_set_ints(&attrs, "k", many, 2), 0);
	assert_int_equal(mx_attrs_int_in(&attrs, "none", 3, 0, 1, &value, &err),
			 0);
	assert_int_equal(value, 3);
	assert_int_equal(mx_attrs_int_in(&attrs, "k", 3, 0, 9, &value, &err),
			 -EBADMSG);
	assert_string_equal(err.text, "attribute k has 2 integers, not 1");
	assert_int_equal(
		mx_attrs_ints_in(&attrs, "k", 0, 8, out, 4, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(out[1], 8);
	assert_int_equal(
		mx_attrs_ints_in(&attrs, "k", 0, 7, out, 4, &count, &err),
		-EBADMSG);
	assert_string_equal(err.text, "attribute k is 8, not in [0, 7]");
	assert_int_equal(
		mx_attrs_ints_in(&attrs, "k", 0, 8, out, 1, &count, &err),
		-EBADMSG);
	assert_int_equal(
		mx_attrs_ints_in(&attrs, "none", 0, 8, out, 1, &count, &err),
		0);
	assert_int_equal(count, 0);
	assert_int_equal(mx_attrs_set_int(&attrs, "one", 9), 0);
	assert_int_equal(mx_attrs_int_in(&attrs, "one", 3, 0, 8, &value, &err),
			 -EBADMSG);
	assert_int_equal(mx_attrs_int_in(&attrs, "one", 3, 0, 9, &value, &err),
			 0);
	assert_int_equal(value, 9);
	mx_attrs_fini(&attrs);
}

static void a_copy_stands_alone_whatever_fails(void **state)
{
	struct mx_attrs from = {0};
	struct mx_attrs to = {0};
	const float half = 0.5f;
	int n;

	(void)state;
	assert_int_equal(mx_attrs_set_int(&from, "i", 5), 0);
	assert_int_equal(mx_attrs_set_floats(&from, "f", &half, 1), 0);
	for (n = 0;; n++) {
		int rc;

		calls_until_failure = n;
		rc = mx_attrs_copy(&from, &to);
		calls_until_failure = -1;
		if (rc == 0)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(to.count, 0);
	}
	assert_true(n >= 4);
	mx_attrs_fini(&from);
	assert_int_equal(mx_attrs_int(&to, "i", 0), 5);
	assert_true(mx_attrs_float(&to, "f", 0.0f) == 0.5f);
	mx_attrs_fini(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_found_by_name_and_replaced),
		cmocka_unit_test(ranges_and_counts_are_checked),
		cmocka_unit_test(a_copy_stands_alone_whatever_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
