#include "lib/op.h"

#include <errno.h>

#include "lib/elementwise.h"
#include "lib/err.h"
#include "lib/simd.h"
#include "lib/simd_map.h"

enum { SCALE = 1, BIAS, SLOPE };

struct affine {
	int64_t axis;
	struct mx_activation act;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct affine *p = params;
	int rc;

	rc = mx_attrs_int_in(attrs, "axis", 1, 0, MX_RANK_MAX - 1, &p->axis,
			     err);
	return rc ? rc : mx_activation_bind(&p->act, attrs, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct affine *p = layer->params;

	if (p->axis >= in[0].rank)
		return mx_fail(err, EBADMSG, "no axis %d in rank %u",
			       (int)p->axis, in[0].rank);
	out[0] = in[0];
	return 0;
}

static void weights(const struct mx_layer *layer, struct mx_weight_spec *spec)
{
	const struct affine *p = layer->params;

	mx_rowwise_weights(layer, (uint32_t)p->axis,
			   p->act.kind == MX_ACTIVATION_PRELU ? SLOPE : BIAS,
			   spec);
}

static size_t tiles(const struct mx_layer *layer)
{
	const struct affine *p = layer->params;

	return mx_rowwise_tiles(layer, (uint32_t)p->axis);
}

static void do_line(const struct mx_op_args *args,
		    const struct mx_elementwise_line *line)
{
	const struct affine *p = args->layer->params;
	const struct mx_simd_map *map = args->simd->map;

	map->affine(line->out, line->in[0], line->in[SCALE], line->in[BIAS],
		    line->step[SCALE], line->count);
	if (p->act.kind == MX_ACTIVATION_PRELU)
		map->prelu(line->out, line->out, line->in[SLOPE],
			   line->step[SLOPE], line->count);
	else
		map->activate(&p->act, line->out, line->count, NULL);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct affine *p = args->layer->params;

	mx_rowwise_run(args, parts, (uint32_t)p->axis, do_line);
}

const struct mx_op mx_op_affine = {
	.name = "Affine",
	.traits = MX_OP_ELEMENTWISE | MX_OP_IN_PLACE | MX_OP_FUSES_ACTIVATION,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct affine),
	.bind = bind,
	.infer = infer,
	.weights = weights,
	.tiles = tiles,
	.run = run,
};
