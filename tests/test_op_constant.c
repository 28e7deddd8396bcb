#include "tests/op_fixture.h"

static void expect(struct op_run *run)
{
	const size_t elems = mx_shape_elems(&run->layer.out_shape[0]);
	const float *values = op_random(run, elems, 1, -1, 1);
	double *want = op_doubles(run, elems);
	size_t i;

	for (i = 0; i < elems; i++)
		want[i] = (double)values[i];
	op_weights(run, values, NULL);
	op_expect(run, 0, want, 0);
}

static void weights_come_out_in_any_layout(void **state)
{
	size_t o;

	(void)state;
	for (o = 0; o < OP_LAYOUT_COUNT; o++) {
		struct op_run run;

		op_begin(&run, "Constant");
		OP_INTS(&run, "shape", 2, 7, 3, 5);
		op_bind(&run);
		OP_EXPECT_SHAPE(&run, 0, 2, 7, 3, 5);
		op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
				 OP_LAYOUTS[o].gap);
		expect(&run);
		op_end(&run);
	}
}

static void large_ones_are_blocks(void **state)
{
	struct op_run run;

	(void)state;
	op_begin(&run, "Constant");
	OP_INTS(&run, "shape", 5, 2, 4000);
	op_bind(&run);
	assert_int_equal(run.layer.block_count, 3);
	assert_int_equal(run.layer.weights.block_rows, 16384);
	assert_true(run.layer.op->traits & MX_OP_CONSTANT);
	expect(&run);
	op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 1);
	expect(&run);
	op_end(&run);
}

static void scalars_and_nothing_work(void **state)
{
	struct op_run run;

	(void)state;
	op_begin(&run, "Constant");
	op_bind(&run);
	assert_int_equal(run.layer.out_shape[0].rank, 0);
	expect(&run);
	op_end(&run);
	op_begin(&run, "Constant");
	OP_INTS(&run, "shape", 3, 0);
	op_bind(&run);
	assert_int_equal(run.layer.weights.rows, 0);
	expect(&run);
	op_end(&run);
}

static void too_large_a_shape_is_refused(void **state)
{
	struct op_run run;

	(void)state;
	op_begin(&run, "Constant");
	OP_INTS(&run, "shape", 1099511627776, 2);
	op_bind_fails(&run, "output 0 is too large");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_come_out_in_any_layout),
		cmocka_unit_test(large_ones_are_blocks),
		cmocka_unit_test(scalars_and_nothing_work),
		cmocka_unit_test(too_large_a_shape_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
