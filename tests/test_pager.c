#include "pager/pager.h"

#include <errno.h>
#include <pthread.h>

#include "lib/err.h"
#include "tests/weights_fixture.h"

static const char *const back_ends[] = {"uring", "threads", "sync"};

/* Lets a test wait for the pager's news. */
struct ear {
	pthread_mutex_t lock;
	pthread_cond_t news;
	unsigned count;
};

static void hear(void *user)
{
	struct ear *ear = user;

	pthread_mutex_lock(&ear->lock);
	ear->count++;
	pthread_cond_broadcast(&ear->news);
	pthread_mutex_unlock(&ear->lock);
}

static struct ear ear = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
			 0};

static struct mx_pager *open_pager(const char *io, uint64_t bytes)
{
	const struct mx_pager_opts opts = {
		.io = io,
		.memory_bytes = bytes,
		.news = hear,
		.user = &ear,
	};
	struct mx_pager *pager = NULL;
	struct mx_err err = {""};
	const int rc = mx_pager_open(&pager, &opts, &err);

	if (rc == -ENOSYS)
		print_message("not tested here: %s: %s\n", io, err.text);
	else
		assert_int_equal(rc, 0);
	return pager;
}

static int wait_for(struct mx_pager_run *run, uint32_t slice,
		    const unsigned char **data, struct mx_err *err)
{
	unsigned heard;
	int rc;

	for (;;) {
		pthread_mutex_lock(&ear.lock);
		heard = ear.count;
		pthread_mutex_unlock(&ear.lock);
		rc = mx_pager_get(run, slice, data, err);
		if (rc != -EAGAIN)
			return rc;
		pthread_mutex_lock(&ear.lock);
		while (ear.count == heard)
			pthread_cond_wait(&ear.news, &ear.lock);
		pthread_mutex_unlock(&ear.lock);
	}
}

static void pass(struct mx_pager *pager, const struct weights_fixture *fx,
		 uint32_t index)
{
	struct mx_pager_run *run;
	const unsigned char *data;
	struct mx_err err;
	uint32_t i;

	assert_int_equal(mx_pager_begin(pager, index, &run, &err), 0);
	for (i = 0; i < fx->net.slice_count; i++) {
		assert_int_equal(wait_for(run, i, &data, &err), 0);
		assert_slice(fx, i, data);
		mx_pager_consumed(run, i);
	}
	mx_pager_end(run);
}

#define KIB 1024
#define COUNT 24

static void fill_sizes(size_t sizes[COUNT])
{
	int i;

	for (i = 0; i < COUNT; i++)
		sizes[i] =
			(size_t)(i % 3 == 0 ? 300 : 40 * (i % 7) + 10) * KIB +
			(size_t)i * 64;
}

static void a_stream_reads_each_byte_once_in_little_memory(void **state)
{
	size_t sizes[COUNT];
	struct weights_fixture fx;
	size_t b;

	(void)state;
	fill_sizes(sizes);
	weights_open(&fx, sizes, COUNT, 64);
	for (b = 0; b < 3; b++) {
		struct mx_pager *pager = open_pager(back_ends[b], 640 * KIB);
		struct mx_pager_totals totals;
		uint32_t index;

		if (!pager)
			continue;
		assert_int_equal(
			mx_pager_add(pager, &fx.net, NULL, &index, NULL), 0);
		pass(pager, &fx, index);
		mx_pager_totals(pager, &totals);
		assert_string_equal(totals.io, back_ends[b]);
		assert_true(totals.peak_bytes <= 640 * KIB);
		/* Edges are read twice: at most a page a unit. */
		assert_in_range(totals.read_bytes,
				fx.net.weights_file_bytes - 4096,
				fx.net.weights_file_bytes + COUNT * 4096);
		pass(pager, &fx, index);
		mx_pager_close(pager);
	}
	weights_close(&fx);
}

static void pinned_slices_are_read_once_for_all_runs(void **state)
{
	enum { BIG = 8 };
	size_t sizes[BIG];
	unsigned char pinned[BIG] = {0, 1, 0, 1, 1, 0, 0, 0};
	struct weights_fixture fx;
	struct mx_pager *pager;
	struct mx_pager_totals first, second;
	uint32_t index;
	int i;

	(void)state;
	for (i = 0; i < BIG; i++)
		sizes[i] = 300 * KIB;
	weights_open(&fx, sizes, BIG, 4096);
	pager = open_pager("threads", (3 + 2) * 300 * KIB);
	assert_int_equal(mx_pager_add(pager, &fx.net, pinned, &index, NULL), 0);
	pass(pager, &fx, index);
	mx_pager_totals(pager, &first);
	assert_int_equal(first.read_bytes, 8 * 300 * KIB);
	pass(pager, &fx, index);
	mx_pager_totals(pager, &second);
	assert_int_equal(second.read_bytes - first.read_bytes, 5 * 300 * KIB);
	mx_pager_close(pager);
	weights_close(&fx);
}

static void what_cannot_fit_is_refused_at_once(void **state)
{
	static const size_t sizes[2] = {300 * KIB, 300 * KIB};
	static const unsigned char pinned[2] = {1, 0};
	struct weights_fixture fx;
	struct mx_pager *pager;
	struct mx_err err;
	uint32_t index;

	(void)state;
	weights_open(&fx, sizes, 2, 4096);
	pager = open_pager("sync", 400 * KIB);
	assert_int_equal(mx_pager_add(pager, &fx.net, pinned, &index, &err),
			 -EDQUOT);
	mx_pager_close(pager);
	pager = open_pager("sync", 200 * KIB);
	assert_int_equal(mx_pager_add(pager, &fx.net, NULL, &index, &err),
			 -EDQUOT);
	mx_pager_close(pager);
	weights_close(&fx);
}

static void two_runs_in_step_share_what_is_read(void **state)
{
	enum { BIG = 8 };
	size_t sizes[BIG];
	struct weights_fixture fx;
	struct mx_pager *pager;
	struct mx_pager_run *a, *b;
	struct mx_pager_totals totals;
	const unsigned char *data;
	struct mx_err err;
	uint32_t index;
	uint32_t i;

	(void)state;
	for (i = 0; i < BIG; i++)
		sizes[i] = 300 * KIB;
	weights_open(&fx, sizes, BIG, 4096);
	pager = open_pager("threads", 2 * 300 * KIB);
	assert_int_equal(mx_pager_add(pager, &fx.net, NULL, &index, NULL), 0);
	assert_int_equal(mx_pager_begin(pager, index, &a, &err), 0);
	assert_int_equal(mx_pager_begin(pager, index, &b, &err), 0);
	for (i = 0; i < BIG; i++) {
		assert_int_equal(wait_for(a, i, &data, &err), 0);
		assert_slice(&fx, i, data);
		assert_int_equal(wait_for(b, i, &data, &err), 0);
		assert_slice(&fx, i, data);
		mx_pager_consumed(a, i);
		mx_pager_consumed(b, i);
	}
	mx_pager_end(a);
	mx_pager_end(b);
	mx_pager_totals(pager, &totals);
	assert_int_equal(totals.read_bytes, 8 * 300 * KIB);
	mx_pager_close(pager);
	weights_close(&fx);
}

static void a_cut_file_is_an_error_with_its_offset(void **state)
{
	static const size_t sizes[3] = {300 * KIB, 300 * KIB, 300 * KIB};
	struct weights_fixture fx;
	size_t b;
	int mapped;

	(void)state;
	weights_open(&fx, sizes, 3, 4096);
	assert_int_equal(ftruncate(fx.net.weights_fd, 400 * KIB), 0);
	for (b = 0; b < 3; b++)
		for (mapped = 0; mapped < 2; mapped++) {
			struct mx_pager *pager = open_pager(
				back_ends[b], mapped ? 0 : 1000 * KIB);
			struct mx_pager_run *run;
			const unsigned char *data;
			struct mx_err err;
			uint32_t index;

			if (!pager)
				continue;
			assert_int_equal(mx_pager_add(pager, &fx.net, NULL,
						      &index, NULL),
					 0);
			assert_int_equal(
				mx_pager_begin(pager, index, &run, &err), 0);
			assert_int_equal(wait_for(run, 0, &data, &err), 0);
			assert_int_equal(wait_for(run, 1, &data, &err), -EIO);
			assert_string_equal(
				err.text,
				"net: layer: cannot read weights at byte "
				"307200 (307200 bytes): the file is cut or "
				"its storage bad");
			mx_pager_end(run);
			mx_pager_close(pager);
		}
	weights_close(&fx);
}

static void a_run_may_end_early(void **state)
{
	size_t sizes[COUNT];
	struct weights_fixture fx;
	struct mx_pager *pager;
	struct mx_pager_run *run;
	const unsigned char *data;
	struct mx_err err;
	uint32_t index;

	(void)state;
	fill_sizes(sizes);
	weights_open(&fx, sizes, COUNT, 64);
	pager = open_pager("threads", 640 * KIB);
	assert_int_equal(mx_pager_add(pager, &fx.net, NULL, &index, NULL), 0);
	assert_int_equal(mx_pager_begin(pager, index, &run, &err), 0);
	assert_int_equal(wait_for(run, 0, &data, &err), 0);
	mx_pager_end(run);
	/* And everything it held can be used again. */
	pass(pager, &fx, index);
	mx_pager_close(pager);
	weights_close(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_stream_reads_each_byte_once_in_little_memory),
		cmocka_unit_test(pinned_slices_are_read_once_for_all_runs),
		cmocka_unit_test(what_cannot_fit_is_refused_at_once),
		cmocka_unit_test(two_runs_in_step_share_what_is_read),
		cmocka_unit_test(a_cut_file_is_an_error_with_its_offset),
		cmocka_unit_test(a_run_may_end_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
