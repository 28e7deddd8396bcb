/*
 * A network: tensors, the layers that compute them in execution order, and the
 * slices of the weights file that the layers need. The loader makes one from a
 * model directory, import makes one from a graph, the scheduler runs it.
 *
 * Everything is plain data, readable by anyone and changed by nobody once the
 * network is bound (mx_network_bind).
 *
 * Weights. A layer's weights are a matrix of `rows` output rows (channels,
 * units) and `vectors` further values for each row (bias, slope, ...). They
 * are stored as consecutive blocks of `block_rows` rows (the last one may be
 * shorter); a block holds its rows' matrix part, then each vector's values for
 * those rows, and is padded with zeros (mx_weight_block_bytes). Inside a
 * block the matrix part is cut into panels of `panel_rows` rows, each stored
 * [row_elems][panel rows]; panel_rows 1 is plain row-major. The block is the
 * atom of partial execution: a slice is some whole blocks of one layer, and
 * the cut into blocks depends on the layer's shape alone, never on slices, so
 * that results do not depend on them either.
 *
 * Threads: any number may read one network.
 */
#ifndef MX_LIB_NETWORK_H
#define MX_LIB_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/shape.h"

struct mx_err;
struct mx_op;

/* No such tensor, layer or slice. */
#define MX_NONE UINT32_MAX

/* Alignment in weights.bin and in memory, in bytes. */
#define MX_WEIGHT_ALIGN_BYTES 64
#define MX_LAYER_ALIGN_BYTES 65536
#define MX_ARENA_ALIGN_BYTES 64

enum mx_layout {
	/* The last dimension is contiguous, as in the source framework. */
	MX_LAYOUT_ROW_MAJOR,
	/* Rank 3 to 5, [batch, channels, spatial...]: stored [batch,
	 * spatial..., channels], `pitch` elements from pixel to pixel. */
	MX_LAYOUT_CHANNELS_LAST,
};

struct mx_tensor {
	char *name;
	struct mx_shape shape;
	enum mx_layout layout;
	/* The tensor in whose memory this one lives: its own index, or that of
	 * another tensor whose own root is itself (concatenation in place,
	 * in-place operators, reshapes that move nothing). */
	uint32_t root;
	size_t offset_elems; /* of element 0, from the root's element 0 */
	size_t pitch; /* channels-last: elements between pixels, >= channels;
			 row-major: 0 */
};

struct mx_weight_spec {
	uint64_t rows; /* 0: no weights */
	uint64_t row_elems; /* 4-byte elements of a row's matrix part */
	uint32_t vectors; /* values a row has beside it */
	uint32_t block_rows;
	uint32_t panel_rows;
};

struct mx_slice {
	uint64_t offset_bytes; /* in weights.bin */
	uint64_t size_bytes;
	uint64_t hash; /* XXH3-64 of its bytes, seed 0 */
	uint32_t layer;
	uint32_t first_block;
	uint32_t block_count;
};

struct mx_layer {
	char *name;
	char *op_name; /* as the operator table spells it */
	struct mx_attrs attrs;
	uint32_t *in; /* tensors */
	uint32_t *out;
	uint32_t in_count;
	uint32_t out_count;

	struct mx_weight_spec weights;
	uint64_t weight_offset_bytes; /* of block 0, in weights.bin */
	uint64_t weight_bytes; /* of all blocks, padding included */
	uint32_t first_slice; /* its slices are consecutive */
	uint32_t slice_count; /* 0 without weights */

	/* From here on: set by mx_layer_bind(). */
	const struct mx_op *op;
	void *params; /* the operator's own struct, op->params_bytes */
	struct mx_shape *in_shape; /* in_count, then */
	struct mx_shape *out_shape; /* out_count, of the same allocation */
	size_t block_count; /* at least 1, also without weights */
	size_t tile_count; /* parts of the work a block has, at least 1 */
	size_t scratch_bytes; /* for each thread that works on it */
	uint64_t macs; /* multiply-accumulates of the whole layer */
	/* ... as long as which it takes, computed the quickest way there is;
	 * macs where that is the definition's */
	uint64_t work;
};

enum mx_channel_order { MX_CHANNELS_BGR, MX_CHANNELS_RGB, MX_CHANNELS_GRAY };

enum mx_resize {
	MX_RESIZE_STRETCH,
	MX_RESIZE_CROP, /* shorter side to crop_size, then the centre */
	MX_RESIZE_LETTERBOX, /* keep the aspect, pad with the mean */
};

/* How a picture becomes an input: out = (pixel - mean) * scale / std, pixel
 * in 0..255. */
struct mx_preprocess {
	enum mx_channel_order channels;
	enum mx_resize resize;
	uint32_t crop_size; /* MX_RESIZE_CROP only */
	float mean[4];
	float std[4]; /* all 1 unless given */
	float scale; /* 1 unless given */
};

struct mx_input {
	uint32_t tensor;
	struct mx_preprocess preprocess;
};

struct mx_network {
	char *name;
	char *source; /* what it was imported from, for people: "caffe", ... */
	uint64_t source_hash; /* XXH3-64 of the source's bytes */
	struct mx_tensor *tensors;
	uint32_t tensor_count;
	struct mx_layer *layers; /* in execution order */
	uint32_t layer_count;
	struct mx_slice *slices; /* by layer, then by block */
	uint32_t slice_count;
	struct mx_input *inputs;
	uint32_t input_count;
	uint32_t *outputs; /* tensors, in the model's order */
	uint32_t output_count;
	char **labels;
	uint32_t label_count;
	uint64_t weights_file_bytes;

	/* The mapped weights file; NULL and -1 when there is none. Whoever
	 * mapped it unmaps it: not this struct. */
	const unsigned char *weights_base;
	int weights_fd;
};

/* Free what the members point to (not the mapping) and zero @net. */
void mx_network_fini(struct mx_network *net);

/* Free a layer's members and zero it. */
void mx_layer_fini(struct mx_layer *layer);

/*
 * Strides in elements, one for each dimension of the logical shape, of a
 * tensor whose shape, layout and pitch are valid.
 */
void mx_tensor_strides(const struct mx_tensor *tensor,
		       size_t stride[MX_RANK_MAX]);

/*
 * Elements from a tensor's element 0 to one past its last one in memory.
 *
 * Returns 0; -EBADMSG if layout and pitch do not fit the shape; -EOVERFLOW.
 */
int mx_tensor_extent(const struct mx_tensor *tensor, size_t *elems);

/* The number of blocks; 0 without weights. */
uint64_t mx_weight_block_count(const struct mx_weight_spec *spec);

/* The number of rows in block @block. */
uint64_t mx_weight_block_rows(const struct mx_weight_spec *spec,
			      uint64_t block);

/*
 * Bytes from one block to the next, padded to MX_WEIGHT_ALIGN_BYTES, or to
 * MX_WEIGHT_PAGE_BYTES where a block is at least MX_WEIGHT_BIG_BLOCK_BYTES
 * (so that slices of big layers begin on pages). Every block but the last has
 * this size; the last is padded likewise after its fewer rows.
 */
#define MX_WEIGHT_PAGE_BYTES 4096
#define MX_WEIGHT_BIG_BLOCK_BYTES (256 * 1024)
uint64_t mx_weight_block_bytes(const struct mx_weight_spec *spec,
			       uint64_t block);

/* Bytes of all blocks. */
uint64_t mx_weight_total_bytes(const struct mx_weight_spec *spec);

/*
 * Check a spec that came from a file: counts in range, panels inside blocks,
 * nothing overflows. Returns 0 or -EBADMSG.
 */
int mx_weight_spec_check(const struct mx_weight_spec *spec, struct mx_err *err);

/*
 * Bind one layer: find op_name in the operator table, decode the attributes,
 * infer. @in are the shapes of its inputs; in_count and out_count must be set.
 * On success out_shape, weights (as the operator wants them), block_count and
 * so on are set. Calling it again starts afresh.
 *
 * Returns 0; -ENOTSUP if there is no such operator; -EBADMSG if attributes or
 * shapes make no sense; -ENOMEM.
 */
int mx_layer_bind(struct mx_layer *layer, const struct mx_shape *in,
		  struct mx_err *err);

/*
 * Bind every layer of a network whose structure is valid (as from the loader)
 * and check what the operators infer against the shapes and weight specs that
 * the network states.
 *
 * Returns 0, -ENOTSUP, -EBADMSG or -ENOMEM.
 */
int mx_network_bind(struct mx_network *net, struct mx_err *err);

/*
 * The structural check for anything that did not come from our own hands:
 * indices in range, every tensor written before it is read and written once
 * (inputs are written at the start; a tensor may share memory with another,
 * inside the root's extent), slices tile their layers' blocks and lie inside
 * the weights file, outputs and inputs exist. Time and memory are linear.
 *
 * Returns 0, -EBADMSG, or -ENOMEM.
 */
int mx_network_check(const struct mx_network *net, struct mx_err *err);

#endif
