/*
 * The distinct layers of thirteen well-known networks (SqueezeNet 1.1,
 * MobileNet v1, v2, v3 and SSD, EfficientNet-b0, ShuffleNet v2, GoogLeNet,
 * AlexNet, ResNet-18 and 50, YOLOv4-tiny, VGG-16) on one thread, each against
 * what this core can do: its multiply-add peak or, where that is less, the rate
 * at which it reads memory times the layer's operations for each byte that it
 * has to touch once (a roofline). Both are measured in the same run. A rate
 * counts the definition's multiplications, so that Winograd's may pass the
 * roof. Weights are each layer's own, so that they come from memory as they do
 * in networks. Rounds go over all layers in turn; the best of each counts.
 *
 * Arguments: parts of names, to choose layers. Fails if the median share of the
 * roof that convolutions reach is below CONV_SHARE_MIN, or the median share of
 * the memory's rate that fully connected layers reach below DENSE_SHARE_MIN.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "lib/attr.h"
#include "lib/convolve.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/simd.h"
#include "lib/size.h"
#include "lib/view.h"

#define CONV_SHARE_MIN 0.8
#define DENSE_SHARE_MIN 0.85
#define ROUNDS 9
#define ALIGN_BYTES 4096
#define NS_PER_SECOND 1e9

/* 1x1: the picture's size, channels in and out. */
static const uint16_t pointwise[][3] = {
	{150, 32, 64},	  {112, 16, 16},   {112, 16, 64},   {112, 16, 96},
	{112, 32, 16},	  {112, 32, 64},   {104, 64, 64},   {75, 64, 128},
	{75, 128, 128},	  {56, 24, 58},	   {56, 24, 72},    {56, 24, 144},
	{56, 64, 24},	  {56, 64, 64},	   {56, 64, 128},   {56, 64, 256},
	{56, 72, 24},	  {56, 96, 24},	   {56, 128, 128},  {56, 144, 24},
	{56, 256, 64},	  {56, 256, 128},  {55, 16, 64},    {55, 64, 16},
	{55, 128, 16},	  {52, 128, 128},  {38, 128, 256},  {38, 256, 256},
	{28, 24, 58},	  {28, 32, 192},   {28, 40, 120},   {28, 40, 240},
	{28, 58, 58},	  {28, 72, 40},	   {28, 116, 116},  {28, 120, 40},
	{28, 128, 256},	  {28, 128, 512},  {28, 144, 32},   {28, 144, 40},
	{28, 192, 16},	  {28, 192, 32},   {28, 192, 64},   {28, 192, 96},
	{28, 240, 40},	  {28, 256, 32},   {28, 256, 64},   {28, 256, 128},
	{28, 256, 256},	  {28, 512, 128},  {28, 512, 256},  {27, 32, 128},
	{27, 128, 32},	  {27, 256, 32},   {26, 256, 255},  {26, 256, 256},
	{19, 256, 512},	  {19, 512, 12},   {19, 512, 63},   {19, 512, 512},
	{14, 64, 384},	  {14, 80, 184},   {14, 80, 200},   {14, 80, 480},
	{14, 96, 576},	  {14, 112, 672},  {14, 116, 116},  {14, 184, 80},
	{14, 192, 64},	  {14, 200, 80},   {14, 232, 232},  {14, 240, 80},
	{14, 256, 512},	  {14, 256, 1024}, {14, 384, 64},   {14, 384, 96},
	{14, 480, 16},	  {14, 480, 64},   {14, 480, 80},   {14, 480, 96},
	{14, 480, 112},	  {14, 480, 192},  {14, 512, 24},   {14, 512, 32},
	{14, 512, 64},	  {14, 512, 112},  {14, 512, 128},  {14, 512, 144},
	{14, 512, 160},	  {14, 512, 512},  {14, 528, 32},   {14, 528, 128},
	{14, 528, 160},	  {14, 528, 256},  {14, 576, 96},   {14, 672, 112},
	{14, 1024, 256},  {14, 1024, 512}, {13, 48, 192},   {13, 64, 256},
	{13, 256, 48},	  {13, 256, 128},  {13, 384, 48},   {13, 384, 64},
	{13, 512, 64},	  {13, 512, 255},  {13, 512, 256},  {13, 512, 1000},
	{10, 512, 1024},  {10, 1024, 24},  {10, 1024, 126}, {10, 1024, 256},
	{10, 1024, 1024}, {7, 160, 960},   {7, 192, 1152},  {7, 232, 232},
	{7, 320, 1280},	  {7, 464, 1024},  {7, 512, 1024},  {7, 512, 2048},
	{7, 576, 160},	  {7, 672, 160},   {7, 672, 192},   {7, 832, 32},
	{7, 832, 48},	  {7, 832, 128},   {7, 832, 160},   {7, 832, 192},
	{7, 832, 256},	  {7, 832, 384},   {7, 960, 160},   {7, 960, 320},
	{7, 1024, 1024},  {7, 1152, 192},  {7, 1152, 320},  {7, 2048, 512},
	{5, 512, 24},	  {5, 512, 126},   {5, 512, 128},   {3, 256, 24},
	{3, 256, 126},	  {3, 256, 128},   {2, 256, 24},    {2, 256, 64},
	{2, 256, 126},	  {1, 4, 96},	   {1, 6, 144},	    {1, 8, 32},
	{1, 10, 240},	  {1, 20, 480},	   {1, 24, 72},	    {1, 28, 672},
	{1, 32, 8},	  {1, 32, 120},	   {1, 48, 1152},   {1, 72, 24},
	{1, 96, 4},	  {1, 120, 32},	   {1, 120, 480},   {1, 128, 24},
	{1, 128, 126},	  {1, 144, 6},	   {1, 168, 672},   {1, 240, 10},
	{1, 240, 960},	  {1, 480, 20},	   {1, 480, 120},   {1, 672, 28},
	{1, 672, 168},	  {1, 960, 240},   {1, 1152, 48},
};

/* Size, channels, kernel, stride; padded by half the kernel. */
static const uint16_t depthwise[][4] = {
	{150, 32, 3, 1},  {150, 64, 3, 2}, {112, 16, 3, 1}, {112, 32, 3, 1},
	{112, 64, 3, 2},  {112, 96, 3, 2}, {75, 128, 3, 1}, {75, 128, 3, 2},
	{56, 24, 3, 2},	  {56, 58, 3, 2},  {56, 72, 3, 1},  {56, 72, 5, 2},
	{56, 128, 3, 1},  {56, 128, 3, 2}, {56, 144, 3, 1}, {56, 144, 3, 2},
	{56, 144, 5, 2},  {38, 256, 3, 1}, {38, 256, 3, 2}, {28, 58, 3, 1},
	{28, 116, 3, 2},  {28, 120, 5, 1}, {28, 192, 3, 2}, {28, 192, 3, 1},
	{28, 240, 3, 2},  {28, 240, 5, 1}, {28, 256, 3, 1}, {28, 256, 3, 2},
	{19, 512, 3, 2},  {19, 512, 3, 1}, {14, 116, 3, 1}, {14, 184, 3, 1},
	{14, 200, 3, 1},  {14, 232, 3, 2}, {14, 384, 3, 1}, {14, 480, 3, 1},
	{14, 480, 5, 1},  {14, 512, 3, 2}, {14, 512, 3, 1}, {14, 576, 3, 2},
	{14, 576, 3, 1},  {14, 672, 3, 1}, {14, 672, 5, 2}, {14, 672, 5, 1},
	{10, 1024, 3, 1}, {7, 232, 3, 1},  {7, 960, 3, 1},  {7, 960, 5, 1},
	{7, 1024, 3, 1},  {7, 1152, 3, 1}, {7, 1152, 5, 1},
};

/* All others: size, channels in and out, kernel, stride, groups, padding. */
static const uint16_t windows[][7] = {
	{416, 3, 32, 3, 2, 1, 1},     {300, 3, 32, 3, 2, 1, 1},
	{227, 3, 96, 11, 4, 1, 0},    {224, 3, 16, 3, 2, 1, 1},
	{224, 3, 24, 3, 2, 1, 1},     {224, 3, 32, 3, 2, 1, 1},
	{224, 3, 64, 3, 2, 1, 0},     {224, 3, 64, 3, 1, 1, 1},
	{224, 3, 64, 7, 2, 1, 3},     {224, 64, 64, 3, 1, 1, 1},
	{208, 32, 64, 3, 2, 1, 1},    {112, 64, 128, 3, 1, 1, 1},
	{112, 128, 128, 3, 1, 1, 1},  {104, 32, 32, 3, 1, 1, 1},
	{104, 64, 64, 3, 1, 1, 1},    {56, 64, 64, 3, 1, 1, 1},
	{56, 64, 128, 1, 2, 1, 0},    {56, 64, 128, 3, 2, 1, 1},
	{56, 64, 192, 3, 1, 1, 1},    {56, 128, 128, 3, 2, 1, 1},
	{56, 128, 256, 3, 1, 1, 1},   {56, 256, 256, 3, 1, 1, 1},
	{56, 256, 512, 1, 2, 1, 0},   {55, 16, 64, 3, 1, 1, 1},
	{52, 64, 64, 3, 1, 1, 1},     {52, 128, 128, 3, 1, 1, 1},
	{28, 16, 32, 5, 1, 1, 2},     {28, 32, 96, 5, 1, 1, 2},
	{28, 96, 128, 3, 1, 1, 1},    {28, 128, 128, 3, 1, 1, 1},
	{28, 128, 192, 3, 1, 1, 1},   {28, 128, 256, 3, 2, 1, 1},
	{28, 128, 256, 1, 2, 1, 0},   {28, 256, 256, 3, 2, 1, 1},
	{28, 256, 512, 3, 1, 1, 1},   {28, 512, 512, 3, 1, 1, 1},
	{28, 512, 1024, 1, 2, 1, 0},  {27, 32, 128, 3, 1, 1, 1},
	{27, 96, 256, 5, 1, 2, 2},    {26, 128, 128, 3, 1, 1, 1},
	{26, 256, 256, 3, 1, 1, 1},   {26, 384, 256, 3, 1, 1, 1},
	{14, 16, 48, 5, 1, 1, 2},     {14, 24, 64, 5, 1, 1, 2},
	{14, 32, 64, 5, 1, 1, 2},     {14, 32, 128, 5, 1, 1, 2},
	{14, 96, 208, 3, 1, 1, 1},    {14, 112, 224, 3, 1, 1, 1},
	{14, 128, 256, 3, 1, 1, 1},   {14, 144, 288, 3, 1, 1, 1},
	{14, 160, 320, 3, 1, 1, 1},   {14, 256, 256, 3, 1, 1, 1},
	{14, 256, 512, 3, 2, 1, 1},   {14, 256, 512, 1, 2, 1, 0},
	{14, 512, 512, 3, 1, 1, 1},   {14, 512, 512, 3, 2, 1, 1},
	{14, 1024, 2048, 1, 2, 1, 0}, {13, 48, 192, 3, 1, 1, 1},
	{13, 64, 256, 3, 1, 1, 1},    {13, 256, 384, 3, 1, 1, 1},
	{13, 256, 512, 3, 1, 1, 1},   {13, 384, 256, 3, 1, 2, 1},
	{13, 384, 384, 3, 1, 2, 1},   {13, 512, 512, 3, 1, 1, 1},
	{10, 256, 512, 3, 2, 1, 1},   {7, 32, 128, 5, 1, 1, 2},
	{7, 48, 128, 5, 1, 1, 2},     {7, 160, 320, 3, 1, 1, 1},
	{7, 192, 384, 3, 1, 1, 1},    {7, 512, 512, 3, 1, 1, 1},
	{5, 128, 256, 3, 2, 1, 1},    {3, 128, 256, 3, 2, 1, 1},
	{2, 64, 128, 3, 2, 1, 1},
};

/* Fully connected: elements in and out. */
static const uint16_t dense[][2] = {
	{25088, 4096}, {9216, 4096}, {4096, 4096}, {4096, 1000}, {2048, 1000},
	{1280, 1000},  {1024, 1000}, {960, 1280},  {512, 1000},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define CONV_COUNT (COUNT(pointwise) + COUNT(depthwise) + COUNT(windows))
#define LAYER_COUNT (CONV_COUNT + COUNT(dense))

struct bench {
	char name[48];
	struct mx_layer layer;
	struct mx_view in;
	struct mx_view out;
	unsigned char *weights;
	double best_ns;
};

/* What all layers share. */
struct memory {
	float *x; /* the largest input */
	float *y;
	void *scratch;
	float *stream; /* STREAM_FLOATS: what the reading rate is measured on */
	size_t x_elems;
	size_t y_elems;
	size_t scratch_bytes;
};

/* Larger than a cache. */
#define STREAM_FLOATS ((size_t)64 << 20)

static void *need(size_t bytes)
{
	void *memory = NULL;

	if (posix_memalign(&memory, ALIGN_BYTES, bytes + 1)) {
		fprintf(stderr, "bench_ops: no memory for %zu bytes\n", bytes);
		exit(1);
	}
	return memory;
}

/* @count floats that are not denormal and do not grow in sums. */
static float *need_random(size_t count)
{
	float *values = need(count * sizeof(*values));
	uint32_t state = 1;
	size_t i;

	for (i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		values[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
	}
	return values;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * NS_PER_SECOND + (double)t.tv_nsec;
}

static void set_ints(struct mx_layer *layer, const char *name, int64_t a,
		     int64_t b)
{
	const int64_t pair[] = {a, b};

	if (mx_attrs_set_ints(&layer->attrs, name, pair, b ? 2 : 1))
		exit(1);
}

static void bind(struct bench *bench, const char *op,
		 const struct mx_shape *shape)
{
	struct mx_layer *layer = &bench->layer;
	struct mx_err err;

	layer->name = strdup(bench->name);
	layer->op_name = strdup(op);
	layer->in_count = 1;
	layer->out_count = 1;
	if (mx_layer_bind(layer, shape, &err)) {
		fprintf(stderr, "bench_ops: %s\n", err.text);
		exit(1);
	}
}

/* @row is one of windows[]'s. */
static void bind_conv(struct bench *bench, const uint16_t *row)
{
	const size_t dims[] = {1, row[1], row[0], row[0]};
	const struct mx_shape shape = mx_shape_of(4, dims);
	struct mx_layer *layer = &bench->layer;

	set_ints(layer, "kernel", row[3], row[3]);
	set_ints(layer, "stride", row[4], row[4]);
	if (row[6]) {
		set_ints(layer, "pad_begin", row[6], row[6]);
		set_ints(layer, "pad_end", row[6], row[6]);
	}
	set_ints(layer, "groups", row[5], 0);
	set_ints(layer, "out_channels", row[2], 0);
	set_ints(layer, MX_ATTR_ACTIVATION, MX_ACTIVATION_RELU, 0);
	bind(bench, "Convolution", &shape);
}

static void bind_dense(struct bench *bench, const uint16_t *row)
{
	const size_t dims[] = {1, row[0]};
	const struct mx_shape shape = mx_shape_of(2, dims);

	set_ints(&bench->layer, "out_features", row[1], 0);
	bind(bench, "Dense", &shape);
}

/* Layer @index of all tables, with its name; not yet bound. */
static int name_layer(struct bench *bench, size_t index, uint16_t row[7])
{
	const uint16_t *from;

	memset(row, 0, 7 * sizeof(*row));
	if (index >= CONV_COUNT) {
		memcpy(row, dense[index - CONV_COUNT], sizeof(dense[0]));
		snprintf(bench->name, sizeof(bench->name), "dense %u-%u",
			 row[0], row[1]);
		return 0;
	}
	if (index < COUNT(pointwise)) {
		from = pointwise[index];
		memcpy(row,
		       (const uint16_t[]){from[0], from[1], from[2], 1, 1, 1,
					  0},
		       7 * sizeof(*row));
	} else if (index < COUNT(pointwise) + COUNT(depthwise)) {
		from = depthwise[index - COUNT(pointwise)];
		memcpy(row,
		       (const uint16_t[]){from[0], from[1], from[1], from[2],
					  from[3], from[1],
					  (uint16_t)(from[2] / 2)},
		       7 * sizeof(*row));
	} else {
		memcpy(row,
		       windows[index - COUNT(pointwise) - COUNT(depthwise)],
		       sizeof(windows[0]));
	}
	snprintf(bench->name, sizeof(bench->name), "%ux%u/%u %u %u-%u g%u",
		 row[3], row[3], row[4], row[0], row[1], row[2], row[5]);
	return 1;
}

static void place(struct mx_view *view, const struct mx_shape *shape,
		  float *data)
{
	struct mx_tensor tensor;

	memset(&tensor, 0, sizeof(tensor));
	tensor.shape = *shape;
	if (shape->rank == 4) {
		tensor.layout = MX_LAYOUT_CHANNELS_LAST;
		tensor.pitch = shape->dim[1];
	}
	mx_view_init(view, &tensor, data);
}

static int is_chosen(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return 1;
	return argc == 1;
}

/* Bind the layers whose names are chosen; returns how many. */
static size_t begin(struct bench *benches, struct memory *memory, int argc,
		    char **argv)
{
	size_t count = 0, i;

	for (i = 0; i < LAYER_COUNT; i++) {
		struct bench *bench = &benches[count];
		const struct mx_layer *layer = &bench->layer;
		uint16_t row[7];
		const int is_conv = name_layer(bench, i, row);

		if (!is_chosen(bench->name, argc, argv))
			continue;
		if (is_conv)
			bind_conv(bench, row);
		else
			bind_dense(bench, row);
		bench->weights = (unsigned char *)need_random(
			(size_t)layer->weight_bytes / sizeof(float));
		memory->x_elems = mx_size_max(memory->x_elems,
					      mx_shape_elems(layer->in_shape));
		memory->y_elems = mx_size_max(memory->y_elems,
					      mx_shape_elems(layer->out_shape));
		memory->scratch_bytes = mx_size_max(memory->scratch_bytes,
						    layer->scratch_bytes);
		count++;
	}
	memory->x = need_random(memory->x_elems);
	memory->y = need_random(memory->y_elems);
	memory->stream = need_random(STREAM_FLOATS);
	memory->scratch = need(memory->scratch_bytes);
	for (i = 0; i < count; i++) {
		place(&benches[i].in, benches[i].layer.in_shape, memory->x);
		place(&benches[i].out, benches[i].layer.out_shape, memory->y);
	}
	return count;
}

static void end(struct bench *benches, size_t count, struct memory *memory)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(benches[i].weights);
		mx_layer_fini(&benches[i].layer);
	}
	free(memory->x);
	free(memory->y);
	free(memory->stream);
	free(memory->scratch);
}

static void time_layer(struct bench *bench, void *scratch)
{
	const struct mx_layer *layer = &bench->layer;
	const struct mx_op_args args = {
		.layer = layer,
		.in = &bench->in,
		.out = &bench->out,
		.weights = bench->weights,
		.scratch = scratch,
		.simd = mx_simd_best(),
	};
	const size_t parts = layer->block_count * layer->tile_count;
	const double start = now_ns();
	double ns;

	layer->op->run(&args, (struct mx_range){0, parts});
	ns = now_ns() - start;
	if (bench->best_ns == 0 || ns < bench->best_ns)
		bench->best_ns = ns;
}

/* Bytes a nanosecond that this core reads from memory, in order: sums in lanes
 * that any compiler makes vectors of. */
#define READ_LANES 128

static double read_rate(const float *stream)
{
	const double start = now_ns();
	float sum[READ_LANES] = {0};
	volatile float sink;
	size_t i, j;

	for (i = 0; i < STREAM_FLOATS; i += READ_LANES)
		for (j = 0; j < READ_LANES; j++)
			sum[j] += stream[i + j];
	for (j = 1; j < READ_LANES; j++)
		sum[0] += sum[j];
	sink = sum[0];
	(void)sink;
	return (double)STREAM_FLOATS * sizeof(float) / (now_ns() - start);
}

/*
 * Chains of multiply-adds that stay in registers, so many that their latency
 * does not count: operations per nanosecond. They begin with different values
 * or the compiler would make them one.
 */
#define CHAINS 10
#define CHAIN_STEPS ((size_t)1 << 18)

#if defined(__x86_64__)
#define FMA_LOOP(name, isa, type, lanes, set, fma)                             \
	__attribute__((target(isa))) static double name(void)                  \
	{                                                                      \
		const type x = set(0.5f), y = set(1.0f);                       \
		type a = set(0.0f), b = set(0.1f), c = set(0.2f);              \
		type d = set(0.3f), e = set(0.4f), f = set(0.5f);              \
		type g = set(0.6f), h = set(0.7f), i = set(0.8f);              \
		type j = set(0.9f);                                            \
		const double start = now_ns();                                 \
		volatile float sink;                                           \
		double ns;                                                     \
		size_t n;                                                      \
                                                                               \
		for (n = 0; n < CHAIN_STEPS; n++) {                            \
			a = fma(a, x, y), b = fma(b, x, y), c = fma(c, x, y);  \
			d = fma(d, x, y), e = fma(e, x, y), f = fma(f, x, y);  \
			g = fma(g, x, y), h = fma(h, x, y), i = fma(i, x, y);  \
			j = fma(j, x, y);                                      \
		}                                                              \
		ns = now_ns() - start;                                         \
		a += b + c + d + e + f + g + h + i + j;                        \
		sink = a[0];                                                   \
		(void)sink;                                                    \
		return 2.0 * (lanes)*CHAINS * (double)CHAIN_STEPS / ns;        \
	}

FMA_LOOP(fma_rate_512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps)
FMA_LOOP(fma_rate_256, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)

static double fma_rate(const char *isa)
{
	if (!strcmp(isa, "avx512"))
		return fma_rate_512();
	return strcmp(isa, "avx2") ? 0 : fma_rate_256();
}
#else
/* Not known: no share is told. */
static double fma_rate(const char *isa)
{
	(void)isa;
	return 0;
}
#endif

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static const char *way(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;

	if (strcmp(layer->op_name, "Convolution"))
		return "dense";
	switch (conv->way) {
	case MX_CONVOLVE_WINOGRAD:
		return "winograd";
	case MX_CONVOLVE_STRIPS:
		return "strips";
	case MX_CONVOLVE_DEPTH_LINES:
		return "lines";
	default:
		return "direct";
	}
}

/* Bytes that the layer has to touch once. */
static double layer_bytes(const struct mx_layer *layer)
{
	return (double)layer->weight_bytes +
	       (double)sizeof(float) *
		       ((double)mx_shape_elems(layer->in_shape) +
			(double)mx_shape_elems(layer->out_shape));
}

/* Median of @count values, at least 1; they are sorted. */
static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/* Print a line for each layer, and the medians. Returns 1 if they will do. */
static int report(const struct bench *benches, size_t count, double peak,
		  double reads)
{
	double conv[LAYER_COUNT], full[LAYER_COUNT];
	size_t convs = 0, fulls = 0, i;
	int good = 1;

	for (i = 0; i < count; i++) {
		const struct mx_layer *layer = &benches[i].layer;
		const double ns = benches[i].best_ns;
		const double ops = 2.0 * (double)layer->macs;
		const double bytes = layer_bytes(layer);
		const double from_memory = ops * reads / bytes;
		const double roof =
			peak > 0 && peak < from_memory ? peak : from_memory;

		printf("%-28s %9.1f us %6.1f GFLOP/s %5.1f GB/s  %5.2f of the "
		       "roof  %s\n",
		       layer->name, ns * 1e-3, ops / ns, bytes / ns,
		       ops / ns / roof, way(layer));
		if (!strcmp(layer->op_name, "Dense"))
			full[fulls++] = bytes / ns / reads;
		else
			conv[convs++] = ops / ns / roof;
	}
	if (convs && peak > 0) {
		good = median(conv, convs) >= CONV_SHARE_MIN;
		printf("convolutions: median %.2f of the roof (at least "
		       "%.2f)\n",
		       conv[convs / 2], CONV_SHARE_MIN);
	}
	if (fulls) {
		good = median(full, fulls) >= DENSE_SHARE_MIN && good;
		printf("fully connected: median %.2f of the reading rate (at "
		       "least %.2f)\n",
		       full[fulls / 2], DENSE_SHARE_MIN);
	}
	return good;
}

int main(int argc, char **argv)
{
	static struct bench benches[LAYER_COUNT];
	const char *isa = mx_simd_best()->isa;
	struct memory memory = {0};
	double peak = 0, reads = 0;
	size_t count, round, i;
	int good;

	count = begin(benches, &memory, argc, argv);
	for (round = 0; round < ROUNDS; round++) {
		const double rate = fma_rate(isa);
		const double read = read_rate(memory.stream);

		peak = rate > peak ? rate : peak;
		reads = read > reads ? read : reads;
		for (i = 0; i < count; i++)
			time_layer(&benches[i], memory.scratch);
	}
	printf("kernels %s, multiply-add peak %.1f GFLOP/s, reading %.1f "
	       "GB/s\n",
	       isa, peak, reads);
	good = report(benches, count, peak, reads);
	end(benches, count, &memory);
	return !good;
}
