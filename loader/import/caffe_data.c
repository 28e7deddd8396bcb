/*
 * Inputs, data layers (their shapes are all that matters here), and the
 * layers that only training and testing need.
 */
#include <string.h>

#include "loader/import/caffe_impl.h"

#define DIM_MAX INT32_MAX

/* Top 0 is an input; what else a data layer makes is labels, for training. */
static void input(struct mx_caffe_step *s, const struct mx_shape *shape)
{
	uint32_t i;

	if (s->rc)
		return;
	s->rc = mx_caffe_input(s->caffe, s->layer->tops[0]->text,
			       s->layer->name, shape, s->layer->field,
			       &s->out[0]);
	for (i = 1; i < s->layer->top_count; i++)
		s->out[i] = MX_CAFFE_ABSENT;
}

/* Input: a shape each, or one for all. */
static void input_layer(struct mx_caffe_step *s)
{
	const struct mx_prototxt *tree = s->caffe->net.tree;
	const struct mx_prototxt_field *f = mx_caffe_field(s, "shape");
	struct mx_shape shape;
	uint32_t i;

	for (i = 0; i < s->layer->top_count && !s->rc; i++) {
		const struct mx_prototxt_field *next;

		if (f) {
			s->rc = mx_caffe_shape_read(tree, f, &shape,
						    s->caffe->err);
			if (s->rc)
				return;
		}
		s->rc = mx_caffe_input(s->caffe, s->layer->tops[i]->text,
				       s->layer->name, f ? &shape : NULL,
				       s->layer->field, &s->out[i]);
		next = f ? mx_prototxt_again(tree, f) : NULL;
		if (next)
			f = next;
	}
}

/* A dimension of a data layer, 0 if it is not given. */
static size_t dim_of(struct mx_caffe_step *s, const char *key, int64_t fallback)
{
	return (size_t)mx_caffe_int(s, key, fallback, 0, DIM_MAX);
}

/* What the layer's own transformation crops pictures to, 0: nothing. */
static size_t crop_size(struct mx_caffe_step *s)
{
	const struct mx_prototxt *tree = s->caffe->net.tree;
	const struct mx_prototxt_field *outer = s->param;
	size_t crop;

	/* V1 has it among the layer's own parameters. */
	crop = dim_of(s, "crop_size", 0);
	s->param = mx_prototxt_find(tree, s->layer->field, "transform_param");
	if (s->param && s->param->kind == MX_PROTOTXT_MESSAGE)
		crop = dim_of(s, "crop_size", (int64_t)crop);
	s->param = outer;
	return crop;
}

/* A data layer that says [batch, channels, height, width], or parts of it. */
static void data_layer(struct mx_caffe_step *s)
{
	const int is_image = strcmp(s->kind->type, "ImageData") == 0;
	const int is_color = mx_caffe_bool(s, "is_color", 1) &&
			     mx_caffe_bool(s, "images_in_color", 1);
	const size_t crop = crop_size(s);
	struct mx_shape shape = {.rank = 4};
	int known = 1;
	uint32_t i;

	shape.dim[0] = dim_of(s, "batch_size", 1);
	shape.dim[1] = dim_of(s, "channels", is_image ? (is_color ? 3 : 1) : 0);
	shape.dim[2] = dim_of(s, "height", (int64_t)dim_of(s, "new_height", 0));
	shape.dim[3] = dim_of(s, "width", (int64_t)dim_of(s, "new_width", 0));
	if (crop)
		shape.dim[2] = shape.dim[3] = crop;
	for (i = 0; i < 4; i++)
		known &= shape.dim[i] != 0;
	input(s, known ? &shape : NULL);
}

/* DummyData with constants: [num, channels, height, width] or shapes. */
static void dummy_data(struct mx_caffe_step *s)
{
	static const char *const dims[] = {"num", "channels", "height",
					   "width"};
	const struct mx_prototxt *tree = s->caffe->net.tree;
	const struct mx_prototxt_field *f = mx_caffe_field(s, "shape");
	const struct mx_prototxt_field *outer = s->param;
	struct mx_shape shape = {.rank = 4};
	struct mx_const constant;
	struct mx_blob blob = {.kind = MX_BLOB_FILL, .type = MX_DTYPE_F32};
	size_t count = 0, i;

	s->param = mx_caffe_field(s, "data_filler");
	if (mx_caffe_field(s, "type") &&
	    strcmp(mx_caffe_field(s, "type")->text, "constant") != 0)
		mx_caffe_refuse(s, "data_filler is no constant");
	blob.fill = mx_caffe_float(s, "value", 0);
	s->param = outer;
	for (i = 0; i < 4 && !f; i++)
		shape.dim[i] = dim_of(s, dims[i], 0);
	if (f && !s->rc)
		s->rc = mx_caffe_shape_read(tree, f, &shape, s->caffe->err);
	if (!s->rc && (mx_shape_count(&shape, &count) < 0 || count == 0))
		mx_caffe_bad(s, "has no shape");
	if (s->rc)
		return;
	blob.count = count;
	s->rc = mx_const_init(&constant, &blob, &shape, s->caffe->err);
	mx_caffe_constant(s, &constant, 0);
}

#define ANY MX_CAFFE_ANY
#define DATA(type, param)                                                      \
	{                                                                      \
		type, param, NULL, MX_CAFFE_ANY_PARAM, 0, 0, 1, 2, data_layer  \
	}
#define DROPPED(type)                                                          \
	{                                                                      \
		type, NULL, NULL, MX_CAFFE_DROPPED, 0, ANY, 0, ANY, NULL       \
	}

const struct mx_caffe_kind mx_caffe_data_kinds[] = {
	{"Input", "input_param", NULL, 0, 0, 0, 1, ANY, input_layer},
	DATA("Data", "data_param"),
	DATA("ImageData", "image_data_param"),
	DATA("MemoryData", "memory_data_param"),
	DATA("HDF5Data", "hdf5_data_param"),
	DATA("WindowData", "window_data_param"),
	{"DummyData", "dummy_data_param", NULL, 0, 0, 0, 1, 1, dummy_data},
	DROPPED("Accuracy"),
	DROPPED("ContrastiveLoss"),
	DROPPED("DetectionEvaluate"),
	DROPPED("EuclideanLoss"),
	DROPPED("HDF5Output"),
	DROPPED("HingeLoss"),
	DROPPED("InfogainLoss"),
	DROPPED("MultiBoxLoss"),
	DROPPED("MultinomialLogisticLoss"),
	DROPPED("SigmoidCrossEntropyLoss"),
	DROPPED("SmoothL1Loss"),
	DROPPED("SoftmaxWithLoss"),
	{0},
};
