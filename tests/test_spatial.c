#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/attr.h"
#include "lib/err.h"
#include "lib/shape.h"
#include "lib/spatial.h"
#include "lib/view.h"

struct fixture {
	struct mx_attrs attrs;
	struct mx_spatial spatial;
	struct mx_err err;
};

static int begin(void **state)
{
	static struct fixture fx;

	memset(&fx, 0, sizeof(fx));
	*state = &fx;
	return 0;
}

static int end(void **state)
{
	struct fixture *fx = *state;

	mx_attrs_fini(&fx->attrs);
	return 0;
}

#define INTS(fx, name, ...)                                                    \
	assert_int_equal(                                                      \
		mx_attrs_set_ints(&(fx)->attrs, name,                          \
				  (const int64_t[]){__VA_ARGS__},              \
				  sizeof((const int64_t[]){__VA_ARGS__}) /     \
					  sizeof(int64_t)),                    \
		0)

static void expect3(const size_t got[MX_SPATIAL_DIMS], size_t d, size_t h,
		    size_t w)
{
	assert_int_equal(got[MX_SPATIAL_DEPTH], d);
	assert_int_equal(got[MX_SPATIAL_HEIGHT], h);
	assert_int_equal(got[MX_SPATIAL_WIDTH], w);
}

static void expect_refusal(struct fixture *fx, const char *text)
{
	assert_int_equal(mx_spatial_bind(&fx->spatial, &fx->attrs, &fx->err),
			 -EBADMSG);
	assert_non_null(strstr(fx->err.text, text));
}

static void settings_are_normalised_to_three_dimensions(void **state)
{
	struct fixture *fx = *state;

	INTS(fx, "kernel", 5);
	INTS(fx, "pad_end", 2);
	assert_int_equal(mx_spatial_bind(&fx->spatial, &fx->attrs, &fx->err),
			 0);
	assert_int_equal(fx->spatial.rank, 1);
	assert_int_equal(fx->spatial.groups, 1);
	expect3(fx->spatial.kernel, 1, 1, 5);
	expect3(fx->spatial.stride, 1, 1, 1);
	expect3(fx->spatial.dilation, 1, 1, 1);
	expect3(fx->spatial.pad_begin, 0, 0, 0);
	expect3(fx->spatial.pad_end, 0, 0, 2);
	expect3(fx->spatial.output_pad, 0, 0, 0);

	INTS(fx, "kernel", 2, 3, 4);
	INTS(fx, "stride", 5, 6, 7);
	INTS(fx, "dilation", 8, 9, 10);
	INTS(fx, "pad_begin", 11, 12, 13);
	INTS(fx, "pad_end", 14, 15, 16);
	INTS(fx, "output_pad", 17, 18, 19);
	INTS(fx, "groups", 20);
	assert_int_equal(mx_spatial_bind(&fx->spatial, &fx->attrs, &fx->err),
			 0);
	assert_int_equal(fx->spatial.rank, 3);
	assert_int_equal(fx->spatial.groups, 20);
	expect3(fx->spatial.kernel, 2, 3, 4);
	expect3(fx->spatial.stride, 5, 6, 7);
	expect3(fx->spatial.dilation, 8, 9, 10);
	expect3(fx->spatial.pad_begin, 11, 12, 13);
	expect3(fx->spatial.pad_end, 14, 15, 16);
	expect3(fx->spatial.output_pad, 17, 18, 19);
	assert_int_equal(mx_spatial_window(&fx->spatial), 24);
	assert_int_equal(mx_spatial_extent(&fx->spatial, MX_SPATIAL_DEPTH), 9);
	assert_int_equal(mx_spatial_extent(&fx->spatial, MX_SPATIAL_WIDTH), 31);
}

static void values_outside_their_range_are_refused(void **state)
{
	static const char *const at_least_1[] = {"kernel", "stride",
						 "dilation"};
	static const char *const all[] = {"kernel",    "stride",  "dilation",
					  "pad_begin", "pad_end", "output_pad"};
	struct fixture *fx = *state;
	size_t i;

	expect_refusal(fx, "kernel is missing");
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		INTS(fx, "kernel", 3, 3);
		INTS(fx, all[i], 3, MX_SPATIAL_MAX + 1);
		expect_refusal(fx, all[i]);
		INTS(fx, all[i], 3, MX_SPATIAL_MAX);
		assert_int_equal(
			mx_spatial_bind(&fx->spatial, &fx->attrs, &fx->err), 0);
		INTS(fx, all[i], 3, -1);
		expect_refusal(fx, all[i]);
		INTS(fx, all[i], 1, 1);
	}
	for (i = 0; i < sizeof(at_least_1) / sizeof(at_least_1[0]); i++) {
		INTS(fx, at_least_1[i], 0, 1);
		expect_refusal(fx, at_least_1[i]);
		INTS(fx, at_least_1[i], 1, 1);
	}
	INTS(fx, "groups", 0);
	expect_refusal(fx, "groups");
	INTS(fx, "groups", 1);
	INTS(fx, "stride", 1, 1, 1);
	expect_refusal(fx, "stride has 3 values for 2 spatial dimensions");
}

static void shapes_go_both_ways(void **state)
{
	const size_t dims[] = {2, 3, 5, 7};
	const struct mx_shape in = mx_shape_of(4, dims);
	struct fixture *fx = *state;
	size_t dim[MX_SPATIAL_DIMS];
	struct mx_shape out;

	INTS(fx, "kernel", 1, 1);
	assert_int_equal(mx_spatial_bind(&fx->spatial, &fx->attrs, &fx->err),
			 0);
	assert_int_equal(mx_spatial_dims(&fx->spatial, &in, dim, &fx->err), 0);
	expect3(dim, 1, 5, 7);
	assert_int_equal(
		mx_spatial_shape(&fx->spatial, 2, 3, dim, &out, &fx->err), 0);
	assert_true(mx_shape_equal(&out, &in));

	dim[MX_SPATIAL_WIDTH] = MX_ELEMS_MAX;
	assert_int_equal(
		mx_spatial_shape(&fx->spatial, 2, 3, dim, &out, &fx->err),
		-EBADMSG);
	fx->spatial.rank = 1;
	assert_int_equal(mx_spatial_dims(&fx->spatial, &in, dim, &fx->err),
			 -EBADMSG);
	assert_string_equal(fx->err.text,
			    "input has rank 4, a kernel of 1 dimensions "
			    "wants 3");
}

static void a_map_has_the_views_strides(void **state)
{
	const size_t dims[] = {2, 3, 5, 7};
	float data[1];
	struct mx_tensor tensor = {.shape = mx_shape_of(4, dims),
				   .layout = MX_LAYOUT_CHANNELS_LAST,
				   .pitch = 4};
	struct mx_spatial_map map;
	struct mx_view view;

	(void)state;
	mx_view_init(&view, &tensor, data);
	mx_spatial_map_init(&map, &view);
	assert_ptr_equal(map.data, data);
	assert_int_equal(map.batch, 2);
	assert_int_equal(map.channels, 3);
	expect3(map.dim, 1, 5, 7);
	expect3(map.stride, 0, 28, 4);
	assert_int_equal(map.batch_stride, 140);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			settings_are_normalised_to_three_dimensions, begin,
			end),
		cmocka_unit_test_setup_teardown(
			values_outside_their_range_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(shapes_go_both_ways, begin,
						end),
		cmocka_unit_test_setup_teardown(a_map_has_the_views_strides,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
