#include "cli/footprint.h"

#include "lib/arena.h"
#include "lib/network.h"

static void add_layers(struct mx_footprint *sums, const struct mx_network *net)
{
	const struct mx_layer *layer;
	uint32_t i;

	for (i = 0; i < net->layer_count; i++) {
		layer = &net->layers[i];
		sums->weight_bytes += layer->weight_bytes;
		sums->macs += layer->macs;
		if (layer->scratch_bytes > sums->scratch_bytes)
			sums->scratch_bytes = layer->scratch_bytes;
		if (layer->weight_bytes > sums->largest_layer_bytes) {
			sums->largest_layer_bytes = layer->weight_bytes;
			sums->largest_layer = i;
		}
	}
}

static void add_slices(struct mx_footprint *sums, const struct mx_network *net)
{
	uint64_t bytes;
	uint32_t i;

	for (i = 0; i < net->slice_count; i++) {
		bytes = net->slices[i].size_bytes;
		if (bytes > sums->slice_bytes[0]) {
			sums->slice_bytes[1] = sums->slice_bytes[0];
			sums->slice_bytes[0] = bytes;
		} else if (bytes > sums->slice_bytes[1]) {
			sums->slice_bytes[1] = bytes;
		}
	}
}

int mx_footprint_init(struct mx_footprint *sums, const struct mx_network *net,
		      struct mx_err *err)
{
	struct mx_arena arena;
	int rc;

	*sums = (struct mx_footprint){.largest_layer = MX_NONE};
	rc = mx_arena_init(&arena, net, err);
	if (rc)
		return rc;
	sums->activation_bytes = arena.total_bytes;
	sums->activation_bound_bytes = arena.lower_bound_bytes;
	sums->peak_layer = arena.peak_layer;
	mx_arena_fini(&arena);
	add_layers(sums, net);
	add_slices(sums, net);
	sums->minimum_budget_bytes =
		sums->activation_bytes + sums->scratch_bytes +
		sums->slice_bytes[0] + sums->slice_bytes[1];
	return 0;
}
