/*
 * An operator with one input and one output in every layout on either side:
 * row-major, channels-last, and channels-last with gaps between pixels.
 */
#ifndef MX_TESTS_OP_LAYOUTS_H
#define MX_TESTS_OP_LAYOUTS_H

#include "tests/op_fixture.h"

/* Layout cases; a tensor whose rank allows row-major alone has one. */
static const struct {
	enum mx_layout layout;
	size_t gap;
} op_layouts[] = {
	{MX_LAYOUT_ROW_MAJOR, 0},
	{MX_LAYOUT_CHANNELS_LAST, 0},
	{MX_LAYOUT_CHANNELS_LAST, 5},
};

static OP_UNUSED size_t op_layout_count(const struct op_memory *memory)
{
	const uint32_t rank = memory->tensor.shape.rank;

	return rank >= 3 && rank <= 5
		       ? sizeof(op_layouts) / sizeof(op_layouts[0])
		       : 1;
}

/* op_expect() for output 0 in all layouts; the run is bound. */
static OP_UNUSED void op_expect_layouts(struct op_run *run,
					const double *expected,
					double tolerance)
{
	size_t in, out;

	for (in = 0; in < op_layout_count(&run->in[0]); in++)
		for (out = 0; out < op_layout_count(&run->out[0]); out++) {
			op_input_layout(run, 0, op_layouts[in].layout,
					op_layouts[in].gap);
			op_output_layout(run, 0, op_layouts[out].layout,
					 op_layouts[out].gap);
			op_expect(run, 0, expected, tolerance);
		}
}

/* The next index of @shape in row-major order; 0 past the last. */
static OP_UNUSED int op_next_index(const struct mx_shape *shape, size_t *index)
{
	uint32_t i;

	for (i = shape->rank; i-- > 0;) {
		if (++index[i] < shape->dim[i])
			return 1;
		index[i] = 0;
	}
	return 0;
}

/* The place of @index in a row-major array of @shape. */
static OP_UNUSED size_t op_flat_index(const struct mx_shape *shape,
				      const size_t *index)
{
	size_t flat = 0;
	uint32_t i;

	for (i = 0; i < shape->rank; i++)
		flat = flat * shape->dim[i] + index[i];
	return flat;
}

/* The place of the first member of the group that @index is in, when the
 * members differ in the dimensions of the bits of @axes. */
static OP_UNUSED size_t op_group_index(const struct mx_shape *shape,
				       const size_t *index, unsigned axes)
{
	size_t first[MX_RANK_MAX];
	uint32_t i;

	for (i = 0; i < shape->rank; i++)
		first[i] = axes & 1u << i ? 0 : index[i];
	return op_flat_index(shape, first);
}

/* "axes" from bits. */
static OP_UNUSED void op_set_axes(struct op_run *run, unsigned axes)
{
	int64_t list[MX_RANK_MAX];
	size_t count = 0;
	unsigned i;

	for (i = 0; i < MX_RANK_MAX; i++)
		if (axes & 1u << i)
			list[count++] = i;
	assert_int_equal(
		mx_attrs_set_ints(&run->layer.attrs, "axes", list, count), 0);
}

#endif
