#include "lib/elementwise.h"

#include <assert.h>
#include <string.h>

#include "lib/lines.h"
#include "lib/network.h"
#include "lib/size.h"

/* What is gathered from strided operands at a time. */
#define CHUNK ((size_t)256)

/* Rows of a block of vectors: one block for any usual number of channels. */
#define BLOCK_ROWS 16384

struct walk {
	const struct mx_op_args *args;
	const struct mx_elementwise *work;
	struct mx_lines lines;
	int is_direct; /* lines can be handed on as they lie */
};

static void walk_init(struct walk *walk, const struct mx_op_args *args,
		      const struct mx_elementwise *work)
{
	struct mx_lines_operand operands[MX_LINES_OPERANDS_MAX];
	unsigned i;

	walk->args = args;
	walk->work = work;
	mx_lines_broadcast(&operands[0], work->out, &work->out->shape);
	for (i = 0; i < work->in_count; i++)
		mx_lines_broadcast(&operands[i + 1], work->in[i],
				   &work->out->shape);
	mx_lines_init(&walk->lines, &work->out->shape, operands,
		      work->in_count + 1);
	/* A line of one element has step 0 in all its operands. */
	walk->is_direct = walk->lines.step[0] == 1 || walk->lines.length == 1;
	for (i = 0; i < work->in_count; i++) {
		const size_t step = walk->lines.step[i + 1];

		if (step > 1 || (step == 0 && walk->lines.length > 1 &&
				 work->no_repeat & 1u << i))
			walk->is_direct = 0;
	}
}

static void do_direct(const struct walk *walk, const size_t *offset)
{
	const struct mx_elementwise *work = walk->work;
	struct mx_elementwise_line line;
	unsigned i;

	line.count = walk->lines.length;
	line.out = work->out->data + offset[0];
	for (i = 0; i < work->in_count; i++) {
		line.in[i] = work->in[i]->data + offset[i + 1];
		line.step[i] = line.count == 1 ? 1 : walk->lines.step[i + 1];
	}
	work->line(walk->args, &line);
}

/* Through buffers: gather what is strided, compute, scatter. */
static void do_gathered(const struct walk *walk, const size_t *offset)
{
	const struct mx_elementwise *work = walk->work;
	const struct mx_lines *lines = &walk->lines;
	float out[CHUNK];
	float in[MX_ELEMENTWISE_INPUTS_MAX][CHUNK];
	struct mx_elementwise_line line;
	size_t begin, k;
	unsigned i;

	for (begin = 0; begin < lines->length; begin += CHUNK) {
		float *to =
			work->out->data + offset[0] + begin * lines->step[0];

		line.out = out;
		line.count = mx_size_min(lines->length - begin, CHUNK);
		for (i = 0; i < work->in_count; i++) {
			const size_t step = lines->step[i + 1];
			const float *from = work->in[i]->data + offset[i + 1] +
					    begin * step;

			for (k = 0; k < line.count; k++)
				in[i][k] = from[k * step];
			line.in[i] = in[i];
			line.step[i] = 1;
		}
		work->line(walk->args, &line);
		for (k = 0; k < line.count; k++)
			to[k * lines->step[0]] = out[k];
	}
}

void mx_elementwise_run(const struct mx_op_args *args,
			const struct mx_elementwise *work,
			struct mx_range parts, size_t part_count)
{
	struct mx_lines_walk at;
	struct mx_range range;
	struct walk walk;

	assert(work->in_count <= MX_ELEMENTWISE_INPUTS_MAX);
	walk_init(&walk, args, work);
	range = mx_lines_of_parts(walk.lines.count, part_count, parts);
	mx_lines_begin(&walk.lines, range.begin, &at);
	for (; range.begin < range.end; range.begin++) {
		if (walk.is_direct)
			do_direct(&walk, at.offset);
		else
			do_gathered(&walk, at.offset);
		mx_lines_next(&walk.lines, &at);
	}
}

void mx_rowwise_weights(const struct mx_layer *layer, uint32_t axis,
			uint32_t vectors, struct mx_weight_spec *spec)
{
	const size_t rows = layer->in_shape[0].dim[axis];

	if (rows == 0)
		return;
	spec->rows = rows;
	spec->vectors = vectors;
	spec->block_rows = (uint32_t)mx_size_min(rows, BLOCK_ROWS);
	spec->panel_rows = 1;
}

size_t mx_rowwise_tiles(const struct mx_layer *layer, uint32_t axis)
{
	const struct mx_shape *shape = &layer->in_shape[0];
	const size_t rows = mx_size_max(shape->dim[axis], 1);

	return mx_lines_parts(mx_shape_elems(shape) / rows *
			      mx_size_min(rows, BLOCK_ROWS));
}

/* @view without what lies outside of a block's rows. */
static struct mx_view narrow(const struct mx_view *view, uint32_t axis,
			     size_t first, size_t rows)
{
	struct mx_view part = *view;

	part.data += first * part.stride[axis];
	part.shape.dim[axis] = rows;
	return part;
}

/* @parts of one block: tiles. */
static void run_block(const struct mx_op_args *args, size_t block,
		      struct mx_range tiles, uint32_t axis,
		      struct mx_elementwise *work)
{
	const struct mx_weight_spec *spec = &args->layer->weights;
	const size_t rows = (size_t)mx_weight_block_rows(spec, block);
	const size_t first = block * spec->block_rows;
	const struct mx_view out = narrow(&args->out[0], axis, first, rows);
	const struct mx_view x = narrow(&args->in[0], axis, first, rows);
	struct mx_view vectors[MX_ROWWISE_VECTORS_MAX];
	/* Views are of floats that can be written; nobody does here. */
	float *values = (float *)(uintptr_t)mx_op_block(args, block);
	unsigned v;

	memset(vectors, 0, sizeof(vectors));
	work->out = &out;
	work->in[0] = &x;
	for (v = 0; v < spec->vectors; v++) {
		uint32_t i;

		vectors[v].data = values + v * rows;
		vectors[v].shape.rank = x.shape.rank;
		for (i = 0; i < x.shape.rank; i++)
			vectors[v].shape.dim[i] = i == axis ? rows : 1;
		vectors[v].stride[axis] = 1;
		work->in[v + 1] = &vectors[v];
	}
	mx_elementwise_run(args, work, tiles, args->layer->tile_count);
}

void mx_rowwise_run(const struct mx_op_args *args, struct mx_range parts,
		    uint32_t axis,
		    void (*line)(const struct mx_op_args *args,
				 const struct mx_elementwise_line *line))
{
	const size_t tiles = args->layer->tile_count;
	struct mx_elementwise work = {.line = line};
	size_t part = parts.begin;

	assert(args->layer->weights.vectors <= MX_ROWWISE_VECTORS_MAX);
	work.in_count = args->layer->weights.vectors + 1;
	if (args->layer->weights.rows == 0)
		return;
	while (part < parts.end) {
		const size_t block = part / tiles;
		const size_t end = mx_size_min(parts.end, (block + 1) * tiles);
		const struct mx_range range = {part - block * tiles,
					       end - block * tiles};

		run_block(args, block, range, axis, &work);
		part = end;
	}
}
