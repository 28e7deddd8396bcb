#include "tests/op_fixture.h"

static void begin(struct op_run *run, size_t channels, int64_t groups,
		  int64_t first, int64_t count)
{
	op_begin(run, "Shuffle");
	OP_INTS(run, "groups", groups);
	OP_INTS(run, "first", first);
	OP_INTS(run, "count", count);
	OP_INPUT(run, op_random(run, 2 * channels * 15, 1, -1, 1), 2, channels,
		 3, 5);
}

static void members_of_groups_come_out_side_by_side(void **state)
{
	static const struct {
		size_t channels;
		int64_t groups, first, count;
		size_t out; /* channels */
	} cases[] = {
		{6, 3, 0, 0, 6},     {40, 2, 0, 0, 40},	 {66, 2, 7, 20, 40},
		{136, 4, 0, 0, 136}, {136, 8, 16, 0, 8}, {15, 5, 1, 1, 5},
		{7, 7, 0, 0, 7},     {7, 1, 2, 3, 3},	 {128, 16, 3, 5, 80},
	};
	size_t c, n, i, p;

	(void)state;
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		const size_t channels = cases[c].channels;
		const size_t groups = (size_t)cases[c].groups;
		const size_t out = cases[c].out;
		struct op_run run;
		double *want;

		begin(&run, channels, cases[c].groups, cases[c].first,
		      cases[c].count);
		op_input_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, c % 3);
		op_bind(&run);
		op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, c % 4);
		OP_EXPECT_SHAPE(&run, 0, 2, out, 3, 5);
		want = op_doubles(&run, 2 * out * 15);
		for (n = 0; n < 2; n++)
			for (i = 0; i < out; i++)
				for (p = 0; p < 15; p++) {
					const size_t from =
						i % groups *
							(channels / groups) +
						(size_t)cases[c].first +
						i / groups;

					want[(n * out + i) * 15 + p] =
						(double)run.in[0]
							.values[(n * channels +
								 from) * 15 +
								p];
				}
		op_expect(&run, 0, want, 0);
		op_end(&run);
	}
}

static void a_picture_is_worth_several_parts(void **state)
{
	struct op_run run;

	(void)state;
	op_begin(&run, "Shuffle");
	OP_INTS(&run, "groups", 2);
	OP_INPUT(&run, op_random(&run, 64 * 50 * 50, 1, -1, 1), 1, 64, 50, 50);
	op_bind(&run);
	assert_int_equal(run.layer.tile_count, 10);
	op_end(&run);
}

static void wrong_settings_are_refused(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 6, 4, 0, 0);
	op_bind_fails(&run, "6 channels in 4 groups");
	OP_INTS(&run, "groups", 2);
	OP_INTS(&run, "first", 2);
	OP_INTS(&run, "count", 2);
	op_bind_fails(&run, "2 members from 2 on, of 3");
	OP_INTS(&run, "first", 4);
	op_bind_fails(&run, "2 members from 4 on, of 3");
	OP_INTS(&run, "groups", 0);
	op_bind_fails(&run, "groups");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_of_groups_come_out_side_by_side),
		cmocka_unit_test(a_picture_is_worth_several_parts),
		cmocka_unit_test(wrong_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
