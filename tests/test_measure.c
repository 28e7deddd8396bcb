#include "sched/measure.h"

#include <errno.h>

#include "lib/err.h"
#include "tests/tiny_network.h"

static void worker_time_is_spread_over_workers(void **state)
{
	struct mx_layer layers[3] = {
		{.block_count = 8, .tile_count = 1, .macs = 1000000},
		{.block_count = 1, .tile_count = 1, .macs = 1000000},
		{.block_count = 2, .tile_count = 2, .macs = 1000000},
	};
	const struct mx_network net = {.layers = layers, .layer_count = 3};
	const uint64_t worker_ns[3] = {1000, 300, 0};
	uint64_t wall_ns[3];

	(void)state;
	mx_measure_spread(&net, worker_ns, 1, 0, wall_ns);
	assert_int_equal(wall_ns[0], 1000);
	assert_int_equal(wall_ns[1], 300);
	assert_int_equal(wall_ns[2], 1);
	/* The second has one part: a second worker is no help. */
	mx_measure_spread(&net, worker_ns, 2, 0, wall_ns);
	assert_int_equal(wall_ns[0], 500);
	assert_int_equal(wall_ns[1], 300);
	/* Together they took 1600. */
	mx_measure_spread(&net, worker_ns, 2, 1600, wall_ns);
	assert_int_equal(wall_ns[0], 1000);
	assert_int_equal(wall_ns[1], 600);
	assert_int_equal(wall_ns[2], 1);
}

struct progress {
	uint32_t calls;
	uint32_t total;
	uint32_t stop_at;
};

static int note(void *user, uint32_t done, uint32_t total)
{
	struct progress *progress = user;

	assert_int_equal(done, progress->calls);
	progress->calls++;
	progress->total = total;
	return progress->calls == progress->stop_at;
}

static void every_layer_is_measured_for_every_number_of_threads(void **state)
{
	struct tiny tiny;
	struct progress progress = {0};
	const struct mx_measure_opts opts = {
		.threads = 2,
		.repeats = 3,
		.progress = note,
		.progress_user = &progress,
	};
	uint64_t ns[7] = {0, 0, 0, 0, 0, 0, 77};
	struct mx_err err = {""};
	size_t i;

	(void)state;
	tiny_open(&tiny);
	if (mx_measure_layers(&tiny.net, &opts, ns, &err))
		fail_msg("%s", err.text);
	assert_int_equal(progress.calls, 2 * (3 + 1));
	assert_int_equal(progress.total, 2 * (3 + 1));
	for (i = 0; i < 6; i++)
		assert_true(ns[i] >= 1);
	assert_int_equal(ns[6], 77);
	tiny_close(&tiny);
}

static void measuring_can_be_stopped_at_any_run(void **state)
{
	struct tiny tiny;
	uint32_t stop_at;

	(void)state;
	tiny_open(&tiny);
	for (stop_at = 1; stop_at <= 6; stop_at++) {
		struct progress progress = {.stop_at = stop_at};
		const struct mx_measure_opts opts = {
			.threads = 2,
			.repeats = 2,
			.progress = note,
			.progress_user = &progress,
		};
		struct mx_err err = {""};
		uint64_t ns[6];

		assert_int_equal(mx_measure_layers(&tiny.net, &opts, ns, &err),
				 -ECANCELED);
		assert_int_equal(progress.calls, stop_at);
		assert_non_null(strstr(err.text, "measuring was stopped"));
	}
	tiny_close(&tiny);
}

static void a_budget_holds_while_measuring(void **state)
{
	struct tiny tiny;
	const struct mx_measure_opts opts = {
		.threads = 1,
		.repeats = 1,
		.budget_bytes = 1,
	};
	uint64_t ns[3];

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_measure_layers(&tiny.net, &opts, ns, NULL),
			 -EDQUOT);
	tiny_close(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_time_is_spread_over_workers),
		cmocka_unit_test(
			every_layer_is_measured_for_every_number_of_threads),
		cmocka_unit_test(measuring_can_be_stopped_at_any_run),
		cmocka_unit_test(a_budget_holds_while_measuring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
