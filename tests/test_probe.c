/* wrap: pread calloc */
#include "sched/probe.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/err.h"
#include "sched/cost.h"
#include "tests/check.h"
#include "tests/faults.h"
#include "tests/temp_files.h"

#define KIB ((size_t)1024)

static atomic_uint reads; /* readers have threads */
static atomic_size_t read_bytes;

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)

ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);

ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	if (fault(EIO))
		return -1;
	reads++;
	read_bytes += size;
	assert_int_equal((size_t)offset % 4096, 0);
	assert_int_equal(size % 4096, 0);
	return __real_pread(fd, data, size, offset);
}

/* A file without a name of @size bytes. */
static int file_of(size_t size)
{
	char path[TEMP_PATH_BYTES];
	const int fd = temp_file(path);

	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	reads = 0;
	read_bytes = 0;
	return fd;
}

static void it_reads_what_it_may_and_no_more(void **state)
{
	static const struct {
		size_t file, each, limit;
		unsigned reads;
		size_t bytes;
	} cases[] = {
		{1024 * KIB, 64 * KIB, 512 * KIB, 8, 512 * KIB},
		/* Not a whole read at the end: still one. */
		{1024 * KIB, 64 * KIB, 500 * KIB, 8, 512 * KIB},
		/* A short file, again and again. */
		{96 * KIB, 64 * KIB, 480 * KIB, 10, 480 * KIB},
		/* Smaller than one read; the last page is not whole. */
		{70 * KIB, 1024 * KIB, 136 * KIB, 2, 136 * KIB},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mx_probe_opts opts = {
			.fd = file_of(cases[i].file),
			.io = "sync",
			.read_bytes = cases[i].each,
			.limit_bytes = cases[i].limit,
			.limit_ns = UINT32_MAX,
		};
		struct mx_storage storage = {0};
		struct mx_err err = {""};

		if (mx_probe_storage(&opts, &storage, &err))
			fail_msg("%s", err.text);
		/* And 9 of 4 KiB for the latency. */
		assert_int_equal(reads, 9 + cases[i].reads);
		assert_int_equal(read_bytes, 9 * 4096 + cases[i].bytes);
		assert_true(storage.read_bytes_per_s > 0);
		assert_true(storage.latency_ns > 0);
		assert_int_equal(storage.origin, MX_COST_MEASURED);
		close(opts.fd);
	}
}

static void every_back_end_can(void **state)
{
	static const char *const back_ends[] = {NULL, "threads", "sync"};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		const struct mx_probe_opts opts = {
			.fd = file_of(512 * KIB),
			.io = back_ends[i],
			.read_bytes = 16 * KIB,
			.limit_bytes = 512 * KIB,
		};
		struct mx_storage storage = {0};

		assert_int_equal(mx_probe_storage(&opts, &storage, NULL), 0);
		assert_true(storage.read_bytes_per_s > 0);
		close(opts.fd);
	}
}

static void time_up_ends_it(void **state)
{
	const struct mx_probe_opts opts = {
		.fd = file_of(1024 * KIB),
		.io = "sync",
		.depth = 2,
		.read_bytes = 64 * KIB,
		.limit_ns = 1,
	};
	struct mx_storage storage;

	(void)state;
	assert_int_equal(mx_probe_storage(&opts, &storage, NULL), 0);
	assert_int_equal(reads, 9 + 2);
	close(opts.fd);
}

static void what_cannot_be_measured_is_told(void **state)
{
	struct mx_probe_opts opts = {
		.fd = file_of(64 * KIB - 1),
		.io = "sync",
		.read_bytes = 64 * KIB,
		.limit_bytes = 512 * KIB,
	};
	struct mx_storage storage = {.read_bytes_per_s = 5};
	struct mx_err err = {""};
	long n;

	(void)state;
	assert_int_equal(mx_probe_storage(&opts, &storage, &err), -EINVAL);
	assert_string_equal(err.text, "a file of 65535 bytes is too small to "
				      "measure its storage");
	close(opts.fd);
	opts.fd = -1;
	assert_int_equal(mx_probe_storage(&opts, &storage, &err), -ENOENT);
	opts.fd = file_of(512 * KIB);
	opts.io = "nothing";
	assert_int_equal(mx_probe_storage(&opts, &storage, &err), -EINVAL);
	opts.io = "sync";
	for (n = 0;; n++) {
		int rc, met;

		faults_arm(n);
		rc = mx_probe_storage(&opts, &storage, &err);
		met = faults_disarm();
		if (!met)
			break;
		assert_int_equal(rc, -met);
		if (met == EIO)
			assert_string_equal(err.text,
					    "cannot read the file to measure: "
					    "Input/output error");
		assert_int_equal(storage.read_bytes_per_s, 5);
	}
	/* The reader, 9 reads, 2 lists, 8 reads. */
	assert_int_equal(n, 1 + 9 + 2 + 8);
	assert_true(storage.read_bytes_per_s != 5);
	close(opts.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_it_may_and_no_more),
		cmocka_unit_test(every_back_end_can),
		cmocka_unit_test(time_up_ends_it),
		cmocka_unit_test(what_cannot_be_measured_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
