#include "lib/op.h"

#include <errno.h>

#include "lib/elementwise.h"
#include "lib/err.h"
#include "lib/lines.h"
#include "lib/simd.h"
#include "lib/simd_map.h"

enum { CONDITION, YES, NO, INPUTS };

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	char c[MX_SHAPE_TEXT_BYTES], x[MX_SHAPE_TEXT_BYTES];
	char y[MX_SHAPE_TEXT_BYTES];
	struct mx_shape both;

	(void)layer;
	if (mx_shape_broadcast(&in[YES], &in[NO], &both) ||
	    mx_shape_broadcast(&in[CONDITION], &both, &out[0]))
		return mx_fail(err, EBADMSG, "%s, %s and %s do not broadcast",
			       mx_shape_text(&in[CONDITION], c),
			       mx_shape_text(&in[YES], x),
			       mx_shape_text(&in[NO], y));
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void do_line(const struct mx_op_args *args,
		    const struct mx_elementwise_line *line)
{
	args->simd->map->select(line->out, line->in[CONDITION], line->in[YES],
				line->in[NO], line->count);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_elementwise work = {
		.out = &args->out[0],
		.in = {&args->in[CONDITION], &args->in[YES], &args->in[NO]},
		.in_count = INPUTS,
		.no_repeat = 1u << CONDITION | 1u << YES | 1u << NO,
		.line = do_line,
	};

	mx_elementwise_run(args, &work, parts, args->layer->tile_count);
}

const struct mx_op mx_op_where = {
	.name = "Where",
	.traits = MX_OP_ELEMENTWISE | MX_OP_IN_PLACE,
	.in_min = INPUTS,
	.in_max = INPUTS,
	.out_max = 1,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
