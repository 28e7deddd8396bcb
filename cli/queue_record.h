/*
 * A record of one run of a script, on either driver: what each layer's weights
 * and computing took, and when workers were busy. All memory is there from the
 * beginning, and touched, so that a budget counts it.
 *
 * Threads: the observers come one at a time (under the engine's lock); the
 * rest while nothing runs.
 */
#ifndef MX_CLI_QUEUE_RECORD_H
#define MX_CLI_QUEUE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "sched/board.h"
#include "sched/memexec.h"

struct mx_err;
struct mx_network;

/* Of all jobs of the run. */
struct mx_record_layer {
	uint64_t load_count; /* reads that began with one of its slices */
	uint64_t load_ns; /* from asking for them to having them */
	uint64_t exec_count; /* jobs that have computed it whole */
	uint64_t exec_ns; /* computing, summed over workers */
};

struct mx_record_net {
	const struct mx_network *net;
	struct mx_record_layer *layers;
	uint32_t *layer_of_unit;
	uint64_t *asked_ns; /* of each unit: when its read began */
	uint32_t unit_count;
};

struct mx_record_busy {
	uint64_t begin_ns;
	uint64_t end_ns;
};

/* Intervals so many at most: beyond that close ones are taken together. */
#define MX_RECORD_BUSY_MAX 4096

struct mx_record_worker {
	struct mx_record_busy *busy; /* in order, apart */
	size_t busy_count;
	uint64_t join_ns; /* gaps up to that are not kept */
};

struct mx_record {
	struct mx_record_net *nets;
	uint32_t net_count;
	struct mx_record_worker *workers;
	uint32_t worker_count;
	uint64_t begin_ns; /* of the script, on the driver's clock */
	/* The board's, whose steps say what computing takes; NULL: chunks say
	 * it. Set by whoever simulates. */
	const struct mx_board_net *simulated;
};

/* Zeroed memory, touched, so that what is counted before a run has it all;
 * free() ends it. NULL: there is none. */
void *mx_record_alloc(size_t count, size_t size);

/*
 * For @count networks in the order in which the driver knows them, and
 * @worker_count workers. mx_record_fini() ends it. Returns 0 or -ENOMEM.
 */
int mx_record_init(struct mx_record *record,
		   const struct mx_network *const *nets, uint32_t count,
		   uint32_t worker_count, struct mx_err *err);
void mx_record_fini(struct mx_record *record);

/* The units of network @index are @net's: those of a simulation are bigger
 * than the pager's. Returns 0 or -ENOMEM. */
int mx_record_set_units(struct mx_record *record, uint32_t index,
			const struct mx_board_net *net, struct mx_err *err);

/* An mx_board_observer_fn and an mx_chunk_observer_fn; @user is the record. */
void mx_record_event(void *user, const struct mx_board_event *event);
void mx_record_chunk(void *user, const struct mx_chunk_event *event);

#endif
