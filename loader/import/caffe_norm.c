/*
 * Layers that normalise, and Scale and Bias, which follow them.
 */
#include <math.h>
#include <stdlib.h>

#include "loader/import/caffe_impl.h"

#define LOCAL_SIZE_MAX 65535

static void lrn(struct mx_caffe_step *s)
{
	static const char *const regions[] = {"ACROSS_CHANNELS",
					      "WITHIN_CHANNEL", NULL};
	const int kind = mx_caffe_enum(s, "norm_region", regions, 0);
	const int64_t size =
		mx_caffe_int(s, "local_size", 5, 1, LOCAL_SIZE_MAX);
	const double k = mx_caffe_float(s, "k", 1);

	if (size % 2 == 0)
		mx_caffe_bad(s, "local_size %lld is even", (long long)size);
	mx_caffe_set_int(s, "kind", kind);
	mx_caffe_set_int(s, "size", size);
	mx_caffe_set_float(s, "alpha", mx_caffe_float(s, "alpha", 1));
	mx_caffe_set_float(s, "beta", mx_caffe_float(s, "beta", 0.75));
	/* Caffe has no k within a channel. */
	mx_caffe_set_float(s, "k", kind == 0 ? k : 1);
	mx_caffe_emit(s, "Lrn", s->in, 1, NULL, 0);
}

static void softmax(struct mx_caffe_step *s)
{
	const uint32_t rank = mx_caffe_shape(s, s->in[0])->rank;
	const uint32_t axis = mx_caffe_axis(s, "axis", 1, rank);

	mx_caffe_set_int(s, "axis", axis);
	mx_caffe_set_int(s, "axis_end", axis + 1);
	s->moment = 1;
	mx_caffe_emit(s, "Softmax", s->in, 1, NULL, 0);
}

/* x * scale + bias along @axis; either may be NULL. */
static void affine(struct mx_caffe_step *s, uint32_t axis, const double *scale,
		   const double *bias, size_t count)
{
	struct mx_caffe_weights weights = {.vector = {scale, bias},
					   .count = count};
	double *ones = NULL;
	size_t i;

	if (s->rc)
		return;
	if (!scale) {
		ones = mx_caffe_doubles(s, count);
		for (i = 0; ones && i < count; i++)
			ones[i] = 1;
		weights.vector[0] = ones;
	}
	mx_caffe_set_int(s, "axis", axis);
	mx_caffe_emit(s, "Affine", s->in, 1, &weights, 0);
	free(ones);
}

/* --- BatchNorm ------------------------------------------------------------ */

/* The statistics of the batch itself. */
static void local_statistics(struct mx_caffe_step *s, const struct mx_shape *x,
			     double eps)
{
	int64_t axes[MX_RANK_MAX] = {0};
	size_t count = 1;
	uint32_t i;

	for (i = 2; i < x->rank; i++)
		axes[count++] = i;
	mx_caffe_set_ints(s, "axes", axes, count);
	mx_caffe_set_float(s, "eps", eps);
	s->blobs_used = MX_CAFFE_ANY;
	s->moment = 1;
	mx_caffe_emit(s, "MeanVariance", s->in, 1, NULL, 0);
}

static void batch_norm(struct mx_caffe_step *s)
{
	static const struct mx_caffe_random zero = {0}, one = {.shift = 1};
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const double eps = mx_caffe_float(s, "eps", 1e-5);
	const int global = mx_caffe_bool(s, "use_global_stats", 1);
	double *mean, *variance, *factor;
	size_t i;

	if (!s->rc && x.rank < 2)
		mx_caffe_refuse(s, "a bottom of %u dimensions", x.rank);
	if (s->rc)
		return;
	if (!global) {
		local_statistics(s, &x, eps);
		return;
	}
	mean = mx_caffe_vector(s, 0, x.dim[1], &zero);
	variance = mx_caffe_vector(s, 1, x.dim[1], &one);
	factor = mx_caffe_vector(s, 2, 1, &one);
	if (!s->rc) {
		/* Caffe keeps running sums; 0 means that there are none. */
		const double f = factor[0] == 0 ? 0 : 1 / factor[0];

		for (i = 0; i < x.dim[1]; i++) {
			variance[i] = 1 / sqrt(variance[i] * f + eps);
			mean[i] = -mean[i] * f * variance[i];
		}
		affine(s, 1, variance, mean, x.dim[1]);
	}
	free(mean);
	free(variance);
	free(factor);
}

/* --- Scale, Bias ---------------------------------------------------------- */

/* The dimensions [axis, axis + num_axes) of x, which the weights span. */
static struct mx_shape spanned(struct mx_caffe_step *s,
			       const struct mx_shape *x, uint32_t axis)
{
	const int64_t axes =
		mx_caffe_int(s, "num_axes", 1, -1, (int64_t)MX_RANK_MAX);
	struct mx_shape shape = {0};
	uint32_t i;

	if (s->rc)
		return shape;
	shape.rank = axes < 0 ? x->rank - axis : (uint32_t)axes;
	if (axis + shape.rank > x->rank) {
		mx_caffe_bad(s, "num_axes %u from axis %u of %u dimensions",
			     shape.rank, axis, x->rank);
		shape.rank = 0;
	}
	for (i = 0; i < shape.rank; i++)
		shape.dim[i] = x->dim[axis + i];
	return shape;
}

/* Blob @index of shape @shape as a value that broadcasts to x from @axis. */
static uint32_t learned(struct mx_caffe_step *s, uint32_t index,
			const struct mx_shape *shape, const struct mx_shape *x,
			uint32_t axis, const struct mx_caffe_random *random)
{
	struct mx_shape aligned = *shape;
	struct mx_const flat, values;

	mx_caffe_weights(s, index, shape, random, &flat);
	if (s->rc)
		return MX_NONE;
	/* A scalar needs no alignment. */
	while (shape->rank > 0 && axis + aligned.rank < x->rank)
		aligned.dim[aligned.rank++] = 1;
	if (mx_const_reshape(&flat, &aligned, &values) < 0) {
		mx_caffe_bad(s, "its weights cannot be reshaped");
		return MX_NONE;
	}
	return mx_caffe_constant(s, &values, MX_CAFFE_INSIDE);
}

static const struct mx_caffe_random about_one = {.shift = 1, .scale = 0.1};
static const struct mx_caffe_random about_zero = {.scale = 0.01};

/* One value a channel, which can fold into the layer before. */
static void learned_affine(struct mx_caffe_step *s, uint32_t axis, size_t count,
			   int has_scale, int has_bias)
{
	double *scale = NULL, *bias = NULL;

	if (has_scale)
		scale = mx_caffe_vector(s, 0, count, &about_one);
	if (has_bias)
		bias = mx_caffe_vector(s, has_scale ? 1 : 0, count,
				       &about_zero);
	affine(s, axis, scale, bias, count);
	free(scale);
	free(bias);
}

static void scale(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t axis = mx_caffe_axis(s, "axis", 1, x.rank);
	const int has_bias = mx_caffe_bool(s, "bias_term", 0);
	const int is_learned = s->layer->bottom_count == 1;
	uint32_t in[2] = {s->in[0], MX_NONE};
	struct mx_shape shape;

	if (s->rc)
		return;
	if (is_learned) {
		shape = spanned(s, &x, axis);
		if (shape.rank == 1) {
			learned_affine(s, axis, shape.dim[0], 1, has_bias);
			return;
		}
		in[1] = learned(s, 0, &shape, &x, axis, &about_one);
	} else {
		shape = *mx_caffe_shape(s, s->in[1]);
		/* num_axes has no meaning with two bottoms. */
		(void)mx_caffe_field(s, "num_axes");
		if (axis + shape.rank > x.rank)
			mx_caffe_bad(s, "its second bottom has too many "
					"dimensions");
		in[1] = mx_caffe_align(s, s->in[1], &x, axis);
	}
	in[0] = mx_caffe_emit(s, "Mul", in, 2, NULL,
			      has_bias ? MX_CAFFE_INSIDE : 0);
	if (!has_bias)
		return;
	in[1] = learned(s, is_learned ? 1 : 0, &shape, &x, axis, &about_zero);
	mx_caffe_emit(s, "Add", in, 2, NULL, 0);
}

static void bias(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t axis = mx_caffe_axis(s, "axis", 1, x.rank);
	uint32_t in[2] = {s->in[0], MX_NONE};
	struct mx_shape shape;

	if (s->rc)
		return;
	if (s->layer->bottom_count == 1) {
		shape = spanned(s, &x, axis);
		if (shape.rank == 1) {
			learned_affine(s, axis, shape.dim[0], 0, 1);
			return;
		}
		in[1] = learned(s, 0, &shape, &x, axis, &about_zero);
	} else {
		(void)mx_caffe_field(s, "num_axes");
		if (axis + mx_caffe_shape(s, s->in[1])->rank > x.rank)
			mx_caffe_bad(s, "its second bottom has too many "
					"dimensions");
		in[1] = mx_caffe_align(s, s->in[1], &x, axis);
	}
	mx_caffe_emit(s, "Add", in, 2, NULL, 0);
}

/* --- Normalize, MVN ------------------------------------------------------- */

static void normalize(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const int across = mx_caffe_bool(s, "across_spatial", 1);
	const int shared = mx_caffe_bool(s, "channel_shared", 1);
	const double eps = mx_caffe_float(s, "eps", 1e-10);
	struct mx_caffe_weights weights = {0};
	double *given, *all;
	size_t i;

	if (!s->rc && x.rank < 2)
		mx_caffe_refuse(s, "a bottom of %u dimensions", x.rank);
	if (s->rc)
		return;
	given = mx_caffe_vector(s, 0, shared ? 1 : x.dim[1], &about_one);
	all = mx_caffe_doubles(s, x.dim[1]);
	for (i = 0; all && given && i < x.dim[1]; i++)
		all[i] = given[shared ? 0 : i];
	weights.vector[0] = all;
	weights.count = x.dim[1];
	mx_caffe_set_int(s, "across_spatial", across);
	mx_caffe_set_float(s, "eps", eps);
	s->moment = 1 / (double)x.dim[1];
	mx_caffe_emit(s, "Normalize", s->in, 1, &weights, 0);
	free(given);
	free(all);
}

static void mvn(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const int variance = mx_caffe_bool(s, "normalize_variance", 1);
	const int across = mx_caffe_bool(s, "across_channels", 0);
	int64_t axes[MX_RANK_MAX];
	size_t count = 0;
	uint32_t i;

	for (i = across ? 1 : 2; i < x.rank; i++)
		axes[count++] = i;
	if (!s->rc && count == 0)
		mx_caffe_refuse(s, "a bottom of %u dimensions", x.rank);
	mx_caffe_set_ints(s, "axes", axes, count);
	mx_caffe_set_int(s, "variance", variance);
	mx_caffe_set_int(s, "eps_inside", 0);
	mx_caffe_set_float(s, "eps", mx_caffe_float(s, "eps", 1e-9));
	s->moment = 1;
	mx_caffe_emit(s, "MeanVariance", s->in, 1, NULL, 0);
}

const struct mx_caffe_kind mx_caffe_norm_kinds[] = {
	{"LRN", "lrn_param", NULL, 0, 1, 1, 1, 1, lrn},
	{"Softmax", "softmax_param", NULL, 0, 1, 1, 1, 1, softmax},
	{"BatchNorm", "batch_norm_param", NULL, 0, 1, 1, 1, 1, batch_norm},
	{"Scale", "scale_param", NULL, 0, 1, 2, 1, 1, scale},
	{"Bias", "bias_param", NULL, 0, 1, 2, 1, 1, bias},
	{"Normalize", "norm_param", NULL, 0, 1, 1, 1, 1, normalize},
	{"MVN", "mvn_param", NULL, 0, 1, 1, 1, 1, mvn},
	{0},
};
