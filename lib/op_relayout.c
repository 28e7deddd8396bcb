#include "lib/op.h"

#include "lib/box.h"
#include "lib/lines.h"

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	(void)layer;
	(void)err;
	out[0] = in[0];
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	struct mx_box box;

	mx_box_init(&box, &args->out[0].shape, &args->out[0], &args->in[0]);
	mx_box_copy(&box, parts, args->layer->tile_count);
}

const struct mx_op mx_op_relayout = {
	.name = "Relayout",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
