#include "sched/read_rate.h"

#include "sched/board.h"
#include "tests/check.h"

#define MS ((uint64_t)1000000)

/* Reads of @bytes in all that should take @expected_ns. Returns the factor
 * after the storage was busy until @busy_ns. */
static double judge(struct mx_read_rate *rate, uint64_t bytes,
		    uint64_t expected_ns, uint64_t busy_ns)
{
	uint64_t i;

	for (i = 0; i < 15; i++)
		assert_int_equal(
			mx_read_rate_add(rate, bytes / 16, expected_ns / 16),
			0);
	assert_int_equal(mx_read_rate_add(rate, bytes / 16, expected_ns / 16),
			 1);
	return mx_read_rate_judge(rate, busy_ns);
}

static void what_is_nearly_right_stays(void **state)
{
	struct mx_read_rate rate = {0};

	(void)state;
	assert_true(judge(&rate, MX_READ_RATE_BYTES, 160 * MS, 160 * MS) == 1);
	/* From 160 on: 1.49 times as long, then as much shorter. */
	assert_true(judge(&rate, MX_READ_RATE_BYTES, 160 * MS, 398 * MS) == 1);
	assert_true(judge(&rate, MX_READ_RATE_BYTES, 160 * MS, 506 * MS) == 1);
}

static void what_is_far_off_is_corrected_by_what_was_measured(void **state)
{
	struct mx_read_rate rate = {0};

	(void)state;
	assert_float_equal(judge(&rate, MX_READ_RATE_BYTES, 160 * MS, 320 * MS),
			   2, 1e-6);
	assert_float_equal(judge(&rate, MX_READ_RATE_BYTES, 160 * MS, 360 * MS),
			   0.25, 1e-6);
	assert_float_equal(judge(&rate, MX_READ_RATE_BYTES, 160 * MS, 360 * MS),
			   0.01, 1e-6);
	assert_float_equal(judge(&rate, MX_READ_RATE_BYTES, 0, 400 * MS), 100,
			   1e-6);
}

static void a_factor_is_of_all_read_times_and_of_no_other(void **state)
{
	struct mx_board_unit units[2] = {{.size_bytes = 4096, .read_ns = 100},
					 {.size_bytes = 8192, .read_ns = 200}};
	struct mx_board_step steps[1] = {{.ns = 7}};
	struct mx_board_layer layers[1] = {{.ns = 7, .read_ns = 300}};
	struct mx_board_net net = {
		.units = units,
		.unit_count = 2,
		.steps = steps,
		.step_count = 1,
		.layers = layers,
		.layer_count = 1,
		.compute_ns = 7,
		.read_ns = 300,
		.latency_ns = 50,
	};

	(void)state;
	mx_read_rate_apply(&net, 2.5);
	assert_int_equal(units[0].read_ns, 250);
	assert_int_equal(units[1].read_ns, 500);
	assert_int_equal(layers[0].read_ns, 750);
	assert_int_equal(net.read_ns, 750);
	assert_int_equal(net.compute_ns, 7);
	assert_int_equal(steps[0].ns, 7);
	assert_int_equal(layers[0].ns, 7);
	assert_int_equal(net.latency_ns, 50);
	net.read_ns = UINT64_MAX - 1;
	mx_read_rate_apply(&net, 100);
	assert_int_equal(net.read_ns, UINT64_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_nearly_right_stays),
		cmocka_unit_test(
			what_is_far_off_is_corrected_by_what_was_measured),
		cmocka_unit_test(a_factor_is_of_all_read_times_and_of_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
