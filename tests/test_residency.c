/* wrap: calloc reallocarray */
#include "pager/residency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/faults.h"
#include "tests/residency_fixture.h"

FAULT(void *, calloc, (size_t n, size_t size), (n, size), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size),
      ENOMEM, NULL)

/* A world of one network of @count units of @pages[] pages, in @capacity
 * pages. */
static void one_net(struct world *world, uint64_t capacity, enum order order,
		    const unsigned char *pages, uint32_t count,
		    const unsigned char *pinned)
{
	uint64_t sizes[UNITS_MAX];
	uint32_t i;

	world_open(world, capacity * PAGE, order);
	for (i = 0; i < count; i++)
		sizes[i] = pages[i] * PAGE;
	assert_int_equal(
		mx_residency_add(world->residency, sizes, count, pinned, NULL),
		0);
}

static void bring(struct world *world, uint32_t unit, uint64_t page)
{
	assert_int_equal(mx_residency_load(world->residency, ref(0, unit), 0),
			 0);
	mx_residency_loaded(world->residency, ref(0, unit), 0);
	assert_int_equal(mx_residency_offset(world->residency, ref(0, unit)),
			 page * PAGE);
	mx_residency_assert_ok(world->residency);
}

static enum mx_unit_state state_of(const struct world *world, uint32_t unit)
{
	return mx_residency_state(world->residency, ref(0, unit));
}

static struct mx_residency_totals totals_of(const struct world *world)
{
	struct mx_residency_totals totals;

	mx_residency_totals(world->residency, &totals);
	return totals;
}

static void pinned_units_have_their_places_from_the_start(void **state)
{
	static const unsigned char pages[4] = {2, 3, 1, 2};
	static const unsigned char pinned[4] = {0, 1, 0, 1};
	struct world world;
	struct mx_residency_totals totals;

	(void)state;
	one_net(&world, 8, BY_USE, pages, 4, pinned);
	totals = totals_of(&world);
	assert_int_equal(totals.capacity_bytes, 8 * PAGE);
	assert_int_equal(totals.pinned_bytes, 5 * PAGE);
	assert_int_equal(totals.peak_bytes, 5 * PAGE);
	assert_int_equal(totals.largest_unit_bytes, 2 * PAGE);
	assert_int_equal(totals.resident_bytes, 0);
	bring(&world, 0, 5);
	bring(&world, 3, 3);
	bring(&world, 1, 0);
	mx_residency_drop(world.residency, ref(0, 1));
	assert_int_equal(state_of(&world, 1), MX_UNIT_RESIDENT);
	assert_int_equal(totals_of(&world).resident_bytes, 7 * PAGE);
	assert_int_equal(totals_of(&world).peak_bytes, 7 * PAGE);
	assert_int_equal(world.gone_count, 0);
	mx_residency_free(world.residency);
}

static void what_can_never_fit_is_refused(void **state)
{
	static const struct {
		uint64_t pages;
		int rc;
	} cases[] = {{5, -EDQUOT}, {6, 0}, {2, -EDQUOT}, {0, -EDQUOT}};
	/* Sizes are whole pages inside. */
	static const uint64_t sizes[2] = {3 * 4096 - 1, 3 * 4096};
	static const unsigned char pinned[2] = {1, 0};
	struct mx_err err = {""};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;

		world_open(&world, cases[i].pages * PAGE + PAGE - 1, BY_USE);
		assert_int_equal(mx_residency_add(world.residency, sizes, 2,
						  pinned, &err),
				 cases[i].rc);
		mx_residency_assert_ok(world.residency);
		assert_int_equal(totals_of(&world).pinned_bytes,
				 cases[i].rc ? 0 : 3 * PAGE);
		mx_residency_free(world.residency);
	}
	assert_string_equal(err.text,
			    "0 bytes do not hold the pinned weights and then "
			    "the largest slice, 0 bytes");
}

static void sizes_beyond_all_measure_are_refused(void **state)
{
	static const uint64_t huge[2] = {UINT64_MAX, UINT64_MAX - 1};
	static const unsigned char pinned[2] = {1, 1};
	struct world world;
	uint64_t offset;

	(void)state;
	world_open(&world, 8 * PAGE, BY_USE);
	assert_int_equal(
		mx_residency_add(world.residency, huge, 2, pinned, NULL),
		-EDQUOT);
	assert_int_equal(mx_residency_add(world.residency, huge, 2, NULL, NULL),
			 -EDQUOT);
	assert_int_equal(
		mx_residency_arena(world.residency, UINT64_MAX, 0, &offset),
		-EAGAIN);
	mx_residency_free(world.residency);
}

static void a_later_network_s_largest_unit_counts_too(void **state)
{
	static const uint64_t small[2] = {PAGE, PAGE};
	static const uint64_t large[1] = {3 * PAGE};
	static const unsigned char pinned[2] = {1, 0};
	struct world world;
	struct mx_err err = {""};

	(void)state;
	world_open(&world, 4 * PAGE, BY_USE);
	assert_int_equal(
		mx_residency_add(world.residency, large, 1, NULL, NULL), 0);
	assert_int_equal(
		mx_residency_add(world.residency, small, 2, pinned, NULL), 0);
	assert_int_equal(
		mx_residency_add(world.residency, small, 2, pinned, &err),
		-EDQUOT);
	assert_string_equal(err.text,
			    "16384 bytes do not hold the pinned weights and "
			    "then the largest slice, 12288 bytes");
	/* The refused one left nothing. */
	assert_int_equal(totals_of(&world).pinned_bytes, PAGE);
	mx_residency_assert_ok(world.residency);
	mx_residency_free(world.residency);
}

static void units_fill_the_lowest_gap(void **state)
{
	static const unsigned char pages[5] = {2, 1, 2, 1, 2};
	struct world world;

	(void)state;
	one_net(&world, 8, BY_USE, pages, 5, NULL);
	bring(&world, 0, 0);
	bring(&world, 1, 2);
	bring(&world, 2, 3);
	mx_residency_drop(world.residency, ref(0, 0));
	assert_int_equal(world.gone_count, 1);
	mx_residency_drop(world.residency, ref(0, 0));
	assert_int_equal(world.gone_count, 1);
	bring(&world, 3, 0);
	bring(&world, 4, 5);
	assert_int_equal(world.gone_count, 1);
	mx_residency_free(world.residency);
}

static void what_is_needed_last_makes_room(void **state)
{
	static const unsigned char pages[6] = {2, 2, 1, 1, 2, 3};
	struct world world;

	(void)state;
	one_net(&world, 8, BY_USE, pages, 6, NULL);
	bring(&world, 0, 0);
	bring(&world, 1, 2);
	bring(&world, 2, 4);
	bring(&world, 3, 5);
	bring(&world, 4, 6);
	memcpy(world.use[0], (uint64_t[]){10, 30, 40, 50, 20},
	       5 * sizeof(uint64_t));
	/* 2 and 3 are needed later than 1, and make 2 pages of 3; with 1, two
	 * pages too many; of the windows that begin at 1, the one of 1 and 2
	 * is enough. */
	assert_int_equal(mx_residency_load(world.residency, ref(0, 5), 30),
			 -EAGAIN);
	assert_int_equal(world.gone_count, 0);
	assert_int_equal(mx_residency_load(world.residency, ref(0, 5), 29), 0);
	assert_int_equal(mx_residency_offset(world.residency, ref(0, 5)),
			 2 * PAGE);
	assert_int_equal(world.gone_count, 2);
	assert_true(world.gone[0][1] && world.gone[0][2]);
	mx_residency_assert_ok(world.residency);
	mx_residency_free(world.residency);
}

static void the_least_recently_used_goes_first(void **state)
{
	static const unsigned char pages[5] = {2, 2, 2, 2, 1};
	struct world world;

	(void)state;
	one_net(&world, 6, BY_LAST_USE, pages, 5, NULL);
	bring(&world, 0, 0);
	bring(&world, 1, 2);
	bring(&world, 2, 4);
	mx_residency_touch(world.residency, ref(0, 0));
	bring(&world, 3, 2);
	assert_true(world.gone[0][1]);
	mx_residency_hold(world.residency, ref(0, 2));
	bring(&world, 4, 0);
	assert_true(world.gone[0][0]);
	assert_int_equal(world.gone_count, 2);
	mx_residency_free(world.residency);
}

static void many_old_ones_go_for_a_large_one(void **state)
{
	enum { SMALL = 100, KEPT = 7 };
	unsigned char pages[SMALL + 1];
	struct world world;
	uint32_t i;

	(void)state;
	memset(pages, 1, SMALL);
	pages[SMALL] = SMALL - KEPT;
	one_net(&world, SMALL, BY_LAST_USE, pages, SMALL + 1, NULL);
	for (i = 0; i < SMALL; i++)
		bring(&world, i, i);
	for (i = 0; i < KEPT; i++)
		mx_residency_touch(world.residency, ref(0, i));
	bring(&world, SMALL, KEPT);
	assert_int_equal(world.gone_count, SMALL - KEPT);
	for (i = 0; i < KEPT; i++)
		assert_int_equal(state_of(&world, i), MX_UNIT_RESIDENT);
	mx_residency_free(world.residency);
}

static void held_and_loading_units_stay(void **state)
{
	static const unsigned char pages[4] = {2, 2, 2, 1};
	struct world world;
	enum order order;

	(void)state;
	for (order = BY_USE; order <= BY_BOTH; order++) {
		one_net(&world, 4, order, pages, 4, NULL);
		memset(world.use, 0xff, sizeof(world.use));
		bring(&world, 0, 0);
		assert_int_equal(
			mx_residency_load(world.residency, ref(0, 1), 0), 0);
		mx_residency_hold(world.residency, ref(0, 0));
		mx_residency_hold(world.residency, ref(0, 0));
		mx_residency_release(world.residency, ref(0, 0));
		mx_residency_drop(world.residency, ref(0, 0));
		mx_residency_drop(world.residency, ref(0, 1));
		assert_int_equal(
			mx_residency_load(world.residency, ref(0, 2), 0),
			-EAGAIN);
		assert_int_equal(
			mx_residency_load(world.residency, ref(0, 3), 0),
			-EAGAIN);
		assert_int_equal(world.gone_count, 0);
		mx_residency_release(world.residency, ref(0, 0));
		bring(&world, 2, 0);
		assert_int_equal(world.gone_count, 1);
		mx_residency_free(world.residency);
	}
}

static void a_failed_unit_has_no_place_until_it_is_tried_again(void **state)
{
	static const unsigned char pages[3] = {2, 2, 1};
	static const unsigned char pinned[3] = {0, 0, 1};
	struct world world;

	(void)state;
	one_net(&world, 3, BY_USE, pages, 3, pinned);
	assert_int_equal(mx_residency_load(world.residency, ref(0, 0), 0), 0);
	mx_residency_loaded(world.residency, ref(0, 0), -EIO);
	assert_int_equal(mx_residency_load(world.residency, ref(0, 2), 0), 0);
	mx_residency_loaded(world.residency, ref(0, 2), -ENODATA);
	mx_residency_assert_ok(world.residency);
	assert_int_equal(state_of(&world, 0), MX_UNIT_FAILED);
	assert_int_equal(mx_residency_status(world.residency, ref(0, 0)), -EIO);
	assert_int_equal(mx_residency_status(world.residency, ref(0, 2)),
			 -ENODATA);
	assert_int_equal(totals_of(&world).unit_bytes, 0);
	bring(&world, 1, 1);
	mx_residency_drop(world.residency, ref(0, 0));
	mx_residency_drop(world.residency, ref(0, 2));
	/* It never was there, so its going is no news. */
	assert_int_equal(world.gone_count, 0);
	assert_int_equal(state_of(&world, 0), MX_UNIT_ABSENT);
	bring(&world, 2, 0);
	mx_residency_free(world.residency);
}

static void arenas_come_from_the_top_and_shrink(void **state)
{
	static const unsigned char pages[3] = {2, 2, 2};
	struct world world;
	uint64_t a, b, c;

	(void)state;
	one_net(&world, 10, BY_USE, pages, 3, NULL);
	assert_int_equal(
		mx_residency_arena(world.residency, 5 * PAGE - 1, 0, &a), 0);
	assert_int_equal(a, 5 * PAGE);
	assert_int_equal(mx_residency_arena(world.residency, 0, 0, &b), 0);
	assert_int_equal(b, 4 * PAGE);
	assert_int_equal(totals_of(&world).arena_bytes, 6 * PAGE);
	/* The lowest two pages are the units'. */
	assert_true(mx_residency_arena_fits(world.residency, 2 * PAGE));
	assert_false(mx_residency_arena_fits(world.residency, 2 * PAGE + 1));
	assert_int_equal(
		mx_residency_arena(world.residency, 2 * PAGE + 1, 0, &c),
		-EAGAIN);
	a = mx_residency_arena_shrink(world.residency, a, 2 * PAGE);
	assert_int_equal(a, 8 * PAGE);
	mx_residency_assert_ok(world.residency);
	assert_int_equal(totals_of(&world).arena_bytes, 3 * PAGE);
	assert_int_equal(
		mx_residency_arena(world.residency, 2 * PAGE + 1, 0, &c), 0);
	assert_int_equal(c, 5 * PAGE);
	mx_residency_arena_give(world.residency, c);
	mx_residency_arena_give(world.residency, a);
	mx_residency_arena_give(world.residency, b);
	mx_residency_assert_ok(world.residency);
	assert_int_equal(totals_of(&world).arena_bytes, 0);
	assert_true(mx_residency_arena_fits(world.residency, 8 * PAGE));
	mx_residency_free(world.residency);
}

static void arenas_drive_out_what_is_needed_later(void **state)
{
	static const unsigned char pages[4] = {2, 2, 2, 2};
	struct world world;
	uint64_t a, b;

	(void)state;
	one_net(&world, 8, BY_USE, pages, 4, NULL);
	bring(&world, 0, 0);
	bring(&world, 1, 2);
	bring(&world, 2, 4);
	bring(&world, 3, 6);
	memcpy(world.use[0], (uint64_t[]){40, 30, 20, 10},
	       4 * sizeof(uint64_t));
	assert_int_equal(mx_residency_arena(world.residency, 3 * PAGE, 20, &a),
			 -EAGAIN);
	assert_int_equal(world.gone_count, 0);
	/* Below the one that may not go. */
	assert_int_equal(mx_residency_arena(world.residency, 3 * PAGE, 15, &a),
			 0);
	assert_int_equal(a, 3 * PAGE);
	assert_int_equal(world.gone_count, 2);
	assert_int_equal(state_of(&world, 0), MX_UNIT_RESIDENT);
	assert_int_equal(state_of(&world, 3), MX_UNIT_RESIDENT);
	/* Nobody may have the units' room, even when it is empty. */
	mx_residency_drop(world.residency, ref(0, 0));
	assert_int_equal(mx_residency_arena(world.residency, 2 * PAGE, 10, &b),
			 -EAGAIN);
	assert_int_equal(mx_residency_arena(world.residency, 2 * PAGE, 9, &b),
			 0);
	assert_int_equal(b, 6 * PAGE);
	mx_residency_assert_ok(world.residency);
	mx_residency_free(world.residency);
}

static void without_a_limit_nothing_is_evicted(void **state)
{
	static const uint64_t sizes[3] = {UINT64_C(1) << 50, PAGE,
					  UINT64_C(1) << 50};
	struct world world;
	uint64_t offset[40];
	uint32_t i;

	(void)state;
	world_open(&world, MX_RESIDENCY_UNLIMITED, BY_LAST_USE);
	assert_int_equal(
		mx_residency_add(world.residency, sizes, 3, NULL, NULL), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(
			mx_residency_load(world.residency, ref(0, i), 0), 0);
		mx_residency_loaded(world.residency, ref(0, i), 0);
		mx_residency_touch(world.residency, ref(0, i));
	}
	for (i = 0; i < 40; i++)
		assert_int_equal(mx_residency_arena(world.residency,
						    (uint64_t)1 << 50, 0,
						    &offset[i]),
				 0);
	mx_residency_assert_ok(world.residency);
	assert_int_equal(world.gone_count, 0);
	assert_int_equal(totals_of(&world).unit_bytes,
			 (UINT64_C(2) << 50) + PAGE);
	assert_int_equal(totals_of(&world).arena_bytes, UINT64_C(40) << 50);
	for (i = 0; i < 40; i += 2)
		mx_residency_arena_give(world.residency, offset[i]);
	mx_residency_drop(world.residency, ref(0, 1));
	assert_int_equal(world.gone_count, 1);
	assert_int_equal(totals_of(&world).resident_bytes, UINT64_C(2) << 50);
	assert_int_equal(totals_of(&world).capacity_bytes,
			 MX_RESIDENCY_UNLIMITED);
	mx_residency_assert_ok(world.residency);
	mx_residency_free(world.residency);
}

static void a_lack_of_memory_is_an_error_and_no_more(void **state)
{
	static const uint64_t sizes[3] = {PAGE, PAGE, PAGE};
	const struct mx_residency_opts opts = {.capacity_bytes = 9 * PAGE};
	struct mx_residency *residency = NULL;
	struct mx_err err;
	int fired = 1;
	long n;
	int rc;

	(void)state;
	for (n = 0; fired; n++) {
		faults_arm(n);
		rc = mx_residency_new(&residency, &opts, &err);
		if (!rc) {
			rc = mx_residency_add(residency, sizes, 3, NULL, &err);
			fired = faults_disarm();
			mx_residency_assert_ok(residency);
			mx_residency_free(residency);
		} else {
			fired = faults_disarm();
		}
		assert_int_equal(rc, fired ? -ENOMEM : 0);
	}
	/* Three arrays of tenants, units, networks, the tenants' again. */
	assert_int_equal(n, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinned_units_have_their_places_from_the_start),
		cmocka_unit_test(what_can_never_fit_is_refused),
		cmocka_unit_test(sizes_beyond_all_measure_are_refused),
		cmocka_unit_test(a_later_network_s_largest_unit_counts_too),
		cmocka_unit_test(units_fill_the_lowest_gap),
		cmocka_unit_test(what_is_needed_last_makes_room),
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(many_old_ones_go_for_a_large_one),
		cmocka_unit_test(held_and_loading_units_stay),
		cmocka_unit_test(
			a_failed_unit_has_no_place_until_it_is_tried_again),
		cmocka_unit_test(arenas_come_from_the_top_and_shrink),
		cmocka_unit_test(arenas_drive_out_what_is_needed_later),
		cmocka_unit_test(without_a_limit_nothing_is_evicted),
		cmocka_unit_test(a_lack_of_memory_is_an_error_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
