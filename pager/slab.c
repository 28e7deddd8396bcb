#include "pager/slab.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/err.h"
#include "lib/size.h"
#include "pager/residency.h"

/* x86-64 and arm64 with 4 KiB pages; elsewhere the advice does little. */
#define HUGE_BYTES ((size_t)2 << 20)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Have the pages now, while a refusal is still an answer. */
static int touch(struct mx_slab *slab)
{
	volatile unsigned char *memory = slab->memory;
	size_t at;

	if (madvise(slab->memory, slab->size_bytes, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* A kernel before 5.14. */
	for (at = 0; at < slab->size_bytes; at += MX_RESIDENCY_PAGE_BYTES)
		memory[at] = 0;
	return 0;
}

/* Address space that begins on a huge page's boundary; NULL: none. */
static unsigned char *reserve(size_t size_bytes)
{
	unsigned char *memory;
	size_t head;

	memory = mmap(NULL, size_bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	head = (HUGE_BYTES - (uintptr_t)memory % HUGE_BYTES) % HUGE_BYTES;
	if (head)
		munmap(memory, head);
	munmap(memory + head + size_bytes, HUGE_BYTES - head);
	return memory + head;
}

/*
 * Huge pages wherever a whole one fits, small ones behind: a direct read into
 * small pages needs a segment for each, which halves what a fast disk gives
 * (1 against 2 GB/s here). The charge stays what was asked for, to the page;
 * when all is touched, nothing may be merged any more. Where the kernel has no
 * huge pages the advice does nothing.
 */
static int fill(struct mx_slab *slab)
{
	const size_t huge = slab->size_bytes / HUGE_BYTES * HUGE_BYTES;
	int rc;

	if (huge)
		(void)madvise(slab->memory, huge, MADV_HUGEPAGE);
	if (huge < slab->size_bytes)
		(void)madvise(slab->memory + huge, slab->size_bytes - huge,
			      MADV_NOHUGEPAGE);
	rc = touch(slab);
	(void)madvise(slab->memory, slab->size_bytes, MADV_NOHUGEPAGE);
	return rc;
}

int mx_slab_init(struct mx_slab *slab, size_t size_bytes, struct mx_err *err)
{
	int rc;

	memset(slab, 0, sizeof(*slab));
	slab->size_bytes =
		mx_size_round_up(size_bytes, MX_RESIDENCY_PAGE_BYTES);
	if (slab->size_bytes == 0)
		return 0;
	slab->memory = reserve(slab->size_bytes);
	rc = slab->memory ? fill(slab) : -ENOMEM;
	if (rc) {
		mx_slab_fini(slab);
		return mx_fail(err, -rc,
			       "the kernel does not give %zu bytes of memory: "
			       "%s",
			       size_bytes, strerror(-rc));
	}
	return 0;
}

void mx_slab_fini(struct mx_slab *slab)
{
	if (slab->memory)
		munmap(slab->memory, slab->size_bytes);
	memset(slab, 0, sizeof(*slab));
}
