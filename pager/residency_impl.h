/*
 * Residency's own structs, shared by residency.c (states and accounts),
 * residency_room.c (places), residency_squeeze.c (places that moving makes) and
 * residency_check.c (invariants).
 */
#ifndef MX_PAGER_RESIDENCY_IMPL_H
#define MX_PAGER_RESIDENCY_IMPL_H

#include "pager/residency.h"

#define MX_TENANT_ARENA UINT32_MAX

/* A unit that is not pinned and LOADING or RESIDENT, or an arena. */
struct mx_tenant {
	uint64_t offset_bytes;
	uint64_t size_bytes;
	uint32_t unit; /* in units[], or MX_TENANT_ARENA */
	int stays; /* in a window being given away: it is moved */
};

/* A unit, by its place in all networks' units. */
struct mx_resident {
	uint64_t offset_bytes;
	uint64_t size_bytes;
	uint64_t stamp; /* of its last use; a tenant's alone */
	uint32_t net;
	uint32_t hold_count;
	uint32_t tenant; /* its place in tenants[]; a tenant's alone */
	uint32_t older; /* tenants by last use; MX_TENANT_ARENA: none */
	uint32_t newer;
	int status;
	unsigned char state; /* enum mx_unit_state */
	unsigned char pinned;
};

/* Why a place is better than another: a tenant's need, seen from its end. */
struct mx_need {
	uint64_t use;
	uint32_t tenant;
};

/* Tenants [first, end) that may go; end 0: none. Good at its first and its last
 * one. */
struct mx_run {
	uint32_t first;
	uint32_t end;
};

struct mx_residency {
	struct mx_residency_opts opts;
	uint64_t end_bytes; /* of the range: whole pages */

	struct mx_resident *units;
	uint32_t unit_count;
	uint32_t *first_unit; /* of each network */
	uint32_t net_count;

	struct mx_tenant *tenants; /* by rising offset */
	struct mx_need *needs; /* scratch, as long as tenants */
	struct mx_run *runs; /* scratch, as long as tenants */
	uint32_t tenant_count;
	uint32_t tenant_room;
	uint32_t arena_count;

	uint64_t last_stamp;
	uint32_t oldest;
	uint32_t newest;

	/* No gap between tenants is larger. */
	uint64_t gap_most_bytes;
	/* The largest room that no arena takes, of what arenas may. */
	uint64_t arena_room_bytes;

	struct mx_residency_totals totals; /* but the capacity */
};

/*
 * Some tenants side by side: [first, end). Those that do not stay are evicted,
 * the others moved down to where the first begins or the one below it ends.
 */
struct mx_window {
	uint32_t first;
	uint32_t end;
	uint64_t offset_bytes; /* the place that is free then */
	uint64_t least; /* need of who goes; UINT64_MAX: nobody does */
	int below_arena; /* an arena's: below another or the end */
};

static inline int mx_residency_is_unlimited(
	const struct mx_residency *residency)
{
	return residency->opts.capacity_bytes == MX_RESIDENCY_UNLIMITED;
}

/* Where the tenant at @index begins; past the last: the end of the range. */
uint64_t mx_tenant_begin(const struct mx_residency *residency, uint32_t index);
/* Where the tenants below @index end; for the first: the pinned units. */
uint64_t mx_tenant_floor(const struct mx_residency *residency, uint32_t index);
/* The tenant at @offset, which is there. */
uint32_t mx_tenant_find(const struct mx_residency *residency, uint64_t offset);
/* Is it an arena, or the end of the range? */
int mx_tenant_is_arena(const struct mx_residency *residency, uint32_t index);
/* Is it a unit that nobody computes on or reads? */
int mx_tenant_is_free(const struct mx_residency *residency, uint32_t index);
/* May the tenant go for something used at @use? If so, when it is needed: the
 * larger the better to lose. */
int mx_tenant_may_go(const struct mx_residency *residency, uint32_t index,
		     uint64_t use, uint64_t *need);

/* The place for a unit, as mx_residency_load() wants it. Returns 1, or 0. */
int mx_window_for_unit(struct mx_residency *residency, uint64_t size_bytes,
		       uint64_t use, struct mx_window *out);
/* ... and for an arena. */
int mx_window_for_arena(struct mx_residency *residency, uint64_t size_bytes,
			uint64_t use, struct mx_window *out);
/* What arena_room_bytes must be, and arenas never begin below. */
uint64_t mx_window_arena_room(const struct mx_residency *residency);
uint64_t mx_window_arena_floor(const struct mx_residency *residency);

/* A better place, with others moved: of @found (whether there is one at all)
 * and *@out. Returns as mx_window_for_unit(). */
int mx_squeeze_for_unit(struct mx_residency *residency, uint64_t size_bytes,
			uint64_t use, int found, struct mx_window *out);
int mx_squeeze_for_arena(struct mx_residency *residency, uint64_t size_bytes,
			 uint64_t use, int found, struct mx_window *out);

#endif
