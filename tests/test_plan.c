#include "sched/plan.h"

#include <errno.h>

#include "pager/units.h"
#include "tests/tiny_network.h"

#define MIB ((uint64_t)1 << 20)
#define FIXED (2 * MIB)

static struct mx_plan_opts opts_of(uint64_t budget_bytes, uint32_t passes)
{
	return (struct mx_plan_opts){
		.budget_bytes = budget_bytes,
		.threads = 2,
		.passes = passes,
		.fixed_bytes = FIXED,
	};
}

static struct mx_plan make(const struct tiny *tiny, uint64_t budget_bytes,
			   uint32_t passes)
{
	const struct mx_plan_opts opts = opts_of(budget_bytes, passes);
	const struct mx_network *const nets[1] = {&tiny->net};
	struct mx_plan plan;

	assert_int_equal(mx_plan_init(&plan, &opts, nets, 1, NULL), 0);
	return plan;
}

static void no_budget_keeps_everything(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_plan plan = make(tiny, MX_BUDGET_NONE, 1);

	assert_true(plan.feasible);
	assert_false(plan.streaming);
	assert_int_equal(plan.weights_bytes, plan.nets[0].weight_bytes);
	assert_int_equal(plan.predicted_peak_bytes,
			 FIXED + plan.scratch_bytes + plan.array_bytes +
				 plan.activation_bytes + plan.weights_bytes);
	/* Ten outputs, the engine's and the caller's. */
	assert_int_equal(plan.array_bytes, 2 * TINY_OUT * 4);
	mx_plan_fini(&plan);
}

static void the_minimum_does_and_less_does_not(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_plan plan = make(tiny, 1, 1);
	const uint64_t minimum = plan.minimum_bytes;
	const uint64_t parts = FIXED + plan.scratch_bytes + plan.array_bytes +
			       plan.nets[0].activation_bytes +
			       plan.nets[0].pair_bytes;
	struct mx_err err;

	assert_false(plan.feasible);
	assert_in_range(minimum, parts + 128 * 1024, parts + 192 * 1024);
	assert_int_equal(mx_plan_refuse(&plan, &err), -EDQUOT);
	assert_ptr_equal(strstr(err.text, "tiny: budget 0.0 MiB is too small: "
					  "needs "),
			 err.text);
	assert_non_null(strstr(err.text, "fixed 2.0"));
	mx_plan_fini(&plan);

	plan = make(tiny, minimum, 1);
	assert_true(plan.feasible);
	assert_true(plan.streaming);
	assert_true(plan.predicted_peak_bytes <= minimum);
	assert_true(plan.weights_bytes >= plan.nets[0].pair_bytes);
	assert_int_equal(plan.memory_bytes,
			 plan.activation_bytes + plan.weights_bytes);
	assert_int_equal(plan.predicted_peak_bytes,
			 FIXED + plan.scratch_bytes + plan.array_bytes +
				 plan.memory_bytes + plan.table_bytes);
	mx_plan_fini(&plan);
	plan = make(tiny, parts - 1, 1);
	assert_false(plan.feasible);
	mx_plan_fini(&plan);
}

static void one_pass_pins_nothing_and_more_pin_what_fits(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_plan plan = make(tiny, 1, 1);
	const uint64_t budget = plan.minimum_bytes + MIB / 16;
	uint64_t pinned = 0;
	uint32_t i;

	mx_plan_fini(&plan);
	plan = make(tiny, budget, 1);
	assert_int_equal(plan.nets[0].pinned_bytes, 0);
	assert_int_equal(plan.ring_bytes, plan.weights_bytes);
	assert_true(plan.predicted_peak_bytes <= budget);
	assert_true(budget - plan.predicted_peak_bytes < 4096);
	mx_plan_fini(&plan);

	plan = make(tiny, 64 * MIB, 5);
	for (i = 0; i < tiny->net.slice_count; i++) {
		assert_int_equal(plan.nets[0].pinned[i], 1);
		pinned += tiny->net.slices[i].size_bytes;
	}
	assert_true(pinned <= plan.nets[0].pinned_bytes);
	assert_int_equal(plan.weights_bytes, plan.nets[0].weight_bytes);
	assert_int_equal(plan.ring_bytes, 0);
	mx_plan_fini(&plan);
}

static void no_more_is_set_aside_than_all_jobs_and_weights_take(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_plan plan = make(tiny, 64 * MIB, 1);

	assert_int_equal(plan.memory_bytes, plan.nets[0].activation_bytes +
						    plan.nets[0].weight_bytes);
	mx_plan_fini(&plan);
}

static void page_tables_are_counted_once_there_are_some(void **state)
{
	/* Weights of 4 MiB have two pages of tables. */
	const struct tiny *tiny = *state;
	const struct mx_network *nets[3] = {&tiny->net, &tiny->net, &tiny->net};
	struct mx_plan_opts opts = opts_of(64 * MIB, 1);
	struct mx_plan plan;
	uint64_t memory;

	assert_int_equal(mx_plan_init(&plan, &opts, nets, 3, NULL), 0);
	memory = plan.memory_bytes;
	assert_true(memory > 4 * MIB);
	assert_int_equal(plan.table_bytes, memory / (2 * MIB) * 4096);
	mx_plan_fini(&plan);
	/* They do not push the peak over the budget, wherever that is. */
	for (opts.budget_bytes = FIXED + 3 * MIB;
	     opts.budget_bytes < FIXED + 16 * MIB; opts.budget_bytes += 12345) {
		assert_int_equal(mx_plan_init(&plan, &opts, nets, 3, NULL), 0);
		assert_true(plan.feasible);
		assert_true(plan.predicted_peak_bytes <= opts.budget_bytes);
		assert_true(plan.memory_bytes == memory ||
			    plan.predicted_peak_bytes + 3 * 4096 >
				    opts.budget_bytes);
		mx_plan_fini(&plan);
	}
}

static void given_inputs_count(void **state)
{
	const struct tiny *tiny = *state;
	struct mx_plan_opts opts = opts_of(64 * MIB, 1);
	const struct mx_network *const nets[1] = {&tiny->net};
	struct mx_plan plan;

	opts.given_inputs = 1;
	assert_int_equal(mx_plan_init(&plan, &opts, nets, 1, NULL), 0);
	assert_int_equal(plan.array_bytes, (TINY_IN + 2 * TINY_OUT) * 4);
	mx_plan_fini(&plan);
}

static void networks_run_at_once_only_when_there_is_room(void **state)
{
	const struct tiny *tiny = *state;
	const struct mx_network *const nets[2] = {&tiny->net, &tiny->net};
	struct mx_plan_opts opts = opts_of(1, 1);
	struct mx_plan plan;
	uint64_t minimum;

	assert_int_equal(mx_plan_init(&plan, &opts, nets, 2, NULL), 0);
	minimum = plan.minimum_bytes;
	mx_plan_fini(&plan);
	opts.budget_bytes = minimum;
	assert_int_equal(mx_plan_init(&plan, &opts, nets, 2, NULL), 0);
	assert_true(plan.feasible);
	assert_int_equal(plan.activation_bytes, plan.nets[0].activation_bytes);
	mx_plan_fini(&plan);
	opts.budget_bytes = 64 * MIB;
	assert_int_equal(mx_plan_init(&plan, &opts, nets, 2, NULL), 0);
	assert_int_equal(plan.activation_bytes,
			 2 * plan.nets[0].activation_bytes);
	mx_plan_fini(&plan);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, tiny_setup, tiny_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_budget_keeps_everything),
		TEST(the_minimum_does_and_less_does_not),
		TEST(one_pass_pins_nothing_and_more_pin_what_fits),
		TEST(no_more_is_set_aside_than_all_jobs_and_weights_take),
		TEST(page_tables_are_counted_once_there_are_some),
		TEST(given_inputs_count),
		TEST(networks_run_at_once_only_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
