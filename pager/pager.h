/*
 * Pager: reads units of several networks' weights. One thread owns the reads;
 * it asks its user what to read next and tells when it has come. It keeps no
 * account of what is where: that is pager/residency.h, its user's.
 *
 * Two ways, chosen when it is opened:
 *  - streaming (memory given): reads go, past the page cache where the file
 *    system can, to the places in the memory that the user names.
 *  - mapped (no memory): the weights file's mapping is populated and stays;
 *    what is in the page cache already is not read again.
 *
 * The user's side, under its own lock:
 *
 *   next() ----> residency: ABSENT -> LOADING, at an offset
 *   (the read)
 *   loaded() --> residency: LOADING -> RESIDENT or FAILED
 *
 * Threads: any number, for all functions but open, add and close. The pager
 * holds no lock while it calls back.
 */
#ifndef MX_PAGER_PAGER_H
#define MX_PAGER_PAGER_H

#include <stddef.h>
#include <stdint.h>

#include "pager/residency.h"

struct mx_err;
struct mx_log;
struct mx_network;
struct mx_pager;
struct mx_units;

/* A unit to read. */
struct mx_pager_read {
	struct mx_unit_ref ref;
	/* Where it shall lie in the memory (mx_residency_offset()); mapped: of
	 * no meaning. */
	uint64_t offset_bytes;
	/* Nothing can be computed before it has come. When no other is in
	 * flight it is read alone: there are storages that tell of reads only
	 * when all that they were given are done. */
	int is_awaited;
};

struct mx_pager_opts {
	const char *io; /* as struct mx_reader_opts */
	uint32_t depth; /* reads in flight; 0: the default */
	/* What the offsets count from, aligned to MX_RESIDENCY_PAGE_BYTES: a
	 * slab's memory, which outlives the pager. NULL: mapped. */
	void *memory;
	size_t memory_bytes;
	const struct mx_log *log;
	/* What to read now: returns 1 with *@out, or 0 for nothing; then it is
	 * asked again after the next mx_pager_wake() or completed read. Called
	 * by the pager's thread, as loaded() is. */
	int (*next)(void *user, struct mx_pager_read *out);
	/* The read that next() gave is over. @status is 0, -EIO (the file is
	 * cut or its storage bad) or another -errno; @size_bytes is what was
	 * read. */
	void (*loaded)(void *user, struct mx_unit_ref ref, int status,
		       uint64_t size_bytes);
	void *user;
};

#define MX_PAGER_DEPTH_DEFAULT 4

/*
 * mx_pager_close() ends it. Nothing is called back before the first
 * mx_pager_wake(). Errors: those of mx_reader_open(), -ENOMEM, -EAGAIN.
 */
int mx_pager_open(struct mx_pager **out, const struct mx_pager_opts *opts,
		  struct mx_err *err);

/* Waits for what is in flight: loaded() may still be called, next() not. NULL
 * is fine. */
void mx_pager_close(struct mx_pager *pager);

/*
 * Make a network known: bound, its weights file open, living longer than the
 * pager; all of them before the first mx_pager_wake(). They are numbered from 0
 * in this order, which is that of struct mx_unit_ref.
 *
 * Returns 0; -ENOMEM; or the -errno of opening the file.
 */
int mx_pager_add(struct mx_pager *pager, const struct mx_network *net,
		 struct mx_err *err);

/* The units of network @net, as the pager reads them; they live as long as
 * it. */
const struct mx_units *mx_pager_units(const struct mx_pager *pager,
				      uint32_t net);

/*
 * There may be something to read. Costs little unless the pager's thread
 * sleeps with reads to spare. May be called with the lock held that the
 * callbacks take.
 */
void mx_pager_wake(struct mx_pager *pager);

/*
 * The bytes of slice @slice of network @net, whose unit lies at @offset_bytes
 * of the memory (mapped: of no meaning). They are there while the unit is
 * RESIDENT.
 */
const unsigned char *mx_pager_address(const struct mx_pager *pager,
				      uint32_t net, uint32_t slice,
				      uint64_t offset_bytes);

/* Say in @err that slice @slice could not be read: which, where, why. Returns
 * @status, as loaded() was told it. */
int mx_pager_say_failed(const struct mx_pager *pager, uint32_t net,
			uint32_t slice, int status, struct mx_err *err);

/*
 * Has a mapped page of network @net's weights vanished under a reader's hands
 * (pager/sigbus.h)? Then what was computed with it is worthless, and @err says
 * where. Returns 0 or -EIO.
 */
int mx_pager_check(const struct mx_pager *pager, uint32_t net,
		   struct mx_err *err);

struct mx_pager_totals {
	uint64_t read_bytes; /* streaming: what was read, exactly */
	uint64_t read_count;
	uint64_t read_ns; /* while at least one read was in flight */
	const char *io; /* the back end in use */
};
void mx_pager_totals(struct mx_pager *pager, struct mx_pager_totals *totals);

#endif
