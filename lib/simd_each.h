/*
 * Kernels are written for a number of pixels (or tiles) that is a constant, so
 * that their sums are registers: a function for each number, and a table of
 * them. MX_SIMD_EACH_14(X, other) is X(1, other) X(2, other) ... X(14, other).
 */
#ifndef MX_LIB_SIMD_EACH_H
#define MX_LIB_SIMD_EACH_H

#define MX_SIMD_EACH_3(X, other) X(1, other) X(2, other) X(3, other)
#define MX_SIMD_EACH_6(X, other)                                               \
	MX_SIMD_EACH_3(X, other) X(4, other) X(5, other) X(6, other)
#define MX_SIMD_EACH_14(X, other)                                              \
	MX_SIMD_EACH_6(X, other)                                               \
	X(7, other)                                                            \
	X(8, other)                                                            \
	X(9, other)                                                            \
	X(10, other)                                                           \
	X(11, other)                                                           \
	X(12, other)                                                           \
	X(13, other)                                                           \
	X(14, other)

#endif
