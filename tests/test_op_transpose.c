#include "tests/op_fixture.h"

static double *reference(struct op_run *run, const int64_t *perm)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const struct mx_shape *in = &run->layer.in_shape[0];
	double *want = op_doubles(run, mx_shape_elems(out));
	size_t to[MX_RANK_MAX], from[MX_RANK_MAX];
	size_t i, d;

	for (i = 0; i < mx_shape_elems(out); i++) {
		op_unravel(out, i, to);
		for (d = 0; d < in->rank; d++)
			from[perm[d]] = to[d];
		want[i] =
			(double)run->in[0].values[op_ravel(in, from, in->rank)];
	}
	return want;
}

static void begin(struct op_run *run, uint32_t rank, const size_t *dim,
		  const int64_t *perm)
{
	const struct mx_shape shape = mx_shape_of(rank, dim);

	op_begin(run, "Transpose");
	assert_int_equal(
		mx_attrs_set_ints(&run->layer.attrs, "perm", perm, rank), 0);
	op_input(run, op_random(run, mx_shape_elems(&shape), 1, -1, 1), rank,
		 dim);
}

static void every_permutation_of_four_works_in_any_layout(void **state)
{
	const size_t dim[] = {2, 19, 3, 17};
	int64_t p;
	size_t i, o;

	(void)state;
	for (p = 0; p < 256; p++) {
		const int64_t perm[] = {p & 3, p >> 2 & 3, p >> 4 & 3, p >> 6};

		if ((1 << perm[0] | 1 << perm[1] | 1 << perm[2] |
		     1 << perm[3]) != 15)
			continue;
		for (i = 0; i < OP_LAYOUT_COUNT; i++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				begin(&run, 4, dim, perm);
				op_input_layout(&run, 0, OP_LAYOUTS[i].layout,
						OP_LAYOUTS[i].gap);
				op_bind(&run);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				op_expect(&run, 0, reference(&run, perm), 0);
				op_end(&run);
			}
	}
}

static void all_ranks_work(void **state)
{
	const int64_t one[] = {0};
	const int64_t two[] = {1, 0};
	const int64_t eight[] = {7, 2, 5, 0, 3, 6, 1, 4};
	const size_t dim_one[] = {37};
	const size_t dim_two[] = {150, 333};
	const size_t dim_eight[] = {2, 3, 1, 2, 3, 2, 5, 2};
	struct op_run run;

	(void)state;
	begin(&run, 1, dim_one, one);
	op_bind(&run);
	op_expect(&run, 0, reference(&run, one), 0);
	op_end(&run);
	begin(&run, 2, dim_two, two);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 333, 150);
	assert_int_equal(run.layer.tile_count, 4);
	op_expect(&run, 0, reference(&run, two), 0);
	op_end(&run);
	begin(&run, 8, dim_eight, eight);
	op_bind(&run);
	op_expect(&run, 0, reference(&run, eight), 0);
	op_end(&run);
}

static void what_is_no_permutation_is_refused(void **state)
{
	const size_t dim[] = {2, 3};
	const int64_t twice[] = {1, 1};
	const int64_t outside[] = {0, 2};
	const float x[6] = {0};
	struct op_run run;

	(void)state;
	begin(&run, 2, dim, twice);
	op_bind_fails(&run, "perm is no permutation at 1");
	op_end(&run);
	begin(&run, 2, dim, outside);
	op_bind_fails(&run, "perm is no permutation at 1");
	op_end(&run);
	op_begin(&run, "Transpose");
	OP_INPUT(&run, x, 2, 3);
	op_bind_fails(&run, "perm of 0 for rank 2");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_permutation_of_four_works_in_any_layout),
		cmocka_unit_test(all_ranks_work),
		cmocka_unit_test(what_is_no_permutation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
