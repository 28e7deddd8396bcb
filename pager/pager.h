/*
 * Pager: brings the weights of several networks into memory just before they
 * are needed and drops them after. One thread owns the reads.
 *
 * Two ways, chosen when it is opened:
 *  - streaming (memory_bytes > 0): reads go, past the page cache where the
 *    file system can, into buffers of one slab. What the weights cost is the
 *    slab, to the page: nothing lingers in a cache, nothing faults.
 *  - mapped (memory_bytes == 0): the weights file's mapping is populated and
 *    stays; what is in the page cache already is not read again.
 *
 * A run is one pass over a network's slices in their order. The pager reads
 * ahead of each run as far as the slab allows, the run that is least ahead
 * first. Runs of one network that are at the same place share what is read.
 * A slice that is pinned stays once it is there.
 *
 * Threads: any number, for all functions but open, add and close.
 */
#ifndef MX_PAGER_PAGER_H
#define MX_PAGER_PAGER_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_network;
struct mx_pager;
struct mx_pager_run;

struct mx_pager_opts {
	const char *io; /* as struct mx_reader_opts */
	uint32_t depth; /* reads in flight; 0: the default */
	uint64_t memory_bytes; /* of the slab; 0: mapped */
	const struct mx_log *log;
	/* Called by the pager's thread, without locks, when a slice has come
	 * or cannot be had. */
	void (*news)(void *user);
	void *user;
};

#define MX_PAGER_DEPTH_DEFAULT 4

/* mx_pager_close() ends it. Errors: those of mx_reader_open(), -ENOMEM. */
int mx_pager_open(struct mx_pager **out, const struct mx_pager_opts *opts,
		  struct mx_err *err);

/* All runs have ended. NULL is fine. */
void mx_pager_close(struct mx_pager *pager);

/*
 * Make a network known: bound, its weights file open, living longer than the
 * pager. @pinned has a byte for each slice, non-zero to pin it; NULL: none.
 * The pinned slices' buffers are set aside now.
 *
 * Returns 0; -EDQUOT if the pinned slices and then the largest unit of any
 * network do not fit the slab; -ENOMEM; or the -errno of opening the file.
 */
int mx_pager_add(struct mx_pager *pager, const struct mx_network *net,
		 const unsigned char *pinned, uint32_t *out,
		 struct mx_err *err);

/* Begin a run of network @index. mx_pager_end() ends it; it may be ended
 * before all is consumed. Returns 0 or -ENOMEM. */
int mx_pager_begin(struct mx_pager *pager, uint32_t index,
		   struct mx_pager_run **out, struct mx_err *err);
void mx_pager_end(struct mx_pager_run *run);

/*
 * The bytes of slice @slice, if they are there; they stay until
 * mx_pager_consumed(). @err is written only on failure.
 *
 * Returns 0; -EAGAIN if it has not come yet (news() will be called); -EIO,
 * with the offset, if it cannot be read; or -errno.
 */
int mx_pager_get(struct mx_pager_run *run, uint32_t slice,
		 const unsigned char **out, struct mx_err *err);

/* The run does not need the slice any more. */
void mx_pager_consumed(struct mx_pager_run *run, uint32_t slice);

/*
 * Has a mapped page of network @index's weights vanished under a reader's
 * hands (pager/sigbus.h)? Then what was computed with it is worthless, and
 * @err says where. Returns 0 or -EIO.
 */
int mx_pager_check(struct mx_pager *pager, uint32_t index, struct mx_err *err);

struct mx_pager_totals {
	uint64_t read_bytes; /* streaming: what was read, exactly */
	uint64_t read_count;
	uint64_t peak_bytes; /* streaming: the most of the slab in use */
	const char *io; /* the back end in use */
};
void mx_pager_totals(struct mx_pager *pager, struct mx_pager_totals *totals);

#endif
