/*
 * Converting Caffe's layers, for the files of the Caffe importer alone.
 *
 * caffe.c walks the layers in order and hands each as a step to the function
 * of its kind. A step keeps its first failure in `rc` and everything after it
 * does nothing, so that a converter reads like the layer's documentation:
 * read parameters, compute, emit.
 */
#ifndef MX_LOADER_IMPORT_CAFFE_IMPL_H
#define MX_LOADER_IMPORT_CAFFE_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/shape.h"
#include "loader/import/blob.h"
#include "loader/import/caffe_names.h"
#include "loader/import/caffe_net.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"

struct mx_caffe_model;
struct mx_caffe_step;

enum mx_caffe_kind_flags {
	/* Training only: it is left out, and so is what needs its tops. */
	MX_CAFFE_DROPPED = 1 << 0,
	/* Its parameters are about other things than its result. */
	MX_CAFFE_ANY_PARAM = 1 << 1,
};

struct mx_caffe_kind {
	const char *type;
	const char *param; /* its message, NULL: none */
	const char *op; /* what it becomes, where that is all */
	unsigned flags; /* enum mx_caffe_kind_flags */
	uint32_t in_min;
	uint32_t in_max;
	uint32_t out_min;
	uint32_t out_max;
	void (*convert)(struct mx_caffe_step *step);
};

#define MX_CAFFE_ANY UINT32_MAX

/* Ended by one without type. */
extern const struct mx_caffe_kind mx_caffe_data_kinds[];
extern const struct mx_caffe_kind mx_caffe_conv_kinds[];
extern const struct mx_caffe_kind mx_caffe_map_kinds[];
extern const struct mx_caffe_kind mx_caffe_norm_kinds[];
extern const struct mx_caffe_kind mx_caffe_shape_kinds[];
extern const struct mx_caffe_kind mx_caffe_detect_kinds[];

/* What a blob's name stands for when it is no value. */
#define MX_CAFFE_UNKNOWN (MX_NONE - 1) /* an unsupported layer's top */
#define MX_CAFFE_ABSENT (MX_NONE - 2) /* a training-only layer's top */

struct mx_caffe {
	const struct mx_import_opts *opts;
	struct mx_err *err;
	struct mx_graph *graph;
	struct mx_caffe_net net;
	struct mx_caffe_model *model; /* NULL: random weights */
	struct mx_unsupported *unsupported;
	unsigned char *used; /* fields of the tree that someone read */
	unsigned char *shape_used; /* opts->shapes that met their input */
	/* The deploy net's batch, and what it becomes. 0: no input yet. */
	size_t batch_from;
	size_t batch_to;
	/* Random weights: the mean square each value is made to have. */
	double *moment;
	uint32_t moment_room;
};

struct mx_caffe_step {
	struct mx_caffe *caffe;
	const struct mx_caffe_layer *layer;
	const struct mx_caffe_kind *kind;
	const struct mx_prototxt_field *param; /* kind->param, or NULL */
	const uint32_t *in; /* values, layer->bottom_count */
	uint32_t *out; /* values, layer->top_count */
	struct mx_attrs attrs; /* of the next node */
	uint32_t blobs_used;
	double moment; /* of its outputs, see above */
	int rc;
};

/* --- caffe_param.c: reading parameters ----------------------------------- */

/* A parameter of the layer; @fallback when it is not given. */
int64_t mx_caffe_int(struct mx_caffe_step *step, const char *key,
		     int64_t fallback, int64_t min, int64_t max);
double mx_caffe_float(struct mx_caffe_step *step, const char *key,
		      double fallback);
int mx_caffe_bool(struct mx_caffe_step *step, const char *key, int fallback);

/* The index in @words (ended by NULL) of an enum, given by word or number. */
int mx_caffe_enum(struct mx_caffe_step *step, const char *key,
		  const char *const *words, int fallback);

/* The field, which counts as read, or NULL. */
const struct mx_prototxt_field *mx_caffe_field(struct mx_caffe_step *step,
					       const char *key);

/* All values of a repeated parameter, at most @room; how many. */
size_t mx_caffe_ints(struct mx_caffe_step *step, const char *key, int64_t min,
		     int64_t max, int64_t *out, size_t room);
size_t mx_caffe_floats(struct mx_caffe_step *step, const char *key, double *out,
		       size_t room);

/* An axis, from the end when negative, of a value of @rank. With @end it may
 * be @rank itself. */
uint32_t mx_caffe_axis(struct mx_caffe_step *step, const char *key,
		       int64_t fallback, uint32_t rank);

/* The layer is not supported because of @fmt: "pool=STOCHASTIC". */
void mx_caffe_refuse(struct mx_caffe_step *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The layer makes no sense: -EBADMSG with its place and name. */
void mx_caffe_bad(struct mx_caffe_step *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Refuse parameters that no one has read. */
void mx_caffe_check_params(struct mx_caffe_step *step);

/* --- caffe_emit.c: making nodes ------------------------------------------ */

/* The shape of a value; it may move with the next node. */
const struct mx_shape *mx_caffe_shape(const struct mx_caffe_step *step,
				      uint32_t value);

/* Attributes of the next node. */
void mx_caffe_set_int(struct mx_caffe_step *step, const char *name,
		      int64_t value);
void mx_caffe_set_ints(struct mx_caffe_step *step, const char *name,
		       const int64_t *values, size_t count);
void mx_caffe_set_float(struct mx_caffe_step *step, const char *name,
			double value);
void mx_caffe_set_floats(struct mx_caffe_step *step, const char *name,
			 const double *values, size_t count);
void mx_caffe_set_dims(struct mx_caffe_step *step, const char *name,
		       const struct mx_shape *shape);

/* A value inside the layer: no top of it. */
#define MX_CAFFE_INSIDE MX_NONE

struct mx_caffe_weights {
	const struct mx_const *rows; /* NULL: none */
	const double *vector[MX_VECTORS_MAX];
	size_t count; /* of each vector */
};

/*
 * Append a node with the attributes set so far. Its output becomes top @top,
 * or is MX_CAFFE_INSIDE. @weights may be NULL. Returns the value, MX_NONE
 * after a failure.
 */
uint32_t mx_caffe_emit(struct mx_caffe_step *step, const char *op,
		       const uint32_t *in, uint32_t in_count,
		       const struct mx_caffe_weights *weights, uint32_t top);

/* The value of a constant, MX_NONE after a failure. */
uint32_t mx_caffe_constant(struct mx_caffe_step *step,
			   const struct mx_const *constant, uint32_t top);

/* @value under another shape of as many elements. */
uint32_t mx_caffe_reshape(struct mx_caffe_step *step, uint32_t value,
			  const struct mx_shape *shape, uint32_t top);

/* @value with dimensions of 1 at its end, so that it broadcasts to @like from
 * @axis on. */
uint32_t mx_caffe_align(struct mx_caffe_step *step, uint32_t value,
			const struct mx_shape *like, uint32_t axis);

/* --- caffe_weights.c: the layer's blobs ---------------------------------- */

/* What random weights look like. */
struct mx_caffe_random {
	double scale;
	double shift;
};

/* Blob @index of the layer, which must have the shape @want (but for leading
 * dimensions of 1), into @out. */
void mx_caffe_weights(struct mx_caffe_step *step, uint32_t index,
		      const struct mx_shape *want,
		      const struct mx_caffe_random *random,
		      struct mx_const *out);

/* @count doubles on the heap (the caller's), or NULL. */
double *mx_caffe_doubles(struct mx_caffe_step *step, size_t count);

/* Blob @index as @count doubles on the heap (the caller's), or NULL. */
double *mx_caffe_vector(struct mx_caffe_step *step, uint32_t index,
			size_t count, const struct mx_caffe_random *random);

/* He's scale for rows of @fan_in weights that see the first input, so that
 * the output has a mean square of 2; the step's moment becomes that. */
double mx_caffe_he(struct mx_caffe_step *step, size_t fan_in);

/* What a ReLU leaves of the moment of the step's first bottom. */
double mx_caffe_rectified(const struct mx_caffe_step *step);

/* The moment of a value (1 if it is not known). */
double mx_caffe_moment(const struct mx_caffe *caffe, uint32_t value);

/* Every value from @first on has the moment @moment. */
int mx_caffe_moment_set(struct mx_caffe *caffe, uint32_t first, double moment);

/* --- caffe_input.c -------------------------------------------------------- */

/*
 * A new input called @name (of layer @layer_name, or NULL), with the deploy
 * net's @shape (NULL: it has none) unless the options replace it. @place is
 * for messages. Returns 0; -EINVAL without any shape; -EBADMSG; -ENOMEM.
 */
int mx_caffe_input(struct mx_caffe *caffe, const char *name,
		   const char *layer_name, const struct mx_shape *shape,
		   const struct mx_prototxt_field *place, uint32_t *out);

/* 0, or -EINVAL if the options give a shape to an input that is not there. */
int mx_caffe_input_check(const struct mx_caffe *caffe);

#endif
