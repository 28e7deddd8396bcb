/* wrap: calloc */
#include "sched/minima.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

enum { MOST = 33, CHANGES = 400 };

static uint32_t naive_find(const uint64_t *values, uint32_t count,
			   uint32_t from, uint64_t limit)
{
	while (from < count && values[from] > limit)
		from++;
	return from < count ? from : count;
}

static uint32_t naive_least(const uint64_t *values, uint32_t count)
{
	uint32_t best = count;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (values[i] != MX_MINIMA_NONE &&
		    (best == count || values[i] < values[best]))
			best = i;
	return best;
}

static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void a_row_finds_what_a_scan_finds(void **state)
{
	uint64_t values[MOST];
	struct mx_minima minima;
	uint64_t seed = 1;
	uint32_t count, i, k, limit;

	(void)state;
	for (count = 0; count <= MOST; count++) {
		assert_int_equal(mx_minima_init(&minima, count), 0);
		for (i = 0; i < count; i++)
			values[i] = MX_MINIMA_NONE;
		assert_int_equal(mx_minima_least(&minima), count);
		for (k = 0; k < CHANGES && count > 0; k++) {
			i = draw(&seed) % count;
			values[i] = draw(&seed) % 4 ? draw(&seed) % 9
						    : MX_MINIMA_NONE;
			mx_minima_set(&minima, i, values[i]);
			assert_int_equal(mx_minima_least(&minima),
					 naive_least(values, count));
			limit = draw(&seed) % 9;
			i = draw(&seed) % (count + 1);
			assert_int_equal(mx_minima_find(&minima, i, limit),
					 naive_find(values, count, i, limit));
		}
		mx_minima_fini(&minima);
	}
}

static void without_memory_there_is_no_row(void **state)
{
	struct mx_minima minima = {0};

	(void)state;
	faults_arm(0);
	assert_int_equal(mx_minima_init(&minima, 3), -ENOMEM);
	assert_int_equal(faults_disarm(), ENOMEM);
	assert_null(minima.nodes);
	mx_minima_fini(&minima);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_finds_what_a_scan_finds),
		cmocka_unit_test(without_memory_there_is_no_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
