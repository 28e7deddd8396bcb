#include "lib/op.h"

#include <errno.h>

#include "lib/elementwise.h"
#include "lib/err.h"
#include "lib/simd.h"
#include "lib/simd_map.h"

/* The dimension of channels, along which others can take the slopes in. */
#define CHANNEL_AXIS 1

struct prelu {
	int64_t axis;
};

static struct mx_activation activation(const struct mx_layer *layer)
{
	const struct prelu *p = layer->params;
	struct mx_activation act = {.kind = MX_ACTIVATION_NONE};

	if (p->axis == CHANNEL_AXIS)
		act.kind = MX_ACTIVATION_PRELU;
	return act;
}

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct prelu *p = params;

	return mx_attrs_int_in(attrs, "axis", CHANNEL_AXIS, 0, MX_RANK_MAX - 1,
			       &p->axis, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct prelu *p = layer->params;

	if (p->axis >= in[0].rank)
		return mx_fail(err, EBADMSG, "no axis %d in rank %u",
			       (int)p->axis, in[0].rank);
	out[0] = in[0];
	return 0;
}

static void weights(const struct mx_layer *layer, struct mx_weight_spec *spec)
{
	const struct prelu *p = layer->params;

	mx_rowwise_weights(layer, (uint32_t)p->axis, 1, spec);
}

static size_t tiles(const struct mx_layer *layer)
{
	const struct prelu *p = layer->params;

	return mx_rowwise_tiles(layer, (uint32_t)p->axis);
}

static void do_line(const struct mx_op_args *args,
		    const struct mx_elementwise_line *line)
{
	args->simd->map->prelu(line->out, line->in[0], line->in[1],
			       line->step[1], line->count);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct prelu *p = args->layer->params;

	mx_rowwise_run(args, parts, (uint32_t)p->axis, do_line);
}

const struct mx_op mx_op_prelu = {
	.name = "PRelu",
	.traits = MX_OP_ELEMENTWISE | MX_OP_IN_PLACE,
	.activation = activation,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct prelu),
	.bind = bind,
	.infer = infer,
	.weights = weights,
	.tiles = tiles,
	.run = run,
};
