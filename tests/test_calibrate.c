/* wrap: mmap calloc pthread_create */
#include "sched/calibrate.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "lib/err.h"
#include "sched/cost.h"
#include "tests/check.h"
#include "tests/faults.h"

static int counting;
static size_t mapped_bytes;

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(int, pthread_create,
      (pthread_t * thread, const pthread_attr_t *attr, void *(*main)(void *),
       void *user),
      (thread, attr, main, user), ENOMEM, EAGAIN)

void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o);

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o)
{
	if (counting && fault(ENOMEM))
		return MAP_FAILED;
	if (counting)
		mapped_bytes += size;
	return __real_mmap(at, size, prot, flags, fd, o);
}

static void rates_are_those_of_all_threads_and_take_a_mebibyte(void **state)
{
	struct mx_rates rates = {0};
	struct mx_err err = {""};
	uint32_t threads;

	(void)state;
	for (threads = 1; threads <= 5; threads += 2) {
		counting = 1;
		mapped_bytes = 0;
		if (mx_calibrate(threads, &rates, &err))
			fail_msg("%s", err.text);
		counting = 0;
		assert_int_equal(rates.threads, threads);
		/* No machine is slower than a million of either. */
		assert_true(rates.macs_per_s > 1000000);
		assert_true(rates.memory_bytes_per_s > 1000000);
		assert_true(rates.layer_ns > 0);
		assert_in_range(mapped_bytes, (size_t)512 << 10,
				MX_CALIBRATE_BYTES_MAX);
	}
}

static void what_fails_is_told_and_threads_are_not_left(void **state)
{
	struct mx_rates rates;
	struct mx_err err = {""};
	long n;
	int rc, met;

	(void)state;
	counting = 1;
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_calibrate(3, &rates, &err);
		met = faults_disarm();
		if (!met)
			break;
		assert_true(rc == -ENOMEM || rc == -EAGAIN);
		assert_true(err.text[0] != '\0');
	}
	counting = 0;
	assert_int_equal(rc, 0);
	/* Seven times three threads, at least. */
	assert_true(n >= 21 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			rates_are_those_of_all_threads_and_take_a_mebibyte),
		cmocka_unit_test(what_fails_is_told_and_threads_are_not_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
