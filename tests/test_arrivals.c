/* wrap: calloc reallocarray */
#include "sched/arrivals.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/script.h"
#include "tests/check.h"
#include "tests/faults.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *old, size_t count, size_t size),
      (old, count, size), ENOMEM, NULL)

#define MS UINT64_C(1000000)

static void make(struct mx_script *script, const struct mx_arrivals_opts *opts)
{
	struct mx_err err;

	if (mx_arrivals_init(script, opts, &err))
		fail_msg("%s", err.text);
	assert_int_equal(script->arrival_count, opts->count);
}

struct moments {
	double mean;
	double sd;
	uint64_t least;
	uint64_t most;
};

/* Of the gaps of many arrivals, in nanoseconds. */
static struct moments measure(struct mx_arrivals_opts opts)
{
	struct moments m = {.least = UINT64_MAX};
	struct mx_script script;
	double sum = 0, squares = 0;
	uint32_t i;

	opts.count = 20001;
	opts.net_count = 1;
	make(&script, &opts);
	assert_true(script.arrivals[0].time_ns == 0);
	for (i = 1; i < opts.count; i++) {
		const uint64_t gap = script.arrivals[i].time_ns -
				     script.arrivals[i - 1].time_ns;

		assert_int_equal(script.arrivals[i].kind, MX_ARRIVAL_AT);
		m.least = gap < m.least ? gap : m.least;
		m.most = gap > m.most ? gap : m.most;
		sum += (double)gap;
		squares += (double)gap * (double)gap;
	}
	m.mean = sum / (opts.count - 1);
	m.sd = sqrt(squares / (opts.count - 1) - m.mean * m.mean);
	mx_script_fini(&script);
	return m;
}

static void assert_near(double got, double want, double share)
{
	if (fabs(got - want) > share * want)
		fail_msg("%g, not %g", got, want);
}

/* 20000 gaps: the mean's own deviation is sd / 141, so that five of them are
 * allowed. */
static void gaps_have_their_distributions_moments(void **state)
{
	struct mx_arrivals_opts opts = {.gap_ns = 10 * MS, .seed = 7};
	struct moments m;

	(void)state;
	opts.kind = MX_GAP_CONSTANT;
	m = measure(opts);
	assert_true(m.least == 10 * MS && m.most == 10 * MS);

	opts.kind = MX_GAP_EXPONENTIAL;
	m = measure(opts);
	assert_near(m.mean, 10e6, 0.036);
	assert_near(m.sd, 10e6, 0.06);

	opts.kind = MX_GAP_UNIFORM;
	opts.spread_ns = 30 * MS;
	m = measure(opts);
	assert_near(m.mean, 20e6, 0.012);
	assert_near(m.sd, 20e6 / sqrt(12), 0.03);
	assert_true(m.least >= 10 * MS - 1 && m.most <= 30 * MS + 1);

	opts.kind = MX_GAP_NORMAL;
	opts.spread_ns = 2 * MS;
	m = measure(opts);
	assert_near(m.mean, 10e6, 0.008);
	assert_near(m.sd, 2e6, 0.03);
}

static void poisson_gaps_are_whole_milliseconds(void **state)
{
	/* Below, at and far above what one product of numbers can reach. */
	static const uint64_t means[] = {3, 256, 1500};
	struct mx_arrivals_opts opts = {.kind = MX_GAP_POISSON_MS, .seed = 5};
	struct mx_script script;
	struct moments m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		opts.gap_ns = means[i] * MS;
		m = measure(opts);
		assert_near(m.mean, (double)(means[i] * MS), 0.03);
		assert_near(m.sd, sqrt((double)means[i]) * MS, 0.03);
	}
	opts.count = 50;
	opts.net_count = 1;
	make(&script, &opts);
	for (i = 0; i < opts.count; i++)
		assert_true(script.arrivals[i].time_ns % MS == 0);
	mx_script_fini(&script);
}

static void normal_gaps_are_never_negative(void **state)
{
	const struct mx_arrivals_opts opts = {
		.kind = MX_GAP_NORMAL,
		.gap_ns = MS,
		.spread_ns = 10 * MS,
		.count = 1000,
		.net_count = 1,
	};
	struct mx_script script;
	uint32_t i, still = 0;

	(void)state;
	make(&script, &opts);
	for (i = 1; i < opts.count; i++) {
		assert_true(script.arrivals[i].time_ns >=
			    script.arrivals[i - 1].time_ns);
		still += script.arrivals[i].time_ns ==
			 script.arrivals[i - 1].time_ns;
	}
	/* The negative ones, nearly a half. */
	assert_true(still > 350 && still < 550);
	mx_script_fini(&script);
}

static void batch_waits_for_nothing_to_be_left(void **state)
{
	const struct mx_arrivals_opts opts = {
		.kind = MX_GAP_BATCH,
		.count = 3,
		.net_count = 2,
	};
	struct mx_script script;
	uint32_t i;

	(void)state;
	make(&script, &opts);
	for (i = 0; i < 3; i++) {
		assert_int_equal(script.arrivals[i].kind, MX_ARRIVAL_IDLE);
		assert_true(script.arrivals[i].time_ns == 0);
		assert_int_equal(script.arrivals[i].job_count, 2);
		assert_int_equal(script.arrivals[i].jobs[0].net, 0);
		assert_int_equal(script.arrivals[i].jobs[1].net, 1);
	}
	mx_script_fini(&script);
}

static void a_seed_gives_the_same_gaps_whatever_is_picked(void **state)
{
	struct mx_arrivals_opts opts = {
		.kind = MX_GAP_EXPONENTIAL,
		.gap_ns = 100 * MS,
		.count = 40,
		.net_count = 5,
		.seed = 11,
	};
	struct mx_script all, some, again, other;
	uint32_t i, k, drawn[5] = {0}, differing = 0;

	(void)state;
	make(&all, &opts);
	opts.pick = 2;
	make(&some, &opts);
	make(&again, &opts);
	opts.seed = 12;
	make(&other, &opts);
	for (i = 0; i < opts.count; i++) {
		const struct mx_script_job *jobs = some.arrivals[i].jobs;

		assert_true(all.arrivals[i].time_ns ==
			    some.arrivals[i].time_ns);
		assert_int_equal(some.arrivals[i].job_count, 2);
		assert_int_not_equal(jobs[0].net, jobs[1].net);
		for (k = 0; k < 2; k++) {
			assert_in_range(jobs[k].net, 0, 4);
			assert_int_equal(jobs[k].net,
					 again.arrivals[i].jobs[k].net);
			drawn[jobs[k].net]++;
		}
		differing +=
			some.arrivals[i].time_ns != other.arrivals[i].time_ns;
	}
	assert_true(differing > 30);
	for (k = 0; k < 5; k++)
		assert_true(drawn[k] > 0);
	mx_script_fini(&all);
	mx_script_fini(&some);
	mx_script_fini(&again);
	mx_script_fini(&other);
}

static void options_out_of_range_are_refused(void **state)
{
	const struct mx_arrivals_opts bad[] = {
		{.kind = MX_GAP_CONSTANT, .gap_ns = MX_GAP_NS_MAX + 1},
		{.kind = MX_GAP_NORMAL, .spread_ns = MX_GAP_NS_MAX + 1},
		{.kind = MX_GAP_UNIFORM, .gap_ns = 2, .spread_ns = 1},
		{.kind = MX_GAP_BATCH, .pick = 4},
	};
	struct mx_arrivals_opts opts;
	struct mx_script script;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		opts = bad[i];
		opts.count = 1;
		opts.net_count = 3;
		assert_int_equal(mx_arrivals_init(&script, &opts, &err),
				 -EINVAL);
	}
	assert_string_equal(err.text, "arrivals: 4 networks to pick of 3");
}

static const char *const names[] = {"age", "face", "age"};

static int trace(struct mx_script *script, const char *text, uint32_t count,
		 struct mx_err *err)
{
	const struct mx_trace_opts opts = {
		.name = "t.txt",
		.nets = names,
		.net_count = 3,
		.count = count,
	};

	return mx_arrivals_trace(script, text, &opts, err);
}

static void a_trace_says_times_and_networks(void **state)
{
	static const char text[] = "# a day\n"
				   "0\n"
				   "\n"
				   " 1.5  face\t# at noon\r\n"
				   "1.5,age,face,age\n"
				   "20e2 face";
	struct mx_script script;
	struct mx_err err;

	(void)state;
	if (trace(&script, text, 0, &err))
		fail_msg("%s", err.text);
	assert_int_equal(script.arrival_count, 4);
	assert_int_equal(script.arrivals[0].job_count, 3);
	assert_int_equal(script.arrivals[0].jobs[2].net, 2);
	assert_int_equal(script.arrivals[1].kind, MX_ARRIVAL_AT);
	assert_true(script.arrivals[1].time_ns == 1500000);
	assert_int_equal(script.arrivals[1].job_count, 1);
	assert_int_equal(script.arrivals[1].jobs[0].net, 1);
	assert_int_equal(script.arrivals[2].job_count, 3);
	assert_int_equal(script.arrivals[2].jobs[0].net, 0);
	assert_int_equal(script.arrivals[2].jobs[1].net, 1);
	assert_int_equal(script.arrivals[2].jobs[2].net, 0);
	assert_true(script.arrivals[3].time_ns == 2000 * MS);
	mx_script_fini(&script);

	assert_int_equal(trace(&script, text, 2, &err), 0);
	assert_int_equal(script.arrival_count, 2);
	mx_script_fini(&script);
}

static void a_bad_trace_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"", "t.txt: has no arrivals"},
		{"# nothing\n\n", "t.txt: has no arrivals"},
		{"0\nx 1", "t.txt:2: x is no time in ms"},
		{"-1", "t.txt:1: -1 is no time in ms"},
		{"nan", "t.txt:1: nan is no time in ms"},
		{"1e30", "t.txt:1: 1e30 is no time in ms"},
		{"5\n\n4", "t.txt:3: 4 ms is before the arrival above"},
		{"0 age nose", "t.txt:1: nose is none of the networks given"},
		{"0 ag", "t.txt:1: ag is none of the networks given"},
	};
	struct mx_script script;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(trace(&script, cases[i].text, 0, &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].want);
	}
}

static void no_memory_leaves_nothing(void **state)
{
	const struct mx_arrivals_opts opts = {
		.kind = MX_GAP_BATCH,
		.count = 3,
		.net_count = 2,
		.pick = 1,
	};
	struct mx_script script;
	long nth;
	int rc;

	(void)state;
	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_arrivals_init(&script, &opts, NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	assert_true(nth > 4);
	mx_script_fini(&script);
	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = trace(&script, "0\n1 age\n2", 0, NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	assert_true(nth > 4);
	mx_script_fini(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_have_their_distributions_moments),
		cmocka_unit_test(poisson_gaps_are_whole_milliseconds),
		cmocka_unit_test(normal_gaps_are_never_negative),
		cmocka_unit_test(batch_waits_for_nothing_to_be_left),
		cmocka_unit_test(a_seed_gives_the_same_gaps_whatever_is_picked),
		cmocka_unit_test(options_out_of_range_are_refused),
		cmocka_unit_test(a_trace_says_times_and_networks),
		cmocka_unit_test(a_bad_trace_is_refused_with_its_line),
		cmocka_unit_test(no_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
