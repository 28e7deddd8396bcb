#include "lib/op.h"

#include <errno.h>
#include <string.h>

#include "lib/attr.h"
#include "lib/blas.h"
#include "lib/err.h"
#include "lib/ops.h"
#include "lib/simd.h"
#include "lib/simd_dense.h"
#include "lib/simd_map.h"
#include "lib/size.h"

/* A block's rows are chosen for this size, in units where they fit. */
#define BLOCK_BYTES ((size_t)1 << 20)
#define BLOCK_UNIT ((size_t)4)
/* Input rows of a tile. */
#define TILE_ROWS ((size_t)256)

struct dense {
	uint32_t axis;
	size_t out_features;
	struct mx_activation act;
	/* From infer. */
	size_t in_rows;
	size_t in_elems; /* of a row */
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct dense *dense = params;
	int64_t axis, features;
	int rc;

	rc = mx_attrs_int_in(attrs, "axis", 1, 0, MX_RANK_MAX - 1, &axis, err);
	if (rc)
		return rc;
	rc = mx_attrs_int_in(attrs, "out_features", 0, 1, INT32_MAX, &features,
			     err);
	if (rc)
		return rc;
	if (features == 0)
		return mx_fail(err, EBADMSG,
			       "attribute out_features is missing");
	dense->axis = (uint32_t)axis;
	dense->out_features = (size_t)features;
	return mx_activation_bind(&dense->act, attrs, err);
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	struct dense *dense = layer->params;
	const uint32_t axis = dense->axis;
	size_t elems;

	if (axis > in->rank)
		return mx_fail(err, EBADMSG, "axis %u of an input of rank %u",
			       axis, in->rank);
	dense->in_rows = mx_shape_span(in, 0, axis);
	dense->in_elems = mx_shape_span(in, axis, in->rank);
	if (dense->in_elems == 0 || dense->in_elems > MX_ELEMS_MAX)
		return mx_fail(err, EBADMSG, "input rows of %zu elements",
			       dense->in_elems);
	*out = mx_shape_of(axis, in->dim);
	out->dim[out->rank++] = dense->out_features;
	if (mx_shape_count(out, &elems))
		return mx_fail(err, EBADMSG, "output has too many elements");
	return 0;
}

static void weights(const struct mx_layer *layer, struct mx_weight_spec *spec)
{
	const struct dense *dense = layer->params;
	const size_t rows = dense->out_features;
	size_t block = BLOCK_BYTES / (dense->in_elems * sizeof(float));

	if (block >= BLOCK_UNIT)
		block = block / BLOCK_UNIT * BLOCK_UNIT;
	block = mx_size_min(mx_size_max(block, 1), rows);
	spec->rows = rows;
	spec->row_elems = dense->in_elems;
	spec->vectors = dense->act.kind == MX_ACTIVATION_PRELU ? 2 : 1;
	spec->block_rows = (uint32_t)block;
	spec->panel_rows = 1;
}

static size_t tiles(const struct mx_layer *layer)
{
	const struct dense *dense = layer->params;

	return mx_size_max(mx_size_div_up(dense->in_rows, TILE_ROWS), 1);
}

static uint64_t macs(const struct mx_layer *layer)
{
	const struct dense *dense = layer->params;
	uint64_t count;

	if (mx_u64_mul(mx_shape_elems(layer->out_shape), dense->in_elems,
		       &count))
		return UINT64_MAX;
	return count;
}

/* Input rows [first, end) times the rows of one block. */
static void run_part(const struct mx_op_args *args, size_t block, size_t first,
		     size_t end)
{
	const struct dense *dense = args->layer->params;
	const struct mx_weight_spec *spec = &args->layer->weights;
	const size_t rows = (size_t)mx_weight_block_rows(spec, block);
	const size_t elems = dense->in_elems;
	const size_t pitch = dense->out_features;
	const void *bytes = mx_op_block(args, block);
	const float *matrix = bytes;
	const float *bias = matrix + rows * elems;
	const float *slope = spec->vectors > 1 ? bias + rows : NULL;
	const float *x = args->in[0].data + first * elems;
	float *out =
		args->out[0].data + first * pitch + block * spec->block_rows;
	size_t i;

	/* The layer's rows decide, not this tile's: the choice is the
	 * shape's. */
	if (dense->in_rows == 1) {
		args->simd->dense->products(matrix, rows, elems, x, bias, out);
	} else {
		for (i = 0; i < end - first; i++)
			memcpy(out + i * pitch, bias, rows * sizeof(*out));
		args->blas->gemm_nt(end - first, rows, elems, x, elems, matrix,
				    elems, 1, out, pitch);
	}
	if (dense->act.kind == MX_ACTIVATION_NONE)
		return;
	for (i = 0; i < end - first; i++)
		args->simd->map->activate(&dense->act, out + i * pitch, rows,
					  slope);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct dense *dense = args->layer->params;
	const size_t tile_count = args->layer->tile_count;
	size_t p;

	for (p = parts.begin; p < parts.end; p++) {
		const size_t first = p % tile_count * TILE_ROWS;
		const size_t end =
			mx_size_min(first + TILE_ROWS, dense->in_rows);

		if (first < end)
			run_part(args, p / tile_count, first, end);
	}
}

const struct mx_op mx_op_dense = {
	.name = "Dense",
	.traits = MX_OP_DENSE | MX_OP_FUSES_ACTIVATION | MX_OP_FUSES_AFFINE,
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct dense),
	.bind = bind,
	.infer = infer,
	.weights = weights,
	.tiles = tiles,
	.macs = macs,
	.run = run,
};
