/*
 * Pooling, maximum and average. A unit of work is one output line (all
 * columns of one row, for all channels); where the output is a single pixel,
 * as in global pooling, it is GLOBAL_CHANNELS channels of it.
 *
 * A window is clipped to the picture before any element is read; one that
 * sees padding alone reads nothing.
 */
#include <errno.h>
#include <float.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/groups.h"
#include "lib/lines.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/simd_pool.h"
#include "lib/size.h"
#include "lib/spatial.h"

#define GLOBAL_CHANNELS ((size_t)128)
/* A window's share in the estimate of work that cuts tiles; the cap keeps the
 * product with any number of outputs below 2^64. */
#define WINDOW_WORK_MAX ((size_t)4096)

enum kind { KIND_MAX, KIND_AVERAGE, KIND_COUNT };

enum rounding { ROUND_FLOOR, ROUND_CEIL, ROUND_CAFFE, ROUND_COUNT };

enum divisor { DIVIDE_PICTURE, DIVIDE_PADDED, DIVIDE_CAFFE, DIVIDE_COUNT };

struct params {
	struct mx_spatial spatial;
	enum kind kind;
	enum rounding rounding;
	enum divisor divisor;
	/* Derived by infer(). */
	size_t channel_step;
	size_t units;
};

struct job {
	const struct params *params;
	const struct mx_simd_pool *pool;
	struct mx_spatial_map in;
	struct mx_spatial_map out;
	size_t in_channel; /* strides of the channels */
	size_t out_channel;
};

/* What a window takes of one dimension: taps [first, first + count) of the
 * kernel, the first one at element `begin`; `padded` taps lie inside picture
 * and padding. */
struct clip {
	size_t begin;
	size_t count;
	size_t padded;
};

static int pooling_bind(void *params, const struct mx_attrs *attrs,
			struct mx_err *err)
{
	struct params *p = params;
	int64_t kind, rounding, divisor;
	int rc;

	if ((rc = mx_spatial_bind(&p->spatial, attrs, err)) ||
	    (rc = mx_attrs_int_in(attrs, "kind", KIND_MAX, 0, KIND_COUNT - 1,
				  &kind, err)) ||
	    (rc = mx_attrs_int_in(attrs, "rounding", ROUND_FLOOR, 0,
				  ROUND_COUNT - 1, &rounding, err)) ||
	    (rc = mx_attrs_int_in(attrs, "divisor", DIVIDE_PICTURE, 0,
				  DIVIDE_COUNT - 1, &divisor, err)))
		return rc;
	p->kind = (enum kind)kind;
	p->rounding = (enum rounding)rounding;
	p->divisor = (enum divisor)divisor;
	return 0;
}

static int has_padding(const struct mx_spatial *spatial)
{
	unsigned i;

	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		if (spatial->pad_begin[i] || spatial->pad_end[i])
			return 1;
	return 0;
}

static int out_size(const struct params *p, unsigned i, size_t in, size_t *out,
		    struct mx_err *err)
{
	const struct mx_spatial *s = &p->spatial;
	const size_t extent = mx_spatial_extent(s, i);
	const size_t padded = in + s->pad_begin[i] + s->pad_end[i];
	/* Rounded up, less than a stride missing still makes a window: Caffe's
	 * ceil((in + pads - kernel) / stride) + 1, where the ceil is 0. */
	const size_t missing = padded < extent ? extent - padded : 0;

	if (in == 0 || (missing > 0 && (p->rounding == ROUND_FLOOR ||
					missing >= s->stride[i])))
		return mx_fail(err, EBADMSG,
			       "a window of %zu does not fit %zu elements and "
			       "padding",
			       extent, padded);
	if (missing > 0)
		*out = 1;
	else if (p->rounding == ROUND_FLOOR)
		*out = (padded - extent) / s->stride[i] + 1;
	else
		*out = mx_size_div_up(padded - extent, s->stride[i]) + 1;
	/* Caffe drops the window only where the layer has padding at all. */
	if (p->rounding == ROUND_CAFFE && has_padding(s) && *out > 1 &&
	    (*out - 1) * s->stride[i] >= in + s->pad_begin[i])
		--*out;
	return 0;
}

static int pooling_infer(const struct mx_layer *layer,
			 const struct mx_shape *in, struct mx_shape *out,
			 struct mx_err *err)
{
	struct params *p = layer->params;
	size_t dim[MX_SPATIAL_DIMS];
	size_t pixels;
	unsigned i;
	int rc;

	rc = mx_spatial_dims(&p->spatial, in, dim, err);
	for (i = 0; !rc && i < MX_SPATIAL_DIMS; i++)
		rc = out_size(p, i, dim[i], &dim[i], err);
	if (!rc)
		rc = mx_spatial_shape(&p->spatial, in->dim[0], in->dim[1], dim,
				      out, err);
	if (rc)
		return rc;
	pixels = mx_shape_span(out, 2, out->rank);
	p->channel_step = mx_size_max(in->dim[1], 1);
	if (pixels == 1)
		p->channel_step = mx_size_min(p->channel_step, GLOBAL_CHANNELS);
	p->units = in->dim[0] * dim[MX_SPATIAL_DEPTH] * dim[MX_SPATIAL_HEIGHT] *
		   mx_size_div_up(in->dim[1], p->channel_step);
	return 0;
}

static size_t pooling_tiles(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	const size_t window =
		mx_size_min(mx_spatial_window(&p->spatial), WINDOW_WORK_MAX);

	return mx_groups_tiles(mx_shape_elems(layer->out_shape) * window,
			       p->units);
}

static uint64_t pooling_macs(const struct mx_layer *layer)
{
	const struct params *p = layer->params;
	uint64_t macs = UINT64_MAX;

	(void)mx_u64_mul(mx_shape_elems(layer->out_shape),
			 mx_spatial_window(&p->spatial), &macs);
	return macs;
}

static struct clip clip_dim(const struct mx_spatial *s, unsigned i, size_t in,
			    size_t out_index)
{
	const size_t step = s->dilation[i];
	const size_t start = out_index * s->stride[i]; /* from the padding's */
	const size_t pad = s->pad_begin[i];
	const size_t end = in + pad;
	size_t first = 0, last = 0;
	struct clip clip = {0};

	/* Most windows see no padding, and need no divisions. */
	if (start >= pad && start + (s->kernel[i] - 1) * step < end)
		return (struct clip){
			.begin = start - pad,
			.count = s->kernel[i],
			.padded = s->kernel[i],
		};
	if (start < pad)
		first = mx_size_div_up(pad - start, step);
	if (start < end)
		last = mx_size_min(mx_size_div_up(end - start, step),
				   s->kernel[i]);
	if (last > first) {
		clip.count = last - first;
		clip.begin = start + first * step - pad;
	}
	if (start < end + s->pad_end[i])
		clip.padded = mx_size_min(
			mx_size_div_up(end + s->pad_end[i] - start, step),
			s->kernel[i]);
	return clip;
}

/* Channels that do not lie side by side in one of the views. */
static void run_strided(const struct job *job,
			const struct mx_pool_window *window, size_t channels,
			float scale, float *y)
{
	size_t a, b, d, c;

	for (c = 0; c < channels; c++) {
		const float *x = window->x + c * job->in_channel;
		double sum = 0.0;
		float top = *x;

		for (a = 0; a < window->count[0]; a++)
			for (b = 0; b < window->count[1]; b++)
				for (d = 0; d < window->count[2]; d++) {
					const float v =
						x[a * window->stride[0] +
						  b * window->stride[1] +
						  d * window->stride[2]];

					sum += (double)v;
					top = v > top ? v : top;
				}
		y[c * job->out_channel] = job->params->kind == KIND_MAX
						  ? top
						  : (float)sum * scale;
	}
}

static void fill(const struct job *job, size_t channels, float *y)
{
	const float value = job->params->kind == KIND_MAX ? -FLT_MAX : 0.0f;
	size_t c;

	for (c = 0; c < channels; c++)
		y[c * job->out_channel] = value;
}

/* One output pixel; @x and @y are its first channel in the sample. */
static void run_pixel(const struct job *job, const struct clip *clip,
		      size_t channels, const float *x, float *y)
{
	struct mx_pool_window window = {.x = x};
	size_t divisor = 1;
	float scale;
	unsigned i;

	for (i = 0; i < MX_SPATIAL_DIMS; i++) {
		if (clip[i].count == 0) {
			fill(job, channels, y);
			return;
		}
		window.x += clip[i].begin * job->in.stride[i];
		window.count[i] = clip[i].count;
		window.stride[i] =
			job->params->spatial.dilation[i] * job->in.stride[i];
		divisor *= job->params->divisor == DIVIDE_PICTURE
				   ? clip[i].count
				   : clip[i].padded;
	}
	scale = 1.0f / (float)divisor;
	if (job->in_channel != 1 || job->out_channel != 1)
		run_strided(job, &window, channels, scale, y);
	else if (job->params->kind == KIND_MAX)
		job->pool->window_max(&window, channels, y);
	else
		job->pool->window_sum(&window, channels, scale, y);
}

static void run_unit(const struct job *job, size_t unit)
{
	const struct params *p = job->params;
	const struct mx_spatial_map *in = &job->in;
	const struct mx_spatial_map *out = &job->out;
	const size_t steps = mx_size_div_up(in->channels, p->channel_step);
	const size_t first = unit % steps * p->channel_step;
	const size_t channels =
		mx_size_min(in->channels - first, p->channel_step);
	struct clip clip[MX_SPATIAL_DIMS];
	size_t d, h, n, w;
	const float *x;
	float *y;

	unit /= steps;
	h = unit % out->dim[MX_SPATIAL_HEIGHT];
	unit /= out->dim[MX_SPATIAL_HEIGHT];
	d = unit % out->dim[MX_SPATIAL_DEPTH];
	n = unit / out->dim[MX_SPATIAL_DEPTH];
	x = in->data + n * in->batch_stride + first * job->in_channel;
	y = out->data + n * out->batch_stride + first * job->out_channel +
	    d * out->stride[MX_SPATIAL_DEPTH] +
	    h * out->stride[MX_SPATIAL_HEIGHT];
	clip[0] = clip_dim(&p->spatial, 0, in->dim[0], d);
	clip[1] = clip_dim(&p->spatial, 1, in->dim[1], h);
	for (w = 0; w < out->dim[MX_SPATIAL_WIDTH]; w++) {
		clip[2] = clip_dim(&p->spatial, 2, in->dim[2], w);
		run_pixel(job, clip, channels, x,
			  y + w * out->stride[MX_SPATIAL_WIDTH]);
	}
}

static void pooling_run(const struct mx_op_args *args, struct mx_range parts)
{
	struct job job = {
		.params = args->layer->params,
		.pool = args->simd->pool,
		.in_channel = args->in[0].stride[1],
		.out_channel = args->out[0].stride[1],
	};
	struct mx_range units;

	mx_spatial_map_init(&job.in, &args->in[0]);
	mx_spatial_map_init(&job.out, &args->out[0]);
	units = mx_lines_of_parts(job.params->units, args->layer->tile_count,
				  parts);
	for (; units.begin < units.end; units.begin++)
		run_unit(&job, units.begin);
}

const struct mx_op mx_op_pooling = {
	.name = "Pooling",
	.traits = MX_OP_SPATIAL,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = pooling_bind,
	.infer = pooling_infer,
	.tiles = pooling_tiles,
	.macs = pooling_macs,
	.run = pooling_run,
};
