/* wrap: calloc */
#include "sched/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/script.h"
#include "sched/simulate.h"
#include "tests/board_fixture.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

/* Plays arrivals, and notes what is read and dropped: "+a0 -a0". */
struct fixture {
	struct board_fixture nets;
	struct mx_script script;
	struct mx_simulate_opts opts;
	struct mx_simulation out;
	char units[1024];
	uint32_t running;
	uint32_t most_running;
	uint64_t last_admitted;
};

static void observe(void *user, const struct mx_board_event *event)
{
	struct fixture *fx = user;
	const size_t at = strlen(fx->units);

	switch (event->kind) {
	case MX_EVENT_LOAD:
	case MX_EVENT_DROPPED:
		(void)snprintf(fx->units + at, sizeof(fx->units) - at,
			       "%s%c%c%u", at ? " " : "",
			       event->kind == MX_EVENT_LOAD ? '+' : '-',
			       (char)('a' + event->unit.net), event->unit.unit);
		break;
	case MX_EVENT_ADMITTED:
		assert_true(event->job->id >= fx->last_admitted);
		fx->last_admitted = event->job->id;
		if (++fx->running > fx->most_running)
			fx->most_running = fx->running;
		break;
	case MX_EVENT_ENDED:
		fx->running--;
		break;
	default:
		break;
	}
}

static void init(struct fixture *fx, uint64_t pages)
{
	memset(fx, 0, sizeof(*fx));
	fx->opts.board.policy = mx_policy_find("fifo");
	fx->opts.board.memory_bytes = pages * PAGE;
	fx->opts.board.nets = fx->nets.nets;
	fx->opts.board.observer = observe;
	fx->opts.board.observer_user = fx;
	fx->opts.script = &fx->script;
	fx->opts.depth = 1;
}

/* A job of each network in @nets, "ab". */
static void arrive(struct fixture *fx, enum mx_arrival_kind kind,
		   const char *nets)
{
	struct mx_script_arrival *arrival =
		mx_script_add(&fx->script, (uint32_t)strlen(nets));
	uint32_t i;

	assert_non_null(arrival);
	arrival->kind = kind;
	for (i = 0; i < arrival->job_count; i++)
		arrival->jobs[i].net = (uint32_t)(nets[i] - 'a');
}

static void run(struct fixture *fx)
{
	struct mx_err err = {""};

	fx->opts.board.net_count = fx->nets.net_count;
	fx->last_admitted = 0;
	if (mx_simulate(&fx->out, &fx->opts, &err))
		fail_msg("%s", err.text);
}

static void finish(struct fixture *fx)
{
	mx_simulation_fini(&fx->out);
	mx_script_fini(&fx->script);
}

static void expect(const struct fixture *fx, uint32_t job, uint64_t start,
		   uint64_t finish_ns)
{
	assert_int_equal(fx->out.jobs[job].start_ns, start);
	assert_int_equal(fx->out.jobs[job].finish_ns, finish_ns);
}

static void the_oldest_job_that_is_ready_computes(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 40);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 1500, 0, 0, 1);
	add_layer(&fx.nets, 0, 10, 1, 1, 1);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 2500, 0, 0, 1);
	add_layer(&fx.nets, 1, 3, 0, 0, 1);
	arrive(&fx, MX_ARRIVAL_AT, "ab");
	run(&fx);
	/* a's unit comes while its first layer computes: it goes on. */
	expect(&fx, 0, 0, 1510);
	expect(&fx, 1, 1510, 1510 + 2503);
	finish(&fx);

	/* Now it comes too late, and b fills the stall. */
	fx.nets.nets[0].latency_ns = 600;
	arrive(&fx, MX_ARRIVAL_AT, "ab");
	run(&fx);
	expect(&fx, 0, 0, 1500 + 2500 + 10);
	expect(&fx, 1, 1500, 1500 + 2500 + 10 + 3);
	finish(&fx);
}

static void the_job_least_ahead_reads_next(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 60);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 100000, 3);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 100000, 1, 2, 1);
	add_layer(&fx.nets, 1, 100000, 2, 1, 1);
	arrive(&fx, MX_ARRIVAL_AT, "ab");
	run(&fx);
	/* Bytes ahead: 0 0, 1 0, 1 2, 2 2 (a is older). */
	assert_string_equal(fx.units, "+a0 +b0 +a1 +a2 +b1 +b2");
	finish(&fx);
}

static void what_is_needed_last_goes_first(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 4); /* an arena and three units */
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 4);
	add_net(&fx.nets);
	add_layers(&fx.nets, 1, 10, 2);
	arrive(&fx, MX_ARRIVAL_AT, "a");
	arrive(&fx, MX_ARRIVAL_IDLE, "a");
	arrive(&fx, MX_ARRIVAL_IDLE, "b");
	run(&fx);
	/* a2 is being computed when a3 is read, so of a0 and a1 that goes which
	 * comes later when a runs again; it does, and needs a3 last; then a1 is
	 * being computed. */
	assert_string_equal(fx.units, "+a0 +a1 +a2 -a1 +a3 -a3 +a1 -a0 +a3 "
				      "-a3 +b0 -a2 +b1");
	finish(&fx);
}

static void units_that_a_waiting_job_will_need_are_kept(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 4);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 2);
	add_net(&fx.nets);
	add_layers(&fx.nets, 1, 10, 3);
	/* There is no room for two at once, and the third is a's again. While
	 * b0 is being computed a1 has to go; but not a0. */
	arrive(&fx, MX_ARRIVAL_AT, "aba");
	run(&fx);
	assert_int_equal(fx.most_running, 1);
	assert_string_equal(fx.units, "+a0 +a1 +b0 -a1 +b1 -b0 +b2 -b2 +a1");
	finish(&fx);
}

static void what_a_later_job_drove_out_is_read_again(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 10); /* two arenas and eight units */
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 100000, 0, 0, 1);
	add_layers(&fx.nets, 0, 10, 8);
	add_net(&fx.nets);
	add_layers(&fx.nets, 1, 10, 2);
	arrive(&fx, MX_ARRIVAL_AT, "a");
	arrive(&fx, MX_ARRIVAL_AT, "b");
	fx.script.arrivals[1].time_ns = 50000;
	run(&fx);
	assert_string_equal(fx.units, "+a0 +a1 +a2 +a3 +a4 +a5 +a6 +a7 -a7 +b0 "
				      "-a6 +a7 -a5 +b1");
	finish(&fx);
}

static void jobs_are_admitted_while_there_is_room_to_read_ahead(void **state)
{
	uint64_t pages;

	(void)state;
	for (pages = 11; pages < 13; pages++) {
		struct fixture fx;

		init(&fx, pages);
		add_net(&fx.nets);
		add_layer(&fx.nets, 0, 3000, 1, 1, 2);
		arrive(&fx, MX_ARRIVAL_AT, "aa");
		run(&fx);
		/* Two arenas, and eight units. */
		assert_int_equal(fx.most_running, pages < 12 ? 1 : 2);
		finish(&fx);
	}
}

static void a_large_job_is_not_overtaken(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 12);
	add_net(&fx.nets);
	add_layer(&fx.nets, 0, 3000, 0, 0, 3);
	add_net(&fx.nets);
	add_layer(&fx.nets, 1, 100, 0, 0, 10);
	arrive(&fx, MX_ARRIVAL_AT, "abaa");
	run(&fx);
	expect(&fx, 1, 3000, 3100);
	expect(&fx, 2, 3100, 6100);
	assert_int_equal(fx.most_running, 2); /* the last two */
	finish(&fx);
}

static void so_many_jobs_run_at_once_and_no_more(void **state)
{
	struct fixture fx;
	uint32_t i;

	(void)state;
	init(&fx, 400);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 10, 2);
	for (i = 0; i < 10; i++)
		arrive(&fx, MX_ARRIVAL_AT, "aaa");
	run(&fx);
	assert_int_equal(fx.most_running, 16);
	/* They share what is read. */
	assert_string_equal(fx.units, "+a0 +a1");
	finish(&fx);
}

static void pinned_units_are_read_once(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 4); /* an arena, two pinned units and one more */
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 100, 4);
	fx.nets.of[0].pinned[0] = 1;
	fx.nets.of[0].pinned[2] = 1;
	fx.nets.nets[0].pinned = fx.nets.of[0].pinned;
	arrive(&fx, MX_ARRIVAL_AT, "a");
	arrive(&fx, MX_ARRIVAL_IDLE, "a");
	run(&fx);
	/* 0 and 1 come at 1000 and 2000; 2 has its place and comes at 3000, 3
	 * follows it. */
	expect(&fx, 0, 1000, 4100);
	assert_string_equal(fx.units, "+a0 +a1 +a2 -a1 +a3 -a3 +a1 -a1 +a3");
	expect(&fx, 1, 4100, 4100 + 2200);
	finish(&fx);
}

static void no_memory_is_an_error(void **state)
{
	struct fixture fx;
	struct mx_board *board;
	long n;
	int rc;

	(void)state;
	init(&fx, 4);
	add_net(&fx.nets);
	add_layers(&fx.nets, 0, 100, 1);
	fx.opts.board.net_count = 1;
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_board_new(&board, &fx.opts.board, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 8);
	mx_board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_job_that_is_ready_computes),
		cmocka_unit_test(the_job_least_ahead_reads_next),
		cmocka_unit_test(what_is_needed_last_goes_first),
		cmocka_unit_test(what_a_later_job_drove_out_is_read_again),
		cmocka_unit_test(units_that_a_waiting_job_will_need_are_kept),
		cmocka_unit_test(
			jobs_are_admitted_while_there_is_room_to_read_ahead),
		cmocka_unit_test(a_large_job_is_not_overtaken),
		cmocka_unit_test(so_many_jobs_run_at_once_and_no_more),
		cmocka_unit_test(pinned_units_are_read_once),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
