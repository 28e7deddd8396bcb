#include "lib/depthwise.h"

#include <stdio.h>

#include "tests/convolve_definition.h"

#define EXPECT(name, ...)                                                      \
	assert_int_equal(conv_expect(&(const struct conv_case){.what = name,   \
							       __VA_ARGS__}),  \
			 MX_CONVOLVE_DEPTH_LINES)

#define OTHER(name, ...)                                                       \
	assert_int_not_equal(conv_expect(&(const struct conv_case){            \
				     .what = name, __VA_ARGS__}),              \
			     MX_CONVOLVE_DEPTH_LINES)

static void windows_of_every_kind_match_the_definition(void **state)
{
	(void)state;
	EXPECT("3x3", 2, 1, 40, 40, 40, {9, 23}, {3, 3}, .pad_begin = {1, 1},
	       .pad_end = {1, 1});
	EXPECT("3x3 in lines of every length", 2, 1, 19, 19, 19, {4, 13},
	       {3, 3}, .pad_begin = {0, 1});
	EXPECT("stride 2, gaps", 2, 2, 59, 59, 59, {12, 9}, {3, 3}, {2, 2},
	       .pad_end = {1, 1}, .in_gap = 7, .out_gap = 2);
	EXPECT("5x5", 2, 1, 33, 33, 33, {8, 11}, {5, 5}, .pad_begin = {2, 2},
	       .pad_end = {2, 2}, .in_gap = 3);
	EXPECT("dilated, stride 2x1", 2, 1, 17, 17, 17, {20, 21}, {3, 3},
	       {2, 1}, {3, 2}, {3, 2}, {3, 2});
	EXPECT("7x2", 2, 1, 16, 16, 16, {9, 9}, {7, 2}, .pad_begin = {3, 1});
	EXPECT("windows in the padding alone", 2, 1, 5, 5, 5, {2, 3}, {2, 2},
	       {1, 1}, .pad_begin = {4, 5}, .pad_end = {3, 6});
	EXPECT("a kernel wider than the picture", 2, 1, 8, 8, 8, {3, 2}, {5, 7},
	       .pad_begin = {2, 4}, .pad_end = {2, 3});
	EXPECT("1x1", 2, 1, 20, 20, 20, {5, 6}, {1, 1}, {2, 1});
}

static void channels_of_any_number_match_the_definition(void **state)
{
	char name[32];
	size_t c;

	(void)state;
	for (c = 2; c < 70; c += c < 36 ? 1 : 7) {
		(void)snprintf(name, sizeof(name), "%zu channels", c);
		EXPECT(name, 2, 1, c, c, c, {5, 11}, {3, 3},
		       .pad_begin = {1, 1}, .pad_end = {1, 1});
	}
}

static void tiles_and_channels_in_turns_match_the_definition(void **state)
{
	(void)state;
	EXPECT("several tiles", 2, 2, 96, 96, 96, {40, 41}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1},
	       .act = MX_ACTIVATION_CLIP, .act_ab = {-0.25f, 0.5f});
	EXPECT("several blocks", 2, 1, 8197, 8197, 8197, {3, 3}, {6, 6},
	       .pad_begin = {3, 3}, .pad_end = {1, 2});
}

static void pixels_far_apart_match_the_definition(void **state)
{
	(void)state;
	EXPECT("copied", 2, 2, 512, 512, 512, {9, 7}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1}, .in_gap = 3,
	       .out_gap = 5);
	EXPECT("copied, several tiles", 2, 1, 512, 512, 512, {21, 20}, {3, 3},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("copied, dilated", 2, 2, 512, 512, 512, {6, 5}, {3, 3}, {1, 2},
	       {2, 2}, {2, 2}, {2, 2});
	EXPECT("copied, windows in the padding alone", 2, 1, 512, 512, 512,
	       {2, 3}, {2, 2}, {1, 1}, .pad_begin = {4, 5}, .pad_end = {3, 6});
	EXPECT("with strides", 2, 1, 512, 512, 512, {6, 5}, {3, 3}, {2, 2},
	       .pad_begin = {1, 1});
}

static void activations_follow_the_sum(void **state)
{
	(void)state;
	EXPECT("relu", 2, 1, 21, 21, 21, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_RELU);
	EXPECT("sigmoid", 2, 1, 21, 21, 21, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_SIGMOID);
	EXPECT("sigmoid, gaps", 2, 1, 21, 21, 21, {5, 5}, {3, 3}, .out_gap = 4,
	       .act = MX_ACTIVATION_SIGMOID);
	EXPECT("prelu", 2, 2, 70, 70, 70, {5, 5}, {3, 3},
	       .act = MX_ACTIVATION_PRELU);
}

static void other_convolutions_go_another_way(void **state)
{
	(void)state;
	OTHER("two channels a group", 2, 1, 8, 8, 4, {5, 5}, {3, 3});
	OTHER("two rows a group", 2, 1, 8, 16, 8, {5, 5}, {3, 3});
	OTHER("one group", 2, 1, 1, 1, 1, {5, 5}, {3, 3});
	OTHER("1-D", 1, 1, 8, 8, 8, {15}, {3});
	OTHER("3-D", 3, 1, 8, 8, 8, {4, 4, 4}, {3, 3, 3});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_every_kind_match_the_definition),
		cmocka_unit_test(channels_of_any_number_match_the_definition),
		cmocka_unit_test(
			tiles_and_channels_in_turns_match_the_definition),
		cmocka_unit_test(pixels_far_apart_match_the_definition),
		cmocka_unit_test(activations_follow_the_sum),
		cmocka_unit_test(other_convolutions_go_another_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
