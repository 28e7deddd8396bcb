#include "cli/arrival_option.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "tests/check.h"

#define MS UINT64_C(1000000)

static void kinds_have_their_durations(void **state)
{
	static const struct {
		const char *text;
		enum mx_gap_kind kind;
		uint64_t gap_ns;
		uint64_t spread_ns;
	} good[] = {
		{"batch", MX_GAP_BATCH, 0, 0},
		{"constant:20ms", MX_GAP_CONSTANT, 20 * MS, 0},
		{"constant:2m", MX_GAP_CONSTANT, 120000 * MS, 0},
		{"constant:20", MX_GAP_CONSTANT, 20 * MS, 0},
		{"uniform:1s,2s", MX_GAP_UNIFORM, 1000 * MS, 2000 * MS},
		{"normal:1s,500us", MX_GAP_NORMAL, 1000 * MS, MS / 2},
		{"exponential:1.5s", MX_GAP_EXPONENTIAL, 1500 * MS, 0},
		{"poisson-ms:7ms", MX_GAP_POISSON_MS, 7 * MS, 0},
	};
	struct mx_arrival_option option;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
			mx_arrival_option_parse(&option, good[i].text, NULL),
			0);
		assert_int_equal(option.kind, good[i].kind);
		assert_true(option.gap_ns == good[i].gap_ns);
		assert_true(option.spread_ns == good[i].spread_ns);
		assert_null(option.trace);
	}
}

static void a_trace_has_a_file(void **state)
{
	struct mx_arrival_option option;

	(void)state;
	assert_int_equal(mx_arrival_option_parse(&option, "trace:a:b,c", NULL),
			 0);
	assert_string_equal(option.trace, "a:b,c");
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	     "batch:",	      "batch:1",      "constant",
		"constant:", "constant:1,",   "constant:1,2", "constant:x",
		"uniform:1", "uniform:1,2,3", "normal:,1",    "trace",
		"trace:",    "poisson:5",     "constantly:5",
	};
	struct mx_arrival_option option;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mx_arrival_option_parse(&option, bad[i], &err),
				 -EINVAL);
		assert_memory_equal(err.text, "queue: --arrivals=", 18);
		assert_non_null(strstr(err.text, ": must be batch, "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_their_durations),
		cmocka_unit_test(a_trace_has_a_file),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
