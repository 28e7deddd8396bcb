/*
 * Layers that move elements: shapes, pieces, order, size.
 */
#include <math.h>
#include <string.h>

#include "loader/import/caffe_impl.h"

#define DIM_MAX INT32_MAX
#define POINTS_MAX 1024

/* An axis whose old name, for 4-D blobs alone, is @old. */
static uint32_t axis_or(struct mx_caffe_step *s, const char *old, uint32_t rank)
{
	if (mx_caffe_field(s, old)) {
		if (mx_caffe_field(s, "axis"))
			mx_caffe_bad(s, "both axis and %s", old);
		return mx_caffe_axis(s, old, 1, rank);
	}
	return mx_caffe_axis(s, "axis", 1, rank);
}

static void concat(struct mx_caffe_step *s)
{
	const uint32_t rank = mx_caffe_shape(s, s->in[0])->rank;
	const uint32_t count = s->layer->bottom_count;
	double moment = 0;
	uint32_t i;

	mx_caffe_set_int(s, "axis", axis_or(s, "concat_dim", rank));
	for (i = 0; i < count; i++)
		moment += mx_caffe_moment(s->caffe, s->in[i]);
	s->moment = moment / count;
	mx_caffe_emit(s, "Concat", s->in, count, NULL, 0);
}

/* [begin, begin + size) of @axis into top @top. */
static void slice_one(struct mx_caffe_step *s, uint32_t axis, int64_t begin,
		      int64_t size, uint32_t top)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	int64_t start[MX_RANK_MAX] = {0}, step[MX_RANK_MAX];
	struct mx_shape out = x;
	uint32_t i;

	for (i = 0; i < x.rank; i++)
		step[i] = 1;
	start[axis] = begin;
	out.dim[axis] = (size_t)size;
	mx_caffe_set_ints(s, "start", start, x.rank);
	mx_caffe_set_ints(s, "step", step, x.rank);
	mx_caffe_set_dims(s, "size", &out);
	mx_caffe_emit(s, "Slice", s->in, 1, NULL, top);
}

static void slice(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t axis = axis_or(s, "slice_dim", x.rank);
	const uint32_t tops = s->layer->top_count;
	int64_t point[POINTS_MAX + 2];
	int64_t dim;
	size_t points;
	uint32_t i;

	points = mx_caffe_ints(s, "slice_point", 1, DIM_MAX, point + 1,
			       POINTS_MAX);
	if (s->rc)
		return;
	dim = (int64_t)x.dim[axis];
	if (points == 0) {
		if (dim % tops)
			mx_caffe_bad(s, "%lld does not divide into %u tops",
				     (long long)dim, tops);
		for (i = 1; i < tops; i++)
			point[i] = dim / tops * i;
	} else if (points != tops - 1) {
		mx_caffe_bad(s, "%zu slice points for %u tops", points, tops);
		return;
	}
	point[0] = 0;
	point[tops] = dim;
	for (i = 0; i < tops && !s->rc; i++) {
		if (point[i + 1] <= point[i])
			mx_caffe_bad(s, "slice point %lld is out of order",
				     (long long)point[i + 1]);
		slice_one(s, axis, point[i], point[i + 1] - point[i], i);
	}
}

static void flatten(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t axis = mx_caffe_axis(s, "axis", 1, x.rank);
	const uint32_t end = mx_caffe_axis(s, "end_axis", -1, x.rank);
	struct mx_shape out = {0};
	uint32_t i;

	if (!s->rc && end < axis)
		mx_caffe_bad(s, "end_axis is before axis");
	if (s->rc)
		return;
	for (i = 0; i < axis; i++)
		out.dim[out.rank++] = x.dim[i];
	out.dim[out.rank++] = mx_shape_span(&x, axis, end + 1);
	for (i = end + 1; i < x.rank; i++)
		out.dim[out.rank++] = x.dim[i];
	mx_caffe_reshape(s, s->in[0], &out, 0);
}

/* --- Reshape -------------------------------------------------------------- */

/*
 * The output of Reshape's @dims in place of dimensions [@begin, @end) of x.
 * Returns 0 if it has not as many elements.
 */
static int reshaped(const struct mx_shape *x, const int64_t *dims, size_t count,
		    uint32_t begin, uint32_t end, struct mx_shape *out)
{
	const size_t total = mx_shape_elems(x);
	uint32_t i, unknown = MX_NONE;
	size_t elems;

	*out = (struct mx_shape){0};
	if (begin + count + (x->rank - end) > MX_RANK_MAX)
		return 0;
	for (i = 0; i < begin; i++)
		out->dim[out->rank++] = x->dim[i];
	for (i = 0; i < count; i++) {
		size_t dim = (size_t)dims[i];

		if (dims[i] == 0) {
			if (begin + i >= end)
				return 0;
			dim = x->dim[begin + i];
		} else if (dims[i] < 0) {
			if (unknown != MX_NONE)
				return 0;
			unknown = out->rank;
			dim = 1;
		}
		out->dim[out->rank++] = dim;
	}
	for (i = end; i < x->rank; i++)
		out->dim[out->rank++] = x->dim[i];
	if (mx_shape_count(out, &elems) < 0 || elems == 0)
		return 0;
	if (unknown != MX_NONE && total % elems == 0) {
		out->dim[unknown] = total / elems;
		elems = total;
	}
	return elems == total;
}

/* Where Reshape's dims begin: an axis may also be one past the end. */
static uint32_t reshape_axis(struct mx_caffe_step *s, uint32_t rank)
{
	int64_t axis = mx_caffe_int(s, "axis", 0, INT32_MIN, INT32_MAX);

	if (axis < 0)
		axis += (int64_t)rank + 1;
	if (axis < 0 || axis > rank) {
		mx_caffe_bad(s, "axis is outside the blob");
		axis = 0;
	}
	return (uint32_t)axis;
}

static void reshape(struct mx_caffe_step *s)
{
	const struct mx_caffe *caffe = s->caffe;
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const struct mx_prototxt_field *message = mx_caffe_field(s, "shape");
	const struct mx_prototxt_field *outer = s->param;
	const uint32_t begin = reshape_axis(s, x.rank);
	const int64_t axes =
		mx_caffe_int(s, "num_axes", -1, -1, (int64_t)MX_RANK_MAX);
	const uint32_t end = axes < 0 ? x.rank : begin + (uint32_t)axes;
	int64_t dims[MX_RANK_MAX];
	struct mx_shape out;
	size_t count;
	int baked;

	if (!message && !s->rc) {
		mx_caffe_bad(s, "has no shape");
		return;
	}
	s->param = message;
	count = mx_caffe_ints(s, "dim", -1, DIM_MAX, dims, MX_RANK_MAX);
	s->param = outer;
	if (end > x.rank)
		mx_caffe_bad(s, "num_axes is outside the blob");
	if (s->rc)
		return;
	/* The deploy net's batch, written as a number. */
	baked = begin == 0 && count > 0 && caffe->batch_from &&
		caffe->batch_from != caffe->batch_to &&
		dims[0] == (int64_t)caffe->batch_from;
	if (baked)
		dims[0] = (int64_t)caffe->batch_to;
	if (!reshaped(&x, dims, count, begin, end, &out)) {
		char text[MX_SHAPE_TEXT_BYTES];

		if (caffe->batch_from != caffe->batch_to)
			mx_caffe_refuse(s, "a shape for a batch of %zu",
					caffe->batch_from);
		else
			mx_caffe_bad(s, "does not fit %s",
				     mx_shape_text(&x, text));
		return;
	}
	mx_caffe_reshape(s, s->in[0], &out, 0);
}

/* --- order and pieces ----------------------------------------------------- */

static void permute(struct mx_caffe_step *s)
{
	const uint32_t rank = mx_caffe_shape(s, s->in[0])->rank;
	int64_t order[MX_RANK_MAX];
	unsigned seen = 0;
	size_t count, i;
	uint32_t axis;

	count = mx_caffe_ints(s, "order", 0, (int64_t)rank - 1, order, rank);
	for (i = 0; i < count; i++) {
		if (seen & 1u << order[i])
			mx_caffe_bad(s, "order has %lld twice",
				     (long long)order[i]);
		seen |= 1u << order[i];
	}
	/* The others follow in their order. */
	for (axis = 0; axis < rank && !s->rc; axis++)
		if (!(seen & 1u << axis))
			order[count++] = axis;
	mx_caffe_set_ints(s, "perm", order, count);
	mx_caffe_emit(s, "Transpose", s->in, 1, NULL, 0);
}

static void crop(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const struct mx_shape like = *mx_caffe_shape(s, s->in[1]);
	const uint32_t axis = mx_caffe_axis(s, "axis", 2, x.rank);
	int64_t offset[MX_RANK_MAX], start[MX_RANK_MAX] = {0};
	int64_t step[MX_RANK_MAX];
	struct mx_shape out = x;
	size_t count;
	uint32_t i;

	count = mx_caffe_ints(s, "offset", 0, DIM_MAX, offset, MX_RANK_MAX);
	if (like.rank != x.rank)
		mx_caffe_bad(s, "its bottoms have %u and %u dimensions", x.rank,
			     like.rank);
	if (count > 1 && count != x.rank - axis)
		mx_caffe_bad(s, "%zu offsets for %u dimensions", count,
			     x.rank - axis);
	if (s->rc)
		return;
	for (i = 0; i < x.rank; i++) {
		step[i] = 1;
		if (i < axis)
			continue;
		out.dim[i] = like.dim[i];
		if (count > 0)
			start[i] = offset[count > 1 ? i - axis : 0];
		if ((size_t)start[i] > x.dim[i] ||
		    like.dim[i] > x.dim[i] - (size_t)start[i])
			mx_caffe_bad(s, "crops outside dimension %u", i);
	}
	mx_caffe_set_ints(s, "start", start, x.rank);
	mx_caffe_set_ints(s, "step", step, x.rank);
	mx_caffe_set_dims(s, "size", &out);
	mx_caffe_emit(s, "Slice", s->in, 1, NULL, 0);
}

static void tile(struct mx_caffe_step *s)
{
	struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const uint32_t axis = mx_caffe_axis(s, "axis", 1, x.rank);
	const int64_t tiles = mx_caffe_int(s, "tiles", 0, 1, DIM_MAX);

	if (tiles == 0)
		mx_caffe_bad(s, "has no tiles");
	if (s->rc)
		return;
	x.dim[axis] *= (size_t)tiles;
	if (mx_shape_count(&x, &(size_t){0}) < 0)
		mx_caffe_bad(s, "is too big");
	mx_caffe_set_dims(s, "shape", &x);
	mx_caffe_emit(s, "Tile", s->in, 1, NULL, 0);
}

static void reduction(struct mx_caffe_step *s)
{
	static const char *const words[] = {"",	     "SUM",  "ASUM",
					    "SUMSQ", "MEAN", NULL};
	/* The device's kinds, in the order of the words. */
	static const int64_t kinds[] = {0, 0, 4, 5, 1};
	const int kind = mx_caffe_enum(s, "operation", words, 1);
	const uint32_t rank = mx_caffe_shape(s, s->in[0])->rank;
	const uint32_t axis = mx_caffe_axis(s, "axis", 0, rank);
	int64_t axes[MX_RANK_MAX];
	uint32_t i;

	for (i = axis; i < rank; i++)
		axes[i - axis] = i;
	mx_caffe_set_int(s, "kind", kinds[kind]);
	mx_caffe_set_ints(s, "axes", axes, rank - axis);
	mx_caffe_set_int(s, "keep", 0);
	mx_caffe_set_float(s, "coeff", mx_caffe_float(s, "coeff", 1));
	mx_caffe_emit(s, "Reduce", s->in, 1, NULL, 0);
}

static void arg_max(struct mx_caffe_step *s)
{
	const uint32_t rank = mx_caffe_shape(s, s->in[0])->rank;

	if (mx_caffe_field(s, "axis"))
		mx_caffe_set_int(s, "axis", mx_caffe_axis(s, "axis", 0, rank));
	mx_caffe_set_int(s, "top_k", mx_caffe_int(s, "top_k", 1, 1, DIM_MAX));
	mx_caffe_set_int(s, "out_max_val", mx_caffe_bool(s, "out_max_val", 0));
	mx_caffe_emit(s, "ArgMax", s->in, 1, NULL, 0);
}

/* --- size ----------------------------------------------------------------- */

/* To @height x @width. Modes and coordinates: docs/operators.md, Resize. */
static void resize(struct mx_caffe_step *s, int64_t height, int64_t width,
		   int linear)
{
	struct mx_shape out = *mx_caffe_shape(s, s->in[0]);
	const double scale[4] = {1, 1, (double)height / (double)out.dim[2],
				 (double)width / (double)out.dim[3]};

	if (s->rc)
		return;
	out.dim[2] = (size_t)height;
	out.dim[3] = (size_t)width;
	if (height < 1 || width < 1 || mx_shape_count(&out, &(size_t){0}) < 0)
		mx_caffe_bad(s, "makes %lld x %lld", (long long)height,
			     (long long)width);
	mx_caffe_set_int(s, "mode", linear ? 1 : 0);
	mx_caffe_set_dims(s, "size", &out);
	mx_caffe_set_int(s, "coordinates", linear ? 2 : 1);
	mx_caffe_set_int(s, "nearest", 2);
	mx_caffe_set_floats(s, "scale", scale, 4);
	mx_caffe_emit(s, "Resize", s->in, 1, NULL, 0);
}

static int is_picture(struct mx_caffe_step *s, const struct mx_shape *x)
{
	if (!s->rc && x->rank != 4)
		mx_caffe_refuse(s, "a bottom of %u dimensions", x->rank);
	return !s->rc;
}

/* Darknet's: each element becomes scale x scale. */
static void upsample(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const int64_t scale = mx_caffe_int(s, "scale", 0, 1, 65536);

	if (scale == 0)
		mx_caffe_refuse(s, "no scale");
	if (is_picture(s, &x))
		resize(s, (int64_t)x.dim[2] * scale, (int64_t)x.dim[3] * scale,
		       0);
}

/* DeepLab's: bilinear, corners on corners. */
static void interp(struct mx_caffe_step *s)
{
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const int64_t zoom = mx_caffe_int(s, "zoom_factor", 0, 1, 65536);
	const int64_t shrink = mx_caffe_int(s, "shrink_factor", 0, 1, 65536);
	int64_t height = mx_caffe_int(s, "height", 0, 1, DIM_MAX);
	int64_t width = mx_caffe_int(s, "width", 0, 1, DIM_MAX);

	if (!is_picture(s, &x))
		return;
	if (!height || !width) {
		height = (int64_t)x.dim[2];
		width = (int64_t)x.dim[3];
		if (shrink) {
			height = (height - 1) / shrink + 1;
			width = (width - 1) / shrink + 1;
		}
		if (zoom) {
			height += (height - 1) * (zoom - 1);
			width += (width - 1) * (zoom - 1);
		}
	}
	resize(s, height, width, 1);
}

#define ANY MX_CAFFE_ANY

const struct mx_caffe_kind mx_caffe_shape_kinds[] = {
	{"Concat", "concat_param", NULL, 0, 1, ANY, 1, 1, concat},
	{"Slice", "slice_param", NULL, 0, 1, 1, 1, POINTS_MAX + 1, slice},
	{"Flatten", "flatten_param", NULL, 0, 1, 1, 1, 1, flatten},
	{"Reshape", "reshape_param", NULL, 0, 1, 1, 1, 1, reshape},
	{"Permute", "permute_param", NULL, 0, 1, 1, 1, 1, permute},
	{"Crop", "crop_param", NULL, 0, 2, 2, 1, 1, crop},
	{"Tile", "tile_param", NULL, 0, 1, 1, 1, 1, tile},
	{"Reduction", "reduction_param", NULL, 0, 1, 1, 1, 1, reduction},
	{"ArgMax", "argmax_param", NULL, 0, 1, 1, 1, 1, arg_max},
	{"Upsample", "upsample_param", NULL, 0, 1, 1, 1, 1, upsample},
	{"Interp", "interp_param", NULL, 0, 1, 1, 1, 1, interp},
	{0},
};
