/*
 * Convolution, Deconvolution, InnerProduct, Pooling: the layers with windows
 * and rows of weights.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/import/caffe_impl.h"

#define SPATIAL_MAX 3
#define WINDOW_MAX 65536

/* A window's settings for each spatial dimension. */
struct window {
	uint32_t rank;
	int64_t kernel[SPATIAL_MAX];
	int64_t stride[SPATIAL_MAX];
	int64_t pad[SPATIAL_MAX];
	int64_t dilation[SPATIAL_MAX];
};

/* The spatial dimensions of x, which has batch and channels before them. */
static uint32_t spatial_rank(struct mx_caffe_step *s, const struct mx_shape *x)
{
	if (!s->rc && (x->rank < 3 || x->rank > 2 + SPATIAL_MAX))
		mx_caffe_refuse(s, "a bottom of %u dimensions", x->rank);
	return s->rc ? 1 : x->rank - 2;
}

/*
 * A setting given as @key (one value for all dimensions, or one each) or, in
 * two dimensions, as @key_h and @key_w.
 */
static void read_each(struct mx_caffe_step *s, const char *const keys[3],
		      uint32_t rank, int64_t min, int64_t fallback,
		      int64_t out[SPATIAL_MAX])
{
	const int by_name = keys[1] && (mx_caffe_field(s, keys[1]) ||
					mx_caffe_field(s, keys[2]));
	size_t count;
	uint32_t i;

	if (by_name && rank == 2) {
		out[0] = mx_caffe_int(s, keys[1], fallback, min, WINDOW_MAX);
		out[1] = mx_caffe_int(s, keys[2], fallback, min, WINDOW_MAX);
		if (mx_caffe_field(s, keys[0]))
			mx_caffe_bad(s, "both %s and %s", keys[0], keys[1]);
		return;
	}
	count = mx_caffe_ints(s, keys[0], min, WINDOW_MAX, out, rank);
	if (count == 0)
		out[0] = fallback;
	if (by_name || (count > 1 && count != rank))
		mx_caffe_bad(s, "%s for %zu of %u dimensions", keys[0], count,
			     rank);
	for (i = count > 1 ? rank : 1; i < rank; i++)
		out[i] = out[0];
}

static void read_window(struct mx_caffe_step *s, uint32_t rank,
			struct window *w)
{
	static const char *const kernel[] = {"kernel_size", "kernel_h",
					     "kernel_w"};
	static const char *const stride[] = {"stride", "stride_h", "stride_w"};
	static const char *const pad[] = {"pad", "pad_h", "pad_w"};

	w->rank = rank;
	read_each(s, kernel, rank, 1, 0, w->kernel);
	read_each(s, stride, rank, 1, 1, w->stride);
	read_each(s, pad, rank, 0, 0, w->pad);
}

static void set_window(struct mx_caffe_step *s, const struct window *w)
{
	uint32_t i;

	for (i = 0; i < w->rank; i++)
		if (w->kernel[i] < 1)
			mx_caffe_bad(s, "has no kernel size");
	mx_caffe_set_ints(s, "kernel", w->kernel, w->rank);
	mx_caffe_set_ints(s, "stride", w->stride, w->rank);
	mx_caffe_set_ints(s, "pad_begin", w->pad, w->rank);
	mx_caffe_set_ints(s, "pad_end", w->pad, w->rank);
}

/* --- Convolution, Deconvolution ------------------------------------------ */

struct filter {
	struct window window;
	size_t in;
	size_t out;
	size_t groups;
	int has_bias;
};

static void read_filter(struct mx_caffe_step *s, const struct mx_shape *x,
			struct filter *f)
{
	static const char *const dilation[] = {"dilation", NULL, NULL};
	const uint32_t rank = spatial_rank(s, x);
	/* Forks have a layer type for this, which may leave out the group. */
	const int depthwise = strstr(s->layer->type, "Depthwise") != NULL;

	*f = (struct filter){.in = s->rc ? 1 : x->dim[1]};
	if (s->rc)
		return;
	read_window(s, rank, &f->window);
	read_each(s, dilation, rank, 1, 1, f->window.dilation);
	f->out = (size_t)mx_caffe_int(s, "num_output", 0, 1, INT32_MAX);
	f->groups = (size_t)mx_caffe_int(
		s, "group", depthwise ? (int64_t)f->in : 1, 1, INT32_MAX);
	f->has_bias = mx_caffe_bool(s, "bias_term", 1);
	if (mx_caffe_axis(s, "axis", 1, x->rank) != 1)
		mx_caffe_refuse(s, "axis is not 1");
	if (!s->rc && f->out == 0)
		mx_caffe_bad(s, "has no num_output");
	if (!s->rc && (f->in % f->groups || f->out % f->groups))
		mx_caffe_bad(s, "%zu groups of %zu and %zu channels", f->groups,
			     f->in, f->out);
}

static size_t kernel_elems(const struct window *w)
{
	size_t elems = 1;
	uint32_t i;

	/* At most 2^48: spatial_rank() and WINDOW_MAX bound it. */
	for (i = 0; i < w->rank; i++)
		elems *= (size_t)w->kernel[i];
	return elems;
}

static void emit_filter(struct mx_caffe_step *s, const char *op,
			const struct filter *f, const struct mx_const *rows)
{
	static const struct mx_caffe_random small = {.scale = 0.01};
	struct mx_caffe_weights weights = {.rows = rows, .count = f->out};
	double *bias = NULL;

	if (f->has_bias)
		bias = mx_caffe_vector(s, 1, f->out, &small);
	weights.vector[0] = bias;
	set_window(s, &f->window);
	mx_caffe_set_ints(s, "dilation", f->window.dilation, f->window.rank);
	mx_caffe_set_int(s, "groups", (int64_t)f->groups);
	mx_caffe_set_int(s, "out_channels", (int64_t)f->out);
	mx_caffe_emit(s, op, s->in, 1, &weights, 0);
	free(bias);
}

/* [out][in / groups][kernel...], read as [out][kernel...][in / groups]. */
static void convolution(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	struct mx_caffe_random random = {0};
	struct mx_const source, rows;
	struct mx_shape shape = {0};
	uint32_t perm[MX_RANK_MAX] = {0};
	struct filter f;
	uint32_t i;

	read_filter(s, &x, &f);
	if (s->rc)
		return;
	shape.rank = 2 + f.window.rank;
	shape.dim[0] = f.out;
	shape.dim[1] = f.in / f.groups;
	for (i = 0; i < f.window.rank; i++) {
		shape.dim[2 + i] = (size_t)f.window.kernel[i];
		perm[1 + i] = 2 + i;
	}
	perm[shape.rank - 1] = 1;
	random.scale = mx_caffe_he(s, shape.dim[1] * kernel_elems(&f.window));
	mx_caffe_weights(s, 0, &shape, &random, &source);
	if (s->rc)
		return;
	mx_const_permute(&source, perm, &rows);
	emit_filter(s, "Convolution", &f, &rows);
}

/*
 * [groups * in / groups][out / groups][kernel...], read as
 * [groups][out / groups][kernel...][in / groups].
 */
static void deconvolution(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	struct mx_caffe_random random = {0};
	struct mx_const source, grouped, rows;
	struct mx_shape shape = {0}, split = {0};
	uint32_t perm[MX_RANK_MAX] = {0, 2};
	size_t step_elems = 1, area;
	struct filter f;
	uint32_t i;

	read_filter(s, &x, &f);
	if (s->rc)
		return;
	shape.rank = 2 + f.window.rank;
	shape.dim[0] = f.in;
	shape.dim[1] = f.out / f.groups;
	split.rank = 3 + f.window.rank;
	split.dim[0] = f.groups;
	split.dim[1] = f.in / f.groups;
	split.dim[2] = shape.dim[1];
	for (i = 0; i < f.window.rank; i++) {
		shape.dim[2 + i] = (size_t)f.window.kernel[i];
		split.dim[3 + i] = shape.dim[2 + i];
		perm[2 + i] = 3 + i;
		step_elems *= (size_t)f.window.stride[i];
	}
	perm[split.rank - 1] = 1;
	/* An output sees only every stride-th weight. */
	area = kernel_elems(&f.window) / step_elems;
	random.scale = mx_caffe_he(s, split.dim[1] * (area ? area : 1));
	mx_caffe_weights(s, 0, &shape, &random, &source);
	if (s->rc)
		return;
	/* Dense: splitting its first dimension cannot fail. */
	if (mx_const_reshape(&source, &split, &grouped) < 0) {
		mx_caffe_bad(s, "its weights cannot be split into groups");
		return;
	}
	mx_const_permute(&grouped, perm, &rows);
	emit_filter(s, "Deconvolution", &f, &rows);
}

/* --- InnerProduct --------------------------------------------------------- */

static void inner_product(struct mx_caffe_step *s)
{
	static const struct mx_caffe_random small = {.scale = 0.01};
	static const uint32_t swap[2] = {1, 0};
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t axis = mx_caffe_axis(s, "axis", 1, x.rank);
	const size_t out =
		(size_t)mx_caffe_int(s, "num_output", 0, 1, INT32_MAX);
	const int has_bias = mx_caffe_bool(s, "bias_term", 1);
	const int transpose = mx_caffe_bool(s, "transpose", 0);
	struct mx_caffe_random random = {0};
	struct mx_shape shape = {.rank = 2};
	struct mx_caffe_weights weights = {.count = out};
	struct mx_const source, rows;
	double *bias = NULL;
	size_t k;

	if (!s->rc && out == 0)
		mx_caffe_bad(s, "has no num_output");
	if (s->rc)
		return;
	k = mx_shape_span(&x, axis, x.rank);
	shape.dim[0] = transpose ? k : out;
	shape.dim[1] = transpose ? out : k;
	random.scale = mx_caffe_he(s, k);
	mx_caffe_weights(s, 0, &shape, &random, &source);
	if (has_bias)
		bias = mx_caffe_vector(s, 1, out, &small);
	if (s->rc)
		return;
	rows = source;
	if (transpose)
		mx_const_permute(&source, swap, &rows);
	weights.rows = &rows;
	weights.vector[0] = bias;
	mx_caffe_set_int(s, "axis", axis);
	mx_caffe_set_int(s, "out_features", (int64_t)out);
	mx_caffe_emit(s, "Dense", s->in, 1, &weights, 0);
	free(bias);
}

/* --- Pooling -------------------------------------------------------------- */

/* Caffe rounds up unless told otherwise, in either of two ways. */
static int rounds_up(struct mx_caffe_step *s)
{
	static const char *const modes[] = {"CEIL", "FLOOR", NULL};

	return mx_caffe_enum(s, "round_mode", modes, 0) == 0 &&
	       mx_caffe_bool(s, "ceil_mode", 1);
}

static void pooling(struct mx_caffe_step *s)
{
	static const char *const pools[] = {"MAX", "AVE", NULL};
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t rank = spatial_rank(s, &x);
	const int kind = mx_caffe_enum(s, "pool", pools, 0);
	const int global = mx_caffe_bool(s, "global_pooling", 0);
	const int up = rounds_up(s);
	struct window w = {0};
	uint32_t i;

	if (s->rc)
		return;
	read_window(s, rank, &w);
	for (i = 0; i < rank; i++) {
		if (global)
			w.kernel[i] = (int64_t)x.dim[2 + i];
		if (global && (w.pad[i] != 0 || w.stride[i] != 1))
			mx_caffe_bad(s, "global pooling has pad or stride");
		if (!global && w.kernel[i] > 0 && w.pad[i] >= w.kernel[i])
			mx_caffe_bad(s, "its padding is as big as its kernel");
	}
	set_window(s, &w);
	mx_caffe_set_int(s, "kind", kind);
	mx_caffe_set_int(s, "rounding", up ? 2 : 0);
	mx_caffe_set_int(s, "divisor", 2);
	mx_caffe_emit(s, "Pooling", s->in, 1, NULL, 0);
}

const struct mx_caffe_kind mx_caffe_conv_kinds[] = {
	{"Convolution", "convolution_param", NULL, 0, 1, 1, 1, 1, convolution},
	{"ConvolutionDepthwise", "convolution_param", NULL, 0, 1, 1, 1, 1,
	 convolution},
	{"DepthwiseConvolution", "convolution_param", NULL, 0, 1, 1, 1, 1,
	 convolution},
	{"Deconvolution", "convolution_param", NULL, 0, 1, 1, 1, 1,
	 deconvolution},
	{"InnerProduct", "inner_product_param", NULL, 0, 1, 1, 1, 1,
	 inner_product},
	{"Pooling", "pooling_param", NULL, 0, 1, 1, 1, 1, pooling},
	{0},
};
