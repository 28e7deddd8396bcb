#include "sched/calibrate.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/simd.h"
#include "lib/size.h"
#include "sched/clock.h"
#include "sched/cost.h"

/* The best of so many: what disturbs only ever makes it slower. */
#define TRIES 7
#define NS_PER_S 1e9
/* Measured with idle workers that spin: taking a layer's chunks and noticing
 * its end, 1 to 3 us on x86. */
#define LAYER_NS 2000

/* A middling convolution: 14 x 14 pixels, 3 x 3, 128 to 64 channels. Input,
 * output, weights and scratch are less than 600 KiB. */
#define SIDE 14
#define CHANNELS_IN 128
#define CHANNELS_OUT 64

/* All threads' together: larger than a first-level cache's, since its lines
 * were dropped, and small enough for any budget. */
#define STREAM_BYTES ((size_t)512 << 10)
#define LINE_BYTES 64
#define LINE_WORDS (LINE_BYTES / sizeof(uint64_t))
#define THREADS_MAX 64

enum go { GO = 1, GIVE_UP };

/* Push the cache line at @p out to memory, in every cache. Where there is no
 * way to say so, what is measured is a cache. */
static void drop_line(const void *p)
{
#if defined(__x86_64__)
	__builtin_ia32_clflush(p);
#elif defined(__aarch64__)
	__asm__ volatile("dc civac, %0" : : "r"(p) : "memory");
#else
	(void)p;
#endif
}

static void drop_fence(void)
{
#if defined(__x86_64__)
	__builtin_ia32_mfence();
#elif defined(__aarch64__)
	__asm__ volatile("dsb ish" : : : "memory");
#endif
}

struct stream {
	const uint64_t *words; /* STREAM_BYTES */
	uint32_t threads;
	/* Release by the threads, acquire by the caller, who waits for all. */
	atomic_uint ready;
	/* Release by the caller, acquire by the threads: 1 go, 2 give up. */
	atomic_int go;
};

struct part {
	struct stream *stream;
	pthread_t thread;
	const uint64_t *words;
	size_t count;
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t sum; /* kept, so that reading is not optimised away */
};

static uint64_t sum_words(const uint64_t *words, size_t count)
{
	uint64_t sum[LINE_WORDS] = {0};
	uint64_t all = 0;
	size_t i, k;

	for (i = 0; i < count; i += LINE_WORDS)
		for (k = 0; k < LINE_WORDS; k++)
			sum[k] += words[i + k];
	for (k = 0; k < LINE_WORDS; k++)
		all += sum[k];
	return all;
}

static void *read_part(void *user)
{
	struct part *part = user;
	struct stream *stream = part->stream;
	size_t i;
	int go;

	for (i = 0; i < part->count; i += LINE_WORDS)
		drop_line(part->words + i);
	drop_fence();
	atomic_fetch_add_explicit(&stream->ready, 1, memory_order_release);
	while (!(go = atomic_load_explicit(&stream->go, memory_order_acquire)))
		sched_yield();
	if (go != GO)
		return NULL;
	part->begin_ns = mx_clock_ns();
	part->sum = sum_words(part->words, part->count);
	part->end_ns = mx_clock_ns();
	return NULL;
}

/* Nanoseconds from the first one's begin to the last one's end. */
static uint64_t took_ns(const struct part *parts, uint32_t count)
{
	uint64_t begin = parts[0].begin_ns;
	uint64_t end = parts[0].end_ns;
	uint32_t i;

	for (i = 1; i < count; i++) {
		begin = parts[i].begin_ns < begin ? parts[i].begin_ns : begin;
		end = parts[i].end_ns > end ? parts[i].end_ns : end;
	}
	return end > begin ? end - begin : 1;
}

/* All threads read their parts once. Returns 0 or an errno. */
static int read_once(struct stream *stream, struct part *parts)
{
	const size_t words = STREAM_BYTES / sizeof(uint64_t);
	const size_t each = words / stream->threads / LINE_WORDS * LINE_WORDS;
	uint32_t started;
	uint32_t i;
	int rc = 0;

	atomic_init(&stream->ready, 0);
	atomic_init(&stream->go, 0);
	for (started = 0; started < stream->threads; started++) {
		parts[started] = (struct part){
			.stream = stream,
			.words = stream->words + started * each,
			.count = each,
		};
		rc = pthread_create(&parts[started].thread, NULL, read_part,
				    &parts[started]);
		if (rc)
			break;
	}
	while (atomic_load_explicit(&stream->ready, memory_order_acquire) <
	       started)
		sched_yield();
	atomic_store_explicit(&stream->go, rc ? GIVE_UP : GO,
			      memory_order_release);
	for (i = 0; i < started; i++)
		pthread_join(parts[i].thread, NULL);
	return rc;
}

static uint64_t rate(double amount, uint64_t ns)
{
	const double per_s = amount * NS_PER_S / (double)(ns ? ns : 1);

	return per_s < 1 ? 1 : (uint64_t)per_s;
}

static int calibrate_memory(void *memory, struct mx_rates *rates,
			    struct mx_err *err)
{
	struct stream stream = {
		.words = memory,
		.threads = rates->threads < THREADS_MAX ? rates->threads
							: THREADS_MAX,
	};
	struct part *parts;
	uint64_t best = UINT64_MAX;
	int rc = 0;
	int i;

	parts = calloc(stream.threads, sizeof(*parts));
	if (!parts)
		return mx_fail(err, ENOMEM, "no memory to calibrate");
	memset(memory, 1, STREAM_BYTES);
	for (i = 0; i < TRIES && !rc; i++) {
		rc = read_once(&stream, parts);
		if (!rc && took_ns(parts, stream.threads) < best)
			best = took_ns(parts, stream.threads);
	}
	free(parts);
	if (rc)
		return mx_fail(err, rc, "cannot start threads to calibrate: %s",
			       strerror(rc));
	rates->memory_bytes_per_s = rate((double)STREAM_BYTES, best);
	return 0;
}

static int make_convolution(struct mx_layer *layer, struct mx_err *err)
{
	static const int64_t kernel[2] = {3, 3};
	static const int64_t pad[2] = {1, 1};
	static const int64_t stride[2] = {1, 1};
	const struct mx_shape in = {4, {1, CHANNELS_IN, SIDE, SIDE}};
	struct mx_attrs *attrs = &layer->attrs;

	layer->name = strdup("calibration");
	layer->op_name = strdup("Convolution");
	layer->in_count = 1;
	layer->out_count = 1;
	if (!layer->name || !layer->op_name ||
	    mx_attrs_set_ints(attrs, "kernel", kernel, 2) ||
	    mx_attrs_set_ints(attrs, "pad_begin", pad, 2) ||
	    mx_attrs_set_ints(attrs, "pad_end", pad, 2) ||
	    mx_attrs_set_ints(attrs, "stride", stride, 2) ||
	    mx_attrs_set_int(attrs, "out_channels", CHANNELS_OUT))
		return mx_fail(err, ENOMEM, "no memory to calibrate");
	return mx_layer_bind(layer, &in, err);
}

static struct mx_view view_of(float *data, const struct mx_shape *shape)
{
	const struct mx_tensor tensor = {
		.shape = *shape,
		.layout = MX_LAYOUT_CHANNELS_LAST,
		.pitch = shape->dim[1],
	};
	struct mx_view view;

	mx_view_init(&view, &tensor, data);
	return view;
}

/* @memory is zeroed: input, output, weights, scratch one after the other. */
static void calibrate_arithmetic(const struct mx_layer *layer,
				 unsigned char *memory, struct mx_rates *rates)
{
	const size_t in_bytes = mx_shape_elems(layer->in_shape) * sizeof(float);
	const size_t out_bytes =
		mx_shape_elems(layer->out_shape) * sizeof(float);
	const struct mx_view in =
		view_of((float *)(void *)memory, layer->in_shape);
	const struct mx_view out =
		view_of((float *)(void *)(memory + in_bytes), layer->out_shape);
	const struct mx_op_args args = {
		.layer = layer,
		.in = &in,
		.out = &out,
		.weights = memory + in_bytes + out_bytes,
		.scratch = memory + in_bytes + out_bytes + layer->weight_bytes,
		/* Work is counted in what is computed directly. */
		.simd = mx_simd_best()->exact,
	};
	const struct mx_range all = {0, mx_layer_part_count(layer)};
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < TRIES; i++) {
		const uint64_t begin = mx_clock_ns();
		uint64_t ns;

		layer->op->run(&args, all);
		ns = mx_clock_ns() - begin;
		best = ns < best ? ns : best;
	}
	rates->macs_per_s =
		rate((double)layer->macs * (double)rates->threads, best);
}

int mx_calibrate(uint32_t threads, struct mx_rates *rates, struct mx_err *err)
{
	struct mx_layer layer = {0};
	void *memory = MAP_FAILED;
	size_t bytes = 0;
	int rc;

	assert(threads > 0);
	memset(rates, 0, sizeof(*rates));
	rates->threads = threads;
	rates->layer_ns = LAYER_NS;
	rc = make_convolution(&layer, err);
	if (rc)
		goto done;
	bytes = (mx_shape_elems(layer.in_shape) +
		 mx_shape_elems(layer.out_shape)) *
			sizeof(float) +
		layer.weight_bytes + layer.scratch_bytes;
	bytes = mx_size_max(bytes, STREAM_BYTES);
	assert(bytes <= MX_CALIBRATE_BYTES_MAX);
	/* Not from the heap, which would keep it. */
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		rc = mx_fail_errno(err, "no memory to calibrate");
		goto done;
	}
	calibrate_arithmetic(&layer, memory, rates);
	rc = calibrate_memory(memory, rates, err);

done:
	if (memory != MAP_FAILED)
		munmap(memory, bytes);
	mx_layer_fini(&layer);
	return rc;
}
