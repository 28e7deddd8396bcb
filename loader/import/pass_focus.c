/*
 * "Focus", as detectors begin: a picture is cut into the pixels of even and
 * odd rows and columns, which are put side by side as channels and convolved.
 * That is one convolution of the picture itself, with a larger stride and a
 * kernel in another order:
 *
 *   y[oy, ox] = sum over q, c, ky, kx of w[q, c, ky, kx] *
 *               x[c, s (oy + ky - p) + dy(q), s (ox + kx - p) + dx(q)]
 *
 * reads row s ky + dy(q) of a kernel s times as large, padded by s p.
 */
#include "loader/import/passes.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "lib/op.h"
#include "loader/import/graph.h"
#include "loader/import/match.h"

#define SPATIAL_DIMS 2
#define FIRST_SPATIAL 2
#define PHASES_MAX 16

struct finder {
	struct mx_graph *graph;
	const struct mx_graph_uses *uses;
};

/* Every `step`-th pixel of x from `start` on. */
struct phase {
	uint32_t x;
	int64_t start[SPATIAL_DIMS];
	int64_t step[SPATIAL_DIMS];
};

struct focus {
	uint32_t x;
	size_t step; /* of both dimensions */
	/* Input q of the concatenation has the phase (dy, dx) for which
	 * q = dy * place[0] + dx * place[1]. */
	size_t place[SPATIAL_DIMS];
};

/* Take in a slice of pixels that stands before those of @phase. Returns 0 if
 * it is anything else. */
static int add_slice(const struct mx_node *node, struct phase *phase)
{
	const struct mx_layer *layer = &node->layer;
	const struct mx_attr *start = mx_attrs_find(&layer->attrs, "start");
	const struct mx_attr *step = mx_attrs_find(&layer->attrs, "step");
	uint32_t i;

	if (!start || !step || start->int_count != 4 || step->int_count != 4)
		return 0;
	for (i = 0; i < FIRST_SPATIAL; i++)
		if (start->ints[i] != 0 || step->ints[i] != 1 ||
		    layer->in_shape[0].dim[i] != layer->out_shape[0].dim[i])
			return 0;
	for (i = 0; i < SPATIAL_DIMS; i++) {
		const int64_t by = step->ints[FIRST_SPATIAL + i];

		if (by < 1 || by > PHASES_MAX || phase->step[i] > PHASES_MAX)
			return 0;
		phase->start[i] =
			phase->start[i] * by + start->ints[FIRST_SPATIAL + i];
		phase->step[i] *= by;
	}
	return 1;
}

static int find_phase(const struct finder *f, uint32_t value,
		      struct phase *phase)
{
	const struct mx_node *node;

	memset(phase, 0, sizeof(*phase));
	phase->step[0] = phase->step[1] = 1;
	for (;;) {
		node = mx_match_producer(f->graph, f->uses, value);
		if (!mx_match_op(node, "Slice"))
			break;
		if (!add_slice(node, phase))
			return 0;
		value = node->layer.in[0];
	}
	phase->x = value;
	return 1;
}

/* The phases of @concat are all of them, in an order that strides can say. */
static int find_focus(const struct finder *f, const struct mx_node *concat,
		      struct focus *focus)
{
	const struct mx_layer *layer = &concat->layer;
	const struct mx_shape *part = &layer->in_shape[0];
	const struct mx_shape *whole;
	struct phase phase;
	uint32_t q, i;

	memset(focus, 0, sizeof(*focus));
	for (q = 0; q < layer->in_count; q++) {
		if (!find_phase(f, layer->in[q], &phase) ||
		    phase.step[0] != phase.step[1] || phase.step[0] < 2)
			return 0;
		if (q == 0) {
			focus->x = phase.x;
			focus->step = (size_t)phase.step[0];
		}
		if (phase.x != focus->x ||
		    (size_t)phase.step[0] != focus->step ||
		    layer->in_count != focus->step * focus->step)
			return 0;
		for (i = 0; i < SPATIAL_DIMS; i++)
			if (phase.start[i] == 1 && phase.start[1 - i] == 0)
				focus->place[i] = q;
		if (!mx_shape_equal(&layer->in_shape[q], part))
			return 0;
	}
	whole = &f->graph->values[focus->x].shape;
	for (i = FIRST_SPATIAL; i < part->rank; i++)
		if (whole->dim[i] != part->dim[i] * focus->step)
			return 0;
	for (q = 0; q < layer->in_count; q++) {
		(void)find_phase(f, layer->in[q], &phase);
		if ((size_t)phase.start[0] * focus->place[0] +
			    (size_t)phase.start[1] * focus->place[1] !=
		    q)
			return 0;
	}
	return 1;
}

/* The concatenation that @conv alone reads, if both are of the right kind. */
static const struct mx_node *before(const struct finder *f,
				    const struct mx_node *conv)
{
	const struct mx_attrs *attrs = &conv->layer.attrs;
	const struct mx_attr *all_ones[] = {mx_attrs_find(attrs, "stride"),
					    mx_attrs_find(attrs, "dilation")};
	const struct mx_node *concat;
	size_t i, k;

	if (!mx_match_op(conv, "Convolution") || !conv->weights.has_rows ||
	    conv->weights.rows.shape.rank != 4 ||
	    conv->layer.in_shape[0].rank != 4 ||
	    mx_attrs_int(attrs, "groups", 1) != 1)
		return NULL;
	for (i = 0; i < 2; i++)
		for (k = 0; all_ones[i] && k < all_ones[i]->int_count; k++)
			if (all_ones[i]->ints[k] != 1)
				return NULL;
	concat = mx_match_producer(f->graph, f->uses, conv->layer.in[0]);
	if (!mx_match_op(concat, "Concat") ||
	    mx_attrs_int(&concat->layer.attrs, "axis", 1) != 1)
		return NULL;
	return concat;
}

static int scale_ints(struct mx_attrs *attrs, const char *name, size_t by,
		      int64_t otherwise)
{
	const struct mx_attr *attr = mx_attrs_find(attrs, name);
	int64_t values[SPATIAL_DIMS];
	size_t i;

	for (i = 0; i < SPATIAL_DIMS; i++)
		values[i] =
			(attr && attr->int_count == SPATIAL_DIMS ? attr->ints[i]
								 : otherwise) *
			(int64_t)by;
	return mx_attrs_set_ints(attrs, name, values, SPATIAL_DIMS);
}

/* The kernel [O][kh][kw][q c] as [O][kh][dy][kw][dx][c]: strides say it. */
static void spread_kernel(struct mx_const *rows, const struct focus *focus,
			  size_t channels)
{
	const struct mx_const from = *rows;
	const size_t next = from.stride[3] * channels;
	const size_t dim[] = {from.shape.dim[0], from.shape.dim[1], focus->step,
			      from.shape.dim[2], focus->step,	    channels};
	const size_t stride[] = {from.stride[0],	 from.stride[1],
				 next * focus->place[0], from.stride[2],
				 next * focus->place[1], from.stride[3]};

	rows->shape = mx_shape_of(6, dim);
	memset(rows->stride, 0, sizeof(rows->stride));
	memcpy(rows->stride, stride, sizeof(stride));
}

static int become(struct mx_node *conv, const struct focus *focus,
		  size_t channels)
{
	struct mx_attrs *attrs = &conv->layer.attrs;
	int rc;

	rc = scale_ints(attrs, "kernel", focus->step, 1);
	if (!rc)
		rc = scale_ints(attrs, "stride", focus->step, 1);
	if (!rc)
		rc = scale_ints(attrs, "pad_begin", focus->step, 0);
	if (!rc)
		rc = scale_ints(attrs, "pad_end", focus->step, 0);
	if (rc)
		return rc;
	spread_kernel(&conv->weights.rows, focus, channels);
	conv->layer.in[0] = focus->x;
	return 0;
}

static int rewrite(struct mx_graph *graph, struct mx_graph_uses *uses,
		   struct mx_node *conv, struct mx_err *err)
{
	const struct finder f = {.graph = graph, .uses = uses};
	const struct mx_node *concat;
	struct focus focus;
	int rc;

	if (conv->dead || !(concat = before(&f, conv)) ||
	    !find_focus(&f, concat, &focus))
		return 0;
	rc = become(conv, &focus, graph->values[focus.x].shape.dim[1]);
	if (rc)
		return mx_fail(err, -rc, "%s: no memory", graph->name);
	return mx_graph_rebind(graph, conv, err);
}

int mx_pass_focus(struct mx_graph *graph, struct mx_err *err)
{
	const int rc = mx_match_each(graph, rewrite, err);

	return rc ? rc : mx_pass_drop(graph, err);
}
