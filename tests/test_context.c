/* wrap: calloc reallocarray */
#include "sched/context.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/err.h"
#include "tests/context_fixture.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *at, size_t count, size_t size),
      (at, count, size), ENOMEM, NULL)

static void comparisons_are_exact_and_nan_is_none(void **state)
{
	static const struct {
		enum mx_condition_op op;
		int below, equal, above;
	} cases[] = {
		{MX_CONDITION_GT, 0, 0, 1}, {MX_CONDITION_GE, 0, 1, 1},
		{MX_CONDITION_LT, 1, 0, 0}, {MX_CONDITION_LE, 1, 1, 0},
		{MX_CONDITION_EQ, 0, 1, 0}, {MX_CONDITION_NE, 1, 0, 1},
	};
	struct mx_condition condition = {.value = 2};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		condition.op = cases[i].op;
		assert_int_equal(mx_condition_holds(&condition, 1.9999),
				 cases[i].below);
		assert_int_equal(mx_condition_holds(&condition, 2),
				 cases[i].equal);
		assert_int_equal(mx_condition_holds(&condition, 2.0001),
				 cases[i].above);
		assert_int_equal(mx_condition_holds(&condition, (double)NAN),
				 0);
	}
}

static void each_detection_has_a_job_as_many_at_once_as_may_be(void **state)
{
	const struct mx_context_stage stages[] = {faces, of_each};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 2);
	expect(&driver, "s0 h1");
	finish(&driver, 0, 3);
	expect(&driver, "r1 s2");
	assert_int_equal(state_of(&driver, 3), MX_CONTEXT_PLANNED);
	finish(&driver, 2, 1);
	expect(&driver, "s3");
	finish(&driver, 3, 1);
	assert_false(mx_context_is_over(driver.context));
	finish(&driver, 1, 1);
	assert_int_equal(mx_context_job(driver.context, 3)->number, 2);
	assert_int_equal(mx_context_job(driver.context, 3)->finding, 2);
	assert_int_equal(mx_context_job(driver.context, 3)->origin, 0);
	expect_over(&driver);
}

static void what_is_held_is_dropped_when_nothing_is_found(void **state)
{
	const struct mx_context_stage stages[] = {faces, of_each};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 2);
	expect(&driver, "s0 h1");
	finish(&driver, 0, 0);
	expect(&driver, "d1");
	assert_int_equal(mx_context_job_count(driver.context), 1);
	expect_over(&driver);
}

/* A stage after the first under a condition, on the given findings. */
static int runs_if(const struct mx_condition *condition, uint32_t found)
{
	const struct mx_context_stage stages[] = {
		faces,
		{.after = after_0,
		 .after_count = 1,
		 .each = NONE,
		 .conditions = condition,
		 .condition_count = 1,
		 .at_once = 1},
	};
	struct driver driver;
	int runs;

	driver_init(&driver, stages, 2);
	expect(&driver, "s0 h1");
	finish(&driver, 0, found);
	runs = state_of(&driver, 1) == MX_CONTEXT_STARTED;
	expect(&driver, runs ? "r1" : "d1");
	if (runs)
		finish(&driver, 1, 0);
	else
		assert_int_equal(state_of(&driver, 1), MX_CONTEXT_SKIPPED);
	expect_over(&driver);
	return runs;
}

static void conditions_ask_any_of_the_findings(void **state)
{
	static const struct {
		struct mx_condition condition;
		uint32_t found;
		int runs;
	} cases[] = {
		{{0, MX_CONDITION_COUNT, MX_CONDITION_GT, 0, 2, NULL}, 3, 1},
		{{0, MX_CONDITION_COUNT, MX_CONDITION_GT, 0, 2, NULL}, 2, 0},
		{{0, MX_CONDITION_COUNT, MX_CONDITION_EQ, 0, 0, NULL}, 0, 1},
		{{0, MX_CONDITION_CLASS, MX_CONDITION_EQ, 0, 2, NULL}, 1, 0},
		{{0, MX_CONDITION_CLASS, MX_CONDITION_EQ, 0, 2, NULL}, 2, 1},
		{{0, MX_CONDITION_CLASS, MX_CONDITION_NE, 0, 1, NULL}, 1, 0},
		{{0, MX_CONDITION_SCORE, MX_CONDITION_GT, 0, 0.95, NULL}, 3, 0},
		{{0, MX_CONDITION_SCORE, MX_CONDITION_LT, 0, 0.75, NULL}, 3, 1},
		{{0, MX_CONDITION_SCORE, MX_CONDITION_LT, 0, 0.75, NULL}, 2, 0},
		{{0, MX_CONDITION_LABEL, MX_CONDITION_EQ, 0, 0, "dog"}, 2, 1},
		{{0, MX_CONDITION_LABEL, MX_CONDITION_EQ, 0, 0, "dog"}, 1, 0},
		{{0, MX_CONDITION_LABEL, MX_CONDITION_NE, 0, 0, "cat"}, 1, 0},
		{{0, MX_CONDITION_LABEL, MX_CONDITION_NE, 0, 0, "cat"}, 2, 1},
		{{0, MX_CONDITION_LABEL, MX_CONDITION_NE, 0, 0, "cat"}, 0, 0},
		{{0, MX_CONDITION_VALUE, MX_CONDITION_EQ, 1, 6, NULL}, 0, 1},
		{{0, MX_CONDITION_VALUE, MX_CONDITION_EQ, 0, 6, NULL}, 0, 0},
		{{0, MX_CONDITION_VALUE, MX_CONDITION_NE, 2, 6, NULL}, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (runs_if(&cases[i].condition, cases[i].found) !=
		    cases[i].runs)
			fail_msg("case %zu", i);
}

static void a_detection_is_asked_for_itself_alone(void **state)
{
	static const struct mx_condition is_cat = {
		0, MX_CONDITION_LABEL, MX_CONDITION_EQ, 0, 0, "cat"};
	struct mx_context_stage stages[] = {faces, of_each};
	struct driver driver;

	(void)state;
	stages[1].conditions = &is_cat;
	stages[1].condition_count = 1;
	driver_init(&driver, stages, 2);
	finish(&driver, 0, 3);
	/* Not the dog. */
	expect(&driver, "s0 h1 r1 s3");
	assert_int_equal(state_of(&driver, 2), MX_CONTEXT_SKIPPED);
	finish(&driver, 1, 0);
	finish(&driver, 3, 0);
	expect_over(&driver);
}

static void jobs_of_one_face_depend_on_that_faces_own(void **state)
{
	const struct mx_context_stage stages[] = {
		faces,
		of_each,
		of_sixes,
	};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 3);
	expect(&driver, "s0 h1 h2");
	finish(&driver, 0, 2);
	/* Jobs 1 and 2 are the second stage's, 3 and 4 the third's. */
	expect(&driver, "r1 s2");
	finish(&driver, 2, 0);
	expect(&driver, "r4");
	finish_with_seven(&driver, 1);
	assert_int_equal(state_of(&driver, 3), MX_CONTEXT_SKIPPED);
	finish(&driver, 4, 0);
	expect_over(&driver);
}

static void a_stage_after_a_fan_out_waits_for_all_of_it(void **state)
{
	static const struct mx_condition two = {
		1, MX_CONDITION_COUNT, MX_CONDITION_GE, 0, 2, NULL};
	const struct mx_context_stage stages[] = {
		faces,
		of_each,
		{.after = after_1,
		 .after_count = 1,
		 .each = NONE,
		 .conditions = &two,
		 .condition_count = 1,
		 .at_once = 1},
	};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 3);
	expect(&driver, "s0 h1 h2");
	finish(&driver, 0, 2);
	expect(&driver, "r2 s3");
	finish(&driver, 2, 0);
	expect(&driver, "");
	finish(&driver, 3, 0);
	expect(&driver, "r1");
	finish(&driver, 1, 0);
	expect_over(&driver);
	/* One of the two fails: the count is not reached. */
	driver_init(&driver, stages, 3);
	finish(&driver, 0, 2);
	finish(&driver, 2, 0);
	expect(&driver, "s0 h1 h2 r2 s3");
	end(&driver, 3, -EIO);
	expect(&driver, "d2");
	assert_int_equal(state_of(&driver, 3), MX_CONTEXT_FAILED);
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_SKIPPED);
	expect_over(&driver);
}

static void nothing_found_is_an_answer_for_counts_alone(void **state)
{
	static const struct mx_condition none = {
		1, MX_CONDITION_COUNT, MX_CONDITION_EQ, 0, 0, NULL};
	static const struct mx_condition any = {
		1, MX_CONDITION_SCORE, MX_CONDITION_GE, 0, 0, NULL};
	struct mx_context_stage stages[] = {
		faces,
		of_each,
		of_all,
	};
	struct driver driver;

	(void)state;
	stages[2].conditions = &none;
	stages[2].condition_count = 1;
	driver_init(&driver, stages, 3);
	finish(&driver, 0, 0);
	expect(&driver, "s0 h1 h2 d1 r1");
	finish(&driver, 1, 0);
	expect_over(&driver);
	stages[2].conditions = &any;
	driver_init(&driver, stages, 3);
	finish(&driver, 0, 0);
	expect(&driver, "s0 h1 h2 d1 d2");
	expect_over(&driver);
}

static void detections_within_detections_keep_their_ancestry(void **state)
{
	const struct mx_context_stage stages[] = {
		faces,
		{.after = after_0,
		 .after_count = 1,
		 .each = 0,
		 .at_once = 4,
		 .detects = 1},
		{.after = after_1, .after_count = 1, .each = 1, .at_once = 4},
		/* Of each outer detection, when all its inner ones are done. */
		{.after = after_12, .after_count = 2, .each = 0, .at_once = 4},
	};
	static const uint32_t after_02[] = {0, 2};
	struct mx_context_stage four[4];
	struct driver driver;

	(void)state;
	memcpy(four, stages, sizeof(four));
	four[3].after = after_02;
	driver_init(&driver, four, 4);
	finish(&driver, 0, 2);
	/* 1 and 2: the inner detectors; 3 and 4: the last stage's. */
	expect(&driver, "s0 h1 h2 h3 r1 s2");
	finish(&driver, 1, 2);
	/* 5 and 6: within the first. */
	expect(&driver, "r5 s6");
	finish(&driver, 2, 0);
	/* The second had none: its last stage need not wait for the first's. */
	expect(&driver, "r4");
	finish(&driver, 5, 0);
	expect(&driver, "");
	finish(&driver, 6, 0);
	expect(&driver, "s3");
	finish(&driver, 3, 0);
	finish(&driver, 4, 0);
	assert_int_equal(mx_context_job(driver.context, 6)->origin, 1);
	assert_int_equal(mx_context_job(driver.context, 6)->finding, 1);
	expect_over(&driver);
}

static void failing_skips_what_comes_after(void **state)
{
	const struct mx_context_stage stages[] = {
		faces,
		of_each,
		of_all,
	};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 3);
	end(&driver, 0, -EIO);
	expect(&driver, "s0 h1 h2 d1 d2");
	assert_int_equal(state_of(&driver, 0), MX_CONTEXT_FAILED);
	assert_int_equal(state_of(&driver, 1), MX_CONTEXT_SKIPPED);
	expect_over(&driver);
}

static void a_driver_that_fails_is_passed_on(void **state)
{
	const struct mx_context_stage stages[] = {faces, of_each};
	const struct mx_answer answer = {three, 3, NULL, 0};
	struct driver driver;

	(void)state;
	driver_init(&driver, stages, 2);
	driver.status = -EPIPE;
	assert_int_equal(mx_context_ended(driver.context, 0, 0, &answer),
			 -EPIPE);
	/* The first of the three starts was the last. */
	expect(&driver, "s0 h1 r1");
	mx_context_free(driver.context);
}

static void stages_that_make_no_sense_are_refused(void **state)
{
	static const struct mx_condition asks_0 = {.stage = 0};
	static const struct {
		struct mx_context_stage first, second;
		const char *why;
	} cases[] = {
		{{.each = NONE, .at_once = 1},
		 {.each = NONE, .at_once = 0},
		 "stage 1 may run no job at once"},
		{{.after = after_0,
		  .after_count = 1,
		  .each = NONE,
		  .at_once = 1},
		 {.each = NONE, .at_once = 1},
		 "stage 0 comes after stage 0, which is not before it"},
		{{.each = NONE, .at_once = 1},
		 {.after = after_0, .after_count = 1, .each = 0, .at_once = 1},
		 "stage 1 is for each detection of stage 0, which has none for "
		 "it"},
		{{.each = NONE, .at_once = 1, .detects = 1},
		 {.each = 0, .at_once = 1},
		 "stage 1 is for each detection of stage 0, which has none for "
		 "it"},
		{{.each = NONE, .at_once = 1},
		 {.each = NONE,
		  .at_once = 1,
		  .conditions = &asks_0,
		  .condition_count = 1},
		 "stage 1 asks stage 0, which it does not come after"},
	};
	struct mx_context *context;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mx_context_stage stages[] = {cases[i].first,
							  cases[i].second};

		assert_int_equal(
			mx_context_new(&context, stages, 2, &ops, NULL, &err),
			-EINVAL);
		assert_string_equal(err.text, cases[i].why);
	}
}

static void a_chance_follows_the_last_few_outcomes(void **state)
{
	struct mx_chance chance;
	int i;

	(void)state;
	mx_chance_init(&chance);
	assert_true(chance.rate == 0.5f);
	mx_chance_learn(&chance, 1);
	assert_true(chance.rate == 0.625f);
	mx_chance_learn(&chance, 0);
	assert_true(chance.rate == 0.46875f);
	for (i = 0; i < 100; i++)
		mx_chance_learn(&chance, 1);
	assert_true(chance.rate > 0.999f && chance.rate <= 1);
}

static void running_out_of_memory_is_an_error(void **state)
{
	const struct mx_context_stage stages[] = {faces, of_each};
	const struct mx_answer answer = {three, 3, NULL, 0};
	struct driver driver = {.status = 0};
	struct mx_context *context;
	int rc, fired;
	long nth;

	(void)state;
	for (nth = 0, fired = 1; fired; nth++) {
		faults_arm(nth);
		rc = mx_context_new(&context, stages, 2, &ops, &driver, NULL);
		if (!rc)
			rc = mx_context_begin(context);
		else
			context = NULL;
		if (!rc)
			rc = mx_context_ended(context, 0, 0, &answer);
		fired = faults_disarm();
		assert_int_equal(rc, fired ? -ENOMEM : 0);
		mx_context_free(context);
	}
	assert_true(nth > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons_are_exact_and_nan_is_none),
		cmocka_unit_test(
			each_detection_has_a_job_as_many_at_once_as_may_be),
		cmocka_unit_test(what_is_held_is_dropped_when_nothing_is_found),
		cmocka_unit_test(conditions_ask_any_of_the_findings),
		cmocka_unit_test(a_detection_is_asked_for_itself_alone),
		cmocka_unit_test(jobs_of_one_face_depend_on_that_faces_own),
		cmocka_unit_test(a_stage_after_a_fan_out_waits_for_all_of_it),
		cmocka_unit_test(nothing_found_is_an_answer_for_counts_alone),
		cmocka_unit_test(
			detections_within_detections_keep_their_ancestry),
		cmocka_unit_test(failing_skips_what_comes_after),
		cmocka_unit_test(a_driver_that_fails_is_passed_on),
		cmocka_unit_test(stages_that_make_no_sense_are_refused),
		cmocka_unit_test(a_chance_follows_the_last_few_outcomes),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
