#include "tests/op_fixture.h"

#include "lib/activation.h"

struct dense_case {
	const char *what;
	uint32_t rank;
	size_t dim[4];
	int64_t axis;
	size_t out_features;
	enum mx_activation_kind act;
	float act_a;
	size_t blocks; /* expected */
	size_t tiles; /* expected */
};

static void expect_case(const struct dense_case *c)
{
	const struct mx_shape shape = mx_shape_of(c->rank, c->dim);
	const size_t rows = mx_shape_span(&shape, 0, (uint32_t)c->axis);
	const size_t elems = mx_shape_span(&shape, (uint32_t)c->axis, c->rank);
	const float scale = 1 / sqrtf((float)elems);
	const float *x, *w, *vectors[2];
	struct op_run run;
	double *y;
	size_t m, n, k;

	print_message("    %s\n", c->what);
	op_begin(&run, "Dense");
	OP_INTS(&run, "axis", c->axis);
	OP_INTS(&run, "out_features", (int64_t)c->out_features);
	OP_INTS(&run, MX_ATTR_ACTIVATION, c->act);
	OP_FLOATS(&run, MX_ATTR_ACTIVATION_AB, c->act_a, 0);
	x = op_random(&run, rows * elems, 1, -1, 1);
	w = op_random(&run, c->out_features * elems, 2, -scale, scale);
	vectors[0] = op_random(&run, c->out_features, 3, -1, 1);
	vectors[1] = op_random(&run, c->out_features, 4, -1, 1);
	op_input(&run, x, c->rank, c->dim);
	op_bind(&run);
	op_weights(&run, w, vectors);
	assert_int_equal(run.layer.block_count, c->blocks);
	assert_int_equal(run.layer.tile_count, c->tiles);
	assert_int_equal(run.layer.macs, rows * elems * c->out_features);
	assert_int_equal(mx_blas_open(&run.blas, NULL), 0);
	y = op_doubles(&run, rows * c->out_features);
	for (m = 0; m < rows; m++)
		for (n = 0; n < c->out_features; n++) {
			double sum = (double)vectors[0][n];

			for (k = 0; k < elems; k++)
				sum += (double)x[m * elems + k] *
				       (double)w[n * elems + k];
			if (sum < 0 && c->act == MX_ACTIVATION_RELU)
				sum *= (double)c->act_a;
			if (sum < 0 && c->act == MX_ACTIVATION_PRELU)
				sum *= (double)vectors[1][n];
			y[m * c->out_features + n] = sum;
		}
	op_expect(&run, 0, y, 3e-6);
	op_end(&run);
}

#define EXPECT(name, ...)                                                      \
	expect_case(&(const struct dense_case){.what = name, __VA_ARGS__})

static void one_row_matches_the_definition(void **state)
{
	(void)state;
	EXPECT("one block", 2, {1, 37}, 1, 19, .blocks = 1, .tiles = 1);
	EXPECT("one element", 2, {1, 1}, 1, 1, .blocks = 1, .tiles = 1);
	EXPECT("several blocks, the last one shorter", 4, {1, 700, 3, 3}, 1,
	       101, .act = MX_ACTIVATION_RELU, .blocks = 3, .tiles = 1);
	EXPECT("all dimensions contracted", 2, {5, 9}, 0, 11, .blocks = 1,
	       .tiles = 1);
	EXPECT("prelu over blocks", 2, {1, 9000}, 1, 70,
	       .act = MX_ACTIVATION_PRELU, .blocks = 3, .tiles = 1);
	EXPECT("rows longer than a block", 2, {1, 300000}, 1, 3, .blocks = 3,
	       .tiles = 1);
}

static void several_rows_match_the_definition(void **state)
{
	(void)state;
	EXPECT("batch of 3", 2, {3, 37}, 1, 19, .blocks = 1, .tiles = 1);
	EXPECT("axis 2", 3, {3, 5, 23}, 2, 9, .act = MX_ACTIVATION_RELU,
	       .act_a = 0.5f, .blocks = 1, .tiles = 1);
	EXPECT("axis behind the last: rows of one", 2, {3, 4}, 2, 7,
	       .blocks = 1, .tiles = 1);
	EXPECT("more rows than a tile, several blocks", 2, {259, 1000}, 1, 530,
	       .act = MX_ACTIVATION_PRELU, .blocks = 3, .tiles = 2);
	EXPECT("no rows", 2, {0, 4}, 1, 7, .blocks = 1, .tiles = 1);
}

static void wrong_settings_are_refused(void **state)
{
	static const float x[10];
	struct op_run run;

	(void)state;
	op_begin(&run, "Dense");
	OP_INPUT(&run, x, 2, 5);
	op_bind_fails(&run, "out_features");
	OP_INTS(&run, "out_features", 3);
	OP_INTS(&run, "axis", 3);
	op_bind_fails(&run, "axis 3 of an input of rank 2");
	OP_INTS(&run, "axis", -1);
	op_bind_fails(&run, "axis");
	op_end(&run);

	op_begin(&run, "Dense");
	OP_INPUT(&run, x, 2, 0);
	OP_INTS(&run, "out_features", 3);
	op_bind_fails(&run, "rows of 0 elements");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_row_matches_the_definition),
		cmocka_unit_test(several_rows_match_the_definition),
		cmocka_unit_test(wrong_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
