/* wrap: calloc reallocarray aligned_alloc */
#include "sched/memexec.h"

#include <errno.h>
#include <math.h>

#include "sched/plan.h"
#include "tests/engine_fixture.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *at, size_t count, size_t size),
      (at, count, size), ENOMEM, NULL)
FAULT(void *, aligned_alloc, (size_t align, size_t size), (align, size), ENOMEM,
      NULL)

static struct mx_engine *open_engine(uint32_t threads)
{
	const struct mx_engine_opts opts = {.threads = threads};
	struct mx_engine *engine = NULL;
	struct mx_err err = {""};

	if (mx_engine_open(&engine, &opts, &err))
		fail_msg("%s", err.text);
	return engine;
}

static void a_job_computes_the_network_and_tells_its_times(void **state)
{
	struct tiny tiny;
	struct mx_engine *engine;
	struct mx_job *job;
	struct mx_job_times times;
	struct mx_engine_totals totals;
	float input[TINY_IN];
	const float *inputs[1] = {input};
	float got[TINY_OUT];
	double want[TINY_OUT];
	uint32_t index;
	size_t i;

	(void)state;
	tiny_open(&tiny);
	engine_fill(input, 0);
	tiny_reference(input, want);
	engine = open_engine(2);
	assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL), 0);
	assert_int_equal(index, 0);
	assert_int_equal(mx_engine_submit(engine, 0, inputs, &job, NULL), 0);
	assert_int_equal(mx_job_wait(job, &times, NULL), 0);
	mx_job_output(job, 0, got);
	for (i = 0; i < TINY_OUT; i++)
		assert_true(fabs((double)got[i] - want[i]) <
			    1e-4 * fabs(want[i]) + 1e-4);
	assert_true(times.start_ns >= times.arrival_ns);
	assert_true(times.finish_ns > times.start_ns);
	assert_true(times.compute_ns > 0);
	assert_true(times.compute_ns <= times.finish_ns - times.start_ns);
	assert_true(mx_job_layer_ns(job)[0] > 0);
	mx_job_free(job);
	mx_engine_totals(engine, &totals);
	assert_int_equal(totals.threads, 2);
	assert_true(totals.required_read_bytes >
		    (uint64_t)TINY_IN * TINY_MIDDLE * 4);
	mx_engine_close(engine);
	tiny_close(&tiny);
}

static void results_are_the_same_bits_for_any_threads(void **state)
{
	enum { JOBS = 12 };
	struct tiny tiny;
	float input[JOBS][TINY_IN];
	float first[JOBS][TINY_OUT];
	uint32_t threads;
	uint32_t index;
	size_t i;

	(void)state;
	tiny_open(&tiny);
	for (i = 0; i < JOBS; i++)
		engine_fill(input[i], i);
	for (threads = 1; threads <= 4; threads++) {
		struct mx_engine *engine = open_engine(threads);
		struct mx_job *jobs[JOBS];
		float got[TINY_OUT];

		assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL),
				 0);
		for (i = 0; i < JOBS; i++) {
			const float *inputs[1] = {input[i]};

			assert_int_equal(mx_engine_submit(engine, 0, inputs,
							  &jobs[i], NULL),
					 0);
		}
		for (i = 0; i < JOBS; i++) {
			assert_int_equal(mx_job_wait(jobs[i], NULL, NULL), 0);
			mx_job_output(jobs[i], 0, got);
			if (threads == 1)
				memcpy(first[i], got, sizeof(got));
			assert_memory_equal(first[i], got, sizeof(got));
			mx_job_free(jobs[i]);
		}
		mx_engine_close(engine);
	}
	assert_memory_not_equal(first[0], first[1], sizeof(first[0]));
	tiny_close(&tiny);
}

static struct mx_engine *open_budget(uint64_t bytes, const char *io,
				     uint32_t passes)
{
	const struct mx_engine_opts opts = {
		.threads = 2,
		.budget_bytes = bytes,
		.io = io,
		.passes = passes,
	};
	struct mx_engine *engine = NULL;

	assert_int_equal(mx_engine_open(&engine, &opts, NULL), 0);
	return engine;
}

/* The least budget for the network, by a plan of its own. */
static uint64_t least_budget(const struct tiny *tiny)
{
	struct mx_engine *engine = open_budget(1, "threads", 1);
	struct mx_plan plan;
	uint64_t minimum;
	uint32_t index;

	assert_int_equal(mx_engine_add(engine, &tiny->net, &index, NULL), 0);
	assert_int_equal(mx_engine_plan(engine, &plan, NULL), 0);
	assert_false(plan.feasible);
	minimum = plan.minimum_bytes;
	mx_plan_fini(&plan);
	mx_engine_close(engine);
	return minimum;
}

static void run_once(struct mx_engine *engine, float got[TINY_OUT])
{
	struct mx_job *job;

	assert_int_equal(mx_engine_submit(engine, 0, NULL, &job, NULL), 0);
	assert_int_equal(mx_job_wait(job, NULL, NULL), 0);
	mx_job_output(job, 0, got);
	mx_job_free(job);
}

static void a_streamed_run_equals_a_resident_run(void **state)
{
	static const char *const back_ends[] = {"auto", "threads", "sync"};
	struct tiny tiny;
	struct mx_engine *engine = open_engine(1);
	struct mx_engine_totals totals;
	float want[TINY_OUT], got[TINY_OUT];
	uint32_t index;
	size_t i;

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL), 0);
	run_once(engine, want);
	mx_engine_close(engine);
	for (i = 0; i < 3; i++) {
		/* The least, and so little more that it still streams. */
		engine = open_budget(least_budget(&tiny) + 65536, back_ends[i],
				     1);
		assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL),
				 0);
		run_once(engine, got);
		assert_memory_equal(got, want, sizeof(want));
		mx_engine_totals(engine, &totals);
		assert_in_range(totals.read_bytes,
				tiny.net.weights_file_bytes - 4096,
				tiny.net.weights_file_bytes + 65536);
		run_once(engine, got);
		assert_memory_equal(got, want, sizeof(want));
		mx_engine_close(engine);
	}
	tiny_close(&tiny);
}

static void more_passes_pin_what_fits(void **state)
{
	struct tiny tiny;
	struct mx_engine *engine;
	struct mx_engine_totals first, second;
	float got[TINY_OUT];
	uint32_t index;

	(void)state;
	tiny_open(&tiny);
	engine = open_budget(least_budget(&tiny) + (64u << 20), "threads", 2);
	assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL), 0);
	run_once(engine, got);
	mx_engine_totals(engine, &first);
	run_once(engine, got);
	mx_engine_totals(engine, &second);
	assert_true(first.read_bytes >= tiny.net.weights_file_bytes - 4096);
	assert_int_equal(second.read_bytes, first.read_bytes);
	mx_engine_close(engine);
	tiny_close(&tiny);
}

static void too_small_a_budget_is_refused_before_reading(void **state)
{
	struct tiny tiny;
	struct mx_engine *engine = open_budget(1 << 20, "threads", 1);
	struct mx_job *job;
	struct mx_err err = {""};
	uint32_t index;

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL), 0);
	assert_int_equal(mx_engine_submit(engine, 0, NULL, &job, &err),
			 -EDQUOT);
	assert_ptr_equal(
		strstr(err.text, "tiny: budget 1.0 MiB is too small: needs "),
		err.text);
	mx_engine_close(engine);
	tiny_close(&tiny);
}

static void jobs_wait_for_memory_and_all_finish(void **state)
{
	enum { JOBS = 6 };
	struct tiny tiny;
	struct mx_engine *engine;
	struct mx_job *jobs[JOBS];
	float got[JOBS][TINY_OUT];
	uint32_t index;
	int i;

	(void)state;
	tiny_open(&tiny);
	engine = open_budget(least_budget(&tiny) + 65536, "threads", 1);
	assert_int_equal(mx_engine_add(engine, &tiny.net, &index, NULL), 0);
	for (i = 0; i < JOBS; i++)
		assert_int_equal(
			mx_engine_submit(engine, 0, NULL, &jobs[i], NULL), 0);
	for (i = JOBS; i-- > 0;) {
		assert_int_equal(mx_job_wait(jobs[i], NULL, NULL), 0);
		mx_job_output(jobs[i], 0, got[i]);
		mx_job_free(jobs[i]);
	}
	for (i = 1; i < JOBS; i++)
		assert_memory_equal(got[i], got[0], sizeof(got[0]));
	mx_engine_close(engine);
	tiny_close(&tiny);
}

static void a_cut_weights_file_fails_its_jobs_alone(void **state)
{
	struct tiny good, bad;
	struct mx_engine *engine;
	struct mx_job *jobs[2];
	struct mx_err err = {""};
	uint32_t index;

	(void)state;
	tiny_open(&good);
	tiny_open(&bad);
	assert_int_equal(ftruncate(bad.net.weights_fd, 65536), 0);
	engine = open_engine(2);
	assert_int_equal(mx_engine_add(engine, &bad.net, &index, NULL), 0);
	assert_int_equal(mx_engine_add(engine, &good.net, &index, NULL), 0);
	assert_int_equal(mx_engine_submit(engine, 0, NULL, &jobs[0], NULL), 0);
	assert_int_equal(mx_engine_submit(engine, 1, NULL, &jobs[1], NULL), 0);
	assert_int_equal(mx_job_wait(jobs[0], NULL, &err), -EIO);
	assert_non_null(strstr(err.text, "tiny: fc1: cannot read weights at "
					 "byte "));
	assert_int_equal(mx_job_wait(jobs[1], NULL, &err), 0);
	mx_job_free(jobs[0]);
	mx_job_free(jobs[1]);
	mx_engine_close(engine);
	tiny_close(&good);
	tiny_close(&bad);
}

static void an_unknown_policy_is_refused(void **state)
{
	const struct mx_engine_opts opts = {.threads = 1, .policy = "best"};
	struct mx_engine *engine = NULL;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_engine_open(&engine, &opts, &err), -EINVAL);
	assert_string_equal(err.text, "best: there is no such policy");
	assert_null(engine);
}

struct census {
	int running;
	int most;
};

static void count_running(void *user, const struct mx_board_event *event)
{
	struct census *census = user;

	census->running += (event->kind == MX_EVENT_ADMITTED) -
			   (event->kind == MX_EVENT_ENDED);
	if (census->running > census->most)
		census->most = census->running;
}

static void without_a_budget_few_jobs_of_a_network_run_at_once(void **state)
{
	enum { JOBS = 40, THREADS = 3 };
	struct census census = {0, 0};
	const struct mx_engine_opts opts = {
		.threads = THREADS,
		.observer = count_running,
		.observer_user = &census,
	};
	struct mx_job *jobs[JOBS];
	struct mx_engine *engine;
	struct tiny tiny;
	int i;

	(void)state;
	tiny_open(&tiny);
	engine = engine_with(&opts, &tiny, 1);
	for (i = 0; i < JOBS; i++)
		assert_int_equal(
			mx_engine_submit(engine, 0, NULL, &jobs[i], NULL), 0);
	for (i = 0; i < JOBS; i++) {
		assert_int_equal(mx_job_wait(jobs[i], NULL, NULL), 0);
		mx_job_free(jobs[i]);
	}
	mx_engine_close(engine);
	assert_in_range(census.most, 1, THREADS + 1);
	assert_int_equal(census.running, 0);
	tiny_close(&tiny);
}

struct order {
	uint32_t begun; /* reads */
	uint32_t begun_at_first; /* when the first had come */
	uint32_t ended;
};

static void note_reads(void *user, const struct mx_board_event *event)
{
	struct order *order = user;

	order->begun += event->kind == MX_EVENT_LOAD;
	if (event->kind == MX_EVENT_LOADED && order->ended++ == 0)
		order->begun_at_first = order->begun;
}

static void the_first_read_of_a_cold_run_goes_alone(void **state)
{
	struct order order = {0, 0, 0};
	const struct mx_engine_opts opts = {
		.threads = 1,
		.io = "threads",
		.observer = note_reads,
		.observer_user = &order,
	};
	struct mx_engine *engine;
	float got[TINY_OUT];
	struct tiny tiny;

	(void)state;
	tiny_open(&tiny);
	engine = engine_with(&opts, &tiny, 1);
	run_once(engine, got);
	mx_engine_close(engine);
	assert_true(order.ended > 1);
	assert_int_equal(order.begun, order.ended);
	assert_int_equal(order.begun_at_first, 1);
	tiny_close(&tiny);
}

/* A held job, so that nobody else allocates anything meanwhile. */
static int set_up(const struct tiny *tiny, uint64_t budget_bytes,
		  struct mx_err *err)
{
	const struct mx_engine_opts opts = {
		.threads = 2,
		.budget_bytes = budget_bytes,
		.io = "sync",
		.passes = 2,
	};
	const struct mx_submit_opts held = {.flags = MX_SUBMIT_HELD};
	struct mx_engine *engine = NULL;
	struct mx_job *job = NULL;
	uint32_t index;
	int rc;

	rc = mx_engine_open(&engine, &opts, err);
	if (!rc)
		rc = mx_engine_add(engine, &tiny->net, &index, err);
	if (!rc)
		rc = mx_engine_start(engine, err);
	if (!rc)
		rc = mx_engine_submit_with(engine, 0, &held, &job, err);
	if (job)
		mx_job_cancel(job);
	mx_job_free(job);
	mx_engine_close(engine);
	return rc;
}

static void every_allocation_that_fails_is_an_error(void **state)
{
	struct tiny tiny;
	struct mx_err err;
	uint64_t budget = 0;
	long nth;
	int fired, i, rc;

	(void)state;
	tiny_open(&tiny);
	for (i = 0; i < 2; i++) {
		nth = 0;
		do {
			/* Anew each time: what is fixed grows. */
			if (i)
				budget = engine_least_budget(&tiny, 1, 2) +
					 ((uint64_t)1 << 20);
			err.text[0] = '\0';
			faults_arm(nth++);
			rc = set_up(&tiny, budget, &err);
			fired = faults_disarm();
			assert_int_equal(rc, fired ? -ENOMEM : 0);
			assert_true(!fired || err.text[0]);
		} while (fired);
		assert_true(nth > 20);
	}
	tiny_close(&tiny);
}

static void the_pattern_varies_around_zero(void **state)
{
	double sum = 0;
	uint64_t i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		const float value = mx_pattern_value(i);

		assert_true(value >= -1.0f && value <= 1.0f);
		assert_true(value != mx_pattern_value(i + 1));
		sum += (double)value;
	}
	assert_true(fabs(sum / 10000) < 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_job_computes_the_network_and_tells_its_times),
		cmocka_unit_test(results_are_the_same_bits_for_any_threads),
		cmocka_unit_test(a_streamed_run_equals_a_resident_run),
		cmocka_unit_test(more_passes_pin_what_fits),
		cmocka_unit_test(too_small_a_budget_is_refused_before_reading),
		cmocka_unit_test(jobs_wait_for_memory_and_all_finish),
		cmocka_unit_test(a_cut_weights_file_fails_its_jobs_alone),
		cmocka_unit_test(an_unknown_policy_is_refused),
		cmocka_unit_test(
			without_a_budget_few_jobs_of_a_network_run_at_once),
		cmocka_unit_test(the_first_read_of_a_cold_run_goes_alone),
		cmocka_unit_test(every_allocation_that_fails_is_an_error),
		cmocka_unit_test(the_pattern_varies_around_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
