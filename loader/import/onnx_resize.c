/* Resize and Upsample, in the forms they had since opset 7. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/shape.h"
#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

enum { MODE_NEAREST, MODE_LINEAR, MODE_CUBIC };
enum {
	COORDINATES_HALF_PIXEL = 0,
	COORDINATES_ASYMMETRIC = 1,
	COORDINATES_CROP = 5
};
enum { NEAREST_FLOOR = 2 };

/* In the order of the device's numbers. */
static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
static const char *const coordinates[] = {
	"half_pixel",		"asymmetric",
	"align_corners",	"pytorch_half_pixel",
	"tf_half_pixel_for_nn", "tf_crop_and_resize",
	"half_pixel_symmetric", NULL};
static const char *const roundings[] = {
	"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};

struct resize {
	int64_t mode;
	int64_t coordinates;
	int64_t rounding;
	size_t size[MX_RANK_MAX];
	float scale[MX_RANK_MAX];
	float roi[2 * MX_RANK_MAX];
	/* Which axis the k-th of roi, scales and sizes is for. */
	uint32_t axes[MX_RANK_MAX];
	size_t axis_count;
};

static int choice(const char *const *names, const char *name, int64_t *out)
{
	int64_t i;

	for (i = 0; names[i]; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = i;
			return 1;
		}
	}
	return 0;
}

static int read_choices(struct mx_onnx *onnx, struct mx_onnx_node *node,
			struct resize *resize)
{
	const char *mode = mx_onnx_string(node, "mode", "nearest");
	const char *name;

	/* Upsample's name for it before opset 9. */
	if (strcmp(mode, "bilinear") == 0)
		mode = "linear";
	if (!choice(modes, mode, &resize->mode))
		return mx_onnx_refuse(onnx, node, "mode=%.40s", mode);
	/* Before opset 11 there was no choice. */
	resize->coordinates = COORDINATES_ASYMMETRIC;
	resize->rounding = NEAREST_FLOOR;
	if (onnx->opset < 11 || strcmp(node->op, "Upsample") == 0)
		return 0;
	name = mx_onnx_string(node, "coordinate_transformation_mode",
			      "half_pixel");
	if (!choice(coordinates, name, &resize->coordinates))
		return mx_onnx_refuse(onnx, node,
				      "coordinate_transformation_mode=%.40s",
				      name);
	name = mx_onnx_string(node, "nearest_mode", "round_prefer_floor");
	if (!choice(roundings, name, &resize->rounding))
		return mx_onnx_refuse(onnx, node, "nearest_mode=%.40s", name);
	return 0;
}

static int read_axes(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     struct resize *resize)
{
	const uint32_t rank = mx_onnx_in(node, 0)->shape.rank;
	int64_t list[MX_ONNX_LIST_MAX];
	size_t count, i;
	int rc;

	rc = mx_onnx_ints(onnx, node, "axes", list, &count);
	if (rc)
		return rc;
	if (count > rank)
		return mx_onnx_bad(onnx, node, "has %zu axes", count);
	resize->axis_count = count ? count : rank;
	for (i = 0; i < resize->axis_count; i++) {
		rc = mx_onnx_axis(onnx, node, count ? list[i] : (int64_t)i,
				  rank, &resize->axes[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* Floats of input @k; *@count 0 when it is absent. */
static int read_floats(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       size_t k, size_t room, float *out, size_t *count)
{
	const struct mx_const *constant;
	int rc;

	*count = 0;
	if (!mx_onnx_in(node, k))
		return 0;
	rc = mx_onnx_const(onnx, node, k, &constant);
	if (rc)
		return rc;
	*count = mx_shape_elems(&constant->shape);
	if (*count > room)
		return mx_onnx_bad(onnx, node, "input %zu has %zu values", k,
				   *count);
	mx_const_read_f32(constant, 0, *count, out);
	return 0;
}

/* The region that tf_crop_and_resize takes. */
static int read_roi(struct mx_onnx *onnx, struct mx_onnx_node *node,
		    struct resize *resize)
{
	const uint32_t rank = mx_onnx_in(node, 0)->shape.rank;
	float given[2 * MX_RANK_MAX];
	size_t count, i;
	uint32_t d;
	int rc;

	for (d = 0; d < rank; d++) {
		resize->roi[d] = 0;
		resize->roi[rank + d] = 1;
	}
	if (resize->coordinates != COORDINATES_CROP)
		return 0;
	rc = read_floats(onnx, node, 1, 2 * MX_RANK_MAX, given, &count);
	if (rc)
		return rc;
	if (count != 2 * resize->axis_count)
		return mx_onnx_bad(onnx, node, "its region has %zu values",
				   count);
	for (i = 0; i < resize->axis_count; i++) {
		resize->roi[resize->axes[i]] = given[i];
		resize->roi[rank + resize->axes[i]] =
			given[resize->axis_count + i];
	}
	return 0;
}

/* Scales from wherever this version has them. */
static int read_scales(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       float *out, size_t *count)
{
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, "scales");
	const int has_roi =
		strcmp(node->op, "Resize") == 0 && onnx->opset >= 11;
	size_t i;

	if (mx_onnx_attr(node, "height_scale")) {
		/* Opset 1: of rank 4 alone. */
		out[0] = 1;
		out[1] = 1;
		out[2] = mx_onnx_float(node, "height_scale", 1);
		out[3] = mx_onnx_float(node, "width_scale", 1);
		*count = 4;
		return 0;
	}
	if (!attr)
		return read_floats(onnx, node, has_roi ? 2 : 1, MX_RANK_MAX,
				   out, count);
	*count = attr->proto->n_floats;
	if (*count > MX_RANK_MAX)
		return mx_onnx_bad(onnx, node, "has %zu scales", *count);
	for (i = 0; i < *count; i++)
		out[i] = attr->proto->floats[i];
	return 0;
}

static int apply_scales(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const float *scales, struct resize *resize)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	size_t i;

	for (i = 0; i < resize->axis_count; i++) {
		const uint32_t axis = resize->axes[i];
		const float region = resize->coordinates == COORDINATES_CROP
					     ? resize->roi[x->rank + axis] -
						       resize->roi[axis]
					     : 1;
		/* In floats, as the reference does it: a scale of 2.2 must
		 * give the same size here. */
		float size = floorf((float)x->dim[axis] * region * scales[i]);

		if (!(scales[i] > 0) || !(size >= 1) || size > 0x1p31f)
			return mx_onnx_bad(onnx, node, "scale %zu is %g", i,
					   (double)scales[i]);
		resize->scale[axis] = scales[i];
		resize->size[axis] = (size_t)size;
	}
	return 0;
}

static int apply_sizes(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       const int64_t *sizes, struct resize *resize)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	const char *policy =
		mx_onnx_string(node, "keep_aspect_ratio_policy", "stretch");
	const int not_larger = strcmp(policy, "not_larger") == 0;
	float scale = 0;
	size_t i;

	if (!not_larger && strcmp(policy, "stretch") != 0 &&
	    strcmp(policy, "not_smaller") != 0)
		return mx_onnx_refuse(onnx, node,
				      "keep_aspect_ratio_policy=%.40s", policy);
	for (i = 0; i < resize->axis_count; i++) {
		const uint32_t axis = resize->axes[i];
		float own = (float)sizes[i] / (float)x->dim[axis];

		if (sizes[i] < 1 || sizes[i] > INT32_MAX)
			return mx_onnx_bad(onnx, node, "size %zu is %lld", i,
					   (long long)sizes[i]);
		resize->size[axis] = (size_t)sizes[i];
		resize->scale[axis] = own;
		if (i == 0 || (not_larger ? own < scale : own > scale))
			scale = own;
	}
	for (i = 0; i < resize->axis_count && strcmp(policy, "stretch") != 0;
	     i++) {
		const uint32_t axis = resize->axes[i];
		float size = floorf(scale * (float)x->dim[axis] + 0.5f);

		resize->scale[axis] = scale;
		resize->size[axis] = size < 1 ? 1 : (size_t)size;
	}
	return 0;
}

static int read_size(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     struct resize *resize)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	float scales[MX_RANK_MAX];
	int64_t sizes[MX_ONNX_LIST_MAX];
	size_t scale_count, size_count = 0;
	uint32_t d;
	int rc;

	for (d = 0; d < x->rank; d++) {
		resize->size[d] = x->dim[d];
		resize->scale[d] = 1;
	}
	rc = read_scales(onnx, node, scales, &scale_count);
	if (!rc && strcmp(node->op, "Resize") == 0 && onnx->opset >= 11)
		rc = mx_onnx_in_ints(onnx, node, 3, sizes, &size_count);
	if (rc)
		return rc;
	if ((size_count && size_count != resize->axis_count) ||
	    (!size_count && scale_count != resize->axis_count))
		return mx_onnx_bad(onnx, node,
				   "%zu scales, %zu sizes for %zu axes",
				   scale_count, size_count, resize->axis_count);
	if (size_count)
		return apply_sizes(onnx, node, sizes, resize);
	return apply_scales(onnx, node, scales, resize);
}

static int store(const struct mx_onnx_node *node, const struct resize *resize,
		 uint32_t rank, struct mx_attrs *attrs)
{
	const struct {
		const char *name;
		int64_t value;
	} ints[] = {
		{"mode", resize->mode},
		{"coordinates", resize->coordinates},
		{"nearest", resize->rounding},
		{"exclude_outside", mx_onnx_int(node, "exclude_outside", 0)},
		{"antialias", mx_onnx_int(node, "antialias", 0)},
	};
	size_t i;
	int rc;

	rc = mx_onnx_set_sizes(attrs, "size", resize->size, rank);
	for (i = 0; i < sizeof(ints) / sizeof(ints[0]) && !rc; i++)
		rc = mx_attrs_set_int(attrs, ints[i].name, ints[i].value);
	if (!rc)
		rc = mx_attrs_set_floats(attrs, "scale", resize->scale, rank);
	if (!rc)
		rc = mx_attrs_set_floats(attrs, "roi", resize->roi,
					 (size_t)2 * rank);
	if (!rc)
		rc = mx_attrs_set_float(
			attrs, "cubic",
			mx_onnx_float(node, "cubic_coeff_a", -0.75f));
	if (!rc)
		rc = mx_attrs_set_float(
			attrs, "extrapolation",
			mx_onnx_float(node, "extrapolation_value", 0));
	return rc;
}

int mx_onnx_resize(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *x = mx_onnx_in(node, 0);
	struct resize resize = {.mode = MODE_NEAREST};
	struct mx_attrs attrs = {0};
	uint32_t in, out;
	int rc;

	rc = read_choices(onnx, node, &resize);
	if (!rc)
		rc = read_axes(onnx, node, &resize);
	if (!rc)
		rc = read_roi(onnx, node, &resize);
	if (!rc)
		rc = read_size(onnx, node, &resize);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = store(node, &resize, x->shape.rank, &attrs);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Resize", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, x->type);
}
