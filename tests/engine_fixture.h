/*
 * What tests of the engine share: engines over the tiny network, least budgets,
 * and gates that hold reads or computing until the test lets them go on.
 */
#ifndef MX_TESTS_ENGINE_FIXTURE_H
#define MX_TESTS_ENGINE_FIXTURE_H

#include <pthread.h>

#include "sched/memexec.h"
#include "sched/plan.h"
#include "tests/tiny_network.h"

/* Returns an engine that knows @count networks. */
static inline struct mx_engine *engine_with(const struct mx_engine_opts *opts,
					    const struct tiny *nets,
					    uint32_t count)
{
	struct mx_engine *engine = NULL;
	struct mx_err err = {""};
	uint32_t i, index;

	if (mx_engine_open(&engine, opts, &err))
		fail_msg("%s", err.text);
	for (i = 0; i < count; i++) {
		assert_int_equal(
			mx_engine_add(engine, &nets[i].net, &index, NULL), 0);
		assert_int_equal(index, i);
	}
	return engine;
}

/* The least budget for the networks with @threads workers. */
static inline uint64_t engine_least_budget(const struct tiny *nets,
					   uint32_t count, uint32_t threads)
{
	const struct mx_engine_opts opts = {
		.threads = threads,
		.budget_bytes = 1,
		.given_inputs = 1,
	};
	struct mx_engine *engine = engine_with(&opts, nets, count);
	struct mx_plan plan;
	uint64_t minimum;

	assert_int_equal(mx_engine_plan(engine, &plan, NULL), 0);
	assert_false(plan.feasible);
	minimum = plan.minimum_bytes;
	mx_plan_fini(&plan);
	mx_engine_close(engine);
	return minimum;
}

static inline void engine_fill(float input[TINY_IN], size_t shift)
{
	size_t i;

	for (i = 0; i < TINY_IN; i++)
		input[i] = tiny_input(i + shift);
}

/* Passed by one thread, opened and closed by another. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t news;
	int closed;
	unsigned at; /* threads that are at it */
};
#define GATE_INIT                                                              \
	{                                                                      \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0      \
	}

static inline void gate_pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->at++;
	pthread_cond_broadcast(&gate->news);
	while (gate->closed)
		pthread_cond_wait(&gate->news, &gate->lock);
	gate->at--;
	pthread_mutex_unlock(&gate->lock);
}

static inline void gate_set(struct gate *gate, int closed)
{
	pthread_mutex_lock(&gate->lock);
	gate->closed = closed;
	pthread_cond_broadcast(&gate->news);
	pthread_mutex_unlock(&gate->lock);
}

/* Until somebody stands at the gate, which is closed. */
static inline void gate_await(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	while (!gate->at)
		pthread_cond_wait(&gate->news, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

#endif
