/*
 * Caffe's ArgMax: the places (or values) of the largest elements along a
 * dimension, or of each sample as a whole. Equal values: the later place
 * comes first, as in Caffe.
 */
#include <errno.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/groups.h"
#include "lib/lines.h"
#include "lib/op.h"
#include "lib/ops.h"
#include "lib/size.h"

/* Without an axis the output is [batch, index and value, top_k]. */
#define FLAT_RANK 3
#define NO_AXIS (-1)

struct params {
	int64_t axis; /* NO_AXIS: each sample flattened */
	size_t top_k;
	int out_max_val;
};

struct found {
	float value;
	size_t index;
};

static int argmax_bind(void *params, const struct mx_attrs *attrs,
		       struct mx_err *err)
{
	struct params *p = params;
	int64_t top_k, out_max_val;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "axis", NO_AXIS, NO_AXIS,
				  MX_RANK_MAX - 1, &p->axis, err)) ||
	    (rc = mx_attrs_int_in(attrs, "top_k", 1, 1, INT32_MAX, &top_k,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "out_max_val", 0, 0, 1, &out_max_val,
				  err)))
		return rc;
	p->top_k = (size_t)top_k;
	p->out_max_val = (int)out_max_val;
	return 0;
}

/* The elements that are compared with each other. */
static size_t group_size(const struct params *p, const struct mx_shape *in)
{
	return p->axis == NO_AXIS ? mx_shape_span(in, 1, in->rank)
				  : in->dim[p->axis];
}

static int argmax_infer(const struct mx_layer *layer, const struct mx_shape *in,
			struct mx_shape *out, struct mx_err *err)
{
	const struct params *p = layer->params;
	uint32_t i;

	if (in->rank < 1 || p->axis >= (int64_t)in->rank)
		return mx_fail(err, EBADMSG, "axis %d of an input of rank %u",
			       (int)p->axis, in->rank);
	if (p->top_k > group_size(p, in))
		return mx_fail(err, EBADMSG, "top %zu of %zu elements",
			       p->top_k, group_size(p, in));
	*out = *in;
	if (p->axis != NO_AXIS) {
		out->dim[p->axis] = p->top_k;
		return 0;
	}
	out->rank = in->rank < FLAT_RANK ? FLAT_RANK : in->rank;
	for (i = 1; i < out->rank; i++)
		out->dim[i] = 1;
	out->dim[1] = p->out_max_val ? 2 : 1;
	out->dim[2] = p->top_k;
	return 0;
}

static size_t group_count(const struct mx_layer *layer)
{
	const size_t elems = mx_shape_elems(layer->in_shape);

	return elems ? elems / group_size(layer->params, layer->in_shape) : 0;
}

static size_t argmax_tiles(const struct mx_layer *layer)
{
	return mx_groups_tiles(mx_shape_elems(layer->in_shape),
			       group_count(layer));
}

static size_t argmax_scratch_bytes(const struct mx_layer *layer)
{
	const struct params *p = layer->params;

	return p->top_k * sizeof(struct found);
}

static uint64_t argmax_macs(const struct mx_layer *layer)
{
	return (uint64_t)mx_shape_elems(layer->in_shape);
}

static int is_before(const struct found *a, const struct found *b)
{
	return a->value > b->value ||
	       (a->value == b->value && a->index > b->index);
}

/* Restore the heap (the last of all on top) below @at. */
static void sift_down(struct found *heap, size_t count, size_t at)
{
	const struct found moved = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
		    is_before(&heap[child], &heap[child + 1]))
			child++;
		if (!is_before(&moved, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void heapify(struct found *heap, size_t count)
{
	size_t i;

	for (i = count / 2; i-- > 0;)
		sift_down(heap, count, i);
}

/* Sort a heap: the first of all comes first. */
static void sort(struct found *heap, size_t count)
{
	while (count-- > 1) {
		const struct found last = heap[0];

		heap[0] = heap[count];
		heap[count] = last;
		sift_down(heap, count, 0);
	}
}

/* Where element @index, counted as in the source, of a group lies. */
static size_t offset_of(const struct params *p, const struct mx_view *view,
			size_t index)
{
	size_t offset = 0;
	uint32_t i;

	if (p->axis != NO_AXIS)
		return index * view->stride[p->axis];
	for (i = view->shape.rank; i-- > 1;) {
		offset += index % view->shape.dim[i] * view->stride[i];
		index /= view->shape.dim[i];
	}
	return offset;
}

static void find(const struct params *p, const struct mx_view *in,
		 const float *x, struct found *heap)
{
	const size_t size = group_size(p, &in->shape);
	struct found next;
	size_t i;

	for (i = 0; i < size; i++) {
		next.value = x[offset_of(p, in, i)];
		next.index = i;
		if (i < p->top_k) {
			heap[i] = next;
			if (i + 1 == p->top_k)
				heapify(heap, p->top_k);
		} else if (is_before(&next, &heap[0])) {
			heap[0] = next;
			sift_down(heap, p->top_k, 0);
		}
	}
	sort(heap, p->top_k);
}

static void write(const struct params *p, const struct mx_view *out,
		  const struct found *found, float *y)
{
	const size_t step = out->stride[p->axis == NO_AXIS ? 2 : p->axis];
	const int has_both = p->axis == NO_AXIS && p->out_max_val;
	size_t k;

	for (k = 0; k < p->top_k; k++) {
		if (has_both)
			y[k * step + out->stride[1]] = found[k].value;
		y[k * step] = p->out_max_val && !has_both
				      ? found[k].value
				      : (float)found[k].index;
	}
}

static void argmax_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct params *p = args->layer->params;
	const struct mx_view *in = &args->in[0];
	const struct mx_view *out = &args->out[0];
	struct found *found = args->scratch;
	struct mx_range groups;

	groups = mx_lines_of_parts(group_count(args->layer),
				   args->layer->tile_count, parts);
	for (; groups.begin < groups.end; groups.begin++) {
		size_t left = groups.begin;
		size_t x = 0, y = 0;
		uint32_t i = p->axis == NO_AXIS ? 1 : in->shape.rank;

		while (i-- > 0) {
			if ((int64_t)i == p->axis)
				continue;
			x += left % in->shape.dim[i] * in->stride[i];
			y += left % in->shape.dim[i] * out->stride[i];
			left /= in->shape.dim[i];
		}
		find(p, in, in->data + x, found);
		write(p, out, found, out->data + y);
	}
}

const struct mx_op mx_op_argmax = {
	.name = "ArgMax",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct params),
	.bind = argmax_bind,
	.infer = argmax_infer,
	.tiles = argmax_tiles,
	.scratch_bytes = argmax_scratch_bytes,
	.macs = argmax_macs,
	.run = argmax_run,
};
