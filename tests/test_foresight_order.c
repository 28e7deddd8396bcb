#include "sched/foresight_order.h"

#include <stdlib.h>

#include "tests/check.h"

#define S ((uint64_t)1000000000)

static struct mx_wave_view wave(uint64_t read_ns, uint64_t compute_ns)
{
	return (struct mx_wave_view){
		.read_ns = read_ns,
		.compute_ns = compute_ns,
		.jobs = 1,
	};
}

static void the_shortest_comes_first(void **state)
{
	struct mx_wave_view waves[] = {
		wave(5 * S, S),
		wave(S, 2 * S),
		wave(0, S),
		wave(3 * S, 0),
	};
	const uint64_t reads[] = {0, S, 3 * S, 5 * S};
	size_t i;

	(void)state;
	mx_foresight_order(waves, 4, 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(waves[i].read_ns, reads[i]);
}

static void jobs_that_share_a_pass_count_together(void **state)
{
	struct mx_wave_view waves[] = {wave(3 * S, 0), wave(4 * S, 0)};

	(void)state;
	waves[1].jobs = 4;
	mx_foresight_order(waves, 2, 0);
	assert_int_equal(waves[0].jobs, 4);
}

static void a_blocked_wave_is_behind_all_others(void **state)
{
	struct mx_wave_view waves[] = {wave(S, 0), wave(9 * S, 9 * S)};

	(void)state;
	waves[0].blocked = 1;
	mx_foresight_order(waves, 2, 100 * S);
	assert_int_equal(waves[0].blocked, 0);
	assert_int_equal(waves[1].blocked, 1);
}

/* The storage is busy with the one while the processor is with the other:
 * which goes first on both would cost one of them its overlap. */
static void an_order_that_overlaps_better_is_found(void **state)
{
	struct mx_wave_view waves[] = {wave(4 * S, 0), wave(0, 5 * S)};
	const struct mx_wave_view *kept[] = {&waves[0], &waves[1]};
	const struct mx_wave_view *turned[] = {&waves[1], &waves[0]};

	(void)state;
	assert_true(mx_foresight_cost(kept, 2) == 9e9);
	assert_true(mx_foresight_cost(turned, 2) == 10e9);
	mx_foresight_order(waves, 2, 0);
	assert_int_equal(waves[0].read_ns, 4 * S);
}

/*
 * The bound on waiting: against small waves that come for ever, a large one is
 * first once it is older than its ageing time, whatever comes.
 */
static void nothing_young_goes_before_what_is_overdue(void **state)
{
	const uint64_t own = 3 * S;
	struct mx_wave_view waves[9];
	const uint64_t overdue = own * MX_FORESIGHT_AGEING + S;
	size_t i;

	(void)state;
	waves[0] = wave(own, S);
	for (i = 1; i < 9; i++) {
		waves[i] = wave(S / 1000 * i, 0);
		waves[i].arrival_ns = overdue;
	}
	mx_foresight_order(waves, 9, overdue);
	assert_int_equal(waves[0].arrival_ns, 0);
	/* And before that, the young ones do. */
	for (i = 0; i < 9; i++)
		if (waves[i].arrival_ns)
			waves[i].arrival_ns = own;
	mx_foresight_order(waves, 9, own);
	assert_int_equal(waves[8].arrival_ns, 0);
}

/* Against all orders of five, drawn at random: none is better. */
static void the_head_is_in_the_best_order(void **state)
{
	const struct mx_wave_view *order[5];
	struct mx_wave_view waves[5];
	unsigned seed = 7;
	size_t a, b, c, d, e;
	int round;

	(void)state;
	for (round = 0; round < 50; round++) {
		double least = 1e300;
		size_t i;

		for (i = 0; i < 5; i++) {
			seed = seed * 1103515245 + 12345;
			waves[i] = wave(seed >> 16 & 1023, seed >> 6 & 1023);
			waves[i].tail_ns = waves[i].compute_ns / 2;
		}
		mx_foresight_order(waves, 5, 0);
		for (a = 0; a < 5; a++)
			for (b = 0; b < 5; b++)
				for (c = 0; c < 5; c++)
					for (d = 0; d < 5; d++) {
						double cost;

						e = 10 - a - b - c - d;
						if (e > 4 ||
						    (1u << a | 1u << b |
						     1u << c | 1u << d |
						     1u << e) != 31)
							continue;
						order[0] = &waves[a];
						order[1] = &waves[b];
						order[2] = &waves[c];
						order[3] = &waves[d];
						order[4] = &waves[e];
						cost = mx_foresight_cost(order,
									 5);
						if (cost < least)
							least = cost;
					}
		for (i = 0; i < 5; i++)
			order[i] = &waves[i];
		assert_true(mx_foresight_cost(order, 5) <= least * 1.00001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shortest_comes_first),
		cmocka_unit_test(jobs_that_share_a_pass_count_together),
		cmocka_unit_test(a_blocked_wave_is_behind_all_others),
		cmocka_unit_test(an_order_that_overlaps_better_is_found),
		cmocka_unit_test(nothing_young_goes_before_what_is_overdue),
		cmocka_unit_test(the_head_is_in_the_best_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
