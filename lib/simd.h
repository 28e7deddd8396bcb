/*
 * Our own inner loops, compiled once for each instruction set and chosen at
 * run time. The files simd_<what>.c are compiled with MX_ISA set to generic,
 * avx2 or avx512 (x86) or generic and neon (arm64, where they are the same
 * baseline) and each defines one constant table, mx_simd_<what>_<isa>.
 */
#ifndef MX_LIB_SIMD_H
#define MX_LIB_SIMD_H

#include <stddef.h>

struct mx_simd_conv; /* simd_conv.h: depthwise convolution, im2col */
struct mx_simd_dense; /* simd_dense.h: fully connected */
struct mx_simd_depthwise; /* simd_depthwise.h */
struct mx_simd_map; /* simd_map.h: elementwise functions */
struct mx_simd_pool; /* simd_pool.h: pooling and reductions */
struct mx_simd_strip; /* simd_strip.h: 1x1 and other even convolution */
struct mx_simd_winograd; /* simd_winograd.h: 3x3 convolution */

struct mx_simd {
	const char *isa; /* "generic", "avx2", "avx512", "neon" */
	const struct mx_simd_conv *conv;
	const struct mx_simd_dense *dense;
	const struct mx_simd_depthwise *depthwise;
	const struct mx_simd_map *map;
	const struct mx_simd_pool *pool;
	const struct mx_simd_strip *strip;
	/* NULL: results are as the definition's, at most rounded otherwise. */
	const struct mx_simd_winograd *winograd;
	/* The same set without winograd. */
	const struct mx_simd *exact;
};

/* The best table that this CPU can run, or that of the set which the
 * environment's MEMEXEC_ISA names, if it can run that. Never NULL. */
const struct mx_simd *mx_simd_best(void);

/* Table @index of those this CPU can run, best first; NULL past the last.
 * For tests, which run them all. */
const struct mx_simd *mx_simd_at(size_t index);

/* Inside simd_<what>.c: mx_simd_conv_avx2 from MX_SIMD_TABLE(conv). */
#define MX_SIMD_PASTE2(what, isa) mx_simd_##what##_##isa
#define MX_SIMD_PASTE(what, isa) MX_SIMD_PASTE2(what, isa)
#define MX_SIMD_TABLE(what) MX_SIMD_PASTE(what, MX_ISA)

#endif
