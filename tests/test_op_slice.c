#include "tests/op_fixture.h"

static double *reference(struct op_run *run, const int64_t *start,
			 const int64_t *step)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const struct mx_shape *in = &run->layer.in_shape[0];
	double *want = op_doubles(run, mx_shape_elems(out));
	size_t index[MX_RANK_MAX];
	size_t i, d;

	for (i = 0; i < mx_shape_elems(out); i++) {
		size_t flat = 0;

		op_unravel(out, i, index);
		for (d = 0; d < in->rank; d++)
			flat = flat * in->dim[d] +
			       (size_t)(start[d] + (int64_t)index[d] * step[d]);
		want[i] = (double)run->in[0].values[flat];
	}
	return want;
}

static void elements_follow_start_and_step_in_any_layout(void **state)
{
	static const struct {
		int64_t start[4], step[4], size[4];
	} cases[] = {
		{{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 9, 5, 7}},
		{{1, 2, 1, 3}, {1, 1, 1, 1}, {1, 5, 3, 4}},
		{{1, 8, 4, 6}, {-1, -2, -3, -6}, {2, 5, 2, 2}},
		{{0, 3, 0, 1}, {7, 2, 4, 5}, {1, 3, 2, 2}},
		{{1, 1, 4, 0}, {1, 1, -1, 2}, {1, 8, 5, 4}},
		{{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 0, 5, 7}},
	};
	size_t c, i, o;

	(void)state;
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				op_begin(&run, "Slice");
				mx_attrs_set_ints(&run.layer.attrs, "start",
						  cases[c].start, 4);
				mx_attrs_set_ints(&run.layer.attrs, "step",
						  cases[c].step, 4);
				mx_attrs_set_ints(&run.layer.attrs, "size",
						  cases[c].size, 4);
				OP_INPUT(&run,
					 op_random(&run, 2 * 9 * 5 * 7, 1, -1,
						   1),
					 2, 9, 5, 7);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_bind(&run);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				op_expect(&run, 0,
					  reference(&run, cases[c].start,
						    cases[c].step),
					  0);
				op_end(&run);
			}
}

static void reversing_a_long_vector_has_parts(void **state)
{
	const int64_t start = 49999, step = -1;
	struct op_run run;

	(void)state;
	op_begin(&run, "Slice");
	OP_INTS(&run, "start", start);
	OP_INTS(&run, "step", step);
	OP_INTS(&run, "size", 50000);
	OP_INPUT(&run, op_random(&run, 50000, 1, -1, 1), 50000);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, 4);
	op_expect(&run, 0, reference(&run, &start, &step), 0);
	op_end(&run);
}

static void what_leaves_the_input_is_refused(void **state)
{
	static const struct {
		int64_t start, step, size;
		const char *text;
	} cases[] = {
		{0, 1, 6, "6 elements from 0 by 1 leave dimension 0 of 5"},
		{5, 1, 1, "leave dimension 0"},
		{1, -1, 3, "leave dimension 0"},
		{4, 1099511627776, 1099511627776, "leave dimension 0"},
		{0, 0, 2, "step 0 in dimension 0"},
	};
	const float x[5] = {0};
	struct op_run run;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		op_begin(&run, "Slice");
		OP_INTS(&run, "start", cases[i].start);
		OP_INTS(&run, "step", cases[i].step);
		OP_INTS(&run, "size", cases[i].size);
		OP_INPUT(&run, x, 5);
		op_bind_fails(&run, cases[i].text);
		op_end(&run);
	}
	op_begin(&run, "Slice");
	OP_INTS(&run, "start", 0);
	OP_INTS(&run, "step", 1);
	OP_INTS(&run, "size", 1, 1);
	OP_INPUT(&run, x, 5);
	op_bind_fails(&run, "1 starts, 1 steps, 2 sizes for rank 1");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_follow_start_and_step_in_any_layout),
		cmocka_unit_test(reversing_a_long_vector_has_parts),
		cmocka_unit_test(what_leaves_the_input_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
