#include "tests/op_fixture.h"

static void expect_copy(struct op_run *run)
{
	const size_t elems = mx_shape_elems(&run->layer.in_shape[0]);
	double *want = op_doubles(run, elems);
	size_t i;

	for (i = 0; i < elems; i++)
		want[i] = (double)run->in[0].values[i];
	op_expect(run, 0, want, 0);
}

static void values_stay_between_any_layouts(void **state)
{
	static const size_t dims[][5] = {
		{2, 3, 20, 31, 1}, {1, 64, 9, 7, 1}, {2, 33, 1, 40, 1},
		{1, 1, 5, 5, 1},   {2, 17, 3, 4, 5}, {1, 300, 16, 16, 1},
	};
	size_t c, i, o;
	uint32_t rank;

	(void)state;
	for (c = 0; c < sizeof(dims) / sizeof(dims[0]); c++)
		for (rank = 3; rank <= 5; rank++)
			for (i = 0; i < OP_LAYOUT_COUNT; i++)
				for (o = 0; o < OP_LAYOUT_COUNT; o++) {
					const struct mx_shape shape =
						mx_shape_of(rank, dims[c]);
					struct op_run run;

					op_begin(&run, "Relayout");
					op_input(&run,
						 op_random(
							 &run,
							 mx_shape_elems(&shape),
							 1, -1, 1),
						 rank, dims[c]);
					op_input_layout(&run, 0,
							OP_LAYOUTS[i].layout,
							OP_LAYOUTS[i].gap);
					op_bind(&run);
					op_output_layout(&run, 0,
							 OP_LAYOUTS[o].layout,
							 OP_LAYOUTS[o].gap);
					expect_copy(&run);
					op_end(&run);
				}
}

static void row_major_to_row_major_is_a_copy_of_any_rank(void **state)
{
	struct op_run run;

	(void)state;
	op_begin(&run, "Relayout");
	OP_INPUT(&run, op_random(&run, 6, 1, -1, 1), 2, 3);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 2, 3);
	expect_copy(&run);
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_stay_between_any_layouts),
		cmocka_unit_test(row_major_to_row_major_is_a_copy_of_any_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
