#include "tests/convolve_definition.h"

#include "lib/spatial.h"

static void expect_case(const struct conv_case *c)
{
	(void)conv_expect(c);
}

#define EXPECT(name, ...)                                                      \
	expect_case(&(const struct conv_case){.what = name, __VA_ARGS__})

static void windows_of_every_kind_match_the_definition(void **state)
{
	(void)state;
	EXPECT("3x3 same", 2, 1, 16, 32, 1, {7, 9}, {3, 3}, .pad_begin = {1, 1},
	       .pad_end = {1, 1});
	EXPECT("1x1", 2, 1, 24, 40, 1, {5, 7}, {1, 1}, .in_gap = 5,
	       .out_gap = 3);
	EXPECT("1x1, stride 2", 2, 2, 17, 19, 1, {6, 7}, {1, 1}, {2, 2});
	EXPECT("3x3, stride 2, one-sided padding", 2, 1, 9, 33, 1, {8, 11},
	       {3, 3}, {2, 2}, .pad_end = {1, 1});
	EXPECT("5x3, stride 1x3, dilation 2x1", 2, 1, 11, 7, 1, {13, 10},
	       {5, 3}, {1, 3}, {2, 1}, {4, 0}, {1, 2});
	EXPECT("a kernel larger than the picture", 2, 1, 12, 5, 1, {2, 3},
	       {7, 5}, .pad_begin = {3, 2}, .pad_end = {3, 2});
	EXPECT("padding larger than the kernel", 2, 1, 10, 3, 1, {3, 3}, {2, 2},
	       {3, 2}, .pad_begin = {9, 7}, .pad_end = {5, 8});
	EXPECT("many positions, several chunks", 2, 1, 40, 18, 1, {12, 13},
	       {9, 10}, .pad_begin = {2, 2});
	EXPECT("more channels than a chunk", 2, 1, 2500, 20, 1, {2, 3}, {2, 2},
	       .pad_end = {1, 1});
	EXPECT("batch, several tiles", 2, 3, 10, 35, 1, {17, 19}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1}, .in_gap = 4,
	       .out_gap = 13);
}

static void few_channels_match_the_definition(void **state)
{
	(void)state;
	EXPECT("3 channels, 3x3", 2, 1, 3, 64, 1, {20, 21}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("3 channels, 7x7, stride 2, gaps", 2, 1, 3, 17, 1, {23, 19},
	       {7, 7}, {2, 2}, .pad_begin = {3, 3}, .pad_end = {3, 3},
	       .in_gap = 5);
	EXPECT("1 channel, dilated", 2, 2, 1, 6, 1, {11, 12}, {3, 2}, {1, 2},
	       {3, 4}, {2, 3}, {4, 5});
	EXPECT("8 channels, 2x5", 2, 1, 8, 16, 1, {6, 9}, {2, 5},
	       .pad_begin = {0, 4}, .pad_end = {1, 4});
	EXPECT("3 channels, 11x11, all padding", 2, 1, 3, 8, 1, {2, 2},
	       {11, 11}, {4, 4}, .pad_begin = {10, 10}, .pad_end = {10, 10});
}

static void groups_match_the_definition(void **state)
{
	(void)state;
	EXPECT("2 groups of 16 to 16", 2, 1, 32, 32, 2, {5, 6}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("3 groups of 5 to 7", 2, 2, 15, 21, 3, {7, 5}, {3, 2}, {2, 1},
	       .in_gap = 3, .out_gap = 2);
	EXPECT("2 groups of 6 to 24", 2, 1, 12, 48, 2, {4, 5}, {1, 1});
	EXPECT("4 groups of 3 to 40", 2, 1, 12, 160, 4, {4, 5}, {3, 3});
	EXPECT("a multiplier of 3", 2, 1, 6, 18, 6, {7, 7}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("2 groups of 17 to 17", 2, 1, 34, 34, 2, {3, 4}, {2, 2});
}

static void depthwise_matches_the_definition(void **state)
{
	(void)state;
	EXPECT("3x3", 2, 1, 64, 64, 64, {9, 10}, {3, 3}, .pad_begin = {1, 1},
	       .pad_end = {1, 1}, .act = MX_ACTIVATION_CLIP, .act_ab = {0, 6});
	EXPECT("3x3, stride 2, odd channels, gaps", 2, 2, 59, 59, 59, {9, 8},
	       {3, 3}, {2, 2}, .pad_end = {1, 1}, .in_gap = 7, .out_gap = 2);
	EXPECT("9x9, dilation 2", 2, 1, 5, 5, 5, {20, 21}, {9, 9}, {1, 1},
	       {2, 2}, {7, 8}, {9, 10});
	EXPECT("more rows than a block", 2, 1, 8197, 8197, 8197, {3, 3}, {6, 6},
	       .pad_begin = {3, 3}, .pad_end = {1, 2});
}

static void one_and_three_dimensions_match_the_definition(void **state)
{
	(void)state;
	EXPECT("1-D", 1, 2, 13, 21, 1, {31}, {5}, {2}, {3}, {4}, {1},
	       .out_gap = 3);
	EXPECT("1-D, one channel", 1, 1, 1, 4, 1, {40}, {9}, {3}, {2}, {8});
	EXPECT("3-D", 3, 1, 9, 18, 1, {5, 6, 7}, {3, 2, 3}, {2, 1, 2},
	       {1, 2, 1}, {1, 1, 0}, {0, 2, 1}, .in_gap = 3, .out_gap = 1);
	EXPECT("3-D, 2 channels", 3, 2, 2, 3, 1, {4, 5, 6}, {2, 3, 3},
	       .pad_begin = {1, 1, 1}, .pad_end = {0, 1, 1});
	EXPECT("3-D, depthwise", 3, 1, 19, 19, 19, {3, 4, 5}, {3, 3, 3},
	       .pad_begin = {1, 1, 1}, .pad_end = {1, 1, 1});
}

static void activations_follow_the_sum(void **state)
{
	(void)state;
	EXPECT("relu", 2, 1, 16, 16, 1, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_RELU);
	EXPECT("relu with a slope", 2, 1, 16, 20, 1, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_RELU, .act_ab = {0.25f});
	EXPECT("clip over several chunks", 2, 1, 300, 20, 1, {6, 5}, {3, 3},
	       .act = MX_ACTIVATION_CLIP, .act_ab = {-0.5f, 0.75f});
	EXPECT("sigmoid", 2, 1, 4, 20, 1, {6, 5}, {3, 3}, .out_gap = 7,
	       .act = MX_ACTIVATION_SIGMOID);
	EXPECT("prelu over several blocks", 2, 1, 700, 130, 1, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_PRELU);
	EXPECT("prelu, depthwise", 2, 1, 21, 21, 21, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_PRELU);
}

static void an_empty_batch_computes_nothing(void **state)
{
	(void)state;
	EXPECT("batch of none", 2, 0, 9, 18, 1, {5, 6}, {3, 3});
}

static void begin_plain(struct op_run *run)
{
	static const float x[2 * 5 * 5];

	op_begin(run, "Convolution");
	OP_INTS(run, "kernel", 3, 3);
	OP_INTS(run, "out_channels", 4);
	OP_INPUT(run, x, 1, 2, 5, 5);
}

static void wrong_settings_are_refused(void **state)
{
	struct op_run run;

	(void)state;
	begin_plain(&run);
	OP_INTS(&run, "kernel", 6, 3);
	op_bind_fails(&run, "a window of 6 does not fit an input of 5");
	OP_INTS(&run, "kernel", 3);
	op_bind_fails(&run, "rank 4, a kernel of 1 dimensions wants 3");
	OP_INTS(&run, "kernel", 3, 0);
	op_bind_fails(&run, "kernel");
	OP_INTS(&run, "kernel", 3, 3, 3, 3);
	op_bind_fails(&run, "kernel");
	OP_INTS(&run, "kernel", 3, 3);
	OP_INTS(&run, "stride", 0, 1);
	op_bind_fails(&run, "stride");
	OP_INTS(&run, "stride", 2);
	op_bind_fails(&run, "stride has 1 values for 2 spatial dimensions");
	OP_INTS(&run, "stride", 1, 1);
	OP_INTS(&run, "pad_begin", -1, 0);
	op_bind_fails(&run, "pad_begin");
	OP_INTS(&run, "pad_begin", 0, 0);
	OP_INTS(&run, "groups", 3);
	op_bind_fails(&run, "2 channels to 4 in 3 groups");
	OP_INTS(&run, "groups", 1);
	OP_INTS(&run, "out_channels", 0);
	op_bind_fails(&run, "out_channels");
	OP_INTS(&run, "out_channels", INT32_MAX);
	OP_INTS(&run, "kernel", MX_SPATIAL_MAX, MX_SPATIAL_MAX);
	OP_INTS(&run, "pad_begin", MX_SPATIAL_MAX, MX_SPATIAL_MAX);
	op_bind_fails(&run, "too large");
	op_end(&run);
}

static void blocks_are_whole_panels_of_about_a_mebibyte(void **state)
{
	static const struct {
		size_t channels, rows, groups;
		int64_t kernel;
		size_t block, panel;
	} cases[] = {
		{3, 64, 1, 3, 64, 16},	      {64, 64, 1, 3, 64, 16},
		{512, 512, 1, 3, 32, 16},     {512, 4096, 1, 7, 16, 16},
		{512, 1000, 1, 1, 64, 16},    {20, 5, 1, 1, 32, 16},
		{960, 960, 960, 3, 960, 960}, {128, 256, 32, 3, 256, 8},
	};
	struct op_run run;
	size_t i;
	float *x;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		op_begin(&run, "Convolution");
		x = op_random(&run, cases[i].channels * 49, 1, 0, 1);
		OP_INTS(&run, "kernel", cases[i].kernel, cases[i].kernel);
		OP_INTS(&run, "out_channels", (int64_t)cases[i].rows);
		OP_INTS(&run, "groups", (int64_t)cases[i].groups);
		OP_INPUT(&run, x, 1, cases[i].channels, 7, 7);
		op_bind(&run);
		assert_int_equal(run.layer.weights.block_rows, cases[i].block);
		assert_int_equal(run.layer.weights.panel_rows, cases[i].panel);
		op_end(&run);
	}
}

static void work_is_counted(void **state)
{
	const struct conv_case c = {
		.what = "counted", 2, 2, 6, 10, 2, {5, 6}, {3, 3}};
	struct conv_data data;
	struct op_run run;

	(void)state;
	conv_begin(&run, "Convolution", &c, &data);
	assert_int_equal(run.layer.macs, 2 * 10 * 3 * 4 * 9 * 3);
	OP_EXPECT_SHAPE(&run, 0, 2, 10, 3, 4);
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_every_kind_match_the_definition),
		cmocka_unit_test(few_channels_match_the_definition),
		cmocka_unit_test(groups_match_the_definition),
		cmocka_unit_test(depthwise_matches_the_definition),
		cmocka_unit_test(one_and_three_dimensions_match_the_definition),
		cmocka_unit_test(activations_follow_the_sum),
		cmocka_unit_test(an_empty_batch_computes_nothing),
		cmocka_unit_test(wrong_settings_are_refused),
		cmocka_unit_test(blocks_are_whole_panels_of_about_a_mebibyte),
		cmocka_unit_test(work_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
