#include "loader/import/blob.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"

static struct mx_blob bytes_of(enum mx_dtype type, const void *data,
			       uint64_t count)
{
	const struct mx_blob blob = {
		.kind = MX_BLOB_BYTES,
		.type = type,
		.count = count,
		.data = data,
	};

	return blob;
}

static struct mx_const dense(const struct mx_blob *blob, uint32_t rank,
			     const size_t *dim)
{
	const struct mx_shape shape = mx_shape_of(rank, dim);
	struct mx_const constant;

	assert_int_equal(mx_const_init(&constant, blob, &shape, NULL), 0);
	return constant;
}

/* Elements of every type, as the four bit patterns say, at an odd address. */
static void every_type_is_read_at_any_alignment(void **state)
{
	static const struct {
		enum mx_dtype type;
		size_t bytes;
		uint64_t bits[3];
		double real[3];
		int64_t whole[3];
	} cases[] = {
		{MX_DTYPE_F32,
		 4,
		 {0x3fc00000, 0xc0200000, 0},
		 {1.5, -2.5, 0},
		 {1, -2, 0}},
		{MX_DTYPE_F64,
		 8,
		 {0x3ff8000000000000, 0xc00c000000000000, 0x43e0000000000000},
		 {1.5, -3.5, 0x1p63},
		 {1, -3, INT64_MAX}},
		/* 1, the largest, and the smallest subnormal. */
		{MX_DTYPE_F16,
		 2,
		 {0x3c00, 0xfbff, 0x0001},
		 {1, -65504, 0x1p-24},
		 {1, -65504, 0}},
		{MX_DTYPE_BF16,
		 2,
		 {0x3f80, 0xc040, 0x4000},
		 {1, -3, 2},
		 {1, -3, 2}},
		{MX_DTYPE_I64,
		 8,
		 {5, (uint64_t)-7, 1ull << 40},
		 {5, -7, 0x1p40},
		 {5, -7, (int64_t)1 << 40}},
		{MX_DTYPE_I32, 4, {5, 0xfffffff9, 9}, {5, -7, 9}, {5, -7, 9}},
		{MX_DTYPE_I16, 2, {5, 0xfff9, 9}, {5, -7, 9}, {5, -7, 9}},
		{MX_DTYPE_I8, 1, {5, 0xf9, 9}, {5, -7, 9}, {5, -7, 9}},
		{MX_DTYPE_U8, 1, {5, 0xf9, 9}, {5, 249, 9}, {5, 249, 9}},
		{MX_DTYPE_BOOL, 1, {0, 1, 255}, {0, 1, 1}, {0, 1, 1}},
	};
	const size_t three[] = {3};
	unsigned char memory[3 * 8 + 1];
	size_t i, k;

	(void)state;
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), MX_DTYPE_COUNT);
	for (i = 0; i < MX_DTYPE_COUNT; i++) {
		const size_t bytes = mx_dtype_bytes(cases[i].type);
		struct mx_blob blob;
		struct mx_const c;
		float f[3];
		double d[3];
		int64_t n[3];

		assert_int_equal(bytes, cases[i].bytes);
		for (k = 0; k < 3; k++)
			memcpy(memory + 1 + k * bytes, &cases[i].bits[k],
			       bytes);
		blob = bytes_of(cases[i].type, memory + 1, 3);
		c = dense(&blob, 1, three);
		mx_const_read_f32(&c, 0, 3, f);
		mx_const_read_f64(&c, 0, 3, d);
		mx_const_read_i64(&c, 0, 3, n);
		for (k = 0; k < 3; k++) {
			assert_true(d[k] == cases[i].real[k]);
			assert_true(f[k] == (float)cases[i].real[k]);
			assert_int_equal(n[k], cases[i].whole[k]);
		}
	}
}

static void half_infinity_and_nan_stay_what_they_are(void **state)
{
	const uint16_t bits[] = {0x7c00, 0xfc00, 0x7e01, 0x8001};
	const struct mx_blob blob = bytes_of(MX_DTYPE_F16, bits, 4);
	const size_t four[] = {4};
	const struct mx_const c = dense(&blob, 1, four);
	int64_t n[4];
	float f[4];

	(void)state;
	mx_const_read_f32(&c, 0, 4, f);
	assert_true(f[0] == INFINITY && f[1] == -INFINITY && isnan(f[2]));
	assert_true(f[3] == -0x1p-24f);
	mx_const_read_i64(&c, 0, 4, n);
	assert_int_equal(n[0], INT64_MAX);
	assert_int_equal(n[1], INT64_MIN);
	assert_int_equal(n[2], 0);
}

static void a_fill_is_its_value_everywhere(void **state)
{
	const struct mx_blob blob = {
		.kind = MX_BLOB_FILL,
		.type = MX_DTYPE_I64,
		.count = 6,
		.fill = -4,
	};
	const size_t dim[] = {2, 3};
	const struct mx_const c = dense(&blob, 2, dim);
	int64_t n[4] = {0};
	float f[6] = {0};
	size_t i;

	(void)state;
	mx_const_read_f32(&c, 0, 6, f);
	mx_const_read_i64(&c, 2, 4, n);
	for (i = 0; i < 6; i++)
		assert_true(f[i] == -4);
	for (i = 0; i < 4; i++)
		assert_int_equal(n[i], -4);
}

static void random_values_depend_on_seed_and_index_alone(void **state)
{
	enum { COUNT = 4096 };
	struct mx_blob blob = {
		.kind = MX_BLOB_RANDOM,
		.count = COUNT,
		.seed = 7,
		.scale = 0.5,
		.shift = 2,
	};
	const size_t dim[] = {64, 64};
	const uint32_t turn[] = {1, 0};
	static float all[COUNT], part[COUNT];
	struct mx_const c = dense(&blob, 2, dim);
	double sum = 0, squares = 0;
	size_t i;

	(void)state;
	mx_const_read_f32(&c, 0, COUNT, all);
	mx_const_read_f32(&c, 100, 50, part);
	assert_memory_equal(part, all + 100, 50 * sizeof(float));
	for (i = 0; i < COUNT; i++) {
		assert_true(all[i] >= 1.5f && all[i] <= 2.5f);
		sum += (double)all[i] - 2;
		squares += ((double)all[i] - 2) * ((double)all[i] - 2);
	}
	/* Uniform: mean 0, variance scale^2 / 3. */
	assert_true(fabs(sum / COUNT) < 0.02);
	assert_true(fabs(squares / COUNT - 0.25 / 3) < 0.005);
	mx_const_permute(&c, turn, &c);
	mx_const_read_f32(&c, 0, COUNT, part);
	for (i = 0; i < COUNT; i++)
		assert_true(part[i] == all[i % 64 * 64 + i / 64]);
	blob.seed = 8;
	c = dense(&blob, 2, dim);
	mx_const_read_f32(&c, 0, COUNT, part);
	assert_memory_not_equal(part, all, sizeof(all));
}

/* Every [first, count) of a permuted constant against plain indexing. */
static void any_window_of_a_permuted_constant_is_right(void **state)
{
	enum { O = 2, I = 3, H = 4, W = 5, COUNT = O * I * H * W };
	const size_t dim[] = {O, I, H, W};
	const uint32_t perm[] = {0, 2, 3, 1};
	float data[COUNT], got[COUNT];
	struct mx_blob blob;
	struct mx_const c;
	size_t first, count, i;

	(void)state;
	for (i = 0; i < COUNT; i++)
		data[i] = (float)i;
	blob = bytes_of(MX_DTYPE_F32, data, COUNT);
	c = dense(&blob, 4, dim);
	assert_int_equal(mx_const_is_dense(&c), 1);
	mx_const_permute(&c, perm, &c);
	assert_int_equal(mx_const_is_dense(&c), 0);
	assert_int_equal(c.shape.dim[3], I);
	for (first = 0; first < COUNT; first++)
		for (count = 0; count <= COUNT - first; count++) {
			mx_const_read_f32(&c, first, count, got);
			for (i = 0; i < count; i++) {
				const size_t e = first + i;
				const size_t in = e % I, w = e / I % W;
				const size_t h = e / I / W % H;
				const size_t o = e / I / W / H;

				assert_true(
					got[i] ==
					data[((o * I + in) * H + h) * W + w]);
			}
		}
}

static void a_stride_of_0_repeats(void **state)
{
	const double data[] = {1, 2};
	const struct mx_blob blob = bytes_of(MX_DTYPE_F64, data, 2);
	const size_t two[] = {2};
	struct mx_const c = dense(&blob, 1, two);
	float got[6];

	(void)state;
	c.shape = mx_shape_of(2, (const size_t[]){2, 3});
	c.stride[0] = 1;
	c.stride[1] = 0;
	mx_const_read_f32(&c, 0, 6, got);
	assert_memory_equal(got, ((const float[]){1, 1, 1, 2, 2, 2}),
			    sizeof(got));
}

static void a_reshape_keeps_the_order_or_refuses(void **state)
{
	static const struct {
		struct mx_shape shape;
		int rc;
	} cases[] = {
		{{2, {6, 4}}, 0}, /* as it was, permuted: 3x2x4 of 2x3x4 */
		{{3, {3, 2, 4}}, 0},	   {{5, {1, 3, 1, 2, 4}}, 0},
		{{4, {3, 2, 2, 2}}, 0},	   {{1, {24}}, -EINVAL},
		{{2, {3, 8}}, -EINVAL},	   {{2, {5, 5}}, -EINVAL},
		{{3, {3, 2, 5}}, -EINVAL},
	};
	float data[24], before[24], after[24];
	struct mx_const c, out;
	struct mx_blob blob;
	size_t i;

	(void)state;
	for (i = 0; i < 24; i++)
		data[i] = (float)i;
	blob = bytes_of(MX_DTYPE_F32, data, 24);
	c = dense(&blob, 3, (const size_t[]){2, 3, 4});
	mx_const_permute(&c, (const uint32_t[]){1, 0, 2}, &c);
	mx_const_read_f32(&c, 0, 24, before);
	for (i = 1; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(mx_const_reshape(&c, &cases[i].shape, &out),
				 cases[i].rc);
		if (cases[i].rc)
			continue;
		mx_const_read_f32(&out, 0, 24, after);
		assert_memory_equal(before, after, sizeof(after));
	}
	/* The first two dimensions are not one stride. */
	assert_int_equal(mx_const_reshape(&c, &cases[0].shape, &out), -EINVAL);
}

static void a_blob_of_the_wrong_size_is_refused(void **state)
{
	const float data[6] = {0};
	const struct mx_blob blob = bytes_of(MX_DTYPE_F32, data, 6);
	const struct mx_shape small = {.rank = 2, .dim = {2, 2}};
	const struct mx_shape huge = {.rank = 3,
				      .dim = {SIZE_MAX, SIZE_MAX, 6}};
	struct mx_const c;
	struct mx_err err;

	(void)state;
	assert_int_equal(mx_const_init(&c, &blob, &small, &err), -EBADMSG);
	assert_string_equal(err.text, "a constant of 2x2 has 6 elements");
	assert_int_equal(mx_const_init(&c, &blob, &huge, &err), -EBADMSG);
	assert_string_equal(err.text, "a constant is too large");
}

static void scalars_and_empty_constants_are_read(void **state)
{
	const float one = 3;
	const struct mx_blob blob = bytes_of(MX_DTYPE_F32, &one, 1);
	const struct mx_blob none = bytes_of(MX_DTYPE_F32, NULL, 0);
	const struct mx_const scalar = dense(&blob, 0, NULL);
	const struct mx_const empty = dense(&none, 2, (const size_t[]){0, 4});
	float got = 0;

	(void)state;
	mx_const_read_f32(&scalar, 0, 1, &got);
	assert_true(got == 3);
	mx_const_read_f32(&empty, 0, 0, &got);
	assert_int_equal(mx_const_is_dense(&empty), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read_at_any_alignment),
		cmocka_unit_test(half_infinity_and_nan_stay_what_they_are),
		cmocka_unit_test(a_fill_is_its_value_everywhere),
		cmocka_unit_test(random_values_depend_on_seed_and_index_alone),
		cmocka_unit_test(any_window_of_a_permuted_constant_is_right),
		cmocka_unit_test(a_stride_of_0_repeats),
		cmocka_unit_test(a_reshape_keeps_the_order_or_refuses),
		cmocka_unit_test(a_blob_of_the_wrong_size_is_refused),
		cmocka_unit_test(scalars_and_empty_constants_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
