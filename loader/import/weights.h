/*
 * From where a node's weights come from (struct mx_weights) to how the device
 * wants them (lib/network.h), a block at a time.
 */
#ifndef MX_LOADER_IMPORT_WEIGHTS_H
#define MX_LOADER_IMPORT_WEIGHTS_H

#include <stdint.h>

struct mx_err;
struct mx_layer;
struct mx_weights;

/*
 * Fill @out with block @block of bound @layer's weights:
 * mx_weight_block_bytes() bytes, padding zeroed.
 *
 * Returns 0, or -EBADMSG if an integer does not fit into 32 bits.
 */
int mx_weights_block(const struct mx_layer *layer,
		     const struct mx_weights *weights, uint64_t block,
		     void *out, struct mx_err *err);

#endif
