#include "lib/op.h"

#include <errno.h>
#include <string.h>

#include "lib/box.h"
#include "lib/err.h"
#include "lib/lines.h"

struct tile {
	int64_t dim[MX_RANK_MAX];
	size_t rank;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct tile *p = params;

	return mx_attrs_ints_in(attrs, "shape", 0, (int64_t)MX_ELEMS_MAX,
				p->dim, MX_RANK_MAX, &p->rank, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct tile *p = layer->params;
	uint32_t i;

	if (p->rank != in[0].rank)
		return mx_fail(err, EBADMSG, "shape of %zu for rank %u",
			       p->rank, in[0].rank);
	out[0] = in[0];
	for (i = 0; i < in[0].rank; i++) {
		const size_t dim = (size_t)p->dim[i];

		if (in[0].dim[i] == 0 ? dim != 0 : dim % in[0].dim[i] != 0)
			return mx_fail(err, EBADMSG,
				       "%zu of dimension %u is no multiple"
				       " of %zu",
				       dim, i, in[0].dim[i]);
		out[0].dim[i] = dim;
	}
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

/* Repetitions for which a box of MX_RANK_MAX dimensions has no room. */
struct repeats {
	size_t count[MX_RANK_MAX];
	size_t stride[MX_RANK_MAX];
	uint32_t rank;
};

static void add_dim(struct mx_box *box, size_t dim, size_t out_stride,
		    size_t in_stride)
{
	box->shape.dim[box->shape.rank] = dim;
	box->out_stride[box->shape.rank] = out_stride;
	box->in_stride[box->shape.rank] = (ptrdiff_t)in_stride;
	box->shape.rank++;
}

/*
 * A tiled dimension is two of the box: the repetitions, which stand still in
 * x, and x's own. One of size 1 needs the repetitions alone.
 */
static void make_box(const struct mx_view *out, const struct mx_view *in,
		     struct mx_box *box, struct repeats *more)
{
	uint32_t i;

	memset(box, 0, sizeof(*box));
	memset(more, 0, sizeof(*more));
	box->out = out->data;
	box->in = in->data;
	for (i = in->shape.rank; i-- > 0;) {
		const size_t dim = in->shape.dim[i];
		const size_t count = out->shape.dim[i] / dim;
		const size_t stride = out->stride[i];

		if (dim == 1) {
			add_dim(box, count, stride, 0);
			continue;
		}
		add_dim(box, dim, stride, in->stride[i]);
		if (count == 1)
			continue;
		/* Each of the i dimensions to come needs one at least. */
		if (box->shape.rank + 1 + i <= MX_RANK_MAX) {
			add_dim(box, count, stride * dim, 0);
			continue;
		}
		more->count[more->rank] = count;
		more->stride[more->rank] = stride * dim;
		more->rank++;
	}
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_view *out = &args->out[0];
	struct repeats more;
	struct mx_box box;
	size_t total = 1;
	size_t at;
	uint32_t i;

	if (mx_shape_elems(&out->shape) == 0)
		return;
	make_box(out, &args->in[0], &box, &more);
	for (i = 0; i < more.rank; i++)
		total *= more.count[i];
	for (at = 0; at < total; at++) {
		size_t left = at;

		box.out = out->data;
		for (i = 0; i < more.rank; left /= more.count[i], i++)
			box.out += left % more.count[i] * more.stride[i];
		mx_box_copy(&box, parts, args->layer->tile_count);
	}
}

const struct mx_op mx_op_tile = {
	.name = "Tile",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct tile),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
