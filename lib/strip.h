/*
 * Convolutions as products of strips of pixels with panels of weights: the way
 * MX_CONVOLVE_STRIPS of struct mx_convolve. It suits
 *
 *  - windows of one element, with any stride and groups: neighbouring pixels
 *    lie at even distances, so that no table says where each one's input is;
 *  - few channels: a part copies the picture's rows as it goes, with their
 *    padding, so that a row of any pixel's window is one run.
 *
 * A tile is some lines: rows of the output or, where all pixels are one even
 * row in memory, simply pixels.
 */
#ifndef MX_LIB_STRIP_H
#define MX_LIB_STRIP_H

#include <stddef.h>

#include "lib/network.h"
#include "lib/op.h"

struct mx_convolve;

/* If the way suits @conv, whose shapes are known, plan it and return 1. */
int mx_strip_plan(struct mx_convolve *conv);

/* For that way: cut @spec, whose rows and row_elems are set, into blocks and
 * panels and return 1; 0 if the ordinary cut will do. */
int mx_strip_blocks(const struct mx_convolve *conv,
		    struct mx_weight_spec *spec);

size_t mx_strip_scratch_bytes(const struct mx_layer *layer);

/* struct mx_op's run. */
void mx_strip_run(const struct mx_op_args *args, struct mx_range parts);

#endif
