#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/simd.h"
#include "lib/simd_conv.h"

static void the_best_is_first_and_the_generic_one_last(void **state)
{
	const struct mx_simd *last = NULL;
	size_t i;

	(void)state;
	assert_ptr_equal(mx_simd_best(), mx_simd_at(0));
	for (i = 0; mx_simd_at(i); i++)
		last = mx_simd_at(i);
	assert_non_null(last);
	assert_string_equal(last->isa, "generic");
	assert_null(mx_simd_at(i + 1));
}

static void instruction_sets_that_the_cpu_has_are_there(void **state)
{
	size_t i, wide = 0;

	(void)state;
	for (i = 0; mx_simd_at(i); i++) {
		const struct mx_simd *simd = mx_simd_at(i);

		assert_non_null(simd->conv);
		assert_non_null(simd->map);
		assert_non_null(simd->pool);
		assert_in_range(simd->conv->pixels, 1, MX_CONV_PIXELS_MAX);
		assert_in_range(simd->conv->panels, 1, MX_CONV_PANELS_MAX);
		wide += strcmp(simd->isa, "generic") != 0;
	}
#if defined(__x86_64__)
	assert_int_equal(wide, (__builtin_cpu_supports("avx2") !=
				0) + (__builtin_cpu_supports("avx512bw") != 0));
#elif defined(__aarch64__)
	assert_int_equal(wide, 1);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_is_first_and_the_generic_one_last),
		cmocka_unit_test(instruction_sets_that_the_cpu_has_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
