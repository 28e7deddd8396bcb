#include "lib/simd_dense.h"

#include "lib/simd.h"
#include "lib/simd_vec.h"

/* Rows that share what is loaded of x. */
#define ROWS 4
/* An x of so many elements stays in a first-level cache while a row streams
 * past it. Then rows are read one by one: memory is read faster along one
 * stream than along ROWS (26 against 15 GB/s for rows of 1280, Zen 4). */
#define X_ELEMS ((size_t)4096)
/* Vectors of lanes of a row: enough chains to hide their latency. */
#define LANES 2
#define STEP (LANES * MX_VEC)
/* After so many elements lanes are merged: rounding errors grow with the
 * lanes' lengths. */
#define CHUNK ((size_t)STEP * 32)

/* The lanes of one row, merged by halves. */
MX_VEC_INLINE float merge(mx_vec sum[LANES])
{
	float lane[STEP];
	size_t width, i;

	mx_vec_for (i, LANES)
		mx_vec_store(lane + i * MX_VEC, sum[i]);
	for (width = STEP / 2; width; width /= 2)
		for (i = 0; i < width; i++)
			lane[i] += lane[i + width];
	return lane[0];
}

/* Elements [0, @elems) of @rows rows, a constant once inlined, that lie
 * @pitch apart, added to @total. */
MX_VEC_INLINE void add_chunk(const float *matrix, const size_t rows,
			     size_t pitch, size_t elems, const float *x,
			     float *total)
{
	mx_vec sum[ROWS][LANES] = {{{0}}};
	size_t k, r, j;

	for (k = 0; k + STEP <= elems; k += STEP)
		mx_vec_for (j, LANES) {
			const size_t at = k + j * MX_VEC;
			const mx_vec v = mx_vec_load(x + at);

			mx_vec_for (r, rows)
				sum[r][j] +=
					mx_vec_load(matrix + r * pitch + at) *
					v;
		}
	if (k + MX_VEC <= elems) {
		const mx_vec v = mx_vec_load(x + k);

		mx_vec_for (r, rows)
			sum[r][0] += mx_vec_load(matrix + r * pitch + k) * v;
		k += MX_VEC;
	}
	if (k < elems) {
		const mx_vec v = mx_vec_load_some(x + k, elems - k);

		mx_vec_for (r, rows)
			sum[r][1] += mx_vec_load_some(matrix + r * pitch + k,
						      elems - k) *
				     v;
	}
	mx_vec_for (r, rows)
		total[r] += merge(sum[r]);
}

MX_VEC_INLINE void some_rows(const float *matrix, const size_t rows,
			     size_t elems, const float *x, const float *bias,
			     float *y)
{
	float total[ROWS] = {0};
	size_t k, r;

	for (k = 0; k < elems; k += CHUNK)
		add_chunk(matrix + k, rows, elems,
			  elems - k < CHUNK ? elems - k : CHUNK, x + k, total);
	mx_vec_for (r, rows)
		y[r] = bias[r] + total[r];
}

static void products(const float *matrix, size_t rows, size_t elems,
		     const float *x, const float *bias, float *y)
{
	size_t r = 0;

	for (; r + ROWS <= rows && elems > X_ELEMS; r += ROWS)
		some_rows(matrix + r * elems, ROWS, elems, x, bias + r, y + r);
	for (; r < rows; r++)
		some_rows(matrix + r * elems, 1, elems, x, bias + r, y + r);
}

extern const struct mx_simd_dense MX_SIMD_TABLE(dense);
const struct mx_simd_dense MX_SIMD_TABLE(dense) = {
	.products = products,
};
