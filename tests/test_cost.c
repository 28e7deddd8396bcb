/* wrap: calloc */
#include "sched/cost.h"

#include <errno.h>

#include "lib/err.h"
#include "lib/frame.h"
#include "lib/op.h"
#include "tests/faults.h"
#include "tests/tiny_network.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

/* Numbers that make the estimate's parts countable in nanoseconds. */
static const struct mx_rates rates = {
	.threads = 2,
	.macs_per_s = 1000000000, /* one in a ns */
	.memory_bytes_per_s = 500000000, /* one in two ns */
	.layer_ns = 7,
};

static void chunks_that_do_not_divide_make_a_layer_longer(void **state)
{
	static const struct {
		size_t parts;
		uint32_t threads;
		double factor;
	} cases[] = {
		{1, 1, 1},   {7, 1, 1},	       {1, 2, 2}, /* one works, one
							     waits */
		{2, 2, 1},   {3, 2, 4.0 / 3},  {1, 4, 4},  {5, 4, 8.0 / 5},
		{8, 2, 1},   {9, 2, 10.0 / 9}, {16, 2, 1}, {17, 2, 18.0 / 17},
		{800, 2, 1},
	};
	struct mx_layer layer = {.tile_count = 1, .macs = 1000000};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		layer.block_count = cases[i].parts;
		assert_float_equal(mx_cost_imbalance(&layer, cases[i].threads),
				   cases[i].factor, 1e-6);
	}
}

static void what_one_worker_does_alone_gains_nothing_by_more(void **state)
{
	const struct mx_layer layer = {
		.block_count = 8,
		.tile_count = 1,
		.macs = 1000, /* too little for a second to come */
	};

	(void)state;
	assert_float_equal(mx_cost_imbalance(&layer, 1), 1, 0);
	assert_float_equal(mx_cost_imbalance(&layer, 3), 3, 1e-6);
}

static void estimates_count_work_and_bytes(void **state)
{
	struct tiny tiny;
	const struct mx_layer *layer;

	(void)state;
	tiny_open(&tiny);
	/* fc1: all arithmetic is hidden behind its weights. One block is one
	 * part; they are even for one thread. */
	layer = &tiny.net.layers[0];
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 0, &rates, 1, MX_COST_BEST),
		7 + 2 * 2 *
				(layer->weight_bytes +
				 (TINY_IN + 2 * TINY_MIDDLE) * sizeof(float)));
	/* In place, but not for nothing: read and written, while it does one
	 * operation an element. */
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 1, &rates, 1, MX_COST_BEST),
		7 + 2 * 2 * 3 * TINY_MIDDLE * sizeof(float));
	/* Twice the threads, if it has parts for them. */
	layer = &tiny.net.layers[1];
	assert_int_equal(mx_layer_part_count(layer), 1);
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 1, &rates, 2, MX_COST_BEST),
		7 + 2 * 2 * 3 * TINY_MIDDLE * sizeof(float));
	tiny_close(&tiny);
}

static void weights_that_are_used_again_cost_arithmetic(void **state)
{
	const uint64_t bytes = (TINY_MIDDLE + 2 * TINY_OUT) * sizeof(float);
	struct tiny tiny;
	struct mx_layer *layer;
	uint64_t weights_ns;

	(void)state;
	tiny_open(&tiny);
	layer = &tiny.net.layers[2];
	assert_int_equal(layer->work, TINY_MIDDLE * TINY_OUT);
	weights_ns = 7 + 2 * 2 * layer->weight_bytes;
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 2, &rates, 1, MX_COST_BEST),
		weights_ns + 2 * 2 * bytes);
	/* Activations come while it computes: until that takes longer. */
	layer->work += 2 * bytes;
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 2, &rates, 1, MX_COST_BEST),
		weights_ns + 2 * 2 * bytes);
	layer->work += 12345;
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 2, &rates, 1, MX_COST_BEST),
		weights_ns + 2 * (2 * bytes + 12345));
	tiny_close(&tiny);
}

static void exact_kernels_do_all_of_the_definition(void **state)
{
	static const uint64_t ns[3] = {1000, 2000, 3000};
	const uint64_t macs = 1000000;
	struct tiny tiny;
	struct mx_cost_source source = {.net = &tiny.net};
	struct mx_costs costs;
	uint64_t weights_ns;

	(void)state;
	tiny_open(&tiny);
	tiny.net.layers[2].macs = macs;
	tiny.net.layers[2].work = macs / 4;
	weights_ns = 7 + 2 * 2 * tiny.net.layers[2].weight_bytes;
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 2, &rates, 1, MX_COST_BEST),
		weights_ns + 2 * (macs / 4 - TINY_MIDDLE * TINY_OUT));
	assert_int_equal(
		mx_cost_layer_ns(&tiny.net, 2, &rates, 1, MX_COST_EXACT),
		weights_ns + 2 * (macs - TINY_MIDDLE * TINY_OUT));
	source.kernels = MX_COST_EXACT;
	assert_int_equal(mx_costs_init(&costs, &source, 1, 1, &rates, NULL), 0);
	assert_int_equal(
		costs.nets[0].layer_ns[2],
		mx_cost_layer_ns(&tiny.net, 2, &rates, 1, MX_COST_EXACT));
	mx_costs_fini(&costs);
	/* Measured with the others. */
	source.layer_ns = ns;
	source.measured_threads = 1;
	assert_int_equal(mx_costs_init(&costs, &source, 1, 1, NULL, NULL), 0);
	assert_int_equal(costs.nets[0].layer_ns[1], 2000);
	assert_int_equal(costs.nets[0].layer_ns[2], 4 * 3000);
	assert_int_equal(costs.nets[0].compute_ns, 1000 + 2000 + 4 * 3000);
	mx_costs_fini(&costs);
	tiny_close(&tiny);
}

static void what_moves_nothing_costs_the_layer_alone(void **state)
{
	struct mx_op op = {.traits = MX_OP_CONCAT};
	struct mx_shape shapes[3] = {{1, {10}}, {1, {20}}, {1, {30}}};
	struct mx_tensor tensors[3] = {
		{.root = 2},
		{.root = 2},
		{.root = 2},
	};
	uint32_t in[2] = {0, 1};
	uint32_t out[1] = {2};
	struct mx_layer layer = {
		.op = &op,
		.in = in,
		.in_count = 2,
		.out = out,
		.out_count = 1,
		.in_shape = shapes,
		.out_shape = &shapes[2],
		.block_count = 1,
		.tile_count = 1,
		.macs = 30,
		.work = 30,
	};
	const struct mx_network net = {
		.tensors = tensors,
		.layers = &layer,
		.layer_count = 1,
	};

	(void)state;
	assert_int_equal(mx_cost_layer_ns(&net, 0, &rates, 1, MX_COST_BEST), 7);
	tensors[1].root = 1;
	assert_int_equal(mx_cost_layer_ns(&net, 0, &rates, 1, MX_COST_BEST),
			 7 + 2 * 2 * (30 + 2 * 30) * 4);
	tensors[1].root = 2;
	op.traits = MX_OP_ELEMENTWISE;
	assert_int_equal(mx_cost_layer_ns(&net, 0, &rates, 1, MX_COST_BEST),
			 7 + 2 * 2 * (30 + 2 * 30) * 4);
}

static void measured_times_are_taken(void **state)
{
	static const uint64_t ns[6] = {10, 20, 30, 6, 12, 18};
	struct tiny tiny;
	struct mx_cost_source source = {
		.net = &tiny.net,
		.layer_ns = ns,
		.measured_threads = 2,
		.read_bytes_per_s = 123,
		.latency_ns = 45,
	};
	struct mx_costs costs;

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_costs_init(&costs, &source, 1, 2, NULL, NULL), 0);
	assert_int_equal(costs.threads, 2);
	assert_int_equal(costs.net_count, 1);
	assert_ptr_equal(costs.nets[0].net, &tiny.net);
	assert_memory_equal(costs.nets[0].layer_ns, ns + 3, 3 * sizeof(ns[0]));
	assert_int_equal(costs.nets[0].compute_ns, 36);
	assert_int_equal(costs.nets[0].origin, MX_COST_MEASURED);
	assert_int_equal(costs.nets[0].storage.read_bytes_per_s, 123);
	assert_int_equal(costs.nets[0].storage.latency_ns, 45);
	assert_int_equal(costs.nets[0].storage.origin, MX_COST_MEASURED);
	mx_costs_fini(&costs);
	assert_int_equal(mx_costs_init(&costs, &source, 1, 1, NULL, NULL), 0);
	assert_int_equal(costs.nets[0].compute_ns, 60);
	mx_costs_fini(&costs);
	tiny_close(&tiny);
}

static void what_is_not_measured_is_estimated(void **state)
{
	static const uint64_t ns[3] = {1000, 2000, 3000};
	struct tiny tiny;
	struct mx_cost_source source = {.net = &tiny.net};
	struct mx_costs costs;
	struct mx_err err = {""};
	uint32_t i;

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_costs_init(&costs, &source, 1, 2, &rates, NULL), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(costs.nets[0].layer_ns[i],
				 mx_cost_layer_ns(&tiny.net, i, &rates, 2,
						  MX_COST_BEST));
	assert_int_equal(costs.nets[0].origin, MX_COST_ESTIMATED);
	assert_int_equal(costs.nets[0].storage.read_bytes_per_s,
			 MX_COST_READ_BYTES_PER_S);
	assert_int_equal(costs.nets[0].storage.latency_ns, MX_COST_LATENCY_NS);
	assert_int_equal(costs.nets[0].storage.origin, MX_COST_ESTIMATED);
	mx_costs_fini(&costs);

	/* Measured for one thread: the model's gain by the second is taken. */
	source.layer_ns = ns;
	source.measured_threads = 1;
	assert_int_equal(mx_costs_init(&costs, &source, 1, 2, &rates, NULL), 0);
	assert_int_equal(
		costs.nets[0].layer_ns[0],
		(uint64_t)(1000.0 *
			   (double)mx_cost_layer_ns(&tiny.net, 0, &rates, 2,
						    MX_COST_BEST) /
			   (double)mx_cost_layer_ns(&tiny.net, 0, &rates, 1,
						    MX_COST_BEST)));
	assert_in_range(costs.nets[0].layer_ns[0], 500, 700);
	assert_int_equal(costs.nets[0].layer_ns[1], 2000); /* one part */
	assert_int_equal(costs.nets[0].origin, MX_COST_ESTIMATED);
	mx_costs_fini(&costs);

	assert_int_equal(mx_costs_init(&costs, &source, 1, 2, NULL, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, ": is not measured for 2 threads"));
	tiny_close(&tiny);
}

static void no_memory_is_an_error(void **state)
{
	struct tiny tiny;
	const struct mx_cost_source sources[2] = {{.net = &tiny.net},
						  {.net = &tiny.net}};
	struct mx_costs costs;
	long n;
	int rc;

	(void)state;
	tiny_open(&tiny);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_costs_init(&costs, sources, 2, 2, &rates, NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(costs.nets);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, 3);
	mx_costs_fini(&costs);
	tiny_close(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_that_do_not_divide_make_a_layer_longer),
		cmocka_unit_test(
			what_one_worker_does_alone_gains_nothing_by_more),
		cmocka_unit_test(estimates_count_work_and_bytes),
		cmocka_unit_test(weights_that_are_used_again_cost_arithmetic),
		cmocka_unit_test(exact_kernels_do_all_of_the_definition),
		cmocka_unit_test(what_moves_nothing_costs_the_layer_alone),
		cmocka_unit_test(measured_times_are_taken),
		cmocka_unit_test(what_is_not_measured_is_estimated),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
