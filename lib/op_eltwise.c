/*
 * Caffe's Eltwise: any number of inputs of one shape. The inputs are combined
 * in their order a chunk at a time, in a buffer of the stack's, because the
 * output may be the memory of any of them.
 */
#include "lib/op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/lines.h"
#include "lib/simd.h"
#include "lib/simd_map.h"
#include "lib/size.h"

#define CHUNK ((size_t)512)

/* Stored in models: never renumber. */
enum kind { PRODUCT, SUM, MAXIMUM, MINIMUM, MEAN, KIND_COUNT };

/* Operands of the lines: the output; where its elements stand in row-major
 * order; and one whose strides keep dimensions from being merged. */
enum { OUT, INDEX, APART };

struct eltwise {
	int64_t kind;
	struct mx_activation act;
	float *coeff; /* NULL: all 1 */
	size_t coeff_count;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	const struct mx_attr *coeff = mx_attrs_find(attrs, "coeff");
	struct eltwise *p = params;
	int rc;

	rc = mx_attrs_int_in(attrs, "kind", SUM, PRODUCT, KIND_COUNT - 1,
			     &p->kind, err);
	if (!rc)
		rc = mx_activation_bind(&p->act, attrs, err);
	if (rc)
		return rc;
	if (p->act.kind == MX_ACTIVATION_PRELU)
		return mx_fail(err, EBADMSG, "no weights to hold slopes");
	if (!coeff || coeff->float_count == 0)
		return 0;
	if (p->kind != SUM)
		return mx_fail(err, EBADMSG, "coeff is for sums only");
	p->coeff = calloc(coeff->float_count, sizeof(float));
	if (!p->coeff)
		return mx_fail(err, ENOMEM, "no memory for %zu coefficients",
			       coeff->float_count);
	memcpy(p->coeff, coeff->floats, coeff->float_count * sizeof(float));
	p->coeff_count = coeff->float_count;
	return 0;
}

static void release(void *params)
{
	struct eltwise *p = params;

	free(p->coeff);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct eltwise *p = layer->params;
	char a[MX_SHAPE_TEXT_BYTES], b[MX_SHAPE_TEXT_BYTES];
	uint32_t i;

	if (p->coeff && p->coeff_count != layer->in_count)
		return mx_fail(err, EBADMSG, "%zu coefficients for %u inputs",
			       p->coeff_count, layer->in_count);
	for (i = 1; i < layer->in_count; i++)
		if (!mx_shape_equal(&in[0], &in[i]))
			return mx_fail(err, EBADMSG,
				       "input 0 is %s, input %u is %s",
				       mx_shape_text(&in[0], a), i,
				       mx_shape_text(&in[i], b));
	out[0] = in[0];
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

static void combine(const struct mx_simd_map *map, const struct eltwise *p,
		    uint32_t input, float *acc, const float *x, size_t count)
{
	static const enum mx_map_binary_kind kinds[KIND_COUNT] = {
		[PRODUCT] = MX_MAP_MUL, [SUM] = MX_MAP_ADD,
		[MAXIMUM] = MX_MAP_MAX, [MINIMUM] = MX_MAP_MIN,
		[MEAN] = MX_MAP_ADD,
	};
	const struct mx_map_params linear = {
		.a = 1.0f, .b = p->coeff ? p->coeff[input] : 1.0f};

	if (input == 0 && p->coeff)
		map->unary[MX_MAP_POWER](acc, x, count, &linear);
	else if (input == 0)
		memcpy(acc, x, count * sizeof(*acc));
	else if (p->coeff)
		map->accumulate(acc, x, p->coeff[input], count);
	else
		map->binary[kinds[p->kind]](acc, acc, 1, x, 1, count);
}

/*
 * The usual case is uniform: all inputs have the output's strides, so that its
 * offsets are theirs. Else a line runs along one dimension, and the offsets
 * come from its first element's index.
 */
struct plan {
	struct mx_lines lines;
	int is_uniform;
	uint32_t along;
};

static int has_strides(const struct mx_view *view, const struct mx_view *other)
{
	uint32_t i;

	for (i = 0; i < view->shape.rank; i++)
		if (view->shape.dim[i] > 1 &&
		    view->stride[i] != other->stride[i])
			return 0;
	return 1;
}

static void plan_init(struct plan *plan, const struct mx_op_args *args)
{
	const struct mx_view *out = &args->out[0];
	const struct mx_shape *shape = &out->shape;
	struct mx_lines_operand operands[APART + 1];
	size_t stride = 1;
	uint32_t i;

	plan->along = 0;
	plan->is_uniform = 1;
	for (i = 0; i < args->layer->in_count; i++)
		if (!has_strides(&args->in[i], out))
			plan->is_uniform = 0;
	mx_lines_broadcast(&operands[OUT], out, shape);
	for (i = shape->rank; i-- > 0; stride *= shape->dim[i]) {
		operands[INDEX].stride[i] = stride;
		operands[APART].stride[i] = 1;
	}
	mx_lines_init(&plan->lines, shape, operands,
		      plan->is_uniform ? OUT + 1 : APART + 1);
	for (i = 0; i < shape->rank && !plan->is_uniform; i++)
		if (shape->dim[i] > 1 &&
		    operands[INDEX].stride[i] == plan->lines.step[INDEX])
			plan->along = i;
}

/* Where a line begins in input @view, and its step there. */
static const float *find_line(const struct plan *plan,
			      const struct mx_view *view, const size_t *offset,
			      size_t *step)
{
	const float *at = view->data;
	size_t index, i;

	if (plan->is_uniform) {
		*step = plan->lines.step[OUT];
		return at + offset[OUT];
	}
	index = offset[INDEX];
	for (i = view->shape.rank; i-- > 0; index /= view->shape.dim[i])
		at += index % view->shape.dim[i] * view->stride[i];
	*step = view->shape.rank ? view->stride[plan->along] : 0;
	return at;
}

static void do_chunk(const struct mx_op_args *args, const struct plan *plan,
		     const size_t *offset, size_t begin, size_t count)
{
	const struct eltwise *p = args->layer->params;
	const struct mx_simd_map *map = args->simd->map;
	const uint32_t inputs = args->layer->in_count;
	const float share = 1.0f / (float)inputs;
	const size_t out_step = plan->lines.step[OUT];
	float *out = args->out[0].data + offset[OUT] + begin * out_step;
	float gathered[CHUNK];
	float acc[CHUNK];
	uint32_t i;
	size_t k;

	for (i = 0; i < inputs; i++) {
		const float *x;
		size_t step;

		x = find_line(plan, &args->in[i], offset, &step);
		x += begin * step;
		for (k = 0; k < count && step != 1; k++)
			gathered[k] = x[k * step];
		combine(map, p, i, acc, step == 1 ? x : gathered, count);
	}
	if (p->kind == MEAN)
		map->binary[MX_MAP_MUL](acc, acc, 1, &share, 0, count);
	map->activate(&p->act, acc, count, NULL);
	for (k = 0; k < count; k++)
		out[k * out_step] = acc[k];
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	struct mx_lines_walk walk;
	struct mx_range range;
	struct plan plan;
	size_t at, begin;

	plan_init(&plan, args);
	range = mx_lines_of_parts(plan.lines.count, args->layer->tile_count,
				  parts);
	mx_lines_begin(&plan.lines, range.begin, &walk);
	for (at = range.begin; at < range.end; at++) {
		for (begin = 0; begin < plan.lines.length; begin += CHUNK)
			do_chunk(args, &plan, walk.offset, begin,
				 mx_size_min(plan.lines.length - begin, CHUNK));
		mx_lines_next(&plan.lines, &walk);
	}
}

const struct mx_op mx_op_eltwise = {
	.name = "Eltwise",
	.traits = MX_OP_ELEMENTWISE | MX_OP_IN_PLACE | MX_OP_FUSES_ACTIVATION,
	.in_min = 1,
	.in_max = UINT32_MAX,
	.out_max = 1,
	.params_bytes = sizeof(struct eltwise),
	.bind = bind,
	.release = release,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
