/*
 * Depthwise convolution of flat pictures, in place and without tables: the way
 * MX_CONVOLVE_DEPTH_LINES of struct mx_convolve. A tile is some lines (rows of
 * the output); its channels are taken a few at a time through all of them, so
 * that what the windows of two lines share is still in cache. Where the pixels'
 * distance in memory makes them drive each other out of it, the lines' inputs
 * are first copied.
 */
#ifndef MX_LIB_DEPTHWISE_H
#define MX_LIB_DEPTHWISE_H

#include "lib/op.h"

struct mx_convolve;

/* If the way suits @conv, whose shapes are known, plan it and return 1. */
int mx_depthwise_plan(struct mx_convolve *conv);

/* struct mx_op's. */
size_t mx_depthwise_scratch_bytes(const struct mx_layer *layer);
void mx_depthwise_run(const struct mx_op_args *args, struct mx_range parts);

#endif
