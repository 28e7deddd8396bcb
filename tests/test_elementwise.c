/* What lines an elementwise function is handed; values: with the operators. */
#include "tests/op_fixture.h"

#include "lib/elementwise.h"

struct seen {
	size_t lines;
	size_t elems;
	size_t longest;
	size_t step[MX_ELEMENTWISE_INPUTS_MAX];
	const float *first[MX_ELEMENTWISE_INPUTS_MAX];
};

/* The counts travel behind `scratch`, which the work itself does not use. */
static void note(const struct mx_op_args *args,
		 const struct mx_elementwise_line *line)
{
	struct seen *seen = args->scratch;
	size_t i;

	if (!seen->lines) {
		memcpy(seen->step, line->step, sizeof(seen->step));
		memcpy(seen->first, line->in, sizeof(seen->first));
	}
	seen->lines++;
	seen->elems += line->count;
	if (line->count > seen->longest)
		seen->longest = line->count;
	for (i = 0; i < line->count; i++)
		line->out[i] = line->in[0][i * line->step[0]] +
			       10.0f * line->in[1][i * line->step[1]];
}

static struct mx_view view_of(float *data, size_t rows, size_t columns,
			      size_t row_stride, size_t column_stride)
{
	const struct mx_view view = {
		.data = data,
		.shape = mx_shape_of(2, (size_t[]){rows, columns}),
		.stride = {row_stride, column_stride},
	};

	return view;
}

static struct seen run(const struct mx_view *out, const struct mx_view *a,
		       const struct mx_view *b, unsigned no_repeat)
{
	const struct mx_elementwise work = {.out = out,
					    .in = {a, b},
					    .in_count = 2,
					    .no_repeat = no_repeat,
					    .line = note};
	struct seen seen;
	const struct mx_op_args args = {.scratch = &seen};

	memset(&seen, 0, sizeof(seen));
	mx_elementwise_run(&args, &work, (struct mx_range){0, 1}, 1);
	return seen;
}

#define ROWS 3
#define COLUMNS 600

struct memory {
	float out[ROWS * COLUMNS];
	float a[ROWS * COLUMNS];
	float b[ROWS * COLUMNS];
};

static void fill(struct memory *m)
{
	size_t i;

	for (i = 0; i < ROWS * COLUMNS; i++) {
		m->a[i] = (float)i;
		m->b[i] = (float)(i % 7);
		m->out[i] = -1.0f;
	}
}

static void dense_lines_are_handed_on_as_they_lie(void **state)
{
	struct memory m;
	const struct mx_view out = view_of(m.out, ROWS, COLUMNS, COLUMNS, 1);
	const struct mx_view a = view_of(m.a, ROWS, COLUMNS, COLUMNS, 1);
	const struct mx_view b = view_of(m.b, ROWS, COLUMNS, COLUMNS, 1);
	struct seen seen;
	size_t i;

	(void)state;
	fill(&m);
	seen = run(&out, &a, &b, 0);
	assert_int_equal(seen.lines, 1);
	assert_int_equal(seen.elems, ROWS * COLUMNS);
	assert_ptr_equal(seen.first[0], m.a);
	for (i = 0; i < ROWS * COLUMNS; i++)
		assert_true(m.out[i] == m.a[i] + 10.0f * m.b[i]);
}

static void a_repeated_value_has_step_0_unless_forbidden(void **state)
{
	struct memory m;
	const struct mx_view out = view_of(m.out, ROWS, COLUMNS, COLUMNS, 1);
	const struct mx_view a = view_of(m.a, ROWS, COLUMNS, COLUMNS, 1);
	const struct mx_view b = view_of(m.b, ROWS, 1, 1, 1);
	struct seen seen;
	unsigned forbidden;
	size_t i;

	(void)state;
	for (forbidden = 0; forbidden < 2; forbidden++) {
		fill(&m);
		seen = run(&out, &a, &b, forbidden << 1);
		assert_int_equal(seen.step[0], 1);
		assert_int_equal(seen.step[1], forbidden);
		assert_int_equal(seen.elems, ROWS * COLUMNS);
		for (i = 0; i < ROWS * COLUMNS; i++)
			assert_true(m.out[i] ==
				    m.a[i] + 10.0f * m.b[i / COLUMNS]);
	}
}

static void strided_operands_are_gathered_in_chunks(void **state)
{
	struct memory m;
	const struct mx_view out = view_of(m.out, ROWS, COLUMNS, COLUMNS, 1);
	const struct mx_view a = view_of(m.a, ROWS, COLUMNS, 1, ROWS);
	const struct mx_view b = view_of(m.b, ROWS, COLUMNS, COLUMNS, 1);
	struct seen seen;
	size_t r, c;

	(void)state;
	fill(&m);
	seen = run(&out, &a, &b, 0);
	assert_int_equal(seen.step[0], 1);
	assert_int_equal(seen.step[1], 1);
	assert_int_equal(seen.elems, ROWS * COLUMNS);
	assert_true(seen.longest < COLUMNS);
	for (r = 0; r < ROWS; r++)
		for (c = 0; c < COLUMNS; c++)
			assert_true(m.out[r * COLUMNS + c] ==
				    m.a[c * ROWS + r] +
					    10.0f * m.b[r * COLUMNS + c]);
}

static void a_strided_output_is_scattered(void **state)
{
	struct memory m;
	const struct mx_view out = view_of(m.out, 1, COLUMNS, 1, 2);
	const struct mx_view a = view_of(m.a, 1, COLUMNS, COLUMNS, 1);
	const struct mx_view b = view_of(m.b, 1, 1, 1, 1);
	size_t i;

	(void)state;
	fill(&m);
	run(&out, &a, &b, 0);
	for (i = 0; i < COLUMNS; i++) {
		assert_true(m.out[2 * i] == m.a[i] + 10.0f * m.b[0]);
		assert_true(m.out[2 * i + 1] == -1.0f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dense_lines_are_handed_on_as_they_lie),
		cmocka_unit_test(a_repeated_value_has_step_0_unless_forbidden),
		cmocka_unit_test(strided_operands_are_gathered_in_chunks),
		cmocka_unit_test(a_strided_output_is_scattered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
