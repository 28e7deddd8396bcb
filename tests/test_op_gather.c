#include "tests/op_fixture.h"

/* The indices as weights: int32 bits in floats. */
static void set_indices(struct op_run *run, const int32_t *index)
{
	const size_t count = (size_t)run->layer.weights.rows;
	float *bits = op_random(run, count, 0, 0, 1);

	assert_int_equal(run->layer.weights.row_elems, 1);
	memcpy(bits, index, count * sizeof(*bits));
	op_weights(run, bits, NULL);
}

static double *reference(struct op_run *run, size_t axis, const int32_t *index,
			 size_t index_rank)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const struct mx_shape *in = &run->layer.in_shape[0];
	double *want = op_doubles(run, mx_shape_elems(out));
	size_t to[MX_RANK_MAX], from[MX_RANK_MAX];
	size_t i, d;

	for (i = 0; i < mx_shape_elems(out); i++) {
		size_t flat = 0;

		op_unravel(out, i, to);
		for (d = 0; d < index_rank; d++)
			flat = flat * out->dim[axis + d] + to[axis + d];
		for (d = 0; d < in->rank; d++)
			from[d] = to[d < axis ? d : d - 1 + index_rank];
		from[axis] = (size_t)index[flat];
		want[i] =
			index[flat] < 0 || from[axis] >= in->dim[axis]
				? 0.0
				: (double)run->in[0]
					  .values[op_ravel(in, from, in->rank)];
	}
	return want;
}

static void begin(struct op_run *run, size_t axis)
{
	op_begin(run, "Gather");
	OP_INTS(run, "axis", (int64_t)axis);
	OP_INPUT(run, op_random(run, 3 * 5 * 4 * 7, 1, -1, 1), 3, 5, 4, 7);
}

static const int32_t indices[] = {2, 0, 0, 1, 2, 1};

static void any_axis_and_layout_works(void **state)
{
	size_t axis, i, o;

	(void)state;
	for (axis = 0; axis < 4; axis++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				begin(&run, axis);
				OP_INTS(&run, "index_shape", 6);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_bind(&run);
				set_indices(&run, indices);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				op_expect(&run, 0,
					  reference(&run, axis, indices, 1), 0);
				op_end(&run);
			}
}

static void scalars_and_matrices_of_indices_change_the_rank(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 2);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 3, 5, 7);
	set_indices(&run, indices);
	op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 1);
	op_expect(&run, 0, reference(&run, 2, indices, 0), 0);
	op_end(&run);
	begin(&run, 1);
	OP_INTS(&run, "index_shape", 2, 3);
	op_input_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 1);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 3, 2, 3, 4, 7);
	set_indices(&run, indices);
	op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 2);
	op_expect(&run, 0, reference(&run, 1, indices, 2), 0);
	op_end(&run);
	begin(&run, 1);
	OP_INTS(&run, "index_shape", 0);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 3, 0, 4, 7);
	op_expect(&run, 0, NULL, 0);
	op_end(&run);
}

static void many_indices_are_blocks_with_tiles(void **state)
{
	int32_t many[20000];
	struct op_run run;
	int32_t i;

	(void)state;
	for (i = 0; i < 20000; i++)
		many[i] = i * 7 % 11;
	op_begin(&run, "Gather");
	OP_INTS(&run, "index_shape", 20000);
	OP_INPUT(&run, op_random(&run, 33, 1, -1, 1), 11, 3);
	op_bind(&run);
	assert_int_equal(run.layer.block_count, 2);
	assert_int_equal(run.layer.tile_count, 3);
	set_indices(&run, many);
	op_expect(&run, 0, reference(&run, 0, many, 1), 0);
	op_end(&run);
}

static void a_corrupt_index_gives_zeros(void **state)
{
	const int32_t bad[] = {1, -1, 3, INT32_MAX, INT32_MIN, 2};
	struct op_run run;

	(void)state;
	begin(&run, 0);
	OP_INTS(&run, "index_shape", 6);
	op_bind(&run);
	set_indices(&run, bad);
	op_expect(&run, 0, reference(&run, 0, bad, 1), 0);
	op_end(&run);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 4);
	op_bind_fails(&run, "no axis 4 in rank 4");
	op_end(&run);
	begin(&run, 0);
	OP_INTS(&run, "index_shape", 1, 1, 1, 1, 1, 1);
	op_bind_fails(&run, "6 index dimensions for rank 4");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_axis_and_layout_works),
		cmocka_unit_test(
			scalars_and_matrices_of_indices_change_the_rank),
		cmocka_unit_test(many_indices_are_blocks_with_tiles),
		cmocka_unit_test(a_corrupt_index_gives_zeros),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
