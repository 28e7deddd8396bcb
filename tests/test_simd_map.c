/*
 * The tables of all instruction sets, called directly: lengths around the
 * vector widths, steps, aliasing. What the functions compute is tested with
 * the operators, test_op_unary.c and test_op_binary.c.
 */
#include "tests/op_fixture.h"

#include "lib/simd_map.h"

#define LENGTH_MAX 70
#define GUARD 4

struct lines {
	float a[LENGTH_MAX + GUARD];
	float b[LENGTH_MAX + GUARD];
	float c[LENGTH_MAX + GUARD];
	float out[LENGTH_MAX + GUARD];
};

static void fill(struct lines *lines)
{
	size_t i;

	for (i = 0; i < LENGTH_MAX + GUARD; i++) {
		lines->a[i] = (float)(i * 37 % 23) / 8.0f - 1.25f;
		lines->b[i] = (float)(i * 11 % 17) / 4.0f + 0.5f;
		lines->c[i] = (float)(i * 5 % 13) / 2.0f - 3.0f;
		lines->out[i] = 99.0f;
	}
}

static void expect_guard(const float *line, size_t count)
{
	size_t i;

	for (i = count; i < count + GUARD; i++)
		assert_true(line[i] == 99.0f);
}

/* A value does not depend on where in a line it stands. */
static void every_table_computes_any_length(void **state)
{
	const struct mx_map_params p = {0.5f, 2.0f, 0.25f};
	const struct mx_simd *simd;
	struct lines l;
	size_t s, count, i;
	int kind;

	(void)state;
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (kind = 0; kind < MX_MAP_UNARY_COUNT; kind++)
			for (count = 0; count <= LENGTH_MAX; count++) {
				float alone;

				fill(&l);
				simd->map->unary[kind](l.out, l.b, count, &p);
				expect_guard(l.out, count);
				for (i = 0; i < count; i++) {
					simd->map->unary[kind](&alone, &l.b[i],
							       1, &p);
					assert_true(
						fabsf(alone - l.out[i]) <=
						2e-7f * fmaxf(1, fabsf(alone)));
				}
			}
}

static void binaries_take_steps_and_aliases(void **state)
{
	const struct mx_simd *simd;
	struct lines l;
	size_t s, count, i, steps;

	(void)state;
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (count = 1; count <= LENGTH_MAX; count += 3)
			for (steps = 0; steps < 4; steps++) {
				const size_t as = steps & 1, bs = steps >> 1;
				float want[LENGTH_MAX];

				fill(&l);
				for (i = 0; i < count; i++)
					want[i] = l.a[i * as] - l.b[i * bs];
				simd->map->binary[MX_MAP_SUB](l.out, l.a, as,
							      l.b, bs, count);
				expect_guard(l.out, count);
				assert_memory_equal(l.out, want,
						    count * sizeof(float));
				simd->map->binary[MX_MAP_SUB](l.a, l.a, as, l.b,
							      bs, count);
				assert_memory_equal(l.a, want,
						    count * sizeof(float));
				fill(&l);
				simd->map->binary[MX_MAP_SUB](l.b, l.a, as, l.b,
							      bs, count);
				assert_memory_equal(l.b, want,
						    count * sizeof(float));
			}
}

/* All values are small binary fractions: exact with or without FMA. */
static void affine_prelu_select_and_accumulate_are_exact(void **state)
{
	const struct mx_simd *simd;
	struct lines l;
	size_t s, count, i, step;

	(void)state;
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (count = 1; count <= LENGTH_MAX; count++)
			for (step = 0; step < 2; step++) {
				const struct mx_simd_map *map = simd->map;

				fill(&l);
				map->affine(l.out, l.a, l.b, l.c, step, count);
				expect_guard(l.out, count);
				for (i = 0; i < count; i++)
					assert_true(l.out[i] ==
						    l.a[i] * l.b[i * step] +
							    l.c[i * step]);
				map->prelu(l.out, l.a, l.b, step, count);
				expect_guard(l.out, count);
				for (i = 0; i < count; i++)
					assert_true(
						l.out[i] ==
						l.a[i] * (l.a[i] > 0
								  ? 1
								  : l.b[i *
									step]));
				map->select(l.out, l.c, l.a, l.b, count);
				expect_guard(l.out, count);
				for (i = 0; i < count; i++)
					assert_true(l.out[i] ==
						    (l.c[i] != 0 ? l.a[i]
								 : l.b[i]));
				fill(&l);
				for (i = 0; i < count; i++)
					l.out[i] = 1.0f;
				map->accumulate(l.out, l.a, 0.5f, count);
				expect_guard(l.out, count);
				for (i = 0; i < count; i++)
					assert_true(l.out[i] ==
						    1.0f + 0.5f * l.a[i]);
			}
}

static void activations_are_the_functions_in_place(void **state)
{
	static const struct {
		enum mx_activation_kind kind;
		enum mx_map_unary_kind function;
	} pairs[] = {
		{MX_ACTIVATION_NONE, MX_MAP_IDENTITY},
		{MX_ACTIVATION_RELU, MX_MAP_RELU},
		{MX_ACTIVATION_CLIP, MX_MAP_CLIP},
		{MX_ACTIVATION_SIGMOID, MX_MAP_SIGMOID},
		{MX_ACTIVATION_TANH, MX_MAP_TANH},
		{MX_ACTIVATION_ELU, MX_MAP_ELU},
		{MX_ACTIVATION_HARD_SIGMOID, MX_MAP_HARD_SIGMOID},
		{MX_ACTIVATION_HARD_SWISH, MX_MAP_HARD_SWISH},
		{MX_ACTIVATION_SILU, MX_MAP_SILU},
	};
	const struct mx_map_params p = {0.25f, 0.75f, 1.0f};
	const struct mx_simd *simd;
	struct lines l;
	size_t s, k;

	(void)state;
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++) {
		const struct mx_activation prelu = {MX_ACTIVATION_PRELU, 9, 9};

		for (k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++) {
			const struct mx_activation act = {pairs[k].kind, 0.25f,
							  0.75f};

			fill(&l);
			simd->map->unary[pairs[k].function](l.out, l.c,
							    LENGTH_MAX, &p);
			simd->map->activate(&act, l.c, LENGTH_MAX, NULL);
			assert_memory_equal(l.out, l.c,
					    LENGTH_MAX * sizeof(float));
		}
		fill(&l);
		simd->map->prelu(l.out, l.a, l.b, 1, LENGTH_MAX);
		simd->map->activate(&prelu, l.a, LENGTH_MAX, l.b);
		assert_memory_equal(l.out, l.a, LENGTH_MAX * sizeof(float));
	}
}

static void lines_of_any_number_are_interleaved(void **state)
{
	const struct mx_simd *simd;
	size_t s, lines, count, i, j;
	struct lines l;

	(void)state;
	for (s = 0; (simd = mx_simd_at(s)) != NULL; s++)
		for (lines = 1; lines <= 9; lines++)
			for (count = 0; count * lines <= LENGTH_MAX; count++) {
				/* A little apart, as far as there is room. */
				const size_t step = LENGTH_MAX / lines;

				fill(&l);
				simd->map->interleave(l.out, l.a, step, lines,
						      count);
				for (i = 0; i < count; i++)
					for (j = 0; j < lines; j++)
						assert_true(
							l.out[i * lines + j] ==
							l.a[j * step + i]);
				expect_guard(l.out, count * lines);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_computes_any_length),
		cmocka_unit_test(binaries_take_steps_and_aliases),
		cmocka_unit_test(affine_prelu_select_and_accumulate_are_exact),
		cmocka_unit_test(activations_are_the_functions_in_place),
		cmocka_unit_test(lines_of_any_number_are_interleaved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
