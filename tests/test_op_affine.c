#include "tests/op_fixture.h"

static void begin(struct op_run *run, uint32_t rank, const size_t *dim,
		  int64_t axis, int64_t activation)
{
	const struct mx_shape shape = mx_shape_of(rank, dim);

	op_begin(run, "Affine");
	OP_INTS(run, "axis", axis);
	OP_INTS(run, "activation", activation);
	OP_FLOATS(run, "activation_ab", 0.2f, 0);
	op_input(run, op_random(run, mx_shape_elems(&shape), 1, -2, 2), rank,
		 dim);
}

/* Weights and what they give; @activation NONE, RELU (0.2) or PRELU. */
static void expect(struct op_run *run, size_t axis, int64_t activation)
{
	const struct mx_shape *shape = &run->layer.out_shape[0];
	const size_t elems = mx_shape_elems(shape);
	const size_t rows = shape->dim[axis];
	const float *vectors[] = {op_random(run, rows, 2, -1, 1),
				  op_random(run, rows, 3, -1, 1),
				  op_random(run, rows, 4, -1, 1)};
	double *want = op_doubles(run, elems);
	size_t index[MX_RANK_MAX];
	size_t i;

	for (i = 0; i < elems; i++) {
		double slope = 1;
		size_t r;

		op_unravel(shape, i, index);
		r = index[axis];
		if (activation == MX_ACTIVATION_RELU)
			slope = 0.2;
		else if (activation == MX_ACTIVATION_PRELU)
			slope = (double)vectors[2][r];
		want[i] = (double)run->in[0].values[i] * (double)vectors[0][r] +
			  (double)vectors[1][r];
		if (want[i] <= 0)
			want[i] *= slope;
	}
	op_weights(run, NULL, vectors);
	op_expect(run, 0, want, 1e-6);
}

static void rows_are_scaled_and_shifted_in_any_layout(void **state)
{
	static const int64_t activations[] = {
		MX_ACTIVATION_NONE, MX_ACTIVATION_RELU, MX_ACTIVATION_PRELU};
	const size_t dim[] = {2, 17, 3, 5};
	size_t i, o, axis, a;

	(void)state;
	for (axis = 0; axis < 4; axis++)
		for (a = 0; a < 3; a++)
			for (i = 0; i < OP_LAYOUT_COUNT; i++)
				for (o = 0; o < OP_LAYOUT_COUNT; o++) {
					struct op_run run;

					begin(&run, 4, dim, (int64_t)axis,
					      activations[a]);
					op_input_layout(&run, 0,
							OP_LAYOUTS[i].layout,
							OP_LAYOUTS[i].gap);
					op_bind(&run);
					op_output_layout(&run, 0,
							 OP_LAYOUTS[o].layout,
							 OP_LAYOUTS[o].gap);
					expect(&run, axis, activations[a]);
					op_end(&run);
				}
}

static void works_in_place(void **state)
{
	const size_t dim[] = {2, 17, 3, 5};
	size_t i;

	(void)state;
	for (i = 0; i < OP_LAYOUT_COUNT; i++) {
		struct op_run run;

		begin(&run, 4, dim, 1, MX_ACTIVATION_PRELU);
		op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
				OP_LAYOUTS[i].gap);
		op_bind(&run);
		op_in_place(&run, 0);
		expect(&run, 1, MX_ACTIVATION_PRELU);
		op_end(&run);
	}
}

/* 40001 rows are three blocks; 2 x 3 elements each make some tiles. */
static void many_rows_are_blocks(void **state)
{
	const size_t dim[] = {2, 40001, 3};
	size_t l;

	(void)state;
	for (l = 0; l < OP_LAYOUT_COUNT; l++) {
		struct op_run run;

		begin(&run, 3, dim, 1, MX_ACTIVATION_PRELU);
		op_input_layout(&run, 0, OP_LAYOUTS[l].layout,
				OP_LAYOUTS[l].gap);
		op_bind(&run);
		assert_int_equal(run.layer.block_count, 3);
		assert_int_equal(run.layer.tile_count, 6);
		assert_int_equal(run.layer.weights.vectors, 3);
		assert_int_equal(run.layer.weights.row_elems, 0);
		expect(&run, 1, MX_ACTIVATION_PRELU);
		op_end(&run);
	}
}

static void nothing_and_one_element_work(void **state)
{
	const size_t none[] = {2, 0, 3};
	const size_t one[] = {1, 1};
	struct op_run run;

	(void)state;
	begin(&run, 3, none, 1, MX_ACTIVATION_NONE);
	op_bind(&run);
	assert_int_equal(run.layer.weights.rows, 0);
	expect(&run, 1, MX_ACTIVATION_NONE);
	op_end(&run);
	begin(&run, 2, one, 1, MX_ACTIVATION_RELU);
	op_bind(&run);
	expect(&run, 1, MX_ACTIVATION_RELU);
	op_end(&run);
}

static void an_axis_outside_is_refused(void **state)
{
	const size_t dim[] = {2, 3};
	struct op_run run;

	(void)state;
	begin(&run, 2, dim, 2, MX_ACTIVATION_NONE);
	op_bind_fails(&run, "no axis 2 in rank 2");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_scaled_and_shifted_in_any_layout),
		cmocka_unit_test(works_in_place),
		cmocka_unit_test(many_rows_are_blocks),
		cmocka_unit_test(nothing_and_one_element_work),
		cmocka_unit_test(an_axis_outside_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
