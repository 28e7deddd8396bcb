/*
 * Instances: small scheduling problems, known whole and in advance, for which
 * the best possible schedule can be found (sched/optimum.h), so that policies
 * have something to be measured against.
 *
 * The model. Each network runs once, from its release on. A layer with weights
 * is a task LOAD and a task EXEC, one without is an EXEC alone; a task runs
 * from its start to its end without a break. For all times:
 *
 *   - no task starts before its network's release; an EXEC starts when its
 *     LOAD and the EXEC before it have ended;
 *   - at most one LOAD and at most `processors` EXECs run;
 *   - at most budget_bytes are in use: a layer's weights from its LOAD's start
 *     to its EXEC's end; run_bytes from its EXEC's start to its end, and
 *     keep_bytes from there to the next EXEC's start.
 *
 * The LOADs of a network may come in any order. What is sought is the least
 * sum of responses, a response being the last EXEC's end less the release.
 */
#ifndef MX_SCHED_INSTANCE_H
#define MX_SCHED_INSTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "sched/board.h"

struct mx_err;

/* What bounds an instance: bits of a word, and sums that must not overflow. */
#define MX_INSTANCE_NETS_MAX 8
#define MX_INSTANCE_LAYERS_MAX 32 /* of one network */

struct mx_instance_layer {
	uint64_t load_ns; /* at least 1 if there are weights */
	uint64_t exec_ns; /* at least 1 */
	uint64_t weight_bytes; /* 0: no LOAD */
	uint64_t run_bytes;
	/* No more than this and the next layer's run_bytes; of the last layer
	 * 0. */
	uint64_t keep_bytes;
	int dense; /* as struct mx_board_layer; the model does not ask */
};

struct mx_instance_net {
	uint64_t release_ns;
	struct mx_instance_layer *layers;
	uint32_t layer_count; /* at least 1 */
};

struct mx_instance {
	struct mx_instance_net *nets;
	uint32_t net_count; /* at least 1 */
	uint32_t processors; /* at least 1 */
	uint64_t budget_bytes;
};

/* A read of weights that went again before their EXEC: no optimum has any. */
struct mx_schedule_reread {
	uint32_t net;
	uint32_t layer;
	uint64_t start_ns;
	uint64_t gone_ns; /* its memory is free again */
};

/* When each task starts. */
struct mx_schedule_layer {
	uint64_t load_ns; /* MX_TIME_NEVER: has no weights */
	uint64_t exec_ns;
};
struct mx_schedule {
	struct mx_schedule_layer *layers; /* of all networks in a row */
	struct mx_schedule_reread *rereads;
	size_t reread_count;
};

/*
 * Room for @net_count networks of @layer_counts[] layers each, all zero.
 * mx_instance_fini() ends it. Returns 0; -EINVAL for more than the bounds
 * above; -ENOMEM.
 */
int mx_instance_init(struct mx_instance *instance, uint32_t net_count,
		     const uint32_t *layer_counts, struct mx_err *err);
void mx_instance_fini(struct mx_instance *instance);

/* How much memory a random instance has: a little more than the least that a
 * board works with, some, or enough for nearly everything. */
enum mx_instance_budget {
	MX_INSTANCE_TIGHT,
	MX_INSTANCE_MIDDLE,
	MX_INSTANCE_LOOSE,
};

struct mx_instance_random {
	uint64_t seed;
	uint32_t nets_min, nets_max;
	uint32_t layers_min, layers_max;
	enum mx_instance_budget budget;
	uint32_t processors;
};

/*
 * A random instance: chains whose activations only lessen, networks bound by
 * computing and by reading, releases from together to one after the other.
 * Sizes are whole pages, times whole microseconds. Equal input, equal
 * instance. mx_instance_fini() ends it. Returns as mx_instance_init().
 */
int mx_instance_init_random(struct mx_instance *instance,
			    const struct mx_instance_random *how,
			    struct mx_err *err);

/*
 * An instance of real networks, all released at once, in @memory_bytes (or
 * MX_RESIDENCY_UNLIMITED), on one processor: neighbouring steps are taken as
 * one layer until there are at most @task_max tasks, the cheapest first, and
 * as evenly as the memory asks for. mx_instance_fini() ends it.
 *
 * Returns 0; -EINVAL if that cannot be had (the message says the limits);
 * -ENOMEM.
 */
int mx_instance_init_nets(struct mx_instance *instance,
			  const struct mx_board_net *nets, uint32_t net_count,
			  uint64_t memory_bytes, uint32_t task_max,
			  struct mx_err *err);

/* Layers of all networks; LOADs and EXECs of all. */
uint32_t mx_instance_layer_count(const struct mx_instance *instance);
uint32_t mx_instance_task_count(const struct mx_instance *instance);
/* Activations on a board: the most that is needed from @layer on. */
uint64_t mx_instance_arena_bytes(const struct mx_instance_net *net,
				 uint32_t layer);
/* The least that a board works with: the largest activations and weights. */
uint64_t mx_instance_minimum_bytes(const struct mx_instance *instance);

/* A schedule for @instance, all zero. mx_schedule_fini() ends it. Returns 0 or
 * -ENOMEM. */
int mx_schedule_init(struct mx_schedule *schedule,
		     const struct mx_instance *instance, struct mx_err *err);
void mx_schedule_fini(struct mx_schedule *schedule);
/* The sum of responses. */
uint64_t mx_schedule_response_ns(const struct mx_schedule *schedule,
				 const struct mx_instance *instance);

#endif
