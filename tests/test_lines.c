#include "tests/op_fixture.h"

#include "lib/lines.h"

#define PART 16384

/* Row-major strides with @pitch for the last dimension's neighbour. */
static struct mx_lines_operand operand(size_t a, size_t b, size_t c, size_t d)
{
	const struct mx_lines_operand op = {{a, b, c, d}};

	return op;
}

static void dense_operands_become_one_line(void **state)
{
	const struct mx_shape space = mx_shape_of(4, (size_t[]){2, 3, 4, 5});
	const struct mx_lines_operand ops[2] = {operand(60, 20, 5, 1),
						operand(60, 20, 5, 1)};
	struct mx_lines lines;

	(void)state;
	mx_lines_init(&lines, &space, ops, 2);
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.length, 120);
	assert_int_equal(lines.step[0], 1);
	assert_int_equal(lines.step[1], 1);
}

static void lines_follow_operand_0_and_broadcast_stops_merging(void **state)
{
	/* 2x3x4x5 channels-last with 3 channels; operand 1 one value for each
	 * channel; operand 2 a scalar. */
	const struct mx_shape space = mx_shape_of(4, (size_t[]){2, 3, 4, 5});
	const struct mx_lines_operand ops[3] = {operand(60, 1, 15, 3),
						operand(0, 1, 0, 0),
						operand(0, 0, 0, 0)};
	struct mx_lines_walk walk;
	struct mx_lines lines;

	(void)state;
	mx_lines_init(&lines, &space, ops, 3);
	assert_int_equal(lines.count, 40);
	assert_int_equal(lines.length, 3);
	assert_int_equal(lines.step[0], 1);
	assert_int_equal(lines.step[1], 1);
	assert_int_equal(lines.step[2], 0);
	mx_lines_begin(&lines, 7, &walk);
	assert_int_equal(walk.offset[0], 21);
	assert_int_equal(walk.offset[1], 0);
	assert_int_equal(walk.offset[2], 0);
}

static void empty_and_scalar_spaces_work(void **state)
{
	const struct mx_shape empty = mx_shape_of(2, (size_t[]){3, 0});
	const struct mx_shape scalar = mx_shape_of(0, NULL);
	const struct mx_lines_operand op = operand(1, 1, 0, 0);
	struct mx_lines_walk walk = {.offset = {9}};
	struct mx_lines lines;

	(void)state;
	mx_lines_init(&lines, &empty, &op, 1);
	assert_int_equal(lines.count, 0);
	mx_lines_init(&lines, &scalar, &op, 1);
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.length, 1);
	mx_lines_begin(&lines, 0, &walk);
	assert_int_equal(walk.offset[0], 0);
}

static void long_lines_are_cut_so_that_parts_have_work(void **state)
{
	static const struct {
		size_t dim, count, length;
	} cases[] = {
		{PART, 1, PART},
		{PART + 1, 5, 3277}, /* 5 * 29 * 113 */
		{PART * 8, 8, PART},
		{1000003, 1, 1000003}, /* a prime */
	};
	const struct mx_lines_operand op = operand(2, 0, 0, 0);
	struct mx_lines_walk walk;
	struct mx_lines lines;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mx_shape space = mx_shape_of(1, &cases[i].dim);

		mx_lines_init(&lines, &space, &op, 1);
		assert_int_equal(lines.count, cases[i].count);
		assert_int_equal(lines.length, cases[i].length);
		assert_int_equal(lines.step[0], 2);
		mx_lines_begin(&lines, lines.count - 1, &walk);
		assert_int_equal(walk.offset[0],
				 2 * (cases[i].dim - cases[i].length));
	}
}

static void merging_stops_at_a_parts_size(void **state)
{
	const struct mx_shape space = mx_shape_of(3, (size_t[]){56, 56, 64});
	const struct mx_lines_operand op = operand(56 * 64, 64, 1, 0);
	struct mx_lines lines;

	(void)state;
	mx_lines_init(&lines, &space, &op, 1);
	assert_int_equal(lines.count, 56);
	assert_int_equal(lines.length, 56 * 64);
}

/* Every element once, at every operand's own place, in any rank. */
static void lines_visit_every_element_once(void **state)
{
	static const size_t dims[][MX_RANK_MAX] = {
		{2, 3, 2, 1, 2, 3, 2, 2},
		{1, 1, 1, 1, 1, 1, 1, 1},
		{5, 1, 4, 1, 3, 1, 2, 1},
	};
	size_t c, i, line, k, stride;

	(void)state;
	for (c = 0; c < sizeof(dims) / sizeof(dims[0]); c++) {
		const struct mx_shape space = mx_shape_of(8, dims[c]);
		struct mx_lines_operand ops[2];
		struct mx_lines_walk walk, next;
		size_t index[MX_RANK_MAX];
		int to[288] = {0};
		struct mx_lines lines;

		/* Operand 0 column-major, operand 1 row-major. */
		for (i = 0, stride = 1; i < 8; stride *= dims[c][i++])
			ops[0].stride[i] = stride;
		for (i = 8, stride = 1; i-- > 0; stride *= dims[c][i])
			ops[1].stride[i] = stride;
		mx_lines_init(&lines, &space, ops, 2);
		mx_lines_begin(&lines, 0, &next);
		for (line = 0; line < lines.count; line++) {
			mx_lines_begin(&lines, line, &walk);
			assert_memory_equal(&next, &walk, sizeof(walk));
			mx_lines_next(&lines, &next);
			for (k = 0; k < lines.length; k++) {
				const size_t a =
					walk.offset[0] + k * lines.step[0];
				const size_t b =
					walk.offset[1] + k * lines.step[1];
				size_t want = 0;

				op_unravel(&space, b, index);
				for (i = 0; i < 8; i++)
					want += index[i] * ops[0].stride[i];
				assert_int_equal(a, want);
				to[a]++;
			}
		}
		for (i = 0; i < mx_shape_elems(&space); i++)
			assert_int_equal(to[i], 1);
	}
}

static void broadcast_aligns_at_the_end(void **state)
{
	const struct mx_shape space = mx_shape_of(3, (size_t[]){4, 2, 3});
	struct mx_view view = {.shape = mx_shape_of(2, (size_t[]){1, 3}),
			       .stride = {7, 5}};
	struct mx_lines_operand op;

	(void)state;
	mx_lines_broadcast(&op, &view, &space);
	assert_int_equal(op.stride[0], 0);
	assert_int_equal(op.stride[1], 0);
	assert_int_equal(op.stride[2], 5);
}

static void parts_share_lines_without_gaps(void **state)
{
	static const size_t cases[][2] = {
		{0, 1}, {1, 1}, {10, 3}, {3, 10}, {(size_t)1 << 40, 67108865}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t n = cases[i][0], parts = cases[i][1];
		const size_t probe = parts < 20 ? parts : 20;
		size_t p, end = 0;

		for (p = 0; p < probe; p++) {
			const struct mx_range r = mx_lines_of_parts(
				n, parts, (struct mx_range){p, p + 1});

			assert_int_equal(r.begin, end);
			assert_true(r.end - r.begin <= n / parts + 1);
			end = r.end;
		}
		assert_int_equal(
			mx_lines_of_parts(n, parts,
					  (struct mx_range){probe, parts})
				.begin,
			end);
		assert_int_equal(
			mx_lines_of_parts(n, parts, (struct mx_range){0, parts})
				.end,
			n);
	}
	assert_int_equal(mx_lines_parts(0), 1);
	assert_int_equal(mx_lines_parts(PART), 1);
	assert_int_equal(mx_lines_parts(PART + 1), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dense_operands_become_one_line),
		cmocka_unit_test(
			lines_follow_operand_0_and_broadcast_stops_merging),
		cmocka_unit_test(empty_and_scalar_spaces_work),
		cmocka_unit_test(long_lines_are_cut_so_that_parts_have_work),
		cmocka_unit_test(merging_stops_at_a_parts_size),
		cmocka_unit_test(lines_visit_every_element_once),
		cmocka_unit_test(broadcast_aligns_at_the_end),
		cmocka_unit_test(parts_share_lines_without_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
