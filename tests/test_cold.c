#include "cli/cold.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "lib/err.h"
#include "lib/log.h"
#include "tests/weights_fixture.h"

#define SLICE 65536

static const size_t sizes[] = {SLICE, SLICE, SLICE, SLICE};

#define WHOLE (4 * (uint64_t)SLICE)

/* A file system without storage below keeps everything. */
static int is_memory(const struct weights_fixture *fx)
{
	enum { TMPFS = 0x01021994, OVERLAY = 0x794c7630 };
	struct statfs fs;

	return fstatfs(fx->net.weights_fd, &fs) < 0 || fs.f_type == TMPFS ||
	       fs.f_type == OVERLAY;
}

static void touch(const struct weights_fixture *fx)
{
	uint32_t i;

	for (i = 0; i < fx->net.slice_count; i++)
		assert_slice(fx, i,
			     fx->net.weights_base +
				     fx->net.slices[i].offset_bytes);
}

static void nothing_stays_of_a_file_that_nobody_else_maps(void **state)
{
	struct weights_fixture fx;
	uint64_t stayed = 7;

	(void)state;
	weights_open(&fx, sizes, 4, 1);
	if (is_memory(&fx)) {
		weights_close(&fx);
		print_message("the temporary directory is in memory\n");
		skip();
	}
	touch(&fx);
	assert_int_equal(mx_cold_drop(&fx.net, &stayed, NULL), 0);
	assert_int_equal(stayed, 0);
	/* And it is all there again when it is read. */
	touch(&fx);
	weights_close(&fx);
}

static void no_weights_are_cold(void **state)
{
	const struct mx_network net = {.weights_fd = -1};
	uint64_t stayed = 7;

	(void)state;
	assert_int_equal(mx_cold_drop(&net, &stayed, NULL), 0);
	assert_int_equal(stayed, 0);
}

static void keep_line(void *user, enum mx_log_level level, const char *line)
{
	assert_int_equal(level, MX_LOG_WARNING);
	snprintf(user, 256, "%s", line);
}

static void what_another_mapping_holds_is_told(void **state)
{
	char line[256] = "";
	const struct mx_log log = {
		.level = MX_LOG_WARNING,
		.write = keep_line,
		.user = line,
	};
	struct weights_fixture fx;
	void *other;

	(void)state;
	weights_open(&fx, sizes, 4, 1);
	other = mmap(NULL, WHOLE, PROT_READ, MAP_SHARED | MAP_POPULATE,
		     fx.net.weights_fd, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	assert_int_equal(mx_cold_start(&fx.net, &log, NULL), 0);
	munmap(other, WHOLE);
	weights_close(&fx);
	assert_ptr_equal(strstr(line, "net: "), line);
	assert_non_null(strstr(line, " of 256.0 KiB of its weights stay in the "
				     "page cache: another process maps"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stays_of_a_file_that_nobody_else_maps),
		cmocka_unit_test(no_weights_are_cold),
		cmocka_unit_test(what_another_mapping_holds_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
