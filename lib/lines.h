/*
 * Lines: the loops of operators that work element by element on strided
 * operands. The common index space is cut into lines along the dimension that
 * is innermost in operand 0's memory; dimensions that lie behind each other in
 * every operand are merged, so that dense operands become few long lines.
 *
 * A stride of 0 repeats an element (broadcasting).
 */
#ifndef MX_LIB_LINES_H
#define MX_LIB_LINES_H

#include <stddef.h>

#include "lib/op.h"
#include "lib/shape.h"
#include "lib/view.h"

#define MX_LINES_OPERANDS_MAX 5

struct mx_lines {
	size_t count; /* lines; 0 when the space is empty */
	size_t length; /* elements of a line */
	size_t step[MX_LINES_OPERANDS_MAX]; /* stride inside a line */
	/* The rest is for struct mx_lines_walk. */
	unsigned operand_count;
	unsigned rank;
	size_t dim[MX_RANK_MAX];
	size_t stride[MX_LINES_OPERANDS_MAX][MX_RANK_MAX];
};

/* One operand: strides for each dimension of the space. */
struct mx_lines_operand {
	size_t stride[MX_RANK_MAX];
};

/*
 * Plan the lines of @space for @count operands (1 .. OPERANDS_MAX).
 * Operand 0 decides the order: it should be the output.
 */
void mx_lines_init(struct mx_lines *lines, const struct mx_shape *space,
		   const struct mx_lines_operand *operands, unsigned count);

/* An operand's strides for @space, @view broadcast to it by NumPy's rule. */
void mx_lines_broadcast(struct mx_lines_operand *operand,
			const struct mx_view *view,
			const struct mx_shape *space);

/* Lines one after the other: begin at one, then go on from line to line. */
struct mx_lines_walk {
	/* Where the line begins: elements from each operand's element 0. */
	size_t offset[MX_LINES_OPERANDS_MAX];
	size_t index[MX_RANK_MAX];
};
void mx_lines_begin(const struct mx_lines *lines, size_t line,
		    struct mx_lines_walk *walk);
/* Past the last line it begins again. */
void mx_lines_next(const struct mx_lines *lines, struct mx_lines_walk *walk);

/*
 * The number of parts for elementwise work over @elems elements: one for each
 * 16 Ki elements, at least 1. And the lines [begin, end) of @parts out of
 * @part_count parts, when there are @line_count.
 */
size_t mx_lines_parts(size_t elems);
struct mx_range mx_lines_of_parts(size_t line_count, size_t part_count,
				  struct mx_range parts);

#endif
