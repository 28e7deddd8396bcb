#include "sched/minima.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mx_minima_init(struct mx_minima *minima, uint32_t count)
{
	struct mx_minima made = {.count = count, .width = 1};

	while (made.width < count)
		made.width *= 2;
	made.nodes = calloc((size_t)made.width * 2, sizeof(*made.nodes));
	if (!made.nodes)
		return -ENOMEM;
	memset(made.nodes, 0xff, (size_t)made.width * 2 * sizeof(*made.nodes));
	*minima = made;
	return 0;
}

void mx_minima_fini(struct mx_minima *minima)
{
	free(minima->nodes);
	*minima = (struct mx_minima){0};
}

void mx_minima_set(struct mx_minima *minima, uint32_t index, uint64_t value)
{
	uint32_t node = minima->width + index;
	uint64_t least;

	assert(index < minima->count);
	minima->nodes[node] = value;
	for (node /= 2; node > 0; node /= 2) {
		least = minima->nodes[2 * node];
		if (least > minima->nodes[2 * node + 1])
			least = minima->nodes[2 * node + 1];
		if (minima->nodes[node] == least)
			return;
		minima->nodes[node] = least;
	}
}

uint32_t mx_minima_find(const struct mx_minima *minima, uint32_t from,
			uint64_t limit)
{
	const uint64_t *nodes = minima->nodes;
	uint32_t node = minima->width + from;

	assert(limit < MX_MINIMA_NONE);
	if (from >= minima->count)
		return minima->count;
	/* Up and to the right, to the first subtree that has one ... */
	while (nodes[node] > limit) {
		while (node % 2)
			node /= 2;
		if (node == 0)
			return minima->count;
		node++;
	}
	/* ... and down to its leftmost. */
	while (node < minima->width) {
		node *= 2;
		if (nodes[node] > limit)
			node++;
	}
	return node - minima->width;
}

uint32_t mx_minima_least(const struct mx_minima *minima)
{
	if (minima->nodes[1] == MX_MINIMA_NONE)
		return minima->count;
	return mx_minima_find(minima, 0, minima->nodes[1]);
}
