#include "tests/check.h"

#include <stdio.h>

#include "loader/import/onnx_names.h"

#define MANY 5000

static void names_are_numbered_as_they_come(void **state)
{
	struct mx_onnx_names names = {0};
	uint32_t number, i;
	char name[32];

	(void)state;
	assert_int_equal(mx_onnx_names_find(&names, "a"), UINT32_MAX);
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(mx_onnx_names_add(&names, name, &number), 0);
		assert_int_equal(number, i);
	}
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(mx_onnx_names_find(&names, name), i);
		assert_int_equal(mx_onnx_names_add(&names, name, &number), 0);
		assert_int_equal(number, i);
	}
	assert_int_equal(names.count, MANY);
	assert_int_equal(mx_onnx_names_find(&names, "n"), UINT32_MAX);
	mx_onnx_names_fini(&names);
	assert_int_equal(names.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_numbered_as_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
