#include "tests/op_fixture.h"

#include "lib/activation.h"

static void what_is_stored_comes_back(void **state)
{
	struct mx_attrs attrs = {0};
	struct mx_activation act, back;
	int kind;

	(void)state;
	for (kind = MX_ACTIVATION_NONE; kind < MX_ACTIVATION_COUNT; kind++) {
		act.kind = (enum mx_activation_kind)kind;
		act.a = 0.25f * (float)kind;
		act.b = -3.0f;
		assert_int_equal(mx_activation_store(&act, &attrs), 0);
		memset(&back, 0xff, sizeof(back));
		assert_int_equal(mx_activation_bind(&back, &attrs, NULL), 0);
		assert_int_equal(back.kind, kind);
		assert_true(back.a == act.a && back.b == -3.0f);
	}
	assert_int_equal(attrs.count, 2);
	mx_attrs_fini(&attrs);
}

static void absent_is_none(void **state)
{
	struct mx_attrs attrs = {0};
	struct mx_activation act;

	(void)state;
	memset(&act, 0xff, sizeof(act));
	assert_int_equal(mx_activation_bind(&act, &attrs, NULL), 0);
	assert_int_equal(act.kind, MX_ACTIVATION_NONE);
	assert_true(act.a == 0.0f && act.b == 0.0f);
}

static void broken_attributes_are_refused(void **state)
{
	static const int64_t kinds[] = {-1, MX_ACTIVATION_COUNT, INT64_MAX};
	const float ab[] = {1, 2, 3};
	struct mx_attrs attrs = {0};
	struct mx_activation act;
	struct mx_err err;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		mx_attrs_set_int(&attrs, MX_ATTR_ACTIVATION, kinds[i]);
		assert_int_equal(mx_activation_bind(&act, &attrs, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.text, MX_ATTR_ACTIVATION));
	}
	mx_attrs_set_int(&attrs, MX_ATTR_ACTIVATION, MX_ACTIVATION_CLIP);
	mx_attrs_set_floats(&attrs, MX_ATTR_ACTIVATION_AB, ab, 3);
	assert_int_equal(mx_activation_bind(&act, &attrs, &err), -EBADMSG);
	assert_string_equal(err.text,
			    "activation_ab has 3 floats instead of 2");
	mx_attrs_set_floats(&attrs, MX_ATTR_ACTIVATION_AB, ab, 1);
	assert_int_equal(mx_activation_bind(&act, &attrs, &err), -EBADMSG);
	mx_attrs_fini(&attrs);
}

static void only_some_are_clamps(void **state)
{
	static const struct {
		struct mx_activation act;
		int is_all;
		float low, high;
	} cases[] = {
		{{MX_ACTIVATION_NONE, 0, 0}, 1, -INFINITY, INFINITY},
		{{MX_ACTIVATION_RELU, 0, 0}, 1, 0, INFINITY},
		{{MX_ACTIVATION_RELU, 0.5f, 0}, 0, -INFINITY, INFINITY},
		{{MX_ACTIVATION_CLIP, -1, 6}, 1, -1, 6},
		{{MX_ACTIVATION_SIGMOID, 0, 0}, 0, -INFINITY, INFINITY},
	};
	float low, high;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			mx_activation_clamp(&cases[i].act, &low, &high),
			cases[i].is_all);
		assert_true(low == cases[i].low);
		assert_true(high == cases[i].high);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_stored_comes_back),
		cmocka_unit_test(absent_is_none),
		cmocka_unit_test(broken_attributes_are_refused),
		cmocka_unit_test(only_some_are_clamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
