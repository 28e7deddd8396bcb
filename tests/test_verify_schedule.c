#include "sched/verify_schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/instance.h"
#include "tests/instance_fixture.h"

/*
 * Two networks on one processor. Network 0: a layer with weights and one
 * without; network 1, released at 3: one with weights. Everything fits but
 * all weights together with all activations.
 */
static const uint32_t counts[] = {2, 1};
static const uint64_t releases[] = {0, 3};
static const struct mx_instance_layer layers[] = {
	{.load_ns = 2,
	 .exec_ns = 4,
	 .weight_bytes = 10,
	 .run_bytes = 5,
	 .keep_bytes = 3},
	{.exec_ns = 2, .run_bytes = 4},
	{.load_ns = 3, .exec_ns = 1, .weight_bytes = 8, .run_bytes = 2},
};

#define NO MX_TIME_NEVER

/* Good: 0 reads 0-2, computes 2-6 and 6-8; 1 reads 3-6, computes 8-9. */
static const struct mx_schedule_layer good[] = {{0, 2}, {NO, 6}, {3, 8}};

struct wrong {
	struct mx_schedule_layer layers[3];
	const char *text;
};

static int verify(const struct mx_schedule_layer *when,
		  const struct mx_schedule_reread *reread, uint64_t budget,
		  uint32_t processors, struct mx_err *err)
{
	struct mx_schedule schedule;
	struct mx_instance instance;
	int rc;

	instance_make(&instance, budget, processors, 2, counts, releases,
		      layers);
	assert_int_equal(mx_schedule_init(&schedule, &instance, NULL), 0);
	memcpy(schedule.layers, when, sizeof(good));
	if (reread) {
		schedule.rereads = malloc(sizeof(*reread));
		assert_non_null(schedule.rereads);
		*schedule.rereads = *reread;
		schedule.reread_count = 1;
	}
	memset(err, 0, sizeof(*err));
	rc = mx_schedule_verify(&schedule, &instance, err);
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
	return rc;
}

static void a_good_schedule_passes(void **state)
{
	struct mx_err err;

	(void)state;
	/* The most is 10 + 5 + 8 when 1 is read while 0 is computed. */
	assert_int_equal(verify(good, NULL, 23, 1, &err), 0);
}

static void every_constraint_is_looked_at(void **state)
{
	static const struct wrong wrongs[] = {
		{{{0, 2}, {NO, 6}, {2, 8}},
		 "LOAD of layer 0 of network 1, at 2 ns: before the release"},
		{{{0, 1}, {NO, 6}, {3, 8}},
		 "EXEC of layer 0 of network 0, at 1 ns: before its LOAD has "
		 "ended"},
		{{{0, 2}, {NO, 5}, {3, 8}},
		 "EXEC of layer 1 of network 0, at 5 ns: before the one before "
		 "has ended"},
		{{{2, 4}, {NO, 8}, {3, 10}},
		 "LOAD of layer 0 of network 0, at 2 ns: another one is under "
		 "way"},
		{{{0, 2}, {NO, 6}, {3, 7}},
		 "EXEC of layer 0 of network 1, at 7 ns: all processors are "
		 "busy"},
		{{{NO, 2}, {NO, 6}, {3, 8}},
		 "LOAD of layer 0 of network 0, at 2 ns: there is none"},
		{{{0, 2}, {1, 6}, {3, 8}},
		 "LOAD of layer 1 of network 0, at 1 ns: the layer has no "
		 "weights"},
	};
	char text[MX_ERR_BYTES] = "schedule: ";
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		assert_int_equal(verify(wrongs[i].layers, NULL, 23, 1, &err),
				 -EINVAL);
		strcpy(text + strlen("schedule: "), wrongs[i].text);
		assert_string_equal(err.text, text);
	}
}

static void a_layer_without_weights_waits_for_the_release(void **state)
{
	const struct mx_instance_layer light = {.exec_ns = 1};
	const uint64_t release = 3;
	const uint32_t one = 1;
	struct mx_schedule schedule;
	struct mx_instance instance;

	(void)state;
	instance_make(&instance, 1, 1, 1, &one, &release, &light);
	assert_int_equal(mx_schedule_init(&schedule, &instance, NULL), 0);
	schedule.layers[0] = (struct mx_schedule_layer){NO, 2};
	assert_int_equal(mx_schedule_verify(&schedule, &instance, NULL),
			 -EINVAL);
	schedule.layers[0].exec_ns = 3;
	assert_int_equal(mx_schedule_verify(&schedule, &instance, NULL), 0);
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

static void memory_is_counted_to_the_byte(void **state)
{
	/* 1 is read while 0 keeps its activations: 8 + 3 between 6 and 7;
	 * computed at the same time as 0's layer 1: 8 + 2 + 4. */
	static const struct mx_schedule_layer keeps[] = {
		{0, 2}, {NO, 10}, {6, 10}};
	struct mx_err err;

	(void)state;
	assert_int_equal(verify(good, NULL, 22, 1, &err), -EINVAL);
	assert_string_equal(err.text, "schedule: LOAD of layer 0 of network 1, "
				      "at 3 ns: the budget is exceeded");
	assert_int_equal(verify(keeps, NULL, 15, 2, &err), 0);
	/* 10 + 5 while layer 0 is computed is the most. */
	assert_int_equal(verify(keeps, NULL, 14, 2, &err), -EINVAL);
	assert_string_equal(err.text, "schedule: EXEC of layer 0 of network 0, "
				      "at 2 ns: the budget is exceeded");
	assert_int_equal(verify(keeps, NULL, 15, 1, &err), -EINVAL);
}

static void what_is_kept_between_layers_counts(void **state)
{
	/* Network 1 is read and computed while 0 keeps 3 bytes, 6 to 10. */
	static const struct mx_schedule_layer between[] = {
		{0, 2}, {NO, 10}, {6, 9}};
	struct mx_schedule schedule;
	struct mx_instance instance;
	struct mx_err err;

	(void)state;
	instance_make(&instance, 13, 1, 2, counts, releases, layers);
	instance.nets[0].layers[0].weight_bytes = 2;
	assert_int_equal(mx_schedule_init(&schedule, &instance, NULL), 0);
	memcpy(schedule.layers, between, sizeof(between));
	assert_int_equal(mx_schedule_verify(&schedule, &instance, NULL), 0);
	instance.budget_bytes = 12;
	assert_int_equal(mx_schedule_verify(&schedule, &instance, &err),
			 -EINVAL);
	assert_string_equal(err.text, "schedule: EXEC of layer 0 of network 1, "
				      "at 9 ns: the budget is exceeded");
	mx_schedule_fini(&schedule);
	mx_instance_fini(&instance);
}

static void a_reread_takes_time_and_memory(void **state)
{
	/* 1 is read at 8 instead, and again at 3 in vain. */
	static const struct mx_schedule_layer late[] = {
		{0, 2}, {NO, 6}, {8, 11}};
	struct mx_schedule_reread reread = {
		.net = 1, .start_ns = 3, .gone_ns = 6};
	struct mx_err err;

	(void)state;
	assert_int_equal(verify(late, NULL, 15, 1, &err), 0);
	assert_int_equal(verify(late, &reread, 23, 1, &err), 0);
	assert_int_equal(verify(late, &reread, 22, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "the budget is exceeded"));
	reread.gone_ns = 5;
	assert_int_equal(verify(late, &reread, 23, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "gone before it was there"));
	reread.start_ns = 2;
	assert_int_equal(verify(late, &reread, 23, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "before the release"));
	reread = (struct mx_schedule_reread){
		.net = 1, .start_ns = 6, .gone_ns = 9};
	assert_int_equal(verify(late, &reread, 99, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is being read again"));
	/* What is kept stays until it is gone. */
	reread = (struct mx_schedule_reread){
		.net = 1, .start_ns = 3, .gone_ns = 9};
	assert_int_equal(verify(late, &reread, 23, 1, &err), 0);
	reread.start_ns = 11;
	reread.gone_ns = 14;
	assert_int_equal(verify(late, &reread, 23, 1, &err), 0);
	assert_int_equal(verify(late, &reread, 17, 1, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_schedule_passes),
		cmocka_unit_test(every_constraint_is_looked_at),
		cmocka_unit_test(a_layer_without_weights_waits_for_the_release),
		cmocka_unit_test(memory_is_counted_to_the_byte),
		cmocka_unit_test(what_is_kept_between_layers_counts),
		cmocka_unit_test(a_reread_takes_time_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
