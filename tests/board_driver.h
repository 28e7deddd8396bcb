/*
 * A board with a plain policy, and a driver that takes a step at a time and
 * checks every invariant after each.
 */
#ifndef MX_TESTS_BOARD_DRIVER_H
#define MX_TESTS_BOARD_DRIVER_H

#include <stdint.h>
#include <string.h>

#include "lib/err.h"
#include "sched/board_impl.h"
#include "sched/policy.h"
#include "tests/board_fixture.h"
#include "tests/check.h"

enum { EVENTS_MAX = 256 };

enum { CHAIN_PAGES = 9 };

struct fixture {
	struct board_fixture nets;
	struct mx_policy policy;
	struct mx_board *board;
	struct mx_board_event events[EVENTS_MAX];
	uint32_t event_count;
	uint64_t now_ns;
	uint32_t help_calls;
	uint32_t load_calls;
};

/* ---- a plain policy: the first that is ready, else the first that fits; what
 * the first job that misses something misses ---- */

static struct fixture *current;

__attribute__((unused)) static struct mx_board_job *plain_help(
	void *state, const struct mx_board *board)
{
	struct mx_board_job *job;
	uint32_t i;

	(void)state;
	current->help_calls++;
	for (job = mx_board_running(board); job; job = job->next)
		if (mx_board_is_ready(board, job))
			return job;
	for (i = 0; i < current->nets.net_count; i++) {
		job = mx_board_waiting(board, i);
		if (job && mx_board_fits(board, job))
			return job;
	}
	return NULL;
}

__attribute__((unused)) static int plain_load(void *state,
					      const struct mx_board *board,
					      struct mx_unit_ref *out,
					      uint64_t *use)
{
	struct mx_board_job *job;

	(void)state;
	current->load_calls++;
	*use = 0;
	for (job = mx_board_running(board); job; job = job->next)
		if (mx_board_is_missing(board, job, out) &&
		    mx_residency_state(mx_board_residency(board), *out) ==
			    MX_UNIT_ABSENT)
			return 1;
	return 0;
}

/* Reads ahead: all units of the network in order. */
__attribute__((unused)) static int eager_load(void *state,
					      const struct mx_board *board,
					      struct mx_unit_ref *out,
					      uint64_t *use)
{
	(void)state;
	*use = 0;
	out->net = 0;
	for (out->unit = 0;
	     out->unit < mx_board_opts_of(board)->nets[0].unit_count;
	     out->unit++)
		if (mx_residency_state(mx_board_residency(board), *out) ==
		    MX_UNIT_ABSENT)
			return 1;
	return 0;
}

__attribute__((unused)) static void observe(void *user,
					    const struct mx_board_event *event)
{
	struct fixture *fx = user;

	assert_true(fx->event_count < EVENTS_MAX);
	fx->events[fx->event_count++] = *event;
}

__attribute__((unused)) static void init(struct fixture *fx)
{
	memset(fx, 0, sizeof(*fx));
	fx->policy.name = "plain";
	fx->policy.next_help = plain_help;
	fx->policy.next_load = plain_load;
	current = fx;
}

__attribute__((unused)) static int try_begin(struct fixture *fx, uint64_t pages,
					     struct mx_err *err)
{
	const struct mx_board_opts opts = {
		.policy = &fx->policy,
		.memory_bytes = pages == UINT64_MAX ? MX_RESIDENCY_UNLIMITED
						    : pages * PAGE,
		.nets = fx->nets.nets,
		.net_count = fx->nets.net_count,
		.observer = observe,
		.observer_user = fx,
	};

	return mx_board_new(&fx->board, &opts, err);
}

__attribute__((unused)) static void begin(struct fixture *fx, uint64_t pages)
{
	struct mx_err err = {""};

	if (try_begin(fx, pages, &err))
		fail_msg("%s", err.text);
}

/* A board of one network of @layers layers of a unit of a page. */
__attribute__((unused)) static void begin_chain(struct fixture *fx,
						uint32_t layers)
{
	init(fx);
	add_net(&fx->nets);
	add_layers(&fx->nets, 0, 5, layers);
	begin(fx, CHAIN_PAGES);
}

__attribute__((unused)) static void finish(struct fixture *fx)
{
	mx_board_assert_ok(fx->board);
	mx_board_free(fx->board);
}

/* ---- a driver, a call at a time ---- */

__attribute__((unused)) static struct mx_board_job *arrive(struct fixture *fx,
							   uint32_t net,
							   int held)
{
	const struct mx_board_arrival arrival = {
		.net = net,
		.arrival = 7,
		.arrival_ns = fx->now_ns,
		.held = held,
		.user = fx,
	};
	struct mx_board_job *job =
		mx_board_arrive(fx->board, &arrival, fx->now_ns);

	assert_non_null(job);
	mx_board_assert_ok(fx->board);
	return job;
}

__attribute__((unused)) static struct mx_work work(struct fixture *fx)
{
	const struct mx_work work = mx_board_work(fx->board, fx->now_ns);

	mx_board_assert_ok(fx->board);
	return work;
}

__attribute__((unused)) static void expect_work(struct fixture *fx,
						enum mx_work_kind kind,
						const struct mx_board_job *job)
{
	const struct mx_work found = work(fx);

	assert_int_equal(found.kind, kind);
	assert_ptr_equal(found.job, job);
}

__attribute__((unused)) static void prepare(struct fixture *fx,
					    struct mx_board_job *job)
{
	expect_work(fx, MX_WORK_PREPARE, job);
	mx_board_prepared(fx->board, job, fx->now_ns);
	mx_board_assert_ok(fx->board);
}

/* Read what is wanted; it is @unit of @net. */
__attribute__((unused)) static void expect_load(struct fixture *fx,
						uint32_t net, uint32_t unit)
{
	struct mx_unit_ref ref = {MX_STEP_NONE, MX_STEP_NONE};

	assert_int_equal(mx_board_load(fx->board, fx->now_ns, &ref), 1);
	mx_board_assert_ok(fx->board);
	assert_int_equal(ref.net, net);
	assert_int_equal(ref.unit, unit);
}

__attribute__((unused)) static void expect_no_load(struct fixture *fx)
{
	struct mx_unit_ref ref;

	assert_int_equal(mx_board_load(fx->board, fx->now_ns, &ref), 0);
}

__attribute__((unused)) static void loaded(struct fixture *fx, uint32_t net,
					   uint32_t unit, int status)
{
	const struct mx_unit_ref ref = {net, unit};

	mx_board_loaded(fx->board, ref, status, fx->now_ns);
	mx_board_assert_ok(fx->board);
}

__attribute__((unused)) static void read_unit(struct fixture *fx, uint32_t net,
					      uint32_t unit)
{
	expect_load(fx, net, unit);
	loaded(fx, net, unit, 0);
}

/* Begin the job's next step, all of it. Returns its number. */
__attribute__((unused)) static uint32_t take(struct fixture *fx,
					     struct mx_board_job *job)
{
	const uint32_t step = job->next_step;

	expect_work(fx, MX_WORK_STEP, job);
	mx_board_begin(fx->board, job, fx->now_ns);
	mx_board_assert_ok(fx->board);
	mx_board_taken(fx->board, job);
	mx_board_assert_ok(fx->board);
	return step;
}

__attribute__((unused)) static void done(struct fixture *fx,
					 struct mx_board_job *job,
					 uint32_t step)
{
	mx_board_done(fx->board, job, step, fx->now_ns);
	mx_board_assert_ok(fx->board);
}

__attribute__((unused)) static enum mx_unit_state state_of(struct fixture *fx,
							   uint32_t net,
							   uint32_t unit)
{
	const struct mx_unit_ref ref = {net, unit};

	return mx_residency_state(mx_board_residency(fx->board), ref);
}

__attribute__((unused)) static uint64_t arena_pages(struct fixture *fx)
{
	struct mx_residency_totals totals;

	mx_residency_totals(mx_board_residency(fx->board), &totals);
	return totals.arena_bytes / PAGE;
}

#endif
