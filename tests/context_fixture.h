/*
 * A driver of contexts that writes down what it is asked for, and stages to
 * make contexts of.
 */
#ifndef MX_TESTS_CONTEXT_FIXTURE_H
#define MX_TESTS_CONTEXT_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "sched/context.h"
#include "tests/check.h"

#define FIXTURE __attribute__((unused)) static

#define NONE MX_CONTEXT_NONE

/* A driver that writes down what it is asked for: "h1" hold stage 1, "d1" drop,
 * "s4" start job 4, "r4" release it (from the one that is held), "c4". */
struct driver {
	struct mx_context *context;
	char log[256];
	int status; /* of the next call */
};

FIXTURE int note(struct driver *driver, char what, uint32_t number)
{
	const size_t used = strlen(driver->log);

	(void)snprintf(driver->log + used, sizeof(driver->log) - used, "%s%c%u",
		       used ? " " : "", what, number);
	return driver->status;
}

FIXTURE int hold(void *user, uint32_t stage)
{
	return note(user, 'h', stage);
}

FIXTURE int drop(void *user, uint32_t stage)
{
	return note(user, 'd', stage);
}

FIXTURE int start(void *user, uint32_t job, int held)
{
	return note(user, held ? 'r' : 's', job);
}

FIXTURE int cancel(void *user, uint32_t job)
{
	return note(user, 'c', job);
}

FIXTURE const struct mx_context_ops ops = {hold, drop, start, cancel};

FIXTURE const uint32_t after_0[] = {0};
FIXTURE const uint32_t after_01[] = {0, 1};
FIXTURE const uint32_t after_1[] = {1};
FIXTURE const uint32_t after_12[] = {1, 2};

/* The first detects; the second runs on each detection. */
FIXTURE const struct mx_context_stage faces = {
	.each = NONE,
	.at_once = 1,
	.detects = 1,
};
FIXTURE const struct mx_context_stage of_each = {
	.after = after_0,
	.after_count = 1,
	.each = 0,
	.at_once = 2,
};

/* On the picture, after the second. */
FIXTURE const struct mx_context_stage of_all = {
	.after = after_1,
	.after_count = 1,
	.each = NONE,
	.at_once = 1,
};
/* On each detection of which the second's second value is 6. */
FIXTURE const struct mx_condition is_six = {
	1, MX_CONDITION_VALUE, MX_CONDITION_EQ, 1, 6, NULL};
FIXTURE const struct mx_context_stage of_sixes = {
	.after = after_01,
	.after_count = 2,
	.each = 0,
	.conditions = &is_six,
	.condition_count = 1,
	.at_once = 2,
};

FIXTURE void driver_init(struct driver *driver,
			 const struct mx_context_stage *stages, uint32_t count)
{
	*driver = (struct driver){.status = 0};
	assert_int_equal(mx_context_new(&driver->context, stages, count, &ops,
					driver, NULL),
			 0);
	assert_int_equal(mx_context_begin(driver->context), 0);
}

/* What has been asked for since, and nothing else. */
FIXTURE void expect(struct driver *driver, const char *want)
{
	assert_string_equal(driver->log, want);
	driver->log[0] = '\0';
}

FIXTURE const struct mx_finding three[] = {
	{1, "cat", 0.9f}, {2, "dog", 0.8f}, {1, "cat", 0.7f}};

/* @job has found the first @count of the three, and its outputs begin with 5
 * and 6. */
FIXTURE void finish(struct driver *driver, uint32_t job, uint32_t count)
{
	static const float values[] = {5, 6};
	const struct mx_answer answer = {three, count, values, 2};

	assert_int_equal(mx_context_ended(driver->context, job, 0, &answer), 0);
}

/* @job has an answer whose second value is 7. */
FIXTURE void finish_with_seven(struct driver *driver, uint32_t job)
{
	static const float values[] = {5, 7};
	const struct mx_answer answer = {NULL, 0, values, 2};

	assert_int_equal(mx_context_ended(driver->context, job, 0, &answer), 0);
}

FIXTURE void end(struct driver *driver, uint32_t job, int status)
{
	assert_int_equal(mx_context_ended(driver->context, job, status, NULL),
			 0);
}

FIXTURE enum mx_context_state state_of(const struct driver *driver,
				       uint32_t job)
{
	return mx_context_job(driver->context, job)->state;
}

FIXTURE void expect_over(struct driver *driver)
{
	assert_true(mx_context_is_over(driver->context));
	expect(driver, "");
	mx_context_free(driver->context);
}

#endif
