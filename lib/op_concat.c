/*
 * Inputs side by side. Where import has placed an input in the output's own
 * memory the box copy finds source and target to be the same and does nothing.
 */
#include "lib/op.h"

#include <errno.h>

#include "lib/box.h"
#include "lib/err.h"
#include "lib/lines.h"
#include "lib/size.h"

struct concat {
	int64_t axis;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct concat *p = params;

	return mx_attrs_int_in(attrs, "axis", 1, 0, MX_RANK_MAX - 1, &p->axis,
			       err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct concat *p = layer->params;
	const uint32_t axis = (uint32_t)p->axis;
	char a[MX_SHAPE_TEXT_BYTES], b[MX_SHAPE_TEXT_BYTES];
	struct mx_shape like;
	size_t sum = 0;
	uint32_t i;

	if (axis >= in[0].rank)
		return mx_fail(err, EBADMSG, "no axis %u in rank %u", axis,
			       in[0].rank);
	like = in[0];
	for (i = 0; i < layer->in_count; i++) {
		like.dim[axis] = in[i].rank == in[0].rank ? in[i].dim[axis] : 0;
		if (!mx_shape_equal(&like, &in[i]))
			return mx_fail(err, EBADMSG, "input %u is %s beside %s",
				       i, mx_shape_text(&in[i], b),
				       mx_shape_text(&in[0], a));
		if (mx_size_add(sum, in[i].dim[axis], &sum))
			return mx_fail(err, EBADMSG, "the sum is too large");
	}
	out[0] = in[0];
	out[0].dim[axis] = sum;
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct concat *p = args->layer->params;
	struct mx_view out = args->out[0];
	uint32_t i;

	for (i = 0; i < args->layer->in_count; i++) {
		const struct mx_view *in = &args->in[i];
		struct mx_box box;

		mx_box_init(&box, &in->shape, &out, in);
		mx_box_copy(&box, parts, args->layer->tile_count);
		out.data += in->shape.dim[p->axis] * out.stride[p->axis];
	}
}

const struct mx_op mx_op_concat = {
	.name = "Concat",
	.traits = MX_OP_CONCAT,
	.in_min = 1,
	.in_max = UINT32_MAX,
	.out_max = 1,
	.params_bytes = sizeof(struct concat),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
