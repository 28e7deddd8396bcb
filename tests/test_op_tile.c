#include "tests/op_fixture.h"

static void begin(struct op_run *run, uint32_t rank, const size_t *dim,
		  const int64_t *shape)
{
	const struct mx_shape in = mx_shape_of(rank, dim);

	op_begin(run, "Tile");
	assert_int_equal(
		mx_attrs_set_ints(&run->layer.attrs, "shape", shape, rank), 0);
	op_input(run, op_random(run, mx_shape_elems(&in), 1, -1, 1), rank, dim);
}

static void expect(struct op_run *run)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const struct mx_shape *in = &run->layer.in_shape[0];
	double *want = op_doubles(run, mx_shape_elems(out));
	size_t index[MX_RANK_MAX];
	size_t i, d;

	for (i = 0; i < mx_shape_elems(out); i++) {
		op_unravel(out, i, index);
		for (d = 0; d < in->rank; d++)
			index[d] %= in->dim[d];
		want[i] = (double)run->in[0]
				  .values[op_ravel(in, index, in->rank)];
	}
	op_expect(run, 0, want, 0);
}

static void dimensions_repeat_in_any_layout(void **state)
{
	static const int64_t shapes[][4] = {
		{2, 5, 3, 4},  {4, 5, 3, 4}, {2, 15, 3, 8},
		{6, 10, 9, 8}, {2, 5, 6, 4}, {0, 5, 3, 4},
	};
	const size_t dim[] = {2, 5, 3, 4};
	size_t c, i, o;

	(void)state;
	for (c = 0; c < sizeof(shapes) / sizeof(shapes[0]); c++)
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				begin(&run, 4, dim, shapes[c]);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_bind(&run);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				expect(&run);
				op_end(&run);
			}
}

static void expanding_and_eight_dimensions_work(void **state)
{
	const size_t ones[] = {1, 3, 1, 1};
	const int64_t expanded[] = {2, 3, 100, 70};
	const size_t two[] = {2, 2, 2, 2, 2, 2, 2, 2};
	const int64_t four[] = {4, 4, 4, 2, 4, 4, 4, 4};
	struct op_run run;

	(void)state;
	begin(&run, 4, ones, expanded);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, 3);
	expect(&run);
	op_end(&run);
	begin(&run, 8, two, four);
	op_bind(&run);
	expect(&run);
	op_end(&run);
	begin(&run, 0, NULL, expanded);
	op_bind(&run);
	expect(&run);
	op_end(&run);
}

static void what_is_no_multiple_is_refused(void **state)
{
	const size_t dim[] = {2, 3};
	const size_t none[] = {0, 3};
	const int64_t odd[] = {2, 4};
	const int64_t three[] = {3, 3};
	struct op_run run;

	(void)state;
	begin(&run, 2, dim, odd);
	op_bind_fails(&run, "4 of dimension 1 is no multiple of 3");
	op_end(&run);
	begin(&run, 2, none, three);
	op_bind_fails(&run, "3 of dimension 0 is no multiple of 0");
	op_end(&run);
	begin(&run, 2, dim, three);
	OP_INTS(&run, "shape", 2);
	op_bind_fails(&run, "shape of 1 for rank 2");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dimensions_repeat_in_any_layout),
		cmocka_unit_test(expanding_and_eight_dimensions_work),
		cmocka_unit_test(what_is_no_multiple_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
