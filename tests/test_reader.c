/* wrap: io_uring_queue_init */
#include "pager/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>

#include "lib/err.h"
#include "lib/log.h"
#include "tests/weights_fixture.h"

static int refuse_uring;

int __real_io_uring_queue_init(unsigned entries, struct io_uring *ring,
			       unsigned flags);
int __wrap_io_uring_queue_init(unsigned entries, struct io_uring *ring,
			       unsigned flags);

int __wrap_io_uring_queue_init(unsigned entries, struct io_uring *ring,
			       unsigned flags)
{
	if (refuse_uring)
		return refuse_uring;
	return __real_io_uring_queue_init(entries, ring, flags);
}

static const char *const back_ends[] = {"uring", "threads", "sync"};

/* The back end, or NULL with a printed reason where there is none. */
static struct mx_reader *open_reader(const char *io, void *memory, size_t bytes)
{
	const struct mx_reader_opts opts = {
		.io = io,
		.depth = 4,
		.memory = memory,
		.memory_bytes = bytes,
	};
	struct mx_reader *reader = NULL;
	struct mx_err err = {""};
	const int rc = mx_reader_open(&reader, &opts, &err);

	if (rc == -ENOSYS) {
		print_message("not tested here: %s: %s\n", io, err.text);
		return NULL;
	}
	assert_int_equal(rc, 0);
	assert_string_equal(mx_reader_name(reader), io);
	return reader;
}

static int64_t one(struct mx_reader *reader, const struct mx_read *read)
{
	struct mx_read_done done = {NULL, 0};
	int n;

	assert_int_equal(mx_reader_submit(reader, read), 0);
	do
		n = mx_reader_wait(reader, &done, 1);
	while (n == 0);
	assert_int_equal(n, 1);
	assert_ptr_equal(done.tag, read->tag);
	return done.result;
}

static void every_back_end_reads_the_same(void **state)
{
	static const size_t size = 1 << 20;
	struct weights_fixture fx;
	unsigned char *memory;
	size_t b, k, i;

	(void)state;
	weights_open(&fx, &size, 1, 1);
	memory = aligned_alloc(MX_READ_ALIGN_BYTES, size);
	assert_non_null(memory);
	for (b = 0; b < 3; b++) {
		struct mx_reader *reader =
			open_reader(back_ends[b], memory, size);
		struct mx_read_done done[4];
		struct mx_read read;
		int tags[4];
		int left = 4;

		if (!reader)
			continue;
		memset(memory, 0, size);
		for (k = 0; k < 4; k++) {
			read = (struct mx_read){
				.fd = fx.net.weights_fd,
				.data = memory + k * (size / 4),
				.offset_bytes = k * (size / 4),
				.size_bytes = size / 4,
				.tag = &tags[k],
			};
			assert_int_equal(mx_reader_submit(reader, &read), 0);
		}
		assert_int_equal(mx_reader_submit(reader, &read), -EBUSY);
		while (left > 0) {
			const int n = mx_reader_wait(reader, done, 4);

			assert_true(n >= 0);
			for (i = 0; i < (size_t)n; i++)
				assert_int_equal(done[i].result, size / 4);
			left -= n;
		}
		for (i = 0; i < size; i++)
			if (memory[i] != weights_byte(i))
				fail_msg("%s: byte %zu", back_ends[b], i);
		mx_reader_close(reader);
	}
	free(memory);
	weights_close(&fx);
}

static void ends_and_errors_are_told(void **state)
{
	static const size_t size = 8192;
	struct weights_fixture fx;
	char buffer[16384];
	const int closed = 1 << 20;
	size_t b;

	(void)state;
	weights_open(&fx, &size, 1, 1);
	for (b = 0; b < 3; b++) {
		struct mx_reader *reader = open_reader(back_ends[b], NULL, 0);
		struct mx_read read = {
			.fd = fx.net.weights_fd,
			.data = buffer,
			.size_bytes = sizeof(buffer),
			.tag = buffer,
		};

		if (!reader)
			continue;
		assert_int_equal(one(reader, &read), 8192);
		read.offset_bytes = 8192;
		assert_int_equal(one(reader, &read), 0);
		read.fd = closed;
		assert_int_equal(one(reader, &read), -EBADF);
		/* A mapping beyond the end of its file: no signal. */
		read.fd = -1;
		read.data = mmap(NULL, 16384, PROT_READ, MAP_SHARED,
				 fx.net.weights_fd, 0);
		assert_ptr_not_equal(read.data, MAP_FAILED);
		assert_int_equal(one(reader, &read), -EFAULT);
		read.size_bytes = 8192;
		assert_int_equal(one(reader, &read), 8192);
		munmap(read.data, 16384);
		mx_reader_close(reader);
	}
	weights_close(&fx);
}

static void a_wake_ends_a_wait(void **state)
{
	struct mx_read_done done;
	size_t b;

	(void)state;
	for (b = 0; b < 3; b++) {
		struct mx_reader *reader = open_reader(back_ends[b], NULL, 0);

		if (!reader)
			continue;
		mx_reader_wake(reader);
		assert_int_equal(mx_reader_wait(reader, &done, 1), 0);
		mx_reader_wake(reader);
		mx_reader_wake(reader);
		assert_int_equal(mx_reader_wait(reader, &done, 1), 0);
		mx_reader_close(reader);
	}
}

struct heard {
	int count;
	char line[256];
};

static void hear(void *user, enum mx_log_level level, const char *line)
{
	struct heard *heard = user;

	if (level > MX_LOG_WARNING)
		return;
	heard->count++;
	snprintf(heard->line, sizeof(heard->line), "%s", line);
}

static void a_refused_ring_falls_back_with_one_line(void **state)
{
	static const struct {
		int error;
		const char *line;
	} cases[] = {
		{-ENOSYS, "pager: this kernel has no io_uring; reading on "
			  "threads instead"},
		{-EPERM, "pager: io_uring is forbidden (see sysctl "
			 "kernel.io_uring_disabled, or seccomp); reading on "
			 "threads instead"},
		{-ENOMEM, "pager: io_uring may not lock memory (raise ulimit "
			  "-l); reading on threads instead"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct heard heard = {0};
		const struct mx_log log = {MX_LOG_INFO, hear, &heard};
		struct mx_reader_opts opts = {
			.io = "auto",
			.depth = 2,
			.log = &log,
		};
		struct mx_reader *reader;
		struct mx_err err;

		refuse_uring = cases[i].error;
		assert_int_equal(mx_reader_open(&reader, &opts, &err), 0);
		assert_string_equal(mx_reader_name(reader), "threads");
		assert_int_equal(heard.count, 1);
		assert_string_equal(heard.line, cases[i].line);
		mx_reader_close(reader);
		opts.io = "uring";
		assert_int_equal(mx_reader_open(&reader, &opts, &err), -ENOSYS);
		refuse_uring = 0;
	}
}

static void unknown_back_ends_are_refused(void **state)
{
	const struct mx_reader_opts opts = {.io = "dma", .depth = 1};
	struct mx_reader *reader;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_reader_open(&reader, &opts, &err), -EINVAL);
	assert_string_equal(err.text, "no I/O back end 'dma'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_back_end_reads_the_same),
		cmocka_unit_test(ends_and_errors_are_told),
		cmocka_unit_test(a_wake_ends_a_wait),
		cmocka_unit_test(a_refused_ring_falls_back_with_one_line),
		cmocka_unit_test(unknown_back_ends_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
