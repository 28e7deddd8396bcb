/*
 * A cold start: weights dropped from the page cache, so that a run has to
 * read them.
 */
#ifndef MX_CLI_COLD_H
#define MX_CLI_COLD_H

#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_network;

/*
 * Drop what the page cache has of @net's weights file; nobody computes with
 * it. The kernel keeps pages that another process maps or that are not yet
 * written. What it says has stayed goes to *@stayed_bytes; of a file that we
 * may not write it does not tell us (mincore says that all is there), so that
 * this is 0 then.
 *
 * Returns 0 or -errno.
 */
int mx_cold_drop(const struct mx_network *net, uint64_t *stayed_bytes,
		 struct mx_err *err);

/* The same, and a warning in the log where something has stayed. */
int mx_cold_start(const struct mx_network *net, const struct mx_log *log,
		  struct mx_err *err);

#endif
