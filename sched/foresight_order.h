/*
 * In which order foresight serves waves (jobs of one network that go through
 * it together): first by an index, then, where a few compete, by trying orders
 * out on a model of the two resources, the storage and the processor.
 *
 * The index of a wave is
 *
 *     arrival / MX_FORESIGHT_AGEING + time / jobs
 *
 * with the time it still takes alone, max(reading, computing), shared by its
 * jobs: shortest remaining time first, which is optimal for the mean response
 * on one resource (Schrage, 1968), with ageing. Since all indices age alike,
 * the order of two waves that wait never changes, and no wave is ever behind
 * one that came more than MX_FORESIGHT_AGEING x its own time after it: that
 * bounds its waiting by that time and the work that came before its end.
 */
#ifndef MX_SCHED_FORESIGHT_ORDER_H
#define MX_SCHED_FORESIGHT_ORDER_H

#include <stddef.h>
#include <stdint.h>

#define MX_FORESIGHT_AGEING 64

/* Up to so many waves at the head of the order are permuted. */
#define MX_FORESIGHT_TRIED 6

struct mx_wave_view {
	uint64_t arrival_ns; /* of the oldest job */
	uint64_t read_ns; /* of what it needs and is not there */
	uint64_t compute_ns; /* of all its jobs together */
	/* Computing that follows the arrival of its last missing unit. */
	uint64_t tail_ns;
	uint32_t jobs;
	int blocked; /* cannot be admitted: behind all others */
	void *user;
};

/*
 * Sort @waves. Beyond the index: an overdue wave (older than its ageing time)
 * keeps its place; of the others the first MX_FORESIGHT_TRIED are tried in all
 * orders, and the one with the least sum of finishing times is taken.
 */
void mx_foresight_order(struct mx_wave_view *waves, size_t count,
			uint64_t now_ns);

/*
 * The sum over all jobs of when they finish, from now, if the storage and the
 * processor each serve the waves in this order, the processor turning to a
 * later one when an earlier one waits.
 */
double mx_foresight_cost(const struct mx_wave_view *const *order, size_t count);

#endif
