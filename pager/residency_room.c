/*
 * Finding room. A window is a row of tenants that may go, and the gaps around
 * them; every tenant that may not go ends it. Of the windows that are long
 * enough only those matter that lose their fit with either end tenant: adding
 * one can only make a window worse.
 *
 * A unit that cannot be moved (it is being read, or held) splits what can be
 * moved around it. Where it is large against the memory that costs most, so it
 * goes to the end of a gap or window at which the most is left in a row.
 *
 * Arenas live longer than units, and what lies between two of them is lost for
 * a larger one. So an arena is put right below another or the end of the range,
 * where that can be had at all.
 */
#include "pager/residency_impl.h"

#include <assert.h>
#include <string.h>

#include "lib/size.h"

/* A unit of more than that part of the memory is a large one. */
#define LARGE_SHARE 32

uint64_t mx_tenant_begin(const struct mx_residency *residency, uint32_t index)
{
	return index < residency->tenant_count
		       ? residency->tenants[index].offset_bytes
		       : residency->end_bytes;
}

uint64_t mx_tenant_floor(const struct mx_residency *residency, uint32_t index)
{
	return index > 0 ? residency->tenants[index - 1].offset_bytes +
				   residency->tenants[index - 1].size_bytes
			 : residency->totals.pinned_bytes;
}

uint32_t mx_tenant_find(const struct mx_residency *residency, uint64_t offset)
{
	uint32_t low = 0;
	uint32_t high = residency->tenant_count;

	while (high - low > 1) {
		const uint32_t middle = low + (high - low) / 2;

		if (residency->tenants[middle].offset_bytes <= offset)
			low = middle;
		else
			high = middle;
	}
	assert(low < residency->tenant_count &&
	       residency->tenants[low].offset_bytes == offset);
	return low;
}

int mx_tenant_is_arena(const struct mx_residency *residency, uint32_t index)
{
	return index == residency->tenant_count ||
	       residency->tenants[index].unit == MX_TENANT_ARENA;
}

int mx_tenant_is_free(const struct mx_residency *residency, uint32_t index)
{
	const uint32_t at = residency->tenants[index].unit;

	return at != MX_TENANT_ARENA &&
	       residency->units[at].state == MX_UNIT_RESIDENT &&
	       residency->units[at].hold_count == 0;
}

int mx_tenant_may_go(const struct mx_residency *residency, uint32_t index,
		     uint64_t use, uint64_t *need)
{
	const uint32_t at = residency->tenants[index].unit;
	const struct mx_resident *unit;
	struct mx_unit_ref ref;

	if (!mx_tenant_is_free(residency, index))
		return 0;
	unit = &residency->units[at];
	if (!residency->opts.next_use) {
		*need = UINT64_MAX - unit->stamp;
		return 1;
	}
	ref.net = unit->net;
	ref.unit = at - residency->first_unit[unit->net];
	*need = residency->opts.next_use(residency->opts.user, ref);
	return *need > use;
}

/* The lowest gap of @size_bytes. */
static int find_gap(struct mx_residency *residency, uint64_t size_bytes,
		    struct mx_window *out)
{
	uint64_t most = 0;
	uint64_t floor = residency->totals.pinned_bytes;
	uint32_t i;

	if (size_bytes > residency->gap_most_bytes)
		return 0;
	for (i = 0; i < residency->tenant_count; i++) {
		const struct mx_tenant *tenant = &residency->tenants[i];
		const uint64_t gap = tenant->offset_bytes - floor;

		if (gap >= size_bytes)
			break;
		most = gap > most ? gap : most;
		floor = tenant->offset_bytes + tenant->size_bytes;
	}
	if (mx_tenant_begin(residency, i) - floor >= size_bytes) {
		*out = (struct mx_window){i, i, floor, UINT64_MAX, 0};
		return 1;
	}
	if (residency->end_bytes - floor > most)
		most = residency->end_bytes - floor;
	residency->gap_most_bytes = most;
	return 0;
}

/* The window of the fewest bytes that has the tenant at @index and lies in
 * @run, which is long enough. */
static void choose_around(const struct mx_residency *residency, uint32_t index,
			  struct mx_run run, uint64_t size_bytes,
			  struct mx_window *out)
{
	const struct mx_tenant *tenants = residency->tenants;
	uint32_t end = index + 1;
	uint64_t best = UINT64_MAX;
	uint64_t bytes = 0;
	uint32_t first;

	for (first = run.first; first < end; first++)
		bytes += tenants[first].size_bytes;
	for (first = run.first; first <= index; first++) {
		const uint64_t floor = mx_tenant_floor(residency, first);

		while (end < run.end &&
		       mx_tenant_begin(residency, end) - floor < size_bytes)
			bytes += tenants[end++].size_bytes;
		if (mx_tenant_begin(residency, end) - floor < size_bytes)
			break;
		if (bytes < best) {
			best = bytes;
			*out = (struct mx_window){first, end, floor, 0, 0};
		}
		bytes -= tenants[first].size_bytes;
	}
	assert(best < UINT64_MAX);
}

/* The tenant at @index joins the runs on either side of it. */
static struct mx_run join_runs(struct mx_residency *residency, uint32_t index)
{
	struct mx_run *runs = residency->runs;
	struct mx_run run = {index, index + 1};

	if (index > 0 && runs[index - 1].end)
		run.first = runs[index - 1].first;
	if (run.end < residency->tenant_count && runs[run.end].end)
		run.end = runs[run.end].end;
	runs[index] = run;
	runs[run.first] = run;
	runs[run.end - 1] = run;
	return run;
}

/* May all tenants of the window go for something used at @use? If so, when the
 * one at @index is needed. */
static int may_all_go(const struct mx_residency *residency,
		      const struct mx_window *window, uint32_t index,
		      uint64_t use, uint64_t *least)
{
	uint64_t need;
	uint32_t i;

	for (i = window->first; i < window->end; i++) {
		if (!mx_tenant_may_go(residency, i, use, &need))
			return 0;
		if (i == index)
			*least = need;
	}
	return 1;
}

/*
 * Units join runs, the one that was used the longest ago first, until a run is
 * long enough: its window's last used unit was used the longest ago of all
 * windows'. That is what find_window() finds, without asking of every unit when
 * it is needed, where all of the window are needed by last use. Returns 0 if
 * not.
 */
static int find_oldest(struct mx_residency *residency, uint64_t size_bytes,
		       uint64_t use, struct mx_window *out)
{
	const struct mx_resident *unit;
	struct mx_run run;
	uint32_t at;

	memset(residency->runs, 0,
	       residency->tenant_count * sizeof(*residency->runs));
	for (at = residency->oldest; at != MX_TENANT_ARENA; at = unit->newer) {
		unit = &residency->units[at];
		if (!mx_tenant_is_free(residency, unit->tenant))
			continue;
		run = join_runs(residency, unit->tenant);
		if (mx_tenant_begin(residency, run.end) -
			    mx_tenant_floor(residency, run.first) <
		    size_bytes)
			continue;
		choose_around(residency, unit->tenant, run, size_bytes, out);
		return may_all_go(residency, out, unit->tenant, use,
				  &out->least);
	}
	return 0;
}

/*
 * The window [first, end) as it slides up, with what its tenants take and the
 * needs in it that are smaller than all behind them: needs[head .. tail), the
 * smallest first.
 */
struct slide {
	uint32_t first;
	uint32_t end;
	uint64_t tenant_bytes;
	uint32_t head;
	uint32_t tail;
};

static void push(struct mx_residency *residency, struct slide *slide,
		 uint64_t need)
{
	struct mx_need *needs = residency->needs;

	while (slide->tail > slide->head && needs[slide->tail - 1].use >= need)
		slide->tail--;
	needs[slide->tail++] = (struct mx_need){need, slide->end};
	slide->tenant_bytes += residency->tenants[slide->end].size_bytes;
	slide->end++;
}

/* Leave tenants out at the low end while @size_bytes still fit. Returns
 * whether they do at all. */
static int narrow(const struct mx_residency *residency, struct slide *slide,
		  uint64_t size_bytes)
{
	const uint64_t top = mx_tenant_begin(residency, slide->end);

	if (top - mx_tenant_floor(residency, slide->first) < size_bytes)
		return 0;
	while (slide->first < slide->end &&
	       top - mx_tenant_floor(residency, slide->first + 1) >=
		       size_bytes) {
		slide->tenant_bytes -=
			residency->tenants[slide->first].size_bytes;
		if (slide->head < slide->tail &&
		    residency->needs[slide->head].tenant == slide->first)
			slide->head++;
		slide->first++;
	}
	return 1;
}

static int find_window(struct mx_residency *residency, uint64_t size_bytes,
		       uint64_t use, struct mx_window *out)
{
	struct slide slide = {.first = 0};
	uint64_t best_need = 0;
	uint64_t best_bytes = 0;
	uint64_t need;
	int found = 0;

	for (;;) {
		/* Gaps are found before: something is in every window. */
		if (slide.end > slide.first &&
		    narrow(residency, &slide, size_bytes)) {
			need = residency->needs[slide.head].use;
			if (!found || need > best_need ||
			    (need == best_need &&
			     slide.tenant_bytes < best_bytes)) {
				found = 1;
				best_need = need;
				best_bytes = slide.tenant_bytes;
				*out = (struct mx_window){
					slide.first, slide.end,
					mx_tenant_floor(residency, slide.first),
					need, 0};
			}
		}
		if (slide.end == residency->tenant_count)
			return found;
		if (mx_tenant_may_go(residency, slide.end, use, &need))
			push(residency, &slide, need);
		else
			slide = (struct slide){.first = slide.end + 1,
					       .end = slide.end + 1};
	}
}

/* The most that would be left in a row, other units gone, between what stays
 * below and above (arenas, or the ends) if a unit lay at @offset. */
static uint64_t left_in_a_row(uint64_t low, uint64_t high, uint64_t offset,
			      uint64_t size_bytes)
{
	const uint64_t below = offset - low;
	const uint64_t above = high - offset - size_bytes;

	return below > above ? below : above;
}

/* The end of the window at which a unit leaves most in a row: its place, and
 * how much. */
static uint64_t better_end(const struct mx_residency *residency,
			   struct mx_window *window, uint64_t size_bytes)
{
	const uint64_t floor = mx_tenant_floor(residency, window->first);
	const uint64_t top =
		mx_tenant_begin(residency, window->end) - size_bytes;
	uint32_t low = window->first;
	uint32_t high = window->end;
	uint64_t low_bytes, high_bytes, at_floor, at_top;

	while (low > 0 && !mx_tenant_is_arena(residency, low - 1))
		low--;
	while (!mx_tenant_is_arena(residency, high))
		high++;
	low_bytes = mx_tenant_floor(residency, low);
	high_bytes = mx_tenant_begin(residency, high);
	at_floor = left_in_a_row(low_bytes, high_bytes, floor, size_bytes);
	at_top = left_in_a_row(low_bytes, high_bytes, top, size_bytes);
	window->offset_bytes = at_top > at_floor ? top : floor;
	return at_top > at_floor ? at_top : at_floor;
}

/* Of all gaps the one where a large unit leaves most in a row. */
static int find_best_gap(const struct mx_residency *residency,
			 uint64_t size_bytes, struct mx_window *out)
{
	uint64_t best = 0;
	int found = 0;
	uint32_t i;

	for (i = 0; i <= residency->tenant_count; i++) {
		struct mx_window gap = {
			.first = i, .end = i, .least = UINT64_MAX};
		uint64_t left;

		if (mx_tenant_begin(residency, i) -
			    mx_tenant_floor(residency, i) <
		    size_bytes)
			continue;
		left = better_end(residency, &gap, size_bytes);
		if (!found || left > best) {
			found = 1;
			best = left;
			*out = gap;
		}
	}
	return found;
}

/*
 * Where units are large against the memory, one in the middle would leave room
 * for none on either side when those around it have gone.
 */
static int find_for_large(struct mx_residency *residency, uint64_t size_bytes,
			  uint64_t use, struct mx_window *out)
{
	if (find_best_gap(residency, size_bytes, out))
		return 1;
	if (!find_window(residency, size_bytes, use, out))
		return 0;
	(void)better_end(residency, out, size_bytes);
	return 1;
}

int mx_window_for_unit(struct mx_residency *residency, uint64_t size_bytes,
		       uint64_t use, struct mx_window *out)
{
	const uint64_t range =
		residency->end_bytes - residency->totals.pinned_bytes;

	if (residency->opts.moved && residency->opts.idle_use &&
	    size_bytes > range / LARGE_SHARE)
		return find_for_large(residency, size_bytes, use, out);
	if (find_gap(residency, size_bytes, out))
		return 1;
	if ((!residency->opts.next_use || residency->opts.recent_use) &&
	    find_oldest(residency, size_bytes,
			mx_u64_max(use, residency->opts.recent_use), out))
		return 1;
	return find_window(residency, size_bytes, use, out);
}

uint64_t mx_window_arena_floor(const struct mx_residency *residency)
{
	return residency->totals.pinned_bytes +
	       residency->totals.largest_unit_bytes;
}

/*
 * Can @size_bytes lie right below the tenant at @end? Returns 1 with the first
 * tenant in the way, and the need of the one needed first (UINT64_MAX: nobody
 * is in the way); or 0 with the tenant that may not go.
 */
static int fits_below(const struct mx_residency *residency, uint32_t end,
		      uint64_t size_bytes, uint64_t use, uint32_t *first,
		      uint64_t *least)
{
	const uint64_t begin = mx_tenant_begin(residency, end) - size_bytes;
	uint64_t need;

	*least = UINT64_MAX;
	*first = end;
	while (mx_tenant_floor(residency, *first) > begin) {
		--*first;
		if (!mx_tenant_may_go(residency, *first, use, &need))
			return 0;
		*least = need < *least ? need : *least;
	}
	return 1;
}

int mx_window_for_arena(struct mx_residency *residency, uint64_t size_bytes,
			uint64_t use, struct mx_window *out)
{
	const uint64_t floor = mx_window_arena_floor(residency);
	uint32_t end = residency->tenant_count;
	uint64_t best = 0;
	uint64_t least;
	uint32_t first;
	int found = 0; /* 2: below an arena */
	int rank;

	while (mx_tenant_begin(residency, end) >= floor &&
	       mx_tenant_begin(residency, end) - floor >= size_bytes) {
		rank = mx_tenant_is_arena(residency, end) ? 2 : 1;
		if (fits_below(residency, end, size_bytes, use, &first,
			       &least)) {
			if (rank > found || (rank == found && least > best)) {
				found = rank;
				best = least;
				*out = (struct mx_window){
					first, end,
					mx_tenant_begin(residency, end) -
						size_bytes,
					least, rank == 2};
			}
			/* Only the next arena can be better. */
			while (first > 0 &&
			       !mx_tenant_is_arena(residency, first - 1))
				first--;
			if (first == 0)
				break;
			first--;
		}
		end = first;
	}
	return found != 0;
}

uint64_t mx_window_arena_room(const struct mx_residency *residency)
{
	uint64_t floor = mx_window_arena_floor(residency);
	uint64_t most = 0;
	uint32_t i;

	for (i = 0; i <= residency->tenant_count; i++) {
		const uint64_t begin = mx_tenant_begin(residency, i);

		if (!mx_tenant_is_arena(residency, i))
			continue;
		if (begin > floor && begin - floor > most)
			most = begin - floor;
		if (i < residency->tenant_count)
			floor = begin + residency->tenants[i].size_bytes;
	}
	return most;
}
