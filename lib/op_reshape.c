/*
 * Another shape over the same row-major order. Import gives both sides the
 * same memory where it can; then there is nothing to do.
 */
#include "lib/op.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "lib/lines.h"

struct reshape {
	int64_t dim[MX_RANK_MAX];
	size_t rank;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct reshape *p = params;

	return mx_attrs_ints_in(attrs, "shape", 0, (int64_t)MX_ELEMS_MAX,
				p->dim, MX_RANK_MAX, &p->rank, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct reshape *p = layer->params;
	char a[MX_SHAPE_TEXT_BYTES], b[MX_SHAPE_TEXT_BYTES];
	size_t elems;
	uint32_t i;

	memset(&out[0], 0, sizeof(out[0]));
	out[0].rank = (uint32_t)p->rank;
	for (i = 0; i < p->rank; i++)
		out[0].dim[i] = (size_t)p->dim[i];
	if (mx_shape_count(&out[0], &elems) || elems != mx_shape_elems(&in[0]))
		return mx_fail(err, EBADMSG, "%s cannot become %s",
			       mx_shape_text(&in[0], a),
			       mx_shape_text(&out[0], b));
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_view *in = &args->in[0];
	const struct mx_view *out = &args->out[0];
	struct mx_range elems;

	/* Channels-last comes here only where it is the same order. */
	assert(mx_view_is_dense(in) && mx_view_is_dense(out));
	if (in->data == out->data)
		return;
	elems = mx_lines_of_parts(mx_shape_elems(&out->shape),
				  args->layer->tile_count, parts);
	memcpy(out->data + elems.begin, in->data + elems.begin,
	       (elems.end - elems.begin) * sizeof(float));
}

const struct mx_op mx_op_reshape = {
	.name = "Reshape",
	.traits = MX_OP_ORDERED | MX_OP_RESHAPE,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct reshape),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
