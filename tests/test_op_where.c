#include "tests/op_fixture.h"

static void expect(struct op_run *run)
{
	const struct mx_shape *out = &run->layer.out_shape[0];
	const size_t elems = mx_shape_elems(out);
	double *want = op_doubles(run, elems);
	size_t index[MX_RANK_MAX];
	size_t i, n;

	for (i = 0; i < elems; i++) {
		float v[3];

		op_unravel(out, i, index);
		for (n = 0; n < 3; n++)
			v[n] = run->in[n].values[op_ravel(
				&run->in[n].tensor.shape, index, out->rank)];
		want[i] = v[0] != 0.0f ? (double)v[1] : (double)v[2];
	}
	op_expect(run, 0, want, 0);
}

/* About half of the conditions are 0. */
static float *conditions(struct op_run *run, size_t count)
{
	float *values = op_random(run, count, 9, -1, 1);
	size_t i;

	for (i = 0; i < count; i++)
		values[i] = values[i] < 0.0f ? 0.0f : values[i];
	return values;
}

static void inputs_broadcast_in_any_layout(void **state)
{
	size_t c, x, o;

	(void)state;
	for (c = 0; c < OP_LAYOUT_COUNT; c++)
		for (x = 0; x < OP_LAYOUT_COUNT; x++)
			for (o = 0; o < OP_LAYOUT_COUNT; o++) {
				struct op_run run;

				op_begin(&run, "Where");
				OP_INPUT(&run, conditions(&run, 7 * 3), 7, 1,
					 3);
				OP_INPUT(&run,
					 op_random(&run, 2 * 7 * 5, 1, -1, 1),
					 2, 7, 5, 1);
				OP_INPUT(&run,
					 op_random(&run, 14 * 15, 2, 5, 6), 2,
					 7, 5, 3);
				op_input_layout(&run, 0, OP_LAYOUTS[c].layout,
						OP_LAYOUTS[c].gap);
				op_input_layout(&run, 1, OP_LAYOUTS[x].layout,
						OP_LAYOUTS[x].gap);
				op_bind(&run);
				OP_EXPECT_SHAPE(&run, 0, 2, 7, 5, 3);
				op_output_layout(&run, 0, OP_LAYOUTS[o].layout,
						 OP_LAYOUTS[o].gap);
				expect(&run);
				op_end(&run);
			}
}

static void a_scalar_condition_and_in_place_work(void **state)
{
	int place;

	(void)state;
	for (place = 1; place < 3; place++) {
		const float yes = 1;
		struct op_run run;

		op_begin(&run, "Where");
		op_input(&run, &yes, 0, NULL);
		OP_INPUT(&run, op_random(&run, 600, 1, -1, 1), 600);
		OP_INPUT(&run, op_random(&run, 600, 2, 5, 6), 600);
		op_bind(&run);
		op_in_place(&run, place);
		expect(&run);
		op_end(&run);
	}
}

static void shapes_that_do_not_broadcast_are_refused(void **state)
{
	const float x[4] = {0};
	struct op_run run;

	(void)state;
	op_begin(&run, "Where");
	OP_INPUT(&run, x, 2);
	OP_INPUT(&run, x, 3);
	OP_INPUT(&run, x, 1);
	op_bind_fails(&run, "2, 3 and 1 do not broadcast");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_broadcast_in_any_layout),
		cmocka_unit_test(a_scalar_condition_and_in_place_work),
		cmocka_unit_test(shapes_that_do_not_broadcast_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
