/*
 * The inner loop of fully connected layers: products of rows of weights with
 * one vector, as fast as the rows can be read.
 *
 * A row's sum is kept in lanes that are merged in one fixed order, so it
 * depends on the row, the vector and their length alone.
 */
#ifndef MX_LIB_SIMD_DENSE_H
#define MX_LIB_SIMD_DENSE_H

#include <stddef.h>

struct mx_simd_dense {
	/* y[r] = bias[r] + the product of row r with x, for @rows rows of
	 * @elems elements each, one behind the other. */
	void (*products)(const float *matrix, size_t rows, size_t elems,
			 const float *x, const float *bias, float *y);
};

#endif
