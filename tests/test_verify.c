/* wrap: malloc pread */
#include "tests/model_fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/log.h"
#include "loader/mxload.h"
#include "tests/faults.h"

enum pread_mode { PREAD_ALL, PREAD_SHORT, PREAD_INTERRUPTED };
static enum pread_mode pread_mode;

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)

ssize_t __real_pread(int fd, void *to, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t offset);

ssize_t __wrap_pread(int fd, void *to, size_t size, off_t offset)
{
	if (fault(ENXIO))
		return -1;
	switch (pread_mode) {
	case PREAD_SHORT:
		return __real_pread(fd, to, size > 1000 ? 1000 : size, offset);
	case PREAD_INTERRUPTED:
		pread_mode = PREAD_ALL;
		errno = EINTR;
		return -1;
	default:
		return __real_pread(fd, to, size, offset);
	}
}

struct lines {
	char text[8][256];
	unsigned count;
};

static void take_line(void *user, enum mx_log_level level, const char *line)
{
	struct lines *lines = user;

	assert_int_equal(level, MX_LOG_ERROR);
	assert_true(lines->count < 8);
	snprintf(lines->text[lines->count++], sizeof(lines->text[0]), "%s",
		 line);
}

static struct lines lines;
static const struct mx_log test_log = {MX_LOG_DEBUG, take_line, &lines};
static const struct mx_verify_opts opts = {.log = &test_log};

static int setup(void **state)
{
	const int rc = fixture_setup(state);

	lines.count = 0;
	fixture_write(*state);
	return rc;
}

static struct mx_model *opened(struct fixture *fx)
{
	struct mx_model *model = NULL;

	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	return model;
}

static void flip(struct fixture *fx, uint64_t offset)
{
	const int fd = open(fixture_in(fx->path, "weights.bin"), O_RDWR);
	unsigned char byte;

	assert_int_equal(__real_pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

static void what_was_written_verifies(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	uint32_t bad = 77;

	assert_int_equal(mx_model_verify(model, &opts, &bad, &fx->err), 0);
	assert_int_equal(bad, 0);
	bad = 77;
	assert_int_equal(mx_model_verify(model, NULL, &bad, &fx->err), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(lines.count, 0);
	mx_model_close(model);
}

/* The first and the last byte of each slice, one after the other. */
static void a_flipped_byte_is_found_in_its_slice(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	const struct mx_network *net = mx_model_network(model);
	char expected[256];
	uint32_t bad;
	uint32_t i;
	int last;

	for (i = 0; i < net->slice_count * 2; i++) {
		const struct mx_slice *s = &net->slices[i / 2];
		const int shared = s->layer == L_FA || s->layer == L_FB;

		last = i % 2;
		flip(fx, s->offset_bytes + (last ? s->size_bytes - 1 : 0));
		lines.count = 0;
		assert_int_equal(mx_model_verify(model, &opts, &bad, &fx->err),
				 0);
		/* A twin's slices are the same bytes. */
		assert_int_equal(bad, 1 + shared);
		assert_int_equal(lines.count, 1 + shared);
		snprintf(expected, sizeof(expected),
			 "small: layer %s, slice %u: %llu bytes at offset %llu "
			 "do not match their hash",
			 net->layers[s->layer].name, i / 2,
			 (unsigned long long)s->size_bytes,
			 (unsigned long long)s->offset_bytes);
		assert_string_equal(lines.text[s->layer == L_FB], expected);
		flip(fx, s->offset_bytes + (last ? s->size_bytes - 1 : 0));
	}
	mx_model_close(model);
}

static void all_bad_slices_are_counted(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	uint32_t bad;

	flip(fx, 0);
	flip(fx, 65536);
	flip(fx, 1314815);
	assert_int_equal(mx_model_verify(model, &opts, &bad, &fx->err), 0);
	assert_int_equal(bad, 5);
	assert_int_equal(lines.count, 5);
	mx_model_close(model);
}

static void a_cut_file_is_an_error_with_its_offset(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	uint32_t bad = 77;

	assert_int_equal(truncate(fixture_in(fx->path, "weights.bin"), 600000),
			 0);
	assert_int_equal(mx_model_verify(model, &opts, &bad, &fx->err), -EIO);
	assert_string_equal(fx->err.text, "small: the weights end at 600000, "
					  "inside a slice");
	assert_int_equal(bad, 77);
	mx_model_close(model);
}

static void every_call_may_fail(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	uint32_t bad = 77;
	long n;
	int fired = 1;
	int rc;

	for (n = 0; fired; n++) {
		faults_arm(n);
		rc = mx_model_verify(model, &opts, &bad, &fx->err);
		fired = faults_disarm();
		assert_int_equal(rc, fired == ENXIO ? -EIO : -fired);
		if (n == 3)
			assert_string_equal(
				fx->err.text,
				"small: read weights at 65536: No such device "
				"or address");
		if (fired)
			assert_int_equal(bad, 77);
	}
	/* One allocation, a read for each of 12 slices. */
	assert_int_equal(n, 14);
	assert_int_equal(bad, 0);
	mx_model_close(model);
}

static void short_and_interrupted_reads_go_on(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	uint32_t bad = 77;

	pread_mode = PREAD_SHORT;
	assert_int_equal(mx_model_verify(model, &opts, &bad, &fx->err), 0);
	assert_int_equal(bad, 0);
	pread_mode = PREAD_INTERRUPTED;
	assert_int_equal(mx_model_verify(model, &opts, &bad, &fx->err), 0);
	pread_mode = PREAD_ALL;
	assert_int_equal(bad, 0);
	mx_model_close(model);
}

struct meter {
	uint64_t calls;
	uint64_t done;
	uint64_t total;
	uint64_t stop_at;
};

static int count_progress(void *user, uint64_t done, uint64_t total)
{
	struct meter *meter = user;

	assert_true(done > meter->done);
	meter->done = done;
	meter->total = total;
	return ++meter->calls == meter->stop_at;
}

static void progress_goes_to_the_total_and_can_stop(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model = opened(fx);
	struct meter meter = {0};
	const struct mx_verify_opts watched = {
		.progress = count_progress,
		.user = &meter,
	};
	uint32_t bad = 77;

	assert_int_equal(mx_model_verify(model, &watched, &bad, &fx->err), 0);
	assert_int_equal(meter.calls, 12);
	assert_int_equal(meter.total, 5376 + 1792 + 2 * 1249280);
	assert_int_equal(meter.done, meter.total);

	bad = 77;
	meter = (struct meter){.stop_at = 3};
	assert_int_equal(mx_model_verify(model, &watched, &bad, &fx->err),
			 -ECANCELED);
	assert_int_equal(meter.calls, 3);
	assert_int_equal(bad, 77);
	mx_model_close(model);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_verifies),
		TEST(a_flipped_byte_is_found_in_its_slice),
		TEST(all_bad_slices_are_counted),
		TEST(a_cut_file_is_an_error_with_its_offset),
		TEST(every_call_may_fail),
		TEST(short_and_interrupted_reads_go_on),
		TEST(progress_goes_to_the_total_and_can_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
