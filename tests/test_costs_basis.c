#include "cli/costs_basis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "sched/cost.h"
#include "tests/check.h"

#define RATE 50000000u

/* Two networks, on storages of a rate and of twice that. */
static struct mx_costs costs_of(struct mx_cost_net nets[2],
				enum mx_cost_origin first,
				enum mx_cost_origin second)
{
	nets[0] = (struct mx_cost_net){
		.origin = first,
		.storage = {2 * RATE, 300, MX_COST_MEASURED},
	};
	nets[1] = (struct mx_cost_net){
		.origin = MX_COST_MEASURED,
		.storage = {RATE, 700, second},
	};
	return (struct mx_costs){.threads = 1, .nets = nets, .net_count = 2};
}

static void what_is_not_measured_of_one_is_not_measured(void **state)
{
	struct mx_cost_net nets[2];
	struct mx_costs costs;
	struct mx_costs_basis basis;

	(void)state;
	costs = costs_of(nets, MX_COST_MEASURED, MX_COST_MEASURED);
	mx_costs_basis_init(&basis, &costs, 0);
	assert_int_equal(basis.storage, MX_COSTS_MEASURED);
	assert_int_equal(basis.profiled, 1);

	costs = costs_of(nets, MX_COST_ESTIMATED, MX_COST_MEASURED);
	mx_costs_basis_init(&basis, &costs, 0);
	assert_int_equal(basis.storage, MX_COSTS_MEASURED);
	assert_int_equal(basis.profiled, 0);

	costs = costs_of(nets, MX_COST_MEASURED, MX_COST_ESTIMATED);
	mx_costs_basis_init(&basis, &costs, 0);
	assert_int_equal(basis.storage, MX_COSTS_ASSUMED);
	assert_int_equal(basis.profiled, 1);
}

static void the_slowest_storage_is_told(void **state)
{
	struct mx_cost_net nets[2];
	struct mx_costs costs =
		costs_of(nets, MX_COST_MEASURED, MX_COST_MEASURED);
	struct mx_costs_basis basis;

	(void)state;
	mx_costs_basis_init(&basis, &costs, 0);
	assert_int_equal(basis.read_bytes_per_s, RATE);
	assert_int_equal(basis.latency_ns, 700);
}

static void a_rate_that_was_given_is_not_measured(void **state)
{
	struct mx_cost_net nets[2];
	struct mx_costs costs =
		costs_of(nets, MX_COST_MEASURED, MX_COST_MEASURED);
	struct mx_costs_basis basis;
	struct mx_json json;
	size_t size;
	char *text;
	FILE *out;

	(void)state;
	mx_costs_basis_init(&basis, &costs, RATE);
	assert_int_equal(basis.storage, MX_COSTS_GIVEN);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	mx_json_init(&json, out);
	mx_json_object(&json, NULL);
	mx_costs_basis_json(&basis, &json);
	mx_json_object_end(&json);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "\"read_bytes_per_s\": 50000000"));
	assert_non_null(strstr(text, "\"latency_ns\": 700"));
	assert_non_null(strstr(text, "\"measured\": false"));
	assert_non_null(strstr(text, "\"profiled\": true"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_measured_of_one_is_not_measured),
		cmocka_unit_test(the_slowest_storage_is_told),
		cmocka_unit_test(a_rate_that_was_given_is_not_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
