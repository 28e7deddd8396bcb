/*
 * Resize as ONNX defines it. Every dimension that changes has a table, made
 * when the layer is bound: for each output index the input elements that it
 * is made of (its taps) and their weights; an output element is the sum over
 * the taps of all such dimensions.
 *
 * A unit of work is one output plane of the two innermost dimensions in
 * memory; it is computed line by line of the innermost one. What the other
 * dimensions contribute to a line is a weighted sum of whole input lines.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/groups.h"
#include "lib/lines.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/resample.h"
#include "lib/simd.h"
#include "lib/simd_pool.h"
#include "lib/size.h"

/* Lines that one call of the kernel adds up. */
#define BATCH 16
/* The cap of the taps' share in the estimate of work that cuts tiles. */
#define TAPS_WORK_MAX ((size_t)256)

struct params {
	struct mx_resample_rule rule;
	size_t rank;
	size_t size[MX_RANK_MAX];
	size_t scale_count; /* 0, or rank */
	float scale[MX_RANK_MAX];
	float roi[2 * MX_RANK_MAX];
	float extrapolation;
	struct mx_resample_table table[MX_RANK_MAX];
};

struct job {
	const struct params *params;
	const struct mx_simd_pool *pool;
	const struct mx_view *in;
	const struct mx_view *out;
	float *scratch;
	uint32_t inner; /* the innermost dimension of the output's memory */
	uint32_t active[MX_RANK_MAX]; /* others that change, to the end */
	uint32_t active_count;
};

static int floats_of(const struct mx_attrs *attrs, const char *name,
		     size_t count, float *out, size_t *found,
		     struct mx_err *err)
{
	const struct mx_attr *attr = mx_attrs_find(attrs, name);
	size_t i;

	*found = attr ? attr->float_count : 0;
	if (*found != 0 && *found != count)
		return mx_fail(err, EBADMSG,
			       "attribute %s has %zu values, "
			       "not %zu",
			       name, *found, count);
	for (i = 0; i < *found; i++) {
		if (!isfinite(attr->floats[i]))
			return mx_fail(err, EBADMSG,
				       "attribute %s is not finite", name);
		out[i] = attr->floats[i];
	}
	return 0;
}

static int bind_rule(struct mx_resample_rule *rule,
		     const struct mx_attrs *attrs, struct mx_err *err)
{
	int64_t mode, coordinates, nearest, exclude, antialias;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "mode", MX_RESAMPLE_NEAREST, 0,
				  MX_RESAMPLE_MODE_COUNT - 1, &mode, err)) ||
	    (rc = mx_attrs_int_in(attrs, "coordinates", MX_RESAMPLE_HALF_PIXEL,
				  0, MX_RESAMPLE_COORDINATES_COUNT - 1,
				  &coordinates, err)) ||
	    (rc = mx_attrs_int_in(
		     attrs, "nearest", MX_RESAMPLE_ROUND_PREFER_FLOOR, 0,
		     MX_RESAMPLE_ROUND_COUNT - 1, &nearest, err)) ||
	    (rc = mx_attrs_int_in(attrs, "exclude_outside", 0, 0, 1, &exclude,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "antialias", 0, 0, 1, &antialias,
				  err)))
		return rc;
	rule->mode = (enum mx_resample_mode)mode;
	rule->coordinates = (enum mx_resample_coordinates)coordinates;
	rule->round = (enum mx_resample_round)nearest;
	rule->exclude_outside = (int)exclude;
	rule->antialias = (int)antialias;
	rule->cubic = (double)mx_attrs_float(attrs, "cubic", -0.75f);
	return 0;
}

static int resize_bind(void *params, const struct mx_attrs *attrs,
		       struct mx_err *err)
{
	struct params *p = params;
	int64_t size[MX_RANK_MAX];
	size_t found, i;
	int rc;

	if ((rc = bind_rule(&p->rule, attrs, err)) ||
	    (rc = mx_attrs_ints_in(attrs, "size", 1, MX_ELEMS_MAX, size,
				   MX_RANK_MAX, &p->rank, err)) ||
	    (rc = floats_of(attrs, "scale", p->rank, p->scale, &p->scale_count,
			    err)) ||
	    (rc = floats_of(attrs, "roi", 2 * p->rank, p->roi, &found, err)))
		return rc;
	for (i = 0; i < p->rank; i++) {
		p->size[i] = (size_t)size[i];
		if (p->scale_count && !(p->scale[i] > 0.0f))
			return mx_fail(err, EBADMSG,
				       "attribute scale is not positive");
		if (!found)
			p->roi[p->rank + i] = 1.0f;
	}
	p->extrapolation = mx_attrs_float(attrs, "extrapolation", 0.0f);
	return 0;
}

static void resize_release(void *params)
{
	struct params *p = params;
	size_t i;

	for (i = 0; i < MX_RANK_MAX; i++)
		mx_resample_fini(&p->table[i]);
}

static int resize_infer(const struct mx_layer *layer, const struct mx_shape *in,
			struct mx_shape *out, struct mx_err *err)
{
	struct params *p = layer->params;
	size_t elems;
	uint32_t i;
	int rc;

	if (p->rank != in->rank)
		return mx_fail(err, EBADMSG,
			       "%zu sizes for an input of rank %u", p->rank,
			       in->rank);
	*out = mx_shape_of(in->rank, p->size);
	if (mx_shape_count(out, &elems))
		return mx_fail(err, EBADMSG, "output has too many elements");
	for (i = 0; i < in->rank; i++) {
		const struct mx_resample_axis axis = {
			.in = in->dim[i],
			.out = p->size[i],
			.scale = p->scale_count ? (double)p->scale[i] : 0.0,
			.roi_begin = (double)p->roi[i],
			.roi_end = (double)p->roi[p->rank + i],
		};

		if (axis.in == 0)
			return mx_fail(err, EBADMSG, "input has no elements");
		rc = mx_resample_init(&p->table[i], &p->rule, &axis, err);
		if (rc)
			return rc;
	}
	return 0;
}

static uint64_t taps_of(const struct params *p)
{
	uint64_t taps = 1;
	size_t i;

	for (i = 0; i < p->rank; i++)
		if (p->table[i].index &&
		    mx_u64_mul(taps, p->table[i].taps, &taps))
			return UINT64_MAX;
	return taps;
}

static uint64_t resize_macs(const struct mx_layer *layer)
{
	uint64_t macs = UINT64_MAX;

	(void)mx_u64_mul(mx_shape_elems(layer->out_shape),
			 taps_of(layer->params), &macs);
	return macs;
}

static size_t resize_tiles(const struct mx_layer *layer)
{
	const size_t elems = mx_shape_elems(layer->out_shape);
	const uint64_t taps = taps_of(layer->params);

	return mx_groups_tiles(
		elems * (taps < TAPS_WORK_MAX ? (size_t)taps : TAPS_WORK_MAX),
		elems);
}

/* A line of the input: of channels, or of the last dimension. */
static size_t resize_scratch_bytes(const struct mx_layer *layer)
{
	const struct mx_shape *in = layer->in_shape;

	if (in->rank == 0)
		return sizeof(float);
	return mx_size_max(in->dim[in->rank > 1], in->dim[in->rank - 1]) *
	       sizeof(float);
}

/* to = the sum of the lines at @x, @n elements each. */
struct sum {
	const float *line[BATCH];
	float weight[BATCH];
	size_t count;
};

static void flush(const struct job *job, struct sum *sum, size_t step, size_t n,
		  float *to)
{
	size_t t, i;

	if (step == 1) {
		job->pool->combine(sum->line, sum->weight, sum->count, n, to);
	} else {
		for (i = 0; i < n; i++) {
			float value = 0.0f;

			for (t = 0; t < sum->count; t++)
				value += sum->weight[t] *
					 sum->line[t][sum->line[t] == to
							      ? i
							      : i * step];
			to[i] = value;
		}
	}
	/* What is there takes part in what follows. */
	sum->line[0] = to;
	sum->weight[0] = 1.0f;
	sum->count = 1;
}

/*
 * The input line that the output line at @index needs: all dimensions but the
 * innermost one applied. @to has the input's length of that one.
 */
static void make_line(const struct job *job, const size_t *index,
		      const float *x, float *to)
{
	const struct mx_resample_table *table = job->params->table;
	const size_t step = job->in->stride[job->inner];
	const size_t n = job->in->shape.dim[job->inner];
	size_t tap[MX_RANK_MAX] = {0};
	struct sum sum = {.count = 0};
	uint32_t k;

	do {
		const float *line = x;
		float weight = 1.0f;

		for (k = 0; k < job->active_count; k++) {
			const uint32_t d = job->active[k];
			const size_t at = index[d] * table[d].taps + tap[k];

			line += table[d].index[at] * job->in->stride[d];
			weight *= table[d].weight[at];
		}
		if (sum.count == BATCH)
			flush(job, &sum, step, n, to);
		sum.line[sum.count] = line;
		sum.weight[sum.count] = weight;
		sum.count++;
		for (k = job->active_count; k-- > 0;) {
			if (++tap[k] < table[job->active[k]].taps)
				break;
			tap[k] = 0;
		}
	} while (k != UINT32_MAX);
	flush(job, &sum, step, n, to);
}

/* The innermost dimension, from a line of the input to one of the output. */
static void spread_line(const struct job *job, const float *line, float *y)
{
	const struct mx_resample_table *table = &job->params->table[job->inner];
	const size_t step = job->out->stride[job->inner];
	const size_t n = job->out->shape.dim[job->inner];
	size_t i, t;

	for (i = 0; i < n; i++) {
		const size_t *index = table->index + i * table->taps;
		const float *weight = table->weight + i * table->taps;
		float value = 0.0f;

		if (!table->index) {
			y[i * step] = line[i];
			continue;
		}
		for (t = 0; t < table->taps; t++)
			value += weight[t] * line[index[t]];
		y[i * step] = table->outside && table->outside[i]
				      ? job->params->extrapolation
				      : value;
	}
}

/* One input line is the output line. */
static void copy_line(const struct job *job, const size_t *index,
		      const float *x, float *y)
{
	uint32_t k;

	for (k = 0; k < job->active_count; k++) {
		const uint32_t d = job->active[k];

		x += job->params->table[d].index[index[d]] * job->in->stride[d];
	}
	memcpy(y, x, job->in->shape.dim[job->inner] * sizeof(*y));
}

static int is_outside(const struct job *job, const size_t *index)
{
	uint32_t k;

	for (k = 0; k < job->active_count; k++) {
		const struct mx_resample_table *table =
			&job->params->table[job->active[k]];

		if (table->outside && table->outside[index[job->active[k]]])
			return 1;
	}
	return 0;
}

static void run_line(const struct job *job, const size_t *index)
{
	const struct mx_resample_table *table = job->params->table;
	const size_t step = job->out->stride[job->inner];
	const float *x = job->in->data;
	float *y = job->out->data;
	size_t i;
	uint32_t d;

	for (d = 0; d < job->out->shape.rank; d++) {
		if (d == job->inner)
			continue;
		y += index[d] * job->out->stride[d];
		if (!table[d].index)
			x += index[d] * job->in->stride[d];
	}
	if (is_outside(job, index)) {
		for (i = 0; i < job->out->shape.dim[job->inner]; i++)
			y[i * step] = job->params->extrapolation;
		return;
	}
	if (step == 1 && !table[job->inner].index &&
	    job->params->rule.mode == MX_RESAMPLE_NEAREST &&
	    job->in->stride[job->inner] == 1) {
		copy_line(job, index, x, y);
		return;
	}
	if (step == 1 && !table[job->inner].index) {
		make_line(job, index, x, y);
		return;
	}
	make_line(job, index, x, job->scratch);
	spread_line(job, job->scratch, y);
}

/* The dimension whose elements are side by side, or nearest to that, of those
 * that are not @other. */
static uint32_t innermost(const struct mx_view *view, uint32_t other)
{
	uint32_t best = UINT32_MAX;
	uint32_t i;

	for (i = view->shape.rank; i-- > 0;)
		if (i != other && (best == UINT32_MAX ||
				   view->stride[i] < view->stride[best]))
			best = i;
	return best;
}

static void run_unit(const struct job *job, size_t unit, uint32_t mid)
{
	const struct mx_shape *shape = &job->out->shape;
	size_t index[MX_RANK_MAX] = {0};
	uint32_t i;

	for (i = shape->rank; i-- > 0;) {
		if (i == mid || i == job->inner)
			continue;
		index[i] = unit % shape->dim[i];
		unit /= shape->dim[i];
	}
	if (mid == UINT32_MAX) {
		run_line(job, index);
		return;
	}
	for (; index[mid] < shape->dim[mid]; index[mid]++)
		run_line(job, index);
}

static void resize_run(const struct mx_op_args *args, struct mx_range parts)
{
	struct job job = {
		.params = args->layer->params,
		.pool = args->simd->pool,
		.in = &args->in[0],
		.out = &args->out[0],
		.scratch = args->scratch,
	};
	const struct mx_shape *shape = &args->out[0].shape;
	struct mx_range units;
	size_t count = 1;
	uint32_t mid, i;

	if (shape->rank == 0) {
		args->out[0].data[0] = args->in[0].data[0];
		return;
	}
	job.inner = args->out[0].layout == MX_LAYOUT_CHANNELS_LAST
			    ? 1
			    : shape->rank - 1;
	mid = innermost(&args->out[0], job.inner);
	for (i = 0; i < shape->rank; i++) {
		if (i != job.inner && job.params->table[i].index)
			job.active[job.active_count++] = i;
		if (i != job.inner && i != mid)
			count *= shape->dim[i];
	}
	units = mx_lines_of_parts(count, args->layer->tile_count, parts);
	for (; units.begin < units.end; units.begin++)
		run_unit(&job, units.begin, mid);
}

const struct mx_op mx_op_resize = {
	.name = "Resize",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = resize_bind,
	.release = resize_release,
	.infer = resize_infer,
	.tiles = resize_tiles,
	.scratch_bytes = resize_scratch_bytes,
	.macs = resize_macs,
	.run = resize_run,
};
