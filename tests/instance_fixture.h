/*
 * Instances written by hand, one network after the other.
 */
#ifndef MX_TESTS_INSTANCE_FIXTURE_H
#define MX_TESTS_INSTANCE_FIXTURE_H

#include "sched/instance.h"
#include "tests/check.h"

/* Two layers' weights, 4 each, and what the first leaves to the second, 3. */
__attribute__((unused)) static const struct mx_instance_layer two_layers[] = {
	{.load_ns = 1,
	 .exec_ns = 5,
	 .weight_bytes = 4,
	 .run_bytes = 3,
	 .keep_bytes = 3},
	{.load_ns = 2, .exec_ns = 1, .weight_bytes = 4, .run_bytes = 4},
};

/* An instance of @net_count networks, the release and then the layers of each
 * in a row. */
__attribute__((unused)) static void instance_make(
	struct mx_instance *instance, uint64_t budget_bytes,
	uint32_t processors, uint32_t net_count, const uint32_t *layer_counts,
	const uint64_t *releases, const struct mx_instance_layer *layers)
{
	uint32_t i, k;

	assert_int_equal(
		mx_instance_init(instance, net_count, layer_counts, NULL), 0);
	instance->budget_bytes = budget_bytes;
	instance->processors = processors;
	for (i = 0; i < net_count; i++) {
		instance->nets[i].release_ns = releases[i];
		for (k = 0; k < layer_counts[i]; k++)
			instance->nets[i].layers[k] = *layers++;
	}
}

/* Two to four networks of three to six layers; of three seeds one has a tight
 * budget, one a loose one. */
__attribute__((unused)) static struct mx_instance_random instance_random(
	uint64_t seed, uint32_t processors)
{
	return (struct mx_instance_random){
		.seed = seed,
		.nets_min = 2,
		.nets_max = 4,
		.layers_min = 3,
		.layers_max = 6,
		.budget = (enum mx_instance_budget)(seed % 3),
		.processors = processors,
	};
}

#endif
