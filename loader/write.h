/*
 * Write a model directory, atomically: everything goes into a temporary
 * directory beside the target, is fsynced, and renamed. A kill at any moment
 * leaves the old directory or none (and perhaps a temporary one, which the
 * next write to the same target removes).
 */
#ifndef MX_LOADER_WRITE_H
#define MX_LOADER_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "loader/mxload.h"

struct mx_err;

struct mx_write_opts {
	const char *path; /* the directory to make */
	int force; /* 1: replace an existing model directory */
	uint64_t slice_bytes; /* target size of a slice; 0: the default */
	mx_progress_fn *progress; /* bytes of weights written; NULL: none */
	void *progress_user;
	/*
	 * Fill @out with block @block of layer @layer's weights, exactly
	 * mx_weight_block_bytes() bytes, padding zeroed. Called once a block,
	 * in file order, so that it can stream. Returns 0 or -errno.
	 */
	int (*read_block)(void *user, uint32_t layer, uint64_t block, void *out,
			  struct mx_err *err);
	void *read_user;
};

#define MX_SLICE_BYTES_DEFAULT (1u << 20)
#define MX_SLICE_BYTES_MIN (256u << 10)
#define MX_SLICE_BYTES_MAX (4u << 20)

/*
 * Write bound network @net. Its slices, weight offsets and weights_file_bytes
 * are computed here (what stands there is replaced). Layers whose weights are
 * equal byte for byte are stored once. The layout of weights.bin: a layer
 * begins at a MX_LAYER_ALIGN_BYTES boundary, unless it and its neighbours
 * since the last such boundary are together at most MX_SLICE_BYTES_MIN: small
 * neighbours are packed (MX_WEIGHT_ALIGN_BYTES) and so read together.
 *
 * Returns 0; -EEXIST if the target exists and @force is 0 or it is not a model
 * directory or holds files that are no part of one; -EINVAL if slice_bytes is
 * outside MX_SLICE_BYTES_MIN to MAX or a label has two lines; -EBADMSG or
 * -EFBIG if @net is not what mx_model_open() would accept; what read_block
 * returned; -ECANCELED if @progress says stop; -ENOSPC and so on.
 */
int mx_model_write(struct mx_network *net, const struct mx_write_opts *opts,
		   struct mx_err *err);

#endif
