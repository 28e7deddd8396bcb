#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/caffe_impl.h"

/* Parameters that do not change what a TEST net computes. */
static const char *const harmless[] = {
	"weight_filler",
	"bias_filler",
	"filler",
	"scale_filler",
	"engine",
	"force_nd_im2col",
	"dropout_ratio",
	"scale_train",
	"stable_prod_grad",
	"visualize",
	"visualize_threshold",
	"save_output_param",
	"cudnn_convolution_algo",
	"moving_average_fraction",
};

static const struct mx_prototxt *tree_of(const struct mx_caffe_step *step)
{
	return step->caffe->net.tree;
}

static void mark(struct mx_caffe_step *step,
		 const struct mx_prototxt_field *field)
{
	step->caffe->used[field - tree_of(step)->fields] = 1;
}

const struct mx_prototxt_field *mx_caffe_field(struct mx_caffe_step *step,
					       const char *key)
{
	const struct mx_prototxt_field *first, *f;

	if (!step->param)
		return NULL;
	first = mx_prototxt_find(tree_of(step), step->param, key);
	for (f = first; f; f = mx_prototxt_again(tree_of(step), f))
		mark(step, f);
	return first;
}

int64_t mx_caffe_int(struct mx_caffe_step *step, const char *key,
		     int64_t fallback, int64_t min, int64_t max)
{
	const struct mx_prototxt_field *f = mx_caffe_field(step, key);
	int64_t value = fallback;

	if (f && !step->rc)
		step->rc = mx_prototxt_int(tree_of(step), f, min, max, &value,
					   step->caffe->err);
	return value;
}

double mx_caffe_float(struct mx_caffe_step *step, const char *key,
		      double fallback)
{
	const struct mx_prototxt_field *f = mx_caffe_field(step, key);
	double value = fallback;

	if (f && !step->rc)
		step->rc = mx_prototxt_float(tree_of(step), f, &value,
					     step->caffe->err);
	return value;
}

int mx_caffe_bool(struct mx_caffe_step *step, const char *key, int fallback)
{
	const struct mx_prototxt_field *f = mx_caffe_field(step, key);
	int value = fallback;

	if (f && !step->rc)
		step->rc = mx_prototxt_bool(tree_of(step), f, &value,
					    step->caffe->err);
	return value;
}

int mx_caffe_enum(struct mx_caffe_step *step, const char *key,
		  const char *const *words, int fallback)
{
	const struct mx_prototxt_field *f = mx_caffe_field(step, key);
	char number[16];
	int i;

	if (!f || step->rc)
		return fallback;
	for (i = 0; f->text && words[i]; i++) {
		(void)snprintf(number, sizeof(number), "%d", i);
		if (strcmp(words[i], f->text) == 0 ||
		    strcmp(number, f->text) == 0)
			return i;
	}
	mx_caffe_refuse(step, "%s=%s", key, f->text ? f->text : "{}");
	return fallback;
}

size_t mx_caffe_ints(struct mx_caffe_step *step, const char *key, int64_t min,
		     int64_t max, int64_t *out, size_t room)
{
	const struct mx_prototxt_field *f = mx_caffe_field(step, key);
	size_t count = 0;

	for (; f && !step->rc; f = mx_prototxt_again(tree_of(step), f)) {
		if (count == room) {
			step->rc = mx_prototxt_fail(
				tree_of(step), f, step->caffe->err,
				"layer \"%s\": more than %zu values of %s",
				step->layer->name, room, key);
			break;
		}
		step->rc = mx_prototxt_int(tree_of(step), f, min, max,
					   &out[count++], step->caffe->err);
	}
	return step->rc ? 0 : count;
}

size_t mx_caffe_floats(struct mx_caffe_step *step, const char *key, double *out,
		       size_t room)
{
	const struct mx_prototxt_field *f = mx_caffe_field(step, key);
	size_t count = 0;

	for (; f && !step->rc; f = mx_prototxt_again(tree_of(step), f)) {
		if (count == room) {
			step->rc = mx_prototxt_fail(
				tree_of(step), f, step->caffe->err,
				"layer \"%s\": more than %zu values of %s",
				step->layer->name, room, key);
			break;
		}
		step->rc = mx_prototxt_float(tree_of(step), f, &out[count++],
					     step->caffe->err);
	}
	return step->rc ? 0 : count;
}

uint32_t mx_caffe_axis(struct mx_caffe_step *step, const char *key,
		       int64_t fallback, uint32_t rank)
{
	const int64_t axis =
		mx_caffe_int(step, key, fallback, INT32_MIN, INT32_MAX);
	uint32_t out = 0;

	if (!step->rc && mx_shape_axis(rank, axis, &out) < 0)
		mx_caffe_bad(step, "%s=%lld of a blob of %u dimensions", key,
			     (long long)axis, rank);
	return out;
}

void mx_caffe_refuse(struct mx_caffe_step *step, const char *fmt, ...)
{
	char what[256];
	va_list args;
	int used;

	if (step->rc && step->rc != -ENOTSUP)
		return;
	used = snprintf(what, sizeof(what), "%s: ", step->layer->type);
	if (used < 0 || (size_t)used >= sizeof(what))
		used = 0;
	va_start(args, fmt);
	(void)vsnprintf(what + used, sizeof(what) - (size_t)used, fmt, args);
	va_end(args);
	step->rc = mx_unsupported_add(step->caffe->unsupported, what,
				      step->layer->name);
	if (step->rc == 0)
		step->rc = -ENOTSUP;
}

void mx_caffe_bad(struct mx_caffe_step *step, const char *fmt, ...)
{
	char text[MX_ERR_BYTES];
	va_list args;

	if (step->rc)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	step->rc = mx_prototxt_fail(tree_of(step), step->layer->field,
				    step->caffe->err, "layer \"%s\" (%s): %s",
				    step->layer->name, step->layer->type, text);
}

static int is_harmless(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(harmless[i], name) == 0)
			return 1;
	return 0;
}

void mx_caffe_check_params(struct mx_caffe_step *step)
{
	const struct mx_prototxt *tree = tree_of(step);
	const struct mx_prototxt_field *f;

	/* A converter that gave up has not read all that it knows. */
	if (!step->param || step->rc || step->kind->flags & MX_CAFFE_ANY_PARAM)
		return;
	for (f = mx_prototxt_first(tree, step->param); f;
	     f = mx_prototxt_next(tree, f))
		if (!step->caffe->used[f - tree->fields] &&
		    !is_harmless(f->name))
			mx_caffe_refuse(step, "%s=%s", f->name,
					f->text ? f->text : "{}");
}
