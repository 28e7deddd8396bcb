/* wrap: malloc calloc realloc strdup aligned_alloc */
/*
 * All passes together: whatever they do to a graph, its outputs stay what they
 * were. The reference is the same graph with layouts alone, every value in
 * memory of its own.
 */
#include "loader/import/passes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/blas.h"
#include "lib/frame.h"
#include "lib/simd.h"
#include "lib/view.h"
#include "loader/import/lower.h"
#include "loader/import/weights.h"
#include "tests/faults.h"
#include "tests/graph_fixture.h"
#include "tests/graph_random.h"
#include "tests/rewrite_graphs.h"

FAULT(void *, malloc, (size_t bytes), (bytes), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t bytes), (count, bytes), ENOMEM,
      NULL)
FAULT(void *, realloc, (void *old, size_t bytes), (old, bytes), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(void *, aligned_alloc, (size_t align, size_t bytes), (align, bytes),
      ENOMEM, NULL)

struct compiled {
	struct mx_graph *graph;
	struct mx_network net;
	unsigned char *weights;
};

/* Lower @graph, and give its weights memory as the loader would. */
static void compile(struct compiled *c, struct mx_graph *graph)
{
	const struct mx_lower_opts opts = {0};
	struct mx_weights *weights = NULL;
	struct mx_err err = {""};
	uint64_t total = 0, b;
	uint32_t i;

	c->graph = graph;
	fx_ok(mx_graph_lower(graph, &opts, &c->net, &weights, &err), &err);
	for (i = 0; i < c->net.layer_count; i++) {
		c->net.layers[i].weight_offset_bytes = total;
		total += c->net.layers[i].weight_bytes;
	}
	c->weights = aligned_alloc(MX_WEIGHT_PAGE_BYTES,
				   total / MX_WEIGHT_PAGE_BYTES *
						   MX_WEIGHT_PAGE_BYTES +
					   MX_WEIGHT_PAGE_BYTES);
	assert_non_null(c->weights);
	for (i = 0; i < c->net.layer_count; i++) {
		const struct mx_layer *layer = &c->net.layers[i];
		unsigned char *at = c->weights + layer->weight_offset_bytes;

		for (b = 0; b < mx_weight_block_count(&layer->weights); b++) {
			fx_ok(mx_weights_block(layer, &weights[i], b, at, &err),
			      &err);
			at += mx_weight_block_bytes(&layer->weights, b);
		}
	}
	c->net.weights_base = c->weights;
	mx_lower_weights_free(weights, c->net.layer_count);
}

static void finish(struct compiled *c)
{
	mx_network_fini(&c->net);
	mx_graph_free(c->graph);
	free(c->weights);
}

/* Run on a fixed input; @out gets an array for each output. */
static void run(const struct compiled *c, const struct mx_blas *blas,
		float **out)
{
	struct mx_arena arena = {0};
	struct mx_frame *frame = NULL;
	struct mx_err err = {""};
	float in[64];
	uint32_t i;
	size_t k;

	fx_ok(mx_arena_init(&arena, &c->net, &err), &err);
	fx_ok(mx_frame_new(&frame, &c->net, &arena, NULL, &err), &err);
	for (i = 0; i < c->net.input_count; i++) {
		const uint32_t t = c->net.inputs[i].tensor;
		const size_t elems = mx_shape_elems(&c->net.tensors[t].shape);

		assert_true(elems <= 64);
		for (k = 0; k < elems; k++)
			in[k] = fx_weight("input", 100 * i + k);
		mx_view_load(mx_frame_view(frame, t), in);
	}
	fx_ok(mx_frame_run_all(frame, blas, mx_simd_best(), &err), &err);
	for (i = 0; i < c->net.output_count; i++) {
		const struct mx_view *view =
			mx_frame_view(frame, c->net.outputs[i]);

		out[i] =
			calloc(mx_shape_elems(&view->shape) + 1, sizeof(float));
		assert_non_null(out[i]);
		mx_view_store(view, out[i]);
	}
	mx_frame_free(frame);
	mx_arena_fini(&arena);
}

static void expect_same(const struct compiled *a, const struct compiled *b,
			const struct mx_blas *blas, uint64_t seed)
{
	float *x[128], *y[128];
	uint32_t i;
	size_t k;

	assert_int_equal(a->net.output_count, b->net.output_count);
	assert_true(a->net.output_count <= 128);
	run(a, blas, x);
	run(b, blas, y);
	for (i = 0; i < a->net.output_count; i++) {
		const struct mx_shape *shape =
			&a->net.tensors[a->net.outputs[i]].shape;

		assert_true(mx_shape_equal(
			shape, &b->net.tensors[b->net.outputs[i]].shape));
		for (k = 0; k < mx_shape_elems(shape); k++) {
			const double want = (double)x[i][k];
			const double got = (double)y[i][k];

			if (!(fabs(got - want) <= 1e-4 + 1e-3 * fabs(want)))
				fail_msg("seed %llu: output %u[%zu] is %g, "
					 "not %g",
					 (unsigned long long)seed, i, k, got,
					 want);
		}
		free(x[i]);
		free(y[i]);
	}
}

static void random_graphs_compute_what_they_did(void **state)
{
	const struct mx_blas *blas;
	struct mx_err err = {""};
	uint64_t seed;

	(void)state;
	if (mx_blas_open(&blas, &err)) {
		print_message("skipped: %s\n", err.text);
		skip();
	}
	for (seed = 0; seed < 600; seed++) {
		const uint32_t steps = 4 + (uint32_t)(seed % 40);
		struct compiled plain = {0}, full = {0};
		struct mx_graph *g = fr_graph(seed, steps);

		fx_pass(g, mx_pass_layout);
		compile(&plain, g);
		g = fr_graph(seed, steps);
		fx_pass(g, mx_passes_run);
		compile(&full, g);
		expect_same(&plain, &full, blas, seed);
		finish(&plain);
		finish(&full);
	}
}

/* @done has been through the passes; @plain is the same graph before. Both are
 * taken. */
static void expect_same_as_plain(struct mx_graph *done, struct mx_graph *plain)
{
	struct compiled before = {0}, after = {0};
	const struct mx_blas *blas;
	struct mx_err err = {""};

	compile(&after, done);
	fx_pass(plain, mx_pass_layout);
	compile(&before, plain);
	if (mx_blas_open(&blas, &err))
		print_message("not computed: %s\n", err.text);
	else
		expect_same(&before, &after, blas, 0);
	finish(&before);
	finish(&after);
}

static void rewritten_operators_compute_what_they_did(void **state)
{
	struct mx_graph *g = rw_graph();

	(void)state;
	fx_pass(g, mx_passes_run);
	fx_expect_text(
		g, "input x 1x1x8x8 cl\n"
		   "conv Convolution(x) -> conv 1x8x4x4 cl\n"
		   "left Shuffle(conv) -> left 1x4x4x4 cl pitch=18 @half+0\n"
		   "right Shuffle(conv) -> right 1x4x4x4 cl\n"
		   "branch Convolution(right) -> branch 1x6x4x4 cl pitch=18 "
		   "@half+4\n"
		   "two Concat(left, branch) -> two 1x10x4x4 cl pitch=18 "
		   "@half+0\n"
		   "t Tanh(two) -> t 1x10x4x4 cl\n"
		   "third Convolution(t) -> third 1x5x4x4 cl pitch=18 "
		   "@half+10\n"
		   "three Concat(two, third) -> three 1x15x4x4 cl pitch=18 "
		   "@half+0\n"
		   "a Abs(three) -> a 1x15x4x4 cl\n"
		   "fourth Convolution(a) -> fourth 1x3x4x4 cl pitch=18 "
		   "@half+15\n"
		   "four Concat(three, fourth) -> four 1x18x4x4 cl @half+0\n"
		   "half Power(four) -> half 1x18x4x4 cl\n"
		   "output half\n");
	expect_same_as_plain(g, rw_graph());
}

static struct mx_graph *pooled_branches(void)
{
	struct mx_graph *g = fx_graph();
	const uint32_t x = FX_INPUT(g, "x", 1, 1, 8, 8);
	uint32_t v[2];

	v[0] = fx_op(g, "Relu", "r", 1, fx_conv(g, "a", x, 4, 3));
	v[0] = fx_pool(g, "p", v[0], 2, 2);
	v[1] = fx_rowwise(g, "PRelu", "s", fx_conv(g, "b", x, 6, 3), 1);
	v[1] = fx_pool(g, "q", v[1], 2, 2);
	fx_output(g, fx_conv(g, "c", fx_concat(g, "both", 1, v, 2), 3, 1));
	return g;
}

static void pooled_convolutions_compute_what_they_did(void **state)
{
	struct mx_graph *g = pooled_branches();

	(void)state;
	fx_pass(g, mx_passes_run);
	fx_expect_text(
		g, "input x 1x1x8x8 cl\n"
		   "a Convolution(x) -> p 1x4x4x4 cl pitch=10 @both+0 +Relu "
		   "+Pooling\n"
		   "b Convolution(x) -> q 1x6x4x4 cl pitch=10 @both+4 +PRelu "
		   "+Pooling\n"
		   "both Concat(p, q) -> both 1x10x4x4 cl\n"
		   "c Convolution(both) -> c 1x3x4x4 cl\n"
		   "output c\n");
	expect_same_as_plain(g, pooled_branches());
}

/* The order of the passes matters: each finds what the one before made. */
static void one_convolution_is_left_of_a_block(void **state)
{
	struct mx_graph *g = fx_graph();
	uint32_t x, c, y;

	(void)state;
	x = fx_conv(g, "conv", FX_INPUT(g, "x", 1, 3, 4, 4), 4, 3);
	x = fx_rowwise(g, "Affine", "bn", x, 1);
	x = fx_op(g, "Identity", "dropout", 1, x);
	c = fx_op(g, "Neg", "minus", 1,
		  FX_CONSTANT(g, "c", FX_SHAPE(1, 4, 1, 1), 1, 2, 3, 4));
	x = fx_op(g, "Sub", "shift", 2, x, c);
	y = fx_op(g, "Sigmoid", "gate", 1, x);
	x = fx_op(g, "Mul", "silu", 2, y, x);
	fx_output(g, fx_pool(g, "half", x, 2, 2));
	fx_expect_text(g, "input x 1x3x4x4\n"
			  "conv Convolution(x) -> conv 1x4x4x4\n"
			  "bn Affine(conv) -> bn 1x4x4x4\n"
			  "dropout Identity(bn) -> dropout 1x4x4x4\n"
			  "c Constant() -> c 1x4x1x1\n"
			  "minus Neg(c) -> minus 1x4x1x1\n"
			  "shift Sub(dropout, minus) -> shift 1x4x4x4\n"
			  "gate Sigmoid(shift) -> gate 1x4x4x4\n"
			  "silu Mul(gate, shift) -> silu 1x4x4x4\n"
			  "half Pooling(silu) -> half 1x4x2x2\n"
			  "output half\n");
	fx_pass(g, mx_passes_run);
	fx_expect_text(g, "input x 1x3x4x4 cl\n"
			  "conv Convolution(x) -> half 1x4x2x2 cl +Silu "
			  "+Pooling\n"
			  "output half\n");
	mx_graph_free(g);
}

/* Fails the first allocation, the second, ... until all is done; what is left
 * behind is AddressSanitizer's to find. */
static void sweep_allocations(struct mx_graph *(*make)(void))
{
	const struct mx_lower_opts opts = {0};
	long nth;
	int rc;

	for (nth = 0, rc = -1; rc; nth++) {
		struct mx_graph *g = make();
		struct mx_weights *weights = NULL;
		struct mx_network net = {0};
		struct mx_err err = {""};

		faults_arm(nth);
		rc = mx_passes_run(g, &err);
		if (!rc)
			rc = mx_graph_lower(g, &opts, &net, &weights, &err);
		if (faults_disarm())
			assert_int_equal(rc, -ENOMEM);
		else
			fx_ok(rc, &err);
		mx_lower_weights_free(weights, net.layer_count);
		mx_network_fini(&net);
		mx_graph_free(g);
	}
	assert_true(nth > 100);
}

static struct mx_graph *some_random_graph(void)
{
	return fr_graph(39, 43);
}

static void want_of_memory_is_reported_wherever_it_strikes(void **state)
{
	(void)state;
	sweep_allocations(some_random_graph);
	sweep_allocations(rw_graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_convolution_is_left_of_a_block),
		cmocka_unit_test(
			want_of_memory_is_reported_wherever_it_strikes),
		cmocka_unit_test(rewritten_operators_compute_what_they_did),
		cmocka_unit_test(pooled_convolutions_compute_what_they_did),
		cmocka_unit_test(random_graphs_compute_what_they_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
