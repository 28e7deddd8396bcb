/*
 * How far each policy is from the best possible, on small random instances.
 *
 * MEMEXEC_OPTIMUM_POLICY=NAME plays that policy alone and lists the instances
 * on which it is farthest off; MEMEXEC_OPTIMUM_COUNT=N takes N instances. Then
 * nothing is asked of the distances.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/instance_play.h"
#include "sched/optimum.h"
#include "sched/policy.h"
#include "sched/verify_schedule.h"
#include "tests/instance_fixture.h"

#define INSTANCES 200
#define POLICIES_MAX 32
#define WORST 10

/* What foresight promises. */
#define MEAN_MAX 1.05
#define WORST_MAX 1.15

struct far {
	double ratio;
	uint64_t seed;
};

struct score {
	double sum;
	struct far worst[WORST]; /* farthest first */
	size_t reread_count;
};

struct contest {
	struct score scores[POLICIES_MAX];
	const char *only; /* NULL: all policies */
	uint64_t count;
};

/* With one or two processors. */
static void make(struct mx_instance *instance, uint64_t seed)
{
	const struct mx_instance_random how =
		instance_random(seed, (uint32_t)(1 + seed / 3 % 2));

	assert_int_equal(mx_instance_init_random(instance, &how, NULL), 0);
}

static void note(struct score *score, double ratio, uint64_t seed)
{
	struct far one = {ratio, seed}, swap;
	size_t i;

	score->sum += ratio;
	for (i = 0; i < WORST; i++) {
		if (one.ratio <= score->worst[i].ratio)
			continue;
		swap = score->worst[i];
		score->worst[i] = one;
		one = swap;
	}
}

static void play(struct score *score, const struct mx_policy *policy,
		 const struct mx_instance *instance, uint64_t best_ns,
		 uint64_t seed)
{
	struct mx_schedule schedule;
	uint64_t response_ns;
	struct mx_err err;
	int rc;

	rc = mx_instance_play(&schedule, instance, policy, &err);
	if (rc)
		fail_msg("%s, seed %llu: %s", policy->name,
			 (unsigned long long)seed, err.text);
	rc = mx_schedule_verify(&schedule, instance, &err);
	if (rc)
		fail_msg("%s, seed %llu: %s", policy->name,
			 (unsigned long long)seed, err.text);
	response_ns = mx_schedule_response_ns(&schedule, instance);
	assert_true(response_ns >= best_ns);
	note(score, (double)response_ns / (double)best_ns, seed);
	score->reread_count += schedule.reread_count;
	mx_schedule_fini(&schedule);
}

static void play_all(struct contest *contest)
{
	const struct mx_policy *policy;
	struct mx_instance instance;
	struct mx_optimum optimum;
	uint64_t seed;
	size_t i;

	for (seed = 1; seed <= contest->count; seed++) {
		make(&instance, seed);
		assert_int_equal(
			mx_optimum_find(&optimum, &instance, NULL, NULL), 0);
		assert_int_equal(optimum.bound_ns, optimum.response_ns);
		assert_int_equal(
			mx_schedule_verify(&optimum.schedule, &instance, NULL),
			0);
		for (i = 0; (policy = mx_policy_at(i)); i++) {
			assert_true(i < POLICIES_MAX);
			if (contest->only &&
			    strcmp(contest->only, policy->name) != 0)
				continue;
			play(&contest->scores[i], policy, &instance,
			     optimum.response_ns, seed);
		}
		mx_optimum_fini(&optimum);
		mx_instance_fini(&instance);
	}
}

static void print_table(const struct contest *contest)
{
	const struct mx_policy *policy;
	const struct score *score;
	size_t i, k;

	print_message("response over the optimum's, %llu instances\n",
		      (unsigned long long)contest->count);
	for (i = 0; (policy = mx_policy_at(i)); i++) {
		score = &contest->scores[i];
		if (score->sum <= 0)
			continue;
		print_message("%-15s mean %.3f  worst %.3f (seed %llu)  "
			      "rereads %zu\n",
			      policy->name, score->sum / (double)contest->count,
			      score->worst[0].ratio,
			      (unsigned long long)score->worst[0].seed,
			      score->reread_count);
		for (k = 0; contest->only && k < WORST; k++)
			print_message("  seed %5llu: %.3f\n",
				      (unsigned long long)score->worst[k].seed,
				      score->worst[k].ratio);
	}
}

static void schedules_keep_to_the_model_and_foresight_is_near_the_best(
	void **state)
{
	const char *count = getenv("MEMEXEC_OPTIMUM_COUNT");
	struct contest contest = {
		.only = getenv("MEMEXEC_OPTIMUM_POLICY"),
		.count = count ? strtoull(count, NULL, 10) : INSTANCES,
	};
	const struct mx_policy *policy;
	size_t i;

	(void)state;
	play_all(&contest);
	print_table(&contest);
	if (count || contest.only)
		return;
	for (i = 0; (policy = mx_policy_at(i)); i++) {
		assert_true(contest.scores[i].sum >= INSTANCES);
		if (strcmp(policy->name, "foresight") != 0)
			continue;
		assert_true(contest.scores[i].sum <= MEAN_MAX * INSTANCES);
		assert_true(contest.scores[i].worst[0].ratio <= WORST_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			schedules_keep_to_the_model_and_foresight_is_near_the_best),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
