/*
 * Moving together. A segment is a row of tenants that may move, between two
 * that may not (an arena, a unit that is held or LOADING, the ends). In it only
 * the bytes count: those needed last go, as many as it takes, and the others
 * close up. What is gained is what does not have to be read again.
 *
 * Between tenants that may move all gaps can be had, so a segment never evicts
 * anything needed sooner than a window in it does. All move down, the lowest
 * first, so that one by one they can.
 */
#include "pager/residency_impl.h"

#include <assert.h>

/* Tenants [first, end) that may all move. */
struct segment {
	uint32_t first;
	uint32_t end;
};

/* What is being looked for. */
struct wish {
	uint64_t size_bytes;
	uint64_t use;
	int at_top; /* of its segment: an arena */
	uint64_t least_end; /* no segment that ends before will do */
};

static uint64_t size_of(const struct mx_residency *residency, uint32_t index)
{
	return residency->tenants[index].size_bytes;
}

/* Fill needs[] with those of the segment that may go, and what they take.
 * Returns how many. */
static uint32_t list_needs(struct mx_residency *residency,
			   struct segment segment, uint64_t use,
			   uint64_t *bytes)
{
	uint32_t count = 0;
	uint64_t need;
	uint32_t i;

	*bytes = 0;
	for (i = segment.first; i < segment.end; i++) {
		if (!mx_tenant_may_go(residency, i, use, &need))
			continue;
		residency->needs[count++] = (struct mx_need){need, i};
		*bytes += size_of(residency, i);
	}
	return count;
}

/* Bring the latest need of needs[first .. count) to the front. */
static void bring_latest(struct mx_need *needs, uint32_t first, uint32_t count)
{
	struct mx_need front = needs[first];
	uint32_t latest = first;
	uint32_t i;

	for (i = first + 1; i < count; i++)
		if (needs[i].use > needs[latest].use)
			latest = i;
	needs[first] = needs[latest];
	needs[latest] = front;
}

/*
 * Who stays in the segment: all but those needed last, of which as few go as
 * make room for @lack bytes. Returns 0 if there is no such room, else 1 with
 * the need of the first needed of those who go (UINT64_MAX: nobody does).
 */
static int choose_stays(struct mx_residency *residency, struct segment segment,
			uint64_t lack, uint64_t use, uint64_t *least)
{
	struct mx_need *needs = residency->needs;
	uint64_t going = 0;
	uint64_t bytes = 0;
	uint32_t count = 0;
	uint32_t gone = 0;
	uint32_t i;

	*least = UINT64_MAX;
	if (lack > 0)
		count = list_needs(residency, segment, use, &bytes);
	if (bytes < lack)
		return 0;
	for (i = segment.first; i < segment.end; i++)
		residency->tenants[i].stays = 1;
	for (; going < lack; gone++) {
		bring_latest(needs, gone, count);
		going += size_of(residency, needs[gone].tenant);
		residency->tenants[needs[gone].tenant].stays = 0;
		*least = needs[gone].use;
	}
	/* The last one was needed; of the others, some may not be. */
	while (gone-- > 1) {
		const uint32_t tenant = needs[gone - 1].tenant;

		if (going - lack < size_of(residency, tenant))
			continue;
		going -= size_of(residency, tenant);
		residency->tenants[tenant].stays = 1;
	}
	return 1;
}

/*
 * Of the segment, the part in which there is room when those who stay close
 * up: where they are the fewest bytes, which is what is moved at most.
 */
static uint64_t choose_part(const struct mx_residency *residency,
			    struct segment segment, const struct wish *wish,
			    struct mx_window *out)
{
	const struct mx_tenant *tenants = residency->tenants;
	uint64_t best = UINT64_MAX;
	uint32_t end = wish->at_top ? segment.end : segment.first;
	uint32_t first = segment.first;
	uint64_t stay = 0;
	uint32_t i;

	for (i = segment.first; i < end; i++)
		stay += tenants[i].stays ? tenants[i].size_bytes : 0;
	for (; first <= segment.end; first++) {
		const uint64_t floor = mx_tenant_floor(residency, first);

		while (end < segment.end &&
		       (end < first || mx_tenant_begin(residency, end) - floor <
					       stay + wish->size_bytes)) {
			if (end >= first && tenants[end].stays)
				stay += tenants[end].size_bytes;
			end++;
		}
		if (mx_tenant_begin(residency, end) - floor <
		    stay + wish->size_bytes)
			break;
		if (stay < best) {
			best = stay;
			out->first = first;
			out->end = end;
			out->offset_bytes = floor + stay;
		}
		if (first < end && tenants[first].stays)
			stay -= tenants[first].size_bytes;
	}
	assert(best < UINT64_MAX);
	out->below_arena = 0;
	if (!wish->at_top)
		return best;
	out->below_arena = mx_tenant_is_arena(residency, segment.end);
	out->offset_bytes =
		mx_tenant_begin(residency, segment.end) - wish->size_bytes;
	return best;
}

static void forget_stays(struct mx_residency *residency, uint32_t first,
			 uint32_t end)
{
	for (; first < end; first++)
		residency->tenants[first].stays = 0;
}

/* What must go of the segment for the wish. Returns 0 if that is not enough. */
static int choose(struct mx_residency *residency, struct segment segment,
		  const struct wish *wish, uint64_t *least)
{
	const uint64_t room = mx_tenant_begin(residency, segment.end) -
			      mx_tenant_floor(residency, segment.first);
	uint64_t taken = wish->size_bytes;
	uint32_t i;

	if (room < wish->size_bytes)
		return 0;
	for (i = segment.first; i < segment.end; i++)
		taken += size_of(residency, i);
	return choose_stays(residency, segment, taken > room ? taken - room : 0,
			    wish->use, least);
}

/* Does somebody that is waited for go? */
static int is_dear(const struct mx_residency *residency,
		   const struct mx_window *window)
{
	return window->least < residency->opts.idle_use;
}

/* Better than @best, of which @best_bytes move? Arenas lie together, unless
 * that costs what is waited for. */
static int is_better(const struct mx_residency *residency,
		     const struct mx_window *window, uint64_t bytes,
		     const struct mx_window *best, uint64_t best_bytes)
{
	if (is_dear(residency, window) != is_dear(residency, best))
		return is_dear(residency, best);
	if (window->below_arena != best->below_arena)
		return window->below_arena;
	if (window->least != best->least)
		return window->least > best->least;
	return bytes < best_bytes;
}

/* Look at all segments; if one is better than what is @found, it is taken and
 * marked. */
static int find(struct mx_residency *residency, const struct wish *wish,
		int found, struct mx_window *out)
{
	struct segment segment = {0, 0};
	struct segment best = {0, 0};
	/* A window moves nothing. */
	uint64_t best_bytes = 0;
	int better = 0;

	for (; segment.end <= residency->tenant_count; segment.end++) {
		struct mx_window window = {.first = 0};
		uint64_t bytes;

		if (segment.end < residency->tenant_count &&
		    mx_tenant_is_free(residency, segment.end))
			continue;
		if (mx_tenant_begin(residency, segment.end) >=
			    wish->least_end &&
		    choose(residency, segment, wish, &window.least)) {
			bytes = choose_part(residency, segment, wish, &window);
			forget_stays(residency, segment.first, segment.end);
			if (!(found || better) ||
			    is_better(residency, &window, bytes, out,
				      best_bytes)) {
				better = 1;
				best = segment;
				best_bytes = bytes;
				*out = window;
			}
		}
		segment.first = segment.end + 1;
	}
	if (!better)
		return found;
	(void)choose(residency, best, wish, &out->least);
	forget_stays(residency, best.first, out->first);
	forget_stays(residency, out->end, best.end);
	return 1;
}

int mx_squeeze_for_unit(struct mx_residency *residency, uint64_t size_bytes,
			uint64_t use, int found, struct mx_window *out)
{
	const struct wish wish = {.size_bytes = size_bytes, .use = use};

	return find(residency, &wish, found, out);
}

int mx_squeeze_for_arena(struct mx_residency *residency, uint64_t size_bytes,
			 uint64_t use, int found, struct mx_window *out)
{
	const struct wish wish = {
		.size_bytes = size_bytes,
		.use = use,
		.at_top = 1,
		.least_end = mx_window_arena_floor(residency) + size_bytes,
	};

	return find(residency, &wish, found, out);
}
