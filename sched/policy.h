/*
 * Policies: the rules that pick the next load, the next job to help and the
 * next eviction. One file a policy, and a table of them in policy.c.
 *
 * A policy sees the board and keeps a state of its own. Its functions are
 * called by the board alone, never side by side.
 */
#ifndef MX_SCHED_POLICY_H
#define MX_SCHED_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "sched/board.h"

struct mx_err;

enum mx_policy_traits {
	/* Units that the networks mark as pinned stay. */
	MX_POLICY_PINS = 1 << 0,
	/* A unit that a job has consumed is dropped at once unless another
	 * RUNNING job still needs it, as the reference frees a layer's weights
	 * when it has been executed. */
	MX_POLICY_DROPS = 1 << 1,
	/* A network's units are dropped when a job of it ends and no other
	 * RUNNING job needs them, as the reference frees a network. */
	MX_POLICY_DROPS_AT_END = 1 << 2,
};

struct mx_policy {
	const char *name;
	const char *summary; /* a line for people */
	unsigned traits; /* enum mx_policy_traits */
	uint32_t workers; /* layer tasks at once by default; 0: not counted */
	/* @board has its networks and no jobs. Returns 0 or -ENOMEM. */
	int (*init)(void **state, const struct mx_board *board,
		    struct mx_err *err);
	void (*fini)(void *state);
	/* Something has happened (after the board has noted it). */
	void (*event)(void *state, const struct mx_board *board,
		      const struct mx_board_event *event);
	/*
	 * The job that a free worker shall help: a WAITING one that fits
	 * (mx_board_fits) is admitted; a RUNNING one must be ready
	 * (mx_board_is_ready). NULL: none.
	 */
	struct mx_board_job *(*next_help)(void *state,
					  const struct mx_board *board);
	/*
	 * The ABSENT unit to read next, and when it will be used (the same
	 * scale as next_use). Returns 1, or 0 when none should be read now. It
	 * is asked again after the next event if there was no room.
	 */
	int (*next_load)(void *state, const struct mx_board *board,
			 struct mx_unit_ref *out, uint64_t *use);
	/* See mx_next_use_fn. NULL: the least recently used goes first. */
	uint64_t (*next_use)(void *state, const struct mx_board *board,
			     struct mx_unit_ref ref);
	/* Uses after this are by mx_residency_last_use(): see struct
	 * mx_residency_opts. 0: they are not. */
	uint64_t recent_use;
	/* From this use on nobody waits for a unit: see struct
	 * mx_residency_opts. */
	uint64_t idle_use;
};

extern const struct mx_policy mx_policy_fifo;
extern const struct mx_policy mx_policy_foresight;
extern const struct mx_policy mx_policy_bulk;
extern const struct mx_policy mx_policy_multi_bulk;
extern const struct mx_policy mx_policy_linear;
extern const struct mx_policy mx_policy_partial;
extern const struct mx_policy mx_policy_deepeye;
extern const struct mx_policy mx_policy_deepeye_frugal;
extern const struct mx_policy mx_policy_mema;
extern const struct mx_policy mx_policy_masa;

#define MX_POLICY_DEFAULT "foresight"

/* NULL: no such policy. */
const struct mx_policy *mx_policy_find(const char *name);
/* Item @index of all, NULL past the last. */
const struct mx_policy *mx_policy_at(size_t index);

#endif
