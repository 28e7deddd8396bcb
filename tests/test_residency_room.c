/*
 * Against a model that knows no better than to try every place.
 */
#include <errno.h>
#include <string.h>

#include "pager/residency.h"
#include "tests/residency_fixture.h"

#define MODEL_PAGES 48
#define MODEL_UNITS 24
#define ARENAS_MAX 6

struct guest {
	int there; /* LOADING or RESIDENT */
	int loading;
	int failed;
	int pinned;
	int holds;
	uint64_t page;
	uint64_t pages;
	uint64_t touched;
};

struct model {
	struct world world;
	enum order order;
	uint32_t random;
	uint64_t clock;
	uint64_t pinned_pages;
	uint64_t largest;
	struct guest unit[NETS_MAX][MODEL_UNITS];
	uint32_t count[NETS_MAX];
	struct guest arena[ARENAS_MAX];
};

static uint32_t draw(struct model *model, uint32_t below)
{
	model->random = model->random * 1664525u + 1013904223u;
	return (model->random >> 8) % below;
}

/* The unit has been used. */
static void model_touch(struct model *model, uint32_t net, uint32_t i)
{
	model->unit[net][i].touched = ++model->clock;
	if (model->order == BY_BOTH)
		model->world.use[net][i] = UINT64_MAX - model->clock;
}

/* It will be used at another time. */
static void model_change_use(struct model *model, uint32_t net, uint32_t i)
{
	if (model->order == BY_BOTH && draw(model, 4))
		model->world.use[net][i] =
			UINT64_MAX - model->unit[net][i].touched;
	else
		model->world.use[net][i] = 1 + draw(model, 99);
}

static uint64_t draw_use(struct model *model)
{
	const int is_now = model->order != BY_BOTH || draw(model, 2);

	return is_now ? draw(model, 100) : RECENT_USE;
}

static void model_open(struct model *model, uint32_t seed, enum order order)
{
	unsigned char pinned[MODEL_UNITS];
	uint64_t sizes[MODEL_UNITS];
	uint32_t net, i;

	memset(model, 0, sizeof(*model));
	model->random = seed;
	model->order = order;
	world_open(&model->world, MODEL_PAGES * PAGE, order);
	for (net = 0; net < NETS_MAX; net++) {
		model->count[net] = draw(model, MODEL_UNITS);
		for (i = 0; i < model->count[net]; i++) {
			struct guest *unit = &model->unit[net][i];

			unit->pages = 1 + draw(model, 8);
			unit->pinned = model->pinned_pages < MODEL_PAGES / 4 &&
				       draw(model, 5) == 0;
			pinned[i] = (unsigned char)unit->pinned;
			sizes[i] = unit->pages * PAGE;
			if (unit->pinned) {
				unit->page = model->pinned_pages;
				model->pinned_pages += unit->pages;
			} else if (unit->pages > model->largest) {
				model->largest = unit->pages;
			}
			model->world.use[net][i] = 1 + draw(model, 99);
		}
		assert_int_equal(mx_residency_add(model->world.residency, sizes,
						  model->count[net], pinned,
						  NULL),
				 0);
	}
}

static int overlaps(const struct guest *guest, uint64_t page, uint64_t pages)
{
	return guest->there && guest->page < page + pages &&
	       page < guest->page + guest->pages;
}

/*
 * How good the pages [page, page + pages) would be for something used at @use:
 * the need of the tenant there that is needed first, larger is better,
 * UINT64_MAX for free ones; 0 if they cannot be had. @bytes: of tenants there.
 */
static uint64_t judge(const struct model *model, uint64_t page, uint64_t pages,
		      uint64_t use, uint64_t *bytes)
{
	uint64_t least = UINT64_MAX;
	uint64_t need;
	uint32_t net, i;

	*bytes = 0;
	if (page < model->pinned_pages || page + pages > MODEL_PAGES)
		return 0;
	for (i = 0; i < ARENAS_MAX; i++)
		if (overlaps(&model->arena[i], page, pages))
			return 0;
	for (net = 0; net < NETS_MAX; net++)
		for (i = 0; i < model->count[net]; i++) {
			const struct guest *unit = &model->unit[net][i];

			if (!overlaps(unit, page, pages))
				continue;
			need = model->order == BY_LAST_USE
				       ? UINT64_MAX - unit->touched
				       : model->world.use[net][i];
			if (unit->loading || unit->holds > 0 ||
			    (model->order != BY_LAST_USE && need <= use))
				return 0;
			least = need < least ? need : least;
			*bytes += unit->pages;
		}
	return least;
}

/* The best page for a unit, the lowest of equals. Returns 0 if there is none.
 */
static int best_place(const struct model *model, uint64_t pages, uint64_t use,
		      uint64_t *best_page)
{
	uint64_t best = 0;
	uint64_t best_bytes = 0;
	uint64_t page, need, bytes;

	for (page = 0; page < MODEL_PAGES; page++) {
		need = judge(model, page, pages, use, &bytes);
		if (need > best ||
		    (need && need == best && bytes < best_bytes)) {
			best = need;
			best_bytes = bytes;
			*best_page = page;
		}
	}
	return best > 0;
}

/* Those in the way of [page, page + pages), and no others, have gone. */
static void assert_gone(struct model *model, uint64_t page, uint64_t pages)
{
	uint32_t net, i;

	for (net = 0; net < NETS_MAX; net++)
		for (i = 0; i < model->count[net]; i++) {
			struct guest *unit = &model->unit[net][i];
			const int in_the_way = overlaps(unit, page, pages);

			assert_int_equal(model->world.gone[net][i], in_the_way);
			if (in_the_way)
				unit->there = 0;
		}
	memset(model->world.gone, 0, sizeof(model->world.gone));
}

static void model_load(struct model *model, uint32_t net, uint32_t i,
		       uint64_t use)
{
	struct mx_residency *residency = model->world.residency;
	struct guest *unit = &model->unit[net][i];
	uint64_t page = unit->page;
	const int fits =
		unit->pinned || best_place(model, unit->pages, use, &page);

	assert_int_equal(mx_residency_load(residency, ref(net, i), use),
			 fits ? 0 : -EAGAIN);
	if (!fits) {
		assert_gone(model, 0, 0);
		return;
	}
	assert_int_equal(mx_residency_offset(residency, ref(net, i)),
			 page * PAGE);
	assert_gone(model, page, unit->pages);
	unit->page = page;
	unit->there = 1;
	unit->loading = 1;
	model_touch(model, net, i);
}

static void model_release(struct model *model, uint32_t net, uint32_t i)
{
	mx_residency_release(model->world.residency, ref(net, i));
	model->unit[net][i].holds--;
	model_touch(model, net, i);
}

static void model_loaded(struct model *model, uint32_t net, uint32_t i)
{
	struct guest *unit = &model->unit[net][i];
	const int status = draw(model, 6) == 0 ? -EIO : 0;

	mx_residency_loaded(model->world.residency, ref(net, i), status);
	unit->loading = 0;
	unit->there = !status;
	unit->failed = status != 0;
	model_touch(model, net, i);
}

/* Something that the unit's state allows. */
static void model_unit_step(struct model *model)
{
	struct mx_residency *residency = model->world.residency;
	const uint32_t net = draw(model, NETS_MAX);
	const uint32_t i =
		model->count[net] ? draw(model, model->count[net]) : 0;
	struct guest *unit = &model->unit[net][i];

	if (model->count[net] == 0)
		return;
	if (unit->failed) {
		mx_residency_drop(residency, ref(net, i));
		unit->failed = 0;
	} else if (!unit->there) {
		model_load(model, net, i, draw_use(model));
	} else if (unit->loading) {
		model_loaded(model, net, i);
	} else if (unit->holds > 0) {
		model_release(model, net, i);
	} else if (draw(model, 3) == 0) {
		mx_residency_hold(residency, ref(net, i));
		unit->holds++;
	} else if (draw(model, 4) == 0) {
		mx_residency_drop(residency, ref(net, i));
		assert_int_equal(model->world.gone[net][i], !unit->pinned);
		memset(model->world.gone, 0, sizeof(model->world.gone));
		unit->there = unit->pinned;
	} else {
		mx_residency_touch(residency, ref(net, i));
		model_touch(model, net, i);
		model_change_use(model, net, i);
	}
}

/* Is the page behind the place an arena's, or the end? */
static int is_below_arena(const struct model *model, uint64_t end)
{
	uint32_t i;

	for (i = 0; i < ARENAS_MAX; i++)
		if (model->arena[i].there && model->arena[i].page == end)
			return 1;
	return end == MODEL_PAGES;
}

static void model_arena(struct model *model, struct guest *arena, uint64_t use)
{
	const uint64_t pages = 1 + draw(model, 14);
	const uint64_t floor = model->pinned_pages + model->largest;
	uint64_t best = 1; /* of the places right below an arena */
	uint64_t best_page = 0;
	uint64_t any = 0;
	uint64_t page, need, bytes, offset = 0;
	int rc;

	for (page = floor; page < MODEL_PAGES; page++) {
		need = judge(model, page, pages, use, &bytes);
		any = need > any ? need : any;
		if (need >= best && is_below_arena(model, page + pages)) {
			best = need;
			best_page = page;
		}
	}
	rc = mx_residency_arena(model->world.residency, pages * PAGE, use,
				&offset);
	assert_int_equal(rc, any ? 0 : -EAGAIN);
	if (rc) {
		assert_gone(model, 0, 0);
		return;
	}
	page = offset / PAGE;
	assert_true(page >= floor);
	need = judge(model, page, pages, use, &bytes);
	assert_true(need > 0);
	if (best_page)
		assert_int_equal(page, best_page);
	assert_gone(model, page, pages);
	*arena = (struct guest){.there = 1, .page = page, .pages = pages};
}

static void model_arena_step(struct model *model)
{
	struct guest *arena = &model->arena[draw(model, ARENAS_MAX)];

	if (!arena->there) {
		model_arena(model, arena, draw_use(model));
	} else if (draw(model, 2) == 0 && arena->pages > 1) {
		const uint64_t end = arena->page + arena->pages;
		const uint64_t was = arena->page;

		arena->pages = 1 + draw(model, (uint32_t)arena->pages);
		arena->page = end - arena->pages;
		assert_int_equal(mx_residency_arena_shrink(
					 model->world.residency, was * PAGE,
					 arena->pages * PAGE),
				 arena->page * PAGE);
	} else {
		mx_residency_arena_give(model->world.residency,
					arena->page * PAGE);
		arena->there = 0;
	}
}

/* All reads end and all hands are taken off. */
static void model_calm_down(struct model *model)
{
	uint32_t net, i;

	for (net = 0; net < NETS_MAX; net++)
		for (i = 0; i < model->count[net]; i++) {
			struct guest *unit = &model->unit[net][i];

			if (unit->loading)
				model_loaded(model, net, i);
			while (unit->holds > 0)
				model_release(model, net, i);
		}
}

/* When nobody holds anything, any unit can be loaded, and an arena that is
 * said to fit does. */
static void model_assert_no_deadlock(struct model *model)
{
	const uint64_t bytes = (1 + draw(model, 30)) * PAGE;
	struct mx_residency *residency = model->world.residency;
	uint32_t net, i;
	uint64_t offset;
	int fits;

	for (net = 0; net < NETS_MAX; net++)
		for (i = 0; i < model->count[net]; i++) {
			struct guest *unit = &model->unit[net][i];

			if (unit->there || unit->failed)
				continue;
			model_load(model, net, i, 0);
			assert_int_equal(unit->there, 1);
			model_loaded(model, net, i);
		}
	fits = mx_residency_arena_fits(residency, bytes);
	assert_int_equal(mx_residency_arena(residency, bytes, 0, &offset),
			 fits ? 0 : -EAGAIN);
	if (fits) {
		assert_gone(model, offset / PAGE, bytes / PAGE);
		mx_residency_arena_give(residency, offset);
	}
}

static void units_and_arenas_get_the_best_of_all_places(void **state)
{
	static const enum order orders[] = {BY_USE, BY_LAST_USE, BY_BOTH};
	struct model model;
	uint32_t seed;
	int step;

	(void)state;
	for (seed = 0; seed < 90; seed++) {
		model_open(&model, seed * 7919 + 1, orders[seed % 3]);
		for (step = 0; step < 600; step++) {
			if (draw(&model, 8) == 0)
				model_arena_step(&model);
			else
				model_unit_step(&model);
			mx_residency_assert_ok(model.world.residency);
			if (step % 100 == 99) {
				model_calm_down(&model);
				model_assert_no_deadlock(&model);
			}
		}
		mx_residency_free(model.world.residency);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_and_arenas_get_the_best_of_all_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
