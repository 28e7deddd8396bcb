#include "tests/op_fixture.h"

#include "lib/box.h"

#define SIZE 6000

struct place {
	float from[SIZE];
	float to[SIZE];
};

static void fill(struct place *place)
{
	size_t i;

	for (i = 0; i < SIZE; i++) {
		place->from[i] = (float)i;
		place->to[i] = -1.0f;
	}
}

/* Copy in @parts parts, backwards, and compare with element by element. */
static void expect_copied(struct place *place, const struct mx_box *box,
			  size_t parts)
{
	const size_t elems = mx_shape_elems(&box->shape);
	float want[SIZE];
	size_t index[MX_RANK_MAX];
	size_t i, d;

	memcpy(want, place->to, sizeof(want));
	for (i = 0; i < elems; i++) {
		float *to = want + (box->out - place->to);
		const float *from = box->in;

		op_unravel(&box->shape, i, index);
		for (d = 0; d < box->shape.rank; d++) {
			to += index[d] * box->out_stride[d];
			from += (ptrdiff_t)index[d] * box->in_stride[d];
		}
		*to = *from;
	}
	for (i = parts; i-- > 0;)
		mx_box_copy(box, (struct mx_range){i, i + 1}, parts);
	assert_memory_equal(place->to, want, sizeof(want));
}

static void strides_of_any_sign_and_order_are_followed(void **state)
{
	static const struct {
		size_t dim[3];
		size_t out_at, in_at;
		size_t out[3];
		ptrdiff_t in[3];
	} cases[] = {
		{{4, 5, 6}, 0, 0, {30, 6, 1}, {30, 6, 1}}, /* as it lies */
		{{4, 5, 6}, 0, 0, {1, 4, 20}, {30, 6, 1}}, /* transposed */
		{{40, 5, 21}, 3, 0, {1, 850, 40}, {105, 21, 1}},
		{{3, 40, 21}, 0, 7, {1, 63, 3}, {840, 21, 1}}, /* picture */
		{{21, 3, 40}, 0, 0, {40, 840, 1}, {3, 1, 63}}, /* and back */
		{{4, 5, 6}, 1, 119, {30, 6, 1}, {-30, -6, -1}}, /* mirrored */
		{{19, 5, 33}, 0, 4000, {1, 19, 95}, {5, 100, -120}},
		{{4, 5, 6}, 0, 9, {30, 6, 1}, {0, 0, 0}}, /* one value */
		{{4, 5, 6}, 0, 9, {30, 6, 1}, {0, 1, 0}},
		{{4, 0, 6}, 0, 0, {30, 6, 1}, {30, 6, 1}}, /* nothing */
	};
	struct place place;
	size_t c, parts;

	(void)state;
	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
		for (parts = 1; parts < 8; parts += 2) {
			struct mx_box box = {
				.shape = mx_shape_of(3, cases[c].dim),
				.out = place.to + cases[c].out_at,
				.in = place.from + cases[c].in_at,
			};

			memcpy(box.out_stride, cases[c].out,
			       sizeof(cases[c].out));
			memcpy(box.in_stride, cases[c].in, sizeof(cases[c].in));
			fill(&place);
			expect_copied(&place, &box, parts);
		}
}

static void the_same_place_is_left_alone(void **state)
{
	/* Read-only memory: writing what is there already would be seen. */
	static const float constant[] = {1, 2, 3, 4};
	struct mx_box box = {
		.shape = mx_shape_of(2, (size_t[]){2, 2}),
		.out = (float *)(uintptr_t)constant,
		.in = constant,
		.out_stride = {2, 1},
		.in_stride = {2, 1},
	};

	(void)state;
	mx_box_copy(&box, (struct mx_range){0, 1}, 1);
	assert_true(constant[3] == 4.0f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strides_of_any_sign_and_order_are_followed),
		cmocka_unit_test(the_same_place_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
