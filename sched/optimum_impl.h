/*
 * States of the search for the optimum, how a task is appended to one, and
 * what the rest will take at least.
 */
#ifndef MX_SCHED_OPTIMUM_IMPL_H
#define MX_SCHED_OPTIMUM_IMPL_H

#include <stdint.h>

#include "sched/instance.h"

/*
 * What matters of the tasks that have been started, in the order of their
 * starts, for those that have not. Times before the last start are all alike:
 * they are that start.
 */
struct mx_search_state {
	uint64_t now_ns; /* the last start */
	uint64_t io_ns; /* when the last LOAD ends */
	/* When the last EXEC of the network ends; before its first, its
	 * release. */
	uint64_t exec_ns[MX_INSTANCE_NETS_MAX];
	uint64_t done_ns; /* ends of networks whose last EXEC has started */
	uint64_t bound_ns; /* the sum of ends is no less */
	uint64_t held_bytes; /* weights whose EXEC has not started */
	uint32_t loaded[MX_INSTANCE_NETS_MAX]; /* a bit for each layer */
	uint8_t started[MX_INSTANCE_NETS_MAX]; /* EXECs */
	uint8_t load_net; /* the last LOAD */
	uint8_t load_layer;
	uint32_t trail; /* the search's: how it came here */
	uint32_t next; /* the search's: another of the same key */
};

struct mx_search_task {
	uint8_t net;
	uint8_t layer;
	uint8_t is_load;
};

/* Nothing has been started. */
void mx_search_begin(struct mx_search_state *state,
		     const struct mx_instance *instance);

/*
 * The earliest start of @task behind all that have been started, and not
 * before the last of them: MX_TIME_NEVER if there is none. @task may be any
 * LOAD not started, or the next EXEC of a network.
 */
uint64_t mx_search_start(const struct mx_search_state *state,
			 const struct mx_instance *instance,
			 struct mx_search_task task);

/* Start @task at @start_ns, which is mx_search_start(). Leaves bound_ns. */
void mx_search_append(struct mx_search_state *state,
		      const struct mx_instance *instance,
		      struct mx_search_task task, uint64_t start_ns);

/* The sum of the ends of all networks is no less, however it goes on. */
uint64_t mx_search_bound(const struct mx_search_state *state,
			 const struct mx_instance *instance);

/* Whatever can be done from @b can be done from @a, and is over no later. They
 * have the same `loaded` and `started`. */
int mx_search_dominates(const struct mx_search_state *a,
			const struct mx_search_state *b, uint32_t net_count);

#endif
