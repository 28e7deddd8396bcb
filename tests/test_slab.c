#include "pager/slab.h"

#include "lib/err.h"
#include "tests/check.h"

#define UNIT ((size_t)MX_SLAB_UNIT_BYTES)

static void buffers_do_not_overlap_and_come_back(void **state)
{
	struct mx_slab slab;
	unsigned char *a, *b, *c;

	(void)state;
	assert_int_equal(mx_slab_init(&slab, 4 * UNIT - 1, NULL), 0);
	assert_int_equal(slab.size_bytes, 4 * UNIT);
	a = mx_slab_take(&slab, 1);
	b = mx_slab_take(&slab, UNIT + 1);
	c = mx_slab_take(&slab, UNIT);
	assert_ptr_equal(a, slab.memory);
	assert_ptr_equal(b, slab.memory + UNIT);
	assert_ptr_equal(c, slab.memory + 3 * UNIT);
	assert_int_equal(slab.used_bytes, 4 * UNIT);
	assert_null(mx_slab_take(&slab, 1));
	mx_slab_give(&slab, b);
	assert_int_equal(slab.used_bytes, 2 * UNIT);
	assert_null(mx_slab_take(&slab, 2 * UNIT + 1));
	assert_ptr_equal(mx_slab_take(&slab, 2 * UNIT), b);
	mx_slab_give(&slab, a);
	assert_ptr_equal(mx_slab_take(&slab, UNIT), a);
	mx_slab_fini(&slab);
}

static void an_empty_slab_gives_nothing(void **state)
{
	struct mx_slab slab;

	(void)state;
	assert_int_equal(mx_slab_init(&slab, 0, NULL), 0);
	assert_null(mx_slab_take(&slab, 1));
	mx_slab_fini(&slab);
}

static void many_small_buffers_fit(void **state)
{
	enum { COUNT = 300 };
	struct mx_slab slab;
	void *buffer[COUNT];
	int i;

	(void)state;
	assert_int_equal(mx_slab_init(&slab, COUNT * UNIT, NULL), 0);
	for (i = 0; i < COUNT; i++) {
		buffer[i] = mx_slab_take(&slab, UNIT);
		assert_ptr_equal(buffer[i], slab.memory + (size_t)i * UNIT);
	}
	assert_null(mx_slab_take(&slab, 1));
	for (i = 0; i < COUNT; i += 2)
		mx_slab_give(&slab, buffer[i]);
	assert_null(mx_slab_take(&slab, 2 * UNIT));
	for (i = 1; i < COUNT; i += 2)
		mx_slab_give(&slab, buffer[i]);
	assert_int_equal(slab.used_bytes, 0);
	assert_ptr_equal(mx_slab_take(&slab, COUNT * UNIT), slab.memory);
	mx_slab_fini(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_do_not_overlap_and_come_back),
		cmocka_unit_test(an_empty_slab_gives_nothing),
		cmocka_unit_test(many_small_buffers_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
