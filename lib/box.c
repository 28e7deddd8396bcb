/*
 * Two ways. Where source and target run along the same dimension, lines are
 * copied. Where they do not (a transposition) the lines run along the target
 * and as many of them as cache lines hold elements are copied together, a
 * square at a time, so that every cache line of the source is read once.
 */
#include "lib/box.h"

#include <stdint.h>
#include <string.h>

#include "lib/lines.h"
#include "lib/size.h"

/* The side of a square: 16 floats are a cache line. */
#define SIDE ((size_t)16)
/* Lines copied together when they are short (channels-last pictures). */
#define SHORT_LINE ((size_t)8)
/* Too short to be worth a copy each. */
#define TINY_LINE ((size_t)4)
#define WIDE ((size_t)256)

enum { TO, FROM };

/* Bands: lines taken together along one of the outer dimensions. */
struct bands {
	struct mx_lines lines; /* one "line" for each band */
	unsigned across; /* that dimension */
	size_t extent; /* its size */
	size_t width; /* lines of a band */
	size_t to_step; /* from line to line in a band */
	ptrdiff_t from_step;
};

void mx_box_init(struct mx_box *box, const struct mx_shape *shape,
		 const struct mx_view *out, const struct mx_view *in)
{
	uint32_t i;

	memset(box, 0, sizeof(*box));
	box->shape = *shape;
	box->out = out->data;
	box->in = in->data;
	for (i = 0; i < shape->rank; i++) {
		box->out_stride[i] = out->stride[i];
		box->in_stride[i] = (ptrdiff_t)in->stride[i];
	}
}

static size_t distance(size_t stride)
{
	const ptrdiff_t step = (ptrdiff_t)stride;

	return step < 0 ? (size_t)-step : stride;
}

/* The outer dimension along which the source is tightest, tighter than along
 * the lines, or the next one if these are hardly lines. Returns 0 if there is
 * none: lines are right. */
static int find_across(const struct mx_lines *lines, unsigned *across)
{
	size_t best = distance(lines->step[FROM]);
	int found = 0;
	unsigned i;

	for (i = 0; i < lines->rank; i++) {
		const size_t stride = distance(lines->stride[FROM][i]);

		if (stride == 0 || stride >= best)
			continue;
		best = stride;
		*across = i;
		found = 1;
	}
	if (!found && lines->rank && lines->length <= TINY_LINE) {
		*across = lines->rank - 1;
		found = 1;
	}
	return found;
}

static int make_bands(struct bands *bands, const struct mx_lines *lines)
{
	unsigned i = 0;
	unsigned op;

	if (!lines->count || !find_across(lines, &i))
		return 0;
	bands->lines = *lines;
	bands->across = i;
	bands->extent = lines->dim[i];
	bands->width = lines->length <= SHORT_LINE ? WIDE : SIDE;
	bands->to_step = lines->stride[TO][i];
	bands->from_step = (ptrdiff_t)lines->stride[FROM][i];
	bands->lines.dim[i] = mx_size_div_up(bands->extent, bands->width);
	bands->lines.count = lines->count / bands->extent * bands->lines.dim[i];
	for (op = 0; op < lines->operand_count; op++)
		bands->lines.stride[op][i] *= bands->width;
	return 1;
}

/* Lines of band @band: the last one along the dimension may be narrow. */
static size_t band_width(const struct bands *bands, size_t band)
{
	unsigned i;

	for (i = bands->lines.rank - 1; i > bands->across; i--)
		band /= bands->lines.dim[i];
	band %= bands->lines.dim[bands->across];
	return mx_size_min(bands->width, bands->extent - band * bands->width);
}

static void copy_band(const struct bands *bands, float *to, const float *from,
		      size_t width)
{
	const size_t length = bands->lines.length;
	const size_t to_along = bands->lines.step[TO];
	const ptrdiff_t from_along = (ptrdiff_t)bands->lines.step[FROM];
	size_t begin, i, k;

	for (begin = 0; begin < length; begin += SIDE) {
		const size_t end = mx_size_min(begin + SIDE, length);

		for (i = begin; i < end; i++) {
			float *t = to + i * to_along;
			const float *f = from + (ptrdiff_t)i * from_along;

			for (k = 0; k < width; k++)
				t[k * bands->to_step] =
					f[(ptrdiff_t)k * bands->from_step];
		}
	}
}

static void copy_line(const struct mx_lines *lines, float *to,
		      const float *from)
{
	const size_t length = lines->length;
	const size_t to_step = lines->step[TO];
	const ptrdiff_t from_step = (ptrdiff_t)lines->step[FROM];
	size_t i;

	if (to_step == 1 && from_step == 1) {
		memcpy(to, from, length * sizeof(*to));
		return;
	}
	for (i = 0; i < length; i++)
		to[i * to_step] = from[(ptrdiff_t)i * from_step];
}

static int is_same_place(const struct mx_box *box)
{
	uint32_t i;

	if (box->out != box->in)
		return 0;
	for (i = 0; i < box->shape.rank; i++)
		if (box->shape.dim[i] > 1 &&
		    box->out_stride[i] != (size_t)box->in_stride[i])
			return 0;
	return 1;
}

void mx_box_copy(const struct mx_box *box, struct mx_range parts,
		 size_t part_count)
{
	struct mx_lines_operand operands[2];
	struct mx_lines_walk walk;
	struct mx_lines lines;
	struct mx_range range;
	struct bands bands = {.width = 0};
	int is_banded;
	uint32_t i;
	size_t at;

	if (is_same_place(box))
		return;
	/* Negative strides wrap around, and so do the offsets: going back to
	 * ptrdiff_t at the pointer undoes it. */
	for (i = 0; i < box->shape.rank; i++) {
		operands[TO].stride[i] = box->out_stride[i];
		operands[FROM].stride[i] = (size_t)box->in_stride[i];
	}
	mx_lines_init(&lines, &box->shape, operands, 2);
	is_banded = make_bands(&bands, &lines);
	if (is_banded)
		lines = bands.lines;
	range = mx_lines_of_parts(lines.count, part_count, parts);
	mx_lines_begin(&lines, range.begin, &walk);
	for (at = range.begin; at < range.end; at++) {
		float *to = box->out + walk.offset[TO];
		const float *from = box->in + (ptrdiff_t)walk.offset[FROM];

		mx_lines_next(&lines, &walk);
		if (is_banded)
			copy_band(&bands, to, from, band_width(&bands, at));
		else
			copy_line(&lines, to, from);
	}
}
