#include "lib/op.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/box.h"
#include "lib/err.h"
#include "lib/lines.h"

#define LIMIT ((int64_t)MX_ELEMS_MAX)

struct slice {
	int64_t start[MX_RANK_MAX];
	int64_t step[MX_RANK_MAX];
	int64_t size[MX_RANK_MAX];
	size_t start_count;
	size_t step_count;
	size_t size_count;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct slice *p = params;
	int rc;

	rc = mx_attrs_ints_in(attrs, "start", 0, LIMIT, p->start, MX_RANK_MAX,
			      &p->start_count, err);
	if (!rc)
		rc = mx_attrs_ints_in(attrs, "step", -LIMIT, LIMIT, p->step,
				      MX_RANK_MAX, &p->step_count, err);
	if (!rc)
		rc = mx_attrs_ints_in(attrs, "size", 0, LIMIT, p->size,
				      MX_RANK_MAX, &p->size_count, err);
	return rc;
}

/* The first and the last element of every dimension lie inside of x. */
static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct slice *p = layer->params;
	const uint32_t rank = in[0].rank;
	uint32_t i;

	if (p->start_count != rank || p->step_count != rank ||
	    p->size_count != rank)
		return mx_fail(err, EBADMSG,
			       "%zu starts, %zu steps, %zu sizes for rank %u",
			       p->start_count, p->step_count, p->size_count,
			       rank);
	out[0] = in[0];
	for (i = 0; i < rank; i++) {
		const int64_t dim = (int64_t)in[0].dim[i];
		int64_t last;

		out[0].dim[i] = (size_t)p->size[i];
		if (p->step[i] == 0)
			return mx_fail(err, EBADMSG, "step 0 in dimension %u",
				       i);
		if (p->size[i] == 0)
			continue;
		if (__builtin_mul_overflow(p->size[i] - 1, p->step[i], &last) ||
		    __builtin_add_overflow(last, p->start[i], &last) ||
		    last < 0 || last >= dim || p->start[i] >= dim)
			return mx_fail(err, EBADMSG,
				       "%" PRId64 " elements from %" PRId64
				       " by %" PRId64 " leave dimension %u"
				       " of %" PRId64,
				       p->size[i], p->start[i], p->step[i], i,
				       dim);
	}
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct slice *p = args->layer->params;
	struct mx_box box;
	uint32_t i;

	if (mx_shape_elems(&args->out[0].shape) == 0)
		return;
	mx_box_init(&box, &args->out[0].shape, &args->out[0], &args->in[0]);
	for (i = 0; i < box.shape.rank; i++) {
		box.in += p->start[i] * box.in_stride[i];
		box.in_stride[i] *= p->step[i];
	}
	mx_box_copy(&box, parts, args->layer->tile_count);
}

const struct mx_op mx_op_slice = {
	.name = "Slice",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct slice),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
