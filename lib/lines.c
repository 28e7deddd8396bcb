#include "lib/lines.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/size.h"

/* Elements of a part, and the most that a line is merged to: a line is never
 * shared by two parts, so that lines much longer would leave parts empty. */
#define PART_ELEMS ((size_t)16384)

/* How far to look for a divisor that cuts an overlong line evenly. */
#define CUT_TRIES 64

static void remove_dim(struct mx_lines *lines, unsigned index)
{
	const size_t tail = lines->rank - index - 1;
	unsigned op;

	memmove(&lines->dim[index], &lines->dim[index + 1],
		tail * sizeof(lines->dim[0]));
	for (op = 0; op < lines->operand_count; op++)
		memmove(&lines->stride[op][index],
			&lines->stride[op][index + 1],
			tail * sizeof(lines->stride[0][0]));
	lines->rank--;
}

/* 1 if dimension @a lies further in than @b in operand 0's memory. */
static int is_inner(const struct mx_lines *lines, unsigned a, unsigned b)
{
	const size_t *stride = lines->stride[0];

	if (stride[a] != stride[b])
		return stride[a] < stride[b];
	return a > b;
}

/* Order the dimensions as operand 0 has them: the innermost last. */
static void sort(struct mx_lines *lines)
{
	struct mx_lines sorted = *lines;
	unsigned from, other, to, op;

	for (from = 0; from < lines->rank; from++) {
		to = 0;
		for (other = 0; other < lines->rank; other++)
			if (other != from && is_inner(lines, from, other))
				to++;
		sorted.dim[to] = lines->dim[from];
		for (op = 0; op < lines->operand_count; op++)
			sorted.stride[op][to] = lines->stride[op][from];
	}
	*lines = sorted;
}

/* 1 if dimension @outer continues where @outer + 1 ends, in all operands. */
static int can_merge(const struct mx_lines *lines, unsigned outer)
{
	const size_t dim = lines->dim[outer + 1];
	unsigned op;

	for (op = 0; op < lines->operand_count; op++)
		if (lines->stride[op][outer] !=
		    lines->stride[op][outer + 1] * dim)
			return 0;
	return 1;
}

static void merge(struct mx_lines *lines)
{
	unsigned outer = lines->rank ? lines->rank - 1 : 0;
	size_t product;

	while (outer-- > 0) {
		const int innermost = outer + 2 == lines->rank;

		product = lines->dim[outer] * lines->dim[outer + 1];
		if (!can_merge(lines, outer) ||
		    (innermost && product > PART_ELEMS))
			continue;
		lines->dim[outer + 1] = product;
		remove_dim(lines, outer);
	}
}

/* Cut an innermost dimension that is longer than a part, where it can be cut
 * evenly: lines have one length. */
static void cut(struct mx_lines *lines)
{
	const unsigned last = lines->rank - 1;
	const size_t length = lines->dim[last];
	size_t pieces = mx_size_div_up(length, PART_ELEMS);
	size_t tries;
	unsigned op;

	if (pieces < 2 || lines->rank == MX_RANK_MAX)
		return;
	for (tries = 0; tries < CUT_TRIES && length % pieces; tries++)
		pieces++;
	if (length % pieces)
		return;
	for (op = 0; op < lines->operand_count; op++) {
		const size_t step = lines->stride[op][last];

		lines->stride[op][last + 1] = step;
		lines->stride[op][last] = step * (length / pieces);
	}
	lines->dim[last + 1] = length / pieces;
	lines->dim[last] = pieces;
	lines->rank++;
}

void mx_lines_init(struct mx_lines *lines, const struct mx_shape *space,
		   const struct mx_lines_operand *operands, unsigned count)
{
	unsigned i, op;

	assert(count >= 1 && count <= MX_LINES_OPERANDS_MAX);
	memset(lines, 0, sizeof(*lines));
	lines->operand_count = count;
	lines->rank = space->rank;
	for (i = 0; i < space->rank; i++) {
		lines->dim[i] = space->dim[i];
		for (op = 0; op < count; op++)
			lines->stride[op][i] = operands[op].stride[i];
	}
	lines->count = 1;
	for (i = 0; i < space->rank; i++)
		if (space->dim[i] == 0)
			lines->count = 0;
	for (i = lines->rank; i-- > 0;)
		if (lines->dim[i] == 1)
			remove_dim(lines, i);
	lines->length = 1;
	if (!lines->rank || !lines->count)
		return;
	sort(lines);
	merge(lines);
	cut(lines);
	lines->length = lines->dim[--lines->rank];
	for (op = 0; op < count; op++)
		lines->step[op] = lines->stride[op][lines->rank];
	for (i = 0; i < lines->rank; i++)
		lines->count *= lines->dim[i];
}

void mx_lines_broadcast(struct mx_lines_operand *operand,
			const struct mx_view *view,
			const struct mx_shape *space)
{
	const uint32_t lead = space->rank - view->shape.rank;
	uint32_t i;

	assert(view->shape.rank <= space->rank);
	memset(operand, 0, sizeof(*operand));
	for (i = 0; i < view->shape.rank; i++)
		if (view->shape.dim[i] != 1)
			operand->stride[lead + i] = view->stride[i];
}

void mx_lines_begin(const struct mx_lines *lines, size_t line,
		    struct mx_lines_walk *walk)
{
	unsigned i, op;

	memset(walk, 0, sizeof(*walk));
	if (!lines->count)
		return;
	for (i = lines->rank; i-- > 0;) {
		const size_t index = line % lines->dim[i];

		line /= lines->dim[i];
		walk->index[i] = index;
		for (op = 0; op < lines->operand_count; op++)
			walk->offset[op] += index * lines->stride[op][i];
	}
}

void mx_lines_next(const struct mx_lines *lines, struct mx_lines_walk *walk)
{
	unsigned i, op;

	for (i = lines->rank; i-- > 0;) {
		for (op = 0; op < lines->operand_count; op++)
			walk->offset[op] += lines->stride[op][i];
		if (++walk->index[i] < lines->dim[i])
			return;
		walk->index[i] = 0;
		for (op = 0; op < lines->operand_count; op++)
			walk->offset[op] -=
				lines->dim[i] * lines->stride[op][i];
	}
}

size_t mx_lines_parts(size_t elems)
{
	return elems ? mx_size_div_up(elems, PART_ELEMS) : 1;
}

/* The first line of part @part: the first parts have a line more. */
static size_t first_line(size_t line_count, size_t part_count, size_t part)
{
	return part * (line_count / part_count) +
	       mx_size_min(part, line_count % part_count);
}

struct mx_range mx_lines_of_parts(size_t line_count, size_t part_count,
				  struct mx_range parts)
{
	struct mx_range lines;

	assert(part_count && parts.end <= part_count);
	lines.begin = first_line(line_count, part_count, parts.begin);
	lines.end = first_line(line_count, part_count, parts.end);
	return lines;
}
