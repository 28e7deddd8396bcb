#include "sched/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"

/* Of random instances. */
#define PAGE_BYTES ((uint64_t)4096)
#define TIME_NS ((uint64_t)1000000)
#define WEIGHT_PAGES_MAX 48
#define LAYER_TIMES_MAX 48
#define ACTIVATION_PAGES_MAX 12

int mx_instance_init(struct mx_instance *instance, uint32_t net_count,
		     const uint32_t *layer_counts, struct mx_err *err)
{
	uint32_t i;
	int rc;

	*instance = (struct mx_instance){.processors = 1};
	if (!net_count || net_count > MX_INSTANCE_NETS_MAX)
		return mx_fail(err, EINVAL,
			       "instance: %u networks, can be 1 to %d",
			       net_count, MX_INSTANCE_NETS_MAX);
	instance->nets = calloc(net_count, sizeof(*instance->nets));
	if (!instance->nets)
		return mx_fail(err, ENOMEM, "instance: no memory");
	instance->net_count = net_count;
	for (i = 0; i < net_count; i++) {
		if (!layer_counts[i] ||
		    layer_counts[i] > MX_INSTANCE_LAYERS_MAX) {
			rc = mx_fail(err, EINVAL,
				     "instance: network %u has %u layers, can "
				     "be 1 to %d",
				     i, layer_counts[i],
				     MX_INSTANCE_LAYERS_MAX);
			goto fail;
		}
		instance->nets[i].layers = calloc(
			layer_counts[i], sizeof(*instance->nets[i].layers));
		if (!instance->nets[i].layers) {
			rc = mx_fail(err, ENOMEM, "instance: no memory");
			goto fail;
		}
		instance->nets[i].layer_count = layer_counts[i];
	}
	return 0;

fail:
	mx_instance_fini(instance);
	return rc;
}

void mx_instance_fini(struct mx_instance *instance)
{
	uint32_t i;

	for (i = 0; i < instance->net_count; i++)
		free(instance->nets[i].layers);
	free(instance->nets);
	*instance = (struct mx_instance){.nets = NULL};
}

uint32_t mx_instance_layer_count(const struct mx_instance *instance)
{
	uint32_t count = 0, i;

	for (i = 0; i < instance->net_count; i++)
		count += instance->nets[i].layer_count;
	return count;
}

uint32_t mx_instance_task_count(const struct mx_instance *instance)
{
	uint32_t count = mx_instance_layer_count(instance), i, k;

	for (i = 0; i < instance->net_count; i++)
		for (k = 0; k < instance->nets[i].layer_count; k++)
			count += instance->nets[i].layers[k].weight_bytes > 0;
	return count;
}

uint64_t mx_instance_arena_bytes(const struct mx_instance_net *net,
				 uint32_t layer)
{
	uint64_t most = 0;

	for (; layer < net->layer_count; layer++)
		if (net->layers[layer].run_bytes > most)
			most = net->layers[layer].run_bytes;
	return most;
}

uint64_t mx_instance_minimum_bytes(const struct mx_instance *instance)
{
	uint64_t arena = 0, weights = 0, one;
	const struct mx_instance_net *net;
	uint32_t i, k;

	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		one = mx_instance_arena_bytes(net, 0);
		arena = one > arena ? one : arena;
		for (k = 0; k < net->layer_count; k++)
			if (net->layers[k].weight_bytes > weights)
				weights = net->layers[k].weight_bytes;
	}
	return arena + weights;
}

/* ---- random instances ---- */

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, 2014). */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t between(uint64_t *state, uint64_t low, uint64_t high)
{
	return low + draw(state) % (high - low + 1);
}

/* One network: reading takes a microsecond a page; how its computing compares
 * is drawn for the network and varied by layer. */
static void fill_net(struct mx_instance_net *net, uint64_t *state)
{
	const uint64_t times_max = between(state, 4, LAYER_TIMES_MAX);
	uint64_t pages, kept = ACTIVATION_PAGES_MAX;
	struct mx_instance_layer *layer;
	const uint32_t dense = (uint32_t)between(state, 1, net->layer_count);
	uint64_t before = 0;
	uint32_t k;

	for (k = 0; k < net->layer_count; k++) {
		layer = &net->layers[k];
		pages = between(state, 2, WEIGHT_PAGES_MAX);
		layer->weight_bytes = pages * PAGE_BYTES;
		layer->load_ns = pages * TIME_NS;
		layer->exec_ns = between(state, 2, times_max) * TIME_NS;
		kept = between(state, 1, kept);
		layer->run_bytes = (before + kept) * PAGE_BYTES;
		if (k + 1 < net->layer_count)
			layer->keep_bytes = kept * PAGE_BYTES;
		before = kept;
		layer->dense = k >= net->layer_count - dense;
	}
}

static uint64_t net_ns(const struct mx_instance_net *net)
{
	uint64_t sum = 0;
	uint32_t k;

	for (k = 0; k < net->layer_count; k++)
		sum += net->layers[k].load_ns + net->layers[k].exec_ns;
	return sum;
}

/* Thirds of the way from the least that works to everything at once. */
static uint64_t random_budget(const struct mx_instance *instance,
			      enum mx_instance_budget kind, uint64_t *state)
{
	const uint64_t least = mx_instance_minimum_bytes(instance);
	const struct mx_instance_net *net;
	uint64_t all = 0, pages;
	uint32_t i, k;

	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		all += mx_instance_arena_bytes(net, 0);
		for (k = 0; k < net->layer_count; k++)
			all += net->layers[k].weight_bytes;
	}
	pages = (all > least ? all - least : 0) / PAGE_BYTES / 3;
	return least +
	       (pages * (uint64_t)kind + between(state, 0, pages)) * PAGE_BYTES;
}

int mx_instance_init_random(struct mx_instance *instance,
			    const struct mx_instance_random *how,
			    struct mx_err *err)
{
	uint32_t counts[MX_INSTANCE_NETS_MAX] = {0};
	uint64_t state = how->seed, spread, sum = 0;
	uint32_t nets, i;
	int rc;

	nets = (uint32_t)between(&state, how->nets_min, how->nets_max);
	for (i = 0; i < nets && i < MX_INSTANCE_NETS_MAX; i++)
		counts[i] = (uint32_t)between(&state, how->layers_min,
					      how->layers_max);
	rc = mx_instance_init(instance, nets, counts, err);
	if (rc)
		return rc;
	instance->processors = how->processors;
	for (i = 0; i < nets; i++) {
		fill_net(&instance->nets[i], &state);
		sum += net_ns(&instance->nets[i]);
	}
	/* Releases over nothing, or up to about as long as all of it takes. */
	spread = sum / TIME_NS * between(&state, 0, 4) / 5;
	for (i = 1; i < nets; i++)
		instance->nets[i].release_ns =
			between(&state, 0, spread) * TIME_NS;
	instance->budget_bytes = random_budget(instance, how->budget, &state);
	return 0;
}

/* ---- schedules ---- */

int mx_schedule_init(struct mx_schedule *schedule,
		     const struct mx_instance *instance, struct mx_err *err)
{
	*schedule = (struct mx_schedule){.rereads = NULL};
	schedule->layers = calloc(mx_instance_layer_count(instance),
				  sizeof(*schedule->layers));
	if (!schedule->layers)
		return mx_fail(err, ENOMEM, "schedule: no memory");
	return 0;
}

void mx_schedule_fini(struct mx_schedule *schedule)
{
	free(schedule->layers);
	free(schedule->rereads);
	*schedule = (struct mx_schedule){.layers = NULL};
}

uint64_t mx_schedule_response_ns(const struct mx_schedule *schedule,
				 const struct mx_instance *instance)
{
	const struct mx_schedule_layer *layer = schedule->layers;
	const struct mx_instance_net *net;
	uint64_t sum = 0;
	uint32_t i, last;

	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		last = net->layer_count - 1;
		sum += layer[last].exec_ns + net->layers[last].exec_ns -
		       net->release_ns;
		layer += net->layer_count;
	}
	return sum;
}
