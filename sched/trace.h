/*
 * Trace: what happens on a board, under either driver, as spans and counters
 * for whoever draws them. It keeps the last of them, in memory of a size that
 * is given; those that do not fit are counted.
 *
 * Threads: any may call the observers and mx_trace_charge(); the rest while
 * nothing runs.
 */
#ifndef MX_SCHED_TRACE_H
#define MX_SCHED_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "sched/board.h"
#include "sched/memexec.h"

struct mx_err;
struct mx_network;
struct mx_trace;

enum mx_trace_kind {
	/* A job, since its arrival: not admitted; admitted, until it ended. */
	MX_TRACE_WAIT,
	MX_TRACE_RUN,
	MX_TRACE_COMPUTE, /* parts of a layer, on a worker */
	/* A unit's read, from when the storage had done with the one before
	 * that came; what waits in line has not begun. */
	MX_TRACE_READ,
	MX_TRACE_DROP, /* a unit is gone: a moment */
	/* From then on so much is in use. */
	MX_TRACE_WEIGHTS,
	MX_TRACE_ACTIVATIONS,
	MX_TRACE_CHARGE,
	/* So much has been moved in memory, since the beginning. */
	MX_TRACE_MOVED,
};

/* Times are the driver's. */
struct mx_trace_record {
	uint64_t begin_ns;
	uint64_t end_ns; /* as begin_ns for moments and counters */
	uint64_t number; /* WAIT, RUN, COMPUTE: the job's id; else bytes */
	uint32_t net;
	uint32_t layer; /* COMPUTE; READ, DROP: the first that uses the unit */
	uint32_t index; /* COMPUTE: the worker; READ, DROP: the unit */
	uint16_t kind; /* enum mx_trace_kind */
	int16_t status; /* WAIT, RUN: the job's, if it ended; READ */
};

/* A network, in the order in which the driver knows them. */
struct mx_trace_net {
	const struct mx_network *net; /* its units are the pager's, */
	/* or these are what a simulation plays, whose steps say what computing
	 * takes; NULL: chunks say it. Lives while it is observed. */
	const struct mx_board_net *map;
};

enum mx_trace_flags {
	/* All memory is there, and touched, from the beginning, so that a
	 * budget counts it; else it comes as it is needed. */
	MX_TRACE_SET_ASIDE = 1 << 0,
};

struct mx_trace_opts {
	const struct mx_trace_net *nets;
	uint32_t net_count;
	size_t size_bytes; /* for records; rounded up to what it takes */
	unsigned flags; /* enum mx_trace_flags */
	/* Who is told too, before; may be NULL. */
	mx_board_observer_fn *observer;
	mx_chunk_observer_fn *chunk_observer;
	void *observer_user;
};

/* mx_trace_free() ends it. Returns 0 or -ENOMEM. */
int mx_trace_new(struct mx_trace **out, const struct mx_trace_opts *opts,
		 struct mx_err *err);
/* NULL is fine. */
void mx_trace_free(struct mx_trace *trace);

/* An mx_board_observer_fn and an mx_chunk_observer_fn; @user is the trace. */
void mx_trace_event(void *user, const struct mx_board_event *event);
void mx_trace_chunk(void *user, const struct mx_chunk_event *event);

/* So much is the process charged for. */
void mx_trace_charge(struct mx_trace *trace, uint64_t now_ns, uint64_t bytes);

/* Records that are there, by the time at which they were made (a span's end),
 * and how many older ones are not. */
uint64_t mx_trace_count(const struct mx_trace *trace);
uint64_t mx_trace_dropped(const struct mx_trace *trace);
/* @index is below mx_trace_count(). */
const struct mx_trace_record *mx_trace_at(const struct mx_trace *trace,
					  uint64_t index);

#endif
