/*
 * Rollouts: what a few small jobs would take to the end, played forward from
 * where they are now, unit by unit, with memory counted in bytes. foresight
 * tries its next moves out on it ("rollout" as in Bertsekas, Tsitsiklis and
 * Wu, 1997: a move is judged by what the plain rule makes of it afterwards).
 *
 * The plain rule is foresight's own: jobs in an order; the processor takes the
 * first that can go on, the storage the first missing unit of the first that
 * misses one, evicting what is used later, and waits when there is no room.
 */
#ifndef MX_SCHED_FORESIGHT_ROLLOUT_H
#define MX_SCHED_FORESIGHT_ROLLOUT_H

#include <stddef.h>
#include <stdint.h>

#include "sched/board.h"

#define MX_ROLLOUT_JOBS 8
#define MX_ROLLOUT_UNITS 96 /* of all networks together */

struct mx_rollout_job {
	uint32_t net; /* in nets[] */
	uint32_t next_step; /* the first that is neither done nor computed */
	int admitted;
	uint64_t busy_ns; /* the step before is still computed; 0: it is not */
	uint64_t arena_bytes; /* once admitted */
	uint64_t finish_ns; /* once all is done */
};

struct mx_rollout {
	const struct mx_board_net *nets[MX_ROLLOUT_JOBS];
	uint32_t first_unit[MX_ROLLOUT_JOBS]; /* of each net, in state[] */
	uint32_t net_count;
	uint8_t state[MX_ROLLOUT_UNITS]; /* enum mx_unit_state */
	struct mx_rollout_job jobs[MX_ROLLOUT_JOBS];
	uint32_t job_count;
	uint32_t processors;
	uint64_t capacity_bytes;
	uint64_t largest_unit_bytes;
	uint64_t load_ns; /* the storage is busy for that */
};

/* The first move, instead of the plain rule's. */
enum mx_rollout_kind {
	MX_ROLLOUT_PLAIN,
	MX_ROLLOUT_LOAD, /* a missing unit of the job; or none for now */
	MX_ROLLOUT_HELP, /* the job; or none for now */
};
struct mx_rollout_move {
	enum mx_rollout_kind kind;
	uint32_t job; /* MX_ROLLOUT_JOBS: none, until something has happened */
	uint32_t skip; /* so many of its missing units that come before */
};

/*
 * The sum of the jobs' finishing times from now, served in @order (job_count
 * indices). Infinite if they get stuck.
 */
double mx_rollout_cost(const struct mx_rollout *rollout, const uint8_t *order,
		       struct mx_rollout_move move);

/* Improve @order: all orders of up to four jobs, else swaps of neighbours. */
void mx_rollout_order(const struct mx_rollout *rollout, uint8_t *order);

/*
 * The best first move of @moves[@count] (the plain rule's own first): its
 * index, 0 unless another is better.
 */
uint32_t mx_rollout_choose(const struct mx_rollout *rollout,
			   const uint8_t *order,
			   const struct mx_rollout_move *moves, uint32_t count);

#endif
