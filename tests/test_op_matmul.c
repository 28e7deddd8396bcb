#include "tests/op_fixture.h"

/* Element (@index of the output's batch, @row, @col) of an operand whose
 * matrix has @rows x @cols, batch dimensions broadcast. */
static double element(const struct mx_shape *shape, const float *values,
		      const struct mx_shape *batch, size_t index, size_t rows,
		      size_t cols, size_t row, size_t col)
{
	const uint32_t own = shape->rank > 2 ? shape->rank - 2 : 0;
	size_t at = 0, step = rows * cols;
	uint32_t i;

	for (i = 0; i < batch->rank; i++) {
		const uint32_t from_end = i + 1;
		const size_t dim = batch->dim[batch->rank - from_end];
		const size_t j = index % dim;

		index /= dim;
		if (from_end > own)
			continue;
		if (shape->dim[own - from_end] > 1)
			at += j * step;
		step *= shape->dim[own - from_end];
	}
	return (double)values[at + row * cols + col];
}

static void expect_product(struct mx_shape a, struct mx_shape b,
			   struct mx_shape batch, size_t m, size_t n, size_t k,
			   size_t parts)
{
	const uint32_t own_rank = batch.rank;
	const size_t count = mx_shape_elems(&batch);
	struct op_run run;
	const float *x, *y;
	double *want;
	size_t i, r, c, l;

	op_begin(&run, "MatMul");
	x = op_random(&run, mx_shape_elems(&a), 1, -1, 1);
	y = op_random(&run, mx_shape_elems(&b), 2, -1, 1);
	op_input(&run, x, a.rank, a.dim);
	op_input(&run, y, b.rank, b.dim);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, parts);
	assert_int_equal(run.layer.macs, count * m * n * k);
	assert_int_equal(mx_blas_open(&run.blas, NULL), 0);
	if (a.rank > 1)
		batch.dim[batch.rank++] = m;
	if (b.rank > 1)
		batch.dim[batch.rank++] = n;
	op_expect_shape(&run, 0, batch.rank, batch.dim);
	batch.rank = own_rank;
	want = op_doubles(&run, count * m * n);
	for (i = 0; i < count; i++)
		for (r = 0; r < m; r++)
			for (c = 0; c < n; c++)
				for (l = 0; l < k; l++)
					want[(i * m + r) * n + c] +=
						element(&a, x, &batch, i, m, k,
							r, l) *
						element(&b, y, &batch, i, k, n,
							l, c);
	op_expect(&run, 0, want, 1e-5);
	op_end(&run);
}

#define RANK(...) (sizeof((size_t[]){0, __VA_ARGS__}) / sizeof(size_t) - 1)
#define SHAPE(...)                                                             \
	mx_shape_of((uint32_t)RANK(__VA_ARGS__), (const size_t[]){__VA_ARGS__})

static void matrices_match_the_definition(void **state)
{
	const struct mx_shape none = {0};

	(void)state;
	expect_product(SHAPE(5, 7), SHAPE(7, 3), none, 5, 3, 7, 1);
	expect_product(SHAPE(1, 7), SHAPE(7, 1), none, 1, 1, 7, 1);
	expect_product(SHAPE(300, 33), SHAPE(33, 20), none, 300, 20, 33, 2);
	expect_product(SHAPE(9, 40), SHAPE(40, 1), none, 9, 1, 40, 1);
	expect_product(SHAPE(1, 40), SHAPE(40, 70), none, 1, 70, 40, 1);
}

static void vectors_match_the_definition(void **state)
{
	const struct mx_shape none = {0};

	(void)state;
	expect_product(SHAPE(7), SHAPE(7), none, 1, 1, 7, 1);
	expect_product(SHAPE(7), SHAPE(7, 4), none, 1, 4, 7, 1);
	expect_product(SHAPE(4, 7), SHAPE(7), none, 4, 1, 7, 1);
	expect_product(SHAPE(7), SHAPE(3, 7, 4), SHAPE(3), 1, 4, 7, 3);
	expect_product(SHAPE(3, 4, 7), SHAPE(7), SHAPE(3), 4, 1, 7, 1);
}

static void batches_broadcast(void **state)
{
	(void)state;
	expect_product(SHAPE(3, 5, 7), SHAPE(3, 7, 2), SHAPE(3), 5, 2, 7, 3);
	/* One b for all: one product of 3 x 5 rows. */
	expect_product(SHAPE(3, 5, 7), SHAPE(7, 2), SHAPE(3), 5, 2, 7, 1);
	expect_product(SHAPE(3, 5, 7), SHAPE(1, 1, 7, 2), SHAPE(1, 3), 5, 2, 7,
		       1);
	expect_product(SHAPE(5, 7), SHAPE(3, 7, 2), SHAPE(3), 5, 2, 7, 3);
	expect_product(SHAPE(2, 1, 5, 7), SHAPE(3, 7, 2), SHAPE(2, 3), 5, 2, 7,
		       6);
	expect_product(SHAPE(4, 1, 3, 5, 7), SHAPE(2, 1, 7, 2), SHAPE(4, 2, 3),
		       5, 2, 7, 24);
}

static void empty_products_are_empty_or_zero(void **state)
{
	const struct mx_shape none = {0};

	(void)state;
	expect_product(SHAPE(5, 0), SHAPE(0, 3), none, 5, 3, 0, 1);
	expect_product(SHAPE(5, 0), SHAPE(0, 1), none, 5, 1, 0, 1);
	expect_product(SHAPE(0, 5), SHAPE(5, 3), none, 0, 3, 5, 1);
	expect_product(SHAPE(0, 2, 5), SHAPE(5, 3), SHAPE(0), 2, 3, 5, 1);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
	static const float x[24];
	struct op_run run;

	(void)state;
	op_begin(&run, "MatMul");
	OP_INPUT(&run, x, 2, 3);
	OP_INPUT(&run, x, 4, 3);
	op_bind_fails(&run, "no product of 2x3 and 4x3");
	op_end(&run);

	op_begin(&run, "MatMul");
	OP_INPUT(&run, x, 2, 2, 3);
	OP_INPUT(&run, x, 3, 3, 2);
	op_bind_fails(&run, "no product of 2x2x3 and 3x3x2");
	op_end(&run);

	op_begin(&run, "MatMul");
	op_input(&run, x, 0, NULL);
	OP_INPUT(&run, x, 1);
	op_bind_fails(&run, "scalar");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrices_match_the_definition),
		cmocka_unit_test(vectors_match_the_definition),
		cmocka_unit_test(batches_broadcast),
		cmocka_unit_test(empty_products_are_empty_or_zero),
		cmocka_unit_test(shapes_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
