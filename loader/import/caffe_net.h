/*
 * A deploy net: the layers of a prototxt that a TEST net has, V1's written as
 * V2's, before anything is known about what they compute.
 */
#ifndef MX_LOADER_IMPORT_CAFFE_NET_H
#define MX_LOADER_IMPORT_CAFFE_NET_H

#include <stdint.h>

#include "lib/shape.h"
#include "loader/import/prototxt.h"

struct mx_err;

struct mx_caffe_layer {
	const struct mx_prototxt_field *field; /* its message */
	const char *name; /* "" if it has none */
	const char *type; /* V2's: "InnerProduct" */
	/* Strings; the tree's order. */
	const struct mx_prototxt_field **bottoms;
	const struct mx_prototxt_field **tops;
	uint32_t bottom_count;
	uint32_t top_count;
};

/* `input:` of the net itself. */
struct mx_caffe_net_input {
	const struct mx_prototxt_field *field;
	struct mx_shape shape;
	int has_shape;
};

struct mx_caffe_net {
	struct mx_prototxt *tree;
	const char *name;
	struct mx_caffe_net_input *inputs;
	uint32_t input_count;
	struct mx_caffe_layer *layers;
	uint32_t layer_count;
	const struct mx_prototxt_field **pool; /* bottoms and tops */
};

/*
 * Read @tree, which stays the caller's and must outlive @net. Layers that the
 * rules for phase, level and stage keep out of a TEST net are left out.
 *
 * Returns 0, -EBADMSG with the place, or -ENOMEM. @net must then be ended
 * with mx_caffe_net_fini() in any case.
 */
int mx_caffe_net_read(struct mx_caffe_net *net, struct mx_prototxt *tree,
		      struct mx_err *err);

void mx_caffe_net_fini(struct mx_caffe_net *net);

/*
 * The `dim`s of a BlobShape message into @shape. Returns 0 or -EBADMSG.
 */
int mx_caffe_shape_read(const struct mx_prototxt *tree,
			const struct mx_prototxt_field *message,
			struct mx_shape *shape, struct mx_err *err);

/* V2's name of a V1 layer type ("INNER_PRODUCT" or its number), or NULL. */
const char *mx_caffe_v1_type(const char *text);

#endif
