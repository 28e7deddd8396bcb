/*
 * One operator, run alone: what every operator's test stands on.
 *
 *	struct op_run run;
 *
 *	op_begin(&run, "Pooling");
 *	OP_INTS(&run, "kernel", 3, 3);
 *	OP_FLOATS(&run, "alpha", 0.5f);
 *	OP_INPUT(&run, values, 1, 5, 7, 7);     (values are row-major)
 *	op_input_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 3);
 *	op_bind(&run);                          (run.layer is bound now)
 *	op_weights(&run, matrix, vectors);      (before or between runs)
 *	op_output_layout(&run, 0, MX_LAYOUT_CHANNELS_LAST, 0);
 *	op_expect(&run, 0, expected, 1e-5);
 *	op_end(&run);
 *
 * op_expect() runs the operator on every instruction set of this CPU, with
 * its parts all at once, one by one and in reverse, demands the same bits from
 * these orders and compares them with doubles. op_compute() runs it once.
 *
 * Around a run everything the operator must not touch is checked: gaps
 * between pixels, inputs, memory before and after tensors. Part by part it is
 * handed one weight block at a time, in memory of exactly that size, so that
 * AddressSanitizer sees what reads outside of it; scratch likewise.
 *
 * A wrong call fails the test. All functions are static: this header is the
 * whole helper.
 */
#ifndef MX_TESTS_OP_FIXTURE_H
#define MX_TESTS_OP_FIXTURE_H

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/attr.h"
#include "lib/blas.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/shape.h"
#include "lib/simd.h"
#include "lib/view.h"

#define OP_TENSORS_MAX 16
#define OP_OWNED_MAX 64
#define OP_ALIGN_BYTES 64
#define OP_UNUSED __attribute__((unused))
/* What memory holds that nobody may write: a NaN that computes to others. */
#define OP_CANARY_BITS 0x7fa5a5a5u

enum op_order { OP_ALL_AT_ONCE, OP_ONE_BY_ONE, OP_REVERSE, OP_ORDER_COUNT };

struct op_memory {
	struct mx_tensor tensor;
	float *values; /* row-major, elems */
	float *base; /* while it runs */
	size_t base_elems;
	struct mx_view view;
	size_t gap; /* elements between the pixels, channels-last */
};

struct op_run {
	struct mx_layer layer;
	struct op_memory in[OP_TENSORS_MAX];
	struct op_memory out[OP_TENSORS_MAX];
	int in_place; /* the input whose memory output 0 has, or -1 */
	unsigned char *weights; /* all blocks */
	const struct mx_blas *blas;
	void *owned[OP_OWNED_MAX];
	size_t owned_count;
	int is_bound;
};

static OP_UNUSED void *op_own(struct op_run *run, void *memory)
{
	assert_non_null(memory);
	assert_true(run->owned_count < OP_OWNED_MAX);
	run->owned[run->owned_count++] = memory;
	return memory;
}

static OP_UNUSED void *op_alloc(size_t bytes)
{
	void *memory = NULL;

	assert_int_equal(posix_memalign(&memory, OP_ALIGN_BYTES, bytes), 0);
	return memory;
}

/* @count floats in [lo, hi), the same for the same @seed, until op_end(). */
static OP_UNUSED float *op_random(struct op_run *run, size_t count,
				  uint32_t seed, float lo, float hi)
{
	float *values =
		op_own(run, malloc(count * sizeof(float) + sizeof(float)));
	uint32_t state = seed * 2654435761u + 12345u;
	size_t i;

	for (i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		values[i] = lo + (hi - lo) * (float)(state >> 8) / 16777216.0f;
	}
	return values;
}

/* @count zeroed doubles until op_end(): room for a reference. */
static OP_UNUSED double *op_doubles(struct op_run *run, size_t count)
{
	return op_own(run, calloc(count + 1, sizeof(double)));
}

static OP_UNUSED void op_begin(struct op_run *run, const char *op_name)
{
	memset(run, 0, sizeof(*run));
	run->in_place = -1;
	run->layer.name = strdup("layer");
	run->layer.op_name = strdup(op_name);
	run->layer.out_count = 1;
	assert_non_null(run->layer.name);
	assert_non_null(run->layer.op_name);
}

#define OP_INTS(run, name, ...)                                                \
	assert_int_equal(                                                      \
		mx_attrs_set_ints(&(run)->layer.attrs, name,                   \
				  (const int64_t[]){__VA_ARGS__},              \
				  sizeof((const int64_t[]){__VA_ARGS__}) /     \
					  sizeof(int64_t)),                    \
		0)

#define OP_FLOATS(run, name, ...)                                              \
	assert_int_equal(                                                      \
		mx_attrs_set_floats(&(run)->layer.attrs, name,                 \
				    (const float[]){__VA_ARGS__},              \
				    sizeof((const float[]){__VA_ARGS__}) /     \
					    sizeof(float)),                    \
		0)

/* Add an input; @values (row-major) are copied. */
static OP_UNUSED void op_input(struct op_run *run, const float *values,
			       uint32_t rank, const size_t *dim)
{
	struct op_memory *in = &run->in[run->layer.in_count];
	size_t elems;

	assert_true(run->layer.in_count < OP_TENSORS_MAX);
	run->layer.in_count++;
	in->tensor.shape = mx_shape_of(rank, dim);
	elems = mx_shape_elems(&in->tensor.shape);
	in->values = malloc(elems * sizeof(float) + 1);
	assert_non_null(in->values);
	if (elems)
		memcpy(in->values, values, elems * sizeof(float));
}

/* OP_INPUT(&run, values, 2, 3, 4): an input of shape 2x3x4. */
#define OP_INPUT(run, values, ...)                                             \
	op_input(run, values,                                                  \
		 (uint32_t)(sizeof((const size_t[]){__VA_ARGS__}) /            \
			    sizeof(size_t)),                                   \
		 (const size_t[]){__VA_ARGS__})

static OP_UNUSED void op_set_layout(struct op_memory *memory,
				    enum mx_layout layout, size_t gap)
{
	memory->tensor.layout = layout;
	memory->gap = layout == MX_LAYOUT_CHANNELS_LAST ? gap : 0;
	memory->tensor.pitch =
		layout == MX_LAYOUT_CHANNELS_LAST
			? memory->tensor.shape.dim[1] + memory->gap
			: 0;
}

/*
 * Input @index lies in @layout, with @gap elements that are not its own
 * between pixels (channels-last; half of them before the first). Row-major
 * unless said.
 */
static OP_UNUSED void op_input_layout(struct op_run *run, size_t index,
				      enum mx_layout layout, size_t gap)
{
	op_set_layout(&run->in[index], layout, gap);
}

/* Likewise an output, after op_bind(). */
static OP_UNUSED void op_output_layout(struct op_run *run, size_t index,
				       enum mx_layout layout, size_t gap)
{
	assert_true(run->is_bound);
	op_set_layout(&run->out[index], layout, gap);
}

/* Output 0 is to be computed in the memory of input @index. */
static OP_UNUSED void op_in_place(struct op_run *run, int index)
{
	run->in_place = index;
}

static OP_UNUSED int op_try_bind(struct op_run *run, struct mx_err *err)
{
	struct mx_shape shapes[OP_TENSORS_MAX];
	uint32_t i;

	for (i = 0; i < run->layer.in_count; i++)
		shapes[i] = run->in[i].tensor.shape;
	return mx_layer_bind(&run->layer, shapes, err);
}

/* Binding must succeed. For several outputs set run.layer.out_count first. */
static OP_UNUSED void op_bind(struct op_run *run)
{
	struct mx_err err = {""};
	uint32_t i;
	int rc;

	assert_true(run->layer.out_count <= OP_TENSORS_MAX);
	rc = op_try_bind(run, &err);
	if (rc)
		fail_msg("bind: %d, %s", rc, err.text);
	for (i = 0; i < run->layer.out_count; i++) {
		struct op_memory *out = &run->out[i];

		free(out->values);
		memset(out, 0, sizeof(*out));
		out->tensor.shape = run->layer.out_shape[i];
		out->values = malloc(
			mx_shape_elems(&out->tensor.shape) * sizeof(float) + 1);
		assert_non_null(out->values);
	}
	run->is_bound = 1;
}

/* Binding must fail with -EBADMSG and say something with @text in it. */
static OP_UNUSED void op_bind_fails(struct op_run *run, const char *text)
{
	struct mx_err err = {""};

	assert_int_equal(op_try_bind(run, &err), -EBADMSG);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" lacks \"%s\"", err.text, text);
}

/* One block as lib/network.h describes it, into @block. */
static OP_UNUSED void op_pack_block(const struct mx_weight_spec *spec,
				    uint64_t index, const float *matrix,
				    const float *const *vectors, float *block)
{
	const size_t rows = (size_t)mx_weight_block_rows(spec, index);
	const size_t first = (size_t)index * spec->block_rows;
	const size_t elems = (size_t)spec->row_elems;
	size_t panel, row, k, v;

	for (panel = 0; panel < rows && elems; panel += spec->panel_rows) {
		const size_t left = rows - panel;
		const size_t width =
			left < spec->panel_rows ? left : spec->panel_rows;

		for (k = 0; k < elems; k++)
			for (row = 0; row < width; row++)
				block[panel * elems + k * width + row] =
					matrix[(first + panel + row) * elems +
					       k];
	}
	for (v = 0; v < spec->vectors; v++)
		memcpy(block + rows * elems + v * rows, vectors[v] + first,
		       rows * sizeof(float));
}

/*
 * Pack the weights as the bound layer wants them: @matrix is [rows][row_elems]
 * (may be NULL if row_elems is 0), @vectors has layer.weights.vectors arrays
 * of `rows` values (may be NULL if there are none).
 */
static OP_UNUSED void op_weights(struct op_run *run, const float *matrix,
				 const float *const *vectors)
{
	const struct mx_weight_spec *spec = &run->layer.weights;
	const size_t bytes = (size_t)mx_weight_total_bytes(spec);
	const size_t step = (size_t)mx_weight_block_bytes(spec, 0);
	uint64_t i;

	assert_true(run->is_bound);
	free(run->weights);
	run->weights = op_alloc(bytes + 1);
	memset(run->weights, 0, bytes);
	for (i = 0; i < mx_weight_block_count(spec); i++)
		op_pack_block(
			spec, i, matrix, vectors,
			(float *)(void *)(run->weights + (size_t)i * step));
}

static OP_UNUSED void op_fill_canary(float *memory, size_t elems)
{
	const uint32_t canary = OP_CANARY_BITS;
	size_t i;

	for (i = 0; i < elems; i++)
		memcpy(&memory[i], &canary, sizeof(canary));
}

/* Memory for a tensor, all canaries, and the view into it. */
static OP_UNUSED void op_place(struct op_memory *memory)
{
	const struct mx_shape *shape = &memory->tensor.shape;
	const size_t elems = mx_shape_elems(shape);

	memory->base_elems = elems;
	if (memory->tensor.layout == MX_LAYOUT_CHANNELS_LAST && elems)
		memory->base_elems =
			elems / shape->dim[1] * memory->tensor.pitch;
	memory->base = op_alloc(memory->base_elems * sizeof(float) + 1);
	op_fill_canary(memory->base, memory->base_elems);
	mx_view_init(&memory->view, &memory->tensor,
		     memory->base + memory->gap / 2);
}

/* The gaps hold canaries still, and the elements @values (if not NULL). */
static OP_UNUSED void op_check_memory(struct op_memory *memory,
				      const float *values)
{
	const size_t elems = mx_shape_elems(&memory->tensor.shape);
	struct op_memory want = {.tensor = memory->tensor, .gap = memory->gap};
	float *kept = malloc(elems * sizeof(float) + 1);

	assert_non_null(kept);
	mx_view_store(&memory->view, kept);
	op_place(&want);
	mx_view_load(&want.view, values ? values : kept);
	if (memcmp(want.base, memory->base, want.base_elems * sizeof(float)))
		fail_msg("%s", values ? "an input was written to"
				      : "written outside of the output");
	free(want.base);
	free(kept);
}

/* Some parts, with their weight blocks alone in memory of that size. */
static OP_UNUSED void op_run_part(const struct op_run *run,
				  struct mx_op_args *args, size_t part)
{
	const struct mx_layer *layer = &run->layer;
	const struct mx_range range = {part, part + 1};
	const size_t block = part / layer->tile_count;
	unsigned char *alone = NULL;
	size_t step, bytes;

	if (run->weights) {
		step = (size_t)mx_weight_block_bytes(&layer->weights, 0);
		bytes = (size_t)mx_weight_block_bytes(&layer->weights, block);
		alone = op_alloc(bytes);
		memcpy(alone, run->weights + block * step, bytes);
	}
	args->weights = alone;
	args->first_block = alone ? block : 0;
	layer->op->run(args, range);
	free(alone);
}

static OP_UNUSED void op_run_parts(const struct op_run *run,
				   struct mx_op_args *args, enum op_order order)
{
	const struct mx_layer *layer = &run->layer;
	const size_t count = layer->block_count * layer->tile_count;
	size_t i;

	if (order == OP_ALL_AT_ONCE) {
		args->weights = run->weights;
		layer->op->run(args, (struct mx_range){0, count});
		return;
	}
	for (i = 0; i < count; i++)
		op_run_part(run, args, order == OP_REVERSE ? count - 1 - i : i);
}

/* Run once; the outputs are in run->out[i].values afterwards. */
static OP_UNUSED void op_compute(struct op_run *run, enum op_order order,
				 const struct mx_simd *simd)
{
	const uint32_t in_count = run->layer.in_count;
	const uint32_t out_count = run->layer.out_count;
	struct mx_view in[OP_TENSORS_MAX], out[OP_TENSORS_MAX];
	struct mx_op_args args = {.layer = &run->layer, .in = in, .out = out};
	uint32_t i;

	assert_true(run->is_bound);
	assert_true(run->weights || !run->layer.weights.rows);
	for (i = 0; i < in_count; i++) {
		op_place(&run->in[i]);
		mx_view_load(&run->in[i].view, run->in[i].values);
		in[i] = run->in[i].view;
	}
	for (i = 0; i < out_count; i++) {
		op_place(&run->out[i]);
		out[i] = run->out[i].view;
	}
	if (run->in_place >= 0)
		out[0] = run->in[run->in_place].view;
	args.scratch = op_alloc(run->layer.scratch_bytes + 1);
	memset(args.scratch, 0xa5, run->layer.scratch_bytes);
	args.blas = run->blas;
	args.simd = simd;
	op_run_parts(run, &args, order);
	free(args.scratch);
	for (i = 0; i < out_count; i++) {
		mx_view_store(&out[i], run->out[i].values);
		op_check_memory(&run->out[i], NULL);
		free(run->out[i].base);
	}
	for (i = 0; i < in_count; i++) {
		op_check_memory(&run->in[i], run->in_place == (int)i
						     ? NULL
						     : run->in[i].values);
		free(run->in[i].base);
	}
}

/* Row-major values of output @index after a run. */
static OP_UNUSED const float *op_values(const struct op_run *run, size_t index)
{
	return run->out[index].values;
}

/*
 * Compare output @index with @expected: |got - expected| <= @tolerance *
 * max(1, |expected|); NaN and infinities must be the same.
 */
static OP_UNUSED void op_compare(const struct op_run *run, size_t index,
				 const double *expected, double tolerance,
				 const char *isa)
{
	const struct op_memory *out = &run->out[index];
	const size_t elems = mx_shape_elems(&out->tensor.shape);
	size_t i;

	for (i = 0; i < elems; i++) {
		const double got = (double)out->values[i];
		const double want = expected[i];
		const double room = tolerance * fmax(1.0, fabs(want));

		if ((isnan(want) && isnan(got)) || got == want ||
		    fabs(got - want) <= room)
			continue;
		fail_msg("%s (%s): element %zu of output %zu is %.9g, not %.9g",
			 run->layer.op_name, isa, i, index, got, want);
	}
}

/* See the top. Compares output @index alone. */
static OP_UNUSED void op_expect(struct op_run *run, size_t index,
				const double *expected, double tolerance)
{
	const size_t bytes =
		mx_shape_elems(&run->out[index].tensor.shape) * sizeof(float);
	const struct mx_simd *simd;
	float *first = malloc(bytes + 1);
	enum op_order order;
	size_t i;

	assert_non_null(first);
	for (i = 0; (simd = mx_simd_at(i)) != NULL; i++)
		for (order = OP_ALL_AT_ONCE; order < OP_ORDER_COUNT; order++) {
			op_compute(run, order, simd);
			op_compare(run, index, expected, tolerance, simd->isa);
			if (order == OP_ALL_AT_ONCE)
				memcpy(first, op_values(run, index), bytes);
			else if (memcmp(first, op_values(run, index), bytes))
				fail_msg("%s (%s): parts in order %d give "
					 "other bits",
					 run->layer.op_name, simd->isa, order);
		}
	free(first);
}

/* The output's shape is this one. */
#define OP_EXPECT_SHAPE(run, index, ...)                                       \
	op_expect_shape(run, index,                                            \
			(uint32_t)(sizeof((const size_t[]){__VA_ARGS__}) /     \
				   sizeof(size_t)),                            \
			(const size_t[]){__VA_ARGS__})

static OP_UNUSED void op_expect_shape(const struct op_run *run, size_t index,
				      uint32_t rank, const size_t *dim)
{
	const struct mx_shape want = mx_shape_of(rank, dim);
	char got[MX_SHAPE_TEXT_BYTES];
	char text[MX_SHAPE_TEXT_BYTES];

	assert_string_equal(mx_shape_text(&run->out[index].tensor.shape, got),
			    mx_shape_text(&want, text));
}

/* The index of row-major element @flat. */
static OP_UNUSED void op_unravel(const struct mx_shape *shape, size_t flat,
				 size_t index[MX_RANK_MAX])
{
	uint32_t i;

	for (i = shape->rank; i-- > 0; flat /= shape->dim[i])
		index[i] = flat % shape->dim[i];
}

/*
 * The row-major element of @shape at @index, which is of a space of @rank
 * dimensions (>= shape->rank) that @shape broadcasts to.
 */
static OP_UNUSED size_t op_ravel(const struct mx_shape *shape,
				 const size_t *index, uint32_t rank)
{
	size_t flat = 0;
	uint32_t i;

	for (i = 0; i < shape->rank; i++) {
		const size_t at = index[rank - shape->rank + i];

		flat = flat * shape->dim[i] + (shape->dim[i] == 1 ? 0 : at);
	}
	return flat;
}

/* The layouts worth a loop, for shapes of rank 3 to 5. */
static OP_UNUSED const struct op_layout {
	enum mx_layout layout;
	size_t gap;
} OP_LAYOUTS[] = {
	{MX_LAYOUT_ROW_MAJOR, 0},
	{MX_LAYOUT_CHANNELS_LAST, 0},
	{MX_LAYOUT_CHANNELS_LAST, 3},
};
#define OP_LAYOUT_COUNT (sizeof(OP_LAYOUTS) / sizeof(OP_LAYOUTS[0]))

static OP_UNUSED void op_end(struct op_run *run)
{
	size_t i;

	for (i = 0; i < OP_TENSORS_MAX; i++) {
		free(run->in[i].values);
		free(run->out[i].values);
	}
	for (i = 0; i < run->owned_count; i++)
		free(run->owned[i]);
	free(run->weights);
	mx_layer_fini(&run->layer);
}

#endif
