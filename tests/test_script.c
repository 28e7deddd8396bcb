/* wrap: calloc reallocarray */
#include "sched/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/board.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *old, size_t count, size_t each),
      (old, count, each), ENOMEM, NULL)

enum { TOLD_MAX = 64 };

/* What the director said: "submit 0.1 held @5". */
struct fixture {
	struct mx_script script;
	struct mx_director *director;
	char told[TOLD_MAX][64];
	uint32_t told_count;
	uint32_t read; /* of what it said, checked */
	int status; /* what each call returns */
	uint64_t now_ns;
	int at_once; /* cancelled jobs are reported from within */
};

static int tell(struct fixture *fx, const char *what, uint32_t arrival,
		uint32_t job, const char *more)
{
	assert_true(fx->told_count < TOLD_MAX);
	(void)snprintf(fx->told[fx->told_count++], sizeof(fx->told[0]),
		       "%s %u.%u%s", what, arrival, job, more);
	return fx->status;
}

static int submit(void *user, uint32_t arrival, uint32_t job, int held,
		  uint64_t arrival_ns)
{
	char more[24];

	(void)snprintf(more, sizeof(more), "%s @%u", held ? " held" : "",
		       (unsigned)arrival_ns);
	return tell(user, "submit", arrival, job, more);
}

static int release(void *user, uint32_t arrival, uint32_t job)
{
	return tell(user, "release", arrival, job, "");
}

static int cancel(void *user, uint32_t arrival, uint32_t job)
{
	struct fixture *fx = user;
	const int rc = tell(user, "cancel", arrival, job, "");

	if (rc || !fx->at_once)
		return rc;
	return mx_director_ended(fx->director, arrival, job, 1, fx->now_ns);
}

static const struct mx_director_ops ops = {submit, release, cancel};

static struct mx_script_arrival *add(struct fixture *fx,
				     enum mx_arrival_kind kind,
				     uint64_t time_ns, uint32_t jobs)
{
	struct mx_script_arrival *arrival = mx_script_add(&fx->script, jobs);

	assert_non_null(arrival);
	arrival->kind = kind;
	arrival->time_ns = time_ns;
	return arrival;
}

static void relate(struct mx_script_arrival *arrival, uint32_t job,
		   uint32_t after, enum mx_relation_mode mode, int skip)
{
	struct mx_script_job *its = &arrival->jobs[job];

	its->relations = realloc(its->relations, (its->relation_count +
						  1) * sizeof(*its->relations));
	assert_non_null(its->relations);
	its->relations[its->relation_count++] =
		(struct mx_relation){after, mode, skip};
}

static void begin(struct fixture *fx)
{
	struct mx_err err = {""};

	if (mx_director_new(&fx->director, &fx->script, &ops, fx, &err))
		fail_msg("%s", err.text);
}

static void finish(struct fixture *fx)
{
	assert_int_equal(fx->read, fx->told_count);
	mx_director_free(fx->director);
	mx_script_fini(&fx->script);
}

static void expect(struct fixture *fx, const char *text)
{
	assert_true(fx->read < fx->told_count);
	assert_string_equal(fx->told[fx->read++], text);
}

static void advance(struct fixture *fx, uint64_t now_ns)
{
	fx->now_ns = now_ns;
	assert_int_equal(mx_director_advance(fx->director, now_ns), 0);
}

static void ended(struct fixture *fx, uint32_t arrival, uint32_t job,
		  int cancelled)
{
	assert_int_equal(mx_director_ended(fx->director, arrival, job,
					   cancelled, fx->now_ns),
			 0);
}

static void arrivals_are_due_at_their_times_and_after_their_gaps(void **state)
{
	struct fixture fx = {0};

	(void)state;
	add(&fx, MX_ARRIVAL_AT, 10, 2);
	add(&fx, MX_ARRIVAL_GAP, 5, 1);
	add(&fx, MX_ARRIVAL_GAP, 0, 1);
	add(&fx, MX_ARRIVAL_AT, 30, 1);
	begin(&fx);
	assert_int_equal(mx_director_due(fx.director), 10);
	advance(&fx, 9);
	assert_int_equal(fx.told_count, 0);
	advance(&fx, 10);
	expect(&fx, "submit 0.0 @10");
	expect(&fx, "submit 0.1 @10");
	assert_int_equal(mx_director_due(fx.director), 15);
	/* Late: they count from when they were due. */
	advance(&fx, 29);
	expect(&fx, "submit 1.0 @15");
	expect(&fx, "submit 2.0 @15");
	assert_int_equal(mx_director_due(fx.director), 30);
	advance(&fx, 30);
	expect(&fx, "submit 3.0 @30");
	assert_int_equal(mx_director_due(fx.director), MX_TIME_NEVER);
	assert_false(mx_director_is_over(fx.director));
	ended(&fx, 0, 0, 0);
	ended(&fx, 0, 1, 0);
	ended(&fx, 1, 0, 0);
	ended(&fx, 3, 0, 0);
	assert_false(mx_director_is_over(fx.director));
	ended(&fx, 2, 0, 1);
	assert_true(mx_director_is_over(fx.director));
	finish(&fx);
}

static void arrivals_when_idle_wait_for_all_jobs_to_end(void **state)
{
	struct fixture fx = {0};

	(void)state;
	add(&fx, MX_ARRIVAL_IDLE, 3, 2);
	add(&fx, MX_ARRIVAL_IDLE, 4, 0); /* nothing to wait for */
	add(&fx, MX_ARRIVAL_IDLE, 5, 1);
	add(&fx, MX_ARRIVAL_AT, 1, 1); /* after those before it */
	begin(&fx);
	assert_int_equal(mx_director_due(fx.director), 3);
	advance(&fx, 3);
	expect(&fx, "submit 0.0 @3");
	expect(&fx, "submit 0.1 @3");
	assert_int_equal(mx_director_due(fx.director), MX_TIME_NEVER);
	advance(&fx, 100);
	ended(&fx, 0, 1, 0);
	assert_int_equal(mx_director_due(fx.director), MX_TIME_NEVER);
	ended(&fx, 0, 0, 0);
	assert_int_equal(mx_director_due(fx.director), 104);
	advance(&fx, 108);
	assert_int_equal(mx_director_due(fx.director), 109);
	advance(&fx, 109);
	expect(&fx, "submit 2.0 @109");
	expect(&fx, "submit 3.0 @109");
	ended(&fx, 2, 0, 0);
	ended(&fx, 3, 0, 0);
	assert_true(mx_director_is_over(fx.director));
	finish(&fx);
}

static void a_job_that_waits_is_released_when_all_have_finished(void **state)
{
	struct fixture fx = {0};
	struct mx_script_arrival *arrival;

	(void)state;
	arrival = add(&fx, MX_ARRIVAL_AT, 0, 4);
	relate(arrival, 2, 0, MX_RELATION_WAIT, 0);
	relate(arrival, 2, 1, MX_RELATION_WAIT, 0);
	relate(arrival, 3, 2, MX_RELATION_WAIT, 0);
	relate(arrival, 3, 0, MX_RELATION_OPPORTUNISTIC, 0);
	begin(&fx);
	advance(&fx, 0);
	expect(&fx, "submit 0.0 @0");
	expect(&fx, "submit 0.1 @0");
	expect(&fx, "submit 0.2 held @0");
	expect(&fx, "submit 0.3 held @0");
	ended(&fx, 0, 1, 0);
	assert_int_equal(fx.read, fx.told_count);
	ended(&fx, 0, 0, 0);
	expect(&fx, "release 0.2");
	ended(&fx, 0, 2, 0);
	expect(&fx, "release 0.3");
	ended(&fx, 0, 3, 0);
	assert_true(mx_director_is_over(fx.director));
	finish(&fx);
}

static void an_opportunistic_job_starts_at_once_and_is_cancelled(void **state)
{
	struct fixture fx = {0};
	struct mx_script_arrival *arrival;

	(void)state;
	arrival = add(&fx, MX_ARRIVAL_AT, 0, 3);
	relate(arrival, 1, 0, MX_RELATION_OPPORTUNISTIC, 1);
	relate(arrival, 2, 0, MX_RELATION_OPPORTUNISTIC, 0);
	begin(&fx);
	advance(&fx, 0);
	expect(&fx, "submit 0.0 @0");
	expect(&fx, "submit 0.1 @0");
	expect(&fx, "submit 0.2 @0");
	ended(&fx, 0, 0, 0);
	expect(&fx, "cancel 0.1");
	ended(&fx, 0, 2, 0);
	assert_false(mx_director_is_over(fx.director));
	ended(&fx, 0, 1, 1);
	assert_true(mx_director_is_over(fx.director));
	finish(&fx);
}

static void skipping_reaches_all_that_depend_on_it(void **state)
{
	int at_once;

	(void)state;
	for (at_once = 0; at_once < 2; at_once++) {
		struct fixture fx = {.at_once = at_once};
		struct mx_script_arrival *arrival;

		/* 0 -> 1 -> 2 -> 4, 0 -> 3; 1 is skipped. */
		arrival = add(&fx, MX_ARRIVAL_AT, 0, 5);
		relate(arrival, 1, 0, MX_RELATION_WAIT, 1);
		relate(arrival, 2, 1, MX_RELATION_WAIT, 0);
		relate(arrival, 3, 0, MX_RELATION_WAIT, 0);
		relate(arrival, 4, 3, MX_RELATION_OPPORTUNISTIC, 0);
		relate(arrival, 4, 2, MX_RELATION_OPPORTUNISTIC, 0);
		begin(&fx);
		advance(&fx, 0);
		fx.read = fx.told_count;
		ended(&fx, 0, 0, 0);
		expect(&fx, "cancel 0.1");
		expect(&fx, "cancel 0.2");
		if (!at_once)
			expect(&fx, "release 0.3");
		expect(&fx, "cancel 0.4");
		if (at_once)
			expect(&fx, "release 0.3");
		ended(&fx, 0, 3, 0);
		if (!at_once) {
			ended(&fx, 0, 1, 1);
			ended(&fx, 0, 2, 1);
			ended(&fx, 0, 4, 1);
		}
		assert_true(mx_director_is_over(fx.director));
		finish(&fx);
	}
}

static void what_depends_on_a_cancelled_job_is_skipped_too(void **state)
{
	struct fixture fx = {0};
	struct mx_script_arrival *arrival;

	(void)state;
	/* 1 ends before it can be skipped; 2 is after it. */
	arrival = add(&fx, MX_ARRIVAL_AT, 0, 4);
	relate(arrival, 1, 0, MX_RELATION_OPPORTUNISTIC, 1);
	relate(arrival, 2, 1, MX_RELATION_WAIT, 0);
	relate(arrival, 3, 2, MX_RELATION_WAIT, 0);
	begin(&fx);
	advance(&fx, 0);
	fx.read = fx.told_count;
	ended(&fx, 0, 1, 0);
	expect(&fx, "release 0.2");
	ended(&fx, 0, 0, 0);
	expect(&fx, "cancel 0.2");
	expect(&fx, "cancel 0.3");
	ended(&fx, 0, 2, 1);
	ended(&fx, 0, 3, 1);
	assert_true(mx_director_is_over(fx.director));
	finish(&fx);
}

static void a_driver_that_fails_is_heard(void **state)
{
	struct fixture fx = {0};
	struct mx_script_arrival *arrival;

	(void)state;
	arrival = add(&fx, MX_ARRIVAL_AT, 0, 2);
	relate(arrival, 1, 0, MX_RELATION_WAIT, 0);
	begin(&fx);
	fx.status = -ENOSPC;
	assert_int_equal(mx_director_advance(fx.director, 0), -ENOSPC);
	assert_int_equal(mx_director_ended(fx.director, 0, 0, 0, 0), -ENOSPC);
	fx.read = fx.told_count;
	finish(&fx);
}

static void scripts_that_make_no_sense_are_refused(void **state)
{
	struct fixture fx = {0};
	struct mx_err err = {""};
	struct mx_script_arrival *arrival;

	(void)state;
	add(&fx, MX_ARRIVAL_AT, 10, 1);
	add(&fx, MX_ARRIVAL_GAP, 10, 1);
	arrival = add(&fx, MX_ARRIVAL_AT, 9, 1);
	assert_int_equal(
		mx_director_new(&fx.director, &fx.script, &ops, &fx, &err),
		-EINVAL);
	assert_string_equal(err.text,
			    "arrival 2 comes before the one before it");
	arrival->time_ns = 10;
	relate(arrival, 0, 0, MX_RELATION_WAIT, 0);
	assert_int_equal(
		mx_director_new(&fx.director, &fx.script, &ops, &fx, &err),
		-EINVAL);
	assert_string_equal(err.text, "arrival 2: job 0 comes after job 0, "
				      "which is not before it");
	mx_script_fini(&fx.script);
}

static void times_too_large_are_the_last_there_is(void **state)
{
	struct fixture fx = {0};

	(void)state;
	add(&fx, MX_ARRIVAL_AT, 10, 1);
	add(&fx, MX_ARRIVAL_GAP, UINT64_MAX - 5, 1);
	begin(&fx);
	advance(&fx, 10);
	expect(&fx, "submit 0.0 @10");
	assert_int_equal(mx_director_due(fx.director), MX_TIME_NEVER - 1);
	ended(&fx, 0, 0, 0);
	assert_false(mx_director_is_over(fx.director));
	finish(&fx);
}

static void an_empty_script_is_over(void **state)
{
	struct fixture fx = {0};

	(void)state;
	begin(&fx);
	assert_int_equal(mx_director_due(fx.director), MX_TIME_NEVER);
	assert_true(mx_director_is_over(fx.director));
	finish(&fx);
	mx_director_free(NULL);
}

static void no_memory_is_an_error(void **state)
{
	struct fixture fx = {0};
	long n;
	int rc;

	(void)state;
	for (n = 0; n < 2; n++) {
		faults_arm(n);
		assert_null(mx_script_add(&fx.script, 3));
		assert_true(faults_disarm());
		assert_int_equal(fx.script.arrival_count, 0);
	}
	add(&fx, MX_ARRIVAL_AT, 0, 3);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_director_new(&fx.director, &fx.script, &ops, &fx, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, 3);
	finish(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			arrivals_are_due_at_their_times_and_after_their_gaps),
		cmocka_unit_test(arrivals_when_idle_wait_for_all_jobs_to_end),
		cmocka_unit_test(
			a_job_that_waits_is_released_when_all_have_finished),
		cmocka_unit_test(
			an_opportunistic_job_starts_at_once_and_is_cancelled),
		cmocka_unit_test(skipping_reaches_all_that_depend_on_it),
		cmocka_unit_test(
			what_depends_on_a_cancelled_job_is_skipped_too),
		cmocka_unit_test(a_driver_that_fails_is_heard),
		cmocka_unit_test(scripts_that_make_no_sense_are_refused),
		cmocka_unit_test(times_too_large_are_the_last_there_is),
		cmocka_unit_test(an_empty_script_is_over),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
