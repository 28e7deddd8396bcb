/*
 * The output line by line: what lies over x is copied, what lies beside it
 * comes from the mode's rule, element by element.
 */
#include "lib/op.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/err.h"
#include "lib/lines.h"
#include "lib/size.h"

#define LIMIT ((int64_t)MX_ELEMS_MAX)

/* Stored in models: never renumber. */
enum mode { CONSTANT, REFLECT, EDGE, MODE_COUNT };

/* No element of x: the constant. */
#define OUTSIDE ((ptrdiff_t)-1)

struct pad {
	int64_t begin[MX_RANK_MAX];
	int64_t end[MX_RANK_MAX];
	size_t begin_count;
	size_t end_count;
	int64_t mode;
	float value;
};

static int bind(void *params, const struct mx_attrs *attrs, struct mx_err *err)
{
	struct pad *p = params;
	int rc;

	rc = mx_attrs_ints_in(attrs, "begin", -LIMIT, LIMIT, p->begin,
			      MX_RANK_MAX, &p->begin_count, err);
	if (!rc)
		rc = mx_attrs_ints_in(attrs, "end", -LIMIT, LIMIT, p->end,
				      MX_RANK_MAX, &p->end_count, err);
	if (!rc)
		rc = mx_attrs_int_in(attrs, "mode", CONSTANT, CONSTANT,
				     MODE_COUNT - 1, &p->mode, err);
	p->value = mx_attrs_float(attrs, "value", 0.0f);
	return rc;
}

static int infer(const struct mx_layer *layer, const struct mx_shape *in,
		 struct mx_shape *out, struct mx_err *err)
{
	const struct pad *p = layer->params;
	uint32_t i;

	if (p->begin_count != in[0].rank || p->end_count != in[0].rank)
		return mx_fail(err, EBADMSG, "%zu begins, %zu ends for rank %u",
			       p->begin_count, p->end_count, in[0].rank);
	out[0] = in[0];
	for (i = 0; i < in[0].rank; i++) {
		/* Three numbers of at most 2^40 each. */
		const int64_t dim =
			(int64_t)in[0].dim[i] + p->begin[i] + p->end[i];

		if (dim < 0 ||
		    (dim > 0 && in[0].dim[i] == 0 && p->mode != CONSTANT))
			return mx_fail(err, EBADMSG,
				       "dimension %u of %zu cannot be padded by"
				       " %" PRId64 " and %" PRId64,
				       i, in[0].dim[i], p->begin[i], p->end[i]);
		out[0].dim[i] = (size_t)dim;
	}
	return 0;
}

static size_t tiles(const struct mx_layer *layer)
{
	return mx_lines_parts(mx_shape_elems(layer->out_shape));
}

/* The index in x, of @dim elements, for index @at - begin; or OUTSIDE. */
static ptrdiff_t source(int64_t mode, ptrdiff_t at, ptrdiff_t dim)
{
	ptrdiff_t period;

	if (at >= 0 && at < dim)
		return at;
	if (mode == CONSTANT)
		return OUTSIDE;
	if (mode == EDGE || dim == 1)
		return at < 0 ? 0 : dim - 1;
	period = 2 * (dim - 1);
	at %= period;
	if (at < 0)
		at += period;
	return at < dim ? at : period - at;
}

struct walk {
	const struct pad *p;
	const struct mx_view *in;
	const struct mx_view *out;
	uint32_t along; /* the dimension of the lines */
	size_t length;
};

/* The dimension that is innermost in the output's memory. */
static uint32_t find_along(const struct mx_view *out)
{
	uint32_t along = 0;
	uint32_t i;

	for (i = 1; i < out->shape.rank; i++)
		if (out->shape.dim[along] == 1 ||
		    (out->shape.dim[i] > 1 &&
		     out->stride[i] < out->stride[along]))
			along = i;
	return along;
}

/* Where line @line begins in the output, and in x at index 0 of the line's
 * dimension; returns NULL for x if the line lies outside of it. */
static const float *find_line(const struct walk *walk, size_t line, float **out)
{
	const struct mx_view *in = walk->in;
	ptrdiff_t offset = 0;
	int is_outside = 0;
	uint32_t i;

	*out = walk->out->data;
	for (i = walk->out->shape.rank; i-- > 0;) {
		const size_t dim = walk->out->shape.dim[i];
		ptrdiff_t from;

		if (i == walk->along)
			continue;
		*out += line % dim * walk->out->stride[i];
		from = source(walk->p->mode,
			      (ptrdiff_t)(line % dim) - walk->p->begin[i],
			      (ptrdiff_t)in->shape.dim[i]);
		is_outside |= from == OUTSIDE;
		offset += from * (ptrdiff_t)in->stride[i];
		line /= dim;
	}
	return is_outside || mx_shape_elems(&in->shape) == 0
		       ? NULL
		       : in->data + offset;
}

/* Elements [@begin, @end) of a line, by the rule. @x is NULL outside. */
static void fill(const struct walk *walk, float *out, const float *x,
		 size_t begin, size_t end)
{
	const uint32_t along = walk->along;
	const size_t step = walk->out->stride[along];
	size_t i;

	for (i = begin; i < end; i++) {
		ptrdiff_t from = OUTSIDE;

		if (x)
			from = source(walk->p->mode,
				      (ptrdiff_t)i - walk->p->begin[along],
				      (ptrdiff_t)walk->in->shape.dim[along]);
		out[i * step] =
			from == OUTSIDE
				? walk->p->value
				: x[from * (ptrdiff_t)walk->in->stride[along]];
	}
}

static void do_line(const struct walk *walk, size_t line)
{
	const ptrdiff_t begin = walk->p->begin[walk->along];
	const ptrdiff_t length = (ptrdiff_t)walk->length;
	const ptrdiff_t dim = (ptrdiff_t)walk->in->shape.dim[walk->along];
	const size_t out_step = walk->out->stride[walk->along];
	const size_t in_step = walk->in->stride[walk->along];
	ptrdiff_t first = begin < 0 ? 0 : begin;
	ptrdiff_t last = begin + dim;
	float *out;
	const float *x = find_line(walk, line, &out);

	if (!x) {
		fill(walk, out, NULL, 0, walk->length);
		return;
	}
	first = first < length ? first : length;
	last = last < length ? last : length;
	last = last > first ? last : first;
	fill(walk, out, x, 0, (size_t)first);
	if (out_step == 1 && in_step == 1 && last > first)
		memcpy(out + first, x + (first - begin),
		       (size_t)(last - first) * sizeof(*x));
	else
		fill(walk, out, x, (size_t)first, (size_t)last);
	fill(walk, out, x, (size_t)last, walk->length);
}

/* A scalar: no dimension to run along, and nothing to pad. */
static void copy_scalar(const struct mx_op_args *args, struct mx_range parts)
{
	if (parts.begin < parts.end)
		*args->out[0].data = *args->in[0].data;
}

static void run(const struct mx_op_args *args, struct mx_range parts)
{
	const size_t elems = mx_shape_elems(&args->out[0].shape);
	struct walk walk = {
		.p = args->layer->params,
		.in = &args->in[0],
		.out = &args->out[0],
	};
	struct mx_range lines;
	size_t line;

	if (args->out[0].shape.rank == 0) {
		copy_scalar(args, parts);
		return;
	}
	if (elems == 0)
		return;
	walk.along = find_along(walk.out);
	walk.length = walk.out->shape.dim[walk.along];
	lines = mx_lines_of_parts(elems / walk.length, args->layer->tile_count,
				  parts);
	for (line = lines.begin; line < lines.end; line++)
		do_line(&walk, line);
}

const struct mx_op mx_op_pad = {
	.name = "Pad",
	.in_min = 1,
	.in_max = 1,
	.out_max = 1,
	.params_bytes = sizeof(struct pad),
	.bind = bind,
	.infer = infer,
	.tiles = tiles,
	.run = run,
};
