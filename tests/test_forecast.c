/* wrap: calloc reallocarray */
#include "sched/forecast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "sched/cost.h"
#include "sched/plan.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *old, size_t count, size_t each),
      (old, count, each), ENOMEM, NULL)

#define MIB ((uint64_t)1 << 20)
/* A MiB in 1000 ns. */
#define RATE (MIB * 1000000)

enum { NETS_MAX = 2, LAYERS_MAX = 8, PAGE = 4096 };

/* Networks of layers that are one slice of 1 MiB, each a unit, unless a test
 * says otherwise; and a plan and costs for them. */
struct fixture {
	struct mx_network nets[NETS_MAX];
	struct mx_layer layers[NETS_MAX][LAYERS_MAX];
	struct mx_slice slices[NETS_MAX][LAYERS_MAX];
	unsigned char pinned[NETS_MAX][LAYERS_MAX + 1];
	uint64_t layer_ns[NETS_MAX][LAYERS_MAX];
	struct mx_plan_net plan_nets[NETS_MAX];
	struct mx_cost_net cost_nets[NETS_MAX];
	struct mx_plan plan;
	struct mx_costs costs;
	struct mx_forecast_opts opts;
	struct mx_forecast forecast;
};

static void add_layer(struct fixture *fx, uint32_t n, uint64_t ns,
		      uint32_t slices, uint32_t blocks_each)
{
	static char name[] = "layer";
	struct mx_network *net = &fx->nets[n];
	struct mx_layer *layer = &net->layers[net->layer_count];
	uint32_t i;

	layer->name = name;
	layer->tile_count = 1;
	layer->block_count = slices ? (size_t)slices * blocks_each : 1;
	layer->first_slice = net->slice_count;
	layer->slice_count = slices;
	for (i = 0; i < slices; i++)
		net->slices[net->slice_count + i] = (struct mx_slice){
			.layer = net->layer_count,
			.offset_bytes = (net->slice_count + i) * MIB,
			.size_bytes = MIB,
			.first_block = i * blocks_each,
			.block_count = blocks_each,
		};
	net->slice_count += slices;
	fx->layer_ns[n][net->layer_count++] = ns;
}

/* So much for weights, beside a job of each network, which takes a page. */
static void give_memory(struct fixture *fx, uint64_t weights_bytes)
{
	fx->plan.memory_bytes = weights_bytes + fx->plan.net_count * PAGE;
}

static void init(struct fixture *fx, uint32_t nets)
{
	static char name[] = "net";
	uint32_t i;

	memset(fx, 0, sizeof(*fx));
	for (i = 0; i < nets; i++) {
		fx->nets[i].name = name;
		fx->nets[i].layers = fx->layers[i];
		fx->nets[i].slices = fx->slices[i];
		fx->plan_nets[i].net = &fx->nets[i];
		fx->plan_nets[i].pinned = fx->pinned[i];
		fx->cost_nets[i] = (struct mx_cost_net){
			.net = &fx->nets[i],
			.layer_ns = fx->layer_ns[i],
			.storage = {.read_bytes_per_s = RATE},
		};
	}
	fx->plan = (struct mx_plan){
		.opts = {.threads = 2, .passes = 1},
		.nets = fx->plan_nets,
		.net_count = nets,
		.feasible = 1,
		.streaming = 1,
	};
	fx->opts.policy = "fifo";
	give_memory(fx, 100 * MIB);
	fx->costs = (struct mx_costs){2, fx->cost_nets, nets};
}

static void add_layers(struct fixture *fx, uint32_t n, uint64_t ns,
		       uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		add_layer(fx, n, ns, 1, 1);
}

static void run(struct fixture *fx)
{
	struct mx_err err = {""};

	if (mx_forecast_init(&fx->forecast, &fx->plan, &fx->costs, &fx->opts,
			     &err))
		fail_msg("%s", err.text);
}

static void check(const struct mx_forecast_net *net, uint64_t start,
		  uint64_t finish, uint64_t compute, uint64_t stall)
{
	assert_int_equal(net->start_ns, start);
	assert_int_equal(net->finish_ns, finish);
	assert_int_equal(net->compute_ns, compute);
	assert_int_equal(net->stall_ns, stall);
}

static void reading_bound_jobs_end_one_slice_after_the_last_read(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 500, 4);
	run(&fx);
	assert_int_equal(fx.forecast.net_count, 1);
	assert_int_equal(fx.forecast.makespan_ns, 4500);
	assert_int_equal(fx.forecast.first_pass_ns, 4500);
	assert_int_equal(fx.forecast.later_pass_ns, 0);
	assert_int_equal(fx.forecast.read_bytes, 4 * MIB);
	assert_int_equal(fx.forecast.compute_bound_ns, 2000);
	assert_int_equal(fx.forecast.read_bound_ns, 4000);
	assert_int_equal(fx.forecast.lower_bound_ns, 4000);
	check(&fx.forecast.nets[0], 1000, 4500, 2000, 2500);
	assert_int_equal(fx.forecast.nets[0].read_bytes, 4 * MIB);
	mx_forecast_fini(&fx.forecast);
}

static void computing_bound_jobs_wait_for_their_first_slice_only(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 3000, 3);
	add_layer(&fx, 0, 70, 0, 0); /* without weights */
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, 10070);
	assert_int_equal(fx.forecast.lower_bound_ns, 9070);
	check(&fx.forecast.nets[0], 1000, 10070, 9070, 1000);
	mx_forecast_fini(&fx.forecast);
}

static void a_small_ring_reads_when_a_slice_was_computed(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layer(&fx, 0, 5000, 1, 1);
	add_layers(&fx, 0, 100, 3);
	give_memory(&fx, 2 * MIB);
	run(&fx);
	/* Slices 0 and 1 come at 1000 and 2000; 0 is given back at 6000, so 2
	 * comes at 7000; 1 is given back at 6100, so 3 comes at 8000. */
	check(&fx.forecast.nets[0], 1000, 8100, 5300, 1000 + 900 + 900);
	mx_forecast_fini(&fx.forecast);

	give_memory(&fx, 3 * MIB);
	run(&fx);
	/* 2 comes at 3000, 3 at 7000. */
	check(&fx.forecast.nets[0], 1000, 7100, 5300, 1000 + 800);
	mx_forecast_fini(&fx.forecast);
}

static void latencies_of_reads_in_flight_overlap(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 10, 3);
	fx.cost_nets[0].storage.latency_ns = 300;
	fx.opts.depth = 1;
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, 3 * 1300 + 10);
	mx_forecast_fini(&fx.forecast);
	fx.opts.depth = 2;
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, 300 + 3 * 1000 + 10);
	mx_forecast_fini(&fx.forecast);
}

static void pinned_slices_are_read_in_the_first_pass_only(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 100, 4);
	fx.pinned[0][0] = 1;
	fx.pinned[0][2] = 1;
	give_memory(&fx, 3 * MIB); /* a ring of one */
	fx.plan.opts.passes = 3;
	run(&fx);
	/* First: 0 and 1 at 1000 and 2000; no room for 3 until 1 is computed at
	 * 2100, but 2 has its place, at 3000; 3 follows it, at 4000. */
	assert_int_equal(fx.forecast.first_pass_ns, 4100);
	/* Later: 1 at 1000, 3, which was there and had to go, from 1100 to
	 * 2100. */
	assert_int_equal(fx.forecast.later_pass_ns, 2200);
	assert_int_equal(fx.forecast.makespan_ns, 4100 + 2 * 2200);
	assert_int_equal(fx.forecast.read_bytes, (4 + 2 * 2) * MIB);
	assert_int_equal(fx.forecast.compute_bound_ns, 3 * 400);
	assert_int_equal(fx.forecast.read_bound_ns, 4000 + 2 * 1000);
	assert_int_equal(fx.forecast.lower_bound_ns, 4000 + 2 * 1000);
	mx_forecast_fini(&fx.forecast);

	fx.opts.passes = 1;
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, 4100);
	mx_forecast_fini(&fx.forecast);
}

static void passes_that_are_not_played_are_as_the_last(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 100, 4);
	give_memory(&fx, MIB);
	fx.opts.passes = 1000;
	run(&fx);
	assert_int_equal(fx.forecast.first_pass_ns, 4 * 1100);
	assert_int_equal(fx.forecast.later_pass_ns, 4 * 1100);
	assert_int_equal(fx.forecast.makespan_ns, 1000 * 4 * 1100);
	assert_int_equal(fx.forecast.read_bytes, 1000 * 4 * MIB);
	assert_int_equal(fx.forecast.compute_bound_ns, 1000 * 400);
	/* What was read last is there. */
	assert_int_equal(fx.forecast.read_bound_ns, 4000 + 999 * 3000);
	mx_forecast_fini(&fx.forecast);
}

static void the_job_least_ahead_reads_first(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 2);
	add_layers(&fx, 0, 100, 2);
	add_layers(&fx, 1, 100, 2);
	run(&fx);
	/* Of equals the older: net 0 at 1000 and 3000. What the other computes
	 * is no stall. */
	check(&fx.forecast.nets[0], 1000, 3100, 200, 1000 + 1800);
	check(&fx.forecast.nets[1], 2000, 4100, 200, 1900 + 1800);
	assert_int_equal(fx.forecast.nets[0].read_bytes, 2 * MIB);
	assert_int_equal(fx.forecast.nets[1].read_bytes, 2 * MIB);
	assert_int_equal(fx.forecast.makespan_ns, 4100);
	mx_forecast_fini(&fx.forecast);
}

static void the_oldest_job_that_can_computes(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 2);
	add_layer(&fx, 0, 1000, 0, 0);
	add_layer(&fx, 0, 10, 1, 1);
	add_layer(&fx, 1, 2500, 0, 0);
	add_layer(&fx, 1, 3, 0, 0);
	run(&fx);
	/* Net 0's slice comes while its first layer computes: it goes on. */
	check(&fx.forecast.nets[0], 0, 1010, 1010, 0);
	check(&fx.forecast.nets[1], 1010, 3513, 2503, 0);
	mx_forecast_fini(&fx.forecast);

	/* Now it comes too late, and net 1 is not interrupted. */
	fx.cost_nets[0].storage.latency_ns = 1;
	run(&fx);
	check(&fx.forecast.nets[0], 0, 3510, 1010, 0);
	check(&fx.forecast.nets[1], 1000, 3513, 2503, 0);
	mx_forecast_fini(&fx.forecast);
}

static void jobs_wait_for_room_to_read_ahead(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 2);
	add_layers(&fx, 0, 100, 1);
	add_layers(&fx, 1, 100, 1);
	give_memory(&fx, 8 * MIB);
	run(&fx);
	check(&fx.forecast.nets[1], 2000, 2100, 100, 1900);
	mx_forecast_fini(&fx.forecast);
	give_memory(&fx, 8 * MIB - 2 * PAGE);
	run(&fx);
	check(&fx.forecast.nets[0], 1000, 1100, 100, 1000);
	check(&fx.forecast.nets[1], 2100, 2200, 100, 1000);
	mx_forecast_fini(&fx.forecast);
}

static void slices_cost_their_share_of_the_layer(void **state)
{
	struct fixture fx;
	uint32_t i;

	(void)state;
	init(&fx, 1);
	add_layer(&fx, 0, 4001, 2, 1);
	/* 2 of 3 blocks, and the third. */
	fx.slices[0][0].block_count = 2;
	fx.slices[0][1].first_block = 2;
	fx.layers[0][0].block_count = 3;
	fx.cost_nets[0].storage.latency_ns = 3000;
	fx.opts.depth = 1;
	run(&fx);
	/* 2667 from 4000 on, the other 1334 when the second has come. */
	check(&fx.forecast.nets[0], 4000, 8000 + 1334, 4001, 4000 + 1333);
	mx_forecast_fini(&fx.forecast);

	/* Small slices are read together and given back together. */
	init(&fx, 1);
	add_layers(&fx, 0, 100, 4);
	for (i = 0; i < 4; i++) {
		fx.slices[0][i].offset_bytes = i * MIB / 8;
		fx.slices[0][i].size_bytes = MIB / 8;
	}
	give_memory(&fx, MIB / 4);
	run(&fx);
	check(&fx.forecast.nets[0], 250, 900, 400, 250 + 250);
	mx_forecast_fini(&fx.forecast);
}

static void mapped_weights_are_read_once_or_are_there(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 100, 3);
	fx.plan.streaming = 0;
	fx.plan.memory_bytes = 0;
	fx.opts.passes = 2;
	run(&fx);
	assert_int_equal(fx.forecast.first_pass_ns, 3100);
	assert_int_equal(fx.forecast.later_pass_ns, 300);
	assert_int_equal(fx.forecast.read_bytes, 3 * MIB);
	mx_forecast_fini(&fx.forecast);
	fx.opts.flags = MX_FORECAST_WARM;
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, 600);
	assert_int_equal(fx.forecast.read_bytes, 0);
	assert_int_equal(fx.forecast.read_bound_ns, 0);
	mx_forecast_fini(&fx.forecast);
}

static void what_cannot_be_forecast_is_refused(void **state)
{
	struct fixture fx;
	struct mx_err err = {""};

	(void)state;
	init(&fx, 1);
	add_layers(&fx, 0, 100, 2);
	give_memory(&fx, MIB - 1);
	assert_int_equal(mx_forecast_init(&fx.forecast, &fx.plan, &fx.costs,
					  &fx.opts, &err),
			 -EDQUOT);
	assert_string_equal(err.text,
			    "net: 1.0 MiB do not hold its activations "
			    "(0.0 MiB) and the largest slice");
	assert_null(fx.forecast.nets);
	fx.opts.policy = "none";
	assert_int_equal(mx_forecast_init(&fx.forecast, &fx.plan, &fx.costs,
					  &fx.opts, &err),
			 -EINVAL);
	assert_string_equal(err.text, "no such policy: none");
	fx.plan.feasible = 0;
	assert_int_equal(mx_forecast_init(&fx.forecast, &fx.plan, &fx.costs,
					  &fx.opts, &err),
			 -EDQUOT);
	assert_non_null(strstr(err.text, "net: budget 0.0 MiB is too small"));
}

static void an_empty_network_takes_no_time(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, 1);
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, 0);
	mx_forecast_fini(&fx.forecast);
}

static void no_memory_is_an_error(void **state)
{
	struct fixture fx;
	long n;
	int rc;

	(void)state;
	init(&fx, 2);
	add_layers(&fx, 0, 100, 2);
	add_layers(&fx, 1, 100, 2);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_forecast_init(&fx.forecast, &fx.plan, &fx.costs,
				      &fx.opts, NULL);
		if (!faults_disarm())
			break;
		/* A job's arena may be put off by one, and stay so. */
		assert_true(rc == -ENOMEM || rc == -EDEADLK);
		assert_null(fx.forecast.nets);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 20);
	mx_forecast_fini(&fx.forecast);
}

static void many_slices_add_up(void **state)
{
	enum { MANY = 100000 };
	struct fixture fx;
	uint32_t i;

	(void)state;
	init(&fx, 1);
	add_layer(&fx, 0, (uint64_t)MANY * 999, 1, 1);
	fx.layers[0][0].slice_count = MANY;
	fx.layers[0][0].block_count = MANY;
	fx.nets[0].slice_count = MANY;
	fx.nets[0].slices = calloc(MANY, sizeof(struct mx_slice));
	fx.plan_nets[0].pinned = calloc(MANY + 1, 1);
	assert_non_null(fx.nets[0].slices);
	assert_non_null(fx.plan_nets[0].pinned);
	for (i = 0; i < MANY; i++)
		fx.nets[0].slices[i] = (struct mx_slice){
			.offset_bytes = i * MIB,
			.size_bytes = MIB,
			.first_block = i,
			.block_count = 1,
		};
	run(&fx);
	assert_int_equal(fx.forecast.makespan_ns, (uint64_t)MANY * 1000 + 999);
	mx_forecast_fini(&fx.forecast);
	free(fx.nets[0].slices);
	free(fx.plan_nets[0].pinned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reading_bound_jobs_end_one_slice_after_the_last_read),
		cmocka_unit_test(
			computing_bound_jobs_wait_for_their_first_slice_only),
		cmocka_unit_test(a_small_ring_reads_when_a_slice_was_computed),
		cmocka_unit_test(latencies_of_reads_in_flight_overlap),
		cmocka_unit_test(pinned_slices_are_read_in_the_first_pass_only),
		cmocka_unit_test(passes_that_are_not_played_are_as_the_last),
		cmocka_unit_test(the_job_least_ahead_reads_first),
		cmocka_unit_test(the_oldest_job_that_can_computes),
		cmocka_unit_test(jobs_wait_for_room_to_read_ahead),
		cmocka_unit_test(slices_cost_their_share_of_the_layer),
		cmocka_unit_test(mapped_weights_are_read_once_or_are_there),
		cmocka_unit_test(what_cannot_be_forecast_is_refused),
		cmocka_unit_test(an_empty_network_takes_no_time),
		cmocka_unit_test(no_memory_is_an_error),
		cmocka_unit_test(many_slices_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
