/*
 * Plan: what a budget is spent on. For a set of networks, a budget and costs:
 * whether it fits, what the least is and what sets it, which slices stay
 * pinned and how much memory the others stream through, and what that will
 * take.
 *
 * The account (the ledger) is static: everything is set aside at the start, so
 * that nothing can grow later.
 *
 *   fixed        the program, its heap, stacks, page tables, the kernel's side
 *   scratch      each worker's
 *   inputs       given inputs, and outputs, as plain arrays
 *   activations  of the jobs that may run at once
 *   weights      pinned slices, and the ring for the others
 *
 * Activations and weights are one memory: the two lines say what the plan
 * counts on, and pin by. Where a job's activations shrink as it goes on, or no
 * job runs, the ring has what they leave.
 */
#ifndef MX_SCHED_PLAN_H
#define MX_SCHED_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct mx_costs;
struct mx_err;
struct mx_network;

/* No limit: everything resident. */
#define MX_BUDGET_NONE UINT64_MAX

struct mx_plan_opts {
	uint64_t budget_bytes;
	uint32_t threads;
	uint32_t passes; /* how often each network will run; above 1 pins */
	uint32_t given_inputs; /* as struct mx_engine_opts */
	uint64_t fixed_bytes; /* mx_process_fixed_bytes() */
};

struct mx_plan_net {
	const struct mx_network *net;
	uint64_t weight_bytes; /* what one pass reads when nothing is there */
	uint64_t largest_unit_bytes;
	uint64_t pair_bytes; /* the largest two neighbours in the stream */
	uint32_t pair_layer; /* where those are */
	uint64_t activation_bytes; /* planned; and where the most is live */
	uint64_t activation_bound_bytes;
	uint32_t peak_layer;
	uint64_t array_bytes; /* inputs and outputs */
	uint64_t scratch_bytes; /* of each worker */
	uint64_t pinned_bytes;
	unsigned char *pinned; /* for each slice */
};

struct mx_plan {
	struct mx_plan_opts opts;
	struct mx_plan_net *nets;
	uint32_t net_count;

	int feasible;
	int streaming; /* 0: everything is mapped and stays */
	uint64_t minimum_bytes;
	uint32_t minimum_net; /* the network that sets it */

	/* The account, when feasible. */
	uint64_t scratch_bytes; /* of all workers */
	uint64_t array_bytes;
	uint64_t memory_bytes; /* the next two: streaming, one slab */
	uint64_t activation_bytes;
	uint64_t weights_bytes; /* mapped: all weights */
	uint64_t ring_bytes; /* of these, what is not pinned */
	uint64_t table_bytes; /* page tables of the slab */
	uint64_t predicted_peak_bytes;
};

/*
 * Plan for @count bound networks. mx_plan_fini() ends it; @nets must outlive
 * it. A budget that is too small is no error: feasible is 0 and the minimum
 * says what would do.
 *
 * Returns 0, -ENOMEM or -EOVERFLOW.
 */
int mx_plan_init(struct mx_plan *plan, const struct mx_plan_opts *opts,
		 const struct mx_network *const *nets, uint32_t count,
		 struct mx_err *err);

void mx_plan_fini(struct mx_plan *plan);

/*
 * "budget 16.0 MiB is too small: needs 41.3 MiB (conv1_2: activations ...)"
 * into @err. Returns -EDQUOT.
 */
int mx_plan_refuse(const struct mx_plan *plan, struct mx_err *err);

#endif
