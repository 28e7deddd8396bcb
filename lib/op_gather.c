/*
 * x[:axis] + index_shape + x[axis + 1:]. The indices are the weights, one row
 * each; a part is some of the indices of a block.
 */
#include "lib/op.h"

#include <errno.h>
#include <string.h>

#include "lib/box.h"
#include "lib/err.h"
#include "lib/lines.h"
#include "lib/size.h"

#define BLOCK_ROWS 16384

struct gather {
	int64_t axis;
	int64_t index_dim[MX_RANK_MAX];
	size_t index_rank;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct gather *p = params;
	int rc;

	rc = mx_attrs_int_in(attrs, "axis", 0, 0, MX_RANK_MAX - 1, &p->axis,
			     err);
	return rc ? rc
		  : mx_attrs_ints_in(attrs, "index_shape", 0,
				     (int64_t)MX_ELEMS_MAX, p->index_dim,
				     MX_RANK_MAX, &p->index_rank, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct gather *p = layer->params;
	const uint32_t axis = (uint32_t)p->axis;
	struct mx_shape shape;
	uint32_t i;

	if (axis >= in[0].rank)
		return mx_fail(err, EBADMSG, "no axis %u in rank %u", axis,
			       in[0].rank);
	if (in[0].rank - 1 + p->index_rank > MX_RANK_MAX)
		return mx_fail(err, EBADMSG, "%zu index dimensions for rank %u",
			       p->index_rank, in[0].rank);
	memset(&shape, 0, sizeof(shape));
	for (i = 0; i < axis; i++)
		shape.dim[shape.rank++] = in[0].dim[i];
	for (i = 0; i < p->index_rank; i++)
		shape.dim[shape.rank++] = (size_t)p->index_dim[i];
	for (i = axis + 1; i < in[0].rank; i++)
		shape.dim[shape.rank++] = in[0].dim[i];
	out[0] = shape;
	return 0;
}

/* Indices of the layer; 0 where a product of dimensions is. */
static size_t index_count(const struct mx_layer *layer)
{
	const struct gather *p = layer->params;

	return mx_shape_span(layer->out_shape, (uint32_t)p->axis,
			     (uint32_t)(p->axis + (int64_t)p->index_rank));
}

static void weights(const struct mx_layer *layer, struct mx_weight_spec *spec)
{
	const size_t rows = index_count(layer);

	if (rows == 0)
		return;
	spec->rows = rows;
	spec->row_elems = 1;
	spec->block_rows = (uint32_t)mx_size_min(rows, BLOCK_ROWS);
	spec->panel_rows = 1;
}

static size_t tiles(const struct mx_layer *layer)
{
	const size_t rows = index_count(layer);
	const size_t block = mx_size_min(rows, BLOCK_ROWS);
	size_t parts;

	if (rows == 0)
		return 1;
	parts = mx_lines_parts(mx_shape_elems(layer->out_shape) / rows * block);
	return mx_size_min(parts, block);
}

static int32_t read_index(const unsigned char *block, size_t row)
{
	int32_t index;

	memcpy(&index, block + row * sizeof(index), sizeof(index));
	return index;
}

/* The box of one index: x's shape with 1 in place of the axis. */
static void make_box(const struct mx_op_args *args, struct mx_box *box)
{
	const struct gather *p = args->layer->params;
	const struct mx_view *in = &args->in[0];
	const struct mx_view *out = &args->out[0];
	const uint32_t axis = (uint32_t)p->axis;
	uint32_t i;

	mx_box_init(box, &in->shape, out, in);
	box->shape.dim[axis] = 1;
	for (i = axis + 1; i < in->shape.rank; i++)
		box->out_stride[i] = out->stride[i - 1 + p->index_rank];
}

/* Where in the output index number @row goes. */
static size_t out_offset(const struct mx_op_args *args, size_t row)
{
	const struct gather *p = args->layer->params;
	const struct mx_view *out = &args->out[0];
	size_t offset = 0;
	size_t i;

	for (i = p->index_rank; i-- > 0;) {
		const size_t dim = out->shape.dim[(size_t)p->axis + i];

		offset += row % dim * out->stride[(size_t)p->axis + i];
		row /= dim;
	}
	return offset;
}

static void gather(const struct mx_op_args *args, struct mx_box *box,
		   const unsigned char *block, size_t first, size_t row)
{
	static const float zero;
	const struct gather *p = args->layer->params;
	const struct mx_view *in = &args->in[0];
	const int32_t index = read_index(block, row);
	struct mx_box zeros = *box;

	box->out = args->out[0].data + out_offset(args, first + row);
	if (index >= 0 && (size_t)index < in->shape.dim[p->axis]) {
		box->in = in->data + (size_t)index * in->stride[p->axis];
		mx_box_copy(box, (struct mx_range){0, 1}, 1);
		return;
	}
	/* Import writes none of these: the file is not what it was. */
	zeros.out = box->out;
	zeros.in = &zero;
	memset(zeros.in_stride, 0, sizeof(zeros.in_stride));
	mx_box_copy(&zeros, (struct mx_range){0, 1}, 1);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_weight_spec *spec = &args->layer->weights;
	const size_t tile_count = args->layer->tile_count;
	struct mx_box box;
	size_t part, row;

	if (mx_shape_elems(&args->out[0].shape) == 0)
		return;
	make_box(args, &box);
	for (part = parts.begin; part < parts.end; part++) {
		const size_t index = part / tile_count;
		const size_t tile = part % tile_count;
		const struct mx_range rows = mx_lines_of_parts(
			(size_t)mx_weight_block_rows(spec, index), tile_count,
			(struct mx_range){tile, tile + 1});
		const unsigned char *block = mx_op_block(args, index);

		for (row = rows.begin; row < rows.end; row++)
			gather(args, &box, block, index * spec->block_rows,
			       row);
	}
}

const struct mx_op mx_op_gather = {
	.name = "Gather",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct gather),
	.bind = bind,
	.infer = infer,
	.weights = weights,
	.tiles = tiles,
	.run = run,
};
