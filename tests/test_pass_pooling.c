/* wrap: malloc calloc realloc strdup */
#include "loader/import/passes.h"

#include <errno.h>

#include "lib/convolve_pool.h"
#include "tests/faults.h"
#include "tests/graph_fixture.h"

FAULT(void *, malloc, (size_t bytes), (bytes), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t bytes), (count, bytes), ENOMEM,
      NULL)
FAULT(void *, realloc, (void *old, size_t bytes), (old, bytes), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)

/* One input, a convolution of @channels that keeps its size, a pooling. */
struct pooled {
	size_t channels, height, width, kernel;
};

static uint32_t begin(struct mx_graph **graph, const struct pooled *p)
{
	uint32_t v;

	*graph = fx_graph();
	v = FX_INPUT(*graph, "x", 1, 3, p->height, p->width);
	return fx_conv(*graph, "c", v, p->channels, p->kernel);
}

/* The pass leaves the graph, whose output @v is, as it is. */
static void expect_untouched(struct mx_graph *graph, uint32_t v)
{
	char *before, *after;

	fx_output(graph, v);
	before = mx_graph_text(graph);
	assert_non_null(before);
	fx_pass(graph, mx_pass_pooling);
	after = mx_graph_text(graph);
	assert_non_null(after);
	assert_string_equal(after, before);
	free(before);
	free(after);
	mx_graph_free(graph);
}

static const struct pooled ordinary = {4, 6, 8, 3};

static void a_convolution_takes_the_pooling_that_alone_reads_it(void **state)
{
	struct mx_graph *g;
	uint32_t v = begin(&g, &ordinary);

	(void)state;
	v = fx_pool(g, "p", fx_op(g, "Relu", "r", 1, v), 2, 2);
	v = fx_pool(g, "q", fx_conv(g, "d", v, 5, 1), 1, 1);
	fx_output(g, v);
	fx_pass(g, mx_pass_activation);
	fx_pass(g, mx_pass_pooling);
	fx_expect_text(g, "input x 1x3x6x8\n"
			  "c Convolution(x) -> p 1x4x3x4 +Relu +Pooling\n"
			  "d Convolution(p) -> d 1x5x3x4\n"
			  "q Pooling(d) -> q 1x5x3x4\n"
			  "output q\n");
	assert_int_equal(
		mx_attrs_int(&fx_node(g, "c")->layer.attrs, MX_ATTR_POOL, 0),
		2);
	mx_graph_free(g);
}

static void what_says_its_defaults_is_taken_too(void **state)
{
	struct mx_attrs attrs = {NULL, 0};
	struct mx_graph *g;
	uint32_t v = begin(&g, &ordinary);

	(void)state;
	FX_INTS(&attrs, "kernel", 2, 2);
	FX_INTS(&attrs, "stride", 2, 2);
	FX_INTS(&attrs, "dilation", 1, 1);
	FX_INTS(&attrs, "pad_begin", 0, 0);
	FX_INTS(&attrs, "pad_end", 0, 0);
	FX_INTS(&attrs, "rounding", 2);
	fx_output(g, fx_simple(g, "Pooling", "p", &attrs, &v, 1));
	fx_pass(g, mx_pass_pooling);
	fx_expect_text(g, "input x 1x3x6x8\n"
			  "c Convolution(x) -> p 1x4x3x4 +Pooling\n"
			  "output p\n");
	mx_graph_free(g);
}

static void what_others_read_stays(void **state)
{
	struct mx_graph *g;
	uint32_t v = begin(&g, &ordinary);

	(void)state;
	fx_output(g, fx_op(g, "Tanh", "t", 1, v));
	expect_untouched(g, fx_pool(g, "p", v, 2, 2));

	v = begin(&g, &ordinary);
	fx_output(g, v);
	expect_untouched(g, fx_pool(g, "p", v, 2, 2));

	v = begin(&g, &ordinary);
	fx_output(g, fx_pool(g, "q", v, 2, 2));
	expect_untouched(g, fx_pool(g, "p", v, 2, 2));
}

/* An activation that was not taken in stands between. */
static void only_a_convolution_pools(void **state)
{
	struct mx_graph *g;
	uint32_t v = begin(&g, &ordinary);

	(void)state;
	v = fx_op(g, "Tanh", "t", 1, v);
	expect_untouched(g, fx_pool(g, "p", v, 2, 2));

	g = fx_graph();
	v = FX_INPUT(g, "x", 1, 3, 4, 4);
	expect_untouched(g, fx_pool(g, "p", v, 2, 2));
}

static void what_a_convolution_cannot_pool_stays(void **state)
{
	static const struct pooled odd_height = {4, 7, 8, 3};
	static const struct pooled odd_width = {4, 6, 9, 3};
	static const struct pooled one_element = {4, 6, 8, 1};
	const struct pooled *const cases[] = {&odd_height, &odd_width,
					      &one_element};
	struct mx_graph *g;
	uint32_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v = begin(&g, cases[i]);
		expect_untouched(g, fx_pool(g, "p", v, 2, 2));
	}
}

static void a_pooled_convolution_pools_no_more(void **state)
{
	static const struct pooled twice = {4, 8, 8, 3};
	struct mx_graph *g;
	uint32_t v = begin(&g, &twice);

	(void)state;
	v = fx_pool(g, "p", v, 2, 2);
	fx_output(g, fx_pool(g, "q", v, 2, 2));
	fx_pass(g, mx_pass_pooling);
	fx_expect_text(g, "input x 1x3x8x8\n"
			  "c Convolution(x) -> p 1x4x4x4 +Pooling\n"
			  "q Pooling(p) -> q 1x4x2x2\n"
			  "output q\n");
	mx_graph_free(g);
}

static void other_windows_stay(void **state)
{
	static const struct {
		const char *name;
		int64_t value[2];
		size_t count;
	} cases[] = {
		{"kind", {1}, 1},	  {"kernel", {3, 3}, 2},
		{"kernel", {2, 3}, 2},	  {"stride", {1, 1}, 2},
		{"stride", {2, 1}, 2},	  {"stride", {1, 2}, 2},
		{"dilation", {2, 1}, 2},  {"pad_begin", {1, 0}, 2},
		{"pad_begin", {0, 1}, 2}, {"pad_end", {1, 1}, 2},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mx_attrs attrs = {NULL, 0};
		struct mx_graph *g;
		uint32_t v = begin(&g, &ordinary);

		FX_INTS(&attrs, "kernel", 2, 2);
		FX_INTS(&attrs, "stride", 2, 2);
		assert_int_equal(mx_attrs_set_ints(&attrs, cases[i].name,
						   cases[i].value,
						   cases[i].count),
				 0);
		expect_untouched(g,
				 fx_simple(g, "Pooling", "p", &attrs, &v, 1));
	}
}

/* Without stride there are as many windows as pixels, less one. */
static void a_stride_is_not_assumed(void **state)
{
	struct mx_attrs attrs = {NULL, 0};
	struct mx_graph *g;
	uint32_t v = begin(&g, &ordinary);

	(void)state;
	FX_INTS(&attrs, "kernel", 2, 2);
	expect_untouched(g, fx_simple(g, "Pooling", "p", &attrs, &v, 1));
}

static void no_memory_is_said_and_nothing_leaks(void **state)
{
	int fired = 1;
	long n;

	(void)state;
	for (n = 0; fired; n++) {
		struct mx_err err = {""};
		struct mx_graph *g;
		uint32_t v = begin(&g, &ordinary);
		int rc;

		fx_output(g, fx_pool(g, "p", v, 2, 2));
		faults_arm(n);
		rc = mx_pass_pooling(g, &err);
		fired = faults_disarm();
		assert_int_equal(rc, fired ? -ENOMEM : 0);
		if (fired)
			assert_non_null(strstr(err.text, "no memory"));
		mx_graph_free(g);
	}
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_convolution_takes_the_pooling_that_alone_reads_it),
		cmocka_unit_test(what_says_its_defaults_is_taken_too),
		cmocka_unit_test(what_others_read_stays),
		cmocka_unit_test(only_a_convolution_pools),
		cmocka_unit_test(what_a_convolution_cannot_pool_stays),
		cmocka_unit_test(a_pooled_convolution_pools_no_more),
		cmocka_unit_test(other_windows_stay),
		cmocka_unit_test(a_stride_is_not_assumed),
		cmocka_unit_test(no_memory_is_said_and_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
