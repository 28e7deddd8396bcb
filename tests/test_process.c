#include "sched/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/check.h"

#define PAGE 4096 /* no kernel's is smaller */

static void fields_are_found_at_line_starts(void **state)
{
	static const char text[] = "Name:\tx\nVmRSS:\t  12 kB\nRssAnon:\t "
				   "7 kB\nread_bytes: 4096\n";
	uint64_t value = 1;

	(void)state;
	assert_int_equal(mx_process_field(text, "RssAnon", &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(mx_process_field(text, "read_bytes", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(mx_process_field(text, "RSS", &value), -ENOENT);
	assert_int_equal(mx_process_field(text, "bytes", &value), -ENOENT);
	assert_int_equal(value, 4096);
}

/*
 * A byte of each page, by accesses no sanitizer sees: what one writes down for
 * them is anonymous memory too, several times the bytes written.
 */
__attribute__((no_sanitize("thread", "address"))) static void touch(
	char *memory, size_t size)
{
	volatile char *page = memory;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		page[i] = 1;
}

static void anonymous_memory_grows_by_what_is_touched(void **state)
{
	const size_t size = (size_t)16 << 20;
	const uint64_t slack = 1 << 20;
	uint64_t mapped, half, all, after;
	char *memory;

	(void)state;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	/* EINVAL where the kernel has no huge pages. */
	(void)madvise(memory, size, MADV_NOHUGEPAGE);
	mapped = mx_process_anonymous_bytes();
	touch(memory, size / 2);
	half = mx_process_anonymous_bytes();
	touch(memory, size);
	all = mx_process_anonymous_bytes();
	assert_int_equal(munmap(memory, size), 0);
	after = mx_process_anonymous_bytes();

	assert_in_range(half - mapped, size / 2 - slack, size / 2 + slack);
	assert_in_range(all - mapped, size - slack, size + slack);
	assert_in_range(after + size, all - slack, all + slack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_at_line_starts),
		cmocka_unit_test(anonymous_memory_grows_by_what_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
