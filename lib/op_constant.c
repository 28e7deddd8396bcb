#include "lib/op.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"

#define BLOCK_ROWS 16384

struct constant {
	int64_t dim[MX_RANK_MAX];
	size_t rank;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct constant *p = params;

	return mx_attrs_ints_in(attrs, "shape", 0, (int64_t)MX_ELEMS_MAX,
				p->dim, MX_RANK_MAX, &p->rank, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct constant *p = layer->params;
	uint32_t i;

	(void)in;
	(void)err;
	memset(&out[0], 0, sizeof(out[0]));
	out[0].rank = (uint32_t)p->rank;
	for (i = 0; i < p->rank; i++)
		out[0].dim[i] = (size_t)p->dim[i];
	return 0;
}

static void weights(const struct mx_layer *layer, struct mx_weight_spec *spec)
{
	const size_t rows = mx_shape_elems(layer->out_shape);

	if (rows == 0)
		return;
	spec->rows = rows;
	spec->row_elems = 1;
	spec->block_rows = (uint32_t)mx_size_min(rows, BLOCK_ROWS);
	spec->panel_rows = 1;
}

/* Element @index in row-major order. */
static float *element(const struct mx_view *view, size_t index)
{
	float *at = view->data;
	uint32_t i;

	for (i = view->shape.rank; i-- > 0; index /= view->shape.dim[i])
		at += index % view->shape.dim[i] * view->stride[i];
	return at;
}

static void copy_block(const struct mx_view *out, const unsigned char *block,
		       size_t first, size_t count)
{
	size_t i;

	if (out->layout == MX_LAYOUT_ROW_MAJOR) {
		memcpy(out->data + first, block, count * sizeof(float));
		return;
	}
	for (i = 0; i < count; i++)
		memcpy(element(out, first + i), block + i * sizeof(float),
		       sizeof(float));
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_weight_spec *spec = &args->layer->weights;
	size_t block;

	if (spec->rows == 0)
		return;
	for (block = parts.begin; block < parts.end; block++)
		copy_block(&args->out[0], mx_op_block(args, block),
			   block * spec->block_rows,
			   (size_t)mx_weight_block_rows(spec, block));
}

const struct mx_op mx_op_constant = {
	.name = "Constant",
	.traits = MX_OP_CONSTANT,
	.in_min = 0,
	.in_max = 0,
	.out_max = 1,
	.params_bytes = sizeof(struct constant),
	.bind = bind,
	.infer = infer,
	.weights = weights,
	.run = run,
};
