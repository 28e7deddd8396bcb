/* wrap: calloc malloc reallocarray */
#include "sched/board.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/board_driver.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(void *, malloc, (size_t bytes), (bytes), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *old, size_t count, size_t each),
      (old, count, each), ENOMEM, NULL)

/* ---- the way of a job ---- */

static void a_job_goes_its_way_and_every_event_is_told(void **state)
{
	static const struct {
		enum mx_event_kind kind;
		uint64_t now_ns;
		uint32_t detail; /* unit, step or layer */
	} expected[] = {
		{MX_EVENT_ARRIVED, 10, 0},    {MX_EVENT_ADMITTED, 20, 0},
		{MX_EVENT_PREPARED, 30, 0},   {MX_EVENT_LOAD, 30, 0},
		{MX_EVENT_LOADED, 40, 0},     {MX_EVENT_STEP_TAKEN, 40, 0},
		{MX_EVENT_STEP_DONE, 50, 0},  {MX_EVENT_LAYER_DONE, 50, 0},
		{MX_EVENT_STEP_TAKEN, 50, 1}, {MX_EVENT_STEP_DONE, 60, 1},
		{MX_EVENT_LAYER_DONE, 60, 1}, {MX_EVENT_ENDED, 60, 0},
	};
	struct fixture fx;
	struct mx_board_job *job;
	uint32_t i;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 1, 1, 2);
	add_layer(&fx.nets, 0, 5, 0, 0, 1);
	begin(&fx, 3);
	fx.now_ns = 10;
	job = arrive(&fx, 0, 0);
	assert_int_equal(job->state, MX_JOB_WAITING);
	assert_int_equal(job->arrival, 7);
	assert_ptr_equal(job->user, &fx);
	fx.now_ns = 20;
	expect_work(&fx, MX_WORK_PREPARE, job);
	assert_int_equal(job->state, MX_JOB_RUNNING);
	assert_int_equal(job->arena_bytes, 2 * PAGE);
	expect_work(&fx, MX_WORK_NONE, NULL);
	fx.now_ns = 30;
	mx_board_prepared(fx.board, job, fx.now_ns);
	expect_load(&fx, 0, 0);
	fx.now_ns = 40;
	loaded(&fx, 0, 0, 0);
	assert_int_equal(take(&fx, job), 0);
	fx.now_ns = 50;
	done(&fx, job, 0);
	assert_int_equal(job->layer, 1);
	assert_int_equal(take(&fx, job), 1);
	fx.now_ns = 60;
	done(&fx, job, 1);
	assert_int_equal(job->state, MX_JOB_FINISHED);
	assert_int_equal(job->arrival_ns, 10);
	assert_int_equal(job->admitted_ns, 20);
	assert_int_equal(job->finish_ns, 60);
	assert_int_equal(arena_pages(&fx), 0);
	mx_board_forget(fx.board, job);
	assert_int_equal(fx.event_count,
			 sizeof(expected) / sizeof(expected[0]));
	for (i = 0; i < fx.event_count; i++) {
		const struct mx_board_event *event = &fx.events[i];
		const int of_unit = event->kind == MX_EVENT_LOAD ||
				    event->kind == MX_EVENT_LOADED;

		assert_int_equal(event->kind, expected[i].kind);
		assert_int_equal(event->now_ns, expected[i].now_ns);
		assert_ptr_equal(event->job, of_unit ? NULL : job);
		if (of_unit)
			assert_int_equal(event->unit.unit, expected[i].detail);
		if (event->kind == MX_EVENT_STEP_TAKEN ||
		    event->kind == MX_EVENT_STEP_DONE)
			assert_int_equal(event->step, expected[i].detail);
		if (event->kind == MX_EVENT_LAYER_DONE)
			assert_int_equal(event->layer, expected[i].detail);
	}
	finish(&fx);
}

static void a_layer_begins_when_all_steps_of_the_one_before_are_done(
	void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 2, 1, 1);
	add_layer(&fx.nets, 0, 5, 0, 0, 1);
	begin(&fx, 9);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	assert_int_equal(take(&fx, job), 0);
	read_unit(&fx, 0, 1);
	assert_int_equal(take(&fx, job), 1);
	assert_int_equal(job->busy_steps, 2);
	assert_int_equal(job->next_step, 2);
	expect_work(&fx, MX_WORK_NONE, NULL);
	/* In any order. */
	done(&fx, job, 1);
	assert_int_equal(job->steps_left, 1);
	assert_int_equal(job->layer, 0);
	expect_work(&fx, MX_WORK_NONE, NULL);
	done(&fx, job, 0);
	assert_int_equal(job->layer, 1);
	done(&fx, job, take(&fx, job));
	assert_int_equal(job->state, MX_JOB_FINISHED);
	finish(&fx);
}

static void several_can_help_a_step_until_nothing_of_it_is_left(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 1, 1, 1);
	begin(&fx, 9);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	expect_work(&fx, MX_WORK_STEP, job);
	mx_board_begin(fx.board, job, 0);
	expect_work(&fx, MX_WORK_STEP, job);
	assert_int_equal(job->next_step, 0);
	mx_board_taken(fx.board, job);
	expect_work(&fx, MX_WORK_NONE, NULL);
	done(&fx, job, 0);
	assert_int_equal(job->state, MX_JOB_FINISHED);
	finish(&fx);
}

static void a_step_with_nothing_left_lets_the_next_be_read(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	begin_chain(&fx, 2);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	expect_work(&fx, MX_WORK_STEP, job);
	mx_board_begin(fx.board, job, 0);
	expect_no_load(&fx);
	mx_board_taken(fx.board, job);
	expect_load(&fx, 0, 1);
	finish(&fx);
}

static void a_job_can_be_kept_to_one_step_at_once(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 2, 1, 1);
	begin(&fx, 9);
	fx.board->opts.steps_at_once = 1;
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	take(&fx, job);
	read_unit(&fx, 0, 1);
	expect_work(&fx, MX_WORK_NONE, NULL);
	done(&fx, job, 0);
	done(&fx, job, take(&fx, job));
	assert_int_equal(job->state, MX_JOB_FINISHED);
	finish(&fx);
}

/* ---- memory ---- */

static void an_arena_shrinks_as_its_job_goes_on(void **state)
{
	static const uint64_t pages[] = {5, 3, 3, 1};
	struct fixture fx;
	struct mx_board_job *job;
	uint32_t i;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	for (i = 0; i < 4; i++)
		add_layer(&fx.nets, 0, 5, 0, 0, pages[i]);
	begin(&fx, 5);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	for (i = 0; i < 4; i++) {
		assert_int_equal(arena_pages(&fx), pages[i]);
		assert_int_equal(job->arena_bytes, pages[i] * PAGE);
		done(&fx, job, take(&fx, job));
	}
	assert_int_equal(arena_pages(&fx), 0);
	finish(&fx);
}

static void what_an_arena_leaves_admits_the_next_job(void **state)
{
	struct fixture fx;
	struct mx_board_job *first, *second;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 0, 0, 4);
	add_layer(&fx.nets, 0, 5, 0, 0, 2);
	begin(&fx, 6);
	first = arrive(&fx, 0, 0);
	second = arrive(&fx, 0, 0);
	prepare(&fx, first);
	assert_int_equal(mx_board_fits(fx.board, second), 0);
	done(&fx, first, take(&fx, first));
	assert_int_equal(mx_board_fits(fx.board, second), 1);
	take(&fx, first);
	prepare(&fx, second);
	finish(&fx);
}

static void a_unit_is_held_while_it_is_computed_on(void **state)
{
	struct fixture fx;
	struct mx_board_job *first, *second;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 1, 2, 1);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 5, 1, 2, 1);
	begin(&fx, 4); /* two arenas and one unit */
	first = arrive(&fx, 0, 0);
	second = arrive(&fx, 1, 0);
	prepare(&fx, first);
	prepare(&fx, second);
	read_unit(&fx, 0, 0);
	take(&fx, first);
	expect_no_load(&fx);
	done(&fx, first, 0);
	read_unit(&fx, 1, 0);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_ABSENT);
	done(&fx, second, take(&fx, second));
	finish(&fx);
}

static void an_arena_that_a_held_unit_blocks_lets_another_go_first(void **state)
{
	struct fixture fx;
	struct mx_board_job *wide, *narrow, *first;

	(void)state;
	init(&fx);
	add_net(&fx.nets); /* fills the memory but for a page */
	add_layer(&fx.nets, 0, 5, 2, 3, 1);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 5, 0, 0, 3);
	add_net(&fx.nets);
	add_layer(&fx.nets, 2, 5, 0, 0, 1);
	begin(&fx, 8);
	first = arrive(&fx, 0, 0);
	prepare(&fx, first);
	read_unit(&fx, 0, 0);
	take(&fx, first);
	read_unit(&fx, 0, 1);
	take(&fx, first);
	wide = arrive(&fx, 1, 0);
	narrow = arrive(&fx, 2, 0);
	/* It would fit if the units went; but they are held. */
	assert_int_equal(mx_board_fits(fx.board, wide), 1);
	prepare(&fx, narrow);
	assert_int_equal(mx_board_fits(fx.board, wide), 0);
	take(&fx, narrow);
	expect_work(&fx, MX_WORK_NONE, NULL);
	done(&fx, first, 1);
	assert_int_equal(mx_board_fits(fx.board, wide), 1);
	prepare(&fx, wide);
	assert_int_equal(state_of(&fx, 0, 1), MX_UNIT_ABSENT);
	finish(&fx);
}

static uint64_t at_once(void *state, const struct mx_board *board,
			struct mx_unit_ref ref)
{
	(void)state;
	(void)board;
	(void)ref;
	return 0;
}

static void an_admission_comes_before_all_uses(void **state)
{
	struct fixture fx;
	(void)state;
	init(&fx);
	fx.policy.next_load = eager_load;
	fx.policy.next_use = at_once;
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 2, 1, 1);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 5, 0, 0, 2);
	begin(&fx, 3);
	read_unit(&fx, 0, 0);
	read_unit(&fx, 0, 1);
	/* Whatever is needed at once: the arena's place is not the lowest. */
	prepare(&fx, arrive(&fx, 1, 0));
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_RESIDENT);
	assert_int_equal(state_of(&fx, 0, 1), MX_UNIT_ABSENT);
	finish(&fx);
}

static void consumed_units_are_dropped_once_nobody_needs_them(void **state)
{
	struct fixture fx;
	struct mx_board_job *first, *second;
	uint32_t unit;

	(void)state;
	init(&fx);
	fx.policy.traits = MX_POLICY_DROPS;
	add_net(&fx.nets);
	/* The last layer of the unit has two steps of it. */
	add_empty_layer(&fx.nets, 0, 1);
	unit = add_unit(&fx.nets, 0, 1);
	add_step(&fx.nets, 0, 5, unit);
	add_empty_layer(&fx.nets, 0, 1);
	add_step(&fx.nets, 0, 5, unit);
	add_step(&fx.nets, 0, 5, unit);
	begin(&fx, 9);
	first = arrive(&fx, 0, 0);
	second = arrive(&fx, 0, 0);
	prepare(&fx, first);
	read_unit(&fx, 0, 0);
	done(&fx, first, take(&fx, first));
	take(&fx, first);
	take(&fx, first);
	prepare(&fx, second);
	assert_int_equal(mx_board_users(fx.board, (struct mx_unit_ref){0, 0}),
			 2);
	done(&fx, first, 2);
	assert_int_equal(mx_board_users(fx.board, (struct mx_unit_ref){0, 0}),
			 2);
	done(&fx, first, 1);
	assert_int_equal(first->state, MX_JOB_FINISHED);
	assert_int_equal(mx_board_users(fx.board, (struct mx_unit_ref){0, 0}),
			 1);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_RESIDENT);
	done(&fx, second, take(&fx, second));
	done(&fx, second, take(&fx, second));
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_RESIDENT);
	done(&fx, second, take(&fx, second));
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_ABSENT);
	finish(&fx);
}

static void pins_count_only_for_policies_that_pin(void **state)
{
	struct fixture fx;
	int pins;

	(void)state;
	for (pins = 0; pins < 2; pins++) {
		struct mx_board_job *job;

		init(&fx);
		fx.policy.traits =
			MX_POLICY_DROPS | (pins ? MX_POLICY_PINS : 0u);
		add_net(&fx.nets);
		add_layers(&fx.nets, 0, 5, 2);
		fx.nets.of[0].pinned[0] = 1;
		fx.nets.nets[0].pinned = fx.nets.of[0].pinned;
		begin(&fx, 9);
		job = arrive(&fx, 0, 0);
		prepare(&fx, job);
		read_unit(&fx, 0, 0);
		done(&fx, job, take(&fx, job));
		assert_int_equal(state_of(&fx, 0, 0),
				 pins ? MX_UNIT_RESIDENT : MX_UNIT_ABSENT);
		finish(&fx);
	}
}

static void without_a_limit_all_stays(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	init(&fx);
	fx.policy.traits = MX_POLICY_DROPS;
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 5, 1);
	begin(&fx, UINT64_MAX);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	read_unit(&fx, 0, 0);
	done(&fx, job, take(&fx, job));
	assert_int_equal(job->state, MX_JOB_FINISHED);
	assert_int_equal(state_of(&fx, 0, 0), MX_UNIT_RESIDENT);
	finish(&fx);
}

static void units_can_be_there_from_the_beginning(void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	begin_chain(&fx, 1);
	assert_int_equal(mx_board_preload(fx.board, (struct mx_unit_ref){0, 0}),
			 0);
	assert_int_equal(fx.event_count, 2);
	job = arrive(&fx, 0, 0);
	prepare(&fx, job);
	expect_no_load(&fx);
	take(&fx, job);
	finish(&fx);
}

/* ---- lists ---- */

static void waiting_jobs_are_in_the_order_of_arrival(void **state)
{
	/* The order in which held jobs are let go. */
	static const uint32_t orders[][5] = {
		{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3},
		{1, 3, 2, 0, 4}, {3, 4, 0, 2, 1}, {0, 4, 2, 3, 1},
	};
	struct fixture fx;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct mx_board_job *jobs[5];

		init(&fx);
		add_net(&fx.nets);
		add_layers(&fx.nets, 0, 5, 1);
		begin(&fx, 9);
		for (k = 0; k < 5; k++)
			jobs[k] = arrive(&fx, 0, 1);
		assert_null(mx_board_waiting(fx.board, 0));
		for (k = 0; k < 5; k++) {
			mx_board_release(fx.board, jobs[orders[i][k]], 0);
			mx_board_assert_ok(fx.board);
		}
		assert_int_equal(mx_board_waiting_count(fx.board, 0), 5);
		assert_ptr_equal(mx_board_waiting(fx.board, 0), jobs[0]);
		finish(&fx);
	}
}

static void the_policy_is_asked_again_only_when_something_has_changed(
	void **state)
{
	struct fixture fx;
	struct mx_board_job *job;

	(void)state;
	begin_chain(&fx, 1);
	expect_work(&fx, MX_WORK_NONE, NULL);
	expect_work(&fx, MX_WORK_NONE, NULL);
	assert_int_equal(fx.help_calls, 1);
	expect_no_load(&fx);
	expect_no_load(&fx);
	assert_int_equal(fx.load_calls, 1);
	job = arrive(&fx, 0, 0);
	expect_work(&fx, MX_WORK_PREPARE, job);
	expect_load(&fx, 0, 0);
	expect_work(&fx, MX_WORK_NONE, NULL);
	expect_work(&fx, MX_WORK_NONE, NULL);
	assert_int_equal(fx.help_calls, 3);
	mx_board_prepared(fx.board, job, 0);
	expect_work(&fx, MX_WORK_NONE, NULL);
	assert_int_equal(fx.help_calls, 4);
	finish(&fx);
}

/* ---- what does not fit, and what always does ---- */

static void memory_that_does_not_hold_a_job_and_a_unit_is_refused(void **state)
{
	struct fixture fx;
	struct mx_err err = {""};

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5, 1, 3, 1);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 5, 1, 1, 4);
	assert_int_equal(try_begin(&fx, 6, &err), -EDQUOT);
	assert_string_equal(err.text,
			    "b: 0.0 MiB do not hold its activations (0.0 MiB) "
			    "and the largest slice");
	assert_int_equal(try_begin(&fx, 2, &err), -EDQUOT);
	begin(&fx, 7);
	finish(&fx);
}

static void no_memory_is_an_error(void **state)
{
	struct fixture fx;
	const struct mx_board_arrival arrival = {.net = 0};
	long n;
	int rc;

	(void)state;
	init(&fx);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 5, 2);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = try_begin(&fx, 9, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 4);
	faults_arm(0);
	assert_null(mx_board_arrive(fx.board, &arrival, 0));
	assert_true(faults_disarm());
	assert_int_equal(fx.event_count, 0);
	arrive(&fx, 0, 0);
	finish(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_goes_its_way_and_every_event_is_told),
		cmocka_unit_test(
			a_layer_begins_when_all_steps_of_the_one_before_are_done),
		cmocka_unit_test(
			several_can_help_a_step_until_nothing_of_it_is_left),
		cmocka_unit_test(
			a_step_with_nothing_left_lets_the_next_be_read),
		cmocka_unit_test(a_job_can_be_kept_to_one_step_at_once),
		cmocka_unit_test(an_admission_comes_before_all_uses),
		cmocka_unit_test(an_arena_shrinks_as_its_job_goes_on),
		cmocka_unit_test(what_an_arena_leaves_admits_the_next_job),
		cmocka_unit_test(a_unit_is_held_while_it_is_computed_on),
		cmocka_unit_test(
			an_arena_that_a_held_unit_blocks_lets_another_go_first),
		cmocka_unit_test(
			consumed_units_are_dropped_once_nobody_needs_them),
		cmocka_unit_test(pins_count_only_for_policies_that_pin),
		cmocka_unit_test(without_a_limit_all_stays),
		cmocka_unit_test(units_can_be_there_from_the_beginning),
		cmocka_unit_test(waiting_jobs_are_in_the_order_of_arrival),
		cmocka_unit_test(
			the_policy_is_asked_again_only_when_something_has_changed),
		cmocka_unit_test(
			memory_that_does_not_hold_a_job_and_a_unit_is_refused),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
