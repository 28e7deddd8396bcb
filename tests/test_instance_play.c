/* wrap: calloc realloc */
#include "sched/instance_play.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "sched/policy.h"
#include "sched/verify_schedule.h"
#include "tests/faults.h"
#include "tests/instance_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)

#define PAGE ((uint64_t)4096)
#define US ((uint64_t)1000)

/* Two networks: one of two layers, the second without weights, and one of one
 * layer, released later. */
static const uint32_t counts[] = {2, 1};
static const uint64_t releases[] = {4 * US, 1 * US};
static const struct mx_instance_layer layers[] = {
	{.load_ns = 3 * US,
	 .exec_ns = 5 * US,
	 .weight_bytes = 3 * PAGE,
	 .run_bytes = PAGE,
	 .keep_bytes = PAGE},
	{.exec_ns = 2 * US, .run_bytes = PAGE},
	{.load_ns = 4 * US,
	 .exec_ns = 1 * US,
	 .weight_bytes = 4 * PAGE,
	 .run_bytes = PAGE},
};

static void expect(const struct mx_schedule_layer *when, uint64_t load_ns,
		   uint64_t exec_ns)
{
	assert_int_equal(when->load_ns, load_ns);
	assert_int_equal(when->exec_ns, exec_ns);
}

static void linear_does_one_thing_after_the_other(void **state)
{
	struct mx_instance instance;
	struct mx_schedule schedule;
	struct mx_err err;

	(void)state;
	instance_make(&instance, 16 * PAGE, 1, 2, counts, releases, layers);
	assert_int_equal(
		mx_instance_play(&schedule, &instance, &mx_policy_linear, &err),
		0);
	expect(&schedule.layers[2], 1 * US, 5 * US);
	expect(&schedule.layers[0], 6 * US, 9 * US);
	expect(&schedule.layers[1], MX_TIME_NEVER, 14 * US);
	assert_int_equal(schedule.reread_count, 0);
	assert_int_equal(mx_schedule_response_ns(&schedule, &instance),
			 5 * US + 12 * US);
	assert_int_equal(mx_schedule_verify(&schedule, &instance, NULL), 0);
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

static void partial_reads_ahead(void **state)
{
	struct mx_instance instance;
	struct mx_schedule schedule;
	struct mx_err err;

	(void)state;
	instance_make(&instance, 16 * PAGE, 1, 2, counts, releases, layers);
	assert_int_equal(mx_instance_play(&schedule, &instance,
					  &mx_policy_partial, &err),
			 0);
	expect(&schedule.layers[2], 1 * US, 5 * US);
	expect(&schedule.layers[0], 5 * US, 8 * US);
	expect(&schedule.layers[1], MX_TIME_NEVER, 13 * US);
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

static void what_is_read_in_vain_is_a_reread(void **state)
{
	/* bulk reads all three layers before it computes, in room for two. */
	const struct mx_instance_layer one = {.load_ns = 2 * US,
					      .exec_ns = US,
					      .weight_bytes = PAGE,
					      .run_bytes = PAGE,
					      .keep_bytes = PAGE};
	struct mx_instance_layer three[3] = {one, one, one};
	const uint64_t release_ns = 0;
	const uint32_t count = 3;
	struct mx_instance instance;
	struct mx_schedule schedule;
	struct mx_err err;

	(void)state;
	three[2].keep_bytes = 0;
	instance_make(&instance, 3 * PAGE, 1, 1, &count, &release_ns, three);
	assert_int_equal(
		mx_instance_play(&schedule, &instance, &mx_policy_bulk, &err),
		0);
	assert_true(schedule.reread_count >= 1);
	assert_int_equal(schedule.rereads[0].layer, 0);
	assert_int_equal(schedule.rereads[0].start_ns, 0);
	assert_int_equal(schedule.rereads[0].gone_ns, 4 * US);
	assert_true(schedule.layers[0].load_ns >= 6 * US);
	assert_int_equal(mx_schedule_verify(&schedule, &instance, NULL), 0);
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

static void too_little_memory_is_refused(void **state)
{
	struct mx_instance instance;
	struct mx_schedule schedule;
	struct mx_err err;

	(void)state;
	instance_make(&instance, 4 * PAGE, 1, 2, counts, releases, layers);
	assert_int_equal(mx_instance_minimum_bytes(&instance), 5 * PAGE);
	assert_int_equal(
		mx_instance_play(&schedule, &instance, &mx_policy_fifo, &err),
		-EDQUOT);
	mx_instance_fini(&instance);
}

static void every_allocation_may_fail(void **state)
{
	struct mx_instance instance;
	struct mx_schedule schedule;
	struct mx_err err;
	long nth;
	int rc;

	(void)state;
	instance_make(&instance, 16 * PAGE, 1, 2, counts, releases, layers);
	for (nth = 0;; nth++) {
		faults_arm(nth);
		rc = mx_instance_play(&schedule, &instance, &mx_policy_fifo,
				      &err);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_true(nth > 10);
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_does_one_thing_after_the_other),
		cmocka_unit_test(partial_reads_ahead),
		cmocka_unit_test(what_is_read_in_vain_is_a_reread),
		cmocka_unit_test(too_little_memory_is_refused),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
