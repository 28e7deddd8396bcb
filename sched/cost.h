/*
 * Costs: what computing each layer and reading the weights takes on this
 * machine, for a set of networks. Where a layer or a storage was measured
 * (profile.pb, sched/measure.h) that is taken; else it is estimated from the
 * layer's multiply-accumulates and bytes and the machine's rates
 * (sched/calibrate.h).
 *
 * Times are wall-clock nanoseconds with `threads` workers on the layer, its
 * weights being in memory. A read of n bytes occupies its storage for
 * n / read_bytes_per_s and has come latency_ns after that at the earliest;
 * latencies of reads in flight together overlap.
 *
 * Threads: the functions keep no state; costs that are made are constant.
 */
#ifndef MX_SCHED_COST_H
#define MX_SCHED_COST_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_layer;
struct mx_network;

enum mx_cost_origin { MX_COST_ESTIMATED, MX_COST_MEASURED };

/* Which kernels compute: the best, or those that sum as the definition says
 * (struct mx_simd's exact). */
enum mx_cost_kernels { MX_COST_BEST, MX_COST_EXACT };

/* A storage that nobody measured: a middling SD card or eMMC. */
#define MX_COST_READ_BYTES_PER_S 90000000u
#define MX_COST_LATENCY_NS 500000u

/* What all threads do together; each at least 1 but the overhead. */
struct mx_rates {
	uint32_t threads;
	uint64_t macs_per_s; /* a convolution computed directly, whose operands
				are in cache */
	uint64_t memory_bytes_per_s; /* reading what is in no cache */
	uint64_t layer_ns; /* handing a layer to the workers */
};

/* The rates of a machine that nobody calibrated: of a middling board's core
 * for each thread. */
void mx_rates_assume(struct mx_rates *rates, uint32_t threads);

struct mx_storage {
	uint64_t read_bytes_per_s; /* at least 1 */
	uint64_t latency_ns;
	enum mx_cost_origin origin;
};

struct mx_cost_net {
	const struct mx_network *net;
	uint64_t *layer_ns; /* layer_count */
	uint64_t compute_ns; /* their sum */
	enum mx_cost_origin origin; /* of layer_ns */
	struct mx_storage storage; /* where its weights are */
};

struct mx_costs {
	uint32_t threads;
	struct mx_cost_net *nets;
	uint32_t net_count;
};

/* What is known of a network. It must be bound and outlive the costs. */
struct mx_cost_source {
	const struct mx_network *net;
	/* layer_count values for 1 thread, then for 2, ... measured_threads;
	 * NULL: not measured. Not needed after mx_costs_init(). */
	const uint64_t *layer_ns;
	uint32_t measured_threads;
	/* That will compute. Those measured are the best: for the others, a
	 * layer's time is scaled by how much more work they have. */
	enum mx_cost_kernels kernels;
	uint64_t read_bytes_per_s; /* 0: not measured */
	uint64_t latency_ns;
};

/*
 * Costs of @count networks at @threads workers. @rates may be NULL when every
 * source is measured at that many threads. (Measured for fewer threads only,
 * a network is estimated, and the estimate scaled so that it would be right
 * for the most threads that were measured.) mx_costs_fini() ends it.
 *
 * Returns 0; -EINVAL if rates are needed and not given; -ENOMEM.
 */
int mx_costs_init(struct mx_costs *costs, const struct mx_cost_source *sources,
		  uint32_t count, uint32_t threads,
		  const struct mx_rates *rates, struct mx_err *err);

void mx_costs_fini(struct mx_costs *costs);

/*
 * The estimate for layer @index of bound network @net: fetching its weights,
 * which hides the first use of each; then the longer of its other arithmetic
 * (the layer's work, or with exact kernels its multiply-accumulates) and of
 * moving its activations (inputs once, outputs twice, since a line is read
 * before it is written), for the one is done while the other comes; nothing for
 * what only gives another name to what is there. All at the rate that as many
 * threads as it has chunks for reach; and the overhead of a layer.
 *
 * Convolutions and fully connected layers come out within a fifth on x86; what
 * computes much for each element (Lrn, DetectionOutput) is too low, what finds
 * its activations in a cache too high.
 */
uint64_t mx_cost_layer_ns(const struct mx_network *net, uint32_t index,
			  const struct mx_rates *rates, uint32_t threads,
			  enum mx_cost_kernels kernels);

/* How much longer than a full share of @threads workers a layer takes when
 * its chunks do not divide evenly: at least 1. */
double mx_cost_imbalance(const struct mx_layer *layer, uint32_t threads);

#endif
