/* wrap: calloc malloc reallocarray */
#include "sched/simulate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/policy.h"
#include "sched/script.h"
#include "tests/board_fixture.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(void *, malloc, (size_t bytes), (bytes), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *old, size_t count, size_t each),
      (old, count, each), ENOMEM, NULL)

/* Reading a page takes 1000 ns. */
struct fixture {
	struct board_fixture nets;
	struct mx_script script;
	struct mx_simulate_opts opts;
	struct mx_simulation out;
};

static void init(struct fixture *fx, uint64_t pages)
{
	memset(fx, 0, sizeof(*fx));
	fx->opts.board.policy = &mx_policy_fifo;
	fx->opts.board.memory_bytes = pages * PAGE;
	fx->opts.board.nets = fx->nets.nets;
	fx->opts.script = &fx->script;
}

/* An arrival of the networks @first .. @first + @count. */
static struct mx_script_arrival *arrive(struct fixture *fx,
					enum mx_arrival_kind kind,
					uint64_t time_ns, uint32_t first,
					uint32_t count)
{
	struct mx_script_arrival *arrival = mx_script_add(&fx->script, count);
	uint32_t i;

	assert_non_null(arrival);
	arrival->kind = kind;
	arrival->time_ns = time_ns;
	for (i = 0; i < count; i++)
		arrival->jobs[i].net = first + i;
	return arrival;
}

static int try_run(struct fixture *fx, struct mx_err *err)
{
	fx->opts.board.net_count = fx->nets.net_count;
	return mx_simulate(&fx->out, &fx->opts, err);
}

static void run(struct fixture *fx)
{
	struct mx_err err = {""};

	if (try_run(fx, &err))
		fail_msg("%s", err.text);
}

static void finish(struct fixture *fx)
{
	mx_simulation_fini(&fx->out);
	mx_script_fini(&fx->script);
}

static void expect(const struct fixture *fx, uint32_t job, uint64_t start,
		   uint64_t finish_ns, uint64_t compute, uint64_t stall)
{
	assert_int_equal(fx->out.jobs[job].state, MX_JOB_FINISHED);
	assert_int_equal(fx->out.jobs[job].start_ns, start);
	assert_int_equal(fx->out.jobs[job].finish_ns, finish_ns);
	assert_int_equal(fx->out.jobs[job].compute_ns, compute);
	assert_int_equal(fx->out.jobs[job].stall_ns, stall);
}

static void reading_bound_jobs_end_one_step_after_the_last_read(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 500, 4);
	arrive(&fx, MX_ARRIVAL_AT, 100, 0, 1);
	run(&fx);
	assert_int_equal(fx.out.job_count, 1);
	assert_int_equal(fx.out.jobs[0].arrival_ns, 100);
	expect(&fx, 0, 1100, 4600, 2000, 2500);
	assert_int_equal(fx.out.makespan_ns, 4600);
	assert_int_equal(fx.out.read_bytes, 4 * PAGE);
	assert_int_equal(fx.out.read_ns, 4000);
	assert_int_equal(fx.out.compute_ns, 2000);
	assert_int_equal(fx.out.peak_bytes, 5 * PAGE);
	/* arrived, admitted, prepared; for each layer load, loaded, taken,
	 * done, layer done; ended. */
	assert_int_equal(fx.out.event_count, 3 + 4 * 5 + 1);
	finish(&fx);
}

/* A job of four layers ends at 4600, were there time; the second has come but
 * waits, the third has not come. */
static void when_time_is_over_what_is_left_is_cancelled(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	fx.opts.board.jobs_at_once = 1;
	fx.opts.until_ns = 3300;
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 500, 4);
	arrive(&fx, MX_ARRIVAL_AT, 100, 0, 1);
	arrive(&fx, MX_ARRIVAL_AT, 3000, 0, 1);
	arrive(&fx, MX_ARRIVAL_AT, 9000, 0, 1);
	run(&fx);
	assert_int_equal(fx.out.is_cut, 1);
	assert_int_equal(fx.out.jobs[0].state, MX_JOB_CANCELLED);
	/* A step is done to its end. */
	assert_int_equal(fx.out.jobs[0].compute_ns, 1500);
	assert_int_equal(fx.out.jobs[0].finish_ns, 3600);
	assert_int_equal(fx.out.jobs[1].state, MX_JOB_CANCELLED);
	assert_int_equal(fx.out.jobs[1].finish_ns, 3300);
	assert_int_equal(fx.out.jobs[2].state, MX_JOB_HELD);
	assert_int_equal(fx.out.makespan_ns, 3600);
	finish(&fx);
}

static void time_that_is_enough_cuts_nothing(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	fx.opts.until_ns = 4600;
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 500, 4);
	arrive(&fx, MX_ARRIVAL_AT, 100, 0, 1);
	run(&fx);
	assert_int_equal(fx.out.is_cut, 0);
	expect(&fx, 0, 1100, 4600, 2000, 2500);
	finish(&fx);
}

static void computing_bound_jobs_wait_for_their_first_unit_only(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 3000, 3);
	add_layer(&fx.nets, 0, 70, 0, 0, 1);
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 1);
	run(&fx);
	expect(&fx, 0, 1000, 10070, 9070, 1000);
	finish(&fx);
}

static void latencies_of_reads_in_flight_overlap(void **state)
{
	struct fixture fx;
	uint32_t depth;

	(void)state;
	for (depth = 1; depth < 3; depth++) {
		init(&fx, 20);
		add_net(&fx.nets);
		add_layers(&fx.nets, 0, 10, 3);
		fx.nets.nets[0].latency_ns = 300;
		fx.opts.depth = depth;
		arrive(&fx, MX_ARRIVAL_AT, 0, 0, 1);
		run(&fx);
		assert_int_equal(fx.out.makespan_ns,
				 depth == 1 ? 3 * 1300 + 10
					    : 300 + 3 * 1000 + 10);
		finish(&fx);
	}
}

static void small_memory_reads_when_a_unit_was_computed(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 3); /* an arena and two units */
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 5000, 1, 1, 1);
	add_layers(&fx.nets, 0, 100, 3);
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 1);
	run(&fx);
	/* Units 0 and 1 come at 1000 and 2000; 0 goes at 6000, so 2 comes at
	 * 7000; 1 goes at 6100, so 3 comes at 8000. */
	expect(&fx, 0, 1000, 8100, 5300, 1000 + 900 + 900);
	assert_int_equal(fx.out.peak_bytes, 3 * PAGE);
	finish(&fx);
}

static void a_processor_for_each_of_several_jobs(void **state)
{
	struct fixture fx;
	uint32_t processors;

	(void)state;
	for (processors = 1; processors < 4; processors++) {
		init(&fx, 20);
		add_net(&fx.nets);
		add_layer(&fx.nets, 0, 500, 0, 0, 1);
		add_layer(&fx.nets, 0, 500, 0, 0, 1);
		add_net(&fx.nets);
		add_layer(&fx.nets, 1, 700, 0, 0, 1);
		fx.opts.processors = processors;
		arrive(&fx, MX_ARRIVAL_AT, 0, 0, 2);
		run(&fx);
		/* A third has nothing to do: a job has one step at a time. */
		expect(&fx, 0, 0, 1000, 1000, 0);
		if (processors == 1)
			expect(&fx, 1, 1000, 1700, 700, 0);
		else
			expect(&fx, 1, 0, 700, 700, 0);
		finish(&fx);
	}
}

static void a_job_stalls_only_while_a_processor_is_free(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets); /* its unit comes at 2000 */
	add_layer(&fx.nets, 0, 10, 1, 2, 1);
	add_net(&fx.nets); /* computes from 0 to 1500 */
	add_layer(&fx.nets, 1, 1500, 0, 0, 1);
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 2);
	run(&fx);
	expect(&fx, 1, 0, 1500, 1500, 0);
	expect(&fx, 0, 2000, 2010, 10, 500);
	finish(&fx);
}

static void arrivals_come_in_time_or_when_idle(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 500, 0, 0, 1);
	arrive(&fx, MX_ARRIVAL_AT, 100, 0, 1);
	arrive(&fx, MX_ARRIVAL_GAP, 200, 0, 1);
	arrive(&fx, MX_ARRIVAL_IDLE, 50, 0, 1);
	run(&fx);
	expect(&fx, 0, 100, 600, 500, 0);
	assert_int_equal(fx.out.jobs[1].arrival_ns, 300);
	assert_int_equal(fx.out.jobs[1].arrival, 1);
	expect(&fx, 1, 600, 1100, 500, 0);
	assert_int_equal(fx.out.jobs[2].arrival_ns, 1150);
	expect(&fx, 2, 1150, 1650, 500, 0);
	assert_int_equal(fx.out.makespan_ns, 1650);
	finish(&fx);
}

static void relations_hold_release_and_cancel(void **state)
{
	struct fixture fx;
	struct mx_script_arrival *arrival;
	uint32_t i;

	(void)state;
	init(&fx, 20);
	for (i = 0; i < 4; i++) {
		add_net(&fx.nets);
		add_layer(&fx.nets, i, 100, 0, 0, 1);
		add_layer(&fx.nets, i, 100, 0, 0, 1);
	}
	arrival = arrive(&fx, MX_ARRIVAL_AT, 0, 0, 4);
	for (i = 1; i < 4; i++) {
		struct mx_relation *relation = calloc(1, sizeof(*relation));

		assert_non_null(relation);
		*relation = (struct mx_relation){
			.after = 0,
			.mode = i == 3 ? MX_RELATION_OPPORTUNISTIC
				       : MX_RELATION_WAIT,
			.skip = i != 1,
		};
		arrival->jobs[i].relations = relation;
		arrival->jobs[i].relation_count = 1;
	}
	fx.opts.processors = 2;
	run(&fx);
	expect(&fx, 0, 0, 200, 200, 0);
	expect(&fx, 1, 200, 400, 200, 0);
	assert_int_equal(fx.out.jobs[2].state, MX_JOB_CANCELLED);
	assert_int_equal(fx.out.jobs[2].finish_ns, 200);
	assert_int_equal(fx.out.jobs[2].compute_ns, 0);
	/* It was done just then, or is cancelled in its last step. */
	assert_int_equal(fx.out.jobs[3].finish_ns, 200);
	finish(&fx);
}

static void a_job_cancelled_midway_ends_with_its_step(void **state)
{
	struct fixture fx;
	struct mx_script_arrival *arrival;
	struct mx_relation *relation;

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 150, 0, 0, 1);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 100, 0, 0, 1);
	add_layer(&fx.nets, 1, 100, 0, 0, 1);
	add_layer(&fx.nets, 1, 100, 0, 0, 1);
	arrival = arrive(&fx, MX_ARRIVAL_AT, 0, 0, 2);
	relation = calloc(1, sizeof(*relation));
	assert_non_null(relation);
	*relation = (struct mx_relation){0, MX_RELATION_OPPORTUNISTIC, 1};
	arrival->jobs[1].relations = relation;
	arrival->jobs[1].relation_count = 1;
	fx.opts.processors = 2;
	run(&fx);
	assert_int_equal(fx.out.jobs[1].state, MX_JOB_CANCELLED);
	assert_int_equal(fx.out.jobs[1].finish_ns, 200);
	assert_int_equal(fx.out.jobs[1].compute_ns, 200);
	assert_int_equal(fx.out.makespan_ns, 200);
	finish(&fx);
}

static void what_is_there_from_the_beginning_is_not_read(void **state)
{
	static const unsigned char there[] = {1, 0, 1};
	static const unsigned char *const resident[] = {there, NULL};
	struct fixture fx;

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 3);
	add_net(&fx.nets);
	add_layers(&fx.nets, 1, 10, 1);
	fx.opts.resident = resident;
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 1);
	run(&fx);
	expect(&fx, 0, 0, 1020, 30, 990);
	assert_int_equal(fx.out.read_bytes, PAGE);
	finish(&fx);
}

struct tally {
	uint64_t events;
	uint64_t last_ns;
};

static void count(void *user, const struct mx_board_event *event)
{
	struct tally *tally = user;

	assert_true(event->now_ns >= tally->last_ns);
	tally->last_ns = event->now_ns;
	tally->events++;
}

static void equal_input_gives_equal_output(void **state)
{
	struct fixture fx;
	struct mx_simulation first;
	struct tally tally = {0};
	uint32_t i;

	(void)state;
	init(&fx, 9);
	for (i = 0; i < 3; i++) {
		add_net(&fx.nets);
		add_layer(&fx.nets, i, 300 + 200 * i, 2, 2, 2);
		add_layer(&fx.nets, i, 400, 1, 1, 1);
	}
	for (i = 0; i < 20; i++)
		arrive(&fx, MX_ARRIVAL_GAP, 700, i % 2, 2);
	run(&fx);
	first = fx.out;
	fx.opts.board.observer = count;
	fx.opts.board.observer_user = &tally;
	run(&fx);
	assert_int_equal(tally.events, fx.out.event_count);
	assert_int_equal(fx.out.job_count, 40);
	for (i = 0; i < 40; i++)
		assert_int_equal(first.jobs[i].finish_ns,
				 fx.out.jobs[i].finish_ns);
	assert_int_equal(first.makespan_ns, fx.out.makespan_ns);
	assert_int_equal(first.event_count, fx.out.event_count);
	assert_true(fx.out.peak_bytes <= 9 * PAGE);
	mx_simulation_fini(&first);
	finish(&fx);
}

static struct mx_board_job *help_nobody(void *state,
					const struct mx_board *board)
{
	(void)state;
	(void)board;
	return NULL;
}

static int load_nothing(void *state, const struct mx_board *board,
			struct mx_unit_ref *out, uint64_t *use)
{
	(void)state;
	(void)board;
	(void)out;
	(void)use;
	return 0;
}

static void a_policy_that_gets_stuck_is_reported(void **state)
{
	static const struct mx_policy idle = {
		.name = "idle",
		.next_help = help_nobody,
		.next_load = load_nothing,
	};
	struct fixture fx;
	struct mx_err err = {""};

	(void)state;
	init(&fx, 20);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 1);
	fx.opts.board.policy = &idle;
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 0);
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 1);
	assert_int_equal(try_run(&fx, &err), -EDEADLK);
	assert_string_equal(err.text, "arrival 1: a: the policy idle does not "
				      "finish it");
	assert_null(fx.out.jobs);
	finish(&fx);
}

static void what_cannot_be_played_is_refused(void **state)
{
	struct fixture fx;
	struct mx_err err = {""};

	(void)state;
	init(&fx, 1);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 1);
	arrive(&fx, MX_ARRIVAL_AT, 5, 0, 1);
	assert_int_equal(try_run(&fx, &err), -EDQUOT);
	fx.opts.board.memory_bytes = 2 * PAGE;
	fx.script.arrivals[0].jobs[0].net = 1;
	assert_int_equal(try_run(&fx, &err), -EINVAL);
	assert_string_equal(err.text, "arrival 0: there is no network 1");
	fx.script.arrivals[0].jobs[0].net = 0;
	arrive(&fx, MX_ARRIVAL_AT, 4, 0, 1);
	assert_int_equal(try_run(&fx, &err), -EINVAL);
	assert_string_equal(err.text,
			    "arrival 1 comes before the one before it");
	finish(&fx);
}

static void an_empty_script_takes_no_time(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	run(&fx);
	assert_int_equal(fx.out.makespan_ns, 0);
	assert_int_equal(fx.out.job_count, 0);
	finish(&fx);
}

static void no_memory_is_an_error(void **state)
{
	struct fixture fx;
	long n;
	int rc;

	(void)state;
	init(&fx, 5);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 2);
	arrive(&fx, MX_ARRIVAL_AT, 0, 0, 1);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = try_run(&fx, NULL);
		if (!faults_disarm())
			break;
		/* The job's arena may be put off by one, and stay so. */
		assert_true(rc == -ENOMEM || rc == -EDEADLK);
		assert_null(fx.out.jobs);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 10);
	finish(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reading_bound_jobs_end_one_step_after_the_last_read),
		cmocka_unit_test(when_time_is_over_what_is_left_is_cancelled),
		cmocka_unit_test(time_that_is_enough_cuts_nothing),
		cmocka_unit_test(
			computing_bound_jobs_wait_for_their_first_unit_only),
		cmocka_unit_test(latencies_of_reads_in_flight_overlap),
		cmocka_unit_test(small_memory_reads_when_a_unit_was_computed),
		cmocka_unit_test(a_processor_for_each_of_several_jobs),
		cmocka_unit_test(a_job_stalls_only_while_a_processor_is_free),
		cmocka_unit_test(arrivals_come_in_time_or_when_idle),
		cmocka_unit_test(relations_hold_release_and_cancel),
		cmocka_unit_test(a_job_cancelled_midway_ends_with_its_step),
		cmocka_unit_test(what_is_there_from_the_beginning_is_not_read),
		cmocka_unit_test(equal_input_gives_equal_output),
		cmocka_unit_test(a_policy_that_gets_stuck_is_reported),
		cmocka_unit_test(what_cannot_be_played_is_refused),
		cmocka_unit_test(an_empty_script_takes_no_time),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
