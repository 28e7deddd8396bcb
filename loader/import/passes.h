/*
 * Passes over a graph, each a file pass_<name>.c. All return 0, -ENOMEM or
 * -EBADMSG, and leave a valid graph: topological, shapes inferred.
 */
#ifndef MX_LOADER_IMPORT_PASSES_H
#define MX_LOADER_IMPORT_PASSES_H

struct mx_err;
struct mx_graph;

/* Remove nodes whose outputs nobody uses, and IDENTITY operators. */
int mx_pass_drop(struct mx_graph *graph, struct mx_err *err);

/* Compute nodes whose inputs are all Constants; they become Constants. */
int mx_pass_constants(struct mx_graph *graph, struct mx_err *err);

/* Recognise x * sigmoid(x) as Silu and the like, so that they fuse. */
int mx_pass_patterns(struct mx_graph *graph, struct mx_err *err);

/* Recognise Reshape, Transpose, Reshape as Shuffle, and Slices of it as
 * Shuffles of fewer members. */
int mx_pass_shuffle(struct mx_graph *graph, struct mx_err *err);

/* Make a convolution of a picture's phases one of the picture itself. */
int mx_pass_focus(struct mx_graph *graph, struct mx_err *err);

/* Fold Affine (batch-norm, scale, bias; also Mul and Add by a Constant of one
 * value a channel) into the weights of a FUSES_AFFINE producer; where there is
 * none, Add, Sub and Mul by such a Constant become an Affine. */
int mx_pass_affine(struct mx_graph *graph, struct mx_err *err);

/* Fold activations into FUSES_ACTIVATION producers. */
int mx_pass_activation(struct mx_graph *graph, struct mx_err *err);

/* Fold maxima of 2x2 into FUSES_POOLING producers, after the activation. */
int mx_pass_pooling(struct mx_graph *graph, struct mx_err *err);

/* Affines with one scale and one bias for all become Powers. */
int mx_pass_uniform(struct mx_graph *graph, struct mx_err *err);

/* Let a concatenation begin with an earlier one of the same values. */
int mx_pass_concat(struct mx_graph *graph, struct mx_err *err);

/* Decide each value's layout, insert Relayout nodes, permute the columns of
 * fully connected weights after a flatten so that none is needed there. */
int mx_pass_layout(struct mx_graph *graph, struct mx_err *err);

/* Place Constant nodes just before their first user. */
int mx_pass_order(struct mx_graph *graph, struct mx_err *err);

/* Let values share memory: concatenation in place, in-place operators,
 * reshapes that move nothing. Sets root, offset_elems and pitch. */
int mx_pass_place(struct mx_graph *graph, struct mx_err *err);

/* All of them in the order that works. */
int mx_passes_run(struct mx_graph *graph, struct mx_err *err);

#endif
