/*
 * VGG-19's convolutions and fully connected layers on one thread, against the
 * matrix products they come down to, measured alone with the same OpenBLAS:
 * pixels x channels x window in one sgemm, and sgemv. Layers and products
 * alternate, medians count. Fails if all layers together take more than
 * RATIO_MAX times their products.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/attr.h"
#include "lib/blas.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/simd.h"
#include "lib/view.h"

#define RATIO_MAX 1.3
#define ROUNDS 7
#define ALIGN_BYTES 4096

struct item {
	const char *name;
	size_t size; /* of the picture; 0: fully connected */
	size_t in;
	size_t out;
	unsigned times; /* as often it is in the network */
};

static const struct item items[] = {
	{"conv1_1", 224, 3, 64, 1},   {"conv1_2", 224, 64, 64, 1},
	{"conv2_1", 112, 64, 128, 1}, {"conv2_2", 112, 128, 128, 1},
	{"conv3_1", 56, 128, 256, 1}, {"conv3_2", 56, 256, 256, 3},
	{"conv4_1", 28, 256, 512, 1}, {"conv4_2", 28, 512, 512, 3},
	{"conv5_1", 14, 512, 512, 4}, {"fc6", 0, 25088, 4096, 1},
	{"fc7", 0, 4096, 4096, 1},    {"fc8", 0, 4096, 1000, 1},
};

struct bench {
	const struct item *item;
	const struct mx_blas *blas;
	struct mx_layer layer;
	struct mx_view in;
	struct mx_view out;
	float *x;
	float *y;
	float *columns;
	float *product;
	void *scratch;
	unsigned char *weights;
	size_t m, n, k;
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

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
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
	const struct mx_shape shape = mx_shape_of(item->size ? 4 : 2, dims);
	struct mx_layer *layer = &bench->layer;
	struct mx_err err;

	layer->name = strdup(item->name);
	layer->op_name = strdup(item->size ? "Convolution" : "Dense");
	layer->in_count = 1;
	layer->out_count = 1;
	if (item->size) {
		set_ints(layer, "kernel", 3, 3);
		set_ints(layer, "pad_begin", 1, 1);
		set_ints(layer, "pad_end", 1, 1);
		set_ints(layer, "out_channels", (int64_t)item->out, 0);
	} else {
		set_ints(layer, "out_features", (int64_t)item->out, 0);
	}
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
	tensor.layout = MX_LAYOUT_ROW_MAJOR;
	if (shape->rank == 4) {
		tensor.layout = MX_LAYOUT_CHANNELS_LAST;
		tensor.pitch = shape->dim[1];
	}
	mx_view_init(view, &tensor, data);
}

static void begin(struct bench *bench)
{
	const struct item *item = bench->item;
	const struct mx_layer *layer = &bench->layer;

	bind_layer(bench);
	bench->m = item->size ? item->size * item->size : 1;
	bench->n = item->out;
	bench->k = layer->weights.row_elems;
	bench->x = need_random(mx_shape_elems(layer->in_shape));
	bench->y = need_random(bench->m * bench->n);
	bench->product = need_random(bench->m * bench->n);
	bench->columns = need_random(bench->m * bench->k);
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
	free(bench->product);
	free(bench->columns);
	free(bench->weights);
	free(bench->scratch);
	mx_layer_fini(&bench->layer);
}

static double time_layer(const struct bench *bench)
{
	const struct mx_layer *layer = &bench->layer;
	const struct mx_op_args args = {
		.layer = layer,
		.in = &bench->in,
		.out = &bench->out,
		.weights = bench->weights,
		.scratch = bench->scratch,
		.blas = bench->blas,
		.simd = mx_simd_best(),
	};
	const double start = now_ms();

	layer->op->run(&args, (struct mx_range){0, layer->block_count *
							   layer->tile_count});
	return now_ms() - start;
}

static double time_product(const struct bench *bench)
{
	const float *weights = (const void *)bench->weights;
	const double start = now_ms();

	if (bench->m == 1)
		bench->blas->gemv(bench->n, bench->k, weights, bench->k,
				  bench->x, 0, bench->product);
	else
		bench->blas->gemm_nt(bench->m, bench->n, bench->k,
				     bench->columns, bench->k, weights,
				     bench->k, 0, bench->product, bench->n);
	return now_ms() - start;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

/* Measure one item and add it to the totals, as often as it occurs. */
static void measure(const struct item *item, const struct mx_blas *blas,
		    double *layer_total, double *product_total)
{
	double layer[ROUNDS], product[ROUNDS];
	struct bench bench;
	double ours, theirs, flops;
	int i;

	memset(&bench, 0, sizeof(bench));
	bench.item = item;
	bench.blas = blas;
	begin(&bench);
	(void)time_layer(&bench);
	(void)time_product(&bench);
	for (i = 0; i < ROUNDS; i++) {
		layer[i] = time_layer(&bench);
		product[i] = time_product(&bench);
	}
	ours = median(layer);
	theirs = median(product);
	flops = 2.0 * (double)bench.m * (double)bench.n * (double)bench.k;
	printf("%-8s x%u  %8.2f ms  %6.1f GFLOP/s  product %8.2f ms  ratio "
	       "%.2f  (%zu parts, scratch %zu KiB)\n",
	       item->name, item->times, ours, flops / ours * 1e-6, theirs,
	       ours / theirs, bench.layer.block_count * bench.layer.tile_count,
	       bench.layer.scratch_bytes / 1024);
	*layer_total += ours * item->times;
	*product_total += theirs * item->times;
	end(&bench);
}

int main(void)
{
	const struct mx_blas *blas;
	double ours = 0, theirs = 0;
	struct mx_err err;
	size_t i;

	if (mx_blas_open(&blas, &err)) {
		fprintf(stderr, "bench_ops: %s\n", err.text);
		return 1;
	}
	printf("OpenBLAS kernels %s (chosen by %s), own kernels %s\n",
	       blas->core, blas->choice, mx_simd_best()->isa);
	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		measure(&items[i], blas, &ours, &theirs);
	printf("VGG-19: %.1f ms, its products %.1f ms, ratio %.3f (at most "
	       "%.1f)\n",
	       ours, theirs, ours / theirs, RATIO_MAX);
	return ours > RATIO_MAX * theirs;
}
