/*
 * Slab: one block of memory, touched when it is made, from which the pager
 * gives buffers to reads. First fit; the caller bounds the number of buffers.
 *
 * Threads: one at a time.
 */
#ifndef MX_PAGER_SLAB_H
#define MX_PAGER_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

struct mx_slab_piece {
	size_t offset_bytes;
	size_t size_bytes;
};

struct mx_slab {
	unsigned char *memory;
	size_t size_bytes;
	struct mx_slab_piece *used; /* by rising offset */
	size_t used_count;
	size_t used_room;
	size_t used_bytes;
};

/* Buffers begin and end on multiples of this (what O_DIRECT wants). */
#define MX_SLAB_UNIT_BYTES 4096

/*
 * @size_bytes is rounded up to whole units; 0 makes an empty slab. All of it is
 * touched: the charge is what was asked for, to the page, and does not change.
 * mx_slab_fini() ends it. Returns 0 or -ENOMEM.
 */
int mx_slab_init(struct mx_slab *slab, size_t size_bytes, struct mx_err *err);

void mx_slab_fini(struct mx_slab *slab);

/* A buffer, or NULL when no gap is large enough. @size_bytes > 0. */
void *mx_slab_take(struct mx_slab *slab, size_t size_bytes);

/* Give a buffer back. */
void mx_slab_give(struct mx_slab *slab, void *buffer);

#endif
