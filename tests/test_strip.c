#include "lib/strip.h"

#include "tests/convolve_definition.h"

#define EXPECT(name, ...)                                                      \
	assert_int_equal(conv_expect(&(const struct conv_case){.what = name,   \
							       __VA_ARGS__}),  \
			 MX_CONVOLVE_STRIPS)

#define OTHER(name, ...)                                                       \
	assert_int_not_equal(conv_expect(&(const struct conv_case){            \
				     .what = name, __VA_ARGS__}),              \
			     MX_CONVOLVE_STRIPS)

static void windows_of_one_element_match_the_definition(void **state)
{
	(void)state;
	EXPECT("one pixel", 2, 1, 5, 3, 1, {1, 1}, {1, 1});
	EXPECT("whole panels", 2, 1, 17, 64, 1, {4, 7}, {1, 1});
	EXPECT("a short panel, gaps", 2, 1, 9, 41, 1, {5, 9}, {1, 1},
	       .in_gap = 5, .out_gap = 3);
	EXPECT("several tiles and blocks", 2, 2, 160, 330, 1, {17, 11}, {1, 1},
	       .act = MX_ACTIVATION_CLIP, .act_ab = {-0.5f, 0.5f});
	EXPECT("panels in turns", 2, 1, 1300, 90, 1, {3, 5}, {1, 1});
	EXPECT("stride 2", 2, 2, 40, 33, 1, {9, 8}, {1, 1}, {2, 2});
	EXPECT("stride 3x1, gaps", 2, 1, 8, 20, 1, {10, 37}, {1, 1}, {3, 1},
	       .in_gap = 1, .out_gap = 7);
	EXPECT("1-D", 1, 2, 13, 21, 1, {31}, {1});
	EXPECT("3-D", 3, 1, 9, 18, 1, {5, 6, 7}, {1, 1, 1}, .out_gap = 1);
}

static void rows_of_one_pixel_match_the_definition(void **state)
{
	(void)state;
	EXPECT("several tiles", 2, 1, 700, 333, 1, {1, 1}, {1, 1},
	       .act = MX_ACTIVATION_CLIP, .act_ab = {-0.5f, 0.5f});
	EXPECT("a last block of fewer tiles", 2, 1, 1300, 450, 1, {1, 1},
	       {1, 1}, .act = MX_ACTIVATION_PRELU);
	EXPECT("sigmoid, gaps", 2, 1, 700, 100, 1, {1, 1}, {1, 1}, .in_gap = 3,
	       .out_gap = 2, .act = MX_ACTIVATION_SIGMOID);
	EXPECT("strides", 2, 1, 700, 100, 1, {2, 2}, {1, 1}, {2, 2});
}

static void groups_match_the_definition(void **state)
{
	(void)state;
	EXPECT("rows that no panel divides", 2, 1, 20, 68, 4, {7, 7}, {1, 1},
	       .in_gap = 2);
	EXPECT("fewer rows than a panel", 2, 1, 24, 18, 3, {5, 6}, {1, 1});
	EXPECT("whole panels", 2, 1, 12, 96, 2, {6, 5}, {1, 1}, .out_gap = 5);
	EXPECT("stride 2", 2, 1, 12, 51, 3, {6, 5}, {1, 1}, {2, 2});
}

static void few_channels_match_the_definition(void **state)
{
	(void)state;
	EXPECT("3x3, stride 2", 2, 1, 3, 24, 1, {23, 31}, {3, 3}, {2, 2},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("pictures behind each other, gaps", 2, 3, 3, 17, 1, {9, 8},
	       {5, 5}, {1, 1}, .pad_begin = {2, 2}, .pad_end = {2, 2},
	       .in_gap = 1, .out_gap = 2);
	EXPECT("rows apart", 2, 1, 2, 16, 1, {30, 12}, {3, 5}, {1, 2}, {4, 1},
	       .pad_begin = {4, 0}, .pad_end = {3, 1});
	EXPECT("a stride past the kernel", 2, 1, 4, 5, 1, {20, 20}, {2, 3},
	       {5, 7}, .pad_begin = {1, 2}, .pad_end = {2, 1});
	EXPECT("windows in the padding alone", 2, 1, 1, 6, 1, {2, 3}, {2, 2},
	       {1, 1}, .pad_begin = {4, 5}, .pad_end = {3, 6});
	EXPECT("several tiles", 2, 1, 3, 96, 1, {60, 61}, {6, 6}, {2, 2},
	       .pad_begin = {2, 2}, .pad_end = {2, 2});
}

static void activations_follow_the_sum(void **state)
{
	(void)state;
	EXPECT("relu", 2, 1, 16, 20, 1, {5, 5}, {1, 1},
	       .act = MX_ACTIVATION_RELU);
	EXPECT("a slope, gaps", 2, 1, 16, 40, 1, {5, 5}, {1, 1}, .out_gap = 3,
	       .act = MX_ACTIVATION_RELU, .act_ab = {0.25f});
	EXPECT("sigmoid", 2, 1, 3, 20, 1, {8, 9}, {3, 3},
	       .act = MX_ACTIVATION_SIGMOID);
	EXPECT("prelu over blocks and panels in turns", 2, 1, 640, 130, 1,
	       {5, 5}, {1, 1}, .act = MX_ACTIVATION_PRELU);
	EXPECT("prelu in groups", 2, 1, 6, 34, 2, {5, 5}, {1, 1},
	       .act = MX_ACTIVATION_PRELU);
}

static void other_convolutions_go_another_way(void **state)
{
	(void)state;
	OTHER("9 channels", 2, 1, 9, 16, 1, {6, 6}, {3, 3});
	OTHER("padding", 2, 1, 9, 16, 1, {6, 6}, {1, 1}, .pad_begin = {1, 0});
	OTHER("padding behind", 2, 1, 9, 16, 1, {6, 6}, {1, 1},
	      .pad_end = {0, 1});
	OTHER("columns apart", 2, 1, 3, 16, 1, {9, 9}, {3, 3}, {1, 1}, {1, 2});
	OTHER("3-D", 3, 1, 3, 16, 1, {5, 5, 5}, {3, 3, 3});
	OTHER("3-D, stride 2", 3, 1, 3, 16, 1, {5, 5, 5}, {1, 1, 1}, {2, 2, 2});
}

static void a_layer_has_parts_for_threads_if_it_is_worth_it(void **state)
{
	static const struct {
		size_t channels, rows, side, blocks, tiles;
	} cases[] = {
		{16, 16, 4, 1, 1}, /* 4 thousand products */
		{64, 64, 56, 1, 16}, /* many pixels */
		{960, 160, 7, 5, 2}, /* few pixels, many rows */
		{512, 1000, 14, 6, 3}, {16, 64, 1, 1, 1}, /* one pixel: 4 KiB */
		{960, 240, 1, 1, 4}, /* 900 KiB */
		{1280, 1000, 1, 6, 6},
	};
	struct op_run run;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t side = cases[i].side;

		op_begin(&run, "Convolution");
		OP_INTS(&run, "kernel", 1, 1);
		OP_INTS(&run, "out_channels", (int64_t)cases[i].rows);
		OP_INPUT(&run,
			 op_random(&run, cases[i].channels * side * side, 1, 0,
				   1),
			 1, cases[i].channels, side, side);
		op_bind(&run);
		assert_int_equal(run.layer.block_count, cases[i].blocks);
		assert_int_equal(run.layer.tile_count, cases[i].tiles);
		op_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_one_element_match_the_definition),
		cmocka_unit_test(rows_of_one_pixel_match_the_definition),
		cmocka_unit_test(groups_match_the_definition),
		cmocka_unit_test(few_channels_match_the_definition),
		cmocka_unit_test(activations_follow_the_sum),
		cmocka_unit_test(other_convolutions_go_another_way),
		cmocka_unit_test(
			a_layer_has_parts_for_threads_if_it_is_worth_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
