/*
 * The invariants that residency.c states.
 */
#include "pager/residency.h"

#include <assert.h>

#include "pager/residency_impl.h"

static void assert_tenants(const struct mx_residency *residency)
{
	uint64_t gap_most = 0;
	uint64_t unit_bytes = 0;
	uint64_t arena_bytes = 0;
	uint32_t arenas = 0;
	uint32_t i;

	assert(residency->tenant_count <= residency->tenant_room);
	for (i = 0; i <= residency->tenant_count; i++) {
		const struct mx_tenant *tenant = &residency->tenants[i];
		const uint64_t begin = mx_tenant_begin(residency, i);
		const uint64_t floor = mx_tenant_floor(residency, i);

		assert(floor <= begin);
		gap_most = begin - floor > gap_most ? begin - floor : gap_most;
		if (i == residency->tenant_count)
			break;
		assert(!tenant->stays);
		assert(begin % MX_RESIDENCY_PAGE_BYTES == 0 &&
		       tenant->size_bytes % MX_RESIDENCY_PAGE_BYTES == 0);
		assert(tenant->size_bytes > 0);
		if (tenant->unit == MX_TENANT_ARENA) {
			assert(begin >=
			       residency->totals.pinned_bytes +
				       residency->totals.largest_unit_bytes);
			arena_bytes += tenant->size_bytes;
			arenas++;
		} else {
			const struct mx_resident *unit =
				&residency->units[tenant->unit];

			assert(!unit->pinned &&
			       !mx_residency_is_unlimited(residency));
			assert(unit->offset_bytes == begin);
			assert(unit->tenant == i);
			assert(unit->size_bytes == tenant->size_bytes);
			unit_bytes += tenant->size_bytes;
		}
	}
	assert(gap_most <= residency->gap_most_bytes);
	assert(arenas == residency->arena_count);
	assert(arena_bytes == residency->totals.arena_bytes);
	assert(mx_residency_is_unlimited(residency) ||
	       unit_bytes == residency->totals.unit_bytes);
	assert(residency->arena_room_bytes == mx_window_arena_room(residency));
}

static void assert_list(const struct mx_residency *residency)
{
	uint32_t older = MX_TENANT_ARENA;
	uint64_t stamp = 0;
	uint32_t count = 0;
	uint32_t at;

	for (at = residency->oldest; at != MX_TENANT_ARENA;
	     at = residency->units[at].newer) {
		const struct mx_resident *unit = &residency->units[at];

		assert(unit->older == older && unit->stamp > stamp);
		assert(unit->state == MX_UNIT_LOADING ||
		       unit->state == MX_UNIT_RESIDENT);
		stamp = unit->stamp;
		older = at;
		count++;
	}
	assert(older == residency->newest);
	assert(count + residency->arena_count == residency->tenant_count);
}

void mx_residency_assert_ok(const struct mx_residency *residency)
{
	const struct mx_residency_totals *totals = &residency->totals;
	uint64_t pinned = 0;
	uint64_t others = 0;
	uint64_t resident = 0;
	uint32_t i;

	for (i = 0; i < residency->unit_count; i++) {
		const struct mx_resident *unit = &residency->units[i];

		assert(unit->hold_count == 0 ||
		       unit->state == MX_UNIT_RESIDENT);
		if (unit->state == MX_UNIT_RESIDENT)
			resident += unit->size_bytes;
		if (unit->pinned) {
			assert(unit->offset_bytes == pinned);
			pinned += unit->size_bytes;
		} else if (unit->state == MX_UNIT_LOADING ||
			   unit->state == MX_UNIT_RESIDENT) {
			others += unit->size_bytes;
		}
	}
	assert(pinned == totals->pinned_bytes);
	assert(others == totals->unit_bytes);
	assert(resident == totals->resident_bytes);
	assert(pinned + others + totals->arena_bytes <= totals->peak_bytes);
	assert(mx_residency_is_unlimited(residency) ||
	       totals->peak_bytes <= residency->end_bytes);
	assert_tenants(residency);
	assert_list(residency);
}
