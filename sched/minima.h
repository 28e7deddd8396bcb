/*
 * A row of values of which the smallest, and the first that is not above a
 * limit, are found in the time of its logarithm.
 *
 * Threads: none; the caller locks.
 */
#ifndef MX_SCHED_MINIMA_H
#define MX_SCHED_MINIMA_H

#include <stdint.h>

#define MX_MINIMA_NONE UINT64_MAX

struct mx_minima {
	/* A heap-shaped tree: node i is the smaller of nodes 2i and 2i + 1;
	 * the row begins at node `width`. */
	uint64_t *nodes;
	uint32_t count;
	uint32_t width; /* a power of two, at least count */
};

/* @count values, all MX_MINIMA_NONE. mx_minima_fini() ends it. Returns 0 or
 * -ENOMEM. */
int mx_minima_init(struct mx_minima *minima, uint32_t count);
/* Zeroed ones are fine. */
void mx_minima_fini(struct mx_minima *minima);

void mx_minima_set(struct mx_minima *minima, uint32_t index, uint64_t value);

/* The lowest index from @from on whose value is at most @limit, which is below
 * MX_MINIMA_NONE; count: none. */
uint32_t mx_minima_find(const struct mx_minima *minima, uint32_t from,
			uint64_t limit);

/* The lowest index of the smallest value; count: all are MX_MINIMA_NONE. */
uint32_t mx_minima_least(const struct mx_minima *minima);

#endif
