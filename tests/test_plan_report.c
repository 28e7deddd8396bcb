#include "cli/plan_report.h"

#include <string.h>

#include "sched/cost.h"
#include "tests/tiny_network.h"

#define MIB ((uint64_t)1 << 20)

struct page {
	struct mx_plan plan;
	struct mx_costs costs;
};

/* The tiny network in @budget_bytes; its layers take @layer_ns each, its
 * storage a byte a nanosecond. */
static void page_open(struct page *page, const struct tiny *tiny,
		      uint64_t budget_bytes, uint32_t passes, uint64_t layer_ns)
{
	const struct mx_plan_opts opts = {
		.budget_bytes = budget_bytes,
		.threads = 1,
		.passes = passes,
	};
	const struct mx_network *const nets[1] = {&tiny->net};
	uint64_t ns[8];
	struct mx_cost_source source = {
		.net = &tiny->net,
		.layer_ns = ns,
		.measured_threads = 1,
		.read_bytes_per_s = 1000000000,
	};
	uint32_t i;

	assert_true(tiny->net.layer_count <= 8);
	for (i = 0; i < 8; i++)
		ns[i] = layer_ns;
	assert_int_equal(mx_plan_init(&page->plan, &opts, nets, 1, NULL), 0);
	assert_int_equal(mx_costs_init(&page->costs, &source, 1, 1, NULL, NULL),
			 0);
}

static void page_close(struct page *page)
{
	mx_costs_fini(&page->costs);
	mx_plan_fini(&page->plan);
}

static void expect(const struct page *page, uint32_t layer, const char *want)
{
	char text[MX_PLAN_REASON_BYTES];

	assert_string_equal(
		mx_plan_reason(&page->plan, &page->costs, 0, layer, text),
		want);
}

/* The first layer with weights. */
static uint32_t weighty(const struct tiny *tiny)
{
	uint32_t i = 0;

	while (!tiny->net.layers[i].slice_count)
		i++;
	return i;
}

static void every_layer_has_its_reason(void **state)
{
	const struct tiny *tiny = *state;
	const uint32_t layer = weighty(tiny);
	const uint64_t bytes = tiny->net.layers[layer].weight_bytes;
	struct page page;
	uint64_t least;

	page_open(&page, tiny, MX_BUDGET_NONE, 1, 1);
	least = page.plan.minimum_bytes;
	expect(&page, layer, "stays: no limit that it would meet");
	page_close(&page);

	page_open(&page, tiny, 64 * MIB, 2, 1);
	expect(&page, layer, "stays: all weights fit");
	page_close(&page);

	page_open(&page, tiny, least, 1, 1);
	expect(&page, layer, "streams: runs once, nothing would come back");
	page_close(&page);

	page_open(&page, tiny, least, 2, bytes / 4);
	expect(&page, layer,
	       "streams: its computing hides 25 % of its reading");
	page_close(&page);

	page_open(&page, tiny, least, 2, 2 * bytes);
	expect(&page, layer,
	       "streams: its computing hides 100 % of its reading");
	page_close(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_layer_has_its_reason,
						tiny_setup, tiny_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
