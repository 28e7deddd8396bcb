#include "tests/op_fixture.h"

static void expect(struct op_run *run, size_t axis)
{
	const struct mx_shape *shape = &run->layer.out_shape[0];
	const size_t elems = mx_shape_elems(shape);
	const float *slope = op_random(run, shape->dim[axis], 2, -1, 1);
	double *want = op_doubles(run, elems);
	size_t index[MX_RANK_MAX];
	size_t i;

	for (i = 0; i < elems; i++) {
		want[i] = (double)run->in[0].values[i];
		op_unravel(shape, i, index);
		if (want[i] <= 0)
			want[i] *= (double)slope[index[axis]];
	}
	op_weights(run, NULL, &slope);
	op_expect(run, 0, want, 1e-7);
}

static void begin(struct op_run *run, int64_t axis)
{
	op_begin(run, "PRelu");
	OP_INTS(run, "axis", axis);
	OP_INPUT(run, op_random(run, 2 * 17 * 3 * 5, 1, -2, 2), 2, 17, 3, 5);
}

static void slopes_apply_along_the_axis_in_any_layout(void **state)
{
	size_t i, o, axis;

	(void)state;
	for (axis = 0; axis < 4; axis++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				begin(&run, (int64_t)axis);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_bind(&run);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				expect(&run, axis);
				op_end(&run);
			}
}

static void works_in_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < OP_LAYOUT_COUNT; i++) {
		struct op_run run;

		begin(&run, 1);
		op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
				OP_LAYOUTS[i].gap);
		op_bind(&run);
		op_in_place(&run, 0);
		expect(&run, 1);
		op_end(&run);
	}
}

static void only_channels_can_be_taken_in(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 1);
	op_bind(&run);
	assert_int_equal(run.layer.op->activation(&run.layer).kind,
			 MX_ACTIVATION_PRELU);
	op_end(&run);
	begin(&run, 2);
	op_bind(&run);
	assert_int_equal(run.layer.op->activation(&run.layer).kind,
			 MX_ACTIVATION_NONE);
	op_end(&run);
}

static void an_axis_outside_is_refused(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 4);
	op_bind_fails(&run, "no axis 4 in rank 4");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slopes_apply_along_the_axis_in_any_layout),
		cmocka_unit_test(works_in_place),
		cmocka_unit_test(only_channels_can_be_taken_in),
		cmocka_unit_test(an_axis_outside_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
