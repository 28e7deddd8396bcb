#include "tests/convolve_fixture.h"

#include "lib/spatial.h"

/* Add one input element's window to @y, the definition. */
static void scatter(const struct conv_data *data, size_t n, size_t channel,
		    const size_t at[CONV_DIMS], double *y)
{
	const struct conv_case *c = data->c;
	const size_t channels = c->in_channels / c->groups;
	const size_t rows = c->out_channels / c->groups;
	const double x = (double)data->x[conv_index(n, channel, c->in_channels,
						    data->in_dim, at)];
	size_t k[CONV_DIMS] = {0};
	size_t to[CONV_DIMS];
	size_t i, r, elem = channel % channels;
	int inside;

	do {
		inside = 1;
		for (i = 0; i < CONV_DIMS; i++) {
			const int64_t p = (int64_t)at[i] * data->stride[i] -
					  data->pad[i] +
					  (int64_t)k[i] * data->dilation[i];

			inside &= p >= 0 && p < (int64_t)data->out_dim[i];
			to[i] = (size_t)p;
		}
		for (r = 0; inside && r < rows; r++) {
			const size_t row = channel / channels * rows + r;

			y[conv_index(n, row, c->out_channels, data->out_dim,
				     to)] +=
				x *
				(double)data->w[row * data->row_elems + elem];
		}
		elem += channels;
	} while (conv_next(k, data->kernel));
}

static void expect_case(const struct conv_case *c)
{
	struct conv_data data;
	struct op_run run;
	size_t at[CONV_DIMS] = {0};
	size_t n, channel;
	double *y;

	print_message("    %s\n", c->what);
	conv_begin(&run, "Deconvolution", c, &data);
	y = op_doubles(&run, mx_shape_elems(run.layer.out_shape));
	for (n = 0; n < c->batch; n++)
		for (channel = 0; channel < c->in_channels; channel++)
			do
				scatter(&data, n, channel, at, y);
			while (conv_next(at, data.in_dim));
	conv_finish(&data, y);
	op_expect(&run, 0, y, 3e-6);
	op_end(&run);
}

#define EXPECT(name, ...)                                                      \
	expect_case(&(const struct conv_case){.what = name, __VA_ARGS__})

static void windows_of_every_kind_match_the_definition(void **state)
{
	(void)state;
	EXPECT("4x4, stride 2", 2, 1, 16, 32, 1, {5, 6}, {4, 4}, {2, 2},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("2x2, stride 2", 2, 2, 11, 18, 1, {5, 4}, {2, 2}, {2, 2},
	       .in_gap = 3, .out_gap = 5);
	EXPECT("3x3, stride 1", 2, 1, 10, 7, 1, {6, 5}, {3, 3}, {1, 1});
	EXPECT("3x5, stride 2x3, dilation 2x1, output padding", 2, 1, 9, 21, 1,
	       {4, 5}, {3, 5}, {2, 3}, {2, 1}, {1, 2}, {2, 1}, {1, 2});
	EXPECT("a kernel smaller than its stride", 2, 1, 6, 5, 1, {3, 4},
	       {1, 2}, {4, 3}, .output_pad = {2, 1});
	EXPECT("dilation with the stride's factors", 2, 1, 6, 5, 1, {5, 4},
	       {3, 3}, {4, 6}, {2, 3}, {3, 2}, {1, 4});
	EXPECT("padding that crops much", 2, 1, 8, 17, 1, {7, 6}, {3, 3},
	       {3, 3}, .pad_begin = {9, 2}, .pad_end = {4, 8});
	EXPECT("1x1", 2, 1, 5, 6, 1, {4, 3}, {1, 1});
	EXPECT("many channels", 2, 1, 1100, 20, 1, {3, 2}, {3, 2}, {2, 1});
	EXPECT("several tiles of a phase", 2, 2, 3, 4, 1, {19, 21}, {3, 3},
	       {2, 2}, .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("stride above the output", 2, 1, 4, 3, 1, {1, 1}, {2, 2},
	       {7, 9});
}

static void groups_match_the_definition(void **state)
{
	(void)state;
	EXPECT("3 groups of 4 to 5", 2, 1, 12, 15, 3, {5, 4}, {3, 3}, {2, 2});
	EXPECT("2 groups of 8 to 32", 2, 1, 16, 64, 2, {4, 4}, {2, 3}, {2, 1},
	       .out_gap = 4);
	EXPECT("depthwise upsampling", 2, 1, 21, 21, 21, {6, 5}, {4, 4}, {2, 2},
	       .pad_begin = {1, 1}, .pad_end = {1, 1});
	EXPECT("depthwise, 16x16, stride 8", 2, 1, 35, 35, 35, {3, 4}, {16, 16},
	       {8, 8}, .pad_begin = {4, 4}, .pad_end = {4, 4});
}

static void one_and_three_dimensions_match_the_definition(void **state)
{
	(void)state;
	EXPECT("1-D", 1, 2, 13, 17, 1, {11}, {5}, {3}, {2}, {4}, {1}, {2});
	EXPECT("3-D", 3, 1, 6, 18, 1, {3, 4, 2}, {2, 3, 3}, {2, 1, 2},
	       {1, 2, 1}, {1, 1, 0}, {0, 2, 1}, {1, 0, 0}, .in_gap = 3,
	       .out_gap = 1);
}

static void activations_follow_the_sum(void **state)
{
	(void)state;
	EXPECT("relu", 2, 1, 16, 16, 1, {5, 5}, {3, 3}, {2, 2},
	       .act = MX_ACTIVATION_RELU);
	EXPECT("prelu", 2, 1, 700, 130, 1, {3, 2}, {3, 3}, {2, 2},
	       .act = MX_ACTIVATION_PRELU);
	EXPECT("clip where nothing reaches", 2, 1, 3, 4, 1, {2, 2}, {1, 1},
	       {3, 3}, .act = MX_ACTIVATION_CLIP, .act_ab = {-0.25f, 0.25f});
}

static void shape_and_work_are_known(void **state)
{
	const struct conv_case c = {.what = "counted",
				    2,
				    2,
				    6,
				    10,
				    2,
				    {5, 6},
				    {3, 4},
				    {2, 3},
				    {1, 2},
				    {1, 0},
				    {1, 2},
				    {1, 0}};
	struct conv_data data;
	struct op_run run;

	(void)state;
	conv_begin(&run, "Deconvolution", &c, &data);
	/* stride (s - 1) + output_pad + dilation (kernel - 1) + 1 - pads */
	OP_EXPECT_SHAPE(&run, 0, 2, 10, 10, 20);
	assert_int_equal(run.layer.macs, 2 * 6 * 5 * 6 * 3 * 4 * 5);
	op_end(&run);
}

static void wrong_settings_are_refused(void **state)
{
	static const float x[2 * 5 * 5];
	struct op_run run;

	(void)state;
	op_begin(&run, "Deconvolution");
	OP_INTS(&run, "kernel", 3, 3);
	OP_INTS(&run, "out_channels", 4);
	OP_INPUT(&run, x, 1, 2, 5, 5);
	OP_INTS(&run, "pad_begin", 4, 0);
	OP_INTS(&run, "pad_end", 3, 0);
	op_bind_fails(&run, "padding of 7 leaves nothing of an output of 7");
	OP_INTS(&run, "pad_end", 2, 0);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 1, 4, 1, 7);
	OP_INTS(&run, "groups", 2);
	OP_INTS(&run, "out_channels", 5);
	op_bind_fails(&run, "2 channels to 5 in 2 groups");
	OP_INTS(&run, "groups", 1);
	OP_INTS(&run, "stride", MX_SPATIAL_MAX, MX_SPATIAL_MAX);
	OP_INTS(&run, "pad_end", 0, 0);
	op_bind_fails(&run, "too many elements");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_every_kind_match_the_definition),
		cmocka_unit_test(groups_match_the_definition),
		cmocka_unit_test(one_and_three_dimensions_match_the_definition),
		cmocka_unit_test(activations_follow_the_sum),
		cmocka_unit_test(shape_and_work_are_known),
		cmocka_unit_test(wrong_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
