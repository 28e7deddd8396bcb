/* wrap: calloc */
#include "pager/units.h"

#include <errno.h>

#include "lib/err.h"
#include "lib/network.h"
#include "tests/check.h"

static int calls_until_failure = -1;

void *__real_calloc(size_t count, size_t each);
void *__wrap_calloc(size_t count, size_t each);

void *__wrap_calloc(size_t count, size_t each)
{
	if (calls_until_failure >= 0 && calls_until_failure-- == 0)
		return NULL;
	return __real_calloc(count, each);
}

#define KIB ((uint64_t)1024)

static void small_neighbours_are_read_together(void **state)
{
	struct mx_slice slices[] = {
		{.offset_bytes = 0, .size_bytes = 100 * KIB},
		{.offset_bytes = 100 * KIB, .size_bytes = 64},
		{.offset_bytes = 100 * KIB + 64, .size_bytes = 100 * KIB},
		/* Would make 300 KiB. */
		{.offset_bytes = 200 * KIB + 64, .size_bytes = 100 * KIB},
		/* A gap. */
		{.offset_bytes = 320 * KIB, .size_bytes = 64},
		/* A big one alone. */
		{.offset_bytes = 384 * KIB, .size_bytes = 1024 * KIB},
		/* Its neighbour, from the middle of a page. */
		{.offset_bytes = 1408 * KIB + 64, .size_bytes = 64},
		/* Backwards, as after deduplication. */
		{.offset_bytes = 0, .size_bytes = 100 * KIB},
	};
	struct mx_network net = {.slices = slices, .slice_count = 8};
	struct mx_units units;

	(void)state;
	assert_int_equal(mx_units_init(&units, &net, NULL), 0);
	assert_int_equal(units.count, 6);
	assert_int_equal(units.unit[0].slice_count, 3);
	assert_int_equal(units.unit[0].need_bytes, 200 * KIB + 64);
	assert_int_equal(units.unit[0].size_bytes, 204 * KIB);
	assert_int_equal(units.unit[1].offset_bytes, 200 * KIB);
	assert_int_equal(units.unit[1].need_bytes, 100 * KIB + 64);
	assert_int_equal(units.unit[2].first_slice, 4);
	assert_int_equal(units.unit[3].size_bytes, 1024 * KIB);
	assert_int_equal(units.unit[4].offset_bytes, 1408 * KIB);
	assert_int_equal(units.unit[4].need_bytes, 128);
	assert_int_equal(units.unit[5].offset_bytes, 0);
	assert_int_equal(units.of_slice[2], 0);
	assert_int_equal(units.of_slice[3], 1);
	assert_int_equal(units.of_slice[7], 5);
	assert_int_equal(units.largest_bytes, 1024 * KIB);
	assert_int_equal(units.total_bytes,
			 (204 + 104 + 4 + 1024 + 4 + 100) * KIB);
	mx_units_fini(&units);
}

static void no_memory_is_an_error(void **state)
{
	static char name[] = "net";
	struct mx_network net = {.name = name};
	struct mx_units units;
	struct mx_err err;
	int n;

	(void)state;
	for (n = 0; n < 2; n++) {
		calls_until_failure = n;
		assert_int_equal(mx_units_init(&units, &net, &err), -ENOMEM);
		assert_string_equal(err.text, "net: no memory for slices");
	}
	calls_until_failure = -1;
	assert_int_equal(mx_units_init(&units, &net, &err), 0);
	assert_int_equal(units.count, 0);
	mx_units_fini(&units);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_neighbours_are_read_together),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
