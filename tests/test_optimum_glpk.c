#include "sched/optimum_glpk.h"

#include <errno.h>

#include "lib/err.h"
#include "sched/optimum.h"
#include "tests/instance_fixture.h"

/* Far above what any of them takes: then there is nothing to compare. */
#define LIMIT_S 60

struct range {
	uint32_t nets_min, nets_max;
	uint32_t layers_min, layers_max;
	const uint64_t *seeds;
	size_t seed_count;
};

#define RANGE(nets_min, nets_max, layers_min, layers_max, seeds)               \
	{                                                                      \
		nets_min, nets_max, layers_min, layers_max, seeds,             \
			sizeof(seeds) / sizeof(seeds[0])                       \
	}

/* Of 66 instances these are the ones that GLPK 5.0 solves in about a second;
 * 8 to 16 tasks. */
static const uint64_t middling[] = {2, 3, 4, 7, 9, 12};
static const uint64_t mixed[] = {102, 103, 104, 108, 112, 113, 115,
				 117, 120, 121, 122, 128, 129, 130};
static const uint64_t full[] = {204, 207, 210, 212, 213,
				214, 215, 216, 217, 219};
static const struct range ranges[] = {
	RANGE(2, 2, 3, 4, middling),
	RANGE(2, 3, 2, 4, mixed),
	RANGE(2, 2, 4, 4, full),
};

/* Tight, middling and loose budgets, one and two processors. */
static void make(struct mx_instance *instance, const struct range *range,
		 uint64_t seed)
{
	const struct mx_instance_random how = {
		.seed = seed,
		.nets_min = range->nets_min,
		.nets_max = range->nets_max,
		.layers_min = range->layers_min,
		.layers_max = range->layers_max,
		.budget = (enum mx_instance_budget)(seed % 3),
		.processors = (uint32_t)(1 + seed % 2),
	};

	assert_int_equal(mx_instance_init_random(instance, &how, NULL), 0);
	assert_in_range(mx_instance_task_count(instance), 8, 16);
}

static uint64_t searched(const struct mx_instance *instance)
{
	struct mx_optimum optimum;
	uint64_t response_ns;

	assert_int_equal(mx_optimum_find(&optimum, instance, NULL, NULL), 0);
	response_ns = optimum.response_ns;
	assert_int_equal(optimum.bound_ns, response_ns);
	mx_optimum_fini(&optimum);
	return response_ns;
}

/* Where GLPK cannot answer, the test can say nothing. */
static void skip_without(int rc, const struct mx_err *err)
{
	if (rc != -ENOSYS && rc != -EAGAIN)
		return;
	print_message("skipped: %s\n", err->text);
	skip();
}

static void glpk_finds_what_the_search_finds(void **state)
{
	struct mx_instance instance;
	uint64_t response_ns;
	uint32_t compared = 0;
	struct mx_err err;
	size_t i, k;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		for (k = 0; k < ranges[i].seed_count; k++) {
			make(&instance, &ranges[i], ranges[i].seeds[k]);
			rc = mx_optimum_glpk(&response_ns, &instance, LIMIT_S,
					     &err);
			if (!rc)
				assert_int_equal(searched(&instance),
						 response_ns);
			mx_instance_fini(&instance);
			skip_without(rc, &err);
			assert_int_equal(rc, 0);
			compared++;
		}
	assert_int_equal(compared, 30);
}

static void both_see_that_there_is_no_schedule(void **state)
{
	const uint64_t release_ns = 0;
	const uint32_t count = 2;
	struct mx_instance instance;
	struct mx_optimum optimum;
	uint64_t response_ns;
	struct mx_err err;
	int rc;

	(void)state;
	instance_make(&instance, 8, 1, 1, &count, &release_ns, two_layers);
	rc = mx_optimum_glpk(&response_ns, &instance, LIMIT_S, &err);
	if (!rc)
		assert_int_equal(response_ns, searched(&instance));
	instance.budget_bytes = 7;
	if (!rc)
		assert_int_equal(
			mx_optimum_glpk(&response_ns, &instance, LIMIT_S, &err),
			-EDQUOT);
	assert_int_equal(mx_optimum_find(&optimum, &instance, NULL, NULL),
			 -EDQUOT);
	mx_instance_fini(&instance);
	skip_without(rc, &err);
	assert_int_equal(rc, 0);
}

static void too_many_tasks_are_refused(void **state)
{
	const struct mx_instance_random how = {
		.seed = 1,
		.nets_min = 4,
		.nets_max = 4,
		.layers_min = 5,
		.layers_max = 5,
		.processors = 1,
	};
	struct mx_instance instance;
	uint64_t response_ns;
	struct mx_err err;
	int rc;

	(void)state;
	assert_int_equal(mx_instance_init_random(&instance, &how, NULL), 0);
	rc = mx_optimum_glpk(&response_ns, &instance, LIMIT_S, &err);
	mx_instance_fini(&instance);
	skip_without(rc, &err);
	assert_int_equal(rc, -EINVAL);
	assert_string_equal(err.text, "GLPK: more than 32 tasks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glpk_finds_what_the_search_finds),
		cmocka_unit_test(both_see_that_there_is_no_schedule),
		cmocka_unit_test(too_many_tasks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
