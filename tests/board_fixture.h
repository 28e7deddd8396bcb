/*
 * Networks for boards, made by hand: a layer at a time.
 */
#ifndef MX_TESTS_BOARD_FIXTURE_H
#define MX_TESTS_BOARD_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include "sched/board.h"

enum { BOARD_NETS_MAX = 8, BOARD_UNITS_MAX = 32, BOARD_STEPS_MAX = 64 };

#define PAGE ((uint64_t)MX_RESIDENCY_PAGE_BYTES)

struct board_net_fixture {
	char name[16];
	struct mx_board_unit units[BOARD_UNITS_MAX];
	struct mx_board_step steps[BOARD_STEPS_MAX];
	struct mx_board_layer layers[BOARD_STEPS_MAX];
	unsigned char pinned[BOARD_UNITS_MAX];
};

struct board_fixture {
	struct mx_board_net nets[BOARD_NETS_MAX];
	struct board_net_fixture of[BOARD_NETS_MAX];
	uint32_t net_count;
};

/* A network without layers, called "a", "b", ... Returns its index. */
__attribute__((unused)) static uint32_t add_net(struct board_fixture *fx)
{
	const uint32_t n = fx->net_count++;

	fx->of[n].name[0] = (char)('a' + n);
	fx->nets[n] = (struct mx_board_net){
		.name = fx->of[n].name,
		.units = fx->of[n].units,
		.steps = fx->of[n].steps,
		.layers = fx->of[n].layers,
	};
	return n;
}

__attribute__((unused)) static void add_step(struct board_fixture *fx,
					     uint32_t n, uint64_t ns,
					     uint32_t unit)
{
	struct mx_board_net *net = &fx->nets[n];
	const uint32_t layer = net->layer_count - 1;
	uint32_t i;

	for (i = 0; i < net->step_count && unit != MX_STEP_NONE; i++)
		if (net->steps[i].unit == unit)
			net->steps[i].last_of_unit = 0;
	net->steps[net->step_count++] = (struct mx_board_step){
		.ns = ns,
		.layer = layer,
		.unit = unit,
		.last_of_unit = unit != MX_STEP_NONE,
	};
	net->layers[layer].step_count++;
	net->layers[layer].ns += ns;
	net->compute_ns += ns;
}

/* A layer without a step yet, and its activations, in pages. */
__attribute__((unused)) static void add_empty_layer(struct board_fixture *fx,
						    uint32_t n,
						    uint64_t arena_pages)
{
	struct mx_board_net *net = &fx->nets[n];

	net->layers[net->layer_count++] = (struct mx_board_layer){
		.first_step = net->step_count,
		.arena_bytes = arena_pages * PAGE,
	};
	net->arena_bytes = net->layers[0].arena_bytes;
}

/* A unit, read in 1000 ns a page. Returns its index. */
__attribute__((unused)) static uint32_t add_unit(struct board_fixture *fx,
						 uint32_t n, uint64_t pages)
{
	struct mx_board_net *net = &fx->nets[n];
	struct mx_board_layer *layer = &net->layers[net->layer_count - 1];
	const struct mx_board_unit unit = {pages * PAGE, pages * 1000};

	net->units[net->unit_count] = unit;
	net->read_ns += unit.read_ns;
	net->weight_bytes += unit.size_bytes;
	layer->read_ns += unit.read_ns;
	layer->weight_bytes += unit.size_bytes;
	return net->unit_count++;
}

/* A layer of @units units of @pages pages each, a step of @ns for each; or
 * without weights, one step. */
__attribute__((unused)) static void add_layer(struct board_fixture *fx,
					      uint32_t n, uint64_t ns,
					      uint32_t units, uint64_t pages,
					      uint64_t arena_pages)
{
	uint32_t i;

	add_empty_layer(fx, n, arena_pages);
	if (units == 0)
		add_step(fx, n, ns, MX_STEP_NONE);
	for (i = 0; i < units; i++)
		add_step(fx, n, ns, add_unit(fx, n, pages));
}

/* @count layers of a unit of a page, an arena of a page. */
__attribute__((unused)) static void add_layers(struct board_fixture *fx,
					       uint32_t n, uint64_t ns,
					       uint32_t count)
{
	while (count-- > 0)
		add_layer(fx, n, ns, 1, 1, 1);
}

#endif
