#include "sched/chunks.h"

#include <string.h>

#include "lib/network.h"
#include "tests/check.h"

#define LARGE 1000000
#define WORKERS_MAX 9

static void a_worker_takes_half_of_its_share(void **state)
{
	static const struct {
		size_t left;
		uint32_t workers;
		size_t chunk;
	} cases[] = {
		{0, 2, 0},  {1, 2, 1},	{2, 2, 1},    {4, 2, 1},    {5, 2, 2},
		{18, 2, 5}, {64, 4, 8}, {100, 64, 1}, {129, 64, 2},
	};
	const struct mx_layer layer = {.macs = LARGE};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			mx_chunk_parts(&layer, cases[i].left, cases[i].workers),
			cases[i].chunk);
}

/* Each chunk goes to the worker that is done first, parts being equal. */
static void workers_end_within_a_part_of_each_other(void **state)
{
	const struct mx_layer layer = {.macs = LARGE};
	size_t parts, left, chunk, done[WORKERS_MAX];
	uint32_t workers, i, first, last;

	(void)state;
	for (workers = 2; workers <= WORKERS_MAX; workers++)
		for (parts = 1; parts < 200; parts++) {
			memset(done, 0, sizeof(done));
			for (left = parts; left; left -= chunk) {
				for (first = 0, i = 1; i < workers; i++)
					if (done[i] < done[first])
						first = i;
				chunk = mx_chunk_parts(&layer, left, workers);
				done[first] += chunk;
			}
			for (first = 0, last = 0, i = 1; i < workers; i++) {
				if (done[i] < done[first])
					first = i;
				if (done[i] > done[last])
					last = i;
			}
			assert_true(done[last] <= done[first] + 1);
		}
}

static void a_worker_alone_takes_all(void **state)
{
	const struct mx_layer layer = {.macs = LARGE};

	(void)state;
	assert_int_equal(mx_chunk_parts(&layer, 77, 1), 77);
}

/* A hundred thousand multiply-accumulates, and an element stands for 8. */
static void a_small_layer_is_one_chunk(void **state)
{
	static const struct {
		uint64_t macs;
		size_t in;
		size_t out;
		size_t chunk;
	} cases[] = {
		{99999 - 16, 1, 1, 40},	    {100000 - 16, 1, 1, 10},
		{0, 12499, 0, 40},	    {0, 12500, 0, 10},
		{0, 0, 12499, 40},	    {0, 6250, 6250, 10},
		{UINT64_MAX / 2, 1, 1, 10},
	};
	struct mx_shape shapes[2] = {{1, {1}}, {1, {1}}};
	struct mx_layer layer = {
		.in_count = 1,
		.out_count = 1,
		.in_shape = &shapes[0],
		.out_shape = &shapes[1],
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		layer.macs = cases[i].macs;
		shapes[0].dim[0] = cases[i].in;
		shapes[1].dim[0] = cases[i].out;
		assert_int_equal(mx_chunk_parts(&layer, 40, 2), cases[i].chunk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_takes_half_of_its_share),
		cmocka_unit_test(workers_end_within_a_part_of_each_other),
		cmocka_unit_test(a_worker_alone_takes_all),
		cmocka_unit_test(a_small_layer_is_one_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
