/*
 * An array of floats with a shape, row-major: what an .npy file, an ONNX
 * tensor file or a picture becomes.
 */
#ifndef MX_CLI_ARRAY_H
#define MX_CLI_ARRAY_H

#include "lib/shape.h"

struct mx_array {
	struct mx_shape shape;
	float *data; /* heap, mx_shape_elems() of them */
};

/* Free the data and zero @array. */
void mx_array_fini(struct mx_array *array);

/* How two arrays differ where |got - want| > atol + rtol * |want|. */
struct mx_array_difference {
	size_t bad_count; /* elements outside the tolerance */
	size_t worst_index; /* the largest difference, in or outside */
	float got;
	float want;
	double worst; /* |got - want| there */
};

/* Compare @count values. NaN equals NaN and nothing else. */
void mx_array_compare(const float *got, const float *want, size_t count,
		      double rtol, double atol,
		      struct mx_array_difference *out);

#endif
