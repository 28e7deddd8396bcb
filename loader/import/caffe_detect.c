/*
 * SSD's layers: PriorBox, which is a constant, and DetectionOutput.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/caffe_impl.h"
#include "loader/import/prior_box.h"

#define PICTURE_MAX (1 << 20)
/* Boxes are computed in memory: 256 MiB of them is a mistake. */
#define PRIOR_VALUES_MAX ((size_t)1 << 26)

/* @one for both of @key_h and @key_w, which default to @fallback. */
static void read_pair(struct mx_caffe_step *s, const char *one,
		      const char *key_h, const char *key_w, double fallback,
		      double *h, double *w)
{
	const double both = mx_caffe_float(s, one, fallback);

	*h = mx_caffe_float(s, key_h, both);
	*w = mx_caffe_float(s, key_w, both);
	if (!s->rc && (!(*h >= 0 && *h <= PICTURE_MAX) ||
		       !(*w >= 0 && *w <= PICTURE_MAX)))
		mx_caffe_bad(s, "%s is out of range", one);
}

static void read_sizes(struct mx_caffe_step *s, struct mx_prior_box *box)
{
	double ratio[MX_PRIOR_RATIOS_MAX];
	const int flip = mx_caffe_bool(s, "flip", 1);
	size_t ratios, i;

	box->min_count = mx_caffe_floats(s, "min_size", box->min_size,
					 MX_PRIOR_SIZES_MAX);
	box->max_count = mx_caffe_floats(s, "max_size", box->max_size,
					 MX_PRIOR_SIZES_MAX);
	ratios = mx_caffe_floats(s, "aspect_ratio", ratio, MX_PRIOR_RATIOS_MAX);
	if (box->min_count == 0 ||
	    (box->max_count != 0 && box->max_count != box->min_count))
		mx_caffe_bad(s, "%zu minimum and %zu maximum sizes",
			     box->min_count, box->max_count);
	for (i = 0; i < box->min_count && !s->rc; i++)
		if (!(box->min_size[i] > 0) ||
		    (box->max_count && !(box->max_size[i] > box->min_size[i])))
			mx_caffe_bad(s, "bad minimum or maximum size");
	box->ratio[0] = 1;
	box->ratio_count = 1;
	for (i = 0; i < ratios && !s->rc; i++)
		if (!(ratio[i] > 0) ||
		    mx_prior_box_ratio(box, ratio[i], flip) < 0)
			mx_caffe_bad(s, "bad aspect ratios");
}

static void read_variance(struct mx_caffe_step *s, struct mx_prior_box *box)
{
	const size_t count = mx_caffe_floats(s, "variance", box->variance, 4);
	size_t i;

	if (count == 2 || count == 3)
		mx_caffe_bad(s, "%zu variances, not 1 or 4", count);
	if (count == 0)
		box->variance[0] = 0.1;
	for (i = 1; i < 4 && count < 2; i++)
		box->variance[i] = box->variance[0];
}

static void read_prior_box(struct mx_caffe_step *s, struct mx_prior_box *box)
{
	const struct mx_shape map = *mx_caffe_shape(s, s->in[0]);
	const struct mx_shape image = *mx_caffe_shape(s, s->in[1]);
	double image_h, image_w;

	if (map.rank != 4 || image.rank != 4) {
		mx_caffe_refuse(s, "bottoms of %u and %u dimensions", map.rank,
				image.rank);
		return;
	}
	read_sizes(s, box);
	read_variance(s, box);
	read_pair(s, "img_size", "img_h", "img_w", 0, &image_h, &image_w);
	read_pair(s, "step", "step_h", "step_w", 0, &box->step_h, &box->step_w);
	box->clip = mx_caffe_bool(s, "clip", 0);
	box->offset = mx_caffe_float(s, "offset", 0.5);
	if (s->rc)
		return;
	box->map_h = map.dim[2];
	box->map_w = map.dim[3];
	box->image_h = (size_t)image_h;
	box->image_w = (size_t)image_w;
	if (box->image_h == 0 || box->image_w == 0) {
		box->image_h = image.dim[2];
		box->image_w = image.dim[3];
	}
	/* Caffe divides in single precision here. */
	if (box->step_h == 0 || box->step_w == 0) {
		box->step_h = (float)box->image_h / (float)box->map_h;
		box->step_w = (float)box->image_w / (float)box->map_w;
	}
}

static void prior_box(struct mx_caffe_step *s)
{
	struct mx_shape shape = {.rank = 3, .dim = {1, 2, 0}};
	struct mx_prior_box box = {0};
	struct mx_const constant;
	struct mx_blob blob;
	size_t count, bytes;
	float *values;

	read_prior_box(s, &box);
	if (s->rc)
		return;
	if (mx_size_mul(box.map_h * box.map_w, mx_prior_box_count(&box) * 4,
			&shape.dim[2]) < 0 ||
	    mx_shape_count(&shape, &count) < 0 || count > PRIOR_VALUES_MAX ||
	    mx_size_mul(count, sizeof(*values), &bytes) < 0) {
		mx_caffe_bad(s, "makes too many boxes");
		return;
	}
	values = malloc(bytes);
	if (!values) {
		s->rc = mx_fail_errno(s->caffe->err, "layer %s",
				      s->layer->name);
		return;
	}
	mx_prior_box_fill(&box, values);
	if (mx_graph_own(s->caffe->graph, values) < 0) {
		s->rc = mx_fail(s->caffe->err, ENOMEM, "layer %s: no memory",
				s->layer->name);
		return;
	}
	blob = (struct mx_blob){
		.kind = MX_BLOB_BYTES,
		.type = MX_DTYPE_F32,
		.count = count,
		.data = values,
	};
	s->rc = mx_const_init(&constant, &blob, &shape, s->caffe->err);
	mx_caffe_constant(s, &constant, 0);
}

/* Non-maximum suppression has a message of its own. */
static void read_nms(struct mx_caffe_step *s)
{
	const struct mx_prototxt_field *outer = s->param;
	double threshold;
	int64_t top_k;
	double eta;

	s->param = mx_caffe_field(s, "nms_param");
	threshold = mx_caffe_float(s, "nms_threshold", 0.3);
	top_k = mx_caffe_int(s, "top_k", -1, -1, INT32_MAX);
	eta = mx_caffe_float(s, "eta", 1);
	s->param = outer;
	mx_caffe_set_float(s, "nms_threshold", threshold);
	mx_caffe_set_int(s, "top_k", top_k);
	mx_caffe_set_float(s, "eta", eta);
}

static void detection_output(struct mx_caffe_step *s)
{
	static const char *const codes[] = {"", "CORNER", "CENTER_SIZE",
					    "CORNER_SIZE", NULL};
	const int64_t classes = mx_caffe_int(s, "num_classes", 0, 1, INT32_MAX);

	if (classes == 0)
		mx_caffe_bad(s, "has no num_classes");
	if (!mx_caffe_bool(s, "normalized_bbox", 1))
		mx_caffe_refuse(s, "normalized_bbox=false");
	mx_caffe_set_int(s, "num_classes", classes);
	mx_caffe_set_int(s, "share_location",
			 mx_caffe_bool(s, "share_location", 1));
	mx_caffe_set_int(
		s, "background",
		mx_caffe_int(s, "background_label_id", 0, -1, INT32_MAX));
	mx_caffe_set_int(s, "keep_top_k",
			 mx_caffe_int(s, "keep_top_k", -1, -1, INT32_MAX));
	mx_caffe_set_int(s, "code_type",
			 mx_caffe_enum(s, "code_type", codes, 1));
	mx_caffe_set_int(s, "variance_encoded",
			 mx_caffe_bool(s, "variance_encoded_in_target", 0));
	if (mx_caffe_field(s, "confidence_threshold"))
		mx_caffe_set_float(
			s, "confidence_threshold",
			mx_caffe_float(s, "confidence_threshold", 0));
	read_nms(s);
	s->moment = 1;
	mx_caffe_emit(s, "DetectionOutput", s->in, 3, NULL, 0);
}

const struct mx_caffe_kind mx_caffe_detect_kinds[] = {
	{"PriorBox", "prior_box_param", NULL, 0, 2, 2, 1, 1, prior_box},
	{"DetectionOutput", "detection_output_param", NULL, 0, 3, 3, 1, 1,
	 detection_output},
	{0},
};
