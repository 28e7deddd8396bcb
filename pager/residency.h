/*
 * Residency: which units of which networks are in memory, and where. Pure
 * state: no thread, no I/O, no lock of its own. The engine and the simulator
 * keep one each, so that what is simulated is what happens, to the address.
 *
 * All weights and activations live in one range of addresses, [0, capacity):
 * units from the bottom up (pinned ones first, whose place is theirs for
 * good), arenas (a job's activations) from the top down. What is in the way of
 * something wanted sooner is evicted; or, where there are enough bytes but not
 * in a row, what somebody waits for is moved together: a copy in memory takes a
 * small part of the time of another read.
 *
 * Unlimited: everything fits, nothing is evicted, offsets mean nothing.
 *
 * A unit's states:
 *
 *   ABSENT --load--> LOADING --loaded--> RESIDENT --evicted or dropped-->
 * ABSENT
 *                        '-----failed--> FAILED   --reset--> ABSENT
 *
 * A unit that is held (somebody computes on it) or LOADING is never evicted or
 * moved; a pinned one never is once it is there.
 */
#ifndef MX_PAGER_RESIDENCY_H
#define MX_PAGER_RESIDENCY_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_residency;

#define MX_RESIDENCY_UNLIMITED UINT64_MAX
/* Buffers begin and end on multiples of this (what O_DIRECT wants). */
#define MX_RESIDENCY_PAGE_BYTES 4096

enum mx_unit_state {
	MX_UNIT_ABSENT,
	MX_UNIT_LOADING,
	MX_UNIT_RESIDENT,
	MX_UNIT_FAILED,
};

/* A unit of a network: both are indices in the order they were added. */
struct mx_unit_ref {
	uint32_t net;
	uint32_t unit;
};

/*
 * When the unit will be used next, on any scale: later is larger; MX_USE_NEVER
 * for one that nobody wants. What is used last is evicted first (Belady).
 */
#define MX_USE_NEVER UINT64_MAX
typedef uint64_t mx_next_use_fn(void *user, struct mx_unit_ref ref);

/*
 * A unit is moved: its @bytes are at @from and shall be at @to. The two may
 * overlap. Several moves are told in an order in which they can be made one by
 * one. May look, not change anything.
 */
typedef void mx_moved_fn(void *user, struct mx_unit_ref ref, uint64_t from,
			 uint64_t to, uint64_t bytes);

struct mx_residency_opts {
	uint64_t capacity_bytes; /* or MX_RESIDENCY_UNLIMITED */
	/* Told of every unit that is evicted or dropped: it is ABSENT by then.
	 * May look, not change anything. May be NULL. */
	void (*dropped)(void *user, struct mx_unit_ref ref);
	/* NULL: the least recently used (mx_residency_touch) goes first. */
	mx_next_use_fn *next_use;
	/* Of two units that next_use has after this, the one with the smaller
	 * mx_residency_last_use() is used later; so most places are found
	 * without a look at all units. 0: nothing is known. */
	uint64_t recent_use;
	/* From this use on nobody waits for a unit: it is evicted rather than
	 * anything moved. 0: always evict where that is enough, and take the
	 * lowest place. */
	uint64_t idle_use;
	/* NULL: nothing is ever moved. */
	mx_moved_fn *moved;
	void *user;
};

/* mx_residency_free() ends it. Returns 0 or -ENOMEM. */
int mx_residency_new(struct mx_residency **out,
		     const struct mx_residency_opts *opts, struct mx_err *err);
void mx_residency_free(struct mx_residency *residency);

/*
 * A network of @count units of @size_bytes[] each (rounded up to pages here).
 * @pinned has a byte for each unit, non-zero: its place is set aside now;
 * NULL: none. Before the first load.
 *
 * Returns 0; -EDQUOT if the pinned units and then the largest of the others
 * do not fit; -ENOMEM.
 */
int mx_residency_add(struct mx_residency *residency, const uint64_t *size_bytes,
		     uint32_t count, const unsigned char *pinned,
		     struct mx_err *err);

enum mx_unit_state mx_residency_state(const struct mx_residency *residency,
				      struct mx_unit_ref ref);
int mx_residency_is_pinned(const struct mx_residency *residency,
			   struct mx_unit_ref ref);
/* Where a unit that is LOADING or RESIDENT lies: for good while it is held or
 * LOADING, else until the next load or arena. */
uint64_t mx_residency_offset(const struct mx_residency *residency,
			     struct mx_unit_ref ref);
/* The status a FAILED unit was given. */
int mx_residency_status(const struct mx_residency *residency,
			struct mx_unit_ref ref);

/*
 * Make room for an ABSENT unit that will be used at @use and make it LOADING.
 * Of the places it could have, the one whose most needed tenant is needed
 * last is cleared (of equals: the fewest bytes, then the lowest); only tenants
 * needed later than @use are evicted (with next_use NULL any that nobody holds
 * is). Where there is no such place, or somebody waits for what would have to
 * go, units that may move are moved together, as few bytes as possible, if what
 * has to go then is needed later.
 *
 * Returns 0, or -EAGAIN, with nothing evicted, if there is no such place now.
 */
int mx_residency_load(struct mx_residency *residency, struct mx_unit_ref ref,
		      uint64_t use);

/* Would mx_residency_load() succeed now? */
int mx_residency_has_room(struct mx_residency *residency,
			  struct mx_unit_ref ref, uint64_t use);

/* The read is over: RESIDENT when @status is 0, else FAILED. */
void mx_residency_loaded(struct mx_residency *residency, struct mx_unit_ref ref,
			 int status);

/* Somebody computes on a RESIDENT unit; until released it stays. Nests. */
void mx_residency_hold(struct mx_residency *residency, struct mx_unit_ref ref);
void mx_residency_release(struct mx_residency *residency,
			  struct mx_unit_ref ref);

/* It has been used: for LRU. Being loaded and being released are uses too. */
void mx_residency_touch(struct mx_residency *residency, struct mx_unit_ref ref);
/* When a unit was used last: of any two in memory and not pinned, the number is
 * smaller for the one that was used before. With a limit only. */
uint64_t mx_residency_last_use(const struct mx_residency *residency,
			       struct mx_unit_ref ref);

/* Nobody wants it: RESIDENT and not held or pinned, or FAILED, becomes ABSENT
 * now; else nothing happens. */
void mx_residency_drop(struct mx_residency *residency, struct mx_unit_ref ref);

/*
 * A job's activations: @bytes from the top (right below another arena or the
 * end, where that can be had, unless somebody waits for what would have to go
 * and not for what is elsewhere), evicting units that are used later than @use
 * as mx_residency_load() does, or moving them down. It never takes the lowest
 * room that the largest unit of any network needs beside the pinned ones, so
 * that a unit can always be loaded once nobody holds what is there.
 *
 * Returns 0 with *@offset, or -EAGAIN.
 */
int mx_residency_arena(struct mx_residency *residency, uint64_t bytes,
		       uint64_t use, uint64_t *offset);
/* Would mx_residency_arena() succeed if nothing were held or LOADING, whatever
 * it had to evict? */
int mx_residency_arena_fits(const struct mx_residency *residency,
			    uint64_t bytes);
/* The arena's begin moves up to @bytes below its end, so that arenas that
 * shrink keep to the top. Returns its offset from now on. */
uint64_t mx_residency_arena_shrink(struct mx_residency *residency,
				   uint64_t offset, uint64_t bytes);
void mx_residency_arena_give(struct mx_residency *residency, uint64_t offset);

struct mx_residency_totals {
	uint64_t capacity_bytes;
	uint64_t pinned_bytes; /* set aside for pinned units */
	uint64_t unit_bytes; /* units that are not pinned: LOADING, RESIDENT */
	uint64_t arena_bytes;
	uint64_t peak_bytes; /* of the three together */
	uint64_t largest_unit_bytes; /* that is not pinned */
	uint64_t resident_bytes; /* all units RESIDENT, pinned ones too */
	uint64_t moved_bytes; /* of all units moved so far */
	uint64_t moved_count;
};
void mx_residency_totals(const struct mx_residency *residency,
			 struct mx_residency_totals *totals);

/* For tests: every invariant holds. */
void mx_residency_assert_ok(const struct mx_residency *residency);

#endif
