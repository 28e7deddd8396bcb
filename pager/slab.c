/*
 * Invariants: used[] is sorted, its pieces do not overlap and lie inside the
 * memory; used_bytes is their sum.
 */
#include "pager/slab.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/err.h"
#include "lib/size.h"

#define FIRST_ROOM 64

int mx_slab_init(struct mx_slab *slab, size_t size_bytes, struct mx_err *err)
{
	void *memory;

	memset(slab, 0, sizeof(*slab));
	slab->size_bytes = mx_size_round_up(size_bytes, MX_SLAB_UNIT_BYTES);
	slab->used = calloc(FIRST_ROOM, sizeof(*slab->used));
	if (!slab->used)
		return mx_fail(err, ENOMEM, "no memory for weights");
	slab->used_room = FIRST_ROOM;
	if (slab->size_bytes == 0)
		return 0;
	memory = mmap(NULL, slab->size_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		mx_slab_fini(slab);
		return mx_fail(err, ENOMEM,
			       "no memory for %zu bytes of weights",
			       size_bytes);
	}
	slab->memory = memory;
	/* Not available everywhere, and then not needed. */
	(void)madvise(memory, slab->size_bytes, MADV_NOHUGEPAGE);
	memset(memory, 0, slab->size_bytes);
	return 0;
}

void mx_slab_fini(struct mx_slab *slab)
{
	if (slab->memory)
		munmap(slab->memory, slab->size_bytes);
	free(slab->used);
	memset(slab, 0, sizeof(*slab));
}

static int make_room(struct mx_slab *slab)
{
	struct mx_slab_piece *used;

	if (slab->used_count < slab->used_room)
		return 0;
	used = reallocarray(slab->used, slab->used_room * 2, sizeof(*used));
	if (!used)
		return -ENOMEM;
	slab->used = used;
	slab->used_room *= 2;
	return 0;
}

void *mx_slab_take(struct mx_slab *slab, size_t size_bytes)
{
	const size_t size = mx_size_round_up(size_bytes, MX_SLAB_UNIT_BYTES);
	size_t end = 0;
	size_t i;

	assert(size_bytes > 0);
	if (make_room(slab))
		return NULL;
	for (i = 0; i < slab->used_count; i++) {
		if (slab->used[i].offset_bytes - end >= size)
			break;
		end = slab->used[i].offset_bytes + slab->used[i].size_bytes;
	}
	if (i == slab->used_count && slab->size_bytes - end < size)
		return NULL;
	memmove(slab->used + i + 1, slab->used + i,
		(slab->used_count - i) * sizeof(*slab->used));
	slab->used[i].offset_bytes = end;
	slab->used[i].size_bytes = size;
	slab->used_count++;
	slab->used_bytes += size;
	return slab->memory + end;
}

void mx_slab_give(struct mx_slab *slab, void *buffer)
{
	const size_t offset = (size_t)((unsigned char *)buffer - slab->memory);
	size_t low = 0;
	size_t high = slab->used_count;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (slab->used[middle].offset_bytes <= offset)
			low = middle;
		else
			high = middle;
	}
	assert(low < slab->used_count &&
	       slab->used[low].offset_bytes == offset);
	slab->used_bytes -= slab->used[low].size_bytes;
	slab->used_count--;
	memmove(slab->used + low, slab->used + low + 1,
		(slab->used_count - low) * sizeof(*slab->used));
}
