/*
 * Jobs that do not finish: units that cannot be read, and cancellation.
 */
#include <errno.h>

#include "tests/board_driver.h"

static void a_failed_unit_fails_the_job_that_comes_to_it(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	begin_chain(&fx, 2);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	take(&fx, job);
	expect_load(&fx, 0, 1);
	/* It is computing: it ends when that is done. */
	loaded(&fx, 0, 1, -EIO);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	assert_int_equal(job->status, -EIO);
	assert_int_equal(job->failed_unit, 1);
	expect_work(&fx, MX_WORK_NONE, NULL);
	done(&fx, job, 0);
	assert_int_equal(job->state, MX_JOB_FAILED);
	assert_int_equal(job->status, -EIO);
	assert_int_equal(state_of(&fx, 0, 1), MX_UNIT_ABSENT);
	assert_int_equal(fx.events[fx.event_count - 1].kind, MX_EVENT_ENDED);
	assert_int_equal(fx.events[fx.event_count - 1].status, -EIO);
	assert_int_equal(fx.events[fx.event_count - 1].unit.unit, 1);
	mx_board_forget(fx.board, job);
	finish(&fx);
}

static void a_job_that_does_not_come_to_a_failed_unit_goes_on(void **state)
{
	struct fixture fx;
	struct mx_board_job *first, *second;

	(void)state;
	begin_chain(&fx, 3);
	fx.policy.next_load = eager_load;
	first = arrive(&fx, 0, 0);
	second = arrive(&fx, 0, 0);
	prepare(&fx, first);
	read_unit(&fx, 0, 0);
	read_unit(&fx, 0, 1);
	expect_load(&fx, 0, 2);
	loaded(&fx, 0, 2, -EBADMSG);
	expect_no_load(&fx);
	done(&fx, first, take(&fx, first));
	assert_int_equal(first->status, 0);
	take(&fx, first);
	assert_int_equal(first->status, -EBADMSG);
	/* The second still needs it, and comes to it. */
	prepare(&fx, second);
	done(&fx, first, 1);
	assert_int_equal(first->state, MX_JOB_FAILED);
	assert_int_equal(state_of(&fx, 0, 2), MX_UNIT_FAILED);
	done(&fx, second, take(&fx, second));
	done(&fx, second, take(&fx, second));
	assert_int_equal(second->state, MX_JOB_FAILED);
	assert_int_equal(second->status, -EBADMSG);
	assert_int_equal(state_of(&fx, 0, 2), MX_UNIT_ABSENT);
	/* The next job may have better luck. */
	first = arrive(&fx, 0, 0);
	read_unit(&fx, 0, 0);
	read_unit(&fx, 0, 1);
	read_unit(&fx, 0, 2);
	prepare(&fx, first);
	done(&fx, first, take(&fx, first));
	done(&fx, first, take(&fx, first));
	done(&fx, first, take(&fx, first));
	assert_int_equal(first->state, MX_JOB_FINISHED);
	finish(&fx);
}

static void a_job_meets_what_failed_before_it_was_prepared(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	begin_chain(&fx, 1);
	fx.policy.next_load = eager_load;
	job = arrive(&fx, 0, 0);
	/* For a job that waits: nobody comes to it yet, so it is kept. */
	expect_load(&fx, 0, 0);
	loaded(&fx, 0, 0, -EIO);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_FAILED);
	expect_no_load(&fx);
	expect_work(&fx, MX_WORK_PREPARE, job);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	mx_board_prepared(fx.board, job, 0);
	assert_int_equal(job->state, MX_JOB_FAILED);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_ABSENT);
	mx_board_forget(fx.board, job);

	/* While it is prepared; and, once all have gone, for nobody. */
	job = arrive(&fx, 0, 0);
	expect_work(&fx, MX_WORK_PREPARE, job);
	expect_load(&fx, 0, 0);
	loaded(&fx, 0, 0, -EIO);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	expect_work(&fx, MX_WORK_NONE, NULL);
	mx_board_prepared(fx.board, job, 0);
	assert_int_equal(job->state, MX_JOB_FAILED);
	expect_load(&fx, 0, 0);
	loaded(&fx, 0, 0, -EIO);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_ABSENT);
	finish(&fx);
}

static void what_is_not_running_is_cancelled_at_once(void **state)
{
	struct fixture fx;
	struct mx_board_job *held, *waiting, *other;

	(void)state;
	begin_chain(&fx, 1);
	held = arrive(&fx, 0, 1);
	waiting = arrive(&fx, 0, 0);
	other = arrive(&fx, 0, 0);
	mx_board_cancel(fx.board, held, 0, 3);
	assert_int_equal(held->state, MX_JOB_CANCELLED);
	assert_int_equal(held->status, -ECANCELED);
	assert_int_equal(held->finish_ns, 3);
	mx_board_cancel(fx.board, waiting, -EIO, 4);
	assert_int_equal(waiting->state, MX_JOB_FAILED);
	assert_int_equal(waiting->status, -EIO);
	mx_board_assert_ok(fx.board);
	assert_ptr_equal(mx_board_waiting(fx.board, 0), other);
	assert_int_equal(mx_board_waiting_count(fx.board, 0), 1);
	/* Nothing happens to what has ended. */
	mx_board_cancel(fx.board, waiting, 0, 5);
	assert_int_equal(waiting->state, MX_JOB_FAILED);
	assert_int_equal(waiting->finish_ns, 4);
	finish(&fx);
}

static void a_running_job_is_cancelled_when_its_steps_are_done(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 2, 1, 1);
	add_layers(&fx.nets, 0, 5, 1);
	fx.policy.next_load = eager_load;
	begin(&fx, 9);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	take(&fx, job);
	read_unit(&fx, 0, 1);
	expect_work(&fx, MX_WORK_STEP, job);
	mx_board_begin(fx.board, job, 0);
	expect_load(&fx, 0, 2);
	mx_board_cancel(fx.board, job, 0, 0);
	mx_board_assert_ok(fx.board);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	expect_work(&fx, MX_WORK_NONE, NULL);
	expect_no_load(&fx);
	/* The driver takes nothing more of the second step. */
	mx_board_taken(fx.board, job);
	done(&fx, job, 1);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	fx.now_ns = 9;
	done(&fx, job, 0);
	assert_int_equal(job->state, MX_JOB_CANCELLED);
	assert_int_equal(job->finish_ns, 9);
	assert_int_equal(arena_pages(&fx), 0);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_ABSENT);
	assert_int_equal(state_of(&fx, 0, 1), MX_UNIT_ABSENT);
	/* A read cannot be called back; then it can be evicted. */
	assert_int_equal(state_of(&fx, 0, 2), MX_UNIT_LOADING);
	loaded(&fx, 0, 2, 0);
	finish(&fx);
}

static void a_job_cancelled_while_it_is_prepared_ends_with_that(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	begin_chain(&fx, 1);
	job = arrive(&fx, 0, 0);
	expect_work(&fx, MX_WORK_PREPARE, job);
	mx_board_cancel(fx.board, job, 0, 0);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	mx_board_prepared(fx.board, job, 0);
	assert_int_equal(job->state, MX_JOB_CANCELLED);
	finish(&fx);
}

static void units_of_a_cancelled_job_stay_for_those_who_want_them(void **state)
{
	struct fixture fx;
	struct mx_board_job *first, *second;

	(void)state;
	begin_chain(&fx, 1);
	first = arrive(&fx, 0, 0);
	second = arrive(&fx, 0, 1);
	prepare(&fx, first);
	read_unit(&fx, 0, 0);
	mx_board_cancel(fx.board, first, 0, 0);
	assert_int_equal(first->state, MX_JOB_CANCELLED);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_RESIDENT);
	mx_board_release(fx.board, second, 0);
	prepare(&fx, second);
	mx_board_cancel(fx.board, second, 0, 0);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_ABSENT);
	finish(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_unit_fails_the_job_that_comes_to_it),
		cmocka_unit_test(
			a_job_that_does_not_come_to_a_failed_unit_goes_on),
		cmocka_unit_test(
			a_job_meets_what_failed_before_it_was_prepared),
		cmocka_unit_test(what_is_not_running_is_cancelled_at_once),
		cmocka_unit_test(
			a_running_job_is_cancelled_when_its_steps_are_done),
		cmocka_unit_test(
			a_job_cancelled_while_it_is_prepared_ends_with_that),
		cmocka_unit_test(
			units_of_a_cancelled_job_stay_for_those_who_want_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
