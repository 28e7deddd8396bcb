#include "lib/op.h"

#include <errno.h>

#include "lib/box.h"
#include "lib/err.h"
#include "lib/lines.h"

struct transpose {
	int64_t perm[MX_RANK_MAX];
	size_t rank;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct transpose *p = params;

	return mx_attrs_ints_in(attrs, "perm", 0, MX_RANK_MAX - 1, p->perm,
				MX_RANK_MAX, &p->rank, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct transpose *p = layer->params;
	unsigned seen = 0;
	uint32_t i;

	if (p->rank != in[0].rank)
		return mx_fail(err, EBADMSG, "perm of %zu for rank %u", p->rank,
			       in[0].rank);
	out[0] = in[0];
	for (i = 0; i < in[0].rank; i++) {
		if (p->perm[i] >= in[0].rank || seen & 1u << p->perm[i])
			return mx_fail(err, EBADMSG,
				       "perm is no permutation at %u", i);
		seen |= 1u << p->perm[i];
		out[0].dim[i] = in[0].dim[p->perm[i]];
	}
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct transpose *p = args->layer->params;
	struct mx_box box;
	uint32_t i;

	mx_box_init(&box, &args->out[0].shape, &args->out[0], &args->in[0]);
	for (i = 0; i < box.shape.rank; i++)
		box.in_stride[i] = (ptrdiff_t)args->in[0].stride[p->perm[i]];
	mx_box_copy(&box, parts, args->layer->tile_count);
}

const struct mx_op mx_op_transpose = {
	.name = "Transpose",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct transpose),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
