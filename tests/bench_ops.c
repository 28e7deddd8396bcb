/*
 * Convolutions of well-known networks on one thread, layer by layer, against
 * this core's multiply-add peak, which is measured in the same run. A rate
 * counts the definition's multiplications, so that Winograd's may pass the
 * peak. Rounds go over all layers in turn, and the best of each counts.
 *
 * Arguments: parts of names, to choose layers. Fails if the median share of
 * the layers that are computed directly is below SHARE_MIN.
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
#include "lib/view.h"

#define SHARE_MIN 0.8
#define ROUNDS 15
#define ALIGN_BYTES 4096
#define NS_PER_SECOND 1e9

struct item {
	const char *name;
	size_t size; /* of the picture */
	size_t in;
	size_t out;
	int64_t kernel;
	int64_t stride;
	int64_t groups;
};

static const struct item items[] = {
	{"vgg conv1_2", 224, 64, 64, 3, 1, 1},
	{"vgg conv2_1", 112, 64, 128, 3, 1, 1},
	{"vgg conv2_2", 112, 128, 128, 3, 1, 1},
	{"vgg conv3_1", 56, 128, 256, 3, 1, 1},
	{"vgg conv3_2", 56, 256, 256, 3, 1, 1},
	{"vgg conv4_1", 28, 256, 512, 3, 1, 1},
	{"vgg conv4_2", 28, 512, 512, 3, 1, 1},
	{"vgg conv5_1", 14, 512, 512, 3, 1, 1},
	{"resnet 3x3 56", 56, 64, 64, 3, 1, 1},
	{"resnet 3x3 28", 28, 128, 128, 3, 1, 1},
	{"resnet 3x3 14", 14, 256, 256, 3, 1, 1},
	{"resnet 3x3 7", 7, 512, 512, 3, 1, 1},
	{"alexnet conv3", 13, 256, 384, 3, 1, 1},
	{"alexnet conv4", 13, 384, 384, 3, 1, 2},
	{"squeezenet fire2 3x3", 55, 16, 64, 3, 1, 1},
	{"squeezenet fire4 3x3", 27, 32, 128, 3, 1, 1},
	{"squeezenet fire8 3x3", 13, 64, 256, 3, 1, 1},
	{"googlenet 3a 3x3", 28, 96, 128, 3, 1, 1},
	{"googlenet 4e 3x3", 14, 160, 320, 3, 1, 1},
	{"densenet 56", 56, 128, 32, 3, 1, 1},
	{"densenet 14", 14, 128, 32, 3, 1, 1},
	{"densenet 7", 7, 128, 32, 3, 1, 1},
	{"resnet 1x1 56 64-256", 56, 64, 256, 1, 1, 1},
	{"resnet 1x1 56 256-64", 56, 256, 64, 1, 1, 1},
	{"resnet 1x1 28 512-128", 28, 512, 128, 1, 1, 1},
	{"resnet 1x1 14 1024-256", 14, 1024, 256, 1, 1, 1},
	{"resnet 1x1 14 256-1024", 14, 256, 1024, 1, 1, 1},
	{"resnet 1x1 7 2048-512", 7, 2048, 512, 1, 1, 1},
	{"resnet 1x1/2 56", 56, 256, 512, 1, 2, 1},
	{"resnet 3x3/2 28", 28, 256, 256, 3, 2, 1},
	{"mobilenet 1x1 112 16-96", 112, 16, 96, 1, 1, 1},
	{"mobilenet 1x1 112 32-16", 112, 32, 16, 1, 1, 1},
	{"mobilenet 1x1 56 144-24", 56, 144, 24, 1, 1, 1},
	{"mobilenet 1x1 56 24-144", 56, 24, 144, 1, 1, 1},
	{"mobilenet 1x1 28 192-32", 28, 192, 32, 1, 1, 1},
	{"mobilenet 1x1 14 96-576", 14, 96, 576, 1, 1, 1},
	{"mobilenet 1x1 7 960-160", 7, 960, 160, 1, 1, 1},
	{"squeezenet 1x1 55 16-64", 55, 16, 64, 1, 1, 1},
	{"squeezenet 1x1 55 128-16", 55, 128, 16, 1, 1, 1},
	{"squeezenet 1x1 13 512-1000", 13, 512, 1000, 1, 1, 1},
	{"alexnet conv2 5x5", 27, 96, 256, 5, 1, 2},
	{"googlenet 3b 5x5", 28, 32, 96, 5, 1, 1},
	{"googlenet 4a 5x5", 14, 16, 48, 5, 1, 1},
};
#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

struct bench {
	const struct item *item;
	struct mx_layer layer;
	struct mx_view in;
	struct mx_view out;
	float *x;
	float *y;
	void *scratch;
	unsigned char *weights;
	double best_ns;
};

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

static void bind_layer(struct bench *bench)
{
	const struct item *item = bench->item;
	const size_t dims[] = {1, item->in, item->size, item->size};
	const struct mx_shape shape = mx_shape_of(4, dims);
	const int64_t pad = item->kernel / 2;
	struct mx_layer *layer = &bench->layer;
	struct mx_err err;

	layer->name = strdup(item->name);
	layer->op_name = strdup("Convolution");
	layer->in_count = 1;
	layer->out_count = 1;
	set_ints(layer, "kernel", item->kernel, item->kernel);
	set_ints(layer, "stride", item->stride, item->stride);
	if (pad) {
		set_ints(layer, "pad_begin", pad, pad);
		set_ints(layer, "pad_end", pad, pad);
	}
	set_ints(layer, "groups", item->groups, 0);
	set_ints(layer, "out_channels", (int64_t)item->out, 0);
	set_ints(layer, MX_ATTR_ACTIVATION, MX_ACTIVATION_RELU, 0);
	if (mx_layer_bind(layer, &shape, &err)) {
		fprintf(stderr, "bench_ops: %s\n", err.text);
		exit(1);
	}
}

static void place(struct mx_view *view, const struct mx_shape *shape,
		  float *data)
{
	struct mx_tensor tensor;

	memset(&tensor, 0, sizeof(tensor));
	tensor.shape = *shape;
	tensor.layout = MX_LAYOUT_CHANNELS_LAST;
	tensor.pitch = shape->dim[1];
	mx_view_init(view, &tensor, data);
}

static void begin(struct bench *bench)
{
	const struct mx_layer *layer = &bench->layer;

	bind_layer(bench);
	bench->x = need_random(mx_shape_elems(layer->in_shape));
	bench->y = need_random(mx_shape_elems(layer->out_shape));
	bench->weights = (unsigned char *)need_random(
		(size_t)layer->weight_bytes / sizeof(float));
	bench->scratch = need(layer->scratch_bytes);
	place(&bench->in, layer->in_shape, bench->x);
	place(&bench->out, layer->out_shape, bench->y);
}

static void end(struct bench *bench)
{
	free(bench->x);
	free(bench->y);
	free(bench->weights);
	free(bench->scratch);
	mx_layer_fini(&bench->layer);
}

static void time_layer(struct bench *bench)
{
	const struct mx_layer *layer = &bench->layer;
	const struct mx_op_args args = {
		.layer = layer,
		.in = &bench->in,
		.out = &bench->out,
		.weights = bench->weights,
		.scratch = bench->scratch,
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

/*
 * Chains of multiply-adds that stay in registers, so many that their latency
 * does not count: operations per nanosecond. They begin with different values
 * or the compiler would make them one.
 */
#define CHAINS 10
#define CHAIN_STEPS ((size_t)1 << 20)

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

static int is_chosen(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return 1;
	return argc == 1;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Print a line for each layer. Returns the median share of the direct ones, 1
 * if there are none or no peak is known. */
static double report(const struct bench *benches, size_t count, double peak)
{
	double shares[ITEM_COUNT];
	size_t direct = 0, i;

	for (i = 0; i < count; i++) {
		const struct mx_layer *layer = &benches[i].layer;
		const struct mx_convolve *conv = layer->params;
		const double rate =
			2.0 * (double)layer->macs / benches[i].best_ns;
		const int is_direct = conv->way != MX_CONVOLVE_WINOGRAD;

		printf("%-28s %9.1f us %6.1f GFLOP/s  %5.2f of the peak  "
		       "%-8s (%zu blocks x %zu tiles, scratch %zu KiB)\n",
		       layer->name, benches[i].best_ns * 1e-3, rate,
		       peak > 0 ? rate / peak : 0,
		       conv->way == MX_CONVOLVE_WINOGRAD ? "winograd"
		       : conv->way == MX_CONVOLVE_STRIPS ? "strips"
							 : "direct",
		       layer->block_count, layer->tile_count,
		       layer->scratch_bytes / 1024);
		if (is_direct && peak > 0)
			shares[direct++] = rate / peak;
	}
	if (direct == 0)
		return 1;
	qsort(shares, direct, sizeof(*shares), by_value);
	return shares[direct / 2];
}

int main(int argc, char **argv)
{
	static struct bench benches[ITEM_COUNT];
	const char *isa = mx_simd_best()->isa;
	double peak = 0, share;
	size_t count = 0, round, i;

	for (i = 0; i < ITEM_COUNT; i++)
		if (is_chosen(items[i].name, argc, argv)) {
			benches[count].item = &items[i];
			begin(&benches[count++]);
		}
	for (round = 0; round < ROUNDS; round++) {
		const double rate = fma_rate(isa);

		peak = rate > peak ? rate : peak;
		for (i = 0; i < count; i++)
			time_layer(&benches[i]);
	}
	printf("kernels %s, multiply-add peak %.1f GFLOP/s\n", isa, peak);
	share = report(benches, count, peak);
	printf("median share of the direct layers %.2f (at least %.2f)\n",
	       share, SHARE_MIN);
	for (i = 0; i < count; i++)
		end(&benches[i]);
	return share < SHARE_MIN;
}
