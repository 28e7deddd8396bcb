/*
 * The search goes through the orders in which tasks can start, each starting
 * at the earliest time that is not before the one before it and at which it
 * has what it needs.
 *
 * That is enough. Take the best schedule and its tasks in the order of their
 * starts, and place them like that, one by one: if no task up to some place
 * starts later than it did, then at the next one's old start no less is free
 * than there was (the same tasks have been started, and none ends later), so
 * that it starts no later either. It is needed, too: a LOAD that waits though
 * there is room, for the sake of another network, is one that stands later in
 * the order.
 *
 * All orders of k tasks make level k. Of those that have started the same
 * tasks, what is dominated by another goes (mx_search_dominates()), and so does
 * what is bound to be no better than the best schedule known. A level that is
 * too wide loses its least promising states: then the result is proven only up
 * to the least bound of what was lost. A narrow search comes first, for a good
 * schedule to begin with.
 */
#include "sched/optimum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "sched/optimum_impl.h"

#define NETS MX_INSTANCE_NETS_MAX
#define LAYERS MX_INSTANCE_LAYERS_MAX
#define NONE UINT32_MAX

/* Sums of times and of bytes stay exact in a double, and so do the bounds. */
#define SUM_MAX ((uint64_t)1 << 53)

/* Widths of the searches before the last. */
#define WIDTH_FIRST 64u
#define WIDTH_FACTOR 16u

/* A step on the way to a state. */
struct trail {
	uint32_t before;
	struct mx_search_task task;
};

/* The states of a level, found by their keys. */
struct level {
	struct mx_search_state *states;
	uint32_t count;
	uint32_t room;
	uint32_t *heads; /* of chains through next */
	uint32_t head_mask;
};

struct search {
	const struct mx_instance *instance;
	struct level levels[2];
	struct trail *trails;
	size_t trail_count, trail_room;
	uint64_t *bounds; /* for choosing; as many as a level has room */
	uint32_t width; /* states that a level may keep */
	uint64_t lost_ns; /* least bound of what was cut */
	uint64_t best_ns; /* sum of ends of the best */
	struct mx_search_task best[2 * NETS * LAYERS];
	uint32_t task_count;
	uint64_t state_count;
};

/* ---- a level ---- */

static uint64_t key_hash(const struct mx_search_state *state)
{
	uint64_t hash = 0;
	uint32_t i;

	for (i = 0; i < NETS; i++) {
		hash ^= (uint64_t)state->loaded[i] << 8 | state->started[i];
		hash *= 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

static int same_key(const struct mx_search_state *a,
		    const struct mx_search_state *b)
{
	return !memcmp(a->loaded, b->loaded, sizeof(a->loaded)) &&
	       !memcmp(a->started, b->started, sizeof(a->started));
}

static void level_link(struct level *level, uint32_t index)
{
	struct mx_search_state *state = &level->states[index];
	uint32_t *head = &level->heads[key_hash(state) & level->head_mask];

	state->next = *head;
	*head = index;
}

static void level_clear(struct level *level)
{
	level->count = 0;
	memset(level->heads, 0xff,
	       ((size_t)level->head_mask + 1) * sizeof(*level->heads));
}

static void level_fini(struct level *level)
{
	free(level->states);
	free(level->heads);
	*level = (struct level){.states = NULL};
}

static int level_init(struct level *level, uint32_t room)
{
	uint32_t heads = 1;

	while (heads < room)
		heads *= 2;
	level->states = calloc(room, sizeof(*level->states));
	level->heads = calloc(heads, sizeof(*level->heads));
	level->room = room;
	level->head_mask = heads - 1;
	if (!level->states || !level->heads) {
		level_fini(level);
		return -ENOMEM;
	}
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The states that can still become the best stay. */
static void level_weed(const struct search *search, struct level *level)
{
	const uint32_t count = level->count;
	uint32_t i;

	level_clear(level);
	for (i = 0; i < count; i++) {
		if (level->states[i].bound_ns >= search->best_ns)
			continue;
		level->states[level->count] = level->states[i];
		level_link(level, level->count++);
	}
}

/* Weed, and then keep no more states than the search's width, those of the
 * least bounds. */
static void level_cut(struct search *search, struct level *level)
{
	uint64_t worst_ns;
	uint32_t i, kept = 0, ties = 0, count;

	level_weed(search, level);
	count = level->count;
	if (count <= search->width)
		return;
	for (i = 0; i < count; i++)
		search->bounds[i] = level->states[i].bound_ns;
	qsort(search->bounds, count, sizeof(*search->bounds), compare_u64);
	worst_ns = search->bounds[search->width - 1];
	for (i = search->width; i && search->bounds[i - 1] == worst_ns; i--)
		ties++;
	if (search->bounds[search->width] < search->lost_ns)
		search->lost_ns = search->bounds[search->width];
	level_clear(level);
	for (i = 0; i < count; i++) {
		const uint64_t bound_ns = level->states[i].bound_ns;

		if (bound_ns > worst_ns || (bound_ns == worst_ns && !ties))
			continue;
		ties -= bound_ns == worst_ns;
		level->states[kept] = level->states[i];
		level->count = kept + 1;
		level_link(level, kept++);
	}
}

/* ---- the search ---- */

static int add_trail(struct search *search, uint32_t before,
		     struct mx_search_task task, uint32_t *out)
{
	struct trail *grown;
	size_t room;

	if (search->trail_count == search->trail_room) {
		room = search->trail_room ? 2 * search->trail_room : 4096;
		grown = realloc(search->trails, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		search->trails = grown;
		search->trail_room = room;
	}
	*out = (uint32_t)search->trail_count;
	search->trails[search->trail_count++] = (struct trail){before, task};
	return 0;
}

/* Where @state goes: the place of one that it dominates (all others of those
 * go), or the end; NONE: it is dominated itself. */
static uint32_t place_for(const struct search *search, struct level *level,
			  const struct mx_search_state *state)
{
	const uint32_t nets = search->instance->net_count;
	struct mx_search_state *other;
	uint32_t i, place = level->count;

	for (i = level->heads[key_hash(state) & level->head_mask]; i != NONE;
	     i = other->next) {
		other = &level->states[i];
		if (!same_key(other, state) || other->bound_ns == MX_TIME_NEVER)
			continue;
		if (mx_search_dominates(other, state, nets))
			return NONE;
		if (!mx_search_dominates(state, other, nets))
			continue;
		other->bound_ns = MX_TIME_NEVER;
		place = i;
	}
	return place;
}

/* Put @state, which came about by @task, into the level unless
 * it is dominated. Returns 0 or -ENOMEM. */
static int level_add(struct search *search, struct level *level,
		     struct mx_search_state *state, struct mx_search_task task)
{
	uint32_t place;
	int rc;

	place = place_for(search, level, state);
	if (place == NONE)
		return 0;
	rc = add_trail(search, state->trail, task, &state->trail);
	if (rc)
		return rc;
	search->state_count++;
	if (place < level->count) {
		state->next = level->states[place].next;
		level->states[place] = *state;
		return 0;
	}
	if (level->count == level->room)
		level_cut(search, level);
	level->states[level->count] = *state;
	level_link(level, level->count++);
	return 0;
}

struct choice {
	struct mx_search_task task;
	uint64_t start_ns;
};

/*
 * An EXEC that is over before a task of another network starts, and leaves no
 * more behind than it found, can only be better before that task: the least
 * such end.
 */
static uint64_t free_end(const struct mx_instance *instance,
			 const struct choice *choice)
{
	const struct mx_instance_layer *layer =
		&instance->nets[choice->task.net].layers[choice->task.layer];
	uint64_t found = layer->weight_bytes;

	if (choice->task.is_load)
		return MX_TIME_NEVER;
	if (choice->task.layer)
		found += layer[-1].keep_bytes;
	return layer->keep_bytes <= found ? choice->start_ns + layer->exec_ns
					  : MX_TIME_NEVER;
}

/* All tasks that can come next, with their starts. */
static uint32_t choices_of(const struct mx_search_state *state,
			   const struct mx_instance *instance,
			   struct choice *choices, uint64_t *limit_ns)
{
	const struct mx_instance_net *net;
	struct choice one;
	uint32_t count = 0, i, k;
	uint64_t end_ns;

	*limit_ns = MX_TIME_NEVER;
	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		for (k = state->started[i]; k < net->layer_count; k++) {
			const int loaded = (int)(state->loaded[i] >> k & 1);

			if (loaded && k > state->started[i])
				continue;
			one.task = (struct mx_search_task){
				(uint8_t)i, (uint8_t)k, (uint8_t)!loaded};
			one.start_ns =
				mx_search_start(state, instance, one.task);
			if (one.start_ns == MX_TIME_NEVER)
				continue;
			choices[count++] = one;
			end_ns = free_end(instance, &one);
			*limit_ns = end_ns < *limit_ns ? end_ns : *limit_ns;
		}
	}
	return count;
}

static int expand(struct search *search, const struct mx_search_state *state,
		  struct level *level)
{
	struct choice choices[NETS * LAYERS];
	struct mx_search_state child;
	uint64_t limit_ns;
	uint32_t count, i;
	int rc;

	count = choices_of(state, search->instance, choices, &limit_ns);
	for (i = 0; i < count; i++) {
		if (choices[i].start_ns >= limit_ns)
			continue;
		child = *state;
		mx_search_append(&child, search->instance, choices[i].task,
				 choices[i].start_ns);
		child.bound_ns = mx_search_bound(&child, search->instance);
		if (child.bound_ns < state->bound_ns)
			child.bound_ns = state->bound_ns;
		if (child.bound_ns >= search->best_ns)
			continue;
		rc = level_add(search, level, &child, choices[i].task);
		if (rc)
			return rc;
	}
	return 0;
}

static void note_best(struct search *search, const struct level *level)
{
	const struct mx_search_state *best = NULL;
	uint32_t i, at;

	for (i = 0; i < level->count; i++)
		if (level->states[i].done_ns < search->best_ns) {
			best = &level->states[i];
			search->best_ns = best->done_ns;
		}
	if (!best)
		return;
	for (at = best->trail, i = search->task_count; i--;
	     at = search->trails[at].before)
		search->best[i] = search->trails[at].task;
}

static void levels_fini(struct search *search)
{
	level_fini(&search->levels[0]);
	level_fini(&search->levels[1]);
	free(search->bounds);
	search->bounds = NULL;
}

static int levels_init(struct search *search, uint32_t width)
{
	const uint32_t room = 2 * width;

	levels_fini(search);
	search->width = width;
	search->bounds = calloc(room, sizeof(*search->bounds));
	return !search->bounds || level_init(&search->levels[0], room) ||
			       level_init(&search->levels[1], room)
		       ? -ENOMEM
		       : 0;
}

/* One search through the levels that have been made. */
static int search_levels(struct search *search)
{
	struct level *from = &search->levels[0], *to = &search->levels[1];
	struct level *swap;
	uint32_t i, k;
	int rc;

	search->lost_ns = MX_TIME_NEVER;
	search->trail_count = 0;
	level_clear(from);
	mx_search_begin(&from->states[0], search->instance);
	from->states[0].bound_ns =
		mx_search_bound(&from->states[0], search->instance);
	from->states[0].trail = NONE;
	level_link(from, from->count++);
	for (k = 0; k < search->task_count; k++) {
		level_clear(to);
		for (i = 0; i < from->count; i++) {
			if (from->states[i].bound_ns >= search->best_ns)
				continue;
			rc = expand(search, &from->states[i], to);
			if (rc)
				return rc;
		}
		level_cut(search, to);
		swap = from;
		from = to;
		to = swap;
	}
	note_best(search, from);
	return 0;
}

/* Sums of all times, and of all bytes in use at once, are small enough. */
static int check(const struct mx_instance *instance, struct mx_err *err)
{
	uint64_t sums[2] = {0, 0};
	const struct mx_instance_layer *layer;
	const struct mx_instance_net *net;
	uint32_t i, k;
	int rc = 0;

	for (i = 0; !rc && i < instance->net_count; i++) {
		net = &instance->nets[i];
		rc = mx_u64_add(sums[0], net->release_ns, &sums[0]);
		for (k = 0; !rc && k < net->layer_count; k++) {
			layer = &net->layers[k];
			if ((rc = mx_u64_add(sums[0], layer->load_ns,
					     &sums[0])) ||
			    (rc = mx_u64_add(sums[0], layer->exec_ns,
					     &sums[0])) ||
			    (rc = mx_u64_add(sums[1], layer->weight_bytes,
					     &sums[1])))
				break;
			rc = mx_u64_add(sums[1], layer->run_bytes, &sums[1]);
		}
	}
	if (rc || sums[0] > SUM_MAX / NETS || sums[1] > SUM_MAX)
		return mx_fail(err, EINVAL,
			       "optimum: the instance's times or sizes are "
			       "too large");
	return 0;
}

/* Wider and wider, until nothing is lost that could be better. */
static int search_all(struct search *search, uint32_t width_max,
		      uint64_t *bound_ns)
{
	uint32_t width = WIDTH_FIRST;
	uint64_t found_ns;
	int rc;

	*bound_ns = 0;
	for (;;) {
		width = width < width_max ? width : width_max;
		rc = levels_init(search, width);
		if (!rc)
			rc = search_levels(search);
		if (rc)
			return rc;
		found_ns = search->lost_ns < search->best_ns ? search->lost_ns
							     : search->best_ns;
		if (found_ns > *bound_ns)
			*bound_ns = found_ns;
		if (*bound_ns == search->best_ns || width == width_max)
			return 0;
		width *= WIDTH_FACTOR;
	}
}

/* The best order, with its times. */
static int write_schedule(const struct search *search, struct mx_optimum *out,
			  struct mx_err *err)
{
	const struct mx_instance *instance = search->instance;
	struct mx_schedule_layer *rows[NETS], *row;
	struct mx_search_state state;
	struct mx_search_task task;
	uint64_t start_ns;
	uint32_t i, k;
	int rc;

	rc = mx_schedule_init(&out->schedule, instance, err);
	if (rc)
		return rc;
	row = out->schedule.layers;
	for (i = 0; i < instance->net_count; i++) {
		rows[i] = row;
		row += instance->nets[i].layer_count;
		for (k = 0; k < instance->nets[i].layer_count; k++)
			rows[i][k].load_ns = MX_TIME_NEVER;
	}
	mx_search_begin(&state, instance);
	for (i = 0; i < search->task_count; i++) {
		task = search->best[i];
		start_ns = mx_search_start(&state, instance, task);
		mx_search_append(&state, instance, task, start_ns);
		if (task.is_load)
			rows[task.net][task.layer].load_ns = start_ns;
		else
			rows[task.net][task.layer].exec_ns = start_ns;
	}
	out->response_ns = mx_schedule_response_ns(&out->schedule, instance);
	return 0;
}

int mx_optimum_find(struct mx_optimum *out, const struct mx_instance *instance,
		    const struct mx_optimum_opts *opts, struct mx_err *err)
{
	const uint32_t limit = opts && opts->state_limit ? opts->state_limit
							 : MX_OPTIMUM_STATES;
	const uint32_t width = limit / mx_instance_task_count(instance) + 1;
	struct search search = {
		.instance = instance,
		.best_ns = MX_TIME_NEVER,
		.task_count = mx_instance_task_count(instance),
	};
	uint64_t bound_ns;
	int rc;

	*out = (struct mx_optimum){.state_count = 0};
	rc = check(instance, err);
	if (rc)
		return rc;
	rc = search_all(&search, width, &bound_ns);
	if (rc)
		rc = mx_fail(err, ENOMEM, "optimum: no memory");
	else if (search.best_ns == MX_TIME_NEVER)
		rc = mx_fail(err, EDQUOT,
			     "optimum: no schedule in %llu bytes was found",
			     (unsigned long long)instance->budget_bytes);
	else
		rc = write_schedule(&search, out, err);
	if (!rc)
		out->bound_ns = out->response_ns - (search.best_ns - bound_ns);
	out->state_count = search.state_count;
	levels_fini(&search);
	free(search.trails);
	return rc;
}

void mx_optimum_fini(struct mx_optimum *optimum)
{
	mx_schedule_fini(&optimum->schedule);
}
