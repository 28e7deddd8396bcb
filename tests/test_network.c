#include "lib/network.h"

#include <errno.h>

#include "lib/err.h"
#include "tests/check.h"

static void row_major_strides_end_in_one(void **state)
{
	const struct mx_tensor tensor = {
		.shape = {3, {2, 3, 5}},
		.layout = MX_LAYOUT_ROW_MAJOR,
	};
	size_t stride[MX_RANK_MAX];
	size_t elems;

	(void)state;
	mx_tensor_strides(&tensor, stride);
	assert_int_equal(stride[0], 15);
	assert_int_equal(stride[1], 5);
	assert_int_equal(stride[2], 1);
	assert_int_equal(mx_tensor_extent(&tensor, &elems), 0);
	assert_int_equal(elems, 30);
}

static void channels_last_strides_follow_the_pitch(void **state)
{
	const struct mx_tensor tensor = {
		.shape = {4, {2, 3, 5, 7}},
		.layout = MX_LAYOUT_CHANNELS_LAST,
		.pitch = 4,
	};
	size_t stride[MX_RANK_MAX];
	size_t elems;

	(void)state;
	mx_tensor_strides(&tensor, stride);
	assert_int_equal(stride[1], 1);
	assert_int_equal(stride[3], 4);
	assert_int_equal(stride[2], 28);
	assert_int_equal(stride[0], 140);
	assert_int_equal(mx_tensor_extent(&tensor, &elems), 0);
	/* The last pixel has 3 channels and no gap behind it. */
	assert_int_equal(elems, 2 * 35 * 4 - 1);
}

static void layouts_that_do_not_fit_are_refused(void **state)
{
	struct mx_tensor tensor = {
		.shape = {4, {2, 3, 5, 7}},
		.layout = MX_LAYOUT_CHANNELS_LAST,
		.pitch = 2,
	};
	size_t elems = 0;

	(void)state;
	assert_int_equal(mx_tensor_extent(&tensor, &elems), -EBADMSG);
	tensor.pitch = MX_ELEMS_MAX;
	assert_int_equal(mx_tensor_extent(&tensor, &elems), -EOVERFLOW);
	tensor.pitch = 3;
	tensor.shape.rank = 2;
	assert_int_equal(mx_tensor_extent(&tensor, &elems), -EBADMSG);
	tensor.layout = MX_LAYOUT_ROW_MAJOR;
	assert_int_equal(mx_tensor_extent(&tensor, &elems), -EBADMSG);
	tensor.pitch = 0;
	assert_int_equal(mx_tensor_extent(&tensor, &elems), 0);
	assert_int_equal(elems, 6);
}

static void blocks_are_padded_and_the_last_is_shorter(void **state)
{
	const struct mx_weight_spec small = {10, 5, 1, 4, 1};
	const struct mx_weight_spec big = {10, 65536, 1, 4, 1};
	const struct mx_weight_spec none = {0};

	(void)state;
	assert_int_equal(mx_weight_block_count(&small), 3);
	assert_int_equal(mx_weight_block_rows(&small, 0), 4);
	assert_int_equal(mx_weight_block_rows(&small, 2), 2);
	assert_int_equal(mx_weight_block_bytes(&small, 0), 128); /* 96 */
	assert_int_equal(mx_weight_block_bytes(&small, 2), 64); /* 48 */
	assert_int_equal(mx_weight_total_bytes(&small), 320);
	assert_int_equal(mx_weight_block_bytes(&big, 1),
			 4 * 65537 * 4 + MX_WEIGHT_PAGE_BYTES - 16);
	assert_int_equal(mx_weight_block_bytes(&big, 2) % MX_WEIGHT_PAGE_BYTES,
			 0);
	assert_int_equal(mx_weight_block_count(&none), 0);
	assert_int_equal(mx_weight_total_bytes(&none), 0);
}

static void specs_from_files_are_checked(void **state)
{
	static const struct {
		struct mx_weight_spec spec;
		int want;
	} cases[] = {
		{{0, 0, 0, 0, 0}, 0},
		{{0, 1, 0, 0, 0}, -EBADMSG},
		{{0, 0, 0, 1, 0}, -EBADMSG},
		{{10, 5, 1, 4, 1}, 0},
		{{10, 0, 1, 4, 1}, 0},
		{{10, 0, 0, 4, 1}, -EBADMSG},
		{{10, 5, 1, 0, 1}, -EBADMSG},
		{{10, 5, 1, 4, 0}, -EBADMSG},
		{{10, 5, 1, 4, 5}, -EBADMSG},
		{{10, 5, 17, 4, 1}, -EBADMSG},
		{{UINT64_MAX, 5, 1, 4, 1}, -EBADMSG},
		{{10, UINT64_MAX, 1, 4, 1}, -EBADMSG},
		{{(uint64_t)1 << 30, (uint64_t)1 << 30, 0, 4, 1}, -EBADMSG},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mx_weight_spec_check(&cases[i].spec, NULL),
				 cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_major_strides_end_in_one),
		cmocka_unit_test(channels_last_strides_follow_the_pitch),
		cmocka_unit_test(layouts_that_do_not_fit_are_refused),
		cmocka_unit_test(blocks_are_padded_and_the_last_is_shorter),
		cmocka_unit_test(specs_from_files_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
