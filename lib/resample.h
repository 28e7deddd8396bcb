/*
 * Resampling tables: for each output index of one dimension, which input
 * elements it is made of, and their weights. ONNX's rules.
 */
#ifndef MX_LIB_RESAMPLE_H
#define MX_LIB_RESAMPLE_H

#include <stddef.h>

struct mx_err;

/* The three are stored in models: never renumber. */
enum mx_resample_mode {
	MX_RESAMPLE_NEAREST = 0,
	MX_RESAMPLE_LINEAR = 1,
	MX_RESAMPLE_CUBIC = 2,
	MX_RESAMPLE_MODE_COUNT
};

enum mx_resample_coordinates {
	MX_RESAMPLE_HALF_PIXEL = 0,
	MX_RESAMPLE_ASYMMETRIC = 1,
	MX_RESAMPLE_ALIGN_CORNERS = 2,
	MX_RESAMPLE_PYTORCH_HALF_PIXEL = 3,
	MX_RESAMPLE_TF_HALF_PIXEL_FOR_NN = 4,
	MX_RESAMPLE_TF_CROP_AND_RESIZE = 5,
	MX_RESAMPLE_HALF_PIXEL_SYMMETRIC = 6,
	MX_RESAMPLE_COORDINATES_COUNT
};

enum mx_resample_round {
	MX_RESAMPLE_ROUND_PREFER_FLOOR = 0,
	MX_RESAMPLE_ROUND_PREFER_CEIL = 1,
	MX_RESAMPLE_FLOOR = 2,
	MX_RESAMPLE_CEIL = 3,
	MX_RESAMPLE_ROUND_COUNT
};

struct mx_resample_rule {
	enum mx_resample_mode mode;
	enum mx_resample_coordinates coordinates;
	enum mx_resample_round round;
	int exclude_outside;
	int antialias; /* linear and cubic, where the size shrinks */
	double cubic; /* the cubic's coefficient a */
};

/* One dimension. */
struct mx_resample_axis {
	size_t in; /* at least 1 */
	size_t out; /* at least 1 */
	double scale; /* 0: out / in */
	double roi_begin; /* for TF_CROP_AND_RESIZE */
	double roi_end;
};

struct mx_resample_table {
	size_t taps;
	size_t *index; /* [out][taps]; NULL: nothing changes */
	float *weight; /* [out][taps] */
	unsigned char *outside; /* [out]: 1 where the output is the
				   extrapolation value; NULL: nowhere */
};

/*
 * Fill in a zeroed @table; mx_resample_fini() ends it, also on failure.
 *
 * Returns 0; -EBADMSG if it would be unreasonably large; -ENOMEM.
 */
int mx_resample_init(struct mx_resample_table *table,
		     const struct mx_resample_rule *rule,
		     const struct mx_resample_axis *axis, struct mx_err *err);

void mx_resample_fini(struct mx_resample_table *table);

#endif
