#include "cli/footprint.h"

#include "lib/arena.h"
#include "lib/network.h"
#include "sched/memexec.h"
#include "sched/plan.h"

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
	return 0;
}

uint64_t mx_footprint_input_bytes(const struct mx_network *net)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < net->input_count; i++)
		bytes += sizeof(float) *
			 mx_shape_elems(
				 &net->tensors[net->inputs[i].tensor].shape);
	return bytes;
}

int mx_footprint_minimum(const struct mx_network *net, uint64_t *out_bytes,
			 struct mx_err *err)
{
	const struct mx_engine_opts opts = {.given_inputs = 1};
	struct mx_engine *engine;
	struct mx_plan plan;
	uint32_t index;
	int rc;

	rc = mx_engine_open(&engine, &opts, err);
	if (rc)
		return rc;
	rc = mx_engine_add(engine, net, &index, err);
	if (!rc)
		rc = mx_engine_plan(engine, &plan, err);
	if (!rc) {
		/* The caller's arrays are not there yet. */
		*out_bytes = plan.minimum_bytes + mx_footprint_input_bytes(net);
		mx_plan_fini(&plan);
	}
	mx_engine_close(engine);
	return rc;
}
