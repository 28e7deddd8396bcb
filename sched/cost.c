#include "sched/cost.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/frame.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/size.h"
#include "sched/chunks.h"

#define NS_PER_S 1e9

/* A core of a board at 1.5 GHz, with room for better. */
#define ASSUMED_MACS_PER_S ((uint64_t)10000000000u)
#define ASSUMED_MEMORY_BYTES_PER_S ((uint64_t)4000000000u)
#define ASSUMED_LAYER_NS 10000

void mx_rates_assume(struct mx_rates *rates, uint32_t threads)
{
	assert(threads > 0);
	*rates = (struct mx_rates){
		.threads = threads,
		.macs_per_s = ASSUMED_MACS_PER_S * threads,
		.memory_bytes_per_s = ASSUMED_MEMORY_BYTES_PER_S,
		.layer_ns = ASSUMED_LAYER_NS,
	};
}

double mx_cost_imbalance(const struct mx_layer *layer, uint32_t threads)
{
	const size_t parts = mx_layer_part_count(layer);
	size_t longest;

	assert(parts > 0);
	/* Chunks that halve what is left come to whole parts that are shared
	 * out evenly, but for the one that is all. */
	longest = mx_chunk_parts(layer, parts, threads) == parts
			  ? parts
			  : mx_size_div_up(parts, threads);
	return (double)longest * threads / (double)parts;
}

/* Does the layer leave its inputs where they are, as its output? */
static int moves_nothing(const struct mx_network *net,
			 const struct mx_layer *layer)
{
	const unsigned still = MX_OP_RESHAPE | MX_OP_CONCAT | MX_OP_IDENTITY;
	uint32_t i;

	if (!(layer->op->traits & still))
		return 0;
	for (i = 0; i < layer->in_count; i++)
		if (net->tensors[layer->in[i]].root !=
		    net->tensors[layer->out[0]].root)
			return 0;
	return 1;
}

/* What it reads and writes beside weights. A line is read before it is
 * written. */
static double activation_bytes(const struct mx_layer *layer)
{
	double elems = 0;
	uint32_t i;

	for (i = 0; i < layer->in_count; i++)
		elems += (double)mx_shape_elems(&layer->in_shape[i]);
	for (i = 0; i < layer->out_count; i++)
		elems += 2 * (double)mx_shape_elems(&layer->out_shape[i]);
	return elems * sizeof(float);
}

/* Multiply-accumulates that fetching weights does not hide. */
static double work(const struct mx_layer *layer, enum mx_cost_kernels kernels)
{
	const double weights =
		(double)layer->weights.rows * (double)layer->weights.row_elems;
	const double all = kernels == MX_COST_EXACT ? (double)layer->macs
						    : (double)layer->work;

	return all > weights ? all - weights : 0;
}

static double alone_s(const struct mx_layer *layer,
		      const struct mx_rates *rates,
		      enum mx_cost_kernels kernels)
{
	const double memory = (double)rates->memory_bytes_per_s;
	const double arithmetic =
		work(layer, kernels) / (double)rates->macs_per_s;
	const double activations = activation_bytes(layer) / memory;

	return (double)layer->weight_bytes / memory +
	       (arithmetic > activations ? arithmetic : activations);
}

uint64_t mx_cost_layer_ns(const struct mx_network *net, uint32_t index,
			  const struct mx_rates *rates, uint32_t threads,
			  enum mx_cost_kernels kernels)
{
	const struct mx_layer *layer = &net->layers[index];
	/* Rates are those of rates->threads together; the layer gets its
	 * workers' part of them. */
	const double slower = (double)rates->threads / threads *
			      mx_cost_imbalance(layer, threads);

	if (moves_nothing(net, layer))
		return rates->layer_ns;
	return rates->layer_ns +
	       (uint64_t)(alone_s(layer, rates, kernels) * NS_PER_S * slower);
}

static void estimate(struct mx_cost_net *one, const struct mx_rates *rates,
		     uint32_t threads, enum mx_cost_kernels kernels)
{
	uint32_t i;

	for (i = 0; i < one->net->layer_count; i++)
		one->layer_ns[i] =
			mx_cost_layer_ns(one->net, i, rates, threads, kernels);
}

/* Measured for fewer threads: the model says how much more help. */
static void extrapolate(struct mx_cost_net *one,
			const struct mx_cost_source *source,
			const struct mx_rates *rates, uint32_t threads)
{
	const uint32_t most = source->measured_threads;
	const uint64_t *known =
		source->layer_ns + (size_t)(most - 1) * one->net->layer_count;
	uint32_t i;

	for (i = 0; i < one->net->layer_count; i++) {
		const uint64_t now = mx_cost_layer_ns(one->net, i, rates,
						      threads, MX_COST_BEST);
		const uint64_t then = mx_cost_layer_ns(one->net, i, rates, most,
						       MX_COST_BEST);

		one->layer_ns[i] = known[i];
		if (then)
			one->layer_ns[i] =
				(uint64_t)((double)known[i] * (double)now /
					   (double)then);
	}
}

/* Measured with the best kernels: the exact ones have as much more to do. */
static void exact(struct mx_cost_net *one)
{
	const struct mx_layer *layer;
	uint32_t i;

	for (i = 0; i < one->net->layer_count; i++) {
		layer = &one->net->layers[i];
		if (layer->work < layer->macs)
			one->layer_ns[i] =
				(uint64_t)((double)one->layer_ns[i] *
					   (double)layer->macs /
					   (double)mx_u64_max(layer->work, 1));
	}
}

static int fill_in(struct mx_cost_net *one, const struct mx_cost_source *source,
		   uint32_t threads, const struct mx_rates *rates,
		   struct mx_err *err)
{
	const uint32_t count = source->net->layer_count;
	const int measured =
		source->layer_ns && source->measured_threads >= threads;
	uint32_t i;

	one->net = source->net;
	one->layer_ns = calloc((size_t)count + 1, sizeof(*one->layer_ns));
	if (!one->layer_ns)
		return mx_fail(err, ENOMEM, "%s: no memory for costs",
			       one->net->name);
	if (!measured && !rates)
		return mx_fail(err, EINVAL,
			       "%s: is not measured for %u threads",
			       one->net->name, threads);
	one->origin = measured ? MX_COST_MEASURED : MX_COST_ESTIMATED;
	if (measured)
		memcpy(one->layer_ns,
		       source->layer_ns + (size_t)(threads - 1) * count,
		       count * sizeof(*one->layer_ns));
	else if (source->layer_ns && source->measured_threads)
		extrapolate(one, source, rates, threads);
	else
		estimate(one, rates, threads, source->kernels);
	if (source->kernels == MX_COST_EXACT && source->layer_ns &&
	    source->measured_threads)
		exact(one);
	for (i = 0; i < count; i++)
		one->compute_ns += one->layer_ns[i];
	return 0;
}

static struct mx_storage storage_of(const struct mx_cost_source *source)
{
	if (source->read_bytes_per_s == 0)
		return (struct mx_storage){
			.read_bytes_per_s = MX_COST_READ_BYTES_PER_S,
			.latency_ns = MX_COST_LATENCY_NS,
			.origin = MX_COST_ESTIMATED,
		};
	return (struct mx_storage){
		.read_bytes_per_s = source->read_bytes_per_s,
		.latency_ns = source->latency_ns,
		.origin = MX_COST_MEASURED,
	};
}

int mx_costs_init(struct mx_costs *costs, const struct mx_cost_source *sources,
		  uint32_t count, uint32_t threads,
		  const struct mx_rates *rates, struct mx_err *err)
{
	uint32_t i;
	int rc = 0;

	assert(threads > 0);
	memset(costs, 0, sizeof(*costs));
	costs->threads = threads;
	costs->nets = calloc((size_t)count + 1, sizeof(*costs->nets));
	if (!costs->nets)
		return mx_fail(err, ENOMEM, "no memory for costs");
	for (i = 0; i < count && !rc; i++) {
		struct mx_cost_net *one = &costs->nets[costs->net_count++];

		rc = fill_in(one, &sources[i], threads, rates, err);
		one->storage = storage_of(&sources[i]);
	}
	if (rc)
		mx_costs_fini(costs);
	return rc;
}

void mx_costs_fini(struct mx_costs *costs)
{
	uint32_t i;

	for (i = 0; i < costs->net_count; i++)
		free(costs->nets[i].layer_ns);
	free(costs->nets);
	memset(costs, 0, sizeof(*costs));
}
