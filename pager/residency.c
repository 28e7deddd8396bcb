/*
 * Invariants (residency_check.c checks them):
 *
 *  (1) tenants[] has every unit that is LOADING or RESIDENT and not pinned,
 *      and every arena; sorted, without overlaps, above the pinned units and
 *      below the end. Without a limit it has the arenas alone.
 *  (2) A pinned unit has its place from the start, below all tenants.
 *  (3) No arena begins below the pinned units and the largest other unit.
 *  (4) The tenants that are units hang in a list by their last use.
 *  (5) hold_count > 0 only where RESIDENT.
 */
#include "pager/residency.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "pager/residency_impl.h"

#define PAGE MX_RESIDENCY_PAGE_BYTES
/* Of the range without a limit; leaves room to add sizes to offsets. */
#define ENDLESS_BYTES (UINT64_C(1) << 62)
#define FIRST_ARENAS 16

/* At least a page, so that no two places are the same. */
static uint64_t round_up(uint64_t size_bytes)
{
	if (size_bytes >= ENDLESS_BYTES)
		return ENDLESS_BYTES;
	return size_bytes ? (size_bytes + PAGE - 1) / PAGE * PAGE : PAGE;
}

static struct mx_resident *unit_of(const struct mx_residency *residency,
				   struct mx_unit_ref ref)
{
	assert(ref.net < residency->net_count);
	return &residency->units[residency->first_unit[ref.net] + ref.unit];
}

static void note_peak(struct mx_residency *residency)
{
	struct mx_residency_totals *totals = &residency->totals;
	const uint64_t now =
		totals->pinned_bytes + totals->unit_bytes + totals->arena_bytes;

	if (now > totals->peak_bytes)
		totals->peak_bytes = now;
}

static int grow(struct mx_residency *residency, uint32_t room)
{
	struct mx_tenant *tenants;
	struct mx_need *needs;
	struct mx_run *runs;

	if (room <= residency->tenant_room)
		return 0;
	tenants = reallocarray(residency->tenants, room, sizeof(*tenants));
	if (tenants)
		residency->tenants = tenants;
	needs = reallocarray(residency->needs, room, sizeof(*needs));
	if (needs)
		residency->needs = needs;
	runs = reallocarray(residency->runs, room, sizeof(*runs));
	if (runs)
		residency->runs = runs;
	if (!tenants || !needs || !runs)
		return -ENOMEM;
	residency->tenant_room = room;
	return 0;
}

int mx_residency_new(struct mx_residency **out,
		     const struct mx_residency_opts *opts, struct mx_err *err)
{
	struct mx_residency *residency = calloc(1, sizeof(*residency));

	if (!residency || grow(residency, FIRST_ARENAS)) {
		mx_residency_free(residency);
		return mx_fail(err, ENOMEM, "no memory for a residency");
	}
	residency->opts = *opts;
	residency->end_bytes = opts->capacity_bytes < ENDLESS_BYTES
				       ? opts->capacity_bytes / PAGE * PAGE
				       : ENDLESS_BYTES;
	residency->oldest = MX_TENANT_ARENA;
	residency->newest = MX_TENANT_ARENA;
	residency->gap_most_bytes = residency->end_bytes;
	residency->arena_room_bytes = residency->end_bytes;
	*out = residency;
	return 0;
}

void mx_residency_free(struct mx_residency *residency)
{
	if (!residency)
		return;
	free(residency->units);
	free(residency->first_unit);
	free(residency->tenants);
	free(residency->needs);
	free(residency->runs);
	free(residency);
}

/* Room in all arrays for a network of @count units. */
static int make_room(struct mx_residency *residency, uint32_t count)
{
	struct mx_resident *units;
	uint32_t *first_unit;

	if (count > UINT32_MAX / 2 - residency->unit_count)
		return -ENOMEM;
	units = reallocarray(residency->units,
			     (size_t)residency->unit_count + count + 1,
			     sizeof(*units));
	if (units)
		residency->units = units;
	first_unit = reallocarray(residency->first_unit,
				  (size_t)residency->net_count + 1,
				  sizeof(uint32_t));
	if (first_unit)
		residency->first_unit = first_unit;
	if (!units || !first_unit)
		return -ENOMEM;
	return grow(residency, residency->unit_count + count + FIRST_ARENAS);
}

int mx_residency_add(struct mx_residency *residency, const uint64_t *size_bytes,
		     uint32_t count, const unsigned char *pinned,
		     struct mx_err *err)
{
	uint64_t largest = residency->totals.largest_unit_bytes;
	uint64_t pinned_end = residency->totals.pinned_bytes;
	struct mx_resident *unit;
	uint32_t i;

	assert(residency->tenant_count == 0);
	if (make_room(residency, count))
		return mx_fail(err, ENOMEM, "no memory for %u units", count);
	for (i = 0; i < count; i++) {
		unit = &residency->units[residency->unit_count + i];
		memset(unit, 0, sizeof(*unit));
		unit->net = residency->net_count;
		unit->size_bytes = round_up(size_bytes[i]);
		if (pinned && pinned[i]) {
			unit->pinned = 1;
			unit->offset_bytes = pinned_end;
			if (unit->size_bytes >
			    residency->end_bytes - pinned_end)
				break;
			pinned_end += unit->size_bytes;
		} else if (unit->size_bytes > largest) {
			largest = unit->size_bytes;
		}
	}
	if (i < count || largest > residency->end_bytes - pinned_end)
		return mx_fail(err, EDQUOT,
			       "%" PRIu64 " bytes do not hold the pinned "
			       "weights and then the largest slice, %" PRIu64
			       " bytes",
			       residency->end_bytes, largest);
	residency->first_unit[residency->net_count++] = residency->unit_count;
	residency->unit_count += count;
	residency->totals.pinned_bytes = pinned_end;
	residency->totals.largest_unit_bytes = largest;
	residency->arena_room_bytes = mx_window_arena_room(residency);
	note_peak(residency);
	return 0;
}

enum mx_unit_state mx_residency_state(const struct mx_residency *residency,
				      struct mx_unit_ref ref)
{
	return (enum mx_unit_state)unit_of(residency, ref)->state;
}

int mx_residency_is_pinned(const struct mx_residency *residency,
			   struct mx_unit_ref ref)
{
	return unit_of(residency, ref)->pinned;
}

uint64_t mx_residency_offset(const struct mx_residency *residency,
			     struct mx_unit_ref ref)
{
	return unit_of(residency, ref)->offset_bytes;
}

int mx_residency_status(const struct mx_residency *residency,
			struct mx_unit_ref ref)
{
	return unit_of(residency, ref)->status;
}

/* ---- the list by last use ---- */

static void list_remove(struct mx_residency *residency,
			const struct mx_resident *unit)
{
	if (unit->older != MX_TENANT_ARENA)
		residency->units[unit->older].newer = unit->newer;
	else
		residency->oldest = unit->newer;
	if (unit->newer != MX_TENANT_ARENA)
		residency->units[unit->newer].older = unit->older;
	else
		residency->newest = unit->older;
}

static void list_append(struct mx_residency *residency,
			struct mx_resident *unit)
{
	const uint32_t at = (uint32_t)(unit - residency->units);

	unit->stamp = ++residency->last_stamp;
	unit->older = residency->newest;
	unit->newer = MX_TENANT_ARENA;
	if (residency->newest != MX_TENANT_ARENA)
		residency->units[residency->newest].newer = at;
	else
		residency->oldest = at;
	residency->newest = at;
}

/* ---- tenants come and go ---- */

static struct mx_unit_ref ref_of(const struct mx_residency *residency,
				 uint32_t at)
{
	const uint32_t net = residency->units[at].net;

	return (struct mx_unit_ref){net, at - residency->first_unit[net]};
}

/* The unit goes from memory, though not yet from tenants[]. */
static void forget(struct mx_residency *residency, struct mx_resident *unit)
{
	const uint32_t at = (uint32_t)(unit - residency->units);

	if (!mx_residency_is_unlimited(residency))
		list_remove(residency, unit);
	residency->totals.unit_bytes -= unit->size_bytes;
	if (unit->state == MX_UNIT_RESIDENT)
		residency->totals.resident_bytes -= unit->size_bytes;
	unit->state = MX_UNIT_ABSENT;
	if (residency->opts.dropped)
		residency->opts.dropped(residency->opts.user,
					ref_of(residency, at));
}

static void note_place(struct mx_residency *residency, uint32_t index)
{
	const uint32_t unit = residency->tenants[index].unit;

	if (unit != MX_TENANT_ARENA)
		residency->units[unit].tenant = index;
}

/* tenants[@first .. @end) are replaced by @count (0 or 1) others. */
static void splice(struct mx_residency *residency, uint32_t first, uint32_t end,
		   uint32_t count)
{
	struct mx_tenant *tenants = residency->tenants;
	uint32_t i;

	assert(residency->tenant_count - (end - first) + count <=
	       residency->tenant_room);
	if (first + count == end)
		return;
	memmove(tenants + first + count, tenants + end,
		(residency->tenant_count - end) * sizeof(*tenants));
	residency->tenant_count -= end - first;
	residency->tenant_count += count;
	for (i = first + count; i < residency->tenant_count; i++)
		note_place(residency, i);
}

/* There is a new gap below the tenant at @index. */
static void note_gap(struct mx_residency *residency, uint32_t index)
{
	const uint64_t gap = mx_tenant_begin(residency, index) -
			     mx_tenant_floor(residency, index);

	if (gap > residency->gap_most_bytes)
		residency->gap_most_bytes = gap;
}

/* The tenant's bytes move down to @to. */
static void move(struct mx_residency *residency, struct mx_tenant *tenant,
		 uint64_t to)
{
	const uint64_t from = tenant->offset_bytes;

	tenant->stays = 0;
	if (from == to)
		return;
	tenant->offset_bytes = to;
	residency->units[tenant->unit].offset_bytes = to;
	residency->totals.moved_bytes += tenant->size_bytes;
	residency->totals.moved_count++;
	residency->opts.moved(residency->opts.user,
			      ref_of(residency, tenant->unit), from, to,
			      tenant->size_bytes);
}

/* Evict or move who is in the window, and give it to @unit (or
 * MX_TENANT_ARENA). */
static void move_in(struct mx_residency *residency,
		    const struct mx_window *window, uint32_t unit,
		    uint64_t size_bytes)
{
	struct mx_tenant *tenants = residency->tenants;
	uint64_t floor = mx_tenant_floor(residency, window->first);
	uint32_t at = window->first;
	uint32_t i;

	for (i = window->first; i < window->end; i++)
		if (!tenants[i].stays)
			forget(residency, &residency->units[tenants[i].unit]);
	for (i = window->first; i < window->end; i++) {
		if (!tenants[i].stays)
			continue;
		tenants[at] = tenants[i];
		move(residency, &tenants[at], floor);
		note_place(residency, at);
		floor += tenants[at++].size_bytes;
	}
	splice(residency, at, window->end, 1);
	tenants[at] =
		(struct mx_tenant){window->offset_bytes, size_bytes, unit, 0};
	note_place(residency, at);
	note_gap(residency, at);
	note_gap(residency, at + 1);
}

static void move_out(struct mx_residency *residency, uint32_t index)
{
	splice(residency, index, index + 1, 0);
	note_gap(residency, index);
}

static int find_for_unit(struct mx_residency *residency, uint64_t size_bytes,
			 uint64_t use, struct mx_window *out)
{
	const int found = mx_window_for_unit(residency, size_bytes, use, out);

	if (!residency->opts.moved ||
	    (found && out->least >= residency->opts.idle_use))
		return found;
	return mx_squeeze_for_unit(residency, size_bytes, use, found, out);
}

static int find_for_arena(struct mx_residency *residency, uint64_t size_bytes,
			  uint64_t use, struct mx_window *out)
{
	const int found = mx_window_for_arena(residency, size_bytes, use, out);

	if (!residency->opts.moved || (found && out->below_arena &&
				       out->least >= residency->opts.idle_use))
		return found;
	return mx_squeeze_for_arena(residency, size_bytes, use, found, out);
}

int mx_residency_load(struct mx_residency *residency, struct mx_unit_ref ref,
		      uint64_t use)
{
	struct mx_resident *unit = unit_of(residency, ref);
	struct mx_window window;

	assert(unit->state == MX_UNIT_ABSENT);
	if (!unit->pinned) {
		if (!mx_residency_is_unlimited(residency)) {
			if (!find_for_unit(residency, unit->size_bytes, use,
					   &window))
				return -EAGAIN;
			move_in(residency, &window,
				(uint32_t)(unit - residency->units),
				unit->size_bytes);
			unit->offset_bytes = window.offset_bytes;
			list_append(residency, unit);
		}
		residency->totals.unit_bytes += unit->size_bytes;
		note_peak(residency);
	}
	unit->state = MX_UNIT_LOADING;
	return 0;
}

int mx_residency_has_room(struct mx_residency *residency,
			  struct mx_unit_ref ref, uint64_t use)
{
	const struct mx_resident *unit = unit_of(residency, ref);
	struct mx_window window;
	uint32_t i;

	if (unit->pinned || mx_residency_is_unlimited(residency))
		return 1;
	if (!find_for_unit(residency, unit->size_bytes, use, &window))
		return 0;
	for (i = window.first; i < window.end; i++)
		residency->tenants[i].stays = 0;
	return 1;
}

void mx_residency_loaded(struct mx_residency *residency, struct mx_unit_ref ref,
			 int status)
{
	struct mx_resident *unit = unit_of(residency, ref);

	assert(unit->state == MX_UNIT_LOADING);
	if (status == 0) {
		unit->state = MX_UNIT_RESIDENT;
		mx_residency_touch(residency, ref);
		residency->totals.resident_bytes += unit->size_bytes;
		return;
	}
	unit->state = MX_UNIT_FAILED;
	unit->status = status;
	if (unit->pinned)
		return;
	residency->totals.unit_bytes -= unit->size_bytes;
	if (!mx_residency_is_unlimited(residency)) {
		list_remove(residency, unit);
		move_out(residency, unit->tenant);
	}
}

void mx_residency_hold(struct mx_residency *residency, struct mx_unit_ref ref)
{
	struct mx_resident *unit = unit_of(residency, ref);

	assert(unit->state == MX_UNIT_RESIDENT);
	unit->hold_count++;
}

void mx_residency_release(struct mx_residency *residency,
			  struct mx_unit_ref ref)
{
	struct mx_resident *unit = unit_of(residency, ref);

	assert(unit->hold_count > 0);
	unit->hold_count--;
	mx_residency_touch(residency, ref);
}

void mx_residency_touch(struct mx_residency *residency, struct mx_unit_ref ref)
{
	struct mx_resident *unit = unit_of(residency, ref);

	if (unit->pinned || mx_residency_is_unlimited(residency) ||
	    (unit->state != MX_UNIT_RESIDENT && unit->state != MX_UNIT_LOADING))
		return;
	list_remove(residency, unit);
	list_append(residency, unit);
}

uint64_t mx_residency_last_use(const struct mx_residency *residency,
			       struct mx_unit_ref ref)
{
	return unit_of(residency, ref)->stamp;
}

void mx_residency_drop(struct mx_residency *residency, struct mx_unit_ref ref)
{
	struct mx_resident *unit = unit_of(residency, ref);

	if (unit->state == MX_UNIT_FAILED) {
		unit->state = MX_UNIT_ABSENT;
		return;
	}
	if (unit->state != MX_UNIT_RESIDENT || unit->hold_count > 0 ||
	    unit->pinned)
		return;
	if (!mx_residency_is_unlimited(residency))
		move_out(residency, unit->tenant);
	forget(residency, unit);
}

/* ---- arenas ---- */

int mx_residency_arena(struct mx_residency *residency, uint64_t bytes,
		       uint64_t use, uint64_t *offset)
{
	const uint64_t size = round_up(bytes);
	struct mx_window window;
	uint32_t room;

	if (!mx_residency_arena_fits(residency, bytes))
		return -EAGAIN;
	/* Every unit finds its place even when all are tenants. */
	room = residency->unit_count + residency->arena_count + 1;
	if (room > residency->tenant_room &&
	    grow(residency, room + FIRST_ARENAS))
		return -EAGAIN;
	if (!find_for_arena(residency, size, use, &window))
		return -EAGAIN;
	move_in(residency, &window, MX_TENANT_ARENA, size);
	residency->arena_count++;
	residency->totals.arena_bytes += size;
	residency->arena_room_bytes = mx_window_arena_room(residency);
	note_peak(residency);
	*offset = window.offset_bytes;
	return 0;
}

int mx_residency_arena_fits(const struct mx_residency *residency,
			    uint64_t bytes)
{
	return round_up(bytes) <= residency->arena_room_bytes;
}

/* The tenant's index. */
static uint32_t find_arena(const struct mx_residency *residency,
			   uint64_t offset)
{
	const uint32_t index = mx_tenant_find(residency, offset);

	assert(residency->tenants[index].unit == MX_TENANT_ARENA);
	return index;
}

uint64_t mx_residency_arena_shrink(struct mx_residency *residency,
				   uint64_t offset, uint64_t bytes)
{
	const uint32_t index = find_arena(residency, offset);
	struct mx_tenant *tenant = &residency->tenants[index];
	const uint64_t size = round_up(bytes);

	assert(size <= tenant->size_bytes);
	if (size == tenant->size_bytes)
		return offset;
	residency->totals.arena_bytes -= tenant->size_bytes - size;
	tenant->offset_bytes += tenant->size_bytes - size;
	tenant->size_bytes = size;
	note_gap(residency, index);
	residency->arena_room_bytes = mx_window_arena_room(residency);
	return tenant->offset_bytes;
}

void mx_residency_arena_give(struct mx_residency *residency, uint64_t offset)
{
	const uint32_t index = find_arena(residency, offset);

	residency->totals.arena_bytes -= residency->tenants[index].size_bytes;
	residency->arena_count--;
	move_out(residency, index);
	residency->arena_room_bytes = mx_window_arena_room(residency);
}

void mx_residency_totals(const struct mx_residency *residency,
			 struct mx_residency_totals *totals)
{
	*totals = residency->totals;
	totals->capacity_bytes = residency->opts.capacity_bytes;
}
