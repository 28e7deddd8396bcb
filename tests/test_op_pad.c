#include "tests/op_fixture.h"

enum { CONSTANT, REFLECT, EDGE };

/* One step at a time, as a ball would bounce: no arithmetic to share. */
static int64_t bounce(int64_t at, int64_t dim)
{
	while (dim > 1 && (at < 0 || at >= dim))
		at = at < 0 ? -at : 2 * (dim - 1) - at;
	return dim > 1 ? at : 0;
}

static double *reference(struct op_run *run, const int64_t *begin, int64_t mode)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const struct mx_shape *in = &run->layer.in_shape[0];
	double *want = op_doubles(run, mx_shape_elems(out));
	size_t index[MX_RANK_MAX];
	size_t i, d;

	for (i = 0; i < mx_shape_elems(out); i++) {
		int outside = 0;

		op_unravel(out, i, index);
		for (d = 0; d < in->rank; d++) {
			const int64_t dim = (int64_t)in->dim[d];
			int64_t at = (int64_t)index[d] - begin[d];

			if (mode == CONSTANT && (at < 0 || at >= dim)) {
				outside = 1;
				at = 0;
			}
			if (mode == EDGE)
				at = at < 0 ? 0 : at >= dim ? dim - 1 : at;
			index[d] = (size_t)bounce(at, dim);
		}
		want[i] = outside ? 2.5
				  : (double)run->in[0].values[op_ravel(
					    in, index, in->rank)];
	}
	return want;
}

static void begin_run(struct op_run *run, uint32_t rank, const size_t *dim,
		      const int64_t *begin, const int64_t *end, int64_t mode)
{
	const struct mx_shape in = mx_shape_of(rank, dim);

	op_begin(run, "Pad");
	mx_attrs_set_ints(&run->layer.attrs, "begin", begin, rank);
	mx_attrs_set_ints(&run->layer.attrs, "end", end, rank);
	OP_INTS(run, "mode", mode);
	OP_FLOATS(run, "value", 2.5f);
	op_input(run, op_random(run, mx_shape_elems(&in), 1, -1, 1), rank, dim);
}

static void modes_fill_every_side_in_any_layout(void **state)
{
	static const int64_t pads[][2][4] = {
		{{0, 0, 1, 2}, {0, 0, 3, 1}},
		{{1, 2, 0, 0}, {0, 1, 0, 0}},
		{{0, 0, -1, 2}, {0, 0, 1, -3}},
		{{0, 0, -4, 0}, {0, 0, 2, 1}},
		{{1, -2, 4, 5}, {-1, -2, -3, -9}},
		{{0, 0, 0, 0}, {0, 0, 0, 0}},
		{{0, 0, 9, 0}, {0, 0, 9, -9}},
	};
	const size_t dim[] = {2, 6, 4, 5};
	int64_t mode;
	size_t c, i, o;

	(void)state;
	for (mode = CONSTANT; mode <= EDGE; mode++)
		for (c = 0; c < sizeof(pads) / sizeof(pads[0]) - 1; c++)
			for (i = 0; i < OP_LAYOUT_COUNT; i++)
				for (o = 0; o < OP_LAYOUT_COUNT; o++) {
					struct op_run run;

					begin_run(&run, 4, dim, pads[c][0],
						  pads[c][1], mode);
					op_input_layout(&run, 0,
							OP_LAYOUTS[i].layout,
							OP_LAYOUTS[i].gap);
					op_bind(&run);
					op_output_layout(&run, 0,
							 OP_LAYOUTS[o].layout,
							 OP_LAYOUTS[o].gap);
					op_expect(&run, 0,
						  reference(&run, pads[c][0],
							    mode),
						  0);
					op_end(&run);
				}
}

static void scalars_empty_and_large_tensors_work(void **state)
{
	const size_t empty[] = {0, 3};
	const size_t large[] = {150, 130};
	const int64_t begin[] = {2, 1}, end[] = {1, 1};
	struct op_run run;

	(void)state;
	begin_run(&run, 0, NULL, begin, end, REFLECT);
	op_bind(&run);
	op_expect(&run, 0, reference(&run, begin, REFLECT), 0);
	op_end(&run);
	begin_run(&run, 2, empty, begin, end, CONSTANT);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 3, 5);
	op_expect(&run, 0, reference(&run, begin, CONSTANT), 0);
	op_end(&run);
	begin_run(&run, 2, large, begin, end, REFLECT);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, 2);
	op_expect(&run, 0, reference(&run, begin, REFLECT), 0);
	op_end(&run);
}

static void what_makes_no_sense_is_refused(void **state)
{
	const size_t dim[] = {2, 3}, empty[] = {0, 3};
	const int64_t crop[] = {-1, 0}, too_much[] = {-2, 0}, some[] = {1, 1};
	struct op_run run;

	(void)state;
	begin_run(&run, 2, dim, crop, too_much, CONSTANT);
	op_bind_fails(&run, "dimension 0 of 2 cannot be padded by -1 and -2");
	op_end(&run);
	begin_run(&run, 2, empty, some, some, EDGE);
	op_bind_fails(&run, "dimension 0 of 0 cannot be padded by 1 and 1");
	op_end(&run);
	begin_run(&run, 2, dim, some, some, EDGE + 1);
	op_bind_fails(&run, "mode");
	op_end(&run);
	begin_run(&run, 2, dim, some, some, EDGE);
	OP_INTS(&run, "end", 1);
	op_bind_fails(&run, "2 begins, 1 ends for rank 2");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_fill_every_side_in_any_layout),
		cmocka_unit_test(scalars_empty_and_large_tensors_work),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
