/* wrap: mx_frame_run pread */
#include <errno.h>
#include <math.h>

#include "lib/frame.h"
#include "tests/engine_fixture.h"

/* Computing, and reading under a budget, stop here while these are closed. */
static struct gate compute_gate = GATE_INIT;
static struct gate read_gate = GATE_INIT;

void __real_mx_frame_run(const struct mx_frame *frame,
			 const struct mx_frame_work *work);
void __wrap_mx_frame_run(const struct mx_frame *frame,
			 const struct mx_frame_work *work);
void __wrap_mx_frame_run(const struct mx_frame *frame,
			 const struct mx_frame_work *work)
{
	gate_pass(&compute_gate);
	__real_mx_frame_run(frame, work);
}

ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	gate_pass(&read_gate);
	return __real_pread(fd, data, size, offset);
}

#define MIB ((uint64_t)1 << 20)

struct bench {
	struct tiny tiny;
	struct tiny coarse; /* steps of several chunks: some can be left */
	struct mx_engine *engine;
	float want[TINY_OUT]; /* for the pattern */
};

static const char *const policies[] = {"fifo", NULL};
enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

/* One job at a time, streamed by reads that the gate can hold. */
static void start(struct bench *bench, const char *policy, uint32_t threads)
{
	const struct mx_engine_opts opts = {
		.threads = threads,
		/* Measured each time: what is fixed grows. */
		.budget_bytes =
			engine_least_budget(&bench->tiny, 1, threads) + MIB,
		.io = "threads",
		.policy = policy,
	};

	bench->engine = engine_with(&opts, &bench->tiny, 1);
}

static void submit(struct bench *bench, struct mx_job **job)
{
	assert_int_equal(mx_engine_submit(bench->engine, 0, NULL, job, NULL),
			 0);
}

static void submit_held(struct bench *bench, struct mx_job **job)
{
	const struct mx_submit_opts opts = {
		.flags = MX_SUBMIT_HELD,
		.chance = 1,
		.user = job,
	};

	assert_int_equal(
		mx_engine_submit_with(bench->engine, 0, &opts, job, NULL), 0);
}

static void expect_result(struct bench *bench, struct mx_job *job)
{
	float got[TINY_OUT];

	assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
	mx_job_output(job, 0, got);
	assert_memory_equal(got, bench->want, sizeof(got));
	mx_job_free(job);
}

static void expect_cancelled(struct mx_job *job)
{
	struct mx_job_times times;
	struct mx_err err;

	assert_int_equal(mx_job_wait(job, &times, &err), -ECANCELED);
	assert_string_equal(err.text, "tiny: cancelled");
	assert_true(times.arrival_ns <= times.start_ns);
	assert_true(times.start_ns <= times.finish_ns);
	mx_job_free(job);
}

static void a_held_job_runs_once_it_is_released(void **state)
{
	struct bench *bench = *state;
	struct mx_job *held, *other, *job;
	float inputs[2][TINY_IN], got[TINY_OUT];
	const float *given[1] = {inputs[0]};
	const struct mx_submit_opts opts = {
		.inputs = given,
		.flags = MX_SUBMIT_HELD,
		.user = &held,
	};
	double want[TINY_OUT];
	int i, p;

	engine_fill(inputs[0], 1);
	engine_fill(inputs[1], 5);
	tiny_reference(inputs[1], want);
	for (p = 0; p < POLICIES; p++) {
		start(bench, policies[p], 2);
		given[0] = inputs[0];
		assert_int_equal(mx_engine_submit_with(bench->engine, 0, &opts,
						       &held, NULL),
				 0);
		assert_ptr_equal(mx_job_user(held), &held);
		submit(bench, &other);
		/* The other one passes it. */
		assert_int_equal(mx_engine_next_ended(bench->engine,
						      MX_TIME_NEVER, &job),
				 0);
		assert_ptr_equal(job, other);
		assert_int_equal(mx_engine_next_ended(bench->engine, 0, &job),
				 -ETIMEDOUT);
		given[0] = inputs[1];
		assert_int_equal(mx_job_release(held, given, NULL), 0);
		/* A second time says nothing. */
		assert_int_equal(mx_job_release(held, NULL, NULL), 0);
		assert_int_equal(mx_engine_next_ended(bench->engine,
						      MX_TIME_NEVER, &job),
				 0);
		assert_ptr_equal(job, held);
		mx_job_output(held, 0, got);
		for (i = 0; i < TINY_OUT; i++)
			assert_true(fabs((double)got[i] - want[i]) <
				    1e-4 * fabs(want[i]) + 1e-4);
		assert_int_equal(mx_engine_next_ended(bench->engine,
						      MX_TIME_NEVER, &job),
				 -ENOENT);
		mx_job_free(held);
		mx_job_free(other);
		mx_engine_close(bench->engine);
	}
}

static uint64_t required_bytes(const struct bench *bench)
{
	struct mx_engine_totals totals;

	mx_engine_totals(bench->engine, &totals);
	return totals.required_read_bytes;
}

static void what_never_began_need_not_be_read(void **state)
{
	struct bench *bench = *state;
	const struct mx_network *net = &bench->tiny.net;
	struct mx_job *job;
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < net->slice_count; i++)
		bytes += net->slices[i].size_bytes;
	start(bench, policies[0], 1);
	submit_held(bench, &job);
	assert_int_equal(required_bytes(bench), 0);
	mx_job_cancel(job);
	expect_cancelled(job);
	assert_int_equal(required_bytes(bench), 0);
	for (i = 0; i < 2; i++) {
		submit(bench, &job);
		expect_result(bench, job);
		assert_int_equal(required_bytes(bench), bytes);
	}
	mx_engine_close(bench->engine);
}

static void cancelling_ends_what_is_held_or_waits_at_once(void **state)
{
	struct bench *bench = *state;
	struct mx_job *runs, *waits, *held;
	int p;

	for (p = 0; p < POLICIES; p++) {
		start(bench, policies[p], 1);
		gate_set(&compute_gate, 1);
		submit(bench, &runs);
		gate_await(&compute_gate);
		submit(bench, &waits);
		submit_held(bench, &held);
		mx_job_cancel(held);
		mx_job_cancel(waits);
		expect_cancelled(held);
		expect_cancelled(waits);
		gate_set(&compute_gate, 0);
		expect_result(bench, runs);
		mx_engine_close(bench->engine);
	}
}

static void cancelling_does_not_wait_for_reads(void **state)
{
	struct bench *bench = *state;
	struct mx_job *job, *next;
	int p;

	for (p = 0; p < POLICIES; p++) {
		start(bench, policies[p], 2);
		gate_set(&read_gate, 1);
		submit(bench, &job);
		submit(bench, &next);
		gate_await(&read_gate);
		mx_job_cancel(job);
		expect_cancelled(job);
		gate_set(&read_gate, 0);
		/* Its place, and what was read for it, are the next one's. */
		expect_result(bench, next);
		mx_engine_close(bench->engine);
	}
}

static void cancelling_waits_for_what_is_computed(void **state)
{
	struct bench *bench = *state;
	struct mx_engine_opts opts = {.threads = 2};
	struct mx_job *job, *next, *ended;
	int p;

	for (p = 0; p < POLICIES; p++) {
		opts.policy = policies[p];
		bench->engine = engine_with(&opts, &bench->coarse, 1);
		gate_set(&compute_gate, 1);
		submit(bench, &job);
		gate_await(&compute_gate);
		mx_job_cancel(job);
		mx_job_cancel(job);
		assert_int_equal(mx_engine_next_ended(bench->engine, 1, &ended),
				 -ETIMEDOUT);
		submit(bench, &next);
		gate_set(&compute_gate, 0);
		expect_cancelled(job);
		expect_result(bench, next);
		mx_engine_close(bench->engine);
	}
}

static void cancelling_what_has_ended_does_nothing(void **state)
{
	struct bench *bench = *state;
	struct mx_job *job;

	start(bench, NULL, 2);
	submit(bench, &job);
	assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
	mx_job_cancel(job);
	expect_result(bench, job);
	mx_engine_close(bench->engine);
}

static void jobs_are_told_of_in_the_order_in_which_they_end(void **state)
{
	enum { JOBS = 5 };
	struct bench *bench = *state;
	struct mx_job *jobs[JOBS], *job;
	struct mx_job_times times;
	uint64_t last = 0;
	int i;

	start(bench, "fifo", 2);
	assert_int_equal(mx_engine_next_ended(bench->engine, 0, &job), -ENOENT);
	for (i = 0; i < JOBS; i++)
		submit(bench, &jobs[i]);
	/* One that somebody waits for is not told of once it is freed. */
	expect_result(bench, jobs[1]);
	for (i = 0; i < JOBS - 1; i++) {
		assert_int_equal(mx_engine_next_ended(bench->engine,
						      MX_TIME_NEVER, &job),
				 0);
		assert_ptr_not_equal(job, jobs[1]);
		assert_int_equal(mx_job_wait(job, &times, NULL), 0);
		assert_true(times.finish_ns >= last);
		last = times.finish_ns;
		mx_job_free(job);
	}
	assert_int_equal(mx_engine_next_ended(bench->engine, 0, &job), -ENOENT);
	mx_engine_close(bench->engine);
}

static void an_arrival_may_have_been_earlier(void **state)
{
	struct bench *bench = *state;
	struct mx_submit_opts opts = {.arrival = 7};
	struct mx_job_times times;
	struct mx_job *job;

	start(bench, NULL, 2);
	opts.arrival_ns = 1;
	assert_int_equal(
		mx_engine_submit_with(bench->engine, 0, &opts, &job, NULL), 0);
	assert_int_equal(mx_job_wait(job, &times, NULL), 0);
	assert_int_equal(times.arrival_ns, 1);
	assert_true(times.start_ns > 1);
	assert_true(times.finish_ns <= mx_engine_now(bench->engine));
	mx_job_free(job);
	mx_engine_close(bench->engine);
}

/* Of each kind of event, for one job. */
struct witness {
	const struct mx_job *job;
	uint32_t kinds[MX_EVENT_ENDED + 1];
	uint32_t chunks;
	uint64_t last_ns;
};

static void see(void *user, const struct mx_board_event *event)
{
	struct witness *witness = user;

	witness->kinds[event->kind]++;
	assert_true(event->now_ns >= witness->last_ns);
	witness->last_ns = event->now_ns;
	if (event->kind == MX_EVENT_ENDED)
		witness->job = event->job->user;
}

static void see_chunk(void *user, const struct mx_chunk_event *event)
{
	struct witness *witness = user;

	witness->chunks++;
	assert_true(event->begin_ns <= event->end_ns);
	assert_true(event->worker < 2);
	assert_true(event->layer < 3);
	assert_int_equal(event->net, 0);
}

static void observers_see_every_step(void **state)
{
	struct bench *bench = *state;
	struct witness witness = {.job = NULL};
	const struct mx_engine_opts opts = {
		.threads = 2,
		.observer = see,
		.chunk_observer = see_chunk,
		.observer_user = &witness,
	};
	/* A step a slice, and one for the layer without. */
	const uint32_t steps = bench->tiny.net.slice_count + 1;
	struct mx_job *job;

	bench->engine = engine_with(&opts, &bench->tiny, 1);
	submit(bench, &job);
	assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
	assert_ptr_equal(witness.job, job);
	assert_int_equal(witness.kinds[MX_EVENT_ARRIVED], 1);
	assert_int_equal(witness.kinds[MX_EVENT_ADMITTED], 1);
	assert_int_equal(witness.kinds[MX_EVENT_PREPARED], 1);
	assert_int_equal(witness.kinds[MX_EVENT_STEP_TAKEN], steps);
	assert_int_equal(witness.kinds[MX_EVENT_STEP_DONE], steps);
	assert_int_equal(witness.kinds[MX_EVENT_LAYER_DONE], 3);
	assert_int_equal(witness.kinds[MX_EVENT_ENDED], 1);
	assert_int_equal(witness.kinds[MX_EVENT_LOAD],
			 witness.kinds[MX_EVENT_LOADED]);
	assert_true(witness.chunks >= steps);
	mx_job_free(job);
	mx_engine_close(bench->engine);
}

static void a_cold_job_reads_every_byte_once(void **state)
{
	enum { ROUNDS = 8 };
	struct bench *bench = *state;
	struct mx_engine_totals totals;
	struct mx_engine_opts opts = {.threads = 8, .io = "threads"};
	struct tiny wide;
	struct mx_job *job;
	int i, p;

	/* Eight slices, of which about three fit, in two chunks each. */
	tiny_open_with(&wide, 4 * TINY_MIDDLE, 2);
	for (p = 0; p < POLICIES; p++)
		for (i = 0; i < ROUNDS; i++) {
			opts.policy = policies[p];
			opts.budget_bytes =
				engine_least_budget(&wide, 1, 8) + 3 * MIB;
			bench->engine = engine_with(&opts, &wide, 1);
			submit(bench, &job);
			assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
			mx_job_free(job);
			mx_engine_totals(bench->engine, &totals);
			assert_int_equal(totals.read_bytes,
					 wide.net.weights_file_bytes);
			assert_true(totals.memory_peak_bytes > 0);
			assert_true(totals.memory_peak_bytes <
				    wide.net.weights_file_bytes);
			mx_engine_close(bench->engine);
		}
	tiny_close(&wide);
}

static int bench_setup(void **state)
{
	static struct bench bench;
	struct mx_engine_opts opts = {.threads = 1};
	struct mx_job *job;

	tiny_open(&bench.tiny);
	tiny_open_with(&bench.coarse, TINY_MIDDLE, 4);
	bench.engine = engine_with(&opts, &bench.tiny, 1);
	submit(&bench, &job);
	assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
	mx_job_output(job, 0, bench.want);
	mx_job_free(job);
	mx_engine_close(bench.engine);
	*state = &bench;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	tiny_close(&bench->tiny);
	tiny_close(&bench->coarse);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_job_runs_once_it_is_released),
		cmocka_unit_test(what_never_began_need_not_be_read),
		cmocka_unit_test(cancelling_ends_what_is_held_or_waits_at_once),
		cmocka_unit_test(cancelling_does_not_wait_for_reads),
		cmocka_unit_test(cancelling_waits_for_what_is_computed),
		cmocka_unit_test(cancelling_what_has_ended_does_nothing),
		cmocka_unit_test(
			jobs_are_told_of_in_the_order_in_which_they_end),
		cmocka_unit_test(an_arrival_may_have_been_earlier),
		cmocka_unit_test(observers_see_every_step),
		cmocka_unit_test(a_cold_job_reads_every_byte_once),
	};

	return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
