#include "sched/pin.h"

#include <string.h>

#include "lib/network.h"
#include "sched/plan.h"
#include "tests/check.h"

#define KIB ((uint64_t)1024)

enum { SLICES = 12, SLICE_KIB = 300 };

/* Four slices of a convolution, then eight of a fully connected layer. */
struct two_layers {
	struct mx_network net;
	struct mx_layer layers[2];
	struct mx_slice slices[SLICES];
	struct mx_plan_net one;
	struct mx_plan plan;
	unsigned char pinned[SLICES];
};

static void make(struct two_layers *t)
{
	uint32_t i;

	memset(t, 0, sizeof(*t));
	t->net.layers = t->layers;
	t->net.layer_count = 2;
	t->net.slices = t->slices;
	t->net.slice_count = SLICES;
	for (i = 0; i < SLICES; i++) {
		t->slices[i].offset_bytes = i * SLICE_KIB * KIB;
		t->slices[i].size_bytes = SLICE_KIB * KIB;
		t->slices[i].layer = i >= 4;
	}
	t->layers[0].weight_bytes = 4 * SLICE_KIB * KIB;
	t->layers[0].macs = 200 * t->layers[0].weight_bytes;
	t->layers[1].weight_bytes = 8 * SLICE_KIB * KIB;
	t->layers[1].macs = t->layers[1].weight_bytes / 4;
	t->one.net = &t->net;
	t->one.pinned = t->pinned;
	t->plan.nets = &t->one;
	t->plan.net_count = 1;
}

static void io_bound_slices_are_pinned_first_and_spread(void **state)
{
	static const unsigned char want[SLICES] = {0, 0, 0, 0, 1, 0,
						   1, 0, 1, 0, 1, 0};
	struct two_layers t;

	(void)state;
	make(&t);
	assert_int_equal(mx_pin_choose(&t.plan, 5 * SLICE_KIB * KIB - 1, NULL),
			 0);
	assert_memory_equal(t.pinned, want, SLICES);
	assert_int_equal(t.one.pinned_bytes, 4 * SLICE_KIB * KIB);
}

static void what_is_left_goes_to_the_others(void **state)
{
	struct two_layers t;
	int i;

	(void)state;
	make(&t);
	assert_int_equal(mx_pin_choose(&t.plan, 10 * SLICE_KIB * KIB, NULL), 0);
	for (i = 4; i < SLICES; i++)
		assert_int_equal(t.pinned[i], 1);
	assert_int_equal(t.pinned[0] + t.pinned[1] + t.pinned[2] + t.pinned[3],
			 2);
}

/* Two networks: the second has the first's fully connected layer alone. */
static void the_shortest_network_is_pinned_whole_before_the_next(void **state)
{
	struct two_layers big, small;
	struct mx_plan_net nets[2];
	struct mx_plan plan = {.nets = nets, .net_count = 2};
	int i, rest = 0;

	(void)state;
	make(&big);
	make(&small);
	small.net.slices += 4;
	small.net.slice_count = SLICES - 4;
	nets[0] = big.one;
	nets[1] = small.one;
	assert_int_equal(mx_pin_choose(&plan, 10 * SLICE_KIB * KIB, NULL), 0);
	assert_int_equal(nets[1].pinned_bytes, 8 * SLICE_KIB * KIB);
	for (i = 0; i < SLICES - 4; i++)
		assert_int_equal(small.pinned[i], 1);
	/* What is left goes to the other, in its own order of worth. */
	assert_int_equal(nets[0].pinned_bytes, 2 * SLICE_KIB * KIB);
	for (i = 4; i < SLICES; i++)
		rest += big.pinned[i];
	assert_int_equal(rest, 2);
	assert_int_equal(big.pinned[4], 1);
	assert_int_equal(big.pinned[8], 1);
}

static void no_room_pins_nothing(void **state)
{
	static const unsigned char none[SLICES];
	struct two_layers t;

	(void)state;
	make(&t);
	assert_int_equal(mx_pin_choose(&t.plan, 0, NULL), 0);
	assert_int_equal(mx_pin_choose(&t.plan, SLICE_KIB * KIB - 1, NULL), 0);
	assert_memory_equal(t.pinned, none, SLICES);
	assert_int_equal(t.one.pinned_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(io_bound_slices_are_pinned_first_and_spread),
		cmocka_unit_test(what_is_left_goes_to_the_others),
		cmocka_unit_test(
			the_shortest_network_is_pinned_whole_before_the_next),
		cmocka_unit_test(no_room_pins_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
