#include "lib/view.h"

#include <string.h>

#include "tests/check.h"

static void channels_last_is_filled_from_row_major_and_back(void **state)
{
	const struct mx_tensor tensor = {
		.shape = {4, {1, 2, 1, 3}},
		.layout = MX_LAYOUT_CHANNELS_LAST,
		.offset_elems = 1,
		.pitch = 3,
	};
	static const float plain[6] = {1, 2, 3, 4, 5, 6};
	static const float want[9] = {-1, 1, 4, -1, 2, 5, -1, 3, 6};
	float memory[9];
	float back[6] = {0};
	struct mx_view view;
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++)
		memory[i] = -1;
	mx_view_init(&view, &tensor, memory);
	mx_view_load(&view, plain);
	assert_memory_equal(memory, want, sizeof(want));
	mx_view_store(&view, back);
	assert_memory_equal(back, plain, sizeof(plain));
	assert_false(mx_view_is_dense(&view));
}

static void row_major_is_copied_as_it_is(void **state)
{
	const struct mx_tensor tensor = {
		.shape = {2, {2, 2}},
		.offset_elems = 1,
	};
	static const float plain[4] = {1, 2, 3, 4};
	float memory[5] = {0};
	float back[4] = {0};
	struct mx_view view;

	(void)state;
	mx_view_init(&view, &tensor, memory);
	assert_true(mx_view_is_dense(&view));
	mx_view_load(&view, plain);
	assert_memory_equal(memory + 1, plain, sizeof(plain));
	assert_true(memory[0] == 0.0f);
	mx_view_store(&view, back);
	assert_memory_equal(back, plain, sizeof(plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			channels_last_is_filled_from_row_major_and_back),
		cmocka_unit_test(row_major_is_copied_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
