#include "cli/number.h"

#include <errno.h>

#include "tests/check.h"

static void counts_are_whole_texts_within_a_maximum(void **state)
{
	static const char *const bad[] = {
		"",    "-1",  "+1", " 1", "1 ",
		"1.0", "0x1", "x",  "11", "99999999999999999999"};
	uint64_t value = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mx_parse_count(bad[i], 10, &value), -EINVAL);
		assert_int_equal(value, 7);
	}
	assert_int_equal(mx_parse_count("10", 10, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(
		mx_parse_count("18446744073709551615", UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
}

static void sizes_have_binary_letters(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
		{"0", 0},
		{"12", 12},
		{"4K", 4096},
		{"4k", 4096},
		{"1.5M", 1572864},
		{"2G", 2147483648u},
		{"1T", 1099511627776u},
	};
	static const char *const bad[] = {"",	"K",   "-1K", "1KB",   "1 K",
					  "1X", "nan", "inf", "9000T", "1KK"};
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(mx_parse_size(good[i].text, &value), 0);
		assert_true(value == good[i].want);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_parse_size(bad[i], &value), -EINVAL);
}

static void durations_have_units_and_else_are_milliseconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
		{"0", 0},
		{"30us", 30000},
		{"1.5ms", 1500000},
		{"2s", 2000000000},
		{"1.5m", UINT64_C(90000000000)},
		{"2h", UINT64_C(7200000000000)},
		{"20", 20000000},
		{"0.0005", 500},
		{"1000000s", UINT64_C(1000000000000000)},
	};
	static const char *const bad[] = {"",	 "s",	 "-1s", "1 s",
					  "1M",	 "278h", "1ns", "1000001s",
					  "nan", "1min"};
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(mx_parse_duration(good[i].text, &value), 0);
		assert_true(value == good[i].want);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_parse_duration(bad[i], &value), -EINVAL);
}

static void shares_may_be_percentages(void **state)
{
	double value;

	(void)state;
	assert_int_equal(mx_parse_share("5%", &value), 0);
	assert_true(value > 0.0499999 && value < 0.0500001);
	assert_int_equal(mx_parse_share("0.25", &value), 0);
	assert_true(value == 0.25);
	assert_int_equal(mx_parse_share("-5%", &value), -EINVAL);
	assert_int_equal(mx_parse_share("5%%", &value), -EINVAL);
	assert_int_equal(mx_parse_share("%", &value), -EINVAL);
}

static void lists_of_numbers_are_checked(void **state)
{
	float values[3];
	size_t count;

	(void)state;
	assert_int_equal(mx_parse_floats("104,-117.5,1e2", values, 3, &count),
			 0);
	assert_int_equal(count, 3);
	assert_true(values[0] == 104 && values[1] == -117.5f &&
		    values[2] == 100);
	assert_int_equal(mx_parse_floats("1,2,3,4", values, 3, &count),
			 -EINVAL);
	assert_int_equal(mx_parse_floats("1,,2", values, 3, &count), -EINVAL);
	assert_int_equal(mx_parse_floats("1,", values, 3, &count), -EINVAL);
	assert_int_equal(mx_parse_floats("mean.binaryproto", values, 3, &count),
			 -EINVAL);
}

static void ranges_step_by_one_or_by_a_factor(void **state)
{
	static const uint64_t want[] = {1, 4, 5, 6, 8, 16, 32};
	static const char *const bad[] = {"0", "3-1", "1-", "1-2*1", "1,,2",
					  "",  "-1",  "65", "1-9"};
	uint64_t values[8];
	size_t count, i;

	(void)state;
	assert_int_equal(mx_parse_counts("1,4-6,8-40*2", 64, values, 8, &count),
			 0);
	assert_int_equal(count, 7);
	for (i = 0; i < count; i++)
		assert_int_equal(values[i], want[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_parse_counts(bad[i], 64, values, 8, &count),
				 -EINVAL);
	/* The last step would overflow: it ends there. */
	assert_int_equal(mx_parse_counts("1-18446744073709551615*9223372036"
					 "854775808",
					 UINT64_MAX, values, 8, &count),
			 0);
	assert_int_equal(count, 2);
}

static void sizes_come_in_lists_and_by_factors(void **state)
{
	static const uint64_t want[] = {64, 128, 256, 512};
	static const char *const bad[] = {"",	   "0",	      "1M,",
					  "1M-4M", "4M-1M*2", "1M-4M*1",
					  "1M-*2", "1M*2",    "1,2,3,4,5,6,7"};
	uint64_t values[6];
	size_t count, i;

	(void)state;
	assert_int_equal(
		mx_parse_sizes("64M,128M-600M*2,0.6G", values, 6, &count), 0);
	assert_int_equal(count, 5);
	for (i = 0; i < 4; i++)
		assert_true(values[i] == want[i] << 20);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mx_parse_sizes(bad[i], values, 6, &count),
				 -EINVAL);
	/* One step past the end does not wrap. */
	assert_int_equal(
		mx_parse_sizes("1-8000T*4294967295", values, 6, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(values[1], 4294967295u);
}

static void quantities_read_well(void **state)
{
	char text[MX_TEXT_BYTES];

	(void)state;
	assert_string_equal(mx_text_bytes(1023, text), "1023 B");
	assert_string_equal(mx_text_bytes(1024, text), "1.0 KiB");
	assert_string_equal(mx_text_bytes(1048575, text), "1.0 MiB");
	assert_string_equal(mx_text_bytes(575u << 20, text), "575.0 MiB");
	assert_string_equal(mx_text_ns(999, text), "999 ns");
	assert_string_equal(mx_text_ns(12300, text), "12.3 us");
	assert_string_equal(mx_text_ns(12300000, text), "12.3 ms");
	assert_string_equal(mx_text_ns(4560000000u, text), "4.56 s");
	assert_string_equal(mx_text_count(999, text), "999");
	assert_string_equal(mx_text_count(999999, text), "1.0 M");
	assert_string_equal(mx_text_count(1240000000, text), "1.2 G");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_whole_texts_within_a_maximum),
		cmocka_unit_test(sizes_have_binary_letters),
		cmocka_unit_test(
			durations_have_units_and_else_are_milliseconds),
		cmocka_unit_test(shares_may_be_percentages),
		cmocka_unit_test(lists_of_numbers_are_checked),
		cmocka_unit_test(ranges_step_by_one_or_by_a_factor),
		cmocka_unit_test(sizes_come_in_lists_and_by_factors),
		cmocka_unit_test(quantities_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
