/*
 * Two networks on a board, of which policy linear makes a timeline that can be
 * told in advance: first "a<b" (LOAD 0-300, EXEC 300-410 and 410-450), then
 * "second" (LOAD 450-750, EXEC 750-820).
 */
#ifndef MX_TESTS_PICTURE_FIXTURE_H
#define MX_TESTS_PICTURE_FIXTURE_H

#include "cli/plan_board.h"
#include "cli/timeline.h"
#include "lib/network.h"
#include "tests/check.h"

#define PICTURE_PAGE ((uint64_t)4096)

struct picture_fixture {
	struct mx_board_unit units[3];
	struct mx_board_step steps[4];
	struct mx_board_layer board_layers[3];
	struct mx_board_net board_nets[2];
	struct mx_plan_board board;
	struct mx_layer layers[3];
	struct mx_network networks[2];
	const struct mx_network *nets[2];
	const char *names[2];
	struct mx_timeline timeline;
	struct mx_picture picture;
};

static void picture_fixture_fill(struct picture_fixture *fx)
{
	const uint64_t page = PICTURE_PAGE;

	*fx = (struct picture_fixture){
		.units = {{2 * page, 200}, {page, 100}, {3 * page, 300}},
		.steps = {{50, 0, 0, 1},
			  {60, 0, 1, 1},
			  {40, 1, MX_STEP_NONE, 0},
			  {70, 0, 0, 1}},
		.board_layers = {{.step_count = 2,
				  .ns = 110,
				  .read_ns = 300,
				  .weight_bytes = 3 * page,
				  .arena_bytes = 2 * page},
				 {.first_step = 2,
				  .step_count = 1,
				  .ns = 40,
				  .arena_bytes = page},
				 {.step_count = 1,
				  .ns = 70,
				  .read_ns = 300,
				  .weight_bytes = 3 * page,
				  .arena_bytes = page}},
	};
	fx->board_nets[0] = (struct mx_board_net){
		.name = "a",
		.units = fx->units,
		.unit_count = 2,
		.steps = fx->steps,
		.step_count = 3,
		.layers = fx->board_layers,
		.layer_count = 2,
		.compute_ns = 150,
		.read_ns = 300,
		.weight_bytes = 3 * page,
		.arena_bytes = 2 * page,
	};
	fx->board_nets[1] = (struct mx_board_net){
		.name = "b",
		.units = fx->units + 2,
		.unit_count = 1,
		.steps = fx->steps + 3,
		.step_count = 1,
		.layers = fx->board_layers + 2,
		.layer_count = 1,
		.compute_ns = 70,
		.read_ns = 300,
		.weight_bytes = 3 * page,
		.arena_bytes = page,
	};
	fx->board = (struct mx_plan_board){fx->board_nets, 2, 16 * page};
	fx->layers[0].name = (char *)(uintptr_t) "co\"nv";
	fx->layers[1].name = (char *)(uintptr_t) "pool&";
	fx->layers[2].name = (char *)(uintptr_t) "fc";
	fx->networks[0].layers = fx->layers;
	fx->networks[0].layer_count = 2;
	fx->networks[1].layers = fx->layers + 2;
	fx->networks[1].layer_count = 1;
	fx->nets[0] = &fx->networks[0];
	fx->nets[1] = &fx->networks[1];
	fx->names[0] = "a<b";
	fx->names[1] = "second";
	fx->picture = (struct mx_picture){
		.timeline = &fx->timeline,
		.nets = fx->nets,
		.names = fx->names,
		.net_count = 2,
		.policy = "linear",
		.memory_bytes = 16 * page,
	};
}

__attribute__((unused)) static int picture_setup(void **state)
{
	static struct picture_fixture fx;

	picture_fixture_fill(&fx);
	*state = &fx;
	return mx_timeline_init(&fx.timeline, &fx.board, "linear", NULL);
}

__attribute__((unused)) static int picture_teardown(void **state)
{
	struct picture_fixture *fx = *state;

	mx_timeline_fini(&fx->timeline);
	return 0;
}

#endif
