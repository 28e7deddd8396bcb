/*
 * Invariants of a planned arena:
 *
 *  (1) Two roots whose [first_layer, last_layer] overlap do not overlap in
 *      memory. A layer's inputs and outputs are both live at that layer.
 *  (2) Every offset is a multiple of MX_ARENA_ALIGN_BYTES, and every size.
 */
#include "lib/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"

static void touch(struct mx_arena *arena, uint32_t root, uint32_t layer)
{
	if (arena->first_layer[root] == MX_NONE)
		arena->first_layer[root] = layer;
	arena->last_layer[root] = layer;
}

static void find_lifetimes(struct mx_arena *arena, const struct mx_network *net)
{
	const uint32_t end = net->layer_count ? net->layer_count - 1 : 0;
	uint32_t i, k;

	for (i = 0; i < net->tensor_count; i++)
		arena->first_layer[i] = MX_NONE;
	for (i = 0; i < net->input_count; i++)
		touch(arena, net->tensors[net->inputs[i].tensor].root, 0);
	for (i = 0; i < net->layer_count; i++) {
		const struct mx_layer *layer = &net->layers[i];

		for (k = 0; k < layer->in_count; k++)
			touch(arena, net->tensors[layer->in[k]].root, i);
		for (k = 0; k < layer->out_count; k++)
			touch(arena, net->tensors[layer->out[k]].root, i);
	}
	for (i = 0; i < net->output_count; i++)
		touch(arena, net->tensors[net->outputs[i]].root, end);
}

static int find_sizes(struct mx_arena *arena, const struct mx_network *net,
		      struct mx_err *err)
{
	uint32_t i;
	size_t elems;

	for (i = 0; i < net->tensor_count; i++) {
		if (net->tensors[i].root != i ||
		    arena->first_layer[i] == MX_NONE)
			continue;
		if (mx_tensor_extent(&net->tensors[i], &elems))
			return mx_fail(err, EOVERFLOW, "%s: too large",
				       net->tensors[i].name);
		arena->size_bytes[i] =
			mx_size_round_up(elems ? elems * sizeof(float) : 1,
					 MX_ARENA_ALIGN_BYTES);
	}
	return 0;
}

/* The most bytes live at one layer: no plan can do with less. */
static int find_lower_bound(struct mx_arena *arena,
			    const struct mx_network *net)
{
	int64_t *change = calloc((size_t)net->layer_count + 2, sizeof(*change));
	int64_t live = 0;
	uint32_t i;

	if (!change)
		return -ENOMEM;
	for (i = 0; i < net->tensor_count; i++)
		if (arena->size_bytes[i]) {
			change[arena->first_layer[i]] +=
				(int64_t)arena->size_bytes[i];
			change[arena->last_layer[i] + 1] -=
				(int64_t)arena->size_bytes[i];
		}
	for (i = 0; i <= net->layer_count; i++) {
		live += change[i];
		if ((size_t)live > arena->lower_bound_bytes) {
			arena->lower_bound_bytes = (size_t)live;
			arena->peak_layer = i;
		}
	}
	free(change);
	return 0;
}

struct item {
	uint32_t root;
	size_t size_bytes;
};

static int by_falling_size(const void *a, const void *b)
{
	const struct item *x = a;
	const struct item *y = b;

	if (x->size_bytes != y->size_bytes)
		return x->size_bytes < y->size_bytes ? 1 : -1;
	return x->root < y->root ? -1 : 1;
}

static int overlap(const struct mx_arena *arena, uint32_t a, uint32_t b)
{
	return arena->first_layer[a] <= arena->last_layer[b] &&
	       arena->first_layer[b] <= arena->last_layer[a];
}

/*
 * The smallest gap that fits @item between those already placed (in @placed,
 * by rising offset) whose lifetimes meet its own; else behind them all. The
 * index in @placed that keeps the order is returned.
 */
static size_t best_fit(const struct mx_arena *arena, const struct item *item,
		       const uint32_t *placed, size_t placed_count,
		       size_t *offset_out)
{
	size_t best_gap = SIZE_MAX;
	size_t best = SIZE_MAX;
	size_t end = 0;
	size_t i;

	for (i = 0; i < placed_count; i++) {
		const uint32_t other = placed[i];
		const size_t at = arena->offset_bytes[other];

		if (!overlap(arena, item->root, other))
			continue;
		if (at > end && at - end >= item->size_bytes &&
		    at - end < best_gap) {
			best_gap = at - end;
			best = end;
		}
		end = mx_size_max(end, at + arena->size_bytes[other]);
	}
	*offset_out = best == SIZE_MAX ? end : best;
	for (i = 0; i < placed_count; i++)
		if (arena->offset_bytes[placed[i]] > *offset_out)
			break;
	return i;
}

static int place(struct mx_arena *arena, const struct mx_network *net)
{
	struct item *items =
		calloc((size_t)net->tensor_count + 1, sizeof(*items));
	uint32_t *placed =
		calloc((size_t)net->tensor_count + 1, sizeof(*placed));
	size_t count = 0;
	size_t i, at;
	int rc = -ENOMEM;

	if (!items || !placed)
		goto done;
	for (i = 0; i < net->tensor_count; i++)
		if (arena->size_bytes[i]) {
			items[count].root = (uint32_t)i;
			items[count++].size_bytes = arena->size_bytes[i];
		}
	qsort(items, count, sizeof(*items), by_falling_size);
	for (i = 0; i < count; i++) {
		const uint32_t root = items[i].root;

		at = best_fit(arena, &items[i], placed, i,
			      &arena->offset_bytes[root]);
		memmove(placed + at + 1, placed + at,
			(i - at) * sizeof(*placed));
		placed[at] = root;
		arena->total_bytes = mx_size_max(arena->total_bytes,
						 arena->offset_bytes[root] +
							 items[i].size_bytes);
	}
	/* From the end, then. */
	for (i = 0; i < count; i++) {
		size_t *offset = &arena->offset_bytes[items[i].root];

		*offset = arena->total_bytes - *offset - items[i].size_bytes;
	}
	rc = 0;
done:
	free(items);
	free(placed);
	return rc;
}

int mx_arena_init(struct mx_arena *arena, const struct mx_network *net,
		  struct mx_err *err)
{
	const size_t count = net->tensor_count ? net->tensor_count : 1;
	int rc = -ENOMEM;

	memset(arena, 0, sizeof(*arena));
	arena->offset_bytes = calloc(count, sizeof(*arena->offset_bytes));
	arena->size_bytes = calloc(count, sizeof(*arena->size_bytes));
	arena->first_layer = calloc(count, sizeof(*arena->first_layer));
	arena->last_layer = calloc(count, sizeof(*arena->last_layer));
	if (!arena->offset_bytes || !arena->size_bytes || !arena->first_layer ||
	    !arena->last_layer)
		goto fail;
	find_lifetimes(arena, net);
	rc = find_sizes(arena, net, err);
	if (rc) {
		mx_arena_fini(arena);
		return rc;
	}
	rc = find_lower_bound(arena, net);
	if (!rc)
		rc = place(arena, net);
	if (rc)
		goto fail;
	return 0;

fail:
	mx_arena_fini(arena);
	return mx_fail(err, -rc, "%s: no memory to plan activations",
		       net->name);
}

void mx_arena_fini(struct mx_arena *arena)
{
	free(arena->offset_bytes);
	free(arena->size_bytes);
	free(arena->first_layer);
	free(arena->last_layer);
	memset(arena, 0, sizeof(*arena));
}
