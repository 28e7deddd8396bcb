/*
 * Convolutions that are computed by Winograd's minimal filtering: which they
 * are, how far from the definition, and how their work is cut.
 */
#include "tests/convolve_definition.h"

/* Of the largest output. Real networks' are held to 1e-4. */
#define TOLERANCE 1e-5
#define TOLERANCE_EXACT 3e-6

static const struct mx_convolve *conv_of(const struct op_run *run)
{
	return run->layer.params;
}

static double *reference(struct op_run *run, const struct conv_data *data)
{
	const struct conv_case *c = data->c;
	double *y = op_doubles(run, mx_shape_elems(run->layer.out_shape));
	size_t at[CONV_DIMS] = {0};
	size_t n, row;

	for (n = 0; n < c->batch; n++)
		for (row = 0; row < c->out_channels; row++)
			do
				y[conv_index(n, row, c->out_channels,
					     data->out_dim, at)] =
					conv_sum_at(data, n, row, at);
			while (conv_next(at, data->out_dim));
	conv_finish(data, y);
	return y;
}

/* The definition whatever the set and the order of parts, and a nearer one by
 * the exact tables. */
static void expect_case(const struct conv_case *c)
{
	const struct mx_simd *simd;
	struct conv_data data;
	struct op_run run;
	double *y;
	size_t i;

	print_message("    %s\n", c->what);
	conv_begin(&run, "Convolution", c, &data);
	assert_int_equal(conv_of(&run)->way, MX_CONVOLVE_WINOGRAD);
	y = reference(&run, &data);
	op_expect(&run, 0, y, TOLERANCE);
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		op_compute(&run, OP_REVERSE, simd->exact);
		op_compare(&run, 0, y, TOLERANCE_EXACT, simd->isa);
	}
	op_end(&run);
}

#define EXPECT(name, ...)                                                      \
	expect_case(&(const struct conv_case){.what = name, __VA_ARGS__})
#define SAME .pad_begin = {1, 1}, .pad_end = {1, 1}

static void pictures_of_every_size_match_the_definition(void **state)
{
	(void)state;
	EXPECT("whole tiles", 2, 1, 16, 32, 1, {12, 8}, {3, 3}, SAME);
	EXPECT("odd sizes", 2, 1, 16, 32, 1, {13, 15}, {3, 3}, SAME);
	EXPECT("no padding, gaps", 2, 1, 24, 40, 1, {14, 10}, {3, 3},
	       .in_gap = 5, .out_gap = 3);
	EXPECT("one-sided padding", 2, 1, 32, 32, 1, {11, 14}, {3, 3},
	       .pad_begin = {0, 2}, .pad_end = {3, 0});
	EXPECT("padding larger than the kernel", 2, 1, 16, 16, 1, {3, 4},
	       {3, 3}, .pad_begin = {5, 7}, .pad_end = {6, 4});
	EXPECT("several pictures", 2, 3, 20, 48, 1, {8, 9}, {3, 3}, SAME,
	       .in_gap = 4);
	EXPECT("a long strip", 2, 1, 16, 16, 1, {4, 70}, {3, 3}, SAME);
}

static void channels_of_every_number_match_the_definition(void **state)
{
	(void)state;
	EXPECT("channels that fill no vector", 2, 1, 19, 33, 1, {12, 12},
	       {3, 3}, SAME, .in_gap = 2, .out_gap = 1);
	EXPECT("rows of a short panel", 2, 1, 17, 23, 1, {16, 12}, {3, 3},
	       SAME);
	EXPECT("several runs of channels", 2, 1, 270, 40, 1, {12, 11}, {3, 3},
	       SAME);
	EXPECT("several blocks, parts and runs", 2, 1, 300, 130, 1, {30, 31},
	       {3, 3}, SAME, .out_gap = 5);
	EXPECT("two groups", 2, 1, 64, 96, 2, {9, 13}, {3, 3}, SAME);
	EXPECT("groups of several runs", 2, 1, 420, 64, 2, {10, 11}, {3, 3},
	       SAME);
}

static void activations_follow_the_sum(void **state)
{
	(void)state;
	EXPECT("relu", 2, 1, 32, 32, 1, {12, 13}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_RELU);
	EXPECT("clip over several runs", 2, 1, 150, 32, 1, {12, 13}, {3, 3},
	       SAME, .act = MX_ACTIVATION_CLIP, .act_ab = {-0.5f, 0.75f});
	EXPECT("sigmoid", 2, 1, 16, 20, 1, {12, 13}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_SIGMOID);
	EXPECT("prelu over several blocks", 2, 1, 300, 130, 1, {9, 12}, {3, 3},
	       SAME, .act = MX_ACTIVATION_PRELU);
	EXPECT("prelu in groups", 2, 1, 64, 64, 2, {9, 12}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_PRELU);
}

/* Numbers as in a network: not below 0, after a rectifier. */
static void errors_stay_below_three_millionths_of_the_largest_output(
	void **state)
{
	const struct conv_case c = {
		.what = "error", 2, 1, 512, 32, 1, {14, 14}, {3, 3}, SAME};
	double largest = 0, error = 0;
	const struct mx_simd *simd;
	struct conv_data data;
	struct op_run run;
	size_t i, k, elems;
	double *y;

	(void)state;
	conv_begin(&run, "Convolution", &c, &data);
	elems = mx_shape_elems(run.layer.in_shape);
	for (i = 0; i < elems; i++)
		run.in[0].values[i] = fmaxf(run.in[0].values[i], 0);
	data.x = run.in[0].values;
	y = reference(&run, &data);
	elems = mx_shape_elems(run.layer.out_shape);
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		op_compute(&run, OP_ALL_AT_ONCE, simd);
		for (k = 0; k < elems; k++) {
			const double got = (double)op_values(&run, 0)[k];

			largest = fmax(largest, fabs(y[k]));
			error = fmax(error, fabs(got - y[k]));
		}
	}
	print_message("    error %.2g of the largest output\n",
		      error / largest);
	assert_true(error < 3e-6 * largest);
	op_end(&run);
}

static void expect_way(const struct conv_case *c, int is_winograd)
{
	struct conv_data data;
	struct op_run run;

	print_message("    %s\n", c->what);
	conv_begin(&run, "Convolution", c, &data);
	assert_int_equal(conv_of(&run)->way == MX_CONVOLVE_WINOGRAD,
			 is_winograd);
	assert_int_equal(run.layer.work < run.layer.macs, is_winograd);
	op_end(&run);
}

#define WINS(name, ...)                                                        \
	expect_way(&(const struct conv_case){.what = name, __VA_ARGS__}, 1)
#define LOSES(name, ...)                                                       \
	expect_way(&(const struct conv_case){.what = name, __VA_ARGS__}, 0)

static void only_what_gains_is_computed_so(void **state)
{
	(void)state;
	WINS("3x3", 2, 1, 64, 64, 1, {14, 14}, {3, 3}, SAME);
	WINS("7x7 outputs", 2, 1, 64, 64, 1, {7, 7}, {3, 3}, SAME);
	LOSES("5x5 outputs", 2, 1, 64, 64, 1, {5, 5}, {3, 3}, SAME);
	LOSES("1x1 outputs", 2, 1, 64, 64, 1, {3, 3}, {3, 3});
	LOSES("15 channels", 2, 1, 15, 64, 1, {14, 14}, {3, 3}, SAME);
	LOSES("15 rows", 2, 1, 64, 15, 1, {14, 14}, {3, 3}, SAME);
	LOSES("groups of 24 rows", 2, 1, 64, 48, 2, {14, 14}, {3, 3}, SAME);
	LOSES("stride", 2, 1, 64, 64, 1, {14, 14}, {3, 3}, {2, 2}, SAME);
	LOSES("dilation", 2, 1, 64, 64, 1, {14, 14}, {3, 3}, {1, 1}, {2, 1},
	      SAME);
	LOSES("1x3", 2, 1, 64, 64, 1, {14, 14}, {1, 3});
	LOSES("3x3x3", 3, 1, 64, 64, 1, {4, 14, 14}, {3, 3, 3});
	WINS("1x3x3 on one plane", 3, 1, 64, 64, 1, {1, 14, 14}, {1, 3, 3});
	LOSES("1x3x3 on two planes", 3, 1, 64, 64, 1, {2, 14, 14}, {1, 3, 3});
	LOSES("no pictures", 2, 0, 64, 64, 1, {14, 14}, {3, 3}, SAME);
}

static void work_is_cut_for_cache_threads_and_slices(void **state)
{
	static const struct {
		size_t size, channels, rows, groups;
		size_t blocks, tiles, block_rows;
	} cases[] = {
		{224, 64, 64, 1, 1, 81, 64},	{112, 64, 128, 1, 1, 21, 128},
		{56, 256, 256, 1, 3, 14, 96},	{28, 512, 512, 1, 11, 3, 48},
		{14, 512, 512, 1, 8, 1, 64},	{7, 512, 512, 1, 8, 1, 64},
		{13, 384, 384, 2, 4, 1, 96},	{13, 48, 192, 1, 4, 1, 48},
		{27, 32, 128, 1, 2, 2, 64},	{14, 128, 32, 1, 1, 2, 32},
		{14, 1024, 1024, 1, 32, 1, 32},
	};
	struct op_run run;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t size = cases[i].size;
		const struct mx_layer *layer = &run.layer;
		float *x;

		op_begin(&run, "Convolution");
		x = op_random(&run, cases[i].channels * size * size, 1, 0, 1);
		OP_INTS(&run, "kernel", 3, 3);
		OP_INTS(&run, "pad_begin", 1, 1);
		OP_INTS(&run, "pad_end", 1, 1);
		OP_INTS(&run, "groups", (int64_t)cases[i].groups);
		OP_INTS(&run, "out_channels", (int64_t)cases[i].rows);
		OP_INPUT(&run, x, 1, cases[i].channels, size, size);
		op_bind(&run);
		assert_int_equal(layer->block_count, cases[i].blocks);
		assert_int_equal(layer->tile_count, cases[i].tiles);
		assert_int_equal(layer->weights.block_rows,
				 cases[i].block_rows);
		assert_int_equal(layer->weights.panel_rows, 16);
		assert_in_range(layer->scratch_bytes, 1, (size_t)704 << 10);
		op_end(&run);
	}
}

/*
 * A tile's 36 points, its input's transform (220 over a block's rows), its
 * output's (150 over the channels), and the weights' (126) in each part.
 */
static void work_is_the_products_and_the_transforms(void **state)
{
	static const struct {
		size_t size, channels, rows, groups;
		double tiles, block_rows, parts;
	} cases[] = {
		{14, 512, 512, 1, 16, 64, 1},
		{56, 256, 256, 1, 196, 96, 14},
		{13, 384, 384, 2, 16, 96, 1},
		{27, 32, 128, 1, 49, 64, 2},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t size = cases[i].size;
		const double channels =
			(double)(cases[i].channels / cases[i].groups);
		const struct conv_case c = {
			"work",
			2,
			1,
			cases[i].channels,
			cases[i].rows,
			cases[i].groups,
			{size, size},
			{3, 3},
			SAME,
		};
		const double per_pair =
			cases[i].tiles * (36 + 220 / cases[i].block_rows +
					  150 / channels) +
			126 * cases[i].parts;
		const double work = channels * (double)cases[i].rows * per_pair;
		struct conv_data data;
		struct op_run run;

		conv_begin(&run, "Convolution", &c, &data);
		assert_int_equal(run.layer.work, (uint64_t)work);
		assert_true(run.layer.work < run.layer.macs);
		op_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_of_every_size_match_the_definition),
		cmocka_unit_test(channels_of_every_number_match_the_definition),
		cmocka_unit_test(activations_follow_the_sum),
		cmocka_unit_test(
			errors_stay_below_three_millionths_of_the_largest_output),
		cmocka_unit_test(only_what_gains_is_computed_so),
		cmocka_unit_test(work_is_cut_for_cache_threads_and_slices),
		cmocka_unit_test(work_is_the_products_and_the_transforms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
