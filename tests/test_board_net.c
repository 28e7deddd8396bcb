/* wrap: calloc */
#include "sched/board_net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/network.h"
#include "sched/cost.h"
#include "sched/plan.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
/* A MiB in 1000 ns. */
#define RATE (MIB * 1000000)

enum { LAYERS_MAX = 16, SLICES_MAX = 64, PAGE = 4096 };

/* A network of layers in a chain, tensor i to tensor i + 1, its plan and its
 * costs; slices follow each other in the file. */
struct fixture {
	struct mx_network net;
	struct mx_layer layers[LAYERS_MAX];
	struct mx_tensor tensors[LAYERS_MAX + 1];
	uint32_t in[LAYERS_MAX];
	uint32_t out[LAYERS_MAX];
	struct mx_slice slices[SLICES_MAX];
	struct mx_input input;
	uint32_t output;
	uint64_t file_bytes;
	unsigned char pinned[SLICES_MAX];
	uint64_t layer_ns[LAYERS_MAX];
	struct mx_plan_net planned;
	struct mx_cost_net cost;
	struct mx_board_net board;
};

static void add_tensor(struct fixture *fx, size_t elems)
{
	const uint32_t i = fx->net.tensor_count++;

	fx->tensors[i] = (struct mx_tensor){
		.shape = {1, {elems}},
		.root = i,
	};
	fx->output = i;
}

static void init(struct fixture *fx)
{
	static char name[] = "net";

	memset(fx, 0, sizeof(*fx));
	fx->net.name = name;
	fx->net.layers = fx->layers;
	fx->net.tensors = fx->tensors;
	fx->net.slices = fx->slices;
	fx->net.inputs = &fx->input;
	fx->net.input_count = 1;
	fx->net.outputs = &fx->output;
	fx->net.output_count = 1;
	fx->planned.net = &fx->net;
	fx->planned.pinned = fx->pinned;
	fx->cost.net = &fx->net;
	fx->cost.layer_ns = fx->layer_ns;
	fx->cost.storage.read_bytes_per_s = RATE;
	fx->cost.storage.latency_ns = 77;
	add_tensor(fx, 1024);
}

static struct mx_layer *add_layer(struct fixture *fx, uint64_t ns,
				  uint32_t slices, uint64_t slice_bytes,
				  size_t out_elems)
{
	static char name[] = "layer";
	const uint32_t i = fx->net.layer_count++;
	struct mx_layer *layer = &fx->layers[i];
	uint32_t k;

	fx->layer_ns[i] = ns;
	fx->in[i] = fx->net.tensor_count - 1;
	add_tensor(fx, out_elems);
	fx->out[i] = fx->net.tensor_count - 1;
	*layer = (struct mx_layer){
		.name = name,
		.in = &fx->in[i],
		.in_count = 1,
		.out = &fx->out[i],
		.out_count = 1,
		.first_slice = fx->net.slice_count,
		.slice_count = slices,
		.tile_count = 1,
		.block_count = slices ? slices : 1,
		.scratch_bytes = 100 * (i + 1),
	};
	for (k = 0; k < slices; k++) {
		fx->slices[fx->net.slice_count++] = (struct mx_slice){
			.layer = i,
			.offset_bytes = fx->file_bytes,
			.size_bytes = slice_bytes,
			.first_block = k,
			.block_count = 1,
		};
		fx->file_bytes += slice_bytes;
	}
	return layer;
}

static void make(struct fixture *fx, uint64_t join_bytes)
{
	assert_int_equal(mx_board_net_init(&fx->board, &fx->net, &fx->planned,
					   &fx->cost, join_bytes, NULL),
			 0);
}

static void expect_step(const struct fixture *fx, uint32_t index,
			uint32_t layer, uint64_t ns, uint32_t unit, int last)
{
	const struct mx_board_step *step = &fx->board.steps[index];

	assert_true(index < fx->board.step_count);
	assert_int_equal(step->layer, layer);
	assert_int_equal(step->ns, ns);
	assert_int_equal(step->unit, unit);
	assert_int_equal(step->last_of_unit, last);
}

static void every_slice_is_a_step_and_so_is_a_layer_without(void **state)
{
	const struct mx_masa_profile published = {7, 8};
	struct fixture fx;

	(void)state;
	init(&fx);
	add_layer(&fx, 1000, 3, MIB, 1024);
	add_layer(&fx, 50, 0, 0, 1024);
	add_layer(&fx, 40, 1, 2 * MIB, 1024);
	make(&fx, 0);
	assert_string_equal(fx.board.name, "net");
	assert_int_equal(fx.board.step_count, 5);
	assert_int_equal(fx.board.unit_count, 4);
	expect_step(&fx, 0, 0, 333, 0, 1);
	expect_step(&fx, 1, 0, 333, 1, 1);
	expect_step(&fx, 2, 0, 334, 2, 1);
	expect_step(&fx, 3, 1, 50, MX_STEP_NONE, 0);
	expect_step(&fx, 4, 2, 40, 3, 1);
	assert_int_equal(fx.board.layer_count, 3);
	assert_int_equal(fx.board.layers[0].first_step, 0);
	assert_int_equal(fx.board.layers[0].step_count, 3);
	assert_int_equal(fx.board.layers[0].ns, 1000);
	assert_int_equal(fx.board.layers[0].read_ns, 3000);
	assert_int_equal(fx.board.layers[0].weight_bytes, 3 * MIB);
	assert_int_equal(fx.board.layers[1].first_step, 3);
	assert_int_equal(fx.board.layers[1].step_count, 1);
	assert_int_equal(fx.board.layers[2].read_ns, 2000);
	assert_int_equal(fx.board.units[3].size_bytes, 2 * MIB);
	assert_int_equal(fx.board.units[3].read_ns, 2000);
	assert_int_equal(fx.board.compute_ns, 1090);
	assert_int_equal(fx.board.read_ns, 5000);
	assert_int_equal(fx.board.weight_bytes, 5 * MIB);
	assert_int_equal(fx.board.latency_ns, 77);
	assert_int_equal(fx.board.masa_key_ns, 6090);
	assert_int_equal(fx.board.masa_peak_bytes,
			 5 * MIB + fx.board.arena_bytes + 300);
	mx_board_net_set_masa(&fx.board, &published);
	assert_int_equal(fx.board.masa_peak_bytes, 7);
	assert_int_equal(fx.board.masa_key_ns, 8);
	mx_board_net_fini(&fx.board);
}

static void a_unit_of_several_layers_is_needed_until_the_last(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx);
	add_layer(&fx, 10, 1, 100 * KIB, 1024);
	add_layer(&fx, 20, 0, 0, 1024);
	add_layer(&fx, 30, 1, 100 * KIB, 1024);
	add_layer(&fx, 40, 1, 100 * KIB, 1024); /* too much for the unit */
	make(&fx, 0);
	assert_int_equal(fx.board.unit_count, 2);
	expect_step(&fx, 0, 0, 10, 0, 0);
	expect_step(&fx, 1, 1, 20, MX_STEP_NONE, 0);
	expect_step(&fx, 2, 2, 30, 0, 1);
	expect_step(&fx, 3, 3, 40, 1, 1);
	assert_int_equal(fx.board.layers[0].weight_bytes, 200 * KIB);
	assert_int_equal(fx.board.layers[2].weight_bytes, 0);
	mx_board_net_fini(&fx.board);
}

static void units_of_a_layer_are_joined_up_to_a_size(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx);
	add_layer(&fx, 500, 5, MIB, 1024);
	add_layer(&fx, 200, 2, MIB, 1024);
	make(&fx, 2 * MIB);
	/* Not across layers. */
	assert_int_equal(fx.board.unit_count, 4);
	assert_int_equal(fx.board.step_count, 4);
	expect_step(&fx, 0, 0, 200, 0, 1);
	expect_step(&fx, 1, 0, 200, 1, 1);
	expect_step(&fx, 2, 0, 100, 2, 1);
	expect_step(&fx, 3, 1, 200, 3, 1);
	assert_int_equal(fx.board.units[1].size_bytes, 2 * MIB);
	assert_int_equal(fx.board.units[1].read_ns, 2000);
	assert_int_equal(fx.board.layers[0].step_count, 3);
	assert_int_equal(fx.board.read_ns, 7000);
	mx_board_net_fini(&fx.board);
	make(&fx, UINT64_MAX);
	assert_int_equal(fx.board.unit_count, 2);
	mx_board_net_fini(&fx.board);
	make(&fx, 2 * MIB - 1);
	assert_int_equal(fx.board.unit_count, 7);
	mx_board_net_fini(&fx.board);
}

static void pinned_slices_make_pinned_units_that_join_no_others(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx);
	add_layer(&fx, 500, 5, MIB, 1024);
	fx.pinned[1] = 1;
	fx.pinned[2] = 1;
	make(&fx, 0);
	assert_memory_equal(fx.board.pinned, "\0\1\1\0\0", 5);
	mx_board_net_fini(&fx.board);
	make(&fx, 8 * MIB);
	assert_int_equal(fx.board.unit_count, 3);
	assert_memory_equal(fx.board.pinned, "\0\1\0", 3);
	mx_board_net_fini(&fx.board);
	assert_int_equal(mx_board_net_init(&fx.board, &fx.net, NULL, &fx.cost,
					   8 * MIB, NULL),
			 0);
	assert_null(fx.board.pinned);
	assert_int_equal(fx.board.unit_count, 1);
	mx_board_net_fini(&fx.board);
}

static void arenas_shrink_to_what_the_rest_of_the_chain_needs(void **state)
{
	static const size_t pages[] = {8, 4, 2, 1};
	struct fixture fx;
	uint32_t i;

	(void)state;
	init(&fx);
	for (i = 0; i < 4; i++)
		add_layer(&fx, 10, 0, 0, pages[i] * 1024);
	make(&fx, 0);
	assert_int_equal(fx.board.layers[0].arena_bytes, 12 * PAGE);
	assert_int_equal(fx.board.layers[1].arena_bytes, 12 * PAGE);
	/* The output lies where there is room beside the first two: at the
	 * end. */
	assert_int_equal(fx.board.layers[2].arena_bytes, 12 * PAGE);
	assert_int_equal(fx.board.arena_bytes, 12 * PAGE);
	mx_board_net_fini(&fx.board);
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* What is live from a layer on lies inside the arena's end, of whole pages. */
static void assert_holds_what_is_live(const struct fixture *fx)
{
	const struct mx_board_net *board = &fx->board;
	struct mx_arena arena;
	uint64_t end;
	uint32_t i, k;

	assert_int_equal(mx_arena_init(&arena, &fx->net, NULL), 0);
	end = board->arena_bytes;
	assert_true(end >= arena.total_bytes && end % PAGE == 0);
	for (i = 0; i < board->layer_count; i++) {
		uint64_t least = 0;

		if (i > 0)
			assert_true(board->layers[i].arena_bytes <=
				    board->layers[i - 1].arena_bytes);
		for (k = 0; k < fx->net.tensor_count; k++)
			if (arena.size_bytes[k] && arena.last_layer[k] >= i &&
			    end - arena.offset_bytes[k] > least)
				least = end - arena.offset_bytes[k];
		assert_int_equal(board->layers[i].arena_bytes, least);
	}
	mx_arena_fini(&arena);
}

static void random_networks_add_up(void **state)
{
	struct fixture fx;
	uint32_t seed = 1;
	uint32_t round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		const uint32_t layers = 1 + draw(&seed, LAYERS_MAX - 1);
		const uint64_t join = draw(&seed, 3) * MIB;
		uint64_t ns = 0;
		uint32_t seen = 0;

		init(&fx);
		for (i = 0; i < layers; i++)
			add_layer(&fx, draw(&seed, 1000), draw(&seed, 4),
				  (1 + draw(&seed, 400)) * PAGE,
				  1 + draw(&seed, 9999));
		for (i = 0; i < fx.net.slice_count; i++)
			fx.pinned[i] = draw(&seed, 3) == 0;
		make(&fx, join);
		for (i = 0; i < fx.board.step_count; i++) {
			const struct mx_board_step *step = &fx.board.steps[i];

			ns += step->ns;
			assert_true(
				i - fx.board.layers[step->layer].first_step <
				fx.board.layers[step->layer].step_count);
			if (step->unit == MX_STEP_NONE)
				continue;
			/* In order of first use, and each used. */
			assert_true(step->unit <= seen);
			if (step->unit == seen)
				seen++;
		}
		assert_int_equal(seen, fx.board.unit_count);
		assert_int_equal(ns, fx.board.compute_ns);
		assert_holds_what_is_live(&fx);
		mx_board_net_fini(&fx.board);
	}
}

static void an_empty_network_is_one_empty_step(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx);
	make(&fx, 0);
	assert_int_equal(fx.board.layer_count, 1);
	assert_int_equal(fx.board.step_count, 1);
	expect_step(&fx, 0, 0, 0, MX_STEP_NONE, 0);
	mx_board_net_fini(&fx.board);
}

static void no_memory_is_an_error(void **state)
{
	struct fixture fx;
	long n;
	int rc;

	(void)state;
	init(&fx);
	add_layer(&fx, 500, 2, MIB, 1024);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_board_net_init(&fx.board, &fx.net, &fx.planned,
				       &fx.cost, 0, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(fx.board.units);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 9);
	mx_board_net_fini(&fx.board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_slice_is_a_step_and_so_is_a_layer_without),
		cmocka_unit_test(
			a_unit_of_several_layers_is_needed_until_the_last),
		cmocka_unit_test(units_of_a_layer_are_joined_up_to_a_size),
		cmocka_unit_test(
			pinned_slices_make_pinned_units_that_join_no_others),
		cmocka_unit_test(
			arenas_shrink_to_what_the_rest_of_the_chain_needs),
		cmocka_unit_test(random_networks_add_up),
		cmocka_unit_test(an_empty_network_is_one_empty_step),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
