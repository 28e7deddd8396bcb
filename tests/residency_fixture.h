/*
 * A residency and what a test tells it and hears from it.
 */
#ifndef MX_TESTS_RESIDENCY_FIXTURE_H
#define MX_TESTS_RESIDENCY_FIXTURE_H

#include <string.h>

#include "pager/residency.h"
#include "tests/check.h"

#define PAGE ((uint64_t)MX_RESIDENCY_PAGE_BYTES)
#define UNITS_MAX 128
#define NETS_MAX 3

/* How a world says when units are used next. */
enum order {
	BY_USE,
	BY_LAST_USE, /* not at all: the least recently used go first */
	BY_BOTH, /* some by use, all others later, by last use */
};

#define RECENT_USE ((uint64_t)1000)

static inline struct mx_unit_ref ref(uint32_t net, uint32_t unit)
{
	return (struct mx_unit_ref){net, unit};
}

/* What a test tells the residency, and hears from it. */
struct world {
	struct mx_residency *residency;
	uint64_t use[NETS_MAX][UNITS_MAX];
	unsigned char gone[NETS_MAX][UNITS_MAX];
	uint32_t gone_count;
};

static inline uint64_t next_use(void *user, struct mx_unit_ref unit)
{
	const struct world *world = user;

	return world->use[unit.net][unit.unit];
}

static inline void hear_dropped(void *user, struct mx_unit_ref unit)
{
	struct world *world = user;

	assert_int_equal(mx_residency_state(world->residency, unit),
			 MX_UNIT_ABSENT);
	world->gone[unit.net][unit.unit] = 1;
	world->gone_count++;
}

static inline void world_open(struct world *world, uint64_t capacity,
			      enum order order)
{
	const struct mx_residency_opts opts = {
		.capacity_bytes = capacity,
		.dropped = hear_dropped,
		.next_use = order == BY_LAST_USE ? NULL : next_use,
		.recent_use = order == BY_BOTH ? RECENT_USE : 0,
		.user = world,
	};

	memset(world, 0, sizeof(*world));
	assert_int_equal(mx_residency_new(&world->residency, &opts, NULL), 0);
}

#endif
