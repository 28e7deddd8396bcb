/*
 * A mapped weights file that is cut while it is used makes the next touch of a
 * page that vanished a SIGBUS. Here the signal becomes an error: the handler
 * puts a page of zeros in the hole and notes where it was; whoever computed
 * with it asks afterwards and throws the result away.
 *
 * Threads: any number may call all of these.
 */
#ifndef MX_PAGER_SIGBUS_H
#define MX_PAGER_SIGBUS_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

/*
 * Take SIGBUS for the whole process, once and for good; signals at addresses
 * that nobody watches go to whoever had it before. A program calls this before
 * it starts threads; a library never does by itself.
 *
 * Returns 0 or -errno.
 */
int mx_sigbus_install(struct mx_err *err);

/* Ranges that can be watched at once. */
#define MX_SIGBUS_RANGES_MAX 256

/*
 * Watch a mapped range. Returns its number, for the calls below, or -ENOSPC:
 * then a cut file is a signal as it would be without us.
 */
int mx_sigbus_watch(const void *base, size_t size_bytes);

/* Stop watching; a negative @range is fine. Before the range is unmapped. */
void mx_sigbus_forget(int range);

/*
 * The lowest offset at which a page of the range was missing so far, into
 * *@offset_bytes. Returns 1, or 0 if none was (or @range is negative).
 */
int mx_sigbus_hit(int range, uint64_t *offset_bytes);

#endif
