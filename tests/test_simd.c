#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/simd.h"
#include "lib/simd_conv.h"

static void the_best_is_first_and_the_generic_one_last(void **state)
{
	const struct mx_simd *last = NULL;
	size_t i;

	(void)state;
	assert_int_equal(unsetenv("MEMEXEC_ISA"), 0);
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

static void the_environment_names_the_best(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; mx_simd_at(i); i++) {
		assert_int_equal(setenv("MEMEXEC_ISA", mx_simd_at(i)->isa, 1),
				 0);
		assert_ptr_equal(mx_simd_best(), mx_simd_at(i));
	}
	assert_int_equal(setenv("MEMEXEC_ISA", "of another CPU", 1), 0);
	assert_ptr_equal(mx_simd_best(), mx_simd_at(0));
	assert_int_equal(unsetenv("MEMEXEC_ISA"), 0);
}

static void exact_tables_lack_winograd_alone(void **state)
{
	struct mx_simd exact;
	size_t i;

	(void)state;
	for (i = 0; mx_simd_at(i); i++) {
		const struct mx_simd *simd = mx_simd_at(i);

		assert_non_null(simd->winograd);
		assert_null(simd->exact->winograd);
		exact = *simd;
		exact.winograd = NULL;
		assert_memory_equal(simd->exact, &exact, sizeof(exact));
		assert_ptr_equal(simd->exact->exact, simd->exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_is_first_and_the_generic_one_last),
		cmocka_unit_test(instruction_sets_that_the_cpu_has_are_there),
		cmocka_unit_test(the_environment_names_the_best),
		cmocka_unit_test(exact_tables_lack_winograd_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
