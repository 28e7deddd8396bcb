/*
 * The board's own members, for board*.c and tests.
 */
#ifndef MX_SCHED_BOARD_IMPL_H
#define MX_SCHED_BOARD_IMPL_H

#include <stdint.h>

#include "pager/residency.h"
#include "sched/board.h"

/* A job and what the board alone knows of it. */
struct mx_board_entry {
	struct mx_board_job job;
	enum mx_job_state ends_as; /* once job.status is set */
	struct mx_board_entry *next_free; /* in the pool */
	uint64_t done[]; /* a bit for each step of the layer being computed */
};

/* Entries are made this many at a time, and freed with the board. */
#define MX_BOARD_BLOCK_ENTRIES 64
struct mx_board_block {
	struct mx_board_block *next;
	uint64_t entries[]; /* entry_bytes each */
};

/* A network, as the board sees it. */
struct mx_board_home {
	struct mx_board_job *first_waiting; /* by id */
	struct mx_board_job *last_waiting;
	uint64_t waiting_count;
	uint64_t live_count; /* jobs that have not ended */
	uint32_t running_count;
	uint32_t failed_count; /* units that are FAILED */
	/* By unit: its steps are first_step .. last_step, in order
	 * (MX_STEP_NONE: none), and how many RUNNING jobs have done them all.
	 */
	uint32_t *first_step;
	uint32_t *last_step;
	uint32_t *consumed;
};

struct mx_board {
	struct mx_board_opts opts;
	void *policy_state;
	int policy_is_there;
	struct mx_residency *residency;
	struct mx_board_home *homes;
	uint32_t *unit_tables; /* of all homes */
	uint64_t now_ns;
	uint64_t next_id;

	struct mx_board_job *first_running; /* by admission */
	struct mx_board_job *last_running;
	uint32_t running_count;

	/* Of the units that the residency has dropped in this call: told when
	 * it is in order again. Room for all units. */
	struct mx_unit_ref *dropped;
	uint32_t dropped_count;

	/* Counts changes. The policy is not asked again for help, or a load,
	 * while nothing has changed since it had none. */
	uint64_t changes;
	uint64_t helped_out;
	uint64_t loaded_out;
	/* An arena of that size found no place, and nothing has made room
	 * since. */
	uint64_t blocked_bytes;

	struct mx_board_block *blocks;
	struct mx_board_entry *free_entries;
	uint64_t entry_bytes;
	uint64_t entry_words; /* of done[] */
};

/* An entry's job, its members undefined; NULL without memory. */
struct mx_board_job *mx_board_take_job(struct mx_board *board);

/* Into, and out of, its network's WAITING jobs or the RUNNING ones. */
void mx_board_join_waiting(struct mx_board *board, struct mx_board_job *job);
void mx_board_leave_waiting(struct mx_board *board, struct mx_board_job *job);
void mx_board_join_running(struct mx_board *board, struct mx_board_job *job);
void mx_board_leave_running(struct mx_board *board, struct mx_board_job *job);

/* A policy's use, for the residency, where 0 is sooner than any: an arena's. */
static inline uint64_t mx_board_use(uint64_t use)
{
	return use == MX_USE_NEVER ? use : use + 1;
}

/* Has the job, which is RUNNING, done all steps of the unit? */
int mx_board_has_consumed(const struct mx_board *board,
			  const struct mx_board_job *job, uint32_t unit);

/* Every invariant holds. */
void mx_board_assert_ok(const struct mx_board *board);

#endif
