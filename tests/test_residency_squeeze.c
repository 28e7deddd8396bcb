/*
 * Moving together, against a memory whose bytes are really moved, and a model
 * that counts bytes alone.
 */
#include <errno.h>
#include <string.h>

#include "pager/residency.h"
#include "tests/check.h"

#define PAGE ((uint64_t)MX_RESIDENCY_PAGE_BYTES)
#define PAGES 48
#define UNITS 40
#define ARENAS 4
#define ARENA_MARK 1000 /* what an arena writes, from there on */

/* What a page of the memory holds: a unit's or arena's mark, and which of its
 * pages it is. */
struct content {
	uint32_t mark;
	uint32_t page;
};

struct guest {
	uint64_t pages;
	uint64_t use;
	int pinned;
	int holds;
	int there; /* an arena */
	uint64_t page; /* an arena's */
};

struct world {
	struct mx_residency *residency;
	struct content memory[PAGES];
	struct guest unit[UNITS];
	struct guest arena[ARENAS];
	uint32_t unit_count;
	uint64_t largest;
	uint64_t use; /* of what room is being made for */
	uint64_t least; /* need of what has gone since */
	uint64_t moved_pages;
	uint32_t gone_count;
	uint32_t random;
};

static struct mx_unit_ref ref(uint32_t unit)
{
	return (struct mx_unit_ref){0, unit};
}

static uint32_t draw(struct world *world, uint32_t below)
{
	world->random = world->random * 1664525u + 1013904223u;
	return (world->random >> 8) % below;
}

static enum mx_unit_state state_of(const struct world *world, uint32_t unit)
{
	return mx_residency_state(world->residency, ref(unit));
}

static uint64_t page_of(const struct world *world, uint32_t unit)
{
	return mx_residency_offset(world->residency, ref(unit)) / PAGE;
}

static uint64_t next_use(void *user, struct mx_unit_ref unit)
{
	const struct world *world = user;

	return world->unit[unit.unit].use;
}

static void hear_dropped(void *user, struct mx_unit_ref unit)
{
	struct world *world = user;
	const struct guest *guest = &world->unit[unit.unit];

	assert_int_equal(guest->holds, 0);
	assert_false(guest->pinned);
	assert_true(guest->use > world->use);
	if (guest->use < world->least)
		world->least = guest->use;
	world->gone_count++;
}

static void hear_moved(void *user, struct mx_unit_ref unit, uint64_t from,
		       uint64_t to, uint64_t bytes)
{
	struct world *world = user;
	const struct guest *guest = &world->unit[unit.unit];

	assert_int_equal(state_of(world, unit.unit), MX_UNIT_RESIDENT);
	assert_int_equal(guest->holds, 0);
	assert_false(guest->pinned);
	assert_int_equal(bytes, guest->pages * PAGE);
	assert_true(from != to && from % PAGE == 0 && to % PAGE == 0);
	assert_true(from + bytes <= PAGES * PAGE && to + bytes <= PAGES * PAGE);
	memmove(&world->memory[to / PAGE], &world->memory[from / PAGE],
		guest->pages * sizeof(world->memory[0]));
	world->moved_pages += guest->pages;
}

static void write_pages(struct world *world, uint64_t page, uint64_t pages,
			uint32_t mark)
{
	uint32_t i;

	for (i = 0; i < pages; i++)
		world->memory[page + i] = (struct content){mark, i};
}

static void assert_pages(const struct world *world, uint64_t page,
			 uint64_t pages, uint32_t mark)
{
	uint32_t i;

	assert_true(page + pages <= PAGES);
	for (i = 0; i < pages; i++) {
		assert_int_equal(world->memory[page + i].mark, mark);
		assert_int_equal(world->memory[page + i].page, i);
	}
}

/* Everything that is in memory is still what was put there. */
static void assert_contents(const struct world *world)
{
	uint32_t i;

	mx_residency_assert_ok(world->residency);
	for (i = 0; i < world->unit_count; i++)
		if (state_of(world, i) == MX_UNIT_RESIDENT ||
		    state_of(world, i) == MX_UNIT_LOADING)
			assert_pages(world, page_of(world, i),
				     world->unit[i].pages, i + 1);
	for (i = 0; i < ARENAS; i++)
		if (world->arena[i].there)
			assert_pages(world, world->arena[i].page,
				     world->arena[i].pages, ARENA_MARK + i);
}

static void world_open(struct world *world, uint64_t pages, uint64_t idle_use)
{
	const struct mx_residency_opts opts = {
		.capacity_bytes = pages * PAGE,
		.dropped = hear_dropped,
		.next_use = next_use,
		.idle_use = idle_use,
		.moved = hear_moved,
		.user = world,
	};

	memset(world, 0, sizeof(*world));
	assert_int_equal(mx_residency_new(&world->residency, &opts, NULL), 0);
}

static void world_add(struct world *world, uint32_t count)
{
	unsigned char pinned[UNITS];
	uint64_t sizes[UNITS];
	uint32_t i;

	world->unit_count = count;
	for (i = 0; i < count; i++) {
		const struct guest *unit = &world->unit[i];

		pinned[i] = (unsigned char)unit->pinned;
		sizes[i] = unit->pages * PAGE;
		if (!unit->pinned && unit->pages > world->largest)
			world->largest = unit->pages;
	}
	assert_int_equal(
		mx_residency_add(world->residency, sizes, count, pinned, NULL),
		0);
}

static int load(struct world *world, uint32_t i, uint64_t use)
{
	int rc;

	world->use = use;
	world->least = UINT64_MAX;
	rc = mx_residency_load(world->residency, ref(i), use);
	if (!rc)
		write_pages(world, page_of(world, i), world->unit[i].pages,
			    i + 1);
	assert_contents(world);
	return rc;
}

static void bring(struct world *world, uint32_t i)
{
	assert_int_equal(load(world, i, 0), 0);
	mx_residency_loaded(world->residency, ref(i), 0);
}

/* ---- what the model knows ---- */

/* A page's tenant: 0 for a free one, its mark for one that may move, and
 * UINT32_MAX for one that may not, or a pinned unit's place. */
static void map_pages(const struct world *world, uint32_t *at)
{
	struct mx_residency_totals totals;
	uint64_t k;
	uint32_t i;

	memset(at, 0, PAGES * sizeof(*at));
	mx_residency_totals(world->residency, &totals);
	for (k = 0; k < totals.pinned_bytes / PAGE; k++)
		at[k] = UINT32_MAX;
	for (i = 0; i < ARENAS; i++)
		for (k = 0; world->arena[i].there && k < world->arena[i].pages;
		     k++)
			at[world->arena[i].page + k] = UINT32_MAX;
	for (i = 0; i < world->unit_count; i++) {
		const int moves = state_of(world, i) == MX_UNIT_RESIDENT &&
				  !world->unit[i].holds;

		if (world->unit[i].pinned ||
		    (state_of(world, i) != MX_UNIT_RESIDENT &&
		     state_of(world, i) != MX_UNIT_LOADING))
			continue;
		for (k = 0; k < world->unit[i].pages; k++)
			at[page_of(world, i) + k] = moves ? i + 1 : UINT32_MAX;
	}
}

/* Is there room for @pages between two tenants that may not move, when
 * everything needed at @limit or later is gone? */
static int has_room(const struct world *world, const uint32_t *at,
		    uint64_t pages, uint64_t limit)
{
	uint64_t room = 0;
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		if (at[i] == UINT32_MAX)
			room = 0;
		else if (at[i] == 0 || world->unit[at[i] - 1].use >= limit)
			room++;
		if (room == pages)
			return 1;
	}
	return 0;
}

/* The need of the first needed of those who go, if it is as late as can be;
 * UINT64_MAX: nobody has to; 0: there is no room. */
static uint64_t best_least(const struct world *world, uint64_t pages,
			   uint64_t use)
{
	uint64_t best = 0;
	uint32_t at[PAGES];
	uint32_t i;

	map_pages(world, at);
	if (has_room(world, at, pages, UINT64_MAX))
		return UINT64_MAX;
	for (i = 0; i < world->unit_count; i++) {
		const uint64_t need = world->unit[i].use;

		if (need > use && need > best &&
		    state_of(world, i) == MX_UNIT_RESIDENT &&
		    has_room(world, at, pages, need))
			best = need;
	}
	return best;
}

/* ---- claims ---- */

static void what_is_needed_is_moved_and_not_read_again(void **state)
{
	static const uint64_t pages[] = {2, 3, 3, 4};
	static const uint64_t use[] = {90, 10, 20, 5};
	struct mx_residency_totals totals;
	struct world world;
	uint32_t i;

	(void)state;
	world_open(&world, 10, 100);
	for (i = 0; i < 4; i++) {
		world.unit[i].pages = pages[i];
		world.unit[i].use = use[i];
	}
	world_add(&world, 4);
	bring(&world, 0);
	bring(&world, 1);
	bring(&world, 2);
	/* Two pages are free, and two are needed last. */
	assert_int_equal(mx_residency_has_room(world.residency, ref(3), 5), 1);
	assert_int_equal(load(&world, 3, 5), 0);
	assert_int_equal(world.gone_count, 1);
	assert_int_equal(world.least, 90);
	mx_residency_totals(world.residency, &totals);
	assert_true(totals.moved_count > 0);
	assert_int_equal(totals.moved_bytes, world.moved_pages * PAGE);
	mx_residency_free(world.residency);
}

static void what_nobody_waits_for_goes_rather_than_anything_moves(void **state)
{
	static const uint64_t pages[] = {2, 3, 3, 4};
	struct world world;
	uint32_t i;

	(void)state;
	world_open(&world, 10, 10);
	for (i = 0; i < 4; i++) {
		world.unit[i].pages = pages[i];
		world.unit[i].use = 10 + i;
	}
	world_add(&world, 4);
	for (i = 0; i < 3; i++)
		bring(&world, i);
	assert_int_equal(load(&world, 3, 5), 0);
	assert_int_equal(world.moved_pages, 0);
	assert_true(world.gone_count > 0);
	mx_residency_free(world.residency);
}

static void an_arena_moves_units_out_of_its_way(void **state)
{
	struct world world;
	uint64_t offset;
	uint32_t i;

	(void)state;
	world_open(&world, 10, UINT64_MAX);
	for (i = 0; i < 3; i++)
		world.unit[i] = (struct guest){.pages = 2, .use = 7 + i};
	world_add(&world, 3);
	for (i = 0; i < 3; i++)
		bring(&world, i);
	world.use = 0;
	assert_int_equal(
		mx_residency_arena(world.residency, 4 * PAGE, 0, &offset), 0);
	assert_int_equal(offset, 6 * PAGE);
	assert_int_equal(world.gone_count, 0);
	assert_contents(&world);
	/* One page more than there is: the last needed goes. */
	mx_residency_arena_give(world.residency, offset);
	assert_int_equal(
		mx_residency_arena(world.residency, 5 * PAGE, 0, &offset), 0);
	assert_int_equal(offset, 5 * PAGE);
	assert_int_equal(world.gone_count, 1);
	assert_int_equal(state_of(&world, 2), MX_UNIT_ABSENT);
	assert_contents(&world);
	mx_residency_free(world.residency);
}

/* The place below the end would cost what is waited for; behind a unit that may
 * not move there is one that costs what nobody waits for. */
static void an_arena_does_not_cost_what_is_waited_for(void **state)
{
	static const uint64_t pages[] = {4, 4, 4, 1};
	static const uint64_t use[] = {5, 6, 100, 7};
	struct world world;
	uint64_t offset;
	uint32_t i;

	(void)state;
	world_open(&world, 13, 10);
	for (i = 0; i < 4; i++) {
		world.unit[i].pages = pages[i];
		world.unit[i].use = use[i];
	}
	world_add(&world, 4);
	for (i = 0; i < 4; i++)
		bring(&world, i);
	assert_int_equal(page_of(&world, 1), 9);
	assert_int_equal(page_of(&world, 3), 8);
	mx_residency_hold(world.residency, ref(3));
	world.unit[3].holds = 1;
	world.use = 0;
	assert_int_equal(
		mx_residency_arena(world.residency, 4 * PAGE, 0, &offset), 0);
	assert_int_equal(offset, 4 * PAGE);
	assert_int_equal(world.gone_count, 1);
	assert_int_equal(state_of(&world, 2), MX_UNIT_ABSENT);
	assert_contents(&world);
	mx_residency_free(world.residency);
}

/* ---- at random ---- */

static void random_open(struct world *world, uint32_t seed)
{
	uint64_t pinned = 0;
	uint32_t i;

	world_open(world, PAGES, UINT64_MAX);
	world->random = seed;
	for (i = 0; i < UNITS; i++) {
		struct guest *unit = &world->unit[i];

		unit->pages = 1 + draw(world, seed % 2 ? 6 : 14);
		unit->use = 1 + draw(world, 99);
		unit->pinned = pinned < PAGES / 8 && draw(world, 8) == 0;
		pinned += unit->pinned ? unit->pages : 0;
	}
	world_add(world, UNITS);
}

static void random_load(struct world *world, uint32_t i)
{
	const uint64_t use = draw(world, 100);
	const struct guest *unit = &world->unit[i];
	const uint64_t best =
		unit->pinned ? UINT64_MAX : best_least(world, unit->pages, use);

	assert_int_equal(mx_residency_has_room(world->residency, ref(i), use),
			 best > 0);
	assert_int_equal(load(world, i, use), best ? 0 : -EAGAIN);
	assert_int_equal(world->least, best ? best : UINT64_MAX);
}

static void random_unit_step(struct world *world)
{
	const uint32_t i = draw(world, UNITS);
	struct guest *unit = &world->unit[i];

	switch (state_of(world, i)) {
	case MX_UNIT_FAILED:
		mx_residency_drop(world->residency, ref(i));
		break;
	case MX_UNIT_ABSENT:
		random_load(world, i);
		break;
	case MX_UNIT_LOADING:
		mx_residency_loaded(world->residency, ref(i),
				    draw(world, 6) ? 0 : -EIO);
		break;
	case MX_UNIT_RESIDENT:
		if (unit->holds) {
			mx_residency_release(world->residency, ref(i));
			unit->holds = 0;
			unit->use = 1 + draw(world, 99);
		} else if (draw(world, 3) == 0) {
			mx_residency_hold(world->residency, ref(i));
			unit->holds = 1;
		} else {
			unit->use = 1 + draw(world, 99);
		}
		break;
	}
}

static void random_arena(struct world *world, uint32_t i)
{
	struct guest *arena = &world->arena[i];
	struct mx_residency_totals totals;
	uint64_t offset;

	arena->pages = 1 + draw(world, 14);
	world->use = draw(world, 100);
	if (mx_residency_arena(world->residency, arena->pages * PAGE,
			       world->use, &offset))
		return;
	mx_residency_totals(world->residency, &totals);
	assert_true(offset >= totals.pinned_bytes + world->largest * PAGE);
	arena->there = 1;
	arena->page = offset / PAGE;
	write_pages(world, arena->page, arena->pages, ARENA_MARK + i);
}

static void random_arena_step(struct world *world)
{
	const uint32_t i = draw(world, ARENAS);
	struct guest *arena = &world->arena[i];
	uint64_t pages;

	if (!arena->there) {
		random_arena(world, i);
	} else if (draw(world, 2) && arena->pages > 1) {
		pages = 1 + draw(world, (uint32_t)arena->pages);
		arena->page = mx_residency_arena_shrink(world->residency,
							arena->page * PAGE,
							pages * PAGE) /
			      PAGE;
		arena->pages = pages;
		write_pages(world, arena->page, pages, ARENA_MARK + i);
	} else {
		mx_residency_arena_give(world->residency, arena->page * PAGE);
		arena->there = 0;
	}
}

static void moves_keep_every_byte_and_evict_what_is_needed_last(void **state)
{
	struct mx_residency_totals totals;
	struct world world;
	uint64_t moved = 0;
	uint32_t seed;
	int step;

	(void)state;
	for (seed = 1; seed <= 80; seed++) {
		random_open(&world, seed * 7919);
		for (step = 0; step < 500; step++) {
			if (draw(&world, 8) == 0)
				random_arena_step(&world);
			else
				random_unit_step(&world);
			assert_contents(&world);
		}
		mx_residency_totals(world.residency, &totals);
		assert_int_equal(totals.moved_bytes, world.moved_pages * PAGE);
		moved += totals.moved_count;
		mx_residency_free(world.residency);
	}
	assert_true(moved > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_needed_is_moved_and_not_read_again),
		cmocka_unit_test(
			what_nobody_waits_for_goes_rather_than_anything_moves),
		cmocka_unit_test(an_arena_moves_units_out_of_its_way),
		cmocka_unit_test(an_arena_does_not_cost_what_is_waited_for),
		cmocka_unit_test(
			moves_keep_every_byte_and_evict_what_is_needed_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
