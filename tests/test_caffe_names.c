#include "loader/import/caffe_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/check.h"

#define COUNT 5000

static void every_name_keeps_its_number(void **state)
{
	static char name[COUNT][16];
	struct mx_names names = {0};
	uint32_t i;

	(void)state;
	assert_null(mx_names_find(&names, "absent"));
	for (i = 0; i < COUNT; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "layer%u", i);
		assert_int_equal(mx_names_put(&names, name[i], i), 0);
	}
	assert_int_equal(names.count, COUNT);
	for (i = 0; i < COUNT; i++) {
		assert_non_null(mx_names_find(&names, name[i]));
		assert_int_equal(*mx_names_find(&names, name[i]), i);
	}
	assert_null(mx_names_find(&names, "layer5000"));
	mx_names_fini(&names);
	assert_null(mx_names_find(&names, "layer1"));
}

static void a_later_number_wins(void **state)
{
	struct mx_names names = {0};

	(void)state;
	assert_int_equal(mx_names_put(&names, "", 1), 0);
	assert_int_equal(mx_names_put(&names, "", 2), 0);
	assert_int_equal(names.count, 1);
	assert_int_equal(*mx_names_find(&names, ""), 2);
	mx_names_fini(&names);
}

static void hashes_differ_by_name_and_seed(void **state)
{
	(void)state;
	assert_int_equal(mx_names_hash("a", 1), mx_names_hash("a", 1));
	assert_int_not_equal(mx_names_hash("a", 1), mx_names_hash("a", 2));
	assert_int_not_equal(mx_names_hash("a", 1), mx_names_hash("b", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_keeps_its_number),
		cmocka_unit_test(a_later_number_wins),
		cmocka_unit_test(hashes_differ_by_name_and_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
