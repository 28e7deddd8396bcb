#include "sched/foresight_rollout.h"

#include <math.h>
#include <string.h>

#include "pager/residency.h"
#include "tests/check.h"

#define PAGE ((uint64_t)MX_RESIDENCY_PAGE_BYTES)
#define MS ((uint64_t)1000000)

enum { STEPS_MAX = 4 };

struct net {
	struct mx_board_net net;
	struct mx_board_unit units[STEPS_MAX];
	struct mx_board_step steps[STEPS_MAX];
	struct mx_board_layer layers[STEPS_MAX];
};

/* A layer of one step and one unit. */
struct part {
	uint64_t pages;
	uint64_t read_ms;
	uint64_t compute_ms;
};

static const struct mx_rollout_move plain = {.kind = MX_ROLLOUT_PLAIN};

static void net_init(struct net *net, const struct part *parts, uint32_t count,
		     uint64_t arena_pages)
{
	uint32_t i;

	memset(net, 0, sizeof(*net));
	for (i = 0; i < count; i++) {
		net->units[i] = (struct mx_board_unit){
			.size_bytes = parts[i].pages * PAGE,
			.read_ns = parts[i].read_ms * MS,
		};
		net->steps[i] = (struct mx_board_step){
			.ns = parts[i].compute_ms * MS,
			.layer = i,
			.unit = i,
			.last_of_unit = 1,
		};
		net->layers[i].arena_bytes = arena_pages * PAGE;
	}
	net->net = (struct mx_board_net){
		.units = net->units,
		.unit_count = count,
		.steps = net->steps,
		.step_count = count,
		.layers = net->layers,
		.layer_count = count,
		.arena_bytes = arena_pages * PAGE,
	};
}

/* A job of each network, of which nothing is there. */
static void rollout_init(struct mx_rollout *rollout, const struct net *nets,
			 uint32_t count, uint64_t pages)
{
	uint32_t i, k;

	memset(rollout, 0, sizeof(*rollout));
	rollout->net_count = count;
	rollout->job_count = count;
	rollout->processors = 1;
	rollout->capacity_bytes = pages * PAGE;
	for (i = 0; i < count; i++) {
		rollout->nets[i] = &nets[i].net;
		rollout->jobs[i].net = i;
		if (i + 1 < count)
			rollout->first_unit[i + 1] =
				rollout->first_unit[i] + nets[i].net.unit_count;
		for (k = 0; k < nets[i].net.unit_count; k++)
			if (nets[i].units[k].size_bytes >
			    rollout->largest_unit_bytes)
				rollout->largest_unit_bytes =
					nets[i].units[k].size_bytes;
	}
}

static void assert_ms(double cost_ns, uint64_t ms)
{
	assert_int_equal((uint64_t)cost_ns, ms * MS);
}

static void reading_and_computing_overlap_where_there_is_room(void **state)
{
	static const struct part parts[] = {{3, 3, 5}, {4, 4, 2}};
	static const uint8_t order[] = {0};
	struct mx_rollout rollout;
	struct net net;

	(void)state;
	net_init(&net, parts, 2, 1);
	rollout_init(&rollout, &net, 1, 8);
	assert_ms(mx_rollout_cost(&rollout, order, plain), 10);
	/* The second unit waits until the first is computed. */
	rollout_init(&rollout, &net, 1, 7);
	assert_ms(mx_rollout_cost(&rollout, order, plain), 14);
}

static void what_is_under_way_ends_when_it_is_said_to(void **state)
{
	static const struct part parts[] = {{3, 3, 5}, {4, 4, 2}};
	static const uint8_t order[] = {0};
	struct mx_rollout rollout;
	struct net net;

	(void)state;
	net_init(&net, parts, 2, 1);
	rollout_init(&rollout, &net, 1, 8);
	rollout.state[0] = MX_UNIT_RESIDENT;
	rollout.state[1] = MX_UNIT_LOADING;
	rollout.load_ns = 9 * MS;
	rollout.jobs[0].admitted = 1;
	rollout.jobs[0].arena_bytes = PAGE;
	rollout.jobs[0].next_step = 1;
	rollout.jobs[0].busy_ns = 2 * MS;
	assert_ms(mx_rollout_cost(&rollout, order, plain), 11);
}

static void jobs_that_get_stuck_cost_infinitely_much(void **state)
{
	static const struct part part = {3, 3, 5};
	static const uint8_t order[] = {0};
	struct mx_rollout rollout;
	struct net net;

	(void)state;
	net_init(&net, &part, 1, 1);
	rollout_init(&rollout, &net, 1, 3);
	assert_true(isinf(mx_rollout_cost(&rollout, order, plain)));
	rollout_init(&rollout, &net, 1, 4);
	assert_ms(mx_rollout_cost(&rollout, order, plain), 8);
}

static void the_best_order_is_found(void **state)
{
	static const struct part long_one = {1, 10, 1};
	static const struct part short_one = {1, 1, 1};
	uint8_t order[] = {0, 1};
	struct mx_rollout rollout;
	struct net nets[2];

	(void)state;
	net_init(&nets[0], &long_one, 1, 1);
	net_init(&nets[1], &short_one, 1, 1);
	rollout_init(&rollout, nets, 2, 9);
	assert_ms(mx_rollout_cost(&rollout, order, plain), 11 + 12);
	mx_rollout_order(&rollout, order);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 0);
	assert_ms(mx_rollout_cost(&rollout, order, plain), 2 + 12);
}

/* Of many jobs only neighbours are swapped. */
static void a_short_job_passes_the_one_before_it(void **state)
{
	enum { JOBS = 6 };
	static const struct part parts[JOBS] = {{1, 2, 1}, {1, 3, 1},
						{1, 4, 1}, {1, 5, 1},
						{1, 9, 1}, {1, 6, 1}};
	static const uint8_t best[JOBS] = {0, 1, 2, 3, 5, 4};
	uint8_t order[JOBS];
	struct mx_rollout rollout;
	struct net nets[JOBS];
	uint8_t i;

	(void)state;
	for (i = 0; i < JOBS; i++) {
		net_init(&nets[i], &parts[i], 1, 1);
		order[i] = i;
	}
	rollout_init(&rollout, nets, JOBS, 20);
	mx_rollout_order(&rollout, order);
	assert_memory_equal(order, best, sizeof(best));
}

/* While the first step is computed its second unit has no room, and the third
 * has. */
static void skip_init(struct mx_rollout *rollout, struct net *net,
		      uint64_t third_ms, uint64_t busy_ms)
{
	const struct part parts[] = {{6, 1, 1}, {5, 5, 1}, {3, third_ms, 1}};

	net_init(net, parts, 3, 1);
	rollout_init(rollout, net, 1, 11);
	rollout->state[0] = MX_UNIT_RESIDENT;
	rollout->jobs[0].admitted = 1;
	rollout->jobs[0].arena_bytes = PAGE;
	rollout->jobs[0].next_step = 1;
	rollout->jobs[0].busy_ns = busy_ms * MS;
}

static void a_later_unit_is_read_where_that_gains_enough(void **state)
{
	static const struct mx_rollout_move moves[] = {
		{MX_ROLLOUT_LOAD, MX_ROLLOUT_JOBS, 0},
		{MX_ROLLOUT_LOAD, 0, 0},
		{MX_ROLLOUT_LOAD, 0, 1},
		{MX_ROLLOUT_LOAD, 0, 2},
	};
	static const uint8_t order[] = {0};
	struct mx_rollout rollout;
	struct net net;

	(void)state;
	skip_init(&rollout, &net, 3, 10);
	assert_ms(mx_rollout_cost(&rollout, order, moves[0]), 19);
	assert_true(isinf(mx_rollout_cost(&rollout, order, moves[1])));
	assert_ms(mx_rollout_cost(&rollout, order, moves[2]), 17);
	assert_true(isinf(mx_rollout_cost(&rollout, order, moves[3])));
	assert_int_equal(mx_rollout_choose(&rollout, order, moves, 4), 2);
	/* 2 ms of 1000 are not enough. */
	skip_init(&rollout, &net, 3, 1000);
	assert_ms(mx_rollout_cost(&rollout, order, moves[2]), 1007);
	assert_ms(mx_rollout_cost(&rollout, order, moves[0]), 1009);
	assert_int_equal(mx_rollout_choose(&rollout, order, moves, 4), 0);
}

/* Both could be computed at once: first the one whose unit keeps the storage
 * waiting for room. */
static void the_better_help_is_chosen(void **state)
{
	static const struct part large[] = {{4, 1, 1}, {4, 9, 1}};
	static const struct part small[] = {{1, 1, 5}};
	static const struct mx_rollout_move moves[] = {
		{MX_ROLLOUT_HELP, 1, 0},
		{MX_ROLLOUT_HELP, 0, 0},
	};
	static const uint8_t order[] = {1, 0};
	struct mx_rollout rollout;
	struct net nets[2];

	(void)state;
	net_init(&nets[0], large, 2, 0);
	net_init(&nets[1], small, 1, 0);
	rollout_init(&rollout, nets, 2, 5);
	rollout.state[0] = MX_UNIT_RESIDENT;
	rollout.state[2] = MX_UNIT_RESIDENT;
	/* Small first: 5, then large from 5: 6, read from 6 to 15: 16. */
	assert_ms(mx_rollout_cost(&rollout, order, moves[0]), 5 + 16);
	/* Large first: read from 1 to 10 behind the small one's 1 to 6. */
	assert_ms(mx_rollout_cost(&rollout, order, moves[1]), 6 + 11);
	assert_int_equal(mx_rollout_choose(&rollout, order, moves, 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reading_and_computing_overlap_where_there_is_room),
		cmocka_unit_test(what_is_under_way_ends_when_it_is_said_to),
		cmocka_unit_test(jobs_that_get_stuck_cost_infinitely_much),
		cmocka_unit_test(the_best_order_is_found),
		cmocka_unit_test(a_short_job_passes_the_one_before_it),
		cmocka_unit_test(a_later_unit_is_read_where_that_gains_enough),
		cmocka_unit_test(the_better_help_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
