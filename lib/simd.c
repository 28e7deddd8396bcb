#include "lib/simd.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS(set)                                                           \
	.isa = #set, .conv = &mx_simd_conv_##set,                              \
	.dense = &mx_simd_dense_##set, .depthwise = &mx_simd_depthwise_##set,  \
	.map = &mx_simd_map_##set, .pool = &mx_simd_pool_##set,                \
	.strip = &mx_simd_strip_##set, .exact = &exact_##set

#define DECLARE(set)                                                           \
	extern const struct mx_simd_conv mx_simd_conv_##set;                   \
	extern const struct mx_simd_dense mx_simd_dense_##set;                 \
	extern const struct mx_simd_depthwise mx_simd_depthwise_##set;         \
	extern const struct mx_simd_map mx_simd_map_##set;                     \
	extern const struct mx_simd_pool mx_simd_pool_##set;                   \
	extern const struct mx_simd_strip mx_simd_strip_##set;                 \
	extern const struct mx_simd_winograd mx_simd_winograd_##set;           \
	static const struct mx_simd exact_##set = {MEMBERS(set)};              \
	static const struct mx_simd table_##set = {                            \
		MEMBERS(set),                                                  \
		.winograd = &mx_simd_winograd_##set,                           \
	}

DECLARE(generic);

#if defined(__x86_64__)

DECLARE(avx2);
DECLARE(avx512);

static int has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* What the Makefile compiles the files for, not all that AVX-512 is. */
static int has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl");
}

const struct mx_simd *mx_simd_at(size_t index)
{
	const struct mx_simd *can[3];
	size_t count = 0;

	if (has_avx512())
		can[count++] = &table_avx512;
	if (has_avx2())
		can[count++] = &table_avx2;
	can[count++] = &table_generic;
	return index < count ? can[index] : NULL;
}

#elif defined(__aarch64__)

DECLARE(neon);

const struct mx_simd *mx_simd_at(size_t index)
{
	static const struct mx_simd *const can[] = {&table_neon,
						    &table_generic};

	return index < sizeof(can) / sizeof(can[0]) ? can[index] : NULL;
}

#else

const struct mx_simd *mx_simd_at(size_t index)
{
	return index == 0 ? &table_generic : NULL;
}

#endif

const struct mx_simd *mx_simd_best(void)
{
	const char *isa = getenv("MEMEXEC_ISA");
	const struct mx_simd *simd;
	size_t i;

	for (i = 0; isa && (simd = mx_simd_at(i)) != NULL; i++)
		if (!strcmp(simd->isa, isa))
			return simd;
	return mx_simd_at(0);
}
