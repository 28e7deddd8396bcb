/*
 * The weights part of writing a model directory; for this folder and tests.
 */
#ifndef MX_LOADER_WRITE_IMPL_H
#define MX_LOADER_WRITE_IMPL_H

#include <stdint.h>

#include "loader/write.h"

struct mx_err;

/* The hash of a slice's bytes. */
uint64_t mx_slice_hash(const void *bytes, uint64_t size_bytes);

/*
 * Cut @net's layers into slices of about @slice_bytes: sets slices, and each
 * layer's weight_bytes, first_slice and slice_count. Offsets and hashes are
 * 0 still. Returns 0, -EBADMSG (a weight spec), -EFBIG (too many) or -ENOMEM.
 */
int mx_slices_plan(struct mx_network *net, uint64_t slice_bytes,
		   struct mx_err *err);

/*
 * Stream the weights of @net, whose slices are planned, into the empty file
 * @fd, which people call @path, and sync it: sets the offsets, the hashes and
 * weights_file_bytes. Holds one slice in memory, and lets few dirty pages pile
 * up.
 *
 * Returns 0, -ECANCELED, what read_block returned, -ENOMEM or -errno.
 */
int mx_weights_write(struct mx_network *net, const struct mx_write_opts *opts,
		     int fd, const char *path, struct mx_err *err);

#endif
