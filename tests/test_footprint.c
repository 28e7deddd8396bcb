#include "cli/footprint.h"

#include "tests/tiny_network.h"

static void sums_are_over_all_layers(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_footprint sums;
	uint64_t weights = 0, largest = 0;
	uint32_t i;

	for (i = 0; i < tiny->net.layer_count; i++) {
		weights += tiny->net.layers[i].weight_bytes;
		if (tiny->net.layers[i].weight_bytes > largest)
			largest = tiny->net.layers[i].weight_bytes;
	}
	assert_int_equal(mx_footprint_init(&sums, &tiny->net, NULL), 0);
	assert_int_equal(sums.weight_bytes, weights);
	assert_int_equal(sums.largest_layer_bytes, largest);
	assert_int_equal(tiny->net.layers[sums.largest_layer].weight_bytes,
			 largest);
	assert_int_equal(mx_footprint_input_bytes(&tiny->net), TINY_IN * 4);
}

static void the_minimum_holds_activations_and_inputs(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_footprint sums;
	uint64_t minimum = 0;

	assert_int_equal(mx_footprint_init(&sums, &tiny->net, NULL), 0);
	assert_int_equal(mx_footprint_minimum(&tiny->net, &minimum, NULL), 0);
	assert_true(minimum > sums.activation_bytes + sums.scratch_bytes +
				      2 * TINY_IN * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sums_are_over_all_layers,
						tiny_setup, tiny_teardown),
		cmocka_unit_test_setup_teardown(
			the_minimum_holds_activations_and_inputs, tiny_setup,
			tiny_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
