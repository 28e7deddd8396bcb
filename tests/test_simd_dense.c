#include "lib/simd_dense.h"

#include "lib/simd.h"
#include "tests/op_fixture.h"

#define ROWS_MAX 11
#define MARK 12345.0f

/* Around whole vectors, whole steps and whole chunks of any instruction set. */
static const size_t lengths[] = {
	1,  3,	 4,   7,   8,	15,  16,  17,	31,   33,   47,	  63,  64,
	65, 100, 255, 257, 511, 513, 900, 1023, 1025, 4096, 4097, 5001};

static void expect(const struct mx_simd *simd, size_t rows, size_t elems)
{
	struct op_run run = {.in_place = -1};
	/* Arrays of exactly their size: reading past them is seen. */
	const float *x = op_random(&run, elems, 1, -1, 1);
	const float *matrix = op_random(&run, rows * elems, 2, -1, 1);
	const float *bias = op_random(&run, rows, 3, -1, 1);
	float y[ROWS_MAX + 1], one;
	size_t r, k;

	for (r = 0; r <= ROWS_MAX; r++)
		y[r] = MARK;
	simd->dense->products(matrix, rows, elems, x, bias, y);
	for (r = 0; r < rows; r++) {
		double sum = (double)bias[r], size = 1;

		for (k = 0; k < elems; k++) {
			const double product =
				(double)x[k] * (double)matrix[r * elems + k];

			sum += product;
			size += fabs(product);
		}
		if (!(fabs((double)y[r] - sum) <= 1e-6 * size))
			fail_msg("%s: %zu elements, row %zu: %.9g, not %.9g",
				 simd->isa, elems, r, (double)y[r], sum);
		/* Alone it is the same bits. */
		simd->dense->products(matrix + r * elems, 1, elems, x, bias + r,
				      &one);
		assert_memory_equal(&one, &y[r], sizeof(one));
	}
	assert_true(y[rows] == MARK);
	op_end(&run);
}

static void rows_of_any_length_and_number_are_products(void **state)
{
	const struct mx_simd *simd;
	size_t i, l, rows;

	(void)state;
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++)
			for (rows = 1; rows <= ROWS_MAX; rows++)
				expect(simd, rows, lengths[l]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_any_length_and_number_are_products),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
