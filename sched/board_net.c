#include "sched/board_net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/size.h"
#include "pager/units.h"
#include "sched/cost.h"
#include "sched/plan.h"

#define NS_PER_S 1e9

struct maker {
	struct mx_board_net *out;
	const struct mx_network *net;
	const struct mx_plan_net *planned;
	const struct mx_cost_net *cost;
	uint64_t join_bytes;
	struct mx_units units; /* as the pager reads them */
	struct mx_arena arena;
	uint32_t *joined; /* the board's unit of each of those */
	unsigned char *pinned;
	struct mx_board_step *weighted; /* the last that has a unit */
};

/* @whole * @part / @parts, without an overflow between. */
static uint64_t share(uint64_t whole, uint64_t part, uint64_t parts)
{
	return whole / parts * part + whole % parts * part / parts;
}

static uint64_t read_ns(const struct mx_cost_net *cost, uint64_t bytes)
{
	return (uint64_t)((double)bytes * NS_PER_S /
			  (double)cost->storage.read_bytes_per_s);
}

static unsigned char is_pinned(const struct maker *maker,
			       const struct mx_unit *unit)
{
	uint32_t i;

	for (i = 0; maker->planned && i < unit->slice_count; i++)
		if (maker->planned->pinned[unit->first_slice + i])
			return 1;
	return 0;
}

static uint32_t first_layer(const struct maker *maker,
			    const struct mx_unit *unit)
{
	return maker->net->slices[unit->first_slice].layer;
}

static uint32_t last_layer(const struct maker *maker,
			   const struct mx_unit *unit)
{
	return maker->net->slices[unit->first_slice + unit->slice_count - 1]
		.layer;
}

/* Is pager unit @index taken together with the one before it? */
static int joins(const struct maker *maker, uint32_t index)
{
	const struct mx_unit *unit = &maker->units.unit[index];
	const uint32_t last = maker->out->unit_count - 1;
	const uint32_t layer = last_layer(maker, unit);

	return index > 0 && first_layer(maker, unit) == layer &&
	       first_layer(maker, unit - 1) == layer &&
	       is_pinned(maker, unit) == maker->pinned[last] &&
	       maker->out->units[last].size_bytes + unit->size_bytes <=
		       maker->join_bytes;
}

static void make_units(struct maker *maker)
{
	struct mx_board_net *out = maker->out;
	uint32_t i;

	for (i = 0; i < maker->units.count; i++) {
		const struct mx_unit *unit = &maker->units.unit[i];
		struct mx_board_layer *layer =
			&out->layers[first_layer(maker, unit)];
		const uint64_t ns = read_ns(maker->cost, unit->size_bytes);

		if (!joins(maker, i))
			maker->pinned[out->unit_count++] =
				is_pinned(maker, unit);
		maker->joined[i] = out->unit_count - 1;
		out->units[maker->joined[i]].size_bytes += unit->size_bytes;
		out->units[maker->joined[i]].read_ns += ns;
		layer->read_ns += ns;
		layer->weight_bytes += unit->size_bytes;
		out->read_ns += ns;
		out->weight_bytes += unit->size_bytes;
	}
}

/* With joined units the steps on one are one. */
static void add_step(struct maker *maker, uint32_t layer, uint64_t ns,
		     uint32_t unit)
{
	struct mx_board_net *out = maker->out;
	struct mx_board_step *before = maker->weighted;

	if (unit != MX_STEP_NONE && before && before->unit == unit) {
		if (maker->join_bytes && before->layer == layer) {
			before->ns += ns;
			return;
		}
		before->last_of_unit = 0;
	}
	out->steps[out->step_count] = (struct mx_board_step){
		.ns = ns,
		.layer = layer,
		.unit = unit,
		.last_of_unit = unit != MX_STEP_NONE,
	};
	if (unit != MX_STEP_NONE)
		maker->weighted = &out->steps[out->step_count];
	out->step_count++;
	out->layers[layer].step_count++;
}

static void make_steps(struct maker *maker)
{
	const struct mx_network *net = maker->net;
	struct mx_board_net *out = maker->out;
	uint32_t i, k;

	for (i = 0; i < net->layer_count; i++) {
		const struct mx_layer *layer = &net->layers[i];
		const uint64_t ns = maker->cost->layer_ns[i];

		out->layers[i].first_step = out->step_count;
		out->layers[i].ns = ns;
		out->layers[i].dense =
			layer->op && (layer->op->traits & MX_OP_DENSE);
		out->compute_ns += ns;
		if (layer->slice_count == 0)
			add_step(maker, i, ns, MX_STEP_NONE);
		for (k = 0; k < layer->slice_count; k++) {
			const uint32_t s = layer->first_slice + k;
			const struct mx_slice *slice = &net->slices[s];
			const uint64_t first = slice->first_block;
			const uint64_t end = first + slice->block_count;

			/* So that the shares add up to the whole. */
			add_step(maker, i,
				 share(ns, end, layer->block_count) -
					 share(ns, first, layer->block_count),
				 maker->joined[maker->units.of_slice[s]]);
		}
	}
	if (net->layer_count == 0)
		add_step(maker, 0, 0, MX_STEP_NONE);
}

/* What is needed from a layer on begins where the first root does that the
 * layer or a later one touches, and ends with the arena, which is whole pages.
 */
static void make_arenas(struct maker *maker)
{
	const struct mx_arena *arena = &maker->arena;
	const uint64_t end =
		mx_size_round_up(arena->total_bytes, MX_RESIDENCY_PAGE_BYTES);
	struct mx_board_net *out = maker->out;
	uint32_t i;

	for (i = 0; i < maker->net->tensor_count; i++) {
		const uint64_t bytes = end - arena->offset_bytes[i];
		struct mx_board_layer *last;

		if (arena->size_bytes[i] == 0)
			continue;
		last = &out->layers[arena->last_layer[i]];
		if (bytes > last->arena_bytes)
			last->arena_bytes = bytes;
	}
	for (i = out->layer_count; i-- > 1;)
		if (out->layers[i].arena_bytes > out->layers[i - 1].arena_bytes)
			out->layers[i - 1].arena_bytes =
				out->layers[i].arena_bytes;
	out->arena_bytes = out->layers[0].arena_bytes;
}

static void make_whole(struct maker *maker)
{
	struct mx_board_net *out = maker->out;
	uint64_t scratch_bytes = 0;
	uint32_t i;

	for (i = 0; i < maker->net->layer_count; i++)
		scratch_bytes = mx_size_max(
			scratch_bytes, maker->net->layers[i].scratch_bytes);
	out->name = maker->net->name;
	out->latency_ns = maker->cost->storage.latency_ns;
	out->masa_peak_bytes =
		out->weight_bytes + out->arena_bytes + scratch_bytes;
	out->masa_key_ns = out->compute_ns + out->read_ns;
	out->pinned = maker->planned ? maker->pinned : NULL;
}

static int allocate(struct maker *maker)
{
	const struct mx_network *net = maker->net;
	struct mx_board_net *out = maker->out;

	out->layer_count = net->layer_count ? net->layer_count : 1;
	out->units =
		calloc((size_t)maker->units.count + 1, sizeof(*out->units));
	out->steps = calloc((size_t)net->layer_count + net->slice_count + 1,
			    sizeof(*out->steps));
	out->layers = calloc(out->layer_count, sizeof(*out->layers));
	maker->pinned = calloc((size_t)maker->units.count + 1, 1);
	maker->joined =
		calloc((size_t)maker->units.count + 1, sizeof(uint32_t));
	return out->units && out->steps && out->layers && maker->pinned &&
			       maker->joined
		       ? 0
		       : -ENOMEM;
}

int mx_board_net_init(struct mx_board_net *out, const struct mx_network *net,
		      const struct mx_plan_net *planned,
		      const struct mx_cost_net *cost, uint64_t join_bytes,
		      struct mx_err *err)
{
	struct maker maker = {
		.out = out,
		.net = net,
		.planned = planned,
		.cost = cost,
		.join_bytes = join_bytes,
	};
	int rc;

	assert(cost->net == net && (!planned || planned->net == net));
	memset(out, 0, sizeof(*out));
	rc = mx_units_init(&maker.units, net, err);
	if (rc)
		return rc;
	rc = mx_arena_init(&maker.arena, net, err);
	if (rc)
		goto done;
	rc = allocate(&maker);
	if (rc) {
		(void)mx_fail(err, -rc, "%s: no memory for its steps",
			      net->name);
		goto done;
	}
	make_units(&maker);
	make_steps(&maker);
	make_arenas(&maker);
	make_whole(&maker);

done:
	mx_arena_fini(&maker.arena);
	mx_units_fini(&maker.units);
	free(maker.joined);
	if (rc || !out->pinned)
		free(maker.pinned);
	if (rc)
		mx_board_net_fini(out);
	return rc;
}

void mx_board_net_set_masa(struct mx_board_net *net,
			   const struct mx_masa_profile *profile)
{
	net->masa_peak_bytes = profile->peak_bytes;
	net->masa_key_ns = profile->key_ns;
}

void mx_board_net_fini(struct mx_board_net *net)
{
	free(net->units);
	free(net->steps);
	free(net->layers);
	free((void *)(uintptr_t)net->pinned);
	memset(net, 0, sizeof(*net));
}
