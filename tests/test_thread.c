#include "lib/thread.h"

#include <pthread.h>
#include <sched.h>

#include "tests/check.h"

struct seat {
	uint32_t index;
	uint32_t of;
	cpu_set_t cpus;
};

static void *settle(void *user)
{
	struct seat *seat = user;

	mx_thread_settle(seat->index, seat->of);
	assert_int_equal(sched_getaffinity(0, sizeof(seat->cpus), &seat->cpus),
			 0);
	return NULL;
}

static void run_seat(struct seat *seat)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, settle, seat), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void as_many_threads_as_cpus_have_one_each(void **state)
{
	cpu_set_t may, all, both;
	uint32_t count, i;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(may), &may), 0);
	count = (uint32_t)CPU_COUNT(&may);
	CPU_ZERO(&all);
	for (i = 0; i < count; i++) {
		struct seat seat = {.index = i, .of = count};

		run_seat(&seat);
		assert_int_equal(CPU_COUNT(&seat.cpus), 1);
		CPU_AND(&both, &all, &seat.cpus);
		assert_int_equal(CPU_COUNT(&both), 0);
		CPU_OR(&all, &all, &seat.cpus);
	}
	assert_true(CPU_EQUAL(&all, &may));
}

static void fewer_and_more_threads_go_where_they_are_sent(void **state)
{
	cpu_set_t may;
	uint32_t count;
	struct seat seat;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(may), &may), 0);
	count = (uint32_t)CPU_COUNT(&may);
	seat = (struct seat){.index = 0, .of = count + 1};
	run_seat(&seat);
	assert_true(CPU_EQUAL(&seat.cpus, &may));
	seat = (struct seat){.index = 0, .of = count - 1};
	run_seat(&seat);
	assert_true(CPU_EQUAL(&seat.cpus, &may));
}

/* The thread's policy, after. */
static void *be_prompt(void *user)
{
	mx_thread_be_prompt();
	*(int *)user = sched_getscheduler(0);
	return NULL;
}

static void *be_batch(void *user)
{
	const struct sched_param param = {0};

	(void)sched_setscheduler(0, SCHED_BATCH, &param);
	mx_thread_be_prompt();
	*(int *)user = sched_getscheduler(0);
	return NULL;
}

static void a_prompt_thread_comes_first_where_it_may(void **state)
{
	const struct sched_param one = {.sched_priority = 1};
	const int may = sched_setscheduler(0, SCHED_FIFO, &one) == 0;
	const struct sched_param none = {.sched_priority = 0};
	pthread_t thread;
	int policy;

	(void)state;
	if (may)
		assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	assert_int_equal(pthread_create(&thread, NULL, be_prompt, &policy), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(policy,
			 may ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

static void another_policy_is_left_alone(void **state)
{
	pthread_t thread;
	int policy;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, be_batch, &policy), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(policy, SCHED_BATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_threads_as_cpus_have_one_each),
		cmocka_unit_test(fewer_and_more_threads_go_where_they_are_sent),
		cmocka_unit_test(a_prompt_thread_comes_first_where_it_may),
		cmocka_unit_test(another_policy_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
