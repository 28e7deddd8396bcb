#include "tests/op_fixture.h"

#define INPUTS 3

static void begin(struct op_run *run, size_t axis, const size_t *sizes)
{
	size_t n;

	op_begin(run, "Concat");
	OP_INTS(run, "axis", (int64_t)axis);
	for (n = 0; n < INPUTS; n++) {
		size_t dim[] = {2, 5, 3, 7};

		dim[axis] = sizes[n];
		op_input(run,
			 op_random(run, dim[0] * dim[1] * dim[2] * dim[3],
				   (uint32_t)n, -1, 1),
			 4, dim);
	}
}

static double *reference(struct op_run *run, size_t axis)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	double *want = op_doubles(run, mx_shape_elems(out));
	size_t index[MX_RANK_MAX];
	size_t i, n;

	for (i = 0; i < mx_shape_elems(out); i++) {
		op_unravel(out, i, index);
		for (n = 0; index[axis] >= run->in[n].tensor.shape.dim[axis];
		     n++)
			index[axis] -= run->in[n].tensor.shape.dim[axis];
		want[i] = (double)run->in[n].values[op_ravel(
			&run->in[n].tensor.shape, index, 4)];
	}
	return want;
}

static void inputs_lie_side_by_side_in_any_layout(void **state)
{
	const size_t sizes[INPUTS] = {4, 1, 6};
	size_t axis, i, o;

	(void)state;
	for (axis = 0; axis < 4; axis++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				begin(&run, axis, sizes);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_input_layout(&run, 2,
						MX_LAYOUT_CHANNELS_LAST, 1);
				op_bind(&run);
				assert_int_equal(
					run.layer.out_shape[0].dim[axis], 11);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				op_expect(&run, 0, reference(&run, axis), 0);
				op_end(&run);
			}
}

static void empty_and_large_inputs_work(void **state)
{
	const size_t sizes[INPUTS] = {700, 0, 301};
	struct op_run run;

	(void)state;
	begin(&run, 1, sizes);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, 3);
	op_expect(&run, 0, reference(&run, 1), 0);
	op_end(&run);
}

/*
 * Two inputs whose views lie in the output already: input 0 in its place,
 * which must not be written (memory under test is the same), and input 1
 * elsewhere, which must be copied.
 */
static void an_input_in_its_place_is_not_copied(void **state)
{
	float memory[4 * 5], other[4 * 2];
	struct mx_view in[2], out;
	struct mx_op_args args;
	struct op_run run;
	size_t p, c;

	(void)state;
	op_begin(&run, "Concat");
	OP_INPUT(&run, memory, 1, 3, 2, 2);
	OP_INPUT(&run, other, 1, 2, 2, 2);
	op_bind(&run);
	op_input_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 2);
	op_input_layout(&run, 1, MX_LAYOUT_CHANNELS_LAST, 0);
	op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 0);
	for (p = 0; p < 20; p++)
		memory[p] = (float)p;
	for (p = 0; p < 8; p++)
		other[p] = 100.0f + (float)p;
	mx_view_init(&in[0], &run.in[0].tensor, memory);
	mx_view_init(&in[1], &run.in[1].tensor, other);
	mx_view_init(&out, &run.out[0].tensor, memory);
	memset(&args, 0, sizeof(args));
	args.layer = &run.layer;
	args.in = in;
	args.out = &out;
	run.layer.op->run(&args, (struct mx_range){0, 1});
	for (p = 0; p < 4; p++)
		for (c = 0; c < 5; c++)
			assert_true(memory[p * 5 + c] ==
				    (c < 3 ? (float)(p * 5 + c)
					   : 100.0f + (float)(p * 2 + c - 3)));
	op_end(&run);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Concat");
	OP_INPUT(&run, x, 2, 3);
	OP_INPUT(&run, x, 3, 2);
	op_bind_fails(&run, "input 1 is 3x2 beside 2x3");
	op_end(&run);
	op_begin(&run, "Concat");
	OP_INPUT(&run, x, 2, 3);
	OP_INPUT(&run, x, 2, 3, 1);
	op_bind_fails(&run, "input 1 is 2x3x1 beside 2x3");
	op_end(&run);
	op_begin(&run, "Concat");
	OP_INPUT(&run, x, 2);
	op_bind_fails(&run, "no axis 1 in rank 1");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_lie_side_by_side_in_any_layout),
		cmocka_unit_test(empty_and_large_inputs_work),
		cmocka_unit_test(an_input_in_its_place_is_not_copied),
		cmocka_unit_test(shapes_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
