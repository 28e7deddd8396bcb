/* wrap: calloc malloc */
#include "sched/trace.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "sched/policy.h"
#include "sched/script.h"
#include "sched/simulate.h"
#include "tests/engine_fixture.h"
#include "tests/faults.h"
#include "tests/picture_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, malloc, (size_t bytes), (bytes), ENOMEM, NULL)

/* As many as a block has: what the smallest trace keeps. */
#define BLOCK_RECORDS ((size_t)64 * 1024 / sizeof(struct mx_trace_record))

static struct mx_trace *trace_with(const struct mx_trace_opts *opts)
{
	struct mx_trace *trace = NULL;
	struct mx_err err = {""};

	if (mx_trace_new(&trace, opts, &err))
		fail_msg("%s", err.text);
	return trace;
}

/* Of the fixture's networks, as a simulation has them. */
static struct mx_trace *trace_boards(const struct picture_fixture *fx)
{
	const struct mx_trace_net nets[] = {
		{NULL, &fx->board_nets[0]},
		{NULL, &fx->board_nets[1]},
	};
	const struct mx_trace_opts opts = {.nets = nets, .net_count = 2};

	return trace_with(&opts);
}

static struct mx_trace *empty_trace(size_t bytes)
{
	const struct mx_trace_opts opts = {.size_bytes = bytes};

	return trace_with(&opts);
}

static void play(struct picture_fixture *fx, struct mx_trace *trace)
{
	struct mx_script script = {.arrivals = NULL};
	const struct mx_simulate_opts opts = {
		.board = {.policy = mx_policy_find("linear"),
			  .memory_bytes = fx->board.memory_bytes,
			  .nets = fx->board_nets,
			  .net_count = 2,
			  .observer = mx_trace_event,
			  .observer_user = trace},
		.script = &script,
	};
	struct mx_script_arrival *arrival = mx_script_add(&script, 2);
	struct mx_simulation simulation;

	assert_non_null(arrival);
	arrival->kind = MX_ARRIVAL_AT;
	arrival->jobs[0].net = 0;
	arrival->jobs[1].net = 1;
	assert_int_equal(mx_simulate(&simulation, &opts, NULL), 0);
	mx_simulation_fini(&simulation);
	mx_script_fini(&script);
}

static void assert_record(const struct mx_trace_record *is,
			  const struct mx_trace_record *want)
{
	assert_int_equal(is->kind, want->kind);
	assert_int_equal(is->begin_ns, want->begin_ns);
	assert_int_equal(is->end_ns, want->end_ns);
	assert_int_equal(is->number, want->number);
	assert_int_equal(is->net, want->net);
	assert_int_equal(is->layer, want->layer);
	assert_int_equal(is->index, want->index);
	assert_int_equal(is->status, want->status);
}

/* Begin, end, number, net, layer, index, kind, status; see the fixture for the
 * times. Reads are asked for together, and come one after the other. */
static void a_simulation_is_jobs_reads_and_steps(void **state)
{
	static const struct mx_trace_record want[] = {
		{0, 0, 0, 0, 0, 0, MX_TRACE_WAIT, 0},
		{0, 200, 2 * 4096, 0, 0, 0, MX_TRACE_READ, 0},
		{200, 300, 4096, 0, 0, 1, MX_TRACE_READ, 0},
		{300, 350, 0, 0, 0, 0, MX_TRACE_COMPUTE, 0},
		{350, 410, 0, 0, 0, 0, MX_TRACE_COMPUTE, 0},
		{410, 450, 0, 0, 1, 0, MX_TRACE_COMPUTE, 0},
		{0, 450, 0, 0, 0, 0, MX_TRACE_RUN, 0},
		{0, 450, 1, 1, 0, 0, MX_TRACE_WAIT, 0},
		{450, 750, 3 * 4096, 1, 0, 0, MX_TRACE_READ, 0},
		{750, 820, 1, 1, 0, 0, MX_TRACE_COMPUTE, 0},
		{450, 820, 1, 1, 0, 0, MX_TRACE_RUN, 0},
	};
	struct picture_fixture fx;
	const struct mx_trace_record *record;
	struct mx_trace *trace;
	size_t n = 0;
	uint64_t i;

	(void)state;
	picture_fixture_fill(&fx);
	trace = trace_boards(&fx);
	play(&fx, trace);
	assert_int_equal(mx_trace_dropped(trace), 0);
	for (i = 0; i < mx_trace_count(trace); i++) {
		record = mx_trace_at(trace, i);
		if (record->kind >= MX_TRACE_DROP)
			continue;
		assert_true(n < sizeof(want) / sizeof(want[0]));
		assert_record(record, &want[n++]);
	}
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	mx_trace_free(trace);
}

/* The last value of a counter up to @at_ns, and how often it was told. */
static uint64_t counter_at(const struct mx_trace *trace, uint64_t at_ns,
			   enum mx_trace_kind kind, size_t *told)
{
	const struct mx_trace_record *record;
	uint64_t value = 0, i;

	*told = 0;
	for (i = 0; i < mx_trace_count(trace); i++) {
		record = mx_trace_at(trace, i);
		if (record->kind == kind && record->begin_ns <= at_ns) {
			assert_int_equal(record->end_ns, record->begin_ns);
			assert_int_not_equal(record->number, value);
			value = record->number;
			++*told;
		}
	}
	return value;
}

static void memory_is_told_when_it_changes(void **state)
{
	struct picture_fixture fx;
	struct mx_trace *trace;
	size_t told;

	(void)state;
	picture_fixture_fill(&fx);
	trace = trace_boards(&fx);
	play(&fx, trace);
	assert_int_equal(counter_at(trace, 299, MX_TRACE_WEIGHTS, &told),
			 3 * PICTURE_PAGE);
	assert_int_equal(counter_at(trace, 299, MX_TRACE_ACTIVATIONS, &told),
			 2 * PICTURE_PAGE);
	assert_int_equal(told, 1);
	/* From the second layer on it needs less. */
	assert_int_equal(counter_at(trace, 411, MX_TRACE_ACTIVATIONS, &told),
			 PICTURE_PAGE);
	assert_int_equal(told, 2);
	assert_int_equal(counter_at(trace, 900, MX_TRACE_ACTIVATIONS, &told),
			 0);
	mx_trace_free(trace);
}

static void step_done(struct mx_trace *trace, uint64_t now_ns)
{
	struct mx_board_job job = {.net = 0, .id = 7};
	const struct mx_board_event event = {
		.kind = MX_EVENT_STEP_DONE,
		.job = &job,
		.now_ns = now_ns,
	};

	mx_trace_event(trace, &event);
}

/* The first step takes 50. */
static void steps_side_by_side_are_on_lanes_of_their_own(void **state)
{
	static const uint64_t done[] = {100, 120, 150, 170, 190};
	static const uint32_t lane[] = {0, 1, 0, 1, 2};
	struct picture_fixture fx;
	struct mx_trace *trace;
	size_t i;

	(void)state;
	picture_fixture_fill(&fx);
	trace = trace_boards(&fx);
	for (i = 0; i < sizeof(done) / sizeof(done[0]); i++) {
		step_done(trace, done[i]);
		assert_int_equal(mx_trace_at(trace, i)->index, lane[i]);
		assert_int_equal(mx_trace_at(trace, i)->begin_ns, done[i] - 50);
		assert_int_equal(mx_trace_at(trace, i)->number, 7);
	}
	mx_trace_free(trace);
}

static void unit_event(struct mx_trace *trace, enum mx_event_kind kind,
		       uint32_t unit, uint64_t now_ns, int status)
{
	const struct mx_board_event event = {
		.kind = kind,
		.now_ns = now_ns,
		.unit = {0, unit},
		.status = status,
	};

	mx_trace_event(trace, &event);
}

static void reads_in_flight_are_one_after_the_other(void **state)
{
	static const struct mx_trace_record want[] = {
		{30, 40, 4096, 0, 0, 1, MX_TRACE_READ, 0},
		{40, 45, 8192, 0, 0, 0, MX_TRACE_READ, -EIO},
		{50, 50, 8192, 0, 0, 0, MX_TRACE_DROP, 0},
		{60, 70, 8192, 0, 0, 0, MX_TRACE_READ, 0},
	};
	struct picture_fixture fx;
	struct mx_trace *trace;
	size_t i;

	(void)state;
	picture_fixture_fill(&fx);
	trace = trace_boards(&fx);
	unit_event(trace, MX_EVENT_LOAD, 0, 20, 0);
	unit_event(trace, MX_EVENT_LOAD, 1, 30, 0);
	unit_event(trace, MX_EVENT_LOADED, 1, 40, 0);
	unit_event(trace, MX_EVENT_LOADED, 0, 45, -EIO);
	unit_event(trace, MX_EVENT_DROPPED, 0, 50, 0);
	unit_event(trace, MX_EVENT_LOAD, 0, 60, 0);
	unit_event(trace, MX_EVENT_LOADED, 0, 70, 0);
	assert_int_equal(mx_trace_count(trace), 4);
	for (i = 0; i < 4; i++)
		assert_record(mx_trace_at(trace, i), &want[i]);
	mx_trace_free(trace);
}

static void a_job_that_was_never_admitted_has_only_waited(void **state)
{
	struct picture_fixture fx;
	struct mx_board_job job = {.id = 3, .net = 1, .arrival_ns = 10};
	const struct mx_board_event event = {
		.kind = MX_EVENT_ENDED,
		.job = &job,
		.now_ns = 90,
		.status = -ECANCELED,
	};
	const struct mx_trace_record want = {
		10, 90, 3, 1, 0, 0, MX_TRACE_WAIT, -ECANCELED};
	struct mx_trace *trace;

	(void)state;
	picture_fixture_fill(&fx);
	trace = trace_boards(&fx);
	mx_trace_event(trace, &event);
	assert_int_equal(mx_trace_count(trace), 1);
	assert_record(mx_trace_at(trace, 0), &want);
	mx_trace_free(trace);
}

/* Charges of 0, 1, 2, ... */
static void fill(struct mx_trace *trace, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		mx_trace_charge(trace, i, i);
}

static void expect_last(const struct mx_trace *trace, uint64_t count,
			uint64_t total)
{
	uint64_t i;

	assert_int_equal(mx_trace_count(trace), count);
	assert_int_equal(mx_trace_dropped(trace), total - count);
	for (i = 0; i < count; i++)
		assert_int_equal(mx_trace_at(trace, i)->number,
				 total - count + i);
}

static void the_oldest_give_way_when_it_is_full(void **state)
{
	static const size_t blocks[] = {1, 2, 5};
	const struct mx_trace_opts aside = {
		.size_bytes = 3 * 64 * 1024,
		.flags = MX_TRACE_SET_ASIDE,
	};
	struct mx_trace *trace;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		const uint64_t room = blocks[i] * BLOCK_RECORDS;

		trace = empty_trace((blocks[i] - 1) * 64 * 1024);
		fill(trace, room);
		expect_last(trace, room, room);
		mx_trace_free(trace);
		trace = empty_trace((blocks[i] - 1) * 64 * 1024);
		fill(trace, room + 1);
		expect_last(trace, room, room + 1);
		mx_trace_free(trace);
		trace = empty_trace((blocks[i] - 1) * 64 * 1024);
		fill(trace, 3 * room + 7);
		expect_last(trace, room, 3 * room + 7);
		mx_trace_free(trace);
	}
	trace = trace_with(&aside);
	fill(trace, 10 * BLOCK_RECORDS);
	expect_last(trace, 4 * BLOCK_RECORDS, 10 * BLOCK_RECORDS);
	mx_trace_free(trace);
}

static void memory_that_cannot_be_had_later_costs_old_records(void **state)
{
	struct mx_trace *trace = empty_trace(9 * 64 * 1024);

	(void)state;
	fill(trace, 2 * BLOCK_RECORDS);
	faults_arm(0);
	mx_trace_charge(trace, 0, 2 * BLOCK_RECORDS);
	assert_int_equal(faults_disarm(), ENOMEM);
	mx_trace_charge(trace, 0, 2 * BLOCK_RECORDS + 1);
	expect_last(trace, 2 * BLOCK_RECORDS, 2 * BLOCK_RECORDS + 2);
	mx_trace_free(trace);
}

static void what_is_set_aside_never_asks_for_more(void **state)
{
	const struct mx_trace_opts opts = {
		.size_bytes = 3 * 64 * 1024,
		.flags = MX_TRACE_SET_ASIDE,
	};
	struct mx_trace *trace = trace_with(&opts);

	(void)state;
	faults_arm(0);
	fill(trace, 6 * BLOCK_RECORDS);
	assert_int_equal(faults_disarm(), 0);
	expect_last(trace, 4 * BLOCK_RECORDS, 6 * BLOCK_RECORDS);
	mx_trace_free(trace);
}

/* ---- a real run ---- */

enum { JOBS = 6 };
/* More than a sanitizer takes of its own from one engine to the next. */
#define ROOM_BYTES ((uint64_t)64 << 20)

struct heard {
	uint64_t reads;
	uint64_t chunks;
	uint64_t chunk_ns;
};

static void hear_event(void *user, const struct mx_board_event *event)
{
	struct heard *heard = user;

	heard->reads += event->kind == MX_EVENT_LOADED;
}

static void hear_chunk(void *user, const struct mx_chunk_event *event)
{
	struct heard *heard = user;

	heard->chunks++;
	heard->chunk_ns += event->end_ns - event->begin_ns;
}

/* Charges come from a thread of their own, as they do in the program. */
static void *charge(void *user)
{
	fill(user, 100);
	return NULL;
}

static void run_jobs(struct mx_engine *engine)
{
	struct mx_job *jobs[JOBS];
	uint32_t i;

	for (i = 0; i < JOBS; i++)
		assert_int_equal(
			mx_engine_submit(engine, i % 2, NULL, &jobs[i], NULL),
			0);
	for (i = 0; i < JOBS; i++) {
		assert_int_equal(mx_job_wait(jobs[i], NULL, NULL), 0);
		mx_job_free(jobs[i]);
	}
}

struct sums {
	uint64_t count[MX_TRACE_MOVED + 1];
	uint64_t compute_ns;
	uint64_t run_begin_ns[JOBS];
	uint64_t run_end_ns[JOBS];
};

static void sum_up(const struct mx_trace *trace, struct sums *sums)
{
	const struct mx_trace_record *record;
	uint64_t i;

	*sums = (struct sums){.compute_ns = 0};
	for (i = 0; i < mx_trace_count(trace); i++) {
		record = mx_trace_at(trace, i);
		sums->count[record->kind]++;
		if (record->kind == MX_TRACE_COMPUTE)
			sums->compute_ns += record->end_ns - record->begin_ns;
		if (record->kind != MX_TRACE_RUN)
			continue;
		assert_true(record->number < JOBS);
		assert_int_equal(record->net, record->number % 2);
		assert_int_equal(record->status, 0);
		sums->run_begin_ns[record->number] = record->begin_ns;
		sums->run_end_ns[record->number] = record->end_ns;
	}
}

/* Every part is computed by a worker while its job runs. */
static void expect_chunks(const struct mx_trace *trace, const struct sums *sums)
{
	const struct mx_trace_record *record;
	uint64_t i;

	for (i = 0; i < mx_trace_count(trace); i++) {
		record = mx_trace_at(trace, i);
		if (record->kind != MX_TRACE_COMPUTE)
			continue;
		assert_true(record->number < JOBS && record->index < 2);
		assert_int_equal(record->net, record->number % 2);
		assert_in_range(record->begin_ns,
				sums->run_begin_ns[record->number],
				record->end_ns);
		assert_true(record->end_ns <= sums->run_end_ns[record->number]);
	}
}

static void a_run_is_traced_whole(void **state)
{
	struct heard heard = {0};
	struct tiny tiny[2];
	const struct mx_trace_net nets[] = {{&tiny[0].net, NULL},
					    {&tiny[1].net, NULL}};
	const struct mx_trace_opts opts = {
		.nets = nets,
		.net_count = 2,
		.size_bytes = 1 << 20,
		.flags = MX_TRACE_SET_ASIDE,
		.observer = hear_event,
		.chunk_observer = hear_chunk,
		.observer_user = &heard,
	};
	struct mx_engine_opts engine_opts = {
		.threads = 2,
		.observer = mx_trace_event,
		.chunk_observer = mx_trace_chunk,
	};
	struct mx_engine *engine;
	struct mx_trace *trace;
	pthread_t thread;
	struct sums sums;

	(void)state;
	tiny_open(&tiny[0]);
	tiny_open(&tiny[1]);
	engine_opts.budget_bytes = engine_least_budget(tiny, 2, 2) + ROOM_BYTES;
	trace = trace_with(&opts);
	engine_opts.observer_user = trace;
	engine = engine_with(&engine_opts, tiny, 2);
	assert_int_equal(pthread_create(&thread, NULL, charge, trace), 0);
	run_jobs(engine);
	assert_int_equal(pthread_join(thread, NULL), 0);
	mx_engine_close(engine);

	assert_int_equal(mx_trace_dropped(trace), 0);
	sum_up(trace, &sums);
	expect_chunks(trace, &sums);
	assert_int_equal(sums.count[MX_TRACE_WAIT], JOBS);
	assert_int_equal(sums.count[MX_TRACE_RUN], JOBS);
	assert_int_equal(sums.count[MX_TRACE_CHARGE], 100);
	assert_true(heard.reads > 0 && heard.chunks >= 3 * JOBS);
	assert_int_equal(sums.count[MX_TRACE_READ], heard.reads);
	assert_int_equal(sums.count[MX_TRACE_COMPUTE], heard.chunks);
	assert_int_equal(sums.compute_ns, heard.chunk_ns);
	mx_trace_free(trace);
	tiny_close(&tiny[0]);
	tiny_close(&tiny[1]);
}

static void every_allocation_may_fail(void **state)
{
	struct picture_fixture fx;
	struct tiny tiny;
	const struct mx_trace_net nets[] = {{NULL, &fx.board_nets[0]},
					    {&tiny.net, NULL}};
	const struct mx_trace_opts opts = {
		.nets = nets,
		.net_count = 2,
		.size_bytes = 2 * 64 * 1024,
		.flags = MX_TRACE_SET_ASIDE,
	};
	struct mx_trace *trace;
	long nth;
	int rc;

	(void)state;
	picture_fixture_fill(&fx);
	tiny_open(&tiny);
	for (nth = 0;; nth++) {
		trace = NULL;
		faults_arm(nth);
		rc = mx_trace_new(&trace, &opts, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(trace);
	}
	assert_int_equal(rc, 0);
	assert_true(nth > 10);
	mx_trace_free(trace);
	tiny_close(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_simulation_is_jobs_reads_and_steps),
		cmocka_unit_test(memory_is_told_when_it_changes),
		cmocka_unit_test(steps_side_by_side_are_on_lanes_of_their_own),
		cmocka_unit_test(reads_in_flight_are_one_after_the_other),
		cmocka_unit_test(a_job_that_was_never_admitted_has_only_waited),
		cmocka_unit_test(the_oldest_give_way_when_it_is_full),
		cmocka_unit_test(
			memory_that_cannot_be_had_later_costs_old_records),
		cmocka_unit_test(what_is_set_aside_never_asks_for_more),
		cmocka_unit_test(a_run_is_traced_whole),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
