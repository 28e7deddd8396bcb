/* wrap: calloc */
#include "sched/policy.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/foresight_order.h"
#include "sched/script.h"
#include "sched/simulate.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

#define MIB ((uint64_t)1 << 20)
#define MS ((uint64_t)1000000)

enum { NETS = 4, UNITS_MAX = 64 };

/* Networks whose layers are one step of one unit each. */
struct fixture {
	struct mx_board_net nets[NETS];
	struct mx_board_unit units[NETS][UNITS_MAX];
	struct mx_board_step steps[NETS][UNITS_MAX];
	struct mx_board_layer layers[NETS][UNITS_MAX];
	struct mx_script script;
	struct mx_simulate_opts opts;
	struct mx_simulation out;
};

static void set_net(struct fixture *fx, uint32_t n, uint32_t units,
		    uint64_t read_ns, uint64_t ns, uint64_t arena_bytes)
{
	static const char *const names[NETS] = {"a", "b", "c", "d"};
	struct mx_board_net *net = &fx->nets[n];
	uint32_t i;

	assert_true(units <= UNITS_MAX);
	*net = (struct mx_board_net){
		.name = names[n],
		.units = fx->units[n],
		.unit_count = units,
		.steps = fx->steps[n],
		.step_count = units,
		.layers = fx->layers[n],
		.layer_count = units,
		.compute_ns = units * ns,
		.read_ns = units * read_ns,
		.weight_bytes = units * MIB,
		.arena_bytes = arena_bytes,
	};
	for (i = 0; i < units; i++) {
		net->units[i] = (struct mx_board_unit){MIB, read_ns};
		net->steps[i] = (struct mx_board_step){
			.ns = ns,
			.layer = i,
			.unit = i,
			.last_of_unit = 1,
		};
		net->layers[i] = (struct mx_board_layer){
			.first_step = i,
			.step_count = 1,
			.ns = ns,
			.read_ns = read_ns,
			.weight_bytes = MIB,
			.arena_bytes = arena_bytes,
		};
	}
	if (fx->opts.board.net_count <= n)
		fx->opts.board.net_count = n + 1;
}

static void arrive(struct fixture *fx, uint64_t at_ns, uint32_t net,
		   uint32_t count)
{
	struct mx_script_arrival *arrival;
	uint32_t i;

	arrival = mx_script_add(&fx->script, count);
	assert_non_null(arrival);
	arrival->kind = MX_ARRIVAL_AT;
	arrival->time_ns = at_ns;
	for (i = 0; i < count; i++)
		arrival->jobs[i].net = net;
}

static void simulate(struct fixture *fx, uint64_t memory_bytes)
{
	struct mx_err err = {""};

	fx->opts.board.memory_bytes = memory_bytes;
	mx_simulation_fini(&fx->out);
	assert_int_equal(mx_simulate(&fx->out, &fx->opts, &err), 0);
}

static uint64_t response_ns(const struct fixture *fx, uint32_t job)
{
	return fx->out.jobs[job].finish_ns - fx->out.jobs[job].arrival_ns;
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	assert_non_null(fx);
	fx->opts.board.policy = &mx_policy_foresight;
	fx->opts.board.nets = fx->nets;
	fx->opts.script = &fx->script;
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	mx_simulation_fini(&fx->out);
	mx_script_fini(&fx->script);
	free(fx);
	return 0;
}

static void one_read_serves_all_jobs_that_wait(void **state)
{
	struct fixture *fx = *state;

	set_net(fx, 0, 32, MS, MS / 10, MIB);
	arrive(fx, 0, 0, 5);
	simulate(fx, 16 * MIB);
	assert_int_equal(fx->out.read_bytes, 32 * MIB);
	/* All of them while it is read, not one after the other. */
	assert_true(fx->out.makespan_ns < 34 * MS);
}

static void a_job_that_comes_while_one_runs_is_not_held_up(void **state)
{
	struct fixture *fx = *state;

	set_net(fx, 0, 32, MS, MS / 10, MIB);
	arrive(fx, 0, 0, 1);
	arrive(fx, 16 * MS, 0, 1);
	simulate(fx, 64 * MIB);
	/* What the first has read is still there: nothing is read twice. */
	assert_int_equal(fx->out.read_bytes, 32 * MIB);
	assert_true(response_ns(fx, 1) < 18 * MS);
}

static void the_short_goes_before_the_long(void **state)
{
	struct fixture *fx = *state;

	set_net(fx, 0, 40, MS, MS / 10, MIB);
	set_net(fx, 1, 4, MS, MS / 10, MIB);
	arrive(fx, 0, 0, 1);
	arrive(fx, MS, 1, 1);
	simulate(fx, 24 * MIB);
	/* Its four reads, and those that were in flight. */
	assert_true(response_ns(fx, 1) <= 10 * MS);
	assert_int_equal(fx->out.read_bytes, 44 * MIB);
}

static void reading_and_computing_overlap_across_networks(void **state)
{
	struct fixture *fx = *state;

	/* One is all reading, the other, which is there, all computing. */
	static const unsigned char all[UNITS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1};
	static const unsigned char none[UNITS_MAX];
	const unsigned char *const there[] = {none, all};

	set_net(fx, 0, 20, 2 * MS, MS / 100, MIB);
	set_net(fx, 1, 8, MS, 5 * MS, MIB);
	arrive(fx, 0, 0, 1);
	arrive(fx, 0, 1, 1);
	fx->opts.resident = there;
	simulate(fx, 32 * MIB);
	assert_true(fx->out.makespan_ns < 42 * MS);
}

/* What is kept is what saves most: a cycle through more than the memory reads
 * no more than what does not fit, where LRU would read all of it. */
static void a_cycle_reads_what_does_not_fit_alone(void **state)
{
	struct fixture *fx = *state;
	uint32_t i;

	set_net(fx, 0, 40, MS, MS / 10, MIB);
	for (i = 0; i < 10; i++)
		arrive(fx, i * 100 * MS, 0, 1);
	simulate(fx, 30 * MIB);
	/* 30 less an arena, a ring of two units, and what flies. */
	assert_true(fx->out.read_bytes <= (40 + 9 * 16) * MIB);
	assert_true(fx->out.read_bytes >= (40 + 9 * 10) * MIB);
}

/* Activations that give way to late weights, and again to the next job's: what
 * is kept stays, though it has to move. */
static void an_arena_that_comes_back_costs_no_reads(void **state)
{
	struct fixture *fx = *state;
	struct mx_script_arrival *arrival;
	uint32_t i;

	set_net(fx, 0, 40, MS, MS / 10, 8 * MIB);
	for (i = 8; i < 40; i++)
		fx->layers[0][i].arena_bytes = MIB;
	for (i = 0; i < 10; i++) {
		arrival = mx_script_add(&fx->script, 1);
		assert_non_null(arrival);
		arrival->kind = MX_ARRIVAL_IDLE;
	}
	simulate(fx, 30 * MIB);
	/* 30 less 8 and two units stay. */
	assert_true(fx->out.read_bytes <= (40 + 9 * 21) * MIB);
}

static void short_networks_stay_rather_than_long_ones(void **state)
{
	struct fixture *fx = *state;
	uint32_t i;

	set_net(fx, 0, 40, MS, MS / 10, MIB);
	set_net(fx, 1, 10, MS, MS / 10, MIB);
	for (i = 0; i < 6; i++) {
		arrive(fx, i * 200 * MS, 0, 1);
		arrive(fx, i * 200 * MS + 100 * MS, 1, 1);
	}
	simulate(fx, 30 * MIB);
	/* From the second time on, the short one does not read. */
	for (i = 1; i < 6; i++)
		assert_true(response_ns(fx, 2 * i + 1) < 2 * MS);
}

/* The bound on waiting: small jobs that fill the storage for ever do not keep
 * a large one from it for longer than its ageing time and what came before. */
static void a_stream_of_small_jobs_does_not_starve_a_large_one(void **state)
{
	const uint64_t own = 16 * MS;
	const uint64_t bound = MX_FORESIGHT_AGEING * own;
	struct fixture *fx = *state;
	uint32_t i;

	/* Three small networks that do not fit together, so that each job
	 * reads: 2 ms of reading every 2 ms. */
	set_net(fx, 0, 16, MS, MS / 100, MIB);
	for (i = 1; i < NETS; i++)
		set_net(fx, i, 2, MS, MS / 100, MIB);
	arrive(fx, 0, 0, 1);
	for (i = 0; i < 2000; i++)
		arrive(fx, i * 2 * MS, 1 + i % 3, 1);
	simulate(fx, 7 * MIB);
	assert_true(response_ns(fx, 0) <= bound + 4 * own);
}

static void a_likely_job_is_read_for_before_it_is_released(void **state)
{
	struct fixture *fx = *state;
	struct mx_script_arrival *arrival;
	struct mx_relation *relation;

	set_net(fx, 0, 8, MS, 5 * MS, MIB);
	set_net(fx, 1, 8, MS, MS / 100, MIB);
	arrival = mx_script_add(&fx->script, 2);
	assert_non_null(arrival);
	arrival->kind = MX_ARRIVAL_AT;
	arrival->jobs[1].net = 1;
	relation = calloc(1, sizeof(*relation));
	assert_non_null(relation);
	arrival->jobs[1].relations = relation;
	arrival->jobs[1].relation_count = 1;
	simulate(fx, 32 * MIB);
	assert_int_equal(fx->out.read_bytes, 16 * MIB);
	assert_true(fx->out.makespan_ns >= 41 * MS);
}

static void jobs_that_do_not_fit_together_take_turns(void **state)
{
	struct fixture *fx = *state;
	uint32_t i;

	for (i = 0; i < NETS; i++)
		set_net(fx, i, 10, MS, MS, (5 + i) * MIB);
	for (i = 0; i < NETS; i++)
		arrive(fx, 0, i, 3);
	simulate(fx, 10 * MIB);
	assert_true(fx->out.peak_bytes <= 10 * MIB);
	for (i = 0; i < fx->out.job_count; i++)
		assert_int_equal(fx->out.jobs[i].state, MX_JOB_FINISHED);
}

/* More jobs than could ever be in memory, coming faster than they go: nobody
 * waits for somebody who waits for him. */
static void a_crowd_ends(void **state)
{
	const uint64_t gaps_ns[] = {0, MS, 30 * MS};
	struct fixture *fx = *state;
	uint32_t i, k, m;

	for (k = 0; k < 3; k++) {
		for (i = 0; i < NETS; i++)
			set_net(fx, i, 10 + 8 * i, MS, MS / 10,
				(NETS - i) * MIB);
		mx_script_fini(&fx->script);
		for (i = 0; i < 400; i++)
			arrive(fx, i / NETS * gaps_ns[k], i % NETS, 1 + i % 3);
		for (m = 6; m < 40; m += 3) {
			simulate(fx, m * MIB);
			for (i = 0; i < fx->out.job_count; i++)
				assert_int_equal(fx->out.jobs[i].state,
						 MX_JOB_FINISHED);
		}
	}
}

static void a_failed_allocation_is_told(void **state)
{
	struct fixture *fx = *state;
	struct mx_board *board = NULL;
	struct mx_err err = {""};
	int rc = -1;
	long n;

	set_net(fx, 0, 4, MS, MS, MIB);
	set_net(fx, 1, 4, MS, MS, MIB);
	fx->opts.board.memory_bytes = 16 * MIB;
	for (n = 0; n < 1000; n++) {
		faults_arm(n);
		rc = mx_board_new(&board, &fx->opts.board, &err);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(board);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 10);
	mx_board_free(board);
}

#define SIMULATED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIMULATED(one_read_serves_all_jobs_that_wait),
		SIMULATED(a_job_that_comes_while_one_runs_is_not_held_up),
		SIMULATED(the_short_goes_before_the_long),
		SIMULATED(reading_and_computing_overlap_across_networks),
		SIMULATED(a_cycle_reads_what_does_not_fit_alone),
		SIMULATED(an_arena_that_comes_back_costs_no_reads),
		SIMULATED(short_networks_stay_rather_than_long_ones),
		SIMULATED(a_stream_of_small_jobs_does_not_starve_a_large_one),
		SIMULATED(a_likely_job_is_read_for_before_it_is_released),
		SIMULATED(jobs_that_do_not_fit_together_take_turns),
		SIMULATED(a_crowd_ends),
		SIMULATED(a_failed_allocation_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
