/*
 * Convolutions that pool, beside the same convolutions with a Pooling layer
 * behind them: the same bits, whatever the way, the set and the order of parts.
 */
#include "lib/convolve_pool.h"

#include "lib/convolve.h"
#include "tests/convolve_fixture.h"

static enum mx_convolve_way way_of(const struct op_run *run)
{
	return ((const struct mx_convolve *)run->layer.params)->way;
}

/* Let the bound layer of @c pool; its weights are packed anew. */
static void begin_pool(struct op_run *run, const struct conv_case *c,
		       const struct conv_data *data)
{
	const float *vectors[] = {data->bias, data->slope};

	OP_INTS(run, MX_ATTR_POOL, (int64_t)MX_POOL_SIDE);
	op_bind(run);
	op_output_layout(run, 0, MX_LAYOUT_CHANNELS_LAST, c->out_gap);
	op_weights(run, data->w, vectors);
}

/* A Pooling layer whose input is to be @shape. */
static void begin_pooling(struct op_run *run, const struct mx_shape *shape)
{
	float *zeros = calloc(mx_shape_elems(shape) + 1, sizeof(*zeros));

	assert_non_null(zeros);
	op_begin(run, "Pooling");
	OP_INTS(run, "kernel", 2, 2);
	OP_INTS(run, "stride", 2, 2);
	op_input(run, zeros, shape->rank, shape->dim);
	op_input_layout(run, 0, MX_LAYOUT_CHANNELS_LAST, 0);
	op_bind(run);
	op_output_layout(run, 0, MX_LAYOUT_CHANNELS_LAST, 0);
	free(zeros);
}

static void expect_bits(const struct op_run *pooled, const struct op_run *two,
			const char *what, const char *isa)
{
	const size_t elems = mx_shape_elems(two->layer.out_shape);
	size_t i;

	assert_true(
		mx_shape_equal(pooled->layer.out_shape, two->layer.out_shape));
	for (i = 0; i < elems; i++)
		if (memcmp(&pooled->out[0].values[i], &two->out[0].values[i],
			   sizeof(float)))
			fail_msg("%s, %s: output %zu is %a, not %a", what, isa,
				 i, (double)pooled->out[0].values[i],
				 (double)two->out[0].values[i]);
}

static void expect_on(struct op_run *whole, struct op_run *pooling,
		      struct op_run *pooled, const char *what,
		      const struct mx_simd *simd)
{
	const size_t elems = mx_shape_elems(whole->layer.out_shape);
	enum op_order order;

	op_compute(whole, OP_ALL_AT_ONCE, simd);
	if (elems)
		memcpy(pooling->in[0].values, whole->out[0].values,
		       elems * sizeof(float));
	op_compute(pooling, OP_ALL_AT_ONCE, simd);
	for (order = 0; order < OP_ORDER_COUNT; order++) {
		op_compute(pooled, order, simd);
		expect_bits(pooled, pooling, what, simd->isa);
	}
}

/* As `in` where the case is to have other input than random numbers. */
static enum mx_convolve_way expect_input(const struct conv_case *c, float in)
{
	struct op_run whole, pooling, pooled;
	struct conv_data data, same;
	const struct mx_simd *simd;
	enum mx_convolve_way way;
	size_t i;

	conv_begin(&whole, "Convolution", c, &data);
	conv_begin(&pooled, "Convolution", c, &same);
	begin_pool(&pooled, c, &same);
	begin_pooling(&pooling, whole.layer.out_shape);
	for (i = 0; in != 0 && i < mx_shape_elems(whole.layer.in_shape);
	     i += 41)
		whole.in[0].values[i] = pooled.in[0].values[i] = in;
	assert_int_equal(pooled.layer.macs, whole.layer.macs);
	assert_int_equal(pooled.layer.work, whole.layer.work);
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++) {
		expect_on(&whole, &pooling, &pooled, c->what, simd);
		expect_on(&whole, &pooling, &pooled, c->what, simd->exact);
	}
	way = way_of(&pooled);
	assert_int_equal(way, way_of(&whole));
	op_end(&whole);
	op_end(&pooling);
	op_end(&pooled);
	return way;
}

#define EXPECT(its_way, name, ...)                                             \
	assert_int_equal(expect_input(&(const struct conv_case){.what = name,  \
								__VA_ARGS__},  \
				      0),                                      \
			 MX_CONVOLVE_##its_way)
#define SAME .pad_begin = {1, 1}, .pad_end = {1, 1}
#define LEAKY .act = MX_ACTIVATION_RELU, .act_ab = {0.1f}

static void winograds_tiles_are_pooled_as_behind_them(void **state)
{
	(void)state;
	EXPECT(WINOGRAD, "whole tiles", 2, 1, 16, 32, 1, {12, 8}, {3, 3}, SAME);
	EXPECT(WINOGRAD, "half tiles, gaps", 2, 1, 24, 40, 1, {14, 10}, {3, 3},
	       SAME, .in_gap = 5, .out_gap = 3);
	EXPECT(WINOGRAD, "pictures, short panel", 2, 3, 20, 23, 1, {16, 10},
	       {3, 3}, SAME, .act = MX_ACTIVATION_RELU);
	EXPECT(WINOGRAD, "blocks, parts, runs", 2, 1, 300, 130, 1, {30, 34},
	       {3, 3}, SAME, LEAKY, .out_gap = 5);
	EXPECT(WINOGRAD, "prelu", 2, 1, 150, 70, 1, {12, 18}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_PRELU);
	EXPECT(WINOGRAD, "prelu in groups", 2, 1, 64, 64, 2, {8, 14}, {3, 3},
	       SAME, .act = MX_ACTIVATION_PRELU);
	EXPECT(WINOGRAD, "sigmoid", 2, 1, 16, 20, 1, {12, 14}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_SIGMOID);
}

static void tiles_of_windows_are_pooled_as_behind_them(void **state)
{
	(void)state;
	EXPECT(DIRECT, "small", 2, 1, 15, 9, 1, {4, 6}, {3, 3}, SAME);
	EXPECT(DIRECT, "5x5, gaps", 2, 2, 20, 50, 1, {12, 16}, {5, 5},
	       .in_gap = 1, .out_gap = 2);
	EXPECT(DIRECT, "stride 2, several blocks and chunks", 2, 1, 210, 330, 1,
	       {24, 28}, {3, 3}, {2, 2}, SAME, LEAKY);
	EXPECT(DIRECT, "many tiles, prelu", 2, 1, 12, 33, 1, {60, 64}, {3, 3},
	       SAME, .act = MX_ACTIVATION_PRELU);
	EXPECT(DIRECT, "groups", 2, 1, 24, 18, 3, {8, 6}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_CLIP, .act_ab = {-0.5f, 0.5f});
	EXPECT(DIRECT, "rows apart", 2, 1, 12, 16, 1, {12, 10}, {3, 3}, {1, 1},
	       {2, 2});
	EXPECT(PATCHES, "columns apart", 2, 1, 3, 20, 1, {14, 16}, {3, 3},
	       {1, 1}, {1, 2}, .pad_end = {0, 2});
	EXPECT(DIRECT, "no pictures", 2, 0, 20, 8, 1, {6, 6}, {3, 3}, SAME);
}

static void pairs_of_lines_are_pooled_as_behind_them(void **state)
{
	(void)state;
	EXPECT(STRIPS, "3x3", 2, 1, 3, 16, 1, {8, 10}, {3, 3}, SAME, LEAKY);
	EXPECT(STRIPS, "pictures, gaps", 2, 3, 3, 17, 1, {8, 6}, {5, 5},
	       .pad_begin = {2, 2}, .pad_end = {2, 2}, .in_gap = 1,
	       .out_gap = 2);
	EXPECT(STRIPS, "several tiles, wide lines", 2, 1, 3, 40, 1, {40, 132},
	       {3, 3}, SAME, .act = MX_ACTIVATION_RELU);
	EXPECT(STRIPS, "rows apart, stride", 2, 1, 2, 16, 1, {31, 12}, {3, 5},
	       {2, 2}, {4, 1}, .pad_begin = {4, 2}, .pad_end = {4, 1});
	EXPECT(STRIPS, "a stride past the kernel", 2, 1, 4, 5, 1, {20, 28},
	       {2, 3}, {5, 7});
	EXPECT(STRIPS, "rows in turns, prelu", 2, 1, 8, 200, 1, {6, 64}, {3, 3},
	       SAME, .act = MX_ACTIVATION_PRELU);
	EXPECT(STRIPS, "sigmoid", 2, 1, 1, 20, 1, {8, 8}, {3, 3}, SAME,
	       .act = MX_ACTIVATION_SIGMOID);
}

static size_t draw(uint32_t *seed, size_t low, size_t high)
{
	*seed = *seed * 1664525u + 1013904223u;
	return low + (*seed >> 8) % (high - low + 1);
}

static void layers_at_random_are_pooled_as_behind_them(void **state)
{
	static const enum mx_activation_kind acts[] = {
		MX_ACTIVATION_NONE, MX_ACTIVATION_RELU, MX_ACTIVATION_PRELU,
		MX_ACTIVATION_SILU, MX_ACTIVATION_CLIP};
	int seen[MX_CONVOLVE_WINOGRAD + 1] = {0};
	uint32_t seed = 1;
	unsigned i, k;

	(void)state;
	for (i = 0; i < 120; i++) {
		const size_t groups = draw(&seed, 0, 4) ? 1 : 2;
		const size_t ends = draw(&seed, 0, 1);
		struct conv_case c = {
			.what = "random",
			.rank = 2,
			.batch = draw(&seed, 1, 2),
			.in_channels = draw(&seed, 1, 70 / groups) * groups,
			.out_channels = draw(&seed, 1, 70 / groups) * groups,
			.groups = groups,
			.act = acts[draw(&seed, 0, 4)],
			.in_gap = draw(&seed, 0, 1),
			.out_gap = draw(&seed, 0, 1),
		};

		c.act_ab[0] = c.act == MX_ACTIVATION_CLIP
				      ? -0.25f
				      : 0.125f * (float)draw(&seed, 0, 1);
		c.act_ab[1] = 0.75f;
		for (k = 0; k < 2; k++) {
			/* Even outputs: the kernel less what is padded is 1. */
			c.dim[k] = 2 * draw(&seed, 1, 20);
			c.kernel[k] = ends ? 3 : (int64_t)draw(&seed, 2, 5);
			c.pad_begin[k] =
				(int64_t)draw(&seed, 0, (size_t)c.kernel[k]) /
				2;
			c.pad_end[k] = c.kernel[k] - 1 - c.pad_begin[k];
		}
		if (groups == c.in_channels)
			continue;
		seen[expect_input(&c, 0)]++;
	}
	assert_true(seen[MX_CONVOLVE_DIRECT] && seen[MX_CONVOLVE_STRIPS] &&
		    seen[MX_CONVOLVE_WINOGRAD]);
}

static void infinities_are_pooled_as_behind_them(void **state)
{
	const struct conv_case direct = {"direct", 2,	     1,	     15,  64,
					 1,	   {10, 12}, {3, 3}, SAME};
	const struct conv_case strips = {"strips", 2,	     1,	     3,	  64,
					 1,	   {10, 12}, {3, 3}, SAME};

	(void)state;
	(void)expect_input(&direct, INFINITY);
	(void)expect_input(&direct, -INFINITY);
	(void)expect_input(&strips, INFINITY);
}

static void expect_refusal(const struct conv_case *c, const char *op,
			   int64_t pool, const char *text)
{
	struct conv_data data;
	struct op_run run;

	conv_begin(&run, op, c, &data);
	OP_INTS(&run, MX_ATTR_POOL, pool);
	op_bind_fails(&run, text);
	op_end(&run);
}

#define REFUSED(op, pool, text, ...)                                           \
	expect_refusal(&(const struct conv_case){.what = op, __VA_ARGS__}, op, \
		       pool, text)

static void what_does_not_pool_is_refused(void **state)
{
	(void)state;
	REFUSED("Convolution", 1, "pool is neither", 2, 1, 16, 16, 1, {8, 8},
		{3, 3}, SAME);
	REFUSED("Convolution", 3, "pool", 2, 1, 16, 16, 1, {9, 9}, {3, 3},
		SAME);
	REFUSED("Convolution", 2, "size of 7", 2, 1, 16, 16, 1, {7, 8}, {3, 3},
		SAME);
	REFUSED("Convolution", 2, "size of 9", 2, 1, 16, 16, 1, {8, 9}, {3, 3},
		SAME);
	REFUSED("Convolution", 2, "does not pool", 2, 1, 16, 16, 1, {8, 8},
		{1, 1});
	REFUSED("Convolution", 2, "does not pool", 2, 1, 16, 16, 16, {8, 8},
		{3, 3}, SAME);
	REFUSED("Convolution", 2, "does not pool", 2, 1, 16, 32, 16, {8, 8},
		{3, 3}, SAME);
	REFUSED("Convolution", 2, "does not pool", 3, 1, 16, 16, 1, {8, 8, 8},
		{3, 3, 3}, .pad_begin = {1, 1, 1}, .pad_end = {1, 1, 1});
	REFUSED("Convolution", 2, "does not pool", 1, 1, 16, 16, 1, {8}, {3},
		.pad_begin = {1}, .pad_end = {1});
	REFUSED("Deconvolution", 2, "does not pool", 2, 1, 16, 16, 1, {8, 8},
		{3, 3}, SAME);
}

/* The first is VGG's conv1_2, whose whole output would be 12 MiB. */
static void no_part_needs_memory_for_the_whole_output(void **state)
{
	static const struct {
		size_t size, channels, rows, kernel, scratch_bytes;
	} cases[] = {
		{224, 64, 64, 3, (size_t)704 << 10},
		{112, 64, 128, 3, (size_t)704 << 10},
		{208, 16, 128, 3, (size_t)704 << 10},
		{128, 32, 256, 5, (size_t)704 << 10},
		{416, 3, 16, 3, (size_t)48 << 10},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t size = cases[i].size;
		const int64_t kernel = (int64_t)cases[i].kernel;
		struct op_run run;

		op_begin(&run, "Convolution");
		OP_INTS(&run, "kernel", kernel, kernel);
		OP_INTS(&run, "pad_begin", kernel / 2, kernel / 2);
		OP_INTS(&run, "pad_end", kernel / 2, kernel / 2);
		OP_INTS(&run, "out_channels", (int64_t)cases[i].rows);
		OP_INTS(&run, MX_ATTR_POOL, 2);
		OP_INPUT(&run,
			 op_random(&run, cases[i].channels * size * size, 1, 0,
				   1),
			 1, cases[i].channels, size, size);
		op_bind(&run);
		assert_int_equal(run.layer.out_shape[0].dim[2], size / 2);
		assert_int_equal(run.layer.out_shape[0].dim[3], size / 2);
		assert_in_range(run.layer.scratch_bytes, 1,
				cases[i].scratch_bytes);
		op_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(winograds_tiles_are_pooled_as_behind_them),
		cmocka_unit_test(tiles_of_windows_are_pooled_as_behind_them),
		cmocka_unit_test(pairs_of_lines_are_pooled_as_behind_them),
		cmocka_unit_test(layers_at_random_are_pooled_as_behind_them),
		cmocka_unit_test(infinities_are_pooled_as_behind_them),
		cmocka_unit_test(what_does_not_pool_is_refused),
		cmocka_unit_test(no_part_needs_memory_for_the_whole_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
