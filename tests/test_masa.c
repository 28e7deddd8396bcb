/* wrap: calloc */
#include "sched/masa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/faults.h"
#include "tests/masa_pools.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

static uint32_t draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*state >> 33) % below);
}

/* ---- hand-made pools ---- */

static int all_fit(void *user, uint32_t net)
{
	(void)user;
	(void)net;
	return 1;
}

enum { AGE, GENDER, FACE, TINYYOLO, SOS, EMOTION, MEM, SCENE, OBJECT, PAPERS };

/* The published descriptions' keys and peaks, in hundredths of a MB. */
static const struct {
	uint64_t key_ms;
	uint64_t peak;
} papers[PAPERS] = {
	{294, 16174},  {587, 16174},  {631, 36300},
	{696, 14600},  {937, 65600},  {1057, 67200},
	{1495, 66100}, {2105, 66400}, {13138, 170000},
};

static void make_papers(struct mx_board_net *nets)
{
	uint32_t i;

	memset(nets, 0, PAPERS * sizeof(*nets));
	for (i = 0; i < PAPERS; i++) {
		nets[i].masa_key_ns = papers[i].key_ms * 1000000;
		nets[i].masa_peak_bytes = papers[i].peak * 10000;
	}
}

/* What is taken when only INITs are there: the network, PAPERS: nothing. */
static uint32_t take_init(struct mx_masa *masa)
{
	uint32_t net;

	switch (mx_masa_pick(masa, MX_STEP_NONE, MX_STEP_NONE, all_fit, NULL,
			     &net)) {
	case MX_MASA_INIT:
		mx_masa_admit(masa, net);
		mx_masa_waits(masa, net, MX_MINIMA_NONE);
		return net;
	case MX_MASA_NOTHING:
		return PAPERS;
	case MX_MASA_EXEC:
	case MX_MASA_LOAD:
		break;
	}
	fail();
	return PAPERS;
}

static void all_nine_networks_are_admitted_by_key_as_peaks_allow(void **state)
{
	struct mx_board_net nets[PAPERS];
	struct mx_masa masa;
	uint32_t i;

	(void)state;
	make_papers(nets);
	assert_int_equal(mx_masa_init(&masa, nets, PAPERS, 512000000), 0);
	assert_int_equal(masa.free_bytes, 507130000);
	for (i = 0; i < PAPERS; i++)
		mx_masa_waits(&masa, i, i);

	/* 507.13: AgeNet and GenderNet leave 183.65, too little for FaceNet,
	 * but not for TinyYolo behind it: 37.65. */
	assert_int_equal(take_init(&masa), AGE);
	assert_int_equal(take_init(&masa), GENDER);
	assert_int_equal(take_init(&masa), TINYYOLO);
	assert_int_equal(masa.free_bytes, 37650000);
	assert_int_equal(take_init(&masa), PAPERS);

	/* FaceNet (363) waits for all three: 361.13 are not enough. */
	mx_masa_end(&masa, AGE);
	assert_int_equal(take_init(&masa), PAPERS);
	mx_masa_end(&masa, GENDER);
	assert_int_equal(masa.free_bytes, 361130000);
	assert_int_equal(take_init(&masa), PAPERS);
	mx_masa_end(&masa, TINYYOLO);
	assert_int_equal(take_init(&masa), FACE);
	assert_int_equal(take_init(&masa), PAPERS);
	mx_masa_end(&masa, FACE);

	/* The rest are larger than the budget: alone, and below 0. */
	for (i = SOS; i < PAPERS; i++) {
		assert_int_equal(take_init(&masa), i);
		assert_true(masa.free_bytes < 0);
		assert_int_equal(take_init(&masa), PAPERS);
		mx_masa_end(&masa, i);
	}
	assert_int_equal(masa.free_bytes, 507130000);
	assert_int_equal(masa.active_count, 0);
	mx_masa_fini(&masa);
}

static void an_exec_is_first_then_keys_decide_between_load_and_init(
	void **state)
{
	struct mx_board_net nets[PAPERS];
	struct mx_masa masa;
	uint32_t net;

	(void)state;
	make_papers(nets);
	assert_int_equal(mx_masa_init(&masa, nets, PAPERS, 512000000), 0);
	mx_masa_waits(&masa, AGE, 7);
	mx_masa_waits(&masa, FACE, 3);
	mx_masa_admit(&masa, GENDER);

	/* Even ObjectNet's, the longest of all. */
	assert_int_equal(mx_masa_pick(&masa, OBJECT, AGE, all_fit, NULL, &net),
			 MX_MASA_EXEC);
	/* AgeNet is shorter than what there is to load of GenderNet ... */
	assert_int_equal(
		mx_masa_pick(&masa, MX_STEP_NONE, GENDER, all_fit, NULL, &net),
		MX_MASA_INIT);
	assert_int_equal(net, AGE);
	/* ... and of the same network LOAD is before INIT. */
	assert_int_equal(
		mx_masa_pick(&masa, MX_STEP_NONE, AGE, all_fit, NULL, &net),
		MX_MASA_LOAD);
	/* A LOAD needs no memory; FaceNet's INIT has none. */
	mx_masa_waits(&masa, AGE, MX_MINIMA_NONE);
	assert_int_equal(
		mx_masa_pick(&masa, MX_STEP_NONE, OBJECT, all_fit, NULL, &net),
		MX_MASA_LOAD);
	assert_int_equal(mx_masa_pick(&masa, MX_STEP_NONE, MX_STEP_NONE,
				      all_fit, NULL, &net),
			 MX_MASA_NOTHING);
	mx_masa_fini(&masa);
}

static void what_requires_nothing_is_taken_when_nothing_is_free(void **state)
{
	struct mx_board_net nets[2];
	struct mx_masa masa;
	uint32_t net;

	(void)state;
	memset(nets, 0, sizeof(nets));
	nets[0].masa_peak_bytes = 1000;
	nets[1].masa_key_ns = 5;
	assert_int_equal(mx_masa_init(&masa, nets, 2, 0), 0);
	assert_int_equal(masa.free_bytes, -MX_MASA_FRAMEWORK_BYTES);
	mx_masa_admit(&masa, 0);
	mx_masa_waits(&masa, 0, 1);
	mx_masa_waits(&masa, 1, 2);
	assert_int_equal(mx_masa_pick(&masa, MX_STEP_NONE, MX_STEP_NONE,
				      all_fit, NULL, &net),
			 MX_MASA_INIT);
	assert_int_equal(net, 1);
	mx_masa_fini(&masa);
}

/* ---- random pools ---- */

static int fits_of(void *user, uint32_t net)
{
	return ((const int *)user)[net];
}

/* The network of the first task of a kind; the pools are sorted. */
static uint32_t first_of(const struct pools *pools, enum mx_task_kind kind)
{
	size_t i;

	for (i = 0; i < pools->count; i++)
		if (pools->tasks[i].kind == kind)
			return pools->tasks[i].net;
	return MX_STEP_NONE;
}

static void check_random_pools(uint64_t *seed)
{
	struct mx_board_net nets[12] = {{0}};
	const uint32_t net_count = 1 + draw(seed, 12);
	uint64_t first[12];
	uint32_t exec_net, load_net;
	const struct pool_task *naive;
	struct pools pools = {.count = 0};
	struct mx_masa masa;
	enum mx_masa_choice choice;
	int fits[12];
	uint32_t i, count, net;
	size_t k;

	for (i = 0; i < net_count; i++) {
		nets[i].masa_key_ns = draw(seed, 6);
		nets[i].masa_peak_bytes = draw(seed, 5) * 100;
		first[i] = MX_MINIMA_NONE;
		fits[i] = draw(seed, 5) > 0;
	}
	assert_int_equal(
		mx_masa_init(&masa, nets, net_count,
			     MX_MASA_FRAMEWORK_BYTES + draw(seed, 900)),
		0);
	for (i = draw(seed, 4); i > 0; i--)
		mx_masa_admit(&masa, draw(seed, net_count));
	pools.free_bytes = masa.free_bytes;
	pools.active_count = masa.active_count;

	/* Tasks with rising ids; kinds as rare as it takes to see all cases. */
	count = draw(seed, 30);
	for (i = 0; i < count; i++) {
		net = draw(seed, net_count);
		switch (draw(seed, 8)) {
		case 0:
			put(&pools, nets, net,
			    draw(seed, 6) ? MX_TASK_LOAD : MX_TASK_EXEC, i, 0);
			break;
		default:
			put(&pools, nets, net, MX_TASK_INIT, i, 0);
			if (first[net] == MX_MINIMA_NONE)
				first[net] = i;
			break;
		}
	}
	for (k = 0; k < pools.count; k++)
		if (pools.tasks[k].kind == MX_TASK_INIT)
			pools.tasks[k].fits = fits[pools.tasks[k].net];
	naive = naive_pick(&pools);

	exec_net = first_of(&pools, MX_TASK_EXEC);
	load_net = first_of(&pools, MX_TASK_LOAD);
	for (i = 0; i < net_count; i++)
		mx_masa_waits(&masa, i, first[i]);
	choice = mx_masa_pick(&masa, exec_net, load_net, fits_of, fits, &net);
	if (!naive) {
		assert_int_equal(choice, MX_MASA_NOTHING);
	} else if (naive->kind == MX_TASK_INIT) {
		assert_int_equal(choice, MX_MASA_INIT);
		assert_int_equal(net, naive->net);
		assert_int_equal(first[net], naive->id);
	} else {
		assert_int_equal(choice, naive->kind == MX_TASK_EXEC
						 ? MX_MASA_EXEC
						 : MX_MASA_LOAD);
	}
	mx_masa_fini(&masa);
}

static void random_pools_are_served_as_the_rule_is_written(void **state)
{
	uint64_t seed = 1;
	uint32_t i;

	(void)state;
	for (i = 0; i < 20000; i++)
		check_random_pools(&seed);
}

static void without_memory_there_is_no_account(void **state)
{
	struct mx_board_net nets[2] = {{0}};
	struct mx_masa masa;
	long n;
	int rc;

	(void)state;
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_masa_init(&masa, nets, 2, 1);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(masa.by_key);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, 4);
	mx_masa_fini(&masa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			all_nine_networks_are_admitted_by_key_as_peaks_allow),
		cmocka_unit_test(
			an_exec_is_first_then_keys_decide_between_load_and_init),
		cmocka_unit_test(
			what_requires_nothing_is_taken_when_nothing_is_free),
		cmocka_unit_test(
			random_pools_are_served_as_the_rule_is_written),
		cmocka_unit_test(without_memory_there_is_no_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
