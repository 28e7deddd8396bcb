/*
 * Slab: one block of memory, touched when it is made, for weights and
 * activations. Who has what of it is pager/residency.h.
 *
 * Threads: one at a time.
 */
#ifndef MX_PAGER_SLAB_H
#define MX_PAGER_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

struct mx_slab {
	unsigned char *memory; /* NULL: empty */
	size_t size_bytes;
};

/*
 * @size_bytes is rounded up to whole pages (MX_RESIDENCY_PAGE_BYTES of
 * pager/residency.h); 0 makes an empty slab. All of it is
 * touched: the charge is what was asked for, to the page, and does not change.
 * mx_slab_fini() ends it. Returns 0 or -ENOMEM.
 */
int mx_slab_init(struct mx_slab *slab, size_t size_bytes, struct mx_err *err);

void mx_slab_fini(struct mx_slab *slab);

#endif
