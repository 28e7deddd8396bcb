/*
 * Footprint: what a network costs in memory, before it runs.
 */
#ifndef MX_CLI_FOOTPRINT_H
#define MX_CLI_FOOTPRINT_H

#include <stdint.h>

struct mx_err;
struct mx_network;

struct mx_footprint {
	uint64_t weight_bytes; /* of all layers; equal ones count each time */
	uint64_t largest_layer_bytes;
	uint32_t largest_layer; /* MX_NONE without weights */
	uint64_t activation_bytes; /* the planned arena */
	uint64_t activation_bound_bytes; /* no plan can need less */
	uint32_t peak_layer; /* where that is */
	uint64_t scratch_bytes; /* the most a layer wants, a thread */
	uint64_t macs;
};

/* Of a bound network. Returns 0, -ENOMEM or -EOVERFLOW. */
int mx_footprint_init(struct mx_footprint *sums, const struct mx_network *net,
		      struct mx_err *err);

/*
 * The least budget that run takes for a bound, mapped network whose inputs are
 * given, with a worker for each CPU: what plan says, to 64 KiB. Opens an
 * engine and OpenBLAS to measure the fixed part.
 * Returns 0 or as mx_engine_open() and mx_engine_plan().
 */
int mx_footprint_minimum(const struct mx_network *net, uint64_t *out_bytes,
			 struct mx_err *err);

/* Of all inputs as plain arrays. */
uint64_t mx_footprint_input_bytes(const struct mx_network *net);

#endif
