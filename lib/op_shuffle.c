/*
 * Channel shuffle: the channels are groups x members and come out as members x
 * groups, or as some whole members of that.
 */
#include "lib/op.h"

#include <assert.h>
#include <errno.h>

#include "lib/err.h"
#include "lib/lines.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/simd_map.h"
#include "lib/size.h"

struct shuffle {
	int64_t groups;
	int64_t first; /* member */
	int64_t count; /* members; 0: all from the first on */
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct shuffle *p = params;
	int rc;

	if ((rc = mx_attrs_int_in(attrs, "groups", 1, 1, INT32_MAX, &p->groups,
				  err)) ||
	    (rc = mx_attrs_int_in(attrs, "first", 0, 0, INT32_MAX, &p->first,
				  err)))
		return rc;
	return mx_attrs_int_in(attrs, "count", 0, 0, INT32_MAX, &p->count, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	struct shuffle *p = layer->params;
	const size_t groups = (size_t)p->groups;
	size_t members;

	if (in->rank < 3 || in->rank > 5)
		return mx_fail(err, EBADMSG, "rank %u is none of 3 to 5",
			       in->rank);
	if (in->dim[1] % groups)
		return mx_fail(err, EBADMSG, "%zu channels in %zu groups",
			       in->dim[1], groups);
	members = in->dim[1] / groups;
	if ((size_t)p->first > members ||
	    (size_t)p->count > members - (size_t)p->first)
		return mx_fail(err, EBADMSG, "%zu members from %zu on, of %zu",
			       (size_t)p->count, (size_t)p->first, members);
	if (p->count == 0)
		p->count = (int64_t)(members - (size_t)p->first);
	*out = *in;
	out->dim[1] = (size_t)p->count * groups;
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct shuffle *p = args->layer->params;
	const struct mx_view *in = &args->in[0];
	const struct mx_view *out = &args->out[0];
	const size_t groups = (size_t)p->groups;
	const size_t members = in->shape.dim[1] / groups;
	struct mx_range pixels;
	size_t i;

	assert(in->layout == MX_LAYOUT_CHANNELS_LAST &&
	       out->layout == MX_LAYOUT_CHANNELS_LAST);
	pixels = mx_lines_of_parts(
		in->shape.dim[0] * mx_shape_span(&in->shape, 2, in->shape.rank),
		args->layer->tile_count, parts);
	for (i = pixels.begin; i < pixels.end; i++)
		args->simd->map->interleave(out->data + i * out->pitch,
					    in->data + i * in->pitch +
						    (size_t)p->first,
					    members, groups, (size_t)p->count);
}

const struct mx_op mx_op_shuffle = {
	.name = "Shuffle",
	.traits = MX_OP_SPATIAL,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct shuffle),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
