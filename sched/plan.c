#include "sched/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/residency.h"
#include "pager/units.h"
#include "sched/pin.h"

#define MIB (1024.0 * 1024.0)

/*
 * The ring's aim: an eighth of the weights' memory, from one to four pairs of
 * neighbouring units. Deep enough that reads in flight and the slices being
 * computed do not wait for each other; more would only take from what can be
 * pinned.
 */
#define RING_SHARE 8
#define RING_PAIRS 4

/* A page table has a page of entries of eight bytes for 4 KiB each. */
#define PAGE_TABLE_SHARE 512
#define PAGE_TABLE_BYTES 4096

/*
 * The fixed part is measured, and is some pages more or less each time. The
 * minimum that is told has to do the next time too.
 */
#define MINIMUM_UNIT_BYTES ((uint64_t)64 * 1024)
#define MINIMUM_MARGIN_BYTES (3 * MINIMUM_UNIT_BYTES)

/*
 * Copies of inputs that are given (the caller's arrays are there already, and
 * so in the fixed part); of outputs the engine's array and the caller's.
 */
static uint64_t array_bytes(const struct mx_network *net, uint32_t given_inputs)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; given_inputs && i < net->input_count; i++)
		bytes += mx_shape_elems(
				 &net->tensors[net->inputs[i].tensor].shape) *
			 sizeof(float);
	for (i = 0; i < net->output_count; i++)
		bytes += 2 *
			 mx_shape_elems(&net->tensors[net->outputs[i]].shape) *
			 sizeof(float);
	return bytes;
}

static int measure_weights(struct mx_plan_net *one, struct mx_err *err)
{
	const struct mx_network *net = one->net;
	struct mx_units units;
	uint64_t before = 0;
	uint32_t i;
	int rc;

	rc = mx_units_init(&units, net, err);
	if (rc)
		return rc;
	one->weight_bytes = units.total_bytes;
	one->largest_unit_bytes = units.largest_bytes;
	for (i = 0; i < units.count; i++) {
		const uint64_t size = units.unit[i].size_bytes;

		if (before + size > one->pair_bytes) {
			one->pair_bytes = before + size;
			one->pair_layer =
				net->slices[units.unit[i].first_slice].layer;
		}
		before = size;
	}
	mx_units_fini(&units);
	return 0;
}

static int measure(struct mx_plan_net *one, const struct mx_network *net,
		   uint32_t given_inputs, struct mx_err *err)
{
	struct mx_arena arena;
	uint32_t i;
	int rc;

	one->net = net;
	rc = mx_arena_init(&arena, net, err);
	if (rc)
		return rc;
	/* As the slab gives it. */
	one->activation_bytes =
		mx_size_round_up(arena.total_bytes, MX_RESIDENCY_PAGE_BYTES);
	one->activation_bound_bytes = arena.lower_bound_bytes;
	one->peak_layer = arena.peak_layer;
	mx_arena_fini(&arena);
	for (i = 0; i < net->layer_count; i++)
		if (net->layers[i].scratch_bytes > one->scratch_bytes)
			one->scratch_bytes = net->layers[i].scratch_bytes;
	one->array_bytes = array_bytes(net, given_inputs);
	one->pinned = calloc((size_t)net->slice_count + 1, 1);
	if (!one->pinned)
		return mx_fail(err, ENOMEM, "%s: no memory", net->name);
	return measure_weights(one, err);
}

/* Page tables of so much memory, once it has more than a few pages of them; for
 * less the fixed part has room. */
static uint64_t table_bytes(uint64_t memory_bytes)
{
	return memory_bytes / PAGE_TABLE_SHARE / PAGE_TABLE_BYTES *
	       PAGE_TABLE_BYTES;
}

struct sums {
	uint64_t weights;
	uint64_t activations;
	uint64_t most_activations;
	uint64_t pair;
	uint64_t base; /* fixed, scratch, inputs and outputs */
};

static struct sums add_up(struct mx_plan *plan)
{
	struct sums sums = {.base = plan->opts.fixed_bytes};
	uint64_t scratch = 0;
	uint64_t worst = 0;
	uint32_t i;

	for (i = 0; i < plan->net_count; i++) {
		const struct mx_plan_net *one = &plan->nets[i];

		sums.weights += one->weight_bytes;
		sums.activations += one->activation_bytes;
		sums.most_activations = mx_u64_max(sums.most_activations,
						   one->activation_bytes);
		sums.pair = mx_u64_max(sums.pair, one->pair_bytes);
		plan->array_bytes += one->array_bytes;
		scratch = mx_u64_max(scratch, one->scratch_bytes);
		if (one->activation_bytes + one->pair_bytes > worst) {
			worst = one->activation_bytes + one->pair_bytes;
			plan->minimum_net = i;
		}
	}
	plan->scratch_bytes = scratch * plan->opts.threads;
	sums.base += plan->scratch_bytes + plan->array_bytes;
	return sums;
}

/* No limit, or a budget so wide that nothing needs to be thought of. */
static void make_resident(struct mx_plan *plan, const struct sums *sums)
{
	plan->feasible = 1;
	plan->activation_bytes = sums->activations;
	plan->weights_bytes = sums->weights;
	plan->memory_bytes = sums->activations + sums->weights;
	plan->predicted_peak_bytes = sums->base + plan->memory_bytes;
}

static uint64_t ring_of(const struct mx_plan *plan, const struct sums *sums)
{
	uint64_t ring = plan->weights_bytes / RING_SHARE;

	if (plan->weights_bytes >= sums->weights)
		return 0; /* all of it stays */
	if (plan->opts.passes < 2)
		return plan->weights_bytes; /* nothing comes back */
	if (ring > RING_PAIRS * sums->pair)
		ring = RING_PAIRS * sums->pair;
	/* A budget that is feasible has room for one pair. */
	return mx_u64_max(ring, sums->pair);
}

static int make_stream(struct mx_plan *plan, const struct sums *sums,
		       struct mx_err *err)
{
	const uint64_t room = plan->opts.budget_bytes - sums->base;
	uint64_t memory = room;

	plan->feasible = 1;
	plan->streaming = 1;
	memory -= table_bytes(room);
	memory -= memory % MX_RESIDENCY_PAGE_BYTES;
	/* What is feasible has this, whatever was rounded. */
	memory = mx_u64_max(memory, sums->most_activations + sums->pair);
	if (memory > sums->activations + sums->weights)
		memory = sums->activations + sums->weights;
	plan->memory_bytes = memory;
	/* All jobs at once if that leaves the stream a good ring; else one
	 * after the other. */
	plan->activation_bytes =
		memory >= sums->activations + RING_PAIRS * sums->pair
			? sums->activations
			: sums->most_activations;
	plan->weights_bytes = memory - plan->activation_bytes;
	if (plan->weights_bytes > sums->weights)
		plan->weights_bytes = sums->weights;
	plan->activation_bytes = memory - plan->weights_bytes;
	plan->table_bytes = table_bytes(memory);
	plan->predicted_peak_bytes = sums->base + memory + plan->table_bytes;
	plan->ring_bytes = ring_of(plan, sums);
	return mx_pin_choose(plan, plan->weights_bytes - plan->ring_bytes, err);
}

int mx_plan_init(struct mx_plan *plan, const struct mx_plan_opts *opts,
		 const struct mx_network *const *nets, uint32_t count,
		 struct mx_err *err)
{
	struct sums sums;
	uint64_t least;
	uint32_t i;
	int rc = 0;

	assert(opts->threads > 0);
	memset(plan, 0, sizeof(*plan));
	plan->opts = *opts;
	plan->nets = calloc((size_t)count + 1, sizeof(*plan->nets));
	if (!plan->nets)
		return mx_fail(err, ENOMEM, "no memory for a plan");
	for (i = 0; i < count && !rc; i++) {
		plan->net_count++;
		rc = measure(&plan->nets[i], nets[i], opts->given_inputs, err);
	}
	if (rc)
		goto fail;
	sums = add_up(plan);
	/* The largest activations and the largest slices may be in different
	 * networks, which may run at once. */
	least = sums.most_activations + sums.pair;
	least += sums.base + table_bytes(least);
	plan->minimum_bytes = (least + MINIMUM_MARGIN_BYTES) /
			      MINIMUM_UNIT_BYTES * MINIMUM_UNIT_BYTES;
	if (opts->budget_bytes == MX_BUDGET_NONE)
		make_resident(plan, &sums);
	else if (opts->budget_bytes >= least)
		rc = make_stream(plan, &sums, err);
	if (rc)
		goto fail;
	return 0;

fail:
	mx_plan_fini(plan);
	return rc;
}

void mx_plan_fini(struct mx_plan *plan)
{
	uint32_t i;

	for (i = 0; i < plan->net_count; i++)
		free(plan->nets[i].pinned);
	free(plan->nets);
	memset(plan, 0, sizeof(*plan));
}

int mx_plan_refuse(const struct mx_plan *plan, struct mx_err *err)
{
	const struct mx_plan_net *one = &plan->nets[plan->minimum_net];
	const struct mx_network *net = one->net;
	uint64_t activations = 0;
	uint64_t pair = 0;
	uint32_t i;

	for (i = 0; i < plan->net_count; i++) {
		activations =
			mx_u64_max(activations, plan->nets[i].activation_bytes);
		pair = mx_u64_max(pair, plan->nets[i].pair_bytes);
	}
	return mx_fail(
		err, EDQUOT,
		"%s: budget %.1f MiB is too small: needs %.1f MiB (%s: "
		"activations %.1f + scratch %.1f + slices %.1f + inputs %.1f + "
		"fixed %.1f)",
		net->name, (double)plan->opts.budget_bytes / MIB,
		(double)plan->minimum_bytes / MIB,
		net->layer_count ? net->layers[one->peak_layer].name : "-",
		(double)activations / MIB, (double)plan->scratch_bytes / MIB,
		(double)pair / MIB, (double)plan->array_bytes / MIB,
		(double)plan->opts.fixed_bytes / MIB);
}
