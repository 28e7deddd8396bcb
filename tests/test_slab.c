/* wrap: mmap munmap madvise */
#include "pager/slab.h"

#include <errno.h>
#include <sys/mman.h>

#include "lib/err.h"
#include "pager/residency.h"
#include "tests/check.h"
#include "tests/faults.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE ((size_t)MX_RESIDENCY_PAGE_BYTES)
#define HUGE ((size_t)2 << 20)

/* Address space that is mapped and not unmapped. */
static size_t mapped_bytes;
/* What the kernel says to populating; 0: does it. */
static int populate_errno;

void *__real_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd,
		  off_t offset)
{
	if (fault(ENOMEM))
		return MAP_FAILED;
	mapped_bytes += size;
	return __real_mmap(at, size, prot, flags, fd, offset);
}

int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size)
{
	mapped_bytes -= size;
	return __real_munmap(at, size);
}

int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice)
{
	if (advice == MADV_POPULATE_WRITE && populate_errno) {
		errno = populate_errno;
		return -1;
	}
	return __real_madvise(at, size, advice);
}

static const size_t sizes[] = {
	1,	     PAGE - 1,	   PAGE,
	PAGE + 1,    HUGE - PAGE,  HUGE,
	HUGE + PAGE, 2 * HUGE - 1, 2 * HUGE + 3 * PAGE,
};

#define COUNT (sizeof(sizes) / sizeof(sizes[0]))

static void assert_touched(const struct mx_slab *slab)
{
	unsigned char there[2 * HUGE / PAGE + 3];
	size_t i;

	assert_int_equal(mincore(slab->memory, slab->size_bytes, there), 0);
	for (i = 0; i < slab->size_bytes / PAGE; i++)
		assert_int_equal(there[i] & 1, 1);
}

/* With and without a kernel that populates. */
static void all_of_it_is_there_from_the_start_and_no_more(void **state)
{
	struct mx_slab slab;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * COUNT; i++) {
		const size_t size = sizes[i % COUNT];

		populate_errno = i < COUNT ? 0 : EINVAL;
		mapped_bytes = 0;
		assert_int_equal(mx_slab_init(&slab, size, NULL), 0);
		assert_int_equal(slab.size_bytes,
				 (size + PAGE - 1) / PAGE * PAGE);
		assert_int_equal(mapped_bytes, slab.size_bytes);
		assert_int_equal((uintptr_t)slab.memory % HUGE, 0);
		assert_touched(&slab);
		mx_slab_fini(&slab);
		assert_int_equal(mapped_bytes, 0);
		assert_null(slab.memory);
	}
	populate_errno = 0;
}

static void an_empty_slab_has_no_memory(void **state)
{
	struct mx_slab slab;

	(void)state;
	mapped_bytes = 0;
	assert_int_equal(mx_slab_init(&slab, 0, NULL), 0);
	assert_null(slab.memory);
	assert_int_equal(slab.size_bytes, 0);
	mx_slab_fini(&slab);
	assert_int_equal(mapped_bytes, 0);
}

static void a_kernel_that_gives_none_is_an_error(void **state)
{
	struct mx_slab slab;
	struct mx_err err = {""};
	int i;

	(void)state;
	mapped_bytes = 0;
	for (i = 0; i < 2; i++) {
		if (i == 0)
			faults_arm(0);
		else
			populate_errno = ENOMEM;
		assert_int_equal(mx_slab_init(&slab, 5000, &err), -ENOMEM);
		assert_string_equal(err.text,
				    "the kernel does not give 5000 bytes of "
				    "memory: Cannot allocate memory");
		assert_null(slab.memory);
		assert_int_equal(mapped_bytes, 0);
		assert_int_equal(faults_disarm(), i == 0 ? ENOMEM : 0);
		populate_errno = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_there_from_the_start_and_no_more),
		cmocka_unit_test(an_empty_slab_has_no_memory),
		cmocka_unit_test(a_kernel_that_gives_none_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
