/* wrap: calloc reallocarray open pread mx_reader_submit */
#include "pager/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/err.h"
#include "lib/log.h"
#include "pager/reader.h"
#include "pager/sigbus.h"
#include "pager/units.h"
#include "tests/faults.h"
#include "tests/pager_fixture.h"

FAULT(void *, calloc, (size_t n, size_t size), (n, size), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size),
      ENOMEM, NULL)

/* What the next reads and submissions are answered; 0: as they are. */
static int pread_errno;
static int submit_status;
/* The file system cannot read past the page cache. */
static int no_direct;

ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	if (pread_errno) {
		errno = pread_errno;
		return -1;
	}
	return __real_pread(fd, data, size, offset);
}

int __real_mx_reader_submit(struct mx_reader *reader,
			    const struct mx_read *read);
int __wrap_mx_reader_submit(struct mx_reader *reader,
			    const struct mx_read *read);
int __wrap_mx_reader_submit(struct mx_reader *reader,
			    const struct mx_read *read)
{
	if (submit_status) {
		const int rc = submit_status;

		submit_status = 0;
		return rc;
	}
	return __real_mx_reader_submit(reader, read);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	if (no_direct && flags & O_DIRECT) {
		errno = EINVAL;
		return -1;
	}
	return __real_open(path, flags);
}

#define KIB 1024
#define COUNT 24

static const char *const back_ends[] = {"uring", "threads", "sync"};

static void fill_sizes(size_t sizes[COUNT])
{
	int i;

	for (i = 0; i < COUNT; i++)
		sizes[i] =
			(size_t)(i % 3 == 0 ? 300 : 40 * (i % 7) + 10) * KIB +
			(size_t)i * 64;
}

static void open_weights(struct weights_fixture *fx)
{
	size_t sizes[COUNT];

	fill_sizes(sizes);
	weights_open(fx, sizes, COUNT, 64);
}

static void open_big(struct weights_fixture *fx, uint32_t count)
{
	size_t sizes[COUNT];
	uint32_t i;

	for (i = 0; i < count; i++)
		sizes[i] = 300 * (size_t)KIB;
	weights_open(fx, sizes, count, 4096);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void a_stream_reads_each_byte_once_in_little_memory(void **state)
{
	struct weights_fixture fx;
	struct mx_pager_totals totals;
	struct mx_residency_totals places;
	struct user user;
	size_t b;

	(void)state;
	open_weights(&fx);
	for (b = 0; b < 3; b++) {
		const struct mx_units *units;
		const uint64_t began = clock_ns();

		if (!user_open(&user, back_ends[b], 640 * (size_t)KIB, NULL))
			continue;
		user_add(&user, &fx.net, 0, NULL);
		units = mx_pager_units(user.pager, 0);
		pass(&user, &fx, 0);
		mx_pager_totals(user.pager, &totals);
		assert_string_equal(totals.io, back_ends[b]);
		/* Edges are read twice: at most a page a unit. */
		assert_in_range(totals.read_bytes,
				fx.net.weights_file_bytes - 4096,
				fx.net.weights_file_bytes + COUNT * 4096);
		assert_int_equal(totals.read_bytes, user.loaded_bytes);
		assert_int_equal(totals.read_count, units->count);
		assert_in_range(totals.read_ns, 1, clock_ns() - began);
		mx_residency_totals(user.residency, &places);
		assert_in_range(places.peak_bytes, units->largest_bytes,
				640 * KIB);
		pass(&user, &fx, 0);
		mx_pager_totals(user.pager, &totals);
		assert_int_equal(totals.read_count, 2 * units->count);
		user_close(&user);
	}
	weights_close(&fx);
}

static void a_mapping_is_read_where_it_lies(void **state)
{
	struct weights_fixture fx;
	struct user user;
	size_t b;

	(void)state;
	open_weights(&fx);
	for (b = 0; b < 3; b++) {
		if (!user_open(&user, back_ends[b], 0, NULL))
			continue;
		user_add(&user, &fx.net, 0, NULL);
		pass(&user, &fx, 0);
		assert_ptr_equal(address(&user, 0, 5),
				 fx.net.weights_base +
					 fx.net.slices[5].offset_bytes);
		assert_int_equal(mx_pager_check(user.pager, 0, NULL), 0);
		user_close(&user);
	}
	weights_close(&fx);
}

static void two_networks_share_the_memory(void **state)
{
	static const unsigned char pinned[4] = {0, 1, 0, 1};
	struct weights_fixture first, second;
	struct mx_pager_totals before, after;
	struct user user;

	(void)state;
	open_big(&first, 4);
	open_big(&second, 3);
	assert_true(user_open(&user, "threads", 3 * 300 * (size_t)KIB, NULL));
	user_add(&user, &first.net, 0, pinned);
	user_add(&user, &second.net, 1, NULL);
	pass(&user, &first, 0);
	pass(&user, &second, 1);
	mx_pager_totals(user.pager, &before);
	assert_int_equal(before.read_bytes, 7 * 300 * KIB);
	/* What is pinned is not read again. */
	pass(&user, &first, 0);
	mx_pager_totals(user.pager, &after);
	assert_int_equal(after.read_bytes - before.read_bytes, 2 * 300 * KIB);
	user_close(&user);
	weights_close(&first);
	weights_close(&second);
}

/* Twelve units, and memory for all. */
static void open_twelve(struct weights_fixture *fx, struct user *user)
{
	open_big(fx, 12);
	assert_true(user_open(user, "threads", 12 * 300 * (size_t)KIB, NULL));
	user_add(user, &fx->net, 0, NULL);
}

static void as_many_reads_fly_as_the_depth_says(void **state)
{
	struct weights_fixture fx;
	struct user user;

	(void)state;
	open_twelve(&fx, &user);
	/* The thread asks for all before it looks for the first. */
	pass(&user, &fx, 0);
	assert_int_equal(user.flying_most, MX_PAGER_DEPTH_DEFAULT);
	user_close(&user);
	weights_close(&fx);
}

static void what_is_awaited_is_read_alone(void **state)
{
	struct weights_fixture fx;
	struct user user;

	(void)state;
	open_twelve(&fx, &user);
	user.awaited_count = 12;
	pass(&user, &fx, 0);
	assert_int_equal(user.flying_most, 1);
	/* The others do not wait for it to be wanted again. */
	user.awaited_count = 13;
	pass(&user, &fx, 0);
	assert_int_equal(user.flying_most, MX_PAGER_DEPTH_DEFAULT);
	user_close(&user);
	weights_close(&fx);
}

static void nothing_is_asked_before_it_is_woken(void **state)
{
	struct weights_fixture fx;
	struct user user;

	(void)state;
	open_big(&fx, 2);
	assert_true(user_open(&user, "threads", 600 * (size_t)KIB, NULL));
	user_add(&user, &fx.net, 0, NULL);
	want(&user, 0);
	mx_pager_close(user.pager);
	user.pager = NULL;
	assert_int_equal(user.asked_count, 0);
	user_close(&user);
	weights_close(&fx);
}

static void closing_waits_for_what_is_in_flight(void **state)
{
	struct weights_fixture fx;
	struct user user;
	size_t b;
	int round;

	(void)state;
	open_big(&fx, 12);
	for (round = 0; round < 20; round++)
		for (b = 0; b < 3; b++) {
			if (!user_open(&user, back_ends[b],
				       12 * 300 * (size_t)KIB, NULL))
				continue;
			user_add(&user, &fx.net, 0, NULL);
			want(&user, 0);
			mx_pager_wake(user.pager);
			if (round % 2)
				assert_int_equal(
					wait_for(&user,
						 (struct mx_unit_ref){0, 0}),
					0);
			/* It checks that none is left. */
			user_close(&user);
		}
	weights_close(&fx);
}

/* Wants one unit after the other, each when the one before has come. */
static void *be_a_reader(void *data)
{
	struct user *user = data;
	int i;

	for (i = 0; i < 300; i++) {
		pthread_mutex_lock(&user->lock);
		user->wanted_count++;
		mx_pager_wake(user->pager);
		pthread_mutex_unlock(&user->lock);
		pthread_mutex_lock(&user->lock);
		while (user->next < user->wanted_count || user->flying > 0)
			pthread_cond_wait(&user->news, &user->lock);
		pthread_mutex_unlock(&user->lock);
	}
	return NULL;
}

static void no_wake_is_lost(void **state)
{
	enum { READERS = 3 };
	pthread_t readers[READERS];
	struct weights_fixture fx;
	struct user user;
	size_t b;
	uint32_t i;

	(void)state;
	open_big(&fx, 1);
	for (b = 0; b < 3; b++) {
		if (!user_open(&user, back_ends[b], 0, NULL))
			continue;
		user_add(&user, &fx.net, 0, NULL);
		/* A unit that is read again and again fails to be ABSENT; many
		 * networks of one unit are as good. */
		for (i = 1; i < READERS * 300; i++)
			user_add(&user, &fx.net, i, NULL);
		user.wanted = calloc(READERS * 300, sizeof(*user.wanted));
		assert_non_null(user.wanted);
		for (i = 0; i < READERS * 300; i++)
			user.wanted[i].net = i;
		for (i = 0; i < READERS; i++)
			assert_int_equal(pthread_create(&readers[i], NULL,
							be_a_reader, &user),
					 0);
		for (i = 0; i < READERS; i++)
			assert_int_equal(pthread_join(readers[i], NULL), 0);
		assert_int_equal(user.next, READERS * 300);
		user_close(&user);
	}
	weights_close(&fx);
}

static void a_cut_file_is_an_error_with_its_offset(void **state)
{
	struct weights_fixture fx;
	struct mx_err err;
	struct user user;
	size_t b;
	int mapped;

	(void)state;
	open_big(&fx, 3);
	assert_int_equal(ftruncate(fx.net.weights_fd, 400 * KIB), 0);
	for (b = 0; b < 3; b++)
		for (mapped = 0; mapped < 2; mapped++) {
			if (!user_open(&user, back_ends[b],
				       mapped ? 0 : 1000 * (size_t)KIB, NULL))
				continue;
			user_add(&user, &fx.net, 0, NULL);
			want(&user, 0);
			mx_pager_wake(user.pager);
			assert_int_equal(
				wait_for(&user, (struct mx_unit_ref){0, 0}), 0);
			assert_int_equal(
				wait_for(&user, (struct mx_unit_ref){0, 1}),
				-EIO);
			assert_int_equal(
				wait_for(&user, (struct mx_unit_ref){0, 2}),
				-EIO);
			assert_int_equal(mx_pager_say_failed(user.pager, 0, 1,
							     -EIO, &err),
					 -EIO);
			assert_string_equal(
				err.text,
				"net: layer: cannot read weights at byte "
				"307200 (307200 bytes): the file is cut or "
				"its storage bad");
			user_close(&user);
		}
	weights_close(&fx);
}

static void what_the_kernel_says_of_a_read_is_told(void **state)
{
	static const struct {
		int submit; /* instead of reading at all */
		int errnum;
		int status;
		const char *text;
	} cases[] = {
		{0, EIO, -EIO, "the file is cut or its storage bad"},
		{0, EFAULT, -EIO, "the file is cut or its storage bad"},
		{0, ENOMEM, -ENOMEM, "Cannot allocate memory"},
		{-ENOMEM, 0, -ENOMEM, "Cannot allocate memory"},
	};
	const struct mx_unit_ref unit = {0, 0};
	struct weights_fixture fx;
	struct user user;
	struct mx_err err;
	char text[128];
	size_t i;

	(void)state;
	open_big(&fx, 1);
	assert_true(user_open(&user, "sync", 300 * (size_t)KIB, NULL));
	user_add(&user, &fx.net, 0, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		submit_status = cases[i].submit;
		pread_errno = cases[i].errnum;
		want(&user, 0);
		mx_pager_wake(user.pager);
		assert_int_equal(wait_for(&user, unit), cases[i].status);
		(void)mx_pager_say_failed(user.pager, 0, 0, cases[i].status,
					  &err);
		snprintf(text, sizeof(text),
			 "net: layer: cannot read weights at byte 0 (307200 "
			 "bytes): %s",
			 cases[i].text);
		assert_string_equal(err.text, text);
		assert_int_equal(user.loaded_bytes, 0);
		drop(&user, unit);
	}
	pread_errno = 0;
	pass(&user, &fx, 0);
	user_close(&user);
	weights_close(&fx);
}

static void keep_line(void *user, enum mx_log_level level, const char *line)
{
	(void)level;
	snprintf(user, 256, "%s", line);
}

static void a_file_system_without_direct_reads_is_told_of(void **state)
{
	char line[256] = "";
	const struct mx_log log = {MX_LOG_WARNING, keep_line, line};
	struct weights_fixture fx;
	struct user user;

	(void)state;
	open_big(&fx, 2);
	no_direct = 1;
	assert_true(user_open(&user, "threads", 300 * (size_t)KIB, &log));
	user_add(&user, &fx.net, 0, NULL);
	no_direct = 0;
	assert_string_equal(line,
			    "pager: net: this file system cannot read past the "
			    "page cache, which may grow beyond the budget");
	pass(&user, &fx, 0);
	user_close(&user);
	weights_close(&fx);
}

static void a_mapped_page_that_vanishes_is_noticed(void **state)
{
	struct weights_fixture fx;
	struct mx_err err;
	struct user user;

	(void)state;
	assert_int_equal(mx_sigbus_install(&err), 0);
	open_big(&fx, 2);
	assert_true(user_open(&user, "sync", 0, NULL));
	user_add(&user, &fx.net, 0, NULL);
	pass(&user, &fx, 0);
	assert_int_equal(ftruncate(fx.net.weights_fd, 300 * KIB), 0);
	assert_int_equal(mx_pager_check(user.pager, 0, &err), 0);
	assert_int_equal(*(const volatile unsigned char *)address(&user, 0, 1),
			 0);
	assert_int_equal(mx_pager_check(user.pager, 0, &err), -EIO);
	assert_string_equal(err.text,
			    "net: cannot read weights at byte 307200 (4096 "
			    "bytes): the file was cut while it was used");
	user_close(&user);
	weights_close(&fx);
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
	struct weights_fixture fx;
	struct mx_network gone;
	struct mx_err err;
	struct user user;

	(void)state;
	open_big(&fx, 1);
	gone = fx.net;
	gone.weights_fd = -1;
	assert_true(user_open(&user, "sync", 300 * (size_t)KIB, NULL));
	assert_int_equal(mx_pager_add(user.pager, &gone, &err), -ENOENT);
	assert_string_equal(err.text, "net: cannot open the weights: No such "
				      "file or directory");
	/* The next has its number. */
	user_add(&user, &fx.net, 0, NULL);
	pass(&user, &fx, 0);
	user_close(&user);
	weights_close(&fx);
}

static void a_lack_of_memory_is_an_error_and_no_more(void **state)
{
	const struct mx_pager_opts opts = {.io = "sync"};
	struct mx_pager *pager = NULL;
	struct weights_fixture fx;
	struct mx_err err;
	int fired = 1;
	long n;
	int rc;

	(void)state;
	open_big(&fx, 2);
	for (n = 0; fired; n++) {
		faults_arm(n);
		rc = mx_pager_open(&pager, &opts, &err);
		if (!rc) {
			rc = mx_pager_add(pager, &fx.net, &err);
			fired = faults_disarm();
			mx_pager_close(pager);
		} else {
			fired = faults_disarm();
		}
		assert_int_equal(rc, fired ? -ENOMEM : 0);
	}
	/* A pager, its reader; a file, its units and their slices, files. */
	assert_int_equal(n, 7);
	weights_close(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_stream_reads_each_byte_once_in_little_memory),
		cmocka_unit_test(a_mapping_is_read_where_it_lies),
		cmocka_unit_test(two_networks_share_the_memory),
		cmocka_unit_test(as_many_reads_fly_as_the_depth_says),
		cmocka_unit_test(what_is_awaited_is_read_alone),
		cmocka_unit_test(nothing_is_asked_before_it_is_woken),
		cmocka_unit_test(closing_waits_for_what_is_in_flight),
		cmocka_unit_test(no_wake_is_lost),
		cmocka_unit_test(a_cut_file_is_an_error_with_its_offset),
		cmocka_unit_test(what_the_kernel_says_of_a_read_is_told),
		cmocka_unit_test(a_file_system_without_direct_reads_is_told_of),
		cmocka_unit_test(a_mapped_page_that_vanishes_is_noticed),
		cmocka_unit_test(a_file_that_cannot_be_opened_is_an_error),
		cmocka_unit_test(a_lack_of_memory_is_an_error_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
