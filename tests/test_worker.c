#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>

#include "sched/policy.h"
#include "tests/engine_fixture.h"

/* Drawn anew each time, unless the environment names it. */
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static size_t policy_count(void)
{
	size_t count = 0;

	while (mx_policy_at(count))
		count++;
	return count;
}

#define MIB (1u << 20)

enum { NETS = 2, INPUTS = 3 };

struct ground {
	struct tiny nets[NETS];
	float input[INPUTS][TINY_IN];
	float want[INPUTS][TINY_OUT];
};

static void run_one(struct mx_engine *engine, const float *input,
		    float got[TINY_OUT])
{
	const float *inputs[1] = {input};
	struct mx_job *job;

	assert_int_equal(mx_engine_submit(engine, 0, inputs, &job, NULL), 0);
	assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
	mx_job_output(job, 0, got);
	mx_job_free(job);
}

/* From the minimum to where all of it fits, or no limit. */
static uint64_t draw_budget(const struct ground *ground, uint32_t threads)
{
	if (draw(5) == 0)
		return 0;
	return engine_least_budget(ground->nets, NETS, threads) + MIB +
	       draw(12 * MIB);
}

struct stage {
	struct mx_engine_opts opts;
	char text[160];
};

static void draw_stage(const struct ground *ground, struct stage *stage)
{
	static const char *const back_ends[] = {"auto", "threads", "sync"};
	const uint32_t threads = 1 + draw(4);

	stage->opts = (struct mx_engine_opts){
		.threads = threads,
		.budget_bytes = draw_budget(ground, threads),
		.io = back_ends[draw(3)],
		.passes = 1 + draw(2) * 4,
		.given_inputs = 1,
		.policy = mx_policy_at(draw((uint32_t)policy_count()))->name,
		.workers = draw(4),
	};
	(void)snprintf(stage->text, sizeof(stage->text),
		       "%s, %" PRIu64 " bytes, %" PRIu32
		       " threads, %s, %" PRIu32 " passes, %" PRIu32 " workers",
		       stage->opts.policy, stage->opts.budget_bytes, threads,
		       stage->opts.io, stage->opts.passes, stage->opts.workers);
}

static void outputs_are_the_same_bits_for_any_policy_budget_threads_and_io(
	void **state)
{
	enum { ROUNDS = 30, JOBS = 8 };
	struct ground *ground = *state;
	struct mx_engine *engine;
	struct mx_job *jobs[JOBS];
	uint32_t of[JOBS];
	float got[TINY_OUT];
	struct stage stage;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		draw_stage(ground, &stage);
		engine = engine_with(&stage.opts, ground->nets, NETS);
		for (i = 0; i < JOBS; i++) {
			const float *inputs[1];

			of[i] = draw(INPUTS);
			inputs[0] = ground->input[of[i]];
			assert_int_equal(mx_engine_submit(engine, draw(NETS),
							  inputs, &jobs[i],
							  NULL),
					 0);
		}
		for (i = 0; i < JOBS; i++) {
			assert_int_equal(mx_job_wait(jobs[i], NULL, NULL), 0);
			mx_job_output(jobs[i], 0, got);
			if (memcmp(got, ground->want[of[i]], sizeof(got)))
				fail_msg("job %d is wrong: %s", i, stage.text);
			mx_job_free(jobs[i]);
		}
		mx_engine_close(engine);
	}
}

/* Where bytes of weights are, is nothing that an output depends on. */
static void outputs_are_the_same_bits_when_weights_are_moved(void **state)
{
	enum { ROUNDS = 200, JOBS = 6, STEP = 32768 };
	struct ground *ground = *state;
	struct mx_engine_totals totals;
	struct mx_job *jobs[JOBS];
	float got[TINY_OUT];
	uint64_t moved = 0;
	int round, i;

	for (round = 0; round < ROUNDS && moved < 4 * MIB; round++) {
		const uint32_t threads = 1 + (uint32_t)round % 2;
		const struct mx_engine_opts opts = {
			.threads = threads,
			.budget_bytes = engine_least_budget(ground->nets, NETS,
							    threads) +
					(uint64_t)(round % 64 + 1) * STEP,
			.given_inputs = 1,
			.policy = "foresight",
		};
		struct mx_engine *engine =
			engine_with(&opts, ground->nets, NETS);

		for (i = 0; i < JOBS; i++) {
			const float *inputs[1] = {ground->input[i % INPUTS]};

			assert_int_equal(
				mx_engine_submit(engine, (uint32_t)i % NETS,
						 inputs, &jobs[i], NULL),
				0);
		}
		for (i = 0; i < JOBS; i++) {
			assert_int_equal(mx_job_wait(jobs[i], NULL, NULL), 0);
			mx_job_output(jobs[i], 0, got);
			assert_memory_equal(got, ground->want[i % INPUTS],
					    sizeof(got));
			mx_job_free(jobs[i]);
		}
		mx_engine_totals(engine, &totals);
		moved += totals.moved_bytes;
		mx_engine_close(engine);
	}
	assert_true(moved > 0);
}

/* A job of a crowd: when it ends, and how. */
struct member {
	struct mx_job *job;
	uint32_t input;
	int held;
	int cancelled; /* it may have ended before */
};

static void join(struct mx_engine *engine, const struct ground *ground,
		 struct member *member)
{
	const float *inputs[1];
	struct mx_submit_opts opts = {.inputs = inputs, .user = member};

	member->input = draw(INPUTS);
	inputs[0] = ground->input[member->input];
	member->held = draw(4) == 0;
	opts.flags = member->held ? MX_SUBMIT_HELD : 0;
	opts.chance = (float)draw(3) / 2;
	assert_int_equal(mx_engine_submit_with(engine, draw(NETS), &opts,
					       &member->job, NULL),
			 0);
}

/* What nobody waits for is released or cancelled, now or later. */
static void meddle(struct member *member)
{
	if (!member->job)
		return;
	if (member->held && draw(2))
		assert_int_equal(mx_job_release(member->job, NULL, NULL), 0);
	else if (member->held || draw(3) == 0) {
		mx_job_cancel(member->job);
		member->cancelled = 1;
	}
	member->held = 0;
}

static void collect(struct mx_engine *engine, const struct ground *ground,
		    uint64_t until_ns, uint32_t *left)
{
	struct mx_job *job;
	float got[TINY_OUT];

	while (*left && !mx_engine_next_ended(engine, until_ns, &job)) {
		struct member *member = mx_job_user(job);
		const int status = mx_job_wait(job, NULL, NULL);

		assert_ptr_equal(member->job, job);
		assert_true(status == 0 ||
			    (status == -ECANCELED && member->cancelled));
		if (!status) {
			mx_job_output(job, 0, got);
			assert_memory_equal(got, ground->want[member->input],
					    sizeof(got));
		}
		mx_job_free(job);
		member->job = NULL;
		--*left;
	}
}

static void crowd(const struct ground *ground, const struct stage *stage,
		  uint32_t count)
{
	struct mx_engine *engine =
		engine_with(&stage->opts, ground->nets, NETS);
	struct member *members = calloc(count, sizeof(*members));
	uint32_t left = 0;
	uint32_t i;

	assert_non_null(members);
	for (i = 0; i < count; i++) {
		join(engine, ground, &members[i]);
		left++;
		meddle(&members[draw(i + 1)]);
		if (draw(8) == 0)
			collect(engine, ground, 0, &left);
	}
	for (i = 0; i < count; i++)
		if (members[i].job && members[i].held)
			meddle(&members[i]);
	collect(engine, ground, MX_TIME_NEVER, &left);
	assert_int_equal(left, 0);
	free(members);
	mx_engine_close(engine);
}

static void a_crowd_of_jobs_comes_and_goes(void **state)
{
	struct ground *ground = *state;
	struct stage stage;
	size_t i;

	for (i = 0; i < policy_count(); i++) {
		draw_stage(ground, &stage);
		stage.opts.policy = mx_policy_at(i)->name;
		crowd(ground, &stage, 100);
	}
}

static int ground_setup(void **state)
{
	static struct ground ground;
	const struct mx_engine_opts opts = {.threads = 1};
	const char *given = getenv("MEMEXEC_TEST_SEED");
	struct mx_engine *engine;
	uint32_t i;

	if (given)
		seed = strtoull(given, NULL, 0);
	else
		assert_int_equal(getrandom(&seed, sizeof(seed), 0),
				 sizeof(seed));
	print_message("MEMEXEC_TEST_SEED=%" PRIu64 "\n", seed);
	for (i = 0; i < NETS; i++)
		tiny_open_with(&ground.nets[i], TINY_MIDDLE, 1 + 3 * i);
	engine = engine_with(&opts, ground.nets, NETS);
	for (i = 0; i < INPUTS; i++) {
		engine_fill(ground.input[i], i);
		run_one(engine, ground.input[i], ground.want[i]);
	}
	mx_engine_close(engine);
	*state = &ground;
	return 0;
}

static int ground_teardown(void **state)
{
	struct ground *ground = *state;
	uint32_t i;

	for (i = 0; i < NETS; i++)
		tiny_close(&ground->nets[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			outputs_are_the_same_bits_for_any_policy_budget_threads_and_io),
		cmocka_unit_test(
			outputs_are_the_same_bits_when_weights_are_moved),
		cmocka_unit_test(a_crowd_of_jobs_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, ground_setup, ground_teardown);
}
