#include "lib/op.h"

#include <errno.h>
#include <string.h>

#include "lib/blas.h"
#include "lib/err.h"
#include "lib/ops.h"
#include "lib/size.h"

/* Rows of a tile. */
#define TILE_ROWS ((size_t)256)

struct matmul {
	size_t m;
	size_t n;
	size_t k;
	struct mx_shape batch; /* the broadcast dimensions in front */
	/* Elements of a and b from one index of `batch` to the next. */
	size_t a_step[MX_RANK_MAX];
	size_t b_step[MX_RANK_MAX];
	size_t row_tiles; /* of one product */
};

/* The dimensions in front of the matrix, which is @shape's last two. */
static struct mx_shape batch_of(const struct mx_shape *shape)
{
	return mx_shape_of(shape->rank > 2 ? shape->rank - 2 : 0, shape->dim);
}

/* Steps of an operand whose own batch is @own and whose matrices have @elems
 * elements. */
static void find_steps(const struct mx_shape *batch, const struct mx_shape *own,
		       size_t elems, size_t step[MX_RANK_MAX])
{
	const uint32_t lead = batch->rank - own->rank;
	uint32_t i;

	for (i = batch->rank; i-- > 0;) {
		step[i] = 0;
		if (i < lead)
			continue;
		if (own->dim[i - lead] != 1)
			step[i] = elems;
		elems *= own->dim[i - lead];
	}
}

/*
 * One b for all of a's matrices: they lie behind each other, so that they are
 * one matrix of more rows.
 */
static void merge_batch(struct matmul *mm, const struct mx_shape *a_batch,
			const struct mx_shape *b_batch)
{
	if (mx_shape_elems(b_batch) != 1 ||
	    mx_shape_elems(a_batch) != mx_shape_elems(&mm->batch))
		return;
	mm->m *= mx_shape_elems(&mm->batch);
	mm->batch.rank = 0;
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	struct matmul *mm = layer->params;
	const struct mx_shape *a = &in[0], *b = &in[1];
	const struct mx_shape a_batch = batch_of(a), b_batch = batch_of(b);
	char text[2][MX_SHAPE_TEXT_BYTES];
	size_t elems;

	if (a->rank == 0 || b->rank == 0)
		return mx_fail(err, EBADMSG, "a product with a scalar");
	mm->m = a->rank > 1 ? a->dim[a->rank - 2] : 1;
	mm->k = a->dim[a->rank - 1];
	mm->n = b->rank > 1 ? b->dim[b->rank - 1] : 1;
	if (mm->k != b->dim[b->rank > 1 ? b->rank - 2 : 0] ||
	    mx_shape_broadcast(&a_batch, &b_batch, &mm->batch))
		return mx_fail(err, EBADMSG, "no product of %s and %s",
			       mx_shape_text(a, text[0]),
			       mx_shape_text(b, text[1]));
	*out = mm->batch;
	if (a->rank > 1)
		out->dim[out->rank++] = mm->m;
	if (b->rank > 1)
		out->dim[out->rank++] = mm->n;
	if (mx_shape_count(out, &elems))
		return mx_fail(err, EBADMSG, "output has too many elements");
	merge_batch(mm, &a_batch, &b_batch);
	find_steps(&mm->batch, mm->batch.rank ? &a_batch : &mm->batch,
		   mm->m * mm->k, mm->a_step);
	find_steps(&mm->batch, mm->batch.rank ? &b_batch : &mm->batch,
		   mm->k * mm->n, mm->b_step);
	mm->row_tiles = mx_size_max(mx_size_div_up(mm->m, TILE_ROWS), 1);
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	const struct matmul *mm = layer->params;

	if (mx_shape_elems(layer->out_shape) == 0)
		return 1;
	return mx_shape_elems(&mm->batch) * mm->row_tiles;
}

static uint64_t macs(const struct mx_layer *layer)
{
	const struct matmul *mm = layer->params;
	uint64_t count;

	if (mx_u64_mul(mx_shape_elems(layer->out_shape), mm->k, &count))
		return UINT64_MAX;
	return count;
}

/* Rows [first, end) of product @index of the batch. */
static void run_tile(const struct mx_op_args *args, size_t index, size_t first,
		     size_t end)
{
	const struct matmul *mm = args->layer->params;
	const float *a = args->in[0].data + first * mm->k;
	const float *b = args->in[1].data;
	float *out = args->out[0].data + (index * mm->m + first) * mm->n;
	uint32_t i;

	for (i = mm->batch.rank; i-- > 0;) {
		a += index % mm->batch.dim[i] * mm->a_step[i];
		b += index % mm->batch.dim[i] * mm->b_step[i];
		index /= mm->batch.dim[i];
	}
	if (mm->n == 1)
		args->blas->gemv(end - first, mm->k, a, mm->k, b, 0, out);
	else
		args->blas->gemm_nn(end - first, mm->n, mm->k, a, mm->k, b,
				    mm->n, 0, out, mm->n);
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct matmul *mm = args->layer->params;
	size_t p;

	if (mx_shape_elems(args->layer->out_shape) == 0)
		return;
	for (p = parts.begin; p < parts.end; p++) {
		const size_t first = p % mm->row_tiles * TILE_ROWS;

		run_tile(args, p / mm->row_tiles, first,
			 mx_size_min(first + TILE_ROWS, mm->m));
	}
}

const struct mx_op mx_op_matmul = {
	.name = "MatMul",
	.traits = MX_OP_ORDERED,
	.in_min = 2,
	.in_max = 2,
	.out_max = 1,
	.params_bytes = sizeof(struct matmul),
	.infer = infer,
	.tiles = tiles,
	.macs = macs,
	.run = run,
};
