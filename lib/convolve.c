#include "lib/convolve_impl.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/convolve_pool.h"
#include "lib/simd.h"
#include "lib/simd_conv.h"
#include "lib/simd_map.h"
#include "lib/size.h"

/*
 * Invariants:
 *
 *  (1) A part is a block of rows on a tile of pixels, and nothing else is
 *      written: parts run side by side.
 *  (2) An output is the bias plus the sum of each chunk of positions in order.
 *      Chunks are the shape's; how tiles are cut changes no bit (simd_conv.h).
 *  (3) Between two chunks the output holds unclamped sums; if it is pooled,
 *      scratch memory does.
 */

#define SCRATCH_ALIGN_BYTES 64
/* A cache line, for all that one can know. */
#define LINE_FLOATS ((size_t)16)
/* Depthwise has no registers that limit the pixels of a call. */
#define DEPTHWISE_PIXELS 16

static size_t group_channels(const struct mx_convolve *conv)
{
	return conv->in_channels / conv->spatial.groups;
}

/* Give out @bytes at *@used, which grows; @base NULL only counts. */
static void *carve(unsigned char *base, size_t *used, size_t bytes)
{
	const size_t at = *used;

	*used += mx_size_round_up(bytes, SCRATCH_ALIGN_BYTES);
	return base ? base + at : NULL;
}

/* Lay the scratch memory out; returns its size. */
static size_t lay_out(const struct mx_layer *layer, void *base,
		      struct mx_convolve_scratch *s)
{
	const struct mx_convolve *conv = layer->params;
	const size_t pixels = conv->tile_pixels;
	const size_t chunk = conv->chunk;
	const size_t windows = conv->pool ? pixels / MX_POOL_CORNERS : 0;
	const int patches = conv->way == MX_CONVOLVE_PATCHES;
	const int depthwise = conv->way == MX_CONVOLVE_DEPTHWISE;
	const size_t row = layer->weights.row_elems;
	size_t used = 0;

	s->pixels = carve(base, &used, pixels * sizeof(*s->pixels));
	s->outs = carve(base, &used, pixels * sizeof(*s->outs));
	s->windows = carve(base, &used, windows * sizeof(*s->windows));
	s->pooled =
		carve(base, &used,
		      windows * MX_POOL_CORNERS * layer->weights.block_rows *
			      sizeof(*s->pooled));
	s->positions = carve(base, &used, chunk * sizeof(*s->positions));
	s->at = carve(base, &used, chunk * sizeof(*s->at));
	s->packed_at = carve(base, &used, chunk * sizeof(*s->packed_at));
	s->table = carve(base, &used,
			 pixels * (patches ? 1 : chunk) * sizeof(*s->table));
	s->zeros = carve(base, &used, conv->in_channels * sizeof(*s->zeros));
	s->panel = carve(base, &used,
			 depthwise ? 0
				   : chunk * group_channels(conv) *
					     MX_CONV_PANEL_ROWS *
					     sizeof(*s->panel));
	s->patches = carve(base, &used,
			   patches ? pixels * row * sizeof(*s->patches) : 0);
	return used;
}

size_t mx_convolve_scratch_bytes(const struct mx_layer *layer)
{
	struct mx_convolve_scratch scratch;

	return lay_out(layer, NULL, &scratch);
}

/* Where kernel index @k of an axis reads, for the pixel at 0 of the phase.
 * Returns 0 if it reads nothing in this phase. */
static int find_base(const struct mx_convolve_part *part, unsigned axis,
		     size_t k, ptrdiff_t *base)
{
	const struct mx_spatial *spatial = &part->conv->spatial;
	const ptrdiff_t reach = (ptrdiff_t)(k * spatial->dilation[axis]);
	const ptrdiff_t pad = (ptrdiff_t)spatial->pad_begin[axis];
	const ptrdiff_t stride = (ptrdiff_t)spatial->stride[axis];
	ptrdiff_t from;

	if (part->conv->direction == MX_CONVOLVE_FORWARD) {
		*base = reach - pad;
		return 1;
	}
	from = (ptrdiff_t)part->phase[axis] + pad - reach;
	*base = from / stride;
	return from % stride == 0;
}

/* A chunk of a panel of @width rows with its rows filled up to a whole one. */
static void fill_panel(const struct mx_convolve_part *part, const float *panel,
		       size_t width)
{
	const struct mx_convolve_scratch *s = &part->scratch;
	const size_t run = part->work.run;
	float *to = s->panel;
	size_t p, k;

	for (p = 0; p < part->work.positions; p++) {
		const float *from = panel + s->at[p] * width;

		for (k = 0; k < run; k++, from += width) {
			memcpy(to, from, width * sizeof(*to));
			memset(to + width, 0,
			       (MX_CONV_PANEL_ROWS - width) * sizeof(*to));
			to += MX_CONV_PANEL_ROWS;
		}
		s->packed_at[p] = p * run;
	}
}

/* During each of the first calls one of the panels that come next is fetched,
 * as far as the chunk has it. */
static void set_ahead(struct mx_convolve_part *part, size_t call, size_t row)
{
	const size_t elems = part->args->layer->weights.row_elems;
	struct mx_conv_work *work = &part->work;
	const size_t next = row + work->rows + call * MX_CONV_PANEL_ROWS;

	work->ahead = work->weights[0];
	work->ahead_step = 0;
	if (call < MX_CONV_PANELS_MAX &&
	    next + MX_CONV_PANEL_ROWS <= part->rows) {
		work->ahead = part->matrix + next * elems +
			      part->scratch.at[0] * MX_CONV_PANEL_ROWS;
		work->ahead_step = MX_CONV_AHEAD * LINE_FLOATS;
	}
}

/* The calls for rows [@row, @row + part->work.rows) of the block. */
static void run_calls(struct mx_convolve_part *part, size_t calls, size_t row,
		      void (*kernel)(const struct mx_conv_work *))
{
	const size_t pixels = part->pixel_count / calls;
	const size_t rest = part->pixel_count % calls;
	struct mx_conv_work *work = &part->work;
	size_t call;

	work->bias = part->is_first_chunk ? part->bias + row : NULL;
	work->out_offset = row;
	work->x = part->scratch.table;
	work->out = part->scratch.outs;
	for (call = 0; call < calls; call++) {
		work->pixels = pixels + (call < rest);
		set_ahead(part, call, row);
		kernel(work);
		work->x += work->pixels * work->positions;
		work->out += work->pixels;
	}
}

/* Rows of the panel at @row of the block, which has fewer in the last. */
static size_t panel_width(const struct mx_convolve_part *part, size_t row)
{
	return mx_size_min(part->args->layer->weights.panel_rows,
			   part->rows - row);
}

/* How many panels from @row on one call can take: whole ones of one group. */
static size_t panels_at(const struct mx_convolve_part *part, size_t row)
{
	const struct mx_convolve *conv = part->conv;
	const size_t group_rows = conv->out_channels / conv->spatial.groups;
	const size_t in_group = (part->first_row + row) % group_rows;
	const size_t left =
		mx_size_min(part->rows - row, group_rows - in_group);

	if (part->args->layer->weights.panel_rows < MX_CONV_PANEL_ROWS)
		return 1;
	return mx_size_max(
		mx_size_min(left / MX_CONV_PANEL_ROWS, part->simd->panels), 1);
}

/* All panels of the block on the current chunk. */
static void run_panels(struct mx_convolve_part *part, size_t calls)
{
	const struct mx_convolve *conv = part->conv;
	const size_t group_rows = conv->out_channels / conv->spatial.groups;
	const size_t elems = part->args->layer->weights.row_elems;
	struct mx_conv_work *work = &part->work;
	size_t row, i;

	for (row = 0; row < part->rows; row += work->rows) {
		const size_t width = panel_width(part, row);
		const size_t group = (part->first_row + row) / group_rows;

		work->panels = panels_at(part, row);
		work->x_offset = group * group_channels(conv);
		work->rows = width * work->panels;
		work->at = part->scratch.at;
		for (i = 0; i < work->panels; i++)
			work->weights[i] =
				part->matrix + (row + i * width) * elems;
		if (width < MX_CONV_PANEL_ROWS) {
			fill_panel(part, part->matrix + row * elems, width);
			work->weights[0] = part->scratch.panel;
			work->at = part->scratch.packed_at;
		}
		run_calls(part, calls, row, part->simd->gemm);
	}
}

static void run_depthwise(struct mx_convolve_part *part, size_t calls)
{
	part->work.rows = part->rows;
	part->work.x_offset = part->first_row;
	part->work.weights[0] = part->matrix;
	part->work.weight_step = part->rows;
	part->work.at = part->scratch.at;
	run_calls(part, calls, 0, part->simd->depthwise);
}

/* Compute what the collected positions add. */
static void run_chunk(struct mx_convolve_part *part)
{
	const int is_depthwise = part->way == MX_CONVOLVE_DEPTHWISE;
	const size_t run = group_channels(part->conv);
	const size_t calls = mx_size_div_up(part->pixel_count,
					    is_depthwise ? DEPTHWISE_PIXELS
							 : part->simd->pixels);
	size_t p;

	for (p = 0; p < part->position_count; p++)
		part->scratch.at[p] = part->scratch.positions[p].index * run;
	mx_convolve_fill(part, calls);
	part->work.positions = part->position_count;
	part->work.run = run;
	if (part->way == MX_CONVOLVE_PATCHES) {
		/* A patch is one long position. */
		part->work.run = run * part->position_count;
		part->work.positions = 1;
	}
	if (is_depthwise)
		run_depthwise(part, calls);
	else
		run_panels(part, calls);
	part->is_first_chunk = 0;
	part->position_count = 0;
}

static void pool_tile(const struct mx_convolve_part *part)
{
	const struct mx_convolve_scratch *s = &part->scratch;
	const size_t step = part->rows;
	size_t i;

	for (i = 0; i < part->pixel_count; i += MX_POOL_CORNERS)
		mx_convolve_pool_window(part->args->simd, s->pooled + i * step,
					MX_POOL_SIDE * step, step,
					s->windows[i / MX_POOL_CORNERS]);
}

/* The last chunk, after which the sums are complete. */
static void finish_tile(struct mx_convolve_part *part)
{
	const struct mx_activation *act = &part->conv->act;
	const int is_clamp =
		mx_activation_clamp(act, &part->work.low, &part->work.high);
	size_t i;

	run_chunk(part);
	for (i = 0; !is_clamp && i < part->pixel_count; i++)
		part->args->simd->map->activate(act, part->scratch.outs[i],
						part->rows, part->slope);
	if (part->conv->pool)
		pool_tile(part);
}

static void add_position(struct mx_convolve_part *part, size_t index,
			 const ptrdiff_t *base)
{
	struct mx_convolve_position *position;
	unsigned axis;

	if (part->position_count == part->conv->chunk)
		run_chunk(part);
	position = &part->scratch.positions[part->position_count++];
	position->index = index;
	position->elems = 0;
	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		position->base[axis] = base[axis];
		position->elems +=
			base[axis] * (ptrdiff_t)part->in.stride[axis];
	}
}

static void run_tile(struct mx_convolve_part *part)
{
	const size_t *kernel = part->conv->spatial.kernel;
	ptrdiff_t base[MX_SPATIAL_DIMS];
	size_t d, h, w;

	part->is_first_chunk = 1;
	part->position_count = 0;
	part->work.low = -INFINITY;
	part->work.high = INFINITY;
	for (d = 0; d < kernel[MX_SPATIAL_DEPTH]; d++) {
		if (!find_base(part, MX_SPATIAL_DEPTH, d,
			       &base[MX_SPATIAL_DEPTH]))
			continue;
		for (h = 0; h < kernel[MX_SPATIAL_HEIGHT]; h++) {
			if (!find_base(part, MX_SPATIAL_HEIGHT, h,
				       &base[MX_SPATIAL_HEIGHT]))
				continue;
			for (w = 0; w < kernel[MX_SPATIAL_WIDTH]; w++)
				if (find_base(part, MX_SPATIAL_WIDTH, w,
					      &base[MX_SPATIAL_WIDTH]))
					add_position(
						part,
						(d * kernel[MX_SPATIAL_HEIGHT] +
						 h) * kernel[MX_SPATIAL_WIDTH] +
							w,
						base);
		}
	}
	finish_tile(part);
}

static void set_block(struct mx_convolve_part *part, size_t block)
{
	const struct mx_weight_spec *spec = &part->args->layer->weights;
	const void *bytes = mx_op_block(part->args, block);

	part->first_row = block * spec->block_rows;
	part->rows = (size_t)mx_weight_block_rows(spec, block);
	part->matrix = bytes;
	part->bias = part->matrix + part->rows * spec->row_elems;
	part->slope = spec->vectors > 1 ? part->bias + part->rows : NULL;
}

void mx_convolve_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_convolve *conv = args->layer->params;
	struct mx_convolve_part part;
	size_t p;

	memset(&part, 0, sizeof(part));
	part.args = args;
	part.conv = conv;
	/* Without Winograd's, the same parts from position to position. */
	part.way = conv->way == MX_CONVOLVE_WINOGRAD ? MX_CONVOLVE_DIRECT
						     : conv->way;
	part.simd = args->simd->conv;
	mx_spatial_map_init(&part.in, &args->in[0]);
	mx_spatial_map_init(&part.out, &args->out[0]);
	(void)lay_out(args->layer, args->scratch, &part.scratch);
	memset(part.scratch.zeros, 0,
	       conv->in_channels * sizeof(*part.scratch.zeros));
	for (p = parts.begin; p < parts.end; p++) {
		set_block(&part, p / args->layer->tile_count);
		mx_convolve_place(&part, p % args->layer->tile_count);
		if (part.pixel_count)
			run_tile(&part);
	}
}
