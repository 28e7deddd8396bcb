#include "tests/op_fixture.h"

static void begin(struct op_run *run, size_t a, size_t b, size_t c)
{
	op_begin(run, "Reshape");
	OP_INPUT(run, op_random(run, a * b * c, 1, -1, 1), a, b, c);
}

static void expect_copy(struct op_run *run)
{
	const size_t elems = mx_shape_elems(&run->layer.in_shape[0]);
	double *want = op_doubles(run, elems);
	size_t i;

	for (i = 0; i < elems; i++)
		want[i] = (double)run->in[0].values[i];
	op_expect(run, 0, want, 0);
}

static void order_stays_and_the_shape_changes(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 4, 25, 199);
	OP_INTS(&run, "shape", 199, 1, 100);
	op_bind(&run);
	OP_EXPECT_SHAPE(&run, 0, 199, 1, 100);
	assert_int_equal(run.layer.tile_count, 2);
	expect_copy(&run);
	op_end(&run);
}

static void the_same_memory_stays(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 2, 3, 4);
	OP_INTS(&run, "shape", 24);
	op_bind(&run);
	op_in_place(&run, 0);
	expect_copy(&run);
	op_end(&run);
}

static void scalars_work(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 1, 1, 1);
	op_bind(&run);
	assert_int_equal(run.layer.out_shape[0].rank, 0);
	expect_copy(&run);
	op_end(&run);
}

static void another_number_of_elements_is_refused(void **state)
{
	struct op_run run;

	(void)state;
	begin(&run, 2, 3, 4);
	OP_INTS(&run, "shape", 5, 5);
	op_bind_fails(&run, "2x3x4 cannot become 5x5");
	op_end(&run);
	begin(&run, 2, 3, 4);
	OP_INTS(&run, "shape", 1099511627776, 1099511627776);
	op_bind_fails(&run, "cannot become");
	op_end(&run);
	begin(&run, 2, 3, 4);
	OP_INTS(&run, "shape", -24);
	op_bind_fails(&run, "shape");
	op_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_stays_and_the_shape_changes),
		cmocka_unit_test(the_same_memory_stays),
		cmocka_unit_test(scalars_work),
		cmocka_unit_test(another_number_of_elements_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
