/*
 * The ONNX importer's inside: an abstract interpreter. Every value of the
 * source is a constant (whose elements are known, wherever they lie), an
 * activation (a value of the graph under construction), or unknown (something
 * unsupported computes it). Nodes are taken in the file's order; one whose
 * inputs are all constants is evaluated, every other becomes device operators.
 *
 * Shapes of activations are always known, so that Shape and what is computed
 * from it are constants.
 *
 * Functions that work on a node return 0; MX_ONNX_SKIP when the node is
 * unsupported and has been put on the list; -EBADMSG with a message that names
 * the node; or another -errno.
 */
#ifndef MX_LOADER_IMPORT_ONNX_IMPL_H
#define MX_LOADER_IMPORT_ONNX_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/shape.h"
#include "loader/import/blob.h"
#include "loader/import/onnx.pb-c.h"
#include "loader/import/onnx_names.h"
#include "loader/import/onnx_wire.h"

struct mx_err;
struct mx_graph;
struct mx_import_opts;
struct mx_import_source;
struct mx_node;
struct mx_unsupported;

#define MX_ONNX_SKIP 1
#define MX_ONNX_OPSET_MAX 20
/* Constants with more elements are not computed on at import, but moved to the
 * device as they are. */
#define MX_ONNX_EVAL_ELEMS_MAX ((size_t)1 << 24)

enum mx_onnx_kind {
	MX_ONNX_UNDEFINED, /* no one has written it yet */
	MX_ONNX_UNKNOWN,
	MX_ONNX_CONST,
	MX_ONNX_ACTIVATION,
};

struct mx_onnx_value {
	enum mx_onnx_kind kind;
	/* What the source calls it; the device computes in floats. May differ
	 * from a constant's blob.type after a Cast that changes no value. */
	enum mx_dtype type;
	struct mx_shape shape;
	struct mx_const constant; /* CONST */
	/* ACTIVATION: the graph's value. CONST: that of the Constant node made
	 * of it, MX_NONE before it is needed. */
	uint32_t graph;
};

/* One external data file. */
struct mx_onnx_external {
	char *location;
	const unsigned char *data;
	size_t size_bytes;
};

struct mx_onnx {
	const struct mx_import_opts *opts;
	struct mx_graph *graph;
	struct mx_import_source **source;
	struct mx_unsupported *unsupported;
	struct mx_err *err;
	struct mx_onnx_names names;
	struct mx_onnx_value *values; /* by name's number */
	uint32_t value_room;
	struct mx_onnx_names node_names;
	uint32_t *node_outputs; /* by node name: number of its output 0 */
	uint32_t node_output_room;
	int64_t opset;
	size_t batch_from; /* the batch that was rewritten; 0: none was */
	size_t batch_to;
	struct mx_onnx_external *externals;
	size_t external_count;
};

struct mx_onnx_attr {
	MxOnnx__AttributeProto *proto;
	struct mx_onnx_span tensor; /* size 0 and data NULL: none */
	int has_graph; /* holds a subgraph */
};

struct mx_onnx_node {
	MxOnnx__NodeProto *proto;
	const char *op;
	char *name; /* never empty */
	struct mx_onnx_attr *attrs;
	size_t attr_count;
	struct mx_onnx_value **in; /* NULL: left out */
	size_t in_count;
	struct mx_onnx_value **out; /* NULL: nobody wants it */
	size_t out_count;
};

typedef int mx_onnx_fn(struct mx_onnx *onnx, struct mx_onnx_node *node);

struct mx_onnx_op {
	const char *name;
	const char *attrs; /* those it may have, between spaces */
	uint32_t in_min;
	uint32_t in_max;
	mx_onnx_fn *emit;
	mx_onnx_fn *eval; /* all inputs are constants; NULL or -ENOSYS:
			     left to the device */
};

/* NULL: not supported. */
const struct mx_onnx_op *mx_onnx_op_find(const char *name);

/* Interpret the @index-th NodeProto. What is unsupported is noted. Returns 0,
 * -EBADMSG or another -errno. */
int mx_onnx_run(struct mx_onnx *onnx, const struct mx_onnx_span *part,
		size_t index);

/* --- onnx_value.c: values, and failing -------------------------------- */

/* The value of that name, made (UNDEFINED) if there is none. The pointer dies
 * with the next call. Returns 0 or -ENOMEM. */
int mx_onnx_value(struct mx_onnx *onnx, const char *name,
		  struct mx_onnx_value **out);

/* -EBADMSG: "node NAME (Op): " and the message. */
int mx_onnx_bad(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* MX_ONNX_SKIP, having noted "Op: " and the message; @fmt NULL: just "Op". */
int mx_onnx_refuse(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Zeroed heap memory of the graph's. Returns 0 or -ENOMEM. */
int mx_onnx_alloc(struct mx_onnx *onnx, size_t count, size_t elem_bytes,
		  void **out);

/* 1 for integers and booleans. */
int mx_onnx_is_integer(enum mx_dtype type);

/* --- onnx_node.c: a node's parts -------------------------------------- */

int mx_onnx_node_init(struct mx_onnx *onnx, const struct mx_onnx_span *span,
		      size_t index, struct mx_onnx_node *node);
void mx_onnx_node_fini(struct mx_onnx_node *node);

const struct mx_onnx_attr *mx_onnx_attr(const struct mx_onnx_node *node,
					const char *name);
int64_t mx_onnx_int(const struct mx_onnx_node *node, const char *name,
		    int64_t fallback);
float mx_onnx_float(const struct mx_onnx_node *node, const char *name,
		    float fallback);
const char *mx_onnx_string(const struct mx_onnx_node *node, const char *name,
			   const char *fallback);
/* Up to MX_ONNX_LIST_MAX integers; *@count 0 when absent. 0 or -EBADMSG. */
#define MX_ONNX_LIST_MAX (2 * MX_RANK_MAX)
int mx_onnx_ints(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		 const char *name, int64_t *out, size_t *count);

/* The input, or NULL when it is left out. */
struct mx_onnx_value *mx_onnx_in(const struct mx_onnx_node *node, size_t k);

/* 1 if output @k has a name. */
int mx_onnx_wants(const struct mx_onnx_node *node, size_t k);

/* Input @k as the graph's value; a constant becomes a Constant node. */
int mx_onnx_use(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		uint32_t *out);

/* Input @k's constant, or a refusal if it is computed; -EBADMSG if absent. */
int mx_onnx_const(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		  size_t k, const struct mx_const **out);

/* Integers of input @k, a constant of at most MX_ONNX_LIST_MAX elements;
 * *@count 0 when it is absent. */
int mx_onnx_in_ints(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		    size_t k, int64_t *out, size_t *count);

/* A list that is an attribute or, where that is absent, input @k. */
int mx_onnx_list(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		 const char *name, size_t k, int64_t *out, size_t *count);

/* Attribute "axis", or @name, counted from the front. 0 or -EBADMSG. */
int mx_onnx_axis(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		 int64_t axis, uint32_t rank, uint32_t *out);

/* --- onnx_emit.c: results --------------------------------------------- */

/* Output @k is the graph's value @value. */
int mx_onnx_result(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		   uint32_t value, enum mx_dtype type);

/* Output @k is a constant. */
int mx_onnx_result_const(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 size_t k, const struct mx_const *constant,
			 enum mx_dtype type);

/*
 * Append a device operator with one output. @suffix: NULL for the node's last
 * one, which takes its name and that of output 0; else "NAME/suffix". The
 * contents of @attrs (may be NULL) are taken.
 */
int mx_onnx_emit(struct mx_onnx *onnx, struct mx_onnx_node *node,
		 const char *suffix, const char *op, const uint32_t *in,
		 uint32_t in_count, struct mx_attrs *attrs, uint32_t *out);

/* The same in two steps, for operators with weights. */
int mx_onnx_begin(struct mx_onnx *onnx, struct mx_onnx_node *node,
		  const char *suffix, const char *op, const uint32_t *in,
		  uint32_t in_count, struct mx_node **out);
int mx_onnx_end(struct mx_onnx *onnx, struct mx_onnx_node *node,
		const char *suffix, uint32_t *out);

/* Operators of one input and up to three float attributes a, b, c. */
struct mx_onnx_abc {
	const char *op;
	unsigned count;
	float abc[3];
};
int mx_onnx_emit_abc(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const char *suffix, const struct mx_onnx_abc *what,
		     uint32_t in, uint32_t *out);
int mx_onnx_emit_binary(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const char *suffix, const char *op, uint32_t a,
			uint32_t b, uint32_t *out);
int mx_onnx_emit_reshape(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 const char *suffix, uint32_t in,
			 const struct mx_shape *shape, uint32_t *out);
int mx_onnx_emit_transpose(struct mx_onnx *onnx, struct mx_onnx_node *node,
			   const char *suffix, uint32_t in,
			   const uint32_t *perm, uint32_t rank, uint32_t *out);
/* x * scale + bias along @axis; @scale or @bias may be NULL. */
int mx_onnx_emit_affine(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const char *suffix, uint32_t in, uint32_t axis,
			const double *scale, const double *bias, uint32_t *out);
/* A constant as the graph's value. */
int mx_onnx_emit_constant(struct mx_onnx *onnx, struct mx_onnx_node *node,
			  const char *suffix, const struct mx_const *constant,
			  uint32_t *out);

/* The shape of the graph's value, which lives until the next emission. */
const struct mx_shape *mx_onnx_graph_shape(const struct mx_onnx *onnx,
					   uint32_t value);

int mx_onnx_set_sizes(struct mx_attrs *attrs, const char *name,
		      const size_t *values, size_t count);

/* --- onnx_tensor.c, onnx_external.c ----------------------------------- */

/* The data type by ONNX's number. Returns 0 or -ENOTSUP. */
int mx_onnx_dtype(int64_t code, enum mx_dtype *out);

/* A TensorProto; @where names it in messages when it has no name itself.
 * *@name (may be NULL) is its name, the caller's to free. -ENOTSUP (with a
 * message) for types that cannot be. */
int mx_onnx_tensor(struct mx_onnx *onnx, const struct mx_onnx_span *span,
		   const char *where, struct mx_const *out, enum mx_dtype *type,
		   char **name);

/* The bytes that @proto's external_data names, at most @want_bytes where it
 * states no length. 0, -EBADMSG or -errno. */
int mx_onnx_external_data(struct mx_onnx *onnx,
			  const MxOnnx__TensorProto *proto, const char *where,
			  size_t want_bytes, struct mx_onnx_span *out);

/* --- onnx_const.c: constants ------------------------------------------ */

/* Fill a constant over heap numbers: the count of @shape, as F32 rounded from
 * @floats or as I64 from @ints (the other is NULL). */
int mx_onnx_const_make(struct mx_onnx *onnx, const struct mx_shape *shape,
		       const double *floats, const int64_t *ints,
		       struct mx_const *out);

/* All elements, on the heap, the caller's: *@floats or, for integers, *@ints.
 * Returns -ENOSYS if there are more than MX_ONNX_EVAL_ELEMS_MAX. */
int mx_onnx_const_load(const struct mx_const *constant, double **floats);
int mx_onnx_const_load_ints(const struct mx_const *constant, int64_t **ints);

/* Every element is @value. */
void mx_onnx_const_fill(const struct mx_shape *shape, enum mx_dtype type,
			double value, struct mx_const *out);

/* The constant broadcast to @shape, which it fits, without moving it. */
void mx_onnx_const_expand(const struct mx_const *in,
			  const struct mx_shape *shape, struct mx_const *out);

/* The constant under another shape, moved only if it must be. 0, -ENOSYS if
 * that is too much, -ENOMEM. */
int mx_onnx_const_reshape(struct mx_onnx *onnx, const struct mx_const *in,
			  const struct mx_shape *shape, enum mx_dtype type,
			  struct mx_const *out);

/* 1 if all elements are known to be one value: *@value. */
int mx_onnx_const_uniform(const struct mx_const *constant, double *value);

/*
 * Pick: out[i0, i1, ...] = in[table[0][i0], table[1][i1], ...], or @fill where
 * any table says -1. 0, -ENOSYS if that is too much, -ENOMEM.
 */
struct mx_onnx_pick {
	const struct mx_const *in;
	enum mx_dtype type;
	int64_t *table[MX_RANK_MAX];
	struct mx_shape shape; /* of the result; as many dims as in */
	double fill;
};
int mx_onnx_const_pick(struct mx_onnx *onnx, const struct mx_onnx_pick *pick,
		       struct mx_const *out);

/* --- what several operators share ------------------------------------- */

/* auto_pad, pads, strides, dilations, kernel_shape of convolutions and
 * pooling. */
struct mx_onnx_window {
	uint32_t spatial; /* dimensions */
	int64_t kernel[MX_RANK_MAX];
	int64_t stride[MX_RANK_MAX];
	int64_t dilation[MX_RANK_MAX];
	int64_t pad_begin[MX_RANK_MAX];
	int64_t pad_end[MX_RANK_MAX];
	int has_kernel; /* kernel_shape was given */
};
/* @x: the input's shape; @kernel: NULL, or the weights' spatial dims. */
int mx_onnx_window(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		   const struct mx_shape *x, const size_t *kernel,
		   struct mx_onnx_window *out);
/* auto_pad SAME_*: pads for output ceil(x / stride). */
int mx_onnx_window_auto_pad(struct mx_onnx *onnx,
			    const struct mx_onnx_node *node,
			    const struct mx_shape *x,
			    struct mx_onnx_window *window);
int mx_onnx_window_store(const struct mx_onnx_window *window,
			 struct mx_attrs *attrs);

/* The axes of a constant that are not 1, its shape aligned at the end of
 * @shape: 1 and *@axis if it is exactly one axis and does not broaden
 * @shape. */
int mx_onnx_one_axis(const struct mx_shape *constant,
		     const struct mx_shape *shape, uint32_t *axis);

/* x op y for device operator Add, Sub, Mul, Div, Max, Min or Pow, where either
 * may be a constant: the cheapest device operator that does it. */
struct mx_onnx_operand {
	struct mx_onnx_value *value; /* whose it is; NULL: nobody's */
	const struct mx_const *constant; /* NULL: `graph` */
	uint32_t graph; /* MX_NONE: not emitted yet */
	struct mx_shape shape;
};
int mx_onnx_combine(struct mx_onnx *onnx, struct mx_onnx_node *node,
		    const char *suffix, const char *op,
		    const struct mx_onnx_operand *x,
		    const struct mx_onnx_operand *y, uint32_t *out);

/* --- operators -------------------------------------------------------- */

mx_onnx_fn mx_onnx_conv, mx_onnx_conv_transpose, mx_onnx_pool,
	mx_onnx_global_pool, mx_onnx_global_lp_pool, mx_onnx_batch_norm,
	mx_onnx_instance_norm, mx_onnx_lrn, mx_onnx_lp_norm, mx_onnx_mvn,
	mx_onnx_prelu, mx_onnx_gemm, mx_onnx_matmul, mx_onnx_unary,
	mx_onnx_clip, mx_onnx_cast, mx_onnx_dropout, mx_onnx_identity,
	mx_onnx_binary, mx_onnx_variadic, mx_onnx_where, mx_onnx_softmax,
	mx_onnx_reduce, mx_onnx_reshape, mx_onnx_transpose, mx_onnx_concat,
	mx_onnx_slice, mx_onnx_split, mx_onnx_gather, mx_onnx_expand,
	mx_onnx_tile, mx_onnx_pad, mx_onnx_depth_space, mx_onnx_constant,
	mx_onnx_constant_of_shape, mx_onnx_shape_of, mx_onnx_resize,
	mx_onnx_eval_only;

mx_onnx_fn mx_onnx_eval_map, mx_onnx_eval_cast, mx_onnx_eval_reduce,
	mx_onnx_eval_concat, mx_onnx_eval_gather, mx_onnx_eval_range,
	mx_onnx_eval_where;

#endif
