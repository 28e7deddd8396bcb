/*
 * Functions of two values with NumPy's broadcasting, one macro line each.
 */
#include "lib/op.h"

#include <errno.h>

#include "lib/elementwise.h"
#include "lib/err.h"
#include "lib/lines.h"
#include "lib/simd.h"
#include "lib/simd_map.h"

struct binary {
	enum mx_map_binary_kind kind;
	struct mx_activation act;
};

static int bind(struct binary *p, const struct mx_attrs *attrs,
		enum mx_map_binary_kind kind, struct mx_err *err)
{
	int rc;

	p->kind = kind;
	rc = mx_activation_bind(&p->act, attrs, err);
	if (rc)
		return rc;
	if (p->act.kind == MX_ACTIVATION_PRELU)
		return mx_fail(err, EBADMSG, "no weights to hold slopes");
	return 0;
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	char a[MX_SHAPE_TEXT_BYTES], b[MX_SHAPE_TEXT_BYTES];

	(void)layer;
	if (mx_shape_broadcast(&in[0], &in[1], &out[0]))
		return mx_fail(err, EBADMSG, "%s and %s do not broadcast",
			       mx_shape_text(&in[0], a),
			       mx_shape_text(&in[1], b));
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void do_line(const struct mx_op_args *args,
		    const struct mx_elementwise_line *line)
{
	const struct binary *p = args->layer->params;
	const struct mx_simd_map *map = args->simd->map;

	map->binary[p->kind](line->out, line->in[0], line->step[0], line->in[1],
			     line->step[1], line->count);
	map->activate(&p->act, line->out, line->count, NULL);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_elementwise work = {
		.out = &args->out[0],
		.in = {&args->in[0], &args->in[1]},
		.in_count = 2,
		.line = do_line,
	};

	mx_elementwise_run(args, &work, parts, args->layer->tile_count);
}

#define OP(id, text, KIND)                                                     \
	static int bind_##id(void *params, const struct mx_attrs *attrs,       \
			     struct mx_err *err)                               \
	{                                                                      \
		return bind(params, attrs, MX_MAP_##KIND, err);                \
	}                                                                      \
                                                                               \
	const struct mx_op mx_op_##id = {                                      \
		.name = text,                                                  \
		.traits = MX_OP_ELEMENTWISE | MX_OP_IN_PLACE |                 \
			  MX_OP_FUSES_ACTIVATION,                              \
		.in_min = 2,                                                   \
		.in_max = 2,                                                   \
		.out_max = 1,                                                  \
		.params_bytes = sizeof(struct binary),                         \
		.bind = bind_##id,                                             \
		.infer = infer,                                                \
		.tiles = tiles,                                                \
		.run = run,                                                    \
	};

OP(add, "Add", ADD)
OP(sub, "Sub", SUB)
OP(mul, "Mul", MUL)
OP(div, "Div", DIV)
OP(max, "Max", MAX)
OP(min, "Min", MIN)
OP(pow, "Pow", POW)
